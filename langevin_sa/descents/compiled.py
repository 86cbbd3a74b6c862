"""Energies of a few points, and whole descents, by the compiled step of a potential, where the
kernels would run trajectories.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..backends.cpu.compiled import STEP, call_step, compiled_functions, compiled_source
from ..backends.cpu.keeping import kernel
from ..backends.cpu.printed import numba_source

MEMORY, TRIALS = 10, 20  # pairs remembered, and points looked at along a step
EARLY = 5  # steps, at most half of all, by which a descent is off the walls
ROUNDED = 4 * float(np.finfo(float).eps)  # of an energy may be its rounding
EVALUATIONS_A_COORDINATE = 100
# the decrease hoped for, over that which the curvature promises, once so many pairs are remembered
HOPED_DECREASE, PAIRS_TO_JUDGE = 3.0, 3


def is_compiled(potential: Any) -> bool:
    """Whether a potential has a compiled step for one replica."""
    return (
        potential.formula is not None and not potential.formula.truncated
    ) or potential.numba_functions is not None


def _step(potential: Any) -> tuple[Any, np.ndarray, np.ndarray]:
    """The step of one replica, its parameters and its size; whoever calls it by address must keep
    it.
    """
    if potential.formula is None:
        size = np.array([potential.dim], dtype=np.int64)
        return compiled_functions(*potential.numba_functions), np.empty(0), size
    source = potential.formula.source
    step = compiled_source(numba_source(source.spec, source.bodies, 1), "step", STEP)
    return step, potential.formula.numbers, potential.formula.size


def evaluator(potential: Any) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """``energy_gradient(x)`` for x of shape (points, dim)."""
    if potential.formula is not None and potential.formula.truncated:
        return potential.formula.compiled
    if not is_compiled(potential):
        return potential.energy_gradient
    step, numbers, size = _step(potential)

    def energy_gradient(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        energy, gradient = np.empty(len(x)), np.empty(x.shape)
        _points(step.address, numbers, size, np.ascontiguousarray(x), energy, gradient)
        return energy, gradient

    return energy_gradient


def descender(
    potential: Any, low: np.ndarray, high: np.ndarray
) -> Callable[..., tuple[np.ndarray, float, int, bool, float]]:
    """``descend(x, tol, scale, longest, room, below)``: L-BFGS inside the bounds; the end, its
    energy, evaluations made, whether it gave up, what was gained after the first steps.

    It has converged where the decrease still expected is below `tol` times the energy `scale`
    (without one, tol squared times what it has gained) or below rounding, moves no coordinate by
    more than `longest` in one step, evaluates at most `room` times (and
    `EVALUATIONS_A_COORDINATE`), and gives up once it is not going to come down to `below`.
    """
    step, numbers, size = _step(potential)

    def descend(
        x: np.ndarray, tol: float, scale: float, longest: float, room: float, below: float
    ) -> tuple[np.ndarray, float, int, bool, float]:
        x = np.array(x, dtype=float)
        most = int(min(room, EVALUATIONS_A_COORDINATE * (10 + len(x))))
        given = (step.address, numbers, size, x, low, high)
        return x, *_descend(*given, tol, scale, longest, most, below)

    return descend


@kernel()
def _arrays(dim):  # type: ignore[no-untyped-def]
    c = np.zeros(5)
    # the step then makes dx = 0*dx + gradient; some formulas' forces never reach the array g
    c[1] = -1.0
    place, out, dx, g = np.zeros(dim), np.zeros(dim), np.zeros(dim), np.zeros(dim)
    z, rows = np.zeros(2 * dim), np.zeros(2 * dim, dtype=np.int64)
    return place, out, dx, g, z, np.zeros(1), np.zeros(1), rows, c


@kernel()
def _evaluate(step, p, size, arrays, x):  # type: ignore[no-untyped-def]
    """Energy at x; its gradient is in arrays[2]."""
    place, out, dx, g, z, s, e, rows, c = arrays
    place[:] = x
    call_step(step, (place, out, dx, g, z, s, e, p, rows, size, c), 1)
    return e[0]


@kernel()
def _points(step, p, size, x, energy, gradient):  # type: ignore[no-untyped-def]
    arrays = _arrays(x.shape[1])
    for k in range(len(x)):
        energy[k] = _evaluate(step, p, size, arrays, x[k])
        gradient[k] = arrays[2]


@kernel()
def _descend(  # type: ignore[no-untyped-def]
    step, p, size, x, low, high, tol, scale, longest, room, below
):
    """L-BFGS with backtracking, projected into the bounds; x is where it ended.

    Parameters
    ----------
    step, p, size : int, float64 array, int64 array
        Address of the compiled step of one replica, and the parameters and sizes that it reads.
    x : float64 array (dim,)
        The start; moved in place.
    low, high : float64 arrays (dim,)
        Bounds.
    tol, scale : float
        Converged where the decrease still expected is below tol times the energy scale (if it is 0,
        tol squared times what was gained), or below rounding.
    longest : float
        By how much a step moves a coordinate at most.
    room : int
        Evaluations allowed.
    below : float
        An energy that is to be reached; it gives up once the curvature says that it will not be.

    Returns
    -------
    (float, int, bool, float)
        Energy at x, evaluations made, whether it gave up, and what was gained after the first
        steps.
    """
    dim = len(x)
    arrays = _arrays(dim)
    S, Y = np.zeros((MEMORY, dim)), np.zeros((MEMORY, dim))  # changes of x and of the gradient
    R, w = np.zeros(MEMORY), np.zeros(MEMORY)  # 1/(s.y), and the first loop's weights
    f, calls, kept, newest, restarts = _evaluate(step, p, size, arrays, x), 1, 0, 0, 0
    g, free, trial = arrays[2].copy(), np.ones(dim), np.zeros(dim)
    energies, steps = np.zeros(room + 1), 0
    energies[0] = f
    while calls < room and np.abs(f) < np.inf:
        for d in range(dim):
            held = (x[d] <= low[d] and g[d] > 0) or (x[d] >= high[d] and g[d] < 0)
            free[d] = 0.0 if held else 1.0
        q = g * free
        for j in range(kept):
            k = (newest - j) % MEMORY
            w[k] = R[k] * np.dot(S[k], q)
            q -= w[k] * Y[k]
        if kept:
            q /= R[newest] * np.dot(Y[newest], Y[newest])
        for j in range(kept - 1, -1, -1):
            k = (newest - j) % MEMORY
            q += (w[k] - R[k] * np.dot(Y[k], q)) * S[k]
        q *= free
        slope, largest = np.dot(q, g), np.abs(q).max()
        if largest == 0.0 or slope <= 0.0:
            if kept == 0:
                break
            kept = 0
            continue
        if kept:
            enough = tol * scale if scale > 0 else tol * tol * (energies[0] - f)
            if slope / 2 < max(enough, ROUNDED * abs(f)):
                break
            if kept >= PAIRS_TO_JUDGE and f - HOPED_DECREASE * slope / 2 > below:
                return f, calls, True, energies[min(EARLY, (steps + 1) // 2)] - f
        t = longest / largest if kept == 0 and restarts == 0 else min(1.0, longest / largest)
        if kept == 0:
            t *= 0.3
        lower = False
        for _ in range(TRIALS):
            for d in range(dim):
                trial[d] = min(max(x[d] - t * q[d], low[d]), high[d])
            value = _evaluate(step, p, size, arrays, trial)
            calls += 1
            if value < f and value <= f - 1e-4 * t * slope:
                lower = True
                break
            if calls >= room:
                break
            bend = 2 * (value - f + slope * t)
            guess = slope * t * t / bend if bend < np.inf and bend > 0 else 0.1 * t
            t = min(max(guess, 0.1 * t), 0.5 * t)
        if not lower:
            if kept == 0 or restarts > 3:
                break
            kept, restarts = 0, restarts + 1
            continue
        q = (arrays[2] - g) * free
        step_taken = trial - x
        product, squares = np.dot(step_taken, q), np.dot(q, q)
        if product > 1e-10 * np.sqrt(np.dot(step_taken, step_taken) * squares):
            newest = (newest + 1) % MEMORY
            S[newest], Y[newest], R[newest] = step_taken, q, 1 / product
            kept = min(kept + 1, MEMORY)
        f, x[:], g[:] = value, trial, arrays[2]
        steps += 1
        energies[steps] = f
    return f, calls, False, energies[min(EARLY, (steps + 1) // 2)] - f
