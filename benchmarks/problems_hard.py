"""Noise, many coordinates, walls, a narrow well; and functions that cost nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from solvers import Problem

CENTRE = 0.3  # of the box (-5, 5), so that no symmetry helps


def sphere(x: Any) -> float:
    return float(x @ x)


def rosenbrock(x: Any) -> float:
    return float((100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum())


def ellipsoid(x: Any) -> float:
    """Of condition 1e6."""
    return float(10.0 ** np.linspace(0, 6, len(x)) @ (x * x))


def walled(x: Any) -> float:
    """Finite in .2 % of the box (-5, 5)^3."""
    edge = 10 * 0.002 ** (1 / 3)
    return sphere(x - 1) if np.abs(x - 1).max() < edge / 2 else math.nan


def spike(x: Any) -> float:
    """A parabola with a slit of width .001 off its middle; CMA needs two coordinates."""
    return float(0.01 * x @ x - math.exp(-min(((x[0] - 2) / 0.001) ** 2, 700.0)))


# name: function, dimension, amplitude of noise, how low the function without it must be
CASES: dict[str, tuple[Callable[[Any], float], int, float, float]] = {
    "sphere": (sphere, 5, 0.0, 1e-7),
    "sphere + 1e-8": (sphere, 5, 1e-8, 1e-7),
    "sphere + 1e-5": (sphere, 5, 1e-5, 1e-4),
    "sphere + 1e-3": (sphere, 5, 1e-3, 1e-2),
    "rosenbrock + 1e-8": (rosenbrock, 5, 1e-8, 1e-5),
    "rosenbrock + 1e-3": (rosenbrock, 5, 1e-3, 1e-2),
    "ellipsoid 100": (ellipsoid, 100, 0.0, 1e-5),
    "walls": (walled, 3, 0.0, 1e-6),
    "spike": (spike, 2, 0.0, -0.9),
}


def hard(runs: int) -> Iterator[Problem]:
    """No gradient; the point returned is judged without the noise."""
    for name, (raw, dim, noise, target) in CASES.items():
        for seed in range(runs):
            rng = np.random.default_rng([seed, 9])

            def truth(x: Any, raw: Any = raw) -> float:
                return raw(np.asarray(x) - CENTRE)

            def fun(x: Any, truth: Any = truth, noise: float = noise, rng: Any = rng) -> float:
                return truth(x) + (noise * rng.standard_normal() if noise else 0.0)

            bounds = [(-5.0, 5.0)] * dim
            problem = Problem(name, dim, seed, fun, None, bounds, target, truth, noisy=noise > 0)
            problem.x0 = problem.start(seed)
            yield problem


def free(runs: int) -> Iterator[Problem]:
    """Functions that cost nothing, never low enough: what a solver costs an evaluation."""
    for dim in (2, 5, 10, 30):
        for seed in range(runs):

            def fun(x: Any) -> float:
                return float(x @ x) + math.cos(3 * x[0])

            problem = Problem("free", dim, seed, fun, None, [(-5.0, 5.0)] * dim, -math.inf)
            problem.x0 = problem.start(seed)
            yield problem
