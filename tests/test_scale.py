"""The natural length and energy of a potential, and differences that step by them."""

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa.scale import MOST_TRIES, difference, spread

pytestmark = pytest.mark.filterwarnings("ignore:no gradient given")
X = np.array([[-1.4], [-0.3], [0.2], [1.1], [1.9]])
SLOPE = 4 * X * (X**2 - 1) + 0.3
UNITS = [2.0**-40, 2.0**-7, 2.0**33]


def well(length=1.0, energy=1.0, centre=0.0, offset=0.0, bounds=True, gradient=False):
    """A tilted double well by its energies alone."""

    def slope(x):
        u = (x - centre) / length
        return energy / length * (4 * u * (u**2 - 1) + 0.3)

    def value(x):
        u = (x[:, 0] - centre) / length
        return energy * ((u**2 - 1) ** 2 + 0.3 * u) + offset

    box = (centre - 2 * length, centre + 2 * length) if bounds else None
    return lsa.Potential(value, slope if gradient else None, dim=1, bounds=box)


@pytest.mark.parametrize("bounds", [True, False])
@pytest.mark.parametrize("length", UNITS)
@pytest.mark.parametrize("energy", UNITS)
def test_differences_do_not_know_the_units(length, energy, bounds):
    """Powers of two change no bit, except of the slope's own exponent."""
    here, there = well(bounds=bounds), well(length, energy, bounds=bounds)
    expected = here.gradient(X) * (energy / length)
    np.testing.assert_array_equal(there.gradient(X * length), expected)
    here, there = (well(*units, bounds=bounds, gradient=True) for units in ((), (length, energy)))
    expected = here.laplacian(X) * (energy / length**2)
    np.testing.assert_array_equal(there.laplacian(X * length), expected)
    expected = lsa.tuning.largest_curvature(here, X) * (energy / length**2)
    assert lsa.tuning.largest_curvature(there, X * length) == expected
    assert there.check_gradient(X * length) == here.check_gradient(X)


@pytest.mark.parametrize("bounds", [True, False])
@pytest.mark.parametrize(
    ("length", "centre", "within"), [(1e-9, 0, 1e-8), (1, 1e5, 1e-8), (1, -1e8, 1e-4)]
)
def test_differences_do_not_know_the_origin(length, centre, within, bounds):
    """Beyond the rounding of x, which is 1e-8 of the well at the last one."""
    slope = well(length, 1.0, centre, bounds=bounds).gradient(centre + length * X) * length
    np.testing.assert_allclose(slope, SLOPE, atol=within)


def test_differences_do_not_know_the_zero_of_energy():
    np.testing.assert_allclose(well(offset=1e6).gradient(X), SLOPE, atol=1e-4)


@pytest.mark.parametrize("bounds", [(-1e6, 1e6), (-1e-3, 1e-3)])
def test_bounds_may_be_far_from_what_bends(bounds):
    U = lsa.Potential(lambda x: np.sin(x[:, 0]), dim=1, bounds=bounds)
    np.testing.assert_allclose(U.gradient(X), np.cos(X), rtol=1e-7)


def test_differences_beside_a_wall():
    U = lsa.Potential(lambda x: x[:, 0] * np.log(x[:, 0]), dim=1, bounds=(0, 3))
    x = np.array([[1e-7], [1e-3], [1.0]])
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(U.gradient(x), np.log(x) + 1, rtol=1e-5)


def test_a_row_does_not_know_the_others_and_few_points_are_looked_at():
    calls = []

    def energy(x):
        calls.append(len(x))
        return np.cos(3 * x).sum(1)

    U = lsa.Potential(energy, dim=2)
    x = np.random.default_rng(0).normal(size=(50, 2)) * [[1.0, 3.0]]
    together = U.gradient(x)
    assert sum(calls) < 50 * (1 + 2 * 2) * 1.2
    np.testing.assert_array_equal(together[7], U.gradient(x[7]))
    calls.clear()
    U.gradient(np.zeros(2))  # a minimum, where differences say nothing of their own error
    assert sum(calls) <= 1 + 2 * (2 + 2 * 2)


def test_a_difference_of_noise_ends():
    calls = []

    def noise(x):
        calls.append(len(x))
        return np.random.default_rng(len(calls)).normal(size=len(x))

    difference(noise, X, np.full_like(X, 1e-5))
    assert len(calls) <= 3 + 2 * MOST_TRIES


def test_length_of_a_domain():
    assert well(3.0).scale.length == 6.0
    box = lsa.Potential.from_formula("x**2 + y**2", bounds=[(-1, 1), (100, 300)])
    np.testing.assert_array_equal(box.scale.length, [1, 100])
    own = lsa.Potential.from_formula(
        "x**2 + y**2", start=lambda n, g: g.normal(size=(n, 2)) * [1, 9]
    )
    np.testing.assert_allclose(own.scale.length, [1, 9], rtol=0.3)


@pytest.mark.parametrize("factor", UNITS)
def test_energy_is_that_of_inherent_structures(factor):
    wells = (-0.305428, 0.294165)
    assert 0.1 < well().scale.energy / (wells[1] - wells[0]) < 1
    assert well(energy=factor).scale.energy == factor * well().scale.energy
    assert well(length=factor).scale.energy == well().scale.energy
    np.testing.assert_allclose(well(offset=1e3).scale.energy, well().scale.energy, rtol=1e-6)


def test_energy_of_one_basin_and_of_none():
    parabola = lsa.Potential.from_formula("k*x**2", k=1e-21, bounds=(-1, 1))
    assert 1e-26 < parabola.scale.energy < 1e-23
    flat = lsa.Potential(lambda x: 0 * x[:, 0] + 7, dim=1, bounds=(0, 1))
    assert flat.scale.energy == 0


def test_a_wall_is_no_spread():
    energies = np.append(np.linspace(0, 1, 90), np.full(10, 1e15))
    assert spread(energies) < 1
