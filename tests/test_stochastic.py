"""Potentials that are means over data: batches from the streams, runs on them, and the two
classifiers.
"""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa.noise import GRADIENT, KIND, stream


def spring_energy(x, y):
    return ((x - y) ** 2).mean(1) / 2


def spring_gradient(x, y):
    return x - y.mean(1, keepdims=True)


DATA = np.random.default_rng(0).normal(1.0, 2.0, 103)


def springs(batch_size=10):
    """u(x; y) = (x - y)^2/2: the gradient of a batch is x less its mean."""
    return lsa.StochasticPotential(
        spring_energy, spring_gradient, DATA, batch_size, dim=1, name="springs"
    )


def test_as_a_potential_it_is_the_mean_over_all_data():
    U = springs()
    assert U.energy([0.5]) == pytest.approx(((0.5 - DATA) ** 2).mean() / 2)
    assert U.gradient([0.5]) == pytest.approx(0.5 - DATA.mean())
    assert (U.samples, U.steps_per_epoch) == (103, 10)


def test_an_epoch_sees_every_sample_once_in_an_order_of_its_own():
    batches = springs().batches(7, np.arange(3))
    epochs = [
        np.concatenate([batches.indices(step) for step in range(10 * e, 10 * e + 10)], axis=1)
        for e in range(4)
    ]
    for order in epochs:
        assert all(len(set(row)) == 100 for row in order)
        assert order.min() >= 0 and order.max() < 103
    orders = {tuple(row) for order in epochs for row in order}
    assert len(orders) == 12  # replicas and epochs differ


def test_batches_are_a_function_of_seed_step_and_replica_from_the_gradient_stream():
    U = springs()
    there = U.batches(7, np.arange(5))
    for step in (34, 3, 99, 31):  # in no order
        np.testing.assert_array_equal(U.batches(7, [3]).indices(step), there.indices(step)[[3]])
    order = np.argsort(stream(7, np.array([3]), 3 * 103, 103, GRADIENT + KIND), axis=1)
    np.testing.assert_array_equal(U.batches(7, [3]).indices(34), order[:, 40:50])
    assert not np.array_equal(U.batches(8, [3]).indices(3), U.batches(7, [3]).indices(3))


def test_every_sample_is_as_likely_in_every_batch():
    batches = springs().batches(1, np.arange(20_000))
    counts = np.bincount(batches.indices(4).ravel(), minlength=103)
    expected = 20_000 * 10 / 103
    # a batch has no sample twice
    chi2 = ((counts - expected) ** 2 / expected).sum() / (1 - 10 / 103)
    assert abs(chi2 - 102) < 5 * np.sqrt(2 * 102)


def test_the_mean_gradient_of_an_epoch_is_the_gradient():
    U = lsa.potentials.one_hidden_layer(batch_size=25)
    x = U.draw_start(2, np.random.default_rng(1))
    batches = U.batches(3, np.arange(2))
    mean = np.mean([batches.gradient(x, step) for step in range(24, 36)], axis=0)
    np.testing.assert_allclose(mean, U.gradient(x), rtol=0, atol=1e-15 * 300)


@pytest.mark.long
def test_gradient_noise_is_the_variance_of_means_without_replacement():
    U = lsa.StochasticPotential(spring_energy, spring_gradient, DATA[:100], 10, dim=1)
    found = np.mean([U.gradient_noise([0.0], seed) for seed in range(4000)])
    # 5 sigma: relative sd of one is sqrt(2/9)
    assert found == pytest.approx(DATA[:100].var(ddof=1) / 10 * (1 - 10 / 100), rel=0.035)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_a_run_on_batches_is_the_recursion_written_out(backend):
    U, seed, S = springs(), 5, 25
    run = list(
        lsa.simulate(
            U,
            [[3.0], [-1.0]],
            lsa.CoolMomentum(0.1, 0.9),
            S,
            record_every=1,
            rng=seed,
            backend=backend,
        )
    )
    batches, x, dx, alpha = U.batches(seed, [0, 1]), np.array([[3.0], [-1.0]]), 0.0, 0.1 ** (1 / S)
    for n in range(S):
        rho = max(0.0, 1 - 0.1 / alpha**n)
        dx = rho * dx - 0.05 * (1 + rho) * (x - DATA[batches.indices(n)].mean(1, keepdims=True))
        x = x + dx
        np.testing.assert_allclose(run[n].state.x, x, rtol=1e-12, atol=1e-12)
        # of all data, at each record
        np.testing.assert_allclose(run[n].energy, U.energy(x), rtol=1e-12)


