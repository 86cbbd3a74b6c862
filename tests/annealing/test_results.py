"""States and results on disk: the same bits back, whole files or none, and nothing but ours is
read.
"""

from __future__ import annotations

import json
import pickle
import zipfile

import numpy as np
import pytest
from scipy.optimize import OptimizeResult

from langevin_sa import Potential, Result, Schedule, State, anneal
from langevin_sa.schedules import exponential
from langevin_sa.storage.npz import VERSION

POTENTIAL = Potential.from_formula("(x**2 - 1)**2 + y**2")
SCHEDULE = Schedule(exponential(1.0, 0.1), 1.0, 0.05)
RESULT = anneal(
    POTENTIAL, None, SCHEDULE, 60, replicas=3, rng=2**63 + 5, record_every=20, samples=True
)


def same(a, b):
    """Equal, with the same type of number."""
    if isinstance(a, (dict, State)):
        a, b = (vars(v) if isinstance(v, State) else v for v in (a, b))
        return set(a) == set(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    return a == b


@pytest.fixture(params=[State, Result])
def saved(request, tmp_path):
    """A class, an object of it, and the file that it was saved to."""
    thing = RESULT if request.param is Result else RESULT.state
    path = tmp_path / "a.npz"
    thing.save(path)
    return request.param, thing, path


def test_state_round_trip(tmp_path):
    RESULT.state.save(tmp_path / "state.npz")
    assert same(State.load(tmp_path / "state.npz"), RESULT.state)
    bare = State(*(np.ones((2, 2)),) * 3, step=0, seed=2**64 - 1)
    bare.save(tmp_path / "bare")
    assert same(State.load(tmp_path / "bare"), bare)
    assert {path.name for path in tmp_path.iterdir()} == {"state.npz", "bare"}


@pytest.mark.parametrize("samples", [True, False])
def test_result_round_trip(tmp_path, samples):
    result = RESULT if samples else anneal(POTENTIAL, None, SCHEDULE, 60, replicas=3, rng=1)
    result.save(str(tmp_path / "run.npz"))
    loaded = Result.load(str(tmp_path / "run.npz"))
    assert (
        isinstance(loaded, Result)
        and isinstance(loaded, OptimizeResult)
        and isinstance(loaded.state, State)
    )
    assert same(
        {k: v for k, v in loaded.items() if k != "schedule"},
        {k: v for k, v in result.items() if k != "schedule"},
    )
    assert (
        loaded.schedule
        == str(SCHEDULE)
        == "Schedule(temperature=exponential(1.0, 0.1), gamma=1.0, dt=0.05)"
    )
    assert same(State.load(tmp_path / "run.npz"), result.state)
    loaded.save(tmp_path / "again.npz")
    assert same(dict(Result.load(tmp_path / "again.npz")), dict(loaded))
    assert "fun:" in repr(loaded)


def test_float32_round_trip(tmp_path):
    result = anneal(POTENTIAL, [0.5, 0.5], SCHEDULE, 20, rng=1, dtype="float32")
    result.state.save(tmp_path / "a.npz")
    assert State.load(tmp_path / "a.npz").x.dtype == np.float32
    assert same(State.load(tmp_path / "a.npz"), result.state)


def test_a_loaded_state_goes_on_with_the_same_bits(tmp_path):
    whole = anneal(POTENTIAL, [0.5, 0.5], SCHEDULE, 200, replicas=3, rng=9)
    stops = iter([None, StopIteration])

    def stop(intermediate_result):
        if next(stops) is StopIteration:
            raise StopIteration

    part = anneal(
        POTENTIAL, [0.5, 0.5], SCHEDULE, 200, replicas=3, rng=9, record_every=37, callback=stop
    )
    assert part.nit == 74
    part.save(tmp_path / "part.npz")
    rest = anneal(POTENTIAL, None, SCHEDULE, 200, state=State.load(tmp_path / "part.npz"))
    assert same(rest.state, whole.state)
    assert (rest.fun, rest.nit, rest.seed) == (whole.fun, whole.nit, whole.seed)


def test_nothing_is_pickled(saved):
    _, _, path = saved
    with zipfile.ZipFile(path) as file:
        for name in file.namelist():
            with file.open(name) as member:
                np.lib.format.read_magic(member)
                assert not np.lib.format.read_array_header_1_0(member)[2].hasobject


def test_truncated(saved):
    cls, _, path = saved
    data = path.read_bytes()
    for length in (*range(0, len(data), 97), len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(ValueError, match=r"a.npz is not a whole langevin_sa file"):
            cls.load(path)


def test_damaged(saved):
    """A changed byte is found, or it changes nothing."""
    cls, thing, path = saved
    data = path.read_bytes()
    refused = 0
    for k in range(0, len(data), 23):
        path.write_bytes(data[:k] + bytes([data[k] ^ (1 << k % 8)]) + data[k + 1 :])
        try:
            loaded = cls.load(path)
        except ValueError as error:
            assert "a.npz" in str(error)
            refused += 1
        else:
            assert same(*(v.state if cls is Result else v for v in (loaded, thing)))
    assert refused > 40


def test_swapped_bytes(saved):
    cls, _, path = saved
    data = path.read_bytes()
    at = data.index(b"NUMPY") + 40
    at = next(k for k in range(at, len(data)) if data[k] != data[k + 1])
    path.write_bytes(data[:at] + data[at + 1 : at - 1 : -1] + data[at + 2 :])
    assert len(path.read_bytes()) == len(data)
    with pytest.raises(ValueError, match="not a whole langevin_sa file"):
        cls.load(path)


def write_foreign(path, kind):
    if kind == "npz":
        np.savez(path.open("wb"), x=np.zeros(3))
    elif kind == "npy":
        np.save(path.open("wb"), np.zeros(3))
    elif kind == "pickle":
        path.write_bytes(pickle.dumps({"x": 1}))
    elif kind == "pickled npz":
        about = json.dumps(
            {
                "format": f"langevin_sa {VERSION}",
                "kind": "result",
                "step": 0,
                "seed": 0,
                "arrays": ["x"],
            }
        )
        np.savez(path.open("wb"), about=np.array(about), x=np.array([{"a": 1}], dtype=object))
    elif kind == "text":
        path.write_text("hello\n")
    elif kind == "zip":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("about.npy", "hello")
    elif kind == "folder":
        path.mkdir()
    elif kind == "empty":
        path.touch()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize(
    "kind", ["npz", "npy", "pickle", "pickled npz", "text", "zip", "folder", "empty"]
)
@pytest.mark.parametrize("cls", [State, Result])
def test_foreign(tmp_path, kind, cls):
    path = tmp_path / "a.npz"
    write_foreign(path, kind)
    with pytest.raises(ValueError, match=r"a.npz is not a whole langevin_sa file"):
        cls.load(path)


def test_another_kind_or_version(tmp_path):
    path = tmp_path / "a.npz"
    RESULT.state.save(path)
    with pytest.raises(ValueError, match=r"a.npz holds a state, not a result"):
        Result.load(path)
    with np.load(path) as file:
        arrays = dict(file)
    about = json.loads(str(arrays.pop("about")))
    for version, age in (
        (99, "by a newer langevin_sa: update this one"),
        (1, "by an older langevin_sa, which can still read it"),
    ):
        with path.open("wb") as file:
            np.savez(
                file,
                about=np.array(json.dumps(about | {"format": f"langevin_sa {version}"})),
                **arrays,
            )
        with pytest.raises(
            ValueError,
            match=rf"a.npz has format {version}, and this version reads format {VERSION}; it was "
            rf"written {age}",
        ):
            State.load(path)


@pytest.mark.parametrize("change", ["an array", "an array's type", "an array gone", "a fact"])
def test_checksum(tmp_path, change):
    """A file that is whole as a zip, with other contents."""
    path = tmp_path / "a.npz"
    RESULT.state.save(path)
    with np.load(path) as file:
        arrays = dict(file)
    if change == "an array":
        arrays["x"][0, 0] = np.nextafter(arrays["x"][0, 0], 9)
    elif change == "an array's type":
        arrays["x"] = arrays["x"].view(np.int64)
    elif change == "an array gone":
        del arrays["best_x"]
    else:
        arrays["about"] = np.array(str(arrays["about"]).replace('"step": 60', '"step": 61'))
        assert '"step": 61' in str(arrays["about"])
    with path.open("wb") as file:
        np.savez(file, **arrays)
    with pytest.raises(
        ValueError, match=r"a.npz is not a whole langevin_sa file \(its checksum is wrong\)"
    ):
        State.load(path)


@pytest.mark.parametrize("cls", [State, Result])
def test_no_such_file(tmp_path, cls):
    with pytest.raises(FileNotFoundError):
        cls.load(tmp_path / "a.npz")


def test_saving_is_atomic(saved, monkeypatch):
    cls, thing, path = saved
    before = path.read_bytes()

    def full(file, **arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        thing.save(path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["a.npz"]
    monkeypatch.undo()
    assert isinstance(cls.load(path), cls)


def test_saving_into_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError):
        RESULT.save(tmp_path / "none" / "a.npz")


def test_result_is_an_optimize_result():
    assert RESULT.x.shape == (2,)
    assert RESULT.fun == pytest.approx(POTENTIAL.energy(RESULT.x))
    assert dict(RESULT)["nit"] == RESULT["nit"] == RESULT.nit == 60
    assert pickle.loads(pickle.dumps(RESULT)).fun == RESULT.fun
    with pytest.raises(AttributeError):
        _ = RESULT.no_such_thing
