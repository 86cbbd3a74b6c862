"""Loops around the printed bodies of sites and bonds for a lone replica, LANES sites side by side.

Energies and forces are summed in the order of `langevin_sa.backends.cpu.printed`, so that a replica
alone and one beside others have the same bits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .printed_pairs import LANES, inertia, over

if TYPE_CHECKING:
    from ...formulas.spec import Body, Spec


def sites_alone(spec: Spec, bodies: Mapping[str, Body], massive: bool) -> list[str]:
    """The parts of the step."""
    masses, factors = inertia(spec, massive, "load(p, {})")
    parts = ["energy, total = 0.0, s[0]", "now, before = rows[0], rows[dim]"]
    if list(bodies) == ["site"]:
        move = _move(f"({bodies['site'].derivatives[0]})", *factors)
        parts += [_along("0", "dim", _site(spec, bodies["site"]) + masses + move)]
    else:
        parts += [over("d", "dim", "g_[d] = 0.0")]
        if "site" in bodies:
            keep = [f"store(g_, d, load(g_, d) + {bodies['site'].derivatives[0]})"]
            parts += [_along("0", "dim", _site(spec, bodies["site"]) + keep)]
        parts += [_bonds(spec, bodies["bond"])]
        move = _move("load(g_, d)", *factors)
        parts += [_along("0", "dim", ["v0 = load(x_, d)", *masses, *move])]
    return [*parts, "e[0], s[0] = energy, total"]


def _along(start: str, stop: str, lines: list[str]) -> str:
    """Sites from start to stop - 1, side by side, and one by one those that fill no vector."""
    body = "\n".join(lines)
    alone = re.sub(r"\b(load|store|add)\(", r"\1_one(", body)
    whole = f"whole = {start} + ({stop} - {start})//{LANES}*{LANES}"
    together = over("d", f"{start}, whole, {LANES}", body)
    return "\n".join([whole, together, over("d", f"whole, {stop}", alone)])


def _site(spec: Spec, body: Body) -> list[str]:
    parameters = [f"p_{a} = load(p, a_{a} + d)" for a in spec.array_places()]
    return ["v0 = load(x_, d)", *parameters, *body.lines, f"energy = add(energy, {body.value})"]


def _move(gradient: str, inverse: str, root: str, mass: str) -> list[str]:
    """The recursion, as `_move` of `langevin_sa.backends.cpu.printed`."""
    noise = f"{root}(kick*load(z, now + d) + tail_before*load(z, before + d))"
    return [
        f"m = carry*load(dx_, d) - lr*({inverse}{gradient}) + {noise}",
        "store(dx_, d, m)",
        "store(y_, d, v0 + m)",
        f"total = add(total, weight*({mass}(m*m)))",
    ]


def _bonds(spec: Spec, body: Body) -> str:
    """Bonds of the axes. A bond's force on its upper site waits in y until that site takes it,
    before that of its own bond; what goes around comes last.
    """
    mine, other = body.derivatives
    parameters = [f"p_{a} = load(p, a_{a} + d)" for a in spec.array_places()]
    bond = ["v0, v1 = load(x_, d), load(x_, k)", *parameters, *body.lines]
    bond += [f"energy = add(energy, {body.value})"]
    inner = ["k = d + stride", *bond, f"store(y_, k, {other})"]
    inner += [f"store(g_, d, (load(g_, d) + load(y_, d)) + {mine})"]
    around = ["store(g_, d, load(g_, d) + load(y_, d))"]
    if spec.periodic:
        around += ["k = d - (length - 1)*stride", *bond, f"store(g_, d, load(g_, d) + {mine})"]
        around += [f"store(g_, k, load(g_, k) + {other})"]
    row = [
        "last = base + (length - 1)*stride",
        over("d", "base, base + stride", "y_[d] = -0.0"),  # adding that changes no bit
        _along("base", "last", inner),
        _along("last", "last + stride", around),
    ]
    rows = over("base", "0, dim, length*stride", "\n".join(row))
    return "stride = dim\n" + "\n".join(
        f"length = size[{axis + 1}]\nstride //= length\n{rows}" for axis in range(spec.lattice)
    )
