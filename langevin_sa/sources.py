"""Loops around a formula's printed bodies: NumPy functions, and the numba step that moves a block of replicas.

The numba step of a formula computes energy and force of n replicas side by side (arrays (dim, WIDTH), one column a
replica) and moves them on in the same pass, ``dx = a*dx - b*g + (c*z + h*zp); y = x + dx``: z and zp are the rows of
this step's and the last step's normals, found at `rows`, so single noise has h = 0 and paired noise both. Where the
force on a coordinate needs no other coordinate's loop (coordinates or site formulas alone) it never leaves a register.
"""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import indent
from typing import TYPE_CHECKING

from .parse import FUNCTIONS

if TYPE_CHECKING:
    from .formula import Body, Spec

STEP = "def step(x_, y_, dx_, g_, z, s, e, p, rows, size, coefficients, n):"


def numpy_source(spec: Spec, bodies: Mapping[str, Body]) -> str:
    """``energy_gradient(x, p, size)`` and ``laplacian(x, p, size)`` on arrays (replicas, dim)."""
    energy = ["e = zeros(len(x))", "g = zeros_like(x)"]
    laplacian = ["e = zeros(len(x))"]
    for kind, body in bodies.items():
        energy.append(_numpy_term(spec, kind, body.lines, body.value, body.derivatives))
        laplacian.append(_numpy_term(spec, kind, body.laplacian_lines, body.laplacian, ()))
    unpack = [f"p_{name} = p[{i}]" for i, name in enumerate(spec.scalars)]
    unpack += [
        f"p_{name} = p[{len(spec.scalars)} + {k}*x.shape[1]:][:x.shape[1]]" + (".reshape(size[1:])" if spec.lattice else "")
        for k, name in enumerate(spec.arrays)
    ]
    return "".join(
        f"def {name}(x, p, size):\n" + indent("\n".join([*unpack, *parts]), "    ") + f"\n    return {result}\n\n"
        for name, parts, result in (("energy_gradient", energy, "e, g"), ("laplacian", laplacian, "e"))
    )


def _numpy_term(spec: Spec, kind: str, lines: tuple[str, ...], value: str, derivatives: tuple[str, ...]) -> str:
    body = "\n".join(lines)
    if kind == "coordinates":
        inputs = [f"v{i} = x[:, {i}]" for i in range(len(spec.variables))]
        outputs = [f"g[:, {i}] += {d}" for i, d in enumerate(derivatives)]
        return "\n".join([*inputs, body, f"e += {value}", *outputs])
    grid = "v = x.reshape(len(x), *size[1:])\n" + ("gv = g.reshape(v.shape)\n" if derivatives else "")
    total = f"e += (zeros(v0.shape) + {value}).reshape(len(x), -1).sum(1)\n"
    if kind == "site":
        return f"{grid}v0 = v\n{body}\n{total}" + "".join(f"gv += {d}\n" for d in derivatives)
    if kind == "bond":
        if spec.periodic:
            load = "v0, v1 = v, roll(v, -1, axis)\n"
            store = ("gv += {}\n", "gv += roll(zeros(v0.shape) + {}, 1, axis)\n")
        else:
            load = "low, high = neighbours(v, axis)\nv0, v1 = v[low], v[high]\n"
            store = ("gv[low] += {}\n", "gv[high] += {}\n")
            load += "".join(f"p_{a}_all, p_{a} = p_{a}, p_{a}[low[1:]]\n" for a in spec.arrays)
        restore = "" if spec.periodic else "".join(f"p_{a} = p_{a}_all\n" for a in spec.arrays)
        inner = load + body + "\n" + total + "".join(s.format(d) for s, d in zip(store, derivatives, strict=False)) + restore
        return f"{grid}for axis in range(1, v.ndim):\n" + indent(inner, "    ")
    inner = f"d = v[:, i + 1:] - v[:, i:i + 1]\nv0 = (d*d).sum(2)\n{body}\n{total}"
    for derivative in derivatives:
        inner += f"f = (2*({derivative}))[..., None]*d\ngv[:, i + 1:] += f\ngv[:, i] -= f.sum(1)\n"
    split = f"v = x.reshape(len(x), -1, {spec.space})\n" + ("gv = g.reshape(v.shape)\n" if derivatives else "")
    return split + "for i in range(v.shape[1] - 1):\n" + indent(inner, "    ")


