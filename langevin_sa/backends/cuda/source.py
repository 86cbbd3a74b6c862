"""CUDA C of one potential: the arithmetic, its force from the formula's printed bodies, and the
kernel that suits its shape.

Sizes are constants of the text, so that small systems live in registers and indices of lattices
need no division; the text is compiled once for each and kept by CuPy.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ... import noise
from ..walk import DIVERGED
from .arithmetic import functions
from .gathered import particle
from .lines import block, function, loop, square, term

if TYPE_CHECKING:
    from ...formulas.spec import Body, Spec

THREADS = 128
RESIDENT = 4  # blocks of a sweep on one processor, which share its registers
LISTERS, HELD = 32, 256  # threads of a block that lists neighbours, those it holds for each
STRETCH = 8  # cells that a thread adds up
SITES = 4  # of a lattice that a thread sees to
VECTOR = 16  # bytes that a thread reads at once
IN_REGISTERS = 16  # coordinates of a replica that one thread holds
NUMBER = re.compile(r"(?<![\w.])(\d+\.\d*(?:e[+-]?\d+)?|\d+e[+-]?\d+)")
MOST_LITERALS = 4096  # half of the constant memory


def options(single: bool) -> tuple[str, ...]:
    """Of the compiler. float64 does not fuse multiply-adds of its own accord, because the CPU
    kernels do not.
    """
    return ("--std=c++17", f"--fmad={'true' if single else 'false'}")


def replicas_module(
    spec: Spec, bodies: Mapping[str, Body], dim: int, shape: Sequence[int], single: bool
) -> str:
    """One thread a replica, terms of every kind."""
    constants = {"ALIGNED": math.gcd(dim, 4), "UNROLL": dim if dim <= IN_REGISTERS else 1}
    return _module(dim, single, constants, _replica_force(spec, bodies, dim, shape), ["replicas"])


def function_module(force: str, dim: int, single: bool) -> str:
    """One thread a replica, whose ``force(x, g, p)`` the user has written."""
    constants = {"ALIGNED": math.gcd(dim, 4), "UNROLL": dim if dim <= IN_REGISTERS else 1}
    return _module(dim, single, constants, "", ["replicas"], force)


def lattice_module(
    spec: Spec, bodies: Mapping[str, Body], dim: int, shape: Sequence[int], single: bool
) -> str:
    """Sites and bonds over many threads."""
    constants, parts = (
        _fours(dim, 0),
        [_point(spec, bodies, shape), _laplacian(spec, bodies, shape)],
    )
    if shape[spec.lattice - 1] % SITES == 0:
        constants["ROWS"] = 1
        parts.append(_sites(spec, bodies, shape))
    return _module(dim, single, constants, "\n\n".join(parts), ["lattice", "sweep", "measure"])


def _fours(dim: int, given: int) -> dict[str, object]:
    units = f"{-(-dim // SITES)}LL"
    return {"ALIGNED": math.gcd(dim, 4), "UNIT": SITES, "UNITS": units, "GIVEN": given}


def particles_module(
    spec: Spec,
    bodies: Mapping[str, Body],
    dim: int,
    shape: Sequence[int],
    single: bool,
    box: Sequence[float] = (),
    types: int = 1,
) -> str:
    """Pairs, links, terms over lists and sites over many threads; with a cut-off, `box` has a
    length for each axis, 0 where it is open.
    """
    constants = _particles(spec, dim, bool(box), types)
    constants |= {
        "RESIDENT": RESIDENT - any(each.count > 2 for each in spec.listed),
        "PAIRS": int("pair" in bodies),
    }
    printed = particle(spec, bodies, [dim, *shape], box)
    return _module(dim, single, constants, printed, ["particles", "sweep"])


def neighbours_module(
    spec: Spec,
    bodies: Mapping[str, Body],
    dim: int,
    shape: Sequence[int],
    single: bool,
    box: Sequence[float],
    types: int,
) -> str:
    """Pairs with a cut-off, over lists of neighbours that are made there."""
    constants = _particles(spec, dim, True, types)
    constants |= {"LISTS": 1, "SIDES": 3**spec.space}
    constants |= {"LISTERS": LISTERS, "HELD": HELD, "STRETCH": STRETCH}
    printed = particle(spec, bodies, [dim, *shape], box)
    return _module(dim, single, constants, printed, ["neighbours", "sweep"])


def _particles(spec: Spec, dim: int, cut: bool, types: int) -> dict[str, object]:
    return {
        "ALIGNED": 1,
        "UNIT": spec.space,
        "UNITS": f"{dim // spec.space}LL",
        "GIVEN": 0,
        "TYPES": types,
        "ROW": len(spec.scalars) + 2 if cut else 0,
    }


def arrays_module(dim: int, single: bool) -> str:
    """Noise, recursion and sums for gradients from elsewhere."""
    return _module(dim, single, _fours(dim, 1), "", ["arrays", "sweep"])


def _module(
    dim: int,
    single: bool,
    constants: Mapping[str, object],
    printed: str,
    files: Sequence[str],
    own: str = "",
) -> str:
    names = {"DIM": f"{dim}LL", "KIND": noise.KIND, "THREADS": THREADS, "RESIDENT": RESIDENT}
    names |= {"VECTOR": VECTOR, "DIVERGED": DIVERGED, **constants, **_of_noise()}
    parts = ["\n".join(f"#define {name} {value}" for name, value in names.items())]
    real = "float" if single else "double"
    parts += [f"namespace langevin_sa {{\n\ntypedef {real} real;", text("base")]
    parts += [text("units")] * ("UNIT" in constants)
    if single:
        parts += [text("single"), functions(True), text("stream"), NUMBER.sub(r"\1f", printed)]
    else:
        parts += _literals([functions(False), text("stream"), printed])
    parts += [own, *map(text, files), "}"]  # own numbers stay as they are
    return "\n\n".join(parts) + "\n"


def _literals(parts: Sequence[str]) -> list[str]:
    """The numbers of texts in constant memory, and the texts with those: an instruction of float64
    takes an operand from there, but of a number of its own only the upper half, and what has a
    lower half costs two moves.
    """
    places: dict[str, int] = {}

    def place(found: re.Match[str]) -> str:
        number = found[0]
        whole = struct.pack(">d", float(number)).endswith(b"\0\0\0\0")
        if whole or found.string[found.end() :].startswith("f"):
            return number
        if number not in places and len(places) == MOST_LITERALS:
            return number
        return f"literals[{places.setdefault(number, len(places))}]"

    parts = [NUMBER.sub(place, part) for part in parts]
    return [f"__constant__ double literals[] = {{{', '.join(places)}}};", *parts]


def _of_noise() -> dict[str, object]:
    """The constants of `langevin_sa.noise.box_muller`."""
    names: dict[str, object] = {"ROOT_HALF": noise.ROOT_HALF}
    names |= {name: f"{getattr(noise, name)}u" for name in ("ANGLE", "SWAP_BIT")}
    for name in ("OCTAVE", "STEP", "HALF_STEP"):
        names[name] = f"{float(getattr(noise, name))!r}f"
    for name in ("LOGARITHM", "SINE", "COSINE"):
        names[name] = f"{{{', '.join(f'{c!r}f' for c in getattr(noise, name).tolist())}}}"
    return names


def text(name: str) -> str:
    """A .cu file beside this one."""
    return (Path(__file__).parent / f"{name}.cu").read_text().strip()


def _replica_force(spec: Spec, bodies: Mapping[str, Body], dim: int, shape: Sequence[int]) -> str:
    """``force(x, g, p)``: energy and gradient of one replica whose x and g are a thread's own,
    terms in the order of the CPU kernel; before it the lists of particles. `shape` are the sites
    along each axis, and the lists, as in a formula's sizes.
    """
    tables, lists = _lists(spec, bodies, [dim, *shape])
    shape = shape[: spec.lattice]
    parts = ["double e = 0;", loop("d", "0", str(dim), 1, "g[d] = 0;")]
    for kind, body in bodies.items():
        if kind == "coordinates":
            load = [f"v{k} = x[{c}]" for k, c in enumerate(spec.places)]
            parts.append(block(term(spec, body, load, [f"g[{c}] += " for c in spec.places])))
        elif kind == "site":
            parts.append(loop("d", "0", str(dim), 1, term(spec, body, ["v0 = x[d]"], ["g[d] += "])))
        elif kind == "bond":
            parts += [_bonds(spec, body, dim, shape, axis) for axis in range(spec.lattice)]
        elif kind == "link":
            parts.append(_links(spec, body, dim))
        elif kind == "pair":
            parts.append(_pairs(spec, body, dim))
        elif kind == "embedding":
            parts.append(_embedded(spec, bodies, dim))
    head = "double force(const real* x, real* g, const real* p)"
    return "\n".join([*tables, function(head, [*parts, *lists, "return e;"])])


def _point(spec: Spec, bodies: Mapping[str, Body], shape: Sequence[int]) -> str:
    """``point(x, i, p, v, g)``: a site's own energy and its upper bonds', and the whole force on
    it.
    """
    parts = ["real e = 0;", "v = x[i];", "g = 0;"]
    if "site" in bodies:
        parts.append(_own(spec, bodies, "v", "e", "g", "i"))
    for axis in range(spec.lattice if "bond" in bodies else 0):
        for side in (1, -1):
            bond = _bond(spec, bodies, side, "v", "x[k]", "e", "g", "i" if side > 0 else "k")
            parts.append(_neighbour(spec, shape, axis, side) + bond)
    return function(
        "real point(const real* x, Place i, const real* p, real& v, real& g)", [*parts, "return e;"]
    )


def _sites(spec: Spec, bodies: Mapping[str, Body], shape: Sequence[int]) -> str:
    """``sites(x, i, p, v, g)``: `point` for all sites of a unit, the first of which is i, where
    they are neighbours along the last axis: what one sees to is at hand for the next.
    """
    each, last = range(SITES), spec.lattice - 1
    # what is added to -0.0 is left as it is, and no addition
    parts = [f"real e[] = {{{', '.join(['-0.0'] * SITES)}}};", "take(x, i, v);"]
    parts += [f"g[{c}] = 0;" for c in each]

    def bond(side: int, c: int, other: str, place: str) -> str:
        return _bond(spec, bodies, side, f"v[{c}]", other, f"e[{c}]", f"g[{c}]", place)

    if "site" in bodies:
        parts += [_own(spec, bodies, f"v[{c}]", f"e[{c}]", f"g[{c}]", f"i + {c}") for c in each]
    for axis in range(last if "bond" in bodies else 0):
        for side in (1, -1):
            row = [bond(side, c, f"w[{c}]", f"{'i' if side > 0 else 'k'} + {c}") for c in each]
            lines = "\n".join(["alignas(VECTOR) real w[UNIT];", "take(x, k, w);", *row])
            parts.append(_neighbour(spec, shape, axis, side) + block(lines))
    if "bond" in bodies:
        parts += [bond(1, c, f"v[{c + 1}]", f"i + {c}") for c in each[:-1]]
        end = f"i + {each[-1]}"
        outer = bond(1, each[-1], "x[k]", end)
        parts.append(_neighbour(spec, shape, last, 1, end) + outer)
        parts.append(_neighbour(spec, shape, last, -1) + bond(-1, 0, "x[k]", "k"))
        parts += [bond(-1, c, f"v[{c - 1}]", f"i + {c - 1}") for c in each[1:]]
    head = "real sites(const real* x, Place i, const real* p, real (&v)[UNIT], real (&g)[UNIT])"
    whole = " + ".join(f"e[{c}]" for c in each)
    return function(head, [*parts, f"return {whole};"])


def _own(spec: Spec, bodies: Mapping[str, Body], v: str, e: str, g: str, place: str) -> str:
    """A site's own energy and force, added to e and g."""
    return block(term(spec, bodies["site"], [f"v0 = {v}"], [f"{g} += "], f"{e} += ", place))


