"""What a page of many bodies knows: particles with a pair formula in a periodic rectangle, or the
sites of a lattice of two axes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..descents.batched import descend
from ..formulas.in_javascript import javascript_source
from ..tuning import OMEGA_DT, largest_curvature

MOST = {"particles": 1000, "lattice": 256 * 256}
SPEED = {"particles": 3000, "lattice": 240}  # steps a second when the page opens
STEPS = {"particles": 40_000, "lattice": 4000}  # of an anneal at the cooling rate it opens with
OF_DEPTH = 1.0  # hot particles: of the depth of a pair's well, a liquid
OF_PUSH = 6.0  # and of the energy of a pair that only pushes, at the distance of neighbours
OF_SPREAD = 0.5  # a hot lattice: of the energy that a random start has above a minimum, a site
STIFFER = 2.5  # times as stiff are encounters of hot particles as the coldest
DAMPING = {"particles": 0.02, "lattice": 0.05}  # friction, of the highest frequency
NEIGHBOURS = 1.4  # of the distance in a triangular crystal of that density: who is next to whom
NO_FRAMES = "and a page redraws it many times a second: give a smaller system"


def kind_of(potential: Any) -> str | None:
    """What many bodies a potential is of: "particles", "lattice", or None for neither.

    Raises
    ------
    ValueError
        For particles or a lattice that no page shows.
    """
    formula = potential.formula
    spec = formula.source.spec
    if spec.of_particles:
        fits = (
            spec.space == 2
            and formula.truncated
            and formula.lists is None
            and set(formula.source.bodies) == {"pair"}
            and formula.box.all()
            and formula.cell.into is None
        )
        if not fits:
            raise ValueError(
                f"{potential.name} is a potential of particles, and a page shows those with a pair "
                "formula and a cutoff in a periodic rectangle: lennard_jones_fluid or kob_andersen "
                "with space=2 (--param space=2 on the command line), or Potential.from_formula("
                "pair=..., space=2, cutoff=..., box=...)"
            )
        kind, count = "particles", len(formula.species)
    elif spec.lattice == 2 and potential.dim > 2 and spec.coordinates is None:
        kind, count = "lattice", potential.dim
    else:
        return None
    if count > MOST[kind]:
        noun = "particles" if kind == "particles" else "sites"
        raise ValueError(
            f"{potential.name} has {count:,} {noun}, at most {MOST[kind]:,} {NO_FRAMES}"
        )
    return kind


def describe_bodies(potential: Any, kind: str, seed: int) -> tuple[dict[str, Any], str]:
    """What the page of many bodies knows of them, with the temperature, friction and time step that
    suit them; and their force as JavaScript.
    """
    formula = potential.formula
    spec = formula.source.spec
    start = potential.draw_start(1, np.random.default_rng(seed))
    if kind == "lattice":
        known = _lattice(potential)
        if known["angles"] and potential.bounds is None:
            known["bounds"] = [-np.pi, np.pi]
            start = np.random.default_rng(seed).uniform(-np.pi, np.pi, start.shape)
    if kind == "particles":
        relaxed, energy = descend(potential, start)
        lowest = float(energy[0])
        known = _particles(formula, relaxed[0])  # a start drawn at random may overlap
        hot, stiffness = known.pop("hot"), known.pop("stiffness")
        curvature = STIFFER * max(largest_curvature(potential, relaxed), stiffness)
    else:
        minimum = potential.minimum_energy
        lowest = float(descend(potential, start)[1][0]) if minimum is None else minimum
        curvature = largest_curvature(potential, start)
        hot = OF_SPREAD * (float(potential.energy(start)[0]) - lowest) / potential.dim
    hot = hot if np.isfinite(hot) and hot > 0 else 1.0
    curvature = curvature if np.isfinite(curvature) and curvature > 0 else hot
    known |= {
        "kind": kind,
        "numbers": formula.numbers.ravel().tolist(),
        "speed": SPEED[kind],
        "steps": STEPS[kind],
        "curvature": curvature,
        "relaxed": lowest / known["count"],
        "hot": hot,
        "dt": OMEGA_DT / np.sqrt(curvature),
        "gamma": DAMPING[kind] * np.sqrt(curvature),
    }
    sizes = [int(n) for n in formula.size]
    return known, javascript_source(spec, formula.source.bodies, sizes)


def _particles(formula: Any, start: np.ndarray) -> dict[str, Any]:
    count, types = len(formula.species), formula.types
    spacing = float(np.sqrt(2 / np.sqrt(3) * formula.box.prod() / count))
    radii, depth, stiffness = [], 0.0, 0.0
    for kind in range(types * types):
        reach = float(formula.reach[kind])
        r = np.linspace(0.02, 1, 500) * reach
        energy = formula.pairs(r, kind)[0] - formula.table[kind, -2]
        energy[~np.isfinite(energy)] = np.inf
        if -float(energy.min()) > depth:
            depth, well = -float(energy.min()), int(np.clip(energy.argmin(), 1, len(r) - 2))
            bend = energy[well - 1] - 2 * energy[well] + energy[well + 1]
            stiffness = 2 * float(bend) / (r[1] - r[0]) ** 2  # of two that are both free
        if kind % (types + 1) == 0:  # two of one species
            nearest = float(r[energy.argmin()]) if energy.min() < 0 else spacing
            radii.append(nearest / 2)
    at = float(formula.pairs(np.array([spacing]), 0)[0, 0] - formula.table[0, -2])
    return {
        "count": count,
        "box": formula.box.tolist(),
        "species": formula.species.tolist(),
        "types": types,
        "reach": float(formula.reach.max()),
        "near": NEIGHBOURS * spacing,
        "radii": [radius * min(1, spacing / (2 * max(radii))) for radius in radii],
        "start": [float(f"{x:.7g}") for x in start],
        "stiffness": stiffness,
        "hot": OF_DEPTH * depth if depth > 0 else OF_PUSH * abs(at),
    }


def _lattice(potential: Any) -> dict[str, Any]:
    rows, columns = (int(n) for n in potential.formula.size[1:3])
    x = np.random.default_rng(0).standard_normal((1, potential.dim))
    turned = x.copy()
    turned[0, 0] += 2 * np.pi
    a, b = (float(potential.energy(v)[0]) for v in (x, turned))
    bounds = potential.bounds
    return {
        "count": potential.dim,
        "shape": [rows, columns],
        "periodic": potential.formula.source.spec.periodic,
        "angles": bool(abs(a - b) < 1e-9 * max(1.0, abs(a))),  # a turn by 2 pi changes nothing
        "bounds": None if bounds is None else bounds[0].tolist(),
    }
