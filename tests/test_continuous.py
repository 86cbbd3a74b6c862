"""Continuous tempering: what it samples is known at every coupling, cold and hot."""

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa.backends.walk import Walk
from langevin_sa.cli.methods import build_sampler
from langevin_sa.comparison.method import RuleWalk
from langevin_sa.noise import RULE, normals
from langevin_sa.optimizers import ContinuousTempering
from langevin_sa.optimizers.continuous import CELLS

T = 0.4
CENTRES = (np.arange(CELLS) + 0.5) / CELLS
BINS = np.linspace(0, 1, 9)


def walked(U, rule, x0, n_steps, every, look, own=None, seed=1):
    """What `look` sees at each `every` steps, stacked; own is where the rule's numbers start."""
    run = RuleWalk(U, Walk.at_rest(x0, seed), rule, n_steps, every)
    if own is not None:
        run.scalars[...] = own
    return np.array([look(run) for measured in run.slices() if measured is not None])


def at(alpha, means):
    """The rule's numbers at these alpha, with a bias of these mean energies that learns no more."""
    own = np.zeros((len(alpha), ContinuousTempering.scalars))
    own[:, 0], own[:, 3 : 3 + CELLS], own[:, 3 + CELLS :] = alpha, means, 1
    return own


def sigmas(seen, exact):
    """Deviations of columns (replicas, ...) from what is exact, in standard errors."""
    return (seen.mean(0) - exact) / (seen.std(0, ddof=1) / np.sqrt(len(seen)))


def shares(alpha):
    """Of the looks (looks, replicas), how many are in each bin: (replicas, bins)."""
    inside = (alpha[..., None] >= BINS[:-1]) & (alpha[..., None] < BINS[1:])
    return inside.mean(0)


def test_cold_samples_are_boltzmanns_and_alpha_is_uniform():
    """Ten tilted double wells, which know of each other by alpha alone, from the exact law of all:
    the bias is the exact mean energy of each cell. Noise that is 2 % too strong is 7 sigma off.
    """
    dim, replicas, rng = 10, 1500, np.random.default_rng(0)
    well, U = (lsa.potentials.double_well(dim=d, tilt=0.3) for d in (1, dim))
    grid = np.linspace(-4, 4, 4001)
    energy = well.energy(grid[:, None])

    def weights(coupling):
        density = np.exp(-coupling * (energy - energy.min()) / T)
        return density / density.sum()

    rule = ContinuousTempering(T, gamma=1.0, dt=0.1, ratio=4.0, adapt=0.0)
    alpha = rng.uniform(-1, 1, replicas)
    x0 = np.array(
        [
            np.interp(rng.uniform(size=dim), np.cumsum(weights(coupling)), grid)
            for coupling in rule.coupling(alpha)[0]
        ]
    )
    means = [dim * weights(coupling) @ energy for coupling in rule.coupling(CENTRES)[0]]

    def look(run):
        x, alpha = run.walk.x, np.abs(run.scalars[:, 0])
        cold = alpha < rule.plateau
        what = [(x < 0).mean(1), run.walk.energy / dim, (x**2).mean(1)]
        return np.stack([alpha, cold, *(cold * law for law in what)])

    alpha, cold, *seen = walked(U, rule, x0, 1000, 50, look, at(alpha, means)).swapaxes(0, 1)
    exact = weights(1.0) @ np.stack([grid < 0, energy, grid**2]).T
    for one, law in zip(seen, exact, strict=True):
        assert abs(sigmas((one - law * cold).mean(0), 0)) < 4
    assert np.abs(sigmas(shares(alpha), 1 / 8)).max() < 4


