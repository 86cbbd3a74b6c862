"""Pictures of landscapes, runs, densities and schedules; every function takes ``ax=`` and returns the Axes it drew on.

Energies, lengths and times are in reduced units (mass = k_B = 1). Colours are those of Okabe and Ito, which colour-blind
readers can tell apart; sizes are chosen to stay legible in a column 8 cm wide.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap
from matplotlib.ticker import MaxNLocator

BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, RED, PURPLE = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7",
)  # fmt: skip
TIME = ListedColormap(plt.get_cmap("plasma")(np.linspace(0, 0.9, 256)))
ENERGY = ListedColormap(plt.get_cmap("bone")(np.linspace(0.35, 1, 256)))  # pale, so that lines in any colour of TIME show
STYLE: dict[Any, Any] = {
    "font.size": 11,
    "axes.labelsize": 11,
    "axes.titlesize": 11,
    "legend.fontsize": 9.5,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "axes.formatter.limits": (-4, 5),
    "lines.linewidth": 1.6,
    "legend.frameon": True,
    "legend.framealpha": 0.85,
    "legend.edgecolor": "none",
    "figure.dpi": 110,
    "savefig.dpi": 200,
}
SIZE = (4.8, 3.3)  # inches

Plot = TypeVar("Plot", bound=Callable[..., Any])


def styled(plot: Plot) -> Plot:
    """The function run under `STYLE`; the user's own matplotlib settings are as before when it returns."""

    @wraps(plot)
    def run(*args: Any, **keywords: Any) -> Any:
        with plt.rc_context(STYLE):
            return plot(*args, **keywords)

    return run  # type: ignore[return-value]


def image_formats() -> dict[str, str]:
    """The kinds of image file that can be written, by their ending."""
    return FigureCanvasBase.get_supported_filetypes()


def _axes(ax: Axes | None) -> Axes:
    return plt.subplots(figsize=SIZE, layout="constrained")[1] if ax is None else ax


def _stack(panels: int, height: float) -> np.ndarray:
    return plt.subplots(panels, 1, sharex=True, figsize=(SIZE[0], height), layout="constrained")[1]


def _log_if_wide(ax: Axes, values: np.ndarray) -> None:
    """A logarithmic y axis if the positive values span more than a factor of ten."""
    values = values[values > 0]
    if values.size and values.max() > 10 * values.min():
        ax.set_yscale("log", nonpositive="mask")
        ax.set_ylim(values.min() / 2, values.max() * 2)


def _ceiling(energies: np.ndarray, quantile: float = 0.6) -> float:
    """Where to cut an energy axis so that steep walls, or a wild start, do not squeeze the rest."""
    energies = energies[np.isfinite(energies)]
    low, usual = energies.min(), np.quantile(energies, quantile)
    return float(min(energies.max(), low + 2 * (usual - low)))


# ---------------------------------------------------------------------------------------------------------- landscape


@styled
def landscape(potential: Any, *, trajectory: Any = None, bounds: Any = None, ax: Axes | None = None) -> Axes:
    """The energy of one or two coordinates, with trajectories coloured by time and the known minima as stars.

    Parameters
    ----------
    potential : Potential
        Of dim 1 (drawn as a curve) or 2 (filled contours, cut where the walls get steep).
    trajectory : array (records,), (records, dim) or (records, replicas, dim), optional
        Points to draw, such as ``result.samples``; thin out the replicas to keep lines apart.
    bounds : (low, high), or one pair a coordinate, optional
        What to show; by default the potential's bounds, else the surroundings of trajectory and minima.

    Raises
    ------
    ValueError
        For more than two coordinates, a trajectory of another shape, or nothing that tells what to show.
    """
    if potential.dim not in (1, 2):
        raise ValueError(
            f"landscape draws potentials of dim 1 or 2, and {potential.name} has dim {potential.dim}; plots.energy needs no dim"
        )
    path = None if trajectory is None else _path(trajectory, potential)
    box = _box(potential, path, bounds)
    return (_curve if potential.dim == 1 else _contours)(potential, path, box, _axes(ax))


