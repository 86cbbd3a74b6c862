"""The pilot: what it chooses is invariant, paid for, counted and told."""

from __future__ import annotations

import numpy as np
import pytest

from langevin_sa import INTEGRATORS, Potential, Result, Schedule, anneal, schedules, simulate
from langevin_sa.tuning import measure, pilot
from langevin_sa.tuning.ladder import rising


def wells(L=1.0, E=1.0, b=0.0, d=0.0, dim=3):
    """Tilted double wells in units of length and energy, shifted."""

    def energy(x):
        u = (x - b) / L
        return E * ((u**2 - 1) ** 2 + 0.3 * u).sum(1) + d

    def gradient(x):
        u = (x - b) / L
        return E / L * (4 * u * (u**2 - 1) + 0.3)

    return Potential(energy, gradient, dim, bounds=(b - 2 * L, b + 2 * L))


def counted(dim=2, gradient=True):
    """Wells, and a list of one entry a call of any of their functions."""
    calls = []
    inner = wells(dim=dim)

    def energy(x):
        calls.append(len(x))
        return inner.energy(x)

    def slope(x):
        calls.append(len(x))
        return inner.gradient(x)

    return Potential(energy, slope, dim, bounds=(-2, 2)), calls


def numbers(p, L=1.0, E=1.0, b=0.0):
    """What a pilot chose, in units of the potential's own."""
    time = L / np.sqrt(E)
    scalars = [p.T0 / E, p.T_freeze / E, p.T1 / E, p.gamma * time, p.dt / time]
    return np.append(scalars, (p.starts - b).ravel() / L)


@pytest.mark.parametrize("n_steps", [20, 300, 3000])
def test_powers_of_two_are_the_same_bits(n_steps):
    plain = numbers(pilot(wells(), n_steps, 16, rng=3))
    for i, j in ((10, 0), (0, 20), (-30, -60), (40, 62)):
        L, E = 2.0**i, 2.0**j
        scaled = pilot(wells(L, E), n_steps, 16, rng=3)
        np.testing.assert_array_equal(numbers(scaled, L, E), plain)


@pytest.mark.parametrize("L, E, b, d", [(1e-9, 1e-21, 0, 0), (1e9, 1e21, 0, 0), (3, 0.7, 50, 100)])
def test_other_units_are_rounding(L, E, b, d):
    """Scouts on a ladder amplify it: then temperatures are as sure as for another seed."""
    plain = numbers(pilot(wells(), 100, 16, rng=3))
    scaled = pilot(wells(L, E, b, d), 100, 16, rng=3)
    np.testing.assert_allclose(numbers(scaled, L, E, b), plain, rtol=1e-5, atol=1e-5)
    plain = numbers(pilot(wells(), 3000, 16, rng=3))
    scaled = numbers(pilot(wells(L, E, b, d), 3000, 16, rng=3), L, E, b)
    np.testing.assert_allclose(np.log(scaled[:5] / plain[:5]), 0, atol=np.log(5))
    np.testing.assert_allclose(scaled[5:], plain[5:], atol=1e-4)


@pytest.mark.parametrize("n_steps, replicas", [(300, 1), (300, 8), (1000, 64), (20_000, 2)])
def test_a_tenth_of_the_evaluations_at_most(n_steps, replicas):
    U, calls = counted()
    found = pilot(U, n_steps, replicas, rng=1)
    assert found.nfev == found.njev == sum(calls) / 2 <= 0.1 * n_steps * replicas


@pytest.mark.parametrize("n_steps", [1, 100])
@pytest.mark.parametrize("dim", [1, 4, 10])
@pytest.mark.parametrize("gradient", [True, False])
@pytest.mark.filterwarnings("ignore:no gradient given")
def test_short_runs_begin_within_thirty_calls(n_steps, dim, gradient):
    U, calls = counted(dim)
    if not gradient:
        U = Potential(U._energy, dim=dim, bounds=(-2, 2))
    run = simulate(U, n_steps=n_steps, replicas=1, rng=1)
    assert len(calls) <= 30
    if n_steps == 1:
        assert np.isfinite(next(run).energy).all()


def test_the_result_counts_and_names_what_the_pilot_did():
    U, _ = counted()
    result = anneal(U, n_steps=400, replicas=4, rng=1, backend="numpy", record_every=400)
    assert result.pilot.nfev > 0
    assert result.nfev == 4 * 401 + result.pilot.nfev
    thermometer = 3 * 4  # of the one record
    assert result.njev == 4 * 401 + result.pilot.njev + thermometer
    assert str(result.pilot).startswith("T0: T0 = ")
    assert {"T0", "T_freeze", "T1", "gamma", "dt", "starts"} <= {*result.pilot.reasons}


