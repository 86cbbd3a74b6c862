"""The function to minimize as every piece sees it: in units of its own domain, counted, limited,
with the best point kept.

Coordinates u are ``x = centre + unit*u``, where `unit` is a twentieth of half the width of the
domain along each coordinate, so that one length makes sense in all directions. Whatever is not a
finite number counts as +inf.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..potential import Potential
from .functions import Functions

UNITS = 20.0  # units in half the width of the domain
OPEN = 10.0  # half the width of a domain that nobody gave, in sizes of x0 (at least 1)
FAR = 1e8  # units from the middle of the domain at which every coordinate has a bound
DIFFERENCE = math.sqrt(np.finfo(float).eps)


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
        Where points of x are drawn along coordinates without bounds; around x0 by default.
    ask : callable, optional
        ``ask(kind, x)`` calls the functions in place of ``functions.ask``, which it may remember.
    maxfev, seconds, target : float, optional
        Evaluations and time that are allowed, and the energy at which the search is over.

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
    box : ndarray (dim, 2)
        The domain where points are drawn, in u; finite.
    nfev, njev, failures : int
        Calls of fun (those for finite differences too), calls of jac, and values that were not
        finite.
    best_x, best_fun : ndarray (dim,), float
        The lowest point of all evaluations.

    Raises
    ------
    Finished
        By what evaluates, when a budget is spent or the target is reached.
    """

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
    ) -> None:
        self.functions, self.ask = functions, functions.ask if ask is None else ask
        self.fun, self.paired = functions.fun, functions.paired
        self.dim = x0.size
        low, high = bounds
        self.fixed = low == high
        self.centre, half = _domain(x0, low, high, domain)
        self.unit = np.where(half > 0, half, 1.0) / UNITS
        self.x_low = np.maximum(low, self.centre - FAR * self.unit)
        self.x_high = np.minimum(high, self.centre + FAR * self.unit)
        self.low, self.high = self.u(self.x_low), self.u(self.x_high)
        self.box = np.stack([-half, half], axis=1) / self.unit[:, None]
        self.maxfev = math.inf if maxfev is None else maxfev
        self.target, self.seconds = target, seconds
        self.started = time.perf_counter()
        self.nfev = self.njev = self.failures = 0
        self.best_fun, self.best_x = math.inf, x0.copy()
        self.descender: Any = None
        if isinstance(self.fun, Potential):
            from ..descents.compiled import descender, is_compiled

            if is_compiled(self.fun):
                self.descender = descender(self.fun, self.x_low, self.x_high)

    # ---------------------------------------------------------------------------------- coordinates

    def x(self, u: np.ndarray) -> np.ndarray:
        """User's coordinates, inside the bounds to the last bit."""
        return np.clip(self.centre + self.unit * u, self.x_low, self.x_high)

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
    def endless(self) -> bool:
        """Whether the lowest point lies where only `FAR` kept it from going on."""
        return bool((np.abs(self.u(self.best_x)) >= 0.999 * FAR).any())

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

    def _note(self, x: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Keep the best of points (n, dim) and make what is not finite +inf; Finished at the
        target.
        """
        if np.isneginf(f).any():
            k = int(np.argmin(f))
            self.best_fun, self.best_x = -math.inf, x[k].copy()
            raise Finished(2, "The function is -inf at the point returned: it has no minimum.")
        bad = ~np.isfinite(f)
        if bad.any():
            self.failures += int(bad.sum())
            f = np.where(bad, math.inf, f)
        k = int(np.argmin(f))
        if f[k] < self.best_fun:
            self.best_fun, self.best_x = float(f[k]), x[k].copy()
            if self.target is not None and self.best_fun <= self.target:
                raise Finished(0, f"Target {self.target:g} reached.")
        return f

    def values(self, u: np.ndarray) -> np.ndarray:
        """Energies (n,) of points (n, dim), as far as the budget goes."""
        self.check()
        room = min(len(u), int(min(self.maxfev - self.nfev, 2**31)))
        x = self.x(u[:room])
        parts = [x] if room == 1 or self.functions.at_once else x[:, None]
        f = np.concatenate([self._values(part) for part in parts])
        if room < len(u):
            self.check()
        return f

    def _values(self, x: np.ndarray) -> np.ndarray:
        self.check(len(x))  # an exception of a point before may have cost calls
        self.nfev += len(x)
        return self._note(x, self.ask("energies", x))

    def value(self, u: np.ndarray) -> float:
        """Energy of one point."""
        return float(self.values(u[None])[0])

    def gradient(self, u: np.ndarray, f: float) -> np.ndarray:
        """Gradient (dim,) in u at a point whose energy is f; zero where it is not finite."""
        if self.paired:
            return self.both(u)[1]
        if self.functions.has_slopes:
            self.njev += 1
            return self._finite(self.ask("slopes", self.x(u)[None]) * self.unit)
        return self._differences(u, f)

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
        f = float(self._note(x[None], pair[:1])[0])
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

    def descend(
        self, x: np.ndarray, tol: float, longest: float, below: float = math.inf
    ) -> tuple[np.ndarray, float]:
        """Where a compiled descent from x (dim,) ends, and its energy; +inf if it gave up because
        it would not come down to `below`.
        """
        self.check()
        x, f, calls, gave_up = self.descender(x, tol, longest, self.maxfev - self.nfev, below)
        self.nfev += calls
        self.njev += calls
        f = float(self._note(x[None], np.array([f]))[0])
        return x, math.inf if gave_up else f

    @property
    def evaluations(self) -> int:
        """Calls of fun, and those of jac where they are calls of their own."""
        return self.nfev + (self.njev if self.functions.has_slopes else 0)

    @property
    def cost(self) -> int:
        """Evaluations that an energy with its gradient takes."""
        free = int((~self.fixed).sum())
        return 1 if self.paired or self.functions.has_slopes else 1 + free

    def _differences(self, u: np.ndarray, f: float) -> np.ndarray:
        """Forward differences, backward at an upper bound."""
        free = np.flatnonzero(~self.fixed)
        if not math.isfinite(f) or not free.size:
            return np.zeros(self.dim)
        x = self.x(u)
        size = np.maximum(np.abs(x), np.minimum(self.unit, 1.0))
        # more than x can be rounded by
        h = DIFFERENCE * np.maximum(size, 8 * DIFFERENCE * np.abs(self.centre)) / self.unit
        h = np.where(u + h > self.high, -h, h)
        points, each = np.repeat(u[None], len(free), axis=0), np.arange(len(free))
        points[each, free] += h[free]
        moved = (self.centre + self.unit * points)[each, free]
        steps = moved - (self.centre + self.unit * u)[free]
        self.check(len(free))
        gradient = np.zeros(self.dim)
        gradient[free] = (self.values(points) - f) / (steps / self.unit[free])
        return self._finite(gradient)

    def _finite(self, gradient: np.ndarray) -> np.ndarray:
        return np.where(np.isfinite(gradient) & ~self.fixed, gradient, 0.0)


def _domain(
    x0: np.ndarray, low: np.ndarray, high: np.ndarray, domain: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Centre and half widths of where points are drawn: the bounds, else the given domain, else
    around x0.
    """
    size = OPEN * np.maximum(1, np.abs(x0))
    a, b = (x0 - size, x0 + size) if domain is None else domain.T
    below, above = np.isfinite(low), np.isfinite(high)
    left = np.where(below, low, np.where(above, np.minimum(a, high - size), a))
    right = np.where(above, high, np.where(below, np.maximum(b, low + size), b))
    return left / 2 + right / 2, right / 2 - left / 2
