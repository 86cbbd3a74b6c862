"""Cells and lists of neighbours on the GPU: the room they need, and the launches that make them.

Nothing is copied to the host: the kernels of neighbours.cu find out on the device whether lists are
to be made again, and end at once if not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import source
from .device import cupy

WORTH_LISTS = 2000  # particles from which lists cost less than a look at every pair
SKIN = 0.15  # over the cut-off
ROUNDING = {"float32": 1e-6, "float64": 1e-12}  # of a distance, in units of the longest
FIRST_ROOM = 64  # neighbours of a particle that the first lists have room for
ALIASES = 64  # cells more than two a particle, where there are few


class Lists:
    """Which particles of each replica are nearer than a cut-off and a skin.

    Parameters
    ----------
    formula : CutoffFormula
        Cut-offs, species and box.
    x, numbers : cupy.ndarray (replicas, dim), (numbers,)
        Where particles are, and what the kernels know of the formula.
    compiled : callable
        A kernel by its name.
    grid : tuple of int
        Blocks of a replica, and replicas side by side.
    """

    def __init__(
        self,
        formula: Any,
        x: Any,
        numbers: Any,
        compiled: Callable[[str], Any],
        grid: tuple[int, int],
    ) -> None:
        self.compiled, self.numbers, self.grid = compiled, numbers, grid
        self.replicas, self.particles = len(x), len(formula.species)
        space, longest = len(formula.box), float(formula.reach.max())
        skin = SKIN * longest
        rounding = ROUNDING[x.dtype.name] * (formula.box.max() + 2 * (longest + skin))
        reach = formula.reach + skin + rounding
        number, per_length = cells(formula.box, reach.max(), self.particles)
        self.cells = int(np.prod(number))
        self.layout = cupy.asarray(np.concatenate([number, per_length, 1 / number, reach**2]))
        self.species = cupy.asarray(formula.species.astype(np.int32))
        shape = self.replicas, self.particles
        self.counted = cupy.zeros((self.replicas, self.cells), dtype=np.int32)
        self.first = cupy.zeros((self.replicas, self.cells + 1), dtype=np.int32)
        self.place, self.members, self.counts = (
            cupy.zeros(shape, dtype=np.int32) for _ in range(3)
        )
        self.home = cupy.full((*shape, space), np.nan, dtype=x.dtype)
        self.stale = cupy.full(self.replicas, -1, dtype=np.int64)
        self.most = cupy.zeros(1, dtype=np.int32)
        self.half2 = np.float64((0.5 * (skin - rounding)) ** 2)
        self.words = cupy.zeros(7, dtype=np.uint64)
        self._have_room(FIRST_ROOM)
        self.fit(x)

    def begin(self, x: Any, step: int) -> None:
        """Write down which lists do not hold at x (replicas, dim), before step `step`."""
        self.counted.fill(0)  # an interrupted call may have left some
        self._launch("look", x, self.words, step=step)

    def make(self, x: Any, step: int) -> None:
        """Lists of those replicas that need new ones before step `step`, where they are at x."""
        cells, stale = np.int64(self.cells), self.stale
        where, slots = (x, self.layout), (self.first, self.place, self.members)
        self._launch("count_cells", *where, self.counted, self.place, stale, cells, step=step)
        blocks, rows = self.grid
        one, smaller = (1, rows), (blocks * source.THREADS // source.LISTERS, rows)
        self._launch("scan_cells", self.counted, self.first, stale, cells, step=step, grid=one)
        self._launch("fill_cells", *where, *slots, stale, cells, step=step)
        self._launch(
            "list_neighbours",
            *(x, self.numbers, self.layout, self.species, self.first, self.members),
            *(self.counts, self.names, self.home, self.most, stale, cells, np.int64(self.room)),
            step=step,
            grid=smaller,
            threads=source.LISTERS,
        )

    def fit(self, x: Any) -> None:
        """Lists at x, with room for all neighbours that there are."""
        self.begin(x, 0)
        self.make(x, 0)
        if self.grow():
            self.fit(x)

    def grow(self) -> bool:
        """Make room if a particle had more neighbours than that; lists are made again then."""
        most = int(self.most[0])
        if most <= self.room:
            return False
        self._have_room(min(most + most // 4, self.particles))
        self.home.fill(np.nan)
        return True

    def _have_room(self, room: int) -> None:
        self.room, self.names = room, None  # the old ones are free before there are new ones
        needed = 4 * self.replicas * room * self.particles
        free = cupy.cuda.runtime.memGetInfo()[0] + cupy.get_default_memory_pool().free_bytes()
        if needed > free:
            raise MemoryError(
                f"lists of up to {room} neighbours of {self.replicas} times {self.particles} "
                f"particles need {needed:,} bytes on the GPU, where {free:,} are free; take fewer "
                "replicas, a shorter cutoff or backend='numba'"
            )
        self.names = cupy.empty((self.replicas, room, self.particles), dtype=np.int32)
        arrays = (self.species, self.counts, self.names, self.home, self.stale)
        words = [array.data.ptr for array in arrays] + [room, int(self.half2.view(np.uint64))]
        self.words.set(np.array(words, dtype=np.uint64))

    def _launch(
        self,
        name: str,
        *arguments: Any,
        step: int,
        grid: tuple[int, int] | None = None,
        threads: int = source.THREADS,
    ) -> None:
        """A kernel over the particles of all replicas; the number of replicas comes after the
        arrays.
        """
        arrays = [a for a in arguments if not isinstance(a, np.generic)]
        rest = arguments[len(arrays) :]
        whole = (*arrays, np.int64(self.replicas), *rest, np.int64(step))
        self.compiled(name)(grid or self.grid, (threads,), whole)


def cells(box: np.ndarray, reach: float, particles: int) -> tuple[np.ndarray, np.ndarray]:
    """How many cells there are along each axis, none narrower than the reach, and to a length.

    Some two a particle at most; those of an open axis (length 0) repeat.
    """
    most = 2 * particles + ALIASES
    period = box > 0
    widest = np.where(period, box / reach, most ** (1 / len(box)))
    number = np.maximum(1.0, widest)
    while np.prod(np.floor(number)) > most:
        number = np.maximum(1.0, number / 1.2)
    number = np.floor(number)
    return number, np.where(period, number / np.where(period, box, 1.0), 1 / reach)
