"""Every row of the table against its published scheme, written here with explicit velocities: the
same Gaussian process at any time step, and the same trajectory where one normal makes its noise.
"""

import numpy as np
import pytest
from scipy.linalg import expm, solve_discrete_lyapunov

from langevin_sa import INTEGRATORS, Schedule
from langevin_sa.integrators import kick_drift_kick, splitting, table
from langevin_sa.integrators.taps import drifting
from langevin_sa.noise import normals
from langevin_sa.schedules import linear

GRID = [(1.0, 0.5, 0.5, 1.0), (4.0, 0.1, 0.6, 0.3), (0.09, 1.7, 0.5, 2.0), (2.0, 0.9, 1.0, 0.7)]
ATTENUATION = {  # c2 of gamma*dt
    "gjf": lambda c: (1 - c / 2) / (1 + c / 2),
    "gj_i": lambda c: (1 - c / 2) / (1 + c / 2),
    "gj_ii": lambda c: np.exp(-c),
    "gj_iii": lambda c: 1 - c,
    "gj_iv": lambda c: (np.sqrt(1 + 4 * c) - 1) / (2 * c),
    "gj_v": lambda c: 1 / (1 + c),
    "gj_vi": lambda c: 1 / (1 + c / 2) ** 2,
    "gj_viii": lambda c: np.sqrt(c**2 + 1) - c,
}


def flight(gamma, t):
    """Cholesky factor of the covariance of (x, v) after a free flight at T = 1 (Van Loan 1978)."""
    a = np.array([[0, 1], [0, -gamma]])
    block = expm(np.block([[-a, np.diag([0, 2 * gamma])], [np.zeros((2, 2)), a.T]]) * t)
    return np.linalg.cholesky(block[2:, 2:].T @ block[:2, 2:])


def word(letters):
    """A splitting, letter by letter, with a normal of its own for each O."""

    def step(state, force, gamma, dt, T, z):
        (x, v), z = state, list(z)
        for c in letters:
            t = dt / letters.count(c)
            if c == "A":
                x = x + t * v
            elif c == "B":
                v = v + t * force(x)
            else:
                v = np.exp(-gamma * t) * v + np.sqrt(T * -np.expm1(-2 * gamma * t)) * z.pop()
        return x, v

    return step


def gj(c2_of):
    """Gronbech-Jensen, J. Stat. Phys. 191, 137 (2024), Eq. (24)."""

    def step(state, force, gamma, dt, T, z):
        x, v = state
        c2 = c2_of(gamma * dt)
        c1, c3 = (1 + c2) / 2, (1 - c2) / (gamma * dt)
        t, beta = np.sqrt(c3 / c1) * dt, np.sqrt(2 * gamma * T * dt) * z[0]
        v = v + t / 2 * force(x)
        x = x + t / 2 * v
        u = np.sqrt(c1) * v + np.sqrt(c3) / 2 * beta
        v = c2 / np.sqrt(c1) * u + np.sqrt(c3 / c1) / 2 * beta
        x = x + t / 2 * v
        return x, v + t / 2 * force(x)

    return step


def bbk(state, force, gamma, dt, T, z):
    """Eq. (13), solved for the next position; the state holds the last one."""
    x, before = state
    f = force(x) + np.sqrt(2 * gamma * T / dt) * z[0]
    c = gamma * dt / 2
    return (2 * x - (1 - c) * before + dt**2 * f) / (1 + c), x


def vec(state, force, gamma, dt, T, z):
    """Vanden-Eijnden, Ciccotti 2006, Eq. (23)."""
    (x, v), (xi, eta), sigma = state, z[:2], np.sqrt(2 * gamma * T)

    def half(v, f):
        v, given = v + dt / 2 * (f - gamma * v) + np.sqrt(dt) / 2 * sigma * xi, f - gamma * v
        return (
            v
            - dt**2 / 8 * gamma * given
            - dt**1.5 / 4 * gamma * sigma * (xi / 2 + eta / np.sqrt(3))
        )

    v = half(v, force(x))
    x = x + dt * v + dt**1.5 * sigma * eta / (2 * np.sqrt(3))
    return x, half(v, force(x))


