"""Loops around a formula's printed bodies: the numba steps of a block of replicas, and of a
lattice's sites.

The numba step of a formula computes energy and force of n replicas side by side (arrays (dim,
WIDTH), one column a replica) and moves them on in the same pass, x to y:

    dx = rho dx + lr f(x) + s xi        s xi = alpha z_n, or paired alpha z_n + beta z_{n-1}

    rho, with the change of dt          carry
    alpha                               kick
    -f(x)                               g
    z, z_{n-1}                          z, past: rows of normals, found at `rows`
    beta                                tail_before; 0 where noise is single

Where the force on a coordinate needs no other coordinate's loop (coordinates or site formulas
alone) it never leaves a register. Pairs have the loop over replicas outermost: a step with pairs is
of LANES replicas, or of one (`langevin_sa.backends.cpu.printed_pairs`). A lone replica's sites go
side by side (`langevin_sa.backends.cpu.printed_sites`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from textwrap import indent
from typing import TYPE_CHECKING

from ...formulas.parse import PRINTED
from .printed_pairs import (
    move_lanes,
    of_distance,
    over as _over,
    pair_forces,
    pair_forces_alone,
    scalars as _scalars,
)
from .printed_sites import sites_alone

if TYPE_CHECKING:
    from ...formulas.spec import Body, Spec

STEP = "def step(x_, y_, dx_, g_, z, s, e, p, rows, size, coefficients, n):"


def numba_source(spec: Spec, bodies: Mapping[str, Body], width: int) -> str:
    """Source of the step for `width` replicas side by side, see the top of this file."""
    head = [
        "dim = size[0]",
        "carry, lr, kick = coefficients[0], coefficients[1], coefficients[2]",
        "tail_before, weight = coefficients[3], coefficients[4]",
    ]
    head += [f"{v} = carray({v}_, (dim, WIDTH))" for v in ("x", "y", "dx", "g")]
    head += _scalars(spec)
    head += [
        f"a_{place} = {len(spec.scalars)} + {k}*dim" for k, place in enumerate(spec.array_places())
    ]
    kinds, lone_sites = list(bodies), width == 1 and set(bodies) <= {"site", "bond"}
    if lone_sites:
        parts = sites_alone(spec, bodies)
    elif kinds == ["coordinates"]:
        parts = [_fused_coordinates(bodies["coordinates"])]
    elif kinds == ["site"]:
        parts = [_over("i", "n", "e[i] = 0.0"), _fused_sites(spec, bodies["site"])]
    else:
        parts = [_over("i", "n", "e[i] = 0.0"), _over("d", "dim", _over("i", "n", "g[d, i] = 0.0"))]
        parts += [_FORCES[kind](spec, body) for kind, body in bodies.items() if kind != "pair"]
        if "pair" in kinds:
            forces = pair_forces if width > 1 else pair_forces_alone
            parts = ["n = WIDTH", *parts, forces(spec, bodies["pair"]), move_lanes()]
        else:
            moves = _rows("d") + _over("i", "n", _move("d", "", "x[d, i]", "g[d, i]"))
            parts.append(_over("d", "dim", moves))
    home, functions = "simd", [*PRINTED, "power"]
    if "pair" in kinds:
        home, many = "lanes", "lanes" if width > 1 else "one"
        functions += [f"load_{many} as load", f"store_{many} as store"]
        functions += ["choose", "gather", "scatter", "lane_numbers", "add_lanes"]
    if lone_sites:
        home = "lanes"
        functions += [f"{name}_lanes as {name}, {name}_one" for name in ("load", "store", "add")]
    return (
        f"from numba import carray\nfrom langevin_sa.backends.cpu.{home} import "
        f"{', '.join(functions)}\n\nWIDTH = {width}\n\n\n{STEP}\n"
        + indent("\n".join([*head, *parts]), "    ")
        + "\n"
    )


def _rows(d: object, tag: str = "") -> str:
    """Where coordinate d's normals are: this step's and the last step's."""
    place = "{name}_{tag} = carray(z, ({row} + WIDTH,))[{row}:]\n"
    return place.format(name="z", tag=tag, row=f"rows[{d}]") + place.format(
        name="past", tag=tag, row=f"rows[dim + {d}]"
    )


def _move(d: object, tag: str, x: str, gradient: str) -> str:
    """The recursion for coordinate d."""
    return (
        f"m{tag} = carry*dx[{d}, i] - lr*({gradient})"
        f" + (kick*z_{tag}[i] + tail_before*past_{tag}[i])\n"
        f"dx[{d}, i] = m{tag}\ny[{d}, i] = {x} + m{tag}\ns[i] += weight*(m{tag}*m{tag})"
    )


