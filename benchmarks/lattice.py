"""A phi^4 chain of 10^7 sites: langevin_sa against the machine's memory, the C++ loop that a strong
user writes by hand, JAX and NumPy; CPU time beside wall time, on one thread and on two.

python benchmarks/lattice.py [--sites 10000000] [--steps 20] [--repeats 7]

All of ours is one call of the kernel for all steps: it sums energies and dx^2, keeps the best
point, and has noise that is a function of (seed, step, site). The C++ loop (`lattice.cpp`) sums
energies and keeps the best point; JAX and NumPy keep nothing. Ours computes in float64 throughout,
the others' float32 is float32 in all. Needs g++.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np
from timing import FIGURES, kernel, machine

import langevin_sa as lsa
from langevin_sa.backends.walk import aligned

DT, GAMMA, WARM = 0.1, 0.1, 0.3
FLAGS = ("-O3", "-march=native", "-mprefer-vector-width=512", "-ffast-math", "-fopenmp")
STREAMS = ("dx = -dx, x += dx in place", "y = x + dx, dx = -dx", "the same, y around the cache")
SCHEDULES = {t: lsa.Schedule(temperature=t, gamma=GAMMA, dt=DT) for t in (0.0, WARM)}


@dataclass
class Case:
    """A run, the site-steps it does, and the seconds that it took."""

    run: Callable[[], Any] | None
    work: float
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def once(self) -> None:
        """Nanoseconds a site-step."""
        cpu, wall = time.process_time(), time.perf_counter()
        self.run()
        self.cpu.append(1e9 * (time.process_time() - cpu) / self.work)
        self.wall.append(1e9 * (time.perf_counter() - wall) / self.work)


def ours(x0: Any, temperature: float, integrator: str, dtype: str, steps: int, threads: int) -> Any:
    potential = lsa.potentials.phi4_chain(dim=x0.size)
    schedule, how = SCHEDULES[temperature], {"dtype": dtype, "integrator": integrator}
    return kernel(potential, x0, schedule, steps, threads=threads, **how)


def in_cpp(library: Any, x0: Any, row: str, dtype: str, steps: int, threads: int) -> Any:
    """`row` is "T = 0", or an integrator at T = 0.3."""
    numbers = SCHEDULES[0.0 if row == "T = 0" else WARM].coefficients(1, "bbk")
    rho, lr, s = (float(v[0]) for v in (numbers.rho, numbers.lr, numbers.s))
    real, noise = "double" if dtype == "float64" else "float", ("T = 0", "bbk", "gjf").index(row)
    function, pointer = getattr(library, f"chain_{real}_{noise}"), ctypes.c_void_p
    function.argtypes = [*[pointer] * 5, *[ctypes.c_long] * 2, *[ctypes.c_double] * 3, ctypes.c_int]
    start = np.asarray(x0, dtype)
    arrays = [aligned(start) for _ in range(3)] + [aligned(np.zeros_like(start)) for _ in range(2)]

    def run() -> None:
        function(*(a.ctypes.data for a in arrays), x0.size, steps, rho, lr, s, threads)

    return run


def streams(library: Any, sites: int, kind: int, times: int, threads: int) -> Any:
    library.traffic.argtypes = [ctypes.c_int, *[ctypes.c_void_p] * 3, ctypes.c_long, ctypes.c_int]
    arrays = [aligned(np.ones(sites)) for _ in range(3)]

    def run() -> None:
        for _ in range(times):
            library.traffic(kind, *(a.ctypes.data for a in arrays), sites, threads)

    return run


def in_numpy(x0: Any, temperature: float, steps: int) -> Any:
    """The recursion with whole arrays."""
    c = SCHEDULES[temperature].coefficients(1, "bbk")
    rho, lr, s = float(c.rho[0]), float(c.lr[0]), float(c.s[0])

    def run() -> None:
        rng, x, dx = np.random.default_rng(0), x0.copy(), np.zeros_like(x0)
        for _ in range(steps):
            dx = rho * dx - lr * (x**3 - x + 2 * x - np.roll(x, 1) - np.roll(x, -1))
            if s:
                dx += s * rng.standard_normal(x.shape)
            x = x + dx

    return run


def in_jax(x0: Any, temperature: float, dtype: str, steps: int) -> Any:
    """The same, jitted; on as many threads as there are cores."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    c = SCHEDULES[temperature].coefficients(1, "bbk")
    rho, lr, s = (jnp.asarray(v[0], dtype) for v in (c.rho, c.lr, c.s))

    def step(_: Any, state: Any) -> Any:
        x, dx, key = state
        dx = rho * dx - lr * (x**3 - x + 2 * x - jnp.roll(x, 1) - jnp.roll(x, -1))
        if temperature:
            key, draw = jax.random.split(key)
            dx = dx + s * jax.random.normal(draw, x.shape, x.dtype)
        return x + dx, dx, key

    @jax.jit
    def run(x: Any) -> Any:
        return jax.lax.fori_loop(0, steps, step, (x, jnp.zeros_like(x), jax.random.key(0)))[0]

    start = jnp.asarray(x0, dtype)
    return lambda: run(start).block_until_ready()


