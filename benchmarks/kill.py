"""Break runs off by signals at random moments and see that each goes on from its checkpoint to the
bits of an uninterrupted run.

    python benchmarks/kill.py [--kills 200] [--seed 0] [--signals KILL | INT | mixed] [--threads 1]

Every run writes a checkpoint as often as it can (here most of the time goes into writing); those of
`anneal` stream their positions to a file. After each signal the files are read; then the run is
started again, and broken off again with probability 1/2. Children are forks of this process, which
has compiled everything, so that a signal costs no start of Python. Full disks and second processes
are in `folders.py`.
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
SIGNALS = {
    "KILL": [signal.SIGKILL],
    "INT": [signal.SIGINT],
    "mixed": [signal.SIGKILL, signal.SIGINT, signal.SIGTERM],
}
INTERRUPTED = 3  # status of a child that Ctrl-C ended
OUTCOME = ("x", "step", "energy", "best", "judged", "polished_x", "rescaled", "message")


class Interrupted(Exception):
    """A call came back early, with what it had."""


def bumpy(x: np.ndarray) -> float:
    """Rastrigin's function, one point at a time."""
    return float((x**2 - 10 * np.cos(2 * np.pi * x) + 10).sum())


def annealed(folder: Path, **arguments: Any) -> dict[str, Any]:
    """A run of `anneal` or what is left of it; what must come out to the same bits."""
    result = lsa.anneal(
        **{"record_every": arguments["n_steps"] // 20} | arguments,
        **ALWAYS,
        samples=folder / "samples.npy",
        checkpoint=folder / "run.npz",
    )
    if result.status == 3:
        raise Interrupted
    state = {name: getattr(result.state, name) for name in STATE}
    return state | {
        "samples": np.array(result.samples),
        "energies": result.energies,
        "history": dict(result.history),
    }


def searched(folder: Path, fun: Any, **arguments: Any) -> dict[str, Any]:
    """The same of `minimize`."""
    found = lsa.minimize(fun, **arguments, **ALWAYS, checkpoint=folder / "run.npz")
    if found.status == 3:
        raise Interrupted
    return dict(found)


def compared(folder: Path, **arguments: Any) -> dict[str, Any]:
    """The same of `compare`."""
    found = lsa.compare(
        WELL, replicas=32, epochs=4, **arguments, **ALWAYS, checkpoint=folder / "run.npz"
    )
    if found.message:
        raise Interrupted
    return {n: {key: getattr(o, key) for key in OUTCOME} for n, o in found.outcomes.items()}


def cooled(folder: Path, **arguments: Any) -> dict[str, Any]:
    """The same of `cooling_rates`."""
    found = lsa.cooling_rates(WELL, **arguments, **ALWAYS, checkpoint=folder / "run.npz")
    if len(found.n_steps) < len(arguments["n_steps"]):
        raise Interrupted
    return {"residual": found.residual, "x": [c["anneal"].x for c in found.comparisons]}


def snapshots(folder: Path, **arguments: Any) -> dict[str, Any]:
    """The same of `simulate`, whose consumer keeps what it gets in files."""
    for s in lsa.simulate(WELL, **arguments, **ALWAYS, checkpoint=folder / "run.npz"):
        np.save(folder / f"{s.step}.npy", s.state.x)
    steps = sorted(int(file.stem) for file in folder.glob("*.npy"))
    return {"steps": steps, "x": [np.load(folder / f"{step}.npy") for step in steps]}


def anneal_is_whole(folder: Path) -> None:
    """Read what a kill left, a trajectory with all that the checkpoint knows of included."""
    part = Result.load(folder / "run.npz")
    assert (
        len(np.load(folder / "samples.npy", mmap_mode="r"))
        >= len(part.history.step)
        == len(part.samples)
    )


def run_is_whole(folder: Path) -> None:
    """Read what a kill left."""
    Result.load(folder / "run.npz")


def comparison_is_whole(folder: Path) -> None:
    """Read what a kill left."""
    for file in folder.glob("run*.npz"):
        results.load(file, "comparison checkpoint")


def search_is_whole(folder: Path) -> None:
    """Read what a kill left."""
    results.load(folder / "run.npz", "checkpoint of minimize")


WELL = lsa.potentials.double_well()
METHODS = {
    "anneal": RAMP,
    "quench": Schedule(0.02, 1.0, 0.04),
    "adam": lsa.optimizers.Adam(0.02, 1.0),
}
THREADED = (annealed, snapshots)
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
    "compare": (compared, comparison_is_whole, dict(methods=METHODS, n_steps=3000)),
    "compare final": (
        compared,
        comparison_is_whole,
        dict(methods=METHODS, n_steps=3000, judged="final"),
    ),
    "cooling rates": (
        cooled,
        comparison_is_whole,
        dict(n_steps=(500, 2000, 8000), schedule=RAMP, replicas=64),
    ),
    "many records": (
        annealed,
        anneal_is_whole,
        dict(potential=WELL, schedule=RAMP, n_steps=300, replicas=64, record_every=1),
    ),
    "simulate": (
        snapshots,
        run_is_whole,
        dict(schedule=RAMP, n_steps=4000, replicas=64, record_every=50),
    ),
}


def run(folder: Path, name: str, threads: int = 1) -> dict[str, Any]:
    """One run, or what is left of it."""
    call, _, arguments = RUNS[name]
    return call(folder, **arguments | ({"threads": threads} if call in THREADED else {}))


def in_child(folder: Path, name: str, threads: int) -> int:
    """Start the run in a forked process."""
    pid = os.fork()
    if not pid:
        code = 1
        try:
            run(folder, name, threads)
            code = 0
        except (Interrupted, KeyboardInterrupt):
            code = INTERRUPTED
        except BaseException as error:
            print(f"{name}: {type(error).__name__}: {error}", flush=True)
        finally:
            os._exit(code)
    return pid


def broken_off(pid: int, sent: signal.Signals, after: float) -> bool:
    """Send the signal after so many seconds; whether the run was still under way."""
    time.sleep(after)
    os.kill(pid, sent)
    status = os.waitpid(pid, 0)[1]
    if not os.WIFSIGNALED(status) and os.WEXITSTATUS(status) not in (0, INTERRUPTED):
        sys.exit("a run failed by itself")
    return os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == INTERRUPTED


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """The same bits of everything."""
    try:
        np.testing.assert_equal(a, b)
        return True
    except AssertionError as error:
        print(error)
        return False


def main() -> None:
    """Kill, look, go on, compare; print a line for each kind of run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200, help="how many runs to kill")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--signals", choices=SIGNALS, default="KILL")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    # a shell that starts this in the background has it ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signals = SIGNALS[options.signals]
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

            def attacked(folder: Path, name: str = name, seconds: float = seconds) -> bool:
                sent = signals[generator.integers(len(signals))]
                pid = in_child(folder, name, options.threads)
                return broken_off(pid, sent, seconds * generator.random())

            while runs < (options.kills * (k + 1)) // len(RUNS) - (options.kills * k) // len(RUNS):
                folder = Path(tempfile.mkdtemp(dir=scratch))
                if not attacked(folder):
                    continue  # it was done before
                runs, more = runs + 1, True
                while more:
                    kills += 1
                    writing += any(folder.glob("*.part"))
                    try:
                        if any(folder.glob("run*.npz")):  # one for each rate of cooling
                            RUNS[name][1](folder)
                        else:
                            none += 1
                    except (ValueError, AssertionError) as error:
                        print(f"{name}: {error}")
                        unreadable += 1
                        break
                    more = generator.random() < 0.5 and attacked(folder)
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
