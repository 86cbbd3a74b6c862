"""The drivers: what a run hands back, how it stops, and what happens when something goes wrong."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from scipy.optimize import OptimizeResult

from langevin_sa import CoolMomentum, Momentum, Potential, Result, Schedule, State, anneal, simulate
from langevin_sa.schedules import exponential, linear

HARMONIC = Potential.from_formula("x**2/2")
BOWL = Potential.from_formula(site="x**2/2", dim=3, bounds=(-4, 4))
WELL = Potential.from_formula("(x**2 - 1)**2 + 0.3*x", bounds=(-2, 2))
SCHEDULE = Schedule(exponential(1.0, 0.01), 1.0, 0.1)


def slow(x):
    time.sleep(0.002)
    return (x**2).sum(1) / 2


SLOW = Potential(slow, lambda x: x, 1)


def run(potential=HARMONIC, x0=(1.0,), schedule=SCHEDULE, n_steps=100, **keywords):
    return anneal(potential, x0, schedule, n_steps, **{"rng": 1} | keywords)


# ---------------------------------------------------------------------------------- what comes back


def test_fields():
    result = run(BOWL, None, n_steps=200, replicas=5, record_every=20)
    assert isinstance(result, Result) and isinstance(result, OptimizeResult)
    assert result.x.shape == (3,) and result.x.dtype == float and isinstance(result.fun, float)
    assert (result.success, result.status, result.nit, result.nfev, result.njev) == (
        True,
        0,
        200,
        5 * 201,
        5 * 201 + 5 * 10,  # thermometers, of 10 records
    )
    assert result.message == "Schedule of 200 steps finished."
    assert result.energies.shape == result.best_energies.shape == (
        5,
    ) and result.best_positions.shape == (5, 3)
    assert isinstance(result.state, State) and (
        result.state.step,
        result.state.seed,
        result.seed,
    ) == (200, 1, 1)
    for array in (result.state.x, result.state.dx, result.state.noise, result.state.best_x):
        assert array.shape == (5, 3)
    measured = "temperature eq22 configurational squares laplacian"
    columns = f"step target {measured} energy_mean energy_min best failures".split()
    assert set(result.history) == set(columns)
    assert all(len(result.history[name]) == 10 for name in columns)
    np.testing.assert_array_equal(result.history.step, np.arange(20, 201, 20))
    assert result.samples is None and result.schedule is SCHEDULE
    assert (result.integrator, result.n_steps, result.potential_name) == ("gjf", 200, "site x**2/2")
    assert 0 < result.seconds < 60


@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_the_best_is_the_best(backend):
    """Of every visited step, not only of the recorded ones."""
    result = run(WELL, None, n_steps=300, replicas=4, record_every=300, backend=backend)
    visited = run(
        WELL, None, n_steps=300, replicas=4, record_every=1, samples=True, backend=backend
    )
    start = np.random.default_rng([1, 1]).uniform(-2, 2, (4, 1))
    energies = np.array([WELL.energy(x) for x in (start, *visited.samples)])
    np.testing.assert_allclose(result.best_energies, energies.min(0), rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(result.energies, energies[-1], rtol=1e-12)
    assert (
        result.fun == result.best_energies.min()
        and result.x == result.best_positions[result.best_energies.argmin()]
    )
    np.testing.assert_allclose(
        WELL.energy(result.best_positions), result.best_energies, rtol=1e-13, atol=1e-14
    )


def test_history_columns():
    """Means over each interval, against a run that keeps every step."""
    law = linear(2.0, 1.0)
    result = run(BOWL, None, Schedule(law, 1.0, 0.1), 120, replicas=6, record_every=40)
    every = run(BOWL, None, Schedule(law, 1.0, 0.1), 120, replicas=6, record_every=1, samples=True)
    h = result.history
    np.testing.assert_allclose(
        h.target, law(np.arange(120) / 120).reshape(3, 40).mean(1), rtol=1e-10
    )
    np.testing.assert_allclose(
        h.temperature, every.history.temperature.reshape(3, 40).mean(1), rtol=1e-10
    )
    np.testing.assert_allclose(h.eq22, every.history.eq22.reshape(3, 40).mean(1), rtol=1e-10)
    energies = np.array([BOWL.energy(x) for x in every.samples])
    np.testing.assert_allclose(h.energy_mean, energies[39::40].mean(1), rtol=1e-12)
    np.testing.assert_allclose(h.energy_min, energies[39::40].min(1), rtol=1e-12)
    np.testing.assert_allclose(h.squares, (every.samples[39::40] ** 2).sum((1, 2)), rtol=1e-10)
    np.testing.assert_allclose(h.laplacian, 18, rtol=1e-10)
    np.testing.assert_allclose(
        h.configurational, (every.samples[39::40] ** 2).sum((1, 2)) / 18, rtol=1e-10
    )
    dx = np.diff(every.samples, axis=0)
    np.testing.assert_allclose(every.history.eq22[1:], (dx**2).mean((1, 2)) / 0.01, rtol=1e-8)
    assert (np.diff(h.best) <= 0).all()


@pytest.mark.parametrize(
    ("n_steps", "record_every", "steps"),
    [
        (1000, None, np.arange(10, 1001, 10)),
        (7, None, np.arange(1, 8)),
        (250, None, np.arange(2, 251, 2)),
        (100, 30, [30, 60, 90, 100]),
        (100, 1000, [100]),
        (1, None, [1]),
    ],
)
def test_records(n_steps, record_every, steps):
    np.testing.assert_array_equal(
        run(n_steps=n_steps, record_every=record_every).history.step, steps
    )
    snapshots = list(simulate(HARMONIC, [1.0], SCHEDULE, n_steps, record_every=record_every, rng=1))
    assert [snapshot.step for snapshot in snapshots] == list(steps)


def test_records_change_nothing():
    one = run(WELL, [0.5], n_steps=500, replicas=3)
    for record_every in (1, 7, 500):
        other = run(WELL, [0.5], n_steps=500, replicas=3, record_every=record_every, samples=True)
        np.testing.assert_array_equal(other.state.x, one.state.x)
        np.testing.assert_array_equal(other.best_energies, one.best_energies)


def test_samples():
    result = run(BOWL, None, n_steps=100, replicas=2, record_every=25, samples=True)
    assert result.samples.shape == (4, 2, 3)
    np.testing.assert_array_equal(result.samples[-1], result.state.x)
    assert not np.array_equal(result.samples[0], result.samples[1])


def test_default_replicas():
    assert len(run(BOWL, None).energies) == 64
    assert len(run(BOWL, [0.0, 0.0, 0.0]).energies) == 1
    assert len(run(BOWL, np.zeros((7, 3))).energies) == 7
    assert len(run(BOWL, np.zeros(3), replicas=5).energies) == 5
    assert len(run(HARMONIC, 1.0).energies) == 1
    assert len(run(BOWL, np.zeros((7, 3)), replicas=7).energies) == 7


def test_start_is_left_alone_and_drawn_in_the_domain():
    x0 = np.ones((2, 3))
    run(BOWL, x0)
    np.testing.assert_array_equal(x0, 1)
    first = next(simulate(BOWL, None, Schedule(0.0, 1.0, 1e-6), 1, rng=3))
    assert np.abs(first.state.x).max() <= 4.001 and np.abs(first.state.x).max() > 3


def test_seeds():
    assert run(rng=7).fun == run(rng=7).fun != run(rng=8).fun
    one, two = (run(rng=np.random.default_rng(5)) for _ in range(2))
    assert one.seed == two.seed and one.fun == two.fun
    free = run(rng=None)
    assert run(rng=free.seed).fun == free.fun
    generator = np.random.default_rng(5)
    assert run(rng=generator).seed != run(rng=generator).seed


def test_snapshots():
    snapshots = list(simulate(BOWL, None, SCHEDULE, 40, replicas=3, record_every=10, rng=1))
    result = run(BOWL, None, n_steps=40, replicas=3, record_every=10)
    for name in ("temperature", "target", "eq22", "configurational", "squares", "laplacian"):
        np.testing.assert_array_equal([getattr(s, name) for s in snapshots], result.history[name])
    assert (
        snapshots[0].energy.shape == (3,)
        and snapshots[0].best_x.shape == (3,)
        and isinstance(snapshots[0].best_energy, float)
    )
    assert not np.array_equal(snapshots[0].state.x, snapshots[1].state.x)  # copies
    np.testing.assert_array_equal(snapshots[-1].state.x, result.state.x)
    for snapshot in snapshots:
        np.testing.assert_allclose(BOWL.energy(snapshot.state.x), snapshot.energy, rtol=1e-13)
    rest = list(simulate(BOWL, None, SCHEDULE, 40, record_every=10, state=snapshots[1].state))
    np.testing.assert_array_equal(rest[-1].state.x, result.state.x)


@pytest.mark.parametrize(
    "potential",
    [WELL, Potential(lambda x: (x[:, 0] ** 2 - 1) ** 2, lambda x: 4 * x * (x**2 - 1), 1)],
    ids=["formula", "array"],
)
def test_float32(potential):
    """Positions are stored with 24 bits, energies with 53; thermometers read the same."""
    single = run(potential, [0.5], n_steps=400, replicas=50, dtype="float32")
    double = run(potential, [0.5], n_steps=400, replicas=50)
    assert (
        single.state.x.dtype == np.float32
        and single.energies.dtype == np.float64
        and single.x.dtype == np.float64
    )
    assert np.isfinite(single.fun)
    np.testing.assert_allclose(single.history.temperature, double.history.temperature, rtol=1e-3)
    np.testing.assert_allclose(single.best_energies, double.best_energies, atol=1e-3)
    half = next(
        simulate(
            potential, [0.5], SCHEDULE, 400, replicas=50, dtype="float32", record_every=200, rng=1
        )
    ).state
    np.testing.assert_array_equal(
        anneal(potential, None, SCHEDULE, 400, state=half, dtype="float32").state.x, single.state.x
    )


@pytest.mark.parametrize(
    "schedule",
    [CoolMomentum(0.01, 0.9, 1.0), Momentum(0.9, 0.01, 0.05), Momentum(0.5, linear(0.1, 0.01))],
)
def test_other_schedules(schedule):
    result = run(WELL, [0.5], schedule, 200, replicas=4)
    assert result.status == 0 and result.schedule is schedule
    assert result.history.target[0] == pytest.approx(
        np.mean(schedule.coefficients(200).temperature[:2])
    )


# ------------------------------------------------------------------------------------- ways to stop


def test_stop_below():
    result = run(n_steps=100_000, record_every=10, stop_below=1e-3)
    assert result.success and result.status == 0 and result.fun <= 1e-3
    assert result.message == f"Target energy 0.001 reached at step {result.nit}."
    assert result.nit == result.history.step[-1] == result.state.step < 100_000
    assert result.history.best[-2] > 1e-3 if len(result.history.best) > 1 else True
    assert run(stop_below=-1.0).message == "Schedule of 100 steps finished."


def test_patience():
    result = run(n_steps=100_000, record_every=50, patience=1000)
    assert (
        result.success
        and result.message == f"No lower energy for 1000 steps, at step {result.nit}."
    )
    best, step = result.history.best, result.history.step
    last = step[np.flatnonzero(best[:-1] - best[1:] > 1e-8)[-1] + 1]
    assert last + 1000 <= result.nit <= last + 1050


def test_max_seconds():
    started = time.perf_counter()
    result = run(SLOW, n_steps=100_000, max_seconds=0.3)
    assert time.perf_counter() - started < 1.5
    assert (result.success, result.status) == (False, 1) and 0 < result.nit < 100_000
    assert result.message == f"Time limit of 0.3 s reached at step {result.nit} of 100000."
    assert result.history.step[-1] == result.nit and np.isfinite(result.fun)
    np.testing.assert_allclose(result.energies, (result.state.x**2).sum(1) / 2)


def test_max_seconds_of_a_fast_kernel():
    started = time.perf_counter()
    result = run(
        BOWL,
        None,
        Schedule(1.0, 1.0, 0.1),
        3_000_000,
        replicas=256,
        max_seconds=0.4,
        record_every=3_000_000,
    )
    assert time.perf_counter() - started < 2.5
    assert result.status == 1 and len(result.history.step) == 1


def test_callback():
    seen = []

    def callback(intermediate_result):
        seen.append(intermediate_result)

    result = run(BOWL, None, replicas=3, record_every=25, callback=callback)
    assert [r.nit for r in seen] == [r.step for r in seen] == [25, 50, 75, 100]
    assert [r.nfev for r in seen] == [3 * 26, 3 * 51, 3 * 76, 3 * 101]
    assert seen[-1].fun == result.fun and isinstance(seen[0], OptimizeResult)
    np.testing.assert_array_equal([r.temperature for r in seen], result.history.temperature)
    np.testing.assert_array_equal([r.energy.mean() for r in seen], result.history.energy_mean)
    np.testing.assert_array_equal(seen[-1].x, result.x)
    seen[0].x[:] = np.nan  # copies


def test_callback_cannot_change_the_run():
    def vandal(intermediate_result):
        intermediate_result.x[:] = np.nan
        intermediate_result.energy[:] = np.nan

    assert run(callback=vandal).fun == run().fun


def test_callback_stops():
    def callback(intermediate_result):
        if intermediate_result.step >= 50:
            raise StopIteration

    result = run(record_every=10, callback=callback)
    assert (result.success, result.status, result.nit) == (False, 99, 50)
    assert result.message == "Stopped by the callback at step 50."
    np.testing.assert_array_equal(result.history.step, [10, 20, 30, 40, 50])
    rest = anneal(HARMONIC, None, SCHEDULE, 100, state=result.state)
    np.testing.assert_array_equal(rest.state.x, run().state.x)


def test_callback_of_three_arguments_stops_by_true():
    """As in SciPy's dual_annealing: told x, f and a context."""
    seen = []

    def callback(x, f, context):
        seen.append((HARMONIC.energy(x), f, context))
        return len(seen) == 5 or None

    result = run(record_every=10, callback=callback)
    assert (result.success, result.status, result.nit) == (False, 99, 50)
    assert result.message == "Stopped by the callback at step 50."
    assert all(f == pytest.approx(at) and context == 0 for at, f, context in seen)
    assert run(record_every=10, callback=lambda x: np.float64(1)).success
    with pytest.raises(TypeError, match=r"of x, f and context, not of \(x, f\)"):
        run(callback=lambda x, f: None)