def _path(trajectory: Any, potential: Any) -> np.ndarray:
    """The trajectory as (records, replicas, dim)."""
    path = np.asarray(trajectory, dtype=float)
    dim = potential.dim
    if path.ndim == 1 and dim == 1:
        path = path[:, None]
    if path.ndim == 2:
        path = path[:, None, :]
    if path.ndim != 3 or path.shape[-1] != dim or not path.size:
        raise ValueError(
            f"a trajectory has shape (records, {dim}) or (records, replicas, {dim}) for {potential.name}, not {np.shape(trajectory)}"
        )
    return path


def _box(potential: Any, path: np.ndarray | None, bounds: Any) -> np.ndarray:
    if bounds is None:
        bounds = potential.bounds
    if bounds is None:
        seen = [p.reshape(-1, potential.dim) for p in (path, potential.minima) if p is not None]
        if not seen:
            raise ValueError(f"{potential.name} has no bounds: say what to show, bounds=(low, high) or one pair a coordinate")
        points = np.concatenate(seen)
        low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
        margin = np.where(high - low > 1e-3, 0.4 * (high - low), 1.0)
        bounds = np.stack([low - margin, high + margin], axis=-1)
    try:
        box = np.broadcast_to(np.asarray(bounds, dtype=float), (potential.dim, 2))
    except (TypeError, ValueError):
        raise ValueError(f"bounds must be (low, high), or {potential.dim} of them, not {bounds!r}") from None
    if not (np.isfinite(box).all() and (box[:, 0] < box[:, 1]).all()):
        raise ValueError(f"each of the bounds must be finite with low < high, not {bounds!r}")
    return box


def _curve(potential: Any, path: np.ndarray | None, box: np.ndarray, ax: Axes) -> Axes:
    x = np.linspace(box[0, 0], box[0, 1], 1001)
    energy = potential.energy(x[:, None])
    low, top = np.nanmin(energy), _ceiling(energy)
    ax.plot(x, energy, color=BLACK, zorder=2)
    if path is not None:
        heights = potential.energy(path.reshape(-1, 1))
        top = max(top, float(np.nanquantile(heights, 0.98)))
        time = np.repeat(np.arange(len(path)), path.shape[1])
        points = ax.scatter(path.ravel(), heights, c=time, cmap=TIME, s=16, linewidths=0, alpha=0.8, zorder=3)
        ax.figure.colorbar(points, ax=ax, label="record", pad=0.02)
    _mark_minima(ax, potential, None if potential.minima is None else potential.energy(potential.minima))
    ax.set(xlim=box[0], ylim=(low - 0.06 * (top - low), top + 0.06 * (top - low)), xlabel="position $x$ (length)", ylabel="$U(x)$ (energy)")
    return ax


def _contours(potential: Any, path: np.ndarray | None, box: np.ndarray, ax: Axes) -> Axes:
    x, y = (np.linspace(low, high, 241) for low, high in box)
    grid = np.stack(np.meshgrid(x, y), axis=-1)
    energy = potential.energy(grid.reshape(-1, 2)).reshape(grid.shape[:2])
    levels = MaxNLocator(24).tick_values(np.nanmin(energy), _ceiling(energy))
    filled = ax.contourf(x, y, energy, levels, cmap=ENERGY, extend="max")
    ax.contour(x, y, energy, levels[::2], colors="#8A8A8A", linewidths=0.5, linestyles="solid")
    ax.figure.colorbar(filled, ax=ax, label="$U$ (energy)", pad=0.02, ticks=levels[::4])
    if path is not None:
        segments = np.stack([path[:-1], path[1:]], axis=2).reshape(-1, 2, 2)
        lines = LineCollection(list(segments), cmap=TIME, linewidths=1.0)
        lines.set_array(np.repeat(np.arange(len(path) - 1), path.shape[1]))
        ax.add_collection(lines)
        ax.figure.colorbar(lines, ax=ax, label="record", location="top", pad=0.02, aspect=40)
    _mark_minima(ax, potential, None if potential.minima is None else potential.minima[:, 1])
    ax.set(xlim=box[0], ylim=box[1], xlabel="$x_1$ (length)", ylabel="$x_2$ (length)")
    ax.grid(False)
    return ax


