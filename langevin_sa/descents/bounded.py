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
# lengths, in units, of the first step, of that where nothing is known of energies, or of the domain
# (then it is as long as x0), and of any
FIRST, BOLD, GUESS, LONGEST = 0.5, 5.0, 2.0, 10.0
# coordinates whose whole Hessian is looked at where a precise descent ends, how often, how far
# apart gradients are, in steps of differences, and the least share of the largest curvature seen
WHOLE, LOOKS, WIDE, FLAT = 10, 3, 16.0, 1e-7
SURE = 4  # steps that are expected to gain nothing before a precise descent is over
EARLY = 5  # steps, at most half of all, by which a descent is off the walls
CLEAR = 100.0  # roundings of the energy: what a step is expected to gain is then no rounding
PLAIN = 1e-200  # squares between this and its inverse are formed without scaling
KINK = 8.0  # times as much does a parabola bend over four times the length, by more than a kink


class Descent(NamedTuple):
    """Where a descent ended: point, energy, steps made, and whether it "converged", met a "known"
    minimum, or got "stuck"; the gradient there, what was gained after the first steps, and
    what the next one was expected to.
    """

    u: np.ndarray
    fun: float
    nit: int
    how: str
    slope: np.ndarray
    gain: float = 0.0
    left: float = 0.0


class _Dense:
    def __init__(self, dim: int) -> None:
        self.h: np.ndarray | None = None
        self.learnt = 0

    def times(self, g: np.ndarray, free: np.ndarray) -> np.ndarray:
        return np.where(free, g if self.h is None else self.h @ g, 0.0)

    def learn(self, s: np.ndarray, y: np.ndarray, product: float) -> None:
        if self.h is None:
            self.h = np.eye(len(s)) * _share(product, y)
        hy = self.h @ y
        # s w' + w s' is the update of Broyden, Fletcher, Goldfarb and Shanno
        both = s[:, None] * (s * ((1 + float(y @ hy) / product) / (2 * product)) - hy / product)
        self.h += both + both.T
        self.learnt += 1

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
        q *= _share(product, y)
        for (s, y, product), weight in zip(self.pairs, reversed(weights), strict=True):
            q += (weight - (y @ q) / product) * s
        return np.where(free, q, 0.0)

    def learn(self, s: np.ndarray, y: np.ndarray, product: float) -> None:
        self.pairs = [*self.pairs[1 - MEMORY :], (s, y, product)]

    @property
    def fresh(self) -> bool:
        return not self.pairs

    @property
    def learnt(self) -> int:
        return len(self.pairs)


