"""Vectorized functions and noise against NumPy, and lane by lane against themselves."""

import os
import subprocess
import sys

import numpy as np
import pytest
from numba import njit, types
from numba.extending import intrinsic

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
def block_of_noise(first, quads, replica, columns, purpose, k0, k1):
    z = np.zeros((4, quads * columns + 16))
    philox.fill_normals(z, first, quads, replica, columns, purpose, k0, k1)
    return z[:, : quads * columns].copy()


@njit(error_model="numpy")
def line_of_noise(first, quads, replica, purpose, k0, k1):
    z = np.zeros(4 * quads + 60)
    philox.fill_line(z, 0, first, quads, replica, purpose, k0, k1)
    return z[: 4 * quads]


@pytest.mark.parametrize("kind", noise.KINDS)
@pytest.mark.parametrize("columns", [1, 4, 8, 16, 48, 128])
@pytest.mark.parametrize("first", [0, 5, 2**33, 2**60])
def test_compiled_noise_is_the_reference(kind, columns, first):
    """To the bit for normals, also where a word of the counter carries within a vector."""
    seed, quads, replica, purpose = 2**40 + 17, 35, 11, noise.purpose_of(kind)
    k0, k1 = noise.key_of(seed)
    reference = noise.stream(seed, replica + np.arange(columns), 4 * first, 4 * quads, purpose)
    block = block_of_noise(first, quads, replica, columns, purpose, k0, k1)
    block = block.reshape(4, quads, columns).transpose(2, 1, 0).reshape(columns, -1)
    line = line_of_noise(first, quads, replica, purpose, k0, k1)
    for ours, theirs in ((block, reference), (line, reference[0])):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=0 if kind == "normal" else 1e-14)


@intrinsic
def fma32(typing, a, b, c):
    single = types.float32
    return single(single, single, single), lambda context, builder, signature, args: builder.fma(
        *args
    )


@njit(error_model="numpy")
def on_hardware(a, b, c):
    out = np.empty_like(a)
    for i in range(a.size):
        out[i] = fma32(a[i], b[i], c[i])
    return out


def test_fused_multiply_add_of_numpy():
    """A million triples, a third of them made so that two roundings would err: short products, and
    a term that takes the sum to the middle of two float32, but for its last bits.
    """
    a, b, c = (
        RNG.normal(size=(3, 1_000_000)) * 2.0 ** RNG.integers(-30, 30, (3, 1_000_000))
    ).astype(np.float32)
    some = slice(0, None, 3)
    a[some] = np.float32(2) ** RNG.integers(-3, 3, a[some].size)
    b[some] = (RNG.integers(2**23, 2**24, b[some].size) | 1).astype(np.float32) * np.float32(2**-24)
    c[some] = np.float32(2.0**-60) * RNG.choice([-1, 1], c[some].size)
    near = slice(1, None, 3)
    a[near] = 1 + RNG.integers(1, 2**11, a[near].size) * np.float32(2**-12)
    b[near] = 1 + RNG.integers(1, 2**11, b[near].size) * np.float32(2**-12)
    c[near] = RNG.choice([-1, 1], c[near].size) * np.float32(2.0**-55)
    ours = noise.fma32(a, b, c)
    np.testing.assert_array_equal(ours, on_hardware(a, b, c))
    twice = (a.astype(float) * b + c).astype(np.float32)
    assert np.sum(twice != ours) > 100  # there were such cases


def test_radius_and_angle():
    """Box-Muller in float32 against float64, at words of every size and at both ends."""
    ends = np.arange(1, 2000, dtype=np.uint64)
    a = np.concatenate([ends, 2**32 - ends, (2.0 ** RNG.uniform(0, 32, 200_000)).astype(np.uint64)])
    u = (a + 0.5) * 2.0**-32
    exact = np.sqrt(-2 * np.where(u < 0.5, np.log(u), np.log1p(u - 1)))
    w = RNG.integers(0, 2**32, a.size).astype(np.uint64)
    x, y = noise.box_muller(np.stack([a, w], axis=-1)).T
    assert np.max(np.abs(np.hypot(x, y) / exact - 1)) < 2.5e-7
    octant = (w & 0x1FFFFFFF) + 0.5
    angle = octant * (np.pi * 2.0**-31)
    turned = np.where(w & 0x20000000, np.pi / 2 - angle, angle)
    cosine, sine = (
        np.where(w >> 31, -1, 1) * np.cos(turned),
        np.where(w >> 30 & 1, -1, 1) * np.sin(turned),
    )
    assert max(np.abs(x / exact - cosine).max(), np.abs(y / exact - sine).max()) < 3e-7
    assert noise.box_muller(np.zeros(2, np.uint64))[0] == pytest.approx(
        np.sqrt(66 * np.log(2)), rel=4e-6
    )


NORMALS = """
import hashlib
import numpy as np
from numba import njit
from langevin_sa.backends.cpu import philox, simd

@njit(error_model="numpy")
def made(n):
    z, k0, k1 = np.zeros((4, n * 48 + 16)), np.uint64(1), np.uint64(2)
    philox.fill_normals(z, 2**32 - 3, n, 5, 48, 0, k0, k1)
    for i in range(n * 48):
        z[0, i] = simd.exp(z[0, i]) + simd.sin(z[1, i])
    return z

print(hashlib.sha256(made(7).tobytes()).hexdigest())
"""
RUNS = """
import hashlib
import numpy as np
import langevin_sa as lsa

for U, threads, replicas in (
    (lsa.potentials.double_well(), 1, 37),
    (lsa.potentials.muller_brown(), 2, 300),
    (lsa.potentials.lennard_jones(7), 1, 9),
):
    x0 = U.draw_start(replicas, np.random.default_rng(1))
    cold = lsa.Schedule(0.3, 1.0, 1e-3)
    run = lsa.anneal(U, x0=x0, n_steps=50, schedule=cold, threads=threads, rng=3)
    print(hashlib.sha256(run.state.x.tobytes() + run.x.tobytes()).hexdigest())
"""


def printed_on(processor, script, folder):
    own = {"LANGEVIN_SA_CACHE": str(folder / str(processor))}
    if processor is not None:
        own |= {"NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": ""}
    given = {"env": {**os.environ, **own}, "capture_output": True, "text": True, "check": True}
    return subprocess.run([sys.executable, "-c", script], **given).stdout


@pytest.mark.slow
def test_shorter_vectors_have_the_same_bits(tmp_path):
    """AVX2 with fused multiply-adds, and SSE without."""
    theirs = [printed_on(name, NORMALS, tmp_path) for name in (None, "haswell", "x86-64")]
    assert theirs[0] == theirs[1] == theirs[2] != ""


@pytest.mark.slow
@pytest.mark.parametrize("processor", ["haswell", "x86-64"])
def test_runs_with_shorter_vectors_have_the_same_bits(processor, tmp_path):
    assert printed_on(processor, RUNS, tmp_path) == printed_on(None, RUNS, tmp_path) != ""


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
