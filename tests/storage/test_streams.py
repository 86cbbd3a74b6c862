"""Samples in HDF5 and Zarr: as those in .npy, whatever happens to the run."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from test_checkpoint import Kill, run, same, stop_at

from langevin_sa import Result

h5py = pytest.importorskip("h5py")
zarr = pytest.importorskip("zarr")
SUFFIXES = ("h5", "zarr")


@pytest.fixture(autouse=True)
def each_record_is_in_the_checkpoint(monkeypatch):
    monkeypatch.setattr("langevin_sa.storage.checkpoint.SHARE", 1.0)


def read(path):
    """The samples in a file, as a stranger reads them."""
    if path.suffix == ".zarr":
        return zarr.open_group(path, mode="r")["samples"][:]
    with h5py.File(path, "r", swmr=True) as file:
        return file["samples"][:]


def killed(checkpoint, **keywords):
    """A run that ends at step 70 as if by a kill."""
    with pytest.raises(Kill):
        run(checkpoint=checkpoint, callback=stop_at(70), **keywords)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_samples_and_velocities_stream(tmp_path, suffix, dtype):
    """They are those kept in memory, readable during the run and with the saved result."""
    path, seen = tmp_path / f"s.{suffix}", []

    def look(intermediate_result):
        command = f"""
import sys; sys.path[:0] = {sys.path!r}
from pathlib import Path
from test_streams import read
print(read(Path({str(path)!r})).shape)"""
        if intermediate_result.step == 100:
            seen.append(subprocess.check_output([sys.executable, "-c", command], text=True))

    kept = run(samples=True, velocities=True, dtype=dtype)
    result = run(samples=path, velocities=True, dtype=dtype, callback=look)
    assert seen == ["(10, 4, 2)\n"]
    for name in ("samples", "velocities"):
        assert result[name].dtype == dtype
        np.testing.assert_array_equal(result[name], kept[name])
    np.testing.assert_array_equal(read(path), kept.samples)
    result.save(tmp_path / "r.npz")
    assert (tmp_path / "r.npz").stat().st_size < 30_000
    np.testing.assert_array_equal(Result.load(tmp_path / "r.npz").velocities, kept.velocities)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_xarray_opens_a_store(tmp_path, suffix):
    xarray = pytest.importorskip("xarray")
    path = tmp_path / f"s.{suffix}"
    result = run(samples=path)
    data = result.to_xarray()
    if suffix == "zarr":
        there = xarray.open_zarr(path, consolidated=False)
        assert there.samples.dims == data.samples.dims
        np.testing.assert_array_equal(there.samples, data.samples)
    else:
        with h5py.File(path) as file:
            assert tuple(d.label for d in file["samples"].dims) == data.samples.dims


@pytest.mark.parametrize("velocities", [False, True])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_killed_run_goes_on(tmp_path, suffix, velocities):
    """With records beyond the checkpoint taken off; without one, or with another run's, refused."""
    path, checkpoint = tmp_path / f"s.{suffix}", tmp_path / "c.npz"
    asked = {"samples": path, "velocities": velocities}
    killed(checkpoint, **asked)
    at_kill = read(path)
    with pytest.raises(ValueError, match="is there already"):
        run(**asked)
    result = run(checkpoint=checkpoint, **asked)
    same(result, run(samples=True, velocities=velocities))
    np.testing.assert_array_equal(at_kill, result.samples[: len(at_kill)])
    assert len(at_kill) in (6, 7)
    another = {"checkpoint": tmp_path / "d.npz", "rng": 5, "velocities": velocities}
    killed(samples=tmp_path / f"t.{suffix}", **another)
    with pytest.raises(ValueError, match=r"damaged, or another run's"):
        run(samples=path, **another)
    if velocities:
        killed(tmp_path / "e.npz", samples=tmp_path / f"u.{suffix}")
        with pytest.raises(ValueError, match="expects"):
            run(checkpoint=tmp_path / "e.npz", samples=path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk(tmp_path, monkeypatch, suffix):
    """The run stops with what there is; with room it goes on to the same bits."""
    from langevin_sa.storage.hdf5 import Hdf5
    from langevin_sa.storage.zarr import Zarr

    format_ = {"h5": Hdf5, "zarr": Zarr}[suffix]
    whole, calls = format_.append, []

    def append(self, arrays):
        calls.append(1)
        if len(calls) == 8:
            self.arrays[0].resize((8, 4, 2))  # as far as it came
            raise OSError(28, "No space left on device")
        whole(self, arrays)

    asked = {"samples": tmp_path / f"s.{suffix}", "checkpoint": tmp_path / "c.npz"}
    monkeypatch.setattr(format_, "append", append)
    with pytest.raises(OSError, match="No space left") as caught:
        run(**asked)
    assert caught.value.partial_result.samples.shape == (7, 4, 2)
    monkeypatch.undo()
    same(run(**asked), run(samples=True))


@pytest.mark.parametrize("name", ["s.txt", "s.hdf", "s.npz", "s.nc", "s.npy.gz"])
def test_an_unknown_suffix_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match=r"must end in \.npy, \.h5, \.hdf5 or \.zarr, not in"):
        run(samples=tmp_path / name)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_not_ours_stays(tmp_path, suffix):
    """A file with other things, a link, and what is no such file at all."""
    path = tmp_path / f"s.{suffix}"
    if suffix == "zarr":
        zarr.open_group(path, mode="w").create_array("mine", shape=(1,), dtype=float)
    else:
        with h5py.File(path, "w") as file:
            file["mine"] = 1.0
    with pytest.raises(ValueError, match="is there already"):
        run(samples=path)
    link, text = tmp_path / f"link.{suffix}", tmp_path / f"text.{suffix}"
    link.symlink_to(path)
    with pytest.raises(ValueError, match="is a link"):
        run(samples=link)
    text.write_text("mine")
    with pytest.raises(ValueError, match="is there already"):
        run(samples=text)
    assert text.read_text() == "mine"


