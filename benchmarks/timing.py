"""What every benchmark shares: interleaved repeats, a ratio table, a plot, and what the machine can
do at best.

Contestants take turns, so a busy moment of the machine hits all of them; ratios are of medians and
of minima.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numba import njit, uint64

from langevin_sa.annealing.request import Prepared, prepare
from langevin_sa.backends.cpu.philox import fill_normals

THREADS = 2
PAUSE = 0.2  # seconds between runs: threads of the one before stop spinning
FIGURES = Path(__file__).parent.parent / "docs" / "figures"
PACKAGES = ("langevin_sa", "numpy", "numba", "jax", "jax-md", "openmm", "deeptime", "ase", "torch")


@dataclass
class Case:
    """A contestant: a run, the units of work it does, the energy it returns as a check, and how far
    ahead we want to be.
    """

    name: str
    run: Callable[[], Any]
    work: float
    goal: float | None = None
    threads: int = THREADS
    note: str = ""
    seconds: list[float] = field(default_factory=list)
    energy: float | None = None

    @property
    def median(self) -> float:
        """Median seconds a unit of work."""
        return median(self.seconds) / self.work

    @property
    def fastest(self) -> float:
        """Least seconds a unit of work."""
        return min(self.seconds) / self.work


def gather(makers: Iterable[Callable[[], Case]]) -> list[Case]:
    """The cases that can run here; a peer that is not installed is said to be skipped."""
    cases = []
    for maker in makers:
        try:
            cases.append(maker())
        except ImportError as error:
            print(f"skipped: {error}")
    return cases


def measure(cases: Sequence[Case], repeats: int) -> Sequence[Case]:
    """Warm every case up once, then let them take turns."""
    for case in cases:
        energy = case.run()
        case.energy = None if energy is None else float(energy)
    for _ in range(repeats):
        for case in cases:
            time.sleep(PAUSE)
            before = time.perf_counter()
            case.run()
            case.seconds.append(time.perf_counter() - before)
    return cases


def table(title: str, cases: Sequence[Case], unit: str) -> None:
    """Print times and how many times slower than the first case each one is."""
    ours = cases[0]
    print(f"\n{title}: {len(ours.seconds)} interleaved repeats")
    print(
        f"{'':34s}{'threads':>8s}{'ns/' + unit:>18s}{'ratio (medians)':>17s}{'(minima)':>10s}"
        f"{'goal':>7s}{'energy':>11s}"
    )
    for case in cases:
        ratio, least = case.median / ours.median, case.fastest / ours.fastest
        goal = "" if case.goal is None else f">= {case.goal:g}"
        energy = "" if case.energy is None else f"{case.energy:.5g}"
        missed = case.goal is not None and ratio < case.goal
        notes = [case.note] * bool(case.note) + ["MISSED"] * missed
        times = f"{case.threads:8d}{1e9 * case.median:18.4g}{ratio:17.2f}{least:10.2f}"
        print(f"{case.name:34s}{times}{goal:>7s}{energy:>11s}  {', '.join(notes)}".rstrip())


def plot(name: str, groups: dict[str, Sequence[Case]]) -> None:
    """Bars of how many times slower than ours each peer is, goals as ticks, into
    docs/figures/benchmark_`name`.png.
    """
    from matplotlib.figure import Figure

    rows = [
        (f"{title}: {case.name}", case, cases[0])
        for title, cases in groups.items()
        for case in cases[1:]
    ][::-1]
    figure = Figure(figsize=(9, 1 + 0.3 * len(rows)), layout="constrained")
    ax = figure.subplots()
    for k, (_, case, ours) in enumerate(rows):
        ratio = case.median / ours.median
        ax.barh(
            k, ratio, color="tab:blue" if case.goal is None or ratio >= case.goal else "tab:red"
        )
        ax.text(max(ratio, case.goal or 0.0), k, f" {ratio:.1f}", va="center")
        if case.goal is not None:
            ax.plot([case.goal] * 2, [k - 0.4, k + 0.4], "k", lw=2)
    ax.set(
        xscale="log",
        xlabel="time / time of langevin_sa (black: goal)",
        yticks=range(len(rows)),
        yticklabels=[row[0] for row in rows],
    )
    ax.axvline(1, color="k", lw=0.5)
    ax.margins(x=0.15)
    FIGURES.mkdir(parents=True, exist_ok=True)
    figure.savefig(FIGURES / f"benchmark_{name}.png", dpi=100)


def machine() -> None:
    """Print processor, cores, load and versions."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next(
        (line.split(":")[1].strip() for line in lines if line.startswith("model name")),
        platform.processor(),
    )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(
        f"{model}, {cores} cores, {THREADS} threads used, load {os.getloadavg()[0]:.1f}, Python "
        f"{platform.python_version()}"
    )
    print(", ".join(f"{name} {version}" for name in PACKAGES if (version := _version(name))))


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def prepared(*args: Any, **keywords: Any) -> Prepared:
    """What `simulate` with these arguments would run."""
    seed = {} if "state" in keywords else {"rng": 1}
    return prepare(*args, **{"threads": THREADS} | seed | keywords)


def kernel(*args: Any, **keywords: Any) -> Callable[[], float]:
    """`simulate` with these arguments less its driver: one call of the backend for all steps;
    returns the mean energy.
    """
    run = prepared(*args, **keywords)
    steps = run.coefficients(run.walk.step, run.n_steps)

    def advance() -> float:
        run.backend.advance(steps)
        return float(run.walk.energy.mean())

    return advance


def in_threads(function: Callable[[int, int], Any], count: int, pool: ThreadPoolExecutor) -> None:
    """Call ``function(low, high)`` on equal parts of ``range(count)``, one a thread."""
    edges = np.linspace(0, count, THREADS + 1).astype(int)
    list(pool.map(function, edges[:-1], edges[1:]))


@njit(nogil=True, error_model="numpy")
def _normals(z: Any, columns: int, low: int, high: int, rounds: int, k0: int, k1: int) -> None:
    for block in range(low, high):
        for n in range(rounds):
            fill_normals(z, n, 1, block * columns, columns, 0, k0, k1)


def noise(normals: float, name: str = "noise generator alone") -> Case:
    """So many normals, made 1024 at a time in cache as the kernels make them, and not used."""
    columns, rounds = 256, 250
    blocks = max(THREADS, round(normals / (4 * rounds * columns)))
    pool = ThreadPoolExecutor(THREADS)

    def part(low: int, high: int) -> None:
        _normals(np.empty((4, columns + 16)), columns, low, high, rounds, uint64(1), uint64(2))

    return Case(name, lambda: in_threads(part, blocks, pool), blocks * (4 * rounds * columns))
