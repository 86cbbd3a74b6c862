"""Vectors of fixed width in LLVM's terms, for what numba's loops cannot say. A processor with
shorter vectors takes several for one, with the same bits.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils

DOUBLE, SINGLE, INTEGER, LONG = ir.DoubleType(), ir.FloatType(), ir.IntType(32), ir.IntType(64)
LETTERS = {DOUBLE: "f64", SINGLE: "f32", INTEGER: "i32"}


def long(n: int) -> ir.Constant:
    """A 64-bit integer."""
    return ir.Constant(LONG, n)


def constants(*numbers: Any, kind: Any = INTEGER) -> ir.Constant:
    """A vector of these constants."""
    return ir.Constant(ir.VectorType(kind, len(numbers)), list(numbers))


def vector(kind: Any, count: int) -> ir.VectorType:
    """The type of `count` numbers side by side."""
    return ir.VectorType(kind, count)


def all_of(kind: Any, value: Any, count: int) -> ir.Constant:
    """A vector of `count` times the same constant."""
    return constants(*[float(value) if kind in (SINGLE, DOUBLE) else value] * count, kind=kind)


def join(builder: Any, low: Any, high: Any, order: Any) -> Any:
    """The lanes of two vectors, those of `high` numbered after those of `low`, in this order."""
    return builder.shuffle_vector(low, high, constants(*order))


def splat(builder: Any, value: Any, count: int) -> Any:
    """A vector of `count` times the value."""
    vector = ir.VectorType(value.type, count)
    lone = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(INTEGER, 0))
    return builder.shuffle_vector(lone, ir.Constant(vector, ir.Undefined), constants(*[0] * count))


def item(builder: Any, address: Any, index: Any, kind: Any, size: int = 8) -> Any:
    """Pointer to a `kind` at element `index` of an array at an integer address, elements of `size`
    bytes.
    """
    return builder.inttoptr(builder.add(address, builder.mul(index, long(size))), kind.as_pointer())


def call(builder: Any, name: str, *args: Any) -> Any:
    """LLVM's intrinsic function of vectors of the type of the first argument."""
    kind = args[0].type
    signature = ir.FunctionType(kind, [arg.type for arg in args])
    return builder.call(
        cgutils.get_or_insert_function(
            builder.module, signature, f"llvm.{name}.v{kind.count}{LETTERS[kind.element]}"
        ),
        args,
    )


def fma(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """a*b + c with one rounding."""
    return call(builder, "fma", a, b, c)
