"""Schedules from the potential: how hot to start, how cold to end, how long a step may be.

The rules, in order:

1. Points: the starting points, plus draws from the potential's domain if there are fewer than 8
   (or normal jitter of unit width around the start if it has no domain).
2. T0 from the energy spread: an equilibrium with `dim` quadratic degrees of freedom has std(U) =
   T sqrt(dim/2), so T0 = spread * sqrt(2/dim), with the spread from quartiles, so that a few points
   on steep walls do not set it.
3. A short hot run at T0 (200 steps from the points, its time step from the curvature there); the
   largest curvature k met on the way or at the starting points, by differences of the gradient,
   sets dt = 0.35/sqrt(k): then the thermostat is off by less than 4 % in the stiffest mode for
   every integrator.
4. gamma = half the root of the mean curvature: near the fastest barrier crossing (Kramers'
   turnover).
5. T1 = T0/10,000.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .arguments import check_type, finite, look_up, on_host, real_array, shown
from .backends.choose import get_backend
from .backends.walk import NonFinite, Walk
from .noise import seed_of
from .potential import Potential
from .scale import difference, steps
from .schedules import Schedule, constant, exponential, linear, logarithmic, power, quench

LAWS = {law.__name__: law for law in (exponential, linear, logarithmic, power, quench)}
LAWS["constant"] = lambda start, end: constant(start)
OMEGA_DT, HOT_STEPS, COLDEST = 0.35, 200, 1e-4  # rules 3 and 5
POINTS, FEWEST = 16, 8  # whose curvature is looked at; that a spread needs
POINT_NUMBERS = 100_000  # coordinates of all points, so that large systems do not wait
DENSE_DIM, LARGEST_DIM = 32, 1_000_000  # up to which a Hessian is kept whole; is looked for


def automatic_schedule(
    potential: Potential,
    x0: Any = None,
    rng: int = 0,
    law: str = "exponential",
    temperature: tuple[float | None, float | None] = (None, None),
    gamma: float | None = None,
    dt: float | None = None,
    integrator: str = "gjf",
) -> Schedule:
    """A schedule for a potential; what is given is kept, what is None is chosen by the rules at the
    top of this file.

    Parameters
    ----------
    x0 : array (replicas, dim) or (dim,), optional
        Starting points; drawn from the potential's domain if None.
    rng : int
        Seed of the hot run.
    law : {"exponential", "linear", "logarithmic", "power", "quench", "constant"}
        How temperature goes from T0 to T1.
    temperature : (T0, T1)
        In units of the energy.
    gamma, dt : float, optional
        Friction (1/time) and time step.
    """
    check_type(potential, Potential, "potential")
    make = look_up(law, LAWS, "temperature law")
    pair = isinstance(temperature, tuple | list) and len(temperature) == 2
    hot, cold = temperature if pair else (np.nan, np.nan)
    for name, given, values in (
        ("temperature", temperature, (hot, cold)),
        ("gamma", gamma, (gamma,)),
        ("dt", dt, (dt,)),
    ):
        if not all(value is None or (finite(value) and value >= 0) for value in values):
            raise ValueError(f"{name} must be >= 0, or None, not {shown(given)}")
    rng = seed_of(rng)
    if hot is not None and cold is not None and gamma is not None and dt is not None:
        return Schedule(make(hot, cold), gamma, dt)
    points = _points(potential, x0, np.random.default_rng(rng))
    if hot is None:
        hot = spread_temperature(potential.energy(points), potential.dim)
    if dt is None or gamma is None:
        seen = _hot_run(potential, points, hot, rng)
        start = start_points(points if x0 is None else np.atleast_2d(real_array(x0, "x0")))
        stiffest = max(largest_curvature(potential, met) for met in (seen, start))
        mean = float(np.mean(np.abs(_mean_curvatures(potential, seen, rng))))
        dt = OMEGA_DT / np.sqrt(stiffest if stiffest > 0 else mean or 1.0) if dt is None else dt
        gamma = 0.5 * np.sqrt(mean or 1.0) if gamma is None else gamma
    cold = COLDEST * hot if cold is None else cold
    return Schedule(make(float(hot), float(cold)), float(gamma), float(dt))


@np.errstate(over="ignore", invalid="ignore")  # points where a gradient is not finite are left out
def largest_curvature(potential: Potential, points: np.ndarray) -> float:
    """Largest eigenvalue of the Hessian over at most `POINTS` points, from differences of the
    gradient.
    """
    dim = potential.dim
    points = points[np.linspace(0, len(points) - 1, min(len(points), POINTS)).astype(int)]
    if dim <= DENSE_DIM:
        h, here = steps(potential, points), potential.gradient(points)
        hessian = np.empty((len(points), dim, dim))
        for c, way in enumerate(np.eye(dim)):
            hessian[:, c] = difference(potential.gradient, points, h * way, here) / h[:, c, None]
        hessian = hessian[np.isfinite(hessian).all((1, 2))]
        return float(np.linalg.eigvalsh((hessian + hessian.swapaxes(1, 2)) / 2).max(initial=0.0))
    from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

    largest = 0.0
    for x in points[:: max(1, len(points) // 4)]:
        x = x[None]
        h, here = steps(potential, x), potential.gradient(x)

        def product(
            v: np.ndarray, x: np.ndarray = x, h: np.ndarray = h, here: np.ndarray = here
        ) -> np.ndarray:
            v = v.ravel()
            size = (np.abs(v) / h[0]).max()  # of v in steps
            return difference(potential.gradient, x, v[None] / size, here)[0] * size

        start = np.random.default_rng(0).standard_normal(dim)
        operator = LinearOperator((dim, dim), matvec=product, dtype=float)
        how = {"which": "LA", "tol": 0.02, "v0": start, "return_eigenvectors": False}
        try:
            largest = max(largest, float(eigsh(operator, 1, **how)[0]))
        except ArpackError:
            continue
    return largest


def start_points(x0: Any) -> np.ndarray:
    """The starting points whose curvature a run asks for before it begins, of x0 (replicas,
    dim).
    """
    return on_host(x0[:: max(1, len(x0) // POINTS)]).astype(float)


def omega_dt(potential: Potential, points: np.ndarray, dt: float) -> float:
    """Largest omega*dt over some points; 0 for systems of more than 1,000,000 coordinates, where it
    is not looked for.
    """
    if potential.dim > LARGEST_DIM:
        return 0.0
    return float(np.sqrt(max(largest_curvature(potential, points), 0.0)) * dt)


def _points(potential: Potential, x0: Any, generator: np.random.Generator) -> np.ndarray:
    most = max(FEWEST, min(8 * POINTS, POINT_NUMBERS // potential.dim))
    points = potential.draw_start(most, generator) if x0 is None else potential._block(x0)[0]
    if not len(points):
        raise ValueError(f"x0 must hold at least one point, not shape {points.shape}")
    if len(np.unique(points, axis=0)) < FEWEST:
        drawn = potential.draw_start(most, generator)
        points = np.vstack([points[:1], drawn if potential.has_domain else points[:1] + drawn])
    points = points[:: max(1, len(points) // most)]
    finite = np.isfinite(potential.energy(points))
    if not finite.any():
        raise ValueError(
            f"the energy of {potential.name} is finite at none of {len(points)} points: give x0 "
            "where it is, or a schedule"
        )
    return points[finite]


def spread_temperature(energies: np.ndarray, dim: int) -> float:
    """T0 by rule 2, 1 where there is no spread."""
    sound = energies[np.isfinite(energies)]
    low, high = np.quantile(sound, (0.25, 0.75)) if sound.size else (0.0, 0.0)
    return float(high - low) / 1.349 * float(np.sqrt(2 / dim)) or 1.0


def _mean_curvatures(potential: Potential, points: np.ndarray, seed: int) -> np.ndarray:
    """Mean eigenvalue of the Hessian at each point, by one random direction each (Hutchinson) where
    there is no Laplacian.
    """
    return laplacian_estimate(potential, points, np.random.default_rng(seed)) / potential.dim


def laplacian_estimate(
    potential: Potential, x: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """The Laplacian where it is exact, else an unbiased estimate from two gradients along one
    random direction a replica.
    """
    if potential.has_laplacian:
        return potential.laplacian(x)
    direction = generator.choice([-1.0, 1.0], x.shape)
    # along the direction in x, not in lengths, as far as the shortest of them allows
    step = steps(potential, x).min(1, keepdims=True) * direction
    change = difference(potential.gradient, x, step) / np.abs(step[:, :1])
    return (direction * change).sum(1)


def _hot_run(potential: Potential, points: np.ndarray, temperature: float, seed: int) -> np.ndarray:
    """Points met in a short run at a temperature; a run that diverges is tried again with a quarter
    of the time step.
    """
    points = points[: max(2, min(2 * POINTS, POINT_NUMBERS // (4 * potential.dim)))]
    dt = OMEGA_DT / np.sqrt(largest_curvature(potential, points) or 1.0)
    for _ in range(8):
        walk = Walk.at_rest(points, seed)
        seen = [points]
        try:
            backend = get_backend("auto", potential, len(points))(potential, walk, 1)
            schedule = Schedule(temperature, 0.2 / dt, dt)
            for k in range(10):
                backend.advance(schedule.coefficients(HOT_STEPS, "gjf", (20 * k, 20 * k + 20)))
                seen.append(walk.x.copy())
            return np.vstack(seen)
        except NonFinite:
            dt /= 4
    return points
