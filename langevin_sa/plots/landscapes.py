"""Landscapes of one or two coordinates: with trajectories, with densities, and moving."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm
from matplotlib.ticker import MaxNLocator

from ..arguments import around, box_of, ceiling, check_positive, check_type, real_array
from ..potential import Potential
from .style import BLACK, ENERGY, SKY, TIME, YELLOW, between, new_axes, styled


@styled
def landscape(
    potential: Any,
    *,
    trajectory: Any = None,
    temperature: Any = None,
    bounds: Any = None,
    ax: Axes | None = None,
) -> Axes:
    """The energy of one or two coordinates, with trajectories coloured by time or temperature and
    the known minima as stars.

    Parameters
    ----------
    potential : Potential
        Of dim 1 (drawn as a curve) or 2 (filled contours, cut where the walls get steep).
    trajectory : array (records,), (records, dim) or (records, replicas, dim), optional
        Points to draw, such as ``result.samples``; thin out the replicas to keep lines apart.
    temperature : array (records,), optional
        T at each record, such as ``result.history.target``: colours the trajectory in place of
        time, on a logarithmic scale.
    bounds : (low, high), or one pair a coordinate, optional
        What to show; by default the potential's bounds, else the surroundings of trajectory and
        minima.

    Raises
    ------
    ValueError
        For more than two coordinates, a trajectory of another shape, or nothing that tells what to
        show.
    """
    check_type(potential, Potential, "potential")
    if potential.dim not in (1, 2):
        raise ValueError(
            f"landscape draws potentials of dim 1 or 2, and {potential.name} has dim "
            f"{potential.dim}; plots.energy needs no dim"
        )
    path = None if trajectory is None else path_of(trajectory, potential)
    box = place_of(potential, path, bounds)
    records = np.arange(0 if path is None else len(path))
    colours: dict[str, Any] = {"label": "record", "norm": None, "values": records}
    if temperature is not None:
        values = real_array(temperature, "temperature")
        if path is None or values.shape != path.shape[:1] or not (values > 0).all():
            raise ValueError(
                "temperature colours a trajectory: it needs one T > 0 for each of its records"
            )
        values = potential.units.shown_temperature(values)
        norm = LogNorm(values.min(), values.max())
        label = f"$T$ ({potential.units.temperature})"
        colours = {"label": label, "norm": norm, "values": values}
    draw = _curve if potential.dim == 1 else _contours
    return draw(potential, path, colours, box, new_axes(ax))


def path_of(trajectory: Any, potential: Any) -> np.ndarray:
    """The trajectory as (records, replicas, dim)."""
    path = real_array(trajectory, "a trajectory")
    dim = potential.dim
    if path.ndim == 1 and dim == 1:
        path = path[:, None]
    if path.ndim == 2:
        path = path[:, None, :]
    if path.ndim != 3 or path.shape[-1] != dim or not path.size:
        raise ValueError(
            f"a trajectory has shape (records, {dim}) or (records, replicas, {dim}) for "
            f"{potential.name}, not {np.shape(trajectory)}"
        )
    return path


def place_of(potential: Any, path: np.ndarray | None, bounds: Any) -> np.ndarray:
    if bounds is None:
        bounds = potential.bounds
    if bounds is None:
        seen = [p.reshape(-1, potential.dim) for p in (path, potential.minima) if p is not None]
        if not seen:
            raise ValueError(
                f"{potential.name} has no bounds: say what to show, bounds=(low, high) or one "
                "pair a coordinate"
            )
        return around(np.concatenate(seen), alone=float(potential.scale.length.max()))
    return box_of(bounds, potential.dim, "bounds")


def _lowest(energy: np.ndarray, potential: Any, box: np.ndarray) -> float:
    if not np.isfinite(energy).any():
        raise ValueError(f"the energy of {potential.name} is finite nowhere within {box.tolist()}")
    return float(energy[np.isfinite(energy)].min())


def _curve(
    potential: Any, path: np.ndarray | None, colours: dict[str, Any], box: np.ndarray, ax: Axes
) -> Axes:
    x = np.linspace(box[0, 0], box[0, 1], 1001)
    energy = potential.energy(x[:, None])
    low, top = _lowest(energy, potential, box[0]), ceiling(energy)
    ax.plot(x, energy, color=BLACK, zorder=2)
    if path is not None:
        heights = potential.energy(path.reshape(-1, 1))
        top = max(top, ceiling(heights, 0.98))
        values = np.repeat(colours["values"], path.shape[1])
        marks: dict[str, Any] = {"s": 16, "linewidths": 0, "alpha": 0.8, "zorder": 3}
        marks |= {"c": values, "norm": colours["norm"], "cmap": TIME}
        points = ax.scatter(path.ravel(), heights, **marks)
        ax.figure.colorbar(points, ax=ax, label=colours["label"], pad=0.02)
    if potential.minima is not None:
        _mark_minima(ax, potential.minima, potential.energy(potential.minima))
    units = potential.units
    ax.set(xlim=box[0], xlabel=f"position $x$ ({units.length})", ylabel=f"$U(x)$ ({units.energy})")
    between(ax, low, top)
    return ax


def _contours(
    potential: Any, path: np.ndarray | None, colours: dict[str, Any], box: np.ndarray, ax: Axes
) -> Axes:
    x, y = (np.linspace(low, high, 241) for low, high in box)
    grid = np.stack(np.meshgrid(x, y), axis=-1)
    energy = potential.energy(grid.reshape(-1, 2)).reshape(grid.shape[:2])
    levels = MaxNLocator(24).tick_values(_lowest(energy, potential, box), ceiling(energy))
    filled = ax.contourf(x, y, energy, levels, cmap=ENERGY, extend="max")
    ax.contour(x, y, energy, levels[::2], colors="#8A8A8A", linewidths=0.5, linestyles="solid")
    ax.figure.colorbar(
        filled, ax=ax, label=f"$U$ ({potential.units.energy})", pad=0.02, ticks=levels[::4]
    )
    if path is not None:
        segments = np.stack([path[:-1], path[1:]], axis=2).reshape(-1, 2, 2)
        lines = LineCollection(list(segments), cmap=TIME, norm=colours["norm"], linewidths=1.0)
        lines.set_array(np.repeat(colours["values"][:-1], path.shape[1]))
        ax.add_collection(lines)
        above: dict[str, Any] = {"location": "top", "pad": 0.02, "aspect": 40}
        ax.figure.colorbar(lines, ax=ax, label=colours["label"], **above)
    if potential.minima is not None:
        _mark_minima(ax, potential.minima, potential.minima[:, 1])
    length = potential.units.length
    names = potential.variables or ("x1", "x2")
    labels = [f"${_symbol(name)}$ ({length})" for name in names]
    ax.set(xlim=box[0], ylim=box[1], xlabel=labels[0], ylabel=labels[1])
    ax.grid(False)
    return ax


def _symbol(name: str) -> str:
    """LaTeX of a coordinate's name: x, x_{1}, words upright."""
    word = name.rstrip("0123456789").rstrip("_") or name
    index = name[len(word) :].lstrip("_")
    letter = word if len(word) == 1 else rf"\mathrm{{{word}}}".replace("_", r"\_")
    return f"{letter}_{{{index}}}" if index else letter


