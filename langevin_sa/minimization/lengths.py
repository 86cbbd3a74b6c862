"""How far a function has to be looked at where neither bounds nor a potential say so: found by
probing it along each coordinate.

The length of a coordinate is where the function first departs from a parabola (of a parabola, where
its bottom is), by a walk over powers of two that begins at the size of x0. So it goes with the unit
of x, and no unit of the function counts.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

OPEN = 10.0  # half the width of the domain, in lengths
# a length is the size of x0, which says where the origin is, unless that is out of all proportion:
# it lies between so many of those that the probes found
LEAST, MOST = 4.0, 1000.0
ROUNDED = 64 * np.finfo(float).eps  # share of a value that may be its rounding
ODD = 0.7  # of x0, to be out of step with periods
STRIDE, INWARD = 2, 8  # powers of two in a step; inward, where x0 is a length as good as any
SLOW, ROUNDS = 5, 24  # steps before they double, and at most
POWERS = 256  # how far a walk goes: a parabola there is still a number
Values = Callable[[np.ndarray], np.ndarray]


def lengths(
    values: Values, x0: np.ndarray, low: np.ndarray, high: np.ndarray, sought: np.ndarray
) -> np.ndarray:
    """The length of each coordinate (dim,) that is `sought`, 0 of the others.

    Parameters
    ----------
    values : callable
        The function at points x (n, dim).
    x0 : ndarray (dim,)
        Around which it is probed.
    low, high : ndarray (dim,)
        Bounds of x, which no probe leaves.
    sought : ndarray of bool (dim,)
        Coordinates that lack at least one bound.
    """
    size, base = sizes(x0, sought)
    probe = _Probe(values, x0, low, high)
    free = np.flatnonzero(sought)
    found, bottom = np.zeros(len(x0)), np.zeros(len(x0))
    found[free] = _walk(probe.departs, free, base[free], inward=size[free] == 0)
    own = np.where(found > 0, np.clip(size, LEAST * found, MOST * found), size)
    own = np.where(own > 0, own, own[sought].max(initial=0.0))  # as long as others, if it has none
    free = np.flatnonzero(sought & (found == 0))
    if free.size:
        bottom[free] = _walk(probe.turns, free, base[free], inward=size[free] == 0)
    own = np.maximum(own, bottom)
    return np.where(sought, np.where(own > 0, own, own.max() or 1.0), 0.0)


def sizes(x0: np.ndarray, sought: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The size of each coordinate of x0 (dim,), 0 where it is but the rounding of the largest that
    is `sought`, and a first guess of its length.
    """
    size = np.abs(x0)
    largest = float(size[sought].max(initial=0.0))
    size = np.where(size > ROUNDED * largest, size, 0.0)
    return size, np.where(size > 0, size, largest or 1.0)  # 1: somewhere one has to begin


