"""`minimize` of functions whose values scatter: the noise is measured, said, and no minima are made
of it.
"""

from __future__ import annotations

import numpy as np
import pytest

import langevin_sa as lsa

BOX = [(-5.0, 5.0)] * 5


def noisy(size, times=1.0):
    rng = np.random.default_rng(5)
    return lambda x: times * (float(((x - 0.3) ** 2).sum()) + size * rng.standard_normal())


def rough(x):
    return float(np.abs(x - 0.3).sum())


def steps(x):
    return float(np.floor(7 * np.abs(x - 0.31)).sum())


def offset(x):
    return 1e9 + float(((x - 0.3) ** 2).sum())


def waves(x):
    return float((x**2 - 10 * np.cos(2 * np.pi * x)).sum())


@pytest.mark.parametrize("size", [1e-8, 1e-5, 1e-3])
def test_noise_is_told_and_makes_no_minima(size):
    r = lsa.minimize(noisy(size), np.full(5, 2.0), bounds=BOX, rng=1)
    assert r.success and len(r.minima) <= 10 and r.nfev < 5000
    assert "Values scatter by about" in r.message
    said = float(r.message.split("scatter by about ")[1].split(":")[0])
    assert size / 4 < said < 4 * size
    assert ((r.x - 0.3) ** 2).sum() < size


@pytest.mark.parametrize("fun", [rough, steps, offset, waves])
def test_what_is_no_noise_is_not_taken_for_it(fun):
    r = lsa.minimize(fun, np.full(5, 2.0), bounds=BOX, rng=1, maxfev=3000)
    assert "scatter" not in r.message


def test_noise_goes_with_the_unit_of_the_energy():
    one, other = (
        lsa.minimize(noisy(1e-5, times), np.full(5, 2.0), bounds=BOX, rng=1, maxfev=3000)
        for times in (1.0, 2.0**40)
    )
    np.testing.assert_array_equal(one.x, other.x)
    assert other.fun == 2.0**40 * one.fun


def test_a_search_with_noise_goes_on_to_the_same_bits(tmp_path):
    def fun(x):  # noise that a point has once and for all
        return float(((x - 0.3) ** 2).sum()) + 1e-5 * float(np.modf(1e6 * np.sin(1e8 * x))[0].sum())

    given = {"bounds": BOX, "rng": 1}
    whole = lsa.minimize(fun, np.full(5, 2.0), maxfev=2000, **given)
    assert "scatter" in whole.message
    file = tmp_path / "search.npz"
    lsa.minimize(fun, np.full(5, 2.0), maxfev=1000, checkpoint=file, **given)
    again = lsa.minimize(fun, np.full(5, 2.0), maxfev=2000, checkpoint=file, **given)
    np.testing.assert_array_equal(whole.x, again.x)
    assert whole.nfev == again.nfev
