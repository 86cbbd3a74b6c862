"""Minima of sums over coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np


def everywhere(minima: Any, dim: int, most: int = 16) -> np.ndarray:
    """Minima (k, dim) of a sum over coordinates: every combination of one coordinate's, the uniform
    ones if too many.
    """
    minima = np.asarray(minima, dtype=float)
    if len(minima) == 1 or dim * np.log(len(minima)) > np.log(most):
        return np.repeat(minima[:, None], dim, axis=1)
    return np.stack([axis.ravel() for axis in np.meshgrid(*[minima] * dim, indexing="ij")], axis=1)
