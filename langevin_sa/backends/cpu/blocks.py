"""Fused kernels: blocks of replicas side by side in cache, many steps a call, noise made inside,
threads over blocks.

Each potential is compiled to a small step of its own (`langevin_sa.backends.cpu.printed`), which
the kernel here calls by address: the kernel is compiled once for all potentials, and a new formula
costs only its step.
"""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import float32, float64

from ...laws import Drive
from ...momentum import Steps
from ..walk import Backend, NonFinite, Walk, share
from .compiled import STEP, call_step, check_functions, compiled_functions, compiled_source
from .keeping import kernel
from .passes import PASS, advance_passes, pass_source, suits
from .philox import fill_normals
from .printed import numba_source
from .printed_pairs import LANES
from .simd import inline
from .walls import keep, turn_back
from .work import add_work, set_parameters

WIDTHS = (1, 8, 32, 128, 256)  # replicas side by side that a step may be compiled for
CACHE_NUMBERS = 4096  # coordinates in one block, so that its arrays stay in cache
WORTH_LANES = 4  # replicas a thread with pairs that go side by side; fewer go one by one
NOISE_NUMBERS = 1024  # normals of one coordinate made at a time
WORTH_PASSES = 1_000_000  # moves of a replica, before which passes are not compiled
GROUP = 64  # replicas whose best points are updated together
PADDING = 24  # numbers between arrays, so that they do not fall on the same cache lines


@inline
def carve(arena: Any, at: int, rows: int, columns: int) -> tuple[Any, int]:
    """A (rows, columns) array out of `arena` on a 64-byte line, and where the next may start."""
    return arena[at : at + rows * columns].reshape((rows, columns)), at + rows * columns + PADDING


@inline
def look(E: Any, S: Any, BE: Any, X: Any, BX: Any, n: int) -> int:
    """Keep the points that are the lowest so far; the first replica whose energy, or sum of dx^2
    (where a gradient ends up), is not finite, or -1.
    """
    if n == 1:  # a lone replica cannot afford the slices below
        if not np.abs(E[0]) + S[0] < np.inf:
            return 0
        if E[0] < BE[0]:
            BE[0] = E[0]
            for d in range(len(X)):
                BX[d, 0] = X[d, 0]
        return -1
    for low in range(0, n, GROUP):
        m = min(n - low, GROUP)
        e, s, be = E[low : low + m], S[low : low + m], BE[low : low + m]
        better, bad = 0, 0
        for i in range(m):
            better += e[i] < be[i]
            bad += not (np.abs(e[i]) + s[i] < np.inf)
        if bad:
            for i in range(m):
                if not np.abs(e[i]) + s[i] < np.inf:
                    return low + i
        if better:
            for d in range(len(X)):
                x, bx = X[d, low : low + m], BX[d, low : low + m]
                for i in range(m):
                    bx[i] = x[i] if e[i] < be[i] else bx[i]
            for i in range(m):
                be[i] = e[i] if e[i] < be[i] else be[i]
    return -1


