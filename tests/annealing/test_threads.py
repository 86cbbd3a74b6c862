"""The same bits under any number of threads and any threading layer of numba, in forks and fresh
processes, and side by side.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa import Potential, Schedule, anneal, simulate

RAMP = Schedule(lsa.schedules.exponential(1.0, 0.05), 1.0, 0.02)
POTENTIALS = {
    "formula": (lsa.potentials.rastrigin(dim=4), 300, 60),
    "functions": (
        Potential(lambda x: (x**4).sum(1), lambda x: 4 * x**3, 3, bounds=(-1, 1)),
        8000,
        60,
    ),
    "lattice": (
        Potential.from_formula(
            site="x**4/4 - x**2/2", bond="(y - x)**2/2", shape=(256, 256), bounds=(-1, 1)
        ),
        1,
        30,
    ),
}

SCRIPT = """
import hashlib, sys
import numpy as np
import langevin_sa as lsa
from langevin_sa import Potential, Schedule, anneal

def bits(name):
    from test_threads import POTENTIALS, RAMP
    potential, replicas, n = POTENTIALS[name]
    return anneal(potential, None, RAMP, n, replicas=replicas, rng=3).state.x

def in_child(queue):
    queue.put({name: bits(name) for name in ("formula", "functions", "lattice")})

if __name__ == "__main__":
    how, path = sys.argv[1:]
    if how == "here":
        found = {name: bits(name) for name in ("formula", "functions", "lattice")}
    else:
        import multiprocessing
        context = multiprocessing.get_context(how)
        bits("formula"), bits("lattice")  # threads have been used before the child is made
        queue = context.Queue()
        child = context.Process(target=in_child, args=(queue,))
        child.start()
        found = queue.get(timeout=120)
        child.join()
        assert child.exitcode == 0
    np.savez(path, **found)
"""


@pytest.fixture(scope="module")
def expected():
    return {
        name: anneal(potential, None, RAMP, n, replicas=r, rng=3, threads=1).state.x
        for name, (potential, r, n) in POTENTIALS.items()
    }


@pytest.mark.long
@pytest.mark.parametrize(
    ("how", "environment"),
    [
        ("here", {"NUMBA_NUM_THREADS": "1", "NUMBA_THREADING_LAYER": "workqueue"}),
        pytest.param(
            "here",
            {"NUMBA_NUM_THREADS": "2", "NUMBA_THREADING_LAYER": "omp"},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "here",
            {"NUMBA_NUM_THREADS": "2", "NUMBA_THREADING_LAYER": "workqueue"},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "here",
            {"NUMBA_NUM_THREADS": "1", "NUMBA_THREADING_LAYER": "omp"},
            marks=pytest.mark.slow,
        ),
        ("fork", {}),
        pytest.param("spawn", {}, marks=pytest.mark.slow),
        pytest.param("fork", {"NUMBA_THREADING_LAYER": "omp"}, marks=pytest.mark.slow),
        pytest.param("spawn", {"NUMBA_THREADING_LAYER": "workqueue"}, marks=pytest.mark.slow),
    ],
    ids=lambda v: v if isinstance(v, str) else "-".join(v.values()) or "default",
)
def test_layers_and_processes(expected, tmp_path, how, environment):
    script, path = tmp_path / "run.py", tmp_path / "bits.npz"
    script.write_text(SCRIPT)
    here = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment}
    done = subprocess.run(
        [sys.executable, str(script), how, str(path)],
        capture_output=True,
        text=True,
        timeout=300,
        env=here,
    )
    assert done.returncode == 0, done.stderr
    with np.load(path) as found:
        for name, x in expected.items():
            np.testing.assert_array_equal(found[name], x, err_msg=name)


@pytest.mark.parametrize("name", POTENTIALS)
def test_two_threads_at_once(expected, name):
    """Two simulations in one process, step by step between each other, with another seed beside
    them.
    """
    potential, replicas, n = POTENTIALS[name]

    def run(seed):
        *_, last = simulate(potential, None, RAMP, n, replicas=replicas, rng=seed, record_every=5)
        return last.state.x

    with ThreadPoolExecutor(3) as pool:
        same, other, again = pool.map(run, (3, 4, 3))
    np.testing.assert_array_equal(same, expected[name])
    np.testing.assert_array_equal(again, expected[name])
    assert not np.array_equal(other, same)


def test_new_formulas_in_two_threads_at_once():
    """Both print, compile and load the same source."""
    constant = int.from_bytes(os.urandom(6))  # not in any cache

    def run(_):
        potential = Potential.from_formula(f"(x**2 - 1)**2 + {constant}e-20*x", bounds=(-2, 2))
        return anneal(potential, None, RAMP, 50, replicas=8, rng=3).state.x

    with ThreadPoolExecutor(2) as pool:
        a, b = pool.map(run, range(2))
    np.testing.assert_array_equal(a, b)


def test_a_simulation_that_is_forked():
    """A child that goes on with its parent's simulation, whose threads it has not."""
    code = """
import os, signal, sys
import numpy as np
import langevin_sa as lsa
potential = lsa.potentials.rastrigin(dim=10)
how = dict(replicas=3000, rng=1, record_every=20, threads=2)
steps = lsa.simulate(potential, None, lsa.Schedule(0.5, 1.0, 0.01), 60, **how)
next(steps)
pid = os.fork()
last = [s.state.x for s in steps][-1]
if not pid:
    os._exit(0 if last.shape == (3000, 10) else 1)
import time
for _ in range(300):
    done, status = os.waitpid(pid, os.WNOHANG)
    if done:
        sys.exit(os.waitstatus_to_exitcode(status))
    time.sleep(0.1)
os.kill(pid, signal.SIGKILL)
sys.exit("the child hangs")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
