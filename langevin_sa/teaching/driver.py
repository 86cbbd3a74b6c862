"""A page to teach with: one HTML file in which balls roll in a potential of one or two coordinates,
at a temperature.

The page holds the potential's formula as JavaScript, printed from the same source as every
backend's, and repeats in JavaScript the noise of `langevin_sa.noise` and the recursion of
`langevin_sa.backends.numpy`, so that a ball of the page is a replica of `anneal`. What depends on
the potential alone (window, wells, temperatures, time step) is worked out here.
"""

from __future__ import annotations

import json
import os
import re
from html import escape
from importlib import resources
from typing import Any

import numpy as np

from ..arguments import box_of, check_file, check_positive, check_still, check_type, check_whole
from ..formulas.in_javascript import javascript_source
from ..formulas.spec import Spec
from ..integrators import INTEGRATORS, get_integrator
from ..noise import seed_of
from ..potential import Potential
from ..storage.whole import write_whole
from ..tuning import OMEGA_DT, largest_curvature
from .basins import CELLS, Landscape, hot_temperature, minima_of, survey, window_of
from .space import HOTTER, TEMPERATURES, Space, Surroundings, space_of, surroundings, walled

SCRIPTS = {
    "balls": "noise walk landscape cooling plot stage experiment controls show balls app",
}
SPEED = 240  # steps a second when the page opens
RANGE = 100.0  # from the hot to the cold temperature
ANNEAL_STEPS = 4000  # of an anneal at the cooling rate that the page opens with
MOST_BALLS = 5000
INSIDE = 0.97  # share of the balls that the window should show when the page opens
COOLER, MOST_COOLER = 0.9, 14  # what is done for that, and how often at most
WIDER, MOST_WIDER = 1.06, 10


def page(
    potential: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    temperature: float | None = None,
    gamma: float | None = None,
    dt: float | None = None,
    integrator: str = "gjf",
    balls: int = 400,
    window: Any = None,
    rng: Any = 1,
) -> str:
    """Write a self-contained HTML page in which balls roll in a potential.

    It needs no network and no server: it opens from a file, and its address carries the situation
    on show.

    Parameters
    ----------
    potential : Potential
        Of one or two coordinates, from a formula.
    path : str or path, optional
        The file to write; without it the text is only returned.
    temperature : float, optional
        Where the page opens (energy); it cools to a hundredth. By default a little above the
        highest barrier between two wells, where balls cross all of them.
    gamma, dt : float, optional
        Friction (1/time) and time step; by default from the curvature where the balls get to, as in
        `langevin_sa.tuning`.
    integrator : str
        A row of the table of integrators.
    balls : int
        Replicas, 1 to 5000.
    window : (low, high), or one pair a coordinate, optional
        What to show; by default the potential's bounds, else the surroundings of its minima.
    rng : int, Generator or None
        Seed of noise and starting points.

    Returns
    -------
    str
        The page's text.

    Raises
    ------
    ValueError, TypeError
        For a potential of more coordinates or without a formula, a pair formula, numbers out of
        range, or a folder that is not there.
    """
    if path is not None:
        check_file(path, "path")
    numbers: dict[str, Any] = {"temperature": temperature, "gamma": gamma, "dt": dt}
    setting: dict[str, Any] = {"integrator": integrator, "balls": balls, "window": window}
    text = assemble(*describe(potential, seed=seed_of(rng), **numbers, **setting))
    if path is not None:
        write_whole(path, text)
    return text