def _mark_minima(ax: Axes, potential: Any, heights: Any) -> None:
    if potential.minima is not None:
        style: dict[str, Any] = {"marker": "*", "s": 170, "color": YELLOW, "edgecolors": BLACK, "linewidths": 0.9, "zorder": 5}
        ax.scatter(potential.minima[:, 0], heights, label="known minimum", **style)
        ax.legend(loc="upper right")


# ---------------------------------------------------------------------------------------------------------------- runs


@styled
def energy(result: Any, ax: Axes | None = None) -> Axes:
    """Mean and lowest energy of the replicas and the best so far, against the step, of a `Result`."""
    run, ax = _records(result), _axes(ax)
    many = np.size(result.energies) > 1
    lines = [(run.energy_mean, ORANGE, "mean of replicas" if many else "energy")]
    if many:
        lines.append((run.energy_min, SKY, "lowest replica"))
    lines.append((run.best, BLUE, "best so far"))
    for values, colour, label in lines:
        ax.plot(run.step, values, color=colour, label=label, **_dots(run.step))
    low, high = np.nanmin(run.best), _ceiling(np.asarray(run.energy_mean), 0.9)
    if high > low:
        ax.set_ylim(low - 0.06 * (high - low), high + 0.06 * (high - low))
    ax.set(xlabel="step", ylabel="$U$ (energy)")
    ax.legend(loc="upper right")
    return ax


@styled
def temperature(result: Any, ax: Axes | None = None) -> Axes:
    """Target, kinetic and configurational temperature against the step, of a `Result`; logarithmic beyond a factor of ten."""
    run, ax = _records(result), _axes(ax)
    for values, colour, width, label in (
        (run.configurational, GREEN, 1.0, "configurational"),
        (run.temperature, ORANGE, 1.6, "kinetic"),
    ):
        if np.isfinite(values).any():
            ax.plot(run.step, values, color=colour, linewidth=width, label=label, **_dots(run.step))
    ax.plot(run.step, run.target, color=BLACK, linestyle="--", linewidth=1.2, label="target", zorder=4)
    _log_if_wide(ax, np.asarray(run.target))
    ax.set(xlabel="step", ylabel="$T$ (energy)")
    ax.legend(loc="upper right")
    return ax


def _records(result: Any) -> Any:
    if not len(result.history.step):
        raise ValueError("the run has no records to draw: it stopped before the first")
    return result.history


def _dots(step: Any) -> dict[str, Any]:
    return {"marker": "o", "markersize": 4} if len(step) < 12 else {}


@styled
def history(result: Any) -> np.ndarray:
    """Temperature above energy against the step, of a `Result`; two Axes that share the step axis."""
    _records(result)
    axes = _stack(2, 5.0)
    temperature(result, axes[0]).set_xlabel("")
    energy(result, axes[1]).figure.align_ylabels(axes)
    return axes


@styled
def summary(result: Any, potential: Any) -> np.ndarray:
    """`history`, and for one or two coordinates the landscape with the place where each replica ended; all the Axes."""
    if potential.dim > 2:
        return history(result)
    figure = plt.figure(figsize=(2 * SIZE[0], 4.6), layout="constrained")
    axes = figure.subplot_mosaic([["T", "U"], ["E", "U"]])
    axes["T"].sharex(axes["E"])
    temperature(result, axes["T"]).set_xlabel("")
    axes["T"].tick_params(labelbottom=False)
    energy(result, axes["E"]).figure.align_ylabels([axes["T"], axes["E"]])
    ends = np.reshape(result.state.x, (-1, potential.dim))
    landscape(potential, bounds=_box(potential, ends[None], None), ax=axes["U"])
    heights = potential.energy(ends) if potential.dim == 1 else ends[:, 1]
    axes["U"].scatter(
        ends[:, 0], heights, s=26, color=RED, edgecolors="white", linewidths=0.4, alpha=0.9, zorder=6, label="end of a replica"
    )
    axes["U"].legend(loc="upper right")
    return np.array([axes["T"], axes["E"], axes["U"]])


