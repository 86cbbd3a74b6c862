"""Each row of the table is the published algorithm, written here with its explicit velocities and
the same noise.
"""

import re
from importlib import resources

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa.noise import normals
from langevin_sa.plots.checks import ROW_STYLE
from langevin_sa.validation.lab import MEASURED, OVERDAMPED

SEED, STEPS, EXACT = 5, 100, {"rtol": 1e-12, "atol": 1e-12}
WELL = lsa.Potential.from_formula("x**4/4 + 3*cos(x) + x*y + y**2")
X0 = np.array([[1.5, -0.5], [-2.0, 1.0], [0.1, 0.2]])
V0, W0 = np.random.default_rng(0).standard_normal((2, *X0.shape))
PHYSICAL = [name for name, row in lsa.INTEGRATORS.items() if row.physical]
GAMMA_DT_T = [(0.5, 0.1, 0.7), (6.0, 0.25, 0.4), (0.01, 0.2, 1.0)]


def z(n):
    return normals(SEED, n, np.arange(len(X0)), X0.shape[1])


def recursion(integrator, gamma, dt, T, dx, noise, backend="numpy"):
    state = lsa.State(X0, dx, noise, 0, SEED)
    run = lsa.simulate(
        WELL,
        None,
        lsa.Schedule(T, gamma, dt),
        STEPS,
        integrator=integrator,
        state=state,
        backend=backend,
        record_every=1,
    )
    return np.array([snapshot.state.x for snapshot in run])


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize(("gamma", "dt", "T"), GAMMA_DT_T)
def test_gjf_is_averaged_noise_momentum(gamma, dt, T, backend):
    b = 1 / (1 + gamma * dt / 2)
    a = b * (1 - gamma * dt / 2)
    w = 0.01 * W0  # the half kick left over from before; the first update fixes what is left for dx
    dx = (b * dt * V0 + b * dt**2 / 2 * WELL.gradient(X0) - w) / a
    moved = recursion("gjf", gamma, dt, T, dx, w, backend)
    x, v, f = X0, V0, -WELL.gradient(X0)
    for n in range(STEPS):
        beta = np.sqrt(2 * gamma * T * dt) * z(n)
        x = x + b * dt * v + b * dt**2 / 2 * f + b * dt / 2 * beta
        new = -WELL.gradient(x)
        v = a * v + dt / 2 * (a * f + new) + b * beta
        f = new
        np.testing.assert_allclose(moved[n], x, **EXACT)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize(("gamma", "dt", "T"), GAMMA_DT_T)
def test_baoab_is_its_splitting(gamma, dt, T, backend):
    e = np.exp(-gamma * dt)
    w = 0.01 * W0
    dx = (dt * (1 + e) / 2 * (V0 + dt / 2 * WELL.gradient(X0)) - w) / e
    moved = recursion("baoab", gamma, dt, T, dx, w, backend)
    x, v = X0, V0
    for n in range(STEPS):
        v = v - dt / 2 * WELL.gradient(x)  # B
        x = x + dt / 2 * v  # A
        v = e * v + np.sqrt(T * (1 - e**2)) * z(n)  # O
        x = x + dt / 2 * v  # A
        v = v - dt / 2 * WELL.gradient(x)  # B
        np.testing.assert_allclose(moved[n], x, **EXACT)


@pytest.mark.parametrize(
    ("overdamped", "row"), [("ermak_mccammon", "bbk"), ("leimkuhler_matthews", "gjf")]
)
def test_overdamped_rows_are_the_limit_gamma_2_over_dt(overdamped, row):
    dt, T = 0.1, 0.6
    h = dt**2 / 2
    ours, limit = (
        lsa.Schedule(T, 3.0, 3.0 * h).coefficients(10, overdamped),
        lsa.Schedule(T, 2 / dt, dt).coefficients(10, row),
    )
    assert ours.paired == limit.paired
    for name in ("rho", "lr", "s", "dt", "velocity_scale", "temperature", "carry"):
        np.testing.assert_allclose(getattr(ours, name), getattr(limit, name), err_msg=name, **EXACT)
    np.testing.assert_allclose(ours.s, np.sqrt(2 * T * h), **EXACT)
    still = np.zeros_like(X0)
    np.testing.assert_allclose(
        recursion(overdamped, 3.0, 3.0 * h, T, still, still),
        recursion(row, 2 / dt, dt, T, still, still),
        **EXACT,
    )