def describe(
    potential: Any,
    *,
    temperature: Any,
    gamma: Any,
    dt: Any,
    integrator: str,
    balls: int,
    window: Any,
    seed: int,
) -> tuple[dict[str, Any], str]:
    """What the page knows of a potential and of the situation it opens with; and its force as
    JavaScript.
    """
    check_type(potential, Potential, "potential")
    check_still(potential, "a page shows")
    if potential.formula is None:
        raise ValueError(
            f"{potential.name} is made of functions, and a page needs a formula to print as "
            "JavaScript: write Potential.from_formula(...)"
        )
    if potential.dim not in CELLS:
        family = "; give dim=1 or dim=2 (--dim on the command line) if it comes in any dimension"
        raise ValueError(
            f"a page shows one or two coordinates, and {potential.name} has dim {potential.dim}"
            f"{family}"
        )
    source = potential.formula.source
    if source.spec.of_particles:
        raise ValueError(
            f"{potential.name} is a potential of particles and their distances: a page shows "
            "formulas of coordinates"
        )
    numbers: dict[str, Any] = {"temperature": temperature, "gamma": gamma, "dt": dt}
    check_positive(**{name: value for name, value in numbers.items() if value is not None})
    check_whole(1, MOST_BALLS, balls=balls)
    get_integrator(integrator)

    box = None if window is None else box_of(window, potential.dim, "window")
    land, space, around, hot = opening(potential, box, temperature)
    curvature, mean = _curvatures(potential, land, hot)
    dt = rounded(OMEGA_DT / np.sqrt(curvature) if dt is None else dt)
    held = around.held(hot)
    if held and not any(well.depth is not None for well in land.wells):
        mean = around.softness(hot)  # without barriers the widest way is the slowest
    gamma = rounded(0.5 * np.sqrt(mean) if gamma is None else gamma)
    spec: Spec = source.spec
    scalars = [float(v) for v in potential.formula.numbers[: len(spec.scalars)]]
    nothing = 1e-9 * (land.top - land.energy.min())  # an energy of rounding errors
    wells = [
        vars(well)
        | {"x": well.x.tolist(), "energy": well.energy if abs(well.energy) > nothing else 0}
        for well in land.wells
    ]
    temperatures = np.geomspace(hot / RANGE, HOTTER * hot, TEMPERATURES)
    held = around.held(hot)
    columns = ("paired", "physical", "thermal", "overdamped", "source")
    rows = {
        row.name: {column: getattr(row, column) for column in columns}
        for row in INTEGRATORS.values()
    }
    data = {
        "kind": "balls",
        "name": potential.name,
        "formula": _formula(spec, potential.dim),
        "parameters": dict(zip(spec.scalars, scalars, strict=True)),
        "numbers": potential.formula.numbers.tolist(),
        "axes": list(spec.variables) or (["x"] if potential.dim == 1 else ["x₁", "x₂"]),
        "window": land.window.tolist(),
        "kinds": space.kinds,
        "ends": [
            None if kind == "open" else list(e)
            for kind, e in zip(space.kinds, space.ends.tolist(), strict=True)
        ],
        "held": held,
        "falls": not held and around.falls,
        "outside": around.outside(float(land.energy.min()), temperatures).round(4).tolist()
        if held
        else [],
        "cells": CELLS[potential.dim],
        "labels": _runs(land.label),
        "wells": wells,
        "top": land.top,
        "curvature": curvature,
        "hot": hot,
        "cold": rounded(hot / RANGE),
        "hottest": rounded(HOTTER * hot),
        "gamma": gamma,
        "dt": dt,
        "rate": rounded(np.log(RANGE) / (ANNEAL_STEPS * dt)),
        "integrator": integrator,
        "integrators": rows,
        "speed": SPEED,
        "balls": int(balls),
        "mostBalls": MOST_BALLS,
        "seed": str(seed),  # beyond what a number of JavaScript holds
    }
    return data, javascript_source(spec, source.bodies, [int(n) for n in potential.formula.size])


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
    hot = rounded(hot)
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


def assemble(data: dict[str, Any], force: str) -> str:
    """The page's text from its template, style and scripts, and from the parts of its kind."""
    here = resources.files(__package__)

    def text(name: str) -> str:
        return here.joinpath(name).read_text(encoding="utf-8")

    known = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    known = known.replace("<", "\\u003c")
    scripts = [text(f"{name}.js") for name in SCRIPTS[data["kind"]].split()]
    named = re.split(r"<!-- (\w+) -->\n", text(f"{data['kind']}.html"))[1:]
    parts = {
        "TITLE": escape(data["name"]),
        "STYLE": text("page.css"),
        "SCRIPT": "\n".join([f"const DATA = {known};", force, *scripts]),
        **dict(zip(named[::2], named[1::2], strict=True)),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda mark: parts[mark[1]], text("page.html"))


def rounded(value: float) -> float:
    """Three digits: what a slider shows is what is meant."""
    return float(f"{value:.3g}")


def _curvatures(potential: Any, land: Landscape, hot: float) -> tuple[float, float]:
    """The largest curvature where hot balls get to, and the mean one, both positive."""
    low = land.energy.min()
    reached = land.points[land.energy < max(land.top, low + 4 * hot)]
    with np.errstate(all="ignore"):
        laplacian = np.nan_to_num(np.abs(potential.laplacian(reached)), nan=0, posinf=0)
    stiffest = largest_curvature(potential, reached[np.argsort(laplacian)[-16:]])
    mean = float(laplacian.mean()) / potential.dim
    return stiffest if stiffest > 0 else mean or 1.0, mean or 1.0


def _formula(spec: Spec, dim: int) -> str:
    """The formula for people."""
    sums = {
        "coordinates": "{}",
        "site": "{}" if dim == 1 else "sum over both coordinates of {}",
        "bond": "sum over neighbours x, y of {}",
    }
    return " + ".join(sums[kind].format(text) for kind, text in spec.terms().items())


def _runs(labels: np.ndarray) -> list[int]:
    """Run-length code: value, length, value, length, ..."""
    starts = np.flatnonzero(np.diff(labels, prepend=-1))
    lengths = np.diff(starts, append=len(labels))
    return [int(n) for pair in zip(labels[starts], lengths, strict=True) for n in pair]