def langevin_impulse(state, force, gamma, dt, T, z):
    """Half a kick, an exact free flight, half a kick."""
    (x, v), noise = state, np.sqrt(T) * flight(gamma, dt)
    v = v + dt / 2 * force(x)
    x = x + v * (1 - np.exp(-gamma * dt)) / gamma + noise[0, 0] * z[0]
    v = v * np.exp(-gamma * dt) + noise[1, 0] * z[0] + noise[1, 1] * z[1]
    return x, v + dt / 2 * force(x)


def van_gunsteren_berendsen(state, force, gamma, dt, T, z):
    """The leap-frog of 1988: v at half steps, and the velocity noise of the half step before t_n,
    which the position at t_n already knows.
    """
    x, v, early = state
    noise, c = np.sqrt(T) * flight(gamma, dt / 2), gamma * dt
    X, V = noise[0, 0] * z[0], noise[1, 0] * z[0] + noise[1, 1] * z[1]  # from t_n on
    X_next, early_next = noise[0, 0] * z[2], noise[1, 0] * z[2] + noise[1, 1] * z[3]
    v = np.exp(-c) * v + force(x) * (1 - np.exp(-c)) / gamma + np.exp(-c / 2) * early + V
    x = x + v * (np.exp(c / 2) - np.exp(-c / 2)) / gamma + X_next
    return x + X - V * (np.exp(c / 2) - 1) / gamma, v, early_next


def euler(state, force, gamma, dt, T, z):
    (x,) = state
    return (x + dt / gamma * force(x) + np.sqrt(2 * T * dt / gamma) * z[0],)


def leimkuhler_matthews(state, force, gamma, dt, T, z):
    x, before = state
    h = dt / gamma
    return x + h * force(x) + np.sqrt(T * h / 2) * (z[0] + before), z[0]


SCHEMES = {
    **{name: (gj(c2), 2) for name, c2 in ATTENUATION.items()},
    **{name: (word(name.upper()), 2) for name in ("obabo", "baoab", "boaob")},
    "bbk": (bbk, 2),
    "vec": (vec, 2),
    "langevin_impulse": (langevin_impulse, 2),
    "van_gunsteren_berendsen": (van_gunsteren_berendsen, 3),
    "ermak_mccammon": (euler, 1),
    "leimkuhler_matthews": (leimkuhler_matthews, 2),
}
ELSEWHERE = {"gj_vii", "verlet", "velocity_verlet", "heavy_ball"}


def correlations(move, noise, lags=5):
    """<x_0 x_j> of a linear recursion whose state begins with x, and <dx^2>."""
    steady = solve_discrete_lyapunov(move, noise @ noise.T)
    c = [steady[0, 0]]
    for _ in range(lags - 1):
        steady = move @ steady
        c.append(steady[0, 0])
    return np.array([*c, 2 * (c[0] - c[1])])


def of_scheme(name, k, gamma, dt, T):
    """The scheme in a harmonic well is linear: its columns are what it makes of unit vectors."""
    step, size = SCHEMES[name]
    basis = np.eye(size + 4)
    after = step(tuple(basis[:size]), lambda x: -k * x, gamma, dt, T, basis[size:])
    table = np.array(after)
    return correlations(table[:, :size], table[:, size:])


def of_row(steps, k):
    dx = np.array([-steps.lr * k, steps.rho, 1.0])
    move = np.array([dx + np.array([1, 0, 0]), dx, [0, 0, 0]])
    return correlations(move, np.array([[steps.kick], [steps.kick], [steps.tail]]))


def test_every_row_has_its_scheme_here():
    assert set(INTEGRATORS) == SCHEMES.keys() | ELSEWHERE


@pytest.mark.parametrize("name", SCHEMES)
def test_row_is_its_scheme(name):
    """<x_0 x_j> and <dx^2> of the stationary state, at 1e-12, and in closed form."""
    for k, gamma, dt, T in GRID:
        steps = INTEGRATORS[name].steps(gamma, dt, T)
        if steps.lr * k >= 2 * (1 + steps.rho):
            continue
        found = of_row(steps, k)
        np.testing.assert_allclose(found, of_scheme(name, k, gamma, dt, T), rtol=1e-12, atol=1e-13)
        conf, eq22, kinetic = steps.stationary(k * steps.dt**2)
        read = k * found[0], found[-1] / steps.dt**2, found[-1] / steps.velocity_scale**2
        np.testing.assert_allclose(read, np.array([conf, eq22, kinetic]) * steps.sustained, 1e-11)
        if INTEGRATORS[name].exact:
            np.testing.assert_allclose([k * found[0], read[2]], T, rtol=1e-11)


