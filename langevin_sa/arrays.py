"""Arrays that a user gives, and boxes of coordinates: checked, and the surroundings of points when none is given."""

from __future__ import annotations

from typing import Any

import numpy as np

from .naming import shown

FARTHEST = 1e300  # where a bound may lie
NO_NUMBERS = (str, bytes, np.datetime64, np.timedelta64, np.complexfloating, type(None))  # although float or NumPy would convert them


def real_array(value: Any, what: str) -> np.ndarray:
    """A copy as float64; a TypeError unless it is an array of real numbers with no entry masked."""
    try:
        raw = np.asarray(value)
        odd = raw.dtype == object and any(isinstance(v, NO_NUMBERS) for v in raw.flat)
        if odd or raw.dtype.kind not in "biufO" or np.ma.is_masked(value):
            raise TypeError
        with np.errstate(over="ignore"):
            return np.array(raw, dtype=float)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"{what} must be an array of real numbers, none of them masked, not {shown(value)}") from None


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


def box_of(value: Any, dim: int, what: str) -> np.ndarray:
    """One (low, high) for all coordinates or one for each, as an array (dim, 2); a ValueError unless finite with low < high."""
    try:
        out = np.broadcast_to(real_array(value, what), (dim, 2)).copy()
    except (TypeError, ValueError):
        raise ValueError(f"{what} must be one (low, high), or {dim} of them, not {shown(value)}") from None
    if not (np.abs(out) < FARTHEST).all() or not (out[:, 0] < out[:, 1]).all():
        raise ValueError(f"each (low, high) of {what} must be finite with low < high, not {shown(value)}; at most {FARTHEST:g}")
    return out


def around(points: np.ndarray, alone: float) -> np.ndarray:
    """A box (dim, 2) around points (k, dim), with a margin of 0.4 of their extent, or of `alone` where they have none."""
    low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
    margin = np.where(high - low > 1e-3, 0.4 * (high - low), alone)
    return np.stack([low - margin, high + margin], axis=-1)


def ceiling(energies: np.ndarray, quantile: float = 0.6) -> float:
    """Where to cut an energy axis so that steep walls, or a wild start, do not squeeze the rest."""
    energies = energies[np.isfinite(energies)]
    if not energies.size:
        return np.nan
    low, usual = energies.min(), np.quantile(energies, quantile)
    return float(min(energies.max(), low + 2 * (usual - low)))