def test_it_is_langevin_dynamics_of_the_extended_hamiltonian():
    """lambda(alpha) U(x) + bias + p^2/2 + p_alpha^2/2m by GJF, written out with velocities, the
    mean energies as sums; from velocities that are 0 half a step before the start.
    """
    gamma, dt, crossing, n_steps = 1.3, 0.2, 10.0, 40
    U, ratio, plateau = lsa.potentials.double_well(dim=2, tilt=0.3), 5.0, 0.25
    rule = ContinuousTempering(T, gamma, dt, ratio, plateau, crossing, adapt=1.0)
    x, alpha = np.array([1.2, -0.4]), 0.6
    own = at(np.array([alpha]), 0.0)
    own[:, 3 + CELLS :] = 0
    said = walked(
        U,
        rule,
        x[None],
        n_steps,
        1,
        lambda run: np.append(run.walk.x[0], run.scalars[0, 0]),
        own,
        seed=9,
    )

    mass = np.array([1.0, 1.0, T * (crossing * dt) ** 2])
    damped = np.array([gamma, gamma, 1 / (crossing * dt)]) * mass
    b = 1 / (1 + damped * dt / (2 * mass))
    a = (1 - damped * dt / (2 * mass)) * b
    met = {}

    def force(y):
        energy, gradient = (value[0] for value in U.energy_gradient(y[None, :2]))
        mine = met.setdefault(int(abs(y[2]) * CELLS), [])
        mine.append(energy)
        mean = np.average(mine, weights=np.arange(len(mine)) + 1)
        t = (abs(y[2]) - plateau) / (1 - plateau)
        coupling, slope = 1.0, 0.0
        if t > 0:
            coupling = ratio ** (2 * t**3 - 3 * t**2)
            slope = coupling * np.log(ratio) * (6 * t**2 - 6 * t) / (1 - plateau) * np.sign(y[2])
        return np.append(-coupling * gradient, -slope * (energy - mean))

    y = np.append(x, alpha)
    f = force(y)
    v = dt / (2 * mass) * f
    for n in range(n_steps):
        z = np.append(normals(9, n, np.arange(1), 2), normals(9, n, np.arange(1), 2, RULE)[0, 0])
        beta = np.sqrt(2 * damped * T * dt) * z
        y = y + b * dt * v + b * dt / (2 * mass) * (dt * f + beta)
        y[2] = (y[2] + 1) % 2 - 1
        before, f = f, force(y)
        v = a * v + dt / (2 * mass) * (a * before + f) + b / mass * beta
        np.testing.assert_allclose(said[n], y, rtol=1e-9, atol=1e-9)
    assert len(met) > 8 and max(map(len, met.values())) > 2


def test_alpha_without_a_bias_follows_the_free_energy():
    """In a harmonic well Z(T/lambda) = lambda^(-dim/2) Z(T)."""
    dim = 3
    rule = ContinuousTempering(T, gamma=1.0, dt=0.5, ratio=4.0, adapt=0.0, crossing=20.0)
    own = at(np.zeros(400), np.zeros(CELLS))
    alpha = walked(
        lsa.potentials.harmonic(dim=dim),
        rule,
        np.zeros((400, dim)),
        4000,
        20,
        lambda run: np.abs(run.scalars[:, 0]),
        own,
    )
    fine = np.linspace(0, 1, 8001)
    fine = (fine[1:] + fine[:-1]) / 2
    density = rule.coupling(fine)[0] ** (-dim / 2)
    exact = density.reshape(8, -1).sum(1) / density.sum()
    assert exact[-1] > 5 * exact[0]
    assert np.abs(sigmas(shares(alpha), exact)).max() < 4


def test_what_the_bias_learns():
    """Mean energies dim T/(2 lambda) of a harmonic well, the derivative of its free energy; then
    alpha is everywhere alike.
    """
    dim = 4
    rule = ContinuousTempering(T, gamma=1.0, dt=0.5, ratio=10.0, crossing=20.0)
    own = walked(
        lsa.potentials.harmonic(dim=dim),
        rule,
        np.zeros((300, dim)),
        6000,
        20,
        lambda run: run.scalars.copy(),
    )
    means = own[-1, :, 3 : 3 + CELLS]
    np.testing.assert_array_equal(means, own[150, :, 3 : 3 + CELLS])  # not after `adapt`
    fine = (np.arange(100 * CELLS) + 0.5) / (100 * CELLS)
    exact = (dim * T / 2 / rule.coupling(fine)[0]).reshape(CELLS, -1).mean(1)
    assert np.abs(sigmas(means, exact)).max() < 4.5
    np.testing.assert_allclose(means.mean(0), exact, rtol=0.05)
    assert np.abs(sigmas(shares(np.abs(own[150:, :, 0])), 1 / 8)).max() < 4.5


def test_coupling_and_its_derivative():
    rule, alpha, h = ContinuousTempering(T, 1.0, 0.1, ratio=7.0), np.linspace(-1, 1, 801), 1e-6
    value, slope = rule.coupling(alpha)
    assert (value[np.abs(alpha) < rule.plateau] == 1).all()
    np.testing.assert_allclose(value[[0, -1]], 1 / 7, rtol=1e-12)
    up, down = (rule.coupling(alpha[1:-1] + d)[0] for d in (h, -h))
    np.testing.assert_allclose(slope[1:-1], (up - down) / (2 * h), atol=1e-5)
    np.testing.assert_allclose(slope[[0, -1]], 0, atol=1e-12)  # smooth on the circle


