"""Several steps in one pass over a block: what belongs to eight replicas stays in registers.

For formulas of a few coordinates, whose force and energy need nothing but these. Failures, walls
and moving landscapes are left to `langevin_sa.backends.cpu.blocks`, which goes step by step.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from textwrap import indent
from typing import TYPE_CHECKING, Any

import numpy as np

from ...formulas.parse import PRINTED
from .columns import to_columns, to_rows
from .compiled import call_step
from .keeping import kernel
from .philox import fill_normals
from .printed_pairs import LANES, inertia, over, scalars

if TYPE_CHECKING:
    from ...formulas.spec import Spec

MOST, MOST_WIDE = 16, 10  # coordinates of lanes alone, and where rows of them would leave the cache
NAMES = r"\b([a-z]\d+|energy|lower|best|s|s22|check)\b"  # of what belongs to a group of lanes
TOGETHER = 4  # steps of a pass: several blocks of lanes then overlap in the processor
NORMALS = 64  # are made at once, so a pass of few replicas is of more steps


def suits(spec: Spec, bodies: Any, sizes: Sequence[int], width: int) -> bool:
    """Whether coordinates are few, and so are the places where a formula is to be written out."""
    most = MOST if width <= LANES else MOST_WIDE
    if sizes[0] > most:
        return False
    where = [spec.where(kind, sizes) for kind in bodies]
    return None not in where and sum(len(places or []) for places in where) <= 2 * most


def pass_source(
    spec: Spec, bodies: Any, sizes: Sequence[int], width: int, single: bool, massive: bool = False
) -> str:
    """Source of some steps of n replicas, `width` in a row of the state.

    Rows of the state: x, dx, the noise that is carried on and the best x of each coordinate; the
    best energy; the sums of dx^2 with either weight; 0, or NaN once an energy was not finite; the
    energy before the last step; and room for a gradient.
    The step's normals are from ``rows[dim*t + coordinate]`` on in z, its numbers are six of c. Of
    `massive` coordinates p ends with `langevin_sa.backends.walk.Walk.inertia`.
    """
    dim = sizes[0]
    axes = range(dim)
    names = [f"{name}{k}" for name in ("x", "m", "w", "b") for k in axes]
    names += ["best", "s", "s22", "check", "energy"]
    load = [f"{name} = load(state, {row}*WIDTH + i)" for row, name in enumerate(names)]
    store = [f"store(state, {row}*WIDTH + i, {name})" for row, name in enumerate(names)]
    step = [f"z{k} = load(z, rows[{dim}*t + {k}] + i)" for k in axes]
    step += [*_energy_and_gradient(spec, bodies, sizes), "check = check + 0.0*energy"]
    step += ["lower = energy < best", "best = choose(lower, energy, best)"]
    step += [f"b{k} = choose(lower, x{k}, b{k})" for k in axes]
    given = [inertia(spec, massive, d=k, dim=dim, tag=str(k)) for k in axes]
    masses = [line for lines, _ in given for line in lines]
    for k, (_, (inverse, root, mass)) in enumerate(given):
        step += [f"m{k} = carry*m{k} - lr*({inverse}g{k}) + {root}(kick*z{k} + w{k})"]
        step += [f"w{k}, s = tail*z{k}, s + weight*({mass}(m{k}*m{k}))"]
        step += [f"m{k} = rounded(m{k})"] if single else []
    for k, (_, (_, _, mass)) in enumerate(given):
        moved = f"x{k} + m{k}"
        step += [f"x{k} = {f'rounded({moved})' if single else moved}"]
        step += [f"s22 = s22 + weight22*({mass}(m{k}*m{k}))"]
    many = "one" if width == 1 else "lanes"
    functions = [*PRINTED, "power", "choose", "rounded"]
    functions += [f"load_{many} as load", f"store_{many} as store"]
    groups = 2 if dim == 1 and width >= 2 * LANES else 1
    load, step, store = (_side_by_side(lines, groups) for lines in (load, step, store))
    numbers = ["carry, lr, kick, tail = c[6*t], c[6*t + 1], c[6*t + 2], c[6*t + 3]"]
    numbers += ["weight22, weight = c[6*t + 4], c[6*t + 5]"]
    block = "\n".join([*load, over("t", "steps", "\n".join([*numbers, *step])), *store])
    lines = [*scalars(spec), *masses, over("i", f"0, n, {min(groups * LANES, width)}", block)]
    return (
        f"from langevin_sa.backends.cpu.lanes import {', '.join(functions)}\n\n"
        f"WIDTH = {width}\n\n\ndef steps(state, z, p, rows, c, steps, n):\n"
        + indent("\n".join(lines), "    ")
        + "\n"
    )


def _energy_and_gradient(spec: Spec, bodies: Any, sizes: Sequence[int]) -> list[str]:
    """All terms written out, in the order of a step: the energy, and its derivatives g0, g1, ..."""
    lines: list[str] = []
    begun = set()

    def add(name: str, text: str) -> None:
        lines.append(f"{name} = {f'{name} + ' if name in begun else ''}({text})")
        begun.add(name)

    for kind, body in bodies.items():
        for at in spec.where(kind, sizes) or []:
            lines += [f"v{k} = x{d}" for k, d in enumerate(at)]
            for k, a in enumerate(spec.array_places()):
                lines.append(f"p_{a} = p[{len(spec.scalars) + k * sizes[0] + at[0]}]")
            lines += body.lines
            add("energy", body.value)
            for d, derivative in zip(at, body.derivatives, strict=True):
                add(f"g{d}", derivative)
    names = ["energy", *(f"g{d}" for d in range(sizes[0]))]
    return lines + [f"{name} = 0.0" for name in names if name not in begun]


def _side_by_side(lines: list[str], groups: int) -> list[str]:
    """The lines for as many groups of lanes: one computes while another waits."""
    sides = list(lines)
    for k in range(1, groups):
        text = re.sub(NAMES, rf"\g<0>_{k}", "\n".join(lines))
        sides += re.sub(r"\+ i\b", f"+ i + {k * LANES}", text).splitlines()
    return sides


@kernel(nogil=True)
def advance_passes(
    potential: Any,
    walk: Any,
    steps: Any,
    paired: bool,
    ratio: float,
    change: int,
    stream: Any,
    first_step: int,
    width: int,
    block: Any,
) -> int:
    """Run a block through the steps up to `change`, or through all if that is -1; parameters are
    those of `langevin_sa.backends.cpu.blocks.advance_block`.

    Returns
    -------
    int
        How many steps were done: none, and nothing has changed, if one of them fails.
    """
    r, n, chunk, normals, arena = block
    numbers, passes = potential[1], potential[5]
    x, dx, noise, energy, best_energy, best_x, dx2, kinetic, _, _ = walk
    first_replica, purpose, k0, k1 = stream
    dim, apart = x.shape[1], change < 0
    n_steps = steps.shape[1] if apart else change
    columns = width if width < 16 else (n + 15) & -16
    filled = width if width < 2 * LANES else (n + 2 * LANES - 1) & -2 * LANES
    origin = -(arena.ctypes.data >> 3) & 7
    z = arena[origin : origin + 4 * normals].reshape((4, normals))
    size = (5 * dim + 5) * width
    at = origin + ((len(arena) - origin - size) & -8)  # behind what going step by step needs
    state = arena[at : at + size].reshape((5 * dim + 5, width))
    together = min(max(TOGETHER, NORMALS // (width * dim)), chunk)
    rows, c = np.zeros(together * dim, dtype=np.int64), np.zeros((together, 6))
    # lanes beyond the last replica go along with it
    to_columns(state[:dim], x, r, n, filled)
    to_columns(state[dim : 2 * dim], dx, r, n, filled)
    to_columns(state[2 * dim : 3 * dim], noise, r, n, filled)
    to_columns(state[3 * dim : 4 * dim], best_x, r, n, filled)
    if not paired:
        state[2 * dim : 3 * dim] = 0.0
    for i in range(filled):
        own = r + min(i, n - 1)
        state[4 * dim, i], state[4 * dim + 1, i] = best_energy[own], kinetic[own]
        state[4 * dim + 2, i], state[4 * dim + 3, i] = dx2[own], 0.0
    t = 0
    while t < n_steps:
        m = min(together - (first_step + t) % together, n_steps - t)  # from a whole quad on
        start = (first_step + t) * dim
        first = start >> 2
        noisy = False
        for k in range(m):
            noisy |= steps[2, t + k] > 0.0
            for q in range(6):
                c[k, q] = steps[q, t + k]
            c[k, 4] = c[k, 4] if apart else 0.0
            for d in range(dim):
                number = start + k * dim + d - 4 * first
                rows[k * dim + d] = (number & 3) * normals + (number >> 2) * columns
        if noisy:
            quads = ((start + m * dim + 3) >> 2) - first
            fill_normals(z, first, quads, first_replica + r, columns, purpose, k0, k1)
        call_step(passes, (state, z, numbers, rows, c, m), filled)
        t += m
    moved = state[: 3 * dim].copy()  # one step more looks at where they are now
    c[0] = 0.0
    call_step(passes, (state, z, numbers, rows, c, 1), filled)
    for i in range(n):
        if not np.abs(state[4 * dim + 1, i]) + state[4 * dim + 3, i] < np.inf:
            return 0
    to_rows(x, moved[:dim], r, n)
    to_rows(dx, moved[dim : 2 * dim], r, n)
    if paired:
        to_rows(noise, moved[2 * dim :], r, n)
    to_rows(best_x, state[3 * dim : 4 * dim], r, n)
    for i in range(n):
        best_energy[r + i], kinetic[r + i] = state[4 * dim, i], state[4 * dim + 1, i]
        dx2[r + i] = state[4 * dim + 2, i] if apart else ratio * kinetic[r + i]
        energy[r + i] = state[4 * dim + 4, i]
    return n_steps
