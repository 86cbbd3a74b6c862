"""Runs that diverge, and exceptions in the middle of one: what is kept, and what is said."""

from __future__ import annotations

import time

import numpy as np
import pytest

from langevin_sa import Potential, Result, Schedule, anneal, simulate
from langevin_sa.annealing.request import prepare
from langevin_sa.schedules import exponential

HARMONIC = Potential.from_formula("x**2/2")
SCHEDULE = Schedule(exponential(1.0, 0.01), 1.0, 0.1)
CLIFF = Potential.from_formula("-x**4")  # runs away


def slow(x):
    time.sleep(0.002)
    return (x**2).sum(1) / 2


SLOW = Potential(slow, lambda x: x, 1)


def run(potential=HARMONIC, x0=(1.0,), schedule=SCHEDULE, n_steps=100, **keywords):
    return anneal(potential, x0, schedule, n_steps, **{"rng": 1} | keywords)


@pytest.mark.parametrize("backend", ["numba", "numpy"])
@pytest.mark.parametrize("integrator", ["gjf", "bbk"])
def test_divergence(backend, integrator):
    """-x^4 runs away: the run stops, keeps the best finite point, and says where and what omega*dt
    was.
    """
    result = run(
        CLIFF,
        [[0.0], [2.0], [0.1]],
        Schedule(0.01, 1.0, 0.1),
        1000,
        backend=backend,
        integrator=integrator,
    )
    assert (result.success, result.status) == (False, 2)
    assert np.isfinite(result.x).all() and np.isfinite(result.fun)
    assert (
        "The energy became non-finite at step" in result.message
        and "no curvature was seen in the start region" in result.message
    )
    assert "wrong sign: check_gradient=True tells" in result.message
    assert "(replica 1)" in result.message
    assert (
        np.isfinite(result.energies).all()
        and np.isfinite(result.state.x).all()
        and np.isfinite(result.state.dx).all()
    )
    assert np.isfinite(result.best_positions).all() and np.isfinite(result.best_energies).all()
    np.testing.assert_allclose(CLIFF.energy(result.state.x), result.energies, rtol=1e-12)
    np.testing.assert_allclose(
        CLIFF.energy(result.best_positions), result.best_energies, rtol=1e-12
    )
    assert result.fun == result.best_energies.min() < -1e100
    step = int(result.message.split("at step ")[1].split()[0])
    assert result.nit <= step


def test_divergence_step_is_the_same_for_any_slices():
    messages = {
        run(
            CLIFF,
            [[0.0], [2.0]],
            Schedule(0.01, 1.0, 0.1),
            1000,
            backend=backend,
            record_every=every,
        ).message
        for backend in ("numba", "numpy")
        for every in (1, 3, 1000)
    }
    assert len(messages) == 1, messages


def test_divergence_of_array_functions():
    potential = Potential(lambda x: -(x[:, 0] ** 4), lambda x: -4 * x**3, 1)
    with np.errstate(all="ignore"):
        result = run(potential, [[0.0], [2.0]], Schedule(0.01, 1.0, 0.1), 1000)
    assert result.status == 2 and np.isfinite(result.fun) and np.isfinite(result.state.x).all()


def test_stiff_region_far_from_the_start():
    """Stable at the start, not at the wall: the message helps."""
    wall = Potential.from_formula("x**2/2 + x**20 - 3*x")
    result = run(wall, [0.0], Schedule(1.0, 0.5, 0.4), 2000, replicas=4)
    assert (
        result.status == 2
        and "omega*dt was 0.4 in the start region and must stay below 2 everywhere"
        in result.message
    )
    assert "smaller dt" in result.message and np.isfinite(result.fun)


def test_simulate_raises():
    steps = simulate(CLIFF, [2.0], Schedule(0.01, 1.0, 0.1), 1000, record_every=1, rng=1)
    seen = []
    with pytest.raises(
        FloatingPointError, match=r"non-finite at step \d+ \(replica 0\); no curvature was seen"
    ):
        for snapshot in steps:
            seen.append(snapshot)
    assert len(seen) >= 2 and all(np.isfinite(s.energy).all() for s in seen)


def test_exception_in_the_callback():
    def callback(intermediate_result):
        if intermediate_result.step == 30:
            raise RuntimeError("disk on fire")

    with pytest.raises(RuntimeError, match="disk on fire") as caught:
        run(record_every=10, callback=callback)
    partial = caught.value.partial_result
    assert isinstance(partial, Result) and (partial.success, partial.nit) == (False, 30)
    assert partial.message == "RuntimeError at step 30: disk on fire" and np.isfinite(partial.fun)
    np.testing.assert_array_equal(partial.history.step, [10, 20, 30])


def test_exception_in_the_potential():
    calls = []

    def energy(x):
        calls.append(1)
        if len(calls) > 200:
            raise OSError("license server is gone")
        return (x**2).sum(1)

    with pytest.raises(OSError, match="license server") as caught:
        run(Potential(energy, lambda x: 2 * x, 1), n_steps=10_000, record_every=10)
    partial = caught.value.partial_result
    assert isinstance(partial, Result) and 0 < partial.nit < 200 and np.isfinite(partial.fun)
    np.testing.assert_allclose(partial.energies, (partial.state.x**2).sum(1))


def test_exception_in_the_schedule():
    """A law that works when it is checked and fails later."""
    calls, works = [], np.inf

    def law(s):
        calls.append(1)
        if len(calls) > works:
            raise LookupError("no such temperature")
        return 1.0 + 0 * s

    asked = (HARMONIC, [1.0], Schedule(law, 1.0, 0.1), 200_000)
    prepare(*asked)
    works = len(calls) + 1  # one piece of the run
    calls.clear()
    with pytest.raises(LookupError, match="no such temperature") as caught:
        anneal(*asked, rng=1, record_every=100)
    assert isinstance(caught.value.partial_result, Result)
    assert 0 < caught.value.partial_result.nit < 200_000


def test_check_gradient_passes_a_right_one():
    assert run(SLOW, n_steps=3, check_gradient=True).status == 0
    assert (
        run(
            Potential.from_formula(site="x**4", bond="(x - y)**2", dim=5),
            np.ones(5),
            n_steps=3,
            check_gradient=True,
        ).status
        == 0
    )
