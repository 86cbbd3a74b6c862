"""`minimize` in any unit of length and of energy and around any origin: powers of two change no
bit, other factors rounding alone; and what it says of a descent that was stuck.
"""

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der

import langevin_sa as lsa
from langevin_sa.minimization.differences import Differences, rounding
from langevin_sa.minimization.functions import Functions
from langevin_sa.minimization.lengths import lengths
from langevin_sa.minimization.problem import Problem

START = np.array([2.3, 1.1, -3.7])
CLUSTER = "4*depth*((size/r)**12 - (size/r)**6)"


def bumps(x):
    return float((x**2 - 10 * np.cos(2 * np.pi * x) + 10).sum())


def slope(x):
    return 2 * x + 20 * np.pi * np.sin(2 * np.pi * x)


def same(mine, other, length, energy):
    """The same search, to the bit, in other units."""
    assert np.array_equal(mine.x, other.x / length) and mine.fun == other.fun / energy
    assert (mine.nfev, mine.njev, mine.nit) == (other.nfev, other.njev, other.nit)
    assert (mine.status, len(mine.minima)) == (other.status, len(other.minima))
    for a, b in zip(mine.minima, other.minima, strict=True):
        assert np.array_equal(a.x, b.x / length) and (a.fun, a.hits) == (b.fun / energy, b.hits)


def search(length, energy, gradient, bounded, **keywords):
    """Bumps of this size and height."""
    fun, jac = {
        "gradient": (
            lambda x: energy * bumps(x / length),
            lambda x: energy * slope(x / length) / length,
        ),
        "pair": (lambda x: (energy * bumps(x / length), energy * slope(x / length) / length), True),
        "differences": (lambda x: energy * bumps(x / length), None),
    }[gradient]
    bounds = [(-5 * length, 5 * length)] * 3 if bounded else None
    return lsa.minimize(fun, START * length, jac=jac, bounds=bounds, rng=2, **keywords)


@pytest.mark.parametrize(
    ("gradient", "k", "m"), [("gradient", 30, -41), ("pair", -120, 7), ("differences", -33, 120)]
)
@pytest.mark.parametrize("bounded", [True, False])
@pytest.mark.parametrize(
    ("strategy", "cooling"),
    [
        ("portfolio", "exponential"),
        ("anneal", "exponential"),
        ("anneal", "constant speed"),
        ("anneal", "coolmomentum"),
        ("exchange", "exponential"),
        ("population", "exponential"),
    ],
)
def test_powers_of_two_change_no_bit(strategy, cooling, bounded, gradient, k, m):
    keywords = {"strategy": strategy, "maxfev": 700, "replicas": 4, "n_steps": 30}
    if strategy == "portfolio":
        keywords = {"maxfev": 900, "patience": 0.3}
    elif strategy == "anneal":
        keywords["cooling"] = cooling
    mine, other = (
        search(*units, gradient, bounded, **keywords) for units in ((1.0, 1.0), (2.0**k, 2.0**m))
    )
    same(mine, other, 2.0**k, 2.0**m)


def cluster(length, energy, strategy="auto"):
    potential = lsa.Potential.from_formula(
        pair=CLUSTER, particles=7, space=3, size=length, depth=energy
    )
    x0 = lsa.potentials.lennard_jones(7).draw_start(1, np.random.default_rng(0))[0] * length
    return lsa.minimize(potential, x0, rng=1, patience=0.1, strategy=strategy, maxfev=4000)


@pytest.mark.parametrize("strategy", ["auto", "portfolio"])
def test_powers_of_two_change_no_bit_of_a_compiled_potential(strategy):
    mine = cluster(1.0, 1.0, strategy)
    for k, m in ((30, -40), (-33, 51)):
        same(mine, cluster(2.0**k, 2.0**m, strategy), 2.0**k, 2.0**m)


