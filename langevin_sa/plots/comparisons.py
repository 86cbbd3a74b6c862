"""Annealing against quenching: the paper's Fig. 1 for any potential, laws of cooling, where
replicas ended, Table 2.
"""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter

from ..arguments import look_up, real_array
from .landscapes import landscape
from .style import (
    BLACK,
    BLUE,
    GOODNESS,
    GREEN,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    check_like,
    dots,
    given_axes,
    literal,
    new_axes,
    stack,
    styled,
)

SERIES = (BLUE, RED, GREEN, ORANGE, PURPLE, SKY, BLACK)
DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 1)))


def _series(comparison: Any) -> list[tuple[Any, dict[str, Any]]]:
    """Each outcome of a `Comparison` with its colour and line style, which differ also without
    colour.
    """
    check_like(comparison, "Comparison", "outcomes potential minimum_energy", "comparison")
    return [
        (
            o,
            {
                "color": SERIES[k % len(SERIES)],
                "linestyle": DASHES[k % len(DASHES)],
                "label": literal(name),
            },
        )
        for k, (name, o) in enumerate(comparison.outcomes.items())
    ]


@styled
def comparison(comparison: Any, axes: Any = None) -> np.ndarray:
    """The paper's Fig. 1 for a `Comparison`: residual energy, success and rescaled temperature T
    dt^2 against the step.

    Energy is the mean of what success is judged by; it and success have bands of 95 % confidence. T
    dt^2 = <dx^2> is Eq. (22) and needs no time step, so that it exists for every optimizer.

    Parameters
    ----------
    axes : three Axes, optional
        Where to draw.
    """
    series = _series(comparison)
    axes = stack(3, 7.2) if axes is None else given_axes(axes, 3)
    energy, success, temperature = axes
    lowest = comparison.minimum_energy
    for o, style in series:
        band: dict[str, Any] = {"color": style["color"], "alpha": 0.25, "linewidth": 0}
        mean = o.judged.mean(axis=1) - lowest
        error = 1.96 * o.judged.std(axis=1) / np.sqrt(len(o.x))
        energy.fill_between(o.step, np.maximum(mean - error, 1e-3 * mean), mean + error, **band)
        energy.plot(o.step, mean, **style, **dots(o.step))
        share, below, above = 100 * np.array(o.success_by_epoch or np.empty((0, 3))).T
        success.fill_between(o.step, below, above, **band)
        success.plot(o.step, share, **style, **dots(o.step))
        temperature.plot(o.step, o.rescaled, **style, **dots(o.step))
    _symlog(energy, [o.judged.mean(axis=1) - lowest for o in comparison.outcomes.values()])
    units = comparison.potential.units
    energy.set_ylabel(rf"$\langle U \rangle - U_{{\min}}$ ({units.energy})")
    success.set(ylabel="success (%)", ylim=(-4, 104))
    temperature.set_ylabel(rf"$T\,\Delta t^2$ ({units.length}$^2$)")
    temperature.set(xlabel="step", yscale="log")
    temperature.xaxis.set_major_formatter(EngFormatter(sep=""))
    for panel in (energy, success):
        if not panel.get_shared_x_axes().joined(panel, temperature):
            panel.sharex(temperature)
        panel.tick_params(labelbottom=False)
    # what fits in the width
    columns = max(1, min(len(comparison.outcomes), 44 // (6 + max(map(len, comparison.outcomes)))))
    place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (-0.02, 1.0)}
    energy.legend(**place, ncols=columns, frameon=False, borderaxespad=0.2)
    energy.figure.align_ylabels(axes)
    return axes


def _symlog(ax: Axes, series: list[np.ndarray]) -> None:
    """A logarithmic y axis for energies above the minimum; what is below a ten-thousandth of the
    highest is cut.
    """
    values = np.concatenate([v[np.isfinite(v)] for v in series])
    top = values.max(initial=0)
    if top > 0:
        ax.set_yscale("log", nonpositive="clip")
        ax.set_ylim(max(values.min() / 2, 1e-4 * top), 2 * top)


@styled
def bands(comparison: Any, ax: Axes | None = None) -> Axes:
    """Energy (thick) and lowest energy so far (thin) of each method: medians, with a band from the
    10 to the 90 % quantile.
    """
    series, ax = _series(comparison), new_axes(ax)
    for o, style in series:
        best = style | {"label": f"{style['label']}, best so far"}
        for values, width, alpha, look in ((o.energy, 1.8, 0.18, style), (o.best, 1.0, 0.1, best)):
            low, middle, high = np.quantile(values, [0.1, 0.5, 0.9], axis=1)
            ax.fill_between(o.step, low, high, color=style["color"], alpha=alpha, linewidth=0)
            ax.plot(o.step, middle, linewidth=width, **look)
    ax.axhline(comparison.minimum_energy, color=BLACK, linewidth=0.8, linestyle=":")
    ax.set(xlabel="step", ylabel=f"$U$ ({comparison.potential.units.energy})")
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    ax.legend(loc="upper right")
    return ax


@styled
def cooling(cooling: Any, axes: Any = None) -> np.ndarray:
    """Success and residual energy of a `Cooling` against the cooling time, with 95 % intervals and
    both fitted laws.

    Parameters
    ----------
    axes : two Axes, optional
        Where to draw.
    """
    check_like(cooling, "Cooling", "times n_steps success residual fits", "cooling")
    axes = stack(2, 5.4) if axes is None else given_axes(axes, 2)
    marks: dict[str, Any] = {"marker": "o", "markersize": 5, "capsize": 3, "linestyle": "none"}
    times = cooling.times
    share, low, high = 100 * cooling.success.T
    axes[0].errorbar(times, share, [share - low, high - share], color=BLUE, **marks)
    axes[0].set(ylabel="success (%)", ylim=(-4, 104))
    mean, low, high = cooling.residual.T
    shown = mean > 0
    bottom = mean[shown].min() / 3 if shown.any() else 1e-3
    bars = np.maximum(0, [mean - np.maximum(low, bottom), high - mean])[:, shown]
    marks |= {"color": BLUE, "label": "mean of replicas"}
    axes[1].errorbar(times[shown], mean[shown], bars, **marks)
    steps = np.geomspace(cooling.n_steps[0], cooling.n_steps[-1], 200)
    along = steps * times[0] / cooling.n_steps[0]
    curves = {"power": (RED, "-", r"\tau", 2), "logarithmic": (GREEN, "--", r"(\ln \tau)", 1)}
    for law, fit in cooling.fits.items():
        colour, dashes, clock, digits = curves[law]
        label = f"{law} law, ${clock}^{{-{fit.zeta:.{digits}f}}}$"
        axes[1].plot(along, fit(steps), color=colour, linestyle=dashes, label=label)
    axes[1].set(xscale="log", yscale="log" if shown.any() else "linear")
    axes[1].set_xlabel(r"cooling time $\tau$ (time)")
    unit = cooling.comparisons[0].potential.units.energy
    axes[1].set_ylabel(rf"$\langle U \rangle - U_{{\min}}$ ({unit})")
    if shown.any():
        axes[1].set_ylim(bottom / 1.3, 2 * high.max())
    axes[1].legend(loc="lower left")
    axes[0].figure.align_ylabels(axes)
    return axes


@styled
def ends(comparison: Any, *, bounds: Any = None, ax: Axes | None = None) -> Axes:
    """Where the replicas of each method ended, on the landscape: histograms under the curve (dim
    1), or points (dim 2).
    """
    series, potential = _series(comparison), comparison.potential
    ax = landscape(potential, bounds=bounds, ax=ax)
    if potential.dim == 2:
        for k, (o, style) in enumerate(series):
            marks: dict[str, Any] = {"edgecolors": style["color"], "label": style["label"]}
            marks |= {"marker": "o^sDvPX"[k % 7], "facecolors": "none", "linewidths": 1.3}
            ax.scatter(o.x[:, 0], o.x[:, 1], s=26 + 14 * k, zorder=6, **marks)
        ax.legend(loc="upper right")
        return ax
    twin = ax.twinx()
    edges = np.linspace(*ax.get_xlim(), 36)
    width = (edges[1] - edges[0]) / len(series)
    for k, (o, style) in enumerate(series):
        share = 100 * np.histogram(o.x[:, 0], edges)[0] / len(o.x)
        look = {"color": style["color"], "label": style["label"], "alpha": 0.85}
        twin.bar(edges[:-1] + (k + 0.5) * width, share, width, **look)
    twin.set(ylabel="replicas in a bin (%)", ylim=(0, 1.7 * twin.dataLim.y1 or 100))
    twin.set_yticks([tick for tick in twin.get_yticks() if tick <= 100])
    twin.grid(False)
    twin.spines["right"].set_visible(True)
    ax.set_zorder(twin.get_zorder() + 1)
    ax.patch.set_visible(False)
    handles = [h for a in (ax, twin) for h in a.get_legend_handles_labels()[0]]
    ax.legend(handles, [str(h.get_label()) for h in handles], loc="upper center")
    return ax


@styled
def heat_map(
    rho0: Any,
    lr: Any,
    values: Any,
    *,
    label: str = "success (%)",
    good: str = "high",
    ax: Axes | None = None,
) -> Axes:
    """A table of rho0 (rows) by lr (columns) in colours with its numbers, the shape of the paper's
    Table 2; NaN is divergent.

    Parameters
    ----------
    rho0, lr : sequence of float
        Of the rows and of the columns.
    values : array (len(rho0), len(lr))
        What was measured; NaN where the run diverged, which is marked "div".
    label : str
        What the values are, with their unit.
    good : {"high", "low"}
        Which value is framed as the best.
    """
    rho0, lr, values = real_array(rho0, "rho0"), real_array(lr, "lr"), real_array(values, "values")
    best_of = look_up(good, {"high": np.nanargmax, "low": np.nanargmin}, "value of good")
    if not (rho0.ndim == lr.ndim == 1 and values.size):
        shapes = f"{rho0.shape} and {lr.shape}"
        raise ValueError(f"rho0 and lr must be at least one number each, not of shapes {shapes}")
    if values.shape != (len(rho0), len(lr)):
        shape = f"({len(rho0)}, {len(lr)}), one row a rho0 and one column a lr"
        raise ValueError(f"values must have shape {shape}, not {values.shape}")
    ax = new_axes(ax)
    shown = ax.imshow(np.ma.masked_invalid(values), cmap=GOODNESS, aspect="auto")
    finite = values[np.isfinite(values)]
    middle = (finite.max() + finite.min()) / 2 if finite.size else 0
    best = best_of(values) if finite.size else -1
    for k, value in enumerate(values.ravel()):
        row, column = divmod(k, len(lr))
        middled: dict[str, Any] = {"ha": "center", "va": "center"}
        if np.isfinite(value):
            colour, weight = BLACK if value > middle else "white", "bold" if k == best else "normal"
            ax.text(column, row, f"{value:.3g}", color=colour, fontweight=weight, **middled)
        else:
            hatched: dict[str, Any] = {"facecolor": "#EEEEEE", "edgecolor": "#999999"}
            hatched |= {"hatch": "///", "linewidth": 0}
            ax.add_patch(plt.Rectangle((column - 0.5, row - 0.5), 1, 1, **hatched))
            paper = {"facecolor": "white", "edgecolor": "none", "pad": 2}
            ax.text(column, row, "div", bbox=paper, **middled)
    ax.set_xticks(range(len(lr)), [f"{v:g}" for v in lr])
    ax.set_yticks(range(len(rho0)), [f"{v:g}" for v in rho0])
    ax.set_xlabel(r"base learning rate $lr = \Delta t^2$ (time$^2$)")
    ax.set_ylabel(r"first momentum $\rho_0$")
    ax.grid(False)
    ax.figure.colorbar(shown, ax=ax, label=label, pad=0.02)
    return ax
