"""What is said of functions of one point and what comes with them, and of what they answer."""

from __future__ import annotations

from typing import Any

from ..arguments import check_flags, check_tuple, check_whole, shown


def check_one_point(fun: Any) -> None:
    """Raise a TypeError for what is no function."""
    if not callable(fun):
        raise TypeError(f"fun must be a function of x with shape (dim,), not {type(fun).__name__}")


def function_of(kind: Any, fun: Any, dim: Any, args: Any, batched: Any) -> Any:
    """``kind(fun, args, batched)``, once all of it, and dim, are checked."""
    check_one_point(fun)
    check_flags(batched=batched)
    check_whole(1, dim=dim)
    return kind(fun, check_tuple(args), batched)


def name_of(fun: Any) -> str:
    """The name of a function, or of an object that is called like one."""
    return getattr(fun, "__name__", type(fun).__name__)


def answer_of(fun: Any, out: Any, shape: tuple[int, ...]) -> Any:
    """What a function of JAX or torch returned; a ValueError unless it is real, of this shape."""
    found = getattr(out, "shape", None)
    if found is None or tuple(found) != shape:
        given = shown(out) if found is None else f"shape {tuple(found)}"
        wanted = f"shape {shape}" if shape else "one number as an array of shape ()"
        more = "" if shape else "; with batched=True it gets all replicas, (replicas, dim)"
        raise ValueError(f"{name_of(fun)} returned {given}; expected {wanted}{more}")
    if "float" not in str(out.dtype):
        raise ValueError(f"{name_of(fun)} returned {out.dtype} values; expected real numbers")
    return out
