"""Particles with a cut-off: neighbour lists, force, noise and recursion in one pass over the
particles, threads over them.

Particles are sorted by cell, and each has a list of all others nearer than the cut-off and a skin;
lists are made again when one particle has moved by half the skin. A list names its neighbours
species by species and by their number, and only those inside the cut-off are packed, eight at a
time, for the formula (`langevin_sa.backends.cpu.printed.neighbour_source`). So a sum over
neighbours has the same terms in the same lanes whenever the list was made: no bit depends on that,
on the number of threads, or on where a run was cut.
"""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import int64, njit, types, uint64, void

from ...momentum import Steps
from ...noise import key_of
from ..walk import Backend, NonFinite, Walk, aligned, share
from .compiled import call_step, compiled_source
from .distances import WIDE, add_up, count_before, find_near, find_near_images, pack_near
from .philox import fill_line
from .printed import LANES, PACKED, neighbour_source
from .simd import inline, plus, prefetch

FORCES, KICK = 1, 2  # what a pass does
NOTHING = (0.0, 0.0, 0.0)  # carry, lr and kick of a pass without a kick
PARTICLES_WORTH_A_THREAD = 500
SKIN, THINNEST, THICKEST = 0.15, 0.02, 0.5  # skins over the cut-off: of the first list, and limits
# passes a list lives times its skin over the cut-off, where making lists and too long lists cost
# least together
BALANCE = 1.6
# particles whose coordinates are fetched while forces are summed, as they lie in another order
AHEAD = 4
GUESS = 64  # neighbours of a particle that the first list has room for

# ---------------------------------------------------------------------------------------- the lists


@inline
def _wrapped(x: float, length: float, inverse: float) -> float:
    """x moved into [0, length); itself where there is no period (length and inverse 0)."""
    return x - length * np.floor(x * inverse)


@inline
def _cell(x: float, origin: float, per_length: float, cells: int) -> int:
    """Cell of a coordinate, the nearest one for what is outside or no number."""
    at = (x - origin) * per_length
    return int64(at) if 0.0 < at < cells else (cells - 1 if at >= cells else 0)


@inline
def _span(c: int, cells: int, periodic: bool) -> tuple[int, int, int]:
    """Cells next to cell c and itself: from the first up to the second, and the third, at the other
    end, unless it is -1.
    """
    wraps = periodic and cells > 2
    return (
        max(c - 1, 0),
        min(c + 2, cells),
        (cells - 1 if c == 0 else (0 if c == cells - 1 else -1)) if wraps else -1,
    )


@njit(nogil=True, cache=True, error_model="numpy")
def sort_by_cell(
    x: Any,
    space: int,
    box: Any,
    origin: Any,
    per_length: Any,
    grid: Any,
    kinds: Any,
    ranks: Any,
    ids: Any,
    points: Any,
    rough: Any,
    species: Any,
    rank: Any,
    first: Any,
    home: Any,
) -> None:
    """Particles into slots, cell by cell and within a cell by number: everything that is kept in
    the order of slots.
    """
    particles, cells = len(kinds), grid[0] * grid[1] * grid[2]
    place, line = np.empty(particles, dtype=np.int32), np.zeros(4)
    first[: cells + 1] = 0
    for a in range(particles):
        c = 0
        for k in range(3):
            line[k] = _wrapped(x[a * space + k], box[k], box[k + 3]) if k < space else 0.0
            c = c * grid[k] + _cell(line[k], origin[k], per_length[k], grid[k])
        place[a] = c
        first[c + 1] += 1
    for c in range(cells):
        first[c + 1] += first[c]
    for a in range(particles):
        c = place[a]
        i = first[c]
        first[c] += 1
        ids[i], species[i], rank[i] = a, kinds[a], ranks[a]
        for k in range(space):
            home[a * space + k] = x[a * space + k]
            points[i, k] = _wrapped(x[a * space + k], box[k], box[k + 3])
            rough[k, i] = points[i, k] - origin[k]
    for c in range(cells, 0, -1):
        first[c] = first[c - 1]
    first[0] = 0


