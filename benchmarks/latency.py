"""How long one waits: import, first step of a known and of a new formula.

Every start is a process of its own, on one thread; CPU time with that of the processes it starts,
and wall time, of interleaved repeats.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time

import click
import numpy as np
from timing import machine

FIRST_STEP = (
    "import langevin_sa as lsa; lsa.anneal({potential}, schedule=lsa.Schedule(0.3, 1.0, 0.01), "
    "n_steps=1, replicas=256, rng=1)"
)
KNOWN = 'lsa.Potential.from_formula("(x**2 - 1)**2 + 0.3*x", bounds=(-2, 2))'
NEW = (
    'lsa.Potential.from_formula("a*(y - x**2)**2 + cos(3*x)*sin(y) + exp(-x**2)", a=2.0, '
    "bounds=(-2, 2))"
)


def seconds(code: str, **environment: str) -> np.ndarray:
    """CPU and wall time of ``python -c code``."""
    wall, cpu = time.perf_counter(), os.times()
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | environment)
    now = os.times()
    used = now.children_user + now.children_system - cpu.children_user - cpu.children_system
    return np.array([used, time.perf_counter() - wall])


@click.command()
@click.option("--quick", is_flag=True, help="One repeat.")
@click.option("--repeats", default=7, show_default=True)
def main(quick: bool, repeats: int) -> None:
    """Measure latencies."""
    machine()
    known, new = (FIRST_STEP.format(potential=potential) for potential in (KNOWN, NEW))
    rounds = []
    with tempfile.TemporaryDirectory() as cache:
        # fills the caches, numba's and the system's included
        for code in ("import langevin_sa", known, known):
            seconds(code, LANGEVIN_SA_CACHE=cache)
        for _ in range(1 if quick else repeats):
            with tempfile.TemporaryDirectory() as copy, tempfile.TemporaryDirectory() as bare:
                shutil.copytree(cache, copy, dirs_exist_ok=True)  # kernels, but not the formula
                numpy, package = seconds("import numpy"), seconds("import numpy, langevin_sa")
                second = seconds(known, LANGEVIN_SA_CACHE=cache)
                fresh = seconds(new, LANGEVIN_SA_CACHE=copy)
                first = seconds(new, LANGEVIN_SA_CACHE=bare, NUMBA_CACHE_DIR=bare)
                rounds.append((package - numpy, second, fresh, first))
    rows = zip(
        (
            "`import langevin_sa` after `import numpy`",
            "second process to first step done",
            "new formula to first step done",
            "first process after an installation (kernels compiled too)",
        ),
        (0.15, 1.0, 3.0, None),
        np.moveaxis(np.array(rounds), 1, 0),
        strict=True,
    )
    print(f"\nSeconds, median (least) of {len(rounds)}\n\n| | CPU time | wall time | goal |")
    print("|---|---|---|---|")
    for name, goal, times in rows:
        cpu, wall = (f"{np.median(t):.2f} ({t.min():.2f})" for t in times.T)
        verdict = ""
        if goal is not None:
            verdict = f"{goal:g} s: " + ("met" if np.median(times[:, 0]) < goal else "**missed**")
        print(f"| {name} | {cpu} | {wall} | {verdict} |")


if __name__ == "__main__":
    main()
