"""A formula said once: sympy gives its gradient and Laplacian, and this file prints them as source.

A potential is a sum of terms of some kinds, and the printed body of each (assignments with
shared subexpressions, then the term's value and derivatives) is the same text for every target:

* coordinates: one expression of named coordinates,
* site:  ``V(x_i)`` summed over sites,
* bond:  ``V(x_i, x_j)`` summed over neighbours of a chain or lattice, x = x_i, y = x_j,
* link:  ``V(r)`` summed over consecutive particles, r = |r_{i+1} - r_i|,
* pair:  ``V(r)`` summed over pairs of particles, r = |r_i - r_j|,
* density, embedding: ``F(rho)`` summed over particles, rho_i the sum of ``f(r)`` over the others,
* of particles in a list: ``V(r)``, ``V(theta)`` or ``V(phi)`` of bonds, angles and torsions.

Sources are kept in a folder of the user's cache, so that a second process needs neither sympy nor a
compiler.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from ..arguments import short
from ..storage.cache import keep, kept
from .parse import CONSTANTS, FUNCTIONS, MAX_NUMBER, FormulaError, evaluate, parse
from .patience import TooLong, at_most
from .spec import Body, Source, Spec

SECONDS = 30.0  # of processor time, for the derivatives of one potential


@cache
def source_of(spec: Spec) -> Source:
    """Source for a `Spec`, from the cache folder if it is there, else printed by way of sympy."""
    code = (
        Path(__file__).with_name(f"{name}.py").read_text()
        for name in ("derive", "functions", "internal", "spec")
    )
    text = json.dumps(asdict(spec)) + "".join(code)
    key = hashlib.sha256(text.encode()).hexdigest()[:20]
    source = _kept(key, spec)
    if source is None:
        try:
            with at_most(SECONDS):
                source = generate(spec, key)
        except TooLong:
            text = "; ".join(spec.terms().values())
            raise FormulaError(
                f"the formula {short(text)!r} takes more than {SECONDS:g} s to differentiate twice "
                "(products of many factors do); use array functions or from_numba instead"
            ) from None
        except RecursionError:
            raise FormulaError(
                "the formula is nested too deeply, or is a sum of too many terms; use array "
                "functions instead"
            ) from None
        bodies = {kind: asdict(body) for kind, body in source.bodies.items()}
        keep(f"{key}.json", json.dumps({"latex": source.latex, "bodies": bodies}).encode())
    return source


def _kept(key: str, spec: Spec) -> Source | None:
    """The source in the cache; None if it is not there or damaged."""
    data = kept(f"{key}.json")
    if data is None:
        return None
    found = json.loads(data)
    bodies = {kind: _body(fields) for kind, fields in found["bodies"].items()}
    return Source(key, spec, found["latex"], bodies)


def _body(fields: dict[str, Any]) -> Body:
    """A body from JSON, where tuples are lists."""
    tuples: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()
    }
    return Body(**tuples)


# ------------------------------------------------------------------------------ printing with sympy


def generate(spec: Spec, key: str) -> Source:
    """Differentiate with sympy and print."""
    import sympy as sp

    from .functions import MEANING, Where
    from .internal import Named, of_internal

    constants = dict(zip(CONSTANTS, (sp.pi, sp.E), strict=True))

    def number(value: float) -> Any:
        if isinstance(value, int):
            return sp.Integer(value)
        return sp.Rational(value) if value % 0.25 == 0 else sp.Float(value, 17)

    bodies, latex = {}, []
    listed = {f"{term.kind} {k}": term for k, term in enumerate(spec.listed)}
    for kind, text in spec.terms().items():
        distance = kind in ("link", "pair", "density")
        known: dict[str, Any] = {"real": True, "positive": distance or None}
        local = {name: sp.Symbol(f"{name}", **known) for name in spec.inputs(kind)}
        parameters = {name: sp.Symbol(name, real=True) for name in spec.printed_names()}
        value = evaluate(parse(text), {**constants, **MEANING, **parameters, **local}, number)
        if value.has(sp.zoo, sp.nan, sp.oo, sp.I):
            raise FormulaError(
                f"the {kind} formula {short(text)!r} is not a finite real expression"
            )
        # 0.3, not 0.29999999999999999
        short_floats = {number: sp.Float(repr(float(number))) for number in value.atoms(sp.Float)}
        upright = {symbol: _upright(symbol.name, sp) for symbol in parameters.values()}
        words = any(name.startswith(r"\mathrm") for name in upright.values())
        look = {"mul_symbol": r" \, "} if words else {}  # tilt x, not tiltx
        shown = sp.latex(value.xreplace(short_floats), symbol_names=upright, **look)
        if kind == "density":
            density = shown
        elif kind == "embedding":
            latex.append(_embedded(shown, density))
        else:
            latex.append(_summed(shown, kind))
        renamed = {s: sp.Symbol(f"v{i}", **known) for i, s in enumerate(local.values())}
        # sympy orders by names, and with them roundings: the user's stay until they are printed
        own = {s: sp.Symbol(f"p_{name}", real=True) for name, s in parameters.items()}
        renamed |= own
        printed_names = {own[parameters[n]]: p for n, p in spec.printed_names().items()}
        value = value.xreplace(renamed)
        v, named = [renamed[symbol] for symbol in local.values()], Named()
        if kind in listed:
            term = listed[kind]
            count = spec.space * (term.count - 1)
            steps = [sp.Symbol(f"v{k}", real=True) for k in range(count)]
            internal = of_internal(term.kind, value, v[0], steps, spec.space, named)
            value, first, laplacian = internal
        else:
            if distance:  # V(r) as a function of v0 = r^2
                value = value.subs(v[0], sp.sqrt(v[0]))
            first = [_regular(sp.diff(value, x), sp) for x in v]
            second = [_regular(sp.diff(d, x), sp) for d, x in zip(first, v, strict=True)]
            laplacian = sum(second)
            if kind == "embedding":  # where no other particle is near its slope may have no end
                first, second = ([Where(sp.Abs(v[0]), d[0], 0)] for d in (first, second))
                laplacian = second[0]
            if distance:
                laplacian = 8 * v[0] * second[0] + 4 * spec.space * first[0]
        lines, (printed, *derivatives) = _emit([value, *first], printed_names, sp, named.lines)
        more, (printed_laplacian,) = _emit([laplacian], printed_names, sp, named.lines)
        bodies[kind] = Body(
            tuple(lines), printed, tuple(derivatives), tuple(more), printed_laplacian
        )
    return Source(key, spec, " + ".join(latex), bodies)


def _regular(expression: Any, sp: Any) -> Any:
    """A derivative without the delta functions that abs and sign leave at their kinks."""
    return expression.replace(sp.DiracDelta, lambda *_: sp.Integer(0))


def _upright(name: str, sp: Any) -> str:
    """LaTeX of a parameter: words upright, letters and Greek names as sympy has them."""
    text = sp.latex(sp.Symbol(name))
    return rf"\mathrm{{{name}}}" if text == name and len(name) > 1 else text


def _summed(latex: str, kind: str) -> str:
    if kind == "coordinates":
        return latex
    where, *number = kind.split()
    index = {"site": r"i", "pair": r"i<j"}.get(where, r"\langle ij\rangle")
    if number:
        index = {"bond": "(i, j)", "angle": "(i, j, k)"}.get(where, "(i, j, k, l)")
    return rf"\sum_{{{index}}} \left[" + latex + r"\right]"


def _embedded(latex: str, density: str) -> str:
    return (
        rf"\sum_{{i}} \left[{latex}\right]_"
        rf"{{\rho = \sum_{{j \neq i}} \left[{density}\right]}}"
    )


def _emit(
    expressions: list[Any], names: dict[Any, str], sp: Any, given: list[tuple[Any, Any]]
) -> tuple[list[str], list[str]]:
    """Assignments ``t0 = ...`` in order and the text of each expression, in syntax that Python, C
    and JavaScript share; `names` are those of the parameters' symbols, `given` are symbols of the
    expressions with what they stand for.
    """
    from .functions import NAMES, Real

    shared, reduced = sp.cse(expressions, symbols=sp.numbered_symbols("c"), optimizations="basic")
    lines: list[str] = []
    known: dict[str, str] = {}

    def named(text: str) -> str:
        if text not in known:
            known[text] = f"t{len(known)}"
            lines.append(f"{known[text]} = {text}")
        return known[text]

    def power(base: str, n: int) -> str:
        if n < 0:
            return power(named(f"1.0/{base}"), -n)
        if n == 1:
            return base
        half = power(base, n // 2)
        return named(f"{half}*{half}") if n % 2 == 0 else named(f"{named(f'{half}*{half}')}*{base}")

    def atom(e: Any) -> str:
        text = show(e)
        return text if text.replace("_", "a").isalnum() else named(text)

    def show(e: Any) -> str:
        if e.is_Symbol:
            return names.get(e, str(e))
        if e.is_number:
            try:
                value = float(e)
            except (TypeError, OverflowError):
                value = float("nan")
            if not abs(value) <= MAX_NUMBER:
                raise FormulaError(
                    f"{short(str(e))}, in the formula or its derivatives, is not a real number of "
                    f"at most {MAX_NUMBER:g}"
                )
            return repr(value) if value >= 0 else f"({value!r})"
        if e.is_Add:
            text = ""
            for term in e.args:
                if term.could_extract_minus_sign():
                    text += f" - {show(-term)}"
                else:
                    text += f"{' + ' if text else ''}{show(term)}"
            return f"({text.strip()})" if not text.startswith(" - ") else f"(-{text[3:]})"
        if e.is_Mul:
            return "*".join(show(factor) for factor in e.args)
        if e.is_Pow:
            base, exponent = e.as_base_exp()
            if exponent.is_Integer:
                return power(atom(base), int(exponent))
            if (2 * exponent).is_Integer:
                return power(named(f"sqrt({show(base)})"), int(2 * exponent))
            return f"power({show(base)}, {show(exponent)})"
        if e.func is Real:
            return show(e.args[0])
        if hasattr(e.func, "written"):
            return e.func.written(*map(atom, e.args), named)
        if e.func in NAMES:
            return f"{NAMES[e.func]}({', '.join(map(show, e.args))})"
        raise FormulaError(f"cannot print {e}: use {', '.join(FUNCTIONS)}")

    for symbol, expression in (*given, *shared):
        lines.append(f"{symbol} = {show(expression)}")
    return lines, [show(e) for e in reduced]
