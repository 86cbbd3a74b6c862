"""What a user gives: names looked up, numbers, arrays and boxes of coordinates checked; and how
messages show it.
"""

from __future__ import annotations

import difflib
import inspect
import math
import numbers
import operator
import os
import reprlib
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")
FLOAT = np.dtype(float)
MOST = 2**48  # of anything that is counted

_BRIEF = reprlib.Repr()
_BRIEF.maxstring = _BRIEF.maxother = 100


def shown(value: object) -> str:
    """What was given, for a message: one line, of a long array or list only the ends."""
    return " ".join(_BRIEF.repr(value).split())


def whole(value: Any) -> bool:
    """Whether a value is an integer; True and False are none, and neither are NumPy's spans of
    time.
    """
    try:
        return (
            not isinstance(value, bool)
            and isinstance(value, numbers.Integral)
            and operator.index(value) is not None
        )
    except TypeError:
        return False


def real(value: Any) -> bool:
    """Whether a value is a number that a float can hold, infinite or not, but not NaN; True and
    False are none.
    """
    if not whole(value) and (
        not isinstance(value, numbers.Real) or isinstance(value, numbers.Rational)
    ):
        return False
    try:
        return not math.isnan(value)
    except OverflowError:
        return False


def finite(value: Any) -> bool:
    """Whether a value is a finite number."""
    return real(value) and math.isfinite(value)


def check_finite(**numbers: Any) -> None:
    """Raise a ValueError unless each is a finite number."""
    for name, value in numbers.items():
        if not finite(value):
            raise ValueError(f"{name} must be a finite number, not {shown(value)}")


def check_positive(**numbers: Any) -> None:
    """Raise a ValueError unless each is a positive, finite number."""
    for name, value in numbers.items():
        if not (finite(value) and value > 0):
            raise ValueError(f"{name} must be a positive number, not {shown(value)}")


def check_fraction(**numbers: Any) -> None:
    """Raise a ValueError unless each is a number in [0, 1)."""
    for name, value in numbers.items():
        if not (finite(value) and 0 <= value < 1):
            raise ValueError(f"{name} must be in [0, 1), not {shown(value)}")


def check_whole(low: int, high: int = MOST, **numbers: Any) -> None:
    """A TypeError unless each is an integer, a ValueError unless it is from `low` to `high`."""
    for name, value in numbers.items():
        if not (whole(value) and low <= value <= high):
            near = high == MOST and not (whole(value) and value > MOST)
            limits = f"of at least {low}" if near else f"from {low} to {high}"
            kind = ValueError if whole(value) else TypeError
            raise kind(f"{name} must be an integer {limits}, not {shown(value)}")


def check_type(value: Any, kind: type, what: str) -> None:
    """Raise a TypeError unless a value is of a type of ours."""
    if not isinstance(value, kind):
        raise TypeError(f"{what} must be a {kind.__name__}, not {shown(value)}")


def check_tuple(args: Any) -> tuple[Any, ...]:
    """Further arguments of a function; a TypeError unless they are a tuple."""
    if not isinstance(args, tuple):
        raise TypeError(
            f"args must be a tuple of further arguments, not {type(args).__name__}; write "
            "args=(value,)"
        )
    return args


