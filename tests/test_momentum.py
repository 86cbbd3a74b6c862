"""The discretized Langevin equation is the Momentum optimizer: identities, to rounding."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa.momentum import Steps

EXACT = {"rtol": 1e-12, "atol": 1e-12}
BACKENDS = ("numpy", "numba")
WELL = lsa.Potential.from_formula("x**4/4 + 3*cos(x) + x*y + y**2")


def path(potential, x0, schedule, n_steps, **options):
    """Positions after each step, (n_steps, replicas, dim)."""
    return np.array(
        [
            snapshot.state.x
            for snapshot in lsa.simulate(
                potential, x0, schedule, n_steps, record_every=1, **options
            )
        ]
    )


def test_eq13_solved_implicitly_is_the_recursion():
    """dx_{n+1} stands on both sides of Eq. (13): solve for it, with forces and random forces
    written down beforehand.
    """
    rng = np.random.default_rng(1)
    for gamma, dt, temperature in (
        (0.0, 0.1, 1.0),
        (0.3, 0.5, 2.0),
        (5.0, 0.2, 0.1),
        (4.0, 1.0, 3.0),
    ):
        f, R, dx = rng.standard_normal((3, 500)) * [
            [1],
            [np.sqrt(2 * gamma * temperature / dt)],
            [1],
        ]
        m = lsa.Langevin(gamma, dt, temperature).to_momentum()

        def eq13(after, before, force, gamma=gamma, dt=dt):
            return (after - before) / dt**2 - force + gamma * (after + before) / (2 * dt)

        implicit = recursion = dx[0]
        for n in range(500):
            at0, at1 = eq13(0.0, implicit, f[n] + R[n]), eq13(1.0, implicit, f[n] + R[n])
            implicit = -at0 / (at1 - at0)
            xi = R[n] / m.force_noise if m.s else 0.0
            recursion = m.rho * recursion + m.lr * f[n] + m.s * xi
            np.testing.assert_allclose(recursion, implicit, **EXACT)


@pytest.mark.parametrize("gamma", [0.0, 0.01, 1.0, 7.0, 30.0])
@pytest.mark.parametrize("dt", [1e-3, 0.3, 2.0])
def test_round_trip_from_langevin(gamma, dt):
    temperature = 0.7 if gamma else 0.0
    m = lsa.Langevin(gamma, dt, temperature).to_momentum()
    np.testing.assert_allclose(
        [m.rho, m.lr],
        [(1 - gamma * dt / 2) / (1 + gamma * dt / 2), dt**2 * (1 + m.rho) / 2],
        **EXACT,
    )
    np.testing.assert_allclose(m.force_noise**2 * dt, 2 * gamma * temperature, **EXACT)  # Eq. (17)
    back = m.to_langevin()
    # of gamma*dt, by writing it as 1 - rho
    lost = 4 * np.finfo(float).eps / (1 - m.rho) if gamma else 0
    np.testing.assert_allclose(
        [back.gamma, back.dt, back.temperature],
        [gamma, dt, temperature],
        rtol=1e-12 + lost,
        atol=1e-12,
    )


@pytest.mark.parametrize("rho", [-0.5, 0.0, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("lr", [1e-4, 1.0])
def test_round_trip_from_momentum(rho, lr):
    R = 0.2  # standard deviation of the force noise
    m = lsa.Momentum(rho, lr, lr * R)
    assert m.force_noise == pytest.approx(R, rel=1e-12)
    physical = m.to_langevin()
    assert physical.gamma == pytest.approx(2 / m.dt * (1 - rho) / (1 + rho), rel=1e-12)  # Eq. (18)
    # Eq. (19)
    assert physical.temperature == pytest.approx(
        R**2 * m.dt**2 * (1 + rho) / (4 * (1 - rho)), rel=1e-12
    )
    back = physical.to_momentum()
    np.testing.assert_allclose([back.rho, back.lr, back.s], [rho, lr, m.s], **EXACT)


@pytest.mark.parametrize("backend", BACKENDS)
def test_recursion_is_sgd_with_momentum(backend):
    """torch.optim.SGD(lr, momentum): buf = mu*buf + g; p -= lr*buf."""
    mu, lr, p = 0.9, 0.01, np.array([[1.5, -0.5], [-2.0, 1.0]])
    moved = path(WELL, p, lsa.Momentum(mu, lr), 400, backend=backend)
    buf = np.zeros_like(p)
    for x in moved:
        buf = mu * buf + WELL.gradient(p)
        p = p - lr * buf
        np.testing.assert_allclose(x, p, **EXACT)


def table1(gradient, x, lr, rho0, S):
    """Table 1 of the paper, line by line."""
    alpha = (1 - rho0) ** (1 / S)
    dx, visited = 0.0, []
    for n in range(S):
        f = -gradient(x)
        rho_n = max(0, 1 - (1 - rho0) / alpha**n)
        lr_n = lr * (1 + rho_n) / 2
        dx = rho_n * dx + f * lr_n
        x = x + dx
        visited.append(x)
    return np.array(visited)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("rho0", [0.0, 0.5, 0.9, 0.99])
def test_table1_is_coolmomentum(backend, rho0):
    x0 = np.array([[1.5, -0.5], [-2.0, 1.0]])
    np.testing.assert_allclose(
        path(WELL, x0, lsa.CoolMomentum(0.02, rho0), 300, backend=backend),
        table1(WELL.gradient, x0, 0.02, rho0, 300),
        **EXACT,
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_coolmomentum_fixture(backend):
    """Numbers of PHYSICS.md for U = x^2/2; the sixth is a further step with rho = 0, which a run of
    5 steps never takes.
    """
    U = lsa.potentials.harmonic()
    run = lsa.anneal(
        U, [1.0], lsa.CoolMomentum(0.1, 0.9), 5, backend=backend, record_every=1, samples=True
    )
    sixth = path(U, None, lsa.Momentum(0.0, 0.05), 6, state=run.state, backend=backend)
    expected = [0.905, 0.741728127, 0.554611166, 0.397565426, 0.312394648, 0.296774915]
    np.testing.assert_allclose(
        [*run.samples.ravel(), *sixth.ravel()], expected, rtol=0, atol=5.1e-10
    )


def test_paper_law_starts_uncooled_and_ends_at_one_minus_alpha():
    rho = lsa.CoolMomentum(0.01, 0.99).coefficients(1000).rho
    assert rho[0] == pytest.approx(0.99, abs=1e-15)
    assert rho[-1] == pytest.approx(1 - 0.01**1e-3, rel=1e-12)
    alpha, n = 0.01**1e-3, np.arange(1000)
    np.testing.assert_allclose(rho, 1 - 0.01 / alpha**n, **EXACT)  # Eqs. (20)-(21)


@pytest.mark.parametrize("rho0", [0.5, 0.9, 0.99])
def test_exponential_and_linear_laws_fall_as_they_say(rho0):
    S = 1000
    s, start = np.arange(S) / S, (1 + rho0) / (1 - rho0)
    laws = {
        law: lsa.CoolMomentum(0.01, rho0, noise=0.3, law=law).coefficients(S)
        for law in ("exponential", "linear")
    }
    for law, steps in laws.items():
        steps_T = steps.temperature
        assert steps_T[0] == pytest.approx(0.3**2 * 0.01 / 4 * start, rel=1e-12), law  # Eq. (19)
        np.testing.assert_allclose(
            steps_T, lsa.Momentum(steps.rho, steps.lr, steps.s).temperature, **EXACT
        )
    T = {law: steps.temperature / steps.temperature[0] for law, steps in laws.items()}
    np.testing.assert_allclose(T["exponential"], start**-s, rtol=1e-11)  # to T0/start where rho = 0
    np.testing.assert_allclose(T["linear"], 1 - s * (1 - 1 / start), rtol=1e-11)


@pytest.mark.parametrize("law", ["paper", "exponential", "linear"])
def test_constant_force_noise_cools_199_fold_only(law):
    """Lowering rho from .99 to 0 lowers T by (1 + rho0)/(1 - rho0) = 199, and rho_S = 0 itself is
    never executed.
    """
    steps = lsa.CoolMomentum(0.01, 0.99, noise=1.0, law=law).coefficients(10**6)
    end = lsa.Momentum(0.0, 0.005, 0.005).temperature
    assert steps.temperature[0] / end == pytest.approx(199, rel=1e-10)
    assert 1 < steps.temperature[-1] / end < 1.001
    assert np.all(np.diff(steps.temperature) < 0)


def test_no_noise_no_temperature():
    assert np.all(lsa.CoolMomentum(0.01, 0.99).coefficients(100).temperature == 0)
    with pytest.raises(ValueError, match="no friction"):
        _ = lsa.Momentum(1.0, 0.1, 0.1).temperature


def test_velocity_scales():
    steps = Steps(np.array([0.5]), np.array([0.03]), np.array([0.0]))
    assert steps.velocity_scale[0] == steps.dt[0] == pytest.approx(0.2, rel=1e-12)
    assert Steps(steps.rho, steps.lr, steps.s, paired=True).velocity_scale[0] == pytest.approx(
        np.sqrt(0.03), rel=1e-15
    )


@pytest.mark.parametrize("paired", [False, True])
def test_steps_give_backends_their_numbers_and_travel(paired):
    """weights, kick and the rest are made once, also after a pickle and for a part."""
    rho, lr, s = np.array([[0.5, 0.9], [0.03, 0.02], [0.1, 0.2]])
    steps = Steps(rho, lr, s, paired=paired)
    assert not isinstance(steps, lsa.Momentum)
    assert steps.weights is steps.weights and steps.dt is steps.dt
    for one in (steps, pickle.loads(pickle.dumps(steps)), replace(steps, s=s)):
        expected = np.stack([one.dt**-2.0, one.velocity_scale**-2.0], axis=1)
        np.testing.assert_allclose(one.weights, expected, rtol=1e-15)
        np.testing.assert_array_equal(one.kick, s / 2 if paired else s)
        np.testing.assert_array_equal(one.temperature, lsa.Momentum(rho, lr, s).temperature)
    assert replace(steps, s=2 * s).kick[0] == 2 * steps.kick[0]


def test_numbers_print_as_numbers_and_lists_are_arrays():
    assert (
        repr(lsa.Momentum(0.0, 0.125).to_langevin())
        == "Langevin(gamma=4.0, dt=0.5, temperature=0.0)"
    )
    assert repr(lsa.Langevin(4, 0.5).to_momentum()) == "Momentum(rho=0.0, lr=0.125, s=0.0)"
    np.testing.assert_array_equal(
        lsa.Langevin([1.0, 2.0], 0.1, 1.0).to_momentum().rho, [0.95 / 1.05, 0.9 / 1.1]
    )
    with pytest.raises(TypeError, match="lr must be an array of real numbers"):
        lsa.Momentum(0.9, lsa.schedules.linear(1.0, 0.1)).to_langevin()
