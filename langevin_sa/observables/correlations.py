"""Correlations in time, from samples at equal distances in time."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import check_positive, check_whole, real_array
from ..thermometers import Estimate, average


def autocorrelation(series: Any, lags: int | None = None) -> np.ndarray:
    """<a(t) a(t + lag)>/<a a>, a what a series is above its mean, over all replicas and origins t.

    Parameters
    ----------
    series : array (records,), (records, replicas) or (records, replicas, components)
        Stationary values, of which all replicas have one mean; products of components are added up.
    lags : int, optional
        The largest lag in records; half of the records by default.

    Returns
    -------
    ndarray (lags + 1,)
        1 at lag 0. Each lag is a mean over its own origins, so that it is unbiased but for the mean
        that is taken off (of the order of the time of correlation over the length).

    Raises
    ------
    ValueError
        For less than two records, lags that reach beyond them, or a constant series.

    Examples
    --------
    >>> autocorrelation([1.0, -1.0, 1.0, -1.0], lags=2)
    array([ 1., -1.,  1.])
    """
    a, lags = _series(series, lags, "a series")
    a -= a.mean((0, 1))
    products = np.array([_later(a, lag) for lag in range(lags + 1)])
    if not products[0] > 0:
        raise ValueError("the series is constant, and has no correlation")
    return products / products[0]


def _later(a: np.ndarray, lag: int) -> float:
    return float(np.vdot(a[: len(a) - lag], a[lag:])) / (len(a) - lag)


def mean_square_displacement(x: Any, lags: int | None = None, particles: int = 1) -> np.ndarray:
    """<|x(t + lag) - x(t)|^2> of a particle, over particles, replicas and origins t.

    Parameters
    ----------
    x : array (records, dim) or (records, replicas, dim)
        Positions, not wrapped into a box (those of the package are not).
    lags : int, optional
        The largest lag in records; half of the records by default.
    particles : int
        Into how many particles the coordinates fall.

    Returns
    -------
    ndarray (lags + 1,)
        In length^2, 0 at lag 0.
    """
    x, _ = _particles(x, particles)
    x, lags = _series(x, lags, "x")
    whole = [((x[lag:] - x[: len(x) - lag]) ** 2).sum(-1).mean() for lag in range(lags + 1)]
    return np.array(whole) / particles


def diffusion(x: Any, time: float, lags: tuple[int, int], particles: int = 1) -> Estimate:
    """Einstein's diffusion constant, the slope of the mean-square displacement between two lags
    over twice the dimensions of space.

    Parameters
    ----------
    x : array (records, dim) or (records, replicas, dim)
        Positions, not wrapped into a box.
    time : float
        Between two records.
    lags : (int, int)
        In records: the first after velocities (or cages) are forgotten, some times of relaxation.
    particles : int
        Into how many particles the coordinates fall.

    Returns
    -------
    Estimate
        In length^2 per time, with the error from 16 or more replicas or by blocking over origins.

    Examples
    --------
    >>> steps = np.random.default_rng(2).standard_normal((2000, 32, 1))
    >>> print(diffusion(steps.cumsum(0), time=0.5, lags=(1, 5)))
    0.988718 +- 0.017 (10085 independent samples)
    """
    x, space = _particles(x, particles)
    check_positive(time=time)
    try:
        first, last = lags
    except (TypeError, ValueError):
        raise TypeError(f"lags must be two whole numbers, not {lags!r}") from None
    check_whole(0, **{"the first of lags": first})
    x, last = _series(x, last, "x")
    if not first < last or len(x) - last < 2:
        raise ValueError(f"lags must ascend and leave two origins of {len(x)}, not {lags!r}")
    origins = len(x) - last
    near, far = (
        ((x[lag : lag + origins] - x[:origins]) ** 2).sum(-1) for lag in (int(first), last)
    )
    slope = (far - near) / (particles * (last - int(first)) * time)
    return average(slope / (2 * space))


def _particles(x: Any, particles: int) -> tuple[np.ndarray, int]:
    """Positions as (records, replicas, dim), and dimensions of space."""
    check_whole(1, particles=particles)
    x = real_array(x, "x")
    if x.ndim not in (2, 3) or x.shape[-1] < 1 or x.shape[-1] % particles:
        raise ValueError(
            "x must have shape (records, dim) or (records, replicas, dim), dim a multiple of "
            f"particles={particles}, not {x.shape}"
        )
    return x.reshape(len(x), -1, x.shape[-1]), x.shape[-1] // particles


def _series(series: Any, lags: Any, what: str) -> tuple[np.ndarray, int]:
    """A series as (records, replicas, components), and the largest lag."""
    a = real_array(series, what)
    if a.ndim not in (1, 2, 3) or len(a) < 2 or not a.size or not np.isfinite(a).all():
        raise ValueError(
            f"{what} must be finite and of shape (records,), (records, replicas) or (records, "
            f"replicas, components) with two records or more, not of shape {a.shape}"
        )
    lags = len(a) // 2 if lags is None else lags
    check_whole(0, len(a) - 1, lags=lags)
    return a.reshape(*a.shape, *[1] * (3 - a.ndim)), int(lags)
