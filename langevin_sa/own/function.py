"""Functions of one point in SciPy's convention, called, checked, and looped over replicas."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arguments import real_array, shown


@dataclass(frozen=True)
class OnePoint:
    """``fun(x, *args) -> float`` and its gradient over replicas, one after the other.

    Parameters
    ----------
    fun, jac : callable
        As of `scipy.optimize.minimize`: jac is a function, True if fun returns (f, gradient), or
        None.
    args : tuple
        Further arguments of both.
    """

    fun: Callable[..., Any]
    jac: Any = None
    args: tuple[Any, ...] = ()

    def energy(self, x: np.ndarray) -> np.ndarray:
        """Energies (replicas,) at x (replicas, dim)."""
        energy = Energy(self.fun, self.args, paired=False)
        return np.array([energy(point) for point in x])

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """Gradients (replicas, dim)."""
        slopes = [called(self.jac, self.args, point, np.full_like(point, np.nan)) for point in x]
        return np.array([array(slope, x.shape[1:], "jac") for slope in slopes]).reshape(x.shape)

    def energy_gradient(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both of a function that returns both."""
        found = [both(self.fun, self.args, point) for point in x]
        gradients = [array(gradient, x.shape[1:], "fun") for _, gradient in found]
        return np.array([f for f, _ in found]), np.array(gradients).reshape(x.shape)


@dataclass
class Energy:
    """fun of one point as a number; a class, so that worker processes can be sent it."""

    fun: Any
    args: tuple[Any, ...]
    paired: bool

    def __call__(self, x: np.ndarray) -> float:
        if self.paired:
            return both(self.fun, self.args, x)[0]
        return number(called(self.fun, self.args, x, math.nan))


def both(fun: Any, args: tuple[Any, ...], x: np.ndarray) -> tuple[float, Any]:
    """The number and the gradient, unchecked, that one call of fun returns."""
    out = called(fun, args, x, (math.nan, np.zeros_like(x)))
    try:
        f, gradient = out
    except (TypeError, ValueError):
        raise ValueError(f"with jac=True fun must return (f, gradient), not {shown(out)}") from None
    return number(f), gradient


def called(fun: Any, args: tuple[Any, ...], x: np.ndarray, failed: Any) -> Any:
    """``fun(x, *args)``, or `failed` where its arithmetic fails."""
    try:
        return fun(x.astype(float), *args)
    except StopIteration as error:  # which would end the loop around it
        raise RuntimeError("fun raised StopIteration") from error
    except ArithmeticError:
        return failed
    except ValueError as error:
        if "math domain error" not in str(error):
            raise
        return failed


def number(value: Any) -> float:
    """What fun returned as a number; a ValueError if it is none."""
    if isinstance(value, float):
        return value
    _check_returned(value, "fun", "one real number")
    try:
        values = real_array(value, "f")
    except TypeError:
        raise ValueError(f"fun must return one real number, not {shown(value)}") from None
    if values.size != 1:
        more = "; functions of many points are for minimize(vectorized=True) or Potential(energy)"
        shape = f"{values.shape}{more if values.size else ''}"
        raise ValueError(f"fun must return one real number, not an array of shape {shape}")
    return float(values.reshape(-1)[0])


def array(out: Any, shape: tuple[int, ...], what: str = "the function") -> np.ndarray:
    """What a function returned as an array of this shape; a ValueError if it has other numbers."""
    _check_returned(out, what, f"shape {shape}")
    if type(out) is np.ndarray and out.dtype == float:
        values = out.copy()
    else:
        values = real_array(out, f"what {what} returns")
    if values.size != math.prod(shape):
        raise ValueError(f"{what} returned shape {values.shape}; expected {shape}")
    return values.reshape(shape)


def _check_returned(out: Any, what: str, expected: str) -> None:
    if out is None:
        raise ValueError(f"{what} returned None; expected {expected}: does it end with return?")
