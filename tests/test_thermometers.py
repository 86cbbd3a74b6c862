"""Thermometers and their errors, on series whose answers are known."""

import warnings

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa import thermometers
from langevin_sa.potentials import double_well, harmonic

GENERATOR = np.random.default_rng(5)


def ar1(n, rho, columns=1):
    """A series of unit variance with correlation rho between neighbours: its mean is worth n (1 -
    rho)/(1 + rho) samples.
    """
    x = GENERATOR.standard_normal((n, columns))
    for t in range(1, n):
        x[t] = rho * x[t - 1] + np.sqrt(1 - rho**2) * x[t]
    return x


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_blocking_finds_the_error_of_a_correlated_mean(rho):
    n = 2**14
    found = np.array([thermometers.blocking(series) for series in ar1(n, rho, 60).T])
    exact = np.sqrt((1 + rho) / (1 - rho) / n)
    assert found[:, 0].std() == pytest.approx(exact, rel=0.3)  # the series are what they should be
    assert found[:, 1].mean() == pytest.approx(exact, rel=0.12)
    assert np.median(found[:, 2]) == pytest.approx(n * (1 - rho) / (1 + rho), rel=0.25)
    z = found[:, 0] / found[:, 1]
    assert np.mean(np.abs(z) < 2) > 0.85


def test_a_series_too_short_for_its_error_says_so():
    for series in ar1(200, 0.95, 5).T:
        with pytest.warns(RuntimeWarning, match="lower bound"):
            thermometers.blocking(series)
    thermometers.blocking(ar1(40, 0.0)[:, 0])


@pytest.mark.parametrize("n", [20, 31, 63])
@pytest.mark.parametrize(("rho", "warned"), [(0.0, (0, 0.05)), (0.9, (0.8, 1))])
def test_short_series_have_honest_errors(n, rho, warned):
    """Too short for blocks; before, the error of the correlated ones came out 4 to 6 times too
    small, without a warning.
    """
    x = np.random.default_rng([n, 1]).standard_normal((n + 100, 600))
    for t in range(1, n + 100):
        x[t] = rho * x[t - 1] + np.sqrt(1 - rho**2) * x[t]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = np.array([thermometers.blocking(series) for series in x[100:].T])
    assert 0.75 < found[:, 0].std() / found[:, 1].mean() < 1.35
    assert warned[0] <= len(said) / 600 <= warned[1]


def test_effective_sample_size_is_at_most_the_number_of_samples():
    assert thermometers.effective_sample_size(np.arange(100) % 2) <= 100
    assert thermometers.effective_sample_size(np.ones(50)) == 50


def test_many_replicas_give_the_error_by_their_spread():
    values = ar1(200, 0.9, 400)
    found = thermometers.average(values)
    assert found.standard_error == pytest.approx(values.mean(0).std(ddof=1) / 20)
    assert found.effective_samples < values.size / 5
    long = ar1(4000, 0.5)
    assert thermometers.average(long) == thermometers.blocking(long[:, 0])
    assert "independent samples" in str(found)


def test_bad_series():
    for wrong in (np.ones((3, 3)), [1.0], [1.0, np.nan]):
        with pytest.raises(ValueError, match="a series is"):
            thermometers.blocking(wrong)


def samples(integrator, gamma=0.5, dt=0.8, T=0.7):
    run = lsa.simulate(
        harmonic(dim=2, k=1.0),
        np.zeros((3000, 2)),
        lsa.Schedule(T, gamma, dt),
        900,
        integrator=integrator,
        record_every=30,
        rng=3,
    )
    kept = [(snapshot.state.x, snapshot.state.dx) for snapshot in run][3:]
    return (np.array(v) for v in zip(*kept, strict=True))


@pytest.mark.filterwarnings("ignore:omega")  # bbk is too hot here, as its law says
@pytest.mark.parametrize("integrator", ["bbk", "gjf", "baoab"])
def test_every_thermometer_on_a_run(integrator):
    """T = 0.7 at omega*dt = 0.8: each law of PHYSICS.md by the thermometer that users call."""
    gamma, dt, T, well = 0.5, 0.8, 0.7, harmonic(dim=2, k=1.0)
    x, dx = samples(integrator)
    steps = lsa.INTEGRATORS[integrator].steps(gamma, dt, T)
    conf, eq22, kinetic = (T * float(v) for v in steps.stationary(dt**2))
    for found, exact in (
        (thermometers.configurational(well, x), conf),
        (thermometers.virial(well, x), conf),
        (thermometers.eq22(dx, dt), eq22),
        (thermometers.eq22(dx, dt, rescaled=True), eq22 * dt**2),
        (thermometers.kinetic(dx, gamma, dt, integrator), kinetic),
    ):
        assert abs(found.value - exact) < 4.5 * found.standard_error
        assert 0 < found.standard_error < 0.01 * exact


def test_error_of_the_configurational_ratio():
    """Over 40 sets of exact samples of a double well, deviations are as large as the errors say."""
    U, T = double_well(tilt=0.3), 0.5
    grid = np.linspace(-2.5, 2.5, 4001)
    cumulative = np.cumsum(thermometers.boltzmann_density(U, T, [grid]))
    draw = np.interp(GENERATOR.uniform(0, cumulative[-1], (40, 20, 200, 1)), cumulative, grid)
    found = np.array([thermometers.configurational(U, x)[:2] for x in draw])
    z = (found[:, 0] - T) / found[:, 1]
    assert abs(z.mean()) < 0.8
    assert 0.65 < z.std() < 1.4


def test_no_temperature_where_the_laplacian_is_negative():
    with pytest.raises(ValueError, match="mean Laplacian"):
        thermometers.configurational(double_well(tilt=0.0), np.zeros((10, 1)))


def test_boltzmann_quadrature():
    x = np.linspace(-8, 8, 801)
    density = thermometers.boltzmann_density(harmonic(dim=2, k=1.0), 0.7, [x, x])
    np.testing.assert_allclose(np.trapezoid(np.trapezoid(density, x), x), 1)
    np.testing.assert_allclose(density.max(), 1 / (2 * np.pi * 0.7), rtol=1e-10)
    assert thermometers.boltzmann_average(
        harmonic(dim=2, k=1.0), 0.7, lambda x: x[:, 0] ** 2, [x, x]
    ) == pytest.approx(0.7, rel=1e-9)
    edges = np.linspace(-1, 1, 11)
    bins = thermometers.boltzmann_bins(harmonic(k=1.0), 0.7, [edges], margin=6.0)
    assert bins.sum() == pytest.approx(0.7680, abs=2e-4)  # erf(1/sqrt(2*0.7))
    assert bins.shape == (10,)
    with pytest.raises(ValueError, match="one axis for each"):
        thermometers.boltzmann_density(harmonic(dim=2, k=1.0), 0.7, [x])
