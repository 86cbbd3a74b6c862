"""The loops that a strong user writes by hand, in C++ and in numba, against our kernels.

Double well, 10^5 replicas: C++ (handwritten.cpp: blocks of 64, xoshiro, Box-Muller through the
compiler's vector library, in float32 or float64), numba in blocks (the same generator, Box-Muller
in float32), numba one replica after the other with NumPy's normals. One replica of Rosenbrock's
function and of Muller and Brown's: numba with NumPy's normals. All keep the best point, integrate
with GJF in float64 and run on one thread. The loops check nothing, measure nothing, and nobody can
make their noise again; ours finds energies that are not finite, sums dx^2 for the thermometer and
has noise that is a function of (seed, step, replica). Needs g++.
"""

from __future__ import annotations

import ctypes
import math
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import click
import numpy as np
from numba import njit
from timing import Case, gather, kernel, machine, measure, noise, table

import langevin_sa as lsa

FLAGS = ("-O3", "-march=native", "-ffast-math", "-fopenmp", "-shared", "-fPIC")
BLOCK = 64
LESS = "nothing checked or measured, noise that has no number"


@njit(error_model="numpy")
def double_well(x):  # type: ignore[no-untyped-def]
    """Energy and gradient."""
    q = x * x - 1.0
    return q * q + 0.3 * x, 4.0 * x * q + 0.3


@njit(error_model="numpy")
def rosenbrock(x, y):  # type: ignore[no-untyped-def]
    """Energy and gradient."""
    a, b = y - x * x, 1.0 - x
    return a * a + b * b, -4.0 * x * a - 2.0 * b, 2.0 * a


@njit(error_model="numpy")
def muller_brown(x, y):  # type: ignore[no-untyped-def]
    """Energy and gradient."""
    e1 = -200.0 * math.exp(-((x - 1.0) ** 2) - 10.0 * y * y)
    e2 = -100.0 * math.exp(-x * x - 10.0 * (y - 0.5) ** 2)
    p, q = x + 0.5, y - 1.5
    e3 = -170.0 * math.exp(-6.5 * p * p + 11.0 * p * q - 6.5 * q * q)
    r, s = x + 1.0, y - 1.0
    e4 = 15.0 * math.exp(0.7 * r * r + 0.6 * r * s + 0.7 * s * s)
    gx = -2.0 * (x - 1.0) * e1 - 2.0 * x * e2 + (11.0 * q - 13.0 * p) * e3
    gy = -20.0 * y * e1 - 20.0 * (y - 0.5) * e2 + (11.0 * p - 13.0 * q) * e3
    return e1 + e2 + e3 + e4, gx + (1.4 * r + 0.6 * s) * e4, gy + (0.6 * r + 1.4 * s) * e4


@njit(error_model="numpy")
def one_by_one(x, best_x, best, steps, rho, lr, s):  # type: ignore[no-untyped-def]
    """One replica after the other, with NumPy's normals."""
    for r in range(len(x)):
        at, dx, kick = x[r], 0.0, 0.0
        for _ in range(steps):
            now = 0.5 * s * np.random.normal()
            energy, gradient = double_well(at)
            if energy < best[r]:
                best[r], best_x[r] = energy, at
            dx = rho * dx - lr * gradient + now + kick
            at += dx
            kick = now
        x[r] = at


@njit(error_model="numpy", fastmath=True)
def draw(a, b, c, d, words):  # type: ignore[no-untyped-def]
    """xoshiro128+ side by side."""
    for i in range(len(words)):
        words[i] = a[i] + d[i]
        t = b[i] << np.uint32(9)
        c[i] ^= a[i]
        d[i] ^= b[i]
        b[i] ^= c[i]
        a[i] ^= d[i]
        c[i] ^= t
        d[i] = (d[i] << np.uint32(11)) | (d[i] >> np.uint32(21))


@njit(error_model="numpy", fastmath=True)
def in_blocks(x, best_x, best, steps, rho, lr, s):  # type: ignore[no-untyped-def]
    """BLOCK replicas side by side, their own generators, Box-Muller in float32."""
    half = BLOCK // 2
    single, turn = np.float32, np.float32(np.pi * 2.0**-31)
    z, words = np.empty(BLOCK, np.float32), np.empty(half, np.uint32)
    for low in range(0, len(x), BLOCK):
        a, b, c, d = np.random.randint(1, 2**32, (4, half)).astype(np.uint32)
        at, dx, kick = x[low : low + BLOCK], np.zeros(BLOCK), np.zeros(BLOCK)
        lowest, where = best[low : low + BLOCK], best_x[low : low + BLOCK]
        for _ in range(steps):
            draw(a, b, c, d, words)
            for i in range(half):
                u = (single(words[i] >> np.uint32(1)) + single(0.5)) * single(2.0**-31)
                z[i] = np.sqrt(single(-2.0) * np.log(u))
            draw(a, b, c, d, words)
            for i in range(half):
                angle = single(np.int32(words[i])) * turn
                z[half + i] = z[i] * np.sin(angle)
                z[i] *= np.cos(angle)
            for i in range(BLOCK):
                now = 0.5 * s * z[i]
                energy, gradient = double_well(at[i])
                lower = energy < lowest[i]
                lowest[i] = energy if lower else lowest[i]
                where[i] = at[i] if lower else where[i]
                dx[i] = rho * dx[i] - lr * gradient + now + kick[i]
                at[i] += dx[i]
                kick[i] = now


