"""The cache of printed formulas and compiled kernels: whose folder it is, and what lies in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from numba import njit

from langevin_sa import Potential
from langevin_sa.backends.cpu.keeping import Kept
from langevin_sa.formulas import derive
from langevin_sa.storage import cache

SECOND = """
import json, sys
from langevin_sa import Potential, anneal, Schedule
U = Potential.from_formula("(x**2 - 1)**2 + k*x*y + 17*y**2", k=0.25)
anneal(U, [0.5, 0.5], Schedule(), 3, rng=1)
from langevin_sa.storage.cache import cache_folder
x = [2.0, 1.0]
found = [str(cache_folder()), "sympy" in sys.modules, U.energy(x), U.gradient(x).tolist(), U.latex]
print(json.dumps(found))
"""
FORMULA = "(x**2 - 1)**2 + k*x*y + 17*y**2"


def process(code=SECOND, **env):
    """What the code prints in a process of its own, and what it says besides."""
    kept = {k: v for k, v in os.environ.items() if k not in ("HOME", "XDG_CACHE_HOME")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        env={**kept, "PYTHONPATH": os.pathsep.join(sys.path)} | env,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty cache folder of this process."""
    path = tmp_path / "c"
    path.mkdir(mode=0o700)
    cache.say_once.cache_clear()
    monkeypatch.setattr(cache, "cache_folder", lambda: path)
    return path


def energy():
    """What the cache makes of a formula, or a process whose memory is empty."""
    derive.source_of.cache_clear()
    potential = Potential.from_formula(FORMULA, k=0.25)
    return [potential.energy([2.0, 1.0]), potential.gradient([2.0, 1.0]).tolist(), potential.latex]


@pytest.mark.long
def test_cache(tmp_path):
    """A second process needs no sympy; parameters' values are not part of the key."""
    given = {"LANGEVIN_SA_CACHE": str(tmp_path / "c")}
    (first, said), (second, more) = (
        process(**given),
        process(SECOND.replace("k=0.25", "k=0.5"), **given),
    )
    assert first[:2] == [str(tmp_path / "c"), True] and second[:2] == [str(tmp_path / "c"), False]
    assert (first[2], second[2]) == (26.5, 27.0) and first[4] == second[4]
    assert not said and not more and (tmp_path / "c").stat().st_mode & 0o777 == 0o700


