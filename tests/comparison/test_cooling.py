"""Cooling works: slow annealing finds the global well where a quench stays in the wrong one."""

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa import Schedule
from langevin_sa.schedules import exponential, quench

# the lower well is at x = -1.04; all replicas start in the upper one
WELL = lsa.potentials.double_well(tilt=0.3)


def share_in_global_well(temperature, n_steps):
    result = lsa.anneal(
        WELL, [0.96], Schedule(temperature, 1.0, 0.1), n_steps, replicas=1000, rng=11
    )
    return np.mean(result.state.x < 0)


def test_annealing_beats_quenching():
    assert share_in_global_well(exponential(1.0, 0.01), 100_000) > 0.95
    assert share_in_global_well(quench(1.0, 0.01, at=0.0), 100_000) <= 0.5
    # mixed first, then frozen near its hot share
    assert share_in_global_well(quench(1.0, 0.01, at=0.001), 100_000) <= 0.65


def test_slower_is_better():
    shares = [share_in_global_well(exponential(1.0, 0.01), n) for n in (1_000, 10_000, 100_000)]
    assert shares[0] + 0.05 < shares[1] < shares[2] - 0.03


@pytest.mark.slow
def test_rastrigin_in_ten_dimensions():
    """At least one of 256 replicas; a long time step, near the stability limit, makes the wells'
    walls chaotic and passable.
    """
    U = lsa.potentials.rastrigin(dim=10)
    result = lsa.anneal(
        U, None, Schedule(exponential(3.0, 0.03), gamma=0.3, dt=0.095), 600_000, replicas=256, rng=1
    )
    assert result.fun < 0.9  # the next lowest minimum is at 0.995
    assert np.all(np.abs(result.x) < 0.5)


def test_exact_gradients_without_noise_never_anneal():
    """CoolMomentum with exact gradients is plain damping; with force noise of standard deviation 5
    it anneals.
    """
    still = lsa.anneal(WELL, [0.96], lsa.CoolMomentum(0.01, 0.99), 5_000, replicas=200, rng=1)
    assert np.all(still.state.x > 0)
    noisy = lsa.anneal(
        WELL, [0.96], lsa.CoolMomentum(0.01, 0.99, noise=5.0), 20_000, replicas=1000, rng=1
    )
    assert np.mean(noisy.state.x < 0) > 0.7


def test_cooling_times_of_two_seeds_share_no_noise():
    """Before, point k had seed + k: rng = 1 and rng = 2 gave the same 200 steps."""
    one, two = (
        lsa.cooling_rates(WELL, Schedule(0.5, 1.0, 0.1), n, x0=[0.96], replicas=50, rng=seed)
        for n, seed in (([100, 200], 1), ([200], 2))
    )
    a, b = one.comparisons[1]["anneal"].x, two.comparisons[0]["anneal"].x
    assert abs(np.corrcoef(a[:, 0], b[:, 0])[0, 1]) < 0.6  # of 50 replicas: 4 standard errors
    assert (one.seed, two.seed) == (1, 2) and "seed 1," in str(one)
    assert len({c.seed for c in one.comparisons + two.comparisons}) == 3
