"""Integers: at integers wherever anything is asked, and the lowest of them found."""

import itertools

import numpy as np
import pytest
import scipy.optimize
from scipy.optimize import LinearConstraint

import langevin_sa as lsa
from langevin_sa.minimization.integers import lowest_integers

RNG = np.random.default_rng(5)
ROOT = RNG.standard_normal((6, 6))
Q, CENTRE = ROOT @ ROOT.T + 0.1 * np.eye(6), RNG.uniform(-8, 8, 6)
BOX = [(-10.5, 10.3)] * 6


def quadratic(x):
    return float((x - CENTRE) @ Q @ (x - CENTRE))


class Whole:
    """A function that minds being asked between integers."""

    def __init__(self, fun, which=slice(None)):
        self.fun, self.which, self.calls = fun, which, 0

    def __call__(self, x):
        assert (x[self.which] == np.round(x[self.which])).all()
        self.calls += 1
        return self.fun(x)


def lowest_by_force(fun, *ranges):
    return min(fun(np.array(x, dtype=float)) for x in itertools.product(*ranges))


@pytest.mark.parametrize("seed", range(20))
def test_a_quadratic_of_six(seed):
    """Whose hundred lowest points lie askew; the lowest is known from the tree over integers."""
    offsets = lowest_integers(-2 * Q @ CENTRE, 2 * Q, np.full(6, -10.0), np.full(6, 10.0))
    fun = Whole(quadratic)
    result = lsa.minimize(fun, bounds=BOX, integrality=1, rng=seed, patience=0.1)
    assert result.success and result.fun == pytest.approx(quadratic(offsets[0]), rel=1e-12)
    assert (result.x == np.round(result.x)).all() and result.nfev == fun.calls
    assert np.isnan(result.jac).all() and result.njev == 0


def test_the_tree_over_integers_is_right():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        root = rng.standard_normal((3, 3))
        hessian, slope = root @ root.T + 0.05 * np.eye(3), 3 * rng.standard_normal(3)
        low, high = np.array([-4.0, -2, 0]), np.array([3.0, 5, 4])

        def fun(s, hessian=hessian, slope=slope):
            return float(slope @ s + s @ hessian @ s / 2)

        found = lowest_integers(slope, hessian, low, high)
        best = lowest_by_force(fun, range(-4, 4), range(-2, 6), range(5))
        if best < 0:
            assert fun(found[0]) == pytest.approx(best, abs=1e-9)
        else:
            assert not len(found) or fun(found[0]) >= 0
    assert not len(lowest_integers(np.ones(2), -np.eye(2), -np.ones(2), np.ones(2)))


@pytest.mark.parametrize("jac", [False, True])
def test_mixed(jac):
    """Three integers and three others, whose valley the integers move."""
    which = slice(0, 3)

    def reduced(z):
        d = z - CENTRE[:3]
        inner = np.linalg.solve(Q[3:, 3:], Q[3:, :3] @ d)
        return float(d @ Q[:3, :3] @ d - d @ Q[:3, 3:] @ inner)

    fun = Whole(quadratic, which)
    slopes = Whole(lambda x: 2 * Q @ (x - CENTRE), which)
    result = lsa.minimize(
        fun, bounds=BOX, integrality=[1, 1, 1, 0, 0, 0], jac=slopes if jac else None, rng=1
    )
    inner = lowest_by_force(reduced, *[range(-10, 11)] * 3)
    assert result.success and result.fun == pytest.approx(inner, rel=1e-6)
    assert np.isnan(result.jac[:3]).all() and result.jac[3:] == pytest.approx([0, 0, 0], abs=1e-4)
    assert (slopes.calls > 0) == jac