def test_ctrl_c_in_a_callback():
    def callback(intermediate_result):
        if intermediate_result.step >= 50:
            raise KeyboardInterrupt

    result = run(record_every=10, callback=callback, samples=True)
    assert (result.success, result.status, result.nit) == (False, 3, 50)
    assert result.message == "Interrupted at step 50 of 100."
    assert np.isfinite(result.fun) and len(result.samples) == 5


SIGNALLED = """
import os, signal, sys, threading, time, traceback
from langevin_sa import Potential, Schedule, anneal
# a shell's background job inherits that it is ignored
signal.signal(signal.SIGINT, signal.default_int_handler)
U = Potential.from_formula(site="(x**2 - 1)**2 + 0.3*x", dim=20, bounds=(-2, 2))
if {warm}: anneal(U, None, Schedule(), 20, replicas=512, rng=1)
sent = []
def kill(main):
    moving = 0
    while moving < 20:
        time.sleep(0.02)
        stack = traceback.walk_stack(sys._current_frames()[main])
        moving += any(frame.f_code.co_name == "_move" for frame, _ in stack)
    sent.append(time.perf_counter())
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=kill, args=[threading.get_ident()]).start()
r = anneal(U, None, Schedule(0.5, 1.0, 0.02), 10_000_000, replicas=512, rng=1,
           record_every=5_000_000, checkpoint={checkpoint!r})
late = time.perf_counter() - sent[0]
print(r.status, r.nit, late, r.state.step, len(r.history.step), r.fun)
print(abs(U.energy(r.state.x) - r.energies).max(), U.energy(r.x) - r.fun)
"""


