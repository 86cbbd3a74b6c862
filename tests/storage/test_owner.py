"""A file has one writer at a time, and a stream of samples is known again."""

from __future__ import annotations

import errno
import itertools
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa import Potential, Schedule, anneal, compare, minimize, simulate
from langevin_sa.storage import npz, owner
from langevin_sa.storage.checkpoint import Checkpoint
from langevin_sa.storage.whole import write_whole

WELL = Potential.from_formula(site="(x**2 - 1)**2 + 0.3*x", dim=2, bounds=(-2, 2))
RAMP = Schedule(lsa.schedules.exponential(1.0, 0.01), 1.0, 0.05)


def run(**keywords):
    settings = {"replicas": 4, "rng": 1, "record_every": 10, "checkpoint_seconds": 0}
    return anneal(WELL, None, RAMP, 200, **settings | keywords)


@pytest.fixture(autouse=True)
def at_every_moment(monkeypatch):
    """Checkpoints whenever they are possible."""
    monkeypatch.setattr("langevin_sa.storage.checkpoint.SHARE", 1.0)


class Kill(BaseException):
    pass


def killed(step=70, **keywords):
    """A run that ends at this step as if by a kill."""

    def callback(intermediate_result):
        if intermediate_result.step >= step:
            raise Kill

    with pytest.raises(Kill):
        run(callback=callback, **keywords)


# ---------------------------------------------------------------------------------- temporary names


def test_threads_saving_to_one_path(tmp_path):
    """As two containers do, each of which is process 3."""
    path, errors = tmp_path / "a.npz", []

    def work(k):
        try:
            for _ in range(10):
                npz.save(path, "state", {"x": np.full(30_000, k)}, {})
                x = npz.load(path)[0]["x"]
                assert (x == x[0]).all()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and os.listdir(tmp_path) == ["a.npz"]


@pytest.mark.parametrize("kind", ["npz", "text"])
def test_what_bears_a_temporary_name_is_not_opened(tmp_path, monkeypatch, kind):
    """Not even by who guesses it, and what is there stays."""
    monkeypatch.setattr("langevin_sa.storage.whole.secrets.token_hex", lambda n: "0")
    other, path = tmp_path / "other", tmp_path / "a"
    other.write_text("another's")
    path.write_text("old")
    for name in ("a.0.part", f"a.{os.getpid()}.part"):
        (tmp_path / name).symlink_to(other)
    with pytest.raises(FileExistsError):
        if kind == "npz":
            npz.save(path, "state", {}, {})
        else:
            write_whole(path, "new")
    assert other.read_text() == "another's" and path.read_text() == "old"
    assert len(os.listdir(tmp_path)) == 4


# --------------------------------------------------------------------------------------- one writer

DRIVERS = {
    "anneal": ("checkpoint", lambda path: run(checkpoint=path)),
    "simulate": (
        "checkpoint",
        lambda path: list(simulate(WELL, [0, 0], RAMP, 20, rng=1, checkpoint=path)),
    ),
    "minimize": (
        "checkpoint of minimize",
        lambda path: minimize(WELL, [0.5, 0.5], rng=1, maxfev=50, checkpoint=path),
    ),
    "compare": (
        "comparison checkpoint",
        lambda path: compare(WELL, {"a": RAMP}, replicas=4, n_steps=20, rng=1, checkpoint=path),
    ),
}


@pytest.mark.parametrize("kind, call", DRIVERS.values(), ids=DRIVERS)
def test_every_driver_refuses_a_file_in_use(tmp_path, kind, call):
    """Names it and who has it; and leaves nothing behind, so that the next call has it."""
    path = tmp_path / "c.npz"
    said = rf"checkpoint '.*c.npz' is in use by process {os.getpid()} on .* since 2\d\d\d-"
    with Checkpoint(path, 0, kind):
        for _ in range(2):
            with pytest.raises(ValueError, match=said):
                call(path)
    call(path)
    call(path)
    assert os.listdir(tmp_path) == ["c.npz"]