@inline
def lost(E: Any, n: int) -> int:
    """The first replica whose energy is not finite, or -1."""
    for i in range(n):
        if not np.abs(E[i]) < np.inf:
            return i
    return -1


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
    potential: Any,
    walk: Any,
    steps: Any,
    paired: bool,
    ratio: float,
    change: int,
    wall: bool,
    stream: Any,
    first_step: int,
    width: int,
    block: Any,
    careful: bool,
) -> tuple[int, int]:
    """Run one block through all steps, with the parameters of `advance_replicas` and besides

    Parameters
    ----------
    block : (int, int, int, int, float64 array)
        Its first replica, how many there are, the steps whose noise is made together, numbers in a
        row of that noise, and room.
    careful : bool
        The step before is kept, so that replicas can turn back.

    Returns
    -------
    (int, int)
        Step and replica in the block of a failure, or a negative replica. If the failure may be a
        wall, and the block was not `careful`, the walk is as it was.
    """
    address, numbers, size, places, laws, _ = potential
    r, n, chunk, normals, arena = block
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
    rows, c = np.zeros(2 * dim, dtype=np.int64), np.zeros(5)
    driven = len(places) > 0
    p = numbers.copy() if driven else numbers
    W = np.zeros((2 * dim + 3 if driven else 1, width))  # work, and room to take it
    past = (NOISE.ctypes.data - z.ctypes.data) >> 3
    kept = np.zeros((2 * dim + 1 if careful else 0, width))
    first, t, bad = 0, 0, -1
    for i in range(n):
        for d in range(dim):
            X[d, i], DX[d, i] = x[r + i, d], dx[r + i, d]
            NOISE[d, i], BX[d, i] = noise[r + i, d], best_x[r + i, d]
        BE[i], S[i], S22[i] = best_energy[r + i], kinetic[r + i], dx2[r + i]
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
                fill_normals(z, first, quads, first_replica + r, columns, purpose, k0, k1)
        c[0], c[1], c[2], c[4] = carry[t], lr[t], kick[t], weight[t]
        by_hand = fresh or careful  # what is carried on is in NOISE
        c[3] = 0.0 if not paired else 1.0 if by_hand else tail[t - 1]
        for d in range(dim):
            m = start + d - 4 * first
            rows[d] = (m & 3) * normals + (m >> 2) * columns
            m -= dim
            before = (m & 3) * normals + (m >> 2) * columns
            rows[dim + d] = past + d * width if by_hand else before
        if t == change:
            apart = True
            for i in range(n):
                S22[i] = ratio * S[i]
        if careful:
            keep(Y, DX, S, kept, n)
        if driven:
            inputs = (X, Y, DX, G, z, S, E, p, rows, size, c)
            set_parameters(address, inputs, places, laws, t, W, n, careful)
        call_step(address, (X, Y, DX, G, z, S, E, p, rows, size, c), n)
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
        if single:
            for d in range(dim):
                for i in range(n):
                    DX[d, i] = float64(float32(DX[d, i]))
                    Y[d, i] = float64(float32(X[d, i] + DX[d, i]))
        if apart:
            for d in range(dim):
                for i in range(n):
                    S22[i] += weight22[t] * (DX[d, i] * DX[d, i])
        X, Y = Y, X
        if paired and (careful or t % chunk == chunk - 1 or t == n_steps - 1):
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
        call_step(address, inputs, n)
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
    for i in range(n):
        for d in range(dim):
            x[r + i, d], dx[r + i, d], noise[r + i, d] = X[d, i], DX[d, i], NOISE[d, i]
            best_x[r + i, d] = BX[d, i]
        kinetic[r + i], dx2[r + i] = S[i], S22[i] if apart else ratio * S[i]
        energy[r + i], best_energy[r + i] = E[i], BE[i]
        work[r + i] = W[0, i]
    return t, bad


