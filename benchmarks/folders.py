"""Runs in folders that are full for a while, or that another process uses too.

    python benchmarks/folders.py [--full 28] [--pairs 20] [--namespaces 20] [--seed 0]

`--full`: a folder on a small disk of its own (tmpfs) is full for part of a run, which must go on or
end with the system's word for it; then there is room, and the same call must end as one that had it
all the time. Who may not mount gets a limit on the size of files instead.
`--pairs`: a second process names the files of a run under way, and must be refused.
`--namespaces`: the same of two containers, whose processes have one number (PID namespaces, where
they are allowed), and of results that both save to one file, which must be whole at any time.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import numpy as np
from kill import RAMP, RUNS, WELL, run, same

import langevin_sa as lsa
from langevin_sa import Result

DISK = 32 * 2**20  # bytes
FULL = 4  # status of a child that ended for want of space
REFUSED = 5
CLONE_NEWPID = 0x20000000


def forked(work: Callable[[], object], apart: bool = False) -> int:
    """Do it in a forked process, or as the first process of a PID namespace; its number here."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        if apart:
            if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWPID):
                raise PermissionError(ctypes.get_errno(), "unshare")
            os._exit(status(forked(work)))
        warnings.simplefilter("ignore")
        work()
        code = 0
    except OSError as error:
        code = FULL if error.errno in (errno.ENOSPC, errno.EFBIG) else 1
        if code != FULL:
            print(f"{type(error).__name__}: {error}", flush=True)
    except ValueError as error:
        code = REFUSED if "in use by" in str(error) else 1
        if code != REFUSED:
            print(f"{type(error).__name__}: {error}", flush=True)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", flush=True)
    finally:
        os._exit(code)


def status(pid: int) -> int:
    """How a child ended."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@contextmanager
def disk(folder: Path) -> Iterator[bool]:
    """A small disk in this folder; whether one could be had."""
    mounted = not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", str(folder)], capture_output=True
    ).returncode
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


def fill(ballast: Path) -> None:
    """Take what room there is."""
    with suppress(OSError), open(ballast, "ab", buffering=0) as file:
        while file.write(bytes(2**20)) == 2**20:
            pass


def limit(pid: int, size: int) -> None:
    """Bound the size of a child's files."""
    with suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def full(count: int, generator: np.random.Generator) -> int:
    """Runs whose disk is full for a while; how many went wrong."""
    print("kind              runs  went on  ended  other bits")
    wrong = 0
    for k, name in enumerate(RUNS):
        ended = other = 0
        runs = (count * (k + 1)) // len(RUNS) - (count * k) // len(RUNS)
        with ExitStack() as stack:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            (alone := scratch / "alone").mkdir()
            run(alone, name)  # compiles
            (again := scratch / "again").mkdir()
            started = time.perf_counter()
            reference = run(again, name)
            seconds = time.perf_counter() - started
            for _ in range(runs):
                (folder := Path(tempfile.mkdtemp(dir=scratch)) / "disk").mkdir()
                with disk(folder) as mounted:
                    pid = forked(lambda folder=folder, name=name: run(folder, name))
                    time.sleep(seconds * generator.random())
                    until = time.perf_counter() + 2 * seconds * generator.random()
                    while time.perf_counter() < until:
                        fill(folder / "ballast") if mounted else limit(pid, 1)
                        time.sleep(0.001)
                    if mounted:
                        (folder / "ballast").unlink()
                    else:
                        limit(pid, resource.RLIM_INFINITY)
                    if (code := status(pid)) not in (0, FULL):
                        sys.exit(f"{name} ended with status {code}")
                    ended += code == FULL
                    try:
                        other += not same(run(folder, name), reference)
                    except (ValueError, OSError) as error:
                        print(f"{name}: {error}")
                        other += 1
        how = "" if mounted else "  (no mount: a limit on the size of files)"
        print(f"{name:16} {runs:5} {runs - ended:8} {ended:6} {other:11}{how}", flush=True)
        wrong += other
    return wrong


def pairs(count: int, apart: bool) -> int:
    """Runs under way whose files a second process names: all are refused, and the first ends as if
    nobody had asked; how many went wrong.
    """
    names = {"samples": "samples.npy", "checkpoint": "run.npz"}
    kinds = [("samples",), ("checkpoint",), ("samples", "checkpoint")]
    refused = whole = 0
    with tempfile.TemporaryDirectory() as scratch:
        (alone := Path(scratch) / "alone").mkdir()
        reference = run(alone, "formula")
        for k in range(count):
            folder = Path(tempfile.mkdtemp(dir=scratch))
            first = forked(lambda folder=folder: run(folder, "formula"), apart)
            while not (folder / "samples.npy").exists():
                time.sleep(0.001)
            files = {name: folder / names[name] for name in kinds[k % 3]}
            second = forked(
                lambda files=files: lsa.anneal(WELL, [1.0], RAMP, 100, rng=1, **files), apart
            )
            refused += status(second) == REFUSED
            whole += status(first) == 0 and same(run(folder, "formula"), reference)
    where = " in two PID namespaces" if apart else ""
    print(f"{count} pairs{where}: {refused} second runs refused, {whole} first with the right bits")
    return (refused < count) + (whole < count)


def saved_together(count: int) -> int:
    """Two processes of one number that save to one file, which is read meanwhile; how many times it
    was not whole.
    """
    results = [lsa.anneal(WELL, schedule=RAMP, n_steps=200, replicas=20, rng=k) for k in (1, 2)]
    bad = reads = 0
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "result.npz"
        results[0].save(file)
        children = [
            forked(lambda r=r: [r.save(file) for _ in range(count)], apart=True) for r in results
        ]
        while children:
            reads += 1
            try:
                bad += Result.load(file).fun not in [result.fun for result in results]
            except ValueError as error:
                print(error)
                bad += 1
            pid, ended = os.waitpid(-1, os.WNOHANG)
            if pid:
                children.remove(pid)
                bad += ended != 0
    print(
        f"{2 * count} results saved to one file by two processes, both number 1 in their "
        f"namespaces, and read {reads} times: {bad} not whole"
    )
    return bad


def main() -> None:
    """Try each; the status says whether something went wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", type=int, default=28, help="how many runs on a full disk")
    parser.add_argument("--pairs", type=int, default=20, help="how many pairs of processes")
    parser.add_argument("--namespaces", type=int, default=20, help="how many pairs of containers")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    wrong = full(options.full, np.random.default_rng(options.seed)) if options.full else 0
    wrong += pairs(options.pairs, apart=False) if options.pairs else 0
    if options.namespaces and status(forked(lambda: None, apart=True)):
        print("skipped: PID namespaces are not allowed here")
    elif options.namespaces:
        wrong += pairs(options.namespaces, apart=True)
        wrong += saved_together(10 * options.namespaces)
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
