"""Energy and gradient of a few points from the compiled step of a potential, where the kernels would run whole trajectories."""

from __future__ import annotations

from collections.abc import Callable
from ctypes import POINTER, c_double, c_int64
from typing import Any

import numpy as np

from ..sources import numba_source
from .numba import STEP, compiled_functions, compiled_source


def evaluator(potential: Any) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """``energy_gradient(x)`` for x of shape (points, dim), compiled for formulas and numba functions."""
    formula = potential.formula
    if (formula is None and potential.numba_functions is None) or hasattr(formula, "cutoff2"):
        return potential.energy_gradient
    dim = potential.dim
    if formula is None:
        step, numbers, size = compiled_functions(*potential.numba_functions), np.empty(0), np.array([dim], dtype=np.int64)
    else:
        source = formula.source
        step = compiled_source(numba_source(source.spec, source.bodies, 1), "step", STEP)
        numbers, size = formula.numbers, formula.size
    place, out, dx, g, e = (np.zeros(max(dim, 1)) for _ in range(5))
    z, s, rows, c = np.zeros(2 * dim), np.zeros(1), np.zeros(2 * dim, dtype=np.int64), np.zeros(5)
    arrays = (place, out, dx, g, z, s, e, numbers, rows, size, c)
    pointers = [a.ctypes.data_as(POINTER(c_int64 if a.dtype.kind == "i" else c_double)) for a in arrays]
    c[1] = -1.0  # the step then makes dx = 0*dx + gradient; some formulas' forces never reach the array g
    call = step.ctypes

    def energy_gradient(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        energy, gradient = np.empty(len(x)), np.empty(x.shape)
        for k, point in enumerate(x):
            place[:] = point
            call(*pointers, 1)
            energy[k], gradient[k] = e[0], dx
        return energy, gradient

    energy_gradient.owns = arrays  # type: ignore[attr-defined]
    return energy_gradient
