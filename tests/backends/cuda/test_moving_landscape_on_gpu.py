"""Parameters that change on the GPU, and their work, as on the CPU."""

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa.schedules import linear

FORMULA = lsa.Potential.from_formula
LAW = {"a": linear(1.0, 2.0)}
BOND = "(y - x)**2/2"
GRID = 1.3 * np.stack(np.meshgrid(*[np.arange(3)] * 3), -1).reshape(1, -1)
SYSTEMS = {
    "replicas": (FORMULA("a*x*log(x) + y**2/2", **LAW), np.linspace(0.2, 1.8, 10).reshape(5, 2)),
    "lattice": (FORMULA(site="a*x**4/4", bond=BOND, dim=40, **LAW), np.ones((2, 40))),
    "pairs": (
        FORMULA(pair="a*(r**-12 - r**-6)", particles=27, box=5.2, cutoff=2.5, **LAW),
        np.repeat(GRID, 2, axis=0),
    ),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_work_is_that_of_the_cpu(gpu, name):
    U, x0 = SYSTEMS[name]
    schedule = lsa.Schedule(0.5, 1.0, 0.2 if name == "replicas" else 0.01)

    def run(backend, **keywords):
        return lsa.anneal(U, x0, schedule, 30, rng=3, backend=backend, **keywords)

    there, here = run("cupy"), run("numpy")
    assert (here.failures > 1) == (name == "replicas")
    for what in ("work", "energies", "best_energies"):
        np.testing.assert_allclose(there[what], here[what], rtol=1e-9)
    for column in ("energy_mean", "work", "heat"):
        np.testing.assert_allclose(there.history[column], here.history[column], rtol=1e-7)
    np.testing.assert_array_equal(run("cupy", record_every=7).work, there.work)
