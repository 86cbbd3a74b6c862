"""Loops around the printed body of pairs: of a block of replicas, of one replica, and of the
neighbours of a particle.

The loop over replicas is outermost, in lanes (`langevin_sa.backends.cpu.lanes`), so that what
belongs to one of the two particles stays in registers.
"""

from __future__ import annotations

from textwrap import indent
from typing import TYPE_CHECKING

from ...formulas.parse import PRINTED

if TYPE_CHECKING:
    from ...formulas.spec import Body, Spec

LANES = 8  # replicas, or particles, side by side


def scalars(spec: Spec) -> list[str]:
    return [f"p_{k} = p[{k}]" for k in range(len(spec.scalars))]


def inertia(
    spec: Spec,
    massive: bool,
    place: str = "p[{}]",
    d: object = "d",
    dim: object = "dim",
    tag: str = "",
) -> tuple[list[str], tuple[str, str, str]]:
    """The line that takes 1/m, 1/sqrt(m) and m of coordinate d from behind the parameters, and the
    texts that multiply its force, noise and dx^2 by them; nothing of coordinates without masses.
    """
    if not massive:
        return [], ("", "", "")
    first = f"{len(spec.scalars)} + {len(spec.array_places())}*{dim}"
    if spec.listed:
        first = "own"  # where the parameters of lists have ended
    values = [place.format(f"{first} + {k}*{dim} + {d}") for k in range(3)]
    inverse, root, mass = (name + tag for name in ("inverse", "root", "mass"))
    line = f"{inverse}, {root}, {mass} = {', '.join(values)}"
    return [line], (f"{inverse}*", f"{root}*", f"{mass}*")


def over(index: str, count: str, body: str) -> str:
    return f"for {index} in range({count}):\n" + indent(body, "    ")


def pair_forces(spec: Spec, body: Body) -> str:
    """Each pair once, for all lanes' replicas."""
    pair = [*of_distance(spec, body), f"own += {body.value}"]
    rows = each_pair(spec, ["own = 0.0"], pair, ["energy += own"], forces=True)
    return "\n".join(["energy = 0.0", rows, "store(e, 0, load(e, 0) + energy)"])


def each_pair(
    spec: Spec, before: list[str], pair: list[str], after: list[str], *, forces: bool
) -> str:
    """The particle at d, and r0, r1, ... away those after it, at k; if they have `forces`, f over
    their distance, what belongs to the particle at d stays in registers. These are summed over the
    others in their order.
    """
    axes, space = range(spec.space), spec.space
    here = [f"x{k} = load(x_, WIDTH*(d + {k}))" for k in axes]
    apart = [f"r{k} = load(x_, WIDTH*(k + {k})) - x{k}" for k in axes]
    given, kept = [], []
    if forces:
        here = [f"x{k}, g{k} = load(x_, WIDTH*(d + {k})), load(g_, WIDTH*(d + {k}))" for k in axes]
        given = [
            f"h = f*r{k}\ng{k} -= h\nstore(g_, WIDTH*(k + {k}), load(g_, WIDTH*(k + {k})) + h)"
            for k in axes
        ]
        kept = [f"store(g_, WIDTH*(d + {k}), g{k})" for k in axes]
    later = over("k", f"d + {space}, dim, {space}", "\n".join([*apart, *pair, *given]))
    return over("d", f"0, dim, {space}", "\n".join([*here, *before, later, *kept, *after]))


