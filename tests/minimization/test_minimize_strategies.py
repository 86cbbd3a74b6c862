"""The pieces of `minimize`: descents, moves, annealing, populations, clusters."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation

import langevin_sa as lsa
from langevin_sa.descents.bounded import descend
from langevin_sa.descents.compiled import evaluator
from langevin_sa.minimization.clusters import alike, rearranged
from langevin_sa.minimization.ensemble import COOLING, LOOK_EVERY, Ensemble
from langevin_sa.minimization.functions import Functions
from langevin_sa.minimization.minima import Minima
from langevin_sa.minimization.problem import Problem


def problem(fun, jac, low, high, x0=None, vectorized=False):
    low, high = (np.atleast_1d(np.asarray(side, dtype=float)) for side in (low, high))
    x0 = (low + high) / 2 if x0 is None else np.asarray(x0, dtype=float)
    return Problem(Functions(fun, jac, vectorized=vectorized), x0, (low, high))


def tilted(x):
    return 3 * (x[0] ** 2 - 1) ** 2 + 0.5 * x[0]


def tilt(x):
    return np.array([12 * x[0] * (x[0] ** 2 - 1) + 0.5])


def rosenbrock(x):
    return float((100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum())


def kinked(x):
    return float(np.abs(x - 0.3).max() + np.abs(x - 0.3).sum())


@pytest.mark.parametrize("dim", [2, 10, 80])
def test_descent_follows_a_valley(dim):
    p = problem(rosenbrock, None, np.full(dim, -5.0), np.full(dim, 5.0))
    end = descend(p, p.u(np.full(dim, 0.5)), tol=1e-12)
    np.testing.assert_allclose(p.x(end.u), 1, atol=1e-3)


def test_descent_keeps_bounds_and_passes_kinks():
    p = problem(lambda x: float((x**2).sum()), lambda x: 2 * x, [1, -3], [4, 2])
    np.testing.assert_allclose(p.x(descend(p, p.u(np.array([3.0, 1.5]))).u), [1, 0], atol=1e-6)
    p = problem(kinked, lambda x: np.sign(x - 0.3), [-2, -2, -2], [2, 2, 2])
    assert descend(p, p.u(np.array([1.0, -1.0, 0.5])), tol=1e-12).fun < 0.05


def test_reflection():
    p = problem(tilted, tilt, -2, 2)
    u = p.inside(np.array([[19.0], [21.0], [-23.0], [61.0], [105.0]]))
    np.testing.assert_allclose(u[:, 0], [19, 19, -17, -19, 15])
    assert np.all(np.abs(u) <= 20)


def test_duplicates_are_recognised():
    minima = Minima()
    first, new = minima.add(np.zeros(2), 1.0)
    assert new
    assert minima.add(np.full(2, 1e-4), 1.0 + 1e-9, 1e-8) == (first, False)
    assert minima.add(np.full(2, 3.0), 1.0)[1] and minima.add(np.full(2, 5.0), 0.5)[1]
    assert [m.fun for m in minima.found] == [0.5, 1.0, 1.0] and first.hits == 2


@pytest.mark.long
@pytest.mark.parametrize("move", ["sample", "line", "hop", "difference", "funnel"])
def test_portfolio_without_one_move(move):
    names = [name for name in ("sample", "line", "hop", "difference", "funnel") if name != move]
    potential = lsa.potentials.rastrigin(dim=2)
    result = lsa.minimize(potential, rng=4, moves=names, bounds=[(-5.12, 5.12)] * 2)
    assert result.fun < 1e-6, result.message


# ---------------------------------------------------------------------------------------- annealing


@pytest.mark.parametrize("cooling", COOLING)
def test_annealing_finds_the_lower_well(cooling):
    result = lsa.minimize(
        tilted, [0.9], jac=tilt, bounds=[(-2, 2)], strategy="anneal", cooling=cooling, rng=1
    )
    assert result.success and result.x[0] == pytest.approx(-1.0202, abs=1e-3)
    hot, cold = result.temperature
    assert hot > cold > 0 and result.dt > 0


@pytest.mark.parametrize("strategy", ["anneal", "exchange", "population"])
def test_strategies_on_a_potential(strategy):
    result = lsa.minimize(lsa.potentials.himmelblau(), strategy=strategy, rng=2)
    assert result.success and result.fun < 1e-8


def test_ensemble_has_the_temperature_it_was_given():
    p = problem(lambda x: 5 * x[0] ** 2, lambda x: 10 * x, -2, 2, vectorized=True)
    ensemble = Ensemble.at_rest(p, np.random.default_rng(0).uniform(-5, 5, (1000, 1)), 1)
    energies = []
    for n in range(400):
        ensemble.advance(0.5)
        if n > 200:
            energies.append(ensemble.f.mean())
    assert np.mean(energies) == pytest.approx(0.25, rel=0.03)


def test_a_shorter_time_step_keeps_the_temperature(monkeypatch):
    """The velocity and the noise of the force go on when dt falls to a quarter."""
    p = problem(lambda x: 5 * x[0] ** 2, lambda x: 10 * x, -2, 2, vectorized=True)
    ensemble = Ensemble.at_rest(p, np.random.default_rng(0).uniform(-5, 5, (40_000, 1)), 1)
    monkeypatch.setattr(Ensemble, "look", lambda self: None)
    for _ in range(200):
        ensemble.advance(0.5)
    assert ensemble.step % LOOK_EVERY == 0
    monkeypatch.setattr(
        Ensemble, "look", lambda self: setattr(self, "stiffest", 16 * self.stiffest)
    )
    measured = [(ensemble.du**2).mean() / ensemble.steps(0.5).lr]
    ensemble.advance(0.5)
    measured.append((ensemble.du**2).mean() / ensemble.steps(0.5).lr)
    np.testing.assert_allclose(measured, 0.5, rtol=4.5 * np.sqrt(2 / 40_000))


def test_walls_reflect():
    """Without a force replicas are anywhere in the box alike, and keep their temperature."""
    p = problem(lambda x: 0 * x[0], lambda x: 0 * x, -2, 2, vectorized=True)
    ensemble = Ensemble.at_rest(p, np.random.default_rng(0).uniform(-20, 20, (20_000, 1)), 1)
    for _ in range(50):
        ensemble.advance(100.0)
    near_wall = (np.abs(ensemble.u) > 19).mean()
    assert near_wall == pytest.approx(0.05, abs=4.5 * np.sqrt(0.05 * 0.95 / 20_000))
    assert (ensemble.du**2).mean() / ensemble.steps(100.0).lr == pytest.approx(
        100.0, rel=4.5 * np.sqrt(2 / 20_000)
    )


@pytest.mark.parametrize("known", [True, False])
def test_noise_of_the_gradient_is_taken_off(known):
    """Eq. 19: with a noisy gradient the temperature is the one asked for, and without the
    correction above it by lr^2 Var/s^2.
    """
    rng, std = np.random.default_rng(3), 5.0

    def noisy(x):
        return 10 * x + std * rng.standard_normal(x.shape)

    p = problem(lambda x: 5 * x[0] ** 2, noisy, -2, 2, vectorized=True)
    measured, excess = {}, {}
    for own in (0.0, std**2 if known else "estimate"):
        ensemble = Ensemble.at_rest(p, np.random.default_rng(0).uniform(-5, 5, (1000, 1)), 1, own)
        energies = []
        for n in range(300):
            ensemble.advance(0.5)
            if n > 150:
                energies.append(ensemble.f.mean())
        measured[own] = np.mean(energies)
        row = ensemble.steps(0.5)
        excess[own] = row.lr**2 * (std * p.unit[0]) ** 2 / row.s**2
    assert measured.pop(std**2 if known else "estimate") == pytest.approx(0.25, rel=0.06)
    assert excess[0.0] > 0.2 and measured[0.0] == pytest.approx(0.25 * (1 + excess[0.0]), rel=0.06)


WELLS = {
    "tilted": (tilted, tilt, 2.0, (4.0, 0.5)),
    # flat at the bottom, steep where replicas start
    "quartic": (lambda x: x[0] ** 4, lambda x: 4 * x**3, 4.0, (1.0, 0.1)),
    "sextic": (lambda x: x[0] ** 6, lambda x: 6 * x**5, 4.0, (1.0, 0.1)),
}


POPULATION, EXCHANGE = (
    ("population", {"replicas": 600, "n_steps": 400}),
    ("exchange", {"replicas": 32, "n_steps": 2500}),
)


@pytest.mark.parametrize(
    ("well", "strategy", "keywords"),
    [
        pytest.param(well, *EXCHANGE, marks=pytest.mark.slow)
        for well in ("quartic", "tilted", "sextic")
    ]
    + [
        pytest.param(well, *POPULATION, marks=pytest.mark.slow if well == "quartic" else ())
        for well in WELLS
    ],
)
def test_free_energy_against_quadrature(well, strategy, keywords):
    """ln Z between the first and the last temperature, over independent seeds."""
    fun, jac, width, temperature = WELLS[well]
    runs = [
        lsa.minimize(
            fun,
            [0.9],
            jac=jac,
            bounds=[(-width, width)],
            vectorized=True,
            strategy=strategy,
            temperature=temperature,
            rng=seed,
            patience=0,
            **keywords,
        )
        for seed in range(8)
    ]
    exact = np.log(
        [
            quad(lambda x, t=t: np.exp(-fun([x]) / t), -width, width, points=[0])[0]
            for t in runs[0].temperatures
        ]
    )
    measured = np.array([run.log_z for run in runs])
    error = measured[:, -1].std(ddof=1) / np.sqrt(len(runs))
    assert error < 0.03 and abs(exact[-1] - exact[0]) > 0.3
    assert measured[:, -1].mean() == pytest.approx(exact[-1] - exact[0], abs=4.5 * error)
    assert measured[:, len(exact) // 2].mean() == pytest.approx(
        exact[len(exact) // 2] - exact[0], abs=4.5 * error
    )


# ----------------------------------------------------------------------------------------- clusters


@pytest.mark.parametrize(
    "name", ["lennard_jones", "rastrigin", "rosenbrock", "phi4_chain", "muller_brown"]
)
def test_compiled_evaluator_agrees(name):
    potential = lsa.potentials.catalogue()[name]()
    x = potential.draw_start(3, np.random.default_rng(0))
    for mine, reference in zip(evaluator(potential)(x), potential.energy_gradient(x), strict=True):
        np.testing.assert_allclose(mine, reference, rtol=1e-10, atol=1e-12)


def test_clusters_are_compared_up_to_motion_and_names():
    rng = np.random.default_rng(1)
    atoms = rng.standard_normal((6, 3))
    moved = (Rotation.random(rng=2).apply(atoms) + 3)[rng.permutation(6)]
    assert alike(3)(atoms.ravel(), moved.ravel())
    assert not alike(3)(atoms.ravel(), (atoms + 0.1 * rng.standard_normal((6, 3))).ravel())


def test_rearranging_keeps_the_number_and_the_distance():
    atoms = lsa.potentials.lennard_jones(13).draw_start(1, np.random.default_rng(0)).reshape(13, 3)
    out = rearranged(atoms, 2, np.random.default_rng(1))
    gaps = np.linalg.norm(out[:, None] - out[None], axis=-1) + 9 * np.eye(13)
    assert out.shape == (13, 3) and gaps.min() > 0.5


@pytest.mark.parametrize("particles", [7, 13, 19])
def test_clusters_find_the_known_minimum(particles):
    potential = lsa.potentials.lennard_jones(particles)
    result = lsa.minimize(potential, rng=1, target=potential.minimum_energy + 1e-4)
    assert result.success and result.fun == pytest.approx(potential.minimum_energy, abs=2e-4)


@pytest.mark.parametrize("bounds", [None, [(-2, 2)] * 14])
def test_a_cluster_without_a_domain(bounds):
    """Seven particles in the plane: a hexagon with its centre, 12 contacts and a little more."""
    potential = lsa.Potential.from_formula(pair="4*(r**-12 - r**-6)", particles=7, space=2)
    result = lsa.minimize(potential, rng=2, bounds=bounds)
    assert result.success and " runs ended in the lowest" in result.message
    assert len(result.minima) < 10
    assert result.fun == pytest.approx(-12.534867, abs=1e-5)
    assert bounds is None or np.abs(result.x).max() <= 2


def test_repulsion_ends():
    potential = lsa.Potential.from_formula(pair="1/r", particles=4, space=3)
    result = lsa.minimize(potential, rng=1, maxfev=20_000)
    assert result.nfev <= 20_000 and result.fun < 1e-3


def test_a_compiled_descent_keeps_bounds_and_budget():
    from langevin_sa.descents.compiled import descender

    potential = lsa.potentials.rosenbrock(dim=4)
    low, high = np.array([-2, -2, -2, -2.0]), np.array([2, 0.5, 2, 2])
    descend = descender(potential, low, high)
    x, f, calls, gave_up, gain = descend(np.full(4, -1.5), 1e-9, 0.0, 0.5, 10_000, np.inf)
    reference = minimize(
        potential.energy,
        np.full(4, -1.5),
        jac=potential.gradient,
        bounds=list(zip(low, high, strict=True)),
    )
    assert not gave_up and calls < 400 and np.all((low <= x) & (x <= high))
    assert f == pytest.approx(potential.energy(x)) and f == pytest.approx(reference.fun, abs=1e-6)
    assert 0 < gain < potential.energy(np.full(4, -1.5)) - f
    assert descend(np.full(4, -1.5), 1e-9, 0.0, 0.5, 7, np.inf)[2] == 7
    assert descend(np.full(4, -1.5), 1e-9, 0.0, 0.5, 10_000, -1.0)[3]


def test_a_cluster_stops_by_itself():
    potential = lsa.potentials.lennard_jones(7)
    result = lsa.minimize(potential, rng=2)
    assert result.success and result.fun == pytest.approx(potential.minimum_energy, abs=1e-5)
    assert len({round(m.fun, 5) for m in result.minima}) == len(result.minima)