def _fused_coordinates(body: Body) -> str:
    count = range(len(body.derivatives))
    rows = "".join(_rows(k, str(k)) for k in count)
    load = [f"v{k} = x[{k}, i]" for k in count]
    moves = [_move(k, str(k), f"v{k}", body.derivatives[k]) for k in count]
    return rows + _over("i", "n", "\n".join([*load, *body.lines, f"e[i] = {body.value}", *moves]))


def _fused_sites(spec: Spec, body: Body) -> str:
    lanes = "\n".join(
        [
            "v0 = x[d, i]",
            *body.lines,
            f"e[i] += {body.value}",
            _move("d", "", "v0", body.derivatives[0]),
        ]
    )
    return _over("d", "dim", _array_parameters(spec) + _rows("d") + _over("i", "n", lanes))


def _array_parameters(spec: Spec) -> str:
    return "".join(f"p_{a} = p[a_{a} + d]\n" for a in spec.array_places())


def _coordinate_forces(spec: Spec, body: Body) -> str:
    load = [f"v{k} = x[{c}, i]" for k, c in enumerate(spec.places)]
    store = [f"g[{c}, i] += {d}" for c, d in zip(spec.places, body.derivatives, strict=True)]
    return _over("i", "n", "\n".join([*load, *body.lines, f"e[i] += {body.value}", *store]))


def _site_forces(spec: Spec, body: Body) -> str:
    lanes = "\n".join(
        ["v0 = x[d, i]", *body.lines, f"e[i] += {body.value}", f"g[d, i] += {body.derivatives[0]}"]
    )
    return _over("d", "dim", _array_parameters(spec) + _over("i", "n", lanes))


def _bond_forces(spec: Spec, body: Body) -> str:
    store = [f"g[d, i] += {body.derivatives[0]}", f"g[k, i] += {body.derivatives[1]}"]
    lanes = "\n".join(
        ["v0 = x[d, i]", "v1 = x[k, i]", *body.lines, f"e[i] += {body.value}", *store]
    )
    last = "k = d - (length - 1)*stride" if spec.periodic else "continue"
    neighbour = f"k = d + stride\nif (d // stride) % length == length - 1:\n    {last}\n"
    loop = _over("d", "dim", neighbour + _array_parameters(spec) + _over("i", "n", lanes))
    return "stride = dim\n" + "\n".join(
        f"length = size[{axis + 1}]\nstride //= length\n{loop}" for axis in range(spec.lattice)
    )


def _link_forces(spec: Spec, body: Body) -> str:
    last = "k = 0" if spec.periodic else "continue"
    upper = f"k = d + {spec.space}\nif k == dim:\n    {last}\n"
    return _over("d", f"0, dim, {spec.space}", upper + _over("i", "n", _distance(spec, body)))


def _distance(spec: Spec, body: Body) -> str:
    """Energy and forces of the particles at d and k, which depend on their distance."""
    axes = range(spec.space)
    load = [f"r{k} = x[k + {k}, i] - x[d + {k}, i]" for k in axes]
    store = [f"g[k + {k}, i] += f*r{k}\ng[d + {k}, i] -= f*r{k}" for k in axes]
    return "\n".join([*load, *of_distance(spec, body), f"e[i] += {body.value}", *store])


_FORCES = {
    "coordinates": _coordinate_forces,
    "site": _site_forces,
    "bond": _bond_forces,
    "link": _link_forces,
}


# ----------------------------------------------------------------------------------- large lattices

SWEEP = "def sweep(x_, y_, dx_, noise_, z_, sums, p, places, coefficients, mode, n):"


