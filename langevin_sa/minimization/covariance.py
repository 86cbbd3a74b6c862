"""The move of a population whose covariance adapts to the function: CMA-ES with restarts.

It looks at nothing but the order of energies, so steps, kinks, ridges and noise mislead it less
than a descent. Equations are those of Hansen's tutorial (arXiv:1604.00772, 2016); restarts with
large and small populations are those of Hansen (GECCO Companion, 2389 (2009)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import numpy as np

from .search import Search

WIDE = 0.2  # of the domain is the standard deviation that a run begins with
FIRST, GROWN = 4, 2  # times the usual population at first, as descents find what is easy; and next
SMALL = 0.5  # evaluations of small populations, by those of large ones
LOCAL = 2.0  # powers of ten by which a small population may begin narrower
GENERATIONS, DESCENT = 4, 10  # in one move, at least; energies with gradients that a descent takes
FLAT, NARROW = 1e-12, 1e-10  # of its first energies, its first width: what is left where a run ends
CONDITION = 1e14  # of a covariance, beyond which its roots are rounded
# the population's part in a search
STRANGE, DESCENTS = (
    0.25,
    8,
)  # share of descents to come that would end elsewhere; descents till then
SHARE = 0.25  # of the evaluations, or of the others' if the population holds the lowest point


class Rates(NamedTuple):
    """Constants of a population (Hansen 2016, Table 1): weights of the points in order, what each
    generation adds to the paths of sigma and of the covariance and to the covariance itself (from
    its path, from the points), the damping of sigma, and the effective number of parents.
    """

    weights: np.ndarray
    sigma_path: float
    path: float
    one: float
    many: float
    damping: float
    parents: float


@cache
def rates(count: int, dim: int) -> Rates:
    """The constants for `count` points in `dim` coordinates."""
    raw = math.log((count + 1) / 2) - np.log(np.arange(1, count + 1))
    good, bad = np.maximum(raw, 0), np.minimum(raw, 0)
    parents = good.sum() ** 2 / (good**2).sum()
    losers = bad.sum() ** 2 / (bad**2).sum()
    sigma_path = (parents + 2) / (dim + parents + 5)
    path = (4 + parents / dim) / (dim + 4 + 2 * parents / dim)
    one = 2 / ((dim + 1.3) ** 2 + parents)
    many = min(1 - one, 2 * (0.25 + parents + 1 / parents - 2) / ((dim + 2) ** 2 + parents))
    damping = 1 + 2 * max(0.0, math.sqrt((parents - 1) / (dim + 1)) - 1) + sigma_path
    against = min(1 + one / many, 1 + 2 * losers / (parents + 2), (1 - one - many) / (dim * many))
    weights = good / good.sum() - against * bad / bad.sum()
    return Rates(weights, sigma_path, path, one, many, damping, parents)


@dataclass
class Population:
    """A run of the move, in units of the domain, along the coordinates that are free.

    Attributes
    ----------
    mean : ndarray (free,)
        What the points are drawn around.
    sigma, first : float
        Their standard deviation beside the covariance, and what it was at the start.
    count : int
        Points in a generation.
    covariance, axes, roots : ndarray (free, free), (free, free), (free,)
        The covariance; its eigenvectors and the roots of its eigenvalues when last found.
    path, sigma_path : ndarray (free,)
        Evolution paths of the covariance and of sigma.
    best_u, best : ndarray (dim,), float
        The lowest point of this run.
    generation, decomposed : int
        Generations done, also when the axes were last found.
    range : float
        Of the energies of its first generation.
    lowest : list of float
        The lowest energy of each of the last generations.
    """

    mean: np.ndarray
    sigma: float
    first: float
    count: int
    covariance: np.ndarray
    axes: np.ndarray
    roots: np.ndarray
    path: np.ndarray
    sigma_path: np.ndarray
    best_u: np.ndarray
    best: float = math.inf
    generation: int = 0
    decomposed: int = 0
    range: float = 0.0
    lowest: list[float] = field(default_factory=list)

    @classmethod
    def around(cls, u: np.ndarray, free: np.ndarray, sigma: float, count: int) -> Population:
        """One that begins around u (dim,)."""
        n = int(free.sum())
        round_ = (np.eye(n), np.eye(n), np.ones(n), np.zeros(n), np.zeros(n))
        return cls(u[free], sigma, sigma, count, *round_, u.copy())

    def evolve(self, search: Search) -> None:
        """One generation: points are drawn and ranked, and mean, sigma and covariance follow."""
        problem, n, c = search.problem, len(self.mean), rates(self.count, len(self.mean))
        free = ~problem.fixed
        u = np.repeat(self.best_u[None], self.count, axis=0)
        drawn = search.rng.standard_normal((self.count, n)) * self.roots
        u[:, free] = self.mean + self.sigma * drawn @ self.axes.T
        u = problem.inside(u)
        f = problem.values(u)
        order = np.argsort(f, kind="stable")
        u, f = u[order], f[order]
        if f[0] < self.best:
            self.best, self.best_u = float(f[0]), u[0].copy()
        seen = f[np.isfinite(f)]
        if not self.range and seen.size:
            self.range = float(seen[-1] - seen[0])
        self.generation += 1
        self.lowest = [*self.lowest[1 - self._patience :], float(f[0])]
        y = (u[:, free] - self.mean) / self.sigma
        white = y @ self.axes / self.roots
        parents = np.maximum(c.weights, 0)
        moved = parents @ y
        self.mean = self.mean + self.sigma * moved
        steps = self.axes @ (parents @ white)
        kept = 1 - c.sigma_path
        self.sigma_path = kept * self.sigma_path + math.sqrt((1 - kept**2) * c.parents) * steps
        length = float(np.linalg.norm(self.sigma_path))
        usual = math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n))  # of normal numbers
        begun = math.sqrt(1 - kept ** (2 * self.generation))
        steady = length / begun < (1.4 + 2 / (n + 1)) * usual
        fresh = c.path * (2 - c.path)
        self.path = (1 - c.path) * self.path + steady * math.sqrt(fresh * c.parents) * moved
        far = np.maximum((white**2).sum(1), np.finfo(float).tiny)
        weights = np.where(c.weights < 0, c.weights * n / far, c.weights)
        lost = 0.0 if steady else c.one * fresh
        self.covariance = (
            (1 + lost - c.one - c.many * c.weights.sum()) * self.covariance
            + c.one * np.outer(self.path, self.path)
            + c.many * (y.T * weights) @ y
        )
        self.sigma *= math.exp(min(1.0, c.sigma_path / c.damping * (length / usual - 1)))
        if self.generation - self.decomposed > 1 / ((c.one + c.many) * n * 10):
            symmetric = (self.covariance + self.covariance.T) / 2
            values, self.axes = np.linalg.eigh(symmetric)
            self.roots = np.sqrt(np.maximum(values, values[-1] / CONDITION))
            self.covariance, self.decomposed = symmetric, self.generation

    @property
    def _patience(self) -> int:
        """Generations over which the lowest energies have to fall."""
        return int(100 + 100 * len(self.mean) ** 1.5 / self.count)

    def over(self, rounding: float) -> bool:
        """Whether going on is to no purpose: the points are as good as one, their energies too or
        not finite, or the lowest of them have not fallen for long.
        """
        widest, narrowest = self.roots.max(), self.roots.min()
        if self.sigma * widest < NARROW * self.first or widest**2 >= CONDITION * narrowest**2:
            return True
        few = 10 + math.ceil(30 * len(self.mean) / self.count)
        if len(self.lowest) < few:
            return False
        recent = self.lowest[-few:]
        if not max(recent) - min(recent) > max(FLAT * self.range, rounding):
            return True
        fifth = self._patience // 5
        earlier, later = np.median(self.lowest[:fifth]), np.median(self.lowest[-fifth:])
        return len(self.lowest) == self._patience and bool(later >= earlier)


@dataclass
class Restarts:
    """The runs of the population.

    Attributes
    ----------
    since : int
        Evaluations before the first.
    run : Population or None
        The one under way.
    kind : {"large", "small"}
        Of that run; each large one has twice the points of the last.
    count : int
        Points of a generation in the next of these.
    spent : dict of int
        Points drawn by "large" and by "small" ones, evaluated or behind walls.
    """

    since: int
    run: Population | None = None
    kind: str = "large"
    count: int = 0
    spent: dict[str, int] = field(default_factory=lambda: {"large": 0, "small": 0})

    def begin(self, search: Search) -> Population:
        """The next run: a large one, or if these have spent more than their part, a small one that
        may begin narrow.
        """
        problem, rng, free = search.problem, search.rng, ~search.problem.fixed
        usual = 4 + int(3 * math.log(free.sum()))
        width = WIDE * float(np.ptp(problem.box, axis=1)[free].max())
        if SMALL * self.spent["large"] <= self.spent["small"]:
            self.kind = "large"
            count = self.count = self.count or FIRST * usual
        else:
            self.kind = "small"
            count = int(usual * (self.count / (2 * GROWN * usual)) ** (rng.random() ** 2))
            width *= 10 ** (-LOCAL * rng.random())
        return Population.around(problem.draw(1, rng)[0], free, width, count)


def covariance(search: Search) -> bool:
    """Some generations of a population; where a run ends, a descent from its lowest point."""
    problem = search.problem
    restarts = search.restarts = search.restarts or Restarts(problem.nfev)
    run = restarts.run = restarts.run or restarts.begin(search)
    enough, drawn, over = max(GENERATIONS * run.count, DESCENT * problem.cost), 0, False
    while drawn < enough and not over:
        run.evolve(search)
        drawn, over = drawn + run.count, run.over(problem.rounding(run.best))
    restarts.spent[restarts.kind] += drawn
    if over:
        finite = np.isfinite(run.best)
        search.accept(search.descend(run.best_u, run.best if finite else None))
        if finite and restarts.kind == "large":  # more points see no more where all are walls
            restarts.count *= GROWN
        restarts.run = None
    return True


def due(search: Search, unseen: float) -> bool:
    """Whether it is the turn of the population, where `unseen` is the share of descents to come
    that are expected to end in minima not met yet.

    It begins where descents are of little help: they have no gradient, or gain nothing, and most of
    them would end elsewhere. Then it has its share of the evaluations.
    """
    restarts, problem = search.restarts, search.problem
    if restarts is None:
        helpless = problem.guesses or not search.gains
        return helpless and search.descents >= DESCENTS and unseen > STRANGE
    share = 1 - SHARE if search.leader == covariance.__name__ else SHARE
    return sum(restarts.spent.values()) < share * (problem.nfev - restarts.since)
