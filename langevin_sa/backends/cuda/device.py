"""The GPU that CuPy finds, arrays that lie on one, and kernels for it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from ...arguments import on_gpu
from ..walk import ARRAYS, Walk
from . import source

try:
    import cupy
except ModuleNotFoundError as error:
    raise ImportError(
        "backend 'cupy' needs CuPy: pip install 'langevin_sa[gpu]', or 'langevin_sa[gpu13]' for "
        "CUDA 13"
    ) from error
except ImportError as error:  # it is there, and its libraries are not
    raise ImportError(f"backend 'cupy' cannot load CuPy: {error}") from error

MOST_LINES = 30  # of a compiler's log
TURING = 75  # compute capability of the oldest cards that CUDA 13 knows


def check_device() -> None:
    """Raise a RuntimeError unless there is a GPU that CuPy can use."""
    runtime = cupy.cuda.runtime
    try:
        count, why = runtime.getDeviceCount(), "there is none that may be seen"
    except runtime.CUDARuntimeError as error:
        count, why = 0, str(error)
    if not count:
        raise RuntimeError(
            f"backend 'cupy' finds no GPU ({why}): see whether nvidia-smi lists one, and "
            "CUDA_VISIBLE_DEVICES leaves it visible, or take backend='numba'"
        )
    card = int(cupy.cuda.Device().compute_capability)
    if card < TURING and runtime.runtimeGetVersion() >= 13_000:
        raise RuntimeError(
            "CUDA 13 knows only cards of compute capability 7.5 (Turing) and later, and this one "
            f"has {card // 10}.{card % 10}: install 'langevin_sa[gpu]', with CUDA 12, instead of "
            "'langevin_sa[gpu13]'"
        )


def device_of(part: int) -> Any:
    """The device of a worker's part, a context: each of those that its process sees in turn."""
    check_device()
    return cupy.cuda.Device(part % cupy.cuda.runtime.getDeviceCount())


def describe() -> str:
    """The GPU that would be used, its memory and kind.

    Raises
    ------
    RuntimeError
        If CuPy finds none.
    """
    check_device()
    runtime = cupy.cuda.runtime
    about = runtime.getDeviceProperties(runtime.getDevice())
    free, total = runtime.memGetInfo()
    name, version = about["name"].decode(), f"{about['major']}.{about['minor']}"
    return (
        f"{name}, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free, compute capability {version}"
    )


def free_bytes() -> int:
    """Of the current device, those that CuPy keeps for new arrays too."""
    pool = cupy.get_default_memory_pool()
    return int(cupy.cuda.runtime.memGetInfo()[0] + pool.free_bytes())


def view_of(array: Any) -> Any:
    """An array of another library on a GPU as CuPy's, in the same memory, on whichever device."""
    if isinstance(array, cupy.ndarray):
        return array
    if not on_gpu(array):
        return cupy.from_dlpack(array)
    address = array.__cuda_array_interface__["data"][0]
    if not address:  # of nothing
        return cupy.asarray(array)
    # beside another device CuPy would copy it there
    with cupy.cuda.Device(cupy.cuda.runtime.pointerGetAttributes(address).device):
        return cupy.asarray(array)


def on_device(walk: Walk) -> Walk:
    """The walk with CuPy arrays; itself if it has them.

    Raises
    ------
    MemoryError
        If they do not fit, with what comes with them: a second buffer of x, and the copies that an
        interrupted slice goes back to.
    """
    if on_gpu(walk.x):
        return walk
    needed = (
        sum(getattr(walk, name).nbytes for name in ARRAYS)
        + 3 * walk.x.nbytes
        + walk.dx.nbytes
        + walk.noise.nbytes
    )
    free = free_bytes()
    if needed > free:
        replicas, dim = walk.x.shape
        raise MemoryError(
            f"{replicas} replicas of {dim} coordinates in {walk.x.dtype.name} need {needed:,} "
            f"bytes on the GPU, where {free:,} are free; take fewer replicas, dtype='float32' or "
            "backend='numba'"
        )
    return replace(walk, **{name: cupy.asarray(getattr(walk, name)) for name in ARRAYS})


def in_vectors(array: Any) -> Any:
    """The array, or a copy that begins where the vectors of kernels may; contiguous."""
    array = cupy.ascontiguousarray(array)
    return array.copy() if array.data.ptr % source.VECTOR else array


def numbers_of(numbers: np.ndarray, real: type) -> Any:
    """Parameters on the device, in a kernel's arithmetic; never an empty array."""
    return cupy.asarray(np.append(numbers, 0.0).astype(real))


@cache
def kernel(code: str, name: str, single: bool, *defined: str) -> Any:
    """A kernel compiled with some macros defined; CuPy keeps it on disk as well."""
    code = "".join(f"#define {macro}\n" for macro in defined) + code
    try:
        return cupy.RawModule(code=code, options=source.options(single)).get_function(name)
    except cupy.cuda.compiler.CompileException as error:
        if "namespace user" not in code:  # then it is a fault of this package
            raise
        raise ValueError(
            "the text of from_cuda does not compile, energy_gradient(n) is its line n:\n"
            + "\n".join(str(error).splitlines()[:MOST_LINES])
        ) from None
