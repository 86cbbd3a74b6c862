"""A pilot measures a potential before it is annealed, and chooses by ratios of what it measured:
where to start, how hot, how cold, how fast to cool, with what friction and what time step.

1. Units: coordinates are measured by the spread of the starting points.
2. Descents: as many starting points go down as a third of the room allows; the lowest are kept.
3. Ladders (`langevin_sa.tuning.ladder`): from them scouts run at temperatures over seven decades
   and are quenched, then again, twice, about the temperature where minima begin to be forgotten.
4. T0 is twice the turn, the temperature from which half of what can be forgotten is forgotten (or,
   if that is hotter but at most tenfold, from which quenches fall lowest), and at most a third of
   that beyond which quenches end worse than they began: free clusters evaporate there. T_freeze is
   half of where a tenth is forgotten; T1 = T_freeze/10,000.
5. dt from the stiffest curvature met near T0 and at the starts: omega*dt = 0.7 for integrators
   whose positions are exact in a harmonic well, 0.35 for the others; at most 1.3 where a replica
   gets once in the run, ln(evaluations)*T0 above a minimum.
6. gamma is a quarter of the root of the mean curvature at the lowest minima.
7. Starts are the lowest minima met, unless x0 was given.

A run that is too short for ladders takes T0 from the spread of relaxed energies, and where they
have none, a small part of the mean curvature times the square of the spread of starts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..arguments import check_type, check_whole, look_up, on_host
from ..descents.batched import relax
from ..integrators import get_integrator
from ..noise import seed_of
from ..potential import Potential
from .findings import Pilot, choose
from .ladder import NO_SPREAD, Reading, Rungs, read, run_hot
from .sight import Sight, glance, typical
from .spread import low_spread, ranked

SHARE = 0.1  # of the evaluations and of the time of the run
DESCENTS, LADDERS = 0.35, 0.6  # of that; the rest is for curvatures
FIRST = 0.6  # of the descents' evaluations, before only the lower half of starts goes on
SHARES = (0.25, 0.375, 0.375)  # of the ladders
LEAST_STEPS, LEAST, MOST = 20, 0.5, 0.75  # of a ladder's walks; of its evaluations
KEPT = 6  # evaluations of each scout that ladders leave
QUENCH, QUENCHED = 0.6, 1.1  # evaluations kept for a quench, of those of a start; of the last
SCOUTS, FEWEST, ROOM_OF_ONE = 32, 8, 300  # evaluations that each shall have
FEW = 640  # evaluations of a run up to which gradients by differences are too dear
TOGETHER = 8  # times as many starts as there are scouts go down at once, after the first ones
LEAST_ROOM = 10  # evaluations without which there are fewer than the fewest
MOST_DRAWS = 1000  # starting points without a finite energy, before one gives up
NUMBERS = 4_000_000  # coordinates of all scouts
DECADES, WIDTHS = 7, (0.8, 0.5, 0.5)  # of the first ladder; over which ladders are smoothed
FINE, COARSE = 1e-9, 1e-7  # of the spread of minima: to which starts, and quenches, go down
# of the energy of a mode that reaches over all starts: by which energies of one minimum may differ
SAME = 1e-6
LONGEST = 0.2  # of the spread of starts: the longest step of a descent
FRICTION = 0.5  # of a ladder's scouts, in roots of the mean curvature


def pilot(
    potential: Potential,
    n_steps: int = 10_000,
    replicas: int = 64,
    *,
    x0: Any = None,
    rng: Any = 0,
    integrator: str = "gjf",
    max_seconds: float | None = None,
    tell: Callable[[int], Any] | None = None,
    on_failure: str = "wall",
) -> Pilot:
    """Measure a potential, at the cost of at most a tenth of a run of `n_steps` and `replicas`, and
    choose all that the run needs.

    Parameters
    ----------
    potential : Potential
        What is to be annealed.
    n_steps, replicas : int
        Of the run.
    x0 : array (dim,) or (replicas, dim), optional
        Where the run starts; else its starts are chosen too.
    rng : int, numpy.random.Generator or None
        Seed.
    integrator : str
        The row of `langevin_sa.INTEGRATORS` for which dt is chosen.
    max_seconds : float, optional
        Time of the whole run, of which the pilot takes at most a tenth, but for the first
        evaluations.
    tell : callable, optional
        Called with the number of evaluations just made.
    on_failure : {"wall", "raise"}
        What an exception of the potential's functions is after the first evaluation: a place where
        it is not defined, or an end.

    Returns
    -------
    Pilot
        Also after Ctrl-C, with what was found so far.

    Raises
    ------
    ValueError
        If the energy is not finite at any starting point.

    Examples
    --------
    >>> U = Potential.from_formula("(x**2 - 1)**2", bounds=(-2, 2))
    >>> found = pilot(U, n_steps=1000, replicas=8)
    >>> found.nfev <= 800
    True
    """
    check_type(potential, Potential, "potential")
    check_whole(1, n_steps=n_steps, replicas=replicas)
    row = get_integrator(integrator)
    wall = look_up(on_failure, {"wall": True, "raise": False}, "on_failure")
    measured = _Measurement(potential, n_steps * replicas, replicas, x0, seed_of(rng))
    seconds = np.inf if max_seconds is None else SHARE * max_seconds
    return measured.finish(row, seconds, tell, wall)


class _Measurement:
    """A pilot under way."""

    def __init__(
        self, potential: Potential, evaluations: int, replicas: int, x0: Any, seed: int
    ) -> None:
        self.potential, self.replicas, self.seed = potential, replicas, seed
        self.evaluations, self.room = evaluations, SHARE * evaluations
        most = max(1, min(SCOUTS, NUMBERS // potential.dim))
        self.size = int(np.clip(self.room / ROOM_OF_ONE, min(FEWEST, most), most))
        self.size = int(np.clip(self.room / LEAST_ROOM, 1, self.size))
        self.drawn = np.random.default_rng([seed, 1])
        self.given, self.glanced = x0 is not None, False
        self.fixed = None if x0 is None else potential._block(on_host(x0))[0].astype(float)
        self.sigma = self._spread_of_starts()

    def _spread_of_starts(self) -> np.ndarray:
        """Spread of the starting points by coordinate; of one point, that of its coordinates, or
        their size.
        """
        if self.fixed is not None:
            sigma = self.fixed.std(0)
            if (sigma > 0).all():
                return sigma
        if self.fixed is None or self.potential.has_domain:
            count = max(2, min(SCOUTS, NUMBERS // self.potential.dim))
            drawn = self.potential.draw_start(count, np.random.default_rng([self.seed, 12]))
            sigma = drawn.std(0)
            if (sigma > 0).all():
                return sigma
            self.fixed = drawn if self.fixed is None else self.fixed
        # a point at the origin has no length of its own
        length = self.fixed[0].std() or np.abs(self.fixed[0]).max() or 1.0
        return np.full(self.potential.dim, length)

    def finish(
        self, row: Any, seconds: float, tell: Callable[[int], Any] | None, wall: bool
    ) -> Pilot:
        """Measure, and choose."""
        began = time.perf_counter()
        self.sight = Sight(self.potential, self.sigma, self.room, seconds, tell, wall)
        self.length = float(np.sqrt(np.mean(self.sigma**2)))
        self.mass = (self.length / self.sigma) ** 2
        self.energies, self.minima = np.empty(0), np.empty((0, self.potential.dim))
        self.rungs: Rungs | None = None
        self.reading: Reading | None = None
        self.mean = self.top = self.spread = self.stiffest = 0.0
        self.turn = -np.inf
        interrupted = False
        try:
            if self.evaluations < FEW and self.sight.by_differences:
                self._glance()
            else:
                self._measure()
        except KeyboardInterrupt:
            if not np.isfinite(self.sight.fun):
                raise
            interrupted = True
        return choose(self, row, interrupted, began)

    def _starts(self, count: int) -> np.ndarray:
        """So many starting points in units of their spread."""
        if self.fixed is not None:
            return np.resize(self.fixed, (count, self.potential.dim)) / self.sigma
        return self.potential.draw_start(count, self.drawn) / self.sigma

    def _glance(self) -> None:
        """A few energies, where a gradient is too dear."""
        self.glanced = True
        self.minima = self._starts(1)
        self.energies, self.mean, self.top, self.stiffest = glance(
            self.sight, self.minima, self.mass, [self.seed, 13]
        )
        if not np.isfinite(self.energies[0]):
            raise self._nowhere(1)
        # without a curvature only the energy's own size is left, or no size at all
        self.top = self.top or abs(float(self.energies[0])) or 1.0

    def _nowhere(self, points: int) -> ValueError:
        return ValueError(
            f"the energy of {self.potential.name} is finite at none of {points} points: give x0 "
            "where it is, or a schedule"
        )

    def _measure(self) -> None:
        cost = self._descend(DESCENTS)
        ladders = self._ladders(cost)
        if not ladders and not self.given and self.sight.left > 0:
            self._descend(2 * DESCENTS)
        # the ladders are for those that are low already
        half = np.resize(np.arange(max(1, min(self.size, len(self.energies)) // 2)), self.size)
        u, before = self.minima[half], self.energies[half]
        few = slice(None) if self.room > 10 * self.size else slice(1)
        self.mean, self.top = typical(self.sight, u[few], self.mass, [self.seed, 13])
        # of a flat potential any energy will do
        self.top = self.top or low_spread(self.energies) or 1.0
        self.spread = low_spread(self.energies[: self.size], SAME * self.top)
        self._climb(u, before, ladders, cost)

    def _ladders(self, cost: float) -> int:
        """How many ladders there is room for, if a descent takes so many evaluations."""
        room = self._room_of_ladders()
        return int(np.clip(room // (cost + 2 * LEAST_STEPS), 0, len(WIDTHS)))

    def _room_of_ladders(self) -> float:
        """Evaluations of each scout, of which a few are kept as a descent may take one too many,
        and for curvatures.
        """
        return min(LADDERS * self.room, self.sight.left - KEPT * self.size) / self.size

    def _descend(self, share: float) -> float:
        """Go down from starting points, until a share of the room is spent; evaluations that one of
        them took.
        """
        sight, end = self.sight, share * self.room
        cost, count = 0.0, self.size
        while True:
            began = sight.calls
            u = self._starts(count)
            going = sight.within(FIRST * (end - began))
            u, e = relax(sight, u, FINE, LONGEST, low_spread, going)
            if not going():  # the rest of the way is for the lower half, which is all that is used
                low = ranked(e, SAME * low_spread(e))[: max(1, count // 2)]
                going = sight.within(end - sight.calls)
                u, e = relax(sight, u[low], FINE, LONGEST, low_spread, going)
            self.minima, self.energies = np.vstack([self.minima, u]), np.append(self.energies, e)
            cost = max(cost, (sight.calls - began) / count)
            nowhere = len(self.energies) > MOST_DRAWS and not np.isfinite(self.energies).any()
            if self.fixed is not None or nowhere or sight.left <= 0:
                break
            count = int(min((end - sight.calls) / cost, TOGETHER * self.size))
            if count < self.size:
                break
        order = ranked(self.energies, SAME * low_spread(self.energies))
        if not order.size:
            raise self._nowhere(len(self.energies))
        self.minima, self.energies = self.minima[order], self.energies[order]
        return cost

    def _climb(self, u: np.ndarray, before: np.ndarray, ladders: int, cost: float) -> None:
        """Run so many ladders from the minima u (scouts, dim) of energies `before`."""
        room = self._room_of_ladders()
        cost = QUENCH * cost
        shares = np.array(SHARES[:ladders]) / sum(SHARES[:ladders])
        generator, starts = np.random.default_rng([self.seed, 11]), self.energies
        heats, diverse = np.linspace(-DECADES, 0, self.size) * np.log(10), True
        cold: list[float] = []
        worst = float(np.quantile(self.energies, 0.75))
        if self.energies[0] == worst:  # one start, which any quench is worse than
            worst, diverse = np.inf, False
        for part in range(ladders):
            each = room * shares[part]
            steps = int(np.clip(each - cost, max(LEAST_STEPS, LEAST * each), MOST * each))
            heat = generator.permutation(heats)
            how = self.top, self.mass, FRICTION * np.sqrt(self.mean / self.top)
            going = self.sight.within(each * self.size)
            hot, warm, k = run_hot(self.sight, u, np.exp(heat), *how, steps, [self.seed, 14, part])
            began = self.sight.calls
            minima, after = relax(self.sight, hot, COARSE, LONGEST, low_spread, going)
            cost = QUENCHED * (self.sight.calls - began) / self.size
            new = Rungs(heat, before, after, warm, minima, hot, k)
            self.rungs = new if part < 2 or self.rungs is None else self.rungs + new
            self.minima = np.vstack([self.minima, minima])
            met = np.append(starts[: self.size], after)
            self.spread = low_spread(met, SAME * self.top) or self.spread
            self.energies = np.append(self.energies, after)
            self.reading = read(self.rungs, self.spread, worst, WIDTHS[part], cold)
            turn = self.reading.turn
            if not np.isfinite(turn):  # one basin, as far as was seen
                alone = np.log(self.spread / self.top or NO_SPREAD)
                turn = alone if part == 0 else float(heats.mean())
            self.turn = turn
            if part == 0:
                heats = turn + np.log(10) * np.linspace(-1, 1, self.size)
                if not diverse:
                    worst = float(np.quantile(after[np.isfinite(after)], 0.75))
            if self.sight.left <= 0:
                break