def damages(whole):
    """Cut short, emptied, with a digit changed, of another entry, or not ours at all."""
    digit = next(i for i in range(len(whole) - 1, 0, -1) if whole[i : i + 1].isdigit())
    yield whole[: len(whole) // 2]
    yield b""
    yield whole[:digit] + (b"7" if whole[digit : digit + 1] != b"7" else b"8") + whole[digit + 1 :]
    yield whole[64:]
    yield b"0" * 64 + whole[64:]
    yield whole + b" "
    yield b"[]"


def test_a_damaged_entry_is_made_again(folder):
    first = energy()
    (entry,) = folder.glob("*.json")
    whole = entry.read_bytes()
    for damaged in damages(whole):
        entry.write_bytes(damaged)
        assert energy() == first, damaged
        assert entry.read_bytes() == whole


def test_an_entry_is_no_other(folder):
    """A whole entry under the name of another, or of another source."""
    cache.keep("a", b"data", "made of this")
    assert cache.kept("a", "made of this") == b"data"
    assert cache.kept("a", "made of that") is None
    (folder / "b").write_bytes((folder / "a").read_bytes())
    assert cache.kept("b", "made of this") is None


KERNEL = """
import json, warnings
from langevin_sa.backends.cpu.compiled import STEP, compiled_source
from langevin_sa.backends.cpu.printed import numba_source
from langevin_sa import Potential
source = Potential.from_formula("(x**2 - 1)**2 + k*x*y + 17*y**2", k=0.25).formula.source
step = compiled_source(numba_source(source.spec, source.bodies, 1), "step", STEP)
print(json.dumps(step.cache_hits))
"""


@pytest.mark.slow
def test_a_damaged_kernel_is_compiled_again(tmp_path):
    """numba's own index and data stopped every start until somebody removed them."""
    given = {"LANGEVIN_SA_CACHE": str(tmp_path / "c")}
    assert process(KERNEL, **given) == (0, "") and process(KERNEL, **given) == (1, "")
    (entry,) = (tmp_path / "c").glob("*.kept")
    whole = entry.read_bytes()
    for damaged in (b"", whole[:-100], whole[:1000] + b"x" + whole[1001:]):
        entry.write_bytes(damaged)
        assert process(KERNEL, **given) == (0, "") and entry.stat().st_size == len(whole)
    planted = tmp_path / "c" / "langevin_sa_step_x.py"
    planted.write_text("raise SystemExit('planted')")
    assert process(KERNEL, **given) == (1, "")


def test_kernels_of_the_package_are_kept_beside_their_files():
    """In numba's place, so that nothing is loaded that its digest does not know."""
    from langevin_sa.backends.cpu.blocks import advance_replicas

    assert isinstance(advance_replicas._cache, Kept)
    assert advance_replicas._cache.cache_path.endswith("__pycache__")


def test_a_read_only_installation(folder, monkeypatch, tmp_path):
    """Kernels are then kept with the user, or, if there is no place either, not at all."""
    for place in (folder, None):
        monkeypatch.setattr(cache, "cache_folder", lambda place=place: place)
        function = njit(lambda x: x + 1.0)
        function._cache = Kept("f", "source", tmp_path / "no such folder")
        assert function(1.0) == 2.0
    assert [path.name[:2] for path in folder.iterdir()] == ["f."]


@pytest.mark.parametrize(
    "place",
    [
        *(pytest.param(p, marks=pytest.mark.slow) for p in ("/proc/no/such/folder", "file/below")),
        None,
    ],
)
@pytest.mark.long
def test_without_a_cache(tmp_path, place):
    """The run goes on, says so once, and leaves nothing in the temporary folder."""
    (tmp_path / "file").touch()
    (tmp_path / "tmp").mkdir()
    given = {"TMPDIR": str(tmp_path / "tmp")}
    if place is not None:
        given |= {"LANGEVIN_SA_CACHE": str(tmp_path / place)}
    lost = "import os, pwd\nos.path.expanduser = lambda path: path\n"
    (used, _, energy, *_), said = process(lost + SECOND, **given)
    assert used == "None" and energy == 26.5
    assert said.count("nothing compiled is kept") == 1
    assert not list((tmp_path / "tmp").iterdir())


def test_a_folder_that_others_may_write_to(tmp_path, monkeypatch):
    """It is not used, and nothing in it is run: the next place is."""
    open_to_all, home = tmp_path / "open", tmp_path / "home"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    home.mkdir(mode=0o700)
    monkeypatch.setenv("LANGEVIN_SA_CACHE", str(open_to_all))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    cache.say_once.cache_clear()
    with pytest.warns(UserWarning, match="others may write to it") as seen:
        assert cache.cache_folder.__wrapped__() == home / "langevin_sa"
    assert len(seen) == 1 and not list(open_to_all.iterdir())
    below = open_to_all / "below"  # whose name others may give to a folder of theirs
    monkeypatch.setenv("LANGEVIN_SA_CACHE", str(below))
    with pytest.warns(UserWarning, match="others may replace it"):
        assert cache.cache_folder.__wrapped__() == home / "langevin_sa"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives files away")
def test_a_folder_of_another_user(tmp_path, monkeypatch):
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o700)
    os.chown(theirs, 65534, 65534)
    monkeypatch.setenv("LANGEVIN_SA_CACHE", str(theirs))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache.say_once.cache_clear()
    with pytest.warns(UserWarning, match="belongs to another user"):
        assert cache.cache_folder.__wrapped__() == tmp_path / "langevin_sa"


def test_full_disk(folder, monkeypatch):
    """Writing to the cache may fail at any time: then nothing is kept, which is said once."""

    def full(*args, **keywords):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", full)
    with pytest.warns(UserWarning, match="No space left on device") as seen:
        for text in ("x**2 + 31*x", "x**2 + 37*x"):
            assert Potential.from_formula(text).energy([1.0]) in (32.0, 38.0)
    assert len(seen) == 1 and not list(folder.iterdir())


def test_numba_without_its_compiler_is_an_error_with_a_sentence():
    code = "import langevin_sa as lsa; lsa.anneal(lsa.potentials.double_well(), n_steps=5, rng=1)"
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert "NUMBA_DISABLE_JIT is set, and kernels cannot run" in done.stderr
