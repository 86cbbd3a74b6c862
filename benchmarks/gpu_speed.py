"""How fast the kernels are: the part `speed` of gpu.py, and what it shares with `peers`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from statistics import median
from typing import Any

import numpy as np
from gpu_cases import CASES, DTYPES, Case, mover
from gpu_floor import predict, this_card

from langevin_sa.backends.cuda import source

REPEATS = 5
NORMALS = """
extern "C" __global__ void __launch_bounds__(THREADS) normals(real* out, i64 quads) {
    const u32 i = blockIdx.x * blockDim.x + threadIdx.x;
    Stream s(i, 0, 1, 2);
    real sum = 0;
    for (i64 q = 0; q < quads; ++q) {
        s.make(q);
        sum += s.z0 + s.z1 + s.z2 + s.z3;
    }
    out[i] = sum;
}
}
"""
MULTIPLY_ADDS = """
extern "C" __global__ void __launch_bounds__(256) multiply_adds(real* out, int n) {
    real a[8], b = out[threadIdx.x], c = out[threadIdx.x + 1];
    for (int k = 0; k < 8; ++k) a[k] = b + k;
    for (int i = 0; i < n; ++i) {
#pragma unroll
        for (int k = 0; k < 8; ++k) a[k] = a[k] * b + c;
    }
    real sum = 0;
    for (int k = 0; k < 8; ++k) sum += a[k];
    out[blockIdx.x * blockDim.x + threadIdx.x] = sum;
}
"""
Rows = Iterator[tuple[str, str, Callable[[], dict[str, Any]]]]


def clock(run: Callable[[], Any], work: float) -> dict[str, float]:
    """Picoseconds a unit of work, the median of some runs after a first; each run ends with what
    the card was given.
    """
    begun = time.perf_counter()
    run()
    first, times = time.perf_counter() - begun, []
    for _ in range(REPEATS if first < 10 else 1):
        begun = time.perf_counter()
        run()
        times.append(time.perf_counter() - begun)
    spread = max(times) / min(times)
    return {"ps": median(times) / work * 1e12, "spread": spread, "_first_seconds": first}


def speed(tiny: bool) -> Rows:
    """What the card can do, then each kernel."""
    yield "roofs", "copy of 8-byte numbers", partial(copy, tiny)
    for dtype in DTYPES:
        yield "roofs", f"multiply-adds, {dtype}", partial(multiply_adds, dtype, tiny)
    for dtype in DTYPES:
        yield "normals", f"langevin_sa, in registers, {dtype}", partial(ours, dtype, tiny)
        for kind in ("XORWOW", "Philox"):
            name = f"cuRAND {kind} through CuPy, {dtype}"
            yield "normals", name, partial(curand, kind, dtype, tiny)
    for name, case in CASES.items():
        for dtype in DTYPES:
            yield "a coordinate-step", f"{name}, {dtype}", partial(kernel, case, dtype, tiny)


def kernel(case: Case, dtype: str, tiny: bool) -> dict[str, Any]:
    """Measured, predicted, bytes, and the same on all threads of the CPU."""
    case = case.scaled(tiny)
    potential, steps = case.potential(), case.coefficients(case.steps)
    per_step = case.replicas * potential.dim
    timed = clock(
        partial(mover(case, potential, dtype, "cupy").advance, steps), per_step * case.steps
    )
    cells: dict[str, Any] = {"measured, ps": timed["ps"], "spread": timed["spread"]}
    if case.counted:
        decides, floor, predicted = predict(case, dtype, this_card(bandwidth(tiny)))
        cells |= {"predicted, ps": predicted, "floor, ps": floor, "limit": decides}
        cells["measured over floor"] = timed["ps"] / floor
    if case.moved:
        moved = case.moved * np.dtype(dtype).itemsize / timed["ps"] * 1e12
        cells |= {"GB/s": moved / 1e9, "of the copy": moved / bandwidth(tiny)}
    threads = len(os.sched_getaffinity(0))
    n = max(2, case.steps // 20)  # the CPU is slower
    fewer = partial(mover(case, potential, dtype, "numba", threads).advance, case.coefficients(n))
    cpu = clock(fewer, per_step * n)["ps"]
    return cells | {f"CPU, {threads} threads, ps": cpu, "CPU over GPU": cpu / timed["ps"]}


@cache
def bandwidth(tiny: bool) -> float:
    """Bytes a second that a copy reads and writes."""
    import cupy

    n = 10**4 if tiny else 2**27
    a, b = cupy.zeros(n), cupy.zeros(n)

    def run() -> None:
        b[...] = a
        b[:1].get()

    return 16 / clock(run, n)["ps"] * 1e12


def copy(tiny: bool) -> dict[str, Any]:
    """From memory to memory, as a lattice reads and writes."""
    return {"a second": f"{bandwidth(tiny) / 1e9:.0f} GB", "_bytes": bandwidth(tiny)}


def multiply_adds(dtype: str, tiny: bool) -> dict[str, Any]:
    """Eight independent chains a thread."""
    import cupy

    blocks, n = (2, 10) if tiny else (4096, 4096)
    code = f"typedef {'double' if dtype == 'float64' else 'float'} real;{MULTIPLY_ADDS}"
    module = cupy.RawModule(code=code, options=("--std=c++17", "--fmad=true"))
    work, out = module.get_function("multiply_adds"), cupy.full(blocks * 256 + 1, 1e-3, dtype=dtype)

    def run() -> None:
        work((blocks,), (256,), (out, np.int32(n)))
        out[:1].get()

    return rate(clock(run, blocks * 256 * 8 * n))


def ours(dtype: str, tiny: bool) -> dict[str, Any]:
    """The kernels' own stream, nothing stored."""
    import cupy

    single, threads, quads = dtype == "float32", 512 if tiny else 2**19, 4 if tiny else 512
    code = source.arrays_module(4, single).rstrip()[:-1] + NORMALS  # inside the namespace
    module = cupy.RawModule(code=code, options=source.options(single))
    out, work = cupy.empty(threads, dtype=dtype), module.get_function("normals")

    def run() -> None:
        work((threads // source.THREADS,), (source.THREADS,), (out, np.int64(quads)))
        out[:1].get()

    cells, variance = rate(clock(run, 4 * threads * quads)), float(out.get().var()) / (4 * quads)
    return cells | {"variance": variance, "ok": abs(variance - 1) < 6 * (2 / threads) ** 0.5}


def curand(kind: str, dtype: str, tiny: bool) -> dict[str, Any]:
    """Normals written to memory, as cuRAND does."""
    import cupy

    n = 2000 if tiny else 2**26
    bits = {"XORWOW": "XORWOW", "Philox": "Philox4x3210"}[kind]
    generator = cupy.random.Generator(getattr(cupy.random, bits)(1))
    out = cupy.empty(n, dtype=dtype)

    def run() -> None:
        generator.standard_normal(n, dtype=dtype, out=out)
        out[:1].get()

    cells, variance = rate(clock(run, n)), float(out.get().var())
    return cells | {"variance": variance, "ok": abs(variance - 1) < 6 * (2 / n) ** 0.5}


def rate(timed: dict[str, float]) -> dict[str, Any]:
    """Units of work a second."""
    return {"a second": f"{1e12 / timed['ps']:.3g}", "spread": timed["spread"]}
