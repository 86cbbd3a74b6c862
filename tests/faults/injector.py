"""A fault at one executed line: an exception is raised there, or the process is killed there, and
then the same call is made again.

Each fault happens in a fork of this process, which is left undisturbed and has everything compiled.
A line is named by its file, its number and its turn, since a line in a loop runs often.
"""

from __future__ import annotations

import linecache
import os
import pickle
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from calls import Call, differing

import langevin_sa
from langevin_sa.backends import walk

PACKAGE = str(Path(langevin_sa.__file__).parent) + os.sep
POOLS = str(Path(futures.__file__).parent) + os.sep  # where Ctrl-C may fall while work is queued
# where threads of a pool are told whether to begin; nothing of a run is changed there
POOLED = walk.__file__
LIMIT = 30  # seconds after which a fork hangs
SLOW = 0.002  # seconds that a line of another thread takes after the fault


class Line(NamedTuple):
    """A line of the package (or of a thread pool, while the package waits in it)."""

    file: str
    number: int

    def __str__(self) -> str:
        base = PACKAGE if self.file.startswith(PACKAGE) else str(Path(POOLS).parent) + os.sep
        return f"{self.file.removeprefix(base)}:{self.number}"


class Place(NamedTuple):
    """The n-th time that a line is executed."""

    line: Line
    turn: int

    def __str__(self) -> str:
        return f"{self.line} (turn {self.turn})"


class Watch:
    """Counts the executed lines of all threads, and strikes at one of them.

    Parameters
    ----------
    place : Place, optional
        Where to strike.
    strike : callable
        What happens there.
    everywhere : bool
        Whether other threads count: Ctrl-C is an exception of the main thread only.
    """

    def __init__(
        self, place: Place | None, strike: Callable[[], None] = lambda: None, everywhere=True
    ) -> None:
        self.place, self.strike, self.everywhere = place, strike, everywhere
        self.counts: Counter[Line] = Counter()
        self.main, self.struck, self.over, self.late = threading.get_ident(), False, False, ""
        self.lock = threading.Lock()

    def frame(self, frame: Any, event: str, argument: Any) -> Any:
        file = frame.f_code.co_filename
        if self.place is not None and threading.get_ident() == self.main:
            return self.line if file == self.place.line.file else None
        return self.line if file.startswith((PACKAGE, POOLS)) else None

    def line(self, frame: Any, event: str, argument: Any) -> Any:
        if event != "line":
            return self.line
        line = Line(frame.f_code.co_filename, frame.f_lineno)
        other = threading.get_ident() != self.main
        ours = line.file.startswith(PACKAGE) and line.file != POOLED
        if other and self.struck:
            if self.over and ours:
                self.late = str(line)
            time.sleep(SLOW)
        if other and not (self.everywhere and ours):
            return self.line
        with self.lock:
            self.counts[line] += 1
            here = not self.struck and self.place == (line, self.counts[line])
            self.struck |= here
        if here:
            self.strike()
        return self.line

    def __enter__(self) -> Watch:
        threading.settrace(self.frame)
        sys.settrace(self.frame)
        return self

    def __exit__(self, *_: Any) -> None:
        sys.settrace(None)
        threading.settrace(None)  # threads that are left behind stay watched
        self.over = True


def interrupt() -> None:
    raise KeyboardInterrupt("injected")


def fail() -> None:
    raise MemoryError("injected")


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Sent(dict):
    """What is put in goes through a pipe: a process that is killed tells nothing else."""

    def __init__(self, file: int) -> None:
        super().__init__()
        self.file = file

    def __setitem__(self, key: Any, value: Any) -> None:
        os.write(self.file, pickle.dumps((key, value)))
        super().__setitem__(key, value)


FAULTS = {"interrupt": interrupt, "error": fail, "kill": kill}


