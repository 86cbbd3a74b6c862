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
    BLOCKS_A_PROCESSOR,
    MOST_BLOCKS,
    MOST_ROWS,
    ArrayBackend,
    NeighbourBackend,
    ParticleBackend,
    SweepBackend,
    backend_of,
)
from .device import check_device, cupy, free_bytes, in_vectors, kernel, numbers_of

HELD = (
    64  # arrays like x that a descent holds at most, pairs of its memory and what becomes of them
)
Evaluator = Callable[[Any], tuple[Any, Any]]


def evaluator(potential: Any) -> Evaluator:
    """``energy_gradient(x)`` for CuPy's x (points, dim) in float64: ((points,), (points, dim))."""
    kind = backend_of(potential)
    if issubclass(kind, ArrayBackend):
        functions: Evaluator = potential.on_device(cupy).energy_gradient
        return functions
    if kind is NeighbourBackend:  # whose lists are a walk's
        kind = ParticleBackend
    units = kind.units(potential) if issubclass(kind, SweepBackend) else 0
    text = code(kind.code(potential, False), units > 0)
    return _launcher(text, kind.inputs(potential, np.float64), units)


def together() -> int:
    """How many coordinates there is room to descend with at once."""
    return free_bytes() // (8 * HELD)


def from_host(potential: Any) -> Evaluator:
    """`evaluator` for NumPy's x, there and back."""
    check_device()
    evaluate = evaluator(potential)

    def energy_gradient(x: Any) -> tuple[Any, Any]:
        energy, gradient = evaluate(cupy.asarray(x, dtype=np.float64))
        return energy.get(), gradient.get()

    return energy_gradient


def of_function(function: Any, x: Any) -> tuple[Any, Any]:
    """Energies and gradients of the user's CUDA text at x (points, dim), where x lies."""
    check_device()
    text = code(source.function_module(function.force, function.dim, False), False)
    given = numbers_of(function.numbers, np.float64), cupy.zeros(1, dtype=np.int32)
    energy, gradient = _launcher(text, given, 0)(cupy.asarray(x, dtype=np.float64))
    return (energy, gradient) if on_gpu(x) else (energy.get(), gradient.get())


def code(module: str, swept: bool) -> str:
    """The text of a walk's kernels, and of one that evaluates points."""
    return f"{module}\n{source.text('evaluate_units' if swept else 'evaluate')}\n"


def _launcher(text: str, given: tuple[Any, Any], units: int) -> Evaluator:
    """By a thread a point or, where a point has units, by as many blocks as keep the GPU busy."""
    evaluate, threads = kernel(text, "evaluate", False), source.THREADS
    most = BLOCKS_A_PROCESSOR * cupy.cuda.Device().attributes["MultiProcessorCount"]
    if units:
        threads = min(threads, 32 << max(0, (units - 1).bit_length() - 5))

    def energy_gradient(x: Any) -> tuple[Any, Any]:
        x, count = in_vectors(x), len(x)
        if not count:
            return x.sum(1), x
        parts, rows = min(-(-count // threads), MOST_BLOCKS), 1
        if units:
            parts, rows = min(-(-units // threads), max(1, most // count)), min(count, MOST_ROWS)
        energy, gradient = cupy.empty((count, parts if units else 1)), cupy.empty_like(x)
        evaluate((parts, rows), (threads,), (x, *given, energy, gradient, np.int64(count)))
        return energy.sum(1), gradient

    return energy_gradient
