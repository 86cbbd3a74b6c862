"""Velocities at the start: dx, and the noise that is carried on, of a walk at its first step.

In equilibrium at a point x of mass 1 (in y = sqrt(m) x of others) the last update dx and the
carried noise w = tail z are normal numbers: their means are proportional to the force f(x), and
their covariance hardly knows of the potential.
In a harmonic well of curvature k, with ``a = k dt^2`` and C, K the first two of
`langevin_sa.momentum.Steps.stationary`, all of these follow from

    k <x^2> = T C    <dx^2> = T dt^2 K    <x dx> = <dx^2>/2    <x w> = <dx w> = kick tail

so that ``<dx | x> = -k x <dx^2>/(2 T C)``. It is the same in every well for noise that is single,
and, but for a factor ``1 - k lr/4`` of the variance, for halves.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import real_array, shown
from ..backends.walk import drift
from ..momentum import Steps
from ..noise import LAUNCH, normals
from ..potential import Potential
from ..tuning.curvature import laplacian_estimate
from .weighted import mass_weighted

STARTS = ("rest", "thermal")
LOOKED_AT = 64  # replicas whose mean curvature is taken


def check_launch(start: Any, v0: Any, shape: tuple[int, int]) -> np.ndarray | None:
    """v0 as an array (replicas, dim), None without one; a ValueError or TypeError for what cannot
    be.
    """
    if not isinstance(start, str) or start not in STARTS:
        raise ValueError(f"start must be 'rest' or 'thermal', not {shown(start)}")
    if v0 is None:
        return None
    if start == "thermal":
        raise ValueError("a thermal start draws its velocities: leave out v0, or start='thermal'")
    v = real_array(v0, "v0")
    if v.shape not in ((shape[1],), shape) or not np.isfinite(v).all():
        raise ValueError(
            f"v0 must be finite and of shape ({shape[1]},) or {shape}, not {shown(v0)} of shape "
            f"{v.shape}"
        )
    return np.broadcast_to(v, shape)


def launch(
    potential: Potential, walk: Any, steps: Steps, v0: np.ndarray | None, temperature: float
) -> int:
    """Give a walk at rest its velocities, v0 or (None) thermal ones; how many gradients that took.

    v0 is the velocity at x0: the update that led there came half a kick before, ``dx = scale v0 -
    scale^2 f/2`` with the row's `velocity_scale`, as in velocity Verlet.

    Parameters
    ----------
    walk : Walk
        At rest; its dx and noise are set.
    steps : Steps
        The first step's numbers.
    temperature : float
        For a scheme that has neither noise nor friction, and so keeps any.

    Raises
    ------
    ValueError
        If the scheme carries no velocity, or has no temperature.
    """
    rho, scale = float(steps.rho[0]), float(steps.velocity_scale[0])
    inverse, root, mass = (1.0, 1.0, 1.0) if walk.masses is None else walk.inertia
    if v0 is not None:
        if rho == 0:
            raise ValueError("an overdamped scheme carries no velocity: leave out v0")
        if np.any(v0 * (mass == 0)):
            raise ValueError("v0 must be 0 where coordinates are frozen")
        gradient = inverse * potential.gradient(walk.x.astype(float))
        walk.dx[...] = scale * v0 + scale**2 / 2 * gradient
        _hold(walk)
        return len(walk.x)
    if rho < 1 and not steps.s[0] > 0:
        raise ValueError(
            "a thermal start needs noise, which sets the temperature, or no friction: this scheme "
            "cools without either; give v0, or take gjf, bbk, ..."
        )
    x, asked = walk.x.astype(float), len(walk.x)
    gradient = root * potential.gradient(x)
    curvature = 0.0
    if steps.paired and rho < 1:
        here, at, looked = potential, x, slice(0, LOOKED_AT)
        if walk.masses is not None:
            there = next(mass_weighted(potential, walk.masses, x))
            here, at = there.potential, there.y
        generator = np.random.default_rng([walk.seed, LAUNCH])
        known = gradient[looked] if here is potential else None
        estimate = laplacian_estimate(here, at[looked], generator, known)
        curvature = max(0.0, float(np.mean(estimate)) / at.shape[1])
        asked += 0 if here.has_laplacian else (2 + (known is None)) * len(at[looked])
    slopes, spread = thermal_law(steps, curvature, temperature)
    replicas, dim = walk.first_replica + np.arange(len(x)), x.shape[1]
    z = normals(walk.seed, 0, replicas, 2 * dim, LAUNCH).reshape(len(x), 2, dim)
    walk.dx[...] = root * (slopes[0] * gradient + spread[0, 0] * z[:, 0])
    walk.noise[...] = slopes[1] * gradient + spread[1, 0] * z[:, 0] + spread[1, 1] * z[:, 1]
    _hold(walk)
    return asked


def _hold(walk: Any) -> None:
    if walk.centred:
        walk.dx[...] -= drift(walk.dx, walk.inertia[2], walk.centred)


def thermal_law(
    steps: Steps, curvature: float, temperature: float
) -> tuple[np.ndarray, np.ndarray]:
    """The law of (dx, w) at a point of gradient g: means ``slopes*g``, and the lower root (2, 2) of
    their covariance.
    """
    rho, dt2 = float(steps.rho[0]), float(steps.dt[0]) ** 2
    if rho == 1:  # a kick before: exact for any T
        return np.array([dt2 / 2, 0.0]), np.diag([np.sqrt(dt2 * temperature), 0.0])
    T, kick, tail = (float(v[0]) for v in (steps.sustained, steps.kick, steps.tail))
    conf, eq22, _ = (float(np.ravel(v)[0]) for v in steps.stationary(curvature * dt2))
    along = np.array([dt2 * T * eq22 / 2, kick * tail])  # with x
    own = np.array([[dt2 * T * eq22, kick * tail], [kick * tail, tail**2]])
    left = own - np.outer(along, along) * curvature / (T * conf)
    root = np.zeros((2, 2))
    root[0, 0] = np.sqrt(left[0, 0])
    root[1, 0] = left[1, 0] / root[0, 0]
    root[1, 1] = np.sqrt(max(0.0, left[1, 1] - root[1, 0] ** 2))
    return along / (T * conf), root
