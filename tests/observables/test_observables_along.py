"""Observables along a run: columns of its history like the others, kept and lost with them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from hostile import refused

import langevin_sa as lsa
from langevin_sa import Potential, Schedule, anneal, simulate
from langevin_sa.annealing import request, run as run_module
from langevin_sa.formulas.values import values_of
from langevin_sa.observables import PerReplica

WELL = Potential.from_formula("(x**2 - 1)**2 + y**2")
SCHEDULE = Schedule(0.5, 1.0, 0.05)
START = np.linspace(-1, 1, 6).reshape(3, 2)
ASKED = {
    "mean": "x + y",
    "each": PerReplica("x*y"),
    "vector": lambda x: x,
    "spread": lambda x: x.std(),
    "bins": PerReplica(lambda x: x[:, None, :] > [[0.0], [0.5]]),
}


def annealed(potential=WELL, steps=60, **keywords):
    given = {"rng": 1, "record_every": 7, "observables": ASKED, "threads": 1, "samples": True}
    return anneal(potential, START, SCHEDULE, steps, **given | keywords)


def same(a, b):
    np.testing.assert_equal(dict(a.history), dict(b.history))
    np.testing.assert_array_equal(a.state.x, b.state.x)


@pytest.mark.parametrize("more", [{}, {"backend": "numpy"}, {"dtype": "float32"}])
def test_they_are_of_the_positions_at_the_record(more):
    run = annealed(**more)
    x = run.samples.astype(float)
    expected = {
        "mean": x.sum(-1).mean(1),
        "each": x[..., 0] * x[..., 1],
        "vector": x.mean(1),
        "spread": x.std((1, 2)),
        "bins": (x[:, :, None, :] > np.array([[0.0], [0.5]])).astype(float),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(run.history[name], values, rtol=1e-14, err_msg=name)


def test_they_change_nothing_else():
    without = annealed(observables=None)
    run = annealed()
    np.testing.assert_equal(dict(run.history) | dict(without.history), dict(run.history))
    assert set(run.history) - set(without.history) == set(ASKED)
    np.testing.assert_array_equal(run.samples, without.samples)


def test_no_bit_depends_on_workers_threads_or_slices(monkeypatch):
    whole = annealed()
    with ThreadPoolExecutor(2) as pool:
        same(annealed(workers=pool.map), whole)
    same(annealed(threads=2), whole)
    monkeypatch.setattr(run_module, "LONGEST_SLICE", 2)
    same(annealed(), whole)


def test_they_are_in_files_snapshots_and_callbacks(tmp_path):
    seen = []
    run = annealed(callback=lambda intermediate_result: seen.append(intermediate_result.observed))
    shots = list(simulate(WELL, START, SCHEDULE, 60, rng=1, record_every=7, observables=ASKED))
    run.save(tmp_path / "run.npz")
    same(lsa.Result.load(tmp_path / "run.npz"), run)
    for name in ASKED:
        np.testing.assert_array_equal([s[name] for s in seen], run.history[name])
        np.testing.assert_array_equal([s.observed[name] for s in shots], run.history[name])


def test_a_run_without_a_record_has_their_columns():
    def stop():
        raise KeyboardInterrupt

    asked = {"m": PerReplica("x"), "late": lambda x: stop() if x[0, 0] != START[0, 0] else 0}
    history = annealed(observables=asked).history
    assert history.m.shape == (0, 3) and history.late.shape == (0,)


@pytest.mark.parametrize("error", [KeyError("mine"), KeyboardInterrupt(), StopIteration()])
@pytest.mark.parametrize("way", ["anneal", "simulate"])
def test_what_one_raises_loses_nothing(tmp_path, error, way):
    """The record that could not be taken is taken first when the call is made again."""
    calls = []

    def counted(x, at=-1):
        calls.append(0)
        if len(calls) == at:
            raise error
        return x.sum(1)

    def called(at):
        calls.clear()
        given = {"observables": {"sum": lambda x: counted(x, at)}, "record_every": 7, "rng": 1}
        if way == "anneal":
            return anneal(WELL, START, SCHEDULE, 60, checkpoint=file, **given).history.sum
        shots = simulate(WELL, START, SCHEDULE, 60, checkpoint=file, **given)
        return got.extend(s.observed["sum"] for s in shots)

    got = []
    file = None
    whole = called(-1)
    whole, got, file = got or whole, [], tmp_path / "run.npz"
    if isinstance(error, KeyboardInterrupt) and way == "anneal":
        assert len(called(5)) == 3
    else:
        mine = RuntimeError if isinstance(error, StopIteration) else type(error)
        with pytest.raises(mine) as caught:
            called(5)
        if way == "anneal":
            part = caught.value.partial_result
            assert len(part.history["sum"]) == 3 and part.nit < 28
            assert "sum" in str([caught.value, getattr(caught.value, "__notes__", "")])
    last = called(-1)
    np.testing.assert_array_equal(last if way == "anneal" else got[-len(whole) :], whole)


def test_stop_iteration_is_no_stop_of_the_callback_s():
    """Also in the record that only a run out of time takes."""
    calls = iter([0.0])
    given = {"observables": {"a": lambda x: next(calls)}, "max_seconds": 1e-9}
    with pytest.raises(RuntimeError, match="'a' raised StopIteration"):
        anneal(WELL, START, SCHEDULE, 60, rng=1, **given)


BAD = {
    "no dict": (["x"], TypeError, "dict of functions or formulas by name"),
    "no name": ({1: "x"}, TypeError, "must be text"),
    "no identifier": ({"a b": "x"}, ValueError, "a name as in Python"),
    "keyword": ({"for": "x"}, ValueError, "a name as in Python"),
    "a column": ({"step": "x"}, ValueError, "'step', which a history has"),
    "of a dict": ({"items": "x"}, ValueError, "'items', which a history has"),
    "no function": ({"a": 1.0}, TypeError, "function of the block"),
    "no coordinate": ({"a": "x + q"}, lsa.FormulaError, "'q' .* coordinates.* x, y"),
    "no formula": ({"a": "x +"}, lsa.FormulaError, "cannot read"),
    "one point": ({"a": lambda x: x[0]}, ValueError, r"shape \(2,\) for a block of shape \(3, 2\)"),
    "nothing": ({"a": lambda x: None}, TypeError, "array of real numbers.* not None"),
    "complex": ({"a": lambda x: x * 1j}, TypeError, "array of real numbers"),
    "a number each": ({"a": PerReplica(lambda x: 1.0)}, ValueError, "one value for each of the 3"),
    "writes": ({"a": lambda x: np.add(x, 1, out=x)}, ValueError, "read-only"),
}


@pytest.mark.parametrize("asked, error, why", BAD.values(), ids=list(BAD))
def test_what_is_none_is_refused_before_any_work(monkeypatch, asked, error, why):
    def work(*_, **__):
        raise AssertionError("work began")

    monkeypatch.setattr(request, "pilot_of", work)
    monkeypatch.setattr(request, "get_backend", work)
    for schedule in (SCHEDULE, None):
        refused(partial(anneal, WELL, START, schedule, 10, observables=asked), error, why)
    refused(lambda: simulate(WELL, START, SCHEDULE, 10, observables=asked), error, why)


def test_a_function_of_one_point_is_found_where_replicas_are_as_many_as_coordinates():
    asked = {"a": lambda x: x[0] + x[1]}
    with pytest.raises(IndexError):
        anneal(WELL, START[:2], SCHEDULE, 10, observables=asked)


def test_a_shape_that_changes_is_refused():
    def some(x):
        return x[: 3 if x[0, 0] == START[0, 0] else 0].sum(1) if len(x) == 3 else 0.0

    with pytest.raises(ValueError, match="observable 'a' gave shape"):
        annealed(observables={"a": some})


def test_a_checkpoint_of_other_observables_is_refused(tmp_path):
    file = {"checkpoint": tmp_path / "run.npz"}
    annealed(**file)
    for other in (None, {"mean": "x + y"}, ASKED | {"mean": "x - y"}, ASKED | {"each": "x*y"}):
        with pytest.raises(ValueError, match="differs in observables"):
            annealed(observables=other, **file)


def test_a_run_goes_on_from_a_state_with_them():
    first = annealed(steps=60, max_seconds=1e-9)
    rest = anneal(
        WELL, schedule=SCHEDULE, n_steps=60, state=first.state, record_every=7, observables=ASKED
    )
    whole = annealed()
    np.testing.assert_array_equal(rest.history.each, whole.history.each[-len(rest.history.step) :])


def test_coordinates_are_those_of_the_potential():
    functions = Potential(lambda x: (x**2).sum(1), lambda x: 2 * x, 2)
    pair = Potential.from_formula(pair="(r - 1)**2", particles=2, space=2)
    for U, text in ((functions, "x2"), (pair, "y1")):
        x = np.arange(3.0 * U.dim).reshape(3, U.dim)
        run = anneal(U, x, SCHEDULE, 4, record_every=2, samples=True, observables={"a": text})
        np.testing.assert_array_equal(run.history.a, run.samples[..., 1].mean(1))


def test_formulas_have_the_values_of_potentials():
    text = (
        "erf(x) + mod(x, y) + hypot(x, y)*atan2(y, x) + step(x) + log10(x**2 + 1) + pi*e**x"
        " + where(x, y, 2)*max(x, y)*min(x, 1) + abs(x)*sign(y) + floor(3*x) + tanh(x)/2**3"
    )
    x = np.random.default_rng(1).uniform(-2, 2, (400, 2))
    x[:20] = np.round(x[:20])
    x = x[x[:, 1] != 0]
    U = Potential.from_formula(text)
    np.testing.assert_allclose(values_of(text, U.variables)(x), U.energy(x), rtol=1e-13)
