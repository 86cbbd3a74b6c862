"""Several steps in one pass over a block: what belongs to eight replicas stays in registers.

For formulas of a few coordinates, whose force and energy need nothing but these. Failures, walls
and moving landscapes are left to `langevin_sa.backends.cpu.blocks`, which goes step by step.
"""

from __future__ import annotations

from textwrap import indent
from typing import TYPE_CHECKING, Any

import numpy as np

from ...formulas.parse import PRINTED
from .columns import to_columns, to_rows
from .compiled import call_step
from .keeping import kernel
from .philox import fill_normals
from .printed_pairs import LANES, over, scalars

if TYPE_CHECKING:
    from ...formulas.spec import Spec

MOST = 8  # coordinates that are kept in registers
TOGETHER = 4  # steps of a pass at most: several blocks of lanes then overlap in the processor


def suits(spec: Spec, bodies: Any, dim: int) -> bool:
    """Whether all coordinates of a replica are in one printed body."""
    return (list(bodies) == ["coordinates"] and dim <= MOST) or (list(bodies), dim) == (["site"], 1)


def pass_source(spec: Spec, bodies: Any, dim: int, width: int, single: bool) -> str:
    """Source of some steps of n replicas, `width` in a row of the state.

    Rows of the state: x, dx, the noise that is carried on and the best x of each coordinate; the
    best energy; the sums of dx^2 with either weight; 0, or NaN once an energy was not finite; the
    energy before the last step; and room for a gradient.
    The step's normals are from ``rows[dim*t + coordinate]`` on in z, its numbers are six of c.
    """
    (body,) = bodies.values()
    axes = range(dim)
    names = [f"{name}{k}" for name in ("v", "m", "w", "b") for k in axes]
    names += ["best", "s", "s22", "check", "energy"]
    load = [f"{name} = load(state, {row}*WIDTH + i)" for row, name in enumerate(names)]
    store = [f"store(state, {row}*WIDTH + i, {name})" for row, name in enumerate(names)]
    step = ["carry, lr, kick, tail = c[6*t], c[6*t + 1], c[6*t + 2], c[6*t + 3]"]
    step += ["weight22, weight = c[6*t + 4], c[6*t + 5]"]
    step += [f"z{k} = load(z, rows[{dim}*t + {k}] + i)" for k in axes]
    step += [*body.lines, f"energy = {body.value}", "check = check + 0.0*energy"]
    step += ["lower = energy < best", "best = choose(lower, energy, best)"]
    step += [f"b{k} = choose(lower, v{k}, b{k})" for k in axes]
    for k in axes:
        step += [f"m{k} = carry*m{k} - lr*({body.derivatives[k]}) + (kick*z{k} + w{k})"]
        step += [f"w{k}, s = tail*z{k}, s + weight*(m{k}*m{k})"]
        step += [f"m{k} = rounded(m{k})"] if single else []
    for k in axes:
        moved = f"v{k} + m{k}"
        step += [f"v{k} = {f'rounded({moved})' if single else moved}"]
        step += [f"s22 = s22 + weight22*(m{k}*m{k})"]
    many = "one" if width == 1 else "lanes"
    functions = [*PRINTED, "power", "choose", "rounded"]
    functions += [f"load_{many} as load", f"store_{many} as store"]
    arrays = [f"p_{a} = p[{len(spec.scalars) + k}]" for k, a in enumerate(spec.array_places())]
    block = "\n".join([*load, over("t", "steps", "\n".join(step)), *store])
    lines = [*scalars(spec), *arrays, over("i", f"0, n, {min(LANES, width)}", block)]
    return (
        f"from langevin_sa.backends.cpu.lanes import {', '.join(functions)}\n\n"
        f"WIDTH = {width}\n\n\ndef steps(state, z, p, rows, c, steps, n):\n"
        + indent("\n".join(lines), "    ")
        + "\n"
    )


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
    filled = width if width < LANES else (n + LANES - 1) & -LANES
    origin = -(arena.ctypes.data >> 3) & 7
    z = arena[origin : origin + 4 * normals].reshape((4, normals))
    size = (5 * dim + 5) * width
    at = origin + ((len(arena) - origin - size) & -8)  # behind what going step by step needs
    state = arena[at : at + size].reshape((5 * dim + 5, width))
    together = chunk if width == 1 else min(TOGETHER, chunk)
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
        m = min(together, n_steps - t)
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
