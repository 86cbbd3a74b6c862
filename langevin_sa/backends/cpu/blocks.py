"""Fused kernels: blocks of replicas side by side in cache, many steps a call, noise made inside,
threads over blocks.

Each potential is compiled to a small step of its own (`langevin_sa.backends.cpu.printed`), which
the kernel here calls by address: the kernel is compiled once for all potentials, and a new formula
costs only its step.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import float32, float64

from ...laws import Drive
from ...momentum import Steps
from ..walk import Backend, NonFinite, Walk, share
from .columns import to_columns, to_rows
from .compiled import (
    PASS,
    STEP,
    call_step,
    check_functions,
    compiled_functions,
    compiled_passes,
    compiled_source,
    late,
)
from .keeping import kernel
from .looks import centre, look, lost
from .passes import advance_passes, pass_source, suits
from .philox import fill_line, fill_normals
from .printed import numba_source
from .printed_pairs import LANES
from .simd import inline
from .walls import keep, turn_back
from .widths import widths
from .work import add_work, set_parameters

NOISE_NUMBERS = 1024  # normals of one coordinate made at a time
WORTH_PASSES = 1_000_000  # moves of a replica, before which passes are not compiled
PADDING = 24  # numbers between arrays, so that they do not fall on the same cache lines


@inline
def carve(arena: Any, at: int, rows: int, columns: int) -> tuple[Any, int]:
    """A (rows, columns) array out of `arena` on a 64-byte line, and where the next may start."""
    return arena[at : at + rows * columns].reshape((rows, columns)), at + rows * columns + PADDING


# One step, x = x + dx after
#
#     dx = rho dx + lr f(x) + s xi        s xi = alpha z_n, or paired alpha z_n + beta z_{n-1}
#
#     x before and after                                        X, Y
#     rho, with the change of dt                                carry
#     alpha; beta of the next step                              kick, tail
#     -f(x)                                                     G
#     z                                                         z
#     beta z_{n-1}, what paired noise carried on                noise, NOISE, or from z
#     1/dt^2, 1/velocity_scale^2                                weight22, weight
@kernel(nogil=True)
def advance_block(
    potential: Any, walk: Any, moves: Any, width: int, r: int, n: int, room: Any, careful: bool
) -> tuple[int, int]:
    """Run n replicas from r on, `width` of which have room side by side, through all steps, with
    the first parameters of `advance_replicas`.

    Parameters
    ----------
    room : (int, int, float64 array, int64 array, float64 array)
        The steps whose noise is made together, numbers in a row of that noise, and room, see
        `room_for`.
    careful : bool
        The step before is kept, so that replicas can turn back.

    Returns
    -------
    (int, int)
        Step and replica in the block of a failure, or a negative replica. If the failure may be a
        wall, and the block was not `careful`, the walk is as it was.
    """
    address, numbers, size, places, laws = potential[:5]
    mass, centred = potential[7:]
    steps, paired, ratio, change, wall, stream, first_step = moves
    chunk, normals, arena, rows, c = room
    x, dx, noise, energy, best_energy, best_x, dx2, kinetic, failures, work = walk
    carry, lr, kick, tail, weight22, weight = (
        steps[0],
        steps[1],
        steps[2],
        steps[3],
        steps[4],
        steps[5],
    )
    first_replica, purpose, k0, k1 = stream
    dim, n_steps = x.shape[1], steps.shape[1]
    columns = width if width < 16 else (n + 15) & -16  # of noise
    filled = width if width < LANES else (n + LANES - 1) & -LANES  # whole vectors
    # float32 is a storage format: arithmetic is float64, rounded once a step
    single = x.itemsize == 4
    origin = -(arena.ctypes.data >> 3) & 7
    z, at = carve(arena, origin, 4, normals)
    NOISE, at = carve(arena, at, dim, width)
    X, at = carve(arena, at, dim, width)
    Y, at = carve(arena, at, dim, width)
    DX, at = carve(arena, at, dim, width)
    G, at = carve(arena, at, dim, width)
    BX, at = carve(arena, at, dim, width)
    EBS, at = carve(arena, at, 5, width)
    E, BE, S, S22, SPARE = EBS[0], EBS[1], EBS[2], EBS[3], EBS[4]
    driven = len(places) > 0
    p = numbers.copy() if driven else numbers
    W = np.zeros((2 * dim + 3 if driven else 0, width))  # work, and room to take it
    kept = np.zeros((2 * dim + 1 if careful else 0, width))
    past = (NOISE.ctypes.data - z.ctypes.data) >> 3
    first, t, bad = 0, 0, -1
    to_columns(X, x, r, n, filled)
    to_columns(DX, dx, r, n, filled)
    to_columns(NOISE, noise, r, n, filled)
    to_columns(BX, best_x, r, n, filled)
    for i in range(n):
        BE[i], S[i], S22[i] = best_energy[r + i], kinetic[r + i], dx2[r + i]
        if driven:
            W[0, i] = work[r + i]
    apart = change < 0
    for t in range(n_steps):
        # number of this step's first normal in a replica's stream
        start = (first_step + t) * dim
        fresh = t % chunk == 0
        if fresh:
            first = start >> 2
            quads = ((start + chunk * dim + 3) >> 2) - first
            if np.any(kick[t : t + chunk] > 0.0):
                if width == 1:
                    fill_line(arena, origin, first, quads, first_replica + r, purpose, k0, k1)
                else:
                    fill_normals(z, first, quads, first_replica + r, columns, purpose, k0, k1)
        c[0], c[1], c[2], c[4] = carry[t], lr[t], kick[t], weight[t]
        by_hand = fresh or careful  # what is carried on is in NOISE
        c[3] = 0.0 if not paired else 1.0 if by_hand else tail[t - 1]
        m = start - 4 * first
        before = past if by_hand else m - dim
        if width == 1:  # numbers in their order
            for d in range(dim):
                rows[d] = m + d
            for d in range(dim):
                rows[dim + d] = before + d
        else:
            for d in range(dim):
                rows[d] = ((m + d) & 3) * normals + ((m + d) >> 2) * columns
                last = m + d - dim
                last = (last & 3) * normals + (last >> 2) * columns
                rows[dim + d] = past + d * width if by_hand else last
        if t == change:
            apart = True
            for i in range(n):
                S22[i] = ratio * S[i]
        if careful:
            keep(Y, DX, S, kept, n)
        if driven:
            inputs = (X, Y, DX, G, z, S, E, p, rows, size, c)
            set_parameters(address, inputs, places, laws, t, W, n, careful)
        call_step(address, (X, Y, DX, G, z, S, E, p, rows, size, c), filled)
        bad = look(E, S, BE, X, BX, n)
        if t == 0 and bad >= 0:  # of these points the gradient is known to be finite
            bad = lost(E, n)
        if careful and t > 0:
            inputs = (X, Y, DX, G, z, S, E, p, rows, size, c)
            bad = turn_back(address, inputs, kept, NOISE, BE, BX, failures[r : r + n], bad)
            if driven:
                add_work(address, inputs, kept, places, laws, t, W, n)
        if bad >= 0:
            break
        if centred:
            centre(X, Y, DX, S, mass, centred, weight[t], n)
        if single:
            for d in range(dim):
                for i in range(n):
                    DX[d, i] = float64(float32(DX[d, i]))
                    Y[d, i] = float64(float32(X[d, i] + DX[d, i]))
        if apart:
            for d in range(dim):
                heavy = mass[d] if len(mass) else 1.0
                for i in range(n):
                    S22[i] += weight22[t] * (heavy * (DX[d, i] * DX[d, i]))
        X, Y = Y, X
        if paired and (careful or t % chunk == chunk - 1 or t == n_steps - 1):
            if width == 1:
                row = arena[origin + rows[0] :]
                for d in range(dim):
                    NOISE[d, 0] = tail[t] * row[d]
            else:
                for d in range(dim):
                    row = arena[origin + rows[d] :]
                    for i in range(n):
                        NOISE[d, i] = tail[t] * row[i]
    if bad < 0:  # the energy of where they are now
        t = n_steps
        c[:], SPARE[:] = 0.0, 0.0
        inputs = (X, Y, Y, G, z, SPARE, E, p, rows, size, c)
        if careful:
            keep(Y, DX, SPARE, kept, n)
        if driven:
            set_parameters(address, inputs, places, laws, t, W, n, careful)
        call_step(address, inputs, filled)
        bad = look(E, SPARE, BE, X, BX, n)
        if careful and t > 0:
            bad = turn_back(address, inputs, kept, NOISE, BE, BX, failures[r : r + n], bad)
            if driven:
                add_work(address, inputs, kept, places, laws, t, W, n)
            for i in range(n):
                if failures[r + i, 1] > 0:
                    for d in range(dim):
                        DX[d, i] = -DX[d, i]
    if bad >= 0 and wall and not careful:
        return t, bad
    to_rows(x, X, r, n)
    to_rows(dx, DX, r, n)
    to_rows(noise, NOISE, r, n)
    to_rows(best_x, BX, r, n)
    for i in range(n):
        kinetic[r + i], dx2[r + i] = S[i], S22[i] if apart else ratio * S[i]
        energy[r + i], best_energy[r + i] = E[i], BE[i]
        if driven:
            work[r + i] = W[0, i]
    return t, bad


@inline
def room_for(width: int, dim: int, n_steps: int) -> tuple[int, int, Any, Any, Any]:
    """What a block of so many replicas and coordinates needs for so many steps."""
    # steps whose noise is made together
    chunk = max(1, min(n_steps, max(16, NOISE_NUMBERS // width) // dim))
    normals = (chunk * dim + 6) // 4 * width + PADDING
    arena = np.zeros(4 * normals + (11 * dim + 10) * width + 13 * PADDING)
    return chunk, normals, arena, np.zeros(2 * dim, dtype=np.int64), np.zeros(5)


@kernel(nogil=True)
def advance_replicas(
    potential: Any, walk: Any, moves: Any, widths: Any, low: int, high: int
) -> tuple[int, int]:
    """Run replicas low <= r < high through all steps.

    Parameters
    ----------
    potential : tuple
        Address of the compiled step, the parameters and sizes that it reads, the places and values
        of the `Drive` (no places without one), the address of the compiled passes, or 0, that of
        the step of a lone replica, the last row of `Walk.inertia` and `Walk.centred`.
    walk : tuple of arrays
        Those of the `Walk`, moved on in place.
    moves : tuple
        steps : float64 array (6, n_steps)
            Carry, lr, kick, tail, 1/dt^2 and 1/velocity_scale^2.
        paired : bool
            Noise is paired.
        ratio, change : float, int
            dx2 is `ratio` times kinetic up to step `change`, and a sum of its own from there on
            (from the start if that is -1).
        wall : bool
            `Walk.wall`. A block where a step fails is run again, carefully
            (`langevin_sa.backends.cpu.walls`), and is from then on.
        stream : (int, int, uint64, uint64)
            `Walk.stream` of replica 0.
        first_step : int
            Number of the first step in the streams.
    widths : (int, int)
        Replicas side by side, and the number of replicas below which the last ones go one by one.

    Returns
    -------
    (int, int)
        Step and replica of a failure that is no wall, or (-1, -1).
    """
    (steps, paired, ratio, change, wall, stream, first_step), (width, few) = moves, widths
    dim, n_steps = walk[0].shape[1], steps.shape[1]
    room, r = room_for(width, dim, n_steps), low
    while r < high:
        n = min(width, high - r)
        if width > 1 and n < few:
            _, numbers, size, places, laws, _, lone, mass, centred = potential
            potential = (lone, numbers, size, places, laws, 0, lone, mass, centred)
            width, n, room = 1, 1, room_for(1, dim, n_steps)
        careful, done = wall and np.any(walk[8][r : r + n, 0] > 0), 0
        if potential[5] != 0 and not careful:
            block = (r, n, room[0], room[1], room[2])
            done = advance_passes(
                potential, walk, steps, paired, ratio, change, stream, first_step, width, block
            )
            if done == n_steps > 0:
                r += n
                continue
        left, later = steps[:, done:], change - done if change >= 0 else change
        rest = (left, paired, ratio, later, wall, stream, first_step + done)
        t, bad = advance_block(potential, walk, rest, width, r, n, room, careful)
        if bad >= 0 and wall and not careful:
            # `wall` for a True that is no constant, for which numba would compile all of it again
            t, bad = advance_block(potential, walk, rest, width, r, n, room, wall)
        if bad >= 0:
            return first_step + done + t, r + bad
        r += n
    return -1, -1


class BlockBackend(Backend):
    """Formulas and numba functions: everything inside one kernel."""

    turns_back = weighs = centres = True

    def __init__(self, potential: Any, walk: Walk, threads: int) -> None:
        self.walk, self.threads, self.asked = walk, threads, 0  # `asked`: moves so far
        self.passes = late()
        replicas, dim = walk.x.shape
        single, massive = walk.x.itemsize == 4, walk.masses is not None
        # replicas side by side, and the number of those left over below which they go one by one
        self.widths = (1, 0)
        if potential.formula is None:
            check_functions(potential, walk.x[0].astype(float))
            functions = potential.numba_functions
            self.step = self.lone = compiled_functions(*functions, massive)
            self.passes = late(compiled_passes, *functions, dim, single, massive)
            self.numbers, self.size = np.empty(0), np.array([dim], dtype=np.int64)
        else:
            source = potential.formula.source
            self.widths = widths(source.spec, source.bodies, replicas, dim, threads)
            self.step, self.lone = (
                compiled_source(
                    numba_source(source.spec, source.bodies, width, massive), "step", STEP
                )
                for width in (self.widths[0], 1 if self.widths[1] else self.widths[0])
            )
            self.numbers, self.size = potential.formula.numbers, potential.formula.size
            printed = (source.spec, source.bodies, self.size.tolist(), self.widths[0])
            if suits(*printed):
                text = pass_source(*printed, single, massive)
                self.passes = late(compiled_source, text, "steps", PASS)
        self.mass = walk.inertia[2]
        self.numbers = np.append(self.numbers, walk.inertia)
        self.pool = ThreadPoolExecutor(threads) if threads > 1 else None
        began = time.perf_counter()
        self.advance(Steps(*np.empty((3, 0))))  # energy and best at the start
        self.pace = time.perf_counter() - began

    def advance(self, steps: Steps) -> None:
        """Move the walk on by the given steps."""
        w, n = self.walk, len(steps.rho)
        ratio, change = self._ratio(steps)
        numbers = np.ascontiguousarray(steps.numbers.T)
        moves = (numbers, steps.paired, ratio, change, w.wall, w.stream(), w.step)
        given = (self.compiled(n, steps.drive), w.arrays, moves, self.widths)
        self._run(lambda part: advance_replicas(*given, *part), n)
        if n:
            w.ratio = ratio if change == n else np.nan

    def _run(self, kernel: Callable[[tuple[int, int]], tuple[int, int]], steps: int) -> None:
        """So many steps of all replicas by ``kernel((low, high))``, on all threads."""
        bad = [end for end in share(self.pool, kernel, self._parts(steps)) if end[0] >= 0]
        if bad:
            step, replica = min(bad)
            raise NonFinite(step, self.walk.first_replica + replica)
        self.walk.step += steps

    def compiled(self, steps: int, drive: Drive | None = None) -> tuple[Any, ...]:
        """The potential as the kernels take it, for as many steps."""
        self.asked += len(self.walk.x) * steps
        if self.asked > WORTH_PASSES:
            self.passes.compile()
        drive = drive or Drive(np.empty(0, dtype=np.int64), np.empty((1, 0)))
        address = 0 if len(drive.places) or self.walk.centred else self.passes.address
        moves = self.numbers, self.size, drive.places, drive.values, address
        return self.step.address, *moves, self.lone.address, self.mass, self.walk.centred

    def _ratio(self, steps: Steps) -> tuple[float, int]:
        """What dx2 is of kinetic in these steps and those before, and up to which of these; -1 if
        it is so no more.
        """
        if not len(steps.rho) or np.isnan(self.walk.ratio):
            return self.walk.ratio, -1
        ratios = steps.ratio  # weight22/weight without its rounding
        ratio = self.walk.ratio or float(ratios[0])
        return ratio, int(np.argmax(np.append(ratios != ratio, True)))

    def _parts(self, steps: int) -> list[tuple[int, int]]:
        """Replicas shared out over threads in whole blocks; one part if the work is too small to
        share.
        """
        replicas, dim = self.walk.x.shape
        width = self.widths[0]
        blocks = -(-replicas // width)
        parts = min(self.threads, blocks) if replicas * dim * steps > 20_000 else 1
        edges = [min(replicas, width * (blocks * k // parts)) for k in range(parts + 1)]
        return list(itertools.pairwise(edges))
