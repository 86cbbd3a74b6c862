"""A search under way: the problem, the minima found, a walker that hops between them, and moves
chosen by what they earn.

A move is a function ``move(search) -> bool`` that evaluates, descends, and says whether it had
anything to do. Moves that lowered the best energy lately, for few evaluations, are made more often
(`Search.choose`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .clusters import alike, motions, space_of
from .differences import scatter
from .history import History
from .minima import Minima, Minimum, Watch
from .problem import ROUNDED, Problem

FORGET = 0.9  # what is left of a move's earnings and costs at its next call
LEAST_SHARE = 0.04  # of the calls that any move gets
# in energies of the search: a decrease that counts as an improvement, a difference between ends of
# descents to one minimum, and what is gained by the last step of a descent
IMPROVED, SAME_FUN, TOL = 1e-6, 1e-6, 1e-9
SCATTERED = 10.0  # times the noise may the lowest of many values be lower than another
PLACES = 8  # minima at which motions that leave the energy as it is are looked for
LAST = 2000  # steps of the last descent
REMEMBERED = 99  # descents whose gains tell the energy of a search


@dataclass
class Account:
    """What a move has earned (decaying) and cost."""

    earned: float = 0.0
    spent: float = 0.0
    calls: int = 0


@dataclass
class Search:
    """Everything the moves share, and all of it that a checkpoint holds but the problem.

    Attributes
    ----------
    problem : Problem
        Evaluates points u (dim,), in units of the domain.
    rng : numpy.random.Generator
        Of all that is drawn.
    minima : Minima
        What was found.
    temperature : float
        Of the last step of an annealing strategy, NaN without one.
    walker : Minimum or None
        Where hops start; one within `threshold` (energy) above it takes its place, which adapts so
        that half of new minima do.
    stride : float
        Length of hops along each coordinate, in units; grows when they fall back, shrinks when they
        do not.
    descents, attempts : int
        Descents done; moves made, or runs or cycles begun.
    improved_at, improved_after : int
        How many attempts had been made when the best energy last fell; after how many evaluations.
    accounts : dict of Account
        By the name of the move.
    pool : list of (float, ndarray (dim,))
        Points looked at and not descended from, the lowest first.
    starts : list of ndarray (dim,)
        Where descents began.
    order : list of int
        Coordinates that `moves.line` has yet to look along.
    tol : float
        Tolerance of descents, in energies of the search.
    gains : list of float
        What the last descents gained after their first steps.
    spread : float
        Energy of a search that has not descended.
    restarts : Restarts or None
        Of the population of `covariance`.
    leader : str
        The move that last lowered the best energy.
    slope : ndarray (dim,) or None
        The gradient where `finish` ended.
    stuck : float
        What the descent of `finish` still expected to gain where it found nothing lower; else 0.
    moving : bool or None
        Whether motions of a cluster do not change the energy, None if nobody has asked.
    stage : Cycle, Descending or None
        Where the strategy stands, besides.
    verdict : str
        Why the search is over; empty while it is not.
    report : dict
        What the result tells besides.
    history : History
        A row for each iteration.
    move : str
        The last one that was made.
    """

    problem: Problem
    rng: np.random.Generator
    minima: Minima
    temperature: float = np.nan
    walker: Minimum | None = None
    threshold: float = 0.0
    stride: float = 1.0
    descents: int = 0
    attempts: int = 0
    improved_at: int = 0
    improved_after: int = 0
    accounts: dict[str, Account] = field(default_factory=dict)
    pool: list[tuple[float, np.ndarray]] = field(default_factory=list)
    starts: list[np.ndarray] = field(default_factory=list)
    order: list[int] = field(default_factory=list)
    tol: float = TOL
    gains: list[float] = field(default_factory=list)
    spread: float = 0.0
    restarts: Any = None
    leader: str = ""
    slope: np.ndarray | None = None
    stuck: float = 0.0
    moving: bool | None = None
    stage: Any = None
    verdict: str = ""
    report: dict[str, Any] = field(default_factory=dict)
    history: History = field(default_factory=History)
    move: str = ""

    @classmethod
    def of(cls, problem: Problem, seed: int, tol: float | None = None) -> Search:
        """A search that has done nothing yet; `tol` of its descents is `TOL` by default."""
        minima = Minima()
        if (space := space_of(problem.fun)) is not None:
            same = alike(space)
            minima = Minima(lambda u, v: same(problem.x(u), problem.x(v)))
        search = cls(problem, np.random.default_rng([seed, 3]), minima)
        search.tol = search.tol if tol is None else float(tol)
        return search

    def descend(self, u: np.ndarray, f: float | None = None) -> tuple[Minimum, bool] | None:
        """Go down from u; the minimum reached and whether it is new, or None where u is not
        finite.
        """
        self.starts.append(u)
        watch = Watch(self.minima)
        below = self.minima.best.fun if len(self.minima) else np.inf
        below += self.matters(IMPROVED, below) if len(self.minima) else 0.0
        end = self.problem.local(u, tol=self.tol, scale=self.energy, known=watch, f=f, below=below)
        self.descents += 1
        self.learn(end.gain)
        if watch.met is not None:
            watch.met.hits += 1
            return watch.met, False
        if not np.isfinite(end.fun):
            return None
        return self.meet(end.u, end.fun)

    def measure(self) -> None:
        """Measure the domain of the problem, and leave what was found where it is."""
        problem = self.problem
        places = [(m, problem.x(m.u)) for m in self.minima.found]
        starts = [problem.x(u) for u in self.starts]
        try:
            problem.measure()
        finally:  # a probe may have reached the target
            for m, x in places:
                m.u = problem.u(x)
            self.starts = [problem.u(x) for x in starts]

    @property
    def energy(self) -> float:
        """The size of energies here, 0 if nothing is known of it.

        What a descent gains after its first steps, in the median: neither walls that it came down
        from nor an offset of the function count.
        """
        return sorted(self.gains)[(len(self.gains) - 1) // 2] if self.gains else self.spread

    def learn(self, gain: float) -> None:
        """Book what a descent gained after its first steps."""
        if gain > 0:
            self.gains = [*self.gains[1 - REMEMBERED :], gain]

    def matters(self, share: float, fun: float) -> float:
        """A share of the energy of this search, but at least what noise or the rounding of energies
        like fun may be.
        """
        return max(share * self.energy, ROUNDED * abs(fun), SCATTERED * self.problem.noise)

    def listen(self) -> None:
        """Measure the noise of the function at the best minimum."""
        problem, best = self.problem, self.minima.best
        above = problem.value(problem.u(problem.x0)) - best.fun  # near a kink gains are rounding
        scale = max(self.energy, above if np.isfinite(above) else 0.0)
        problem.noise = scatter(problem, best.u, best.fun, scale)

    def meet(self, u: np.ndarray, fun: float) -> tuple[Minimum, bool]:
        """Book a minimum: which it is, and whether it is new."""
        best = self.minima.best.fun if len(self.minima) else np.inf
        if not fun >= (best - self.matters(IMPROVED, best) if np.isfinite(best) else best):
            self.improved_at, self.improved_after = self.attempts, self.problem.evaluations
        return self.minima.add(u, fun, self.matters(SAME_FUN, fun))

    def moves_freely(self) -> bool:
        """Whether motions of a cluster leave the energy of a low minimum as it is; those at bounds
        may have no room for them.
        """
        if self.moving is None:
            problem, asked, moving = self.problem, False, False
            for m in self.minima.found[:PLACES]:
                x = motions(problem.x(m.u), problem.x_low, problem.x_high)
                found = np.array([problem.value(problem.u(y)) for y in x])
                asked |= len(x) > 0
                moving |= bool((np.abs(found - m.fun) <= self.matters(SAME_FUN, m.fun)).any())
                if moving:
                    break
            self.moving = moving if asked else None
        return bool(self.moving)

    def accept(self, reached: tuple[Minimum, bool] | None) -> None:
        """Move the walker if the new minimum is not too high above its own."""
        if reached is None:
            return
        minimum, _ = reached
        if self.walker is None or minimum.fun < self.walker.fun + self.threshold:
            if self.walker is not None and minimum is not self.walker:
                self.threshold *= 0.9
            self.walker = minimum
        else:
            self.threshold = max(1.1 * self.threshold, 0.01 * (minimum.fun - self.walker.fun))

    def note(self) -> None:
        """Add a row to the history: how far the search has come."""
        at = self.walker or self.stage  # a run of `clusters` is a walker, too
        fun = getattr(at, "fun", None)
        walker = np.nan if fun is None else fun
        heat = self.threshold if np.isnan(self.temperature) else self.temperature
        numbers = self.problem.nfev, self.problem.best_fun, walker, heat
        self.history.note(self.move, *map(float, numbers))

    def finish(self) -> None:
        """Take the best point down to rounding, and its gradient."""
        self.move = "polish"
        problem = self.problem
        if not np.isfinite(problem.best_fun):
            return
        end = problem.local(
            problem.u(problem.best_x), tol=TOL**3, scale=self.energy, maxiter=LAST, precise=True
        )
        self.minima.improve(end.u, end.fun)
        matters = end.how == "stuck" and end.left > TOL * TOL * self.energy
        self.slope, self.stuck = end.slope, end.left if matters else 0.0

    def choose(self, moves: Sequence[tuple[str, Callable[[Search], bool]]]) -> int:
        """Index of the move to make: those not tried yet in their order, then at random by what
        each earned for an evaluation.
        """
        for k, (name, _) in enumerate(moves):
            if self.accounts.setdefault(name, Account()).calls == 0:
                return k
        accounts = [self.accounts[name] for name, _ in moves]
        rates = np.array([(a.earned + 0.3) / (a.spent + 1) for a in accounts])
        shares = LEAST_SHARE + (1 - LEAST_SHARE * len(moves)) * rates / rates.sum()
        return int(self.rng.choice(len(moves), p=shares / shares.sum()))

    def make(self, name: str, move: Callable[[Search], bool]) -> bool:
        """Make a move and book what it cost and earned."""
        account = self.accounts.setdefault(name, Account())
        before, improved, best = self.problem.nfev, self.improved_at, self.problem.best_fun
        account.calls += 1
        self.attempts += 1
        self.move = name
        done = move(self)
        if not self.problem.best_fun >= best - self.matters(IMPROVED, best):
            self.leader = name
        account.spent = FORGET * account.spent + self.problem.nfev - before
        account.earned = FORGET * account.earned + (self.improved_at > improved)
        return done
