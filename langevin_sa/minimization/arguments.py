"""What `minimize` is given, checked and put into one form before any work starts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.optimize import Bounds

from ..naming import look_up
from ..potential import Potential
from .ensemble import COOLING


def check_numbers(**numbers: Any) -> None:
    """Raise a ValueError unless each is None or a number >= 0; a target may be any number."""
    for name, value in numbers.items():
        least = -math.inf if name == "target" else 0
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not value >= least):
            raise ValueError(f"{name} must be a number{'' if name == 'target' else ' >= 0'}, not {value!r}")


def check_annealing(replicas: Any, n_steps: Any, gradient_noise: Any, cooling: str) -> None:
    """Raise a ValueError for options of the annealing strategies that make no sense."""
    for name, count, least in (("replicas", replicas, 2), ("n_steps", n_steps, 1)):
        if count is not None and (isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < least):
            raise ValueError(f"{name} must be a whole number >= {least}, not {count!r}")
    variance = isinstance(gradient_noise, (int, float, np.number)) and 0 <= gradient_noise < math.inf
    if not (variance or gradient_noise is None or gradient_noise == "estimate"):
        raise ValueError(f"gradient_noise must be a variance >= 0 or 'estimate', not {gradient_noise!r}")
    look_up(cooling, COOLING, "cooling")


def function_and_gradient(fun: Any, jac: Any) -> tuple[Any, Any]:
    """fun and jac with SciPy's memoized pair turned back into one function that returns both."""
    inner = getattr(fun, "fun", None)
    if jac is not None and getattr(jac, "__self__", None) is fun and callable(inner) and hasattr(fun, "derivative"):
        return inner, True
    if isinstance(jac, str):
        if jac not in ("2-point", "3-point", "cs"):
            raise ValueError(f"jac must be a function, True, None or '2-point', not {jac!r}")
        return fun, None
    if jac is not None and not isinstance(jac, (bool, np.bool_)) and not callable(jac):
        raise TypeError(f"jac must be a function, True, None or '2-point', not {jac!r}")
    return fun, jac if callable(jac) else (True if jac else None)


def starting_point(fun: Any, x0: Any, bounds: Any, seed: int) -> tuple[np.ndarray, Any]:
    """The starting point, and the domain of a potential."""
    domain = fun.bounds if isinstance(fun, Potential) else None
    generator = np.random.default_rng([seed, 1])
    if x0 is None:
        if isinstance(fun, Potential):
            return fun.draw_start(1, generator)[0], domain
        if bounds is None:
            raise TypeError("x0 is missing: give a starting point, or bounds to draw one from, or a Potential")
        low, high = limits(bounds, None)
        if not np.isfinite([low, high]).all():
            raise ValueError("without x0 all bounds must be finite")
        return generator.uniform(low, high), None
    try:
        point = np.atleast_1d(np.array(x0, dtype=float))
    except (TypeError, ValueError):
        raise TypeError(f"x0 must be an array of numbers, not {x0!r}") from None
    if point.ndim != 1 or point.size == 0:
        raise ValueError(f"'x0' must only have one dimension, not shape {point.shape}")
    if isinstance(fun, Potential) and point.size != fun.dim:
        raise ValueError(f"x0 must have shape ({fun.dim},) for {fun.name}, not {point.shape}")
    if not np.isfinite(point).all():
        raise ValueError(f"x0 must be finite, not {point}")
    return point, domain


def limits(bounds: Any, dim: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bounds (dim,), infinite where there are none."""
    if bounds is None:
        return np.full(dim or 0, -np.inf), np.full(dim or 0, np.inf)
    try:
        if isinstance(bounds, Bounds):
            shape = (dim,) if dim is not None else np.broadcast_shapes(np.shape(bounds.lb), np.shape(bounds.ub))
            low, high = (np.broadcast_to(np.asarray(b, dtype=float), shape).copy() for b in (bounds.lb, bounds.ub))
        else:
            pairs = [(-np.inf if a is None else a, np.inf if b is None else b) for a, b in bounds]
            low, high = np.array(pairs, dtype=float).reshape(-1, 2).T.copy()
    except (TypeError, ValueError):
        raise ValueError(f"bounds must be a Bounds or a sequence of (low, high), not {bounds!r}") from None
    if dim is not None and low.size != dim:
        raise ValueError(f"there are {low.size} bounds and {dim} coordinates")
    low, high = np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)
    if (low > high).any():
        k = int(np.argmax(low > high))
        raise ValueError(f"an upper bound is less than the lower bound: coordinate {k} has ({low[k]:g}, {high[k]:g})")
    return low, high
