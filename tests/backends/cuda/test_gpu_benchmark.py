"""benchmarks/gpu.py before it meets a card: every part on the stand-in for CuPy, in tiny sizes,
from a copy of the source tree that is not installed.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path

import instructions
import numpy as np
import pytest

from langevin_sa.integrators import INTEGRATORS

ROOT = Path(__file__).parents[3]
CUPY = """
import sys
import types

import fake_cupy
import numpy as np

cupy = fake_cupy.module()
cupy.fuse = lambda: lambda function: function
cupy.random = types.SimpleNamespace(
    **{name: np.random.default_rng for name in ("XORWOW", "Philox4x3210")}
)


class Generator:
    def __init__(self, bits):
        self.bits = bits

    def standard_normal(self, size, dtype, out):
        out._array[...] = self.bits.standard_normal(size, dtype=np.dtype(dtype))


cupy.random.Generator = Generator
cupy.cuda.set_allocator = lambda allocator: None
cupy.cuda.Device.attributes |= {
    "ClockRate": 10**6, "MemoryClockRate": 10**6, "GlobalMemoryBusWidth": 1024
}
sys.modules["cupy"] = cupy
"""
NO_CARD = """
cupy.cuda.runtime.getDeviceCount = lambda: 0
"""
UNINSTALLED = """
import sys
from importlib import metadata

sys.modules |= dict.fromkeys(("cloudpickle", "pytest", "hypothesis"))  # not on the machines meant

real = metadata.distribution


def distribution(name):
    if name.replace("-", "_") == "langevin_sa":
        raise metadata.PackageNotFoundError(name)
    return real(name)


metadata.distribution = distribution
"""
SANITIZER = """#!/bin/sh
shift 4
"$@" && echo "========= ERROR SUMMARY: 0 errors"
"""
PIPE = "sm__inst_executed_pipe_fp64.avg.pct_of_peak_sustained_active"
STALL, RATIO = "smsp__average_warps_issue_stalled_", "_per_issue_active.ratio"
NCU = f"""#!/bin/sh
while [ "$1" != "{sys.executable}" ]; do shift; done
"$@" && cat <<'END'
==PROF== Disconnected from process 1
"ID","Kernel Name","smsp__inst_executed.sum","{PIPE}","{STALL}wait{RATIO}","{STALL}selected{RATIO}"
"","","inst","%","inst","inst"
"0","replicas","1,000","41.5","2.5","9"
END
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the source, and what stands in for a card and NVIDIA's tools."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("langevin_sa", "benchmarks", "tests/backends/cuda"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / "source" / name, ignore=ignored)
    stub, tools = folder / "stub", folder / "bin"
    stub.mkdir(), tools.mkdir()
    (stub / "cupy.py").write_text(CUPY)
    (stub / "sitecustomize.py").write_text(UNINSTALLED)
    for name, text in (("compute-sanitizer", SANITIZER), ("ncu", NCU)):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    return folder


def gpu(tree, *words, **more):
    """What a part of gpu.py leaves: the process."""
    path = f"{tree / 'stub'}:{tree / 'source/tests/backends/cuda'}"
    env = {**os.environ, "PYTHONPATH": path, "PATH": f"{tree / 'bin'}:{os.environ['PATH']}"}
    script = tree / "source" / "benchmarks" / "gpu.py"
    return subprocess.run(
        [sys.executable, str(script), *words],
        env={**env, "NUMBA_ENABLE_CUDASIM": "1", **more},
        cwd=tree,
        capture_output=True,
        text=True,
    )


ROWS = {
    "smoke": ("20 steps beside numba", "38 Lennard-Jones particles, 1024 replicas, float64"),
    "validate": ("validation suite, float64", "momentum"),
    "speed": ("a coordinate-step", "phi^4 chain of 10^7 sites, float32"),
    "peers": ("double well, 10^6 replicas", "numba.cuda, xoroshiro128p, float64"),
    "counters": ("ncu", "double well, 10^6 replicas, float64"),
}


@pytest.mark.long
@pytest.mark.parametrize("part", ROWS)
def test_every_part_runs_uninstalled(tree, part):
    done = gpu(tree, part, "--tiny", "--out", "found")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    table, row = ROWS[part]
    found = json.loads((tree / "found" / f"{part}.json").read_text())
    assert found["device"] == "stand-in" and found["tiny"]
    cells = found["tables"][table][row]
    assert cells and "failed" not in cells and "left out" not in cells
    page = (tree / "found" / f"{part}.md").read_text()
    assert f"| {row} |" in page and "FAIL" not in page
    if part == "speed":
        assert cells["predicted, ps"] > cells["floor, ps"] > 0
    if part == "counters":
        assert (cells["limiter"], cells["waits for"]) == ("fp64", "wait")


