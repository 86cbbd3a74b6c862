"""How long one waits: import, first step of a known and of a new formula, and a step of a single
replica.

Every start is a process of its own; medians of interleaved repeats.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from statistics import median

import click
from timing import Case, kernel, machine, measure

import langevin_sa as lsa

FIRST_STEP = (
    "import langevin_sa as lsa; lsa.anneal({potential}, schedule=lsa.Schedule(0.3, 1.0, 0.01), "
    "n_steps=1, replicas=256, rng=1)"
)
KNOWN = 'lsa.Potential.from_formula("(x**2 - 1)**2 + 0.3*x", bounds=(-2, 2))'
NEW = (
    'lsa.Potential.from_formula("a*(y - x**2)**2 + cos(3*x)*sin(y) + exp(-x**2)", a=2.0, '
    "bounds=(-2, 2))"
)


def seconds(code: str, **environment: str) -> float:
    """Wall time of ``python -c code``."""
    before = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | environment)
    return time.perf_counter() - before


@click.command()
@click.option("--quick", is_flag=True, help="One repeat.")
@click.option("--repeats", default=5, show_default=True)
def main(quick: bool, repeats: int) -> None:
    """Measure latencies."""
    machine()
    repeats = 1 if quick else repeats
    known, new = (FIRST_STEP.format(potential=potential) for potential in (KNOWN, NEW))
    with tempfile.TemporaryDirectory() as cache:
        # fills the caches, numba's and the system's included
        for code in ("import langevin_sa", known, known):
            seconds(code, LANGEVIN_SA_CACHE=cache)
        rounds = []
        for _ in range(repeats):
            with tempfile.TemporaryDirectory() as empty, tempfile.TemporaryDirectory() as bare:
                numpy, package = seconds("import numpy"), seconds("import numpy, langevin_sa")
                second = seconds(known, LANGEVIN_SA_CACHE=cache)
                fresh = seconds(new, LANGEVIN_SA_CACHE=empty)
                rounds.append(
                    (
                        package - numpy,
                        second,
                        fresh,
                        seconds(new, LANGEVIN_SA_CACHE=bare, NUMBA_CACHE_DIR=bare),
                    )
                )
    names = (
        "import langevin_sa after numpy",
        "second process to first step done",
        "new formula to first step done",
        "first process after an installation",
    )
    print()
    for name, goal, times in zip(
        names, (0.15, 1.0, 3.0, None), zip(*rounds, strict=True), strict=True
    ):
        missed = "  MISSED" if goal is not None and median(times) >= goal else ""
        print(
            f"{name:44s}{median(times):8.3f} s (least {min(times):.3f})"
            + ("" if goal is None else f"  goal < {goal:g} s{missed}")
        )

    cases = []
    for name, potential, temperature in (
        (
            "Rosenbrock formula",
            lsa.Potential.from_formula("(y - x**2)**2 + (1 - x)**2", bounds=(-2, 2)),
            0.3,
        ),
        ("Muller-Brown", lsa.potentials.muller_brown(), 15.0),
    ):
        steps = 100_000 if quick else 1_000_000
        x0 = (1.0, 1.0) if potential.minima is None else potential.minima[0]
        schedule = lsa.Schedule(temperature=temperature, gamma=1.0, dt=0.01)
        cases.append(Case(f"one replica, {name}", kernel(potential, x0, schedule, steps), steps))
    for case in measure(cases, repeats):
        missed = "  MISSED" if case.median >= 100e-9 else ""
        print(
            f"{case.name:44s}{1e9 * case.median:8.1f} ns a step (least {1e9 * case.fastest:.1f})  "
            f"goal < 100 ns{missed}"
        )


if __name__ == "__main__":
    main()
