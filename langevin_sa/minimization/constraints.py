"""Constraints in SciPy's forms, read as one function with limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import LinearConstraint, NonlinearConstraint

from ..arguments import shown
from ..own.function import array
from ..potential import real_array

FORMS = (
    "a LinearConstraint, a NonlinearConstraint, or a dict with 'type' and 'fun', or a list of them"
)
KEYS = {"type", "fun", "jac", "args"}


@dataclass
class Constraint:
    """``low <= fun(x) <= high``, for the components (m,) of fun; jac (m, dim) or None."""

    fun: Callable[[np.ndarray], Any]
    jac: Callable[[np.ndarray], Any] | None
    low: np.ndarray
    high: np.ndarray

    @property
    def size(self) -> int:
        """Components."""
        return len(self.low)


def listed(given: Any) -> list[Any]:
    """SciPy's constraints, one or a sequence or None, as a list; a TypeError if they are none."""
    one = isinstance(given, dict | LinearConstraint | NonlinearConstraint)
    try:
        parts = [given] if one else [] if given is None else list(given)
    except TypeError:
        raise TypeError(f"constraints must be {FORMS}, not {shown(given)}") from None
    for part in parts:
        if not isinstance(part, dict | LinearConstraint | NonlinearConstraint):
            raise TypeError(f"constraints must be {FORMS}, not {shown(part)}")
    return parts


def read(parts: Sequence[Any], x0: np.ndarray) -> list[Constraint]:
    """SciPy's constraints of points like x0 (dim,), where each is asked how many components it has.

    Raises
    ------
    TypeError, ValueError
        For one that is not as SciPy says, and for a wish that cannot be met.
    """
    return [_read(part, x0) for part in parts]


def _read(part: Any, x0: np.ndarray) -> Constraint:
    if isinstance(part, dict):
        return _of_dict(part, x0)
    if np.any(part.keep_feasible):
        raise ValueError(
            "keep_feasible=True cannot be met: descents come from outside of constraints; bounds= "
            "are kept at every evaluation"
        )
    fun: Any
    jac: Any
    if isinstance(part, LinearConstraint):
        whole = part.A.toarray() if hasattr(part.A, "toarray") else part.A
        matrix = np.atleast_2d(real_array(whole, "A of a LinearConstraint"))
        if matrix.ndim != 2 or matrix.shape[1] != x0.size or not np.isfinite(matrix).all():
            raise ValueError(
                f"A of a LinearConstraint must be finite numbers of shape (m, {x0.size}), not "
                f"{shown(part.A)}"
            )
        fun, jac = lambda x: matrix @ x, lambda x: matrix
    else:
        fun, jac = part.fun, part.jac if callable(part.jac) else None
        if not callable(fun):
            raise TypeError(f"fun of a NonlinearConstraint must be a function, not {shown(fun)}")
        if jac is None and part.jac not in ("2-point", "3-point", None):
            raise ValueError(
                f"jac of a NonlinearConstraint must be a function or '2-point', not "
                f"{shown(part.jac)}"
            )
    size = _size(fun, x0)
    try:
        low, high = (
            np.broadcast_to(real_array(side, "a limit"), (size,)).copy()
            for side in (part.lb, part.ub)
        )
    except (TypeError, ValueError):
        limits = f"({shown(part.lb)}, {shown(part.ub)})"
        raise ValueError(
            f"lb and ub of a constraint must be numbers for its {size} components, not {limits}"
        ) from None
    return _checked(Constraint(fun, jac, low, high))


def _of_dict(part: dict, x0: np.ndarray) -> Constraint:
    kind, args = part.get("type"), part.get("args", ())
    if not isinstance(kind, str) or kind.lower() not in ("eq", "ineq"):
        raise ValueError(f"type of a constraint must be 'eq' or 'ineq', not {shown(kind)}")
    if part.keys() - KEYS:
        raise ValueError(
            f"a constraint's dict has {', '.join(sorted(KEYS))}, not {shown(part.keys() - KEYS)}"
        )
    args = args if isinstance(args, tuple) else (args,)
    fun, jac = part.get("fun"), part.get("jac")
    if not callable(fun):
        raise TypeError(f"fun of a constraint must be a function, not {shown(fun)}")
    if not (callable(jac) or jac is None or jac is False or jac in ("2-point", "3-point")):
        raise TypeError(f"jac of a constraint must be a function or None, not {shown(jac)}")
    value: Any = fun
    slope: Any = jac if callable(jac) else None
    if args:
        value = lambda x: fun(x, *args)  # noqa: E731
        slope = None if slope is None else lambda x: jac(x, *args)  # type: ignore[misc]
    size = _size(value, x0)
    most = 0.0 if kind.lower() == "eq" else np.inf
    return _checked(Constraint(value, slope, np.zeros(size), np.full(size, most)))


def _size(fun: Callable[[np.ndarray], Any], x0: np.ndarray) -> int:
    found = np.atleast_1d(real_array(fun(x0.copy()), "what a constraint returns"))
    if found.ndim != 1:
        raise ValueError(f"a constraint must return numbers (m,), not shape {found.shape}")
    return found.size


def _checked(part: Constraint) -> Constraint:
    wrong = ~(part.low <= part.high) | (part.low == np.inf) | (part.high == -np.inf)
    if wrong.any():
        k = int(np.argmax(wrong))
        raise ValueError(
            f"nothing lies between the limits of a constraint: component {k}: "
            f"({part.low[k]:g}, {part.high[k]:g})"
        )
    return part


class Constraints:
    """All constraints as one function c of points x, ``low <= c(x) <= high``."""

    def __init__(self, parts: Sequence[Constraint]) -> None:
        self.parts = list(parts)
        self.low = np.concatenate([part.low for part in parts])
        self.high = np.concatenate([part.high for part in parts])
        self.equal = self.low == self.high
        self.sloped = any(part.jac is not None for part in parts)

    def __len__(self) -> int:
        return len(self.low)

    def split(self, values: np.ndarray) -> list[np.ndarray]:
        """Values (m,) by constraint."""
        return np.split(values, np.cumsum([part.size for part in self.parts])[:-1])

    def values(self, x: np.ndarray) -> np.ndarray:
        """c (m,) at x (1, dim)."""
        return np.concatenate([array(part.fun(x[0].copy()), (part.size,)) for part in self.parts])

    def slopes(self, x: np.ndarray) -> np.ndarray:
        """The Jacobian (m*dim,) at x (1, dim); NaN for parts that do not have one."""
        dim = x.shape[1]
        rows = [
            np.full((part.size, dim), np.nan)
            if part.jac is None
            else array(_dense(part.jac(x[0].copy())), (part.size, dim))
            for part in self.parts
        ]
        return np.concatenate(rows).ravel()

    def excess(self, values: np.ndarray) -> np.ndarray:
        """By how much values (m,) are outside, 0 within; +inf for what is no number."""
        excess = np.maximum(np.maximum(self.low - values, values - self.high), 0.0)
        return np.where(np.isnan(values), np.inf, excess)


def _dense(matrix: Any) -> Any:
    return matrix.toarray() if hasattr(matrix, "toarray") else matrix