def descend(
    problem: Any,
    u: np.ndarray,
    *,
    tol: float = 1e-9,
    scale: float = 0.0,
    maxiter: int = 1000,
    known: Callable[[np.ndarray, float, np.ndarray], bool] | None = None,
    f: float | None = None,
    below: float = -math.inf,
    precise: bool = False,
) -> Descent:
    """The local minimum below u.

    Parameters
    ----------
    problem : Problem
        Energies, gradients and bounds.
    tol, scale : float
        Converged where the decrease still expected, g H g/2, is below tol times the energy `scale`
        (without one, tol squared times what the descent has gained), or below rounding.
    below : float
        An energy below which tol squared is taken for tol.
    known : callable, optional
        ``known(u, f, g)`` true ends the descent early, as where it nears a minimum already found.
    f : float, optional
        The energy at u, if it is known.
    precise : bool
        Whether gradients by differences are as exact as can be from the first step on, and what is
        expected is believed only once the memory has seen every direction.
    """
    problem.begin()
    if f is None or problem.paired:
        f, g = problem.both(u)
    else:
        g = problem.gradient(u, f)
    if not math.isfinite(f):
        return Descent(u, f, 0, "stuck", g)
    refined = problem.guesses and (precise or problem.noise > 0)
    if refined:
        problem.refine(u, f)
        g = problem.gradient(u, f)
    low, high = problem.low, problem.high
    memory = _Dense(problem.dim) if problem.dim <= DENSE else _Limited(problem.dim)
    sure = SURE if precise else 1
    doubtful = int((~problem.fixed).sum()) if precise and problem.dim <= DENSE else 0
    restarted, small, left, energies = False, 0, 0.0, [f]
    # at the whole Hessian, of which a descent in a narrow valley may have learnt little
    looks = LOOKS if precise and problem.dim <= WHOLE else 0
    first = True  # time that slopes are to be made exact
    last = np.zeros_like(u)  # step of a memory that had learnt something
    bold = GUESS if problem.unmeasured else BOLD
    longest = LONGEST * max(1.0, math.sqrt(problem.dim) / 4)

    def ended(how: str) -> Descent:
        gain = energies[min(EARLY, len(energies) // 2)] - energies[-1]
        problem.begin()
        return Descent(u, energies[-1], len(energies) - 1, how, g, gain, left)

    for nit in range(maxiter):
        free = ~((u <= low) & (g > 0) | (u >= high) & (g < 0))
        pull = np.where(free, g, 0.0)
        enough = tol * (scale if f >= below else tol * (scale or energies[0] - f))
        enough = max(enough, problem.rounding(f))
        stalled = len(energies) > STALLED and nit % STALLED == 0
        stalled = stalled and not energies[-1 - STALLED] - f > enough
        if not pull.any() or (stalled and (looks < LOOKS or not looks)):
            return ended("converged")
        if stalled:
            looks -= 1
            memory, refined, small = _whole(problem, u), True, 0
        step = -memory.times(pull, free)
        slope = float(step @ pull)
        if not slope < 0:
            memory = type(memory)(problem.dim)
            step, slope = -pull, -float(pull @ pull)
        size = _length(step)
        limit = longest if not memory.fresh else FIRST if scale else bold
        if not memory.fresh:
            left, last = -slope / 2, step
        if memory.fresh or size > limit:
            length = limit / size
            step, slope = step * length, slope * length
        elif left < enough and memory.learnt >= doubtful:
            small += 1
            if small > sure or left < tol * enough:
                if looks < LOOKS or not looks:
                    return ended("converged")
                looks -= 1
                memory, refined, small = _whole(problem, u), True, 0
                continue
        else:
            small = 0
        found = _search(problem, u, f, g, step, slope)
        if found is None:
            if problem.guesses and not refined and (precise or first):
                problem.refine(u, f)
                g, refined, first = problem.gradient(u, f), True, False
                continue
            if 0 < left < enough and memory.learnt >= doubtful and (looks < LOOKS or not looks):
                return ended("converged")
            if restarted or memory.fresh:
                last = last if left else step
                if looks:
                    looks -= 1
                    memory, restarted, refined, left = _whole(problem, u), False, True, 0.0
                    continue
                if precise:
                    left = _unexplained(problem, u, f, last, -float(last @ pull), left)
                    return ended("stuck" if left else "converged")
                return ended("stuck")
            memory, restarted = type(memory)(problem.dim), True
            continue
        restarted, refined, left = False, False, 0.0
        new, f, fresh = found
        s, y = new - u, np.where(free, fresh - g, 0.0)
        product = float(s @ y)
        if problem.unmeasured:
            longest = max(longest, LONGEST * _length(s))
        if product > 1e-10 * _length(s) * _length(y):
            memory.learn(s, y, product)
        u, g = new, fresh
        energies.append(f)
        if known is not None and known(u, f, g):
            return ended("known")
    return ended("stuck")


def _whole(problem: Any, u: np.ndarray) -> _Dense:
    """A memory of the whole Hessian at u, from central differences of gradients that are such
    themselves; curvatures that rounding hides are taken for the largest that it can hide.
    """
    step = problem.differences.steps(problem, u)
    free = np.flatnonzero(~problem.fixed)
    hessian = np.zeros((problem.dim, problem.dim))
    for c in free:
        h = np.zeros(problem.dim)
        h[c] = WIDE * step[c]
        pair = [np.minimum(np.maximum(u + side * h, problem.low), problem.high) for side in (-1, 1)]
        left, right = (problem.both(point)[1] for point in pair)
        hessian[c] = (right - left) / (pair[1] - pair[0])[c] * step * step[c]
    values, vectors = np.linalg.eigh((hessian + hessian.T)[np.ix_(free, free)] / 2)
    values = np.maximum(np.abs(values), FLAT * np.abs(values).max())
    inverse = np.zeros((problem.dim, problem.dim))
    inverse[np.ix_(free, free)] = (vectors / values) @ vectors.T
    memory = _Dense(problem.dim)
    memory.h, memory.learnt = inverse * step * step[:, None], problem.dim
    return memory


def _unexplained(
    problem: Any, u: np.ndarray, f: float, step: np.ndarray, slope: float, left: float
) -> float:
    """What was expected of a step that found nothing lower: `left`, or if that is 0 what a parabola
    along it says; 0 if rounding or a kink explains it.
    """
    problem.refine(u, f)
    rounding = problem.rounding(f)
    points = u + np.array([-1, 1, -0.25, 0.25])[:, None] * step
    energies = problem.values(np.minimum(np.maximum(points, problem.low), problem.high)) - f
    far, near = float(energies[:2].sum()), float(energies[2:].sum())
    if not left:
        left = slope / 2 * (slope / far) if slope < far else slope
    kink = near > CLEAR * rounding and far < KINK * near
    rounded = left <= CLEAR * rounding or not energies.any()
    return 0.0 if kink or rounded else left


def _scaled(a: np.ndarray) -> tuple[np.ndarray, int]:
    """a times 2^-k, and k, such that squares stay in the range of numbers in any unit."""
    k = math.frexp(float(np.abs(a).max()))[1]
    return np.ldexp(a, -k), k


def _length(a: np.ndarray) -> float:
    """The norm."""
    square = float(a @ a)
    if PLAIN < square < 1 / PLAIN:
        return math.sqrt(square)
    scaled, k = _scaled(a)
    return math.ldexp(math.sqrt(float(scaled @ scaled)), k)


def _share(product: float, y: np.ndarray) -> float:
    """product/(y.y)."""
    square = float(y @ y)
    if PLAIN < square < 1 / PLAIN:
        return product / square
    scaled, k = _scaled(y)
    return math.ldexp(math.ldexp(product, -k) / float(scaled @ scaled), -k)


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
        if (trial == u).all():
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
        if inner >= WOLFE * slope or longest < math.inf:
            return kept
        if ((trial <= problem.low) | (trial >= problem.high)).any():
            return kept
        shortest, t = t, t * (4.0 if inner < 0.95 * slope else 2.0)
    return kept
