"""Internal coordinates of particles: distance, angle and torsion, whose derivatives are written by
hand, so that forces are right where particles stand on a line or in a plane.

Blondel, Karplus, J. Comput. Chem. 17, 1132 (1996).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import sympy as sp

from .functions import Atan2, Where

Vector = list[Any]


class Named:
    """Names for expressions that others are made of, in the order in which they are assigned."""

    def __init__(self) -> None:
        self.lines: list[tuple[Any, Any]] = []

    def __call__(self, expression: Any) -> Any:
        symbol = sp.Symbol(f"q{len(self.lines)}", real=True)
        self.lines.append((symbol, expression))
        return symbol


def of_internal(
    kind: str, value: Any, q: Any, steps: Sequence[Any], space: int, named: Named
) -> tuple[Any, list[Any], Any]:
    """A term over a list: its value, the derivatives by the steps and the Laplacian.

    Parameters
    ----------
    kind : str
        "bond", "angle" or "torsion".
    value, q : sympy expression, Symbol
        The formula V(q), and its input.
    steps : sequence of Symbol
        From each particle to the next, axis by axis.
    space : int
        Dimensions of space.
    named : Named
        Where what is needed more than once gets a name.
    """
    vectors = [list(steps[k : k + space]) for k in range(0, len(steps), space)]
    return _KINDS[kind](value, q, vectors, named)


def _bond(value: Any, q: Any, vectors: list[Vector], named: Named) -> tuple[Any, Vector, Any]:
    (d,) = vectors
    square = sp.Symbol("q0", positive=True)
    named.lines.append((square, _dot(d, d)))
    value = value.subs(q, sp.sqrt(square))
    first = value.diff(square)
    laplacian = 8 * square * first.diff(square) + 4 * len(d) * first
    return value, [2 * first * x for x in d], laplacian


def _angle(value: Any, q: Any, vectors: list[Vector], named: Named) -> tuple[Any, Vector, Any]:
    """At the middle one of three particles. Where they stand on a line V'/sin(theta) is what it
    tends to, V'' cos(theta), if V is smooth there.
    """
    size = [named(1 / sp.sqrt(_dot(d, d))) for d in vectors]
    u, w = ([named(x * one) for x in d] for d, one in zip(vectors, size, strict=True))
    axes = range(len(u))
    square = named(sum((u[k] * w[j] - u[j] * w[k]) ** 2 for j in axes for k in range(j)))
    sine, cosine = named(sp.sqrt(square)), named(-_dot(u, w))
    here = {q: named(Atan2(sine, cosine))}
    first, second = (value.diff(q, n).xreplace(here) for n in (1, 2))
    slope = named(Where(square, first / sine, second * cosine))
    forces = [slope * (cosine * a + b) * size[0] for a, b in zip(u, w, strict=True)]
    forces += [slope * (cosine * b + a) * size[1] for a, b in zip(u, w, strict=True)]
    squares, both = size[0] ** 2 + size[1] ** 2, size[0] * size[1]
    laplacian = 2 * second * (squares - both * cosine)
    laplacian += 2 * (len(u) - 2) * slope * (cosine * squares - both)
    return value.xreplace(here), forces, laplacian


def _torsion(value: Any, q: Any, vectors: list[Vector], named: Named) -> tuple[Any, Vector, Any]:
    """Around the middle bond of four particles, 0 where the outer ones are on the same side (cis);
    it is harmonic, so that its Laplacian is 0.
    """
    a, b, c = vectors
    m, n = ([named(x) for x in _cross(*pair)] for pair in ((a, b), (b, c)))
    length = named(sp.sqrt(_dot(b, b)))
    over_m, over_n = named(1 / _dot(m, m)), named(1 / _dot(n, n))
    here = {q: named(Atan2(length * _dot(a, n), _dot(m, n)))}
    first, second = (value.diff(q, k).xreplace(here) for k in (1, 2))
    ends = [[named(length * over_m * x) for x in m], [named(length * over_n * x) for x in n]]
    shares = [named(-_dot(d, b) / length**2) for d in (a, c)]
    middle = [named(shares[0] * x + shares[1] * y) for x, y in zip(*ends, strict=True)]
    by_step = [ends[0], middle, ends[1]]
    moved = [ends[0], *_differences(by_step), ends[1]]
    laplacian = second * sum(_dot(d, d) for d in moved)
    return value.xreplace(here), [first * x for d in by_step for x in d], laplacian


_KINDS: dict[str, Callable[..., tuple[Any, Vector, Any]]]
_KINDS = {"bond": _bond, "angle": _angle, "torsion": _torsion}


def _dot(a: Vector, b: Vector) -> Any:
    return sum(x * y for x, y in zip(a, b, strict=True))


def _cross(a: Vector, b: Vector) -> Vector:
    return [a[k - 2] * b[k - 1] - a[k - 1] * b[k - 2] for k in range(3)]


def _differences(vectors: list[Vector]) -> list[Vector]:
    return [[x - y for x, y in zip(a, b, strict=True)] for a, b in pairwise(vectors)]
