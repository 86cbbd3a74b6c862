"""Curvature at given points, by differences of the gradient: what a time step is compared with."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import on_host
from ..potential import Potential
from ..scale import difference, steps

POINTS = 16  # whose curvature is looked at
DENSE_DIM, LARGEST_DIM = 32, 1_000_000  # up to which a Hessian is kept whole; is looked for


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


def laplacian_estimate(
    potential: Potential,
    x: np.ndarray,
    generator: np.random.Generator | None,
    here: np.ndarray | None = None,
    moving: np.ndarray | None = None,
) -> np.ndarray:
    """The Laplacian where it is exact, else an unbiased estimate from gradients on both sides of x
    along one random direction a replica, which the generator draws; `here` is the gradient at x,
    if it is known. Over the coordinates that are `moving` (dim,) alone it is always an estimate.
    """
    if potential.has_laplacian and moving is None:
        return potential.laplacian(x)
    assert generator is not None
    direction = generator.choice([-1.0, 1.0], x.shape)
    if moving is not None:
        direction *= moving
    # along the direction in x, not in lengths, as far as the shortest of them allows
    length = steps(potential, x).min(1, keepdims=True)
    change = difference(potential.gradient, x, length * direction, here) / length
    return (direction * change).sum(1)
