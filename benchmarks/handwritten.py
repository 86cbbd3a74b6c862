"""The double well against the loops that a strong user writes by hand, in C++ and in numba.

python benchmarks/handwritten.py [--replicas 100000] [--steps 200] [--repeats 9]

All keep the best point and run on one thread, interleaved in one process; CPU time, nanoseconds of
a step of one replica. The loops check nothing, measure nothing and cannot be resumed; ours finds
energies that are not finite, sums dx^2 for the thermometer and has noise that is a function of
(seed, step, replica). Needs g++.
"""

from __future__ import annotations

import argparse
import ctypes
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit, uint64

import langevin_sa as lsa
from langevin_sa.backends.cpu.blocks import BlockBackend
from langevin_sa.backends.cpu.philox import fill_normals
from langevin_sa.backends.walk import Walk

FLAGS = ("-O3", "-march=native", "-ffast-math", "-fopenmp", "-shared", "-fPIC")
SCHEDULE = lsa.Schedule(0.3, 1.0, 0.05)


def handwritten(folder: str) -> Any:
    library = Path(folder) / "handwritten.so"
    source = Path(__file__).with_suffix(".cpp")
    subprocess.run(["g++", *FLAGS, str(source), "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))


@njit(error_model="numpy")
def numba_loop(x, best_x, best, steps, rho, lr, s):  # type: ignore[no-untyped-def]
    """One replica after the other, with NumPy's generator."""
    for r in range(len(x)):
        at, dx, kick = x[r], 0.0, 0.0
        for _ in range(steps):
            now = 0.5 * s * np.random.normal()
            q = at * at - 1.0
            energy = q * q + 0.3 * at
            if energy < best[r]:
                best[r], best_x[r] = energy, at
            dx = rho * dx - lr * (4.0 * at * q + 0.3) + now + kick
            at += dx
            kick = now
        x[r] = at


@njit(error_model="numpy")
def noise_alone(z, quads, blocks):  # type: ignore[no-untyped-def]
    for block in range(blocks):
        for quad in range(quads):
            fill_normals(z, quad, 1, 256 * block, 256, 0, uint64(1), uint64(2))


def contestants(library: Any, x0: np.ndarray, steps: int) -> dict[str, Callable[[], None]]:
    numbers = SCHEDULE.coefficients(steps, "gjf")
    rho, lr, s = (float(row[0]) for row in (numbers.rho, numbers.lr, numbers.s))
    best, best_x = np.empty(x0.size), np.empty(x0.size)
    walk = Walk.at_rest(x0[:, None].copy(), 1)
    backend = BlockBackend(lsa.potentials.double_well(tilt=0.3), walk, 1)
    z = np.empty((4, 256 + 16))

    def in_cpp(name: str) -> Callable[[], None]:
        function, pointer = getattr(library, name), ctypes.c_void_p
        function.argtypes = [*[pointer] * 3, *[ctypes.c_long] * 2, *[ctypes.c_double] * 3]
        function.argtypes += [ctypes.c_int]

        def run() -> None:
            x = x0.copy()
            best[:] = np.inf
            arrays = (x.ctypes.data, best_x.ctypes.data, best.ctypes.data)
            function(*arrays, x.size, steps, rho, lr, s, 1)

        return run

    def in_numba() -> None:
        best[:] = np.inf
        numba_loop(x0.copy(), best_x, best, steps, rho, lr, s)

    return {
        "langevin_sa, kernel": lambda: backend.advance(numbers),
        "its noise alone": lambda: noise_alone(z, steps // 4, -(-x0.size // 256)),
        "C++, float32 normals": in_cpp("walk_float"),
        "C++, float64": in_cpp("walk_double"),
        "numba": in_numba,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("replicas", 100_000), ("steps", 200), ("repeats", 9)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    x0 = np.random.default_rng(0).uniform(-2, 2, given.replicas // 64 * 64)
    with tempfile.TemporaryDirectory() as folder:
        runs = contestants(handwritten(folder), x0, given.steps)
        times: dict[str, list[float]] = {name: [] for name in runs}
        for repeat in range(given.repeats + 1):
            for name, run in runs.items():
                began = time.process_time()
                run()
                if repeat:
                    times[name].append(time.process_time() - began)
    unit = 1e-9 * x0.size * given.steps
    ours = next(iter(times.values()))
    print(f"{'':22}{'median':>8}{'least':>8}{'ours/it':>9}  ns of CPU a step of a replica")
    for name, all_times in times.items():
        ratio = statistics.median(a / b for a, b in zip(ours, all_times, strict=True))
        median, least = statistics.median(all_times) / unit, min(all_times) / unit
        print(f"{name:22}{median:8.2f}{least:8.2f}{ratio:9.2f}")


if __name__ == "__main__":
    main()