@pytest.mark.parametrize("name", INTEGRATORS)
def test_dt_suits_the_integrator_that_runs(name):
    """omega*dt of the recursion itself, whose limit is lr*k = 2(1 + rho)."""
    row = INTEGRATORS[name]
    U = Potential.from_formula("9*x**2/2", bounds=(-1, 1))
    found = pilot(U, 2000, 8, rng=1, integrator=name)
    steps = found.schedule.coefficients(10, name)
    wanted = 0.7 if row.exact or not row.thermal else 0.35
    assert steps.lr * 9 == pytest.approx(wanted**2 / 4 * 2 * (1 + steps.rho), rel=1e-4)


def test_starts_are_given_or_the_lowest():
    U = wells()
    x0 = np.random.default_rng(0).uniform(-2, 2, (5, 3))
    np.testing.assert_array_equal(pilot(U, 300, 5, x0=x0, rng=1).starts, x0)
    np.testing.assert_array_equal(pilot(U, 300, 4, x0=x0[0], rng=1).starts, [x0[0]] * 4)
    free = pilot(U, 300, 32, rng=1)
    np.testing.assert_allclose(U.gradient(free.starts), 0, atol=1e-3)
    assert U.energy(free.starts[0]) == pytest.approx(free.fun)


def test_who_found_the_minimum(tmp_path):
    """x0 stays hot, so that the lowest point is the pilot's; files say so too."""
    U, x0 = wells(), np.full((4, 3), -1.9)
    result = anneal(U, x0, n_steps=1000, rng=1, record_every=1000, callback=lambda x: True)
    assert result.found_in == "pilot" and result.fun == result.pilot.fun
    assert U.energy(result.x) == pytest.approx(result.fun, abs=1e-12)
    result.save(tmp_path / "run.npz")
    again = Result.load(tmp_path / "run.npz")
    assert again.found_in == "pilot" and again.fun == result.fun
    np.testing.assert_array_equal(again.x, result.x)
    np.testing.assert_array_equal(again.pilot.starts, result.pilot.starts)
    assert again.pilot == result.pilot and again.pilot != pilot(U, 1000, 4, x0=x0, rng=2)
    assert str(again.pilot) == str(result.pilot)
    given = anneal(U, x0, result.schedule, 100, rng=1)
    assert given.found_in == "run" and given.pilot is None and given.nfev == 4 * 101


def test_the_target_may_be_reached_by_the_pilot():
    result = anneal(wells(), np.full((4, 3), -1.9), n_steps=1000, rng=1, stop_below=-0.91)
    assert result.success and "Target energy" in result.message and result.nit == 10


def interrupting(at, error):
    """Wells whose energy fails at a call."""
    inner, count = wells(), [0]

    def energy(x):
        count[0] += 1
        if count[0] == at:
            raise error
        return inner.energy(x)

    return Potential(energy, inner.gradient, 3, bounds=(-2, 2))


def test_an_interrupted_pilot_keeps_what_it_found():
    for at in (5, 40):
        result = anneal(interrupting(at, KeyboardInterrupt), n_steps=1000, replicas=8, rng=1)
        assert result.status == 3 and result.nit == 0 and result.pilot.interrupted
        assert result.fun == result.pilot.fun < 20
    with pytest.raises(KeyboardInterrupt):
        anneal(interrupting(1, KeyboardInterrupt), n_steps=1000, replicas=8, rng=1)


def test_an_exception_is_a_wall_but_at_the_start():
    with pytest.raises(ZeroDivisionError):
        pilot(interrupting(1, ZeroDivisionError), 1000, 8, rng=1)
    assert pilot(interrupting(30, ZeroDivisionError), 1000, 8, rng=1).fun < 0


def test_where_exceptions_are_to_be_raised_the_pilot_raises_them():
    how = dict(n_steps=1000, replicas=8, rng=1)
    assert anneal(interrupting(30, ZeroDivisionError), **how).status == 0
    with pytest.raises(ZeroDivisionError):
        anneal(interrupting(30, ZeroDivisionError), **how, on_failure="raise")
    with pytest.raises(ValueError, match="on_failure"):
        pilot(wells(), on_failure="no")


# energies, gradients, and the second derivative where the energy is so high above the minimum
WALLS = {
    "x**4": (lambda x: x**4, lambda x: 4 * x**3, lambda high: 12 * high**0.5),
    "x**6": (lambda x: x**6, lambda x: 6 * x**5, lambda high: 30 * high ** (2 / 3)),
    "exp": (
        lambda x: np.exp(4 * x**2),
        lambda x: 8 * x * np.exp(4 * x**2),
        lambda high: (8 + 16 * np.log(1 + high)) * (1 + high),
    ),
}


@pytest.mark.parametrize("wall", WALLS)
@pytest.mark.parametrize("n_steps, replicas", [(300, 4), (1000, 8)])
def test_a_time_step_holds_where_a_replica_gets_once(wall, n_steps, replicas):
    """All of these have hardly any curvature at the minimum, or much more on their walls."""
    energy, gradient, curvature = WALLS[wall]
    U = Potential(lambda x: energy(x[:, 0]), gradient, 1, bounds=(-1.5, 1.5))
    for seed in range(6):
        found = pilot(U, n_steps, replicas, rng=seed)
        high = np.log(n_steps * replicas) * found.T0
        assert found.dt * curvature(high) ** 0.5 < 1.5
        assert anneal(U, n_steps=n_steps, replicas=replicas, rng=seed).status == 0