def lattice_source(spec: Spec, bodies: Mapping[str, Body]) -> str:
    """Source of the sweep over a run of n neighbouring sites of one replica, vectorized along the
    sites.

    `places` holds the first site, the number of sites and, for each axis, the first upper and lower
    neighbour, -1 where an open end has none. Every site gathers its own force (each bond is looked
    at from both ends), so that a run needs nothing but x, and in the same pass it moves on, ``dx =
    carry*dx - lr*g + (kick*z + noise); y = x + dx``. Modes: 0 only energies, 1 without noise, 2
    single noise, 3 paired noise with noise = tail*z kept for the next step. Energy and dx^2
    (in mode 0 zero, NaN if a gradient is not finite) are added to sums[0] and sums[1]; in mode 4,
    which moves nothing, the squared force and the Laplacian.
    """
    axes = range(spec.lattice if "bond" in bodies else 0)
    head = ["i0 = places[0]", "x = carray(x_, (i0 + n,))[i0:]", "y = carray(y_, (i0 + n,))[i0:]"]
    head += [f"{v} = carray({v}_, (i0 + n,))[i0:]" for v in ("dx", "noise")]
    head += [
        "z = carray(z_, (n,))",
        "carry, lr, kick = coefficients[0], coefficients[1], coefficients[2]",
        "tail = coefficients[3]",
        "e, q = 0.0, 0.0",
    ]
    head += _scalars(spec)
    for k in axes:
        for side, at in (("u", 2 * k + 2), ("l", 2 * k + 3)):
            head += [f"{side}{k}, has_{side}{k} = places[{at}], places[{at}] >= 0"]
            head += [
                f"{side}{k} = {side}{k} if has_{side}{k} else i0",
                f"x_{side}{k} = carray(x_, ({side}{k} + n,))[{side}{k}:]",
            ]
    for k, place in enumerate(spec.array_places()):
        for tag, start in (("i", "i0"), *((f"l{axis}", f"l{axis}") for axis in axes)):
            offset = f"{len(spec.scalars)} + {k}*dim + {start}"
            head.append(f"a{tag}_{place} = carray(p, ({offset} + n,))[{offset}:]")
    if spec.arrays:
        head.insert(0, "dim = places[1]")
    lanes = _lattice_lanes(spec, bodies, axes)
    quiet = "carry*dx[i] - lr*g"
    moves = {1: quiet, 2: quiet + " + kick*z[i]", 3: quiet + " + (kick*z[i] + noise[i])"}
    still = "\ne, q = plus(e, energy), plus(q, 0.0*g)"
    loops = ["if mode == 0:\n" + indent(_over("i", "n", lanes + still), "    ")]
    for mode, move in moves.items():
        keep = "noise[i] = tail*z[i]\n" if mode == 3 else ""
        step = (
            f"{lanes}\nm = {move}\n{keep}dx[i] = m\nm = 1.0*dx[i]\ny[i] = v0 + m\ne, q = plus(e, "
            "energy), plus(q, m*m)"
        )
        loops.append(f"elif mode == {mode}:\n" + indent(_over("i", "n", step), "    "))
    measured = (
        f"{lanes}\n{_lattice_laplacian(spec, bodies, axes)}\ne, q = plus(e, g*g), plus(q, "
        "laplacian)"
    )
    loops.append("elif mode == 4:\n" + indent(_over("i", "n", measured), "    "))
    return (
        "from numba import carray\nfrom langevin_sa.backends.cpu.simd import plus, "
        f"{', '.join(PRINTED)}, power\n\n\n{SWEEP}\n"
        + indent("\n".join([*head, *loops, "sums[0] += e", "sums[1] += q"]), "    ")
        + "\n"
    )


def _lattice_lanes(spec: Spec, bodies: Mapping[str, Body], axes: range) -> str:
    """Energy of a site (its own and its upper bonds') and the whole force on it."""
    parts = ["v0 = 1.0*x[i]", "energy, g = 0.0, 0.0"]
    if "site" in bodies:
        body = bodies["site"]
        parts += [
            *(f"p_{a} = ai_{a}[i]" for a in spec.array_places()),
            *body.lines,
            f"energy += {body.value}",
            f"g += {body.derivatives[0]}",
        ]
    for k in axes:
        body = bodies["bond"]
        for side, mine, other, tag in ((f"u{k}", "v0", "v1", "i"), (f"l{k}", "v1", "v0", f"l{k}")):
            text = [
                f"{other} = 1.0*x_{side}[i]",
                *(f"p_{a} = a{tag}_{a}[i]" for a in spec.array_places()),
                *body.lines,
            ]
            if mine == "v0":
                text += [
                    f"energy += {body.value} if has_{side} else 0.0",
                    f"g += {body.derivatives[0]} if has_{side} else 0.0",
                ]
            else:
                text += [f"g += {body.derivatives[1]} if has_{side} else 0.0"]
            parts.append(_renamed("\n".join(text), f"_{side}", keep=mine))
    return "\n".join(parts)


def _lattice_laplacian(spec: Spec, bodies: Mapping[str, Body], axes: range) -> str:
    """Second derivatives of a site's own energy and, for both ends, of its upper bonds'."""
    parts = ["laplacian = 0.0"]
    parts += [f"p_{a} = ai_{a}[i]" for a in spec.array_places()]
    if "site" in bodies:
        parts += [*bodies["site"].laplacian_lines, f"laplacian += {bodies['site'].laplacian}"]
    for k in axes:
        body = bodies["bond"]
        text = [
            f"v1 = 1.0*x_u{k}[i]",
            *body.laplacian_lines,
            f"laplacian += {body.laplacian} if has_u{k} else 0.0",
        ]
        parts.append(_renamed("\n".join(text), f"_u{k}", keep="v0"))
    return "\n".join(parts)


def _renamed(text: str, tag: str, keep: str) -> str:
    """The text with its temporaries, and the coordinate that is not the site's own, named apart;
    the site's own is v0.
    """
    return re.sub(r"\b([tc]\d+|v[01])\b", lambda m: "v0" if m[1] == keep else m[1] + tag, text)