def test_ermak_mccammon_is_euler_maruyama():
    h, T = 0.005, 0.6
    moved = recursion("ermak_mccammon", 1.0, h, T, V0, W0)  # neither dx nor the half kick matters
    x = X0
    for n in range(STEPS):
        x = x - h * WELL.gradient(x) + np.sqrt(2 * T * h) * z(n)
        np.testing.assert_allclose(moved[n], x, **EXACT)


def verlet_path(potential, x, v, dt, n):
    """Positions of plain Verlet started with velocity v (velocity Verlet's first step)."""
    dx = dt * v + dt**2 / 2 * potential.gradient(x)  # then dx - dt^2 dU/dx is that first step
    run = lsa.simulate(
        potential,
        None,
        lsa.Schedule(0.0, 1.0, dt),
        n,
        integrator="verlet",
        record_every=1,
        state=lsa.State(x, dx, 0 * x, 0, 0),
        backend="numpy",
    )
    return np.array([x, *(snapshot.state.x for snapshot in run)])


@pytest.mark.long
def test_verlet_keeps_energy():
    """The discrete invariant of a harmonic well to rounding; else energy is bounded with an error ~
    dt^2 and no drift.
    """
    dt, k = 0.3, 4.0
    x = verlet_path(lsa.potentials.harmonic(k=k), np.ones((1, 1)), np.ones((1, 1)), dt, 2000)[
        :, 0, 0
    ]
    invariant = x[1:] ** 2 + x[:-1] ** 2 - (2 - k * dt**2) * x[1:] * x[:-1]
    np.testing.assert_allclose(invariant, invariant[0], rtol=1e-11)
    U, spread = lsa.potentials.double_well(), {}
    for dt in (0.04, 0.02):
        x = verlet_path(U, np.array([[0.5]]), np.array([[1.2]]), dt, 4000)[:, 0]
        energy = U.energy(x[1:-1]) + ((x[2:] - x[:-2])[:, 0] / (2 * dt)) ** 2 / 2
        spread[dt] = np.ptp(energy)
        assert abs(energy[:1000].mean() - energy[-1000:].mean()) < 0.02 * np.ptp(energy)
    assert 3.5 < spread[0.04] / spread[0.02] < 4.5


@pytest.mark.parametrize("name", lsa.INTEGRATORS)
@pytest.mark.parametrize("gamma_dt", [0.05, 1.0, 1.9])
def test_stability_limit(name, gamma_dt, drive):
    """omega*dt < 2 for every row and any friction; the overdamped rows read dt^2 = 2h there, so k*h
    < 2.
    """
    farthest = {}
    for omega_dt in (1.99, 2.01):
        if (name, gamma_dt) == ("vec", 1.9):  # it does not get so far
            gamma_dt = 1.0
        dt = lsa.INTEGRATORS[name].time_step(1.0, 1.0, gamma_dt)
        steps = lsa.Schedule(0.0, gamma_dt, dt).coefficients(1500, name)
        np.testing.assert_allclose(steps.dt, 1.0, rtol=1e-12)
        walk, backend = drive(lsa.potentials.harmonic(k=omega_dt**2), [[1.0]], backend="numpy")
        backend.advance(steps)
        farthest[omega_dt] = abs(walk.x[0, 0])
    assert farthest[1.99] < 20
    assert farthest[2.01] > 1e8


def changing_dt(s):
    return 0.1 * (1 + 0.8 * np.sin(9 * s))


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("name", ["verlet", "bbk", "gjf", "baoab", "heavy_ball"])
def test_velocity_carries_over_when_dt_changes(name, backend):
    """A free particle without friction: dx/dt stays in the physical rows, dx itself in the
    optimizer's row.
    """
    free, n = lsa.Potential.from_formula("0*(x + y)"), 200
    schedule = lsa.Schedule(0.0, 0.0, changing_dt)
    dt = changing_dt(np.arange(n) / n)
    walk_dx = []
    from langevin_sa.backends.choose import get_backend
    from langevin_sa.backends.walk import Walk

    walk = Walk.at_rest(X0, 0)
    walk.dx[...] = V0 * dt[0]
    runner = get_backend(backend, free)(free, walk, 1)
    # wherever a run is cut
    for low, high in ((0, 1), (1, 7), (7, 120), *((k, k + 1) for k in range(120, n))):
        runner.advance(schedule.coefficients(n, name, (low, high)))
        walk_dx.append(walk.dx / (dt[high - 1] if name != "heavy_ball" else dt[0]))
    np.testing.assert_allclose(walk_dx, np.broadcast_to(V0, (len(walk_dx), *V0.shape)), **EXACT)


