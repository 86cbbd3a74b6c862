"""Places where the energy or the gradient is not finite: walls for runs, refused or drawn again for
starts.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from langevin_sa import Potential, Result, Schedule, anneal, simulate
from langevin_sa.annealing.request import prepare
from langevin_sa.annealing.run import Run
from langevin_sa.backends.numpy import NumpyBackend
from langevin_sa.backends.walk import Walk
from langevin_sa.schedules import exponential

WARM = Schedule(1.0, 1.0, 0.3)
LOG = Potential.from_formula("x*log(x) + y**2/2", bounds=(0.1, 2))
CHAIN = Potential.from_formula(
    site="(x - 1)**2 + 0.1*sqrt(x)", bond="(x - y)**2/2", dim=512, bounds=(0.6, 1.4)
)
FLUID = Potential.from_formula(
    pair="(r - 1)**2 + 0.2*sqrt(r - 0.7)", particles=9, space=2, cutoff=1.9, box=4.0
)
GRID = np.stack(np.meshgrid(*[np.arange(3) * 1.3] * 2), -1).reshape(-1)


def within(x):
    return np.where((x > 0) & (x < 1), 0.0, np.nan)


BOX = Potential(lambda x: within(x).sum(1), within, 1, bounds=(0, 1))


def forbidden(x):
    if (x < 0).any():
        raise ValueError("x is negative")
    return x[:, 0]


RAISING = Potential(forbidden, np.ones_like, 1, bounds=(0.1, 2))
CASES = {
    "block": (LOG, np.linspace(0.2, 1.8, 20).reshape(10, 2), WARM),
    "functions": (BOX, np.linspace(0.1, 0.9, 7)[:, None], WARM),
    "exceptions": (RAISING, np.linspace(0.1, 0.9, 7)[:, None], WARM),
    "lattice": (CHAIN, np.linspace(0.7, 1.3, 1024).reshape(2, 512), Schedule(0.3, 1.0, 0.2)),
    "fluid": (FLUID, np.tile(GRID, (3, 1)), Schedule(0.15, 1.0, 0.1)),
}
KEPT = ("x", "dx", "noise", "best_x", "failures")


def run(name, n_steps=150, **keywords):
    U, x0, schedule = CASES[name]
    return anneal(U, x0, schedule, n_steps, **{"rng": 1, "record_every": n_steps} | keywords)


def same(a, b):
    for what in KEPT:
        np.testing.assert_array_equal(getattr(a.state, what), getattr(b.state, what), what)


@pytest.mark.filterwarnings("ignore:omega")
@pytest.mark.parametrize("integrator", ["gjf", "bbk"])
@pytest.mark.parametrize("name", CASES)
def test_backends_agree_and_cuts_do_not_matter(name, integrator):
    whole, cut = (run(name, integrator=integrator, record_every=k, threads=1) for k in (150, 7))
    reference = run(name, integrator=integrator, backend="numpy")
    assert whole.failures > 5 and whole.success
    same(whole, cut)
    same(whole, run(name, integrator=integrator, record_every=40, threads=2))
    np.testing.assert_array_equal(whole.state.failures, reference.state.failures)
    for what in ("x", "dx", "noise"):
        here, there = getattr(whole.state, what), getattr(reference.state, what)
        np.testing.assert_allclose(here, there, rtol=1e-8, atol=1e-8)
    assert cut.history.failures.sum() == cut.failures == cut.state.failures[:, 0].sum()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("backend", ["numba", "numpy"])
@pytest.mark.parametrize("name", CASES)
def test_a_step_that_fails_goes_back_and_is_reflected(name, backend, dtype):
    """x to the bit; and from there as a run that begins with the reflected update and half kick."""
    U, x0, schedule = CASES[name]
    start = {"record_every": 1, "rng": 1, "backend": backend, "dtype": dtype}
    before, found = None, 0
    for snapshot in simulate(U, x0, schedule, 60, **start):
        state = snapshot.state
        if before is not None and snapshot.failures:
            failed = np.flatnonzero(state.failures[:, 0] > before.failures[:, 0])
            np.testing.assert_array_equal(state.x[failed], before.x[failed])
            assert (state.dx[failed] != 0).any(1).all()
            with np.errstate(invalid="ignore"):
                there = state.x[failed].astype(float) - state.dx[failed]
            assert not any(_works(U, point) for point in there)
            found += len(failed)
        before = state
    assert found > 0


def _works(U, x):
    try:
        with np.errstate(invalid="ignore"):
            return np.isfinite(U.energy(x)) and np.isfinite(U.gradient(x)).all()
    except ValueError:
        return False


@pytest.mark.parametrize("backend", ["numba", "numpy"])
@pytest.mark.parametrize("name", ["block", "functions"])
def test_other_replicas_do_not_notice(name, backend):
    U, x0, schedule = CASES[name]
    together = run(name, backend=backend)
    alone = anneal(U, x0[:1], schedule, 150, rng=1, backend=backend)
    for what in KEPT:
        np.testing.assert_array_equal(getattr(together.state, what)[:1], getattr(alone.state, what))


def test_workers_files_and_states(tmp_path):
    whole = run("block", record_every=10)
    same(whole, run("block", workers=map, record_every=10))
    path = tmp_path / "c.npz"
    first = run("block", record_every=10, checkpoint=path, stop_below=np.inf)
    again = run("block", record_every=10, checkpoint=path)
    assert first.nit < again.nit
    same(whole, again)
    np.testing.assert_array_equal(whole.history.failures, again.history.failures)
    whole.save(tmp_path / "r.npz")
    loaded = Result.load(tmp_path / "r.npz")
    assert loaded.failures == whole.failures and loaded.history.failures.dtype == int
    np.testing.assert_array_equal(loaded.state.failures, whole.state.failures)
    same(whole, anneal(LOG, None, WARM, 150, state=first.state))


def test_what_the_message_says():
    result = run("exceptions")
    assert (
        f"{result.failures} steps met places where the energy or its gradient is not finite "
        "(ValueError: x is negative) and turned back." in result.message
    )
    assert "turned back" not in anneal(LOG, [1.0, 0.0], Schedule(1e-3, 1.0, 0.1), 20).message


@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_raise(backend):
    with np.errstate(all="ignore"):
        result = run("block", on_failure="raise", backend=backend)
        assert result.status == 2 and "became non-finite" in result.message
        with pytest.raises(ValueError, match="x is negative"):
            run("exceptions", on_failure="raise", backend=backend)
    with pytest.raises(ValueError, match="on_failure"):
        run("block", on_failure="ignore")


@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_a_gradient_that_is_not_finite_is_a_wall(backend):
    """Also where the energy is, and lower than anywhere else: such a place does not count."""
    U = Potential(
        lambda x: np.where(x < 0.5, -9.0, x)[:, 0],
        lambda x: np.where(x < 0.5, np.nan, 1.0),
        1,
        bounds=(0.6, 2),
    )
    result = anneal(U, None, WARM, 200, rng=1, replicas=5, backend=backend)
    assert result.failures and result.success and result.fun > 0.5
    assert (result.state.x >= 0.5).all()


def test_a_minimum_at_the_wall_is_found():
    """Cold replicas rest there, and fail at every step: no divergence."""
    cool = Schedule(exponential(1.0, 1e-4), 1.0, 0.1)
    result = anneal(RAISING, None, cool, 2000, rng=1, replicas=8)
    assert result.success and 0 <= result.fun < 1e-3
    assert result.state.failures[:, 1].max() > 50


def test_a_step_that_is_too_long_is_no_wall():
    """Thrown onto a slope where every step overflows: it stands still, and that is told."""
    U = Potential.from_formula("x**2/2 + x**20 - 3*x")
    result = anneal(U, [0.0], Schedule(1.0, 0.5, 0.4), 2000, replicas=4, rng=1)
    assert result.status == 2 and "must stay below 2" in result.message


def test_a_simulator_that_is_gone():
    """Its exception, at once, with what was computed."""
    calls = []

    def energy(x):
        calls.append(1)
        if len(calls) > 30:
            raise OSError("no license")
        return (x**2).sum(1)

    U = Potential(energy, lambda x: 2 * x, 1)
    with pytest.raises(OSError, match="no license") as caught:
        anneal(U, np.ones((5, 1)), WARM, 1000, rng=1, record_every=5)
    assert 0 < caught.value.partial_result.nit < 30 and caught.value.partial_result.failures == 0
    with pytest.raises(OSError, match="no license"):
        anneal(U, np.ones((5, 1)), WARM, 10)


def test_an_interrupt_leaves_the_lowest_point_with_its_energy():
    """Wherever it comes: a backend may have noted the one and not the other."""

    class Torn(NumpyBackend):
        def advance(self, steps):
            super().advance(steps)
            if self.walk.step > 40:
                self.walk.best_x[...] = 7.0
                raise KeyboardInterrupt

    prepared = prepare(LOG, np.ones((3, 2)), WARM, 100, rng=1, record_every=10)
    object.__setattr__(prepared, "backend", Torn(LOG, prepared.walk))
    moving = Run(prepared)
    with pytest.raises(KeyboardInterrupt):
        list(moving.slices())
    walk = moving.walk
    assert moving.rewind() == walk.step == 40
    np.testing.assert_allclose(LOG.energy(walk.best_x), walk.best_energy, rtol=1e-12)


# ------------------------------------------------------------------------------------------- starts


def test_starts_that_fail_are_drawn_again():
    wide = Potential.from_formula("x*log(x) + y**2", bounds=(-2, 2))
    starts = [prepare(wide, None, WARM, 10, replicas=n, rng=4).walk.x for n in (20, 20, 12)]
    drawn = np.random.default_rng([4, 1]).uniform(-2, 2, (20, 2))
    fine = drawn[:, 0] > 0
    assert 0 < fine.sum() < 20 and (starts[0][:, 0] > 0).all()
    np.testing.assert_array_equal(starts[0][fine], drawn[fine])
    np.testing.assert_array_equal(starts[0], starts[1])
    assert len(np.unique(starts[0][:, 0])) == 20
    narrow = Potential.from_formula("sqrt(x - 1.999)", bounds=(-2, 2))
    with pytest.raises(ValueError, match=r"finite at \d+ of \d+ points that were drawn \(0\.\d%"):
        anneal(narrow, None, WARM, 10, rng=1)


@pytest.mark.parametrize("schedule", [WARM, None])
def test_starts_where_there_is_no_gradient_are_refused(schedule):
    ring = Potential.from_formula("(sqrt(x**2 + y**2) - 1)**2", bounds=(-2, 2))
    with pytest.raises(
        ValueError,
        match=r"gradient of .* is nan at the starting point of replica 0, although its energy is "
        r"1: not differentiable there; start elsewhere, for example at \(",
    ):
        anneal(ring, [0, 0], schedule, 100)
    pairs = Potential.from_formula(pair="(r - 1)**2", particles=3, space=2)
    with pytest.raises(ValueError, match="not differentiable there"):
        anneal(pairs, np.zeros(6), schedule, 100)


# ------------------------------------------------------------------------------------------ density


@pytest.mark.parametrize(("integrator", "gamma", "dt"), [("gjf", 1, 0.5), ("gjf", 3, 0.7)])
def test_a_box_is_uniform_at_any_step(integrator, gamma, dt):
    walk = Walk.at_rest(np.random.default_rng(0).uniform(0.4, 0.6, (3000, 1)), 3)
    walk.wall = True
    NumpyBackend(BOX, walk).advance(Schedule(0.5, gamma, dt).coefficients(150, integrator))
    counts = np.histogram(walk.x, np.linspace(0, 1, 21))[0]
    assert chi2.sf(((counts - 150) ** 2 / 150).sum(), 19) > 1e-3


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:omega")
@pytest.mark.parametrize("dt", [0.4, 0.2])
def test_the_density_at_a_wall_that_is_pushed_at(dt):
    """U = x on x > 0: <x> = T, low by 0.17 dt^2 with the mean force into the wall."""
    U = Potential.from_formula("x + 1e-9*sqrt(x)", bounds=(0, 2))
    steps = int(20 / dt)
    result = anneal(U, None, Schedule(1.0, 1.0, dt), steps, rng=2, replicas=40_000)
    off = float(result.state.x.mean()) - 1
    assert abs(off + 0.17 * dt**2) < 5 / np.sqrt(40_000) + 0.05 * dt**2
