"""Problem sets: test functions of the literature and NIST's regressions; bbob, CUTEst, particles
and hard cases have files of their own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
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
            problem = Problem(f.name, f.dim, seed, f, None, f.bounds, target)
            problem.jac = f.gradient
            problem.x0 = problem.start(seed)
            yield problem


def functions(runs: int) -> Iterator[Problem]:
    return literature(FUNCTIONS, runs)


def rastrigins(runs: int) -> Iterator[Problem]:
    return literature(RASTRIGIN, runs)


def nist(runs: int) -> Iterator[Problem]:
    """Regressions of NIST StRD from both of their starts; a hit has six digits of all certified
    parameters. Bounds reach ten times the largest of starts and certified parameters to both sides.
    """
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "minimization"))
    from nist import PROBLEMS

    for name, data in PROBLEMS.items():
        if not hasattr(data, "residuals"):
            raise click.UsageError(
                "tests/minimization/nist.py gives no residuals: merge those first"
            )
        reach = 10 * np.abs([*data.starts, data.certified]).max(0)
        bounds = [(-float(r), float(r)) for r in reach]
        for seed in range(runs):
            for k, x0 in enumerate(data.starts):
                x0 = np.array(x0, dtype=float)
                problem = Problem(name, len(x0), 2 * seed + k, data, x0, bounds, 1e-6, data.error)
                problem.jac = data.gradient
                problem.residuals, problem.jacobian = data.residuals, data.jacobian
                yield problem
