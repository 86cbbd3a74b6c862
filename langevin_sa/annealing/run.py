"""A run moves what was prepared, slice by slice, from record to record.

Between two records the kernels run in slices of about a tenth of a second; since noise is a
function of (seed, step, replica, coordinate), nothing depends on where slices, records or threads
are cut.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from .records import Record, Recorder
from .request import Prepared

SLICE_SECONDS = 0.1
LONGEST_SLICE = 100_000  # steps, whose coefficients are arrays
FIRST_SLICE, GROWTH = 16, 8  # steps; from one slice to the next
MOVED = ("x", "dx", "noise", "energy", "dx2", "kinetic")  # of a walk, but for the best points


class Run:
    """A prepared run under way.

    Attributes
    ----------
    prepared : Prepared
        What was asked for.
    walk : Walk
        Where the replicas are.
    recorder : Recorder
        What takes the records.
    """

    def __init__(self, prepared: Prepared) -> None:
        self.prepared, self.walk = prepared, prepared.walk
        self.recorder = Recorder(prepared.potential, prepared.walk, prepared.backend)
        if prepared.earlier is not None:
            self.recorder.restore(prepared.earlier.sums)
        self._before = {name: getattr(self.walk, name).copy() for name in MOVED}
        self._copying = 0.0  # seconds that keeping the walk before a slice takes

    def slices(self) -> Iterator[Record | None]:
        """Move on to the end of the schedule: a record at each moment of interest, None after each
        slice between.
        """
        walk, n_steps, every = self.walk, self.prepared.n_steps, self.prepared.record_every
        length = FIRST_SLICE
        while walk.step < n_steps:
            end = min((walk.step // every + 1) * every, n_steps)
            start, began = walk.step, time.perf_counter()
            self._advance(min(start + length, end))
            rate = (walk.step - start) / max(time.perf_counter() - began, 1e-9)
            overhead = self._copying + self.prepared.backend.overhead
            seconds = max(SLICE_SECONDS, 10 * overhead)
            length = int(np.clip(rate * seconds, 1, min(GROWTH * length, LONGEST_SLICE)))
            yield self.recorder.take() if walk.step == end else None

    def _advance(self, stop: int) -> None:
        """Move on to step `stop`, or leave the walk as it was, but for the best points found."""
        walk, began, step = self.walk, time.perf_counter(), self.walk.step
        for name, array in self._before.items():
            array[...] = getattr(walk, name)
        self._copying = time.perf_counter() - began
        steps = self.prepared.coefficients(step, stop)
        try:
            self.prepared.backend.advance(steps)
        except BaseException:
            for name, array in self._before.items():
                getattr(walk, name)[...] = array
            walk.step = step
            raise
        self.recorder.add(steps)
