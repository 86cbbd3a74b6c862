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
from .clusters import is_cluster, run_clusters
from .ensemble import Ensemble, cool, limits
from .populations import exchange, populate
from .search import Search

MOVES: dict[str, Callable[[Search], bool]] = {
    "sample": kinds.sample,
    "line": kinds.line,
    "hop": kinds.hop,
    "difference": kinds.difference,
    "funnel": kinds.funnel,
}
FEWEST = 10  # moves without improvement before stopping, and one more for each coordinate
REPLICAS, STEPS, SWEEP, SEEN, POINTS, CYCLES = 16, 400, 5, 20, 32, 4  # of annealing: see _cycles
# evaluations without improvement, by coordinate, where all minima are known: more with dim, up to
# MOST
FAMILIAR, MANY, MOST = 80, 8, 30
STRANGE = 1400  # more of them where every descent ends in a minimum not met before
# times this without gradients; and of those that the last improvement took
WITHOUT, AGAIN = 2.0, 0.4


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


def automatic(fun: Any, settings: Settings) -> str:
    """ "anneal" if the gradient is said to be noisy, "clusters" for a potential of pairs in open
    space, else "portfolio".
    """
    if settings.gradient_noise is not None:
        return "anneal"
    return "clusters" if is_cluster(fun) and settings.moves is None else "portfolio"


def clusters(search: Search, settings: Settings) -> Iterator[None]:
    """Descending runs from new starts, for particles in open space: see
    `langevin_sa.minimization.clusters`.
    """
    if not is_cluster(search.problem.fun):
        raise ValueError(
            "strategy 'clusters' is for a Potential of pairs in open space; use 'auto'"
        )
    search.problem.check()
    return run_clusters(search, settings.patience)


def portfolio(search: Search, settings: Settings) -> Iterator[None]:
    """Descend from the starting point, then whatever moves earn most, until nothing lower has
    turned up for long enough.
    """
    problem = search.problem
    if not search.descents:
        problem.check()
        search.accept(search.descend(problem.u(problem.best_x)))
        yield
    if problem.fixed.all():
        search.verdict = "The bounds fix every coordinate."
        return
    names = list(settings.moves) if settings.moves is not None else list(MOVES)
    chosen = [(name, look_up(name, MOVES, "move")) for name in names]
    while not _enough(search, settings.patience):
        k = search.choose(chosen)
        search.make(*chosen[k])
        yield
    if settings.polish:
        search.finish()
    search.verdict = (
        f"No lower minimum in the last {search.attempts - search.improved_at} of "
        f"{search.attempts} moves."
    )
    if settings.polish:
        yield


def _enough(search: Search, patience: float) -> bool:
    """Whether so many moves and evaluations have brought nothing lower that going on is not worth
    it.

    What the minima not met yet are expected to share among them of all descents, w(w + 1)/(d(d -
    1)) after d descents into w minima (Boender, Rinnooy Kan, Math. Program. 37, 59 (1987)), says
    how much there is to look for.
    """
    problem, dim = search.problem, int((~search.problem.fixed).sum())
    w, d = len(search.minima), search.descents
    unseen = min(1.0, w * (w + 1) / max(1, d * (d - 1)))
    evaluations = (
        dim
        * (FAMILIAR * (1 + min(dim, MOST) / MANY) + STRANGE * unseen)
        * (WITHOUT if problem.cost > 1 else 1)
    )
    return search.attempts - search.improved_at >= patience * (
        FEWEST + min(dim, 20)
    ) and problem.evaluations - search.improved_after >= patience * (
        evaluations + AGAIN * search.improved_after
    )


def annealing(search: Search, settings: Settings) -> Iterator[None]:
    """Cool replicas from T0 to T1, descend from the best points, reheat the most promising half
    with fresh ones, and again.

    Ends when a cycle brings nothing lower and two replicas agree on the best minimum, or after
    `CYCLES` such cycles.
    """

    def cooled(c: Cycle) -> Iterator[float]:
        return cool(settings.cooling, c.ensemble, c.hot, c.cold, settings.n_steps or STEPS, c.kept)

    return _cycles(search, settings, cooled, SEEN)


def tempering(search: Search, settings: Settings) -> Iterator[None]:
    """Replica exchange between temperatures from T0 down to T1, in cycles as for annealing."""

    def exchanged(c: Cycle) -> Iterator[float]:
        ladder = np.geomspace(c.hot, c.cold, len(c.ensemble.u))
        return exchange(
            c.ensemble, ladder, settings.n_steps or STEPS, SWEEP, search.rng, search.report, c.kept
        )

    return _cycles(search, settings, exchanged, SEEN)


def population(search: Search, settings: Settings) -> Iterator[None]:
    """Population annealing from T0 down to T1, in cycles as for annealing."""

    def resampled(c: Cycle) -> Iterator[float]:
        sweeps = (settings.n_steps or STEPS) // SWEEP
        ladder = np.geomspace(c.hot, c.cold, max(2, sweeps - sweeps // 5))
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


def _cycles(
    search: Search, settings: Settings, run: Callable[[Cycle], Iterator[float]], seen: int
) -> Iterator[None]:
    """Cycles of `run`, which yields temperatures; looked at every `seen` steps."""
    problem, count, polish = (
        search.problem,
        settings.replicas or REPLICAS,
        settings.polish and settings.gradient_noise is None,
    )
    c = search.stage = search.stage or _first_cycle(search, settings, count)
    while not search.verdict:
        if c.ensemble is None:
            c.ensemble, c.kept = (
                Ensemble.at_rest(
                    problem, c.points, int(search.rng.integers(2**63)), settings.gradient_noise
                ),
                {},
            )
            search.attempts += 1
            c.best = search.improved_at
        for t in run(c):
            search.temperature, search.report["dt"] = t, c.ensemble.dt
            if c.ensemble.step % seen == 0:
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
            kept = np.array([m.u for m in search.minima.found[: count // 2]]).reshape(
                -1, problem.dim
            )
            c.points = np.vstack([kept, problem.draw(count - len(kept), search.rng)])
        if polish:
            yield


def _first_cycle(search: Search, settings: Settings, count: int) -> Cycle:
    """From the best of some points over the domain, which also say how hot it is."""
    problem = search.problem
    problem.check()
    drawn = problem.draw(max(count - 1, POINTS), search.rng)
    energies = np.append(problem.values(drawn), problem.value(problem.u(problem.best_x)))
    hot, cold = limits(energies, problem.dim, settings.temperature)
    search.report |= {"temperature": (hot, cold)}
    return Cycle(
        hot, cold, np.vstack([problem.u(problem.best_x), drawn[np.argsort(energies[:-1])]])[:count]
    )


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
    return [
        f.name
        for f in fields(settings)
        if f.name not in TAKES[strategy] and getattr(settings, f.name) != f.default
    ]
