"""Philox4x32-10, and the normals made of it: right numbers, right law, nothing correlated, nothing
twice.
"""

import numpy as np
import pytest
from scipy.stats import kstest, norm

import langevin_sa as lsa
from langevin_sa.noise import GRADIENT, START, THERMAL, normals, philox4x32, seed_of, stream

N = 1_000_000
MANY = np.arange(1000)
FREE = lsa.Potential.from_formula("1e-9*x**2")  # as good as free


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        (
            "00000000 00000000 00000000 00000000",
            "00000000 00000000",
            "6627e8d5 e169c58d bc57ac4c 9b00dbd8",
        ),
        (
            "ffffffff ffffffff ffffffff ffffffff",
            "ffffffff ffffffff",
            "408f276d 41c83b0e a20bc7c6 6d5451fd",
        ),
        (
            "243f6a88 85a308d3 13198a2e 03707344",
            "a4093822 299f31d0",
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_known_answers(counter, key, words):
    """Random123's kat_vectors for philox4x32-10."""
    counter, key, words = ([int(w, 16) for w in text.split()] for text in (counter, key, words))
    np.testing.assert_array_equal(philox4x32(np.array(counter), np.array(key)), words)
    block = philox4x32(np.tile(counter, (3, 2, 1)), np.tile(key, (2, 1)))
    np.testing.assert_array_equal(block, np.tile(words, (3, 2, 1)))


@pytest.mark.long
@pytest.mark.parametrize(
    ("seed", "step", "dim"), [(0, 0, 1000), (2**63 + 11, 2**34, 999), (7, 3, 1001)]
)
def test_moments_and_law(seed, step, dim):
    z = normals(seed, step, MANY, dim).ravel()
    root = np.sqrt(z.size)
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((z**power).mean() - moment) < 4.5 * np.sqrt(variance) / root, power
    assert kstest(z, norm.cdf).pvalue > 1e-4


def test_moments_along_steps():
    z = stream(3, np.arange(4), 0, N)
    assert kstest(z.ravel(), norm.cdf).pvalue > 1e-4
    assert np.abs(z.mean(1)).max() < 4.5 / np.sqrt(N)
    assert np.abs((z**2).mean(1) - 1).max() < 4.5 * np.sqrt(2 / N)


def test_a_two_percent_error_is_seen():
    z = 1.02 * normals(0, 0, MANY, 1000).ravel()
    assert abs((z**2).mean() - 1) > 20 * np.sqrt(2 / N)
    assert kstest(z, norm.cdf).pvalue < 1e-4


def neighbours():
    z = normals(1, 10, MANY, 1000)
    yield "replicas", z[:-1], z[1:]
    yield "far replicas", z, normals(1, 10, MANY + 2**31, 1000)
    for lag in (1, 2, 3, 4):
        yield f"coordinates {lag} apart", z[:, :-lag], z[:, lag:]
    yield "steps", z, normals(1, 11, MANY, 1000)
    yield "steps 2^32 quads apart", z, stream(1, MANY, 10_000 + 2**34, 1000)
    yield "purposes", z, normals(1, 10, MANY, 1000, START)
    yield "purposes", normals(1, 10, MANY, 1000, GRADIENT), normals(1, 10, MANY, 1000, START)
    yield "seeds", z, normals(2, 10, MANY, 1000)
    yield "high seeds", z, normals(1 + 2**32, 10, MANY, 1000)


def test_neighbours_are_uncorrelated():
    """Values and squares: a correlation of 1e6 pairs has a standard error of 1e-3."""
    for what, a, b in neighbours():
        for power in (1, 2):
            r = np.corrcoef((a**power).ravel(), (b**power).ravel())[0, 1]
            assert abs(r) < 4.5 / np.sqrt(a.size), f"{what}, power {power}: {r}"


@pytest.mark.parametrize("dim", [1, 2, 3, 4, 5, 7, 64])
def test_a_step_alone_is_the_stream(dim):
    replicas = np.array([0, 3, 500, 2**32 - 1])
    whole = stream(9, replicas, 0, 50 * dim).reshape(4, 50, dim)
    for step in (0, 1, 2, 17, 49):
        np.testing.assert_array_equal(normals(9, step, replicas, dim), whole[:, step])
    np.testing.assert_array_equal(normals(9, 5, replicas[2:3], dim)[0], whole[2, 5])


def test_large_steps():
    """Beyond 2^33 steps the counter needs its second word; nothing wraps round."""
    early, late = normals(4, 8, MANY, 3), normals(4, 2**34 + 8, MANY, 3)
    assert not np.isin(early, late).any()
    np.testing.assert_array_equal(late, stream(4, MANY, 3 * (2**34 + 8) - 2, 5)[:, 2:])
    assert len(np.unique(normals(4, 2**60, MANY, 8).reshape(-1, 2), axis=0)) == 4000


@pytest.mark.parametrize("step", [2**33 + 1, 2**45])
def test_backends_agree_at_large_steps(step, drive):
    for dim in (1, 3):
        potential, moved = lsa.potentials.harmonic(dim=dim), []
        for backend in ("numpy", "numba"):
            walk, runner = drive(potential, np.zeros((9, dim)), 4, backend)
            walk.step = step
            runner.advance(lsa.Schedule(1.0, 1.0, 0.1).coefficients(20))
            moved.append(walk.x)
        np.testing.assert_allclose(*moved, rtol=1e-13, atol=1e-14)


def test_seed_of():
    assert seed_of(7) == seed_of(np.int32(7)) == 7
    assert seed_of(2**64 - 1) == 2**64 - 1
    assert seed_of(np.random.default_rng(1)) == seed_of(np.random.default_rng(1))
    generator = np.random.default_rng(1)
    drawn = {seed_of(generator) for _ in range(100)} | {seed_of(None) for _ in range(100)}
    assert len(drawn) == 200
    assert all(0 <= seed < 2**63 and type(seed) is int for seed in drawn)
    for wrong in (True, 1.0, "1", np.random.RandomState(1), [1]):
        with pytest.raises(TypeError, match="rng must be"):
            seed_of(wrong)
    for wrong in (-1, 2**64):
        with pytest.raises(ValueError, match="seed must be in"):
            seed_of(wrong)


def updates(**options):
    """dx of every step, which for Euler-Maruyama on a flat landscape is the noise itself."""
    run = lsa.simulate(
        FREE,
        schedule=lsa.Schedule(1.0, 1.0, 0.5),
        integrator="ermak_mccammon",
        record_every=1,
        **options,
    )
    dx, state = [], None
    for snapshot in run:
        dx.append(snapshot.state.dx.ravel())
        state = snapshot.state
    return np.concatenate(dx), state


def test_nothing_repeats_over_many_short_runs():
    generator = np.random.default_rng(0)
    by_seed = [updates(x0=np.zeros((4, 1)), n_steps=3, rng=seed)[0] for seed in range(100)]
    by_generator = [updates(x0=np.zeros((4, 1)), n_steps=3, rng=generator)[0] for _ in range(50)]
    by_nothing = [updates(x0=np.zeros((4, 1)), n_steps=3)[0] for _ in range(50)]
    # two numbers of float32 may be equal by chance, two pairs are not
    pairs = np.concatenate(by_seed + by_generator + by_nothing).reshape(-1, 2)
    assert len(np.unique(pairs, axis=0)) == len(pairs) == 200 * 6


def test_nothing_repeats_after_resume(tmp_path):
    n, state, noise = 40, None, []
    whole, _ = updates(x0=np.zeros((4, 1)), n_steps=5 * n, rng=3)
    for k in range(5):
        start = {"state": state} if state else {"x0": np.zeros((4, 1)), "rng": 3}
        dx, state = updates(n_steps=n * (k + 1), **start)
        state.save(tmp_path / "state.npz")
        state = lsa.State.load(tmp_path / "state.npz")
        noise.append(dx)
    noise = np.concatenate(noise)
    assert len(np.unique(noise)) == noise.size
    np.testing.assert_array_equal(noise, whole)


def test_coordinates_get_different_noise(drive):
    """x, y and z each their own: after one step from one point no two coordinates of any replica
    are equal.
    """
    walk, backend = drive(lsa.potentials.harmonic(dim=3), np.zeros((100, 3)), 1)
    backend.advance(lsa.Schedule(1.0, 1.0, 0.1).coefficients(1))
    assert len(np.unique(walk.x)) == 300
    np.testing.assert_allclose(
        walk.dx,
        lsa.Schedule(1.0, 1.0, 0.1).coefficients(1).s[0]
        / 2
        * normals(1, 0, np.arange(100), 3, THERMAL),
    )
