"""What a run has brought so far, and its way into files."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import numpy as np

from ..arguments import on_host
from ..storage.checkpoint import Checkpoint, Contents, fitting
from ..storage.npz import prefixed
from ..storage.samples import Trajectory
from . import views
from .records import Record, records_of
from .results import Result
from .run import Run


class Log:
    """Records and samples of a run, and the Result that they make with where it stands.

    Parameters
    ----------
    run : Run
        The run.
    keeper : Checkpoint
        Its file.
    started : float
        When the call was made, by ``time.perf_counter``.
    samples : bool or path
        Whether positions are kept at each record, and in which file.
    velocities : bool
        Whether velocities are kept with them: then a record is (2, replicas, dim).
    """

    def __init__(
        self,
        run: Run,
        keeper: Checkpoint,
        started: float,
        samples: bool | str | os.PathLike[str] = False,
        velocities: bool = False,
    ) -> None:
        self.run, self.keeper, self.velocities = run, keeper, velocities
        file = None if isinstance(samples, (bool, np.bool_)) else samples
        files = [os.path.realpath(f) for f in (file, keeper.path) if f is not None]
        if len(files) == 2 and files[0] == files[1]:
            raise ValueError(f"samples and checkpoint are one file, {keeper.path}: name two")
        earlier = run.prepared.earlier.result if run.prepared.earlier else None
        self.records: list[Record] = []
        if earlier is not None:
            with fitting(keeper.path or "state"):
                self.records = records_of(earlier.history, run.prepared.observables)
        self.started = started - (0.0 if earlier is None else earlier.seconds)
        self.known = 0 if earlier is None else len(self.records)  # records that the file counts
        self.left = False  # whether the file says already where a later call goes on
        self.trajectory: Trajectory | None = None
        if samples:
            if velocities and run.prepared.coefficients(0, 1).rho[0] == 0:
                raise ValueError("an overdamped scheme carries no velocity: leave out velocities")
            names = ("samples", "velocities") if velocities else ("samples",)
            kept = file is None and earlier is not None and earlier.samples is not None
            before = [earlier[name] for name in names] if kept and earlier else []
            self.trajectory = Trajectory(
                file,
                names,
                run.walk.x.shape,
                run.walk.x.dtype,
                None if earlier is None else len(self.records),
                before,
                run.prepared.earlier and run.prepared.earlier.written,
                run.prepared.fingerprint.name,
            )

    def add(self, record: Record) -> None:
        """Keep a record, with the positions where samples are asked for."""
        if self.trajectory is not None:
            now = [on_host(self.run.walk.x)]
            if self.velocities:
                velocity = on_host(self.run.walk.dx) / self.run.velocity_scale
                now.append(velocity.astype(now[0].dtype))
            self.trajectory.append(*now)
        self.records.append(record)
        if record.step == self.run.walk.step:  # else more of the same slice are to come
            self.run.cut.commit()

    def result(self, status: int, message: str) -> Result:
        """The run up to its last cut; it shares its arrays with the walk."""
        self.run.rewind()
        self.records = [r for r in self.records if r.step <= self.run.recorder.since]
        seconds = time.perf_counter() - self.started
        found = views.result(self.run, status, message, self.records, seconds)
        if self.trajectory is not None and self.trajectory.path is None:
            found.update(self.trajectory.arrays(len(self.records)))
        elif self.trajectory is not None:
            found.samples_file = str(self.trajectory.path)
        return found

    def save(self, now: bool = False) -> None:
        """Write a checkpoint of the run under way, if it is time to or `now`."""

        def contents() -> Contents:
            step, n_steps = self.run.rewind(), self.run.prepared.n_steps
            return self._contents(self.result(4, f"Under way, at step {step} of {n_steps}."))

        self._keep(contents, now)

    def leave(self, status: int, message: str) -> None:
        """Write the run to the checkpoint for the last time: what comes after is in the result
        alone, and a later call goes on as if it had not been.
        """
        self._keep(lambda: self._contents(self._last(status, message)), now=True)
        self.left = True

    def finish(self, status: int, message: str) -> Result:
        """The last result, which the checkpoint then holds."""
        last = self._last(status, message)
        if not self.left:
            self._keep(lambda: self._contents(last), now=True)
        if self.trajectory is not None:
            last.update(self.trajectory.arrays(len(self.records)))
        return last

    def _last(self, status: int, message: str) -> Result:
        last = self.result(status, message)
        if last.failures:
            why = f" ({raised})" if (raised := self.run.prepared.backend.raised) else ""
            steps = "step" if last.failures == 1 else "steps"
            last.message += (
                f" {last.failures} {steps} met places where the energy or its gradient is not "
                f"finite{why} and turned back."
            )
        return last

    def _keep(self, contents: Callable[[], Contents], now: bool) -> None:
        if self.keeper.save(contents, now):
            self.known = len(self.records)

    def close(self) -> None:
        """Close the file of samples."""
        if self.trajectory is not None:
            self.trajectory.close(self.keeper.path is None or self.known > 0)

    def _contents(self, result: Result) -> Contents:
        """What a checkpoint holds: a result, and the sums that the next record is made of."""
        arrays, about = result.packed()
        if self.trajectory is not None and self.trajectory.path is not None:
            self.trajectory.sync()
            sums = self.trajectory.sums[: len(self.records)]
            arrays["written"] = np.array(sums, dtype=np.uint32)
        return arrays | prefixed("sums_", self.run.recorder.sums()), about
