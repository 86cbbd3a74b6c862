"""The move of a population: it sees nothing but the order of energies, learns the shape of what it
descends, and takes part only where descents are of little help.
"""

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa.minimization.covariance import Population, rates
from langevin_sa.minimization.functions import Functions
from langevin_sa.minimization.problem import Problem
from langevin_sa.minimization.search import Search

TURN = np.linalg.qr(np.vander(np.arange(1.0, 5.0)))[0]


def stairs(x):
    """A valley of steps, turned: no difference shows where it goes down."""
    return float(np.floor(np.abs(TURN @ (x - 1.3)) * [2, 8, 32, 128] + 0.5).sum())


def ellipsoid(x):
    """Curvatures over four decades, turned."""
    return float(np.logspace(0, 4, 4) @ (TURN @ (x - 0.7)) ** 2)


def evolved(fun, generations, dim=4):
    low, high = np.full(dim, -5.0), np.full(dim, 5.0)
    search = Search.of(Problem(Functions(fun), np.zeros(dim), (low, high)), 1)
    run = Population.around(np.zeros(dim), ~search.problem.fixed, 4.0, 12)
    for _ in range(generations):
        run.evolve(search)
    return run


def test_constants_are_those_of_the_tutorial():
    """As pycma 4.5 has them for 12 points in 10 coordinates, but for sigma's path, by hand."""
    c = rates(12, 10)
    assert c.parents == pytest.approx(3.729458934303067, rel=1e-12)
    assert c.path == pytest.approx(0.2965535049787113, rel=1e-12)
    assert c.one == pytest.approx(0.015218446463090412, rel=1e-12)
    assert c.many == pytest.approx(0.030428519273030908, rel=1e-12)
    assert c.sigma_path == pytest.approx(5.729458934303067 / 18.729458934303067, rel=1e-12)
    assert c.damping == pytest.approx(1 + c.sigma_path, rel=1e-12)
    assert c.weights[[0, 5, 6, 11]] == pytest.approx(
        [0.4024029428187127, 0.017207705769594468, -0.05106315311478424, -0.422451818131222]
    )


def test_only_the_order_counts():
    plain = evolved(ellipsoid, 30)
    curved = evolved(lambda x: float(np.cbrt(ellipsoid(x) - 50.0)), 30)
    assert np.array_equal(plain.mean, curved.mean) and plain.sigma == curved.sigma


def test_it_learns_the_shape():
    """The covariance comes near the inverse of the Hessian, up to a factor."""
    run = evolved(ellipsoid, 150)
    hessian = TURN.T * np.logspace(0, 4, 4) @ TURN
    values = np.linalg.eigvals(run.covariance @ hessian).real
    assert values.max() / values.min() < 10  # 10^4 without learning
    assert run.best < 1e-6 * ellipsoid(np.zeros(4))


@pytest.mark.parametrize("seed", range(3))
def test_stairs_that_descents_do_not_go_down(seed):
    given = {"bounds": [(-5, 5)] * 4, "rng": seed, "maxfev": 6000}
    found = lsa.minimize(stairs, target=0.0, **given)
    assert found.fun == 0 and "covariance" in found.history.move


def test_it_stays_out_where_descents_help():
    def bowl(x):
        return float(((x - 0.3) ** 2).sum())

    assert "covariance" not in lsa.minimize(bowl, bounds=[(-5, 5)] * 3, rng=1).history.move


def test_a_search_broken_off_in_a_run_goes_on_to_the_same_bits(tmp_path):
    given = {"bounds": [(-5, 5)] * 4, "rng": 3, "moves": ("covariance",), "patience": 3.0}
    whole = lsa.minimize(stairs, maxiter=12, **given)
    file = tmp_path / "search.npz"
    part = lsa.minimize(stairs, maxiter=5, checkpoint=file, **given)
    assert part.status == 1 and part.nfev < whole.nfev
    again = lsa.minimize(stairs, maxiter=12, checkpoint=file, **given)
    assert np.array_equal(again.x, whole.x) and again.nfev == whole.nfev
    assert np.array_equal(again.history.best, whole.history.best)


def test_a_population_that_sees_nothing_but_walls_ends():
    """Points behind constraints are no evaluations, and yet have to count."""
    nowhere = {"type": "ineq", "fun": lambda x: -1.0 - x @ x}
    for moves in (None, ("covariance",)):
        found = lsa.minimize(
            stairs, bounds=[(-5, 5)] * 4, constraints=nowhere, rng=1, moves=moves, maxiter=200
        )
        assert not found.success and found.fun > 0
