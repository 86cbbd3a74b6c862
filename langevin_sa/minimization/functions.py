"""The functions that the user gives, called for points x and their answers checked."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arguments import shown
from ..potential import Potential, real_array


class Functions:
    """fun and jac of `minimize`; everything that is evaluated passes through `ask`.

    Parameters
    ----------
    fun : callable or Potential
        ``fun(x, *args)``, of one point (dim,) or, with `vectorized`, of points (dim, points).
    jac : callable, True or None
        ``jac(x, *args)``; True if `fun` returns (f, gradient).
    args : tuple
        Further arguments of both.
    vectorized : bool
        Whether fun and jac take many points at once.
    apply : callable or None
        A ``map`` for points that are known together.
    walls : bool
        Whether an exception makes a point that is not finite.

    Attributes
    ----------
    raised : str
        The last exception that did, in words.
    compiled : callable or None
        A potential's ``x (points, dim) -> energies (points,), gradients (points, dim)``.
    paired : bool
        Whether one call brings the energy and the gradient.
    has_slopes : bool
        Whether gradients are calls of their own.
    at_once : bool
        Whether many points are better asked for together than one by one.
    """

    def __init__(
        self,
        fun: Any,
        jac: Any = None,
        args: tuple[Any, ...] = (),
        *,
        vectorized: bool = False,
        apply: Callable[..., Any] | None = None,
        walls: bool = True,
    ) -> None:
        self.fun, self.jac, self.args = fun, jac, args
        self.vectorized, self.apply = vectorized, apply
        self.walls, self.raised = walls, ""
        self.compiled: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]] | None = None
        if isinstance(fun, Potential):
            from ..descents.compiled import evaluator

            self.compiled = evaluator(fun)
        self.paired = jac is True or self.compiled is not None
        self.has_slopes = callable(jac)
        self.at_once = vectorized or apply is not None or self.compiled is not None

    def ask(self, kind: str, x: np.ndarray) -> np.ndarray:
        """What `energies`, `slopes` or `pair`, which `kind` names, says of x."""
        return getattr(self, kind)(x)

    def energies(self, x: np.ndarray) -> np.ndarray:
        """fun (points,) at x (points, dim)."""
        if self.compiled is not None:
            return self.compiled(x)[0]
        if self.vectorized:
            return _array(self.fun(np.array(x.T, order="C"), *self.args), (len(x),))
        energy = _Energy(self.fun, self.args, self.paired)
        return np.array(list((self.apply or map)(energy, list(x))), dtype=float)

    def slopes(self, x: np.ndarray) -> np.ndarray:
        """jac (points*dim,) at x (points, dim); one point unless `vectorized`."""
        if self.vectorized:
            out = self.jac(np.array(x.T, order="C"), *self.args)
            return _array(out, (x.shape[1], len(x))).T.ravel()
        return _array(self.jac(x[0].copy(), *self.args), (x.shape[1],))

    def pair(self, x: np.ndarray) -> np.ndarray:
        """fun and its gradient (1 + dim,) at x (dim,), where one call brings both."""
        if self.compiled is not None:
            energies, gradients = self.compiled(x[None])
            return np.append(energies, gradients)
        f, gradient = _both(self.fun, self.args, x)
        return np.append(f, _array(gradient, x.shape))


@dataclass
class _Energy:
    """fun of one point as a number; a class, so that worker processes can be sent it."""

    fun: Any
    args: tuple[Any, ...]
    paired: bool

    def __call__(self, x: np.ndarray) -> float:
        if self.paired:
            return _both(self.fun, self.args, x)[0]
        return _number(_called(self.fun, self.args, x, math.nan))


def _both(fun: Any, args: tuple[Any, ...], x: np.ndarray) -> tuple[float, Any]:
    """The number and the gradient, unchecked, that one call of fun returns."""
    out = _called(fun, args, x, (math.nan, np.zeros_like(x)))
    try:
        f, gradient = out
    except (TypeError, ValueError):
        raise ValueError(f"with jac=True fun must return (f, gradient), not {shown(out)}") from None
    return _number(f), gradient


def _called(fun: Any, args: tuple[Any, ...], x: np.ndarray, failed: Any) -> Any:
    """``fun(x, *args)``, or `failed` where its arithmetic fails."""
    try:
        return fun(x.copy(), *args)
    except StopIteration as error:  # which would end the loop around it
        raise RuntimeError("fun raised StopIteration") from error
    except ArithmeticError:
        return failed
    except ValueError as error:
        if "math domain error" not in str(error):
            raise
        return failed


def _number(value: Any) -> float:
    if isinstance(value, float):
        return value
    _check_returned(value, "fun", "one real number")
    try:
        array = real_array(value, "f")
    except TypeError:
        raise ValueError(f"fun must return one real number, not {shown(value)}") from None
    if array.size != 1:
        more = "; with vectorized=True it gets x of shape (N, S) and returns (S,)"
        shape = f"{array.shape}{more if array.size else ''}"
        raise ValueError(f"fun must return one real number, not an array of shape {shape}")
    return float(array.reshape(-1)[0])


def _check_returned(out: Any, what: str, expected: str) -> None:
    if out is None:
        raise ValueError(f"{what} returned None; expected {expected}: does it end with return?")


def _array(out: Any, shape: tuple[int, ...]) -> np.ndarray:
    _check_returned(out, "the function", f"shape {shape}")
    if type(out) is np.ndarray and out.dtype == float:
        array = out.copy()
    else:
        array = real_array(out, "what the function returns")
    if array.size != math.prod(shape):
        raise ValueError(f"the function returned shape {array.shape}; expected {shape}")
    return array.reshape(shape)
