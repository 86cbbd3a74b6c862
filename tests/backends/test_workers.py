"""Replicas on workers: the same bits for any map, any order, any split, also when workers die."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import random
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa import Potential, Schedule, anneal, compare
from langevin_sa.backends.parcel import Parcel, opened
from langevin_sa.backends.workers import ATTEMPTS, Team, mapping, processors
from langevin_sa.optimizers import Adam
from langevin_sa.schedules import exponential

# a schedule stays here and need not pickle
RAMP = Schedule(exponential(1.0, 0.05), 1.0, lambda s: 0.03 + 0 * s)
RASTRIGIN = lsa.potentials.rastrigin(dim=4)


def run(potential=RASTRIGIN, n_steps=200, **keywords):
    return anneal(
        potential, None, RAMP, n_steps, **{"replicas": 20, "rng": 5, "record_every": 50} | keywords
    )


def same(a, b):
    for name in ("x", "dx", "noise", "best_x", "best_energy", "step"):
        np.testing.assert_array_equal(getattr(a.state, name), getattr(b.state, name), err_msg=name)
    for name in (
        "energies",
        "best_positions",
        "x",
        "samples",
        "fun",
        "nit",
        "nfev",
        "status",
        "message",
    ):
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    for name in a.history:
        np.testing.assert_array_equal(a.history[name], b.history[name], err_msg=name)


def shuffled(function, parts):
    parts = list(parts)
    random.Random(1).shuffle(parts)
    return map(function, parts)


def futures(function, parts):
    """As Dask's ``client.map`` does."""
    with ThreadPoolExecutor(3) as pool:
        return [pool.submit(function, part) for part in reversed(parts)]


@pytest.mark.parametrize("workers", [map, shuffled, futures], ids=["map", "shuffled", "futures"])
@pytest.mark.parametrize(
    "potential",
    [
        RASTRIGIN,
        Potential(lambda x: (x**4).sum(1), lambda x: 4 * x**3, 3, bounds=(-1, 1)),
        Potential.from_formula(site="x**4/4 - x**2/2", bond="(y - x)**2/2", dim=600),
        lsa.potentials.lennard_jones(5),
    ],
    ids=["formula", "functions", "lattice", "pairs"],
)
def test_any_map(potential, workers):
    """For the lattice 20 replicas take one kernel and 16 or fewer another, whose energies are added
    in another order.
    """
    arguments = {"potential": potential, "samples": True}
    if potential.dim == 15:
        arguments |= {"n_steps": 20}
    same(run(**arguments, workers=workers), run(**arguments))


def test_everything_else_goes_with_workers(tmp_path):
    """Records, stop rules, states, checkpoints and time limits are the caller's own."""
    seen = []
    arguments = dict(n_steps=2000, record_every=20, stop_below=15.0)
    split = run(
        **arguments,
        workers=map,
        callback=lambda intermediate_result: seen.append(intermediate_result.step),
    )
    same(split, run(**arguments))
    assert split.nit < 2000 and seen == split.history.step.tolist()

    def stop(intermediate_result):
        raise StopIteration

    part = run(workers=map, callback=stop, checkpoint=tmp_path / "c.npz")
    assert part.nit == 50 and part.status == 99
    whole = run()
    same(run(workers=map, checkpoint=tmp_path / "c.npz"), whole)
    rest = anneal(RASTRIGIN, None, RAMP, 200, state=part.state, workers=map, record_every=50)
    np.testing.assert_array_equal(rest.state.x, whole.state.x)
    assert run(n_steps=100_000, workers=map, max_seconds=0.2).status == 1


def steps(**keywords):
    return lsa.simulate(
        RASTRIGIN, None, RAMP, 200, **{"replicas": 20, "rng": 5, "record_every": 50} | keywords
    )


def same_snapshots(a, b):
    for s, t in zip(a, b, strict=True):
        assert (s.step, s.temperature, s.eq22, s.best_energy) == (
            t.step,
            t.temperature,
            t.eq22,
            t.best_energy,
        )
        for name in ("x", "dx", "noise", "best_x"):
            np.testing.assert_array_equal(
                getattr(s.state, name), getattr(t.state, name), err_msg=name
            )


def test_simulate_on_a_map(tmp_path):
    """The same snapshots, also from a checkpoint of a run on other workers."""
    whole = list(steps())
    same_snapshots(steps(workers=shuffled), whole)
    part = steps(workers=map, checkpoint=tmp_path / "c.npz")
    next(part), next(part)
    part.close()
    # the second may not have been dealt with
    same_snapshots(steps(checkpoint=tmp_path / "c.npz"), whole[1:])
    with pytest.raises(ValueError, match="workers must be"):
        steps(workers=0)


