"""One seed, one trajectory: on any number of threads, for any record, block or cut, after save and
load, on every backend.
"""

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa import Potential, Schedule, State
from langevin_sa.noise import KINDS
from langevin_sa.schedules import exponential

# curvature stays positive: nothing grows
MILD = Potential.from_formula(site="x**2/2 + cos(x)/2", dim=6)
RASTRIGIN = lsa.potentials.rastrigin(dim=10)
COOLING = Schedule(exponential(2.0, 0.05), 1.0, 0.02)
ROWS = [*lsa.INTEGRATORS]


def last(potential=RASTRIGIN, n=500, replicas=300, **keywords):
    return lsa.anneal(potential, None, COOLING, n, replicas=replicas, rng=5, **keywords)


def same(a, b):
    for name in ("x", "dx", "noise", "best_x", "best_energy"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("integrator", ["gjf", "bbk"])
def test_same_bits_for_any_split(dtype, integrator):
    reference = last(threads=1, dtype=dtype, integrator=integrator)
    for keywords in (
        {"threads": 2},
        {"record_every": 1},
        {"record_every": 7, "threads": 2},
        {"record_every": 499},
    ):
        same(last(dtype=dtype, integrator=integrator, **keywords).state, reference.state)


@pytest.mark.parametrize("replicas", [1, 7, 40, 130])
def test_a_replica_does_not_depend_on_how_many_there_are(replicas):
    """Other counts mean other block widths; 64 bytes of a vector and a lone number round alike."""
    x0 = np.random.default_rng(0).normal(size=(300, 10))
    many, few = (lsa.anneal(RASTRIGIN, x, COOLING, 400, rng=5).state for x in (x0, x0[:replicas]))
    np.testing.assert_array_equal(many.x[:replicas], few.x)
    np.testing.assert_array_equal(many.best_energy[:replicas], few.best_energy)


@pytest.mark.parametrize("integrator", ROWS)
def test_save_and_load_in_mid_ramp(integrator, tmp_path):
    hot = exponential(2.0, 0.05) if lsa.INTEGRATORS[integrator].thermal else 0.0

    def run(**keywords):
        return lsa.simulate(
            MILD,
            schedule=Schedule(hot, 1.0, lambda s: 0.02 + 0.01 * s),
            n_steps=2000,
            integrator=integrator,
            record_every=1000,
            **keywords,
        )

    half, whole = run(x0=np.ones((9, 6)), rng=5)
    half.state.save(tmp_path / "half.npz")
    (resumed,) = run(state=State.load(tmp_path / "half.npz"))
    same(resumed.state, whole.state)
    assert resumed.best_energy == whole.best_energy


@pytest.mark.parametrize("integrator", ROWS)
@pytest.mark.parametrize("noise", KINDS)
def test_backends_agree(integrator, noise):
    schedule = Schedule(0.5 if lsa.INTEGRATORS[integrator].thermal else 0.0, 1.0, 0.05)
    a, b = (
        lsa.anneal(
            MILD,
            np.full(6, 1.5),
            schedule,
            1000,
            replicas=20,
            integrator=integrator,
            rng=5,
            noise=noise,
            backend=name,
        )
        for name in ("numpy", "numba")
    )
    assert np.max(np.abs(a.state.x - b.state.x)) < 1e-10
    for name in ("temperature", "eq22", "configurational", "energy_mean", "best"):
        np.testing.assert_allclose(
            a.history[name], b.history[name], rtol=1e-9, atol=1e-12, err_msg=name
        )
    np.testing.assert_allclose(a.best_positions, b.best_positions, atol=1e-9)


def test_float32_follows_float64():
    single, double = (
        lsa.anneal(MILD, np.full(6, 1.5), COOLING, 300, replicas=20, rng=5, dtype=d)
        for d in ("float32", "float64")
    )
    assert single.state.x.dtype == np.float32
    assert 1e-8 < np.max(np.abs(single.state.x - double.state.x)) < 1e-4


def test_four_ways_in_one_trajectory():
    import numba

    @numba.njit
    def energy(x):
        return np.sum(x**2 / 2 + np.cos(x) / 2)

    def gradient(x, out):
        for i in range(x.size):
            out[i] = x[i] - np.sin(x[i]) / 2

    arrays = Potential(lambda x: (x**2 / 2 + np.cos(x) / 2).sum(1), lambda x: x - np.sin(x) / 2, 6)
    loops = Potential.from_numba(energy, gradient, 6)
    named = Potential.from_formula(" + ".join(f"{v}**2/2 + cos({v})/2" for v in "abcdgh"))
    reference = lsa.anneal(MILD, np.ones(6), COOLING, 500, replicas=30, rng=5)
    for potential in (arrays, loops, named):
        other = lsa.anneal(potential, np.ones(6), COOLING, 500, replicas=30, rng=5)
        np.testing.assert_allclose(
            other.state.x, reference.state.x, atol=1e-11, err_msg=potential.name
        )
        np.testing.assert_allclose(other.best_energies, reference.best_energies, atol=1e-11)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_best_is_over_every_step(backend):
    trace = [
        s.energy
        for s in lsa.simulate(
            RASTRIGIN, np.ones((5, 10)) / 3, COOLING, 300, rng=5, record_every=1, backend=backend
        )
    ]
    result = lsa.anneal(
        RASTRIGIN, np.ones((5, 10)) / 3, COOLING, 300, rng=5, record_every=300, backend=backend
    )
    visited = np.vstack([RASTRIGIN.energy(np.ones((5, 10)) / 3), *trace])
    np.testing.assert_allclose(result.best_energies, visited.min(0), rtol=1e-12)
    np.testing.assert_allclose(
        RASTRIGIN.energy(result.best_positions), result.best_energies, rtol=1e-12
    )
    assert result.fun == result.best_energies.min() < result.energies.min()


def test_seed_is_reported_and_repeats():
    first = lsa.anneal(MILD, np.ones(6), COOLING, 50)
    again = lsa.anneal(MILD, np.ones(6), COOLING, 50, rng=first.seed)
    same(first.state, again.state)
    other = lsa.anneal(MILD, np.ones(6), COOLING, 50)
    assert other.seed != first.seed and not np.array_equal(other.state.x, first.state.x)


def test_what_a_callback_gets_stays_as_it_is():
    kept = []
    lsa.anneal(
        MILD,
        np.ones((4, 6)),
        COOLING,
        200,
        rng=5,
        callback=lambda intermediate_result: kept.append(intermediate_result),
    )
    assert len({r.energy.tobytes() for r in kept}) == len(kept)
    snapshots = list(lsa.simulate(MILD, np.ones((4, 6)), COOLING, 200, rng=5, record_every=50))
    assert len({s.state.x.tobytes() for s in snapshots}) == 4


def test_noise_differs_between_coordinates_replicas_and_runs():
    free = Potential.from_formula("0*(x + y)")
    # every move is fresh noise
    overdamped = {"integrator": "ermak_mccammon", "samples": True, "record_every": 1}
    path = lsa.anneal(
        free, np.zeros((50, 2)), Schedule(1.0, 1.0, 0.1), 1001, rng=1, **overdamped
    ).samples
    moves = np.diff(path, axis=0).reshape(1000, -1)
    correlation = np.corrcoef(moves.T) - np.eye(100)
    # the largest of 4950 pairs; a repeated stream gives 1
    assert np.max(np.abs(correlation)) < 5.5 / np.sqrt(1000)
    short = [
        lsa.anneal(free, np.zeros(2), Schedule(1.0, 1.0, 0.1), 1, rng=seed).state.x
        for seed in range(200)
    ]
    assert len(np.unique(short)) == 400


@pytest.mark.parametrize("workers", [2, map], ids=["processes", "map"])
def test_same_bits_on_any_workers(workers):
    alone, split = (last(n=200, replicas=30, samples=True, workers=w) for w in (1, workers))
    same(split.state, alone.state)
    np.testing.assert_array_equal(split.samples, alone.samples)
    np.testing.assert_array_equal(split.energies, alone.energies)
    assert (split.fun, split.nfev, split.nit) == (alone.fun, alone.nfev, alone.nit)
    for name in ("step", "target", "temperature", "eq22", "energy_mean", "energy_min", "best"):
        np.testing.assert_array_equal(split.history[name], alone.history[name], err_msg=name)
