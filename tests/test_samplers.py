"""Samplers that may refuse are exact at any step; the others are their papers; all of them may be
cut.
"""

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa import thermometers
from langevin_sa.backends.walk import Walk
from langevin_sa.comparison.method import RuleWalk
from langevin_sa.noise import KIND, RULE, normals, stream
from langevin_sa.optimizers import (
    GHMC,
    MALA,
    SGLD,
    SGNHT,
    Adadelta,
    AdaGrad,
    ContinuousTempering,
    Metropolis,
    Moment,
    NAdam,
    Point,
)

WELL = lsa.potentials.double_well(tilt=0.3)
BOWL = lsa.potentials.harmonic(dim=2)
LONG = {  # steps so long that a tenth to nine tenths of them are refused
    "metropolis": Metropolis(0.4, step=1.5, adapt=0.0),
    "single": Metropolis(0.4, step=1.5, single=True, adapt=0.0),
    "mala": MALA(0.4, lr=0.15),
    "ghmc": GHMC(0.4, gamma=1.0, dt=0.6),
}


def boltzmann(U, T, replicas, grid):
    """Points at the quantiles of exp(-U/T) in one dimension, in random order."""
    density = np.exp(-(U.energy(grid[:, None]) - U.energy(grid[:, None]).min()) / T)
    cumulated = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2)])
    levels = (np.arange(replicas) + 0.5) / replicas * cumulated[-1]
    x = np.interp(levels, cumulated, grid)
    return np.random.default_rng(0).permutation(x)[:, None]


def walked(U, rule, x0, n_steps, seed):
    """The walk of a rule from x0, at its end."""
    run = RuleWalk(U, Walk.at_rest(x0, seed), rule, n_steps, n_steps)
    assert len(list(run.slices())) >= 1
    return run.walk


def at(n, numbers, x, seed=3, progress=0.0):
    """The moment of step n at points x."""
    replicas, dim = np.arange(len(x)), x.shape[1]
    u = stream(seed, replicas, n - 1, 1, RULE + KIND)[:, 0] / np.sqrt(12) + 0.5
    z, more = normals(seed, n - 1, replicas, dim), normals(seed, n - 1, replicas, dim, RULE)
    return Moment(n, progress, numbers, z, more, u)


@pytest.mark.parametrize("name", LONG)
def test_boltzmann_is_kept_at_long_steps(name):
    """From replicas that start in it: wells, mean energy and its square within 4 sigma."""
    replicas = 20_000
    x0 = boltzmann(WELL, 0.4, replicas, np.linspace(-3, 3, 20_001))
    found = lsa.compare(
        WELL, {"it": LONG[name]}, x0=x0, n_steps=60, epochs=1, rng=2, judged="final", tolerance=1
    )["it"]
    assert 0.1 < found.acceptance[0] < 0.97

    for law in (lambda x: x[:, 0] < 0, WELL.energy, lambda x: WELL.energy(x) ** 2):
        before, after = (np.asarray(law(x), float) for x in (x0, found.x))
        assert abs(after.mean() - before.mean()) < 4 * before.std() / np.sqrt(replicas)
    shift = np.sort(found.x[:, 0]) - np.sort(x0[:, 0])
    assert (np.abs(shift) > 0).any() and np.corrcoef(found.x[:, 0], x0[:, 0])[0, 1] < 0.99


def test_mala_accepts_by_detailed_balance():
    """pi(x') q(x | x') / pi(x) q(x' | x), with the densities written out, for any two points."""
    T, lr = 0.7, 0.3
    rule, x = MALA(T, lr), np.random.default_rng(1).normal(size=(500, 2))
    now, v = at(1, {"temperature": T, "lr": lr}, x), np.zeros(x.shape)
    here = Point(x, *BOWL.energy_gradient(x))
    y = x + rule.propose(now, here, v)
    np.testing.assert_allclose(
        y, x - lr * here.gradient + np.sqrt(2 * T * lr) * now.normals, rtol=1e-12, atol=1e-14
    )
    there = Point(y, *BOWL.energy_gradient(y))

    def log_q(a, b):  # of a proposed from b
        mean = b.x - lr * b.gradient
        return -((a.x - mean) ** 2).sum(1) / (4 * lr * T)

    ratio = (here.energy - there.energy) / T + log_q(here, there) - log_q(there, here)
    accepted = rule.accept(now, here, there, v)
    np.testing.assert_array_equal(accepted, np.log(now.uniforms) <= ratio)
    assert 0.02 < accepted.mean() < 0.98


