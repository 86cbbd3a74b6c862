"""Arrays of other libraries: read where they lie, and results handed back as what was given.

CuPy, torch, JAX and numba are known by name; of whatever else has DLPack's protocol or that of CUDA
arrays, results are NumPy's, or CuPy's if it lies on a GPU. Nothing is copied between arrays of one
memory but by JAX, whose arrays never change.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import wraps
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..arguments import on_gpu, on_host, real_array

T = TypeVar("T", bound=Callable[..., Any])
GPUS = (2, 13)  # DLPack's numbers of CUDA devices: with memory of their own, and managed
NAMES = {"jaxlib": "jax", "jax": "jax", "torch": "torch", "numba": "numba", "cupy": "cupy"}


class Library(NamedTuple):
    """Whose arrays were given, and where they lie.

    Attributes
    ----------
    name : str
        "numpy", "cupy", "torch", "jax" or "numba".
    device : object
        In the library's own words.
    on_gpu : bool
        Whether that is a GPU.
    """

    name: str
    device: Any
    on_gpu: bool

    @classmethod
    def of(cls, given: Any) -> Library:
        """That of an array; "numpy" of lists, numbers and None."""
        there = _on_gpu(given)
        name = NAMES.get(type(given).__module__.partition(".")[0], "cupy" if there else "numpy")
        return cls(name, getattr(given, "device", None), there)

    def here(self) -> AbstractContextManager[Any]:
        """Where JAX and CuPy compute what is begun within: on the same device."""
        if self.name == "jax":
            return sys.modules["jax"].default_device(self.device)
        own = self.name == "cupy" and hasattr(self.device, "__enter__")  # CuPy's, none of others'
        return self.device if own else nullcontext()

    def array(self, values: Any) -> Any:
        """An array of NumPy or CuPy as one of this library, on the same device."""
        if not self.on_gpu:
            values = on_host(values)
        library: Any = sys.modules[self.name]  # which has made what was given
        if self.name == "torch":
            return library.from_dlpack(values).to(self.device)
        if self.name == "jax":
            with library.enable_x64(True):
                there = library.dlpack.from_dlpack(values) if on_gpu(values) else values
                return library.device_put(there, self.device)
        if self.name == "numba":
            make = library.cuda.as_cuda_array if on_gpu(values) else library.cuda.to_device
            return make(values)
        with self.here() if self.on_gpu and not on_gpu(values) else nullcontext():
            return library.asarray(values)


def taken(given: Any) -> Any:
    """What lies on a GPU as CuPy's array of the same memory, all else as it is.

    Raises
    ------
    ImportError
        Without CuPy.
    """
    if not _on_gpu(given):
        return given
    from ..backends.cuda.device import view_of

    return view_of(given)


def of_any_library(method: T) -> T:
    """A potential's method of points, which then takes arrays of all libraries, and answers with
    those of the same.
    """

    @wraps(method)
    def answer(self: Any, x: Any) -> Any:
        if isinstance(x, np.ndarray) or not (hasattr(x, "__dlpack__") or on_gpu(x)):
            return method(self, x)
        library = Library.of(x)
        there = taken(x) if library.on_gpu and goes_to_gpu(self) else _read(x)
        with nullcontext() if isinstance(there, np.ndarray) else there.device:  # CuPy's
            out = method(self, there)
            if type(out) is tuple:
                return tuple(library.array(array) for array in out)
            return out if type(out) is float else library.array(out)

    return answer  # type: ignore[return-value]


def goes_to_gpu(potential: Any) -> bool:
    """Whether a potential's functions take arrays on a GPU; neighbours within a cut-off are found
    on the CPU.
    """
    formula = potential.formula
    return not (potential.cpu_only or (formula is not None and formula.truncated))


def _read(x: Any) -> np.ndarray:
    try:
        array = on_host(x)
    except (BufferError, RuntimeError, TypeError):
        array = x  # of which the next line says what is wrong with it
    floats = getattr(array, "dtype", None) in (np.float32, np.float64)
    return array if floats else real_array(x, "x")


def _on_gpu(given: Any) -> bool:
    if on_gpu(given):
        return True
    place = getattr(given, "__dlpack_device__", None)
    if place is not None and not isinstance(given, np.ndarray):
        with suppress(BufferError, RuntimeError, ValueError):  # of torch's "meta", of many devices
            return place()[0] in GPUS
    return False