@pytest.mark.parametrize("name", [*ATTENUATION, "baoab"])
def test_trajectory_is_its_scheme(name):
    """One normal a step: the same path in an anharmonic well, positions to rounding."""
    gamma, dt, T, row = 0.8, 0.3, 0.6, INTEGRATORS[name]
    steps, step = row.steps(gamma, dt, T), SCHEMES[name][0]
    state, z = (np.array(0.7), np.array(-0.4)), np.random.default_rng(1).standard_normal(60)

    def force(x):
        return x - x**3

    path = [state[0]]
    for n in range(60):
        state = step(state, force, gamma, dt, T, [z[n]])
        path.append(state[0])
    x, dx, noise = path[1], path[1] - path[0], steps.tail * z[0]
    for n in range(1, 60):
        dx = steps.rho * dx + steps.lr * force(x) + steps.kick * z[n] + noise
        x, noise = x + dx, steps.tail * z[n]
        np.testing.assert_allclose(x, path[n + 1], rtol=0, atol=1e-12)


def test_gj_vii_is_baoab_at_the_friction_that_diffuses_right():
    """c = (1 + c2)/(1 - c2) ln(c2)^2/2 (Finkelstein et al. 2021)."""
    for c in (1e-4, 0.1, 1.0, 9.0):
        steps = INTEGRATORS["gj_vii"].steps(c, 1.0, 0.7)
        c2 = steps.rho
        np.testing.assert_allclose((1 + c2) / (1 - c2) * np.log(c2) ** 2 / 2, c, rtol=1e-11)
        baoab = INTEGRATORS["baoab"].steps(c, -np.log(c2) / c, 0.7)
        for what in ("rho", "lr", "s"):
            np.testing.assert_allclose(getattr(steps, what), getattr(baoab, what), rtol=1e-11)


def test_vec_numbers():
    """Checked by hand once, and its limit without friction."""
    steps = INTEGRATORS["vec"].steps(0.5, 0.5, 1.0)
    found = [steps.rho, steps.lr / 0.25, steps.kick, steps.tail, of_row(steps, 1.0)[0]]
    known = [0.77935791, 0.882568359, 0.2465963, 0.0654423343, 1.022301418551712]
    np.testing.assert_allclose(found, known, rtol=1e-7)
    for a in (0.01, 1.0, 3.0):
        steps = INTEGRATORS["vec"].steps(1e-7, np.sqrt(a), 1.0)
        np.testing.assert_allclose(steps.stationary(a)[0], (1 - a / 6) / (1 - a / 4), rtol=1e-6)