@njit(nogil=True, cache=True, error_model="numpy")
def list_neighbours(
    rough: Any,
    box: Any,
    grid: Any,
    first: Any,
    species: Any,
    rank: Any,
    ranks_of: Any,
    reach2: Any,
    starts: Any,
    names: Any,
    at: int,
    low: int,
    high: int,
) -> tuple[int, int]:
    """Lists of the particles in slots low <= i < high, written from names[at] on; where it stopped,
    if there is no room.
    """
    limit, most = reach2.max(), rough.shape[1]
    near, far2 = np.empty((3, most), dtype=np.float32), np.empty(most, dtype=np.float32)
    slots_near, ranks_near, found, keys, order = np.empty((5, most), dtype=np.int32)
    shift, zero = np.empty(3, dtype=np.float32), np.float32(0)
    images = False
    for k in range(3):
        images = images or (box[k] > 0.0 and grid[k] < 3)
    where, out = (
        (near.ctypes.data, slots_near.ctypes.data, ranks_near.ctypes.data),
        (found.ctypes.data, keys.ctypes.data, far2.ctypes.data),
    )
    for cell in range(len(first) - 1):
        begin, end = max(low, first[cell]), min(high, first[cell + 1])
        if begin >= end:
            continue
        c0, c1, c2 = cell // (grid[1] * grid[2]), cell // grid[2] % grid[1], cell % grid[2]
        low0, high0, other0 = _span(c0, grid[0], box[0] > 0.0)
        low1, high1, other1 = _span(c1, grid[1], box[1] > 0.0)
        low2, high2, other2 = _span(c2, grid[2], box[2] > 0.0)
        candidates = 0
        for k0 in range(low0, high0 + (other0 >= 0)):
            for k1 in range(low1, high1 + (other1 >= 0)):
                row = (
                    (k0 if k0 < high0 else other0) * grid[1] + (k1 if k1 < high1 else other1)
                ) * grid[2]
                shift[0] = zero if k0 < high0 else (box[0] if other0 == 0 else -box[0])
                shift[1] = zero if k1 < high1 else (box[1] if other1 == 0 else -box[1])
                for run in range(1 + (other2 >= 0)):
                    shift[2] = zero if run == 0 else (box[2] if other2 == 0 else -box[2])
                    start, stop = (
                        (first[row + low2], first[row + high2])
                        if run == 0
                        else (first[row + other2], first[row + other2 + 1])
                    )
                    for k in range(3):
                        source, target, moved = rough[k, start:stop], near[k, candidates:], shift[k]
                        for j in range(stop - start):
                            target[j] = source[j] + moved
                    for j in range(stop - start):
                        slots_near[candidates + j], ranks_near[candidates + j] = (
                            start + j,
                            rank[start + j],
                        )
                    candidates += stop - start
        for i in range(begin, end):
            centre, m = (rough[0, i], rough[1, i], rough[2, i]), 0
            if images:
                for j in range(0, candidates, WIDE):
                    m = find_near_images(
                        where, most, j, candidates - j, i, centre, box.ctypes.data, limit, out, m
                    )
            else:
                for j in range(0, candidates, WIDE):
                    m = find_near(
                        where, most, j, candidates - j, i, centre, box.ctypes.data, limit, out, m
                    )
            if at + m + LANES > len(names):
                return i, at
            at = list_found(
                found, keys, far2, m, i, species, ranks_of, reach2, order, starts, names, at
            )
    return high, at


@inline
def list_found(
    found: Any,
    keys: Any,
    far2: Any,
    m: int,
    i: int,
    species: Any,
    ranks_of: Any,
    reach2: Any,
    order: Any,
    starts: Any,
    names: Any,
    at: int,
) -> int:
    """The m particles found near particle i into its list, species by species and by number; where
    the next list starts.
    """
    kinds, n = len(reach2), m
    if kinds > 1:
        n = 0
        for k in range(m):
            if not far2[k] >= reach2[species[i], species[found[k]]]:
                found[n], keys[n] = found[k], keys[k]
                n += 1
    count_before(keys.ctypes.data, n, order.ctypes.data)
    for k in range(n):
        names[at + order[k]] = found[k]
    for s in range(kinds + 1):
        starts[i, s] = at
    for s in range(1, kinds):
        for k in range(n):
            starts[i, s] += keys[k] < ranks_of[s]
    starts[i, kinds] = at + n
    return at + n


