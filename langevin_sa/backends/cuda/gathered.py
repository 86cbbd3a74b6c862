"""What one thread gathers for one particle, from all terms that it takes part in.

Contributions come in the order in which the CPU kernels add them up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .lines import block, function, square, term

if TYPE_CHECKING:
    from ...formulas.spec import Body, Spec

MOST_PLACES = 4  # particles of an entry


def particle(
    spec: Spec, bodies: Mapping[str, Body], sizes: Sequence[int], box: Sequence[float]
) -> str:
    """The functions that particles.cu calls. `sizes` are a formula's, `box` has a length for each
    axis of a cell, 0 where it is open.
    """
    pair = [_between("pair", spec, bodies["pair"], box)] if "pair" in bodies else []
    return "\n\n".join(
        [_site(spec, bodies), *pair, *_links(spec, bodies), _listed(spec, bodies, sizes)]
    )


def _site(spec: Spec, bodies: Mapping[str, Body]) -> str:
    """``site(v0, g, p, d)``: a coordinate's own energy and force, nothing if the formula has
    none.
    """
    parts = [block(term(spec, bodies["site"], [], ["g += "]))] if "site" in bodies else []
    return function(
        "real site(real v0, real& g, const real* p, i64 d)", ["real e = 0;", *parts, "return e;"]
    )


def _between(name: str, spec: Spec, body: Body, box: Sequence[float] = ()) -> str:
    """``name(v, w, p, lengths, g)``: energy of the particle at v with the one at w, whose force is
    added to g.
    """
    parts = ["real e = 0;"]
    for k in range(spec.space):
        parts.append(f"real r{k} = v[{k}] - w[{k}];")
        if box and box[k]:
            parts.append(
                f"r{k} = fma(-::rint(r{k}*lengths[{spec.space + k}]), lengths[{k}], r{k});"
            )
    if box:
        parts.append(
            f"if ({square(spec).removeprefix('v0 = ')} >= p[{len(spec.scalars) + 1}]) return 0;"
        )
    parts.append(term(spec, body, [square(spec)], ["const real f = 2.0*"]))
    parts += [f"g[{k}] += f*r{k};" for k in range(spec.space)]
    parts.append(f"return e - p[{len(spec.scalars)}];" if box else "return e;")
    return function(
        f"real {name}(const real* v, const real* w, const real* p, const real* lengths, real* g)",
        parts,
    )


def _links(spec: Spec, bodies: Mapping[str, Body]) -> list[str]:
    """``links(x, unit, v, p, g)``: energy of the link to the next particle, forces of both."""
    head = "real links(const real* x, i64 unit, const real* v, const real* p, real* g)"
    if "link" not in bodies:
        return [function(head, ["return 0;"])]
    parts = ["real e = 0;", "if (unit > 0) link(v, x + (unit - 1) * UNIT, p, p, g);"]
    parts.append("if (unit + 1 < UNITS) e += link(v, x + (unit + 1) * UNIT, p, p, g);")
    if spec.periodic:
        parts.append("else e += link(v, x, p, p, g);")
        parts.append("if (unit == 0) link(v, x + (UNITS - 1) * UNIT, p, p, g);")
    return [_between("link", spec, bodies["link"]), function(head, [*parts, "return e;"])]


def _listed(spec: Spec, bodies: Mapping[str, Body], sizes: Sequence[int]) -> str:
    """``listed(x, unit, p, lists, g)``: energies of the entries of lists whose first particle is
    this one, forces of all entries that it is in, `lists` as `entries_of` makes them.
    """
    parts, at = ["real e = 0;"], 0
    own, names = len(spec.scalars) + len(spec.arrays) * sizes[0], spec.printed_names()
    for n, (each, entries) in enumerate(zip(spec.listed, spec.lists(sizes), strict=True)):
        count, mine = len(entries), at + sizes[0] // spec.space + 1
        where = mine + count * each.count
        lines = [f"const int code = lists[{mine} + j];"]
        lines.append(f"const int t = code / {MOST_PLACES}, m = code % {MOST_PLACES};")
        lines += [
            f"const int i{k} = lists[{where} + {each.count}*t + {k}];" for k in range(each.count)
        ]
        for k, name in enumerate(each.arrays):
            lines.append(f"const real {names[name]} = p[{own + k * count} + t];")
        body, load, store = bodies[f"{each.kind} {n}"], [], []
        for k in range(len(body.derivatives)):
            step, axis = divmod(k, spec.space)
            load.append(f"v{k} = x[i{step + 1} + {axis}] - x[i{step} + {axis}]")
            store.append(f"if (m == {step + 1}) g[{axis}] += f{k};")
            store.append(f"if (m == {step}) g[{axis}] -= f{k};")
        forces = [f"const real f{k} = " for k in range(len(body.derivatives))]
        lines += [term(spec, body, load, forces, "const real u = "), *store, "if (m == 0) e += u;"]
        parts.append(
            f"for (int j = lists[{at} + unit]; j < lists[{at} + unit + 1]; ++j) "
            + block("\n".join(lines))
        )
        own, at = own + len(each.arrays) * count, where + count * each.count
    return function(
        "real listed(const real* x, i64 unit, const real* p, const int* lists, real* g)",
        [*parts, "return e;"],
    )


def entries_of(spec: Spec, sizes: Sequence[int]) -> np.ndarray:
    """Which entries each particle is in, of one list after the other.

    Where those of each particle begin (particles + 1); entry*MOST_PLACES + the particle's place in
    it, particle by particle; and the first coordinates of the particles of each entry.
    """
    parts: list[np.ndarray] = [np.zeros(0, dtype=np.int32)]
    particles = sizes[0] // spec.space
    for each, entries in zip(spec.listed, spec.lists(sizes), strict=True):
        first = np.array(entries, dtype=np.int64).reshape(-1)
        order = np.argsort(first, kind="stable")
        entry, place = np.divmod(order, each.count)
        begins = np.searchsorted(first[order], spec.space * np.arange(particles + 1))
        parts += [begins, entry * MOST_PLACES + place, first]
    return np.concatenate(parts).astype(np.int32)
