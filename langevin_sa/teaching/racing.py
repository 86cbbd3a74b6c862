"""A page to teach with: the optimizers' race, where SGD, Momentum, Adam, RMSprop and CoolMomentum
run on a noisy landscape from the same points, with the same noise in the gradient.

The page repeats in JavaScript the update rules of `langevin_sa.optimizers` and of
`langevin_sa.CoolMomentum`, and the noise of `langevin_sa.noise`, so that a dot of the page is a
replica of `compare`. Wells, and learning rates that suit them, are worked out here.
"""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np

from ..arguments import (
    box_of,
    check_file,
    check_finite,
    check_fraction,
    check_positive,
    check_still,
    check_type,
    check_whole,
)
from ..formulas.in_javascript import javascript_source
from ..noise import seed_of
from ..optimizers import Adam, RMSprop
from ..potential import Potential
from ..storage.whole import write_whole
from .basins import Landscape, minima_of, survey, window_of
from .pages import Page, assembled
from .space import space_of, surroundings

TILTED = "(x**2 - 1)**2 + 0.3*x"  # two wells; all start in the upper one
SCRIPTS = "noise plot optimizers panels race"
# the paper's steps: from which progress, and by what learning rates are divided
DECAY = [(0.0, 1), (0.4, 10), (0.6, 100), (0.8, 1000), (0.9, 2000)]
MOMENTUM = 0.9  # of Momentum
PLATEAU, AHEAD = 0.35, 1.0  # first temperatures of the others and of CoolMomentum, in barriers
STABLE = 0.178  # lr*curvature of SGD: the noise is such that this lr makes the plateau
FAR_ABOVE = 100  # of Adam's epsilon, that noise must be
ALIKE = 1e-6  # of the loss shown: wells this close to the lowest are best, too
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
MOST_REPLICAS, MOST_STEPS = 5000, 10**6


def race(
    potential: Potential | None = None,
    path: str | os.PathLike[str] | None = None,
    *,
    noise: float | None = None,
    rho0: float = 0.9,
    n_steps: int = 20_000,
    replicas: int = 400,
    start: float | None = None,
    window: Any = None,
    rng: Any = 1,
) -> Page:
    """Write a self-contained HTML page in which five optimizers race on a noisy landscape.

    It shows where the replicas of SGD, Momentum, Adam, RMSprop and CoolMomentum are, and the three
    panels of the paper's Fig. 1: loss, share in the best well, rescaled temperature. Learning rates
    but CoolMomentum's fall in steps. It needs no network and no server.

    Parameters
    ----------
    potential : Potential, optional
        Of one coordinate, from a formula; by default a double well whose upper well is 0.6 higher.
    path : str or path, optional
        The file to write; without it the text is only returned.
    noise : float, optional
        Standard deviation of the noise on the gradient (energy/length). By default so large that
        the learning rates which cross the barriers are a tenth of what is stable.
    rho0 : float
        CoolMomentum's first momentum, 0 <= rho0 < 1.
    n_steps : int
        Steps of a run, 100 to a million.
    replicas : int
        Of each optimizer, 1 to 5000.
    start : float, optional
        Where all replicas start (length); by default in the highest well.
    window : (low, high), optional
        What to show; by default the potential's bounds, else the surroundings of its minima.
    rng : int, Generator or None
        Seed of the noise.

    Returns
    -------
    Page
        The page's text, a str; the last value of a notebook's cell, it is shown there.

    Raises
    ------
    ValueError, TypeError
        For a potential of more coordinates or without a formula, one that does not hold the
        replicas, numbers out of range, or a folder that is not there.

    Examples
    --------
    >>> import langevin_sa as lsa
    >>> text = lsa.race(lsa.potentials.double_well(tilt=0.2), noise=4.0)
    >>> "</html>" in text
    True
    """
    if path is not None:
        check_file(path, "path")
    setting = {"noise": noise, "rho0": rho0, "n_steps": n_steps, "replicas": replicas}
    known = describe(potential, **setting, start=start, window=window, seed=seed_of(rng))
    page = assembled("race.html", "page race", SCRIPTS, *known, MOMENTUM=str(MOMENTUM))
    if path is not None:
        write_whole(path, page)
    return page


