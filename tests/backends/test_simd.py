"""Vectorized functions and noise against NumPy, and lane by lane against themselves."""

import numpy as np
import pytest
from numba import njit

from langevin_sa import noise
from langevin_sa.backends.cpu import philox, simd

RNG = np.random.default_rng(1)
WIDE = RNG.normal(size=100_000) * RNG.choice([1e-6, 1.0, 30.0], 100_000)
CASES = {
    "exp": (RNG.uniform(-700, 709, 100_000), 2),
    "log": (10 ** RNG.uniform(-320, 308, 100_000), 2),
    "sin": (RNG.uniform(-1e4, 1e4, 100_000), None),
    "cos": (RNG.uniform(-1e9, 1e9, 100_000), None),
    "tan": (RNG.uniform(-1.5, 1.5, 100_000), 4),
    "tanh": (WIDE, 4),
    "sinh": (WIDE, 4),
    "cosh": (WIDE, 4),
    "expm1": (RNG.normal(size=100_000) * 1e-3, 2),
}
SPECIAL = np.array([0.0, np.inf, -np.inf, np.nan, -1.0, 1e-310, 800.0, -800.0, 1.0, -2.5])


def over_an_array(function):
    @njit(error_model="numpy")
    def loop(x, out):
        for i in range(x.size):
            out[i] = function(x[i])

    def call(x):
        out = np.empty_like(x)
        loop(x, out)
        return out

    return call


@pytest.mark.parametrize("name", CASES)
def test_against_numpy(name):
    x, ulps = CASES[name]
    ours, exact = over_an_array(getattr(simd, name))(x), getattr(np, name)(x)
    if ulps is None:
        assert np.max(np.abs(ours - exact)) <= 2.3e-16
    else:
        assert np.max(np.abs(ours - exact) / np.spacing(np.abs(exact))) <= ulps


@pytest.mark.parametrize(
    "name", ["exp", "log", "sin", "cos", "tanh", "sinh", "cosh", "sign", "floor"]
)
def test_special_values(name):
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(
            over_an_array(getattr(simd, name))(SPECIAL), getattr(np, name)(SPECIAL), rtol=1e-14
        )


def test_power():
    base, exponent = (
        RNG.normal(size=1000),
        RNG.choice([-3.0, -0.5, 0.0, 0.5, 1.0, 2.0, 2.7, 3.0, 8.0], 1000),
    )

    @njit(error_model="numpy")
    def loop(x, y):
        out = np.empty_like(x)
        for i in range(x.size):
            out[i] = simd.power(x[i], y[i])
        return out

    with np.errstate(all="ignore"):
        np.testing.assert_allclose(loop(base, exponent), np.power(base, exponent), rtol=1e-13)
    assert np.array_equal(loop(np.zeros(3), np.array([0.0, 1.0, -2.0])), [1.0, 0.0, np.inf])


@pytest.mark.parametrize(("name", "exact"), [("max", np.maximum), ("min", np.minimum)])
def test_larger_and_smaller(name, exact):
    x, y = (a.ravel() for a in np.meshgrid(SPECIAL, SPECIAL))
    function = getattr(simd, name)

    @njit(error_model="numpy")
    def loop(x, y):
        out = np.empty_like(x)
        for i in range(x.size):
            out[i] = function(x[i], y[i])
        return out

    np.testing.assert_array_equal(loop(x, y), exact(x, y))


@pytest.mark.parametrize("name", CASES)
def test_a_lane_and_a_lone_number_give_the_same_bits(name):
    x = CASES[name][0][:131]
    loop = over_an_array(getattr(simd, name))
    np.testing.assert_array_equal(
        loop(x), np.concatenate([loop(x[i : i + 1]) for i in range(x.size)])
    )


@njit(error_model="numpy")
def block_of_noise(first, quads, replica, shift, purpose, k0, k1):
    z = np.zeros((4, quads << shift))
    philox.fill_normals(z, first, quads, replica, shift, purpose, k0, k1)
    return z


@njit(error_model="numpy")
def line_of_noise(first, quads, replica, purpose, k0, k1):
    z = np.zeros(4 * quads)
    philox.fill_line(z, first, quads, replica, purpose, k0, k1)
    return z


@pytest.mark.parametrize("kind", noise.KINDS)
@pytest.mark.parametrize("shift", [0, 3, 7])
@pytest.mark.parametrize("first", [0, 5, 2**33])
def test_compiled_noise_is_the_reference(kind, shift, first):
    seed, quads, replica, purpose = 2**40 + 17, 6, 11, noise.purpose_of(kind)
    k0, k1 = noise.key_of(seed)
    reference = noise.stream(seed, replica + np.arange(1 << shift), 4 * first, 4 * quads, purpose)
    block = block_of_noise(first, quads, replica, shift, purpose, k0, k1).reshape(4, quads, -1)
    np.testing.assert_allclose(
        block.transpose(2, 1, 0).reshape(1 << shift, -1), reference, atol=1e-14
    )
    np.testing.assert_allclose(
        line_of_noise(first, quads, replica, purpose, k0, k1), reference[0], atol=1e-14
    )


@pytest.mark.parametrize(("kind", "moments"), [("normal", 6), ("uniform", 3), ("three-point", 5)])
def test_moments_match_the_normal(kind, moments):
    """Moments 1 to 5 of three-point noise and 1 to 3 of uniform noise are the normal's; 4.5
    standard errors of a million numbers.
    """
    z = noise.stream(7, np.arange(1000), 0, 1000, noise.purpose_of(kind)).ravel()
    for order in range(1, moments + 1):
        powers = z**order
        exact = 0 if order % 2 else np.prod(np.arange(1, order, 2))
        assert abs(powers.mean() - exact) < 4.5 * powers.std() / 1000, order
