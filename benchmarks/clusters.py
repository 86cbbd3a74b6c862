"""Lennard-Jones clusters: time of one energy and force call of one replica, on one thread.

Ours is a whole step (force, recursion, lowest point kept) at T = 0 from points near a minimum; JAX
and JAX-MD step x - 1e-9*gradient inside one jitted loop, with energy and gradient of all pairs, in
float64 and in float32; ASE's calculator takes one replica at a time and is asked for forces and
energy after every move. The goal for ours is half a nanosecond a pair, with 8, 64 and 256 replicas.
A pair needs one division, so what divisions take alone is given beside it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import click
import numpy as np
from timing import Case, division, gather, kernel, machine, measure, plot, table

import langevin_sa as lsa

LESS = "a step of descent; no best point, nothing checked"


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
    return Case("langevin_sa, kernel", advance, steps * len(x0))


def descend(name: str, energy: Any, x0: np.ndarray, particles: int, steps: int, dtype: str) -> Case:
    """jit(vmap(value_and_grad(energy))) in a loop, energy of (particles, 3)."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    force = jax.vmap(jax.value_and_grad(energy))

    def step(_: Any, state: Any) -> Any:
        e, g = force(state[0])
        return state[0] - 1e-9 * g, e

    run = jax.jit(
        lambda x: jax.lax.fori_loop(0, steps, step, (x, jnp.zeros(len(x), dtype)))[1].mean()
    )
    start = jnp.asarray(x0.reshape(-1, particles, 3), dtype)
    goal = 5.0 if dtype == "float64" else None
    return Case(
        f"{name}, {dtype}", lambda: run(start).block_until_ready(), steps * len(x0), goal, LESS
    )


def jax_md(x0: np.ndarray, particles: int, steps: int, dtype: str) -> Case:
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
    return descend("JAX-MD", pair, x0, particles, steps, dtype)


def jax_pairs(x0: np.ndarray, particles: int, steps: int, dtype: str) -> Case:
    """Plain JAX over the list of pairs i < j."""
    i, j = np.triu_indices(particles, 1)

    def energy(x: Any) -> Any:
        s = 1 / ((x[i] - x[j]) ** 2).sum(1) ** 3
        return 4 * (s * s - s).sum()

    return descend("JAX, pairs i < j", energy, x0, particles, steps, dtype)


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

    note = f"one replica after the other, {len(atoms0)} of them; no step"
    return Case("ASE LennardJones", run, len(atoms0), 20.0, note)


@click.command()
@click.option("--quick", is_flag=True, help="Few calls, to see that it runs.")
@click.option("--repeats", default=7, show_default=True)
def main(quick: bool, repeats: int) -> None:
    """Compare force calls of clusters."""
    machine()
    groups, rows = {}, []
    for particles, steps, theirs, calls in ((38, 1000, 20, 16), (147, 100, 2, 4)):
        if quick:
            steps, theirs = steps // 20, max(1, theirs // 5)
        x0 = relaxed(particles, 256)
        peers = [
            partial(peer, x0, particles, theirs, dtype)
            for peer in (jax_md, jax_pairs)
            for dtype in ("float64", "float32")
        ]
        fewer = [ours(x0[:n], particles, steps * 256 // n) for n in (64, 8)]
        cases = [ours(x0, particles, steps), *gather([*peers, partial(ase, x0, particles, calls)])]
        divide = division()
        measure([*cases, *fewer, divide], repeats)
        groups[f"LJ{particles}"] = cases
        pairs = particles * (particles - 1) // 2
        table(f"Lennard-Jones {particles}, 256 replicas, {pairs:,} pairs", cases, "force call")
        for replicas, case in zip((256, 64, 8), (cases[0], *fewer), strict=True):
            least, verdict = 1e9 * case.fastest / pairs, 1e9 * case.median / pairs
            met = "met" if verdict <= 0.5 else f"**missed by a factor of {verdict / 0.5:.2g}**"
            rows.append(f"| LJ{particles} | {replicas} | {verdict:.3f} ({least:.3f}) | {met} |")
    alone = f"{1e9 * divide.median:.3f} ({1e9 * divide.fastest:.3f})"
    rows.append(f"| {divide.name} | | {alone} | |")
    print("\n| | replicas | ns a pair | goal .5 |\n|---|---|---|---|", *rows, sep="\n")
    if not quick:
        plot("clusters", groups)


if __name__ == "__main__":
    main()