def test_a_checkpoint_spares_the_pilot(tmp_path):
    U, calls = counted()
    how = dict(n_steps=400, replicas=4, rng=1, record_every=40)
    whole = anneal(U, **how)
    stop = dict(callback=lambda intermediate_result: intermediate_result.step == 200)
    part = anneal(U, **how, **stop, checkpoint=tmp_path / "run.npz")
    assert part.nit == 200
    calls.clear()
    rest = anneal(U, **how, checkpoint=tmp_path / "run.npz")
    assert sum(calls) < part.pilot.nfev + 2 * 4 * 300
    np.testing.assert_array_equal(rest.state.x, whole.state.x)
    assert rest.fun == whole.fun and str(rest.pilot) == str(whole.pilot)
    assert rest.nfev == whole.nfev and rest.schedule == whole.schedule


def test_a_deadline_bounds_the_pilot(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(measure.time, "perf_counter", lambda: clock[0])
    inner = wells()

    def energy(x):
        clock[0] += 1.0
        return inner.energy(x)

    found = pilot(Potential(energy, inner.gradient, 3, bounds=(-2, 2)), 10**6, 8, max_seconds=100)
    assert clock[0] < 30 and found.nfev < 1000


def test_a_pilot_looks_at_the_clock_between_points(monkeypatch):
    """After the first, which compiles, and up to a few without which it knows no curvature."""
    clock, inner = [0.0], wells()
    monkeypatch.setattr(measure.time, "perf_counter", lambda: clock[0])

    def energy(x):
        clock[0] += 1.0 * len(x)
        return inner.energy(x)

    U = Potential(energy, inner.gradient, 3, bounds=(-2, 2))
    for seconds in (50, 500):
        clock[0] = 0.0
        found = pilot(U, 10_000, 64, max_seconds=seconds)
        assert clock[0] == found.nfev <= 1 + 0.1 * seconds + 12
        assert 0.01 < found.dt < 1


def test_one_start_has_no_spread_of_its_own():
    """A chain of bonds, from one point: the temperature is that of other minima."""
    U = Potential.from_formula(site="(x**2 - 1)**2 + 0.3*x", dim=4)
    found = pilot(U, 2000, 16, x0=np.array([1.0, 1.1, 0.9, -1.0]), rng=1)
    assert 0.1 < found.T0 < 5 and found.fun < -0.3


def test_two_stages():
    law = schedules.two_stage(4.0, 1.0, 0.01, at=0.5)
    assert law(np.array([0.0, 0.25, 0.5, 0.75, 1.0])) == pytest.approx([4, 2, 1, 0.1, 0.01])
    assert repr(law) == "two_stage(4.0, 1.0, 0.01, 0.5)"
    with pytest.raises(ValueError, match="progress in"):
        schedules.two_stage(4.0, 1.0, 0.01, at=1.0)


def test_constant_thermodynamic_speed():
    """Where nothing depends on T it is geometric; it lingers where much heat must leave slowly."""
    found = pilot(wells(), 1000, 16, rng=3)
    law = schedules.constant_speed(found)
    assert law(0.0) == pytest.approx(found.T0) and law(0.85) == pytest.approx(found.T_freeze)
    assert law(1.0) == pytest.approx(found.T1)
    T, C, tau = found.temperatures, found.heat_capacity, found.relaxation
    s = np.interp(-np.log(T), -np.log(law(np.linspace(0, 0.85, 9999))), np.linspace(0, 0.85, 9999))
    speed = np.gradient(np.log(T), s) * tau * np.sqrt(C)
    assert np.std(speed[2:-2]) < 0.1 * abs(np.mean(speed))
    short = pilot(wells(), 10, 1, rng=3)  # no ladders, no heat capacity
    assert schedules.constant_speed(short)(0.5) == short.schedule.temperature(0.5)
    Schedule(law, found.gamma, found.dt).coefficients(100)


def test_rising_is_the_nearest_rising_curve():
    given = np.array([1.0, 0.0, 0.0, 0.2, 0.9, 0.7, 1.0])
    assert rising(given) == pytest.approx([0.3, 0.3, 0.3, 0.3, 0.8, 0.8, 1.0])


@pytest.mark.long
@pytest.mark.parametrize("bounds", [None, (-1.5, 1.5)])
def test_overlapping_particles(bounds):
    """Issue 15, item 5: T0 was 447,000, and the cluster was lost."""
    U = Potential.from_formula(pair="4*(r**-12 - r**-6)", particles=13, bounds=bounds)
    result = anneal(U, n_steps=5000, replicas=64, rng=1)
    assert 0.1 < result.pilot.T0 < 2
    assert result.fun == pytest.approx(-44.326801, abs=1e-3)
    assert (result.energies < -35).mean() > 0.5
