"""Replicas spread over workers by any map: noise knows a replica by its number, so no split changes
a bit.

A walk is advanced slice by slice, as by any backend: its replicas go to the workers in parts and
come back moved. What is not kernels stays where the call was made: records, progress, stop rules,
callbacks, checkpoints.
"""

from __future__ import annotations

import math
import os
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from typing import Any

import numpy as np

from ..arguments import shown, warn, whole
from ..momentum import Steps
from .parcel import Parcel, opened
from .walk import ARRAYS, Backend, NonFinite, Walk

MAPPED_PARTS = 16  # parts for a map whose number of workers is not known
MOST_PROCESSES = 4096
ATTEMPTS = 3  # at a part whose worker dies
LOOK = 0.5  # seconds between two looks whether an answer can still come
GRACE = 1.0  # seconds after the deadline for the slice under way
LOST = 20.0  # seconds after which a scheduler that is gone does not come back
# the energy only comes back
NUMBERS = ("step", "seed", "purpose", "ratio", "wall", "masses", "centred")  # of a walk
THERE = ("x", "dx", "noise", "best_x", "best_energy", "dx2", "kinetic", "failures", "work")


def processors() -> int:
    """Processors that this process may use, which can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_workers(workers: Any) -> None:
    """Raise a TypeError or ValueError unless `workers` is a positive int, -1, callable like
    ``map``, or has a method ``map``.
    """
    if _map_of(workers) is not None:
        return
    if not whole(workers):
        raise TypeError(
            "workers must be an int or a callable like map(function, parts), or have such a "
            f"method map, not {shown(workers)}"
        )
    if workers != -1 and not 1 <= workers <= MOST_PROCESSES:
        raise ValueError(
            f"workers must be from 1 to {MOST_PROCESSES}, or -1 for one a processor, not "
            f"{shown(workers)}"
        )


def _map_of(workers: Any) -> Callable[..., Iterable[Any]] | None:
    """The callable itself, or the map of an executor or a client; None for what has none."""
    own = workers if callable(workers) else getattr(workers, "map", None)
    return own if callable(own) else None


@contextmanager
def mapping(workers: Any, seconds: float | None = None) -> Iterator[Callable[..., Iterable[Any]]]:
    """The map of processes for an int (-1: one for each processor), or the caller's own, futures
    resolved: for jobs asked but once. Processes that have not answered within `seconds`, and
    `GRACE`, raise `OutOfTime`.
    """
    limit = math.inf if seconds is None else time.perf_counter() + seconds + GRACE

    def awaited(future: Future[Any]) -> Any:
        try:
            left = None if limit == math.inf else max(0.0, limit - time.perf_counter())
            return future.result(timeout=left)
        except TimeoutError:
            if future.done():  # the job's own error
                raise
            raise OutOfTime from None

    own = _map_of(workers)
    if own is not None:
        yield lambda *call: [
            answer.result() if hasattr(answer, "result") else answer for answer in own(*call)
        ]
    else:
        with Processes(processors() if workers == -1 else int(workers)) as pool:

            def apply(function: Callable[[Any], Any], parts: Iterable[Any]) -> list[Any]:
                job = partial(_alive, Parcel(function))
                return [awaited(future) for future in [pool.submit(job, part) for part in parts]]

            yield apply


def _alive(function: Any, part: Any) -> Any:
    """The function's answer; its ``sys.exit()`` does not end the process that asked."""
    try:
        return opened(function)(part)
    except SystemExit as error:
        raise RuntimeError(f"SystemExit in a worker: {error}") from None


class Processes:
    """Worker processes that end with the context, at work or not, and with the process that began
    them.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self._pool = ProcessPoolExecutor(number, get_context("spawn"), initializer=_begin_worker)
        self._asked: list[Future[Any]] = []

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """A future of the function's answer."""
        self._asked = [future for future in self._asked if not future.done()]
        self._asked.append(future := self._pool.submit(function, *arguments))
        return future

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: Any) -> None:
        if not all(future.done() for future in self._asked):  # nobody waits for the answers
            for process in list((self._pool._processes or {}).values()):
                process.kill()
        self._pool.shutdown(cancel_futures=True)


