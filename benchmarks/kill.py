"""Kill runs with SIGKILL at random moments and see that each goes on from its checkpoint to the
bits of an uninterrupted run.

    python benchmarks/kill.py [--kills 200] [--seed 0]

Every run writes a checkpoint as often as it can (here most of the time goes into writing); those of
`anneal` stream their positions to a file. After each kill the files are read; then the run is
started again, and killed again with probability 1/2. Children are forks of this process, which has
compiled everything, so that a kill costs no start of Python.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import langevin_sa as lsa
from langevin_sa import Potential, Result, Schedule
from langevin_sa.annealing import results
from langevin_sa.storage import checkpoint

checkpoint.SHARE = 0.7
RAMP = Schedule(lsa.schedules.exponential(1.0, 0.02), 1.0, lambda s: 0.04 - 0.02 * s)
STATE = ("x", "dx", "noise", "best_x", "best_energy")
ALWAYS = {"rng": 7, "checkpoint_seconds": 0}


def bumpy(x: np.ndarray) -> float:
    """Rastrigin's function, one point at a time."""
    return float((x**2 - 10 * np.cos(2 * np.pi * x) + 10).sum())


def annealed(folder: Path, **arguments: Any) -> dict[str, Any]:
    """A run of `anneal` or what is left of it; what must come out to the same bits."""
    result = lsa.anneal(
        **arguments,
        **ALWAYS,
        record_every=arguments["n_steps"] // 20,
        threads=1,
        samples=folder / "samples.npy",
        checkpoint=folder / "run.npz",
    )
    state = {name: getattr(result.state, name) for name in STATE}
    return state | {
        "samples": np.array(result.samples),
        "energies": result.energies,
        "history": dict(result.history),
    }


def searched(folder: Path, fun: Any, **arguments: Any) -> dict[str, Any]:
    """The same of `minimize`."""
    return dict(lsa.minimize(fun, **arguments, **ALWAYS, checkpoint=folder / "run.npz"))


def anneal_is_whole(folder: Path) -> None:
    """Read what a kill left, a trajectory with all that the checkpoint knows of included."""
    part = Result.load(folder / "run.npz")
    assert (
        len(np.load(folder / "samples.npy", mmap_mode="r"))
        >= len(part.history.step)
        == len(part.samples)
    )


def search_is_whole(folder: Path) -> None:
    """Read what a kill left."""
    results.load(folder / "run.npz", "checkpoint of minimize")


RUNS: dict[str, tuple[Callable[..., dict[str, Any]], Callable[[Path], None], dict[str, Any]]] = {
    "formula": (
        annealed,
        anneal_is_whole,
        dict(
            potential=lsa.potentials.rastrigin(dim=10),
            schedule=Schedule(RAMP.temperature, 1.0, 0.01),
            n_steps=6000,
            replicas=64,
        ),
    ),
    "float32": (
        annealed,
        anneal_is_whole,
        dict(
            potential=lsa.potentials.double_well(),
            schedule=RAMP,
            n_steps=40_000,
            replicas=64,
            dtype="float32",
        ),
    ),
    "array functions": (
        annealed,
        anneal_is_whole,
        dict(
            potential=Potential(
                lambda x: ((x**2 - 1) ** 2).sum(1), lambda x: 4 * x * (x**2 - 1), 8, bounds=(-2, 2)
            ),
            schedule=RAMP,
            n_steps=4000,
            replicas=40,
        ),
    ),
    "lattice": (
        annealed,
        anneal_is_whole,
        dict(
            potential=Potential.from_formula(
                site="x**4/4 - x**2/2",
                bond="(y - x)**2/2",
                shape=(200, 200),
                periodic=True,
                bounds=(-1, 1),
            ),
            schedule=RAMP,
            n_steps=600,
            replicas=1,
        ),
    ),
    "fluid": (
        annealed,
        anneal_is_whole,
        dict(
            potential=lsa.potentials.lennard_jones_fluid(108, cutoff=2.0),
            schedule=Schedule(0.8, 1.0, 0.004),
            n_steps=800,
            replicas=2,
        ),
    ),
    "search": (
        searched,
        search_is_whole,
        dict(fun=bumpy, x0=[3.0, -2.0, 1.0, 4.0], bounds=[(-5, 4.5)] * 4),
    ),
    "replica exchange": (
        searched,
        search_is_whole,
        dict(fun=lsa.potentials.rastrigin(dim=4), strategy="exchange"),
    ),
    "population": (
        searched,
        search_is_whole,
        dict(fun=bumpy, x0=[3.0, -2.0], strategy="population", replicas=8),
    ),
    "clusters": (searched, search_is_whole, dict(fun=lsa.potentials.lennard_jones(13))),
}


def run(folder: Path, name: str) -> dict[str, Any]:
    """One run, or what is left of it."""
    call, _, arguments = RUNS[name]
    return call(folder, **arguments)


def in_child(folder: Path, name: str) -> int:
    """Start the run in a forked process."""
    pid = os.fork()
    if not pid:
        code = 1
        try:
            run(folder, name)
            code = 0
        finally:
            os._exit(code)
    return pid


def killed(pid: int, after: float) -> bool:
    """SIGKILL after so many seconds; whether the process was still running."""
    time.sleep(after)
    os.kill(pid, signal.SIGKILL)
    status = os.waitpid(pid, 0)[1]
    if not os.WIFSIGNALED(status) and os.WEXITSTATUS(status):
        sys.exit("a run failed by itself")
    return os.WIFSIGNALED(status)


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """The same bits of everything."""
    try:
        np.testing.assert_equal(a, b)
        return True
    except AssertionError:
        return False


def main() -> None:
    """Kill, look, go on, compare; print a line for each kind of run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200, help="how many runs to kill")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    generator, began = np.random.default_rng(options.seed), time.perf_counter()
    print(
        "kind              runs  kills  before the first checkpoint  in a write  unreadable files "
        " other bits"
    )
    failed = 0
    for k, name in enumerate(RUNS):
        with tempfile.TemporaryDirectory() as scratch:
            (whole := Path(scratch) / "whole").mkdir()
            run(whole, name)  # compiles
            (again := Path(scratch) / "again").mkdir()
            started = time.perf_counter()
            reference = run(again, name)
            seconds = time.perf_counter() - started
            runs = kills = none = writing = unreadable = other = 0
            while runs < (options.kills * (k + 1)) // len(RUNS) - (options.kills * k) // len(RUNS):
                folder = Path(tempfile.mkdtemp(dir=scratch))
                if not killed(in_child(folder, name), seconds * generator.random()):
                    continue  # it was done before
                runs, more = runs + 1, True
                while more:
                    kills += 1
                    writing += any(folder.glob("*.part"))
                    try:
                        if (folder / "run.npz").exists():
                            RUNS[name][1](folder)
                        else:
                            none += 1
                    except (ValueError, AssertionError) as error:
                        print(f"{name}: {error}")
                        unreadable += 1
                        break
                    more = generator.random() < 0.5 and killed(
                        in_child(folder, name), seconds * generator.random()
                    )
                other += not same(run(folder, name), reference)
            print(
                f"{name:16} {runs:5} {kills:6} {none:28} {writing:11} {unreadable:17} {other:11}",
                flush=True,
            )
            failed += unreadable + other
    print(f"{time.perf_counter() - began:.0f} s")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