def test_one_batch_of_everything_is_the_exact_gradient():
    exact = lsa.Potential(lambda x: ((x - DATA) ** 2).mean(1) / 2, lambda x: x - DATA.mean(), dim=1)
    keywords = {"x0": [3.0], "schedule": lsa.Schedule(0.1, 1.0, 0.1), "n_steps": 40, "rng": 1}
    np.testing.assert_allclose(
        lsa.anneal(springs(103), **keywords).state.x,
        lsa.anneal(exact, **keywords).state.x,
        rtol=1e-11,
    )


def test_no_cut_of_a_run_changes_a_bit(tmp_path):
    U = lsa.potentials.logistic_regression(batch_size=32)
    keywords = {"schedule": lsa.CoolMomentum(0.1, 0.9), "n_steps": 60}
    whole = lsa.anneal(U, replicas=4, rng=3, **keywords)
    often = lsa.anneal(U, replicas=4, rng=3, record_every=7, threads=1, **keywords)
    np.testing.assert_array_equal(whole.state.x, often.state.x)
    middle = next(
        s for s in lsa.simulate(U, replicas=4, rng=3, record_every=31, **keywords) if s.step == 31
    )
    middle.state.save(tmp_path / "state.npz")
    resumed = lsa.anneal(U, state=lsa.State.load(tmp_path / "state.npz"), **keywords)
    np.testing.assert_array_equal(whole.state.x, resumed.state.x)
    with ThreadPoolExecutor(2) as pool:
        split = lsa.anneal(U, replicas=4, rng=3, workers=pool.map, **keywords)
    np.testing.assert_array_equal(whole.state.x, split.state.x)


def test_white_gradient_noise_heats_as_eq_19_says():
    """Batches of 1 of 4,000 samples are nearly independent: T = <R^2> dt^2 (1 + rho)/(4 (1 - rho)),
    1/(1 - a/4) hotter in the well.
    """
    data, rho, dt2 = np.random.default_rng(1).normal(0, 2, 4000), 0.8, 0.1
    U = lsa.StochasticPotential(spring_energy, spring_gradient, data, 1, dim=1)
    run = lsa.anneal(
        U,
        [data.mean()],
        lsa.Momentum(rho, (1 + rho) / 2 * dt2),
        1200,
        replicas=1000,
        rng=2,
        record_every=200,
    )
    exact = data.var() * dt2 * (1 + rho) / (4 * (1 - rho)) / (1 - dt2 / 4)
    assert run.history.eq22[1:].mean() == pytest.approx(exact, rel=0.01)


def test_compare_gives_every_method_the_same_batches_and_judges_by_all_data():
    U = lsa.potentials.logistic_regression()
    found = lsa.compare(
        U,
        {
            "a": lsa.Momentum(0.5, 0.1),
            "b": lsa.optimizers.SGD(0.1, momentum=0.5),
            "adam": lsa.optimizers.Adam(0.02),
        },
        replicas=4,
        n_steps=65,
        rng=1,
        epochs=3,
    )
    np.testing.assert_allclose(found["a"].x, found["b"].x, rtol=1e-13)
    for outcome in found.outcomes.values():
        np.testing.assert_allclose(outcome.energies["final"], U.energy(outcome.x), rtol=1e-12)
    assert found["adam"].success.value == 1  # convex: all descents end in one place


def test_a_batch_that_is_not_finite_is_a_wall_or_stops_the_run():
    def bad(x, y):
        return np.where(np.abs(x) > 4, np.nan, -x)

    U = lsa.StochasticPotential(spring_energy, bad, DATA, 10, dim=1)
    found = lsa.anneal(U, [1.0], lsa.Momentum(0.9, 0.1), 100, rng=1)
    assert found.success and found.failures > 0 and abs(found.state.x).max() <= 4
    found = lsa.anneal(U, [1.0], lsa.Momentum(0.9, 0.1), 100, rng=1, on_failure="raise")
    assert (
        found.status == 2 and "non-finite at step" in found.message and np.isfinite(found.x).all()
    )


