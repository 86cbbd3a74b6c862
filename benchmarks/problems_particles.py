"""Particles: Lennard-Jones clusters, charges on a sphere (Thomson), a polymer of two letters.

Energy and gradient come together, as one evaluation. Lowest energies of clusters: Wales, Doye, J.
Phys. Chem. A 101, 5111 (1997) and the Cambridge Cluster Database; of charges: Wales, Ulker, Phys.
Rev. B 74, 212101 (2006).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from corpus import KNOWN
from corpus_more import ab_polymer
from solvers import Problem

import langevin_sa as lsa

CLOSE = 1e-6  # of energies, relative
CLUSTERS = {
    7: -16.505384,
    8: -19.821489, 9: -24.113360, 10: -28.422532, 11: -32.765970, 12: -37.967600, 13: -44.326801,
    14: -47.845157, 15: -52.322627, 16: -56.815742, 17: -61.317995, 18: -66.530949, 19: -72.659782,
    20: -77.177043, 21: -81.684571, 22: -86.809782, 23: -92.844472, 24: -97.348815,
    25: -102.372663, 26: -108.315616, 27: -112.873584, 28: -117.822402, 29: -123.587371,
    30: -128.286571, 31: -133.586422, 38: -173.928427,
}  # fmt: skip
CHARGES = {
    5: 6.474691495, 6: 9.985281374, 7: 14.452977414, 8: 19.675287861, 9: 25.759986531,
    10: 32.716949460, 11: 40.596450510, 12: 49.165253058, 13: 58.853230612, 14: 69.306363297,
    15: 80.670244114, 16: 92.911655302, 17: 106.050404829, 18: 120.084467447, 19: 135.089467557,
    20: 150.881568334, 21: 167.641622399, 22: 185.287536149, 23: 203.930190663, 24: 223.347074052,
}  # fmt: skip

Both = Callable[[Any], tuple[float, Any]]


def _pairs(n: int, energy: Callable[[Any], tuple[Any, Any]]) -> Both:
    """Of places (n, 3), for `energy` of squared distances and its derivative."""
    i, j = np.triu_indices(n, 1)

    def both(places: Any) -> tuple[float, Any]:
        apart = places[i] - places[j]
        e, slope = energy((apart**2).sum(1))
        pull, gradient = 2 * slope[:, None] * apart, np.zeros((n, 3))
        np.add.at(gradient, i, pull)
        np.subtract.at(gradient, j, pull)
        return float(e.sum()), gradient

    return both


def _lennard_jones(s: Any) -> tuple[Any, Any]:
    a = s**-3
    return 4 * (a * a - a), 4 * (3 * a - 6 * a * a) / s


def _coulomb(s: Any) -> tuple[Any, Any]:
    return s**-0.5, -0.5 * s**-1.5


def _cluster(n: int) -> Both:
    pairs = _pairs(n, _lennard_jones)

    def both(x: Any) -> tuple[float, Any]:
        energy, gradient = pairs(x.reshape(n, 3))
        return energy, gradient.ravel()

    return both


def _normalised(n: int) -> Both:
    pairs = _pairs(n, _coulomb)

    def both(x: Any) -> tuple[float, Any]:
        v = x.reshape(n, 3)
        r = np.sqrt((v**2).sum(1, keepdims=True))
        w = v / r
        energy, g = pairs(w)
        return energy, ((g - (g * w).sum(1, keepdims=True) * w) / r).ravel()

    return both


def _angles(n: int) -> Both:
    pairs = _pairs(n, _coulomb)

    def both(x: Any) -> tuple[float, Any]:
        (st, sp), (ct, cp) = np.sin(x.reshape(2, n)), np.cos(x.reshape(2, n))
        energy, g = pairs(np.stack([st * cp, st * sp, ct], 1))
        along = np.stack([ct * cp, ct * sp, -st], 1), np.stack([-st * sp, st * cp, 0 * st], 1)
        return energy, np.concatenate([(g * t).sum(1) for t in along])

    return both


def clusters(runs: int) -> Iterator[Problem]:
    """Without bounds; both as a plain function and as a Potential."""
    for n, lowest in CLUSTERS.items():
        potential = lsa.potentials.lennard_jones(n)
        free, target = [(-np.inf, np.inf)] * (3 * n), lowest + CLOSE * abs(lowest)
        for seed in range(runs):
            x0 = potential.draw_start(1, np.random.default_rng([seed, 7]))[0]
            more = {"jac": True, "potential": potential, "hops": {"T": 0.8, "stepsize": 0.4}}
            yield Problem(f"LJ{n}", 3 * n, seed, _cluster(n), x0, free, target, **more)


def thomson(runs: int) -> Iterator[Problem]:
    """In 2 n angles, and as 3 n coordinates that are normalised."""
    for n, lowest in CHARGES.items():
        forms = {
            "angles": (_angles(n), [(0.0, np.pi)] * n + [(0.0, 2 * np.pi)] * n),
            "normalised": (_normalised(n), [(-2.0, 2.0)] * (3 * n)),
        }
        for form, (both, bounds) in forms.items():
            for seed in range(runs):
                name, target = f"Thomson {n} {form}", lowest * (1 + CLOSE)
                problem = Problem(name, len(bounds), seed, both, None, bounds, target, jac=True)
                problem.x0 = problem.start(seed)
                yield problem


def polymer(runs: int) -> Iterator[Problem]:
    """Eight monomers, no gradient."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the gradient that it has not
        potential = ab_polymer()
    lowest = KNOWN["AB polymer 8"]
    bounds = [(-np.pi, np.pi)] * potential.dim

    def fun(x: Any) -> float:
        return float(potential.energy(np.asarray(x)[None])[0])

    for seed in range(runs):
        target = lowest + CLOSE * abs(lowest)
        problem = Problem("AB 8", potential.dim, seed, fun, None, bounds, target)
        problem.x0 = problem.start(seed)
        yield problem