def check_file(path: Any, what: str) -> Path:
    """The path of a file to write, in a folder that exists; a TypeError or ValueError if it is
    none.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"{what} must be the path of a file, not {shown(path)}")
    if Path(path).is_dir() or not Path(path).absolute().parent.is_dir():
        raise ValueError(f"{what} {os.fspath(path)!r} must be a file in a folder that exists")
    if Path(path).exists() and not Path(path).is_file():
        raise ValueError(f"{what} {os.fspath(path)!r} must be a plain file")
    return Path(path)


def check_flags(**flags: Any) -> None:
    """Raise a TypeError unless each is True or False (or 1 or 0)."""
    for name, value in flags.items():
        # NumPy's has the same name
        if not (type(value).__name__ == "bool" or (whole(value) and value in (0, 1))):
            raise TypeError(f"{name} must be True or False, not {shown(value)}")


def unknown(name: object, known: Iterable[str], what: str) -> str:
    """The sentence for a name that is not known: what was given, the nearest known name, all of
    them.
    """
    known = sorted(known)
    near = (
        difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        if isinstance(name, str) and len(name) < 100
        else []
    )
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown {what} {shown(name)}; {hint}Known: {', '.join(known)}"


def look_up(name: str, table: Mapping[str, T], what: str) -> T:
    """``table[name]``, or a ValueError with the sentence of `unknown`."""
    try:
        return table[name]
    except (KeyError, TypeError):
        raise ValueError(unknown(name, table, what)) from None


FARTHEST = 1e300  # where a bound may lie


# although float or NumPy would convert them
NO_NUMBERS = (str, bytes, np.datetime64, np.timedelta64, np.complexfloating, type(None))


def real_array(value: Any, what: str) -> np.ndarray:
    """A copy as float64; a TypeError unless it is an array of real numbers with no entry masked."""
    try:
        raw = on_host(value)
        odd = raw.dtype == object and any(isinstance(v, NO_NUMBERS) for v in raw.flat)
        if odd or raw.dtype.kind not in "biufO" or np.ma.is_masked(value):
            raise TypeError
        with np.errstate(over="ignore"):
            return np.array(raw, dtype=float)
    except (TypeError, ValueError, OverflowError, BufferError, RuntimeError) as error:
        why = f": {error}" if hasattr(value, "__dlpack__") and str(error) else ""
        raise TypeError(
            f"{what} must be an array of real numbers, none of them masked, not {shown(value)}{why}"
        ) from None


def floats(out: np.ndarray, what: str) -> np.ndarray:
    """What a function returned, as kernels know it: float64 in place of float16, long double and
    objects; a ValueError for objects that are no numbers.
    """
    if out.dtype.kind not in "fO" or out.dtype in (np.float32, np.float64):
        return out
    try:
        if out.dtype == object and any(isinstance(v, NO_NUMBERS) for v in out.flat):
            raise TypeError
        return out.astype(float)
    except (TypeError, ValueError, OverflowError):
        first = shown(out.flat[0])
        raise ValueError(f"{what} returned no real numbers, but {first}, ...") from None


def check_positive_arrays(**values: Any) -> None:
    """Raise a ValueError unless every value, a number or an array, is positive and finite."""
    for name, value in values.items():
        try:
            array = real_array(value, name)
            good = array.size > 0 and bool(np.all(np.isfinite(array) & (array > 0)))
        except TypeError:
            good = False
        if not good:
            raise ValueError(
                f"{name} must be a positive number, or an array of them, not {shown(value)}"
            )


def box_of(value: Any, dim: int, what: str) -> np.ndarray:
    """One (low, high) for all coordinates or one for each, as an array (dim, 2); a ValueError
    unless finite with low < high.
    """
    try:
        out = np.broadcast_to(real_array(value, what), (dim, 2)).copy()
    except (TypeError, ValueError):
        raise ValueError(
            f"{what} must be one (low, high), or {dim} of them, not {shown(value)}"
        ) from None
    if not (np.abs(out) < FARTHEST).all() or not (out[:, 0] < out[:, 1]).all():
        raise ValueError(
            f"each (low, high) of {what} must be finite with low < high, not {shown(value)}; at "
            f"most {FARTHEST:g}"
        )
    return out


def around(points: np.ndarray, alone: float) -> np.ndarray:
    """A box (dim, 2) around points (k, dim), with a margin of 0.4 of their extent, or of the length
    `alone` where that is less than a thousandth of it.
    """
    low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
    margin = np.where(high - low > 1e-3 * alone, 0.4 * (high - low), alone)
    return np.stack([low - margin, high + margin], axis=-1)


def ceiling(energies: np.ndarray, quantile: float = 0.6) -> float:
    """Where to cut an energy axis so that steep walls, or a wild start, do not squeeze the rest."""
    energies = energies[np.isfinite(energies)]
    if not energies.size:
        return np.nan
    low, usual = energies.min(), np.quantile(energies, quantile)
    return float(min(energies.max(), low + 2 * (usual - low)))


def real_dtype(dtype: Any) -> np.dtype:
    """float32 or float64; a ValueError for anything else."""
    try:
        out = None if dtype is None else np.dtype(dtype)
    except TypeError:
        out = None
    if out not in (np.float32, np.float64):
        raise ValueError(f"dtype must be 'float64' or 'float32', not {shown(dtype)}")
    return out


def warn(message: str, kind: type[Warning] = UserWarning) -> None:
    """Warn at the line that called the package, however deep inside of it this is said."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == __package__:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, kind, stacklevel=level)


