"""Energies and gradients of points on a GPU, by the force that the walks' kernels have: one launch
for all points.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import source
from .cupy import (
    MOST_BLOCKS,
    ArrayBackend,
    NeighbourBackend,
    ParticleBackend,
    SweepBackend,
    backend_of,
)
from .device import cupy, kernel


def evaluator(potential: Any) -> Callable[[Any], tuple[Any, Any]]:
    """``energy_gradient(x)`` for CuPy's x (points, dim) in float64: ((points,), (points, dim))."""
    kind = backend_of(potential)
    if issubclass(kind, ArrayBackend):
        functions: Callable[[Any], tuple[Any, Any]] = potential.on_device(cupy).energy_gradient
        return functions
    if kind is NeighbourBackend:  # whose lists are a walk's
        kind = ParticleBackend
    swept, threads = False, source.THREADS
    if issubclass(kind, SweepBackend):
        swept = True
        threads = min(threads, 32 << max(0, (kind.units(potential) - 1).bit_length() - 5))
    kernels = source.text("evaluate_units" if swept else "evaluate")
    evaluate = kernel(f"{kind.code(potential, False)}\n{kernels}\n", "evaluate", False)
    numbers, extra = kind.inputs(potential, np.float64)

    def energy_gradient(x: Any) -> tuple[Any, Any]:
        x, count = cupy.ascontiguousarray(x), len(x)
        energy, gradient = cupy.empty(count), cupy.empty_like(x)
        blocks = min(count if swept else -(-count // threads), MOST_BLOCKS)
        if count:
            given = (x, numbers, extra, energy, gradient, np.int64(count))
            evaluate((blocks,), (threads,), given)
        return energy, gradient

    return energy_gradient