def lone(force: Any) -> Any:
    """A loop over the steps of one replica in two coordinates."""

    @njit(error_model="numpy")
    def walk(x, y, steps, rho, lr, s):  # type: ignore[no-untyped-def]
        dx, dy, kick_x, kick_y, best, best_x, best_y = 0.0, 0.0, 0.0, 0.0, np.inf, x, y
        for _ in range(steps):
            energy, gx, gy = force(x, y)
            if energy < best:
                best, best_x, best_y = energy, x, y
            now_x, now_y = 0.5 * s * np.random.normal(), 0.5 * s * np.random.normal()
            dx = rho * dx - lr * gx + now_x + kick_x
            dy = rho * dy - lr * gy + now_y + kick_y
            x += dx
            y += dy
            kick_x, kick_y = now_x, now_y
        return force(x, y)[0], best, best_x, best_y

    return walk


@cache
def compiled() -> Any:
    """handwritten.cpp."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "handwritten.so"
        source = Path(__file__).with_suffix(".cpp")
        try:
            subprocess.run(["g++", *FLAGS, str(source), "-o", str(library)], check=True)
        except FileNotFoundError:
            raise ImportError("g++ is not installed") from None
        return ctypes.CDLL(str(library))


def numbers(schedule: lsa.Schedule) -> tuple[float, float, float]:
    """The recursion's rho, lr and s."""
    steps = schedule.coefficients(1, "gjf")
    return float(steps.rho[0]), float(steps.lr[0]), float(steps.s[0])


def many(
    name: str, loop: Callable[..., Any], x0: np.ndarray, steps: int, goal: Any, note: str
) -> Case:
    """A loop over replicas of the double well; returns the mean energy at the end."""
    best, best_x = np.empty(x0.size), np.empty(x0.size)
    recursion = numbers(WELL)

    def run() -> float:
        x, best[:] = x0.ravel().copy(), np.inf
        loop(x, best_x, best, steps, *recursion)
        return float(double_well.py_func(x)[0].mean())

    return Case(name, run, x0.size * steps, goal, note)


def in_cpp(kind: str, x0: np.ndarray, steps: int, goal: float | None) -> Case:
    """The C++ loop with normals of this type; it takes a multiple of BLOCK replicas."""
    function, pointer = getattr(compiled(), f"walk_{kind}"), ctypes.c_void_p
    function.argtypes = [*[pointer] * 3, *[ctypes.c_long] * 2, *[ctypes.c_double] * 3, ctypes.c_int]

    def loop(x: Any, best_x: Any, best: Any, steps: int, *recursion: float) -> None:
        function(x.ctypes.data, best_x.ctypes.data, best.ctypes.data, x.size, steps, *recursion, 1)

    whole = x0[: len(x0) // BLOCK * BLOCK]
    bits = {"float": "float32", "double": "float64"}[kind]
    return many(f"C++ by hand, {bits} normals", loop, whole, steps, goal, LESS)


def by_hand(x0: np.ndarray, steps: int, single: Any, double: Any) -> list[Callable[[], Case]]:
    """What makes each loop over replicas of the double well, with the goals of those in C++."""
    whole = x0[: len(x0) // BLOCK * BLOCK]
    return [
        lambda: in_cpp("float", x0, steps, single),
        lambda: in_cpp("double", x0, steps, double),
        lambda: many("numba by hand, in blocks", in_blocks, whole, steps, None, LESS),
        lambda: many("numba by hand, one by one", one_by_one, x0, steps, None, LESS),
    ]


def alone(
    potential: lsa.Potential, force: Any, temperature: float, start: Any, steps: int
) -> list[Case]:
    """One replica, ours and by hand; where it ends is no check."""
    schedule = lsa.Schedule(temperature=temperature, gamma=1.0, dt=0.01)
    loop, advance = lone(force), kernel(potential, start, schedule, steps)
    recursion = numbers(schedule)

    def ours() -> None:
        advance()

    def by_hand() -> None:
        loop(*start, steps, *recursion)

    return [
        Case("langevin_sa, kernel", ours, steps),
        Case("numba by hand", by_hand, steps, 1 / 1.3, LESS),
    ]


WELL = lsa.Schedule(temperature=0.3, gamma=1.0, dt=0.05)


@click.command()
@click.option("--quick", is_flag=True, help="A hundredth of the work, to see that it runs.")
@click.option("--repeats", default=9, show_default=True)
def main(quick: bool, repeats: int) -> None:
    """Compare kernels with loops by hand."""
    machine()
    replicas, steps = (6400, 100) if quick else (100_000, 200)
    x0 = np.random.default_rng(0).uniform(-2, 2, (replicas, 1))
    potential, work = lsa.potentials.double_well(tilt=0.3), x0.size * steps
    frozen = lsa.Schedule(temperature=0.0, gamma=1.0, dt=0.05)
    cases = [
        Case("langevin_sa, kernel", kernel(potential, x0, WELL, steps), work),
        Case("the same at T = 0", kernel(potential, x0, frozen, steps), work, note="no noise made"),
        noise(work),
        *gather(by_hand(x0, steps, 1.0, 1 / 0.75)),
    ]
    measure(cases, repeats)
    table(f"Double well, {replicas:,} replicas, best point kept", cases, "replica-step")

    steps = 10_000 if quick else 1_000_000
    rosenbrock_formula = lsa.Potential.from_formula("(y - x**2)**2 + (1 - x)**2", bounds=(-2, 2))
    for potential, force, temperature, start in (
        (rosenbrock_formula, rosenbrock, 0.3, (1.0, 1.0)),
        (lsa.potentials.muller_brown(), muller_brown, 15.0, (-0.558, 1.442)),
    ):
        name = force.__name__.replace("_", "-").title()
        cases = measure(alone(potential, force, temperature, start, steps), repeats)
        table(f"One replica, {name}, best point kept", cases, "step")


if __name__ == "__main__":
    main()