def test_carry_of_constant_dt_is_rho():
    """Of the recursion's own dt, which changes with the friction where lr is not (1 + rho)/2
    dt^2.
    """
    for name in lsa.INTEGRATORS:
        steps = lsa.Schedule(1.0, lambda s: 1 + s, 0.1).coefficients(50, name)
        dt = np.append(steps.dt[0], steps.dt) if lsa.INTEGRATORS[name].physical else np.ones(51)
        np.testing.assert_allclose(steps.carry, steps.rho * dt[1:] / dt[:-1], rtol=1e-14)
        assert np.ptp(steps.dt) < 0.1 * steps.dt[0] or lsa.INTEGRATORS[name].overdamped


@pytest.mark.parametrize("name", [name for name, row in lsa.INTEGRATORS.items() if row.overdamped])
def test_overdamped_rows_need_friction(name):
    with pytest.raises(ValueError, match="gamma must be > 0"):
        lsa.Schedule(1.0, 0.0, 0.1).coefficients(10, name)


def test_unknown_row_suggests_the_nearest():
    with pytest.raises(ValueError, match="baoab"):
        lsa.Schedule().coefficients(10, "boaab")


def test_gjf_with_changing_temperature_pairs_the_amplitudes():
    """Paired noise with a changing s is (s_n z_n + s_{n-1} z_{n-1})/2."""
    n = 50
    schedule = lsa.Schedule(lsa.schedules.exponential(2.0, 0.1), 1.0, 0.1)
    c = schedule.coefficients(n, "gjf")
    assert set(PHYSICAL) == set(lsa.INTEGRATORS) - {"heavy_ball"}
    moved = [
        s.state.x
        for s in lsa.simulate(WELL, X0, schedule, n, integrator="gjf", rng=SEED, record_every=1)
    ]
    x, dx, before = X0, 0, 0
    for k in range(n):
        now = c.s[k] * z(k)
        dx = c.rho[k] * dx - c.lr[k] * WELL.gradient(x) + (now + before) / 2
        x, before = x + dx, now
        np.testing.assert_allclose(moved[k], x, **EXACT)


def test_columns_say_what_rules_do():
    """thermal: there is noise. overdamped: rho = 0. physical: the velocity is carried over."""
    for row in lsa.INTEGRATORS.values():
        steps = row.steps(np.full(2, 1.0), np.array([0.1, 0.2]), 1.0)
        assert np.all(steps.s > 0) == row.thermal, row.name
        assert np.all(steps.rho == 0) == row.overdamped, row.name
        ratio = row.carrying(steps, None).carry[1] / (steps.rho[1] or 1)
        carried = row.overdamped or ratio > 1.5
        assert carried == (row.physical or row.overdamped), row.name
        assert (row.order is not None) == row.thermal, row.name


def test_pages_and_pictures_know_every_row():
    """JavaScript needs a rule of its own for each row, and a picture a colour for each that is
    measured.
    """
    script = resources.files("langevin_sa.teaching").joinpath("walk.js").read_text(encoding="utf-8")
    rules = re.findall(r"^  (\w+): \{ rule:", script, flags=re.MULTILINE)
    assert set(rules) == set(lsa.INTEGRATORS), "RULES in langevin_sa/teaching/walk.js"
    assert set(ROW_STYLE) == {*MEASURED, *OVERDAMPED}, "ROW_STYLE in langevin_sa/plots/checks.py"


@pytest.mark.parametrize(
    "schedule", [lsa.Schedule(), lsa.CoolMomentum(), lsa.Momentum(0.9, 0.01), lsa.optimizers.SGD(1)]
)
def test_schedules_say_whether_the_integrator_matters(schedule):
    paired = {schedule.coefficients(10, name).paired for name in ("gjf", "verlet")}
    assert schedule.own_recursion == (len(paired) == 1)