@pytest.mark.long
@pytest.mark.parametrize("end", ["last step", "closed", "thrown away", "raises"])
def test_processes_of_simulate_end(end):
    if end == "raises":
        run = lsa.simulate(
            Potential.from_formula("-x**4"),
            [2.0],
            Schedule(0.01, 1.0, 0.1),
            1000,
            replicas=2,
            rng=1,
            workers=2,
        )
        with pytest.raises(FloatingPointError, match="non-finite"):
            list(run)
    else:
        run = steps(workers=2)
        first = next(run)
        assert multiprocessing.active_children()
        if end == "last step":
            same_snapshots([first, *run], steps())
        elif end == "closed":
            run.close()
        else:
            del run
    assert not multiprocessing.active_children()


def test_progress(monkeypatch):
    """The bar moves with the slices of the workers."""
    bars = []

    class Bar:
        n = 0

        def __init__(self, **keywords):
            bars.append(self)
            self.moves = []

        def update(self, steps):
            self.n += steps
            self.moves.append(steps)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setattr("tqdm.auto.tqdm", Bar)
    run(n_steps=2000, record_every=2000, workers=map, progress=True)
    assert bars[0].n == 2000 and len(bars[0].moves) > 3


@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_divergence_on_workers(backend):
    cliff = Potential.from_formula("-x**4")
    x0 = np.array([[0.0], [0.1], [2.0], [1.9]])
    a, b = (
        anneal(cliff, x0, Schedule(0.01, 1.0, 0.1), 1000, rng=1, backend=backend, workers=w)
        for w in (1, map)
    )
    assert a.status == b.status == 2 and a.message == b.message and "(replica 2)" in a.message
    assert a.best_energies[2] == b.best_energies[2]  # how far the others get is a matter of slices


def test_compare_on_workers():
    methods = {"anneal": RAMP, "adam": Adam(0.02, 1.0)}
    a, b = (
        compare(RASTRIGIN, methods, replicas=12, n_steps=100, epochs=3, rng=1, workers=w)
        for w in (1, shuffled)
    )
    assert str(a) == str(b)
    np.testing.assert_array_equal(a["anneal"].judged, b["anneal"].judged)


# --------------------------------------------------------------------------------- workers that die


def test_a_map_that_fails_now_and_then():
    calls = []

    def dying(function, parts):
        for part in parts:
            calls.append(1)
            if len(calls) == 40:
                raise ConnectionError("node is gone")
            yield function(part)

    with pytest.warns(
        UserWarning,
        match=r"parts lost their worker and run again \(ConnectionError: node is gone\)",
    ):
        split = run(samples=True, workers=dying)
    same(split, run(samples=True))


def test_one_future_that_fails():
    """Only its part runs again."""
    given = []

    def dying(function, parts):
        out = []
        for part in parts:
            given.append(part[0])
            future: Future = Future()
            if len(given) == 20:
                future.set_exception(ConnectionError("node is gone"))
            else:
                future.set_result(function(part))
            out.append(future)
        return out

    with pytest.warns(UserWarning, match="1 of 16 parts lost their worker"):
        split = run(workers=dying)
    same(split, run())
    assert len(given) % 16 == 1


def test_a_part_that_kills_every_worker(tmp_path):
    def dying(function, parts):
        for part in parts:
            if part[0] == 3 and part[1][1]["x"].any() and started:
                raise ConnectionError("node is gone")
            yield function(part)

    started = []

    def callback(intermediate_result):
        started.append(1)

    with (
        pytest.warns(UserWarning, match="run again"),
        pytest.raises(RuntimeError, match=rf"part 4 of 16 lost its worker {ATTEMPTS} times") as e,
    ):
        run(workers=dying, callback=callback, checkpoint=tmp_path / "c.npz")
    assert isinstance(e.value.__cause__, ConnectionError) and e.value.partial_result.nit == 50
    same(run(checkpoint=tmp_path / "c.npz"), run())


def test_a_map_that_loses_parts():
    with (
        pytest.warns(UserWarning, match="its map left them out"),
        pytest.raises(RuntimeError, match="part 16 of 16"),
    ):
        run(workers=lambda function, parts: map(function, [p for p in parts if p[0] != 15]))


def test_a_map_that_gives_the_last_answers_again():
    given = []

    def late(function, parts):
        given.append(list(map(function, parts)))
        return given[max(0, len(given) - 2)]

    with pytest.raises(RuntimeError, match="answers to another slice"):
        run(workers=late)


class Unpicklable(Exception):
    def __init__(self, a, b):
        super().__init__(f"{a} and {b}")


def broken(x):
    raise Unpicklable("no", "no")


def fails(x):
    if len(x) < 20:
        raise LookupError("no license")
    return (x**2).sum(1)


def gradient(x):
    return 2 * x