def _bond(
    spec: Spec,
    bodies: Mapping[str, Body],
    side: int,
    v: str,
    other: str,
    e: str,
    g: str,
    place: str,
) -> str:
    """The force on a site of its bond with the upper (1) or lower (-1) neighbour, and of the upper
    bond the energy, added to g and e; `place` is the bond's.
    """
    ends = (v, other)[::side]
    load = [f"v{k} = {end}" for k, end in enumerate(ends)]
    store = [f"{g} += ", ""][::side]
    return block(term(spec, bodies["bond"], load, store, f"{e} += " if side > 0 else "", place))


def _laplacian(spec: Spec, bodies: Mapping[str, Body], shape: Sequence[int]) -> str:
    """``laplacian(x, i, p)``: second derivatives of a site's own energy and, for both ends, of its
    upper bonds'.
    """
    parts = ["real e = 0;"]
    for kind, load in (("site", ["v0 = x[i]"]), ("bond", ["v0 = x[i]", "v1 = x[k]"])):
        if kind in bodies:
            curved = replace(
                bodies[kind],
                lines=bodies[kind].laplacian_lines,
                value=bodies[kind].laplacian,
                derivatives=(),
            )
            whole = block(term(spec, curved, load, [], place="i"))
            parts += (
                [whole]
                if kind == "site"
                else [_neighbour(spec, shape, axis, 1) + whole for axis in range(spec.lattice)]
            )
    return function("real laplacian(const real* x, Place i, const real* p)", [*parts, "return e;"])