def test_pickle():
    U = springs()
    again = pickle.loads(pickle.dumps(U))
    np.testing.assert_array_equal(
        again.batches(1, [0]).gradient(np.ones((1, 1)), 3),
        U.batches(1, [0]).gradient(np.ones((1, 1)), 3),
    )


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            (spring_energy, spring_gradient, DATA, 104, 1),
            ValueError,
            "batch_size must be at most the number of samples, 103, and is 104",
        ),
        (
            (spring_energy, spring_gradient, DATA, 0, 1),
            ValueError,
            "batch_size must be an integer of at least 1, not 0",
        ),
        (
            (spring_energy, spring_gradient, (DATA, DATA[1:]), 10, 1),
            ValueError,
            "different numbers of samples: 103, 102",
        ),
        ((spring_energy, spring_gradient, [], 10, 1), TypeError, "data must be an array"),
        (
            (spring_energy, None, DATA, 10, 1),
            TypeError,
            "batch_gradient must be a function of x and a batch, not NoneType",
        ),
    ],
)
def test_bad_input(arguments, error, message):
    with pytest.raises(error, match=message):
        lsa.StochasticPotential(*arguments)


def test_a_gradient_of_the_wrong_shape_is_named():
    U = lsa.StochasticPotential(spring_energy, lambda x, y: x[:, 0], DATA, 10, dim=1)
    with pytest.raises(ValueError, match=r"gradient of spring_energy returned shape \(1,\)"):
        lsa.anneal(U, [1.0], lsa.Momentum(0.9, 0.1), 10, rng=1)


# -------------------------------------------------------------------------------------- classifiers


def test_regression_finds_the_nearest_cloud():
    inputs, labels = lsa.potentials.clouds(400, classes=4, seed=3)
    U = lsa.potentials.logistic_regression((inputs, labels), batch_size=40)
    found = lsa.anneal(U, schedule=lsa.CoolMomentum(0.2, 0.9), n_steps=400, replicas=2, rng=1)
    logits = np.column_stack([inputs, np.ones(400)]) @ found.x.reshape(3, 4)
    # what nobody can do better than
    nearest = (inputs @ np.array([[1, 0, -1, 0], [0, 1, 0, -1]])).argmax(1)
    assert (logits.argmax(1) == nearest).mean() > 0.95


def test_large_logits_do_not_overflow():
    U = lsa.potentials.one_hidden_layer()
    far = 1e4 * np.ones(U.dim)
    assert np.isfinite(U.energy(far)) and np.isfinite(U.gradient(far)).all()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((np.ones((5, 2)), np.ones(4, int)), r"not of shapes \(5, 2\) and \(4,\)"),
        ((np.ones((5, 2)), np.ones(5)), "labels of float64"),
        ((np.ones((5, 2)), np.zeros(5, int)), "at least two classes, and go from 0 to 0"),
        ((np.full((5, 2), np.nan), np.arange(5)), "finite numbers"),
    ],
)
def test_bad_data(data, message):
    with pytest.raises(ValueError, match=message):
        lsa.potentials.logistic_regression(data)


def test_digits_name_the_extra_when_they_are_missing(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"pip install 'langevin_sa\[ml\]'"):
        lsa.potentials.digits()


def test_digits():
    pytest.importorskip("sklearn", reason="needs the extra ml")
    inputs, labels = lsa.potentials.digits()
    U = lsa.potentials.one_hidden_layer((inputs, labels), hidden=10)
    assert U.dim == 65 * 10 + 11 * 10 and U.samples == 1797
    x = U.draw_start(1, np.random.default_rng(0))[0]
    direction = np.random.default_rng(1).normal(size=U.dim)
    slope = (U.energy(x + 1e-6 * direction) - U.energy(x - 1e-6 * direction)) / 2e-6
    assert U.gradient(x) @ direction == pytest.approx(slope, rel=1e-6)