# ----------------------------------------------------------------------------------------- the pass


@njit(nogil=True, cache=True, error_model="numpy")
def sweep_particles(
    pairs: int,
    what: int,
    carry: float,
    lr: float,
    c: float,
    paired: bool,
    space: int,
    box: Any,
    p: Any,
    kinds: int,
    points: Any,
    after: Any,
    ids: Any,
    species: Any,
    starts: Any,
    names: Any,
    gradient: Any,
    x: Any,
    y: Any,
    dx: Any,
    w: Any,
    home: Any,
    energy: Any,
    squares: Any,
    z: Any,
    z_start: int,
    z_after: Any,
    next_normal: int,
    replica: int,
    purpose: int,
    k0: int,
    k1: int,
    low: int,
    high: int,
) -> float:
    """Forces on the particles in slots low <= i < high and their next step; the largest squared way
    from home.

    A share of the next pass's normals is made as well if `next_normal`, the number of the first, is
    not negative.
    """
    particles, width = len(ids), p.shape[1]
    arena = np.zeros(6 * PACKED + 5 * LANES)
    origin = -(arena.ctypes.data >> 3) & 7
    d = arena[origin : origin + 6 * PACKED].reshape((6, PACKED))
    sums = arena[origin + 6 * PACKED :][: 4 * LANES].reshape((4, LANES))
    farthest = 0.0
    for i in range(low, high):
        if what & KICK and i + AHEAD < high:
            at = int64(ids[i + AHEAD]) * space
            for address in (x.ctypes.data, y.ctypes.data, dx.ctypes.data):
                prefetch(address + at * x.itemsize)
            for address in (w.ctypes.data, home.ctypes.data, z.ctypes.data):
                prefetch(address + at * 8)
        if what & FORCES:
            sums[:] = 0.0
            centre = (points[i, 0], points[i, 1], points[i, 2])
            for other in range(kinds):
                row = species[i] * kinds + other
                numbers, cutoff2, end, m = (
                    p.ctypes.data + 8 * row * width,
                    p[row, width - 1],
                    starts[i, other + 1],
                    0,
                )
                for k in range(starts[i, other], end, LANES):
                    m = pack_near(
                        points.ctypes.data,
                        names.ctypes.data + 4 * k,
                        end - k,
                        centre,
                        box.ctypes.data,
                        cutoff2,
                        d.ctypes.data,
                        m,
                    )
                    if m > PACKED - 2 * LANES:
                        whole = m & -LANES
                        call_step(pairs, (d.ctypes.data, numbers), whole)
                        add_up(d.ctypes.data, sums.ctypes.data, whole)
                        for column in range(whole, m):
                            for k4 in range(4):
                                d[k4, column - whole] = d[k4, column]
                        m -= whole
                if m > 0:
                    whole = (m + LANES - 1) & -LANES
                    for lane in range(LANES):  # fill up with pairs that weigh nothing
                        d[0, m + lane], d[1, m + lane], d[2, m + lane], d[3, m + lane] = (
                            0.0,
                            0.0,
                            0.0,
                            cutoff2,
                        )
                    call_step(pairs, (d.ctypes.data, numbers), whole)
                    for lane in range(LANES):
                        d[4, m + lane], d[5, m + lane] = 0.0, 0.0
                    add_up(d.ctypes.data, sums.ctypes.data, whole)
            energy[ids[i]] = 0.5 * _lane_sum(sums[0])
            for k in range(space):
                gradient[i, k] = -_lane_sum(sums[k + 1])
        if what & KICK:
            a, way, square = int64(ids[i]), 0.0, 0.0
            for k in range(space):
                at = a * space + k
                v = carry * dx[at] - lr * gradient[i, k]
                kick = c * z[z_start + at] if c > 0.0 else 0.0
                if paired:
                    v += kick + w[at]
                    w[at] = kick
                else:
                    v += kick
                dx[at] = v
                y[at] = x[at] + dx[at]
                here = 1.0 * y[at]
                after[i, k] = _wrapped(here, box[k], box[k + 3])
                square += (1.0 * dx[at]) ** 2
                way += (here - home[at]) ** 2
            squares[a] = square
            farthest = way if way > farthest else farthest
            farthest = np.inf if way != way else farthest
    if next_normal >= 0:
        quad = next_normal >> 2
        quads = ((next_normal + particles * space + 3) >> 2) - quad
        begin, end = quads * low // particles, quads * high // particles
        fill_line(z_after[4 * begin :], quad + begin, end - begin, replica, purpose, k0, k1)
    return farthest