def _neighbour(spec: Spec, shape: Sequence[int], axis: int, side: int, site: str = "i") -> str:
    """What makes k the upper (1) or lower (-1) neighbour of a site, in front of a block that is
    left out where there is none.
    """
    stride, length = math.prod(shape[axis + 1 :]), shape[axis]
    place = f"({site}) / {stride} % {length}" if axis else f"({site}) / {stride}"
    end, wrap = (length - 1, -(length - 1) * stride) if side > 0 else (0, (length - 1) * stride)
    other = f"{site} + {wrap}" if spec.periodic else "-1"
    return f"if (const Place k = {place} == {end} ? {other} : {site} + {side * stride}; k >= 0) "


def _bonds(spec: Spec, body: Body, dim: int, shape: Sequence[int], axis: int) -> str:
    length, stride = shape[axis], math.prod(shape[axis + 1 :])
    last = f"d - {(length - 1) * stride}" if spec.periodic else "-1"
    where = f"const int k = d / {stride} % {length} == {length - 1} ? {last} : d + {stride};\n" + (
        "" if spec.periodic else "if (k < 0) continue;\n"
    )
    ends = term(spec, body, ["v0 = x[d]", "v1 = x[k]"], ["g[d] += ", "g[k] += "])
    return loop("d", "0", str(dim), 1, where + ends)


