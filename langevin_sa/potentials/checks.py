"""What the factories of the catalogue share: a check of arrays, and minima of sums over coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import real_array
from ..naming import shown


def check_positive_arrays(**values: Any) -> None:
    """Raise a ValueError unless every value, a number or an array, is positive and finite."""
    for name, value in values.items():
        try:
            array = real_array(value, name)
            good = array.size > 0 and bool(np.all(np.isfinite(array) & (array > 0)))
        except TypeError:
            good = False
        if not good:
            raise ValueError(f"{name} must be a positive number, or an array of them, not {shown(value)}")


def everywhere(minima: Any, dim: int, most: int = 16) -> np.ndarray:
    """Minima (k, dim) of a sum over coordinates: every combination of one coordinate's, the uniform ones if too many."""
    minima = np.asarray(minima, dtype=float)
    if len(minima) == 1 or dim * np.log(len(minima)) > np.log(most):
        return np.repeat(minima[:, None], dim, axis=1)
    return np.stack([axis.ravel() for axis in np.meshgrid(*[minima] * dim, indexing="ij")], axis=1)
