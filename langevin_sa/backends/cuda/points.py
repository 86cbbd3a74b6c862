"""Points in float32 for the user's functions, which shall stay in float32.

CuPy 14 promotes as NumPy 2 does: a NumPy number such as ``np.sqrt(2)`` is float64, and so is what
it makes of a float32 array, at a fraction of a card's speed. With these points NumPy's numbers are
no more than Python's, which take an array's dtype, and what is made of points are points.
"""

from __future__ import annotations

from typing import Any

import cupy
import numpy as np

# methods of CuPy's whose result is of its own class
NEW = (
    *("astype", "clip", "copy", "cumprod", "cumsum", "diagonal", "dot", "flatten", "max", "mean"),
    *("min", "prod", "ravel", "repeat", "reshape", "round", "std", "sum", "take", "trace", "var"),
    "__getitem__",
)


class Points(cupy.ndarray):
    """A float32 array of CuPy's, by whose side NumPy's numbers are weak.

    Examples
    --------
    >>> x = cupy.zeros((5, 2), dtype="float32").view(type=Points)  # doctest: +SKIP
    >>> (np.float64(0.5) * x**2).sum(1).dtype  # doctest: +SKIP
    dtype('float32')
    """

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        return _kept(super().__array_ufunc__(ufunc, method, *map(_weak, inputs), **keywords))

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Any:
        keywords = {name: _weak(value) for name, value in keywords.items()}
        return _kept(super().__array_function__(function, types, _weak(args), keywords))

    def __matmul__(self, other: Any) -> Any:
        return _kept(cupy.matmul(self, other))

    def __rmatmul__(self, other: Any) -> Any:
        return _kept(cupy.matmul(other, self))


def _keeping(method: Any) -> Any:
    return lambda self, *args, **keywords: _kept(method(self, *args, **keywords))


for _name in NEW:
    setattr(Points, _name, _keeping(getattr(cupy.ndarray, _name)))


def _weak(value: Any) -> Any:
    """NumPy's numbers as Python's, also within tuples and lists."""
    if type(value) in (tuple, list):
        return type(value)(map(_weak, value))
    if isinstance(value, np.integer):
        return int(value)
    return float(value) if isinstance(value, np.floating) else value


def _kept(value: Any) -> Any:
    """float32 arrays as points, all else as it is."""
    if type(value) in (tuple, list):
        return type(value)(map(_kept, value))
    plain = type(value) is cupy.ndarray and value.dtype == np.float32
    return value.view(type=Points) if plain else value
