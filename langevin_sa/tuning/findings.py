"""What a pilot hands back: the numbers that it chose, and how it found each."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from ..integrators import Integrator
from ..schedules import Schedule, two_stage
from .ladder import NO_SPREAD, OMEGA_DT, smooth
from .sight import Sight, stiffest, typical
from .spread import ranked

EXACT = 0.7  # omega*dt where positions have no error in a harmonic well; else OMEGA_DT
WIDE = 30  # T0/T_freeze where no ladder was run
REACHED = 1.3  # omega*dt at most, where a replica gets once in the run; the limit is 2
UNSEEN = 2.0  # by which it is shorter where no ladder has seen how stiff it is when hot
HOT, LOST, FREEZING, COLDEST = 2.0, 0.35, 0.5, 1e-4  # rule 4
FRICTION = 0.25  # rule 6
LEAST_FRICTION = 1e-9  # of gamma*dt, so that 1 - gamma*dt is not 1 in rounding
SAME = 1e-6  # of the spread of minima: energies that differ by less are of one minimum
NEAR, STARTS, TURNS = 8, 8, 8  # hot points and starts whose curvature is looked at, how sharply
REACHES = 10  # energies on a ray, if there is room
GIVEN = 64  # starts of x0 among which the stiffest are sought
# spreads above the median, to which scouts must come down, and the logarithm of the factor from T0
# within which they must have been, to tell how stiff it is there
DOWN, ABOUT = 3.0, 2.3
KNOTS, WIDTH = 40, 0.5  # temperatures at which heat capacity and relaxation are told


@dataclass(frozen=True, eq=False)
class Pilot:
    """A potential's measures, and what they suggest for a run.

    Attributes
    ----------
    starts : ndarray (replicas, dim)
        Where the run starts: x0, or the lowest minima met.
    T0, T_freeze, T1 : float
        First temperature, the one at which minima are no longer left, and the last (energy).
    gamma, dt : float
        Friction (1/time) and time step.
    omega_dt : float
        omega*dt in the stiffest direction seen.
    temperatures, heat_capacity, relaxation : ndarray (temperatures,)
        From T0 down to T_freeze: dU/dT, and the time in which a minimum is forgotten, in units of
        the ladder's walks; empty where no ladder was run.
    x, fun : ndarray (dim,), float
        The lowest point met, and its energy.
    nfev, njev : int
        Energies and gradients evaluated.
    seconds : float
        Time spent.
    interrupted : bool
        Whether Ctrl-C ended it.
    reasons : dict of str
        A sentence on how each number was found.
    """

    starts: np.ndarray
    T0: float
    T_freeze: float
    T1: float
    gamma: float
    dt: float
    omega_dt: float
    temperatures: np.ndarray
    heat_capacity: np.ndarray
    relaxation: np.ndarray
    x: np.ndarray
    fun: float
    nfev: int
    njev: int
    seconds: float
    interrupted: bool = False
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def schedule(self) -> Schedule:
        """What `anneal` takes."""
        return Schedule(two_stage(self.T0, self.T_freeze, self.T1), self.gamma, self.dt)

    def __eq__(self, other: object) -> bool:
        """Whether another found the same, in whatever time."""
        if not isinstance(other, Pilot):
            return NotImplemented
        names = {one.name for one in fields(self)} - {"seconds"}
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in names)

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return "\n".join(f"{name}: {reason}" for name, reason in self.reasons.items())

    __repr__ = __str__

    def packed(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """The arrays and the JSON-able rest."""
        everything = {one.name: getattr(self, one.name) for one in fields(self)}
        arrays = {k: v for k, v in everything.items() if isinstance(v, np.ndarray)}
        return arrays, {k: v for k, v in everything.items() if k not in arrays}


def choose(found: Any, row: Integrator, interrupted: bool, began: float) -> Pilot:
    """What a measurement suggests, for an integrator."""
    sight: Sight = found.sight
    reasons: dict[str, str] = {}
    unit = found.top or 1.0
    T0, T_freeze = _temperatures(found, unit, reasons)
    starts = _starts(found)
    wanted = EXACT if row.exact or not row.thermal else OMEGA_DT
    if found.rungs is None:
        wanted /= UNSEEN
    k, reasons["dt"] = _stiffest(found, starts, T0, interrupted, (wanted / REACHED) ** 2)
    mean = found.mean
    if found.rungs is not None and not interrupted and sight.left > 2 * FEW_MINIMA:
        low = ranked(found.energies, SAME * found.spread)[:FEW_MINIMA]
        mean = typical(sight, found.minima[low], found.mass, [found.seed, 15])[0] or mean
    k = k or mean or unit
    mean = mean or k
    time_unit = found.length / np.sqrt(unit)
    gamma = float(FRICTION * np.sqrt(mean / unit) / time_unit)
    dt = row.time_step(wanted, float(np.sqrt(k / unit)) / time_unit, gamma)
    gamma = max(gamma, LEAST_FRICTION / dt)  # x0 may be steeper than all else by any factor
    reasons["dt"] = f"dt = {dt:.3g}, so that omega*dt = {wanted:g}, {reasons['dt']}"
    reasons["gamma"] = (
        f"gamma = {gamma:.3g}, a quarter of the root of the mean curvature "
        f"{mean / found.length**2:.3g} at the lowest points"
    )
    temperatures, capacity, relaxation = _table(found, unit, T0, T_freeze)
    reasons["starts"] = (
        "starts: the given x0"
        if found.given
        else f"starts: the lowest of {len(found.energies)} points that were relaxed"
    )
    chosen = found.fixed if found.given else starts * found.sigma
    return Pilot(
        starts=np.resize(chosen, (found.replicas, found.potential.dim)),
        T0=T0,
        T_freeze=T_freeze,
        T1=COLDEST * T_freeze,
        gamma=gamma,
        dt=float(dt),
        omega_dt=wanted,
        temperatures=temperatures,
        heat_capacity=capacity,
        relaxation=relaxation,
        x=sight.x,
        fun=sight.fun,
        nfev=sight.calls,
        njev=0 if found.glanced else sight.calls,
        seconds=time.perf_counter() - began,
        interrupted=interrupted,
        reasons=reasons,
    )


FEW_MINIMA = 16  # lowest, whose mean curvature is looked at


def _temperatures(found: Any, unit: float, reasons: dict[str, str]) -> tuple[float, float]:
    dim = found.potential.dim
    if found.reading is None:
        T0 = found.spread * float(np.sqrt(2 / dim))
        why = f"of the spread {found.spread:.3g} of relaxed energies; too short a run for ladders"
        if not T0:
            T0 = NO_SPREAD * unit
            why = f"{NO_SPREAD:g} of the mean curvature times the square of the spread of starts"
        T_freeze = T0 / WIDE
        how = f"T_freeze = {T_freeze:.3g}, T0/{WIDE}"
    else:
        reading, turn = found.reading, unit * float(np.exp(found.turn))
        T0 = HOT * turn
        why = f"twice {turn:.3g}, where " + (
            "quenches fall lowest"
            if reading.turn > reading.leaves
            else "half of what can be forgotten of a minimum is forgotten"
            if np.isfinite(reading.turn)
            else "as no other minimum was seen, of the spread of minima or of the mean curvature"
        )
        lost = LOST * unit * float(np.exp(reading.lost))
        if lost < T0:
            T0 = lost
            why = f"a third of {lost / LOST:.3g}, beyond which quenches end worse than starts"
        edge = unit * float(np.exp(reading.freezes)) if np.isfinite(reading.freezes) else turn / 10
        T_freeze = min(FREEZING * edge, T0 / 2)
        how = f"T_freeze = {T_freeze:.3g}, half of where a tenth of it is forgotten"
    reasons["T0"] = f"T0 = {T0:.3g}, {why}"
    reasons["T_freeze"] = how
    reasons["T1"] = f"T1 = {COLDEST * T_freeze:.3g}, T_freeze/10,000"
    return T0, T_freeze


def _starts(found: Any) -> np.ndarray:
    """The lowest points met, in units of the spread."""
    order = ranked(found.energies, SAME * found.spread)[: found.size]
    return found.minima[np.resize(order, found.replicas)] if order.size else found.minima[:1]


def _stiffest(
    found: Any, starts: np.ndarray, T0: float, interrupted: bool, once: float
) -> tuple[float, str]:
    """The largest curvature that a time step must resolve, and where it was seen; of curvatures
    where a replica gets once in the run it is this part.
    """
    sight: Sight = found.sight
    if found.glanced or interrupted:
        return found.stiffest, "of a bound of the curvature from a few energies at the start"
    rungs = found.rungs
    k, where = 0.0, "of the largest curvature at the starts"
    if rungs is not None:
        high = np.median(rungs.after) + DOWN * found.spread if found.spread else np.inf
        good = np.flatnonzero(rungs.after <= high)  # those that came down
        away = np.abs(rungs.heat[good] - np.log(T0 / found.top))
        near = good[np.argsort(away, kind="stable")][: max(1, min(NEAR, (away < ABOUT).sum()))]
        seen = np.fmax(rungs.k[near] * found.top, _look(sight, rungs.hot[near], found.mass, 0.3))
        k = float(seen.max())
        where = "of the largest curvature met in short runs near T0 and at the starts"
        low, hot, energy = rungs.minima[near], rungs.hot[near], rungs.after[near]
    else:
        low, energy = starts[:1], found.energies[:1]
        hot = low + np.random.default_rng([found.seed, 16]).standard_normal(low.shape)
    points = _reach(sight, low, hot, energy + np.log(found.evaluations) * T0)
    if len(points):
        reached = once * float(_look(sight, points, found.mass, 0.5).max())
        if reached > k:
            k, where = reached, f"{where}; walls that are met once in the run are steeper"
    points = starts
    if found.given:  # the stiffest of them may be far from low
        points = found.fixed[:: max(1, len(found.fixed) // GIVEN)] / found.sigma
        points = points[: max(1, int(sight.left / 4))]
        points = points[np.argsort(-stiffest(sight, points, found.mass), kind="stable")]
    return max(k, float(_look(sight, points[:STARTS], found.mass, 1.0).max())), where


def _reach(sight: Sight, low: np.ndarray, hot: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Points on the rays from minima through hot points, just before the energy is `high`; none of
    rays on which it was not seen to be lower.
    """
    count = max(1, int(0.5 * sight.left / REACHES))
    looks = int(min(REACHES, 0.5 * sight.left / count))
    low, way, high = low[:count], (hot - low)[:count], high[:count]
    below, above = np.zeros(len(low)), np.full(len(low), np.inf)
    s, growth = np.ones(len(low)), 2.0
    for _ in range(looks):
        over = ~(sight(low + s[:, None] * way)[0] < high)
        below, above = np.where(over, below, s), np.where(over, s, above)
        found = np.isfinite(above)
        s = np.where(found, np.sqrt(np.fmax(below, above / 16) * above), growth * s)
        growth *= 2
    points: np.ndarray = (low + below[:, None] * way)[below > 0]
    return points


