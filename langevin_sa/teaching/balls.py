"""What a page of balls knows: the landscape of a potential of one or two coordinates, the space
around it, and the situation that it opens with.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import box_of
from ..formulas.in_javascript import javascript_source
from ..tuning import OMEGA_DT, largest_curvature
from .basins import CELLS, Landscape, hot_temperature, minima_of, survey, window_of
from .space import (
    HOTTER,
    RANGE,
    TEMPERATURES,
    Space,
    Surroundings,
    rounded,
    space_of,
    surroundings,
    walled,
)

SPEED = 240  # steps a second when the page opens
ANNEAL_STEPS = 4000  # of an anneal at the cooling rate that the page opens with
MOST_BALLS = 5000
INSIDE = 0.97  # share of the balls that the window should show when the page opens
COOLER, MOST_COOLER = 0.9, 14  # what is done for that, and how often at most
WIDER, MOST_WIDER = 1.06, 10


def describe_balls(
    potential: Any, window: Any, temperature: float | None
) -> tuple[dict[str, Any], str]:
    """What the page of balls knows of their potential, with the temperature, friction and time step
    that suit it; and its force as JavaScript.
    """
    if potential.dim not in CELLS:
        raise ValueError(
            "a page shows one or two coordinates, particles in two dimensions or a lattice of two "
            f"axes, and {potential.name} has dim {potential.dim}; give dim=1 or dim=2 (--dim on "
            "the command line) if it comes in any dimension"
        )
    source, sizes = potential.formula.source, [int(n) for n in potential.formula.size]
    box = None if window is None else box_of(window, potential.dim, "window")
    land, space, around, hot = opening(potential, box, temperature)
    curvature, mean = _curvatures(potential, land, hot)
    held, low = around.held(hot), float(land.energy.min())
    if held and not any(well.depth is not None for well in land.wells):
        mean = around.softness(hot) or mean  # without barriers the widest way is the slowest
    nothing = 1e-9 * (land.top - low)  # an energy of rounding errors
    wells = [
        vars(well)
        | {"x": well.x.tolist(), "energy": well.energy if abs(well.energy) > nothing else 0}
        for well in land.wells
    ]
    shown_hot = rounded(hot)
    temperatures = np.geomspace(shown_hot / RANGE, HOTTER * shown_hot, TEMPERATURES)
    ends = zip(space.kinds, space.ends.tolist(), strict=True)
    known = {
        "kind": "balls",
        "numbers": potential.formula.numbers.tolist(),
        "axes": list(source.spec.variables) or (["x"] if potential.dim == 1 else ["x₁", "x₂"]),
        "window": land.window.tolist(),
        "kinds": space.kinds,
        "ends": [None if kind == "open" else both for kind, both in ends],
        "held": held,
        "falls": not held and around.falls,
        "outside": around.outside(low, temperatures).round(4).tolist() if held else [],
        "cells": CELLS[potential.dim],
        "labels": _runs(land.label),
        "wells": wells,
        "top": land.top,
        "curvature": curvature,
        "hot": shown_hot,
        "gamma": 0.5 * np.sqrt(mean),
        "dt": OMEGA_DT / np.sqrt(curvature),
        "speed": SPEED,
        "steps": ANNEAL_STEPS,
        "mostBalls": MOST_BALLS,
    }
    return known, javascript_source(source.spec, source.bodies, sizes)


def opening(
    potential: Any, window: np.ndarray | None, temperature: float | None
) -> tuple[Landscape, Space, Surroundings, float]:
    """The landscape, space and temperature that a page opens with.

    What is not given is chosen so that the window holds nearly all balls: it widens, and T falls,
    though not much below the barriers.
    """
    minima = minima_of(potential) if potential.bounds is None else np.zeros((0, potential.dim))
    shown = window_of(potential, minima) if window is None else window
    space = space_of(potential, shown, minima)
    if window is None:
        shown = np.where(np.isfinite(space.ends), space.ends, shown)
    shown = space.clipped(shown)
    land = _surveyed(potential, space, shown)
    hot = hot_temperature(land) if temperature is None else temperature
    around = surroundings(potential, space, shown, hot)
    open_axes = np.isinf(space.ends).all(1)
    best: tuple[float, np.ndarray] | None = None
    cooler, wider = _changes(land, window, temperature)
    middle, half = shown.mean(1), (shown[:, 1] - shown[:, 0]) / 2
    for cool, widen in zip(cooler, wider, strict=True):
        tried = half * np.where(open_axes, widen, 1)
        box = np.stack([middle - tried, middle + tried], axis=-1)
        if around.held(cool * hot):
            best = cool * hot, box
            if around.share_in(box, cool * hot) >= INSIDE:
                break
    else:
        if best is None and potential.bounds is not None:
            space = walled(space, potential.bounds)
            best = hot, space.clipped(shown)
    hot, shown = best or (hot, shown)
    land = _surveyed(potential, space, shown)
    return land, space, surroundings(potential, space, shown, hot), hot


def _changes(land: Landscape, window: Any, temperature: Any) -> tuple[np.ndarray, np.ndarray]:
    """By how much to cool and to widen the window, one try after the other: cooling first, to a
    third of the barriers; without barriers ever colder.
    """
    barriers = any(well.depth is not None for well in land.wells)
    fixed = temperature is not None
    tries = np.arange(MOST_COOLER + MOST_WIDER if barriers or fixed else 5 * MOST_COOLER)
    cool = np.minimum(tries, MOST_COOLER) if barriers else tries
    widen = np.clip(tries - MOST_COOLER // 2, 0, MOST_WIDER) * (barriers or fixed)
    return COOLER ** (cool * (temperature is None)), WIDER ** (widen * (window is None))


def _surveyed(potential: Any, space: Space, window: np.ndarray) -> Landscape:
    """The wells of a window; an axis that it shows whole may be a ring."""
    whole = (window == space.ends).all(1)
    rings = [bool(ring and all_of_it) for ring, all_of_it in zip(space.rings, whole, strict=True)]
    return survey(potential, window, rings)


def _curvatures(potential: Any, land: Landscape, hot: float) -> tuple[float, float]:
    """The largest curvature where hot balls get to, and the mean one, both positive."""
    low = land.energy.min()
    reached = land.points[land.energy < max(land.top, low + 4 * hot)]
    with np.errstate(all="ignore"):
        laplacian = np.nan_to_num(np.abs(potential.laplacian(reached)), nan=0, posinf=0)
    stiffest = largest_curvature(potential, reached[np.argsort(laplacian)[-16:]])
    mean = float(laplacian.mean()) / potential.dim
    return stiffest if stiffest > 0 else mean or 1.0, mean or 1.0


def _runs(labels: np.ndarray) -> list[int]:
    """Run-length code: value, length, value, length, ..."""
    starts = np.flatnonzero(np.diff(labels, prepend=-1))
    lengths = np.diff(starts, append=len(labels))
    return [int(n) for pair in zip(labels[starts], lengths, strict=True) for n in pair]