def test_an_iterator_holds_its_file_until_it_ends(tmp_path):
    path = tmp_path / "c.npz"

    def begun():
        return simulate(WELL, [0, 0], RAMP, 20, record_every=5, rng=1, checkpoint=path)

    for look in (lambda it: it, next):  # an iterator that was never asked, and one that was
        iterator = begun()
        look(iterator)
        with pytest.raises(ValueError, match="is in use by"):
            begun()
        del iterator
    assert len(list(begun())) >= 1 and os.listdir(tmp_path) == ["c.npz"]


def test_refused_calls_let_go(tmp_path):
    """Whatever refuses them: the same call without the fault is not told that the file is in use,
    though the exception is kept.
    """
    files = {"checkpoint": tmp_path / "c.npz", "samples": tmp_path / "s.npy"}
    kept = []
    for fault in ({"integrator": "none"}, {"check_gradient": True}, {"backend": "none"}):
        broken = Potential(lambda x: (x**2).sum(1), lambda x: 3 * x, 2)
        with pytest.raises((ValueError, KeyError)) as caught:
            anneal(broken, np.ones(2), RAMP, 20, **files | fault)
        kept.append(caught)
    run(**files)
    assert sorted(os.listdir(tmp_path)) == ["c.npz", "s.npy"]


def test_two_runs_on_one_stream(tmp_path):
    path = tmp_path / "s.npy"

    def callback(intermediate_result):
        with pytest.raises(ValueError, match=r"samples '.*s.npy' is in use by process"):
            run(samples=path, rng=2)

    result = run(samples=path, callback=callback)
    np.testing.assert_array_equal(result.samples, run(samples=True).samples)
    assert os.listdir(tmp_path) == ["s.npy"]


HOLDER = """
import sys, time
from langevin_sa.storage.owner import Owner
kept = Owner(sys.argv[1], "checkpoint")
print("held", flush=True)
time.sleep(60)
"""


def test_another_process_and_its_kill(tmp_path):
    path = tmp_path / "c.npz"
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout.readline() == b"held\n"
            for name in (path, tmp_path / "." / "c.npz", os.path.relpath(path)):
                with pytest.raises(ValueError, match=f"in use by process {other.pid} on "):
                    run(checkpoint=name)
        finally:
            os.kill(other.pid, signal.SIGKILL)
    assert os.listdir(tmp_path) == ["c.npz.lock"]
    run(checkpoint=path)
    assert os.listdir(tmp_path) == ["c.npz"]


# JAX, which another test may have loaded, warns of any fork
@pytest.mark.filterwarnings("ignore:os.fork")
def test_a_fork_does_not_let_go(tmp_path):
    held = owner.Owner(tmp_path / "c.npz", "checkpoint")
    child = os.fork()
    if not child:
        held.release()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0 and held.alone
    with pytest.raises(ValueError, match="in use"):
        owner.Owner(tmp_path / "c.npz", "checkpoint")
    held.release()
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"process": "\\u001b[2J", "host": {}}', "[" * 900]
)
def test_a_lock_file_may_say_anything(tmp_path, text):
    """To a run that takes it, and to one that is refused: nothing of it reaches a terminal."""
    (tmp_path / "c.npz.lock").write_text(text)
    with Checkpoint(tmp_path / "c.npz", 0, "kind"):
        (tmp_path / "c.npz.lock").write_text(text)
        with pytest.raises(ValueError, match="in use by process") as caught:
            owner.Owner(tmp_path / "c.npz", "checkpoint")
        assert "\x1b" not in str(caught.value)


