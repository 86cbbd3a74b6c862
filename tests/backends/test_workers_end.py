"""Workers end: with the process that began them, with Ctrl-C, with the time limit, and with a
scheduler that is gone.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from concurrent.futures import Future

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa import Potential, Schedule, anneal
from langevin_sa.backends import workers
from langevin_sa.backends.cpu.compiled import compiled_functions
from langevin_sa.backends.workers import mapping

STILL = Schedule(1.0, 1.0, 0.01)
SCRIPT = """
import signal, sys, time
from multiprocessing import active_children, parent_process
import langevin_sa as lsa

def energy(x):
    if parent_process() is not None:
        print("at work", flush=True)
        time.sleep(1000)
    return (x**2).sum(1)

def gradient(x):
    return 2*x

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    U = lsa.Potential(energy, gradient, 2)
    limit = float(sys.argv[1]) or None
    given = dict(replicas=4, rng=1, workers=2, max_seconds=limit)
    result = lsa.anneal(U, None, lsa.Schedule(1., 1., .01), 50, **given)
    print("ended", result.status, len(active_children()), flush=True)
"""


@pytest.fixture
def hung(tmp_path):
    """A run with two workers, one at least of which hangs."""
    started = []

    def begin(limit=0.0):
        (tmp_path / "run.py").write_text(SCRIPT)
        run = subprocess.Popen(
            [sys.executable, str(tmp_path / "run.py"), str(limit)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        started.append(run)
        if not limit:
            assert run.stdout.readline() == "at work\n"
        return run

    yield begin
    for run in started:
        run.kill()
        run.stdout.close()


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_their_parent(hung, sent):
    """None is left, and nobody holds the other end of a pipe: its reader comes to the end."""
    run = hung()
    run.send_signal(sent)
    assert run.wait(10) == -sent
    began = time.monotonic()
    os.set_blocking(run.stdout.fileno(), False)
    while time.monotonic() < began + 10:
        try:
            if not os.read(run.stdout.fileno(), 100):
                break
        except BlockingIOError:
            time.sleep(0.05)
    else:
        pytest.fail("somebody still holds the run's stdout")


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
def test_ctrl_c_does_not_wait_for_a_worker_that_hangs(hung):
    run = hung()
    began = time.monotonic()
    run.send_signal(signal.SIGINT)
    assert run.communicate(timeout=10)[0].splitlines()[-1] == "ended 3 0"
    assert time.monotonic() < began + 8


@pytest.mark.long
def test_the_time_limit_does_not_wait_for_a_worker_that_hangs(hung):
    run = hung(limit=6.0)
    assert run.communicate(timeout=30)[0].splitlines()[-1] == "ended 1 0"


def test_the_time_limit_does_not_wait_for_a_future(monkeypatch):
    """What has answered by then is not lost: the walk stands where the last whole slice left it."""
    monkeypatch.setattr("langevin_sa.backends.workers.GRACE", 0.1)
    asked = []

    def stuck(function, parts):
        asked.append(1)
        if len(asked) < 2:
            return [function(part) for part in parts]
        return [Future() for _ in parts]

    U = lsa.potentials.double_well()
    given = {"replicas": 4, "rng": 1, "record_every": 1}
    alone = next(iter(lsa.simulate(U, None, STILL, 1000, **given)))
    split = anneal(U, None, STILL, 1000, workers=stuck, max_seconds=0.5, **given)
    assert split.status == 1 and split.nit == 1 and split.seconds < 10
    np.testing.assert_array_equal(split.state.x, alone.state.x)


def hangs(x):
    if multiprocessing.parent_process() is not None:
        time.sleep(1000)
    return float((x**2).sum())


@pytest.mark.long
def test_minimize_does_not_wait_for_a_worker_that_hangs():
    found = lsa.minimize(
        hangs,
        [1.0, 1.0],
        bounds=[(-2, 2)] * 2,
        workers=2,
        max_seconds=1.0,
        strategy="population",
        rng=1,
    )
    assert found.status == 1 and "Time limit of 1 s" in found.message
    assert not multiprocessing.active_children()


def leaves(x):
    if len(x) < 4:
        sys.exit("license")
    return (x**2).sum(1)


def twice(x):
    return 2 * x


def exits(x):
    sys.exit("no")


def test_sys_exit_in_a_worker_is_an_error_of_the_call():
    with pytest.raises(RuntimeError, match="SystemExit: license") as caught:
        anneal(Potential(leaves, twice, 2), None, STILL, 50, replicas=4, rng=1, workers=map)
    assert caught.value.partial_result.nit == 0 and "in leaves" in caught.value.__notes__[0]


@pytest.mark.long
def test_sys_exit_in_a_process_is_an_error_of_the_call():
    with pytest.raises(RuntimeError, match="SystemExit in a worker: no"), mapping(1) as mapped:
        mapped(exits, [1])


class Client:
    """Dask's as far as we look at it: a future that nobody brings, a scheduler that is gone."""

    status = "running"

    def scheduler_info(self):
        return {}

    def map(self, function, parts):
        self.status = "connecting"
        return [Future() for _ in parts]


