"""Slow potentials and time limits: a run is cut where the clock says, and what was cut goes on as
if it had not been.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

from langevin_sa import Potential, Schedule, State, anneal, compare, simulate
from langevin_sa.optimizers import Adam
from langevin_sa.schedules import exponential

RAMP = Schedule(exponential(1.0, 0.01), 1.0, 0.05)


class Kill(BaseException):
    """What no handler but `finally` sees."""


class Slow:
    """A potential whose calls take `seconds` of a clock that nothing else moves."""

    def __init__(self, monkeypatch, seconds):
        self.now, self.ends, self.seconds = 0.0, np.inf, seconds
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)
        self.potential = Potential(self.energy, self.gradient, 2)

    def dies(self, then, path):
        """Let the process be killed then, which leaves the file as it is."""
        self.ends, self.path = then, path

    def energy(self, x):
        self.now += self.seconds
        if self.now >= self.ends:
            self.left = self.path.read_bytes()
            raise Kill
        return ((x**2 - 1) ** 2).sum(1)

    @staticmethod
    def gradient(x):
        return 4 * x * (x**2 - 1)


def run(slow, n_steps=60, **keywords):
    settings = {"x0": [0.5, 0.4], "replicas": 4, "rng": 1, "record_every": 25}
    settings |= {"integrator": "gjf", "checkpoint_seconds": 0}
    return anneal(slow.potential, schedule=RAMP, n_steps=n_steps, **settings | keywords)


def same(a, b):
    """The same bits of everything but the time that it took and how it was said."""
    for name in {*a, *b} - {"seconds", "samples_file", "schedule", "state", "history"}:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    for name in ("x", "dx", "noise", "best_x", "best_energy", "step", "seed"):
        np.testing.assert_array_equal(getattr(a.state, name), getattr(b.state, name), err_msg=name)
    for name in a.history:
        np.testing.assert_array_equal(a.history[name], b.history[name], err_msg=name)


def test_a_limit_is_kept_within_a_few_calls(monkeypatch):
    """In whatever units of time."""
    for seconds in (0.3, 30.0):
        slow = Slow(monkeypatch, seconds)
        result = run(slow, record_every=60, max_seconds=5 * seconds)
        assert result.status == 1 and result.nit >= 1 and slow.now < 8 * seconds


@pytest.mark.parametrize("method", [None, RAMP, Adam(0.02)], ids=["anneal", "schedule", "rule"])
def test_a_slow_run_gets_on_however_often_it_is_killed(monkeypatch, tmp_path, method):
    """In each life it does a few calls before its first step, and some after."""
    monkeypatch.setattr("langevin_sa.storage.checkpoint.SHARE", 1.0)
    slow, path = Slow(monkeypatch, 0.05), tmp_path / "c.npz"
    settings = dict(x0=[0.5, 0.4], replicas=4, rng=1, epochs=1)
    settings |= {"checkpoint": path, "checkpoint_seconds": 0}
    steps = [0]
    for _ in range(6):
        slow.dies(slow.now + 0.85, path)
        with pytest.raises(Kill):
            if method is None:
                run(slow, n_steps=600, record_every=600, checkpoint=path)
            else:
                compare(slow.potential, {"a": method}, n_steps=600, tolerance=0.01, **settings)
        path.write_bytes(slow.left)
        with np.load(path) as file:
            steps.append(int(file["0 at"]) if method else State.load(path).step)
    assert (np.diff(steps) > 0).all(), steps


@pytest.mark.parametrize("samples", [False, True, "s.npy"])
def test_time_limits_leave_no_trace(monkeypatch, tmp_path, samples):
    """Records stand where they stood without a limit, and their sums are of the same steps."""
    whole = run(Slow(monkeypatch, 1.0), samples=bool(samples))
    slow, parts = Slow(monkeypatch, 1.0), 0
    keywords = {"samples": tmp_path / samples if isinstance(samples, str) else samples}
    while True:
        part = run(slow, **keywords, checkpoint=tmp_path / "c.npz", max_seconds=13)
        if part.status != 1:
            break
        parts += 1
        assert part.history.step[-1] == part.nit  # what there was then is in the result
        if samples:
            assert len(part.samples) == len(part.history.step)
        del part
    assert parts > 3
    same(part, whole)


def test_a_rule_at_a_time_limit(monkeypatch, tmp_path):
    """What it says of the record that only the limit made is said to the caller alone."""
    whole = run(Slow(monkeypatch, 1.0))
    slow = Slow(monkeypatch, 1.0)
    first = run(slow, checkpoint=tmp_path / "c.npz", max_seconds=13, stop_below=100.0)
    assert first.status == 0 and len(first.history.step) == 1
    same(run(slow, checkpoint=tmp_path / "c.npz"), whole)


def test_cut_into_steps_or_not(monkeypatch):
    """A slow clock cuts a run otherwise than a fast one, to the same bits."""
    ends = []
    for seconds in (1e-9, 1.0):
        slow = Slow(monkeypatch, seconds)
        *_, last = simulate(slow.potential, [0.5, 0.4], RAMP, 60, replicas=4, rng=1)
        ends.append((last.state.x, last.target, last.temperature))
    for a, b in zip(*ends, strict=True):
        np.testing.assert_array_equal(a, b)
