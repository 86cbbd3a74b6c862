"""A formula's energy, gradient and Laplacian on blocks of replicas, in NumPy code printed from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .formula import Source
from .parse import FUNCTIONS
from .sources import numpy_source


class FormulaKernel:
    """A printed formula with the numbers it needs: the packed parameters and the sizes."""

    def __init__(self, source: Source, numbers: np.ndarray, size: np.ndarray) -> None:
        self.source, self.numbers, self.size = source, numbers, size
        self._functions: dict[str, Any] | None = None

    def _function(self, name: str) -> Callable[..., Any]:
        if self._functions is None:  # compiled on first use, not pickled
            arc = {"asin": np.arcsin, "acos": np.arccos, "atan": np.arctan}
            space = {f: arc.get(f) or getattr(np, f) for f in FUNCTIONS}
            space |= {"zeros_like": np.zeros_like, "roll": np.roll, "power": np.power, "neighbours": _neighbours}
            exec(compile(numpy_source(self.source.spec, self.source.bodies), f"<formula {self.source.key}>", "exec"), space)
            self._functions = space
        return self._functions[name]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_functions": None}

    def energy_gradient(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Energy (replicas,) and gradient (replicas, dim)."""
        with np.errstate(all="ignore"):
            return self._function("energy_gradient")(x, self._numbers_like(x), self.size)

    def energy(self, x: np.ndarray) -> np.ndarray:
        """Energy (replicas,)."""
        return self.energy_gradient(x)[0]

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """Gradient (replicas, dim)."""
        return self.energy_gradient(x)[1]

    def laplacian(self, x: np.ndarray) -> np.ndarray:
        """Laplacian (replicas,)."""
        with np.errstate(all="ignore"):
            return self._function("laplacian")(x, self._numbers_like(x), self.size)

    def _numbers_like(self, x: Any) -> Any:
        """The parameters as an array of the kind of x, which may be CuPy's."""
        return self.numbers if isinstance(x, np.ndarray) else np.asarray(self.numbers, like=x)


def _neighbours(v: np.ndarray, axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Slices of the lower and the upper sites of the bonds along an axis, open ends."""
    low, high = [slice(None)] * v.ndim, [slice(None)] * v.ndim
    low[axis], high[axis] = slice(None, -1), slice(1, None)
    return tuple(low), tuple(high)
