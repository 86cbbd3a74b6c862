"""Clusters, potentials that are sums over pairs: minima compared up to motion and naming of
particles, and moves of the loosest ones.

A run starts anywhere and keeps going down: the particles with fewest neighbours are taken off and
put where most neighbours are (Shao, J. Chem. Inf. Comput. Sci. 44, 193 (2004); no energy is needed
to find such places), or all are shaken (Wales, Doye 1997), and a descent follows that only counts
if it ends lower (Leary, J. Global Optim. 18, 367 (2000)). Runs that have stalled start over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..potential import Potential

if TYPE_CHECKING:
    from .search import Search

NEIGHBOUR = 1.25  # distance of neighbours, in median nearest distances
# places looked at around the cluster; how sharply many neighbours are preferred
DIRECTIONS, TOP = 200, 3.0
COARSE, FINE = 1e-5, 1e-12  # tolerance of a trial descent, and of the last one of a run
LONGEST = 0.15  # of one step of a descent along a coordinate, in median nearest distances
SHAKE, REARRANGED = 0.45, 0.95  # share of rearrangements; of the median nearest distance
# radius of the ball that a run starts in where no domain is given, in nearest distances times
# particles^(1/space)
ROOMY = 0.6
STALL = 12  # trials without success that end a run
AGREE = 50  # runs that end in the lowest minimum, ...
# ... or evaluations without a lower one: by coordinate, and of those that the lowest took
FEWEST, AGAIN = 10_000, 1.0
ALIKE = 1e-3  # relative difference of sorted distances


def is_cluster(fun: Any) -> bool:
    """Whether a potential is a sum over pairs in open space and nothing else."""
    if not isinstance(fun, Potential) or fun.formula is None or fun.formula.truncated:
        return False
    return (
        set(fun.formula.source.bodies) == {"pair"} and fun.dim > 2 * fun.formula.source.spec.space
    )


def alike(space: int) -> Callable[[np.ndarray, np.ndarray], bool]:
    """Whether two clusters of equal energy have the same sorted distances."""

    def same(x: np.ndarray, y: np.ndarray) -> bool:
        a, b = (_spectrum(w.reshape(-1, space)) for w in (x, y))
        return bool(np.abs(a - b).max() < ALIKE * a.max())

    return same


def _distances(atoms: np.ndarray) -> np.ndarray:
    atoms = atoms - atoms.mean(0)
    squares = (atoms**2).sum(1)
    return np.sqrt(np.maximum(squares[:, None] + squares - 2 * atoms @ atoms.T, 0))


def _spectrum(atoms: np.ndarray) -> np.ndarray:
    return np.sort(_distances(atoms)[np.triu_indices(len(atoms), 1)])


def shaken(atoms: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """All particles displaced at random."""
    return atoms + SHAKE * _nearest(atoms) * rng.uniform(-1, 1, atoms.shape)


def scattered(particles: int, space: int, near: float, rng: np.random.Generator) -> np.ndarray:
    """Particles at random in a ball of the volume that they fill as spheres of diameter `near`."""
    way = rng.standard_normal((particles, space))
    radius = ROOMY * near * (particles * rng.random((particles, 1))) ** (1 / space)
    return radius * way / np.linalg.norm(way, axis=1, keepdims=True)


def rearranged(atoms: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """The `count` particles with fewest neighbours put, one after the other, where there are
    most.
    """
    near = _nearest(atoms)
    neighbours = (_distances(atoms) < NEIGHBOUR * near).sum(1)
    loose = np.argsort(neighbours + 2 * rng.random(len(atoms)))[:count]
    rest = np.delete(atoms, loose, axis=0)
    for _ in loose:
        rest = np.vstack([rest, _place(rest, near, rng)])
    return rest


def _nearest(atoms: np.ndarray) -> float:
    d = _distances(atoms)
    np.fill_diagonal(d, np.inf)
    return float(np.median(d.min(1)))


def _place(atoms: np.ndarray, near: float, rng: np.random.Generator) -> np.ndarray:
    """A place that touches the cluster from outside in a random direction, those with many
    neighbours first.
    """
    centre = atoms.mean(0)
    way = rng.standard_normal((DIRECTIONS, atoms.shape[1]))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    relative = atoms - centre
    along, squares = way @ relative.T, (relative**2).sum(1)
    room = near**2 - squares + along**2  # of the ball around each particle, on the ray
    reach = np.where(room > 0, along + np.sqrt(np.maximum(room, 0)), 0).max(1)
    distances2 = reach[:, None] * (reach[:, None] - 2 * along) + squares
    neighbours = (distances2 < (NEIGHBOUR * near) ** 2).sum(1)
    weights = np.exp(TOP * (neighbours - neighbours.max()))
    k = rng.choice(len(way), p=weights / weights.sum())
    return centre + reach[k] * way[k]


@dataclass
class Descending:
    """A run under way: where it is, how low (None before its first descent), and trials since it
    last got lower.
    """

    x: np.ndarray
    fun: float | None = None
    idle: int = 0


def run_clusters(search: Search, patience: float) -> Iterator[None]:
    """Runs that go down and start over, until enough of them end in the lowest minimum or go on
    finding nothing lower.
    """
    problem, rng = search.problem, search.rng
    space = problem.fun.formula.source.spec.space
    particles = problem.dim // space

    run = search.stage = search.stage or Descending(problem.best_x)
    while not search.verdict:
        if run.fun is None:
            search.attempts += 1
            run.x, run.fun = problem.quench(
                run.x, COARSE, LONGEST * _nearest(run.x.reshape(-1, space))
            )
        while run.idle < STALL:
            atoms = run.x.reshape(-1, space)
            if rng.random() < REARRANGED:
                trial = rearranged(atoms, int(rng.integers(1, max(2, particles // 6) + 1)), rng)
            else:
                trial = shaken(atoms, rng)
            trial = np.clip(trial.ravel(), problem.x_low, problem.x_high)
            end, value = problem.quench(trial, COARSE, LONGEST * _nearest(atoms), below=run.fun)
            search.descents += 1
            if value < run.fun - 10 * COARSE * abs(run.fun):
                run.x, run.fun, run.idle = end, value, 0
                yield
            else:
                run.idle += 1
        x, fun = problem.quench(run.x, FINE, LONGEST * _nearest(run.x.reshape(-1, space)))
        search.meet(problem.u(x), fun)
        agreed, since = search.minima.best.hits, problem.evaluations - search.improved_after
        if agreed >= AGREE * patience or since > patience * max(
            FEWEST * problem.dim, AGAIN * search.improved_after
        ):
            search.finish()
            search.verdict = f"{agreed} of {search.attempts} runs ended in the lowest minimum."
        else:
            x = problem.x(problem.draw(1, rng)[0])
            if not problem.fun.has_domain:
                near = _nearest(problem.best_x.reshape(-1, space))
                x = np.clip(
                    problem.centre + scattered(particles, space, near, rng).ravel(),
                    problem.x_low,
                    problem.x_high,
                )
            run.x, run.fun, run.idle = x, None, 0
        yield
