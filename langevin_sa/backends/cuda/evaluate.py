"""Energies and gradients of points on a GPU, by the force that the walks' kernels have: one launch
for all points.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...arguments import on_gpu
from . import source
from .cupy import (
    MOST_BLOCKS,
    ArrayBackend,
    NeighbourBackend,
    ParticleBackend,
    SweepBackend,
    backend_of,
)
from .device import check_device, cupy, kernel, numbers_of

Evaluator = Callable[[Any], tuple[Any, Any]]


def evaluator(potential: Any) -> Evaluator:
    """``energy_gradient(x)`` for CuPy's x (points, dim) in float64: ((points,), (points, dim))."""
    kind = backend_of(potential)
    if issubclass(kind, ArrayBackend):
        functions: Evaluator = potential.on_device(cupy).energy_gradient
        return functions
    if kind is NeighbourBackend:  # whose lists are a walk's
        kind = ParticleBackend
    swept, threads, points = False, source.THREADS, source.THREADS
    if issubclass(kind, SweepBackend):
        threads = min(threads, 32 << max(0, (kind.units(potential) - 1).bit_length() - 5))
        swept, points = True, 1
    text = code(kind.code(potential, False), swept)
    return _launcher(text, kind.inputs(potential, np.float64), threads, points)


def of_function(function: Any, x: Any) -> tuple[Any, Any]:
    """Energies and gradients of the user's CUDA text at x (points, dim), where x lies."""
    check_device()
    text = code(source.function_module(function.force, function.dim, False), False)
    given = numbers_of(function.numbers, np.float64), cupy.zeros(1, dtype=np.int32)
    evaluate = _launcher(text, given, source.THREADS, source.THREADS)
    energy, gradient = evaluate(cupy.asarray(x, dtype=np.float64))
    return (energy, gradient) if on_gpu(x) else (energy.get(), gradient.get())


def code(module: str, swept: bool) -> str:
    """The text of a walk's kernels, and of one that evaluates points."""
    return f"{module}\n{source.text('evaluate_units' if swept else 'evaluate')}\n"


def _launcher(text: str, given: tuple[Any, Any], threads: int, points: int) -> Evaluator:
    """By blocks of so many threads, each of which takes so many points at once."""
    evaluate = kernel(text, "evaluate", False)

    def energy_gradient(x: Any) -> tuple[Any, Any]:
        x, count = cupy.ascontiguousarray(x), len(x)
        energy, gradient = cupy.empty(count), cupy.empty_like(x)
        if count:
            blocks = min(-(-count // points), MOST_BLOCKS)
            evaluate((blocks,), (threads,), (x, *given, energy, gradient, np.int64(count)))
        return energy, gradient

    return energy_gradient