def test_a_cluster_in_another_unit_of_energy():
    mine, other = cluster(1.0, 1.0), cluster(1.0, 1e-15)
    assert other.success and other.fun / 1e-15 == pytest.approx(-16.505384168, abs=1e-8)
    assert other.nfev < 1.5 * mine.nfev
    # and another zero of it
    shifted = lsa.minimize(
        lsa.Potential.from_formula(
            pair=f"{CLUSTER} + zero", particles=7, space=3, size=1.0, depth=1.0, zero=100.0
        ),
        mine.x + 0.01,
        rng=1,
        patience=0.1,
    )
    assert shifted.success and shifted.fun == pytest.approx(2100 - 16.505384168, abs=1e-8)
    assert shifted.nfev < 3 * mine.nfev


# ------------------------------------------------------------------------------------ other factors


@pytest.mark.parametrize("length", [1e-10, 1e-6, 1e6, 1e10])
@pytest.mark.parametrize("x0", [(-1.2, 1), (0, 0), (0.1, 5), (1e-3, 0)])
def test_any_unit_of_length(x0, length):
    result = lsa.minimize(lambda x: rosen(x / length), np.array(x0) * length, rng=1)
    assert result.success and len(result.minima) == 1, result.message
    np.testing.assert_allclose(result.x / length, 1, atol=1e-7)


@pytest.mark.parametrize("energy", [1e-200, 1e-15, 1.0, 1e15])
@pytest.mark.parametrize("jac", [rosen_der, None])
def test_any_unit_of_energy(energy, jac):
    result = lsa.minimize(
        lambda x: energy * rosen(x),
        [-1.2, 1.0],
        jac=None if jac is None else lambda x: energy * jac(x),
        rng=1,
    )
    assert result.success and len(result.minima) == 1, result.message
    np.testing.assert_allclose(result.x, 1, atol=1e-7)


@pytest.mark.parametrize("jac", [rosen_der, None])
def test_any_zero_of_energy(jac):
    """As near as energies of 1e6 can tell: they are rounded by 1e-10."""
    result = lsa.minimize(lambda x: 1e6 + rosen(x), [-1.2, 1.0], jac=jac, rng=1)
    assert result.success, result.message
    assert rosen(result.x) < 1e-9
    np.testing.assert_allclose(result.x, 1, atol=1e-4)


@pytest.mark.parametrize("origin", [0.0, 1e3, 1e6])
def test_any_origin(origin):
    result = lsa.minimize(
        lambda x: bumps(x - origin), START + origin, bounds=[(origin - 5, origin + 5)] * 3, rng=1
    )
    assert result.success, result.message
    np.testing.assert_allclose(result.x - origin, 0, atol=1e-6)


# ----------------------------------------------------------------------------- lengths, differences


def found(fun, x0, low=-np.inf):
    """The lengths and how many evaluations they took."""
    x0, none, calls = np.array(x0, dtype=float), np.full(len(x0), np.inf), []

    def values(x):
        calls.extend(x)
        with np.errstate(all="ignore"):
            return np.array([fun(point) for point in x])

    sought = np.ones(len(x0), dtype=bool)
    with np.errstate(all="ignore"):
        return lengths(values, x0, np.full(len(x0), low), none, sought), len(calls)


@pytest.mark.parametrize("fun", [bumps, rosen], ids=["bumps", "rosen"])
@pytest.mark.parametrize("x0", [(0, 0), (0.1, 5), (1e-3, 0), (-1.2, 1), (3, -2)])
def test_lengths_of_everyday_functions(fun, x0):
    """Of a function of length 1, whatever the start."""
    length, calls = found(fun, x0)
    assert (length >= 0.5).all() and (length <= 20).all()
    assert calls <= 60 * len(x0)
    for k in (-40, 33) if any(x0) else ():  # where x0 has a size to begin from
        scaled, _ = found(lambda x, unit=2.0**k: 7 * fun(x / unit) - 1e3, np.array(x0) * 2.0**k)
        assert np.array_equal(scaled, length * 2.0**k)


def test_lengths_of_functions_without():
    assert np.array_equal(found(lambda x: 3.0, (0, 0))[0], [1, 1])
    assert np.array_equal(found(lambda x: 3.0, (0, 1e-8))[0], [1e-8, 1e-8])
    assert np.array_equal(found(lambda x: float((x**2).sum()), (0, 0))[0], [1, 1])
    assert (found(lambda x: float(((x - 3e7) ** 2).sum()), (0, 0))[0] >= 1e7).all()