@pytest.mark.parametrize("how", [{"ratio": 1.0}, {"ratio": 10.0, "until": 0.0}], ids=str)
def test_without_tempering_it_is_the_recursion(how):
    """To the bit, with laws."""
    law = lsa.schedules.exponential(1.0, 0.01)
    dt = lsa.schedules.linear(0.05, 0.2)
    methods = {"gjf": lsa.Schedule(law, 1.0, dt), "ct": ContinuousTempering(law, 1.0, dt, **how)}
    U = lsa.potentials.double_well(dim=2, tilt=0.3)
    found = lsa.compare(U, methods, replicas=7, n_steps=300, epochs=3, rng=1, backend="numpy")
    np.testing.assert_array_equal(found["ct"].x, found["gjf"].x)
    np.testing.assert_array_equal(found["ct"].energy, found["gjf"].energy)


def scaled(e=1.0, a=1.0, origin=0.0):
    """Ends of 400 steps in other units of energy and length, in the first ones, and alpha."""

    def energy(x):
        return e * (((x / a) ** 2 - 1) ** 2 + 0.3 * (x / a)).sum(1) + origin

    def gradient(x):
        return e / a * (4 * (x / a) * ((x / a) ** 2 - 1) + 0.3)

    time = a / np.sqrt(e)
    rule = ContinuousTempering(0.2 * e, gamma=1 / time, dt=0.2 * time)
    x0 = a * np.linspace(-1.5, 1.5, 12).reshape(6, 2)
    U = lsa.Potential(energy, gradient, dim=2)
    return walked(
        U, rule, x0, 400, 400, lambda run: np.c_[run.walk.x / a, run.scalars[:, 0]], seed=3
    )


def test_units_and_origin():
    """Powers of two to the bit; others, and another zero of energy, to rounding."""
    first = scaled()
    assert np.abs(first[..., 2]).max() > 0.5
    np.testing.assert_array_equal(scaled(e=2.0**20, a=2.0**-10), first)
    np.testing.assert_allclose(scaled(e=1e6, a=1e-3), first, atol=1e-6)
    np.testing.assert_allclose(scaled(origin=1e4), first, atol=1e-6)


def test_barriers_are_crossed():
    """Of 10 T, counted between cold samples: hundreds of times more often than without."""
    U, replicas = lsa.potentials.double_well(tilt=0.0), 50
    counts = []
    for ratio in (1.0, 10.0):
        rule = ContinuousTempering(0.1, gamma=1.0, dt=0.2, ratio=ratio)

        def look(run, rule=rule):
            cold = np.abs(run.scalars[:, 0]) < rule.plateau
            x = run.walk.x[:, 0]
            return np.where(cold & (np.abs(x) > 0.5), np.sign(x), 0)

        side = walked(U, rule, np.ones((replicas, 1)), 2500, 5, look).T
        ways = [one[one != 0] for one in side]
        counts.append(sum(int((one[1:] != one[:-1]).sum()) for one in ways))
    assert counts[0] <= 3 and counts[1] > 60, counts


def test_a_start_far_up_does_not_blow_up():
    """Energies of 70,000 T, where alpha is pushed beyond all measure."""
    rule = ContinuousTempering(0.0047, gamma=0.73, dt=0.1, ratio=100.0)
    U = lsa.potentials.double_well(dim=5)
    ends = walked(U, rule, np.full((50, 5), 3.0), 1000, 1000, lambda run: run.walk.x.copy())
    assert np.isfinite(ends).all() and np.abs(ends).max() < 3


def test_the_command_tempers_below_the_first_temperature():
    cool = lsa.Schedule(lsa.schedules.exponential(2.0, 0.01), 1.5, 0.1)
    rule = build_sampler("continuous_tempering", cool)
    assert (rule.ratio, rule.gamma, rule.dt, rule.until) == (4.0, 1.5, 0.1, 0.8)
    np.testing.assert_allclose(rule.numbers(10)["temperature"], [0.5] * 8 + [0.01] * 2)
    warm = lsa.Schedule(lsa.schedules.exponential(2.0, 1.0), 1.5, 0.1)
    assert build_sampler("continuous_tempering", warm).ratio == pytest.approx(2.0)
