"""Sums of squares: `residuals=True` finds NIST's certified parameters, is counted, limited, walled,
goes on from checkpoints to the same bits, and does not depend on units.
"""

import warnings

import numpy as np
import pytest
from nist import PROBLEMS
from scipy.optimize import rosen

import langevin_sa as lsa

X0 = np.array([-1.2, 1.0])
QUICK = {("Misra1a", 0), ("DanWood", 1), ("Rat42", 0), ("BoxBOD", 0)}


def banana(x):
    return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])


def slopes(x):
    return np.array([[-20 * x[0], 10.0], [-1.0, 0.0]])


def waves(x, shift=0.0):
    return np.concatenate([x - 0.3 - shift, 2 * np.sin(3 * (x - 0.3 - shift))])


@pytest.mark.parametrize("jacobian", [False, True])
@pytest.mark.parametrize(
    ("name", "start"),
    [
        pytest.param(name, start, marks=() if (name, start) in QUICK else pytest.mark.slow)
        for name in PROBLEMS
        for start in (0, 1)
    ],
)
def test_certified_parameters(name, start, jacobian):
    problem = PROBLEMS[name]
    jac = problem.jacobian if jacobian else None
    result = lsa.minimize(problem.residuals, problem.starts[start], jac=jac, residuals=True, rng=0)
    assert problem.error(result.x) < 1e-6, result


@pytest.mark.parametrize("jac", [None, slopes])
def test_the_result_is_that_of_the_sum(jac):
    result = lsa.minimize(banana, X0, jac=jac, residuals=True, rng=1)
    assert result.success and result.fun < 1e-20
    assert result.fun == pytest.approx(rosen(result.x), abs=1e-25)
    assert np.array_equal(result.residuals, banana(result.x))
    assert result.residuals @ result.residuals == result.fun
    assert (result.njev > 0) == (jac is not None)
    away = lsa.minimize(banana, X0, jac=jac, residuals=True, bounds=[(-2, 0.5), (-2, 2)], rng=1)
    assert away.jac == pytest.approx(2 * away.residuals @ slopes(away.x), abs=1e-5)
    assert away.x == pytest.approx([0.5, 0.25], abs=1e-7)


def test_another_minimum_is_left():
    result = lsa.minimize(waves, [2.5, -1.5], args=(0.1,), residuals=True, rng=2)
    assert result.x == pytest.approx([0.4, 0.4], abs=1e-7)


@pytest.mark.parametrize("jac", [None, slopes])
@pytest.mark.parametrize("budget", [0, 1, 2, 3, 7, 20, 55])
def test_a_budget_is_never_exceeded(jac, budget):
    calls = []

    def fun(x):
        calls.append(x)
        return banana(x)

    result = lsa.minimize(fun, X0, jac=jac, residuals=True, maxfev=budget, rng=3)
    assert len(calls) == result.nfev <= budget
    assert result.status == 1


def test_a_target_ends_it():
    result = lsa.minimize(banana, X0, residuals=True, target=0.1, rng=4)
    assert result.success and result.fun <= 0.1
    assert result.residuals @ result.residuals == result.fun


@pytest.mark.parametrize("wall", [np.full(2, np.nan), np.full(2, np.inf), ZeroDivisionError])
def test_walls(wall):
    def fun(x):
        if x[0] < -0.5:
            if wall is ZeroDivisionError:
                raise ZeroDivisionError
            return wall
        return banana(x)

    for x0 in (X0, [0.0, 0.0]):
        result = lsa.minimize(fun, x0, bounds=[(-2, 2)] * 2, residuals=True, rng=5)
        assert result.x == pytest.approx([1, 1], abs=1e-6)


@pytest.mark.parametrize("jac", [None, slopes])
def test_powers_of_two_are_other_units(jac):
    def scaled(x):
        return 2.0**40 * banana(x * 2.0**-30)

    def their_slopes(x):
        return 2.0**10 * slopes(x * 2.0**-30)

    one = lsa.minimize(banana, X0, jac=jac, residuals=True, bounds=[(-3, 3)] * 2, rng=6)
    box = [(-3 * 2.0**30, 3 * 2.0**30)] * 2
    jac = jac and their_slopes
    two = lsa.minimize(scaled, X0 * 2.0**30, jac=jac, residuals=True, bounds=box, rng=6)
    assert one.nfev == two.nfev and np.array_equal(one.x * 2.0**30, two.x)


@pytest.mark.parametrize("jac", [None, slopes])
def test_a_search_broken_off_goes_on_to_the_same_bits(tmp_path, jac):
    whole = lsa.minimize(banana, X0, jac=jac, residuals=True, rng=7)
    for stop in (1, 5, whole.nfev // 2):
        calls = 0

        def broken(x, stop=stop):
            nonlocal calls
            calls += 1
            if calls > stop:
                raise KeyboardInterrupt
            return banana(x)

        path = tmp_path / f"{stop}.npz"
        options = {"jac": jac, "residuals": True, "checkpoint": path}
        lsa.minimize(broken, X0, rng=7, checkpoint_seconds=0, **options)
        rest = lsa.minimize(banana, X0, **options)
        assert np.array_equal(rest.x, whole.x) and rest.fun == whole.fun
        assert (rest.nfev, rest.njev) == (whole.nfev, whole.njev)
        assert np.array_equal(rest.residuals, whole.residuals)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"vectorized": True}, "vectorized must be False"),
        ({"jac": True}, "returns the Jacobian"),
        ({"strategy": "anneal"}, "strategy 'portfolio'"),
    ],
)
def test_what_cannot_be_done_is_refused(wish, said):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=said):
            lsa.minimize(banana, X0, residuals=True, **wish)


def test_a_potential_has_no_residuals():
    with pytest.raises(TypeError, match="not a Potential"):
        lsa.minimize(lsa.potentials.double_well(), residuals=True)


def test_wrong_shapes_raise():
    with pytest.raises(ValueError, match="jac"):
        lsa.minimize(banana, X0, jac=lambda x: np.zeros(3), residuals=True, on_failure="raise")
    sizes = iter(range(2, 1000))
    with pytest.raises(ValueError, match="residuals=True"):
        lsa.minimize(lambda x: np.ones(next(sizes)), X0, residuals=True, on_failure="raise")


def test_exceptions_of_the_jacobian_are_walls_too():
    def sore(x):
        if x[0] < -0.8:
            raise RuntimeError("no slope here")
        return slopes(x)

    box = [(-2, 2)] * 2
    result = lsa.minimize(banana, [0.0, 0.0], jac=sore, bounds=box, residuals=True, rng=5)
    assert result.x == pytest.approx([1, 1], abs=1e-6)
    assert "no slope here" in result.message


def test_exceptions_before_anything_was_returned():
    """In batches, where some points fail and nobody knows yet how many residuals there are."""

    def sore(x):
        if x[0] < 1.5:
            raise RuntimeError("outside")
        return banana(x)

    result = lsa.minimize(sore, [1.8, 1.0], residuals=True, workers=map, rng=1, maxfev=400)
    assert result.fun < 1 and result.residuals == pytest.approx(banana(result.x))


@pytest.mark.parametrize("budget", range(5, 60, 6))
def test_residuals_are_those_of_the_point_returned(budget):
    """Also where the domain is still being measured, and probes far outside were lower."""

    def far(x):
        return np.array([x[0] - 1e6, 1.0])

    result = lsa.minimize(far, [1.0], residuals=True, maxfev=budget, rng=2)
    assert np.array_equal(result.residuals, far(result.x))
