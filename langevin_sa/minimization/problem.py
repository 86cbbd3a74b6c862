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

from ..arguments import shown
from ..potential import Potential, real_array

UNITS = 20.0  # units in half the width of the domain
OPEN = 10.0  # half the width of a domain that nobody gave, in sizes of x0 (at least 1)
# units from the middle of the domain where a coordinate without a bound has one nevertheless
FAR = 1e8
DIFFERENCE = math.sqrt(np.finfo(float).eps)


class Finished(Exception):
    """Why a run ends: a status and a sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Problem:
    """Energies and gradients of points u, shape (dim,) or (points, dim), of a function of x.

    Attributes
    ----------
    low, high : ndarray (dim,)
        Bounds in u; very far (`FAR`) where there are none.
    box : ndarray (dim, 2)
        The domain where points are drawn, in u; finite.
    ask : callable
        ``ask(function, x)`` is function(x), one of `energies`, `slopes` and `pair`; every call of
        the user's functions goes through it.
    nfev, njev, failures : int
        Calls of fun (those for finite differences too), calls of jac, and values that were not
        finite.
    best_x, best_fun : ndarray (dim,), float
        The lowest point of all evaluations.
    """

    def __init__(
        self,
        fun: Any,
        x0: np.ndarray,
        args: tuple[Any, ...],
        jac: Any,
        bounds: tuple[np.ndarray, np.ndarray],
        domain: Any,
        *,
        vectorized: bool,
        apply: Callable[..., Any] | None,
        maxfev: float,
        seconds: float | None,
        target: float | None,
    ) -> None:
        self.args, self.jac, self.vectorized, self.apply = args, jac, vectorized, apply
        self.dim = x0.size
        low, high = bounds
        self.fixed = low == high
        self.centre, half = _domain(x0, low, high, domain)
        self.unit = np.where(half > 0, half, 1.0) / UNITS
        self.x_low, self.x_high = (
            np.maximum(low, self.centre - FAR * self.unit),
            np.minimum(high, self.centre + FAR * self.unit),
        )
        self.low, self.high = self.u(self.x_low), self.u(self.x_high)
        self.box = np.stack([-half, half], axis=1) / self.unit[:, None]
        self.maxfev, self.target, self.seconds = maxfev, target, seconds
        self.started = time.perf_counter()
        self.nfev = self.njev = self.failures = 0
        self.best_fun, self.best_x = math.inf, x0.copy()
        self.paired = jac is True
        self.fun = fun
        self.ask: Callable[[Callable[[np.ndarray], np.ndarray], np.ndarray], np.ndarray] = (
            lambda function, x: function(x)
        )
        self.compiled: Any = None
        self.descender: Any = None
        if isinstance(fun, Potential):
            from ..descents.compiled import descender, evaluator, is_compiled

            self.compiled = evaluator(fun)
            self.descender = descender(fun, self.x_low, self.x_high) if is_compiled(fun) else None

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

    # ------------------------------------------------------------------------- the user's functions

    def energies(self, x: np.ndarray) -> np.ndarray:
        """fun (points,) at x (points, dim)."""
        if self.compiled is not None:
            return self.compiled(x)[0]
        if self.vectorized:
            return self._array(self.fun(np.array(x.T, order="C"), *self.args), (len(x),))
        return np.array(
            list((self.apply or map)(_One(self.fun, self.args, self.paired), list(x))), dtype=float
        )

    def slopes(self, x: np.ndarray) -> np.ndarray:
        """jac (points*dim,) at x (points, dim); one point unless `vectorized`."""
        if self.vectorized:
            return self._array(
                self.jac(np.array(x.T, order="C"), *self.args), (self.dim, len(x))
            ).T.ravel()
        return self._array(self.jac(x[0].copy(), *self.args), (self.dim,))

    def pair(self, x: np.ndarray) -> np.ndarray:
        """fun and its gradient (1 + dim,) at x (dim,), of a function that returns both."""
        f, g = _One(self.fun, self.args, False, pair=True)(x)
        return np.append(f, self._array(g, (self.dim,)))

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
        at_once = (
            room == 1 or self.compiled is not None or self.vectorized or self.apply is not None
        )
        f = np.concatenate([self._values(part) for part in ([x] if at_once else x[:, None])])
        if room < len(u):
            self.check()
        return f

    def _values(self, x: np.ndarray) -> np.ndarray:
        self.nfev += len(x)
        return self._note(x, self.ask(self.energies, x))

    def value(self, u: np.ndarray) -> float:
        """Energy of one point."""
        return float(self.values(u[None])[0])

    def gradient(self, u: np.ndarray, f: float) -> np.ndarray:
        """Gradient (dim,) in u at a point whose energy is f; zero where it is not finite."""
        if self.compiled is not None or self.paired:
            return self.both(u)[1]
        if callable(self.jac):
            self.njev += 1
            return self._finite(self.ask(self.slopes, self.x(u)[None]) * self.unit)
        return self._differences(u, f)

    def both(self, u: np.ndarray) -> tuple[float, np.ndarray]:
        """Energy and gradient of one point."""
        if self.compiled is None and not self.paired:
            f = self.value(u)
            return f, self.gradient(u, f) if f < math.inf else np.zeros(self.dim)
        self.check()
        self.nfev += 1
        self.njev += 1
        x = self.x(u)
        if self.compiled is not None:
            values, gradients = self.compiled(x[None])
            f, g = float(values[0]), gradients[0]
        else:
            pair = self.ask(self.pair, x)
            f, g = float(pair[0]), pair[1:]
        f = float(self._note(x[None], np.array([f]))[0])
        return f, self._finite(g * self.unit) if f < math.inf else np.zeros(self.dim)

    def gradients(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Energies (n,) and gradients (n, dim) of points (n, dim)."""
        if self.compiled is None and not self.paired and callable(self.jac):
            f = self.values(u)
            if self.vectorized:
                self.njev += len(u)
                return f, self._finite(
                    self.ask(self.slopes, self.x(u)).reshape(u.shape) * self.unit
                )
            return f, np.array([self.gradient(p, e) for p, e in zip(u, f, strict=True)])
        if self.compiled is None and not self.paired:
            f = self.values(u)
            return f, np.array([self._differences(p, e) for p, e in zip(u, f, strict=True)])
        pairs = [self.both(p) for p in u]
        return np.array([f for f, _ in pairs]), np.array([g for _, g in pairs])

    def quench(
        self, x: np.ndarray, tol: float, longest: float, below: float = math.inf
    ) -> tuple[np.ndarray, float]:
        """Where a compiled descent from x ends, and its energy; +inf if it gave up because it would
        not come down to `below`.
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
        return self.nfev + (self.njev if callable(self.jac) else 0)

    @property
    def cost(self) -> int:
        """Evaluations that an energy with its gradient takes."""
        return (
            1
            if self.compiled is not None or self.paired or callable(self.jac)
            else 1 + int((~self.fixed).sum())
        )

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
        points = np.repeat(u[None], len(free), axis=0)
        points[np.arange(len(free)), free] += h[free]
        steps = (self.centre + self.unit * points)[np.arange(len(free)), free] - (
            self.centre + self.unit * u
        )[free]
        self.check(len(free))
        gradient = np.zeros(self.dim)
        gradient[free] = (self.values(points) - f) / (steps / self.unit[free])
        return self._finite(gradient)

    def _finite(self, gradient: np.ndarray) -> np.ndarray:
        return np.where(np.isfinite(gradient) & ~self.fixed, gradient, 0.0)

    def _array(self, out: Any, shape: tuple[int, ...]) -> np.ndarray:
        array = (
            out.copy()
            if type(out) is np.ndarray and out.dtype == float
            else real_array(out, "what the function returns")
        )
        if array.size != math.prod(shape):
            raise ValueError(f"the function returned shape {array.shape}; expected {shape}")
        return array.reshape(shape)


class _One:
    """fun of one point as a number; arithmetic that fails there is NaN."""

    def __init__(self, fun: Any, args: tuple[Any, ...], first: bool, pair: bool = False) -> None:
        self.fun, self.args, self.first, self.pair = fun, args, first, pair

    def __call__(self, x: np.ndarray) -> Any:
        try:
            out = self.fun(x.copy(), *self.args)
        except StopIteration as error:  # which would end the loop around it
            raise RuntimeError("fun raised StopIteration") from error
        except (ArithmeticError, ValueError) as error:
            if isinstance(error, ValueError) and "math domain error" not in str(error):
                raise
            return (math.nan, np.zeros_like(x)) if self.pair else math.nan
        if not (self.first or self.pair):
            return _number(out)
        try:
            f, gradient = out
        except (TypeError, ValueError):
            raise ValueError(
                f"with jac=True fun must return (f, gradient), not {shown(out)}"
            ) from None
        return (_number(f), gradient) if self.pair else _number(f)


def _number(value: Any) -> float:
    if isinstance(value, float):
        return value
    try:
        array = real_array(math.nan if value is None else value, "f")
    except TypeError:
        raise ValueError(f"fun must return one real number, not {shown(value)}") from None
    if array.size != 1:
        more = (
            "; with vectorized=True it gets x of shape (N, S) and returns (S,)"
            if array.size
            else ""
        )
        raise ValueError(
            f"fun must return one real number, not an array of shape {array.shape}{more}"
        )
    return float(array.reshape(-1)[0])


def _domain(
    x0: np.ndarray, low: np.ndarray, high: np.ndarray, domain: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Centre and half widths of where points are drawn: the bounds, else the given domain, else
    around x0.
    """
    size = OPEN * np.maximum(1, np.abs(x0))
    a, b = (x0 - size, x0 + size) if domain is None else (domain[:, 0].copy(), domain[:, 1].copy())
    a = np.where(np.isfinite(low), low, np.where(np.isfinite(high), np.minimum(a, high - size), a))
    b = np.where(np.isfinite(high), high, np.where(np.isfinite(low), np.maximum(b, low + size), b))
    return a / 2 + b / 2, b / 2 - a / 2