def test_ghmc_goes_back_on_its_way():
    """A step of velocity Verlet, turned round, ends where it began; a refused one turns round."""
    dt, x = 0.9, np.random.default_rng(1).normal(size=(50, 2))
    numbers, rule = {"temperature": 0.0, "gamma": 0.0, "dt": dt}, GHMC(0.0, 0.0, dt)
    v0 = np.random.default_rng(2).normal(size=x.shape)
    v, here = v0.copy(), Point(x, *BOWL.energy_gradient(x))
    y = x + rule.propose(at(2, numbers, x), here, v)
    there = Point(y, *BOWL.energy_gradient(y))
    accepted = rule.accept(at(2, numbers, x), here, there, v)  # T = 0: where H does not rise
    assert 5 < accepted.sum() < 45
    np.testing.assert_allclose(v[~accepted], -v0[~accepted], rtol=1e-12)
    back = Point(y[accepted], there.energy[accepted], there.gradient[accepted])
    w = -v[accepted]
    z = back.x + rule.propose(at(2, numbers, back.x), back, w)
    np.testing.assert_allclose(z, x[accepted], rtol=1e-11, atol=1e-12)


def test_ghmc_of_all_new_velocities_is_mala():
    lr = 0.1
    methods = {"mala": MALA(0.5, lr), "ghmc": GHMC(0.5, 1e9, np.sqrt(2 * lr))}
    found = lsa.compare(BOWL, methods, replicas=20, n_steps=50, rng=1)
    np.testing.assert_allclose(found["mala"].x, found["ghmc"].x, rtol=1e-9)


@pytest.mark.parametrize("single", [False, True])
def test_metropolis_steps_are_adapted(single):
    """To the share that is asked for, from steps far too short and far too long, each coordinate to
    its own width; not after `adapt`.
    """
    U = lsa.Potential.from_formula("x**2/2 + 5000*y**2")
    kept = []
    for step in (1e-3, 1e2):
        rule = Metropolis(1.0, step, single=single, adapt=0.5)
        walk = Walk.at_rest(np.zeros((40, 2)), 5)
        run = RuleWalk(U, walk, rule, 8000, 1000)
        shares, steps = [], []
        for measured in run.slices():
            if measured is not None:
                shares.append(measured[2])
                steps.append(run.memory.copy())
        assert np.mean(shares[4:]) == pytest.approx(0.4, abs=0.02)
        np.testing.assert_array_equal(steps[3], steps[-1])
        kept.append(step * np.exp(run.memory[0]).mean(0))
    np.testing.assert_allclose(*kept, rtol=0.15)
    if single:
        assert kept[0][0] / kept[0][1] == pytest.approx(100, rel=0.15)


def test_a_place_that_is_not_finite_is_refused():
    U = lsa.Potential(
        lambda x: np.where(x[:, 0] > 0, x[:, 0], np.nan), lambda x: np.ones(x.shape), dim=1
    )
    for rule in (Metropolis(1.0, 1.0, adapt=0.0), MALA(1.0, 0.5), GHMC(1.0, 1.0, 1.0)):
        x = walked(U, rule, np.ones((4000, 1)), 200, seed=1).x
        assert (x > 0).all()
        assert x.mean() == pytest.approx(1, abs=4.5 / np.sqrt(4000))  # exp(-x/T) on x > 0


def test_noisy_samplers_are_their_papers():
    """Written out for three steps, with the numbers of the streams."""
    x0, T, lr, noise, A = np.array([[0.5, -1.0], [1.5, 0.3]]), 0.7, 0.1, 2.0, 1.5
    methods = {"sgld": SGLD(lr, noise, T), "sgnht": SGNHT(lr, noise, T, A)}
    found = lsa.compare(BOWL, methods, x0=x0, n_steps=3, rng=9)
    x = y = x0
    v, chi = np.zeros(x0.shape), np.full((2, 1), A)
    for n in range(3):
        z, more = (normals(9, n, np.arange(2), 2, purpose) for purpose in (0, RULE))
        x = x - lr * (x - noise * z) + np.sqrt(2 * lr * T) * more
        v = v - chi * v * lr - (y - noise * z) * lr + np.sqrt(2 * A * T * lr) * more
        y = y + v * lr
        chi = chi + ((v**2).mean(1, keepdims=True) / T - 1) * lr
    np.testing.assert_allclose(found["sgld"].x, x, rtol=1e-12)
    np.testing.assert_allclose(found["sgnht"].x, y, rtol=1e-12)


