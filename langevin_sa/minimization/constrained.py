"""A problem with constraints: points judged by them, and descents that end where they hold.

How far a point is from holding a constraint is what the constraint is violated by over how fast it
changes, per unit of the domain: a distance, which no unit of the constraint changes.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy.optimize import minimize

from ..descents.bounded import Descent
from .constraints import Constraints
from .problem import FAR, Problem

HELD = 1e-9  # units that a point may lie off where a constraint holds
SPACINGS = 4.0  # of x, which are no distance
FORWARD = float(np.finfo(float).eps) ** 0.5  # step of differences of constraints, in units
ROUNDS, STEPS = 12, 200  # of SLSQP, each scaled anew where the last one ended; steps of each
ONTO = 40  # steps that lead onto the constraints from near them
CLOSEST, LOOSEST = 1e-15, 1e-9  # tolerances of SLSQP, whose energies are of the size of a slope
LOST = 3  # rounds that end off the constraints, and with them the descent
FLATTER = 1e4  # times, by which a constraint may become flatter before SLSQP is begun anew
MOST = 1e10  # units off a constraint that SLSQP is told of
DRAWN = 32  # points that tell how much constraints change over the domain
EARLY = 5  # steps, at most a quarter of all, after which gains tell the energy of the search


class Constrained(Problem):
    """A problem whose function is +inf where a constraint does not hold.

    Only `descend_within` looks at the function there. `nearest` is how far, in units, the point
    was that came closest to the constraints, that point and its energy, for when they hold nowhere.
    """

    numbers = (*Problem.numbers, "nearest", "nearest_fun", "constraint_calls")
    arrays = (*Problem.arrays, "nearest_x", "rulers")

    def __init__(
        self,
        functions: Any,
        x0: np.ndarray,
        bounds: tuple[np.ndarray, np.ndarray],
        domain: np.ndarray | None = None,
        **options: Any,
    ) -> None:
        self.constraints: Constraints = functions.constraints
        self.nearest, self.nearest_x, self.nearest_fun = np.inf, x0.copy(), np.inf
        self.constraint_calls, self.rulers = 0, np.empty(0)
        self._judged: tuple[bytes, np.ndarray] | None = None
        super().__init__(functions, x0, bounds, domain, **options)

    def limited(self, x: np.ndarray) -> np.ndarray:
        """The constraints (m,) at one point x."""
        if self._judged is None or self._judged[0] != x.tobytes():
            self.check(0)
            self.constraint_calls += 1
            self._judged = x.tobytes(), self.ask("limits", x[None])
        return self._judged[1]

    def normals(self, u: np.ndarray) -> np.ndarray:
        """The Jacobian (m, dim) of the constraints in units at u; by forward differences where
        nobody gave it, 0 along coordinates that are fixed and where it is not finite.
        """
        x, m = self.x(u), len(self.constraints)
        jacobian = np.full((m, self.dim), np.nan)
        if self.constraints.sloped:
            jacobian = self.ask("normals", x[None]).reshape(m, self.dim) * self.unit
        rows = np.repeat([part.jac is None for part in self.constraints.parts], self._sizes)
        if rows.any():
            here = self.limited(x)
            h = np.maximum(FORWARD, 8 * np.spacing(np.abs(x)) / self.unit)
            h = np.where(u + h > self.high, -h, h)
            for c in np.flatnonzero(~self.fixed):
                there = u.copy()
                there[c] += h[c]
                moved = self.x(there)
                really = (moved[c] - x[c]) / self.unit[c]
                jacobian[rows, c] = (self.limited(moved) - here)[rows] / really
            self._judged = x.tobytes(), here
        return np.where(np.isfinite(jacobian) & ~self.fixed, jacobian, 0.0)

    @property
    def _sizes(self) -> list[int]:
        return [part.size for part in self.constraints.parts]

    def holds(self, x: np.ndarray) -> bool:
        """Whether the constraints hold at x to the bit."""
        return not self.constraints.excess(self.limited(x)).any()

    def distance(self, u: np.ndarray, jacobian: np.ndarray) -> float:
        """How many units u is off where the constraints hold, at most, by their slopes there; 0
        if that is no more than the rounding of x.
        """
        x = self.x(u)
        excess = self.constraints.excess(self.limited(x))
        if not excess.any():
            return 0.0
        spacing = SPACINGS * np.spacing(np.abs(x)) / self.unit
        off = excess > (np.abs(jacobian) * spacing).max(1)
        if not off.any():
            return 0.0
        steepest = np.abs(jacobian).max(1)
        with np.errstate(divide="ignore"):
            return float((excess / steepest)[off].max())

    def values(self, u: np.ndarray) -> np.ndarray:
        """Energies (n,) of points (n, dim), +inf where a constraint does not hold: there the
        function is not asked.
        """
        x = self.x(u)
        inside = np.array([self.holds(point) for point in x], dtype=bool)
        energies = np.full(len(x), np.inf)
        if inside.any():
            energies[inside] = self._values(x[inside], super()._keep)
        return energies

    def value(self, u: np.ndarray) -> float:
        """The energy of one point, likewise."""
        return float(self.values(u[None])[0])

    def measure(self) -> None:
        """As of any problem; with integers also how much each constraint changes over the domain,
        from points drawn.
        """
        super().measure()
        if self.integers.any() and not self.rulers.size:
            drawn = self.x(self.draw(DRAWN, np.random.default_rng(DRAWN)))
            values = np.array([self.limited(x) for x in drawn])
            finite = np.isfinite(values)
            most = np.where(finite, values, -np.inf).max(0)
            least = np.where(finite, values, np.inf).min(0)
            self.rulers = np.where(most > least, most - least, 1.0)  # 1: nothing changes it

    def ranks(self, u: np.ndarray) -> list[tuple[float, float]]:
        """How far off the constraints points (n, dim) are, in changes over the domain, and their
        energies, +inf off them.
        """
        offs = [self.constraints.excess(self.limited(x)) / self.rulers for x in self.x(u)]
        return list(zip([float(off.sum()) for off in offs], self.values(u).tolist(), strict=True))

    @property
    def best(self) -> tuple[np.ndarray, float]:
        """The lowest point where the constraints hold, else the one that came closest."""
        if self.best_fun < np.inf or self.nearest == np.inf:
            return super().best
        return self.nearest_x, self.nearest_fun

    def limits_of(self, x: np.ndarray) -> np.ndarray:
        """The constraints (m,) at x when all is over, NaN where they cannot be had."""
        try:
            return self.constraints.values(x[None])
        except Exception:
            return np.full(len(self.constraints), np.nan)

    def forget(self) -> None:
        """Forget the constraints at the last point, as a search from a checkpoint has."""
        self._judged = None

    def bare(self, u: np.ndarray) -> float:
        """The energy of one point, whatever the constraints say."""
        return float(super().values(u[None])[0])

    def gradient(self, u: np.ndarray, f: float) -> np.ndarray:
        """The gradient (dim,) in u, whatever the constraints say."""
        if not self.guesses:
            return super().gradient(u, f)
        return self._finite(self.differences.gradient(_Bare(self), u, f))

    def refine(self, u: np.ndarray, f: float) -> None:
        """Have differences exact at u."""
        if self.guesses:
            self.differences.refine(_Bare(self), u, f)

    def _keep(self, x: np.ndarray, f: np.ndarray) -> None:
        """Keep the best of points where the constraints hold; they are asked only if it is new."""
        for k in range(len(f)):
            if f[k] < self.best_fun and self.holds(x[k]):
                super()._keep(x[k : k + 1], f[k : k + 1])

    def book(self, u: np.ndarray, f: float, off: float) -> None:
        """Keep a point that is so many units off where the constraints hold."""
        x = self.x(u)
        if off <= HELD:
            super()._keep(x[None], np.array([f]))
        if (off, f) < (self.nearest, self.nearest_fun):
            self.nearest, self.nearest_fun, self.nearest_x = off, f, x

    def smooth(self, u: np.ndarray, **options: Any) -> Descent:
        """`descend_within`."""
        return descend_within(self, u, **options)


class _Bare:
    """A constrained problem's function without walls, as differences ask for it."""

    def __init__(self, problem: Constrained) -> None:
        self._problem = problem

    def __getattr__(self, name: str) -> Any:
        return getattr(self._problem, name)

    def values(self, u: np.ndarray) -> np.ndarray:
        return Problem.values(self._problem, u)


