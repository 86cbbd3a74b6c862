"""Every number of a run's history is a function of the call: not of the clock that cuts it into
slices, nor of threads and workers.
"""

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa import CoolMomentum, Potential, Schedule, anneal
from langevin_sa.schedules import exponential, linear, quench, stepwise


def jitted():
    import numba

    @numba.njit
    def energy(x):
        return np.sum((x**2 - 1) ** 2)

    def gradient(x, out):
        for i in range(x.size):
            out[i] = 4 * x[i] * (x[i] ** 2 - 1)

    return Potential.from_numba(energy, gradient, 3, bounds=(-2, 2))


WELL = Potential.from_formula(site="(x**2 - 1)**2 + 0.3*x", dim=3, bounds=(-2, 2))
COOLING = exponential(1.0, 0.05)
RAMP = Schedule(COOLING, 1.0, 0.05)
RUNS = {
    "one rho": {},
    "a rho that changes": {"schedule": Schedule(COOLING, 1.0, linear(0.05, 0.03))},
    "a rho that changes twice, within records": {
        "schedule": Schedule(COOLING, stepwise([(0, 0.5), (0.33, 2.0), (0.71, 0.5)]), 0.05)
    },
    "single noise": {"integrator": "bbk", "schedule": Schedule(COOLING, 1.0, linear(0.05, 0.03))},
    "overdamped": {
        "integrator": "leimkuhler_matthews",
        "schedule": Schedule(COOLING, 1.0, linear(0.01, 0.005)),
    },
    "CoolMomentum": {"schedule": CoolMomentum(0.004, 0.9, 1.0)},
    "float32": {"dtype": "float32", "schedule": Schedule(COOLING, quench(1.0, 2.0, 0.43), 0.05)},
    "NumPy": {"backend": "numpy"},
    "functions": {
        "potential": Potential(lambda x: (x**4).sum(1), lambda x: 4 * x**3, 3, bounds=(-1, 1)),
        "replicas": 6800,
    },
    "numba functions": {"potential": jitted(), "replicas": 3},
    "pairs": {"potential": lsa.potentials.lennard_jones(5), "schedule": Schedule(0.1, 1.0, 0.005)},
    "lattice": {
        "potential": Potential.from_formula(site="x**4/4 - x**2/2", bond="(y - x)**2/2", dim=600),
        "replicas": 2,
    },
    "large lattice, float32": {
        "potential": Potential.from_formula(
            site="x**4/4 - x**2/2", bond="(y - x)**2/2", shape=(40, 60), bounds=(-1, 1)
        ),
        "replicas": 1,
        "dtype": "float32",
    },
    "fluid": {
        "potential": lsa.potentials.lennard_jones_fluid(108, cutoff=2.0),
        "schedule": Schedule(0.7, 1.0, 0.004),
        "replicas": 2,
    },
    "mini-batches": {
        "potential": lsa.potentials.logistic_regression(batch_size=30),
        "schedule": Schedule(0.01, 1.0, 0.05),
    },
}


def run(potential=WELL, schedule=RAMP, **keywords):
    return anneal(
        potential,
        None,
        schedule,
        200,
        **{"replicas": 40, "rng": 3, "record_every": 90, "threads": 1} | keywords,
    )


def same(a, b):
    for name in a.history:
        np.testing.assert_array_equal(a.history[name], b.history[name], err_msg=name)
    for name in ("x", "best_x", "best_energy"):
        np.testing.assert_array_equal(getattr(a.state, name), getattr(b.state, name), err_msg=name)


@pytest.mark.long
@pytest.mark.parametrize("name", RUNS)
def test_history_is_a_function_of_the_call(monkeypatch, name):
    """In slices of one step or of as many as there are, on two threads, on workers."""
    monkeypatch.setattr("langevin_sa.annealing.run.SLICE_SECONDS", 1e9)
    whole = run(**RUNS[name])
    same(run(**RUNS[name], threads=2), whole)
    same(run(**RUNS[name], workers=lambda f, parts: map(f, list(parts)[::-1])), whole)
    for most in (1, 7):
        monkeypatch.setattr("langevin_sa.annealing.run.LONGEST_SLICE", most)
        same(run(**RUNS[name]), whole)
