"""Lists of neighbours: which particles are nearer than a cut-off and a skin.

Particles are sorted by cell, and each has a list of all others nearer than the cut-off and a skin;
lists are made again when one particle has moved by half the skin. A list names its neighbours
species by species and by their number, so that a sum over it has the same terms in the same order
whenever the list was made.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numba import int64

from ..walk import aligned, share
from .distances import WIDE, count_before, find_near, find_near_images
from .keeping import kernel
from .printed_pairs import LANES
from .simd import inline

SKIN, THINNEST, THICKEST = 0.15, 0.02, 0.5  # skins over the cut-off: of the first list, and limits
# passes a list lives times its skin over the cut-off, where making lists and too long lists cost
# least together
BALANCE = 1.6
# by which a distance in float32 may be off, in units of the longest: some ten roundings
FLOAT32 = 1e-6
FIRST_ROOM = 64  # neighbours of a particle that the first list has room for


@inline
def wrapped(x: float, length: float, inverse: float) -> float:
    """x moved into [0, length); itself where there is no period (length and inverse 0)."""
    return x - length * np.floor(x * inverse)


@inline
def along(x: Any, first: int, space: int, into: Any, k: int) -> float:
    """Coordinate k, of those along which a tilted cell is periodic, of the particle whose first one
    is at `first`: with the same roundings in a step as where lists are made.
    """
    here = 0.0
    for j in range(space):
        here += x[first + j] * into[j, k]
    return here


@kernel(nogil=True)
def all_along(x: Any, space: int, into: Any) -> Any:
    """Those of all particles (particles*space,)."""
    out = np.empty(len(x))
    for at in range(len(x)):
        out[at] = along(x, at - at % space, space, into, at % space)
    return out


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
    other = -1
    if periodic and cells > 2:
        other = cells - 1 if c == 0 else 0 if c == cells - 1 else -1
    return max(c - 1, 0), min(c + 2, cells), other


@kernel(nogil=True)
def sort_by_cell(
    x: Any, space: int, box: Any, layout: Any, kinds: Any, ranks: Any, slots: Any, home: Any
) -> None:
    """Particles into slots, cell by cell and within a cell by number: everything that is kept in
    the order of slots.

    Parameters
    ----------
    x, space, box : float64 array (particles*space,), int, float64 array (6,)
        Where particles are, the number of dimensions, and the box with its inverse lengths.
    layout : three arrays (3,), int64 array (cells + 1,)
        Where cells begin, how many there are to a length and to an axis; and, written here, each
        one's first slot.
    kinds, ranks : int32 arrays (particles,)
        Species, and place in the order by species and number.
    slots : arrays
        Written here: numbers, points, points in float32 as lines and by axis, species and ranks.
    home : float64 array (particles*space,)
        Written here: x.
    """
    origin, per_length, grid, first = layout
    ids, points, lines, rough, species, rank = slots
    particles, cells = len(kinds), grid[0] * grid[1] * grid[2]
    place, line = np.empty(particles, dtype=np.int32), np.zeros(4)
    first[: cells + 1] = 0
    for a in range(particles):
        c = 0
        for k in range(3):
            line[k] = wrapped(x[a * space + k], box[k], box[k + 3]) if k < space else 0.0
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
            points[i, k] = wrapped(x[a * space + k], box[k], box[k + 3])
            rough[k, i] = lines[i, k] = points[i, k] - origin[k]
    for c in range(cells, 0, -1):
        first[c] = first[c - 1]
    first[0] = 0


@kernel(nogil=True)
def list_neighbours(
    slots: Any,
    box: Any,
    grid: Any,
    first: Any,
    ranks_of: Any,
    reach2: Any,
    room: Any,
    low: int,
    high: int,
) -> tuple[int, int]:
    """Lists of the particles in slots low <= i < high; the slot and the place in `names` where it
    stopped, if there is no room.

    Parameters
    ----------
    slots : arrays
        Points in float32 by axis, species and ranks.
    box, grid, first : arrays (6,), (3,), (cells + 1,)
        Lengths with their inverses, numbers of cells, and each cell's first slot.
    ranks_of : int32 array (species,)
        Rank of the first particle of each species.
    reach2 : float32 array (species, species)
        Squared distances up to which particles are listed.
    room : int64 array (particles, species + 1), int32 array, int
        Where lists of a particle start, species by species; the lists; and where to go on.
    """
    rough, species, rank = slots
    starts, names, at = room
    limit, most = reach2.max(), rough.shape[1]
    near, far2 = np.empty((3, most), dtype=np.float32), np.empty(most, dtype=np.float32)
    slots_near, ranks_near, found, keys, order = np.empty((5, most), dtype=np.int32)
    shift, zero = np.empty(3, dtype=np.float32), np.float32(0)
    images = False
    for k in range(3):
        images = images or (box[k] > 0.0 and grid[k] < 3)
    where = (near.ctypes.data, slots_near.ctypes.data, ranks_near.ctypes.data)
    out = (found.ctypes.data, keys.ctypes.data, far2.ctypes.data)
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
                at0, at1 = k0 if k0 < high0 else other0, k1 if k1 < high1 else other1
                row = (at0 * grid[1] + at1) * grid[2]
                shift[0] = zero if k0 < high0 else (box[0] if other0 == 0 else -box[0])
                shift[1] = zero if k1 < high1 else (box[1] if other1 == 0 else -box[1])
                for run in range(1 + (other2 >= 0)):
                    shift[2] = zero if run == 0 else (box[2] if other2 == 0 else -box[2])
                    start, stop = first[row + low2], first[row + high2]
                    if run == 1:
                        start, stop = first[row + other2], first[row + other2 + 1]
                    for k in range(3):
                        source, target, moved = rough[k, start:stop], near[k, candidates:], shift[k]
                        for j in range(stop - start):
                            target[j] = source[j] + moved
                    for j in range(stop - start):
                        slots_near[candidates + j] = start + j
                        ranks_near[candidates + j] = rank[start + j]
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
            if at + m + WIDE > len(names):
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


class Particles:
    """One replica in the order of its cells: points, lists and forces, of which nothing outlives a
    list but speed.
    """

    def __init__(self, formula: Any, parts: int) -> None:
        n = self.count = len(formula.species)
        self.formula, self.space, self.kinds = formula, formula.source.spec.space, formula.types
        lengths = np.zeros(3)
        lengths[: self.space] = formula.box
        self.box = np.concatenate(
            [lengths, np.divide(1, lengths, out=np.zeros(3), where=lengths > 0)]
        )
        self.into = None  # what takes positions along the axes of a tilted cell
        if formula.cell.into is not None:
            self.into, back = np.eye(3), np.eye(3)
            self.into[: self.space, : self.space] = formula.cell.into
            back[: self.space, : self.space] = formula.cell.back
            self.box = np.concatenate([self.box, back.ravel()])
        self.cutoff = float(np.sqrt(formula.cutoff2.max()))
        self.skin, self.age = SKIN * self.cutoff, 0  # passes since the lists were made
        self.edges = list(itertools.pairwise(np.linspace(0, n, parts + 1).astype(int)))
        order = np.lexsort((np.arange(n), formula.species))  # species by species, each by number
        self.ranks = np.empty(n, dtype=np.int32)
        self.ranks[order] = np.arange(n)
        self.ranks_of = np.searchsorted(formula.species[order], np.arange(self.kinds)).astype(
            np.int32
        )
        self.points, self.after = (aligned(np.zeros((n + LANES, 4))) for _ in range(2))
        self.rough = np.zeros((3, n + WIDE), dtype=np.float32)
        self.lines, self.lines_after = (aligned(np.zeros((n, 4), np.float32)) for _ in range(2))
        self.origin, self.rough_box = np.zeros(3), self.box.astype(np.float32)
        self.sure2 = np.empty((self.kinds**2, 2), dtype=np.float32)
        self.rank = np.zeros(n + WIDE, dtype=np.int32)
        self.ids, self.species = np.empty((2, n), dtype=np.int32)
        self.starts = np.empty((n, self.kinds + 1), dtype=np.int64)
        self.names = [
            np.zeros(FIRST_ROOM * (high - low) + WIDE, dtype=np.int32) for low, high in self.edges
        ]
        self.gradient = np.empty((n, self.space))
        self.energy, self.squares = np.zeros((2, n))
        self.home = np.empty(n * self.space)
        self.normals = np.empty((2, n * self.space + 68))  # `fill_line` writes beyond its end

    @property
    def totals(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where a pass leaves gradient, energy and dx^2."""
        return self.gradient, self.energy, self.squares

    def fluid(self, pairs: int) -> tuple[Any, ...]:
        """What a pass knows of the formula compiled at address `pairs`, and of the box."""
        return pairs, self.formula.table, self.kinds, self.space, self.box

    def lists(self, part: int) -> tuple[np.ndarray, ...]:
        """What a pass over a part reads in the order of slots."""
        return self.points, self.after, self.ids, self.species, self.starts, self.names[part]

    @property
    def coarse(self) -> tuple[np.ndarray, ...]:
        """What a pass reads and writes in float32."""
        return self.lines, self.lines_after, self.origin, self.rough_box, self.sure2

    def swap(self) -> None:
        """Where particles are after a step is where they are before the next."""
        self.points, self.after = self.after, self.points
        self.lines, self.lines_after = self.lines_after, self.lines

    def make_lists(self, x: np.ndarray, pool: Any) -> None:
        """Sort particles into cells and list their neighbours; the skin follows how long lists
        live.
        """
        if self.age:
            best = np.sqrt(BALANCE * self.cutoff * self.skin / self.age)
            self.skin = float(np.clip(best, THINNEST * self.cutoff, THICKEST * self.cutoff))
            self.age = 0
        here, cell = x, self.formula.cell
        if self.into is not None:
            x = all_along(x, self.space, self.into)
        low, high = np.zeros(3), self.box[:3].copy()
        for k in np.flatnonzero(self.box[: self.space] == 0):  # open: around the particles
            column = x[k :: self.space]
            low[k], high[k] = column.min(), column.max()
        off = FLOAT32 * (high - low + 2 * self.skin).max() * cell.shrink
        reach = (np.sqrt(self.formula.cutoff2) + self.skin) * cell.stretch + off
        cutoff = np.sqrt(self.formula.cutoff2).ravel()
        self.origin[:] = low
        self.sure2[:, 0] = (cutoff + off) ** 2 * (1 + FLOAT32)
        self.sure2[:, 1] = np.maximum(cutoff - off, 0.0) ** 2 * (1 - FLOAT32)
        grid = np.maximum(1, (high - low) / reach.max())
        while np.prod(np.floor(grid)) > 2 * self.count + 64:
            grid = np.maximum(1, grid / 1.2)
        grid = np.floor(grid).astype(np.int64)
        per_length = grid / np.where(high > low, high - low, 1.0)
        first = np.empty(int(np.prod(grid)) + 1, dtype=np.int64)
        cells = (low, per_length, grid, first)
        slots = (self.ids, self.points, self.lines, self.rough, self.species, self.rank)
        kinds, ranks = self.formula.species, self.ranks
        sort_by_cell(x, self.space, self.box, cells, kinds, ranks, slots, self.home)
        self.home[:] = here
        reach2, box = (reach**2).astype(np.float32), self.rough_box
        slots_read = (self.rough, self.species, self.rank)

        def fill(part: int) -> None:
            at, (slot, end) = 0, self.edges[part]
            while True:
                room = (self.starts, self.names[part], at)
                slot, at = list_neighbours(
                    slots_read, box, grid, first, self.ranks_of, reach2, room, slot, end
                )
                if slot == end:
                    return
                more = np.zeros(self.names[part].size * 3 // 2 + self.count + WIDE, dtype=np.int32)
                more[:at] = self.names[part][:at]
                self.names[part] = more

        share(pool, fill, range(len(self.edges)))