@pytest.mark.parametrize(
    ("words", "row"),
    [
        (("OBABO", "ABOBA", "bobaa"), "obabo"),
        (("BAOAB", "OABAO"), "baoab"),
        (("BOAOB", "AOBOA"), "boaob"),
    ],
)
def test_splittings_fall_into_classes(words, row):
    """Cyclic orders have one recursion where the force is taken; a word is the row of that name."""
    for k, gamma, dt, T in GRID:
        exact = of_row(INTEGRATORS[row].steps(gamma, dt, T), k)
        for letters in words:
            found = of_row(splitting(letters).steps(gamma, dt, T), k)
            np.testing.assert_allclose(found, exact, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("letters", ["BAB", "ABABO", "OBAXO", "", "ABO ", 7])
def test_words_that_are_no_splitting(letters):
    with pytest.raises(ValueError, match="one force a step is a word of A, B and O"):
        splitting(letters)


def covariances(name, schedule, n):
    """Variance of W_n and covariance of W_n and W_{n+1}, from the scheme's own noises."""
    s = np.arange(n) / n
    gamma, dt, T = schedule.gamma(s), schedule.dt(s), schedule.temperature(s)
    rows = {"boaob": drifting("BOAOB")}
    A, _, C, A2, _, noise = (rows.get(name) or getattr(table, f"_{name}"))(gamma, dt)
    noise = np.array([[np.broadcast_to(v, n) for v in line] for line in noise]) * T
    now, later = [C, 1 + 0 * C, 0 * C], [0 * C, -A * A2, C * A]
    now, later = (np.array([np.broadcast_to(v, n) for v in p]) for p in (now, later))
    own, mixed, after = (
        np.einsum("in,jn,ijn->n", p, q, noise)
        for p, q in ((now, now), (now, later), (later, later))
    )
    return own[1:] + after[:-1], mixed


@pytest.mark.parametrize("name", ["vec", "langevin_impulse", "van_gunsteren_berendsen", "boaob"])
def test_taps_of_changing_steps(name):
    """Temperature, friction and time step that change: the noise has the scheme's covariances step
    by step, and no number depends on where a run is cut.
    """
    n = 60
    schedule = Schedule(linear(2.0, 0.1), linear(0.2, 2.0), linear(0.2, 0.6))
    steps = schedule.coefficients(n, name)
    variance, mixed = covariances(name, schedule, n)
    np.testing.assert_allclose(steps.kick[1:] ** 2 + steps.tail[:-1] ** 2, variance, rtol=1e-12)
    np.testing.assert_allclose(steps.kick * steps.tail, mixed, rtol=1e-12, atol=1e-17)
    for start, stop in ((0, 7), (7, 8), (8, 40), (40, n)):
        cut = schedule.coefficients(n, name, (start, stop))
        for what in ("kick", "tail", "carry", "temperature", "velocity_scale"):
            np.testing.assert_array_equal(getattr(cut, what), getattr(steps, what)[start:stop])


def test_cold_steps_keep_their_estimator():
    """T = 0 makes no noise, and reads velocities as at any temperature."""
    for row in INTEGRATORS.values():
        cold, warm = (row.steps(0.7, 0.3, T) for T in (0.0, 1.0))
        assert cold.s == 0
        np.testing.assert_allclose(cold.velocity_scale, warm.velocity_scale, rtol=1e-14)


@pytest.mark.parametrize("name", INTEGRATORS)
def test_time_step_reaches_what_is_wished(name):
    row = INTEGRATORS[name]
    for omega, gamma in ((1.0, 0.4), (2.0**20, 2.0**18), (3.0, 2.0)):
        dt = row.time_step(0.5, omega, gamma)
        np.testing.assert_allclose(row.steps(gamma, dt, 1.0).dt * omega, 0.5, rtol=1e-12)


def test_a_time_step_that_cannot_be_is_said():
    stiff = kick_drift_kick(
        "stiff", lambda g, dt: (0.5, 0, dt / (1 + dt) ** 2, 0.5, dt, 3 * [3 * [0]]), ""
    )
    with pytest.raises(ValueError, match="no time step of stiff gives"):
        stiff.time_step(5.0, 1.0, 1.0)


@pytest.mark.parametrize("name", ["vec", "bbk"])
def test_every_backend_carries_the_tail(name, drive):
    """x of NumPy's recursion, written out with kick and tail; carried noise where there is any."""
    from langevin_sa import potentials

    U, n = potentials.double_well(), 40
    steps = Schedule(linear(2.0, 0.1), linear(0.2, 2.0), linear(0.02, 0.06)).coefficients(n, name)
    for backend in ("numpy", "numba"):
        walk, moves = drive(U, [[0.3], [-0.8]], 5, backend=backend)
        x, dx, noise = walk.x.copy(), 0.0, 0.0
        for low, high in ((0, 1), (1, 9), (9, n)):
            moves.advance(steps.part(low, high))
        for k in range(n):
            z = normals(walk.seed, k, np.arange(2), 1)
            dx = steps.carry[k] * dx - steps.lr[k] * U.gradient(x) + steps.kick[k] * z + noise
            x, noise = x + dx, steps.tail[k] * z
        np.testing.assert_allclose(walk.x, x, rtol=1e-12)
        np.testing.assert_allclose(walk.noise, noise, rtol=1e-14, atol=0)
