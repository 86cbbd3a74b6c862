"""The function to minimize as every piece sees it: in units of its own domain, counted, limited,
with the best point kept.

Coordinates u are ``x = centre + unit*u``, where `unit` is a twentieth of half the width of the
domain along each coordinate, so that one length makes sense in all directions. The domain is the
bounds, else where a potential's own starts lie, else around x0, as far as the function asks for
(`lengths`). Whatever is not a finite number counts as +inf.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..descents.bounded import Descent, descend
from ..potential import Potential
from .differences import EPS, Differences, rounding
from .functions import Functions
from .integers import descend_over_integers
from .lengths import OPEN, domain_between, lengths, sizes

UNITS = 20.0  # units in half the width of the domain
ROUNDED = 4 * EPS  # of an energy may be its rounding, where nobody has measured it
FAR = 1e8  # units from the middle of the domain at which every coordinate has a bound


class Finished(Exception):
    """Why a run ends: a status and a sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Problem:
    """Energies and gradients of points u, shape (dim,) or (points, dim), of functions of x.

    Parameters
    ----------
    functions : Functions
        What is minimized.
    x0 : ndarray (dim,)
        The starting point, within the bounds: the best point until something is evaluated.
    bounds : two ndarrays (dim,)
        Lower and upper bounds of x, infinite where there are none.
    domain : ndarray (dim, 2) or None
        Where points of x are drawn along coordinates without bounds; without it that is around x0
        (`measure`).
    ask : callable, optional
        ``ask(kind, x)`` calls the functions in place of ``functions.ask``, which it may remember.
    maxfev, seconds, target : float, optional
        Evaluations and time that are allowed, and the energy at which the search is over.
    integers : ndarray of bool (dim,), optional
        Coordinates that are integers wherever anything is asked; their bounds are.

    Attributes
    ----------
    dim : int
        Number of coordinates.
    centre, unit : ndarray (dim,)
        ``x = centre + unit*u``.
    x_low, x_high, low, high : ndarray (dim,)
        Bounds in x and in u; very far (`FAR`) where there are none.
    fixed : ndarray of bool (dim,)
        Coordinates that the bounds leave no room.
    whole : bool
        Whether any coordinate is an integer.
    box : ndarray (dim, 2)
        The domain where points are drawn, in u; finite.
    nfev, njev, failures : int
        Calls of fun (those for finite differences too), calls of jac, and values that were not
        finite.
    noise : float
        Standard deviation by which values scatter, 0 as long as nobody has seen it.
    best_x, best_fun : ndarray (dim,), float
        The lowest point of all evaluations.

    Raises
    ------
    Finished
        By what evaluates, when a budget is spent or the target is reached.
    """

    # what a checkpoint holds of it
    numbers: tuple[str, ...] = ("nfev", "njev", "failures", "noise", "best_fun")
    arrays: tuple[str, ...] = ("best_x", "reach")

    def __init__(
        self,
        functions: Functions,
        x0: np.ndarray,
        bounds: tuple[np.ndarray, np.ndarray],
        domain: np.ndarray | None = None,
        *,
        ask: Callable[[str, np.ndarray], np.ndarray] | None = None,
        maxfev: float | None = None,
        seconds: float | None = None,
        target: float | None = None,
        integers: np.ndarray | None = None,
    ) -> None:
        self.functions, self.ask = functions, functions.ask if ask is None else ask
        self.fun, self.paired = functions.fun, functions.paired
        self.dim = x0.size
        self.integers = np.zeros(self.dim, dtype=bool) if integers is None else integers
        self.whole = bool(self.integers.any())
        self.fixed = bounds[0] == bounds[1]
        self.x0, self.bounds = x0.copy(), bounds
        # whether the domain is to be measured, and how far it then reaches from x0
        self.open, self.reach = domain is None and not np.isfinite(bounds).all(), np.empty(0)
        self.maxfev = math.inf if maxfev is None else maxfev
        self.target, self.seconds = target, seconds
        self.started = time.perf_counter()
        self.nfev = self.njev = self.failures = 0
        self.best_fun, self.best_x = math.inf, x0.copy()
        self.noise = 0.0
        self.differences = Differences()
        self.descender: Any = None
        guess = OPEN * sizes(x0, self.sought)[1] * self.open
        a, b = (x0 - guess, x0 + guess) if domain is None else domain.T
        self._settle(*domain_between(*bounds, a, b, b - a))

    # --------------------------------------------------------------------------------------- domain

    @property
    def sought(self) -> np.ndarray:
        """The coordinates (dim,) that lack a bound."""
        low, high = self.bounds
        return ~(np.isfinite(low) & np.isfinite(high))

    @property
    def unmeasured(self) -> bool:
        """Whether the domain is but a guess, from the size of x0."""
        return self.open and not self.reach.size

    def measure(self) -> None:
        """Find how far the domain reaches where nobody said it, unless that is known."""
        if not self.unmeasured:
            return
        low, high = self.bounds
        seen: list[tuple[np.ndarray, np.ndarray]] = []

        def values(x: np.ndarray) -> np.ndarray:
            return self._values(x, lambda *pair: seen.append(pair))

        try:
            self.spread(OPEN * lengths(values, self.x0, low, high, self.sought))
        finally:  # probes far outside of what is searched are none of its points
            for x, f in seen:
                near = ((x >= self.x_low) & (x <= self.x_high)).all(1) | (not self.reach.size)
                if near.any():
                    self._keep(x[near], f[near])

    def spread(self, reach: np.ndarray) -> None:
        """Let the domain reach so far (dim,) from x0 along coordinates that lack a bound."""
        self.reach = reach
        self._settle(*domain_between(*self.bounds, self.x0 - reach, self.x0 + reach, reach))

    def _settle(self, centre: np.ndarray, half: np.ndarray) -> None:
        low, high = self.bounds
        self.centre = centre
        # 1: where bounds fix a coordinate it never moves
        self.unit = np.where(half > 0, half, 1.0) / UNITS
        self.unit = np.where(self.integers, np.maximum(self.unit, 1.0), self.unit)
        self.x_low = np.maximum(low, centre - FAR * self.unit)
        self.x_high = np.minimum(high, centre + FAR * self.unit)
        self.low, self.high = self.u(self.x_low), self.u(self.x_high)
        self.box = np.stack([-half, half], axis=1) / self.unit[:, None]
        if isinstance(self.fun, Potential) and not self.functions.on_gpu:
            from ..descents.compiled import descender, is_compiled

            if is_compiled(self.fun):
                self.descender = descender(self.fun, self.x_low, self.x_high)

    # ---------------------------------------------------------------------------------- coordinates

    def x(self, u: np.ndarray) -> np.ndarray:
        """User's coordinates, inside the bounds to the last bit, integers where they must be."""
        x = self.centre + self.unit * u
        x = np.minimum(np.maximum(x, self.x_low), self.x_high)
        return np.where(self.integers, np.round(x), x) if self.whole else x

    def u(self, x: np.ndarray) -> np.ndarray:
        """Coordinates in units of the domain."""
        return (x - self.centre) / self.unit

    def inside(self, u: np.ndarray) -> np.ndarray:
        """Points folded back into the bounds by reflection, as often as it takes."""
        width = np.where(self.fixed, 1.0, self.high - self.low)
        turned = np.mod(u - self.low, 2 * width)
        folded = np.clip(self.low + np.minimum(turned, 2 * width - turned), self.low, self.high)
        # to the bit where nothing was folded
        return np.where((u >= self.low) & (u <= self.high), u, folded)

    @property
    def best(self) -> tuple[np.ndarray, float]:
        """The lowest point of all, and its energy."""
        return self.best_x, self.best_fun

    @contextmanager
    def pinned(self, u: np.ndarray) -> Iterator[None]:
        """The integers held where they are at u."""
        kept = self.low, self.high, self.fixed
        self.low, self.high = (np.where(self.integers, u, side) for side in kept[:2])
        self.fixed = self.fixed | self.integers
        try:
            yield
        finally:
            self.low, self.high, self.fixed = kept

    @property
    def endless(self) -> bool:
        """Whether the lowest point lies where only `FAR` kept it from going on."""
        return not self.unmeasured and bool((np.abs(self.u(self.best_x)) >= 0.999 * FAR).any())

    def draw(self, count: int, generator: np.random.Generator) -> np.ndarray:
        """Points (count, dim) spread over the domain: one in each of `count` layers of every
        coordinate (Latin hypercube).
        """
        if isinstance(self.fun, Potential) and self.fun.has_domain:
            return self.inside(self.u(self.fun.draw_start(count, generator)))
        layers = np.argsort(generator.random((count, self.dim)), axis=0)
        share = (layers + generator.random((count, self.dim))) / count
        return self.inside(self.box[:, 0] + share * (self.box[:, 1] - self.box[:, 0]))

    # ----------------------------------------------------------------------------------- evaluation

    def check(self, cost: int = 1) -> None:
        """Raise Finished if there is no room for `cost` more evaluations, or no time."""
        if self.nfev + cost > self.maxfev:
            raise Finished(
                1, f"Maximum number of function evaluations ({self.maxfev:g}) has been exceeded."
            )
        if self.seconds is not None and time.perf_counter() - self.started > self.seconds:
            raise Finished(1, f"Time limit of {self.seconds:g} s reached.")

    def _keep(self, x: np.ndarray, f: np.ndarray) -> None:
        """Keep the best of points (n, dim); Finished at the target."""
        k = int(f.argmin())
        if not f[k] < self.best_fun:
            return
        self.best_fun, self.best_x = float(f[k]), x[k].copy()
        if self.best_fun == -math.inf:
            raise Finished(2, "The function is -inf at the point returned: it has no minimum.")
        if self.target is not None and self.best_fun <= self.target:
            raise Finished(0, f"Target {self.target:g} reached.")

    def _sound(self, f: np.ndarray) -> np.ndarray:
        """Energies (n,) with what is not finite as +inf, but -inf as it is."""
        finite = np.isfinite(f)
        if finite.all():
            return f
        bad = ~finite & ~np.isneginf(f)
        self.failures += int(bad.sum())
        return np.where(bad, math.inf, f)

    def values(self, u: np.ndarray) -> np.ndarray:
        """Energies (n,) of points (n, dim), as far as the budget goes."""
        return self._values(self.x(u), self._keep)

    def _values(self, x: np.ndarray, note: Callable[[np.ndarray, np.ndarray], None]) -> np.ndarray:
        """Energies of points x in the user's coordinates; `note` is told them at once."""
        self.check()
        room = min(len(x), int(min(self.maxfev - self.nfev, 2**31)))
        parts = [x[:room]] if room == 1 or self.functions.at_once else x[:room, None]
        found = []
        for part in parts:
            self.check(len(part))  # an exception of a point before may have cost calls
            self.nfev += len(part)
            found.append(self._energies(part))
            note(part, found[-1])
        if room < len(x):
            self.check()
        return np.concatenate(found)

    def _energies(self, x: np.ndarray) -> np.ndarray:
        """Energies (n,) that the functions say of points x."""
        return self._sound(self.ask("energies", x))

    def _noted(self, x: np.ndarray, f: float) -> float:
        """The energy f of one point, kept."""
        if not f < math.inf:
            self.failures += 1
            return math.inf
        if f < self.best_fun:
            self._keep(x[None], np.array([f]))
        return float(f)

    def value(self, u: np.ndarray) -> float:
        """Energy of one point."""
        self.check()
        self.nfev += 1
        x = self.x(u)
        return self._noted(x, float(self.ask("energies", x[None])[0]))

    def gradient(self, u: np.ndarray, f: float) -> np.ndarray:
        """Gradient (dim,) in u at a point whose energy is f; zero where it is not finite."""
        if self.paired:
            return self.both(u)[1]
        if self.functions.has_slopes:
            self.njev += 1
            return self._finite(self.ask("slopes", self.x(u)[None]) * self.unit)
        return self._finite(self.differences.gradient(self, u, f))

    def both(self, u: np.ndarray) -> tuple[float, np.ndarray]:
        """Energy and gradient of one point."""
        if not self.paired:
            f = self.value(u)
            return f, self.gradient(u, f) if f < math.inf else np.zeros(self.dim)
        self.check()
        self.nfev += 1
        self.njev += 1
        x = self.x(u)
        pair = self.ask("pair", x)
        f = self._noted(x, pair[0])
        return f, self._finite(pair[1:] * self.unit) if f < math.inf else np.zeros(self.dim)

    def gradients(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Energies (n,) and gradients (n, dim) of points (n, dim)."""
        if self.paired:
            pairs = [self.both(p) for p in u]
            return np.array([f for f, _ in pairs]), np.array([g for _, g in pairs])
        f = self.values(u)
        if self.functions.has_slopes and self.functions.vectorized:
            self.njev += len(u)
            slopes = self.ask("slopes", self.x(u)).reshape(u.shape)
            return f, self._finite(slopes * self.unit)
        return f, np.array([self.gradient(p, e) for p, e in zip(u, f, strict=True)])

    @property
    def guesses(self) -> bool:
        """Whether gradients are differences."""
        return not (self.paired or self.functions.has_slopes)

    def rounding(self, f: float) -> float:
        """By how much energies near f are rounded, as far as this descent knows it."""
        return max(self.differences.noise, self.noise, ROUNDED * abs(f))

    def begin(self) -> None:
        """Forget what was measured around a point, as each descent does when it begins and ends."""
        self.differences = Differences()

    def refine(self, u: np.ndarray, f: float) -> None:
        """Measure the rounding at u; if gradients are differences, have them exact there."""
        if self.guesses:
            self.differences.refine(self, u, f)
        else:
            self.differences.noise = rounding(self, u, f)

    def descend(
        self, x: np.ndarray, tol: float, scale: float, longest: float, below: float = math.inf
    ) -> tuple[np.ndarray, float, float]:
        """Where a descent from x (dim,) ends, its energy, +inf if it gave up because it would not
        come down to `below` (as compiled ones do), and what it gained after its first steps.
        """
        self.check()
        if self.descender is None:
            end = descend(self, self.u(x), tol=tol, scale=scale)
            return self.x(end.u), end.fun, end.gain
        room = self.maxfev - self.nfev
        x, f, calls, gave_up, fell = self.descender(x, tol, scale, longest, room, below)
        self.nfev += calls
        self.njev += calls
        f = self._noted(x, f)
        return x, math.inf if gave_up else f, fell

    def ranks(self, u: np.ndarray) -> list[tuple[float, float]]:
        """How far off the constraints points (n, dim) are, and their energies."""
        return [(0.0, f) for f in self.values(u).tolist()]

    def smooth(self, u: np.ndarray, **options: Any) -> Descent:
        """A descent from u along the coordinates that are not fixed."""
        return descend(self, u, **options)

    def local(self, u: np.ndarray, **options: Any) -> Descent:
        """A descent from u, with the options of `descend`."""
        if self.whole:
            return descend_over_integers(self, u, **options)
        return self.smooth(u, **options)

    @property
    def evaluations(self) -> int:
        """Calls of fun, and those of jac where they are calls of their own."""
        return self.nfev + (self.njev if self.functions.has_slopes else 0)

    @property
    def cost(self) -> int:
        """Evaluations that an energy with its gradient takes."""
        free = int((~self.fixed).sum())
        return 1 + free if self.guesses else 1

    def _finite(self, gradient: np.ndarray) -> np.ndarray:
        good = np.isfinite(gradient)
        if good.all() and not self.fixed.any():
            return gradient
        return np.where(good & ~self.fixed, gradient, 0.0)
