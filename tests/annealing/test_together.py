"""Several records within one slice, and coefficients that are computed once: to the bit what a run
gives that stops for every record and asks for every step alone.
"""

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa.annealing import course as course_module
from langevin_sa.annealing.course import Course
from langevin_sa.annealing.log import Log
from langevin_sa.annealing.request import prepare
from langevin_sa.annealing.run import LONGEST_SLICE, Run
from langevin_sa.backends.cpu.recorded import RecordedBlocks

SCHEDULE = lsa.Schedule(lsa.schedules.exponential(1.0, 0.05), 1.0, lambda s: 0.02 - 0.01 * s)
F = lsa.Potential.from_formula
ARRAYS = ("x", "dx", "noise", "best_x", "best_energy", "failures")


def bowl(x):
    return np.sum(np.cosh(x)) - 1.0


def slope(x, out):
    out[:] = np.sinh(x)


POTENTIALS = {
    "double well": lsa.potentials.double_well,
    "two coordinates": lsa.potentials.muller_brown,
    "cluster": lambda: lsa.potentials.lennard_jones(5),
    "numba": lambda: lsa.Potential.from_numba(bowl, slope, 3, start=lambda k, g: g.random((k, 3))),
    "exponentials": lambda: F("exp(sin(x)) + x**4/9 + cos(2*y)**2 + y*y", bounds=(-2, 2)),
}


@pytest.fixture
def calls(monkeypatch):
    """How often several records were taken at once."""
    seen, original = [], RecordedBlocks.advance_recorded

    def counted(self, steps, every, looked):
        seen.append(len(steps.rho) // every)
        return original(self, steps, every, looked)

    monkeypatch.setattr(RecordedBlocks, "advance_recorded", counted)
    return seen


def same(a, b):
    for name in a.history:
        np.testing.assert_array_equal(a.history[name], b.history[name], name)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(a.state, name), getattr(b.state, name), name)
    for name in ("fun", "nfev", "njev", "nit", "status", "message"):
        assert getattr(a, name) == getattr(b, name)


@pytest.mark.parametrize(
    ("name", "replicas", "n_steps", "every", "integrator"),
    [
        pytest.param(name, *asked, marks=[pytest.mark.long] if name == "numba" else [])
        for name in POTENTIALS
        for asked in ((1, 400, None, "gjf"), (130, 205, 10, "baoab"))
    ]
    + [("double well", 3, 403, 7, "vec"), ("double well", 260, 101, 1, "bbk")],
)
def test_records_are_those_of_a_run_that_stops_for_each(
    calls, name, replicas, n_steps, every, integrator
):
    asked = {
        "schedule": SCHEDULE,
        "n_steps": n_steps,
        "replicas": replicas,
        "record_every": every,
        "integrator": integrator,
        "rng": 5,
        "threads": 2,
    }
    if name in ("cluster", "two coordinates"):  # stiff
        asked["schedule"] = lsa.Schedule(0.1, 1.0, lambda s: 0.002 - 0.001 * s)
    apart = lsa.anneal(POTENTIALS[name](), callback=lambda xk: None, **asked)
    assert not calls
    together = lsa.anneal(POTENTIALS[name](), **asked)
    assert max(calls) > 1
    same(apart, together)


def test_float32_positions(calls):
    asked = (lsa.potentials.double_well(), None, SCHEDULE, 500)
    keywords = {"replicas": 40, "rng": 1, "dtype": "float32"}
    apart = lsa.anneal(*asked, callback=lambda xk: None, **keywords)
    same(apart, lsa.anneal(*asked, **keywords))
    assert calls


@pytest.mark.parametrize("on_failure", ["wall", "raise"])
def test_a_step_that_fails_is_found_where_it_is(on_failure, calls):
    well = F("x - log(x)", start=lambda k, g: 1 + g.random((k, 1)))
    hot = lsa.Schedule(lsa.schedules.linear(0.01, 3.0), 0.5, 0.3)
    keywords = {"replicas": 60, "rng": 2, "threads": 2, "on_failure": on_failure}
    apart = lsa.anneal(well, None, hot, 1000, callback=lambda xk: None, **keywords)
    together = lsa.anneal(well, None, hot, 1000, **keywords)
    assert calls
    assert apart.failures > 0 if on_failure == "wall" else apart.status == 2
    same(apart, together)