def domain_between(
    low: np.ndarray, high: np.ndarray, a: np.ndarray, b: np.ndarray, size: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Centre and half widths of where points are drawn: the bounds, else from a to b, which reach
    at least `size` from a bound on the other side.
    """
    below, above = np.isfinite(low), np.isfinite(high)
    left = np.where(below, low, np.where(above, np.minimum(a, high - size), a))
    right = np.where(above, high, np.where(below, np.maximum(b, low + size), b))
    return left / 2 + right / 2, right / 2 - left / 2


def _walk(
    rough: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]],
    which: np.ndarray,
    base: np.ndarray,
    inward: np.ndarray,
) -> np.ndarray:
    """For each of the coordinates `which` the length from which on it is `rough`, 0 if there is
    none: to a factor of two or four, but below base only if `inward`, else of 2^INWARD.
    """
    smooth, bad = np.full(len(which), -np.inf), np.full(len(which), np.inf)
    power, going = np.zeros(len(which)), np.ones(len(which), dtype=bool)
    for n in range(ROUNDS):
        k = np.flatnonzero(going)
        if not k.size:
            break
        here, blank = rough(which[k], ODD * base[k] * 2.0 ** power[k])
        going[k[blank & np.isfinite(bad[k]) & np.isinf(smooth[k])]] = False  # down to rounding
        bad[k[here]], smooth[k[~here & ~blank]] = power[k[here]], power[k[~here & ~blank]]
        bracket = np.isfinite(smooth) & np.isfinite(bad)
        enough = np.where(inward, 1, np.where(bad > 0, 2, INWARD))
        going &= ~(bracket & (bad - smooth <= enough))
        middle = np.floor((np.where(bracket, smooth, 0) + np.where(bracket, bad, 0)) / 2)
        stride = STRIDE * 2.0 ** max(0, n - SLOW)
        inwards = power - np.where(inward, stride, np.maximum(stride, INWARD))
        outward = np.where(np.isfinite(bad), inwards, power + stride)
        power = np.where(bracket, middle, outward)
        going &= np.abs(power) < POWERS
    found = np.isfinite(smooth) & np.isfinite(bad)
    middle = np.floor((np.where(found, smooth, 0) + np.where(found, bad, 0)) / 2)
    return np.where(found, base * 2.0**middle, 0.0)


class _Probe:
    """Values of a function along single coordinates around x0."""

    def __init__(self, values: Values, x0: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
        self.values, self.x0, self.low, self.high = values, x0, low, high
        self.known: dict[tuple[int, float], float] = {}

    def departs(self, which: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Whether the parabola through -h, 0 and h is wrong at 2h by half of what it changes, and
        whether it changes by rounding alone.
        """
        f0, here, there = self._stencil(which, h)
        slope, bend = here[:, 1] - here[:, 0], here.sum(1) - 2 * f0
        change = np.maximum(np.abs(slope), 2 * np.abs(bend))
        said = f0[:, None] + 2 * bend[:, None] + np.stack([-slope, slope], axis=1)
        error = np.abs(there - said).max(1)
        rounding = ROUNDED * np.abs(np.column_stack([f0, here, there])).max(1)
        # what is not finite is rough
        return ~(error <= np.maximum(change / 2, rounding)), change <= rounding

    def turns(self, which: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Whether the slope changes by as much as it is, and whether that is rounding alone."""
        f0, here, _ = self._stencil(which, h)
        bend = here.sum(1) - 2 * f0
        moved = (self._middle(which, h) - self.x0[which]) / h
        slope = np.abs(here[:, 1] - here[:, 0] - 2 * bend * moved)  # at x0
        bend = np.abs(bend)
        rounding = ROUNDED * np.abs(np.column_stack([f0, here])).max(1)
        return ~(bend <= np.maximum(slope / 2, rounding)), np.maximum(slope, bend) <= rounding

    def _middle(self, which: np.ndarray, h: np.ndarray) -> np.ndarray:
        """x0 (n,), moved away from a bound."""
        low, high = self.low[which] + 2 * h, self.high[which] - 2 * h
        return np.minimum(np.maximum(self.x0[which], low), high)

    def _stencil(
        self, which: np.ndarray, h: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The function at 0 (n,), at -h and h, and at -2h and 2h (n, 2), around `_middle`."""
        middle = self._middle(which, h)
        places = middle[:, None] + h[:, None] * np.array([0.0, -1.0, 1.0, -2.0, 2.0])
        wanted = [
            (c, p) for c, row in zip(which.tolist(), places.tolist(), strict=True) for p in row
        ]
        new = [key for key in dict.fromkeys(wanted) if key not in self.known]
        if new:
            points = np.repeat(self.x0[None], len(new), axis=0)
            for point, (c, place) in zip(points, new, strict=True):
                point[c] = place
            self.known |= zip(new, self.values(points).tolist(), strict=True)
        f = np.array([self.known[key] for key in wanted]).reshape(places.shape)
        return f[:, 0], f[:, 1:3], f[:, 3:]