@pytest.mark.parametrize(
    ("package", "module", "suffix", "extra"),
    [("h5py", "hdf5", "h5", "hdf5"), ("zarr", "zarr", "zarr", "zarr")],
)
def test_a_missing_package_is_named_with_its_extra(
    tmp_path, monkeypatch, package, module, suffix, extra
):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"langevin_sa.storage.{module}", raising=False)
    with pytest.raises(ImportError, match=rf"pip install 'langevin_sa\[{extra}\]'"):
        run(samples=tmp_path / f"s.{suffix}")
    assert not os.listdir(tmp_path)


RUN = """
import sys; sys.path[:0] = {path!r}
from pathlib import Path
from test_checkpoint import run
run({n_steps}, samples={samples!r}, checkpoint={checkpoint!r})
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "n_steps", "seconds"), [("npy", 20_000, 0.7), ("h5", 20_000, 1.5), ("zarr", 4000, 2)]
)
def test_killed_at_random(tmp_path, suffix, n_steps, seconds):
    """Twenty times, each readable, each gone on with to the same bits."""
    whole = run(n_steps, samples=True).samples
    rng, cuts = np.random.default_rng(3), []
    for k in range(20):
        samples, checkpoint = tmp_path / f"{k}.{suffix}", tmp_path / f"{k}.npz"
        code = RUN.format(
            path=sys.path, n_steps=n_steps, samples=str(samples), checkpoint=str(checkpoint)
        )
        process = subprocess.Popen([sys.executable, "-c", code])
        while process.poll() is None and not samples.exists():
            pass
        try:
            process.wait(rng.uniform(0, seconds))
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        there = np.load(samples) if suffix == "npy" else read(samples)
        cuts.append(len(there))
        there = there[: np.isfinite(there).all((1, 2)).sum()]
        assert len(there) >= cuts[-1] - 1
        np.testing.assert_array_equal(there, whole[: len(there)])
        result = run(n_steps, samples=samples, checkpoint=checkpoint, checkpoint_seconds=1)
        np.testing.assert_array_equal(result.samples, whole)
    assert sum(0 < n < len(whole) for n in cuts) > 10, cuts
