"""The law of the normals to the last word, and of 10^9 of them in the order in which replicas and
steps use them (`benchmarks/normals.py`).
"""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

FOLDER = Path(__file__).parents[1] / "benchmarks"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def normals():
    sys.path.insert(0, str(FOLDER))
    yield importlib.import_module("normals")
    sys.path.remove(str(FOLDER))


def test_law_of_the_construction(normals):
    """Every first word, second words spread evenly: no statistical error. Beyond 6 sigma, where
    only 65 first words lead, a thousandth of the normal law's tail is missing.
    """
    moments, shares, largest = normals.construction(32, 1 << 32)
    np.testing.assert_allclose(moments, normals.MOMENTS[1:7], rtol=2e-6, atol=1e-5)
    assert largest == pytest.approx(np.sqrt(66 * np.log(2)), rel=4e-6)
    np.testing.assert_allclose(shares, normals.SHARES, rtol=0, atol=1e-7)
    for sigma, error in ((3, 1e-6), (4, 1e-5), (5, 1e-5), (6, 2e-3)):
        assert normals.tail_of_construction(sigma) == pytest.approx(2 * norm.sf(sigma), rel=error)


@pytest.mark.parametrize("seed", [1, 2**40 + 17])
def test_a_thousand_million_draws(normals, seed):
    for what, value, errors in normals.deviations(*normals.draw(1e9, seed)):
        assert abs(errors) < 4.5, f"{what}: {value}, {errors:.1f} standard errors"
