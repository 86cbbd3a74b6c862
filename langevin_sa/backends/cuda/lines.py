"""Pieces of CUDA text: functions, blocks and loops, and a printed term in the midst of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from textwrap import indent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...formulas.spec import Body, Spec


def function(head: str, lines: Sequence[str]) -> str:
    return f"__device__ inline {head} {{\n" + indent("\n".join(lines), "    ") + "\n}"


def block(lines: str) -> str:
    return "{\n" + indent(lines, "    ") + "\n}"


def loop(index: str, low: str, high: str, step: int, body: str) -> str:
    return (
        f"#pragma unroll UNROLL\nfor (int {index} = {low}; {index} < {high}; {index} += {step}) "
        + block(body)
    )


def term(
    spec: Spec,
    body: Body,
    load: Sequence[str],
    store: Sequence[str],
    energy: str = "e += ",
    place: str = "d",
) -> str:
    """The body of a term: parameters and assignments that are needed (those that load its inputs
    first), its value and derivatives.
    """
    wanted = [
        (target, derivative)
        for target, derivative in zip(store, body.derivatives, strict=False)
        if target
    ]
    results = [*([body.value] if energy else []), *(derivative for _, derivative in wanted)]
    lines = needed([*load, *body.lines], results)
    used = set(map(int, re.findall(r"\bp_(\d+)", " ".join([*lines, *results]))))
    scalars = [f"const real p_{k} = p[{k}];" for k in range(len(spec.scalars)) if k in used]
    arrays = [
        f"const real p_{n} = p[{len(spec.scalars)} + {k}*DIM + {place}];"
        for k, n in enumerate(spec.array_places())
        if n in used
    ]
    out = [
        *([f"{energy}{body.value};"] if energy else []),
        *(f"{target}({derivative});" for target, derivative in wanted),
    ]
    return "\n".join([*scalars, *arrays, *(f"const real {line};" for line in lines), *out])


def needed(lines: Sequence[str], results: Sequence[str]) -> list[str]:
    """The assignments that the results depend on."""
    kept: list[str] = []
    for line in reversed(lines):
        name = line.split(" = ")[0]
        if any(re.search(rf"\b{name}\b", later) for later in (*kept, *results)):
            kept.append(line)
    return kept[::-1]


def square(spec: Spec) -> str:
    return "v0 = " + " + ".join(f"r{k}*r{k}" for k in range(spec.space))
