"""A run moves what was prepared, slice by slice, from record to record.

Between two records the kernels run in slices of about a tenth of a second; since noise is a
function of (seed, step, replica, coordinate), nothing depends on where slices, records or threads
are cut.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import numpy as np

from ..arguments import on_host
from ..backends.walk import ARRAYS, DIVERGED, NonFinite, energies, fill
from .cut import Cut
from .records import BALANCE, RECORDED, Record, Recorder
from .request import Prepared
from .stability import STANDING, check_standing

SLICE_SECONDS = 0.1
LONGEST_SLICE = 100_000  # steps, whose coefficients are arrays
GROWTH = 8  # from one slice to the next
ROOM = 1_000_000  # numbers that records are made of, of several at once
SHARE = 1 / 12  # of a slice that may go into keeping the walk and into overheads
MOVED = ("x", "dx", "noise", "energy", "dx2", "kinetic", "failures", "work")  # of a walk, by a step


def first_length(pace: float, longest: int) -> int:
    """Steps of the first slice, where a look at all energies took `pace` seconds, of which a step
    takes a few; one step, which may take minutes, if that is not known.
    """
    return int(np.clip(SLICE_SECONDS / GROWTH / pace, 1, longest))


def next_length(length: int, rate: float, longest: int, overhead: float = 0.0) -> int:
    """Steps of the slice after one of so many steps.

    Each may be `GROWTH` times as long as the one before.

    Parameters
    ----------
    length, longest : int
        Steps of the last slice, and of any.
    rate : float
        Steps a second.
    overhead : float
        Seconds that a slice takes besides its steps.
    """
    seconds = max(SLICE_SECONDS, overhead / SHARE)
    return int(np.clip(rate * seconds, 1, min(GROWTH * length, longest)))


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
    cut : Cut
        Where to go back to when the run is broken off: the last slice that ended between records,
        or the last record that whoever was given it has kept, which it says by ``cut.commit()``.
    """

    def __init__(self, prepared: Prepared) -> None:
        self.prepared, self.walk = prepared, prepared.walk
        asked = prepared
        balance = self._whole_energy if asked.potential.laws else None
        self.recorder = Recorder(
            asked.landscape, asked.walk, asked.backend, balance, asked.observables
        )
        self._judge()
        self.recorder.asked = asked.launched
        if prepared.earlier is not None:
            self.recorder.restore(prepared.earlier.sums)
        recorded = (self.recorder, (), RECORDED + BALANCE)
        self.cut = Cut((self.walk, ARRAYS, ("step", "ratio")), recorded)
        # whether several records may be taken within one slice: not where a step has failed
        alone = asked.potential.laws or asked.observables or self._fails()
        self._smooth = asked.backend.recording and not alone
        self._checked = 0  # the last step at which replicas that stand still were looked at
        self._copying = 0.0  # seconds that keeping the walk before a slice takes

    @property
    def velocity_scale(self) -> float:
        """What dx is divided by to be the velocity of the last step."""
        step = max(self.walk.step, 1)
        return float(self.prepared.coefficients(step - 1, step).velocity_scale[0])

    def rewind(self) -> int:
        """Go back to the last cut; its step."""
        self.cut.rewind()
        return self.walk.step

    def slices(self, together: bool = False) -> Iterator[Record | None]:
        """Move on to the end of the schedule: a record at each moment of interest, None after each
        slice between.

        With `together` the walk may be ahead of a record, by whole records of the same slice, which
        follow at once: for those who look at nothing else.
        """
        walk, n_steps, every = self.walk, self.prepared.n_steps, self.prepared.record_every
        length = first_length(self.prepared.backend.pace, LONGEST_SLICE)
        while walk.step < n_steps:
            start, began = walk.step, time.perf_counter()
            if together and (records := self._advance_records(length)):
                rate = (walk.step - start) / max(time.perf_counter() - began, 1e-9)
                length = next_length(length, rate, LONGEST_SLICE, self._copying)
                yield from records
                continue
            end = min((walk.step // every + 1) * every, n_steps)
            self._advance(min(start + length, end))
            rate = (walk.step - start) / max(time.perf_counter() - began, 1e-9)
            overhead = self._copying + self.prepared.backend.overhead
            length = next_length(length, rate, LONGEST_SLICE, overhead)
            if walk.step < end:
                self.cut.commit()
                yield None
                continue
            record = self.recorder.take()
            if walk.wall and walk.step >= self._checked + STANDING:
                asked, self._checked = self.prepared, walk.step
                steps = asked.coefficients(walk.step - 1, walk.step)
                check_standing(asked.landscape(walk.step), walk, steps)
            yield record

    def _advance_records(self, length: int) -> list[Record]:
        """Move on over all whole records within so many steps, at least two; none where somebody
        has to look at each, and nothing is done.
        """
        walk, every, step = self.walk, self.prepared.record_every, self.walk.step
        looked = self.recorder.looked_at(every)
        room = ROOM // (4 * len(walk.x) + looked * walk.x.shape[1])
        count = min(length // every, (self.prepared.n_steps - step) // every, room)
        if not self._smooth or count < 2 or step % every or step != self.recorder.since:
            return []
        steps = self.prepared.coefficients(step, step + count * every)
        self.hold()
        with suppress(NonFinite):
            seen = self.prepared.backend.advance_recorded(steps, every, looked)
            if not self._fails():
                return self.recorder.take_all(steps, every, seen)
        self._smooth = False
        for name, before in self.cut.copies[0].items():
            getattr(walk, name)[...] = before
        walk.step = step
        self.cut.commit()
        return []

    def _fails(self) -> bool:
        return bool(self.walk.failures.any())

    def _advance(self, stop: int) -> None:
        """Move on to step `stop`, past the walls that the backend does not know of."""
        backend, walk = self.prepared.backend, self.walk
        while walk.step < stop:
            began = walk.step
            try:
                self._move(stop)
                if not backend.turns_back:
                    walk.failures[:, 1] = 0
            except NonFinite as error:
                if backend.turns_back or not walk.wall or error.step == began:
                    raise
                if error.step - 1 > began:
                    self._move(error.step - 1)
                    walk.failures[:, 1] = 0
                self._move(error.step, self._turn_back)

    def _move(self, stop: int, turn_back: Callable[[], None] | None = None) -> None:
        """Move on to step `stop`; if a step fails, the walk is as it was, but for the best points
        found. `turn_back` mends a failed step.
        """
        walk, step = self.walk, self.walk.step
        self.hold()
        steps = self.prepared.coefficients(step, stop)
        try:
            try:
                self.prepared.backend.advance(steps)
            except NonFinite:
                if turn_back is None:
                    raise
                walk.step = stop
                turn_back()
        except NonFinite:
            for name in MOVED:
                getattr(walk, name)[...] = self.cut.copies[0][name]
            walk.step = step
            self._judge()
            self.cut.commit()
            raise
        self._judge()
        self.recorder.add(steps)

    def _judge(self) -> None:
        """Where the landscape moves the lowest energy seen says nothing: what counts is where the
        replicas are, and their energies in the last landscape.
        """
        potential, walk = self.prepared.potential, self.walk
        if potential.laws:
            energy = energies(potential, walk.x)
            fill(walk.best_x, walk.x)
            fill(walk.best_energy, np.where(np.isfinite(energy), energy, np.inf))

    def _whole_energy(self) -> float:
        """Mean over replicas of U + m v^2/2, v = dx/dt + f dt/(2 m) the velocity on the step; of U
        alone where no momentum is kept, and velocity means nothing.
        """
        walk, step = self.walk, max(self.walk.step, 1)
        self.prepared.backend.settle()
        steps = self.prepared.coefficients(step - 1, step)
        energy = float(walk.energy.mean())
        if not steps.carry[0] > 0:
            return energy
        x, dt = on_host(walk.x).astype(float), float(steps.dt[0])
        gradient = self.prepared.landscape(walk.step).gradient(x)
        inverse, _, mass = (1.0, 1.0, 1.0) if walk.masses is None else walk.inertia
        v = on_host(walk.dx).astype(float) / dt - dt / 2 * inverse * gradient
        return energy + float((mass * v**2).sum(1).mean()) / 2

    def hold(self) -> None:
        """Keep where the run stands, before something moves or looks at it."""
        began = time.perf_counter()
        self.cut.hold()
        self._copying = time.perf_counter() - began

    def _turn_back(self) -> None:
        """Take replicas whose energy is not finite after a step back to where they were, with dx
        and noise reflected.
        """
        walk, before = self.walk, self.cut.copies[0]
        fails = ~np.isfinite(walk.energy)
        here = fails & np.isfinite(walk.dx).all(1) & (abs(before["energy"]) < DIVERGED)
        if bool((fails & ~here).any()):
            raise NonFinite(walk.step, walk.first_replica + int((fails & ~here).argmax()))
        for name in ("x", "energy"):
            getattr(walk, name)[fails] = before[name][fails]
        walk.dx[fails] *= -1
        walk.noise[fails] *= -1
        walk.failures[:, 0] += fails
        walk.failures[:, 1] = (walk.failures[:, 1] + 1) * fails
