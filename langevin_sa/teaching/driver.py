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
from .basins import CELLS, Landscape, hot_temperature, survey, window_of

SCRIPTS = ["noise", "walk", "landscape", "experiment", "plot", "stage", "controls", "show", "app"]
RANGE = 100.0  # from the hot to the cold temperature
ANNEAL_STEPS = 4000  # of an anneal at the cooling rate that the page opens with
MOST_BALLS = 5000


class Page(str):
    """The text of a page; a notebook shows it at work."""

    def __repr__(self) -> str:
        return f"Page of {len(self.encode()) / 1000:.0f} kB"

    def _repr_html_(self) -> str:
        look = 'width="100%" height="760" style="border: 0"'
        return f'<iframe {look} srcdoc="{escape(self)}"></iframe>'


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
) -> Page:
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
    Page
        The page's text, a str; the last value of a notebook's cell, it is shown there.

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
    text = Page(assemble(*describe(potential, seed=seed_of(rng), **numbers, **setting)))
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

    box = window_of(potential) if window is None else box_of(window, potential.dim, "window")
    land = survey(potential, box)
    hot = rounded(hot_temperature(potential, land) if temperature is None else temperature)
    curvature, mean = _curvatures(potential, land, hot)
    dt = rounded(OMEGA_DT / np.sqrt(curvature) if dt is None else dt)
    gamma = rounded(0.5 * np.sqrt(mean) if gamma is None else gamma)
    spec: Spec = source.spec
    scalars = [float(v) for v in potential.formula.numbers[: len(spec.scalars)]]
    wells = [vars(well) | {"x": well.x.tolist()} for well in land.wells]
    columns = ("paired", "physical", "thermal", "overdamped", "source")
    rows = {
        row.name: {column: getattr(row, column) for column in columns}
        for row in INTEGRATORS.values()
    }
    data = {
        "name": potential.name,
        "formula": _formula(spec, potential.dim),
        "parameters": dict(zip(spec.scalars, scalars, strict=True)),
        "numbers": potential.formula.numbers.tolist(),
        "axes": list(spec.variables) or (["x"] if potential.dim == 1 else ["x₁", "x₂"]),
        "window": land.window.tolist(),
        "cells": CELLS[potential.dim],
        "labels": _runs(land.label),
        "wells": wells,
        "top": land.top,
        "curvature": curvature,
        "hot": hot,
        "cold": rounded(hot / RANGE),
        "gamma": gamma,
        "dt": dt,
        "rate": rounded(np.log(RANGE) / (ANNEAL_STEPS * dt)),
        "integrator": integrator,
        "integrators": rows,
        "balls": int(balls),
        "mostBalls": MOST_BALLS,
        "seed": str(seed),  # beyond what a number of JavaScript holds
    }
    return data, javascript_source(spec, source.bodies, [int(n) for n in potential.formula.size])


def assemble(data: dict[str, Any], force: str) -> str:
    """The page's text from its template, style and scripts."""
    here = resources.files(__package__)
    scripts = [here.joinpath(f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    known = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    known = known.replace("<", "\\u003c")
    parts = {
        "TITLE": escape(data["name"]),
        "STYLE": here.joinpath("page.css").read_text(encoding="utf-8"),
        "SCRIPT": "\n".join([f"const DATA = {known};", force, *scripts]),
    }
    template = here.joinpath("page.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda mark: parts[mark[1]], template)


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