def test_exceptions_of_a_worker():
    """The part of a map that fails by itself runs once, and says where it failed."""
    with pytest.raises(LookupError, match="no license") as caught:
        run(Potential(fails, gradient, 2), workers=map)
    assert "in fails" in caught.value.__notes__[0]

    def fussy(x, started=[]):  # noqa: B006
        return broken(x) if len(x) < 20 else (x**2).sum(1)

    # itself where tblib, which Dask loads, lets it pickle
    with pytest.raises((RuntimeError, Unpicklable), match="no and no") as caught:
        run(Potential(fussy, gradient, 2), workers=map)
    assert "in broken" in caught.value.__notes__[0]


def test_what_cannot_be_sent():
    lock = threading.Lock()
    with pytest.raises(TypeError, match=r"what workers= are sent must pickle .*: leave open files"):
        run(Potential(lambda x: (x**2).sum(1) + lock.locked(), gradient, 2), workers=2)


def test_functions_of_no_module_are_sent_by_value():
    """And unpacked once by a process, however often they come."""
    arrived = pickle.dumps(Parcel(lambda x: x + 1))
    assert opened(pickle.loads(arrived)) is opened(pickle.loads(arrived))
    shift = 2.0
    seen = []

    def energy(x):
        seen.append(len(x))
        return (x**2).sum(1) + shift + 0 * len(seen)

    alone, spread = (run(Potential(energy, gradient, 2), workers=workers) for workers in (1, 2))
    np.testing.assert_array_equal(spread.state.x, alone.state.x)
    np.testing.assert_array_equal(spread.energies, alone.energies)


@pytest.mark.long
def test_a_killed_process():
    """SIGKILL to a worker in mid-run: its part runs on another, and no bit changes."""
    killed = []

    def callback(intermediate_result):
        if not killed:
            killed.append(multiprocessing.active_children()[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    with pytest.warns(UserWarning, match=r"run again \(BrokenProcessPool"):
        split = run(n_steps=50_000, record_every=10_000, workers=2, callback=callback, samples=True)
    same(split, run(n_steps=50_000, record_every=10_000, samples=True))
    assert killed and not multiprocessing.active_children()


@pytest.mark.long
def test_team_of_processes_ends():
    with Team(1) as team:
        assert team.run(answer, [3, 4]) == [9, 16]
    assert not multiprocessing.active_children()


def answer(part):
    k, n = part
    return k, n**2


DASK = """
import os, signal, threading, time
import numpy as np
from dask.distributed import Client, LocalCluster
import langevin_sa as lsa

if __name__ == "__main__":
    potential = lsa.potentials.rastrigin(dim=10)
    ramp = lsa.Schedule(lsa.schedules.exponential(5.0, 0.05), 1.0, lambda s: 0.01 + 0 * s)
    arguments = dict(replicas=64, rng=5, record_every=5000, samples=True)
    alone = lsa.anneal(potential, None, ramp, 20_000, **arguments)
    three = dict(n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None)
    with LocalCluster(**three) as cluster, Client(cluster) as client:
        killed = []

        def kill(intermediate_result):
            if not killed:
                killed.append(min(client.run(os.getpid).values()))
                threading.Timer(0.2, os.kill, (killed[0], signal.SIGKILL)).start()

        for callback in (None, kill):
            shared = dict(workers=client.map, callback=callback, progress=True)
            split = lsa.anneal(potential, None, ramp, 20_000, **arguments, **shared)
            for name in ("x", "dx", "noise", "best_x", "best_energy"):
                found, expected = getattr(split.state, name), getattr(alone.state, name)
                np.testing.assert_array_equal(found, expected)
            np.testing.assert_array_equal(split.samples, alone.samples)
            np.testing.assert_array_equal(split.energies, alone.energies)
            assert (split.fun, split.nit, split.status) == (alone.fun, 20_000, 0)
        time.sleep(0.5)
        assert killed and killed[0] not in client.run(os.getpid).values()
    print("same bits")
"""


@pytest.mark.slow
def test_dask(tmp_path):
    """Three real worker processes of dask.distributed, with and without one killed in mid-run."""
    pytest.importorskip("distributed", reason="the extra dask is not installed")
    script = tmp_path / "run_on_dask.py"
    script.write_text(DASK)
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert done.returncode == 0 and "same bits" in done.stdout, done.stderr


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"),
    reason="the system does not tell which processors a process may use",
)
def test_one_worker_for_each_processor_that_this_process_may_use(monkeypatch):
    """A job on a cluster is given a part of its node."""
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3})
    assert Team(-1).parts == processors() == 1
    with mapping(-1) as mapped:
        assert len(set(mapped(worker, range(4)))) == 1


def worker(part):
    return os.getpid()
