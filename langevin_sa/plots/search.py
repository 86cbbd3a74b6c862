"""A search of `minimize` against its evaluations."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, LogFormatterSciNotation, LogLocator, NullFormatter

from .style import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    RED,
    SIZE,
    SKY,
    YELLOW,
    check_like,
    given_axes,
    styled,
)

DEEPEST = 1e-8  # of the largest height that is drawn, below which all is drawn as 0
WIDE = 10.0  # from which ratio of heights on the axis is logarithmic
MOST = 200  # minima that are marked
COLOURS = {
    "start": BLACK,
    "sample": SKY,
    "line": GREEN,
    "hop": ORANGE,
    "difference": PURPLE,
    "funnel": YELLOW,
    "polish": BLACK,
}


@styled
def search(result: Any, ax: Axes | None = None) -> Any:
    """What a search of `minimize` found, and by which moves, against its evaluations.

    Above, how far above the lowest point of all the best one and the walker were, and marks for
    the minima found; below, a tick for each move, with a dot where it found something lower.

    Parameters
    ----------
    result : OptimizeResult
        What `langevin_sa.minimize` returns.
    ax : Axes, optional
        Where to draw the upper part alone.

    Returns
    -------
    array of two Axes; with ``ax`` given, that one.

    Raises
    ------
    ValueError
        If the search ended before its first iteration, or found no finite value.
    """
    check_like(result, "result of minimize", "history minima fun nfev", "result")
    run = result.history
    check_like(run, "result of minimize", "evaluations best walker move", "result.history")
    if not np.isfinite(run.best).any():
        raise ValueError("there is nothing to draw: no iteration ended with a finite value")
    if ax is not None:
        return _heights(result, given_axes(ax, 1)[0])
    axes = plt.subplots(
        2,
        1,
        sharex=True,
        figsize=(SIZE[0], 1.35 * SIZE[1]),
        height_ratios=[2.2, 1],
        layout="constrained",
    )[1]
    _heights(result, axes[0]).set_xlabel("")
    _moves(run, axes[1])
    axes[0].figure.align_ylabels(axes)
    return axes


def _heights(result: Any, ax: Axes) -> Axes:
    run = result.history
    lowest = min(result.fun, np.min(run.best))
    found = np.array([minimum.fun for minimum in result.minima[:MOST]]) - lowest
    best, walker = run.best - lowest, run.walker - lowest
    heights = np.concatenate([best, walker, found])
    heights = heights[np.isfinite(heights)]
    top = float(heights.max())
    floor = DEEPEST * top
    above = heights[heights > floor]
    if above.size and top > WIDE * above.min():
        floor = max(floor, 10.0 ** np.floor(np.log10(above.min())))
        ax.set_yscale("symlog", linthresh=floor, linscale=0.4)
        decades = np.arange(np.log10(floor), np.log10(top) + 1)
        step = max(1, int(np.ceil(len(decades) / 6)))
        ax.set_yticks([0, *10.0 ** decades[step - 1 :: step]])
        ax.yaxis.set_major_formatter(LogFormatterSciNotation(linthresh=floor))
        ax.set_ylim(-0.3 * floor, 2 * top)
    elif top > 0:
        ax.set_ylim(-0.05 * top, 1.08 * top)
    style: dict[str, Any]
    if np.isfinite(walker).any():
        style = {"drawstyle": "steps-post", "linewidth": 1.0, "color": ORANGE, "zorder": 2.5}
        ax.plot(run.evaluations, walker, label="walker", **style)
    style = {"drawstyle": "steps-post", "linewidth": 2.4, "color": BLUE}
    end = max(result.nfev, run.evaluations[-1])
    ax.plot([*run.evaluations, end], [*best, best[-1]], label="best so far", **style)
    marks: dict[str, Any] = {"marker": "_", "markersize": 7, "linestyle": "none", "color": GREEN}
    place = ax.get_yaxis_transform()
    many = len(result.minima)
    label = f"{many} {'minima' if many != 1 else 'minimum'} found"
    ax.plot(np.full(len(found), 0.985), found, transform=place, label=label, **marks)
    ax.set_xscale("log")
    ax.set_xlim(0.8 * run.evaluations[0], 1.35 * end)
    few = end < 100 * run.evaluations[0]  # decades, so that a tick for each tells too little
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set(xlabel="evaluations", ylabel="energy above the lowest")
    where: dict[str, Any] = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "ncols": 3}
    ax.legend(**where, columnspacing=1.2, handlelength=1.4)
    return ax


def _moves(run: Any, ax: Axes) -> None:
    names = list(dict.fromkeys(run.move.tolist()))
    before = np.concatenate([[np.inf], run.best[:-1]])
    for row, name in enumerate(names):
        made = run.move == name
        colour = COLOURS.get(name, BLUE)
        ax.eventplot(
            run.evaluations[made],
            lineoffsets=row,
            linelengths=0.7,
            linewidths=0.8,
            colors=colour,
            alpha=0.6 if made.sum() > 30 else 1.0,
        )
        lower = made & (run.best < before)
        style: dict[str, Any] = {"s": 16, "color": RED, "edgecolors": "white", "linewidths": 0.4}
        ax.scatter(run.evaluations[lower], np.full(lower.sum(), row), zorder=3, **style)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.grid(axis="y", visible=False)
    ax.set(xlabel="evaluations (dots: something lower was found)", ylabel="move")
