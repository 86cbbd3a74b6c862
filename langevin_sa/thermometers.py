"""Temperatures and their errors: kinetic, Eq. (22), configurational and virial; and what they
should give, by quadrature.

Samples are arrays (records, replicas, dim), (records, dim) for one trajectory, as `anneal(...,
samples=True)` keeps them. With 16 replicas or more the error comes from their spread; otherwise
from blocking (Flyvbjerg, Petersen, J. Chem. Phys. 91, 461 (1989)).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .arguments import check_flags, check_type, finite, shown, warn
from .integrators import get_integrator
from .potential import Potential, real_array

ENOUGH_REPLICAS, FEWEST_BLOCKS, ENOUGH_SAMPLES = 16, 16, 50
REACH = 10  # records before and after one that are read with it, ...
LIKE = 0.25  # ... if their target is within this share of its own


class Estimate(NamedTuple):
    """A mean, its standard error, and how many independent samples it is worth."""

    value: float
    standard_error: float
    effective_samples: float

    def __str__(self) -> str:
        worth = f"{self.effective_samples:.0f} independent samples"
        return f"{self.value:.6g} +- {self.standard_error:.2g} ({worth})"


def blocking(series: Any) -> Estimate:
    """Mean of a correlated series with the error from its block averages.

    Neighbours are averaged until the error no longer grows beyond its own uncertainty; where the
    series is too short for that, the error is at least that of a series with the same correlation
    of neighbours and one time of correlation.

    Parameters
    ----------
    series : array (records,)
        A stationary series, at least two values.

    Returns
    -------
    Estimate
        `effective_samples` is variance/standard_error^2, at most the number of records.

    Raises
    ------
    ValueError
        For less than two values, or a value that is not finite.

    Warns
    -----
    RuntimeWarning
        For a correlated series worth less than 50 independent samples: too short for its own error,
        which is then a lower bound.

    References
    ----------
    Flyvbjerg, Petersen, J. Chem. Phys. 91, 461 (1989).
    """
    series = real_array(series, "a series")
    if series.ndim != 1 or series.size < 2 or not np.isfinite(series).all():
        raise ValueError(
            f"a series is a 1-D array of at least 2 finite numbers, not of shape {series.shape}"
        )
    mean, variance = float(series.mean()), float(series.var(ddof=1))
    if np.sqrt(variance) <= 1e-14 * abs(mean):
        return Estimate(mean, 0.0, float(series.size))
    best, blocks = variance / series.size, series
    while blocks.size >= 2 * FEWEST_BLOCKS:
        blocks = (blocks[: blocks.size // 2 * 2 : 2] + blocks[1::2]) / 2
        squared = float(blocks.var(ddof=1)) / blocks.size
        level = squared <= best * (1 + np.sqrt(2 / (blocks.size - 1)) / 4)
        best = max(best, squared)
        if level and blocks.size < series.size // 8:
            break
    else:  # too few blocks to see it level off: as in a series with one time of correlation
        best = max(best, variance / series.size * _correlation(series))
    worth = float(min(series.size, variance / best))
    if worth < min(ENOUGH_SAMPLES, series.size / 2):
        warn(
            f"the {series.size} records are worth about {worth:.0f} independent samples, which is "
            f"too few to know their error: take {np.sqrt(best):.2g} as a lower bound, or give a "
            f"longer series or {ENOUGH_REPLICAS} or more replicas",
            RuntimeWarning,
        )
    return Estimate(mean, float(np.sqrt(best)), worth)


def _correlation(series: np.ndarray) -> float:
    """(1 + r)/(1 - r) with r the correlation of neighbours, its bias taken off (Kendall, Biometrika
    41, 403 (1954)); 1 if r may be 0.
    """
    n, off = series.size, series - series.mean()
    r = float(off[1:] @ off[:-1] / (off @ off))
    if r <= 2 / np.sqrt(n):
        return 1.0
    r = min(r + (1 + 4 * r) / n, 1 - 1 / n)
    return (1 + r) / (1 - r)


def effective_sample_size(series: Any) -> float:
    """How many independent samples the mean of a correlated series (records,) is worth; see
    `blocking`.
    """
    return blocking(series).effective_samples


def average(values: Any) -> Estimate:
    """Mean of values (records,) or (records, replicas) with its standard error: by blocking, or
    from 16 or more replicas.
    """
    values = real_array(values, "values")
    if values.ndim == 1:
        return blocking(values)
    if values.ndim != 2 or not values.size or not np.isfinite(values).all():
        raise ValueError(
            "values must be finite and of shape (records,) or (records, replicas), not of shape "
            f"{values.shape}"
        )
    records, replicas = values.shape
    if replicas < ENOUGH_REPLICAS:
        return blocking(values.mean(1)) if records > 1 else blocking(values[0])
    means = values.mean(0)
    error = float(means.std(ddof=1) / np.sqrt(replicas))
    worth = float(values.var(ddof=1)) / error**2 if error else values.size
    return Estimate(float(means.mean()), error, float(min(values.size, worth)))


def eq22(dx: Any, dt: float, rescaled: bool = False) -> Estimate:
    """Eq. (22): T = <dx^2>/dt^2 as written; `rescaled` gives T dt^2 = <dx^2>, the unit in which an
    optimizer knows it.

    Exact for a free particle and single noise; 1/(1 - a/4) too hot for a harmonic mode with bbk, (1
    + rho)/2 of T with the paired integrators, for which `kinetic` is exact.

    Parameters
    ----------
    dx : array (records, replicas, dim) or (records, dim)
        Updates, x_{n+1} - x_n.
    dt : float
        Time step as the recursion knows it (`Steps.dt`); for the overdamped rows sqrt(2 h).

    Returns
    -------
    Estimate
        T (energy), or T dt^2 (length squared), with its error.

    Raises
    ------
    ValueError
        For dt that is not positive, or another shape.

    Examples
    --------
    >>> kept = {"samples": True, "record_every": 1, "rng": 1}
    >>> still = lsa.Schedule(1.0, dt=0.05)
    >>> run = lsa.anneal(U, [1.0] * U.dim, still, 4000, replicas=100, **kept)
    >>> dx = np.diff(run.samples, axis=0)
    >>> kinetic = lsa.thermometers.kinetic(dx, gamma=1.0, dt=0.05)
    >>> abs(kinetic.value - 1) < 5 * kinetic.standard_error + 0.01
    True
    """
    check_flags(rescaled=rescaled)
    if not rescaled and not (finite(dt) and dt > 0):
        raise ValueError(f"dt must be > 0, not {shown(dt)}")
    return average((_samples(dx, "dx") ** 2).mean(-1) / (1.0 if rescaled else dt**2))


def kinetic(dx: Any, gamma: float, dt: float, integrator: str = "gjf") -> Estimate:
    """The integrator's own kinetic estimator, <dx^2>/velocity_scale^2: <dx^2>/dt^2 for single
    noise, <dx^2>/lr for noise in halves, see `langevin_sa.momentum.Steps`. It is T for a free
    particle, and for noise in halves in every harmonic mode.

    Parameters
    ----------
    dx : array (records, replicas, dim) or (records, dim)
        Updates, x_{n+1} - x_n.
    gamma, dt, integrator
        What moved them.

    Returns
    -------
    Estimate
        T (energy) with its error.

    Raises
    ------
    ValueError
        For another shape, or numbers out of range.

    Examples
    --------
    See `eq22`: a run keeps dx as ``np.diff(run.samples, axis=0)`` where it records every step.
    """
    if not (finite(gamma) and gamma >= 0 and finite(dt) and dt > 0):
        raise ValueError(f"gamma must be >= 0 and dt > 0, not {shown(gamma)} and {shown(dt)}")
    scale = float(get_integrator(integrator).steps(gamma, dt, 1.0).velocity_scale)
    return average((_samples(dx, "dx") ** 2).mean(-1) / scale**2)


def _samples(x: Any, name: str) -> np.ndarray:
    """Samples as floats, finite and of a shape that thermometers read."""
    x = real_array(x, name)
    if x.ndim not in (2, 3) or not x.size or not np.isfinite(x).all():
        raise ValueError(
            f"{name} must be finite and of shape (records, replicas, dim) or (records, dim), not "
            f"of shape {x.shape}"
        )
    return x


def configurational(potential: Any, x: Any) -> Estimate:
    """<|grad U|^2>/<laplacian U>, the temperature of positions alone (Rugh 1997; Butler et al.
    1998).

    Parameters
    ----------
    potential : Potential
        U.
    x : array (records, replicas, dim) or (records, dim)
        Positions.

    Raises
    ------
    ValueError
        If the mean Laplacian is not positive within its error: the samples are at no temperature.
    """
    check_type(potential, Potential, "potential")
    x = _samples(x, "x")
    flat = x.reshape(-1, x.shape[-1])
    squares = (potential.gradient(flat) ** 2).sum(-1).reshape(x.shape[:-1])
    curvature = potential.laplacian(flat).reshape(x.shape[:-1])
    mean = float(curvature.mean())
    if not mean > 0:
        raise ValueError(
            f"the mean Laplacian of {potential.name} over these points is {mean:.3g}; a "
            "temperature needs a positive one"
        )
    T = float(squares.mean()) / mean
    rest = average((squares - T * curvature) / mean)  # the ratio's error to first order
    return Estimate(T, rest.standard_error, rest.effective_samples)


def configurational_history(history: Any) -> np.ndarray:
    """<|grad U|^2>/<laplacian U> at each record of a Result's history (records,), from the records
    near it at nearly the same target.

    Means of single records' ratios are biased where few replicas give the Laplacian; ratios of sums
    are not. What is averaged is the temperature in units of the target, so that hotter and colder
    neighbours do not shift it. NaN where the sum of Laplacians is not positive.
    """
    squares, laplacian, target = (
        np.asarray(a) for a in (history.squares, history.laplacian, history.target)
    )
    total, at = np.zeros((2, target.size)), np.arange(target.size)
    for k in range(-REACH, REACH + 1):
        near = at[(at + k >= 0) & (at + k < at.size)]
        near = near[np.abs(target[near + k] - target[near]) <= LIKE * target[near]]
        units = np.divide(
            target[near + k], target[near], out=np.ones(near.size), where=target[near] > 0
        )
        total[:, near] += squares[near + k], laplacian[near + k] * units
    return np.divide(total[0], total[1], out=np.full(at.size, np.nan), where=total[1] > 0)


def virial(potential: Any, x: Any) -> Estimate:
    """<x . grad U>/dim: the equipartition of positions, for a potential that confines every
    coordinate.

    Parameters
    ----------
    potential : Potential
        U.
    x : array (records, replicas, dim) or (records, dim)
        Positions.

    Raises
    ------
    ValueError
        In a periodic box, where it says nothing of the temperature.
    """
    check_type(potential, Potential, "potential")
    if np.any(getattr(potential.formula, "box", 0)):
        raise ValueError(
            f"{potential.name} lies in a periodic box, which confines no coordinate: x . grad U "
            "depends there on which image of a particle is meant; use configurational for the "
            "temperature, observables.virial and observables.pressure for the pressure"
        )
    x = _samples(x, "x")
    flat = x.reshape(-1, x.shape[-1])
    return average((flat * potential.gradient(flat)).mean(-1).reshape(x.shape[:-1]))


def boltzmann_density(potential: Any, temperature: float, axes: Sequence[Any]) -> np.ndarray:
    """exp(-U/T)/Z on a grid that covers all of it: one array of points an axis, (n,) or (n, m);
    normalized by the trapezoidal rule.

    Raises
    ------
    ValueError
        If the number of axes is not the dimension, or that is more than 3.
    """
    check_type(potential, Potential, "potential")
    if not isinstance(axes, Iterable):
        raise TypeError(f"axes must be arrays of points, one an axis, not {shown(axes)}")
    axes = [real_array(axis, "an axis") for axis in axes]
    if not all(axis.ndim == 1 and axis.size > 1 and np.isfinite(axis).all() for axis in axes):
        raise ValueError(
            "an axis is a 1-D array of at least 2 finite numbers, not of shape "
            f"{[axis.shape for axis in axes]}"
        )
    if not (finite(temperature) and temperature > 0):
        raise ValueError(f"temperature must be > 0, not {shown(temperature)}")
    if len(axes) != potential.dim or potential.dim > 3:
        raise ValueError(
            f"{potential.name} has dim {potential.dim}: give one axis for each of at most 3 "
            f"coordinates, not {len(axes)}"
        )
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    energy = potential.energy(grid.reshape(-1, potential.dim)).reshape(grid.shape[:-1])
    density = np.exp(-(energy - energy.min()) / temperature)
    total: Any = density
    for axis in reversed(axes):
        total = np.trapezoid(total, axis, axis=-1)
    return density / total


def boltzmann_average(
    potential: Any, temperature: float, function: Callable[[np.ndarray], Any], axes: Sequence[Any]
) -> float:
    """<function(x)> over exp(-U/T)/Z by quadrature; function of (points, dim), axes as in
    `boltzmann_density`.
    """
    density = boltzmann_density(potential, temperature, axes)
    axes = [np.asarray(axis, dtype=float) for axis in axes]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    values = np.asarray(function(grid.reshape(-1, potential.dim)))
    total: Any = density * values.reshape(density.shape)
    for axis in reversed(axes):
        total = np.trapezoid(total, axis, axis=-1)
    return float(total)


def boltzmann_bins(
    potential: Any, temperature: float, edges: Sequence[Any], margin: float = 0.0, points: int = 16
) -> np.ndarray:
    """Probability of each bin under exp(-U/T)/Z, by `points` midpoints an axis; Z includes `margin`
    beyond the edges.

    Parameters
    ----------
    potential : Potential
        Of dim 1 or 2.
    temperature : float
        T (energy).
    edges : sequence of arrays
        Evenly spaced bin edges of each axis.
    margin : float
        Length beyond the outer edges where there is still probability.
    """
    check_type(potential, Potential, "potential")
    if not (finite(temperature) and temperature > 0):
        raise ValueError(f"temperature must be > 0, not {shown(temperature)}")
    fine, cut = [], []
    for edge in (real_array(e, "edges") for e in edges):
        if edge.ndim != 1 or edge.size < 2 or not (np.isfinite(edge).all() and edge[1] > edge[0]):
            raise ValueError(
                f"edges must be at least 2 finite numbers that ascend, not {shown(edge)}"
            )
        width = edge[1] - edge[0]
        extra = int(np.ceil(margin / width))
        bins = len(edge) - 1 + 2 * extra
        fine.append(edge[0] - extra * width + (np.arange(bins * points) + 0.5) * width / points)
        cut.append(slice(extra, bins - extra))
    grid = np.stack(np.meshgrid(*fine, indexing="ij"), axis=-1)
    energy = potential.energy(grid.reshape(-1, potential.dim)).reshape(grid.shape[:-1])
    density = np.exp(-(energy - energy.min()) / temperature)
    shape = [size for axis in fine for size in (len(axis) // points, points)]
    sums = density.reshape(shape).sum(tuple(range(1, len(shape), 2)))
    return np.asarray((sums / sums.sum())[tuple(cut)])