def teller(callback: Any) -> Callable[[Any], bool] | None:
    """A callback as a function of the intermediate result that says whether to stop, which is what
    True from the callback means.

    By SciPy's rules it is called by keyword if its only parameter is ``intermediate_result``, as
    ``callback(x, f, context)`` of dual_annealing, with a context of 0, if it needs three, else with
    a copy of the best point.
    """
    if callback is None:
        return None
    if not callable(callback):
        raise TypeError(
            f"callback must be a function of intermediate_result, not {type(callback).__name__}"
        )
    try:
        signature = inspect.signature(callback)
    except (TypeError, ValueError):  # of a built-in
        signature = inspect.signature(lambda xk: None)

    def takes(*arguments: Any) -> bool:
        try:
            signature.bind(*arguments)
        except TypeError:
            return False
        return True

    by_keyword, alone = set(signature.parameters) == {"intermediate_result"}, takes(None)
    if not (by_keyword or alone or takes(None, None, None)):
        raise TypeError(
            "callback must be a function of intermediate_result, of xk, or of x, f and context, "
            f"not of {signature}"
        )

    def tell(seen: Any) -> bool:
        if by_keyword:
            answer = callback(intermediate_result=seen)
        elif alone:
            answer = callback(np.copy(seen.x))
        else:
            answer = callback(np.copy(seen.x), seen.fun, 0)
        return isinstance(answer, (bool, np.bool_)) and bool(answer)

    return tell


def on_gpu(array: Any) -> bool:
    """Whether an array is CuPy's (or any other's on a GPU)."""
    return hasattr(array, "__cuda_array_interface__")


def on_host(array: Any) -> np.ndarray:
    """As a NumPy array, which is a copy only of what is on a GPU, and of lists."""
    if on_gpu(array):  # CuPy's, numba's, torch's; JAX's becomes one by itself
        ways = (getattr(array, name, None) for name in ("get", "copy_to_host", "cpu"))
        return np.asarray(next((way() for way in ways if way), array))
    shared = hasattr(array, "__dlpack__") and not hasattr(array, "__array__")
    return np.from_dlpack(array) if shared else np.asarray(array)


def printable(text: str) -> str:
    """A text from a file, whose control characters shall not reach a terminal."""
    plain = (c.isprintable() or c in "\n\t" for c in text)
    return "".join(c if p else ascii(c)[1:-1] for c, p in zip(text, plain, strict=True))


def short(text: str) -> str:
    """A text, cut to what fits in a message, in one line."""
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:57] + "..."


def points_of(given: Any, dim: int, name: str) -> np.ndarray | None:
    """Points (k, dim) that were given, or one; None if none were."""
    if given is None:
        return None
    out = np.atleast_2d(real_array(given, name))
    if out.ndim != 2 or out.shape[1] != dim:
        raise ValueError(f"{name} must have shape (k, {dim}), not {out.shape}")
    return out


def returned(potential: Any, out: Any, what: str, block: Any, shape: tuple[int, ...]) -> Any:
    """What a potential's function returned for a block (replicas, dim), checked, and a copy if it
    is the block itself.
    """
    plain = type(out) is np.ndarray and out.dtype is FLOAT and out.shape == shape
    if plain and out.base is None and out is not block:  # as at nearly every step
        return out
    if out is None:
        raise ValueError(
            f"{what} of {potential.name} returned None for x of shape {block.shape}; expected "
            f"{shape}: does it end with return?"
        )
    out = out if on_gpu(out) else floats(np.asarray(out), f"{what} of {potential.name}")
    if out.dtype.kind not in "fiu":
        raise ValueError(
            f"{what} of {potential.name} returned {out.dtype.name} values; expected real numbers"
        )
    if out.shape != shape:
        raise ValueError(
            f"{what} of {potential.name} returned shape {out.shape} for x of shape {block.shape}; "
            f"expected {shape}: functions work on all replicas at once, one energy and one "
            "gradient a replica"
        )
    return out.copy() if not on_gpu(out) and np.may_share_memory(out, block) else out


def pair_returned(potential: Any, out: Any) -> tuple[Any, Any]:
    """The energies and the gradients that a potential's function of both returned."""
    if not (isinstance(out, tuple | list) and len(out) == 2):
        raise ValueError(
            f"energy_gradient of {potential.name} must return (energy (replicas,), gradient "
            f"(replicas, {potential.dim})), not {shown(out)}"
        )
    return out[0], out[1]


def check_still(potential: Any, what: str) -> None:
    """Raise a ValueError for a potential with laws of progress, where one landscape is needed."""
    if potential.laws:
        raise ValueError(
            f"{what} one landscape, and {', '.join(potential.laws)} of {potential.name} change "
            "with progress: give U.at(1), the last one, or that of another progress"
        )
