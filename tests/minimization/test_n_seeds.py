"""Several searches in one call: the best of them, what all took, and whether they agree."""

import numpy as np
import pytest
from scipy.optimize import OptimizeWarning, minimize as scipy_minimize

import langevin_sa as lsa
from langevin_sa.minimization.seeds import ALONE
from langevin_sa.noise import child_seed

BOX = [(-5.0, 4.0)] * 3


def bumpy(x):
    return float((x**2 - 10 * np.cos(2 * np.pi * x)).sum())


def same(result, other):
    assert result.keys() == other.keys()
    np.testing.assert_equal(dict(result), dict(other))


def test_each_is_a_search_of_its_own():
    result = lsa.minimize(bumpy, bounds=BOX, rng=7, n_seeds=3)
    for k, found in enumerate(result.searches):
        seed = 7 if k == 0 else child_seed(7, k)
        same(found, lsa.minimize(bumpy, bounds=BOX, rng=seed))
    assert result.success and result.status == 0 and result.agreed == 3 and result.seed == 7
    for name in ("nfev", "njev", "nit"):
        assert result[name] == sum(found[name] for found in result.searches)
    assert result.fun == min(found.fun for found in result.searches) == bumpy(result.x)
    assert result.message.startswith("3 of 3 searches ended in the lowest minimum. No lower")
    same(lsa.minimize(bumpy, bounds=BOX, rng=7, n_seeds=1), result.searches[0])
    again = scipy_minimize(
        bumpy, np.ones(3), bounds=BOX, method=lsa.minimize, options={"rng": 7, "n_seeds": 2}
    )
    assert again.agreed == 2 and len(again.searches) == 2


def test_success_asks_for_agreement():
    """Hidden holes of different depths, which two short searches miss."""

    def holes(x):
        return float(abs(np.sin(31 * x[0]) + np.cos(53 * x[0]) * x[0]) + 0.1 * x[0] ** 2 - x[0])

    odd = 0
    for seed in range(12):
        result = lsa.minimize(
            holes, bounds=[(-9, 9)], rng=seed, n_seeds=2, patience=0.0, moves=["hop"]
        )
        gap = abs(result.searches[0].fun - result.searches[1].fun)
        assert result.agreed == (2 if gap <= result.precision else 1)
        assert result.success == (result.agreed == 2)
        if result.agreed == 1:
            odd += 1
            assert result.status == ALONE and result.message.startswith("1 of 2 searches ended")
    assert odd


@pytest.mark.parametrize("maxfev", [0, 1, 2, 100, 1001])
def test_the_budget_is_of_all(maxfev):
    seen = []

    def fun(x):
        seen.append(x)
        return bumpy(x)

    result = lsa.minimize(fun, bounds=BOX, rng=1, n_seeds=3, maxfev=maxfev)
    assert len(seen) == result.nfev == maxfev and len(result.searches) == 3
    assert not result.success and result.status == 1


def test_what_one_leaves_the_others_have():
    flat = lsa.minimize(lambda x: 1.0, bounds=BOX, rng=1)
    result = lsa.minimize(lambda x: 1.0, bounds=BOX, rng=1, n_seeds=2, maxfev=3 * flat.nfev)
    assert result.success and result.nfev <= 3 * flat.nfev


def test_the_target_and_the_callback_end_all():
    result = lsa.minimize(bumpy, bounds=BOX, rng=1, n_seeds=4, target=-29.9)
    assert len(result.searches) == 1 and result.success and "Target" in result.message
    result = lsa.minimize(bumpy, bounds=BOX, rng=1, n_seeds=4, callback=lambda x: True)
    assert len(result.searches) == 1 and result.status == 99 and not result.success


def test_time_is_of_all():
    result = lsa.minimize(bumpy, bounds=BOX, rng=1, n_seeds=3, max_seconds=0.03, patience=1e6)
    assert result.status == 1 and len(result.searches) == 3


def test_an_exception_keeps_the_best_of_all():
    first = lsa.minimize(bumpy, bounds=BOX, rng=1)
    calls = []

    def fun(x):
        calls.append(x)
        if len(calls) > first.nfev + 3:
            raise RuntimeError("gone")
        return bumpy(x)

    with pytest.raises(RuntimeError, match="gone") as caught:
        lsa.minimize(fun, bounds=BOX, rng=1, n_seeds=2, on_failure="raise")
    assert caught.value.partial_result.fun == first.fun and not caught.value.partial_result.success


def test_constraints_and_what_is_held_nowhere():
    held = {"type": "ineq", "fun": lambda x: x.sum() - 2.5}
    result = lsa.minimize(bumpy, bounds=BOX, constraints=held, rng=1, n_seeds=2)
    assert result.constr_nfev == sum(found.constr_nfev for found in result.searches)
    assert result.maxcv < 1e-9 and result.success
    never = {"type": "ineq", "fun": lambda x: x.sum() - 100}
    result = lsa.minimize(bumpy, bounds=BOX, constraints=never, rng=1, n_seeds=2, patience=0.1)
    assert result.status == 5 and not result.success


def test_workers_and_warnings():
    with pytest.warns(OptimizeWarning, match="not within the specified bounds") as caught:
        result = lsa.minimize(
            bumpy, [9.0, 0, 0], bounds=BOX, rng=1, n_seeds=3, workers=map, patience=0.2
        )
    assert len(caught) == 1 and len(result.searches) == 3


@pytest.mark.parametrize("wish", [{"n_seeds": 0}, {"n_seeds": 1.5}, {"n_seeds": "3"}])
def test_what_is_refused(wish):
    with pytest.raises((TypeError, ValueError), match="n_seeds"):
        lsa.minimize(bumpy, bounds=BOX, **wish)


def test_one_checkpoint_is_for_one_search(tmp_path):
    with pytest.raises(ValueError, match="one checkpoint holds one search, not n_seeds=2"):
        lsa.minimize(bumpy, bounds=BOX, n_seeds=2, checkpoint=tmp_path / "c.npz")
