"""The loop of the JAX backend against one written by hand, with `jax.random.normal`: replicas of
rastrigin(10) in `jax.numpy`, in float64, on the CPU.

    python benchmarks/jax_loop.py [replicas]

prints nanoseconds a step and coordinate, of the clock and of processors: least and median of
repeats in turn. By hand there are two: the recursion alone, which takes gradients only; and with
what a run of ours keeps besides, the energies and the lowest point of each replica.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from langevin_sa import Potential, Schedule
from langevin_sa.annealing.request import prepare

DIM, STEPS, REPEATS = 10, 100, 9
SCHEDULE = Schedule(temperature=1.0, gamma=1.0, dt=0.02)


def rastrigin(x):
    return jnp.sum(x**2 - 10 * jnp.cos(2 * jnp.pi * x) + 10)


@partial(jax.jit, static_argnames="best", donate_argnums=(0, 1, 2, 3))
def by_hand(x, dx, best_x, best_energy, numbers, key, best):
    """`STEPS` steps of single noise, rho dx - lr grad U + s z."""
    rho, lr, s = numbers
    gradient, both = jax.grad(rastrigin), jax.value_and_grad(rastrigin)

    def step(n, walk):
        x, dx, best_x, best_energy = walk
        if best:
            energy, slope = jax.vmap(both)(x)
            better = energy < best_energy
            best_x = jnp.where(better[:, None], x, best_x)
            best_energy = jnp.where(better, energy, best_energy)
        else:
            slope = jax.vmap(gradient)(x)
        z = jax.random.normal(jax.random.fold_in(key, n), x.shape, x.dtype)
        dx = rho * dx - lr * slope + s * z
        return x + dx, dx, best_x, best_energy

    return jax.lax.fori_loop(0, STEPS, step, (x, dx, best_x, best_energy))


def contestants(replicas: int) -> dict[str, Callable[[], object]]:
    """What makes `STEPS` steps, by name."""
    x0 = np.random.default_rng(0).uniform(-5, 5, (replicas, DIM))
    U = Potential.from_jax(rastrigin, DIM)
    options = dict(record_every=10**9, integrator="bbk", rng=0)
    ours = prepare(U, x0, SCHEDULE, 10**9, **options)
    steps = ours.coefficients(0, STEPS)
    numbers = tuple(float(a[0]) for a in (steps.rho, steps.lr, steps.s))

    def hand(best: bool) -> None:
        with jax.enable_x64(True):
            x, best_x = jnp.array(x0), jnp.array(x0)
            walk = x, jnp.zeros_like(x), best_x, jnp.full(replicas, jnp.inf)
            jax.block_until_ready(by_hand(*walk, numbers, jax.random.key(0), best))

    return {
        "langevin_sa": lambda: ours.backend.advance(steps),
        "by hand, gradients only": partial(hand, False),
        "by hand, energies and the lowest": partial(hand, True),
    }


def race(runs: dict[str, Callable[[], object]]) -> dict[str, np.ndarray]:
    """Seconds (repeats, 2) of each, of the clock and of processors."""
    for run in runs.values():
        run()
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for _ in range(REPEATS):
        for name, run in runs.items():
            clock, processors = time.perf_counter(), time.process_time()
            run()
            spent = time.perf_counter() - clock, time.process_time() - processors
            times[name].append(spent)
    return {name: np.array(spent) for name, spent in times.items()}


if __name__ == "__main__":
    replicas = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    times = race(contestants(replicas))
    print(f"{replicas:<27}{'clock: least':>16}{'median':>8}{'processors: least':>19}{'median':>8}")
    for name, spent in times.items():
        ns = 1e9 * spent / (STEPS * replicas * DIM)
        least, median = ns.min(0), np.median(ns, axis=0)
        print(f"{name:33}{least[0]:10.1f}{median[0]:8.1f}{least[1]:19.1f}{median[1]:8.1f}")
