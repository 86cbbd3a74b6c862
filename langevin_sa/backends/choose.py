"""Which backend moves a potential's walk."""

from __future__ import annotations

from typing import Any

from ..arguments import look_up
from .walk import Backend


def get_backend(name: str, potential: Any, replicas: int = 1) -> type[Backend]:
    """The class called "numpy", "numba", "cupy", "jax" or "auto" (jax for functions in JAX, cupy
    for CUDA text, else numba) that suits a potential and the number of its replicas: call it with
    (potential, walk, threads).
    """
    auto = _numba if potential.jax_function is None else _jax
    auto = auto if potential.cuda_function is None else _cupy
    choices = {"numpy": _numpy, "numba": _numba, "cupy": _cupy, "jax": _jax, "auto": auto}
    found = look_up(name, choices, "backend")
    if potential.cuda_function is not None and found is not _cupy:
        raise TypeError(
            f"{potential.name} is CUDA text, which backend {name!r} cannot run: take "
            "backend='cupy' or 'auto'"
        )
    return found(potential, replicas)


def _numpy(potential: Any, replicas: int) -> type[Backend]:
    from .numpy import NumpyBackend

    return NumpyBackend


def _numba(potential: Any, replicas: int) -> type[Backend]:
    from .cpu.functions import ArrayBackend
    from .cpu.lattice import LatticeBackend, suits
    from .cpu.recorded import RecordedBlocks

    if potential.formula is None:
        return ArrayBackend if potential.numba_functions is None else RecordedBlocks
    if potential.formula.truncated:
        from .cpu.neighbours import NeighbourBackend

        return NeighbourBackend
    return LatticeBackend if suits(potential, replicas) else RecordedBlocks


def _cupy(potential: Any, replicas: int) -> type[Backend]:
    from .cuda.cupy import backend_of

    return backend_of(potential)


def _jax(potential: Any, replicas: int) -> type[Backend]:
    if potential.jax_function is None:
        raise TypeError(
            f"backend 'jax' is for functions in JAX, and {potential.name} is none: make it by "
            "Potential.from_jax, or use backend='auto'"
        )
    from .jax.loop import JaxBackend

    return JaxBackend