@pytest.mark.parametrize("seed", range(3))
def test_a_knapsack(seed):
    rng = np.random.default_rng(seed)
    weights, values = rng.integers(5, 60, 15), rng.integers(10, 100, 15)
    room = int(weights.sum()) // 2
    table = np.zeros(room + 1)
    for weight, value in zip(weights, values, strict=True):
        table[weight:] = np.maximum(table[weight:], table[: room + 1 - weight] + value)
    result = lsa.minimize(
        Whole(lambda x: -float(values @ x)),
        bounds=[(0, 1)] * 15,
        integrality=1,
        constraints=LinearConstraint(weights, -np.inf, room),
        rng=seed,
    )
    assert result.success and result.fun == -table.max() and weights @ result.x <= room


def test_a_mixed_constraint():
    """n + y = 3.5 with an integer n: the nearest to (2.3, 0.9) is (3, 0.5) or (2, 1.5)."""

    def fun(x):
        return float((x[0] - 2.3) ** 2 + (x[1] - 0.9) ** 2)

    held = Whole(lambda x: x.sum() - 3.5, slice(0, 1))
    result = lsa.minimize(
        Whole(fun, slice(0, 1)),
        bounds=[(-8, 8)] * 2,
        integrality=[1, 0],
        constraints={"type": "eq", "fun": held},
        rng=1,
        patience=0.3,
    )
    assert result.success and result.x == pytest.approx([2, 1.5], abs=1e-8)


def test_bounds_are_rounded_inwards():
    fun = Whole(lambda x: -float(x.sum()))
    result = lsa.minimize(fun, bounds=[(0.2, 3.7), (-1.5, -0.5)], integrality=True, rng=1)
    assert result.x.tolist() == [3, -1] and result.success
    fixed = lsa.minimize(fun, bounds=[(0.5, 1.5), (2, 2)], integrality=[1, 1], rng=1)
    assert fixed.x.tolist() == [1, 2] and fixed.nfev == 1


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"integrality": [0, 2]}, r"semi-continuous ones \(2, 3\) are for scipy.optimize.milp"),
        ({"integrality": 3}, "semi-continuous"),
        ({"integrality": [1, 1, 1]}, "for each of the 2 coordinates"),
        ({"integrality": "yes"}, "integrality must be 0 or 1"),
        ({"integrality": 1, "bounds": [(0.2, 0.8), (0, 3)]}, "no integer lies between .* 0"),
        ({"integrality": 1, "bounds": [(0, None), (0, 3)]}, "an integer needs bounds"),
        ({"integrality": 1, "strategy": "exchange"}, "'exchange' cannot keep to integrality="),
        ({"integrality": 1, "fun": lsa.potentials.rastrigin(dim=2)}, "not for a Potential"),
    ],
)
def test_what_is_refused(wish, said):
    def fun(x):
        pytest.fail("the function is asked")

    arguments = {"fun": fun, "x0": [1.0, 1.0], "bounds": [(0, 3)] * 2} | wish
    with pytest.raises(ValueError, match=said):
        lsa.minimize(**arguments)


def test_units_of_fun_and_of_the_others():
    """Powers of two change no bit."""

    def search(a, b):
        return lsa.minimize(
            lambda x: b * quadratic(x / [1, 1, 1, a, a, a]),
            bounds=np.array(BOX) * np.array([1, 1, 1, a, a, a])[:, None],
            integrality=[1, 1, 1, 0, 0, 0],
            rng=2,
            patience=0.1,
        )

    plain, other = search(1.0, 1.0), search(2.0**9, 2.0**-30)
    assert plain.nfev == other.nfev and other.fun == 2.0**-30 * plain.fun
    assert (other.x == plain.x * [1, 1, 1, 512, 512, 512]).all()


def test_through_scipy():
    found = scipy.optimize.minimize(
        quadratic,
        np.zeros(6),
        bounds=BOX,
        method=lsa.minimize,
        options={"integrality": np.ones(6), "rng": 1, "patience": 0.1},
    )
    assert (found.x == np.round(found.x)).all()


def test_budget():
    fun = Whole(quadratic)
    assert lsa.minimize(fun, bounds=BOX, integrality=1, rng=1, maxfev=77).nfev == 77 == fun.calls