def test_what_is_there_is_not_run_again(tree):
    few = ("smoke", "--tiny", "--out", "again")
    first = gpu(tree, *few, "--only", "whole runs")
    found = [line for line in first.stdout.splitlines() if line.startswith("whole runs |")]
    assert first.returncode == 0 and len(found) == 4, first.stdout + first.stderr
    more = gpu(tree, *few, "--only", "a start that")
    assert more.returncode == 0 and "whole runs | a start" not in more.stdout
    other = gpu(tree, "smoke", "--out", "again")
    assert other.returncode == 1 and "give another folder as --out" in other.stderr
    kernels = tree / "source" / "langevin_sa" / "backends" / "cuda" / "base.cu"
    text = kernels.read_text()
    kernels.write_text(text + "// changed")
    changed = gpu(tree, *few)
    kernels.write_text(text)
    assert changed.returncode == 1 and "was made with code" in changed.stderr
    late = gpu(tree, *few, "--seconds", "0")
    assert late.returncode == 3 and "give the same command again" in late.stdout


def test_without_a_card_nothing_is_claimed(tree):
    stub = tree / "no card"
    stub.mkdir()
    (stub / "cupy.py").write_text(CUPY + NO_CARD)
    path = f"{stub}:{tree / 'source/tests/backends/cuda'}"
    done = gpu(tree, "smoke", "--tiny", "--out", "none", PYTHONPATH=path)
    assert done.returncode == 2 and "Nothing was checked and nothing is claimed" in done.stdout
    assert not (tree / "none").exists()


@pytest.fixture
def benchmarks(monkeypatch):
    """Its modules, as they import each other."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return import_module


def test_a_row_that_ends_the_process_is_not_tried_again(benchmarks, tmp_path):
    gpu = benchmarks("gpu")
    about = {"device": "a card", "tiny": True}
    row = gpu.Row("table", "row", dict)
    gpu.Book(tmp_path, "smoke", about).put(row, {"begun": True})
    book = gpu.Book(tmp_path, "smoke", about)
    assert book.has(row) and not book.sound
    assert "it ended the process" in book.text()


def test_a_peer_that_moves_wrongly_is_not_timed(benchmarks):
    peers, cases = benchmarks("gpu_peers"), benchmarks("gpu_cases")
    case = replace(cases.CASES["double well, 10^6 replicas"], replicas=20_000, steps=200)

    def warmer(case, dtype, gradient, factor=1.44):
        """Noise that is a fifth too strong."""
        one = peers.walk(case, dtype, "numba", seed=3)
        hot = factor * cases.TEMPERATURE
        steps = INTEGRATORS["gjf"].steps(np.full(case.steps, cases.GAMMA), case.dt, hot)
        return lambda: one.advance(steps), lambda: one.walk.x

    right = peers.contest(partial(warmer, factor=1.0), case, "float64", None, "right")
    assert right["ok"] and right["ps"] > 0
    cells = peers.contest(warmer, case, "float64", None, "warmer")
    assert "not timed" in cells["failed"] and "ps" not in cells


def test_the_estimates_of_the_docs_are_those_of_the_table(benchmarks):
    floor = benchmarks("gpu_floor")
    assert floor.table() in (ROOT / "docs" / "gpu.md").read_text()
    for name, case in benchmarks("gpu_cases").CASES.items():
        assert not case.counted or case.counted in instructions.cases(), name


def test_what_decides_is_the_slowest(benchmarks):
    """Float64 where its lanes are few, bytes where much moves, and the issue else."""
    floor, cases = benchmarks("gpu_floor"), benchmarks("gpu_cases").CASES
    well, chain = cases["double well, 10^6 replicas"], cases["phi^4 chain of 10^7 sites"]
    assert floor.predict(well, "float64", floor.RTX4090)[0] == "float64"
    assert floor.predict(well, "float32", floor.H100)[0] == "issue"
    slow = floor.Card("slow memory", (9, 0), 132, 1.755e9, 1e11)
    decides, least, predicted = floor.predict(chain, "float64", slow)
    assert decides == "memory" and least == pytest.approx(4 * 8 / 1e11 * 1e12)
    assert predicted == pytest.approx(least / 0.88)


def test_failures_and_what_is_left_out(benchmarks, monkeypatch, tmp_path):
    """One fails the part, the other is tried again when the same command is given."""
    gpu, cases = benchmarks("gpu"), benchmarks("gpu_cases")
    monkeypatch.setattr(gpu, "responds", lambda: True)

    def missing():
        raise cases.LeftOut("no such package")

    def wrong():
        raise ValueError("a kernel that is | wrong")

    left, bad = gpu.Row("table", "left", missing), gpu.Row("table", "bad", wrong)
    book = gpu.Book(tmp_path, "peers", {"device": "a card"})
    assert gpu.work(book, [left], np.inf) == 0 and not book.has(left)
    assert gpu.work(book, [bad], np.inf) == 1 and book.has(bad)
    assert gpu.work(book, [gpu.Row("table", "good", lambda: {"ps": 1.0})], np.inf) == 1
    lines = book.text().splitlines()
    assert lines[2] == "| table | ps | left out | failed | ok |"
    assert lines[5] == "| bad |  |  | ValueError: a kernel that is / wrong | FAIL |"
