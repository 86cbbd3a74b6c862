"""The memory of a run is what docs/reliability.md says, and does not grow with the steps."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PEAK = """
import sys, tracemalloc
import numpy as np
from langevin_sa import Potential, Schedule, anneal
N, kind, checkpoint = 3_000_000, sys.argv[1], sys.argv[2]
def make(sites):
    if kind == "lattice":
        return Potential.from_formula(site="x**2/2", bond="(y - x)**2/2", dim=sites)
    if kind == "formula":
        return Potential.from_formula(site="x**2/2", dim=100)
    return Potential(lambda x: (x**2).sum(1) / 2, lambda x: x.copy(), 100)
ramp = Schedule(1.0, 1.0, 0.1)
anneal(make(1000), np.zeros(make(1000).dim), ramp, 3, rng=1)  # compiles
U = make(N)
x0 = np.zeros((N // U.dim, U.dim))
tracemalloc.start()
kept = dict(checkpoint=checkpoint or None, checkpoint_seconds=0)
result = anneal(U, x0, ramp, 6, rng=1, record_every=2, **kept)
left, peak = (size / 8 / N for size in tracemalloc.get_traced_memory())
print(peak, left)
"""


def measured(code, *arguments):
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return map(float, done.stdout.split())


@pytest.mark.long
@pytest.mark.parametrize(
    "kind",
    ["formula", *(pytest.param(k, marks=pytest.mark.slow) for k in ("lattice", "functions"))],
)
def test_peak_of_a_large_run(tmp_path, kind):
    """In numbers of 8 bytes a coordinate: 4 for the walk, 4 for the copy before a slice, what the
    kernel needs; writing needs none, but for 16 MB. Each replica's counts of failures are 4 more.
    """
    expected = {"formula": 8, "lattice": 10, "functions": 12}[kind]
    for checkpoint in ("", str(tmp_path / "c.npz")):
        peak, left = measured(PEAK, kind, checkpoint)
        assert expected - 0.5 < peak < expected + 0.85, f"peak {peak:.2f} N"
        assert 4 <= left < (5 if kind == "lattice" else 4) + 0.3, f"left {left:.2f} N"


GROWTH = """
import resource, sys, tracemalloc
from langevin_sa import Potential, Schedule, simulate, anneal
U = Potential.from_formula("(x**2 - 1)**2 + 0.3*x", bounds=(-2, 2))
arguments = dict(replicas=16, rng=1, record_every=10_000, threads=1)
kept = dict(checkpoint=sys.argv[1], checkpoint_seconds=0)
def used():
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return tracemalloc.get_traced_memory()[0] / 1024, resident
tracemalloc.start()
steps = simulate(U, None, Schedule(0.3, 1.0, 0.05), 1_000_000, **arguments, **kept)
for k, snapshot in enumerate(steps):
    if k == 20:
        early = used()
print(*(late - before for late, before in zip(used(), early)))
"""


@pytest.mark.long
def test_no_growth_over_a_million_steps(tmp_path):
    traced, resident = measured(GROWTH, str(tmp_path / "c.npz"))
    assert traced < 64 and resident < 4096, (
        f"{traced:.0f} kB traced, {resident:.0f} kB resident after 800,000 more steps"
    )
