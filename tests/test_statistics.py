"""Statistics against SciPy's, and by hand."""

import itertools

import numpy as np
import pytest
from scipy import stats

from langevin_sa.statistics import Interval, bootstrap_mean, fit_law, time_to_solution, wilson


def test_wilson_by_hand():
    assert wilson(8, 10) == pytest.approx((0.8, 0.49016, 0.94332), abs=1e-5)
    with pytest.raises(ValueError, match="0 <= successes"):
        wilson(3, 2)


@pytest.mark.parametrize("unit", [1e-200, 1.0, 1e200])
def test_bootstrap_knows_no_unit(unit):
    """And is SciPy's with the skewness, without which its ends are 0.07 and 0.22 lower."""
    sample = np.random.default_rng(1).exponential(size=20)
    found = stats.bootstrap((sample,), np.mean, method="BCa", n_resamples=20_000, rng=2)
    low, high = found.confidence_interval
    ours = np.array(bootstrap_mean(unit * sample)) / unit
    np.testing.assert_array_less(np.abs(ours - (sample.mean(), low, high)), (1e-9, 0.03, 0.08))
    assert bootstrap_mean([1.0, np.inf]) == pytest.approx((np.inf, np.nan, np.nan), nan_ok=True)


def test_bootstrap_of_values_alike_but_for_rounding():
    for zeros, ones, seed in itertools.product(range(1, 12), range(1, 12), range(4)):
        sample = np.repeat([0.0, 1.0], [zeros, ones])
        noise = 1e-9 * np.random.default_rng(seed).standard_normal(zeros + ones)
        assert bootstrap_mean(sample + noise) == pytest.approx(bootstrap_mean(sample), abs=1e-8)


def test_bootstrap_by_hand():
    sample = np.random.default_rng(1).exponential(size=80)
    assert bootstrap_mean(sample, 5) == bootstrap_mean(sample, 5)
    assert bootstrap_mean([2.0, 2.0]) == (2.0, 2.0, 2.0)
    assert bootstrap_mean([2.0]) == pytest.approx((2.0, np.nan, np.nan), nan_ok=True)


def test_time_to_solution_by_hand():
    tts = time_to_solution(Interval(0.5, 0.1, 0.995), 100)
    assert tts == pytest.approx(
        (100 * np.log(0.01) / np.log(0.5), 100, 100 * np.log(0.01) / np.log(0.9))
    )
    assert tts.value == pytest.approx(664.386, abs=1e-3)
    assert time_to_solution(Interval(0.0, 0.0, 0.1), 100).value == np.inf


def test_laws_are_found_again():
    n = np.array([100, 300, 1000, 3000, 10_000, 30_000])
    noise = 1 + 0.02 * np.random.default_rng(1).normal(size=n.size)
    for law, clock in (("power", n), ("logarithmic", np.log(n))):
        y = 5.0 * clock**-0.7 * noise
        fit = fit_law(law, n, y, 0.02 * y)
        assert abs(fit.zeta - 0.7) < 4 * fit.zeta_error and fit.p > 0.01 and fit.r2 > 0.95
        np.testing.assert_allclose(fit(n), y, rtol=0.1)
    power = fit_law("power", n, 5.0 * n**-0.7 * noise, 0.1 * n**-0.7)
    assert power.aic + 10 < fit_law("logarithmic", n, 5.0 * n**-0.7 * noise, 0.1 * n**-0.7).aic
    with pytest.raises(ValueError, match="three points"):
        fit_law("power", n[:2], n[:2] * 1.0, n[:2] * 0.1)