@pytest.mark.parametrize("zero", [0.0, 1e-16, -1e-15])
def test_a_size_that_is_rounding_is_no_size(zero):
    def bowl(x):
        return float(((x - [1, 0.2]) ** 2).sum())

    length, _ = found(bowl, (1, zero), low=min(0, zero))
    assert 0.05 < length[1] < 5
    grown, _ = found(bowl, (2.0**50, zero * 2.0**50), low=min(0, zero * 2.0**50))
    assert grown[1] >= 0.05


@pytest.mark.parametrize("bottom", [0.23, 40.0, 3e-5])
def test_a_bottom_is_seen_from_a_bound(bottom):
    length, _ = found(lambda x: float(((x - bottom) ** 2).sum()), (0,), low=0)
    assert bottom / 8 < length[0] < 8 * bottom


def stiff(x):
    """A bowl of ten coordinates."""
    weights = np.arange(1, 11)
    return float(weights @ (x - 1) ** 2), 2 * weights * (x - 1)


@pytest.mark.parametrize("length", [1.0, 1e-9, 1e7])
@pytest.mark.parametrize("start", [0.0, 3.0])
def test_a_gradient_is_followed_before_anything_is_probed(start, length):
    """Where there are no bounds; the length of x0 is a guess, 1 of none."""

    def pair(x):
        f, g = stiff(x / length)
        return f, g / length

    x0 = np.full(10, start * length)
    found = lsa.minimize(pair, x0, jac=True, target=1e-5, rng=1)
    assert found.success and found.nfev < 50


def problem(fun, x0, width=2.0):
    x0 = np.array(x0, dtype=float)
    return Problem(Functions(fun), x0, (x0 - width, x0 + width))


@pytest.mark.parametrize("zero", [0.0, 1.0, 1e6])
@pytest.mark.parametrize("stiff", [1.0, 1e6, 1e12])
def test_steps_balance_rounding_and_curvature(zero, stiff):
    """Two curvatures far apart, of which a slope is a tenth of a well's."""

    def fun(x):
        return zero + stiff * (1 - np.cos(x[0])) + (1 - np.cos(x[1]))

    p, differences = problem(fun, [0.1, 0.1]), Differences()
    u, f = p.u(p.x0), fun(p.x0)
    differences.refine(p, u, f)
    exact = np.array([stiff, 1.0]) * np.sin(0.1) * p.unit
    error = np.abs(differences.gradient(p, u, f) - exact)
    # what rounding allows: the gradient where the energy differs by some roundings
    assert (error <= 4 * np.sqrt(differences.noise * np.array([stiff, 1.0])) * p.unit).all()
    assert differences.noise < 4e-16 * (zero + 2 * stiff)


def test_the_rounding_is_measured():
    noise = np.random.default_rng(0)
    p = problem(lambda x: 3 + x[0] ** 2 + 1e-7 * noise.standard_normal(), [0.3])
    measured = [rounding(p, p.u(p.x0), p.value(p.u(p.x0))) for _ in range(20)]
    assert np.median(measured) == pytest.approx(1e-7, rel=0.5)


# -------------------------------------------------------------------------------------------- stuck


def test_stuck_with_a_slope_is_told():
    result = lsa.minimize(rosen, [-1.2, 1.0], jac=lambda x: -rosen_der(x), rng=1, patience=0.1)
    assert not result.success and result.status == 4
    assert "The last descent was stuck with a slope: it expected to gain" in result.message


@pytest.mark.parametrize(
    "kinked", [lambda x: np.abs(x - 0.3).sum(), lambda x: np.abs(x - 0.3).max()]
)
@pytest.mark.parametrize("scale", [1.0, 1e-12])
def test_a_kink_is_no_slope(kinked, scale):
    result = lsa.minimize(lambda x: scale * kinked(x), [1.0, 0.5], rng=1, patience=0.3)
    assert result.success, result.message
    np.testing.assert_allclose(result.x, 0.3, atol=1e-4)
