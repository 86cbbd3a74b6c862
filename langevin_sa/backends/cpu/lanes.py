"""Eight numbers side by side as one value of compiled code, which stays in registers where it can.

LLVM turns an innermost loop into vectors; lanes are for loops around others. `load_lanes` and
`store_lanes` move them, ``choose(a, b, c)`` is ``b if a else c`` lane by lane, operators and the
functions of formulas are as for floats: these are made from the text of
`langevin_sa.backends.cpu.simd`, so that a lane and a lone number round alike. A processor with
shorter vectors takes several.
"""

from __future__ import annotations

import ast
import math
import operator
from functools import reduce
from pathlib import Path
from typing import Any

from llvmlite import ir
from numba import boolean, float64, int64, types
from numba.core import cgutils
from numba.core.typeconv import Conversion
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, lower_cast, models, register_model

from . import simd
from .printed_pairs import LANES
from .simd import inline

ONE = {float64: ir.DoubleType(), int64: ir.IntType(64), boolean: ir.IntType(1)}
VECTORS = {kind: ir.VectorType(one, LANES) for kind, one in ONE.items()}


class Lanes(types.Type):
    """Eight float64, int64 or bool; a lone number is taken for eight that are equal."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(f"Lanes({dtype})")

    def can_convert_from(self, context: Any, other: Any) -> Any:
        """As numba asks."""
        return Conversion.promote if isinstance(other, types.Number | types.Boolean) else None

    def unify(self, context: Any, other: Any) -> Any:
        """As numba asks."""
        return self if self.can_convert_from(context, other) else None


REALS, INTEGERS, TRUTHS = map(Lanes, ONE)


@register_model(Lanes)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, VECTORS[kind.dtype])


def _alone(builder: Any, vector: Any) -> list[Any]:
    return [builder.extract_element(vector, ir.IntType(32)(lane)) for lane in range(LANES)]


def _joined(builder: Any, numbers: list[Any]) -> Any:
    vector = ir.Constant(ir.VectorType(numbers[0].type, LANES), ir.Undefined)
    for lane, number in enumerate(numbers):
        vector = builder.insert_element(vector, number, ir.IntType(32)(lane))
    return vector


@lower_cast(types.Number, Lanes)
@lower_cast(types.Boolean, Lanes)
def _cast(context: Any, builder: Any, given: Any, wanted: Any, value: Any) -> Any:
    return _joined(builder, [context.cast(builder, value, given, wanted.dtype)] * LANES)


# ------------------------------------------------------------------------------------- operators


def _define(function: Any, result: Any, arguments: Any, name: str, *first: Any) -> None:
    """An operator on lanes, by LLVM's instruction of this name."""

    @lower_builtin(function, *arguments)
    def lower(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return getattr(builder, name)(*first, *args)

    row = {"key": function, "cases": [signature(result, *arguments)]}
    infer_global(function)(type("Operator", (ConcreteTemplate,), row))


for _function, _name in (
    (operator.add, "fadd"),
    (operator.iadd, "fadd"),
    (operator.sub, "fsub"),
    (operator.isub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _define(_function, REALS, (REALS, REALS), _name)
for _function, _name in (
    (operator.add, "add"),
    (operator.sub, "sub"),
    (operator.and_, "and_"),
    (operator.lshift, "shl"),
    (operator.rshift, "ashr"),
):
    _define(_function, INTEGERS, (INTEGERS, INTEGERS), _name)
for _function, _sign in ((operator.lt, "<"), (operator.gt, ">"), (operator.eq, "==")):
    _define(_function, TRUTHS, (REALS, REALS), "fcmp_ordered", _sign)
_define(operator.ne, TRUTHS, (REALS, REALS), "fcmp_unordered", "!=")
_define(operator.ne, TRUTHS, (INTEGERS, INTEGERS), "icmp_signed", "!=")
_define(operator.neg, REALS, (REALS,), "fneg")


# ------------------------------------------------------------------------------------- functions


def _shared(*kinds: Any) -> Any:
    """The type of what is one of these: of lanes if one is, with the first of float, int and bool
    that is among them.
    """
    found = {getattr(kind, "dtype", types.unliteral(kind)) for kind in kinds}
    dtype = next(kind for kind in ONE if kind in found)
    return Lanes(dtype) if any(isinstance(kind, Lanes) for kind in kinds) else dtype


@intrinsic
def choose(typing: Any, condition: Any, yes: Any, no: Any) -> Any:
    """``yes if condition else no`` without a branch."""
    result = _shared(yes, no)
    if condition == TRUTHS and not isinstance(result, Lanes):
        result = Lanes(result)
    return result(condition, result, result), (
        lambda context, builder, signature, args: builder.select(*args)
    )


def _by_llvm(name: str) -> Any:
    """A function of one real number that LLVM knows."""

    @intrinsic
    def function(typing: Any, x: Any) -> Any:
        kind = _shared(x, float64)
        return kind(kind), lambda *given: _call(name, *given)

    return function


def _call(name: str, context: Any, builder: Any, signature: Any, args: Any) -> Any:
    kind = args[0].type
    suffix = f"v{LANES}f64" if isinstance(kind, ir.VectorType) else "f64"
    form = ir.FunctionType(kind, [arg.type for arg in args])
    function = cgutils.get_or_insert_function(builder.module, form, f"llvm.{name}.{suffix}")
    return builder.call(function, args)


@intrinsic
def _fma(typing: Any, a: Any, b: Any, c: Any) -> Any:
    kind = _shared(a, b, c, float64)
    return kind(kind, kind, kind), lambda *given: _call("fma", *given)


def _by_library(function: Any) -> Any:
    """A function of one real number that is called for each lane."""

    @intrinsic
    def of_lanes(typing: Any, x: Any) -> Any:
        kind = _shared(x, float64)

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            known = typing.resolve_value_type(function)
            call = context.get_function(known, known.get_call_type(typing, (float64,), {}))
            if kind == float64:
                return call(builder, args)
            return _joined(builder, [call(builder, [one]) for one in _alone(builder, args[0])])

        return kind(kind), build

    return of_lanes


@intrinsic
def rounded(typing: Any, x: Any) -> Any:
    """The nearest float32, as a float64."""
    kind = _shared(x, float64)

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        (value,), single = args, ir.FloatType()
        if isinstance(kind, Lanes):
            single = ir.VectorType(single, LANES)
        return builder.fpext(builder.fptrunc(value, single), value.type)

    return kind(kind), build


def _converted(given: Any, wanted: Any, instruction: str) -> Any:
    @intrinsic
    def function(typing: Any, x: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            kind = VECTORS[wanted] if isinstance(x, Lanes) else ONE[wanted]
            return getattr(builder, instruction)(args[0], kind)

        return Lanes(wanted)(x) if isinstance(x, Lanes) else wanted(given), build

    return function


class _WithoutBranches(ast.NodeTransformer):
    """simd.py as text for lanes: ``math.floor`` is ``floor``, and what is decided is chosen."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        self.generic_visit(node)
        node.returns = None
        for argument in node.args.args:
            argument.annotation = None
        return node

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        return ast.Name(node.attr, ast.Load())

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        return _chosen(*map(self.visit, (node.test, node.body, node.orelse)))

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        either, yes, no = isinstance(node.op, ast.Or), ast.Constant(True), ast.Constant(False)
        return reduce(
            lambda a, b: _chosen(a, yes, b) if either else _chosen(a, b, no),
            map(self.visit, node.values),
        )

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not):
            return _chosen(node.operand, ast.Constant(False), ast.Constant(True))
        return node


def _chosen(test: Any, yes: Any, no: Any) -> ast.Call:
    if isinstance(test, ast.BinOp):  # bits of an integer
        test = ast.Compare(test, [ast.NotEq()], [ast.Constant(0)])
    return ast.Call(ast.Name("choose", ast.Load()), [test, yes, no], [])


def _functions() -> dict[str, Any]:
    """What is in simd.py, for lanes."""
    names: dict[str, Any] = {
        "inline": inline,
        "choose": choose,
        "fma": _fma,
        "bits": _converted(float64, int64, "bitcast"),
        "from_bits": _converted(int64, float64, "bitcast"),
        "float64": _converted(int64, float64, "sitofp"),
        **{name: _by_llvm(name) for name in ("fabs", "sqrt", "floor")},
        **{name: _by_library(getattr(math, name)) for name in ("asin", "acos", "atan")},
        "inf": math.inf,
        "nan": math.nan,
    }
    wanted = ast.parse(Path(simd.__file__).read_text())
    wanted.body = [node for node in wanted.body if _is_for_lanes(node)]
    text = ast.fix_missing_locations(_WithoutBranches().visit(wanted))
    exec(compile(text, simd.__file__, "exec"), names)
    return names


def _is_for_lanes(node: ast.stmt) -> bool:
    """Whether it is a constant, or a function marked as inline."""
    if isinstance(node, ast.FunctionDef):
        return [ast.unparse(mark) for mark in node.decorator_list] == ["inline"]
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) != "inline"


_FUNCTIONS = _functions()


def __getattr__(name: str) -> Any:
    """Functions of `langevin_sa.backends.cpu.simd`, as ``exp``."""
    if name in _FUNCTIONS:
        return _FUNCTIONS[name]
    raise AttributeError(name)


# ------------------------------------------------------------------------------------- memory


def _address(builder: Any, numbers: Any, at: Any) -> Any:
    kind = ir.VectorType(numbers.type.pointee, LANES)
    return builder.bitcast(builder.gep(numbers, [at]), kind.as_pointer())


@intrinsic
def load_lanes(typing: Any, numbers: Any, at: Any) -> Any:
    """Eight numbers, float64 or float32, from place `at` on."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value = builder.load(_address(builder, *args), align=numbers.dtype.bitwidth // 8)
        return value if numbers.dtype == float64 else builder.fpext(value, VECTORS[float64])

    return REALS(numbers, int64), build


def _storing(around: bool) -> Any:
    def function(typing: Any, numbers: Any, at: Any, value: Any) -> Any:
        size = numbers.dtype.bitwidth // 8

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            place, value = _address(builder, *args[:2]), args[2]
            if numbers.dtype != float64:
                value = builder.fptrunc(value, place.type.pointee)
            store = builder.store(value, place, align=LANES * size if around else size)
            if around:
                one = builder.module.add_metadata([ir.IntType(32)(1)])
                store.set_metadata("nontemporal", one)
            return context.get_dummy_value()

        return types.void(numbers, int64, REALS), build

    return intrinsic(function)


store_lanes = _storing(around=False)  # write eight numbers from place `at` on
store_around = _storing(around=True)  # around the cache, to a place that is a multiple of eight


@inline
def load_one(numbers: Any, at: int) -> float:
    """One number, where there are no others beside it."""
    return 1.0 * numbers[at]


@inline
def store_one(numbers: Any, at: int, value: float) -> None:
    """Write one number."""
    numbers[at] = value


def _apart(builder: Any, args: Any) -> list[Any]:
    """The places of eight numbers that are `stride` apart; from the number `left` on the last
    one's.
    """
    numbers, first, stride, left = args
    last, places = builder.sub(left, ir.Constant(left.type, 1)), []
    for lane in range(LANES):
        k = ir.Constant(left.type, lane)
        k = builder.select(builder.icmp_signed("<", k, last), k, last)
        places.append(builder.gep(numbers, [builder.add(first, builder.mul(k, stride))]))
    return places


@intrinsic
def gather(typing: Any, numbers: Any, first: Any, stride: Any, left: Any) -> Any:
    """Numbers from place `first` on, `stride` apart, the last of `left` again and again."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _joined(builder, [builder.load(place) for place in _apart(builder, args)])

    return REALS(numbers, *[int64] * 3), build


@intrinsic
def scatter(typing: Any, numbers: Any, first: Any, stride: Any, left: Any, value: Any) -> Any:
    """Write lanes from place `first` on, `stride` apart, as many as are `left`."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        places = _apart(builder, args[:4])
        for place, lane in reversed(list(zip(places, _alone(builder, args[4]), strict=True))):
            builder.store(lane, place)
        return context.get_dummy_value()

    return types.void(numbers, *[int64] * 3, REALS), build


@intrinsic
def lane_numbers(typing: Any) -> Any:
    """0 to 7."""
    numbers = [float(k) for k in range(LANES)]
    return REALS(), lambda *given: ir.Constant(VECTORS[float64], numbers)


@intrinsic
def add_lanes(typing: Any, total: Any, lanes: Any) -> Any:
    """total + lane 0 + lane 1 + ..."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return reduce(builder.fadd, [args[0], *_alone(builder, args[1])])

    return float64(float64, REALS), build


@inline
def add_one(total: float, value: float) -> float:
    """total + value, where there are no others beside it."""
    return total + value
