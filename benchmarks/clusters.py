"""Lennard-Jones clusters: time of one energy and force call of one replica, in a batch of 256.

Ours is a whole step (force, recursion, lowest point kept) at T = 0 from points near a minimum; JAX
and JAX-MD step x - 1e-9*gradient inside one jitted loop, with energy and gradient of all pairs in
float64; ASE's calculator takes one replica at a time and is asked for forces and energy after every
move.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import click
import numpy as np
from timing import Case, gather, kernel, machine, measure, plot, table

import langevin_sa as lsa


def relaxed(particles: int, replicas: int) -> np.ndarray:
    """Points (replicas, 3*particles) of clusters annealed a little, so that all forces are
    moderate.
    """
    schedule = lsa.Schedule(temperature=lsa.schedules.exponential(0.3, 0.01), gamma=5.0, dt=0.005)
    result = lsa.anneal(
        lsa.potentials.lennard_jones(particles),
        schedule=schedule,
        n_steps=500,
        replicas=replicas,
        rng=1,
    )
    return result.state.x


def ours(x0: np.ndarray, particles: int, steps: int) -> Case:
    """The kernel at T = 0 with a tiny step."""
    advance = kernel(
        lsa.potentials.lennard_jones(particles),
        x0,
        lsa.Schedule(temperature=0.0, gamma=1.0, dt=1e-6),
        steps,
    )
    return Case("langevin_sa kernel", advance, steps * len(x0))


def descend(name: str, energy: Any, x0: np.ndarray, particles: int, steps: int) -> Case:
    """jit(vmap(value_and_grad(energy))) in a loop, energy of (particles, 3)."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    force = jax.vmap(jax.value_and_grad(energy))

    def step(_: Any, state: Any) -> Any:
        e, g = force(state[0])
        return state[0] - 1e-9 * g, e

    run = jax.jit(lambda x: jax.lax.fori_loop(0, steps, step, (x, jnp.zeros(len(x))))[1].mean())
    start = jnp.asarray(x0.reshape(-1, particles, 3))
    return Case(name, lambda: run(start).block_until_ready(), steps * len(x0), 5.0)


def jax_md(x0: np.ndarray, particles: int, steps: int) -> Case:
    """JAX-MD's pair energy without a cutoff, all pairs."""
    import jax

    jax.config.update("jax_enable_x64", True)
    from jax_md import energy, smap, space

    displacement, _ = space.free()
    pair = smap.pair(
        energy.lennard_jones,
        space.canonicalize_displacement_or_metric(displacement),
        sigma=1.0,
        epsilon=1.0,
    )
    return descend("JAX-MD jit + vmap", pair, x0, particles, steps)


def jax_pairs(x0: np.ndarray, particles: int, steps: int) -> Case:
    """Plain JAX over the list of pairs i < j."""
    i, j = np.triu_indices(particles, 1)

    def energy(x: Any) -> Any:
        s = 1 / ((x[i] - x[j]) ** 2).sum(1) ** 3
        return 4 * (s * s - s).sum()

    return descend("JAX, pairs i < j", energy, x0, particles, steps)


def ase(x0: np.ndarray, particles: int, calls: int) -> Case:
    """ASE's LennardJones calculator with a cutoff beyond the cluster."""
    from ase import Atoms
    from ase.calculators.lj import LennardJones

    atoms = Atoms(f"Ar{particles}", positions=x0[0].reshape(-1, 3))
    atoms.calc = LennardJones(sigma=1.0, epsilon=1.0, rc=100.0)
    atoms0 = x0[:calls].reshape(-1, particles, 3)

    def run() -> float:
        total = 0.0
        for positions in atoms0:
            atoms.set_positions(positions)
            atoms.get_forces()
            total += atoms.get_potential_energy()
        return total / len(atoms0)

    return Case(
        "ASE LennardJones",
        run,
        len(atoms0),
        20.0,
        threads=1,
        note=f"mean of {len(atoms0)} replicas",
    )


@click.command()
@click.option("--quick", is_flag=True, help="Few calls, to see that it runs.")
@click.option("--repeats", default=5, show_default=True)
@click.option("--replicas", default=256, show_default=True)
def main(quick: bool, repeats: int, replicas: int) -> None:
    """Compare force calls of clusters."""
    machine()
    groups = {}
    for particles, steps, theirs, calls in ((38, 2000, 100, 32), (147, 200, 10, 8)):
        if quick:
            steps, theirs = steps // 20, theirs // 5
        x0 = relaxed(particles, replicas)
        peers = [partial(peer, x0, particles, theirs) for peer in (jax_md, jax_pairs)]
        cases = [ours(x0, particles, steps), *gather([*peers, partial(ase, x0, particles, calls)])]
        groups[f"LJ{particles}"] = measure(cases, repeats)
        pairs = particles * (particles - 1) // 2
        table(
            f"Lennard-Jones {particles}, {replicas} replicas, {pairs} pairs, float64",
            cases,
            "force call",
        )
        print(f"langevin_sa: {1e9 * cases[0].median / pairs:.3f} ns a pair")
    if not quick:
        plot("clusters", groups)


if __name__ == "__main__":
    main()