def pair_forces_alone(spec: Spec, body: Body) -> str:
    """The same sums for one replica, LANES particles side by side, each pair from both ends."""
    axes, space = range(spec.space), spec.space
    here = [
        f"x{k}, g{k} = gather(x_, d + {k}, {space}, left), gather(g_, d + {k}, {space}, left)"
        for k in axes
    ]
    pair = [
        *(f"r{k} = x_[k + {k}] - x{k}" for k in axes),
        *of_distance(spec, body),
        f"own += choose(LANE < lane, {body.value}, 0.0)",
        "f = choose(LANE != lane, f, 0.0)",  # not of the particle and itself
        *(f"g{k} -= f*r{k}" for k in axes),
        "lane += 1.0",
    ]
    others = over("k", f"0, dim, {space}", "\n".join(pair))
    kept = [f"scatter(g_, d + {k}, {space}, left, g{k})" for k in axes]
    rows = [
        f"left = (dim - d)//{space}",
        *here,
        f"own, lane = 0.0, -(d/{space:.1f})",
        others,
        *kept,
        "energy = add_lanes(energy, own)",
    ]
    return "\n".join(
        [
            "LANE, energy = lane_numbers(), 0.0",
            over("d", f"0, dim, {LANES * space}", "\n".join(rows)),
            "e[0] += energy",
        ]
    )


def of_distance(spec: Spec, body: Body) -> list[str]:
    """The body of a pair r0, r1, ... apart, and f, the force over that."""
    distance = "v0 = " + " + ".join(f"r{k}*r{k}" for k in range(spec.space))
    return [distance, *body.lines, f"f = 2.0*({body.derivatives[0]})"]


def move_lanes(spec: Spec, massive: bool) -> str:
    """The recursion for all coordinates, as `_move` of `langevin_sa.backends.cpu.printed`."""
    masses, (inverse, root, mass) = inertia(spec, massive)
    lines = [
        *masses,
        "v, now, before = WIDTH*d, rows[d], rows[dim + d]",
        f"m = carry*load(dx_, v) - lr*({inverse}load(g_, v))"
        f" + {root}(kick*load(z, now) + tail_before*load(z, before))",
        "store(dx_, v, m)",
        "store(y_, v, load(x_, v) + m)",
        f"total += weight*({mass}(m*m))",
    ]
    return "\n".join(
        ["total = load(s, 0)", over("d", "dim", "\n".join(lines)), "store(s, 0, total)"]
    )


def neighbour_source(spec: Spec, body: Body, tilted: bool) -> str:
    """Source of ``pairs`` and ``laplacians`` of the particle in slot i and n neighbours, whose
    slots are at address `names`.

    Energies and forces times the separations, or Laplacians, are added to the four rows of `sums`.
    `points` is the address of all particles' lines, `box` that of lengths with their inverses, and
    if the cell is `tilted` of the matrix back into space; p
    holds the parameters of this pair of species and the energy at the cut-off, which is taken off.
    """
    text = (
        f"from langevin_sa.backends.cpu.distances import separations{'_tilted' * tilted}"
        " as separations\n"
        "from langevin_sa.backends.cpu.lanes import choose, fma, lane_numbers, load_lanes, "
        f"store_lanes, {', '.join(PRINTED)}, power\n"
    )
    force = [f"f = choose(inside, 2.0*({body.derivatives[0]}), 0.0)"]
    force += [f"f{k} = fma(f, r{k}, f{k})" for k in range(spec.space)]
    for name, lines, value, rest in (
        ("pairs", body.lines, f"{body.value} - p[{len(spec.scalars)}]", force),
        ("laplacians", body.laplacian_lines, body.laplacian, []),
    ):
        rows = ["energy", *(f"f{k}" for k in range(spec.space))] if rest else ["energy"]
        near = [
            "r0, r1, r2, v0 = separations(points, names + 4*k, i, box)",
            *lines,
            "inside = LANE < n - k",
            f"energy += choose(inside, {value}, 0.0)",
            *rest,
        ]
        steps = [
            *scalars(spec),
            "LANE = lane_numbers()",
            *(f"{row} = load_lanes(sums, {LANES * k})" for k, row in enumerate(rows)),
            over("k", f"0, n, {LANES}", "\n".join(near)),
            *(f"store_lanes(sums, {LANES * k}, {row})" for k, row in enumerate(rows)),
        ]
        text += f"\n\ndef {name}(points, names, i, box, p, sums, n):\n"
        text += indent("\n".join(steps), "    ") + "\n"
    return text
