"""The Lennard-Jones fluid against NIST; `benchmarks/nist.py` in small."""

from __future__ import annotations

import numpy as np
import pytest

from langevin_sa import Schedule, anneal, observables, potentials, schedules
from langevin_sa.thermometers import average

# NIST Standard Reference Simulation Website, NVT Monte Carlo, T = 0.85, cut at 3 sigma, with tails
NIST = {
    0.776: ((-5.5121, 4.55e-4), (6.7714e-3, 1.72e-3)),
    0.86: ((-6.0305, 2.38e-3), (1.2660, 1.36e-2)),
}


@pytest.mark.slow
@pytest.mark.parametrize("density", NIST)
def test_energy_and_pressure(density):
    T, N = 0.85, 500
    U = potentials.lennard_jones_fluid(N, density, cutoff=3.0)

    def fluid(x):
        u = observables.energy(U, x, tail=True) / N
        return np.stack([u, observables.pressure(U, x, T, tail=True)], axis=-1)

    run = anneal(
        U,
        schedule=Schedule(schedules.stepwise([(0, 3 * T), (0.08, T)]), 1.0, 0.004),
        n_steps=12_000,
        replicas=16,
        rng=1,
        record_every=400,
        observables={"fluid": observables.PerReplica(fluid)},
    )
    found = run.history.fluid[10:]
    for k, (reference, error) in enumerate(NIST[density]):
        ours = average(found[:, :, k])
        assert abs(ours.value - reference) < 4 * np.hypot(ours.standard_error, error)
        assert ours.standard_error < 0.03
