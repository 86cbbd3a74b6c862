"""What was broken off goes on from where all of it fitted together, to the same bits."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import pytest

from langevin_sa import Potential, Schedule, anneal, compare, simulate
from langevin_sa.annealing.records import Recorder
from langevin_sa.backends.walk import share
from langevin_sa.optimizers import Adam
from langevin_sa.storage.checkpoint import Checkpoint
from langevin_sa.storage.npy import Npy
from langevin_sa.storage.samples import Trajectory

SCHEDULE = Schedule(1.0, 1.0, 0.05)
BREAKS = [MemoryError("once"), KeyboardInterrupt()]


class Once:
    """A function that raises an error once, at its n-th call."""

    def __init__(self, function, n, error):
        self.function, self.left, self.error = function, n, error

    def __call__(self, *arguments):
        self.left -= 1
        if self.left == 0:
            raise self.error
        return self.function(*arguments)


def energy(x):
    return ((x**2 - 1) ** 2).sum(1)


def gradient(x):
    return 4 * x * (x**2 - 1)


def laplacian(x):
    return (12 * x**2 - 4).sum(1)


def well(**broken):
    functions = {"energy": energy, "gradient": gradient, "laplacian": laplacian}
    return Potential(**functions | broken, dim=2)


def same(a, b):
    for name in ("x", "dx", "noise", "best_x", "best_energy", "failures"):
        np.testing.assert_array_equal(getattr(a.state, name), getattr(b.state, name), err_msg=name)
    np.testing.assert_equal(dict(a.history), dict(b.history))
    np.testing.assert_array_equal(a.samples, b.samples)
    np.testing.assert_array_equal(a.energies, b.energies)


def annealed(potential, folder, **keywords):
    return anneal(
        potential,
        np.ones((3, 2)),
        SCHEDULE,
        60,
        rng=1,
        record_every=5,
        samples=folder / "samples.npy",
        checkpoint=folder / "run.npz",
        **keywords,
    )


def interrupted(call):
    """Make a call that is broken off; what it leaves."""
    try:
        return call()
    except MemoryError as error:
        return error.partial_result


@pytest.mark.parametrize("error", BREAKS, ids=["exception", "interrupt"])
@pytest.mark.parametrize("place", ["laplacian", "append", "count", "add", "take"])
def test_no_record_is_lost(tmp_path, monkeypatch, place, error):
    """Wherever between the end of a slice and the next a run is broken off, the same call makes the
    record that could not be taken, and no sum has a hole.
    """
    (tmp_path / "whole").mkdir()
    whole = annealed(well(), tmp_path / "whole")
    potential = well()
    with monkeypatch.context() as patch:
        if place == "laplacian":
            potential = well(laplacian=Once(laplacian, 8, error))
        else:
            owner, name = {
                "append": (Trajectory, "append"),
                "count": (Npy, "_count"),
                "add": (Recorder, "add"),
                "take": (Recorder, "take"),
            }[place]
            broken = Once(getattr(owner, name), 8, error)
            patch.setattr(owner, name, lambda self, *given: broken(self, *given))
        part = interrupted(lambda: annealed(potential, tmp_path))
    k = len(part.history.step)
    assert 0 < part.nit < 60 and len(part.samples) == k == part.nit // 5
    np.testing.assert_array_equal(part.samples, whole.samples[:k])
    np.testing.assert_allclose(energy(part.state.x), part.energies)
    np.testing.assert_allclose(energy(part.best_positions), part.best_energies)
    same(annealed(well(), tmp_path), whole)


@pytest.mark.parametrize("error", BREAKS, ids=["exception", "interrupt"])
def test_no_snapshot_is_lost(tmp_path, monkeypatch, error):
    """What `simulate` could not yield comes with the same call."""

    def snapshots(potential, **keywords):
        for s in simulate(potential, [1.0, 1.0], SCHEDULE, 60, rng=1, record_every=5, **keywords):
            yield s.step, s.state.x.copy(), s.temperature, s.target, s.best_energy

    file = {"checkpoint": tmp_path / "run.npz"}
    whole, found = list(snapshots(well())), []
    with pytest.raises(type(error)):
        found.extend(snapshots(well(laplacian=Once(laplacian, 8, error)), **file))
    rest = list(snapshots(well(), **file))
    np.testing.assert_equal(rest, whole[-len(rest) :])
    assert rest[0][0] == 40  # the eighth, whose Laplacian it was


@pytest.mark.parametrize("error", BREAKS, ids=["exception", "interrupt"])
@pytest.mark.parametrize("judged", ["polished", "final"])
@pytest.mark.parametrize("method", [SCHEDULE, Adam(0.02, 1.0)], ids=["schedule", "rule"])
def test_a_comparison_goes_on(tmp_path, monkeypatch, method, judged, error):
    """A potential that fails once, wherever that is, costs nothing but the call; the file is
    written at every third chance.
    """

    def every_third(self, contents, now=False, save=Checkpoint.save):
        return save(self, contents, now or next(chances) % 3 == 0)

    chances = itertools.count()
    monkeypatch.setattr(Checkpoint, "save", every_third)
    methods, start = {"first": Schedule(0.1, 1.0, 0.05), "second": method}, np.full((4, 2), 0.3)
    calls = Once(energy, 10**6, error)
    given = dict(x0=start, n_steps=60, epochs=3, rng=1, judged=judged)

    def compared(function, file=None):
        return compare(well(energy=function), methods, **given, checkpoint=file)

    whole = compared(calls)
    n = 10**6 - calls.left
    for k, call in enumerate(np.linspace(n // 3, n - 1, 4).astype(int)):
        file = tmp_path / f"{k}.npz"
        with suppress(MemoryError, KeyboardInterrupt):
            compared(Once(energy, int(call), error), file)
        found = compared(Once(energy, 0, error), file)
        for name in methods:
            a, b = found[name], whole[name]
            for key in ("x", "step", "energy", "best", "judged", "rescaled", "polished_x"):
                np.testing.assert_array_equal(getattr(a, key), getattr(b, key), err_msg=key)


@pytest.mark.parametrize("queued", [1, 2])
def test_an_interrupt_while_work_is_given_out(monkeypatch, queued):
    """Nothing runs, and nothing begins to run, when `share` has come back, though the pool had
    taken the work and told nobody.
    """
    running, begun = threading.Semaphore(0), []

    def work(part):
        begun.append(part)
        running.release()
        still.wait(0.2)
        ended.append(part)

    still, ended = threading.Event(), []
    with ThreadPoolExecutor(1) as pool:
        submit = pool.submit

        def interrupted(*given):
            submit(*given)
            nonlocal queued
            queued -= 1
            if not queued:
                running.acquire()  # one is at work
                raise KeyboardInterrupt

        pool.submit = interrupted
        with pytest.raises(KeyboardInterrupt):
            share(pool, work, [1, 2])
        assert begun == ended == [1]
    assert begun == [1]
