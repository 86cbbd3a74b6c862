"""One large lattice: force, noise, recursion and sums in one pass over memory, tile by tile,
threads over tiles.

A step reads x and dx and writes the new x and dx, 32 bytes a coordinate in float64 (paired noise
reads and writes 4 more of the normal that it keeps). The new x goes to a second array, because
neighbours still need the old one; a third holds the best point, so that keeping it costs a change
of names instead of a copy. A lattice larger than the cache writes the new x around it, which spares
fetching its old lines. Noise of a tile is made while the tile after it is fetched. Sums run over
lanes and tiles of fixed size in a fixed order: any number of threads and any processor gives the
same bits.
"""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import types, void

from ...momentum import Steps
from ...noise import KIND
from ..walk import Backend, NonFinite, Walk, advance_by_step, aligned, share
from .compiled import INTEGERS, REALS, call_step, compiled_source
from .keeping import kernel
from .philox import fill_line
from .printed_lattice import lattice_source
from .simd import fence, fetch, inline

TILE = 2048  # sites
NORMALS_TOGETHER = 64  # normals made between two rounds of prefetching
AROUND = 1 << 23  # bytes of x from which y is written around the cache
# modes of a sweep, see `langevin_sa.backends.cpu.printed_lattice.lattice_source`
ENERGIES, STILL, SINGLE, KEPT, MEASURE = range(5)
PAIRED = 8  # and of a step of paired noise, to which 1 and 2 are added, see `mix`
TILES_WORTH_A_THREAD = 16
# coordinates from which, and replicas up to which, a lattice is swept along its sites
MANY_SITES, FEW_REPLICAS = 512, 16


def suits(potential: Any, replicas: int) -> bool:
    """Whether a formula is a lattice so large, or with so few replicas, that the vector runs along
    sites.
    """
    kinds = set(potential.formula.source.bodies)
    return (
        bool(kinds)
        and kinds <= {"site", "bond"}
        and potential.dim >= MANY_SITES
        and replicas <= FEW_REPLICAS
    )