def test_an_interrupt_between_two_records_of_a_slice_leaves_a_whole_run(
    monkeypatch, tmp_path, calls
):
    asked = (lsa.potentials.double_well(), None, SCHEDULE, 3000)
    keywords = {"replicas": 4, "rng": 3, "record_every": 10}
    whole, add, file = lsa.anneal(*asked, **keywords), Log.add, tmp_path / "run.npz"

    def interrupted(self, record):
        add(self, record)
        if record.step == 1500:
            raise KeyboardInterrupt

    monkeypatch.setattr(Log, "add", interrupted)
    broken = lsa.anneal(*asked, **keywords, checkpoint=file)
    monkeypatch.undo()
    assert broken.status == 3
    assert broken.nit < 1500  # the slice is not done
    np.testing.assert_array_equal(broken.history.step, whole.history.step[: broken.nit // 10])
    same(whole, lsa.anneal(*asked, **keywords, checkpoint=file))


def test_a_limit_of_time_ends_a_run_where_a_slice_does(calls):
    U, keywords = lsa.potentials.double_well(), {"record_every": 100, "max_seconds": 0.3}
    lsa.anneal(U, None, SCHEDULE, 1000, replicas=10, rng=1, record_every=100)  # loads kernels
    assert calls
    run = lsa.anneal(U, None, SCHEDULE, 10**9, replicas=10, rng=1, **keywords)
    assert run.status == 1
    assert run.history.step[-1] == run.nit
    assert len(run.history.step) == -(-run.nit // 100)


@pytest.mark.parametrize("integrator", ["gjf", "vec", "bbk", "ermak_mccammon"])
def test_a_course_gives_each_step_its_own_numbers(monkeypatch, integrator):
    monkeypatch.setattr(course_module, "PIECE", 23)
    n, generator = 200, np.random.default_rng(0)
    schedule = lsa.Schedule(lambda s: 2.0 - s, lambda s: 1 + s, lambda s: 0.1 / (1 + s))
    course = Course(schedule, integrator, n)
    for _ in range(200):
        start = int(generator.integers(n))
        stop = int(generator.integers(start, min(n, start + 40))) + 1
        want, got = schedule.coefficients(n, integrator, (start, stop)), course.steps(start, stop)
        for name in ("numbers", "rho", "s", "ratio", "temperature", "dt", "velocity_scale"):
            # taps of vec are followed from a step 16 before the first that is asked for
            tolerance = 1e-15 if integrator == "vec" else 0.0
            a, b = getattr(want, name), getattr(got, name)
            np.testing.assert_allclose(b, a, rtol=tolerance, atol=0, err_msg=name)


def test_coefficients_are_computed_once():
    asked = []

    def law(s):
        asked.append(np.size(s))
        return 1.0 - 0.5 * s

    lsa.anneal(lsa.potentials.double_well(), None, lsa.Schedule(law, 1.0, 0.02), 1000, rng=1)
    assert asked == [1000]


def test_a_long_run_holds_few_coefficients():
    prepared = prepare(lsa.potentials.double_well(), None, SCHEDULE, 10**9, record_every=10**6)
    for _ in zip(range(12), Run(prepared).slices(together=True), strict=False):
        assert len(prepared.course._piece[2].rho) <= LONGEST_SLICE


def test_the_first_slice_is_as_long_as_a_look_at_the_energies_allows(monkeypatch):
    prepared = prepare(lsa.potentials.double_well(), None, SCHEDULE, 10**6, record_every=10**6)
    for pace, length in ((10.0, 1), (1e-4, 125), (1e-9, LONGEST_SLICE), (np.inf, 1)):
        prepared.backend.pace = pace
        moves = []
        run = Run(prepared)
        monkeypatch.setattr(run, "_advance", moves.append)
        walk = prepared.walk
        next(run.slices())
        assert moves == [walk.step + length]


def test_a_run_that_is_looked_at_stops_for_each_record(calls):
    U, steps = lsa.potentials.double_well(), []
    keywords = {"replicas": 8, "rng": 1, "record_every": 5}
    for snapshot in lsa.simulate(U, None, SCHEDULE, 100, **keywords):
        steps.append(snapshot.step)
    lsa.anneal(U, None, SCHEDULE, 100, samples=True, **keywords)
    lsa.anneal(U, None, SCHEDULE, 100, stop_below=-100.0, **keywords)
    lsa.anneal(U, None, SCHEDULE, 100, observables={"r": "x1"}, **keywords)
    assert steps == list(range(5, 101, 5))
    assert not calls