def contestants(library: Any, x0: Any, steps: int, dtype: str, threads: int) -> dict[str, Case]:
    """By name; `langevin_sa` and `C++` have the rows T = 0, bbk and gjf."""
    work, cases = steps * x0.size, {}
    for row, temperature, integrator in (
        ("T = 0", 0.0, "bbk"),
        ("bbk", WARM, "bbk"),
        ("gjf", WARM, "gjf"),
    ):
        run = ours(x0, temperature, integrator, dtype, steps, threads)
        cases[f"langevin_sa, {row}"] = Case(run, work)
        cases[f"C++, {row}"] = Case(in_cpp(library, x0, row, dtype, steps, threads), work)
    if threads > 1:
        for temperature in SCHEDULES:
            name = f"JAX, {'bbk' if temperature else 'T = 0'}"
            try:
                cases[name] = Case(in_jax(x0, temperature, dtype, steps), work)
            except ImportError as error:
                print(f"skipped: {error}")
    elif dtype == "float64":
        few = max(1, steps // 10)
        for temperature in SCHEDULES:
            name = f"NumPy, {'bbk' if temperature else 'T = 0'}"
            cases[name] = Case(in_numpy(x0, temperature, few), few * x0.size)
    if dtype == "float64":  # 32 bytes a site; float32 has half of it
        for kind, name in enumerate(STREAMS):
            run = streams(library, x0.size, kind, steps, threads)
            cases[name] = Case(run, work)
    return cases


def show(title: str, cases: dict[str, Case], floor: float) -> None:
    """The table, and the goals; `floor` is the median of the same traffic, CPU ns a site."""
    print(f"\n{title}\n{'':32}{'CPU: median':>12}{'least':>8}{'wall: median':>14}{'least':>8}")
    for name, case in cases.items():
        columns = (median(case.cpu), min(case.cpu), median(case.wall), min(case.wall))
        print(f"{name:32}{columns[0]:12.2f}{columns[1]:8.2f}{columns[2]:14.2f}{columns[3]:8.2f}")
    cold = cases["langevin_sa, T = 0"].cpu
    print(f"T = 0 over the same traffic (goal 1.2): {median(cold) / floor:.2f}")
    for row in ("bbk", "gjf"):
        pairs = zip(cases[f"langevin_sa, {row}"].cpu, cold, strict=True)
        least = min(cases[f"langevin_sa, {row}"].cpu) / min(cold)
        ratio = median(a / b for a, b in pairs)
        print(f"T = {WARM}, {row}, over T = 0 (goal 1.25): {ratio:.2f}, of minima {least:.2f}")


def plot(groups: dict[str, dict[str, Case]]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 9), layout="constrained")
    axes = figure.subplots(len(groups), 1)
    for ax, (title, cases) in zip(axes, groups.items(), strict=True):
        names = list(cases)[::-1]
        for k, name in enumerate(names):
            case, color = cases[name], "tab:blue" if name.startswith("langevin_sa") else "tab:gray"
            ax.barh(k, median(case.cpu), color=color)
            ax.text(median(case.cpu), k, f" {median(case.cpu):.2f}", va="center", fontsize=8)
        ax.set(xscale="log", xlim=(0.5, 300), yticks=range(len(names)), title=title)
        ax.set_yticklabels(names, fontsize=8)
    ax.set_xlabel("CPU time, ns a site-step (medians)")
    figure.savefig(FIGURES / "benchmark_lattice.png", dpi=100)


@click.command()
@click.option("--sites", default=10**7, show_default=True)
@click.option("--steps", default=20, show_default=True)
@click.option("--repeats", default=7, show_default=True)
@click.option("--quick", is_flag=True, help="10^5 sites, all in cache: no measure of memory.")
def main(sites: int, steps: int, repeats: int, quick: bool) -> None:
    """Compare the kernel with the machine and with others."""
    machine()
    os.environ["OMP_WAIT_POLICY"] = "passive"  # threads of g++ spin else, and cost CPU time
    sites = 10**5 if quick else sites
    x0 = np.random.default_rng(0).uniform(-1.5, 1.5, sites)
    groups = {}
    with tempfile.TemporaryDirectory() as folder:
        shared = Path(folder) / "lattice.so"
        source = Path(__file__).with_suffix(".cpp")
        command = ["g++", *FLAGS, "-shared", "-fPIC", str(source), "-o", str(shared)]
        subprocess.run(command, check=True)
        library = ctypes.CDLL(str(shared))
        for threads in (1, 2):
            floor = 0.0
            for dtype in ("float64", "float32"):
                cases = contestants(library, x0, steps, dtype, threads)
                for case in cases.values():
                    case.run()
                for _ in range(repeats):
                    for case in cases.values():
                        case.once()
                title = f"{dtype}, threads: {threads}"
                floor = min(median(cases[s].cpu) for s in STREAMS[1:]) if not floor else floor / 2
                show(f"{title}; ns a site-step, {repeats} repeats", cases, floor)
                for case in cases.values():
                    case.run = None  # and its arrays
                groups[title] = cases
    if not quick:
        plot(groups)


if __name__ == "__main__":
    main()
