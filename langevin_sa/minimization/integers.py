"""Descents where some coordinates are integers: steps of one along one and two of them, to the
lowest integers of the parabola that those steps show, and along the other coordinates what a
descent does with the integers held.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from ..descents.bounded import Descent

PAIRS = 256  # of coordinates and signs that are tried together where no single step goes down
AGAIN = 8  # neighbours from which the other coordinates descend, where all integers seem best
NODES, LOWEST = 4000, 4  # of the tree over integers; how many of the parabola's lowest are tried
WIDEST = 1000  # integers of one coordinate that are looked at
Rank = tuple[float, float]  # how far off the constraints, and the energy: the lower the better


def descend_over_integers(
    problem: Any, u: np.ndarray, *, f: float | None = None, **options: Any
) -> Descent:
    """A point near u than which no neighbour is lower: none that differs by one in one integer,
    nor, as far as `PAIRS` go, in two.

    Parameters
    ----------
    problem : Problem
        Energies and bounds.
    f : float, optional
        The energy at u, if it is known.
    options
        Of `problem.smooth`, which descends along the other coordinates.
    """
    walk = _Walk(problem, options)
    here = walk.moved(u, np.zeros((1, len(walk.which))))[0]
    end = walk.settle(here, walk.rank(here[None])[0])
    ranks = [end[1]]
    while (better := walk.step(*end)) is not None:
        end = better
        ranks.append(end[1])
    u, (off, fun) = end
    slope = walk.slopes.get(u.tobytes(), np.zeros(problem.dim))
    early = ranks[len(ranks) // 2][1]
    gain = early - fun if np.isfinite(early) else 0.0
    if off or not np.isfinite(fun):
        return Descent(u, np.inf, len(ranks), "stuck", slope)
    return Descent(u, fun, len(ranks), "converged", slope, gain)


class _Walk:
    """What one descent has looked at."""

    def __init__(self, problem: Any, options: dict[str, Any]) -> None:
        self.problem, self.options = problem, options
        self.which = np.flatnonzero(problem.integers & ~problem.fixed)
        self.others = bool((~problem.integers & ~problem.fixed).any())
        self.known: dict[bytes, Rank] = {}
        self.slopes: dict[bytes, np.ndarray] = {}

    def moved(self, u: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """The points that steps (n, integers) lead to from u."""
        points = np.repeat(u[None], len(steps), axis=0)
        x = self.problem.x(points)
        x[:, self.which] += steps
        points[:, self.which] = self.problem.u(x)[:, self.which]
        return points

    def rank(self, points: np.ndarray) -> list[Rank]:
        """Of points (n, dim), none of which is asked for twice."""
        keys = [point.tobytes() for point in points]
        new = [k for k, key in enumerate(keys) if key not in self.known]
        if new:
            found = self.problem.ranks(points[new])
            self.known |= {keys[k]: rank for k, rank in zip(new, found, strict=True)}
        return [self.known[key] for key in keys]

    def settle(self, u: np.ndarray, rank: Rank) -> tuple[np.ndarray, Rank]:
        """u, or where its other coordinates descend to if that is lower."""
        if not self.others:
            return u, rank
        with self.problem.pinned(u):
            end = self.problem.smooth(u, **self.options)
        if not (np.isfinite(end.fun) and (0.0, end.fun) < rank):
            return u, rank
        self.slopes = {end.u.tobytes(): end.slope}
        self.known[end.u.tobytes()] = 0.0, end.fun
        return end.u, (0.0, end.fun)

    def step(self, u: np.ndarray, rank: Rank) -> tuple[np.ndarray, Rank] | None:
        """The best neighbour, as far as it goes in that direction; None if there is none."""
        if not self.which.size:
            return None
        one = np.eye(len(self.which))
        steps = np.concatenate([one, -one])
        ranks = self._around(u, steps)
        found = self._best(u, rank, steps, ranks)
        if found is None:
            pairs, twos = self._two(u, rank, steps, ranks)
            found = self._best(u, rank, np.array([steps[i] + steps[j] for i, j in pairs]), twos)
            if found is None:
                found = self._far(u, rank, ranks, dict(zip(pairs, twos, strict=True)))
        if found is not None:
            return self.settle(*found)
        if not self.others:
            return None
        order = sorted(range(len(steps)), key=lambda k: ranks[k])[:AGAIN]
        for k in order:
            if ranks[k][0] == np.inf:
                continue
            end = self.settle(self.moved(u, steps[k : k + 1])[0], ranks[k])
            if end[1] < rank:
                return end
        return None

    def _around(self, u: np.ndarray, steps: np.ndarray) -> list[Rank]:
        """Ranks of the points that steps (n, integers) lead to; (inf, inf) beyond the bounds."""
        problem, which = self.problem, self.which
        x = problem.x(u)[which] + steps
        inside = ((x >= problem.x_low[which]) & (x <= problem.x_high[which])).all(1)
        ranks = iter(self.rank(self.moved(u, steps[inside])) if inside.any() else [])
        return [next(ranks) if good else (np.inf, np.inf) for good in inside]

    def _two(
        self, u: np.ndarray, rank: Rank, steps: np.ndarray, ranks: list[Rank]
    ) -> tuple[list[tuple[int, int]], list[Rank]]:
        """Two steps at once, which and their ranks, first where each alone loses least; a step
        that breaks a constraint may lose nothing.
        """
        loss = np.array([f - rank[1] if off == rank[0] else 0.0 for off, f in ranks])
        pairs = [
            (i, j)
            for i, j in combinations(range(len(steps)), 2)
            if (i - j) % len(self.which) and np.isfinite(ranks[i][0]) and np.isfinite(ranks[j][0])
        ]
        pairs.sort(key=lambda pair: loss[pair[0]] + loss[pair[1]])
        both = np.array([steps[i] + steps[j] for i, j in pairs[:PAIRS]])
        return pairs[:PAIRS], self._around(u, both.reshape(-1, len(self.which)))

    def _far(
        self, u: np.ndarray, rank: Rank, ranks: list[Rank], twos: dict[tuple[int, int], Rank]
    ) -> tuple[np.ndarray, Rank] | None:
        """Where the parabola through the neighbours is lowest, if that is lower; None if it is
        not, or neighbours are missing.
        """
        n, fun = len(self.which), rank[1]
        f = np.array([energy for _, energy in ranks])
        inner = np.flatnonzero(np.isfinite(f[:n]) & np.isfinite(f[n:]))
        hessian = np.full((n, n), np.nan)
        hessian[inner, inner] = (f[:n] + f[n:] - 2 * fun)[inner]
        for (i, j), (_, energy) in twos.items():
            if np.isfinite([energy, f[i], f[j]]).all():
                sign = 1 if (i < n) == (j < n) else -1
                cross = sign * (energy - f[i] - f[j] + fun)
                hessian[i % n, j % n] = hessian[j % n, i % n] = cross
        hessian = hessian[np.ix_(inner, inner)]
        if rank[0] or not inner.size or not np.isfinite(hessian).all():
            return None
        here = self.problem.x(u)[self.which][inner]
        low, high = (side[self.which][inner] for side in (self.problem.x_low, self.problem.x_high))
        slope = ((f[:n] - f[n:]) / 2)[inner]
        lowest = lowest_integers(slope, hessian, low - here, high - here)
        far = np.zeros((len(lowest), n))
        far[:, inner] = lowest
        return self._best(u, rank, far, self._around(u, far))

    def _best(
        self, u: np.ndarray, rank: Rank, steps: np.ndarray, ranks: list[Rank]
    ) -> tuple[np.ndarray, Rank] | None:
        """The lowest that the steps lead to if it is lower than u, and twice as far again as long
        as that is lower.
        """
        if not ranks:
            return None
        k = min(range(len(ranks)), key=lambda k: ranks[k])
        if not ranks[k] < rank:
            return None
        step = steps[k : k + 1]
        best = self.moved(u, step)[0], ranks[k]
        while (further := self._around(best[0], step)[0]) < best[1]:
            best, step = (self.moved(best[0], step)[0], further), 2 * step
        return best


def lowest_integers(
    slope: np.ndarray, hessian: np.ndarray, low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """The integers (k, n) from low to high at which the parabola ``slope.s + s.hessian.s/2`` is
    lowest, the lowest first, as far as `NODES` go; none where it is not convex.

    A walk over a tree, one coordinate after the other and the likely integers first, that turns
    where the coordinates so far cost more than the best point (Schnorr, Euchner, Math. Program. 66,
    181 (1994)).
    """
    n = len(slope)
    try:
        root = np.linalg.cholesky(hessian).T
    except np.linalg.LinAlgError:
        return np.empty((0, n))
    centre = -np.linalg.solve(hessian, slope)
    found: list[tuple[float, tuple[float, ...]]] = []
    # the rest of the coordinates, and what they cost; the cheapest on top
    stack: list[tuple[float, tuple[float, ...]]] = [(0.0, ())]
    limit = float(((root @ centre) ** 2).sum())
    nodes = 0
    while stack and nodes < NODES:
        cost, rest = stack.pop()
        if cost >= limit:
            continue
        nodes += 1
        k = n - 1 - len(rest)
        if k < 0:
            found.append((cost, rest))
            limit = cost if len(found) >= LOWEST else limit
            continue
        beyond = np.array(rest) - centre[k + 1 :]
        middle = centre[k] - float(root[k, k + 1 :] @ beyond) / root[k, k]
        reach = np.sqrt(limit - cost) / root[k, k]
        first, last = max(low[k], np.ceil(middle - reach)), min(high[k], np.floor(middle + reach))
        places = np.arange(first, min(last, first + WIDEST) + 1)
        costs = cost + (root[k, k] * (places - middle)) ** 2
        for place in places[np.argsort(-costs)]:
            more = cost + float((root[k, k] * (place - middle)) ** 2)
            stack.append((more, (float(place), *rest)))
    found.sort()
    return np.array([point for _, point in found[:LOWEST]]).reshape(-1, n)
