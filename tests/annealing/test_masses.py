"""Masses, frozen coordinates and a centre of mass that is held, as runs are asked for them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

import langevin_sa as lsa

F = lsa.Potential.from_formula
MASSES = np.array([4.0, 100.0])
BOWL = F("x**2/2 + y**2")
WARM = lsa.Schedule(0.7, 0.4, 0.3)
COOLING = lsa.Schedule(lsa.schedules.exponential(0.5, 0.05), 0.3, lambda s: 0.3 - 0.1 * s)
CLUSTER = F(pair="1/r + r**2/2", particles=4)
PLACES = np.random.default_rng(1).normal(size=(6, 12))


def same(a, b):
    for name in ("x", "dx", "noise", "best_x"):
        np.testing.assert_array_equal(getattr(a.state, name), getattr(b.state, name))
    np.testing.assert_array_equal(a.history.temperature, b.history.temperature)


# a thermal start of paired noise looks at a mean curvature, which is estimated with masses
@pytest.mark.parametrize(
    "how", [{}, {"start": "thermal", "integrator": "bbk"}, {"v0": [0.3, -0.2]}]
)
@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_it_is_the_run_of_y(how, backend):
    """The same formula of y = sqrt(m) x, with laws of progress, work and heat."""
    law = {"a": lambda s: 1 + s}
    U = F("2*(x - a)**2 + (y**2 - 1)**2 + x*y/5", **law)
    V = F("2*(x/2 - a)**2 + ((y/10)**2 - 1)**2 + x*y/100", **law)
    x0, root = np.array([[0.3, -0.8], [1.2, 0.9], [0.1, 1.1]]), np.sqrt(MASSES)
    kwargs = {"n_steps": 400, "rng": 1, "backend": backend, "record_every": 50}
    x = lsa.anneal(U, x0, COOLING, masses=MASSES, **kwargs, **how)
    if "v0" in how:
        how = {"v0": how["v0"] * root}
    y = lsa.anneal(V, x0 * root, COOLING, **kwargs, **how)
    for name in ("x", "dx", "best_x"):
        there = getattr(y.state, name) / root
        np.testing.assert_allclose(getattr(x.state, name), there, atol=1e-12)
    for name in ("temperature", "eq22", "work", "heat", "energy_mean"):
        # heat and work are differences of energies
        np.testing.assert_allclose(x.history[name], y.history[name], rtol=1e-11, atol=1e-13)


def test_laws_of_each_mass():
    """<x^2>, <v^2>, and that velocities are those of the snapshot."""
    m, k = np.array([1.0, 4.0, 100.0]), np.array([1.0, 1.0, 50.0])
    U = F("(x**2 + y**2 + 50*z**2)/2")
    replicas, seen = 20_000, []
    for snap in lsa.simulate(
        U, np.zeros((replicas, 3)), WARM, 600, record_every=20, masses=m, rng=2, start="thermal"
    ):
        if snap.step > 200:
            seen.append((k * snap.state.x**2, m * snap.velocity**2))
    for squares in np.mean(seen, axis=0):
        error = squares.std(0) / np.sqrt(replicas)
        assert (4 * error < 0.02 * 0.7).all() and (abs(squares.mean(0) - 0.7) < 4 * error).all()


def test_ways_to_say_it():
    particles = lsa.anneal(CLUSTER, PLACES, WARM, 20, rng=1, masses=[1, 4, 9, 2], frozen=[1, 3])
    m = np.repeat([1.0, 4, 9, 2], 3)
    for frozen in (
        [False, True, False, True],
        np.repeat([False, True, False, True], 3),
        np.array([3, 1]),
        (1, 3),
    ):
        same(particles, lsa.anneal(CLUSTER, PLACES, WARM, 20, rng=1, masses=m, frozen=frozen))
    held = np.repeat([False, True, False, True], 3)
    np.testing.assert_array_equal(particles.state.x[:, held], PLACES[:, held])
    np.testing.assert_array_equal(particles.best_positions[:, held], PLACES[:, held])
    # of no particles, numbers are those of coordinates
    one = lsa.anneal(BOWL, [[1.0, 2.0]], WARM, 20, rng=1, frozen=[0])
    same(one, lsa.anneal(BOWL, [[1.0, 2.0]], WARM, 20, rng=1, frozen=[True, False]))
    nothing = lsa.anneal(BOWL, [[1.0, 2.0]], WARM, 20, rng=1, frozen=[], masses=[1.0, 1.0])
    same(nothing, lsa.anneal(BOWL, [[1.0, 2.0]], WARM, 20, rng=1))
    assert nothing.state.masses is None


STATE = lsa.State(np.ones((1, 2)), np.zeros((1, 2)), np.zeros((1, 2)), 5, 1)
MOVING = replace(STATE, dx=np.ones((1, 2)), masses=np.array([1, np.inf]))


@pytest.mark.parametrize(
    "error, message, how",
    [
        (ValueError, r"masses must be positive numbers of shape \(2,\)", {"masses": [1, 0]}),
        (ValueError, "masses must be positive", {"masses": [1, np.inf]}),
        (ValueError, r"of shape \(3,\)", {"masses": [1, 2, 3]}),
        (TypeError, "masses", {"masses": "heavy"}),
        (ValueError, "frozen holds every coordinate", {"frozen": [True, True]}),
        (ValueError, "different integers from 0 to 1", {"frozen": [2]}),
        (ValueError, "different integers from 0 to 1", {"frozen": [-1]}),
        (ValueError, "a mask is of bools", {"frozen": [1, 1]}),
        (ValueError, r"must have shape \(2,\), not \(3,\)", {"frozen": [True, False, True]}),
        (TypeError, "a mask of bools", {"frozen": [0.5]}),
        (ValueError, "give x0", {"frozen": [0], "x0": None}),
        (ValueError, "v0 must be 0", {"frozen": [0], "v0": [1.0, 1.0]}),
        (TypeError, "remove_drift must be True or False", {"remove_drift": "yes"}),
        (ValueError, "act on each other alone", {"remove_drift": True}),
        (ValueError, "run with masses", {"state": STATE, "masses": [1, 2], "x0": None}),
        (ValueError, "run with masses", {"state": STATE, "frozen": [1], "x0": None}),
        (ValueError, "dx must be 0", {"state": MOVING, "x0": None}),
        (ValueError, "2 positive numbers", {"state": replace(STATE, masses=[1]), "x0": None}),
        (ValueError, "omega.dt", {"masses": [1, 1e-4]}),
    ],
)
def test_what_cannot_be(error, message, how):
    with pytest.raises(error, match=message):
        lsa.anneal(BOWL, schedule=WARM, n_steps=20, **{"x0": [1.0, 1.0]} | how)


def test_where_no_centre_can_be_held():
    trap = F(site="x**2", pair="1/r", particles=4)
    for U, how in ((trap, {}), (CLUSTER, {"frozen": [1]})):
        with pytest.raises(ValueError, match="remove_drift"):
            lsa.anneal(U, PLACES, WARM, 20, remove_drift=True, **how)


def test_a_backend_that_ignores_them_refuses(monkeypatch):
    monkeypatch.setattr("langevin_sa.backends.numpy.NumpyBackend.weighs", False)
    with pytest.raises(ValueError, match="knows of no masses"):
        lsa.anneal(BOWL, [1.0, 1.0], WARM, 20, masses=[1, 2], backend="numpy")


def test_a_time_step_is_as_long_as_masses_allow():
    """omega = sqrt(k/m): steep is what moves, and light."""
    U = F("x**2/2 + 5000*y**2")
    run = lsa.anneal(U, [1.0, 0.1], WARM, 50, masses=[1, 1e4], rng=1)
    assert run.success
    assert lsa.anneal(U, [1.0, 0.1], WARM, 50, frozen=[1], rng=1).success
    with pytest.raises(ValueError, match=r"omega\*dt = 30"):
        lsa.anneal(U, [1.0, 0.1], WARM, 50, rng=1)


def test_a_pilot_measures_what_moves():
    """In units of y, as if the formula were that of y; what is frozen stays."""
    U, V = F("2*(x**2 - 1)**2 + x/2 + y**2"), F("2*(x**2/4 - 1)**2 + x/4 + (y/10)**2")
    run = lsa.anneal(U, [1.0, 0.5], None, 400, replicas=8, masses=MASSES, rng=1)
    other = lsa.anneal(V, [2.0, 5.0], None, 400, replicas=8, rng=1)
    for name in ("T0", "gamma", "dt", "fun"):
        assert getattr(run.pilot, name) == pytest.approx(getattr(other.pilot, name), rel=1e-3)
    assert run.nfev == other.nfev
    held = lsa.anneal(U, [1.0, 0.5], None, 400, replicas=8, frozen=[1], rng=1)
    assert held.x[1] == held.pilot.x[1] == 0.5 and abs(U.gradient(held.x)[0]) < 0.1
    np.testing.assert_array_equal(held.state.x[:, 1], 0.5)
    with pytest.raises(ValueError, match="in 2 places"):
        lsa.anneal(U, [[1.0, 0.5], [1.0, 0.6]], None, 400, frozen=[1])
    drawn = F("x**2 + y**2", bounds=(-2, 2))
    assert lsa.anneal(drawn, None, None, 400, replicas=8, masses=MASSES, rng=1).success


def test_temperatures_are_of_what_moves():
    """A slab: every coordinate that moves has T, by each thermometer."""
    U = F(site="x**2/2", bond="(y - x)**2/2", dim=12)
    x0 = np.random.default_rng(0).normal(size=(600, 12))
    frozen = np.arange(12) < 6
    run = lsa.anneal(U, x0, WARM, 300, frozen=frozen, start="thermal", rng=1, record_every=30)
    late = run.history.step > 100
    for name in ("temperature", "configurational"):
        assert run.history[name][late].mean() == pytest.approx(0.7, rel=0.03), name
    same(run, lsa.anneal(U, x0, WARM, 300, frozen=frozen, start="thermal", rng=1, record_every=30))


@pytest.mark.parametrize("how", [{"frozen": [1]}, {"remove_drift": True}])
def test_cuts_change_no_bit(how, tmp_path):
    """Records, states, files, threads and workers."""
    kwargs = {"masses": [1, 4, 9, 2], "rng": 1, "start": "thermal", "record_every": 10} | how
    whole = lsa.anneal(CLUSTER, PLACES, WARM, 60, **kwargs)
    snaps = list(lsa.simulate(CLUSTER, PLACES, WARM, 60, **kwargs | {"record_every": 7}))
    np.testing.assert_array_equal(snaps[-1].state.x, whole.state.x)
    half = lsa.anneal(CLUSTER, PLACES, WARM, 60, **kwargs, stop_below=np.inf)
    assert half.nit == 10
    half.state.save(tmp_path / "state.npz")
    state = lsa.State.load(tmp_path / "state.npz")
    drift = {k: v for k, v in how.items() if k == "remove_drift"}
    on = lsa.anneal(CLUSTER, schedule=WARM, n_steps=60, state=state, record_every=10, **drift)
    np.testing.assert_array_equal(on.state.x, whole.state.x)
    np.testing.assert_array_equal(on.history.temperature, whole.history.temperature[1:])
    whole.save(tmp_path / "result.npz")
    np.testing.assert_array_equal(
        lsa.Result.load(tmp_path / "result.npz").state.masses, whole.state.masses
    )
    file = tmp_path / "checkpoint.npz"
    lsa.anneal(CLUSTER, PLACES, WARM, 60, checkpoint=file, stop_below=np.inf, **kwargs)
    same(lsa.anneal(CLUSTER, PLACES, WARM, 60, checkpoint=file, **kwargs), whole)
    with pytest.raises(ValueError, match="differs in the masses"):
        lsa.anneal(CLUSTER, PLACES, WARM, 60, checkpoint=file, **kwargs | {"masses": [1, 4, 9, 3]})
    with ThreadPoolExecutor(2) as pool:
        same(lsa.anneal(CLUSTER, PLACES, WARM, 60, **kwargs, workers=pool.map), whole)


def test_a_held_centre_has_no_temperature():
    run = lsa.simulate(
        CLUSTER, PLACES, WARM, 6, remove_drift=True, masses=[1, 4, 9, 2], record_every=1, rng=1
    )
    m = np.repeat([1.0, 4, 9, 2], 3)
    for snap in run:
        momentum = (m * snap.velocity).reshape(-1, 4, 3).sum(1)
        np.testing.assert_allclose(momentum, 0, atol=1e-13)
        assert snap.temperature == pytest.approx((m * snap.velocity**2).sum(1).mean() / 9)


def test_exchange_of_masses():
    U = F("(x**2 - 1)**2 + y**2 + x*y/5")
    found = lsa.exchange(
        U, [0.1, 0.4], 400, x0=[1.0, 0.5], replicas=4, masses=MASSES, frozen=[1], rng=1
    )
    np.testing.assert_array_equal(found.samples[..., 1], 0.5)
    assert np.ptp(found.samples[..., 0]) > 1