def _look(sight: Sight, u: np.ndarray, mass: np.ndarray, share: float) -> np.ndarray:
    """Largest curvatures at points, as sharply as the evaluations that are left allow."""
    left = share * sight.left
    points = u[: max(1, int(left / 8))]
    turns = int(np.clip(left / (2 * len(points)) - 1, 0, TURNS))
    k = stiffest(sight, points, mass, turns)
    if turns < 2:  # along a random way: the root of a mean of squares, not the largest
        k = k * np.sqrt(u.shape[1])
    return np.resize(k, len(u))


@np.errstate(all="ignore")  # of energies that fall for ever
def _table(found: Any, unit: float, T0: float, T_freeze: float) -> tuple[np.ndarray, ...]:
    """Temperatures from T0 down to T_freeze, heat capacities, relaxation times."""
    rungs = found.rungs
    if rungs is None:
        return np.empty(0), np.empty(0), np.empty(0)
    at = np.linspace(np.log(T0 / unit), np.log(T_freeze / unit), KNOTS)
    sound = np.isfinite(rungs.warm) & np.isfinite(rungs.after)
    heat = rungs.heat[sound]
    above = (rungs.warm - np.minimum(rungs.before, rungs.after))[sound] / unit
    mean = smooth(heat, np.maximum(above, 0) / np.exp(heat), at, WIDTH)[0]  # (U - minimum)/T
    dim = found.potential.dim
    capacity = np.clip(mean + np.gradient(mean, at), dim / 4, 50 * dim)
    share = smooth(rungs.heat, rungs.forgot(found.spread), at, WIDTH)[0]
    return unit * np.exp(at), capacity, 1 / -np.log1p(-np.clip(share, 0.05, 0.95))
