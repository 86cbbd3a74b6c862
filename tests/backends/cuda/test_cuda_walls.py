"""Walls on the GPU: a step that fails turns back as on the CPU."""

import fake_cupy
import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa import Potential
from langevin_sa.backends.choose import get_backend
from langevin_sa.backends.walk import ARRAYS, Walk
from langevin_sa.integrators import INTEGRATORS

SCHEDULE = lsa.Schedule(lsa.schedules.exponential(1.0, 0.3), 1.0, lambda s: 0.2 - 0.1 * s)
LOG = Potential.from_formula("x*log(x) + y**2/2", bounds=(0.1, 2))
CHAIN = Potential.from_formula(site="(x - 1)**2 + 0.1*sqrt(x)", bond="(x - y)**2/2", dim=40)
PAIRS = Potential.from_formula(pair="(r - 1)**2 + 0.2*sqrt(r - 0.6)", particles=9, space=2)


def inside(x):
    return np.where((x > 0) & (x < 1), 0.0, np.nan)


FLAT = Potential(lambda x: inside(x).sum(1), inside, 2, name="a box")
STARTS = {
    "log": (LOG, np.linspace(0.2, 1.8, 10).reshape(5, 2)),
    "chain": (CHAIN, np.linspace(0.6, 1.4, 120).reshape(3, 40)),
    "pairs": (PAIRS, np.tile([0, 0, 1, 0, 2, 0, 0, 1, 1, 1, 2, 1, 0, 2, 1, 2, 2, 2.0], (3, 1))),
    "functions": (FLAT, np.linspace(0.2, 0.8, 6).reshape(3, 2)),
}


def run(name, backend, **keywords):
    U, x0 = STARTS[name]
    settings = {"record_every": 60, "rng": 3} | keywords
    return lsa.anneal(U, x0, SCHEDULE, 120, backend=backend, **settings)


@pytest.mark.filterwarnings("ignore:omega")
@pytest.mark.parametrize("integrator", ["gjf", "bbk"])
@pytest.mark.parametrize("name", STARTS)
def test_turns_back_as_on_the_cpu(gpu, name, integrator):
    there, here = (run(name, b, integrator=integrator) for b in ("cupy", "numpy"))
    assert here.failures > 10 and there.message == here.message
    np.testing.assert_array_equal(there.state.failures, here.state.failures)
    np.testing.assert_array_equal(there.history.failures, here.history.failures)
    for what in ("x", "dx", "noise", "best_x"):
        np.testing.assert_allclose(
            getattr(there.state, what), getattr(here.state, what), rtol=1e-9, atol=1e-11
        )
    cut = run(name, "cupy", integrator=integrator, record_every=7)
    for what in ("x", "dx", "noise", "failures"):
        np.testing.assert_array_equal(getattr(cut.state, what), getattr(there.state, what))


def test_only_replicas_that_turn_back_go_again(gpu):
    """In a second launch of an `advance`, made where there are any."""
    U, x0 = STARTS["log"]
    walks, launches = [Walk.at_rest(x0, 1) for _ in "ab"], []
    moves = [get_backend(b, U)(U, w, 1) for b, w in zip(("numba", "cupy"), walks, strict=True)]
    for walk in walks:
        walk.wall = True
    for temperature in (0.0, 3.0, 0.0):
        fake_cupy.counts.clear()
        before = walks[0].failures[:, 0].copy()
        moves[1].turned.set(np.ones(len(x0), dtype=np.int32))  # of a slice that was interrupted
        for backend in moves:
            backend.advance(INTEGRATORS["gjf"].steps(np.full(20, 1.0), 0.05, temperature))
        failed = walks[0].failures[:, 0] > before
        launches.append((fake_cupy.counts["launches"], failed.any()))
        assert not failed.all()
        for name in ARRAYS:
            ulps = 8 if name in ("dx2", "kinetic") else 0  # added up in another order
            np.testing.assert_array_almost_equal_nulp(*(getattr(w, name) for w in walks), ulps)
    assert set(launches) == {(1, False), (2, True)}