# One step, x = x + dx after
#
#     dx = rho dx + lr f(x) + s xi        s xi = alpha z_n, or paired alpha z_n + beta z_{n-1}
#
#     x before and after                                        x, y
#     rho, with the change of dt        carry                   coefficients[0]
#     lr                                lr                      coefficients[1]
#     alpha                             kick                    coefficients[2]
#     beta of the next step             tail                    coefficients[3]
#     beta of this one                  tail before             coefficients[4]
#     z                                                         z
#     beta z_{n-1}, what paired noise carried on                noise
#     z_{n-1}                                                   past
@kernel(nogil=True)
def sweep_tiles(
    lattice: Any,
    mode: int,
    coefficients: Any,
    motion: Any,
    totals: Any,
    first_normal: int,
    stream: Any,
    low: int,
    high: int,
) -> None:
    """One step of tiles low <= k < high of one replica.

    Parameters
    ----------
    lattice : (int, float64 array, int64 array, bool)
        Address of the compiled sweep, its parameters, the lattice's shape, whether it is periodic.
    mode : int
        What the sweep does, or `PAIRED` and more.
    coefficients : float64 array (5,)
        Carry, lr, kick and tail, and the tail of the step before.
    motion : five arrays (sites,)
        x, y, dx, noise and past.
    totals : two float64 arrays (tiles,)
        Where each tile's energy and sum of dx^2 go.
    first_normal, stream : int, tuple
        Number of the replica's first normal in this step, and its `Walk.stream`.
    """
    sweep, p, shape, periodic = lattice
    x, y, dx, noise, past = motion
    energy, squares = totals
    replica, purpose, k0, k1 = stream
    axes, columns = len(shape), shape[-1]
    a_row = (columns + TILE - 1) // TILE
    arena, sums, numbers = np.empty(TILE + NORMALS_TOGETHER + 24), np.empty(2), coefficients.copy()
    swept, noisy, mixed = mode, mode == SINGLE or mode >= PAIRED, False
    if mode == PAIRED + 3:
        swept = KEPT
    elif mode >= PAIRED:
        swept, mixed, numbers[2] = SINGLE, True, 1.0
    z = arena[-(arena.ctypes.data >> 3) & 7 :]
    places = np.empty(2 * axes + 2, dtype=np.int64)
    places[1] = len(x)
    large = x.itemsize * len(x) >= AROUND and columns >= MANY_SITES  # short rows lose by it
    for k in range(low, high):
        row, c0 = k // a_row, (k % a_row) * TILE
        n = min(TILE, columns - c0)
        i0 = row * columns + c0
        start = first_normal + i0
        normals = z[start & 3 :]
        if noisy:
            quads = ((start + n + 3) >> 2) - (start >> 2)
            for f in range(0, quads, NORMALS_TOGETHER // 4):
                quad = (start >> 2) + f
                fill_line(z, 4 * f, quad, NORMALS_TOGETHER // 4, replica, purpose, k0, k1)
                ahead = i0 + n + 4 * f
                for c in range(0, NORMALS_TOGETHER, 64 // x.itemsize):
                    fetch(x, ahead + c)
                    fetch(dx, ahead + c)
                    if not large:
                        fetch(y, ahead + c)
                if mode >= PAIRED:
                    for c in range(0, NORMALS_TOGETHER, 16):
                        fetch(past, ahead + c)
            if mixed:
                mix(mode, coefficients, normals[:n], noise[i0 : i0 + n], past[i0 : i0 + n])
        stride = len(x)
        for axis in range(axes - 1):  # neighbours in other rows
            stride //= shape[axis]
            at = (i0 // stride) % shape[axis]
            wrap = (shape[axis] - 1) * stride
            up, down = (i0 - wrap, i0 + wrap) if periodic else (-1, -1)
            places[2 * axis + 2] = i0 + stride if at < shape[axis] - 1 else up
            places[2 * axis + 3] = i0 - stride if at > 0 else down
        begin = 0
        sums[:] = 0.0
        last = c0 + n == columns
        # a row's first and last site have a neighbour at its other end
        first, most = 1 if c0 == 0 else 0, n - 1 if last else n
        line = first  # where a cache line of y begins
        if large:
            at = y.ctypes.data // y.itemsize + i0 + first
            line = min(most, first + -at % (64 // y.itemsize))
        for end in (first, line, most, n):
            if end > begin:
                places[0] = i0 + begin
                up, down = i0 + begin + 1, i0 + begin - 1
                if last and end == n:
                    up = row * columns if periodic else -1
                if c0 + begin == 0:
                    down = i0 + columns - 1 if periodic else -1
                places[2 * axes], places[2 * axes + 1] = up, down
                for side in range(2, 2 * axes):
                    places[side] += begin if places[side] >= 0 else 0
                rest = (normals[begin:], sums, p, places, numbers, swept, large and begin == line)
                call_step(sweep, (x, y, dx, past, *rest), end - begin)
                for side in range(2, 2 * axes):
                    places[side] -= begin if places[side] >= 0 else 0
                begin = end
        energy[k], squares[k] = sums[0], sums[1]
    if large:
        fence()


@inline
def mix(mode: int, coefficients: Any, z: Any, noise: Any, past: Any) -> None:
    """From normals to paired noise, ``kick*z_n + tail*z_{n-1}`` in place of z_n, in the first and
    the last step of paired noise.

    Between them the normals themselves are kept in `past`, as float32 and half as many bytes as
    `noise`, which is what the walk carries into the first and out of the last: mode & 2 says that
    the step before has left its normals in `past`, mode & 1 that this one does.
    """
    kick, tail, tail_before = coefficients[2], coefficients[3], coefficients[4]
    for i in range(len(z)):
        carried = tail_before * past[i] if mode & 2 else noise[i]
        if mode & 1:
            past[i] = z[i]
        else:
            noise[i] = tail * z[i]
        z[i] = kick * z[i] + carried


@kernel(nogil=True)
def settle(order: Any, energy: Any, squares: Any, best: float) -> tuple[float, float]:
    """Energy before and sum of dx^2 after a step; if that energy is below `best`, and the sum
    finite, as it is where the gradient is, the point it was taken at is kept.

    `order` names the arrays of x: now, next, best. They change names, nothing is copied.
    """
    e, q = 0.0, 0.0
    for k in range(len(energy)):
        e += energy[k]
        q += squares[k]
    now, after, lowest = order[0], order[1], order[2]
    order[0] = after
    if e < best and q < np.inf:
        order[1], order[2] = lowest, now
    else:
        order[1] = now
    return e, q


@kernel(nogil=True)
def run_alone(
    lattice: Any,
    modes: Any,
    coefficients: Any,
    weights: Any,
    rows: Any,
    order: Any,
    moved: Any,
    totals: Any,
    sums: Any,
    first_step: int,
    stream: Any,
) -> int:
    """All steps of one replica on one thread; the number of steps before the first energy or
    gradient that is not finite, or -1.

    Parameters
    ----------
    lattice, totals, stream : tuples
        As for `sweep_tiles`.
    modes, coefficients, weights : arrays (n_steps,), (n_steps, 5), (n_steps, 2)
        Mode and coefficients of each step, and the thermometers' `Steps.weights`.
    rows, order : three arrays (sites,), int64 array (3,)
        The arrays of x, and which is which, see `settle`.
    moved : three arrays (sites,)
        dx, noise and past, see `sweep_tiles`.
    sums : float64 array (3,)
        The lowest energy, and the sums of dx^2 times either weight, both from before.
    first_step : int
        Number of the first step in the stream.
    """
    energy, squares = totals
    for t in range(len(modes)):
        motion = (rows[order[0]], rows[order[1]], *moved)
        first_normal = (first_step + t) * len(moved[0])
        sweep_tiles(
            lattice, modes[t], coefficients[t], motion, totals, first_normal, stream, 0, len(energy)
        )
        e, q = settle(order, energy, squares, sums[0])
        if not np.abs(e) + q < np.inf:
            return t
        sums[0] = min(sums[0], e)
        sums[1] += q * weights[t, 0]
        sums[2] += q * weights[t, 1]
    return -1


class LatticeBackend(Backend):
    """Sites and bonds, few replicas, many sites."""

    weighs = True

    def __init__(self, potential: Any, walk: Walk, threads: int) -> None:
        self.walk, self.potential, formula = walk, potential, potential.formula
        spec, shape, bodies = formula.source.spec, formula.size[1:], formula.source.bodies
        single, massive = walk.x.dtype == np.float32, walk.masses is not None
        real = types.CPointer(types.float32 if single else types.float64)
        past, numbers = types.CPointer(types.float32), (types.int64, types.boolean, types.int64)
        given = (*[real] * 3, past, *[REALS] * 3, INTEGERS, REALS, *numbers)
        source = lattice_source(spec, bodies, single, massive)
        sweep = compiled_source(source, "sweep", void(*given))
        p = np.append(formula.numbers, walk.inertia)
        self.lattice = (sweep.address, p, shape, spec.periodic)
        tiles = int(np.prod(shape[:-1])) * -(-int(shape[-1]) // TILE)
        self.energy, self.squares = np.zeros((len(walk.x), tiles)), np.zeros((len(walk.x), tiles))
        parts = min(threads, max(1, tiles // TILES_WORTH_A_THREAD))
        edges = np.linspace(0, tiles, parts + 1).astype(int)
        self.parts = list(itertools.pairwise(edges))
        self.spare, self.past = aligned(walk.x), np.empty((len(walk.x), 0), dtype=np.float32)
        self.pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self.advance(Steps(*np.empty((3, 0))))  # energy and best at the start

    def advance(self, steps: Steps) -> None:
        """Move the walk on by the given steps."""
        if steps.drive is not None:
            return advance_by_step(self, self.walk, steps)
        replicas = range(len(self.walk.x))
        if len(self.parts) > 1:
            ends = [self._together(r, steps) for r in replicas]
        else:
            ends = share(self.pool, lambda r: self._alone(r, steps), replicas)
        self.walk.step += len(steps.rho)
        bad = [(end, r) for r, end in enumerate(ends) if end >= 0]
        if bad:
            end, r = min(bad)
            raise NonFinite(self.walk.step - len(steps.rho) + end, self.walk.first_replica + r)

    def retune(self, potential: Any) -> None:
        """Take the parameters of a potential of the same formula, and the energies there."""
        sweep, _, *shape = self.lattice
        numbers = np.append(potential.formula.numbers, self.walk.inertia)
        self.potential, self.lattice = potential, (sweep, numbers, *shape)
        self.advance(Steps(*np.empty((3, 0))))

    def measure(self) -> tuple[float, float]:
        """Sums over replicas of |grad U|^2 and of the Laplacian at the present positions, for the
        configurational thermometer.
        """
        sums = np.zeros(2)
        for r, x in enumerate(self.walk.x):
            self._sweep(r, MEASURE, np.zeros(5), x, x, 0)
            sums += settle(np.arange(3), self.energy[r], self.squares[r], -np.inf)
        return float(sums[0]), float(sums[1])

    def _alone(self, r: int, steps: Steps) -> int:
        """All steps of replica r on this thread."""
        rows, order, sums, modes, coefficients = self._prepared(r, steps)
        w = self.walk
        moved = (w.dx[r], w.noise[r], self.past[r])
        motion = (rows, order, moved, (self.energy[r], self.squares[r]), sums)
        end = run_alone(
            self.lattice, modes, coefficients, steps.weights, *motion, w.step, w.stream(r)
        )
        return self._finish(r, rows, order, sums, end, len(modes))

    def _together(self, r: int, steps: Steps) -> int:
        """All steps of replica r, each shared out over threads."""
        rows, order, sums, modes, coefficients = self._prepared(r, steps)
        end = -1
        for t, mode in enumerate(modes):
            self._sweep(r, mode, coefficients[t], rows[order[0]], rows[order[1]], t)
            e, q = settle(order, self.energy[r], self.squares[r], sums[0])
            if not np.isfinite(e + q):
                end = t
                break
            sums[:] = min(sums[0], e), *(sums[1:] + q * steps.weights[t])
        return self._finish(r, rows, order, sums, end, len(modes))

    def _sweep(
        self, r: int, mode: int, coefficients: np.ndarray, x: np.ndarray, y: np.ndarray, t: int
    ) -> None:
        w = self.walk
        motion = (x, y, w.dx[r], w.noise[r], self.past[r])
        totals = self.energy[r], self.squares[r]
        first_normal, stream = (w.step + t) * w.x.shape[1], w.stream(r)

        def part(tiles: tuple[int, int]) -> None:
            sweep_tiles(
                self.lattice, mode, coefficients, motion, totals, first_normal, stream, *tiles
            )

        share(self.pool, part, self.parts)

    def _prepared(self, r: int, steps: Steps) -> tuple[Any, ...]:
        """The arrays of x, their order, sums, and for each step a mode and coefficients."""
        w = self.walk
        rows, order = (w.x[r], self.spare[r], w.best_x[r]), np.arange(3)
        sums = np.array([w.best_energy[r], w.dx2[r], w.kinetic[r]])
        warm = steps.s > 0
        if steps.paired:
            carried = np.concatenate([[bool(np.any(w.noise[r]))], warm[:-1]]) if len(warm) else warm
            paired = warm | carried
            kept = paired[:-1] & paired[1:] & (w.purpose < KIND)  # only normals are float32
            modes = np.where(paired, PAIRED, STILL)
            modes[:-1] += kept
            modes[1:] += 2 * kept
            if self.past.shape != w.noise.shape:
                self.past = aligned(np.zeros(w.noise.shape, dtype=np.float32))
        else:
            modes = np.where(warm, SINGLE, STILL)
        before = np.concatenate([[0.0], steps.tail[:-1]])[: len(warm)]
        coefficients = np.stack((steps.carry, steps.lr, steps.kick, steps.tail, before), axis=1)
        return rows, order, sums, modes.astype(np.int64), coefficients

    def _finish(
        self, r: int, rows: Any, order: np.ndarray, sums: np.ndarray, end: int, steps: int
    ) -> int:
        """Energy of where the replica is now, and everything back under its own name."""
        w = self.walk
        if end < 0:
            self._sweep(r, ENERGIES, np.zeros(5), rows[order[0]], rows[order[1]], 0)
            e, q = settle(np.arange(3), self.energy[r], self.squares[r], -np.inf)
            w.energy[r] = e if np.isfinite(q) else np.nan
            end = -1 if np.isfinite(w.energy[r]) else steps
        x, best = rows[order[0]], rows[order[2]]
        if end < 0 and w.energy[r] < sums[0]:
            sums[0] = w.energy[r]
            best[...] = x
        if best is rows[0]:
            best = rows[1 if x is rows[2] else 2]
            best[...] = rows[0]
        if x is not rows[0]:
            rows[0][...] = x
        if best is not rows[2]:
            rows[2][...] = best
        w.best_energy[r], w.dx2[r], w.kinetic[r] = sums
        return end