def describe(
    potential: Any,
    *,
    noise: Any,
    rho0: Any,
    n_steps: Any,
    replicas: Any,
    start: Any,
    window: Any,
    seed: int,
) -> tuple[dict[str, Any], str]:
    """What the page knows of a potential and of the run it opens with; and its force as
    JavaScript.
    """
    if potential is None:
        potential = Potential.from_formula(TILTED, bounds=(-2, 2), name="double_well")
    check_type(potential, Potential, "potential")
    check_still(potential, "a race is run on")
    if potential.formula is None:
        raise ValueError(
            f"{potential.name} is made of functions, and a page needs a formula to print as "
            "JavaScript: write Potential.from_formula(...)"
        )
    if potential.dim != 1:
        raise ValueError(
            f"a race is shown in one coordinate, and {potential.name} has dim {potential.dim}; "
            "give dim=1 (--dim on the command line) if it comes in any dimension"
        )
    source = potential.formula.source
    if source.spec.of_particles:
        raise ValueError(
            f"{potential.name} is a potential of particles and their distances: a race is shown on "
            "a formula of one coordinate"
        )
    if noise is not None:
        check_positive(noise=noise)
    if start is not None:
        check_finite(start=start)
    check_fraction(rho0=rho0)
    check_whole(100, MOST_STEPS, n_steps=n_steps)
    check_whole(1, MOST_REPLICAS, replicas=replicas)

    minima = minima_of(potential)
    box = window_of(potential, minima) if window is None else box_of(window, 1, "window")
    land = survey(potential, box)
    inner = [well for well in land.wells if not well.edge] or land.wells
    lowest, top = land.wells[0].energy, land.top
    wells = _intervals(land, lowest + ALIKE * (top - lowest))
    begin = float(f"{inner[-1].x[0] if start is None else start:.3g}")
    depths = [well.depth for well in land.wells if well.depth is not None]
    barrier = max(depths, default=0.0) or (top - lowest) / 4 or 1.0
    space = space_of(potential, box, minima)
    if any(space.rings) or not surroundings(potential, space, box, barrier).held(barrier):
        raise ValueError(
            f"nothing holds the replicas on {potential.name}: a race needs an energy that rises on "
            "both sides, or how low an optimizer ends has no meaning"
        )
    minima = np.array([well.x for well in inner])
    noise, rates = _rates(potential, minima, barrier, noise, rho0)
    data = {
        "name": potential.name,
        "formula": _written(potential),
        "numbers": potential.formula.numbers.tolist(),
        "window": land.window[0].tolist(),
        "wells": wells,
        "lowest": lowest,
        "top": top,
        "scale": max(inner[-1].energy - lowest, barrier / 100),
        "decay": DECAY,
        "momentum": MOMENTUM,
        "adam": vars(Adam(1.0)),
        "rmsprop": vars(RMSprop(1.0)),
        "rates": rates,
        "noise": noise,
        "rho0": float(rho0),
        "steps": int(n_steps),
        "mostReplicas": MOST_REPLICAS,
        # the seed as text: it may be beyond what a number of JavaScript holds
        "opening": {"replicas": int(replicas), "seed": str(seed), "start": f"{begin:g}"},
    }
    return data, javascript_source(source.spec, source.bodies, [1])


def _rates(
    potential: Potential, minima: np.ndarray, barrier: float, noise: float | None, rho0: float
) -> tuple[float, dict[str, float]]:
    """The gradient's noise, if none is given, and the learning rates that with it make the
    temperatures wanted for a barrier.

    Where noise is far larger than the slope, Adam and RMSprop are Momentum and SGD of the rate
    lr/noise. No rate is beyond what is stable in the wells (minima, 1).
    """
    with np.errstate(all="ignore"):
        curvature = float(np.max(potential.laplacian(minima)))
        stiff = curvature if curvature > 0 else barrier
        if noise is None:
            noise = float(f"{np.sqrt(2 * PLATEAU * barrier * stiff / STABLE):.2g}")
        heat = np.float64(noise) ** 2
        plain = min(2 * PLATEAU * barrier / heat, 1 / stiff)
        cool = min(4 * (1 - rho0) / (1 + rho0) * AHEAD * barrier / heat, 1 / stiff)
        rates = {
            "SGD": plain,
            "Momentum": (1 - MOMENTUM) * plain,
            "Adam": plain * noise,
            "RMSprop": plain * noise,
            "CoolMomentum": cool,
        }
    rates = {name: float(f"{rate:.2g}") for name, rate in rates.items()}
    if noise < FAR_ABOVE * Adam(1.0).epsilon:
        raise ValueError(
            f"a noise of {noise:g} is not far above {Adam(1.0).epsilon:g}, which Adam and RMSprop "
            "add to the size of the gradient: they would not move; give noise=, or write the "
            "energy in other units"
        )
    if not all(0 < number < np.inf for number in (noise, *rates.values())):
        raise ValueError(
            f"no learning rates suit {potential.name} and a noise of {noise:g}: its energies are "
            "too large or too small for a race; write it in other units"
        )
    return float(noise), rates


def _intervals(land: Landscape, good: float) -> list[dict[str, Any]]:
    """The wells from left to right: where each ends, its energy, and whether none is lower."""
    low, high = land.window[0]
    ends = np.append(np.flatnonzero(np.diff(land.label)), len(land.label) - 1)
    edges = low + (high - low) * (ends + 1) / len(land.label)
    wells = [land.wells[label] for label in land.label[ends]]
    return [
        {"high": float(edge), "energy": well.energy, "best": bool(well.energy <= good)}
        for edge, well in zip(edges, wells, strict=True)
    ]


def _written(potential: Any) -> str:
    """The formula and its parameters, for people."""
    spec = potential.formula.source.spec
    values = zip(spec.scalars, potential.formula.numbers[: len(spec.scalars)], strict=True)
    text = " + ".join(spec.terms().values())
    text = re.sub(r"\*\*(\d+)", lambda mark: mark[1].translate(RAISED), text)
    text = text.replace("*", "·").replace("-", "\N{MINUS SIGN}")
    return ", ".join([text, *(f"{name} = {value:.4g}" for name, value in values)])
