"""Descent of many replicas at once: where each would end if all heat were taken out at once (its
inherent structure).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arguments import on_gpu

MEMORY, MOST_STEPS, HALVINGS = 8, 1000, 30
TOGETHER = 65_536  # coordinates in one call of the potential
ROUNDING = 16 * np.finfo(float).eps  # of an energy, which is a sum
# natural lengths, or of the way so far, that a step may go: no start is flung out; without a domain
# a step may go as far as to the bottom of the first parabola, or as all steps before
LONGEST = 0.2
# of the longest step and of the coordinates: how far curvature is looked for ahead
NUDGE, NUDGE_ROUNDING = 5e-5, 3e-8
STRAGGLING, FEW_STEPS = 4, 20
Points = Callable[[Any], Any]
SHORTEST = 1e-9  # of a step that was wanted: a replica whose energy does not fall by it has arrived


def descend(potential: Any, x: Any, tol: float = 1e-7) -> tuple[Any, Any]:
    """Local minima below the points x (replicas, dim) by L-BFGS, and their energies (replicas,).

    CuPy's points stay on their device, where the potential's kernel gives energies and gradients:
    of them nothing is copied to the host.

    All replicas take their steps together, each with its own memory and line search, so that one
    call of the potential serves all. A replica stops where its next step is shorter than `tol`
    natural lengths or promises less than rounding hides, or where no shorter one lowers U.
    Stillinger, Weber, Phys. Rev. A 25, 978 (1982); Liu, Nocedal, Math. Program. 45, 503 (1989).
    """
    if on_gpu(x):
        from ..backends.cuda.evaluate import evaluator, together

        x, most = np.atleast_2d(x).astype(float), together()
        both = evaluator(potential)
        functions = both, lambda points: both(points)[1]
    else:
        x, most = np.atleast_2d(np.array(x, dtype=float)), TOGETHER
        functions = potential.energy_gradient, potential.gradient
    if not len(x):
        return x, x[:, 0]
    size = max(1, most // x.shape[1])
    starts = (x[k : k + size] for k in range(0, len(x), size))
    parts = [_descend(potential, *functions, start, tol) for start in starts]
    return np.concatenate([at for at, _ in parts]), np.concatenate([energy for _, energy in parts])


# trial points beyond a wall are taken back
@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def _descend(
    potential: Any, both: Points, gradient_of: Points, x: Any, tol: float
) -> tuple[Any, Any]:
    unit, start = potential.scale.lengths(x), x.copy()
    energy, force = both(x)
    gradient = force * unit  # this, steps and memory are in natural lengths
    going = np.flatnonzero(np.isfinite(energy) & np.isfinite(gradient).all(1))
    size = np.linalg.norm(gradient, axis=1, keepdims=True)
    way = gradient / np.where(size > 0, size, 1)
    curvature = np.abs(
        (potential.scale.bend(gradient_of, x, unit * way, force) * unit * way).sum(1)
    )
    # length of the first step: to the bottom of a parabola
    scale = np.where(curvature > 0, 1 / curvature, np.inf)
    reach, growth = np.full_like(scale, LONGEST), LONGEST
    if not potential.has_domain:  # of natural lengths only the parabola's does not know the origin
        reach, growth = np.where(curvature > 0, size[:, 0] / curvature, LONGEST), 1.0
    scale = np.fmin(scale, reach / size[:, 0])
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
        way = np.abs((x[going] - start[going]) / unit[going]).max(1)
        near = tol if potential.has_domain else tol * np.minimum(1, way)
        going_on = (longest > near) & (-slope > ROUNDING * np.abs(energy[going]))
        going, step, slope, longest, way = (a[going_on] for a in (going, step, slope, longest, way))
        if not going.size:
            break
        shorter = np.fmin(1, np.maximum(reach[going], growth * way) / longest)
        before, force = x[going], gradient[going]
        step, slope = step * shorter[:, None], slope * shorter
        moved = _search(both, x, energy, gradient, unit, going, step, slope)
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
    both: Points, x: Any, energy: Any, gradient: Any, unit: Any, going: Any, step: Any, slope: Any
) -> Any:
    """Halve each step until it lowers the energy enough (Armijo), move, and say which replicas
    moved.
    """
    moved, length = np.zeros_like(slope, dtype=bool), np.ones_like(slope)
    for _ in range(HALVINGS):
        rest = np.flatnonzero(~moved)
        if not rest.size:
            break
        trial = x[going[rest]] + length[rest, None] * step[rest] * unit[going[rest]]
        e, g = both(trial)
        good = e <= energy[going[rest]] + 1e-4 * length[rest] * slope[rest]
        at = going[rest[good]]
        x[at], energy[at], gradient[at] = trial[good], e[good], (g * unit[going[rest]])[good]
        moved[rest[good]] = True
        length[rest] /= 2
    return moved


@np.errstate(all="ignore")  # trial points beyond a wall are taken back
def relax(
    evaluate: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    x: np.ndarray,
    fine: float,
    longest: float,
    spread: Callable[[np.ndarray], float],
    going_on: Callable[[], bool],
) -> tuple[np.ndarray, np.ndarray]:
    """Go down from the points x (replicas, dim) for as long as one is asked to; where that led, and
    the energies (replicas,), infinite where no start was sound.

    Every replica tries one step between two calls of `going_on`, so that evaluations can be
    rationed, and no step moves a coordinate by more than `longest`, so that overlapping particles
    come apart instead of flying off. A replica has arrived where the decrease still expected is
    below `fine` of the `spread` of all their energies, or below rounding; the last quarter is not
    waited for longer than four times as long as for the others.
    """
    x, (energy, gradient) = x.copy(), evaluate(x)
    sound = np.isfinite(energy) & np.isfinite(gradient).all(1)
    energy = np.where(sound, energy, np.inf)
    size = np.linalg.norm(gradient, axis=1)
    h = np.maximum(NUDGE * longest, NUDGE_ROUNDING * np.abs(x).max(1))
    going = np.flatnonzero(sound & (size > 0))
    scale = np.full(len(x), np.nan)
    if going.size and going_on():
        ahead = evaluate(x[going] + (h / size)[going, None] * gradient[going])[1]
        scale[going] = h[going] / np.linalg.norm(ahead - gradient[going], axis=1)
    # length of the first step: to the bottom of a parabola
    scale = np.where(np.isfinite(scale) & (scale > 0), scale, longest / np.where(size > 0, size, 1))
    pairs: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    length = np.ones(len(x))
    steps, most = 0, MOST_STEPS
    while going.size and going_on() and steps < most:
        steps += 1
        memory = [tuple(a[going] for a in pair) for pair in pairs]
        step = -_two_loops(gradient[going], memory, scale[going])
        uphill = ~((step * gradient[going]).sum(1) < 0)
        step[uphill] = -scale[going[uphill], None] * gradient[going[uphill]]
        farthest = np.abs(step).max(1)
        shorter = np.where(farthest > longest, longest / farthest, 1) * length[going]
        step *= shorter[:, None]
        slope = (step * gradient[going]).sum(1)
        there, force = evaluate(x[going] + step)
        good = np.isfinite(there) & np.isfinite(force).all(1)
        good &= there <= energy[going] + 1e-4 * slope
        at = going[good]
        s, y = np.zeros_like(x), np.zeros_like(x)
        s[at], y[at] = step[good], force[good] - gradient[at]
        product, squares = (s * y).sum(1), (y * y).sum(1)
        use = product > 1e-10 * np.sqrt((s * s).sum(1) * squares)
        scale = np.where(use, product / np.where(use, squares, 1), scale)
        pairs = [*pairs[1 - MEMORY :], (s, y, np.where(use, 1 / np.where(use, product, 1), 0))]
        x[at], energy[at], gradient[at] = x[at] + step[good], there[good], force[good]
        length[going] = np.where(good, 1.0, length[going] / 4)
        little = fine * spread(energy) + 2 * np.finfo(float).eps * np.abs(energy[going])
        arrived = (-0.5 * slope < little) & good & (shorter == 1)
        going = going[~(arrived | (length[going] < SHORTEST))]
        if going.size <= len(x) / 4:
            most = min(most, STRAGGLING * steps + FEW_STEPS)
    return x, energy
