"""What the factories of the catalogue share: checks of their arguments, and minima of sums over coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import naming
from ..naming import shown
from ..potential import MOST, real_array


def positive(**values: Any) -> None:
    """Raise a ValueError unless every value is a positive and finite number."""
    for name, value in values.items():
        if not (naming.finite(value) and value > 0):
            raise ValueError(f"{name} must be positive and finite, not {shown(value)}")


def positive_arrays(**values: Any) -> None:
    """Raise a ValueError unless every value, a number or an array, is positive and finite."""
    for name, value in values.items():
        try:
            array = real_array(value, name)
            good = array.size > 0 and bool(np.all(np.isfinite(array) & (array > 0)))
        except TypeError:
            good = False
        if not good:
            raise ValueError(f"{name} must be positive and finite, not {shown(value)}")


def finite(**values: Any) -> None:
    """Raise a ValueError unless every value is a finite number."""
    for name, value in values.items():
        if not naming.finite(value):
            raise ValueError(f"{name} must be a finite number, not {shown(value)}")


def count(low: int, high: int | None = None, **values: Any) -> None:
    """Raise a ValueError unless every value is an integer from `low` to `high`."""
    for name, value in values.items():
        if not naming.whole(value) or not low <= value <= (high or MOST):
            limits = f"of at least {low}" if high is None else f"from {low} to {high}"
            raise ValueError(f"{name} must be an integer {limits}, not {shown(value)}")


def everywhere(minima: Any, dim: int, most: int = 16) -> np.ndarray:
    """Minima (k, dim) of a sum over coordinates: every combination of one coordinate's, the uniform ones if too many."""
    minima = np.asarray(minima, dtype=float)
    if len(minima) == 1 or dim * np.log(len(minima)) > np.log(most):
        return np.repeat(minima[:, None], dim, axis=1)
    return np.stack([axis.ravel() for axis in np.meshgrid(*[minima] * dim, indexing="ij")], axis=1)