class _Energy:
    """Energies and gradients along a descent, none of which is asked for twice in a row."""

    def __init__(self, problem: Constrained) -> None:
        self.problem, self.along = problem, list[float]()
        self._known: dict[bytes, list[Any]] = {}

    def __call__(self, u: np.ndarray) -> float:
        key = u.tobytes()
        if key not in self._known:
            pair: list[Any]
            if self.problem.paired:
                pair = list(self.problem.both(u))
            else:
                pair = [self.problem.bare(u), None]
            # where a constraint is no number the function counts for nothing
            if not np.isfinite(self.problem.limited(self.problem.x(u))).all():
                pair[0] = np.inf
            self._known = {key: pair}
        return float(self._known[key][0])

    def gradient(self, u: np.ndarray) -> np.ndarray:
        f = self(u)
        pair = self._known[u.tobytes()]
        if pair[1] is None:
            pair[1] = self.problem.gradient(u, f)
        if self.along[-1:] != [f]:
            self.along.append(f)
        return np.array(pair[1])


def descend_within(
    problem: Constrained,
    u: np.ndarray,
    *,
    tol: float = 1e-9,
    scale: float = 0.0,
    precise: bool = False,
    **unused: Any,
) -> Descent:
    """The local minimum within the constraints to which SLSQP (Kraft, DFVLR-FB 88-28 (1988)) leads
    from u; energy +inf if it leads to no point that holds them.

    SLSQP knows one scale and absolute tolerances. So it is given energies in slopes, and
    constraints in units of the domain, and is begun anew where it ended until that gains no more:
    where it starts a constraint may be far steeper than where it ends.
    """
    problem.begin()
    problem.forget()
    energy = _Energy(problem)
    best: tuple[np.ndarray, float] | None = None
    along: list[float] = []
    lost = 0
    for _ in range(ROUNDS):
        if not np.isfinite(energy(u)):
            u = _onto(problem, u)
        f = energy(u)
        if not np.isfinite(f):
            break
        if precise:
            problem.refine(u, f)
        # without an energy of the search the slope over a unit is one
        size = scale or float(np.abs(energy.gradient(u)).max())
        enough = max(tol * size, problem.rounding(f))
        end = _run(problem, u, energy, enough)
        along = along or energy.along.copy()  # in the first round, which is most of the way
        off = problem.distance(end, problem.normals(end))
        if off:
            end = _onto(problem, end)
            off = problem.distance(end, problem.normals(end))
        value = energy(end)
        if np.isfinite(value):
            problem.book(end, value, off)
        gained = np.inf if best is None else best[1] - value
        if off <= HELD and gained > 0:
            best = end, value
        lost += off > HELD
        if off == np.inf or lost == LOST:  # no slope leads to the constraints
            break
        if np.array_equal(end, u) or (best is not None and off <= HELD and not gained > enough):
            break
        u = end
    if best is None:
        problem.begin()
        return Descent(u, np.inf, len(energy.along), "stuck", np.zeros(problem.dim))
    slope = energy.gradient(best[0])
    problem.begin()
    gain = abs(along[min(EARLY, len(along) // 4)] - best[1])
    return Descent(*best, len(energy.along), "converged", slope, gain)


class _Flatter(Exception):
    """A constraint is much flatter at u than where SLSQP began, which therefore no longer sees
    it.
    """

    def __init__(self, u: np.ndarray) -> None:
        super().__init__()
        self.u = u


def _onto(problem: Constrained, u: np.ndarray) -> np.ndarray:
    """The point near u where the constraints hold, if there is one that SLSQP finds."""
    return _run(problem, u, None, 0.0)


def _run(problem: Constrained, u: np.ndarray, energy: _Energy | None, enough: float) -> np.ndarray:
    """Where SLSQP ends from u: lower in energy, to `enough`, or if there is none nearest to u."""
    free = np.flatnonzero(~problem.fixed)
    if not free.size:
        return u
    limits, jacobian = problem.constraints, problem.normals(u)
    steep = np.abs(jacobian).max(1)
    excess = limits.excess(problem.limited(problem.x(u)))
    steep = np.where(steep > 0, steep, np.where(np.isfinite(excess) & (excess > 0), excess, 1.0))
    least, most = (np.isfinite(side) & ~limits.equal for side in (limits.low, limits.high))

    def whole(y: np.ndarray) -> np.ndarray:
        v = u.copy()
        v[free] = np.clip(y, problem.low[free], problem.high[free])
        return v

    def within(y: np.ndarray, sign: float, side: np.ndarray, rows: np.ndarray) -> np.ndarray:
        values = problem.limited(problem.x(whole(y)))
        lengths = sign * (values - side)[rows] / steep[rows]
        return np.clip(np.nan_to_num(lengths, nan=-MOST), -MOST, MOST)

    def tilt(y: np.ndarray, sign: float, side: np.ndarray, rows: np.ndarray) -> np.ndarray:
        slopes = np.abs(problem.normals(v := whole(y))).max(1)
        if ((slopes < steep / FLATTER) & (slopes > 0)).any():
            raise _Flatter(v)
        return sign * problem.normals(v)[rows][:, free] / steep[rows, None]

    kept = []
    for kind, sign, side, rows in (
        ("eq", 1.0, limits.low, limits.equal),
        ("ineq", 1.0, limits.low, least),
        ("ineq", -1.0, limits.high, most),
    ):
        if rows.any():
            kept.append({"type": kind, "fun": within, "jac": tilt, "args": (sign, side, rows)})
    if energy is None:

        def fun(y: np.ndarray) -> float:
            return float((y - u[free]) @ (y - u[free])) / 2

        def jac(y: np.ndarray) -> np.ndarray:
            return y - u[free]

        accuracy = CLOSEST
    else:
        f = energy(u)
        size = float(np.abs(energy.gradient(u)).max()) or 1.0

        def fun(y: np.ndarray) -> float:
            return (energy(whole(y)) - f) / size

        def jac(y: np.ndarray) -> np.ndarray:
            return energy.gradient(whole(y))[free] / size

        accuracy = float(np.clip(enough / size, CLOSEST, LOOSEST))
    edges = [
        [edge if abs(edge) < FAR / 2 else None for edge in side[free].tolist()]
        for side in (problem.low, problem.high)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of SLSQP, about bounds that rounding left
        try:
            found = minimize(
                fun,
                u[free],
                jac=jac,
                bounds=list(zip(*edges, strict=True)),
                constraints=kept,
                method="SLSQP",
                options={"ftol": accuracy, "maxiter": ONTO if energy is None else STEPS},
            )
        except _Flatter as far:
            return far.u
    return whole(found.x) if np.isfinite(found.x).all() else u
