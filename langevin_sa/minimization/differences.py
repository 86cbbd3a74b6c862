"""Gradients of functions without one, by differences whose steps are found by probing: rounding of
the function and of x on one side, its curvature on the other.

Forward differences serve where the slope is large. Where a descent is stuck or about to end they
are central, and the steps of each coordinate are such that the values bend by the same multiple of
their rounding (Gill, Murray, Saunders, Wright, SIAM J. Sci. Stat. Comput. 4, 310 (1983)).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

EPS = float(np.finfo(float).eps)
FORWARD = EPS**0.5  # step of forward differences, in units
FIRST = 64 * FORWARD  # step of central ones where the search for a better one begins
ULPS = 8.0  # spacings of x in the least step
BEND = 1e4  # roundings by which values bend over a central difference
CLOSE, TRIES = 8.0, 8  # by which factor the bend may miss that; steps tried
LARGEST = 0.25  # step, in units: of coordinates that matter little
# values that tell the rounding, which of their differences does, and how often they spread further
WINDOW, ORDER, WIDER = 7, 4, 8
NOISY = 256 * EPS  # share of an energy beyond which its scatter is no rounding


@dataclass
class Differences:
    """What is known of the steps around one point.

    Attributes
    ----------
    step : ndarray (dim,) or None
        Of central differences, in units; None for forward ones.
    noise : float
        By how much values are rounded there, 0 if nobody has looked.
    """

    step: np.ndarray | None = None
    noise: float = 0.0

    def refine(self, problem: Any, u: np.ndarray, f: float) -> None:
        """Find the rounding and the steps at u, where the energy is f."""
        free = np.flatnonzero(~problem.fixed)
        self.noise = problem.noise or rounding(problem, u, f)
        least = _least(problem, u)
        room = np.maximum(np.maximum(problem.high - u, u - problem.low), least)
        most = np.maximum(np.minimum(LARGEST, room / 2), least)
        step = np.clip(np.full(problem.dim, FIRST), least, most)
        slope, sure = np.full(problem.dim, np.nan), np.full(problem.dim, np.inf)
        going = free
        for _ in range(TRIES):
            if not going.size or not self.noise:
                break
            left, right, gaps = _around(problem, u, f, step, going)
            with np.errstate(all="ignore"):
                bend, now = np.abs(left + right), (right - left) / gaps
                ratio = bend / (BEND * self.noise)
            finite = np.isfinite(ratio)
            # a longer step must give the same slope, or it is too long
            longer = self.noise / gaps < sure[going]
            wrong = longer & (
                np.abs(now - slope[going]) > CLOSE * (sure[going] + self.noise / gaps)
            )
            back = ~finite | wrong
            known = going[~back]
            slope[known], sure[known] = now[~back], (self.noise / gaps)[~back]
            factor = np.where(ratio > 0, np.sqrt(1 / np.where(ratio > 0, ratio, 1.0)), 64.0)
            factor = 2.0 ** np.round(np.log2(np.clip(np.where(back, 1 / 8, factor), 1 / 64, 64)))
            new = np.clip(step[going] * factor, least[going], most[going])
            stop = (~back & (ratio <= CLOSE) & (ratio >= 1 / CLOSE)) | (wrong & finite)
            stop |= new == step[going]
            step[going[~stop | wrong]] = new[~stop | wrong]
            going = going[~stop]
        self.step = step

    def steps(self, problem: Any, u: np.ndarray) -> np.ndarray:
        """The step (dim,) of central differences around u, found by `refine` or not."""
        return np.maximum(FIRST, _least(problem, u)) if self.step is None else self.step

    def jacobian(
        self, problem: Any, u: np.ndarray, residuals: np.ndarray, central: bool
    ) -> np.ndarray:
        """Derivatives (m, dim) of the residuals (m,) at u, by differences that stay inside."""
        free = np.flatnonzero(~problem.fixed)
        h = self.steps(problem, u) if central else np.maximum(FORWARD, _least(problem, u))
        ends = np.repeat(u[None], 2 * len(free), axis=0).reshape(2, len(free), -1)
        at, step = np.arange(len(free)), np.where(u + h > problem.high, -h, h)[free]
        ends[0, at, free] += step
        ends[1, at, free] = np.clip(u - step, problem.low, problem.high)[free]
        ends = problem.u(problem.x(ends))
        right = problem.vectors(ends[0])
        left = problem.vectors(ends[1]) if central else residuals
        apart = (ends[0] - (ends[1] if central else u))[at, free]
        found = np.zeros((len(residuals), problem.dim))
        with np.errstate(all="ignore"):
            found[:, free] = ((right - left) / apart[:, None]).T
        return found

    def gradient(self, problem: Any, u: np.ndarray, f: float) -> np.ndarray:
        """The gradient (dim,) at u, where the energy is f; 0 where it is not finite."""
        free, gradient = np.flatnonzero(~problem.fixed), np.zeros(problem.dim)
        if not np.isfinite(f) or not free.size:
            return gradient
        if self.step is not None:
            left, right, gaps = _around(problem, u, f, self.step, free)
            gradient[free] = (right - left) / gaps
            return gradient
        # more than x can be rounded by
        h = np.maximum(FORWARD, _least(problem, u))
        h = np.where(u + h > problem.high, -h, h)
        values, moved = _moved(problem, u, h[None], free)
        gradient[free] = (values[0] - f) / moved[0]
        return gradient


def _least(problem: Any, u: np.ndarray) -> np.ndarray:
    """The shortest step (dim,) around u, in units."""
    return ULPS * np.spacing(np.abs(problem.x(u))) / problem.unit


def rounding(problem: Any, u: np.ndarray, f: float) -> float:
    """Standard deviation of what f is rounded by near u, from differences of a high order (Hamming;
    More, Wild, SIAM J. Sci. Comput. 33, 1292 (2011)).
    """
    h = _nearest(problem, u)
    for _ in range(WIDER):
        values = _window(problem, u, f, h)
        if not np.isfinite(values).all():
            return EPS * abs(f)
        if values.min() < values.max():
            break
        h *= 32.0  # all are rounded to one value
    return max(_deviation(values), EPS * abs(f) / 2)


def scatter(problem: Any, u: np.ndarray, f: float, scale: float) -> float:
    """Standard deviation of the noise of values near u; 0 if it may be rounding of energies of this
    scale.
    """
    values = _window(problem, u, f, _nearest(problem, u))
    if not np.isfinite(values).all():
        return 0.0
    noise = _deviation(values)
    # a step, or rounding to a few numbers, is no noise
    many = len(np.unique(values)) > WINDOW - ORDER
    return noise if many and noise > NOISY * max(scale, float(np.abs(values).max())) else 0.0


def _nearest(problem: Any, u: np.ndarray) -> np.ndarray:
    """The least distances (dim,) from u, in units, of points that are surely others."""
    spacing = ULPS * np.spacing(np.abs(problem.x(u)))
    return np.maximum(spacing, EPS * problem.unit) / problem.unit


def _window(problem: Any, u: np.ndarray, f: float, h: np.ndarray) -> np.ndarray:
    """The energy f at u and at further points in a row, each h (dim,) from the one before."""
    moves = np.where(problem.fixed, 0.0, np.where(u + WINDOW * h > problem.high, -h, h))
    return np.append(f, problem.values(u + np.arange(1, WINDOW)[:, None] * moves))


def _deviation(values: np.ndarray) -> float:
    """Standard deviation of independent errors of equidistant values of a smooth function."""
    # the sum of squared binomials C(4, k)^2 is 70
    return float(np.sqrt(np.mean(np.diff(values, ORDER) ** 2) / 70))


def _around(
    problem: Any, u: np.ndarray, f: float, step: np.ndarray, which: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the energy changes by to the left and to the right along coordinates `which`, as for
    equal steps, and how far these are apart, in units; on one side of u where a bound is near.
    """
    up, down = u + step <= problem.high, u - step >= problem.low
    sides = np.stack([np.where(down, -step, 2 * step), np.where(up, step, -2 * step)])
    values, moved = _moved(problem, u, sides, which)
    left, right = values - f
    # a parabola through u and two points on one side of it, read at equal steps
    with np.errstate(all="ignore"):
        bend = (right / moved[1] - left / moved[0]) / (moved[1] - moved[0])
        slope = right / moved[1] - bend * moved[1]
    h, one = step[which], ~(up & down)[which]
    left = np.where(one, bend * h**2 - slope * h, left)
    right = np.where(one, bend * h**2 + slope * h, right)
    return left, right, np.where(one, 2 * h, moved[1] - moved[0])


def _moved(
    problem: Any, u: np.ndarray, moves: np.ndarray, which: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Energies (m, n) where each of the n coordinates `which` is moved by its moves (m, dim), and
    by how much it really was, in units.
    """
    m, n = len(moves), len(which)
    points = np.repeat(u[None], m * n, axis=0)
    each = np.tile(which, m)
    points[np.arange(m * n), each] += moves[:, which].ravel()
    values = problem.values(points)
    really = (problem.x(points)[np.arange(m * n), each] - problem.x(u)[each]) / problem.unit[each]
    return values.reshape(m, n), really.reshape(m, n)
