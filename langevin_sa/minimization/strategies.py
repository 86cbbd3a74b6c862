"""Strategies: generators that search until they have found enough, yielding after every move.

All that a strategy knows between two moves is in the search, so that it can be started anew on a
search from a checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from ..arguments import look_up
from . import moves as kinds
from .clusters import nearest, rearranged, scattered, shaken, space_of
from .covariance import covariance, due
from .ensemble import Ensemble, cool, temperature_range
from .populations import exchange, populate
from .problem import Problem
from .search import Search
from .stopping import enough, settled, unseen

MOVES: dict[str, Callable[[Search], bool]] = {
    "sample": kinds.sample,
    "line": kinds.line,
    "hop": kinds.hop,
    "difference": kinds.difference,
    "funnel": kinds.funnel,
    "covariance": covariance,
}
# annealing
REPLICAS, STEPS = 16, 400  # by default
SWEEP = 5  # steps between swaps, or between draws of the population
LOOK_EVERY = 20  # steps
POINTS = 32  # at least, of which the first cycle starts from the best
CYCLES = 4  # without improvement that end the search where no two replicas agree
# clusters
# tolerance of a trial descent, and of the last one of a run, in energies of the search
COARSE, FINE = 1e-5, 1e-12
LONGEST = 0.15  # of one step of a descent along a coordinate, in median nearest distances
REARRANGED = 0.95  # share of trials that move the loosest particles; the others shake all
STALL = 12  # trials without success that end a run


@dataclass
class Settings:
    """What the user chose; None is chosen by the strategy."""

    moves: Sequence[str] | None = None
    patience: float = 1.0
    temperature: tuple[float | None, float | None] = (None, None)
    cooling: str = "exponential"
    replicas: int | None = None
    n_steps: int | None = None
    gradient_noise: Any = None
    polish: bool = True


def automatic(fun: Any, settings: Settings, restricted: bool = False) -> str:
    """The strategy's name: "anneal" if the gradient is said to be noisy, "clusters" for particles
    that are alike in open space, else "portfolio", as for constraints and integers.
    """
    if restricted:
        return "portfolio"
    if settings.gradient_noise is not None:
        return "anneal"
    return "clusters" if space_of(fun) and settings.moves is None else "portfolio"


def portfolio(search: Search, settings: Settings) -> Iterator[None]:
    """Descend from the starting point, then whatever moves earn most, until nothing lower has
    turned up for long enough.
    """
    problem = search.problem
    if not search.descents:
        problem.check()
        search.move = "start"
        if problem.guesses:  # whose steps need more than a guess of the lengths
            search.measure()
        reached = search.descend(problem.u(problem.best_x))
        search.measure()
        search.accept(reached)
        if len(search.minima) and not problem.fixed.all():
            search.listen()
        yield
    if problem.fixed.all():
        search.verdict = "The bounds fix every coordinate."
        return
    names = list(settings.moves) if settings.moves is not None else list(MOVES)
    chosen = [(name, look_up(name, MOVES, "move")) for name in names]
    others = [(name, move) for name, move in chosen if move is not covariance]
    while not enough(search, settings.patience):
        if len(others) < len(chosen) and (not others or due(search, unseen(search))):
            search.make("covariance", covariance)
        else:
            search.make(*others[search.choose(others)])
        yield
    if settings.polish:
        search.finish()
    search.verdict = (
        f"No lower minimum in the last {search.attempts - search.improved_at} of "
        f"{search.attempts} moves."
    )
    if settings.polish:
        yield


def annealing(search: Search, settings: Settings) -> Iterator[None]:
    """Cool replicas from T0 to T1, descend from the best points, reheat the most promising half
    with fresh ones, and again.

    Ends when a cycle brings nothing lower and two replicas agree on the best minimum, or after
    `CYCLES` such cycles.
    """

    def cooled(c: Cycle) -> Iterator[float]:
        return cool(settings.cooling, c.ensemble, c.hot, c.cold, settings.n_steps or STEPS, c.kept)

    return _cycles(search, settings, cooled, LOOK_EVERY)


def tempering(search: Search, settings: Settings) -> Iterator[None]:
    """Replica exchange between temperatures from T0 down to T1, in cycles as for annealing."""

    def exchanged(c: Cycle) -> Iterator[float]:
        ladder, steps = _ladder(c, len(c.ensemble.u)), settings.n_steps or STEPS
        return exchange(c.ensemble, ladder, steps, SWEEP, search.rng, search.report, c.kept)

    return _cycles(search, settings, exchanged, LOOK_EVERY)


def population(search: Search, settings: Settings) -> Iterator[None]:
    """Population annealing from T0 down to T1, in cycles as for annealing."""

    def resampled(c: Cycle) -> Iterator[float]:
        sweeps = (settings.n_steps or STEPS) // SWEEP
        ladder = _ladder(c, max(2, sweeps - sweeps // 5))
        return populate(c.ensemble, ladder, sweeps // 5, SWEEP, search.rng, search.report, c.kept)

    return _cycles(search, settings, resampled, SWEEP)


@dataclass
class Cycle:
    """Where an annealing strategy stands.

    Attributes
    ----------
    hot, cold : float
        T0 and T1.
    points : ndarray (replicas, dim)
        Where the next cycle starts.
    ensemble : Ensemble or None
        Of the cycle under way.
    kept : dict
        What its cooling needs besides.
    best, fruitless : int
        When the best energy last fell before this cycle; cycles that brought nothing lower.
    """

    hot: float
    cold: float
    points: np.ndarray
    ensemble: Any = None
    kept: dict[str, Any] = field(default_factory=dict)
    best: int = 0
    fruitless: int = 0


def _ladder(c: Cycle, rungs: int) -> np.ndarray:
    """Temperatures from T0 to T1 in equal ratios, to the bit the same in any unit of energy."""
    return c.hot * np.geomspace(1.0, c.cold / c.hot, rungs)


def _cycles(
    search: Search, settings: Settings, run: Callable[[Cycle], Iterator[float]], every: int
) -> Iterator[None]:
    """Cycles of `run`, which yields temperatures; looked at every so many steps."""
    problem, count = search.problem, settings.replicas or REPLICAS
    polish = settings.polish and settings.gradient_noise is None
    c = search.stage = search.stage or _first_cycle(search, settings, count)
    while not search.verdict:
        if c.ensemble is None:
            seed = int(search.rng.integers(2**63))
            c.ensemble = Ensemble.at_rest(problem, c.points, seed, settings.gradient_noise, c.hot)
            c.kept = {}
            search.attempts += 1
            c.best = search.improved_at
        for t in run(c):
            search.temperature, search.report["dt"] = t, c.ensemble.dt
            if c.ensemble.step % every == 0:
                yield
        for r in np.argsort(c.ensemble.best_f)[: max(3, count // 2)]:
            if polish:
                search.accept(search.descend(c.ensemble.best_u[r]))
            else:
                search.meet(c.ensemble.best_u[r], float(c.ensemble.best_f[r]))
        c.ensemble = None
        c.fruitless = 0 if search.improved_at > c.best else c.fruitless + 1
        agreed = len(search.minima) and search.minima.best.hits > 1
        if c.fruitless >= settings.patience * (1 if agreed else CYCLES):
            if polish:
                search.finish()
            search.verdict = (
                f"No lower minimum in the last {c.fruitless} of {search.attempts} cycles of "
                f"{count} replicas."
            )
        else:
            kept = [m.u for m in search.minima.found[: count // 2]]
            c.points = np.vstack([*kept, problem.draw(count - len(kept), search.rng)])
        if polish:
            yield


def _first_cycle(search: Search, settings: Settings, count: int) -> Cycle:
    """From the best of some points over the domain, which also say how hot it is."""
    problem = search.problem
    problem.check()
    search.measure()
    drawn = problem.draw(max(count - 1, POINTS), search.rng)
    energies = np.append(problem.values(drawn), problem.value(problem.u(problem.best_x)))
    hot, cold = temperature_range(energies, problem.dim, settings.temperature)
    search.report |= {"temperature": (hot, cold)}
    search.spread = hot
    points = np.vstack([problem.u(problem.best_x), drawn[np.argsort(energies[:-1])]])
    return Cycle(hot, cold, points[:count])


def clusters(search: Search, settings: Settings) -> Iterator[None]:
    """Runs that go down and start over, for particles in open space, until enough of them end in
    the lowest minimum or go on finding nothing lower.

    In a run the particles with fewest neighbours are taken off and put where most neighbours are
    (Shao, J. Chem. Inf. Comput. Sci. 44, 193 (2004); no energy is needed to find such places), or
    all are shaken (Wales, Doye 1997), and a descent follows that only counts if it ends lower
    (Leary, J. Global Optim. 18, 367 (2000)).
    """
    problem = search.problem
    space = space_of(problem.fun)
    if space is None:
        raise ValueError(
            "strategy 'clusters' is for a Potential of pairs, or of free atoms of one element, in "
            "open space; use 'auto'"
        )
    return _runs(search, settings.patience, space)


@dataclass
class Descending:
    """A run under way: where it is, how low (None before its first descent), and trials since it
    last got lower.
    """

    x: np.ndarray
    fun: float | None = None
    idle: int = 0


def _runs(search: Search, patience: float, space: int) -> Iterator[None]:
    problem, rng = search.problem, search.rng

    def longest(x: np.ndarray) -> float:
        return LONGEST * nearest(x.reshape(-1, space))

    problem.check()
    search.measure()
    run = search.stage = search.stage or Descending(problem.best_x)
    while not search.verdict:
        if run.fun is None:
            search.attempts += 1
            run.x, run.fun, gain = problem.descend(run.x, COARSE, search.energy, longest(run.x))
            search.learn(gain)
        while run.idle < STALL:
            trial = np.clip(_trial(run.x, space, rng), problem.x_low, problem.x_high)
            end, value, gain = problem.descend(
                trial, COARSE, search.energy, longest(run.x), below=run.fun
            )
            search.descents += 1
            search.learn(gain if np.isfinite(value) else 0.0)
            if value < run.fun - search.matters(10 * COARSE, run.fun):
                run.x, run.fun, run.idle = end, value, 0
                yield
            else:
                run.idle += 1
        x, fun, _ = problem.descend(run.x, FINE, search.energy, longest(run.x))
        search.meet(problem.u(x), fun)
        if settled(search, patience):
            search.finish()
            search.verdict = (
                f"{search.minima.best.hits} of {search.attempts} runs ended in the lowest minimum."
            )
        else:
            run.x, run.fun, run.idle = _new_start(problem, space, rng), None, 0
        yield


def _trial(x: np.ndarray, space: int, rng: np.random.Generator) -> np.ndarray:
    """Coordinates (dim,) to descend from, after those of a run."""
    atoms = x.reshape(-1, space)
    if rng.random() < REARRANGED:
        count = int(rng.integers(1, max(2, len(atoms) // 6) + 1))
        return rearranged(atoms, count, rng).ravel()
    return shaken(atoms, rng).ravel()


def _new_start(problem: Problem, space: int, rng: np.random.Generator) -> np.ndarray:
    """Coordinates (dim,) over the domain, or in a ball where the potential has none."""
    x = problem.x(problem.draw(1, rng)[0])
    if problem.fun.has_domain and problem.fun.atoms is None:  # whose starts lie close together
        return x
    near = nearest(problem.best_x.reshape(-1, space))
    ball = scattered(problem.dim // space, space, near, rng).ravel()
    return np.clip(problem.centre + ball, problem.x_low, problem.x_high)


STRATEGIES: dict[str, Callable[[Search, Settings], Iterator[None]]] = {
    "portfolio": portfolio,
    "clusters": clusters,
    "anneal": annealing,
    "exchange": tempering,
    "population": population,
}
LADDER = {"patience", "polish", "temperature", "replicas", "n_steps"}
TAKES = {  # which of the settings each looks at
    "portfolio": {"patience", "polish", "moves"},
    "clusters": {"patience"},
    "anneal": LADDER | {"cooling", "gradient_noise"},
    "exchange": LADDER,
    "population": LADDER,
}


def unused(strategy: str, settings: Settings) -> list[str]:
    """The settings that were chosen and that a strategy does not look at."""
    chosen = [f.name for f in fields(settings) if getattr(settings, f.name) != f.default]
    return [name for name in chosen if name not in TAKES[strategy]]
