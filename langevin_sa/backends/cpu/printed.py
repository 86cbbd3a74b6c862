"""Loops around a formula's printed bodies: the numba steps of a block of replicas.

The numba step of a formula computes energy and force of n replicas side by side (arrays (dim,
WIDTH), one column a replica) and moves them on in the same pass, x to y:

    dx = rho dx + lr f(x) + s xi        s xi = alpha z_n, or paired alpha z_n + beta z_{n-1}

    rho, with the change of dt          carry
    alpha                               kick
    -f(x)                               g
    z, z_{n-1}                          z, past: rows of normals, found at `rows`
    beta                                tail_before; 0 where noise is single

Where the force on a coordinate needs no other coordinate's loop (coordinates or site formulas
alone) it never leaves a register. Pairs and terms over lists have the loop over replicas outermost:
a step with them is of LANES replicas, or of one (`langevin_sa.backends.cpu.printed_pairs`,
`langevin_sa.backends.cpu.printed_particles`). A lone replica's sites go side by side
(`langevin_sa.backends.cpu.printed_sites`).
"""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import indent
from typing import TYPE_CHECKING

from ...formulas.parse import PRINTED
from .printed_pairs import (
    inertia,
    move_lanes,
    of_distance,
    over as _over,
    pair_forces,
    pair_forces_alone,
    scalars as _scalars,
)
from .printed_particles import embedded_forces, list_forces
from .printed_sites import sites_alone

if TYPE_CHECKING:
    from ...formulas.spec import Body, Spec

LANED = {"pair", "density"}  # kinds whose loop over replicas is outermost, in lanes
STEP = "def step(x_, y_, dx_, g_, z, s, e, p, rows, size, coefficients, n):"


def numba_source(spec: Spec, bodies: Mapping[str, Body], width: int, massive: bool = False) -> str:
    """Source of the step for `width` replicas side by side, see the top of this file; of `massive`
    coordinates p ends with `langevin_sa.backends.walk.Walk.inertia`.
    """
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
    kinds, in_lanes = list(bodies), not LANED.isdisjoint(bodies) or bool(spec.listed)
    lone_sites = width == 1 and set(bodies) <= {"site", "bond"}
    if lone_sites:
        parts = sites_alone(spec, bodies, massive)
    elif kinds == ["coordinates"]:
        parts = [_fused_coordinates(spec, bodies["coordinates"], massive)]
    elif kinds == ["site"]:
        parts = [_over("i", "n", "e[i] = 0.0"), _fused_sites(spec, bodies["site"], massive)]
    else:
        parts = [_over("i", "n", "e[i] = 0.0"), _over("d", "dim", _over("i", "n", "g[d, i] = 0.0"))]
        parts += [_FORCES[kind](spec, body) for kind, body in bodies.items() if kind in _FORCES]
        if in_lanes:
            forces = _particle_forces(spec, bodies, width)
            parts = ["n = WIDTH", *parts, *forces, move_lanes(spec, massive)]
        else:
            masses, factors = inertia(spec, massive)
            moves = _over("i", "n", _move("d", "", "x[d, i]", "g[d, i]", *factors))
            parts.append(_over("d", "dim", "\n".join([*masses, _rows("d") + moves])))
    home, functions = "simd", [*PRINTED, "power"]
    if in_lanes:
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


def _particle_forces(spec: Spec, bodies: Mapping[str, Body], width: int) -> list[str]:
    """What goes in lanes of replicas: pairs, embedded atoms, terms over lists."""
    parts = []
    if "pair" in bodies:
        forces = pair_forces if width > 1 else pair_forces_alone
        parts.append(forces(spec, bodies["pair"]))
    if "density" in bodies:
        parts += embedded_forces(spec, bodies["density"], bodies["embedding"])
    return [*parts, *list_forces(spec, bodies)]


def _rows(d: object, tag: str = "") -> str:
    """Where coordinate d's normals are: this step's and the last step's."""
    place = "{name}_{tag} = carray(z, ({row} + WIDTH,))[{row}:]\n"
    return place.format(name="z", tag=tag, row=f"rows[{d}]") + place.format(
        name="past", tag=tag, row=f"rows[dim + {d}]"
    )


def _move(d: object, tag: str, x: str, gradient: str, inverse: str, root: str, mass: str) -> str:
    """The recursion for coordinate d."""
    return (
        f"m{tag} = carry*dx[{d}, i] - lr*({inverse}({gradient}))"
        f" + {root}(kick*z_{tag}[i] + tail_before*past_{tag}[i])\n"
        f"dx[{d}, i] = m{tag}\ny[{d}, i] = {x} + m{tag}\ns[i] += weight*({mass}(m{tag}*m{tag}))"
    )


def _fused_coordinates(spec: Spec, body: Body, massive: bool) -> str:
    count = range(len(body.derivatives))
    given = [inertia(spec, massive, d=k, tag=str(k)) for k in count]
    rows = "".join(_rows(k, str(k)) + "".join(f"{line}\n" for line in given[k][0]) for k in count)
    load = [f"v{k} = x[{k}, i]" for k in count]
    moves = [_move(k, str(k), f"v{k}", body.derivatives[k], *given[k][1]) for k in count]
    return rows + _over("i", "n", "\n".join([*load, *body.lines, f"e[i] = {body.value}", *moves]))


def _fused_sites(spec: Spec, body: Body, massive: bool) -> str:
    masses, factors = inertia(spec, massive)
    lanes = "\n".join(
        [
            "v0 = x[d, i]",
            *body.lines,
            f"e[i] += {body.value}",
            _move("d", "", "v0", body.derivatives[0], *factors),
        ]
    )
    rows = _array_parameters(spec) + "\n".join([*masses, _rows("d")])
    return _over("d", "dim", rows + _over("i", "n", lanes))


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