@pytest.mark.parametrize("given", ["client", "its map"])
def test_a_scheduler_that_is_gone(monkeypatch, given):
    monkeypatch.setattr(workers, "LOOK", 0.01)
    monkeypatch.setattr(workers, "LOST", 0.1)
    client = Client()
    with pytest.raises(RuntimeError, match=r"Dask's scheduler has been gone for 0\.1 s"):
        anneal(
            lsa.potentials.double_well(),
            None,
            STILL,
            50,
            replicas=4,
            rng=1,
            workers=client if given == "client" else client.map,
        )
    assert workers.LOST + workers.LOOK < 30


DASK = """
import threading, time
from dask.distributed import Client, LocalCluster
import langevin_sa as lsa

if __name__ == "__main__":
    one = dict(n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None)
    with LocalCluster(**one) as cluster, Client(cluster) as client:
        def gone(intermediate_result, begun=[]):
            if not begun:
                begun.append(time.time())
                threading.Thread(target=cluster.close, daemon=True).start()
            seen[:] = begun
        seen = []
        try:
            lsa.anneal(lsa.potentials.rastrigin(dim=4), None, lsa.Schedule(1., 1., .01), 10**7,
                       replicas=16, rng=1, record_every=1000, workers=client, callback=gone)
        except RuntimeError as error:
            print("refused after", time.time() - seen[0], error, flush=True)
    import os
    os._exit(0)
"""


@pytest.mark.slow
def test_a_scheduler_of_dask_that_is_gone(tmp_path):
    if (
        importlib.util.find_spec("distributed") is None
    ):  # which, imported, changes how errors pickle
        pytest.skip("the extra dask is not installed")
    (tmp_path / "run.py").write_text(DASK)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "run.py")],
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert "refused after" in done.stdout, done.stderr[-3000:]
    assert float(done.stdout.split("refused after")[1].split()[0]) < 30


# ------------------------------------------------------------------------- compiled once a process

FACTOR = 1.0


def one_energy(x):
    return FACTOR * x[0] ** 2


def one_gradient(x, out):
    out[0] = 2 * FACTOR * x[0]


def compiled():
    return compiled_functions.cache_info().misses


def test_numba_functions_are_compiled_once_a_process(monkeypatch):
    """Not once a call, or once a part that a worker is sent; but anew if what they take from
    outside has changed.
    """
    U = Potential.from_numba(one_energy, one_gradient, 1, bounds=(-1, 1))
    anneal(U, None, STILL, 3, replicas=2, rng=1)
    before = compiled()
    again = Potential.from_numba(one_energy, one_gradient, 1, bounds=(-1, 1))
    sent = pickle.loads(pickle.dumps(again))
    assert sent.energy([2.0]) == 4.0 and sent.gradient([2.0]) == 4.0
    for potential in (again, sent):
        anneal(potential, None, STILL, 3, replicas=2, rng=1, workers=lambda f, parts: map(f, parts))
    assert compiled() == before
    monkeypatch.setitem(globals(), "FACTOR", 3.0)
    other = Potential.from_numba(one_energy, one_gradient, 1, bounds=(-1, 1))
    assert other.energy([2.0]) == 12.0 and U.energy([2.0]) == 4.0


def test_what_numba_functions_take_from_outside_may_change_in_place():
    weights = np.array([1.0])

    def energy(x):
        return weights[0] * x[0] ** 2

    def gradient(x, out):
        out[0] = 2 * weights[0] * x[0]

    first = Potential.from_numba(energy, gradient, 1)
    assert first.energy([2.0]) == 4.0
    weights[0] = 3.0
    assert Potential.from_numba(energy, gradient, 1).energy([2.0]) == 12.0


@pytest.mark.long
def test_numba_functions_in_processes():
    U = Potential.from_numba(one_energy, one_gradient, 1, bounds=(-1, 1))
    given = {"replicas": 4, "rng": 1, "record_every": 10}
    split = anneal(U, None, STILL, 40, workers=2, **given)
    np.testing.assert_array_equal(split.x, anneal(U, None, STILL, 40, **given).x)
