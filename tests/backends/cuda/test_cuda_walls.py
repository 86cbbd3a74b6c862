"""Walls on the GPU: a step that fails turns back as on the CPU."""

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa import Potential

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
