"""A phi^4 chain of 10^7 sites: langevin_sa against the machine's memory and noise generator, NumPy
and JAX.

A step must read and write x and dx, 32 bytes a site in float64 and 16 in float32; that over the
time of a step is the rate that is set against the measured bandwidth. Paired noise (gjf) keeps its
half kick between steps as well, 16 bytes more, which are not counted in its favour.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import click
import numpy as np
from numba import njit
from timing import THREADS, Case, gather, in_threads, kernel, machine, measure, noise, plot, table

import langevin_sa as lsa

DT, GAMMA = 0.1, 0.1


@njit(nogil=True, error_model="numpy")
def _copy(x: Any, y: Any, low: int, high: int) -> None:
    for i in range(low, high):
        y[i] = x[i]


@njit(nogil=True, error_model="numpy")
def _drift(x: Any, dx: Any, low: int, high: int) -> None:
    for i in range(low, high):
        dx[i] = -dx[i]
        x[i] = x[i] + dx[i]


def _memcpy(x: Any, y: Any, low: int, high: int) -> None:
    np.copyto(y[low:high], x[low:high])


def bandwidth(name: str, function: Callable[..., Any], sites: int, counted: int) -> Case:
    """`function` over two arrays of float64; work is the bytes that it must read and write,
    `counted` a site.
    """
    x, y, pool = np.full(sites, 1.0), np.full(sites, 2.0), ThreadPoolExecutor(THREADS)
    return Case(name, lambda: in_threads(partial(function, x, y), sites, pool), counted * sites)


def schedule(temperature: float) -> lsa.Schedule:
    """Constant temperature."""
    return lsa.Schedule(temperature=temperature, gamma=GAMMA, dt=DT)


def ours(
    x0: Any, temperature: float, steps: int, dtype: str, integrator: str, name: str, alone: bool
) -> Case:
    """Energy a site after the run; `alone` leaves the driver (slices, records, copies) out."""
    potential = lsa.potentials.phi4_chain(dim=x0.size)
    work = steps * x0.size

    if alone:
        advance = kernel(
            potential, x0, schedule(temperature), steps, dtype=dtype, integrator=integrator
        )
        return Case(name, lambda: advance() / x0.size, work)

    def run() -> float:
        *_, last = lsa.simulate(
            potential,
            x0,
            schedule(temperature),
            steps,
            record_every=steps,
            integrator=integrator,
            rng=1,
            dtype=dtype,
            threads=THREADS,
        )
        return float(last.energy[0]) / x0.size

    return Case(name, run, work)


def numpy_loop(x0: Any, temperature: float, steps: int) -> Case:
    """The recursion with whole arrays, so slow that it does fewer steps: no energy to compare."""
    c = schedule(temperature).coefficients(1, "bbk")
    rho, lr, s = float(c.rho[0]), float(c.lr[0]), float(c.s[0])

    def run() -> None:
        rng, x, dx = np.random.default_rng(0), x0.copy(), np.zeros_like(x0)
        for _ in range(steps):
            dx = rho * dx - lr * (x**3 - x + 2 * x - np.roll(x, 1) - np.roll(x, -1))
            if s:
                dx += s * rng.standard_normal(x.shape)
            x = x + dx

    return Case(f"NumPy, T = {temperature:g}", run, steps * x0.size, note=f"{steps} steps")


def jax_loop(x0: Any, temperature: float, steps: int, dtype: str) -> Case:
    """The same, jitted."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    c = schedule(temperature).coefficients(1, "bbk")
    rho, lr, s = (jnp.asarray(v[0], dtype) for v in (c.rho, c.lr, c.s))

    def energy(x: Any) -> Any:
        return (x**4 / 4 - x**2 / 2 + (jnp.roll(x, -1) - x) ** 2 / 2).sum()

    def step(_: Any, state: Any) -> Any:
        x, dx, key = state
        dx = rho * dx - lr * (x**3 - x + 2 * x - jnp.roll(x, 1) - jnp.roll(x, -1))
        if temperature:
            key, draw = jax.random.split(key)
            dx = dx + s * jax.random.normal(draw, x.shape, x.dtype)
        return x + dx, dx, key

    @jax.jit
    def run(x: Any) -> Any:
        x = jax.lax.fori_loop(0, steps, step, (x, jnp.zeros_like(x), jax.random.key(0)))[0]
        return energy(x.astype("float64")) / len(x)

    start = jnp.asarray(x0, dtype)
    return Case(
        f"JAX, T = {temperature:g}", lambda: run(start).block_until_ready(), steps * x0.size
    )


@click.command()
@click.option("--sites", default=10**7, show_default=True)
@click.option("--steps", default=30, show_default=True)
@click.option(
    "--quick", is_flag=True, help="10^5 sites, 20 steps: all in cache, so no measure of bandwidth."
)
@click.option("--repeats", default=5, show_default=True)
def main(sites: int, steps: int, quick: bool, repeats: int) -> None:
    """Compare large-lattice kernels with each other and with the roofline."""
    machine()
    if quick:
        sites, steps = 10**5, 20
    x0 = np.random.default_rng(0).uniform(-1.5, 1.5, sites)
    groups = {}
    for dtype, size in (("float64", 32), ("float32", 16)):
        case = partial(ours, x0, steps=steps, dtype=dtype)
        cold = case(temperature=0.0, integrator="bbk", name="langevin_sa kernel, T = 0", alone=True)
        warm = [
            case(
                temperature=0.3, integrator=i, name=f"langevin_sa kernel, T = 0.3, {i}", alone=True
            )
            for i in ("bbk", "gjf")
        ]
        whole = [
            case(
                temperature=0.0, integrator="bbk", name="langevin_sa simulate, T = 0", alone=False
            ),
            case(
                temperature=0.3,
                integrator="gjf",
                name="langevin_sa simulate, T = 0.3, gjf",
                alone=False,
            ),
        ]
        peers = [partial(jax_loop, x0, t, steps, dtype) for t in (0.0, 0.3)]
        if dtype == "float64":
            peers += [partial(numpy_loop, x0, t, max(2, steps // 10)) for t in (0.0, 0.3)]
        copies = [
            bandwidth("copy, memcpy", _memcpy, sites, 16),
            bandwidth("copy, compiled loop", _copy, sites, 16),
            bandwidth("dx = -dx, x += dx", _drift, sites, 32),
        ]
        noisy = noise(sites)
        cases = [cold, *warm, *whole, *gather(peers)]
        measure([*cases, *copies, noisy], repeats)
        groups[dtype] = cases
        table(f"phi^4 chain, {sites} sites, {steps} steps, {dtype}", cases, "site-step")
        for c in copies:
            print(f"{c.name:34s}{1e-9 / c.median:8.1f} GB/s")
        print(
            f"{noisy.name:34s}{1e-9 / noisy.median:8.2f} normals/ns, {1e9 * noisy.median:.3f} ns "
            "a normal"
        )
        floor = size * min(c.median for c in copies)
        for c in (cold, *warm):
            bound = floor if c is cold else max(floor, noisy.median)
            what = "bandwidth" if bound == floor else "noise generator"
            goal = 0.7 if c is cold else 0.8
            missed = "" if bound / c.median >= goal else "  MISSED"
            print(
                f"{c.name:34s}{1e-9 * size / c.median:8.1f} GB/s, {bound / c.median:.0%} of the "
                f"{what} (goal {goal:.0%}){missed}"
            )
    if not quick:
        plot("lattice", groups)


if __name__ == "__main__":
    main()