def test_ctrl_c_in_a_kernel(tmp_path):
    """A real SIGINT in the middle of a long run: back within a second, with all that was
    computed.
    """
    code = SIGNALLED.format(warm=True, checkpoint=str(tmp_path / "c.npz"))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    status, nit, late, step, records, fun, error, best_error = map(float, done.stdout.split())
    assert status == 3 and late < 1.0
    assert 0 < nit == step < 10_000_000 and records == 0
    assert fun < 0 and error < 1e-12 and abs(best_error) < 1e-12
    assert State.load(tmp_path / "c.npz").step == nit


# ---------------------------------------------------------------------- progress, checkpoints, bias


def test_progress_is_silent_on_pipes():
    code = (
        "from langevin_sa import *; anneal(Potential.from_formula('x**2'), [1.0], Schedule(), "
        "1000, progress=True)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_nothing_is_printed_unless_asked(capfd):
    run(progress=False)
    assert capfd.readouterr() == ("", "")


def test_checkpoint(tmp_path):
    path = tmp_path / "c.npz"

    def callback(intermediate_result):
        if intermediate_result.step == 50:
            raise StopIteration

    part = run(WELL, None, replicas=4, record_every=10, callback=callback, checkpoint=path)
    assert [p.name for p in tmp_path.iterdir()] == ["c.npz"]
    state = State.load(path)
    assert state.step == part.nit == 50
    rest = anneal(WELL, None, SCHEDULE, 100, state=state, record_every=10, checkpoint=str(path))
    whole = run(WELL, None, replicas=4, record_every=10)
    np.testing.assert_array_equal(rest.state.x, whole.state.x)
    np.testing.assert_array_equal(rest.best_energies, whole.best_energies)
    np.testing.assert_array_equal(rest.history.step, whole.history.step)
    np.testing.assert_array_equal(rest.history.temperature, whole.history.temperature)
    assert (rest.fun, rest.nit, rest.nfev) == (whole.fun, 100, whole.nfev)
    assert State.load(path).step == 100


def test_checkpoint_after_an_exception(tmp_path):
    def callback(intermediate_result):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        run(record_every=30, callback=callback, checkpoint=tmp_path / "c.npz")
    assert State.load(tmp_path / "c.npz").step == 30


def test_threads_change_nothing():
    one, two = (run(BOWL, None, n_steps=300, replicas=300, threads=threads) for threads in (1, 2))
    np.testing.assert_array_equal(one.state.x, two.state.x)
    np.testing.assert_array_equal(one.best_energies, two.best_energies)


def test_signals_are_left_as_they_were():
    before = signal.getsignal(signal.SIGINT)
    run()
    assert signal.getsignal(signal.SIGINT) is before
