"""The stationary laws of PHYSICS.md, cell by cell: what a correct thermostat measures at any stable
time step.

Errors come from independent replicas: 4.5 standard errors and 0.5 %, with enough samples that noise
2 % too strong (4 % in T) fails.
"""

import dataclasses

import numpy as np
import pytest
from scipy.optimize import OptimizeResult

import langevin_sa as lsa
from langevin_sa.validation import lab
from langevin_sa.validation.lab import unit_row

pytestmark = pytest.mark.long

T = 0.7
# vec is measured by `validate`
INERTIAL = ("bbk", "gjf", "baoab")
ROWS = INERTIAL + lab.OVERDAMPED
OMEGA_DT, GAMMA_DT = (0.3, 1.0, 1.6), (0.05, 0.5, 1.5)


def laws(name, a, rho):
    """Exact T_conf/T, T_22/T and kinetic estimator/T of a harmonic mode with a = (omega*dt)^2,
    written out again on purpose.
    """
    hot = 1 / (1 - a / 4)
    return (hot, hot, hot) if not lsa.INTEGRATORS[name].exact else (1.0, (1 + rho) / 2, 1.0)


def steps_of(name, gamma_dt, n, temperature=T):
    """n steps of a row with dt = 1 in the recursion's sense (dt^2 = 2h for the overdamped rows)."""
    return unit_row(name, gamma_dt, temperature, n)