def _links(spec: Spec, body: Body, dim: int) -> str:
    last = dim if spec.periodic else dim - spec.space
    upper = f"const int k = (d + {spec.space}) % {dim};\n"
    return loop("d", "0", str(last), spec.space, upper + _distance(spec, body))


def _pairs(spec: Spec, body: Body, dim: int) -> str:
    """Energies are summed particle by particle, as on the CPU."""
    others = _others(spec, dim, _distance(spec, body, "own += "))
    each = loop("d", "0", str(dim), spec.space, f"real own = 0;\n{others}\npairs += own;")
    return block(f"real pairs = 0;\n{each}\ne += pairs;")


def _others(spec: Spec, dim: int, body: str) -> str:
    """The particles at k, after that at d."""
    return loop("k", f"d + {spec.space}", str(dim), spec.space, body)


def _embedded(spec: Spec, bodies: Mapping[str, Body], dim: int) -> str:
    """Densities, then slopes of the embedding, in an array of a thread's own."""
    density, embedding = bodies["density"], bodies["embedding"]

    def each(body: str) -> str:
        return loop("d", "0", str(dim), spec.space, body)

    near = term(spec, density, [square(spec)], [], "const real near = ")
    sums = [*_apart(spec), near, "rho[d] += near;\nrho[k] += near;"]
    slopes = term(spec, embedding, ["v0 = rho[d]"], ["rho[d] = "], "energy += ")
    forces = _distance(spec, density, "", "(rho[d] + rho[k])*")
    parts = [each("rho[d] = 0;"), each(_others(spec, dim, "\n".join(sums)))]
    parts += [each(slopes), each(_others(spec, dim, forces))]
    return block("\n".join(["real rho[DIM], energy = 0;", *parts, "e += energy;"]))


def _lists(
    spec: Spec, bodies: Mapping[str, Body], sizes: Sequence[int]
) -> tuple[list[str], list[str]]:
    """The lists of particles as constants, and the loops over them."""
    tables, loops = [], []
    own, names = len(spec.scalars) + len(spec.arrays) * sizes[0], spec.printed_names()
    for n, (each, entries) in enumerate(zip(spec.listed, spec.lists(sizes), strict=True)):
        count, numbers = len(entries), ", ".join(str(i) for entry in entries for i in entry)
        tables.append(f"__device__ const int list_{n}[] = {{{numbers}}};")
        body, load, store = bodies[f"{each.kind} {n}"], [], []
        lines = [f"const int i{k} = list_{n}[{each.count}*t + {k}];" for k in range(each.count)]
        for k, name in enumerate(each.arrays):
            lines.append(f"const real {names[name]} = p[{own + k * count} + t];")
        for k in range(len(body.derivatives)):
            step, axis = divmod(k, spec.space)
            low, high = (f"i{step + end} + {axis}" for end in (0, 1))
            load.append(f"v{k} = x[{high}] - x[{low}]")
            store.append(f"g[{high}] += f{k};\ng[{low}] -= f{k};")
        forces = [f"const real f{k} = " for k in range(len(body.derivatives))]
        lines += [term(spec, body, load, forces, "energy += "), *store]
        loops += [loop("t", "0", str(count), 1, "\n".join(lines))]
        own += len(each.arrays) * count
    return tables, [block("\n".join(["real energy = 0;", *loops, "e += energy;"]))] if loops else []


def _distance(spec: Spec, body: Body, energy: str = "e += ", times: str = "") -> str:
    """Energy and forces of the particles at d and k, which depend on their distance."""
    axes = range(spec.space)
    store = [f"g[k + {k}] += f*r{k};\ng[d + {k}] -= f*r{k};" for k in axes]
    force = [f"const real f = {times}2.0*"]
    return "\n".join([*_apart(spec), term(spec, body, [square(spec)], force, energy), *store])


def _apart(spec: Spec) -> list[str]:
    return [f"const real r{k} = x[k + {k}] - x[d + {k}];" for k in range(spec.space)]
