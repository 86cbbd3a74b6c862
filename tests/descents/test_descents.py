"""Descents of many replicas at once."""

import numpy as np
import pytest
from scipy import optimize

import langevin_sa as lsa
from langevin_sa.descents.batched import descend

WELL = lsa.potentials.double_well(tilt=0.3)


@pytest.mark.parametrize(
    "potential",
    [
        WELL,
        lsa.potentials.muller_brown(),
        lsa.potentials.rastrigin(3),
        lsa.potentials.lennard_jones(7),
    ],
)
def test_descent_ends_in_minima_as_scipys_does(potential):
    x, energy = descend(potential, potential.draw_start(12, np.random.default_rng(1)))
    assert np.abs(potential.gradient(x)).max() < 1e-5 * max(1, np.abs(energy).max())
    np.testing.assert_allclose(potential.energy(x), energy)
    shifts = 1e-3 * np.random.default_rng(2).normal(size=(20, *x.shape))
    assert all(np.all(potential.energy(x + shift) > energy) for shift in shifts)
    start = x[:4] + 1e-2  # in the same basins
    scipys = [
        optimize.minimize(
            potential.energy, p, jac=potential.gradient, method="BFGS", options={"gtol": 1e-4}
        ).fun
        for p in start
    ]
    np.testing.assert_allclose(descend(potential, start)[1], scipys, atol=1e-6)


def test_descent_of_one_does_not_depend_on_the_others():
    start = WELL.draw_start(9, np.random.default_rng(2))
    np.testing.assert_array_equal(descend(WELL, start)[0][4], descend(WELL, start[4])[0][0])