# ------------------------------------------------------------------------------------------------ densities, schedules


@styled
def histogram(x: Any, potential: Any, temperature: float, *, ax: Axes | None = None, bins: Any = 60) -> Axes:
    """Samples of one coordinate against the Boltzmann density ``exp(-U/T)/Z``, Z by quadrature.

    Parameters
    ----------
    x : array
        Samples of any shape, such as ``result.samples``.
    potential : Potential
        Of dim 1.
    temperature : float
        T > 0 (energy).
    bins : int or edges
        As for ``numpy.histogram``.

    Raises
    ------
    ValueError
        For a potential of more coordinates, a temperature that is not positive, or samples that are not finite.
    """
    if potential.dim != 1:
        raise ValueError(f"histogram compares one coordinate, and {potential.name} has dim {potential.dim}")
    if not temperature > 0:
        raise ValueError(f"the Boltzmann density needs a temperature > 0, not {temperature!r}")
    x = np.asarray(x, dtype=float).ravel()
    if not x.size or not np.isfinite(x).all():
        raise ValueError("samples must be finite, and at least one")
    ax = _axes(ax)
    grid, density = _boltzmann(potential, temperature, x)
    ax.hist(x, bins=bins, density=True, color=SKY, alpha=0.75, label="samples")
    ax.plot(grid, density, color=BLACK, label=r"$\exp(-U/T)/Z$")
    shown = grid[density > 1e-3 * density.max()]
    ax.set(xlim=(min(shown[0], x.min()), max(shown[-1], x.max())), xlabel="position $x$ (length)", ylabel="probability density (1/length)")
    ax.set_title(f"$T = {temperature:g}$")
    ax.set_ylim(0, 1.25 * ax.get_ylim()[1])
    ax.legend(loc="upper right", ncols=2)
    return ax


def _boltzmann(potential: Any, temperature: float, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A grid that holds the samples and, if the potential confines, all the weight; and the density on it."""
    seen = np.concatenate([x, *(np.ravel(p) for p in (potential.bounds, potential.minima) if p is not None)])
    start = low, high = seen.min(), max(seen.max(), seen.min() + 1e-9)
    for _ in range(12):
        grid = np.linspace(low, high, 20_001)
        energy = potential.energy(grid[:, None])
        weight = np.exp(-(energy - np.nanmin(energy)) / temperature)
        if max(weight[0], weight[-1]) < 1e-9:
            break
        low, high = low - (high - low) / 4, high + (high - low) / 4
    else:  # nothing confines, as in a periodic potential: the density between the samples
        keep = (grid >= start[0]) & (grid <= start[1])
        grid, weight = grid[keep], weight[keep]
    return grid, weight / np.trapezoid(weight, grid)


@styled
def schedule(schedule: Any, n_steps: int = 1000, *, integrator: str = "gjf", ax: Axes | None = None) -> Any:
    """Momentum, learning rate and temperature of each step against progress, as the integrator runs them.

    Returns
    -------
    array of three Axes (rho, lr, T); with ``ax`` given, only T is drawn, on it.
    """
    steps = schedule.coefficients(n_steps, integrator)
    progress = np.arange(n_steps) / n_steps
    rows = (
        (steps.rho, r"momentum $\rho$", BLUE),
        (steps.lr, "learning rate\n(time$^2$)", GREEN),
        (steps.temperature, "$T$ (energy)", RED),
    )
    axes = _stack(3, 5.4) if ax is None else [ax]
    for panel, (values, label, colour) in zip(axes, rows[-len(axes) :], strict=True):
        panel.plot(progress, values, color=colour, drawstyle="steps-post" if n_steps < 50 else "default")
        panel.set_ylabel(label)
        if values is not steps.rho:
            _log_if_wide(panel, values)
        if panel.get_yscale() == "linear":
            panel.set_ylim(min(0, 1.1 * values.min()), max(0, 1.1 * values.max()) or 1)
    axes[0].figure.align_ylabels(axes)
    axes[-1].set(xlabel="progress $s = n/n_\\mathrm{steps}$", xlim=(0, 1))
    return axes if ax is None else ax
