"""Formulas are parsed, never evaluated as Python: a small grammar of numbers, names, + - * / ** and
known functions.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from ..arguments import short, unknown

SMOOTH = ("sqrt", "exp", "log", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh")
# how many arguments functions take: those that every target has, and those written out in them
PRINTED = dict.fromkeys((*SMOOTH, "abs", "sign", "floor"), 1) | {"max": 2, "min": 2, "where": 3}
FUNCTIONS = PRINTED | {"step": 1, "log10": 1, "erf": 1, "mod": 2, "hypot": 2, "atan2": 2}
CONSTANTS = ("pi", "e")
MAX_LENGTH, MAX_EXPONENT, MAX_NUMBER = 20_000, 64, 1e300
DEEPER = {"hypot": 3, "atan2": 3}  # as deep as sqrt(x**2 + y**2)
MAX_DEPTH, MAX_EFFORT, TOWER = 20, 500_000, 3  # beyond, sympy may take minutes: see `depths`

# read by Python as something else than what is meant
NO_SIGNS = {
    "^": "write powers as **, not ^",
    "#": "# begins a comment, and a formula has none",
    "\\": "a formula goes on in the next line by itself: leave out the backslash \\",
    "·": "write products as *, not ·, which is a letter of names",
}

_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_SUMS = (ast.Add, ast.Sub)


class FormulaError(ValueError):
    """A formula that cannot be read; the message quotes the place and says what is allowed."""


def parse(formula: str) -> ast.expr:
    """Syntax tree of a formula that uses only what is allowed.

    Raises
    ------
    FormulaError
        For text that is no arithmetic expression, a function or construction that is not allowed,
        or a size beyond `MAX_LENGTH` characters, or nested beyond `MAX_DEPTH` levels or
        `MAX_EFFORT`.
    """
    if not isinstance(formula, str):
        raise TypeError(f"a formula must be a string, not {type(formula).__name__}")
    if len(formula) > MAX_LENGTH:
        raise FormulaError(
            f"the formula has {len(formula)} characters, more than {MAX_LENGTH}; use array "
            "functions instead"
        )
    for sign, instead in NO_SIGNS.items():
        if sign in formula:
            raise FormulaError(f"{instead}, in {short(formula)!r}")
    if "__" in formula:
        raise FormulaError(
            f"names with a double underscore are forbidden in a formula: {short(formula)!r}"
        )
    text = " ".join(formula.split())
    try:
        tree = ast.parse(text, mode="eval").body
        _check(tree, text)
        deep = depths(tree)
        if max(deep) > MAX_DEPTH or sum(d**3 for d in deep) > MAX_EFFORT:
            raise FormulaError(
                f"the formula {short(formula)!r} is nested too deeply; use array functions instead"
            )
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, FormulaError):
            raise
        where = getattr(error, "offset", None)
        near = f" near {text[max(where - 8, 0) : where + 8]!r}" if where else ""
        raise FormulaError(
            f"cannot read the formula {short(formula)!r}{near}: expected an expression like 'x**2 "
            "+ sin(y)'"
        ) from None
    return tree


def _check(node: ast.AST, text: str) -> None:
    """Raise a FormulaError for any part of the tree that is not arithmetic."""
    called = {id(part.func) for part in ast.walk(node) if isinstance(part, ast.Call)}
    for part in ast.walk(node):
        match part:
            case ast.Constant(value=value):
                if not _is_number(value):
                    raise FormulaError(f"{value!r} is not a number that a formula can use")
            case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
                if name not in FUNCTIONS:
                    raise FormulaError(unknown(name, FUNCTIONS, "function"))
                starred = any(isinstance(argument, ast.Starred) for argument in args)
                if len(args) != FUNCTIONS[name] or keywords or starred:
                    number = ("one argument", "two arguments", "three arguments")
                    raise FormulaError(
                        f"{name} takes {number[FUNCTIONS[name] - 1]}, in {short(text)!r}"
                    )
            case ast.Name(id=name) if name in FUNCTIONS and id(part) not in called:
                raise FormulaError(f"{name} is a function: write {name}(...) in {short(text)!r}")
            case ast.BinOp(op=op) if type(op) in _OPERATORS:
                pass
            case ast.UnaryOp(op=ast.USub() | ast.UAdd()) | ast.Name() | ast.Load():
                pass
            case ast.operator() | ast.unaryop():
                pass
            case _:
                place = ast.get_source_segment(text, part) if isinstance(part, ast.expr) else None
                raise FormulaError(
                    f"{short(place or type(part).__name__)!r} is not allowed in a formula: "
                    f"use numbers, names, + - * / ** and {', '.join(FUNCTIONS)}"
                )


def _is_number(value: Any) -> bool:
    real = isinstance(value, int | float) and not isinstance(value, bool)
    return real and abs(value) <= MAX_NUMBER


def depths(tree: ast.expr) -> list[int]:
    """How deep each number and name lies: in a sum all terms are equally deep, in a product all
    factors.

    To differentiate twice takes, as measured, some 15 s for a sum of cubes of 10^6; quotients in
    quotients take far longer, and formulas in exponents, which count as so many levels more.
    """
    found, stack = [], [(tree, 1, False)]
    while stack:
        node, depth, chained = stack.pop()
        match node:
            case ast.BinOp(left=left, op=op, right=right):
                inner = depth if chained else depth + 1
                before = type(left.op) if isinstance(left, ast.BinOp) else ast.Pow
                alike = (before in _SUMS) == (type(op) in _SUMS)
                alike = alike and ast.Pow not in (type(op), before)
                tower = TOWER if type(op) is ast.Pow and not isinstance(right, ast.Constant) else 0
                stack += [(left, inner, alike), (right, inner + tower, False)]
            case ast.Call(func=ast.Name(id=name), args=arguments):
                stack += [(argument, depth + DEEPER.get(name, 1), False) for argument in arguments]
            case ast.UnaryOp(operand=operand):
                stack.append((operand, depth, False))
            case _:
                found.append(depth)
    return found


def names(tree: ast.expr) -> list[str]:
    """Names in a formula that are neither functions nor the constants pi and e, x2 before x10."""
    called = {id(part.func) for part in ast.walk(tree) if isinstance(part, ast.Call)}
    found = {
        part.id for part in ast.walk(tree) if isinstance(part, ast.Name) and id(part) not in called
    }
    return sorted(found - set(CONSTANTS), key=natural)


def normal(name: Any) -> Any:
    """A name as Python reads it in a formula: letters that are written in several ways are one."""
    return unicodedata.normalize("NFKC", name) if isinstance(name, str) else name


def natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """What names are sorted by: numbers in them compare as numbers."""
    parts = re.split(r"(\d+)", name)
    digits = (part.lstrip("0") if i % 2 else part for i, part in enumerate(parts))
    return [(len(part) if i % 2 else 0, part) for i, part in enumerate(digits)], name


def evaluate(tree: ast.expr, leaves: Mapping[str, Any], number: Callable[[Any], Any]) -> Any:
    """Value of the tree in any arithmetic: `leaves` maps names and functions, `number` makes
    constants.
    """
    value = _evaluate(tree, leaves, number)
    if getattr(value, "is_number", False):  # a sympy number
        try:
            size = abs(float(value))
        except (TypeError, OverflowError):
            size = math.inf
        if not size <= MAX_NUMBER:
            raise FormulaError(
                f"{short(ast.unparse(tree))!r} is not a real number of at most {MAX_NUMBER:g}"
            )
    return value


def _evaluate(tree: ast.expr, leaves: Mapping[str, Any], number: Callable[[Any], Any]) -> Any:
    match tree:
        case ast.Constant(value=value):
            return number(value)
        case ast.Name(id=name):
            return leaves[name]
        case ast.UnaryOp(op=op, operand=operand):
            inner = evaluate(operand, leaves, number)
            return -inner if isinstance(op, ast.USub) else inner
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return leaves[name](*(evaluate(a, leaves, number) for a in arguments))
        case ast.BinOp(left=left, op=op, right=right):
            a, b = evaluate(left, leaves, number), evaluate(right, leaves, number)
            if isinstance(op, ast.Pow) and getattr(b, "is_number", False):
                if abs(b) > MAX_EXPONENT:
                    raise FormulaError(
                        f"the exponent {b} is beyond {MAX_EXPONENT}; rescale the formula or use exp"
                    )
                size = float(abs(a)) if getattr(a, "is_number", False) else 1.0
                # not worked out: it may have a million digits
                if abs(b * math.log(size or 1)) > math.log(MAX_NUMBER):
                    raise FormulaError(
                        f"{short(ast.unparse(tree))!r} is not a real number of at most "
                        f"{MAX_NUMBER:g}"
                    )
            return _OPERATORS[type(op)](a, b)
    raise AssertionError(f"not checked: {ast.dump(tree)}")  # _check lets nothing else through