def _begin_worker() -> None:
    """In each process, before its first job."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that made the call
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


class SchedulerLost(RuntimeError):
    """The scheduler of a Dask client does not come back."""


class OutOfTime(Exception):
    """Workers have not answered by the deadline of their team."""


class Team:
    """Workers that take parts of a job: processes for an int (-1: one for each processor), or
    anything with a map.

    A map is called as ``map(function, parts)`` and may return results or futures, in any order.

    Attributes
    ----------
    deadline : float
        When to wait no longer for futures, but for `GRACE`, as `time.perf_counter` tells time.
    """

    def __init__(self, workers: Any, deadline: float = math.inf) -> None:
        check_workers(workers)
        self.deadline = deadline
        self._map = _map_of(workers)
        self.parts = MAPPED_PARTS if self._map else processors() if workers == -1 else int(workers)
        self._pool: Processes | None = None
        # Dask's, which may lose its scheduler
        self._client: Any = getattr(workers, "__self__", workers) if self._map else None

    def __enter__(self) -> Team:
        return self

    def __exit__(self, *problem: Any) -> None:
        if self._pool is not None:
            pool, self._pool = self._pool, None
            pool.__exit__(*problem)

    def run(self, job: Callable[[tuple[int, Any]], tuple[int, Any]], parts: list[Any]) -> list[Any]:
        """``job((k, part)) -> (k, answer)`` for each part; the answers in order.

        Raises
        ------
        RuntimeError
            If a worker dies (or its map fails) with the same part `ATTEMPTS` times. An exception of
            the job is the job's to return; what a map raises is a worker's death.
        """
        answers: dict[int, Any] = {}
        for attempt in range(1, ATTEMPTS + 1):
            left = [(k, part) for k, part in enumerate(parts) if k not in answers]
            failure = self._collect(job, left, answers)
            missing = sorted(set(range(len(parts))) - set(answers))
            if not missing:
                return [answers[k] for k in range(len(parts))]
            cause = f"{type(failure).__name__}: {failure}" if failure else "its map left them out"
            if attempt < ATTEMPTS:
                warn(
                    f"{len(missing)} of {len(parts)} parts lost their worker and run again "
                    f"({cause})"
                )
        raise RuntimeError(
            f"part {missing[0] + 1} of {len(parts)} lost its worker {ATTEMPTS} times in a row "
            f"({cause}); a worker also dies if it cannot import what it is sent, and if a script "
            "makes its calls elsewhere than below if __name__ == '__main__'"
        ) from failure

    def packed(self, value: Any) -> Any:
        """A value as jobs take it along: for processes a parcel, for a map as it is."""
        return value if self._map is not None else Parcel(value)

    def _collect(self, job: Any, parts: list[Any], answers: dict[int, Any]) -> Exception | None:
        """Run what is left, note the answers that come, and return why others do not."""
        failure: Exception | None = None
        try:
            for given in self._apply(job, parts):
                try:
                    k, answer = self._awaited(given)
                    answers[k] = answer
                except (OutOfTime, SchedulerLost):
                    raise
                except Exception as error:  # of one future
                    failure = error
        except (OutOfTime, SchedulerLost):
            raise
        except Exception as error:  # of the map
            failure = error
            if isinstance(error, BrokenProcessPool):
                self._pool = None
        return failure

    def _apply(self, job: Any, parts: list[Any]) -> Iterable[Any]:
        if self._map is not None:
            return self._map(job, parts)
        if self._pool is None:
            self._pool = Processes(self.parts)
        return [self._pool.submit(job, part) for part in parts]

    def _awaited(self, given: Any) -> Any:
        """What a map gave: an answer, or a future, waited for until the deadline and for as long as
        there is somebody to bring it.
        """
        if not hasattr(given, "result"):
            return given
        dask = hasattr(self._client, "scheduler_info")
        if not (dask or isinstance(given, Future)):
            return given.result()
        lost = math.inf
        while True:
            try:
                left = self.deadline + GRACE - time.perf_counter()
                return given.result(timeout=min(LOOK, max(0.0, left)))
            except TimeoutError:
                if given.done():  # a job's own error
                    raise
            now = time.perf_counter()
            if now > self.deadline + GRACE:
                raise OutOfTime
            if dask:
                lost = math.inf if self._client.status == "running" else min(lost, now)
                if now > lost + LOST:
                    raise SchedulerLost(
                        f"Dask's scheduler has been gone for {LOST:g} s; start it and make the "
                        "call again (checkpoint= keeps what is done)"
                    )

    def spread(self, backend: Backend, potential: Any, walk: Walk, threads: int) -> Spread:
        """`backend`, spread over the team; a TypeError if the potential cannot be sent to it."""
        return Spread(self, backend, potential, walk, threads)


def team_of(workers: Any, deadline: float = math.inf) -> Team | None:
    """The team of a driver's `workers`, which starts processes when there is work and must be left
    as a context; None for 1.
    """
    check_workers(workers)
    return None if whole(workers) and workers == 1 else Team(workers, deadline)


class Spread(Backend):
    """A backend whose replicas are advanced by a team, with kernels of the class that one process
    would use; all else is asked of that one here.
    """

    def __init__(
        self, team: Team, backend: Backend, potential: Any, walk: Walk, threads: int
    ) -> None:
        self.team, self.backend = team, backend
        self.walk, self.threads = walk, threads
        self.turns_back, self.driven = backend.turns_back, False
        self.mover = team.packed((type(backend), potential))
        parts = min(team.parts, len(walk.x))
        self.edges = np.linspace(0, len(walk.x), parts + 1).astype(int).tolist()

    def advance(self, steps: Steps) -> None:
        """Move the walk on by the given steps."""
        w, began = self.walk, time.perf_counter()
        self.driven = steps.drive is not None
        numbers = {name: getattr(w, name) for name in NUMBERS}
        job = partial(_advance_part, self.mover, self.threads, steps, numbers)
        ranges = list(zip(self.edges[:-1], self.edges[1:], strict=True))
        answers = self.team.run(
            job,
            [(low, {name: getattr(w, name)[low:high] for name in THERE}) for low, high in ranges],
        )
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        if [answer[4] for answer in answers] != [(w.step, low) for low, _ in ranges]:
            raise RuntimeError("the map of workers= returned answers to another slice of the run")
        for (low, high), (arrays, *_) in zip(ranges, answers, strict=True):
            for name, array in arrays.items():
                getattr(w, name)[low:high] = array
        self.overhead = time.perf_counter() - began - max(answer[2] for answer in answers)
        self.raised = next((answer[5] for answer in answers if answer[5]), self.raised)
        bad = [answer[3] for answer in answers if answer[3] is not None]
        if bad:
            raise NonFinite(*min(bad))
        w.step, w.ratio = w.step + len(steps.rho), answers[0][1]

    def refresh(self) -> None:
        self.backend.refresh()

    def settle(self) -> None:
        self.backend.settle()

    def measure(self) -> tuple[float, float] | None:
        return None if self.driven else self.backend.measure()  # whose parameters stayed behind


def _advance_part(
    mover: Any,
    threads: int,
    steps: Steps,
    numbers: dict[str, Any],
    part: tuple[int, tuple[int, Any]],
) -> tuple[int, Any]:
    """A part's arrays and ratio after the steps, seconds in the kernel, (step, replica) where it is
    not finite, where it began, and the backend's `raised`; or an exception.
    """
    k, (first, arrays) = part
    try:
        kernel, potential = opened(mover)
        walk = Walk.at_rest(arrays["x"], numbers["seed"], arrays["x"].dtype)
        for name in THERE:
            getattr(walk, name)[...] = arrays[name]
        vars(walk).update(numbers, first_replica=first)
        bad, began, raised = None, time.perf_counter(), ""
        if steps.drive is not None:
            potential = potential.moved(steps.drive.places, steps.drive.values[0])
        try:
            with kernel.at(k):
                backend = kernel(potential, walk, threads)
                backend.advance(steps)
            raised = backend.raised
        except NonFinite as error:
            bad = (error.step, error.replica)
        seconds = time.perf_counter() - began
        moved = {name: getattr(walk, name) for name in ARRAYS}
        return k, (moved, walk.ratio, seconds, bad, (numbers["step"], first), raised)
    except (Exception, SystemExit) as error:
        return k, _sendable(error)


def _sendable(error: BaseException) -> Exception:
    """The exception with its traceback as a note, or its text if it does not pickle."""
    error.add_note("in the worker: " + "".join(traceback.format_tb(error.__traceback__)))
    with suppress(Exception):
        if isinstance(error, Exception) and pickle.loads(pickle.dumps(error)) is not None:
            return error
    plain = RuntimeError(f"{type(error).__name__}: {error}")
    plain.__notes__ = error.__notes__
    return plain