def test_the_thermostat_takes_away_unknown_noise():
    """Its velocities are at T, so that <x^2> = T (1 + rho)/2, rho being what the thermostat makes
    of it; SGLD is too hot, by lr noise^2/2 and by the step.
    """
    T, lr, noise, bowl = 0.5, 0.05, 4.0, lsa.potentials.harmonic(dim=20)
    methods = {"sgld": SGLD(lr, noise, T), "sgnht": SGNHT(lr, noise, T)}
    o = lsa.compare(bowl, methods, replicas=150, n_steps=2000, rng=1, epochs=40, judged="final")
    mean = {name: o[name].energy[20:].mean() / 10 for name in methods}
    # <dx^2> = 2 s^2/((1 - rho)(2 (1 + rho) - lr^2)) is lr^2 T
    s2 = 2 * lr + lr**2 * noise**2 / T
    rho = np.roots([2, -(lr**2), lr**2 - 2 + 2 * s2]).max()
    assert mean["sgnht"] == pytest.approx(T * (1 + rho) / 2, rel=0.01)
    # <x^2> = lr (2 T + lr noise^2)/(1 - (1 - lr)^2)
    assert mean["sgld"] == pytest.approx((2 * T + lr * noise**2) / (2 - lr), rel=0.02)


@pytest.mark.parametrize(
    "rule",
    [
        *LONG.values(),
        SGNHT(0.1, 1.0, 0.4),
        Adadelta(1.0, 1.0),
        ContinuousTempering(0.4, 1.0, 0.1, crossing=10.0),
    ],
    ids=str,
)
def test_a_rule_goes_on_to_the_same_bits(rule, tmp_path):
    """Broken off in the middle, whatever it remembers is in the checkpoint."""
    calls = []

    def energy(x):
        calls.append(len(x))
        if len(calls) == 137:
            raise KeyboardInterrupt
        return (x**4).sum(1) / 4 - x.sum(1)

    U = lsa.Potential(energy, lambda x: x**3 - 1, dim=2, bounds=(-2, 2))
    asked = {"replicas": 5, "n_steps": 200, "epochs": 4, "rng": 1, "judged": "final"}
    asked |= {"tolerance": 1.0}  # without it, the scale would be measured first
    with pytest.raises(KeyboardInterrupt):
        lsa.compare(U, {"it": rule}, **asked, checkpoint=tmp_path / "c.npz")
    went_on = lsa.compare(U, {"it": rule}, **asked, checkpoint=tmp_path / "c.npz")["it"]
    whole = lsa.compare(U, {"it": rule}, **asked)["it"]
    np.testing.assert_array_equal(went_on.x, whole.x)
    np.testing.assert_array_equal(went_on.acceptance, whole.acceptance)
    np.testing.assert_array_equal(went_on.energy, whole.energy)


def literal_adagrad(g, x, n_steps, lr=0.05):
    total = 0.0
    for t in range(1, n_steps + 1):
        gt = g(x, t)
        total = total + gt**2
        x = x - lr / (np.sqrt(total) + 1e-10) * gt
    return x


def literal_adadelta(g, x, n_steps, lr=0.05, decay=0.95, eps=1e-6):
    """Zeiler 2012, Algorithm 1."""
    squares = updates = 0.0
    for t in range(1, n_steps + 1):
        gt = g(x, t)
        squares = decay * squares + (1 - decay) * gt**2
        dx = -np.sqrt(updates + eps) / np.sqrt(squares + eps) * gt
        updates = decay * updates + (1 - decay) * dx**2
        x = x + lr * dx
    return x


def literal_nadam(g, x, n_steps, lr=0.05, mu=0.9, nu=0.999, eps=1e-8):
    """Dozat 2016, Algorithm 8 with one mu: the products of momenta are powers."""
    m = n = 0.0
    for t in range(1, n_steps + 1):
        gt = g(x, t)
        m, n = mu * m + (1 - mu) * gt, nu * n + (1 - nu) * gt**2
        ahead = mu * m / (1 - mu ** (t + 1)) + (1 - mu) * gt / (1 - mu**t)
        x = x - lr * ahead / (np.sqrt(n / (1 - nu**t)) + eps)
    return x


