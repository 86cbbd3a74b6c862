"""Parameters that are laws of progress: the work that they do, on every backend and through every
cut, and what a potential that moves means outside of a run.
"""

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa import Potential, Schedule, State
from langevin_sa.annealing.request import prepare
from langevin_sa.annealing.run import Run
from langevin_sa.noise import normals
from langevin_sa.schedules import linear

N = 200
TRAP = Potential.from_formula("k*(x - a)**2/2", k=linear(1.0, 3.0), a=linear(0.0, 2.0))
COOLING = Schedule(linear(1.0, 0.5), 1.0, 0.1)
STARTS = np.random.default_rng(1).normal(size=(40, 1))


def run(potential=TRAP, x0=STARTS, n=N, schedule=COOLING, **keywords):
    return lsa.anneal(potential, x0, schedule, n, rng=3, **keywords)


def written_out(integrator):
    """The recursion and its work, with one force a step; x at the end, and the work of each."""
    steps, progress = COOLING.coefficients(N, integrator), np.arange(N + 1) / N
    k, a = 1 + 2 * progress, 2 * progress
    x, dx, noise, work = STARTS.copy(), 0.0, 0.0, 0.0
    for n in range(N):
        z = normals(3, n, np.arange(len(x)), 1)
        fresh = steps.kick[n] * z + noise
        noise = steps.tail[n] * z
        dx = steps.carry[n] * dx - steps.lr[n] * k[n] * (x - a[n]) + fresh
        middle, x = x + dx / 2, x + dx
        for m, sign in ((n, -1), (n + 1, 1)):
            work += sign * k[m] * (middle - a[m]) ** 2 / 2
    return x, work[:, 0]


@pytest.mark.parametrize("backend", ["numba", "numpy"])
@pytest.mark.parametrize("integrator", ["bbk", "gjf", "vec", "leimkuhler_matthews", "verlet"])
@pytest.mark.filterwarnings("ignore:verlet adds no noise")
def test_work_is_taken_in_the_middle_of_each_step(backend, integrator):
    x, work = written_out(integrator)
    found = run(backend=backend, integrator=integrator)
    np.testing.assert_allclose(found.state.x, x, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.work, work, rtol=1e-12, atol=1e-12)
    assert found.history.work.sum() == pytest.approx(work.mean(), rel=1e-12)


def test_without_friction_no_heat_comes():
    """To the order of the step: what the energy gains is work."""
    heats = {}
    for n in (200, 400):
        swing = Schedule(0.0, 0.0, 20 / n)
        found = run(n=n, schedule=swing, integrator="verlet", record_every=n)
        heats[n] = abs(found.history.heat[0])
        assert heats[n] < 0.01 * found.work.mean()
    assert heats[400] == pytest.approx(heats[200] / 4, rel=0.05)


