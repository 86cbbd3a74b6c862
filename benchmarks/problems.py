"""Problem sets: test functions of the literature and NIST's regressions; bbob, CUTEst, particles
and hard cases have files of their own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from functions import FUNCTIONS, Function, rastrigin
from solvers import Problem

CLOSE = 1e-5
RASTRIGIN = [
    Function(f"rastrigin {dim}", dim, (-5.12, 5.12), 0, rastrigin, True, turns=False)
    for dim in (5, 10, 30)
]


def literature(functions: list[Function], runs: int) -> Iterator[Problem]:
    """Each function as each of so many seeds moves it; a hit is within 1e-5 max(1, |minimum|)."""
    for function in functions:
        for seed in range(runs):
            f = function.moved(seed)
            target = f.minimum + CLOSE * max(1, abs(f.minimum))
            problem = Problem(f.name, f.dim, seed, f, None, f.bounds, target, f.gradient)
            problem.x0 = problem.start(seed)
            yield problem


def functions(runs: int) -> Iterator[Problem]:
    return literature(FUNCTIONS, runs)


def rastrigins(runs: int) -> Iterator[Problem]:
    return literature(RASTRIGIN, runs)


def nist(runs: int) -> Iterator[Problem]:
    """Regressions of NIST StRD from both of their starts; a hit is a sum of squares within 1e-9 of
    the certified one, or 1e-20 of the sum of squared responses where residuals are rounding. Bounds
    reach ten times the farther start or the certified parameter to both sides.
    """
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "minimization"))
    from nist import PROBLEMS

    for name, data in PROBLEMS.items():
        starts, certified = np.array(data.starts, dtype=float), np.array(data.certified)
        reach = 10 * np.maximum(np.abs(starts).max(0), np.abs(certified))
        bounds = [(-r, r) for r in map(float, reach)]
        target = data.squares * (1 + 1e-9) + 1e-20 * float(np.sum(np.square(data.y)))
        for k, x0 in enumerate(starts):
            residuals = getattr(data, "residuals", None)
            slope, rows = getattr(data, "gradient", None), getattr(data, "jacobian", None)
            for seed in range(runs):
                yield Problem(
                    name, len(x0), 2 * seed + k, data, x0, bounds, target, slope, residuals, rows
                )
