"""Which backend moves a potential's walk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .walk import Backend, Walk


def get_backend(name: str, potential: Any) -> Callable[[Any, Walk, int], Backend]:
    """What makes the backend called "numpy", "numba", "cupy" or "auto" (numba) for a potential:
    call it with (potential, walk, threads).
    """
    from ..arguments import look_up

    def numpy() -> Callable[[Any, Walk, int], Backend]:
        from .numpy import NumpyBackend

        return NumpyBackend

    def numba() -> Callable[[Any, Walk, int], Backend]:
        from .cpu.blocks import BlockBackend
        from .cpu.functions import ArrayBackend
        from .cpu.lattice import LatticeBackend, suits

        if potential.formula is None and potential.numba_functions is None:
            return ArrayBackend
        if potential.formula is not None and potential.formula.truncated:
            from .cpu.neighbours import NeighbourBackend

            return NeighbourBackend
        return lambda potential, walk, threads: (
            LatticeBackend if suits(potential, walk) else BlockBackend
        )(potential, walk, threads)

    def cupy() -> Callable[[Any, Walk, int], Backend]:
        from .cuda.cupy import backend_of

        return backend_of(potential)

    return look_up(name, {"numpy": numpy, "numba": numba, "cupy": cupy, "auto": numba}, "backend")()
