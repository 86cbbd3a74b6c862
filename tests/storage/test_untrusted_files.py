"""Files from anybody: damaged heads, forged contents, packed bombs, pipes, escape sequences; and
files of ours, which are written whole or not at all.
"""

from __future__ import annotations

import os
import zipfile
from functools import partial

import numpy as np
import pytest
from hostile import BOWL, RAMP, refused

import langevin_sa as lsa
from langevin_sa import Result, State, anneal
from langevin_sa.storage import npz
from langevin_sa.validation.report import Report

HALF = {"replicas": 3, "rng": 1, "record_every": 5}


@pytest.fixture
def run(tmp_path):
    """A checkpoint of a run in its middle."""

    def stop(intermediate_result):
        return intermediate_result.step == 10

    path = tmp_path / "c.npz"
    anneal(BOWL, None, RAMP, 20, checkpoint=path, callback=stop, **HALF)
    return path


def forge(path, change):
    """The file's contents after `change(arrays, about)`, under a right checksum."""
    arrays, about = npz.load(path)
    kind = change(arrays, about) or "checkpoint"
    npz.save(path, kind, arrays, about)


def test_the_head_of_an_array_is_damaged(tmp_path):
    """numpy reads it with Python's tokenizer, which has errors of its own."""
    path = tmp_path / "s.npy"
    anneal(BOWL, None, RAMP, 20, samples=path, **HALF)
    whole = path.read_bytes()
    for damaged in (b"{'descr': (((", b"{'descr': '''", b'"""'):
        path.write_bytes(whole[:10] + damaged + b"\n" * (118 - len(damaged)) + whole[128:])
        refused(lambda: anneal(BOWL, None, RAMP, 20, samples=path, **HALF), ValueError, "already")
        part = tmp_path / "a.npz"
        with zipfile.ZipFile(part, "w") as file:
            file.writestr("x.npy", path.read_bytes())
        refused(partial(Result.load, part), ValueError, "not a whole langevin_sa file")


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays, about: arrays.pop("state_x") is None,
        lambda arrays, about: arrays.pop("energies") is None,
        lambda arrays, about: arrays.update(state_x=arrays["state_x"].astype(complex)),
        lambda arrays, about: arrays.update(state_dx=arrays["state_dx"][:1]),
        lambda arrays, about: arrays.update(state_noise=arrays["state_noise"].astype("U8")),
        lambda arrays, about: arrays.update(energies=arrays["energies"][:0]),
        lambda arrays, about: arrays.pop("history_step") is None,
        lambda arrays, about: about.pop("step") is None,
        lambda arrays, about: about.pop("schedule") is None,
        lambda arrays, about: about.update(step="ten"),
        lambda arrays, about: about.update(samples_file=3.5),
    ],
)
def test_forged_checkpoints(run, change):
    """The checksum is right, and what is in it is not: one sentence, or a run."""
    forge(run, lambda arrays, about: change(arrays, about) and None)
    try:
        anneal(BOWL, None, RAMP, 20, checkpoint=run, **HALF)
    except ValueError as error:
        assert "\n" not in str(error) and len(str(error)) < 400


def test_packed_parts_are_refused(tmp_path):
    """They would unpack to more than the file holds: 400 MB from 400 kB."""
    path = tmp_path / "a.npz"
    np.savez_compressed(path, x=np.zeros(50_000_000 // 8))
    assert path.stat().st_size < 100_000
    for load in (State.load, Result.load):
        refused(lambda load=load: load(path), ValueError, "larger than the file")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_pipes_are_refused(tmp_path, run):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for call in (
        lambda: Result.load(pipe),
        lambda: anneal(BOWL, None, RAMP, 20, checkpoint=pipe, **HALF),
        lambda: anneal(BOWL, None, RAMP, 20, samples=pipe, **HALF),
    ):
        refused(call, ValueError, "plain file")
    forge(run, lambda arrays, about: about.update(samples_file=str(pipe)))
    assert Result.load(run).samples is None


def test_escape_sequences_stay_in_the_file(run):
    forge(run, lambda arrays, about: about.update(potential_name="a\x1b[2Jb\x07\x9b", message="\r"))
    found = Result.load(run)
    assert found.potential_name == r"a\x1b[2Jb\x07\x9b" and found.message == r"\r"


def test_samples_and_checkpoint_are_two_files(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    for one, other in (("a.npz", "a.npz"), ("a.npz", "link/a.npz")):
        given = {"samples": tmp_path / one, "checkpoint": tmp_path / other}
        refused(lambda given=given: anneal(BOWL, None, RAMP, 20, **given), ValueError, "name two")
    assert not (tmp_path / "a.npz").exists()


def test_a_page_or_report_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    """A full disk, or a name that UTF-8 cannot write."""
    page, report = tmp_path / "p.html", tmp_path / "r.json"
    page.write_text("good")
    report.write_text("good")

    def full(handle):
        raise OSError(28, "No space left on device")

    bad = lsa.Potential.from_formula("(x**2 - 1)**2 + 0.3*x", name="\ud800", bounds=(-2, 2))
    with pytest.raises(UnicodeEncodeError):
        lsa.page(bad, page)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        lsa.page(lsa.potentials.double_well(), page)
    with pytest.raises(OSError, match="No space"):
        Report([], "numba", "float64", "quick", 0, 1.0).save(report)
    assert page.read_text() == report.read_text() == "good"
    assert {path.name for path in tmp_path.iterdir()} == {"p.html", "r.json"}