def _mark_minima(ax: Axes, minima: np.ndarray, heights: np.ndarray) -> None:
    star: dict[str, Any] = {"marker": "*", "s": 170, "color": YELLOW, "edgecolors": BLACK}
    ax.scatter(minima[:, 0], heights, label="known minimum", linewidths=0.9, zorder=5, **star)
    ax.legend(loc="upper right")


@styled
def histogram(
    x: Any, potential: Any, temperature: float, *, ax: Axes | None = None, bins: Any = 60
) -> Axes:
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
        For a potential of more coordinates, a temperature that is not positive, or samples that are
        not finite.
    """
    check_type(potential, Potential, "potential")
    if potential.dim != 1:
        raise ValueError(
            f"histogram compares one coordinate, and {potential.name} has dim {potential.dim}"
        )
    check_positive(temperature=temperature)
    x = real_array(x, "samples").ravel()
    if not x.size or not np.isfinite(x).all():
        raise ValueError("samples must be finite, and at least one")
    ax = new_axes(ax)
    grid, density = _boltzmann(potential, temperature, x)
    ax.hist(x, bins=bins, density=True, color=SKY, alpha=0.75, label="samples")
    ax.plot(grid, density, color=BLACK, label=r"$\exp(-U/T)/Z$")
    seen = grid[density > 1e-3 * density.max()]
    ax.set_xlim(min(seen[0], x.min()), max(seen[-1], x.max()))
    length = potential.units.length
    ax.set(xlabel=f"position $x$ ({length})", ylabel=f"probability density (1/{length})")
    ax.set_title(f"$T = {temperature:g}$")
    ax.set_ylim(0, 1.25 * ax.get_ylim()[1])
    ax.legend(loc="upper right", ncols=2)
    return ax


def _boltzmann(potential: Any, temperature: float, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A grid that holds the samples and, if the potential confines, all the weight; and the density
    on it.
    """
    seen = np.concatenate(
        [x, *(np.ravel(p) for p in (potential.bounds, potential.minima) if p is not None)]
    )
    width = np.ptp(seen) or potential.scale.length[0]
    start = low, high = seen.min(), seen.min() + width
    for _ in range(12):
        grid, weight = _weights(potential, temperature, low, high)
        if max(weight[0], weight[-1]) < 1e-9:
            break
        low, high = low - (high - low) / 4, high + (high - low) / 4
    else:  # nothing confines, as in a periodic potential: the density between the samples
        grid, weight = _weights(potential, temperature, *start)
    return grid, weight / np.trapezoid(weight, grid)


def _weights(
    potential: Any, temperature: float, low: float, high: float
) -> tuple[np.ndarray, np.ndarray]:
    """exp(-U/T) on a grid, 1 at its largest, 0 where U is not finite."""
    grid = np.linspace(low, high, 20_001)
    energy = potential.energy(grid[:, None])
    lowest = _lowest(energy, potential, grid[[0, -1]])
    return grid, np.exp(-(np.where(np.isfinite(energy), energy, np.inf) - lowest) / temperature)
