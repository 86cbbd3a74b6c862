"""The functions of `backends/cpu/simd.py` and `philox.py` as CUDA C, printed from its own text, so
that CPU and GPU round alike.

Those files are straight-line Python with its fused multiply-adds written out, so line by line they
say the same in C. CUDA's own sin, cos and log would differ from them in the last bit, and keep a
table in local memory for huge arguments.
"""

from __future__ import annotations

import ast
import math
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

CPU = Path(__file__).parent.parent / "cpu"
FUNCTIONS = (
    "_expm1_reduced",
    "exp",
    "expm1",
    "tanh",
    "sinh",
    "cosh",
    "log_positive",
    "log",
    "sin_reduced",
    "cos_reduced",
    "_quadrant",
    "_reduce",
    "sin",
    "cos",
    "tan",
    "sign",
    "max",
    "min",
    "where",
    "power",
    "uniform",
    "three_point",
)
# they look at bits: float.cu has them
IN_FLOAT32 = {"_expm1_reduced", "log_positive", "exp", "expm1", "log", "_reduce"}
TYPES = {
    "float": "real",
    "int": "i64",
    "tuple[float, int]": "Two<real, i64>",
    "tuple[float, float]": "Two<real, real>",
}
CALLS = {
    "float64": "real",
    "int64": "i64",
    "bits": "__double_as_longlong",
    "from_bits": "__longlong_as_double",
}
OPERATORS: dict[type, str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitAnd: "&",
    ast.USub: "-",
    ast.Not: "!",
    ast.And: " && ",
    ast.Or: " || ",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.LtE: "<=",
}


def literal(value: float, single: bool) -> str:
    """A float as a C constant of type real."""
    if math.isfinite(value):
        return repr(value) + ("f" if single else "")
    bits = 0x7FF0000000000000 if math.isinf(value) else 0x7FF8000000000000
    return f"{'-' if value < 0 else ''}real(__longlong_as_double({bits}LL))"


@cache
def functions(single: bool) -> str:
    """C++ text of all `FUNCTIONS` for real = double, or float if `single` (then without those
    `IN_FLOAT32`).
    """
    tree = ast.parse("\n".join((CPU / name).read_text() for name in ("simd.py", "philox.py")))
    known: dict[str, Any] = {"math": math, "__builtins__": {}}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            with suppress(NameError, TypeError):  # not a constant
                exec(compile(ast.Module([node], []), "simd", "exec"), known)
    found = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    return "\n".join(
        _Function(found[name], known, single).text()
        for name in FUNCTIONS
        if not (single and name in IN_FLOAT32)
    )


class _Function:
    """One function on its way from Python to C."""

    def __init__(self, node: ast.FunctionDef, constants: dict[str, Any], single: bool) -> None:
        self.node, self.constants, self.single = node, constants, single
        self.locals = {argument.arg for argument in node.args.args}

    def text(self) -> str:
        returns = TYPES[ast.unparse(self.node.returns)] if self.node.returns else "void"
        arguments = ", ".join(
            f"{TYPES[ast.unparse(a.annotation)]} {a.arg}"
            for a in self.node.args.args
            if a.annotation
        )
        lines = self.node.body[ast.get_docstring(self.node) is not None :]
        body = "\n".join("    " + self.statement(line) for line in lines)
        return f"__device__ inline {returns} {self.node.name}({arguments}) {{\n{body}\n}}"

    def statement(self, node: ast.stmt) -> str:
        match node:
            case ast.Return(value=ast.Tuple(elts=elts)):
                return f"return {{{', '.join(map(self.show, elts))}}};"
            case ast.Return(value=ast.expr() as value):
                return f"return {self.show(value)};"
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                text = self.show(value)
                new = name not in self.locals
                self.locals.add(name)
                return f"{'auto ' if new else ''}{name} = {text};"
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                pairs = zip(names, values, strict=True)
                return " ".join(self.statement(ast.Assign([name], value)) for name, value in pairs)
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=value):
                text = f"auto [{', '.join(map(ast.unparse, names))}] = {self.show(value)};"
                self.locals |= set(map(ast.unparse, names))
                return text
        raise NotImplementedError(ast.unparse(node))

    def show(self, node: ast.expr) -> str:
        names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        if not names & self.locals and names <= self.constants.keys():
            value = eval(compile(ast.Expression(node), "simd", "eval"), self.constants)
            return f"{value}LL" if isinstance(value, int) else literal(value, self.single)
        match node:
            case ast.Name(id=name):
                return name
            case ast.UnaryOp(op=op, operand=operand):
                return f"({OPERATORS[type(op)]}{self.show(operand)})"
            case ast.BinOp(left=left, op=op, right=right):
                return f"({self.show(left)} {OPERATORS[type(op)]} {self.show(right)})"
            case ast.BoolOp(op=op, values=values):
                return f"({OPERATORS[type(op)].join(map(self.show, values))})"
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return f"({self.show(left)} {OPERATORS[type(op)]} {self.show(right)})"
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return f"({self.show(test)} ? {self.show(body)} : {self.show(orelse)})"
            case ast.Call(func=ast.Name(id=name), args=args):
                return f"{CALLS.get(name, name)}({', '.join(map(self.show, args))})"
            case ast.Call(func=ast.Attribute(attr=name), args=args):  # math.sqrt and the like
                return f"{name.replace('fabs', 'abs')}({', '.join(map(self.show, args))})"
        raise NotImplementedError(ast.unparse(node))
