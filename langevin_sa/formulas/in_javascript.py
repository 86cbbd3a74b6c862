"""A formula's force as a JavaScript function, for the page to teach with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from textwrap import indent

from .parse import SMOOTH
from .spec import Body, Spec


def javascript_source(spec: Spec, bodies: Mapping[str, Body], sizes: Sequence[int]) -> str:
    """``energyGradient(x, g, p)`` of one replica: returns its energy and fills g.

    A pair formula is printed as ``pairAt(v0, p, at, out)`` instead, of a squared distance and of
    parameters that begin at p[at]: out[0] is the energy, out[1] its derivative.
    """
    if set(bodies) == {"pair"}:
        return _named(_pair(spec, bodies["pair"]))
    blocks = []
    for kind, body in bodies.items():
        if spec.where(kind, sizes) is None:
            raise ValueError(
                f"a {kind.split()[0]} formula is not printed as JavaScript: write it as a formula "
                "of its coordinates"
            )
        blocks.append(_loop(spec, kind, body, sizes))
    text = "\n".join(
        ["let e = 0;", f"for (let i = 0; i < {sizes[0]}; i++) g[i] = 0;", *blocks, "return e;"]
    )
    return _named("function energyGradient(x, g, p) {\n" + indent(text, "  ") + "\n}\n")


def _loop(spec: Spec, kind: str, body: Body, sizes: Sequence[int]) -> str:
    """The sum of a term over all sites, over the bonds along each axis, or of the coordinates."""
    dim, *shape = sizes[: 1 + spec.lattice]
    if kind == "coordinates":
        return "{\n" + indent(_term(spec, body, dim, [str(d) for d in spec.places]), "  ") + "\n}"
    each = f"for (let a = 0; a < {dim}; a++) {{\n"
    if kind == "site":
        return each + indent(_term(spec, body, dim, ["a"]), "  ") + "\n}"
    loops, stride = [], dim
    for length in shape:
        stride //= length
        row = stride * length  # sites from one end of the axis to the other, and the next row
        last = f"a % {row} >= {row - stride}"
        if spec.periodic:
            step = f"const b = {last} ? a - {row - stride} : a + {stride};"
        else:
            step = f"if ({last}) continue;\nconst b = a + {stride};"
        term = _term(spec, body, dim, ["a", "b"])
        loops.append(each + indent(f"{step}\n{term}", "  ") + "\n}")
    return "\n".join(loops)


def _term(spec: Spec, body: Body, dim: int, at: Sequence[str]) -> str:
    """One term, of the coordinates of these numbers."""
    assign = [f"v{i} = x[{d}]" for i, d in enumerate(at)]
    assign += [f"p_{i} = p[{i}]" for i in range(len(spec.scalars))]
    assign += [
        f"p_{place} = p[{len(spec.scalars) + k * dim} + {at[0]}]"
        for k, place in enumerate(spec.array_places())
    ]
    lines = [f"const {line};" for line in (*assign, *body.lines)]
    lines += [f"e += {body.value};"]
    lines += [f"g[{d}] += {text};" for d, text in zip(at, body.derivatives, strict=True)]
    return "\n".join(lines)


def _pair(spec: Spec, body: Body) -> str:
    assign = [f"p_{i} = p[at + {i}]" for i in range(len(spec.scalars))]
    lines = [f"const {line};" for line in (*assign, *body.lines)]
    lines += [f"out[0] = {body.value};", f"out[1] = {body.derivatives[0]};"]
    return "function pairAt(v0, p, at, out) {\n" + indent("\n".join(lines), "  ") + "\n}\n"


def _named(text: str) -> str:
    """The text after the names of functions that it uses."""
    used = set(re.findall(r"\b\w+(?=\()", text))
    given = [*SMOOTH, "abs", "sign", *sorted(used & {"floor", "max", "min"})]
    names = f"const {{{', '.join(given)}, pow: power}} = Math;\n"
    if "where" in used:
        names += "const where = (a, b, c) => (a > 0 ? b : c);\n"
    return names + text