# the catalogue's formulas, which are compiled already
PHI4 = {"site": "x**4/4 - x**2/2", "bond": "coupling*(y - x)**2/2", "periodic": True}
LENNARD_JONES = {"pair": "4*epsilon*((sigma/r)**12 - (sigma/r)**6)", "sigma": 1.0, "particles": 27}
GRID = 1.7 * np.stack(np.meshgrid(*[np.arange(3)] * 3), -1).reshape(1, -1)
LOG = Potential.from_formula("a*x*log(x) + y**2/2", a=linear(1.0, 0.5), bounds=(0.1, 2))
SYSTEMS = {
    "lattice": (
        Potential.from_formula(**PHI4, coupling=linear(1.0, 0.2), dim=600),
        np.linspace(-1, 1, 1200).reshape(2, 600),
    ),
    "neighbours": (
        Potential.from_formula(**LENNARD_JONES, box=5.2, cutoff=2.5, epsilon=linear(1.0, 1.5)),
        np.repeat(GRID, 2, axis=0),
    ),
    "walls": (LOG, np.linspace(0.2, 1.8, 10).reshape(5, 2)),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_backends_agree_and_cuts_do_not_matter(name):
    U, x0 = SYSTEMS[name]
    dt = 0.2 if name == "walls" else 0.02
    how = {"potential": U, "x0": x0, "n": 60, "schedule": Schedule(0.5, 1.0, dt)}
    how["record_every"] = 20
    here, there = (run(**how, backend=backend) for backend in ("numba", "numpy"))
    assert (here.failures > 5) == (name == "walls")
    for what in ("work", "energies", "best_energies"):
        np.testing.assert_allclose(here[what], there[what], rtol=1e-9)
    for column in ("energy_mean", "configurational", "work", "heat"):
        np.testing.assert_allclose(here.history[column], there.history[column], rtol=1e-8)
    for other in (run(**how | {"record_every": 7, "threads": 2}), run(**how, workers=map)):
        np.testing.assert_array_equal(other.work, here.work)
        np.testing.assert_array_equal(other.state.x, here.state.x)


def test_work_goes_through_states_and_checkpoints(tmp_path):
    whole = run(record_every=50)
    file = tmp_path / "run.npz"

    def stop(intermediate_result):
        return intermediate_result.step == 100

    half = run(record_every=50, checkpoint=file, callback=stop)
    half.state.save(tmp_path / "state.npz")
    on = lsa.anneal(TRAP, None, COOLING, N, state=State.load(tmp_path / "state.npz"))
    again = run(record_every=50, checkpoint=file)
    for other in (on, again, lsa.Result.load(file)):
        np.testing.assert_array_equal(other.work, whole.work)
        np.testing.assert_array_equal(other.state.x, whole.state.x)
    for column in whole.history:
        np.testing.assert_array_equal(again.history[column], whole.history[column])
    other = Potential.from_formula("k*(x - a)**2/2", k=linear(1, 3), a=linear(0, 2.5))
    file.unlink()
    run(checkpoint=file, callback=lambda x: True)
    with pytest.raises(ValueError, match="the laws"):
        run(potential=other, checkpoint=file)


def test_a_checkpoint_between_records_holds_what_the_next_one_is_the_change_of(monkeypatch):
    monkeypatch.setattr("langevin_sa.annealing.run.LONGEST_SLICE", 30)
    moved, fresh = (Run(prepare(TRAP, STARTS, COOLING, N, rng=3, record_every=50)) for _ in "ab")
    for record in moved.slices():
        if record is None and moved.walk.step > 50:
            break
    fresh.recorder.restore(moved.recorder.sums())
    for name in ("worked", "held"):
        assert getattr(fresh.recorder, name) == getattr(moved.recorder, name) != 0


def test_outside_of_a_run_it_is_its_last_landscape():
    x = np.array([[0.5], [1.5]])
    last = TRAP.at(1)
    assert not last.laws and TRAP.at(0).laws == {} and last.at(0.3) is last
    np.testing.assert_array_equal(TRAP.energy(x), last.energy(x))
    np.testing.assert_array_equal(TRAP.gradient(x), 3 * (x - 2))
    np.testing.assert_array_equal(TRAP.at(0.5).gradient(x), 2 * (x - 1))
    np.testing.assert_array_equal(TRAP.at(0).laplacian(x), [1, 1])
    assert lsa.minimize(TRAP, [0.0], rng=0).x == pytest.approx([2.0])
    found = run()
    np.testing.assert_array_equal(found.best_positions, found.state.x)
    np.testing.assert_array_equal(found.best_energies, last.energy(found.state.x))
    assert found.fun == found.energies.min() == last.energy(found.x)
    assert run(potential=last).work is None and "heat" not in run(potential=last).history


def test_what_cannot_be_done_is_refused():
    compare = {"a": COOLING, "b": COOLING}
    with pytest.raises(ValueError, match=r"one landscape, and a, k .* U\.at\(1\)"):
        lsa.compare(TRAP, compare, replicas=2, n_steps=10)
    for other in (lambda: lsa.page(TRAP), lambda: lsa.exchange(TRAP, [0.1, 1.0])):
        with pytest.raises(ValueError, match="one landscape"):
            other()
    with pytest.raises(ValueError, match="progress must be a number from 0 to 1, not 2"):
        TRAP.at(2)
    with pytest.raises(ValueError, match=r"'k' is inf at progress 1"):
        Potential.from_formula("k*x**2", k=lambda s: np.where(s < 1, 1.0, np.inf))
    with pytest.raises(ValueError, match="where the potential's laws end"):
        run(potential=Potential.from_formula("k*x**2", k=linear(1, 1e4)))
    with pytest.raises(ValueError, match="epsilon is a law of progress in the pair formula"):
        Potential.from_formula("x1**2", **LENNARD_JONES, cutoff=2.5, epsilon=linear(1, 2))


def test_an_automatic_schedule_is_of_the_last_landscape():
    well = Potential.from_formula("a*cos(6*x) + x**2", a=linear(0.0, 1.0), bounds=(-3, 3))
    moving, still = (lsa.anneal(U, None, None, 2000, rng=0) for U in (well, well.at(1)))
    assert repr(moving.schedule) == repr(still.schedule)
    assert moving.fun == pytest.approx(-0.7398, abs=0.05)
