"""A run against the step, and a schedule against progress."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter

from ..arguments import ceiling, check_type, check_whole, on_host, shown
from ..potential import Potential
from ..thermometers import configurational_history
from .landscapes import landscape, place_of
from .style import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    RED,
    SIZE,
    SKY,
    between,
    check_like,
    dots,
    given_axes,
    log_if_wide,
    new_axes,
    stack,
    styled,
)

MOST_STEPS = 10_000_000  # of a schedule that is drawn


@styled
def energy(result: Any, ax: Axes | None = None) -> Axes:
    """Mean and lowest energy of the replicas and the best so far, against the step.

    Parameters
    ----------
    result : Result
        What `anneal` returned, or `Result.load` read.
    ax : Axes, optional
        Where to draw; a new figure without.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        For a run without records.
    """
    run, ax = _records(result), new_axes(ax)
    many = on_host(result.energies).size > 1
    lines = [
        (run.energy_mean, ORANGE, 1.6, "mean of replicas" if many else "energy"),
        (run.best, BLUE, 3.2, "best so far"),
    ]
    if many:
        lines.insert(1, (run.energy_min, SKY, 1.2, "lowest replica"))
    for values, colour, width, label in lines:
        # the lowest replica, on or above the best so far, is drawn thin upon it
        style: dict[str, Any] = {
            "color": colour,
            "linewidth": width,
            "zorder": 2 + 1 / width,
            "label": label,
        }
        ax.plot(run.step, values, **style, **dots(run.step))
    low = np.min(run.best, where=np.isfinite(run.best), initial=np.inf)
    between(ax, low, ceiling(np.asarray(run.energy_mean), 0.9))
    ax.set(xlabel="step", ylabel=f"$U$ ({result.units.energy})")
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    ax.legend(loc="upper right")
    return ax


@styled
def temperature(result: Any, ax: Axes | None = None) -> Axes:
    """Target, kinetic and configurational temperature (energy, or kelvin if the potential's units
    know kB) against the step; logarithmic beyond a factor of ten.

    The configurational one is `thermometers.configurational_history`, which sums over neighbouring
    records.

    Parameters
    ----------
    result : Result
        What `anneal` returned, or `Result.load` read.
    ax : Axes, optional
        Where to draw; a new figure without.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        For a run without records.
    """
    run, ax = _records(result), new_axes(ax)
    for values, colour, width, label in (
        (configurational_history(run), GREEN, 1.0, "configurational"),
        (run.temperature, ORANGE, 1.6, "kinetic"),
    ):
        if np.isfinite(values).any():
            values = result.units.shown_temperature(values)
            ax.plot(run.step, values, color=colour, linewidth=width, label=label, **dots(run.step))
    style: dict[str, Any] = {"color": BLACK, "linestyle": "--", "linewidth": 1.2, "zorder": 4}
    target = result.units.shown_temperature(np.asarray(run.target))
    ax.plot(run.step, target, label="target", **style)
    log_if_wide(ax, target)
    ax.set(xlabel="step", ylabel=f"$T$ ({result.units.temperature})")
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    ax.legend(loc="best")
    return ax


def _records(result: Any) -> Any:
    check_like(result, "Result", "history energies state x units", "result")
    if not len(result.history.step):
        raise ValueError("the run has no records to draw: it stopped before the first")
    return result.history


@styled
def history(result: Any) -> np.ndarray:
    """Temperature above energy against the step.

    Parameters
    ----------
    result : Result
        What `anneal` returned, or `Result.load` read.

    Returns
    -------
    ndarray of two Axes, which share the step axis.

    Examples
    --------
    >>> run = lsa.anneal(U, [1.0], lsa.Schedule(0.5, dt=0.1), 200, rng=1)
    >>> lsa.plots.history(run)[0].figure.savefig("run.png")  # doctest: +SKIP
    """
    _records(result)
    axes = stack(2, 5.0)
    temperature(result, axes[0]).set_xlabel("")
    energy(result, axes[1]).figure.align_ylabels(axes)
    return axes


@styled
def summary(result: Any, potential: Any) -> np.ndarray:
    """`history`, and for one or two coordinates the landscape with the place where each replica
    ended.

    Parameters
    ----------
    result : Result
        What `anneal` returned, or `Result.load` read.
    potential : Potential
        That of the run.

    Returns
    -------
    ndarray of two or three Axes.
    """
    check_type(potential, Potential, "potential")
    _records(result)
    if potential.dim > 2:
        return history(result)
    if result.x.shape != (potential.dim,):
        there = f"{potential.name} has dim {potential.dim}"
        raise ValueError(f"the result is of {result.x.size} coordinates, and {there}")
    figure = plt.figure(figsize=(SIZE[0], 8.0), layout="constrained")
    top, middle, bottom = axes = figure.subplots(3, 1, height_ratios=[1, 1, 1.3])
    top.sharex(middle)
    temperature(result, top).set_xlabel("")
    top.tick_params(labelbottom=False)
    energy(result, middle)
    ends = on_host(result.state.x).reshape(-1, potential.dim)
    landscape(potential, bounds=place_of(potential, ends[None], None), ax=bottom)
    figure.align_ylabels(axes)
    heights = potential.energy(ends) if potential.dim == 1 else ends[:, 1]
    marks: dict[str, Any] = {"s": 26, "color": RED, "edgecolors": "white", "linewidths": 0.4}
    bottom.scatter(ends[:, 0], heights, alpha=0.9, zorder=6, label="end of a replica", **marks)
    bottom.legend(loc="upper right")
    return axes


@styled
def schedule(
    schedule: Any, n_steps: int = 1000, *, integrator: str = "gjf", ax: Axes | None = None
) -> Any:
    """Momentum, learning rate and temperature of each step against progress, as the integrator runs
    them.

    Returns
    -------
    array of three Axes (rho, lr, T); with ``ax`` given, only T is drawn, on it.
    """
    if isinstance(schedule, type) or not hasattr(schedule, "coefficients"):
        kinds = "a Schedule, CoolMomentum or Momentum"
        raise TypeError(f"schedule must be {kinds}, not {shown(schedule)}")
    check_whole(1, MOST_STEPS, n_steps=n_steps)
    steps = schedule.coefficients(n_steps, integrator)
    progress = np.arange(n_steps) / n_steps
    rows = (
        (steps.rho, r"momentum $\rho$", BLUE),
        (steps.lr, "learning rate\n(time$^2$)", GREEN),
        (steps.temperature, "$T$ (energy)", RED),
    )
    axes = stack(3, 5.4) if ax is None else given_axes(ax, 1)
    drawn = "steps-post" if n_steps < 50 else "default"
    for panel, (values, label, colour) in zip(axes, rows[-len(axes) :], strict=True):
        panel.plot(progress, values, color=colour, drawstyle=drawn)
        panel.set_ylabel(label)
        if values is not steps.rho:
            log_if_wide(panel, values)
        if panel.get_yscale() == "linear":
            low, high = min(0, 1.1 * values.min()), max(0, 1.1 * values.max())
            panel.set_ylim(*((low, high) if low < high else (-0.1, 1)))  # a line at 0 shows
    axes[0].figure.align_ylabels(axes)
    axes[-1].set(xlabel="progress $s = n/n_\\mathrm{steps}$", xlim=(0, 1))
    return axes if ax is None else ax
