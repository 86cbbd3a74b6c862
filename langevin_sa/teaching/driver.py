"""A page to teach with: one HTML file in which balls roll in a potential of one or two coordinates,
or many bodies move, at a temperature.

The page holds the potential's formula as JavaScript, printed from the same source as every
backend's, and repeats in JavaScript the noise of `langevin_sa.noise` and the recursion of
`langevin_sa.backends.numpy`, so that a ball of the page is a replica of `anneal`. What depends on
the potential alone (window, wells, temperatures, time step) is worked out here.
"""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np

from ..arguments import check_file, check_positive, check_still, check_type, check_whole
from ..formulas.spec import Spec
from ..integrators import INTEGRATORS, get_integrator
from ..noise import seed_of
from ..potential import Potential
from ..storage.whole import write_whole
from .balls import MOST_BALLS, describe_balls
from .bodies import describe_bodies, kind_of
from .pages import Page, assembled, text
from .space import HOTTER, RANGE, rounded

SCRIPTS = {
    "balls": "noise walk landscape cooling plot stage experiment controls show balls app",
    "particles": "noise walk cooling plot particles bodies controls show app",
    "lattice": "noise walk cooling plot lattice bodies controls show app",
}
WORDS = {"balls": "balls.html", "particles": "bodies.html", "lattice": "bodies.html"}
BALLS = 400


def page(
    potential: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    temperature: float | None = None,
    gamma: float | None = None,
    dt: float | None = None,
    integrator: str = "gjf",
    balls: int | None = None,
    window: Any = None,
    rng: Any = 1,
) -> Page:
    """Write a self-contained HTML page in which balls roll in a potential, or many bodies move.

    It needs no network and no server: it opens from a file, and its address carries the situation
    on show.

    Parameters
    ----------
    potential : Potential
        From a formula: of one or two coordinates; of particles with a pair formula and a cutoff in
        a periodic rectangle; or of a lattice with two axes.
    path : str or path, optional
        The file to write; without it the text is only returned.
    temperature : float, optional
        Where the page opens (energy); it cools to a hundredth. By default a little above the
        highest barrier between two wells, where balls cross all of them, or less where the window
        would not hold them; a liquid of particles, a lattice without order.
    gamma, dt : float, optional
        Friction (1/time) and time step; by default from the curvature where the balls get to, as in
        `langevin_sa.tuning`.
    integrator : str
        A row of the table of integrators.
    balls : int
        Replicas, 1 to 5000; by default 400. Many bodies are one replica.
    window : (low, high), or one pair a coordinate, optional
        What to show; by default the potential's bounds, else the surroundings of its minima, wider
        where that does not hold nearly all balls. The balls are in all of space, not in the window
        alone: they leave a ring where the potential repeats, and a domain by no way where it does
        not hold them, see `langevin_sa.teaching.space`.
    rng : int, Generator or None
        Seed of noise and starting points.

    Returns
    -------
    Page
        The page's text, a str; the last value of a notebook's cell, it is shown there.

    Raises
    ------
    ValueError, TypeError
        For a potential of more coordinates or without a formula, particles without a cutoff or a
        box or in three dimensions, numbers out of range, or a folder that is not there.
    """
    if path is not None:
        check_file(path, "path")
    numbers: dict[str, Any] = {"temperature": temperature, "gamma": gamma, "dt": dt}
    setting: dict[str, Any] = {"integrator": integrator, "balls": balls, "window": window}
    page = assemble(*describe(potential, seed=seed_of(rng), **numbers, **setting))
    if path is not None:
        write_whole(path, page)
    return page


def describe(
    potential: Any,
    *,
    temperature: Any,
    gamma: Any,
    dt: Any,
    integrator: str,
    balls: int | None,
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
    numbers: dict[str, Any] = {"temperature": temperature, "gamma": gamma, "dt": dt}
    check_positive(**{name: value for name, value in numbers.items() if value is not None})
    if balls is not None:
        check_whole(1, MOST_BALLS, balls=balls)
    get_integrator(integrator)
    kind = kind_of(potential)
    if kind is not None:
        for name, value in (("balls", balls), ("window", window)):
            if value is not None:
                raise ValueError(
                    f"{name} goes with a potential of one or two coordinates: a page of many "
                    "bodies shows one system, and all of it"
                )
        known, force = describe_bodies(potential, kind, seed)
    else:
        known, force = describe_balls(potential, window, temperature)
        known["balls"] = int(BALLS if balls is None else balls)
    hot = rounded(known["hot"] if temperature is None else temperature)
    dt = rounded(known["dt"] if dt is None else dt)
    columns = ("paired", "physical", "thermal", "overdamped", "source")
    rows = {
        row.name: {column: getattr(row, column) for column in columns}
        for row in INTEGRATORS.values()
    }
    spec: Spec = potential.formula.source.spec
    scalars = [float(v) for v in potential.formula.numbers.ravel()[: len(spec.scalars)]]
    one_species = known.get("types", 1) == 1
    shared = {
        "name": potential.name,
        "formula": _formula(spec, potential.dim),
        "parameters": dict(zip(spec.scalars, scalars, strict=True)) if one_species else {},
        "hot": hot,
        "cold": rounded(hot / RANGE),
        "hottest": rounded(HOTTER * hot),
        "gamma": rounded(known["gamma"] if gamma is None else gamma),
        "dt": dt,
        "rate": rounded(np.log(RANGE) / (known.pop("steps") * dt)),
        "integrator": integrator,
        "integrators": rows,
        "seed": str(seed),  # beyond what a number of JavaScript holds
    }
    return known | shared, force


def assemble(data: dict[str, Any], force: str) -> Page:
    """The page, with the parts of its kind."""
    named = re.split(r"<!-- (\w+) -->\n", text(WORDS[data["kind"]]))[1:]
    parts = dict(zip(named[::2], named[1::2], strict=True))
    return assembled("page.html", "page", SCRIPTS[data["kind"]], data, force, **parts)


def _formula(spec: Spec, dim: int) -> str:
    """The formula for people."""
    sites = {1: "{}", 2: "sum over both coordinates of {}"}
    sums = {
        "coordinates": "{}",
        "site": sites.get(dim, "sum over sites of {}"),
        "bond": "sum over neighbours x, y of {}",
        "pair": "sum over pairs of {}",
    }
    return " + ".join(sums[kind].format(text) for kind, text in spec.terms().items())
