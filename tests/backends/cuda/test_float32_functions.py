"""Array functions of a float32 run compute in float32, whatever numbers stand in them."""

import warnings

import fake_cupy
import numpy as np
import pytest
from parity import NAMES, start

import langevin_sa as lsa
from langevin_sa import Potential, potentials

SCHEDULE = lsa.Schedule(1.0, 1.0, 0.05)
HALF, A = np.float64(0.5), np.sqrt([1.0, 2.0, 3.0])
WAYS = {  # gradients, all of them slower in float64
    "a number from outside": lambda x: 2 * HALF * x,
    "a number made within": lambda x: x / np.sqrt(2.0) * np.sqrt(np.float64(2)),
    "a whole number": lambda x: np.int64(2) * x - x / np.arange(1, 2)[0],
    "a power": lambda x: x ** np.float64(1.0),
    "after a sum": lambda x: x + np.float64(0) * x.sum(1)[:, None],
    "after a mean by name": lambda x: x + np.float64(0) * np.mean(x, axis=1, keepdims=True),
    "after a product of matrices": lambda x: (
        x + np.float64(0) * (x @ np.eye(3, dtype=x.dtype, like=x))
    ),
    "after indices": lambda x: x + np.float64(0) * x[:, [1, 2, 0]],
    "chosen": lambda x: np.where(x > np.float64(9), np.float64(9), x),
    "cut off": lambda x: np.clip(x, np.float64(-99), np.float64(99)),
    "stacked": lambda x: np.stack([HALF * 2 * x[:, k] for k in range(3)], axis=1),
}


@pytest.mark.parametrize("way", WAYS)
def test_numbers_do_not_make_float64(gpu, way):
    seen = []

    def gradient(x):
        seen.append(WAYS[way](x))
        return seen[-1]

    U = Potential(lambda x: HALF * (x**2).sum(1), gradient, 3)
    x = np.linspace(-1, 1, 12).reshape(4, 3)
    run = lsa.anneal(U, x, SCHEDULE, 20, rng=1, backend="cupy", dtype="float32")
    assert {array.dtype for array in seen if isinstance(array, fake_cupy.ndarray)} == {
        np.dtype(np.float32)
    }
    plain = lsa.anneal(U, x, SCHEDULE, 20, rng=1, dtype="float32")
    np.testing.assert_allclose(run.state.x, plain.state.x, rtol=1e-4, atol=1e-5)


def test_arguments_come_in_the_dtype_of_the_run(gpu):
    which = np.arange(3)
    for dtype in ("float32", "float64"):
        seen = []
        U = Potential(
            lambda x, a, k: (a * x[:, k] ** 2).sum(1),
            lambda x, a, k, seen=seen: seen.append((a, k)) or 2 * a * x[:, k],
            3,
            args=(A, which),
        )
        lsa.anneal(U, np.ones((2, 3)), SCHEDULE, 5, rng=1, backend="cupy", dtype=dtype)
        a, k = seen[-1]
        assert a.dtype == dtype and k.dtype == which.dtype


def test_the_catalogue_stays_in_float32(gpu, monkeypatch):
    for name in NAMES:
        U = potentials.catalogue()[name]()
        if U.formula is None:
            _, mover = start(U, 3, np.float32, "cupy")
            there = mover.potential.energy_gradient(mover.walk.x.view(type=gpu.Points))
            assert there[1].dtype == np.float32, name


def test_float64_that_stays_is_said_once(gpu):
    U = Potential(lambda x: (x**2).sum(1), lambda x: 2 * x + 0 * np.asarray(A, like=x), 3)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        lsa.anneal(U, np.ones((2, 3)), SCHEDULE, 20, backend="cupy", dtype="float32", rng=1)
        lsa.anneal(U, np.ones((2, 3)), SCHEDULE, 20, backend="cupy", dtype="float64", rng=1)
    (one,) = (w for w in told if "is slow" in str(w.message))
    assert "gradient of <lambda> is float64 where x is float32" in str(one.message)
    assert one.filename == __file__


def test_float64_runs_see_plain_arrays(gpu):
    seen = []
    U = Potential(lambda x: (x**2).sum(1), lambda x: seen.append(type(x)) or 2 * x, 3)
    lsa.anneal(U, np.ones((2, 3)), SCHEDULE, 5, backend="cupy", rng=1)
    assert fake_cupy.ndarray in seen and gpu.Points not in seen