def numba_source(spec: Spec, bodies: Mapping[str, Body], width: int) -> str:
    """Source of the step for `width` replicas side by side, see the top of this file."""
    head = ["dim = size[0]", "a, b, c, h, weight = coefficients[0], coefficients[1], coefficients[2], coefficients[3], coefficients[4]"]
    head += [f"{v} = carray({v}_, (dim, WIDTH))" for v in ("x", "y", "dx", "g")]
    head += [f"p_{name} = p[{i}]" for i, name in enumerate(spec.scalars)]
    head += [f"a_{name} = {len(spec.scalars)} + {k}*dim" for k, name in enumerate(spec.arrays)]
    kinds = list(bodies)
    if kinds == ["coordinates"]:
        parts = [_fused_coordinates(bodies["coordinates"])]
    elif kinds == ["site"]:
        parts = [_over("i", "n", "e[i] = 0.0"), _fused_sites(spec, bodies["site"])]
    else:
        parts = [_over("i", "n", "e[i] = 0.0"), _over("d", "dim", _over("i", "n", "g[d, i] = 0.0"))]
        parts += [_FORCES[kind](spec, body) for kind, body in bodies.items()]
        parts.append(_over("d", "dim", _rows("d") + _over("i", "n", _move("d", "", "x[d, i]", "g[d, i]"))))
    source = (
        f"from numba import carray\nfrom langevin_sa.backends.simd import {', '.join(FUNCTIONS)}\n\n\n{STEP}\n"
        + indent("\n".join([*head, *parts]), "    ")
        + "\n"
    )
    return source.replace("WIDTH", str(width))


def _over(index: str, count: str, body: str) -> str:
    return f"for {index} in range({count}):\n" + indent(body, "    ")


def _rows(d: object, tag: str = "") -> str:
    """Where coordinate d's normals are: this step's and the last step's."""
    place = "{name}_{tag} = carray(z, ({row} + WIDTH,))[{row}:]\n"
    return place.format(name="z", tag=tag, row=f"rows[{d}]") + place.format(name="h", tag=tag, row=f"rows[dim + {d}]")


def _move(d: object, tag: str, x: str, gradient: str) -> str:
    """The recursion for coordinate d."""
    return (
        f"m{tag} = a*dx[{d}, i] - b*({gradient}) + (c*z_{tag}[i] + h*h_{tag}[i])\n"
        f"dx[{d}, i] = m{tag}\ny[{d}, i] = {x} + m{tag}\ns[i] += weight*(m{tag}*m{tag})"
    )


def _fused_coordinates(body: Body) -> str:
    count = range(len(body.derivatives))
    rows = "".join(_rows(k, str(k)) for k in count)
    load = [f"v{k} = x[{k}, i]" for k in count]
    moves = [_move(k, str(k), f"v{k}", body.derivatives[k]) for k in count]
    return rows + _over("i", "n", "\n".join([*load, *body.lines, f"e[i] = {body.value}", *moves]))


def _fused_sites(spec: Spec, body: Body) -> str:
    lanes = "\n".join(["v0 = x[d, i]", *body.lines, f"e[i] += {body.value}", _move("d", "", "v0", body.derivatives[0])])
    return _over("d", "dim", _array_parameters(spec) + _rows("d") + _over("i", "n", lanes))


def _array_parameters(spec: Spec) -> str:
    return "".join(f"p_{a} = p[a_{a} + d]\n" for a in spec.arrays)


def _coordinate_forces(spec: Spec, body: Body) -> str:
    count = range(len(body.derivatives))
    load = [f"v{k} = x[{k}, i]" for k in count]
    store = [f"g[{k}, i] += {body.derivatives[k]}" for k in count]
    return _over("i", "n", "\n".join([*load, *body.lines, f"e[i] += {body.value}", *store]))


def _site_forces(spec: Spec, body: Body) -> str:
    lanes = "\n".join(["v0 = x[d, i]", *body.lines, f"e[i] += {body.value}", f"g[d, i] += {body.derivatives[0]}"])
    return _over("d", "dim", _array_parameters(spec) + _over("i", "n", lanes))


def _bond_forces(spec: Spec, body: Body) -> str:
    store = [f"g[d, i] += {body.derivatives[0]}", f"g[k, i] += {body.derivatives[1]}"]
    lanes = "\n".join(["v0 = x[d, i]", "v1 = x[k, i]", *body.lines, f"e[i] += {body.value}", *store])
    last = "k = d - (length - 1)*stride" if spec.periodic else "continue"
    neighbour = f"k = d + stride\nif (d // stride) % length == length - 1:\n    {last}\n"
    loop = _over("d", "dim", neighbour + _array_parameters(spec) + _over("i", "n", lanes))
    return "stride = dim\n" + "\n".join(f"length = size[{axis + 1}]\nstride //= length\n{loop}" for axis in range(spec.lattice))


def _pair_forces(spec: Spec, body: Body) -> str:
    axes = range(spec.space)
    load = [f"r{k} = x[k + {k}, i] - x[d + {k}, i]" for k in axes]
    distance = "v0 = " + " + ".join(f"r{k}*r{k}" for k in axes)
    store = [f"g[k + {k}, i] += f*r{k}\ng[d + {k}, i] -= f*r{k}" for k in axes]
    lanes = "\n".join([*load, distance, *body.lines, f"e[i] += {body.value}", f"f = 2.0*({body.derivatives[0]})", *store])
    return _over("d", f"0, dim, {spec.space}", _over("k", f"d + {spec.space}, dim, {spec.space}", _over("i", "n", lanes)))


_FORCES = {"coordinates": _coordinate_forces, "site": _site_forces, "bond": _bond_forces, "pair": _pair_forces}