def test_links_and_pipes_as_lock_files(tmp_path):
    lock = tmp_path / "c.npz.lock"
    for plant in (lambda: lock.symlink_to(tmp_path / "other"), lambda: os.mkfifo(lock), lock.mkdir):
        plant()
        with pytest.raises(ValueError, match=r"c.npz.lock must be a plain file: remove it"):
            run(checkpoint=tmp_path / "c.npz")
        lock.rmdir() if lock.is_dir() else lock.unlink()
    assert not os.listdir(tmp_path)


def test_where_nothing_can_be_locked(tmp_path, monkeypatch):
    """As on some network file systems: the run goes on, and says so."""

    def no_locks(file):
        raise OSError(errno.ENOLCK, "No locks available")

    whole = run()
    monkeypatch.setattr(owner, "_lock", no_locks)
    with pytest.warns(UserWarning, match=r"cannot be locked \(No locks available\)") as said:
        result = run(checkpoint=tmp_path / "c.npz")
    assert len(said) == 1
    np.testing.assert_array_equal(result.state.x, whole.state.x)


# ---------------------------------------------------------------------------------- whose a stream


def flipped(path, place, bit):
    data = bytearray(path.read_bytes())
    data[place] ^= 1 << bit
    path.write_bytes(data)


def test_a_stream_with_flipped_bits(tmp_path):
    """In the first record, in the last that the checkpoint knows of, and between."""
    files = {"checkpoint": tmp_path / "c.npz", "samples": tmp_path / "s.npy"}
    killed(**files)
    counted, record = 6, 4 * 2 * 8
    for place, bit in itertools.product((0, 2 * record + 13, counted * record - 1), (0, 7)):
        flipped(files["samples"], 128 + place, bit)
        for samples in (files["samples"], True):
            with pytest.raises(ValueError, match=f"its record {place // record} is not what this"):
                run(checkpoint=files["checkpoint"], samples=samples)
        flipped(files["samples"], 128 + place, bit)
    np.testing.assert_array_equal(run(**files).samples, run(samples=True).samples)


@pytest.mark.parametrize("step", [10, 70])
def test_a_stream_of_another_run(tmp_path, step):
    """Of the same shape; also where the checkpoint knows of no record yet."""
    ours = {"checkpoint": tmp_path / "c.npz", "samples": tmp_path / "s.npy"}
    theirs = {"checkpoint": tmp_path / "d.npz", "samples": tmp_path / "t.npy"}
    late = {"checkpoint_seconds": 0 if step > 10 else 100}
    killed(step, **ours, **late)
    killed(step, **theirs, rng=2, **late)
    data = theirs["samples"].read_bytes()
    said = "another run's" if step > 10 else "is there already"
    with pytest.raises(ValueError, match=said):
        run(checkpoint=ours["checkpoint"], samples=theirs["samples"])
    assert theirs["samples"].read_bytes() == data
    for files, seed in ((ours, 1), (theirs, 2)):
        np.testing.assert_array_equal(
            run(**files, rng=seed).samples, run(samples=True, rng=seed).samples
        )
    assert sorted(os.listdir(tmp_path)) == ["c.npz", "d.npz", "s.npy", "t.npy"]


def test_a_stream_that_is_gone(tmp_path):
    killed(checkpoint=tmp_path / "c.npz", samples=tmp_path / "s.npy")
    (tmp_path / "s.npy").unlink()
    for samples, said in ((True, "knows of 6 records, and 0"), (tmp_path / "s.npy", "gone on")):
        with pytest.raises(ValueError, match=said):
            run(checkpoint=tmp_path / "c.npz", samples=samples)
    assert os.listdir(tmp_path) == ["c.npz"]


def test_links_are_not_streamed_to(tmp_path):
    (tmp_path / "other").write_bytes(b"")
    (tmp_path / "s.npy").symlink_to(tmp_path / "other")
    with pytest.raises(ValueError, match=r"s.npy' is a link, which is not followed"):
        run(samples=tmp_path / "s.npy")
    assert sorted(os.listdir(tmp_path)) == ["other", "s.npy"]
    assert (tmp_path / "other").read_bytes() == b""