@njit(nogil=True, cache=True, error_model="numpy")
def total(values: Any) -> float:
    """Sum in the order of the vector's lanes, the same for the same length."""
    s = 0.0
    for i in range(len(values)):
        s = plus(s, values[i])
    return s


@inline
def _lane_sum(lanes: Any) -> float:
    return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + (
        (lanes[1] + lanes[5]) + (lanes[3] + lanes[7])
    )


# -------------------------------------------------------------------------------------- the backend


class Particles:
    """One replica in the order of its cells: points, lists and forces, of which nothing outlives a
    list but speed.
    """

    def __init__(self, kernel: Any, parts: int) -> None:
        n = self.count = len(kernel.species)
        self.kernel, self.space, self.kinds = kernel, kernel.source.spec.space, kernel.types
        lengths = np.zeros(3)
        lengths[: self.space] = kernel.box
        self.box = np.concatenate(
            [lengths, np.divide(1, lengths, out=np.zeros(3), where=lengths > 0)]
        )
        self.cutoff = float(np.sqrt(kernel.cutoff2.max()))
        self.skin, self.age = SKIN * self.cutoff, 0  # passes since the lists were made
        self.edges = list(itertools.pairwise(np.linspace(0, n, parts + 1).astype(int)))
        order = np.lexsort((np.arange(n), kernel.species))  # species by species, each by number
        self.ranks = np.empty(n, dtype=np.int32)
        self.ranks[order] = np.arange(n)
        self.ranks_of = np.searchsorted(kernel.species[order], np.arange(self.kinds)).astype(
            np.int32
        )
        self.points, self.after = (aligned(np.zeros((n + LANES, 4))) for _ in range(2))
        self.rough, self.rank = (
            np.zeros((3, n + WIDE), dtype=np.float32),
            np.zeros(n + WIDE, dtype=np.int32),
        )
        self.ids, self.species = np.empty((2, n), dtype=np.int32)
        self.starts = np.empty((n, self.kinds + 1), dtype=np.int64)
        self.names = [
            np.zeros(GUESS * (high - low) + LANES, dtype=np.int32) for low, high in self.edges
        ]
        self.gradient, self.energy, self.squares = (
            np.empty((n, self.space)),
            np.zeros(n),
            np.zeros(n),
        )
        self.home = np.empty(n * self.space)
        self.normals = np.empty((2, n * self.space + 8))

    def make_lists(self, x: np.ndarray, pool: Any) -> None:
        """Sort particles into cells and list their neighbours; the skin follows how long lists
        live.
        """
        if self.age:
            best = np.sqrt(BALANCE * self.cutoff * self.skin / self.age)
            self.skin, self.age = (
                float(np.clip(best, THINNEST * self.cutoff, THICKEST * self.cutoff)),
                0,
            )
        low, high = np.zeros(3), self.box[:3].copy()
        for k in np.flatnonzero(self.box[: self.space] == 0):  # open: around the particles
            column = x[k :: self.space]
            low[k], high[k] = column.min(), column.max()
        # and what float32 may be off
        reach = np.sqrt(self.kernel.cutoff2) + self.skin + 1e-6 * (high - low).max()
        grid = np.maximum(1, (high - low) / reach.max())
        while np.prod(np.floor(grid)) > 2 * self.count + 64:
            grid = np.maximum(1, grid / 1.2)
        grid = np.floor(grid).astype(np.int64)
        per_length = grid / np.where(high > low, high - low, 1.0)
        first = np.empty(int(np.prod(grid)) + 1, dtype=np.int64)
        sort_by_cell(
            x,
            self.space,
            self.box,
            low,
            per_length,
            grid,
            self.kernel.species,
            self.ranks,
            self.ids,
            self.points,
            self.rough,
            self.species,
            self.rank,
            first,
            self.home,
        )

        def fill(part: int) -> None:
            at, (slot, end) = 0, self.edges[part]
            while True:
                slot, at = list_neighbours(
                    self.rough,
                    self.box.astype(np.float32),
                    grid,
                    first,
                    self.species,
                    self.rank,
                    self.ranks_of,
                    (reach**2).astype(np.float32),
                    self.starts,
                    self.names[part],
                    at,
                    slot,
                    end,
                )
                if slot == end:
                    return
                more = np.zeros(self.names[part].size * 3 // 2 + self.count + LANES, dtype=np.int32)
                more[:at] = self.names[part][:at]
                self.names[part] = more

        share(pool, fill, range(len(self.edges)))


def compiled_pairs(kernel: Any, name: str) -> int:
    """Address of the compiled ``pairs`` or ``laplacians`` of a formula, see
    `langevin_sa.backends.cpu.printed.neighbour_source`.
    """
    source, reals = kernel.source, types.CPointer(types.float64)
    return compiled_source(
        neighbour_source(source.spec, source.bodies["pair"]), name, void(reals, reals, types.int64)
    ).address


def evaluate(kernel: Any, x: np.ndarray, name: str = "pairs") -> tuple[float, np.ndarray]:
    """Energy and gradient (dim,), or Laplacian and zeros, of one replica at finite x (dim,) in
    float64.
    """
    u, none = Particles(kernel, 1), np.empty(0)
    u.skin = 0.0
    u.make_lists(x, None)
    sweep_particles(
        compiled_pairs(kernel, name),
        FORCES,
        0.0,
        0.0,
        0.0,
        False,
        u.space,
        u.box,
        kernel.table,
        u.kinds,
        u.points,
        u.after,
        u.ids,
        u.species,
        u.starts,
        u.names[0],
        u.gradient,
        x,
        x,
        x,
        none,
        u.home,
        u.energy,
        u.squares,
        none,
        0,
        none,
        -1,
        0,
        0,
        uint64(0),
        uint64(0),
        0,
        u.count,
    )
    gradient = np.empty_like(u.gradient)
    gradient[u.ids] = u.gradient
    return total(u.energy), gradient.ravel()


class NeighbourBackend(Backend):
    """Pair formulas with a cut-off: neighbour lists, threads over the particles of a replica, or
    over replicas.
    """

    def __init__(self, potential: Any, walk: Walk, threads: int) -> None:
        self.walk, self.kernel = walk, potential.formula
        self.pairs = compiled_pairs(self.kernel, "pairs")
        parts = (
            1
            if len(walk.x) >= threads
            else min(threads, max(1, len(self.kernel.species) // PARTICLES_WORTH_A_THREAD))
        )
        self.over_replicas = parts == 1
        self.pool = (
            ThreadPoolExecutor(threads) if threads > 1 and (parts > 1 or len(walk.x) > 1) else None
        )
        self.systems = [Particles(self.kernel, parts) for _ in walk.x]
        self.spare = np.zeros_like(walk.x)
        self._raise(self._each(self._start))

    def advance(self, steps: Steps) -> None:
        """Move the walk on by the given steps."""
        self._raise(self._each(lambda r: self._run(r, steps)))
        self.walk.step += len(steps.rho)

    def _each(self, run: Any) -> list[int]:
        return share(self.pool if self.over_replicas else None, run, range(len(self.walk.x)))

    def _raise(self, ends: list[int]) -> None:
        bad = [(end, r) for r, end in enumerate(ends) if end >= 0]
        if bad:
            end, r = min(bad)
            raise NonFinite(self.walk.step + end, self.walk.first_replica + r)

    def _start(self, r: int) -> int:
        """Lists, forces and energy where the replica is."""
        w, system = self.walk, self.systems[r]
        system.make_lists(w.x[r], self._helpers())
        self._sweep(r, FORCES, NOTHING, False, w.x[r], w.x[r], 0, -1)
        return self._look(r, 0)

    def _run(self, r: int, steps: Steps) -> int:
        """All steps of replica r, whose forces are known; the first step after which its energy is
        not finite, or -1.
        """
        w, system, n = self.walk, self.systems[r], len(steps.rho)
        # they change names, and nothing is copied
        now, after, best = x, _, best_x = w.x[r], self.spare[r], w.best_x[r]
        numbers = list(zip(steps.carry, steps.lr, steps.kick, strict=True))
        sums, end = np.array([w.dx2[r], w.kinetic[r]]), -1
        if n and steps.s[0] > 0:
            self._sweep(r, 0, NOTHING, False, x, x, -1, 0)
        for t in range(n):
            noisy = t + 1 < n and steps.s[t + 1] > 0
            farthest = self._sweep(
                r,
                KICK | (FORCES if t else 0),
                numbers[t],
                steps.paired,
                now,
                after,
                t,
                t + 1 if noisy else -1,
            )
            energy = total(system.energy)
            if not np.isfinite(energy):
                end = t
                break
            sums += total(system.squares) * steps.weights[t]
            if energy < w.best_energy[r]:
                w.best_energy[r] = energy
                now, after, best = after, best, now
            else:
                now, after = after, now
            if not np.isfinite(farthest):
                end = t + 1
                break
            system.points, system.after = system.after, system.points
            if 4 * farthest > system.skin**2:
                system.make_lists(now, self._helpers())
        if n and end < 0:
            self._sweep(r, FORCES, NOTHING, False, now, now, n, -1)
        if now is not x or best is not best_x:
            kept = best.copy()
            x[:], best_x[:] = now, kept
        w.dx2[r], w.kinetic[r] = sums
        return self._look(r, n) if end < 0 else end

    def _look(self, r: int, step: int) -> int:
        """Energy of where the replica is; `step` if it is not finite, else -1."""
        w = self.walk
        w.energy[r] = total(self.systems[r].energy)
        if not np.isfinite(w.energy[r]):
            return step
        if w.energy[r] < w.best_energy[r]:
            w.best_energy[r] = w.energy[r]
            w.best_x[r] = w.x[r]
        return -1

    def _helpers(self) -> Any:
        """The pool, unless its threads are busy with replicas."""
        return None if self.over_replicas else self.pool

    def _sweep(
        self,
        r: int,
        what: int,
        numbers: Any,
        paired: bool,
        x: np.ndarray,
        y: np.ndarray,
        t: int,
        noisy: int,
    ) -> float:
        """One pass over replica r at step t of this call, with the noise of step `noisy` for the
        next pass if that is not -1.
        """
        w, u = self.walk, self.systems[r]
        dim = w.x.shape[1]
        k0, k1 = (uint64(k) for k in key_of(w.seed))

        def part(k: int) -> float:
            return sweep_particles(
                self.pairs,
                what,
                *numbers,
                paired,
                u.space,
                u.box,
                self.kernel.table,
                u.kinds,
                u.points,
                u.after,
                u.ids,
                u.species,
                u.starts,
                u.names[k],
                u.gradient,
                x,
                y,
                w.dx[r],
                w.noise[r],
                u.home,
                u.energy,
                u.squares,
                u.normals[t & 1],
                (w.step + t) * dim & 3,
                u.normals[(t + 1) & 1],
                (w.step + noisy) * dim if noisy >= 0 else -1,
                w.first_replica + r,
                w.purpose,
                k0,
                k1,
                *u.edges[k],
            )

        u.age += bool(what & FORCES)
        return max(share(self._helpers(), part, range(len(u.edges))))
