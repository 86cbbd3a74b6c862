"""Loops around the printed bodies of what particles have besides pairs: terms over lists, and
embedded atoms; in lanes of replicas (`langevin_sa.backends.cpu.lanes`), or of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...formulas.cell import nearest
from .printed_pairs import each_pair, of_distance, over

if TYPE_CHECKING:
    from ...formulas.spec import Body, Listed, Spec


def list_forces(spec: Spec, bodies: Mapping[str, Body]) -> list[str]:
    """Each entry of the lists, which come in `size` after the sites, their parameters in p after
    those of coordinates.
    """
    if not spec.listed:
        return []
    first = f"{spec.first_of_lists} + {len(spec.arrays)}*dim"
    parts = [f"at, own, energy = {1 + spec.lattice}, {first}, 0.0"]
    for k, term in enumerate(spec.listed):
        parts.append("count = size[at]")
        parts.append(over("t", "count", _entry(spec, term, bodies[f"{term.kind} {k}"])))
        parts.append(f"at, own = at + 1 + {term.count}*count, own + {len(term.arrays)}*count")
    return [*parts, "store(e, 0, load(e, 0) + energy)"]


def _entry(spec: Spec, term: Listed, body: Body) -> str:
    """One entry: the particles at i0, i1, ..., and their forces."""
    names = spec.printed_names()
    lines = [f"i{k} = WIDTH*size[at + 1 + {term.count}*t + {k}]" for k in range(term.count)]
    lines += [f"{names[n]} = p[own + {k}*count + t]" for k, n in enumerate(term.arrays)]
    forces = []
    for n, derivative in enumerate(body.derivatives):
        step, axis = divmod(n, spec.space)
        low, high = (f"i{step + end} + {axis}*WIDTH" for end in (0, 1))
        lines.append(f"v{n} = load(x_, {high}) - load(x_, {low})")
        forces += [
            f"f = {derivative}",
            f"store(g_, {high}, load(g_, {high}) + f)",
            f"store(g_, {low}, load(g_, {low}) - f)",
        ]
    lines += nearest(spec, term.count - 1) if spec.cell else []
    return "\n".join([*lines, *body.lines, f"energy += {body.value}", *forces])


def embedded_forces(spec: Spec, density: Body, embedding: Body) -> list[str]:
    """Densities, and then the slopes of the embedding, wait in y, where no other number is yet."""
    here = "store(y_, WIDTH*d, {})"
    apart = of_distance(spec, density)[:-1]
    given = [f"f = {density.value}", "own += f", "store(y_, WIDTH*k, load(y_, WIDTH*k) + f)"]
    sums = [
        "v0 = own",
        *embedding.lines,
        f"energy += {embedding.value}",
        here.format(embedding.derivatives[0]),
    ]
    slopes = ["slope = load(y_, WIDTH*d)"]
    forces = [*of_distance(spec, density), "f = f*(slope + load(y_, WIDTH*k))"]
    return [
        "energy = 0.0",
        over("d", f"0, dim, {spec.space}", here.format("0.0")),
        each_pair(spec, ["own = load(y_, WIDTH*d)"], [*apart, *given], sums, forces=False),
        each_pair(spec, slopes, forces, [], forces=True),
        "store(e, 0, load(e, 0) + energy)",
    ]
