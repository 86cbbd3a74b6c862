"""Descent of many replicas at once: where each would end if all heat were taken out at once (its
inherent structure).
"""

from __future__ import annotations

from typing import Any

import numpy as np

MEMORY, MOST_STEPS, HALVINGS = 8, 1000, 30
TOGETHER = 65_536  # coordinates in one call of the potential


def descend(potential: Any, x: Any, gtol: float = 1e-6) -> tuple[np.ndarray, np.ndarray]:
    """Local minima below the points x (replicas, dim) by L-BFGS, and their energies (replicas,).

    All replicas take their steps together, each with its own memory and line search, so that one
    call of the potential serves all. A replica stops where its largest force is below `gtol` times
    the larger of 1 and |U|, or where no shorter step lowers U. Stillinger, Weber, Phys. Rev. A 25,
    978 (1982); Liu, Nocedal, Math. Program. 45, 503 (1989).
    """
    x = np.atleast_2d(np.array(x, dtype=float))
    size = max(1, TOGETHER // x.shape[1])
    parts = [_descend(potential, x[k : k + size], gtol) for k in range(0, len(x), size)]
    return np.concatenate([at for at, _ in parts]), np.concatenate([energy for _, energy in parts])


# trial points beyond a wall are taken back
@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def _descend(potential: Any, x: np.ndarray, gtol: float) -> tuple[np.ndarray, np.ndarray]:
    energy, gradient = potential.energy_gradient(x)
    going = np.flatnonzero(np.isfinite(energy))
    size = np.linalg.norm(gradient, axis=1, keepdims=True)
    h = 1e-6 * np.maximum(1, np.abs(x).max(1, keepdims=True))
    ahead = potential.gradient(x + h * gradient / np.maximum(size, 1e-300))
    curvature = np.abs(((ahead - gradient) * gradient).sum(1)) / (size * h)[:, 0]
    # length of the first step: to the bottom of a parabola
    scale = np.where(curvature > 0, 1 / curvature, 1.0)
    pairs: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for _ in range(MOST_STEPS):
        going = going[np.abs(gradient[going]).max(1) > gtol * np.maximum(1, np.abs(energy[going]))]
        if not going.size:
            break
        memory = [tuple(a[going] for a in pair) for pair in pairs]
        step = -_two_loops(gradient[going], memory, scale[going])
        slope = (step * gradient[going]).sum(1)
        uphill = ~(slope < 0)
        step[uphill] = -scale[going[uphill], None] * gradient[going[uphill]]
        slope[uphill] = (step * gradient[going])[uphill].sum(1)
        before, force = x[going], gradient[going]
        moved = _search(potential, x, energy, gradient, going, step, slope)
        s, y = np.zeros_like(x), np.zeros_like(x)
        s[going], y[going] = x[going] - before, gradient[going] - force
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
        trial = x[going[rest]] + length[rest, None] * step[rest]
        e, g = potential.energy_gradient(trial)
        good = e <= energy[going[rest]] + 1e-4 * length[rest] * slope[rest]
        at = going[rest[good]]
        x[at], energy[at], gradient[at] = trial[good], e[good], g[good]
        moved[rest[good]] = True
        length[rest] /= 2
    return moved
