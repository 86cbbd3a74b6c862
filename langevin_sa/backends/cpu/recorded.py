"""From record to record within one call: what records are made of is noted on the way."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...momentum import Steps
from ..walk import Seen
from .blocks import BlockBackend, advance_replicas
from .keeping import kernel


@kernel(nogil=True)
def advance_recorded(
    potential: Any, walk: Any, moves: Any, widths: Any, low: int, high: int, seen: Any
) -> tuple[int, int]:
    """`advance_replicas` once for each record, with arrays (records, 6, every), (records,) and
    (records,) in place of the steps, ratio and change of its `moves`.

    `seen` is a tuple of the arrays of `Seen`, of which columns low to high - 1 are filled; the
    walk's sums are zeroed.
    """
    steps, paired, ratios, changes, wall, stream, first_step = moves
    energy, best_energy, kinetic, dx2, positions = seen
    for k in range(len(steps)):
        first = first_step + k * steps.shape[2]
        moves_on = (steps[k], paired, ratios[k], changes[k], wall, stream, first)
        step, bad = advance_replicas(potential, walk, moves_on, widths, low, high)
        if step >= 0:
            return step, bad
        energy[k, low:high], best_energy[k, low:high] = walk[3][low:high], walk[4][low:high]
        kinetic[k, low:high], dx2[k, low:high] = walk[7][low:high], walk[6][low:high]
        walk[7][low:high], walk[6][low:high] = 0.0, 0.0
        positions[k, low:high] = walk[0][low : min(high, positions.shape[1])]
    return -1, -1


class RecordedBlocks(BlockBackend):
    """Blocks that need not come back to be looked at."""

    recording = True

    def advance_recorded(self, steps: Steps, every: int, looked: int) -> Seen:
        """See `Backend.advance_recorded`."""
        w, n = self.walk, len(steps.rho)
        (replicas, dim), records = w.x.shape, n // every
        ratios = steps.ratio.reshape(records, every)
        same = np.append(ratios == ratios[:, :1], np.zeros((records, 1), dtype=bool), axis=1)
        numbers = steps.numbers.reshape(records, every, -1).swapaxes(1, 2).copy()
        energy, best_energy, kinetic, dx2 = np.empty((4, records, replicas))
        x = np.empty((records, looked, dim), dtype=w.x.dtype)
        seen = Seen(energy, best_energy, kinetic, dx2, x)
        moves = (numbers, steps.paired, ratios[:, 0].copy(), same.argmin(1), w.wall, w.stream())
        given = (self.compiled(n), w.arrays, (*moves, w.step), self.widths)
        self._run(lambda part: advance_recorded(*given, *part, tuple(seen)), n)
        return seen