@contextmanager
def folder() -> Iterator[Path]:
    """A folder in memory, where that is to be had."""
    room = "/dev/shm" if os.path.isdir("/dev/shm") else None
    path = Path(tempfile.mkdtemp(dir=room))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def undisturbed(call: Call) -> tuple[dict[str, Any], list[Line], dict[bool, Counter[Line]]]:
    """The outcome of a call, and how often its lines are executed, in all threads and in the main
    one.
    """
    with folder() as where:
        call.make(where, {})
    counts = {}
    for everywhere in (True, False):
        with folder() as where, Watch(None, everywhere=everywhere) as watch:
            whole = call.make(where, {})
            whole = call.numbers(whole)
        counts[everywhere] = watch.counts
    return whole, counts


def places(counts: Counter[Line]) -> list[Place]:
    """Each line at its first, a middle and its last turn; but no ``with`` of a pool's own locks,
    which the interpreter takes and lets go without a look at signals.
    """
    return [
        Place(line, turn)
        for line, count in sorted(counts.items())
        if line.file.startswith(PACKAGE) or "with " not in linecache.getline(*line)
        for turn in sorted({1, (count + 1) // 2, count})
    ]


def forked(job: Callable[[], str]) -> str:
    """What the job says in a fork, or how that ended."""
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of forks beside threads
        child = os.fork()
    if not child:
        said = "the fork ended without a word"
        try:
            os.close(read)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            signal.alarm(LIMIT)
            warnings.simplefilter("ignore")
            said = job()
        except BaseException:
            said = "HARNESS " + traceback.format_exc()
        finally:
            os.write(write, said.encode()[:60_000])
            os._exit(0)
    os.close(write)
    with open(read, "rb") as answer:
        said = answer.read().decode()
    status = os.waitpid(child, 0)[1]
    if said or not status:
        return said
    ended = os.WTERMSIG(status)
    return "it hangs" if ended == signal.SIGALRM else f"signal {ended}"


def strike(call: Call, whole: dict[str, Any], place: Place, how: str) -> str:
    """What is wrong after a fault: nothing, or a few words; "not reached" if it did not happen."""
    with folder() as where:
        return forked(lambda: _disturbed(call, whole, place, how, where))


def _disturbed(call: Call, whole: dict[str, Any], place: Place, how: str, where: Path) -> str:
    seen: dict[Any, Any] = {}
    first, raised = None, None
    watch = Watch(place, FAULTS[how], how != "interrupt")
    if how == "kill":
        read, write = os.pipe()
        child = os.fork()
        if not child:
            with watch:
                call.make(where, Sent(write))
            os._exit(0)
        os.close(write)
        if os.WIFEXITED(os.waitpid(child, 0)[1]):
            return "not reached"
        with open(read, "rb") as sent, suppress(EOFError):
            while True:
                seen.update([pickle.load(sent)])
    else:
        try:
            with watch:
                first = call.make(where, seen)
        except BaseException as error:
            raised = error  # kept, with its frames, as an interpreter keeps it
        if not watch.struck:
            return "not reached"
        kind = KeyboardInterrupt if how == "interrupt" else MemoryError
        if raised is not None and not isinstance(raised, kind):
            return f"first call raises {type(raised).__name__}: {raised}"
        if first is None:
            first = getattr(raised, "partial_result", None)
        time.sleep(2 * SLOW)
        wrong = first is not None and call.torn(first, whole)
        if wrong:
            return f"torn result: {wrong}"
    try:
        again = call.numbers(call.make(where, seen))
    except Exception as error:
        text = str(error)
        told = isinstance(error, ValueError) and str(where) in text and "remove" in text
        return f"{'refused' if told else 'raises'}: {type(error).__name__}: {text}"
    if watch.late:
        return f"a thread is left at {watch.late}"
    if told := first is not None and how == "error" and call.told(first):
        whole = call.numbers(first)
    if wrong := differing(again, whole):
        return f"other {'than told' if told else 'bits'}: {wrong}"
    left = sorted(set(os.listdir(where)) - call.leaves)
    return f"left behind: {left}" if left else ""
