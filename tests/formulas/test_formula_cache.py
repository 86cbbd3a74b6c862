"""The cache of printed formulas."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from langevin_sa import Potential
from langevin_sa.formulas import derive

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


def process(folder, code=SECOND):
    env = os.environ | {"LANGEVIN_SA_CACHE": str(folder)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        env=env,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.long
def test_cache(tmp_path):
    """A second process needs no sympy; damaged files are made again; parameters' values are not
    part of the key.
    """
    first, second = (
        process(tmp_path / "c"),
        process(tmp_path / "c", SECOND.replace("k=0.25", "k=0.5")),
    )
    assert first[:2] == [str(tmp_path / "c"), True] and second[:2] == [str(tmp_path / "c"), False]
    assert (first[2], second[2]) == (26.5, 27.0) and first[4] == second[4]
    (kept,) = (tmp_path / "c").glob("*.json")
    whole = kept.read_text()
    for damaged in (
        whole[: len(whole) // 2],
        "",
        "[]",
        "{}",
        '{"latex": 1}',
        "null",
        whole.replace("lines", "lanes"),
    ):
        kept.write_text(damaged)
        assert process_energy(tmp_path / "c") == first[2:], damaged
        assert kept.read_text() == whole


def process_energy(folder):
    """The same without a process: `source_of` with an empty memory."""
    derive.source_of.cache_clear()
    before = derive.cache_folder
    try:
        derive.cache_folder = lambda: Path(folder)
        potential = Potential.from_formula("(x**2 - 1)**2 + k*x*y + 17*y**2", k=0.25)
    finally:
        derive.cache_folder = before
    return [potential.energy([2.0, 1.0]), potential.gradient([2.0, 1.0]).tolist(), potential.latex]


@pytest.mark.parametrize("folder", ["/proc/no/such/folder", "file/below"])
def test_unwritable_cache_folder(tmp_path, folder):
    (tmp_path / "file").touch()
    used, _, energy, *_ = process(tmp_path / folder, SECOND.replace("anneal(U", "0 and anneal(U"))
    assert energy == 26.5 and "langevin_sa_" in used and used != folder


def test_full_disk(tmp_path, monkeypatch):
    """Writing to the cache may fail at any time: then nothing is kept."""

    def full(*args, **keywords):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", full)
    monkeypatch.setattr(derive, "cache_folder", lambda: tmp_path)
    potential = Potential.from_formula("x**2 + 31*x")
    assert potential.energy([1.0]) == 32.0 and not list(tmp_path.iterdir())
