"""The test functions of benchmarks/functions.py have the minima that the literature gives, and
exact gradients.
"""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize

FOLDER = Path(__file__).parents[2] / "benchmarks"
PI = np.pi
MINIMIZERS = {
    "rosenbrock": np.ones(10),
    "zakharov": np.zeros(10),
    "styblinski-tang": np.full(6, -2.903534),
    "schwefel 5": np.full(5, 420.9687),
    "schwefel 10": np.full(10, 420.9687),
    "dixon-price": 2.0 ** -(1 - 2.0 ** -np.arange(10)),
    "trid": np.arange(1, 7) * (7 - np.arange(1, 7)),
    "alpine 1": np.zeros(5),
    "alpine 2": np.full(4, 7.917053),
    "powell singular": np.zeros(8),
    "whitley": np.ones(3),
    "brown": np.zeros(6),
    "schwefel 2.22": np.zeros(4),
    "paviani": np.full(10, 9.350266),
    "hartmann 3": [0.114614, 0.555649, 0.852547],
    "hartmann 6": [0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573],
    "shekel 5": [4.00004, 4.00013, 4.00004, 4.00013],
    "shekel 7": [4.00057, 4.00069, 3.99949, 3.99961],
    "shekel 10": [4.00075, 4.00059, 3.99966, 3.99951],
    "colville": np.ones(4),
    "kowalik": [0.192833, 0.190836, 0.123117, 0.135766],
    "easom": [PI, PI],
    "eggholder": [512, 404.2319],
    "holder table": [8.05502, 9.66459],
    "cross-in-tray": [1.34941, 1.34941],
    "goldstein-price": [0, -1],
    "branin": [PI, 2.275],
    "six-hump camel": [0.0898, -0.7126],
    "shubert": [-7.083506, 4.858057],
    "hansen": [-7.58989583, -7.70831466],
    "beale": [3, 0.5],
    "himmelblau": [3, 2],
    "mccormick": [-0.54719, -1.54719],
    "bukin 6": [-10, 1],
    "bird": [4.70104, 3.15294],
    "levy 13": [1, 1],
    "ursem 1": [1.69714, 0],
    "hosaki": [4, 2],
    "trefethen": [-0.024403, 0.210612],
    "chichinadze": [6.1898666, 0.5],
    "langermann": [2.002992, 1.006096],
    "adjiman": [2, 0.10578],
}


def functions():
    spec = importlib.util.spec_from_file_location("functions", FOLDER / "functions.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["functions"] = module  # dataclasses look it up
    spec.loader.exec_module(module)
    return module.FUNCTIONS


FUNCTIONS = functions()


def test_there_are_forty_of_two_to_thirty_dimensions():
    assert len({f.name for f in FUNCTIONS}) == len(FUNCTIONS) >= 40
    assert min(f.dim for f in FUNCTIONS) == 2 and max(f.dim for f in FUNCTIONS) == 30


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.name)
def test_the_minimum_is_where_the_literature_says(function):
    f = function.moved(3)
    if f.central:
        start, value = f.shift, float(f(f.shift))
    elif function.name.startswith("michalewicz"):  # a sum over coordinates
        grid = np.linspace(0, PI, 200_001)
        start = np.array(
            [
                grid[np.argmin(-np.sin(grid) * np.sin(i * grid**2 / PI) ** 20)]
                for i in range(1, f.dim + 1)
            ]
        )
        value = float(f(start))
    else:
        start = np.array(MINIMIZERS[f.name], dtype=float)
        with np.errstate(all="ignore"):
            value = min(
                float(f(start)),
                minimize(f, start, jac=f.gradient, bounds=f.bounds, method="L-BFGS-B").fun,
            )
    low, high = np.array(f.bounds).T
    assert np.all((low <= start) & (start <= high))
    assert value == pytest.approx(f.minimum, abs=2e-6 * max(1, abs(f.minimum)))


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.name)
def test_nothing_is_lower(function):
    f = function.moved(4)
    low, high = np.array(f.bounds).T
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        assert np.nanmin(f(rng.uniform(low, high, (20_000, f.dim)))) > f.minimum - 1e-9 * max(
            1, abs(f.minimum)
        )


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.name)
def test_gradients_are_exact(function):
    f = function.moved(5)
    low, high = np.array(f.bounds).T
    x = low + (high - low) * np.random.default_rng(1).uniform(0.3, 0.7, f.dim)
    h = 1e-6 * (high - low)
    differences = [(float(f(x + d)) - float(f(x - d))) / (2 * d.sum()) for d in np.diag(h)]
    gradient = f.gradient(x)
    if f.name != "weierstrass":  # as fine as the difference
        np.testing.assert_allclose(
            differences, gradient, rtol=2e-3, atol=2e-3 * np.abs(gradient).max() + 1e-7
        )
