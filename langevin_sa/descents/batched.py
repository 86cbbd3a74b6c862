"""Descent of many replicas at once: where each would end if all heat were taken out at once (its
inherent structure).
"""

from __future__ import annotations

from typing import Any

import numpy as np

MEMORY, MOST_STEPS, HALVINGS = 8, 1000, 30
TOGETHER = 65_536  # coordinates in one call of the potential
STEP = 1e-6  # natural lengths, between the two gradients of a first look at the curvature
ROUNDING = 16 * np.finfo(float).eps  # of an energy, which is a sum
LONGEST = 0.2  # natural lengths, or of the way so far, that a step may go: no start is flung out


def descend(potential: Any, x: Any, tol: float = 1e-7) -> tuple[np.ndarray, np.ndarray]:
    """Local minima below the points x (replicas, dim) by L-BFGS, and their energies (replicas,).

    All replicas take their steps together, each with its own memory and line search, so that one
    call of the potential serves all. A replica stops where its next step is shorter than `tol`
    natural lengths or promises less than rounding hides, or where no shorter one lowers U.
    Stillinger, Weber, Phys. Rev. A 25, 978 (1982); Liu, Nocedal, Math. Program. 45, 503 (1989).
    """
    x = np.atleast_2d(np.array(x, dtype=float))
    size = max(1, TOGETHER // x.shape[1])
    parts = [_descend(potential, x[k : k + size], tol) for k in range(0, len(x), size)]
    return np.concatenate([at for at, _ in parts]), np.concatenate([energy for _, energy in parts])


# trial points beyond a wall are taken back
@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def _descend(potential: Any, x: np.ndarray, tol: float) -> tuple[np.ndarray, np.ndarray]:
    unit, start = (
        potential.scale.lengths(x),
        x.copy(),
    )  # forces, steps and memory are in natural lengths
    energy, gradient = potential.energy_gradient(x)
    gradient = gradient * unit
    going = np.flatnonzero(np.isfinite(energy) & np.isfinite(gradient).all(1))
    size = np.linalg.norm(gradient, axis=1, keepdims=True)
    ahead = potential.gradient(x + STEP * unit * gradient / np.where(size > 0, size, 1)) * unit
    curvature = np.abs(((ahead - gradient) * gradient).sum(1)) / (size * STEP)[:, 0]
    # length of the first step: to the bottom of a parabola
    scale = np.where(curvature > 0, 1 / curvature, np.inf)
    scale = np.fmin(scale, LONGEST / size[:, 0])
    pairs: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for _ in range(MOST_STEPS):
        going = going[gradient[going].any(1)]
        if not going.size:
            break
        memory = [tuple(a[going] for a in pair) for pair in pairs]
        step = -_two_loops(gradient[going], memory, scale[going])
        slope = (step * gradient[going]).sum(1)
        uphill = ~(slope < 0)
        step[uphill] = -scale[going[uphill], None] * gradient[going[uphill]]
        slope[uphill] = (step * gradient[going])[uphill].sum(1)
        longest = np.abs(step).max(1)
        going_on = (longest > tol) & (-slope > ROUNDING * np.abs(energy[going]))
        going, step, slope, longest = (a[going_on] for a in (going, step, slope, longest))
        if not going.size:
            break
        way = np.abs((x[going] - start[going]) / unit[going]).max(1)
        shorter = np.fmin(1, LONGEST * np.maximum(1, way) / longest)
        before, force = x[going], gradient[going]
        step, slope = step * shorter[:, None], slope * shorter
        moved = _search(potential, x, energy, gradient, unit, going, step, slope)
        s, y = np.zeros_like(x), np.zeros_like(x)
        s[going], y[going] = (x[going] - before) / unit[going], gradient[going] - force
        product = (s * y).sum(1)
        good = product > 1e-12 * np.sqrt((s * s).sum(1) * (y * y).sum(1))
        scale = np.where(good, product / np.where(good, (y * y).sum(1), 1), scale)
        pairs = [*pairs[1 - MEMORY :], (s, y, np.where(good, 1 / np.where(good, product, 1), 0))]
        going = going[moved]
    return x, energy


def _two_loops(q: np.ndarray, pairs: list[Any], scale: np.ndarray) -> np.ndarray:
    """The inverse Hessian of each replica's memory times q; a pair with 1/(s.y) = 0 does
    nothing.
    """
    q, weights = q.copy(), []
    for s, y, inverse in reversed(pairs):
        weights.append(inverse * (s * q).sum(1))
        q -= weights[-1][:, None] * y
    q *= scale[:, None]
    for (s, y, inverse), weight in zip(pairs, reversed(weights), strict=True):
        q += (weight - inverse * (y * q).sum(1))[:, None] * s
    return q


def _search(
    potential: Any,
    x: Any,
    energy: Any,
    gradient: Any,
    unit: np.ndarray,
    going: np.ndarray,
    step: np.ndarray,
    slope: np.ndarray,
) -> np.ndarray:
    """Halve each step until it lowers the energy enough (Armijo), move, and say which replicas
    moved.
    """
    moved, length = np.zeros(len(going), dtype=bool), np.ones(len(going))
    for _ in range(HALVINGS):
        rest = np.flatnonzero(~moved)
        if not rest.size:
            break
        trial = x[going[rest]] + length[rest, None] * step[rest] * unit[going[rest]]
        e, g = potential.energy_gradient(trial)
        good = e <= energy[going[rest]] + 1e-4 * length[rest] * slope[rest]
        at = going[rest[good]]
        x[at], energy[at], gradient[at] = trial[good], e[good], (g * unit[going[rest]])[good]
        moved[rest[good]] = True
        length[rest] /= 2
    return moved
