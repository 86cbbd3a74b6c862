"""A formula's force as a JavaScript function, for the page to teach with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from textwrap import indent

from .parse import SMOOTH
from .spec import Body, Spec


def javascript_source(spec: Spec, bodies: Mapping[str, Body], sizes: Sequence[int]) -> str:
    """``energyGradient(x, g, p)`` of one replica: returns its energy and fills g; loops over sites
    and neighbours are written out.
    """
    dim, blocks = sizes[0], []
    for kind, body in bodies.items():
        where = spec.where(kind, sizes)
        if where is None:
            raise ValueError(
                f"a {kind.split()[0]} formula is not printed as JavaScript: write it as a formula "
                "of its coordinates"
            )
        for at in where:
            assign = [f"v{i} = x[{d}]" for i, d in enumerate(at)]
            assign += [f"p_{i} = p[{i}]" for i in range(len(spec.scalars))]
            assign += [
                f"p_{place} = p[{len(spec.scalars) + k * dim + at[0]}]"
                for k, place in enumerate(spec.array_places())
            ]
            lines = [f"const {line};" for line in (*assign, *body.lines)]
            lines += [
                f"e += {body.value};",
                *(f"g[{d}] += {text};" for d, text in zip(at, body.derivatives, strict=True)),
            ]
            blocks.append("{\n" + indent("\n".join(lines), "  ") + "\n}")
    text = "\n".join(
        ["let e = 0;", f"for (let i = 0; i < {dim}; i++) g[i] = 0;", *blocks, "return e;"]
    )
    used = set(re.findall(r"\b\w+(?=\()", text))
    given = [*SMOOTH, "abs", "sign", *sorted(used & {"floor", "max", "min"})]
    names = f"const {{{', '.join(given)}, pow: power}} = Math;\n"
    if "where" in used:
        names += "const where = (a, b, c) => (a > 0 ? b : c);\n"
    return names + "function energyGradient(x, g, p) {\n" + indent(text, "  ") + "\n}\n"
