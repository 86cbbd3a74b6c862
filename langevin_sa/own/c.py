"""Functions of C, or of anything that is called like one."""

from __future__ import annotations

import ctypes
from functools import cached_property
from typing import Any

import numpy as np

from ..arguments import shown, whole

PROTOTYPE = "double f(const double *x, double *g, int n, void *data)"


class CFunction:
    """The function, from a library or at an address, and what its `data` points to.

    Attributes
    ----------
    name : str
        Its name.
    jitted : callable
        ``both(x, out) -> float`` of one replica, as numba's code calls it.
    """

    def __init__(self, function: Any, data: Any = None) -> None:
        if not (whole(function) and function > 0) and not hasattr(function, "argtypes"):
            raise TypeError(
                f"function must be a function of ctypes or an address, of {PROTOTYPE}, not "
                f"{shown(function)}"
            )
        arguments = getattr(function, "argtypes", None)
        if arguments is not None and len(arguments) != 4:
            raise TypeError(f"the function takes {len(arguments)} arguments; expected {PROTOTYPE}")
        if not (data is None or whole(data) or isinstance(data, np.ndarray)):
            raise TypeError(f"data must be an array or an address, not {shown(data)}")
        if isinstance(data, np.ndarray) and (data.dtype.hasobject or not data.flags.c_contiguous):
            raise ValueError(
                "data must be a contiguous array of numbers: give np.ascontiguousarray(data)"
            )
        self.function, self.data = function, data
        self.name = getattr(function, "__name__", "C function")

    def energy_gradient(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Energies (replicas,) and gradients (replicas, dim) at x (replicas, dim)."""
        energy, gradient = self._compiled[1](np.array(x, dtype=float))
        return energy, gradient

    def __call__(self, x: np.ndarray, out: np.ndarray) -> float:
        """The energy of one replica, whose gradient is written to `out`."""
        return float(self.jitted(x, out))

    @property
    def jitted(self) -> Any:
        return self._compiled[0]

    @cached_property
    def _compiled(self) -> tuple[Any, Any]:
        from ..backends.cpu.compiled import external  # loads numba

        address = self.function
        if not whole(address):
            address = ctypes.cast(address, ctypes.c_void_p).value
        data = self.data.ctypes.data if isinstance(self.data, np.ndarray) else self.data or 0
        return external(int(address), int(data))

    def __reduce__(self) -> Any:
        library = (getattr(self.function, "_objects", None) or {}).get("0")
        if not isinstance(library, ctypes.CDLL) or whole(self.data):
            raise TypeError(
                f"an address means nothing to another process: to send {self.name} to workers, "
                "give the function of a ctypes.CDLL, and data as an array"
            )
        return _loaded, (type(library), library._name, self.name, self.data)


def _loaded(kind: Any, path: str, name: str, data: Any) -> CFunction:
    return CFunction(getattr(kind(path), name), data)
