"""Local descent: BFGS with a weak Wolfe line search, kept inside the bounds by projection.

The bisection line search keeps BFGS going where the function has kinks (Lewis, Overton, Math.
Program. 141, 135 (2013)); the matrix is full up to `DENSE` coordinates and of limited memory above.
Coordinates that a bound holds are left out of the step and of the matrix (Bertsekas, SIAM J.
Control Optim. 20, 221 (1982)).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

DENSE, MEMORY, STALLED = 60, 10, 10
ARMIJO, WOLFE, TRIALS = 1e-4, 0.9, 25
FIRST, LONGEST = 0.5, 10.0  # lengths of the first and of any step, in units


class Descent(NamedTuple):
    """Where a descent ended: point, energy, steps made, and whether it "converged", met a "known"
    minimum, or got "stuck".
    """

    u: np.ndarray
    fun: float
    nit: int
    how: str
    slope: np.ndarray | None = None


class _Dense:
    def __init__(self, dim: int) -> None:
        self.h: np.ndarray | None = None

    def times(self, g: np.ndarray, free: np.ndarray) -> np.ndarray:
        return np.where(free, g if self.h is None else self.h @ g, 0.0)

    def learn(self, s: np.ndarray, y: np.ndarray, product: float) -> None:
        if self.h is None:
            self.h = np.eye(len(s)) * (product / (y @ y))
        hy = self.h @ y
        self.h += (
            np.outer(s, s) * ((1 + (y @ hy) / product) / product)
            - (np.outer(hy, s) + np.outer(s, hy)) / product
        )

    @property
    def fresh(self) -> bool:
        return self.h is None


class _Limited:
    def __init__(self, dim: int) -> None:
        self.pairs: list[tuple[np.ndarray, np.ndarray, float]] = []

    def times(self, g: np.ndarray, free: np.ndarray) -> np.ndarray:
        if not self.pairs:
            return np.where(free, g, 0.0)
        q, weights = g.copy(), []
        for s, y, product in reversed(self.pairs):
            weights.append((s @ q) / product)
            q -= weights[-1] * y
        s, y, product = self.pairs[-1]
        q *= product / (y @ y)
        for (s, y, product), weight in zip(self.pairs, reversed(weights), strict=True):
            q += (weight - (y @ q) / product) * s
        return np.where(free, q, 0.0)

    def learn(self, s: np.ndarray, y: np.ndarray, product: float) -> None:
        self.pairs = [*self.pairs[1 - MEMORY :], (s, y, product)]

    @property
    def fresh(self) -> bool:
        return not self.pairs


def descend(
    problem: Any,
    u: np.ndarray,
    *,
    tol: float = 1e-9,
    maxiter: int = 1000,
    known: Callable[[np.ndarray, float, np.ndarray], bool] | None = None,
    f: float | None = None,
) -> Descent:
    """The local minimum below u.

    Parameters
    ----------
    problem : Problem
        Energies, gradients and bounds.
    tol : float
        Converged where the decrease still expected, g H g/2, is below this times the size of f (at
        least 1e-3).
    known : callable, optional
        ``known(u, f, g)`` true ends the descent early, as where it nears a minimum already found.
    f : float, optional
        The energy at u, if it is known.
    """
    if f is None or problem.paired:
        f, g = problem.both(u)
    else:
        g = problem.gradient(u, f)
    if not math.isfinite(f):
        return Descent(u, f, 0, "stuck", g)
    low, high = problem.low, problem.high
    memory = _Dense(problem.dim) if problem.dim <= DENSE else _Limited(problem.dim)
    restarted, small, mark = False, 0, math.inf
    for nit in range(maxiter):
        free = ~((u <= low) & (g > 0) | (u >= high) & (g < 0))
        pull = np.where(free, g, 0.0)
        if not pull.any() or (nit % STALLED == 0 and not mark - f > 1e-9 * max(abs(f), 1e-3)):
            return Descent(u, f, nit, "converged", g)
        if nit % STALLED == 0:
            mark = f
        step = -memory.times(pull, free)
        slope = float(step @ pull)
        if not slope < 0:
            memory = type(memory)(problem.dim)
            step, slope = -pull, -float(pull @ pull)
        size = math.sqrt(float(step @ step))
        if size < 1e-100:
            return Descent(u, f, nit, "converged", g)
        limit = FIRST if memory.fresh else LONGEST * max(1.0, math.sqrt(problem.dim) / 4)
        if memory.fresh or size > limit:
            scale = limit / size
            step, slope = step * scale, slope * scale
        elif -slope / 2 < tol * max(abs(f), 1e-3):
            small += 1
            if small > 1 or -slope / 2 < tol * tol:
                return Descent(u, f, nit, "converged", g)
        else:
            small = 0
        found = _search(problem, u, f, g, step, slope)
        if found is None:
            if restarted or memory.fresh:
                return Descent(u, f, nit, "stuck", g)
            memory, restarted = type(memory)(problem.dim), True
            continue
        restarted = False
        new, f, fresh = found
        s, y = new - u, np.where(free, fresh - g, 0.0)
        product = float(s @ y)
        if product > 1e-10 * math.sqrt(float(s @ s) * float(y @ y)):
            memory.learn(s, y, product)
        u, g = new, fresh
        if known is not None and known(u, f, g):
            return Descent(u, f, nit + 1, "known", g)
    return Descent(u, f, maxiter, "stuck", g)


def _search(
    problem: Any, u: np.ndarray, f: float, g: np.ndarray, step: np.ndarray, slope: float
) -> tuple[np.ndarray, float, np.ndarray] | None:
    """A point along the projected step that is low enough and where the slope has flattened; None
    if there is none.
    """
    shortest, longest, t = 0.0, math.inf, 1.0
    kept = None
    for _ in range(TRIALS):
        trial = np.minimum(np.maximum(u + t * step, problem.low), problem.high)
        if np.array_equal(trial, u):
            break
        if problem.paired:
            value, gradient = problem.both(trial)
        else:
            value, gradient = problem.value(trial), None
        if not value <= f + ARMIJO * min(float((trial - u) @ g), 0.0) or value >= f:
            longest = t
            bend = 2 * (value - f - slope * t)  # parabola through f, slope and this value
            guess = -slope * t * t / bend if math.isfinite(bend) and bend > 0 else 0.1 * t
            width = longest - shortest
            t = shortest + width * min(max((guess - shortest) / width, 0.1), 0.5)
            if kept is not None:
                return kept
            continue
        if gradient is None:
            gradient = problem.gradient(trial, value)
        kept = (trial, value, gradient)
        inner = float(gradient @ step)
        at_bound = bool(((trial <= problem.low) | (trial >= problem.high)).any())
        if inner >= WOLFE * slope or at_bound or longest < math.inf:
            return kept
        shortest, t = t, t * (4.0 if inner < 0.95 * slope else 2.0)
    return kept