@pytest.mark.parametrize(
    ("rule", "literal"),
    [(AdaGrad, literal_adagrad), (Adadelta, literal_adadelta), (NAdam, literal_nadam)],
)
def test_more_optimizers_are_their_papers(rule, literal):
    x0 = np.array([[0.5, -1.0], [1.5, 0.3], [2.0, 2.0]])
    end = lsa.compare(BOWL, {"it": rule(0.05, 0.7)}, x0=x0, n_steps=40, rng=9)["it"].x
    said = literal(lambda x, t: x - 0.7 * normals(9, t - 1, np.arange(3), 2), x0, 40)
    np.testing.assert_allclose(end, said, rtol=1e-9)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Metropolis(-1.0, 0.1), "temperature must be a number >= 0"),
        (lambda: Metropolis(1.0, 0.0), "step must be a number > 0"),
        (lambda: Metropolis(1.0, 0.1, acceptance=0.0), "acceptance must be"),
        (lambda: Metropolis(1.0, 0.1, adapt=2.0), "adapt a progress"),
        (lambda: MALA(1.0, -0.1), "lr must be a number > 0"),
        (lambda: GHMC(1.0, -1.0, 0.1), "gamma must be a number >= 0"),
        (lambda: SGNHT(0.1, temperature=0.0), "temperature must be a number > 0"),
        (lambda: ContinuousTempering(1.0, 1.0, 0.1, ratio=0.5), "ratio must be a number >= 1"),
        (lambda: ContinuousTempering(1.0, 1.0, 0.1, crossing=0), "crossing must be a number >= 2"),
        (lambda: ContinuousTempering(1.0, 1.0, 0.1, plateau=1.0), "plateau must"),
        (lambda: ContinuousTempering(1.0, 1.0, 0.1, until=2.0), "until must be a progress"),
        (lambda: ContinuousTempering(0.0, 1.0, 0.1), "temperature must be > 0"),
        (lambda: ContinuousTempering(1.0, 1.0, -0.1), "dt must be > 0"),
        (lambda: MALA(lsa.schedules.linear(1.0, -1.0), 0.1), "temperature must be >= 0"),
        (lambda: MALA(1.0, lsa.schedules.linear(0.0, 1.0)), "lr must be > 0"),
    ],
)
def test_bad_samplers_are_refused_before_a_step(make, message):
    def evaluated(x):
        raise AssertionError("evaluated")

    U = lsa.Potential(evaluated, evaluated, dim=1)
    with pytest.raises(ValueError, match=message):
        lsa.compare(U, {"it": make()}, x0=[[0.0]], n_steps=10, tolerance=1.0)


def test_refusal_needs_the_exact_energy():
    data = np.arange(8.0)[:, None]
    U = lsa.StochasticPotential(
        lambda x, b: ((x[:, None] - b) ** 2).sum(-1).mean(1) / 2,
        lambda x, b: (x[:, None] - b).mean(1), data, 2, 1,
    )  # fmt: skip
    for rule in (MALA(1.0, 0.1), ContinuousTempering(1.0, 1.0, 0.1)):
        with pytest.raises(ValueError, match="followed by mini-batches"):
            lsa.compare(U, {"it": rule}, x0=[0.0], replicas=3, n_steps=10)


@pytest.mark.slow
def test_muller_brown_at_a_long_step():
    """T = 22: the mean energy within 3 sigma at dt = 0.012, from 200,000 independent replicas."""
    U, T, dt = lsa.potentials.muller_brown(), 22.0, 0.012
    sides = [np.linspace(-2.2, 1.6, 1201), np.linspace(-1.0, 2.6, 1201)]
    weights = thermometers.boltzmann_density(U, T, sides).ravel()
    cells = np.stack(np.meshgrid(*sides, indexing="ij"), -1).reshape(-1, 2)
    weights /= weights.sum()
    energy = U.energy(cells)
    exact, sigma = weights @ energy, np.sqrt(weights @ energy**2 - (weights @ energy) ** 2)
    replicas, n_steps = 200_000, 150
    x0 = cells[np.random.default_rng(1).choice(len(cells), replicas, p=weights)]
    rules = {
        "mala": MALA(T, dt**2 / 2),
        "ghmc": GHMC(T, 10.0, dt),
        "metropolis": Metropolis(T, 0.1, adapt=0.0),
        "single": Metropolis(T, 0.1, single=True, adapt=0.0),
    }
    ends = {name: walked(U, rule, x0, n_steps, seed=3).x for name, rule in rules.items()}
    z = {n: (U.energy(x).mean() - exact) / sigma * np.sqrt(replicas) for n, x in ends.items()}
    assert max(map(abs, z.values())) < 3, z