def measure(drive, potential, steps_of_n, squares, n, replicas, seed=1, burn=1500, every=7):
    """Per-replica time averages: mean of `squares`(x), T_22 and the exact kinetic estimator,
    stacked on the last axis.
    """
    walk, backend = drive(
        potential, np.random.default_rng(0).normal(size=(replicas, potential.dim)), seed
    )
    backend.advance(steps_of_n(burn))
    walk.forget()
    total = 0.0
    for _ in range(n // every):
        backend.advance(steps_of_n(every))
        total = total + squares(walk.x)
    rounds = n // every
    return (
        total / rounds,
        walk.dx2 / (rounds * every * potential.dim),
        walk.kinetic / (rounds * every * potential.dim),
    )


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("omega_dt", OMEGA_DT)
def test_harmonic_well(name, omega_dt, drive, agree):
    k = omega_dt**2
    well = lsa.potentials.harmonic(k=k)
    for gamma_dt in GAMMA_DT if name in INERTIAL else (1.0,):
        rho = float(steps_of(name, gamma_dt, 1).rho[0])
        measured = measure(
            drive,
            well,
            lambda n, g=gamma_dt: steps_of(name, g, n),
            lambda x: k * x[:, 0] ** 2,
            7_000,
            4096,
        )
        for values, law in zip(measured, laws(name, k, rho), strict=True):
            agree(values, T * law)


@pytest.mark.parametrize("omega_dt", OMEGA_DT)
@pytest.mark.parametrize("gamma_dt", GAMMA_DT)
def test_on_step_velocity_of_bbk(omega_dt, gamma_dt, drive, agree):
    """(dx_n + dx_{n+1})/(2 dt), the velocity at a step, is cold by 1/(1 + c/2) at any stable time
    step.
    """
    walk, backend = drive(
        lsa.potentials.harmonic(k=omega_dt**2), np.random.default_rng(0).normal(size=(16_384, 1)), 1
    )
    burn, between, one = (steps_of("bbk", gamma_dt, n) for n in (500, 7, 1))
    backend.advance(burn)
    squares, rounds = 0.0, 250
    for _ in range(rounds):
        backend.advance(between)
        before = walk.dx.copy()
        backend.advance(one)
        squares = squares + ((before + walk.dx)[:, 0] / 2) ** 2
    agree(squares / rounds, T / (1 + gamma_dt / 2))


@pytest.mark.parametrize("name", ROWS)
def test_noise_off_by_two_percent_is_noticed(name, drive, agree):
    """The power of the test above: the same measurement with s 2 % too large must fail, and by more
    than 4.5 standard errors.
    """
    well = lsa.potentials.harmonic(k=1.0)

    def wrong(n):
        steps = steps_of(name, 0.5, n)
        return dataclasses.replace(steps, s=1.02 * steps.s)

    rho = float(steps_of(name, 0.5, 1).rho[0])
    measured = measure(drive, well, wrong, lambda x: x[:, 0] ** 2, 7_000, 4096)
    for values, law in zip(measured, laws(name, 1.0, rho), strict=True):
        with pytest.raises(AssertionError, match="standard errors off"):
            agree(values, T * law)


@pytest.mark.parametrize(
    # baoab differs from gjf in rho alone; `validate` has the modes of bbk
    "name",
    [pytest.param(n, marks=pytest.mark.slow if n in ("baoab", "bbk") else ()) for n in INERTIAL],
)
def test_chain_of_100_modes(name, drive, agree):
    """Each normal mode by itself: bbk heats the stiff ones by 1/(1 - a/4), gjf and baoab none."""
    dim, k = 100, 0.7
    chain = lsa.potentials.harmonic_chain(dim=dim, k=k, pinning=0.1)
    hessian = np.array([chain.gradient(e) for e in np.eye(dim)])
    stiffness, modes = np.linalg.eigh(hessian)
    rho = float(steps_of(name, 0.4, 1).rho[0])
    conf, eq22, kinetic = measure(
        drive,
        chain,
        lambda n: steps_of(name, 0.4, n),
        lambda x: stiffness * (x @ modes) ** 2,
        4_200,
        1024,
        every=14,
    )
    assert stiffness.max() > 2.5  # omega*dt = 1.7 in the stiffest
    law = T * np.broadcast_to(laws(name, stiffness, rho)[0], dim)
    # 100 modes: 5 sigma for the worst of them, each known to 0.3 %
    agree(conf, law, sigma=5.0, percent=1.5)
    # ten modes of neighbouring stiffness together: known to 0.1 %
    bands = (conf / law).reshape(-1, 10, 10).mean(2)
    agree(bands, 1.0)
    with pytest.raises(AssertionError, match="standard errors off"):
        agree(bands * 1.02**2, 1.0)
    agree(eq22, T * np.mean(laws(name, stiffness, rho)[1]))
    agree(kinetic, T * np.mean(laws(name, stiffness, rho)[2]))


@pytest.mark.parametrize("name", INERTIAL)
def test_free_particle(name, drive, agree):
    """Temperature, diffusion T/gamma and drift F/gamma at gamma*dt = 1.2, exact but for baoab's
    (c/2)coth(c/2) in both.

    D by moves d over windows that the velocity forgets: <d_k^2> + 2<d_k d_{k+1}> = 2 D t, without
    the ballistic start's bias.
    """
    gamma, replicas, window, rounds = 1.2, 40_000, 12, 168
    wrong = 1.0 if name != "baoab" else gamma / 2 / np.tanh(gamma / 2)
    burn, steps = steps_of(name, gamma, 200), steps_of(name, gamma, window)
    for force in (0.0, 0.35):
        walk, backend = drive(
            lsa.Potential.from_formula("-force*x", force=force), np.zeros((replicas, 1)), 3
        )
        backend.advance(burn)
        walk.forget()
        path = [walk.x[:, 0].copy()]
        for _ in range(rounds):
            backend.advance(steps)
            path.append(walk.x[:, 0].copy())
        t = rounds * window
        if force:
            agree((path[-1] - path[0]) / t, force / gamma * wrong)
        else:
            d = np.diff(path, axis=0)
            agree(walk.kinetic / t, T)
            agree(((d[:-1] + 2 * d[1:]) * d[:-1]).mean(0) / (2 * window), T / gamma * wrong)


def test_measured_temperature_follows_a_ramp():
    """The history's exact estimator against its target, both averaged over the same steps, in a
    slow ramp.
    """
    schedule = lsa.Schedule(lsa.schedules.exponential(2.0, 0.2), 1.0, 0.3)
    result = lsa.anneal(
        lsa.potentials.harmonic(dim=3, k=1.0), np.zeros(3), schedule, 40_000, replicas=2000, rng=4
    )
    measured, target = result.history.temperature[5:], result.history.target[5:]
    np.testing.assert_allclose(measured / target, 1, atol=0.01)
    np.testing.assert_allclose(result.history.configurational[5:] / target, 1, atol=0.08)


def test_configurational_temperature_of_a_history():
    """Sums over records read T = 1; the mean of the records' ratios reads 1.2 to 1.4, with which
    the run itself has nothing to do.
    """
    found = []
    for seed in range(12):
        history = lsa.anneal(
            lsa.potentials.periodic(),
            None,
            lsa.Schedule(1.0, 1.0, 0.05),
            80_000,
            replicas=16,
            rng=seed,
            record_every=200,
        ).history
        near = lsa.thermometers.configurational_history(history)
        found.append(
            [
                history.squares[20:].sum() / history.laplacian[20:].sum(),
                near[20:].mean(),
                history.configurational[20:].mean(),
            ]
        )
    mean, error = np.mean(found, 0), np.std(found, 0, ddof=1) / np.sqrt(len(found))
    assert (error[:2] < 0.01).all()
    assert (np.abs(mean[:2] - 1) < 4.5 * error[:2]).all(), (mean, error)
    assert mean[2] > 1.1


def test_records_are_read_with_those_of_like_target():
    """Across a quench nothing is mixed, and on a ramp only records within a quarter of the
    target.
    """
    steps = np.arange(40)
    quench = OptimizeResult(
        target=np.where(steps < 15, 2.0, 0.1),
        squares=np.where(steps < 15, 6.0, 0.3),
        laplacian=np.full(40, 3.0),
    )
    np.testing.assert_allclose(lsa.thermometers.configurational_history(quench), quench.target)
    ramp = OptimizeResult(
        target=1.2**-steps,
        squares=np.random.default_rng(1).uniform(size=40),
        laplacian=np.linspace(1, 2, 40),
    )
    expected = [
        ramp.squares[low:high].sum()
        / (ramp.laplacian * ramp.target)[low:high].sum()
        * ramp.target[n]
        # 1.2 and 1/1.2, but not 1.44 and 1/1.44
        for n, (low, high) in enumerate((max(0, n - 1), n + 2) for n in range(40))
    ]
    np.testing.assert_allclose(lsa.thermometers.configurational_history(ramp), expected)
    # a run that is everywhere at its target reads it, at the ends too
    ramp.squares = ramp.target * ramp.laplacian
    np.testing.assert_allclose(
        lsa.thermometers.configurational_history(ramp), ramp.target, rtol=1e-12
    )
    hill = OptimizeResult(target=np.ones(5), squares=np.ones(5), laplacian=-np.ones(5))
    assert np.isnan(lsa.thermometers.configurational_history(hill)).all()