@kernel(nogil=True)
def advance_replicas(
    potential: Any,
    walk: Any,
    steps: Any,
    paired: bool,
    ratio: float,
    change: int,
    wall: bool,
    stream: Any,
    first_step: int,
    width: int,
    low: int,
    high: int,
) -> tuple[int, int]:
    """Run replicas low <= r < high through all steps, `width` side by side.

    Parameters
    ----------
    potential : (int, float64 array, int64 array, int64 array, float64 array, int)
        Address of the compiled step, the parameters and sizes that it reads, the places and values
        of the `Drive` (no places without one), and the address of the compiled passes, or 0.
    walk : tuple of arrays
        Those of the `Walk`, moved on in place.
    steps : float64 array (6, n_steps)
        Carry, lr, kick, tail, 1/dt^2 and 1/velocity_scale^2.
    paired : bool
        Noise is paired.
    ratio, change : float, int
        dx2 is `ratio` times kinetic up to step `change`, and a sum of its own from there on (from
        the start if that is -1).
    wall : bool
        `Walk.wall`. A block where a step fails is run again, carefully
        (`langevin_sa.backends.cpu.walls`), and is from then on.
    stream : (int, int, uint64, uint64)
        `Walk.stream` of replica 0.
    first_step : int
        Number of the first step in the streams.

    Returns
    -------
    (int, int)
        Step and replica of a failure that is no wall, or (-1, -1).
    """
    dim = walk[0].shape[1]
    # steps whose noise is made together
    chunk = max(1, min(steps.shape[1], max(16, NOISE_NUMBERS // width) // dim))
    normals = (chunk * dim + 6) // 4 * width + PADDING
    arena = np.zeros(4 * normals + (10 * dim + 9) * width + 13 * PADDING)
    for r in range(low, high, width):
        n = min(width, high - r)
        careful = wall and np.any(walk[8][r : r + n, 0] > 0)
        block, done = (r, n, chunk, normals, arena), 0
        if potential[5] != 0 and not careful:
            moves = (steps, paired, ratio, change, stream, first_step, width)
            done = advance_passes(potential, walk, *moves, block)
        left, later = steps[:, done:], change - done if change >= 0 else change
        common = (left, paired, ratio, later, wall, stream, first_step + done, width)
        t, bad = advance_block(potential, walk, *common, block, careful)
        if bad >= 0 and wall and not careful:
            t, bad = advance_block(potential, walk, *common, block, True)
        if bad >= 0:
            return first_step + done + t, r + bad
    return -1, -1


class BlockBackend(Backend):
    """Formulas and numba functions: everything inside one kernel."""

    turns_back = True

    def __init__(self, potential: Any, walk: Walk, threads: int) -> None:
        self.walk, self.threads, self.asked = walk, threads, 0  # `asked`: moves so far
        self.text, self.passes = "", 0  # source and address of the passes, which are compiled late
        replicas, dim = walk.x.shape
        if potential.formula is None:
            check_functions(potential, walk.x[0].astype(float))
            self.width, self.step = 1, compiled_functions(*potential.numba_functions)
            self.numbers, self.size = np.empty(0), np.array([dim], dtype=np.int64)
        else:
            source = potential.formula.source
            if "pair" in source.bodies:
                self.width = LANES if replicas >= WORTH_LANES * threads else 1
            else:
                fitting = [w for w in WIDTHS if w <= 8 or w * dim <= CACHE_NUMBERS]
                self.width = next((w for w in fitting if w * threads >= replicas), fitting[-1])
            self.step = compiled_source(
                numba_source(source.spec, source.bodies, self.width), "step", STEP
            )
            self.numbers, self.size = potential.formula.numbers, potential.formula.size
            printed = (source.spec, source.bodies, self.size.tolist(), self.width)
            if suits(*printed):
                self.text = pass_source(*printed, walk.x.itemsize == 4)
        self.pool = ThreadPoolExecutor(threads) if threads > 1 else None
        began = time.perf_counter()
        self.advance(Steps(*np.empty((3, 0))))  # energy and best at the start
        self.pace = time.perf_counter() - began

    def advance(self, steps: Steps) -> None:
        """Move the walk on by the given steps."""
        w, n = self.walk, len(steps.rho)
        ratio, change = self._ratio(steps)
        numbers = np.ascontiguousarray(steps.numbers.T)
        moves = (numbers, steps.paired, ratio, change, w.wall, w.stream())
        common = (self.compiled(n, steps.drive), w.arrays, *moves)

        def run(part: tuple[int, int]) -> tuple[int, int]:
            return advance_replicas(*common, w.step, self.width, *part)

        bad = [end for end in share(self.pool, run, self._parts(n)) if end[0] >= 0]
        if bad:
            step, replica = min(bad)
            raise NonFinite(step, w.first_replica + replica)
        w.step += n
        if n:
            w.ratio = ratio if change == n else np.nan

    def compiled(self, steps: int, drive: Drive | None = None) -> tuple[Any, ...]:
        """The potential as the kernels take it, for as many steps."""
        self.asked += len(self.walk.x) * steps
        if self.asked > WORTH_PASSES and self.text:
            self.passes = compiled_source(self.text, "steps", PASS).address
        drive = drive or Drive(np.empty(0, dtype=np.int64), np.empty((1, 0)))
        address = 0 if len(drive.places) else self.passes
        return self.step.address, self.numbers, self.size, drive.places, drive.values, address

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
        blocks = -(-replicas // self.width)
        parts = min(self.threads, blocks) if replicas * dim * steps > 20_000 else 1
        edges = [min(replicas, self.width * (blocks * k // parts)) for k in range(parts + 1)]
        return list(itertools.pairwise(edges))
