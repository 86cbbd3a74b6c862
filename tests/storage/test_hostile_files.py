"""Damaged and forged files, pickles, and paths that nobody meant."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hostile import BOWL, RAMP, Odd, examples, refused_or
from hypothesis import given, strategies as st

from langevin_sa import Result, State, anneal
from langevin_sa.validation.report import Report

RUN = anneal(BOWL, None, RAMP, 20, replicas=3, rng=1, record_every=5, samples=True)


def filled(shape, value, dtype):
    with np.errstate(all="ignore"):
        return np.full(shape, value).astype(dtype)


def written():
    """The bytes of a state's file and of a result's."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.npz"
        RUN.state.save(path)
        state = path.read_bytes()
        RUN.save(path)
        return {"state": state, "result": path.read_bytes()}


FILES = written()


def damaged(data, draw):
    """The bytes after one kind of damage."""
    kind = draw(st.sampled_from(["cut", "flip", "swap", "zero", "repeat", "splice", "random"]))
    at, length = draw(st.integers(0, len(data) - 1)), draw(st.integers(1, 200))
    if kind == "cut":
        return data[:at]
    if kind == "flip":
        return data[:at] + bytes([data[at] ^ (1 << draw(st.integers(0, 7)))]) + data[at + 1 :]
    if kind == "swap":
        return data[:at] + data[at : at + length][::-1] + data[at + length :]
    if kind == "zero":
        return data[:at] + bytes(min(length, len(data) - at)) + data[at + length :]
    if kind == "repeat":
        return data[:at] + data[at : at + length] * 2 + data[at + length :]
    if kind == "splice":
        other = FILES[draw(st.sampled_from(sorted(FILES)))]
        return data[:at] + other[at:]
    return draw(st.binary(max_size=300))


@examples(6)
@given(
    data=st.data(), name=st.sampled_from(["state", "result"]), cls=st.sampled_from([State, Result])
)
def test_damaged_files(data, name, cls, tmp_path_factory):
    """Refused, or read as it was written."""
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    path.write_bytes(damaged(FILES[name], data.draw))
    found = refused_or(lambda: cls.load(path))
    if found is not None:
        state = found if cls is State else found.state
        for key in ("x", "dx", "noise", "best_x", "best_energy"):
            np.testing.assert_array_equal(getattr(state, key), getattr(RUN.state, key))
        assert (state.step, state.seed) == (RUN.state.step, RUN.state.seed)


@examples(2)
@given(
    data=st.data(),
    keys=st.lists(
        st.sampled_from(
            ["x", "dx", "noise", "best_x", "best_energy", "about", "sha256", "state_x", "odd"]
        ),
        unique=True,
    ),
)
def test_forged_files(data, keys, tmp_path_factory):
    """Arrays and facts that are not what they should be, under a right checksum: no state of a run,
    or one that a run refuses.
    """
    from langevin_sa.storage import npz

    path = tmp_path_factory.getbasetemp() / "forged.npz"
    shapes = st.sampled_from([(), (1, 2), (3, 2), (3,), (0, 2)])
    made = {
        k: filled(
            data.draw(shapes),
            data.draw(st.floats()),
            data.draw(st.sampled_from(["f8", "f4", "i4", "c16"])),
        )
        for k in keys
        if k not in ("about", "sha256")
    }
    about = {
        key: data.draw(
            st.one_of(st.integers(), st.floats(allow_nan=False), st.text(max_size=3), st.none())
        )
        for key in ("step", "seed")
        if data.draw(st.booleans())
    }
    npz.save(path, data.draw(st.sampled_from(["state", "result", "checkpoint"])), made, about)
    state = refused_or(lambda: State.load(path))
    if state is not None:
        refused_or(lambda: anneal(BOWL, None, RAMP, 100, state=state))
    refused_or(lambda: Result.load(path))
    refused_or(lambda: anneal(BOWL, [0.1, 0.1], RAMP, 3, rng=1, checkpoint=path))


@pytest.mark.parametrize("content", ["object", "pickle"])
def test_pickles_are_refused(tmp_path, content):
    import pickle

    class Bomb:
        def __reduce__(self):
            return (os.system, (f"touch {tmp_path / 'canary'}",))

    path = tmp_path / "a.npz"
    if content == "pickle":
        path.write_bytes(pickle.dumps(Bomb()))
    else:
        np.savez(path, x=np.array([Bomb()], dtype=object))
    for load in (
        State.load,
        Result.load,
        lambda p: anneal(BOWL, [0.0, 0.0], RAMP, 3, checkpoint=p),
    ):
        with pytest.raises(ValueError, match="not a whole langevin_sa file"):
            load(path)
    np.save(tmp_path / "s.npy", np.array([Bomb()], dtype=object))
    with pytest.raises(ValueError, match="is there already"):
        anneal(BOWL, [0.0, 0.0], RAMP, 3, samples=tmp_path / "s.npy")
    assert not (tmp_path / "canary").exists()


@examples(1)
@given(
    path=st.sampled_from(["r.html", "r.json", "r.txt", "", "no/r.json", None, 3, b"r.json", Odd()])
)
def test_paths(path, tmp_path_factory):
    """Of reports, states and results: written whole, or a sentence and nothing left."""
    folder = tmp_path_factory.mktemp("paths")
    file = folder / path if isinstance(path, str) and path else path
    run = anneal(BOWL, [0.1, 0.1], RAMP, 2, rng=1)
    for thing in (Report([], "numba", "float64", "quick", 0, 1.0), run, run.state):
        refused_or(lambda thing=thing: thing.save(file) or True, OSError)
    assert not list(folder.rglob("*.part"))
    for kind in (type(run), type(run.state)):
        refused_or(lambda kind=kind: kind.load(file), OSError)
