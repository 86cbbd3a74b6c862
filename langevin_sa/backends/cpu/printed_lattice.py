"""Loops around the printed bodies of sites and bonds: the sweep along the sites of one replica.

The sites are taken in lanes (`langevin_sa.backends.cpu.lanes`), what is left of a run one by one.
Each lane has sums of its own, so that no bit depends on how long the processor's vectors are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from textwrap import indent
from typing import TYPE_CHECKING

from ...formulas.parse import PRINTED
from .printed_pairs import LANES, inertia, over, scalars

if TYPE_CHECKING:
    from ...formulas.spec import Body, Spec

GIVEN = "x, y, dx, past, z, sums, p, places, coefficients, mode, around"
AHEAD = 512  # sites between the one that is worked on and the one that is fetched


def lattice_source(
    spec: Spec, bodies: Mapping[str, Body], single: bool, massive: bool = False
) -> str:
    """Source of the sweep over a run of n neighbouring sites of one replica, whose x, y and dx are
    float32 if `single`, and whose p ends with the `langevin_sa.backends.walk.Walk.inertia` of
    `massive` ones.

    `places` holds the first site, the number of sites and, for each axis, the first upper and lower
    neighbour, -1 where an open end has none. Every site gathers its own force (each bond is looked
    at from both ends), so that a run needs nothing but x, and in the same pass it moves on, ``dx =
    carry*dx - lr*g + kick*z; y = x + dx``. Modes: 0 only energies, 1 without noise, 2 with noise, 3
    with paired noise, for which tail_before*past is added and z kept in past. Energy and dx^2 (in
    mode 0 zero, NaN if a gradient is not finite) are added to sums[0] and sums[1]; in mode 4, which
    moves nothing, the squared force and the Laplacian. If `around`, y is written around the cache,
    and has to start on a cache line.
    """
    functions = [*PRINTED, "power", "add_lanes", "choose", "inline", "rounded"]
    functions += ["load_lanes", "load_one", "store_lanes", "store_one", "store_around"]
    return (
        "from langevin_sa.backends.cpu.simd import fetch_near\n"
        f"from langevin_sa.backends.cpu.lanes import {', '.join(functions)}\n"
        + _part(spec, bodies, single, massive, "lanes")
        + _part(spec, bodies, single, massive, "one")
        + f"\n\ndef sweep({GIVEN}, n):\n"
        + f"    if n >= {LANES}:\n        over_lanes({GIVEN}, 0, n - {LANES - 1})\n"
        + f"    if n % {LANES}:\n        over_one({GIVEN}, n & -{LANES}, n)\n"
    )


def _part(spec: Spec, bodies: Mapping[str, Body], single: bool, massive: bool, many: str) -> str:
    """A function over the sites from `begin` to before `end`, in lanes or one by one."""
    axes = range(spec.lattice if "bond" in bodies else 0)
    lines = [
        "carry, lr, kick = coefficients[0], coefficients[1], coefficients[2]",
        "tail_before = coefficients[4]",
        "first, size, e, q = places[0], places[1], 0.0, 0.0",
        *scalars(spec),
    ]
    for k in axes:
        for side, at in ((f"u{k}", 2 * k + 2), (f"l{k}", 2 * k + 3)):
            lines.append(f"{side}, has_{side} = places[{at}], places[{at}] >= 0")
            lines.append(f"{side} = {side} if has_{side} else first")
    masses, (inverse, root, mass) = inertia(spec, massive, "load(p, {})", "at", "size")
    paired = ["w = load(z, i)", f"m += {root}(kick*w + tail_before*load(past, at))"]
    paired += ["store(past, at, w)"]
    move = [*masses, f"m = carry*load(dx, at) - lr*({inverse}g)"]
    move += [f"if mode == 2:\n    m += {root}(kick*load(z, i))"]
    move += ["elif mode == 3:", indent("\n".join(paired), "    ")]
    move += ["m = rounded(m)"] if single else []
    move += ["store(dx, at, m)", f"q += {mass}(m*m)", "m += v0"]
    fetch = f"if mode == 1:\n    fetch_near({{}}, at + {AHEAD})"
    if many == "lanes":
        move += [fetch.format("x"), fetch.format("dx"), "if around:\n    store_around(y, at, m)"]
        move += ["else:\n    store(y, at, m)", indent(fetch.format("y"), "    ")]
    else:
        move.append("store(y, at, m)")
    measure = [*_laplacian(spec, bodies, axes), "e += g*g", "q += laplacian"]
    body = ["at = first + i", "v0 = load(x, at)", *_force(spec, bodies, axes)]
    body += ["if mode == 4:", indent("\n".join(measure), "    "), "else:", "    e += energy"]
    body += ["if mode == 0:\n    q += 0.0*g", "elif mode < 4:", indent("\n".join(move), "    ")]
    step = LANES if many == "lanes" else 1
    lines.append(over("i", f"begin, end, {step}", "\n".join(body)))
    for k, total in enumerate("eq"):
        added = f"add_lanes(sums[{k}], {total})" if many == "lanes" else f"sums[{k}] + {total}"
        lines.append(f"sums[{k}] = {added}")
    text = re.sub(r"\b(load|store)\(", rf"\1_{many}(", "\n".join(lines))
    return f"\n\n@inline\ndef over_{many}({GIVEN}, begin, end):\n" + indent(text, "    ") + "\n"


def _force(spec: Spec, bodies: Mapping[str, Body], axes: range) -> list[str]:
    """Energy of a site (its own and its upper bonds') and the whole force on it."""
    parts = ["g = 0.0"]
    if "site" in bodies:
        body = bodies["site"]
        parts += [*_parameters(spec, "at"), *body.lines]
        parts += [f"energy = {body.value}", f"g += {body.derivatives[0]}"]
    for k in axes:
        body = bodies["bond"]
        for side, mine, other, of in (
            (f"u{k}", "v0", "v1", "at"),
            (f"l{k}", "v1", "v0", f"l{k} + i"),
        ):
            text = [f"{other} = load(x, {side} + i)", *_parameters(spec, of), *body.lines]
            if mine == "v0":
                value = _if_there(spec, side, body.value)
                first = "site" not in bodies and k == 0
                text.append(f"energy = {value}" if first else f"energy += {value}")
            text.append(f"g += {_if_there(spec, side, body.derivatives[mine == 'v1'])}")
            parts.append(_renamed("\n".join(text), f"_{side}", keep=mine))
    return parts


def _laplacian(spec: Spec, bodies: Mapping[str, Body], axes: range) -> list[str]:
    """Second derivatives of a site's own energy and, for both ends, of its upper bonds'."""
    parts = ["laplacian = 0.0", *_parameters(spec, "at")]
    if "site" in bodies:
        parts += [*bodies["site"].laplacian_lines, f"laplacian += {bodies['site'].laplacian}"]
    for k in axes:
        body = bodies["bond"]
        text = [f"v1 = load(x, u{k} + i)", *body.laplacian_lines]
        text.append(f"laplacian += {_if_there(spec, f'u{k}', body.laplacian)}")
        parts.append(_renamed("\n".join(text), f"_u{k}", keep="v0"))
    return parts


def _parameters(spec: Spec, site: str) -> list[str]:
    start = len(spec.scalars)
    return [
        f"p_{a} = load(p, {start} + {k}*size + {site})" for k, a in enumerate(spec.array_places())
    ]


def _if_there(spec: Spec, side: str, value: str) -> str:
    """What a bond adds, 0 beyond an open end."""
    return value if spec.periodic else f"choose(has_{side}, {value}, 0.0)"


def _renamed(text: str, tag: str, keep: str) -> str:
    """The text with its temporaries, and the coordinate that is not the site's own, named apart;
    the site's own is v0.
    """
    return re.sub(r"\b([tc]\d+|v[01])\b", lambda m: "v0" if m[1] == keep else m[1] + tag, text)
