"""Correlations in time."""

from __future__ import annotations

import numpy as np
import pytest
from hostile import refused

from langevin_sa import Potential, Schedule, anneal
from langevin_sa.observables import autocorrelation, diffusion, mean_square_displacement

RNG = np.random.default_rng(1)


@pytest.mark.parametrize("shape", [(30,), (30, 4), (30, 4, 3)])
def test_autocorrelation_in_plain_words(shape):
    series = RNG.standard_normal(shape).cumsum(0)
    a = series - series.mean((0, 1)[: len(shape)])
    expected = [np.mean([(a[t] * a[t + lag]).sum() for t in range(30 - lag)]) for lag in range(11)]
    found = autocorrelation(series, 10)
    np.testing.assert_allclose(found, np.array(expected) / expected[0], rtol=1e-12)
    assert autocorrelation(7 * series + 5, 10) == pytest.approx(found)


def test_autocorrelation_of_a_mode():
    """x in a harmonic well with much friction: one time of correlation, which the recursion knows
    to the last digit.
    """
    U, h = Potential.from_formula("x**2/2"), 0.1
    run = anneal(
        U,
        RNG.standard_normal((20_000, 1)),
        Schedule(1.0, 1.0, h),
        60,
        integrator="leimkuhler_matthews",
        rng=2,
        record_every=1,
        samples=True,
    )
    found = autocorrelation(run.samples, 10)
    lag = np.arange(11)
    exact = np.where(lag == 0, 1.0, (1 - h) ** (lag - 1.0) * (1 - h / 2))
    assert found == pytest.approx(exact, abs=0.015)


def test_displacements_in_plain_words():
    x = RNG.standard_normal((20, 16, 6)).cumsum(0)
    expected = [
        np.mean([((x[t + lag] - x[t]) ** 2).sum(-1) for t in range(20 - lag)]) for lag in range(6)
    ]
    np.testing.assert_allclose(mean_square_displacement(x, 5), expected, rtol=1e-12)
    np.testing.assert_allclose(
        mean_square_displacement(x, 5, particles=2), np.array(expected) / 2, rtol=1e-12
    )
    slope = np.mean([((x[t + 4] - x[t]) ** 2 - (x[t + 1] - x[t]) ** 2).sum(-1) for t in range(16)])
    found = diffusion(x, 0.5, (1, 4), particles=2)
    assert found.value == pytest.approx(slope / (2 * 2 * 3 * 3 * 0.5))


@pytest.mark.parametrize("replicas", [1, 32])
def test_diffusion_knows_its_error(replicas):
    """Of random walks, whose origins are correlated over the longer lag."""
    x = RNG.standard_normal((40_000 // replicas, replicas, 3)).cumsum(0)
    found = diffusion(x, 2.0, (2, 4))
    assert abs(found.value - 0.25) < 4.5 * found.standard_error
    assert 0.007 < found.standard_error / 0.25 < 0.014


def test_diffusion_of_free_particles():
    """D = T/gamma of gjf, whatever the step; velocities are forgotten after the first lag."""
    free = Potential.from_formula("0*x + 0*y")
    x0 = np.zeros((20_000, 2))
    schedule = Schedule(2.0, 4.0, 0.5)
    run = anneal(free, x0, schedule, 60, rng=5, record_every=5, samples=True)
    found = diffusion(run.samples[2:], 2.5, (1, 4))
    assert abs(found.value - 0.5) < 4.5 * found.standard_error < 0.013


@pytest.mark.parametrize(
    "call, why",
    [
        (lambda: autocorrelation([1.0]), "two records"),
        (lambda: autocorrelation(np.ones(9)), "constant"),
        (lambda: autocorrelation(np.arange(9.0), 9), "lags"),
        (lambda: autocorrelation([1, np.nan, 2]), "finite"),
        (lambda: mean_square_displacement(np.ones((9, 5)), particles=2), "multiple"),
        (lambda: diffusion(np.ones((9, 2)), 1.0, (3, 3)), "ascend"),
        (lambda: diffusion(np.ones((9, 2)), 1.0, (3, 8)), "two origins"),
        (lambda: diffusion(np.ones((9, 2)), -1.0, (3, 4)), "time"),
    ],
)
def test_what_has_no_correlation_is_refused(call, why):
    refused(call, ValueError, why)
