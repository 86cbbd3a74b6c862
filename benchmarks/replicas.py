"""Many replicas of a small system: langevin_sa against loops by hand, JAX, JAX-MD, diffrax, OpenMM,
NumPy, torch and deeptime.

All run on one thread and integrate the same equation for the same replicas from the same points;
times are of a step of one replica. Ours, `simulate` and the kernel alone, works in float64 with
float32 normals, keeps the lowest energy and point of every replica and the sums that thermometers
read, finds energies that are not finite, and its noise is a function of (seed, step, replica).
What the others do more or less is said in the tables. Those that take long do fewer steps.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import click
import numpy as np
from handwritten import by_hand
from timing import THREADS, Case, gather, kernel, machine, measure, noise, plot, table

import langevin_sa as lsa

FEWER = 10  # times fewer steps of the peers
BARE = "no best point, nothing checked or measured"
BOLTZMANN = 0.00831446261815324  # kJ/mol/K, OpenMM's unit


@dataclass
class Workload:
    """A potential and how it is run."""

    name: str
    potential: lsa.Potential
    replicas: int
    steps: int
    dt: float
    temperature: float
    jax_energy: Callable[[Any, Any], Any]  # (jax.numpy, x (replicas, dim)) -> sum of energies
    gamma: float = 1.0
    at_minimum: bool = False  # start there, not all over the domain

    def __post_init__(self) -> None:
        drawn = self.potential.draw_start(self.replicas, np.random.default_rng(0))
        self.x0 = (
            np.tile(self.potential.minima[:1], (self.replicas, 1)) if self.at_minimum else drawn
        )
        self.work = self.replicas * self.steps
        self.schedule = lsa.Schedule(temperature=self.temperature, gamma=self.gamma, dt=self.dt)
        steps = self.schedule.coefficients(1, "gjf")
        self.rho, self.lr, self.s = (float(v[0]) for v in (steps.rho, steps.lr, steps.s))


def double_well_gradient(x: Any) -> Any:
    """dU/dx of (x^2 - 1)^2 + 0.3 x."""
    return 4 * x * (x * x - 1) + 0.3


def double_well_energy(x: Any) -> Any:
    """(x^2 - 1)^2 + 0.3 x."""
    return (x * x - 1) ** 2 + 0.3 * x


def ours(w: Workload, integrator: str = "gjf") -> Case:
    """The whole of `simulate`, its slices, copies and thermometers included."""

    def run() -> float:
        *_, last = lsa.simulate(
            w.potential,
            w.x0,
            w.schedule,
            w.steps,
            integrator=integrator,
            record_every=w.steps,
            rng=1,
            threads=THREADS,
        )
        return float(last.energy.mean())

    return Case(f"langevin_sa, {integrator}", run, w.work)


def our_kernel(w: Workload) -> Case:
    """One call of the backend."""
    return Case("langevin_sa, kernel alone", kernel(w.potential, w.x0, w.schedule, w.steps), w.work)


def jax_loop(w: Workload, generator: str, dtype: str, goal: float | None) -> Case:
    """The same recursion, jitted: `jax.random.normal` in a `lax.fori_loop`."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    gradient = jax.grad(lambda x: w.jax_energy(jnp, x))

    def step(_: Any, state: Any) -> Any:
        x, dx, half, key = state
        key, draw = jax.random.split(key)
        kick = 0.5 * w.s * jax.random.normal(draw, x.shape, x.dtype)
        dx = w.rho * dx - w.lr * gradient(x) + (kick + half)
        return x + dx, dx, kick, key

    @jax.jit
    def run(x: Any) -> Any:
        zero, key = jnp.zeros_like(x), jax.random.key(0, impl=generator)
        x = jax.lax.fori_loop(0, w.steps, step, (x, zero, zero, key))[0]
        return w.jax_energy(jnp, x) / len(x)

    x0 = jnp.asarray(w.x0, dtype)
    name = f"JAX, {dtype}, {generator.removesuffix('2x32')}"
    return Case(name, lambda: run(x0).block_until_ready(), w.work, goal, BARE)


def jax_loops(w: Workload, double: float, single: float | None) -> list[Callable[[], Case]]:
    """What makes them in both precisions with both generators, with their goals."""
    return [
        partial(jax_loop, w, generator, dtype, goal)
        for dtype, goal in (("float64", double), ("float32", single))
        for generator in ("threefry2x32", "rbg")
    ]


def jax_md(w: Workload) -> Case:
    """`jax_md.simulate.nvt_langevin` in a `lax.fori_loop`, float64."""
    import jax
    import jax.numpy as jnp
    from jax_md import simulate, space

    jax.config.update("jax_enable_x64", True)
    _, shift = space.free()
    start, step = simulate.nvt_langevin(
        lambda x, **_: w.jax_energy(jnp, x), shift, w.dt, w.temperature, w.gamma
    )

    @jax.jit
    def run(x: Any) -> Any:
        state = start(jax.random.PRNGKey(0), x, 1.0)
        state = jax.lax.fori_loop(0, w.steps, lambda _, state: step(state), state)
        return w.jax_energy(jnp, state.position) / len(x)

    x0 = jnp.asarray(w.x0)
    note = f"BAOAB in float64 from thermal velocities; {BARE}"
    return Case("JAX-MD nvt_langevin", lambda: run(x0).block_until_ready(), w.work, 10.0, note)


def openmm(w: Workload, packed: bool) -> Case:
    """CustomExternalForce on the CPU platform; `packed` puts three replicas into one particle, so
    that no axis is idle.
    """
    import openmm as mm

    axes = "xyz" if packed else "x"
    system = mm.System()
    force = mm.CustomExternalForce(" + ".join(f"({a}^2 - 1)^2 + 0.3*{a}" for a in axes))
    positions = np.zeros((-(-w.replicas // len(axes)), 3))
    positions[:, : len(axes)] = np.resize(w.x0, (len(positions), len(axes)))
    for k in range(len(positions)):
        system.addParticle(1.0)
        force.addParticle(k, [])
    system.addForce(force)
    integrator = mm.LangevinMiddleIntegrator(w.temperature / BOLTZMANN, w.gamma, w.dt)
    platform = mm.Platform.getPlatformByName("CPU")
    context = mm.Context(system, integrator, platform, {"Threads": str(THREADS)})

    def run() -> float:
        context.setPositions(positions)
        context.setVelocities(np.zeros_like(positions))
        integrator.step(w.steps)
        return context.getState(getEnergy=True).getPotentialEnergy()._value / (
            len(positions) * len(axes)
        )

    name = "OpenMM CPU, 3 replicas a particle" if packed else "OpenMM CPU, 1 replica a particle"
    note = f"LangevinMiddle in single precision and three dimensions; {BARE}"
    return Case(name, run, w.work, 10.0, note)


def numpy_loop(w: Workload) -> Case:
    """The recursion with NumPy's own normals, in place."""

    def run() -> float:
        rng, x, half = np.random.default_rng(0), w.x0.copy(), np.zeros_like(w.x0)
        dx = np.zeros_like(x)
        for _ in range(w.steps):
            kick = 0.5 * w.s * rng.standard_normal(x.shape)
            dx = w.rho * dx - w.lr * double_well_gradient(x) + kick + half
            x, half = x + dx, kick
        return float(double_well_energy(x).mean())

    return Case("NumPy", run, w.work, 12.0, BARE)


def torch_loop(w: Workload) -> Case:
    """The recursion with torch tensors, float64."""
    import torch

    torch.set_num_threads(THREADS)
    x0 = torch.tensor(w.x0)

    def run() -> float:
        torch.manual_seed(0)
        x, dx, half = x0.clone(), torch.zeros_like(x0), torch.zeros_like(x0)
        with torch.inference_mode():
            for _ in range(w.steps):
                kick = torch.randn_like(x).mul_(0.5 * w.s)
                dx = dx.mul_(w.rho).sub_(double_well_gradient(x), alpha=w.lr).add_(kick).add_(half)
                x.add_(dx)
                half = kick
        return float(double_well_energy(x).mean())

    return Case("torch", run, w.work, None, BARE)


def deeptime(w: Workload, system: str) -> Case:
    """deeptime's C++ Euler-Maruyama integrator; the noise of its double_well_2d is sqrt(kT/2) a
    root of time, a quarter of T.
    """
    import deeptime.data

    factor = 4 * w.temperature if system == "double_well_2d" else w.temperature
    model = getattr(deeptime.data, system)(h=w.dt, n_steps=w.steps, temperature_factor=factor)

    def run() -> float:
        return float(w.potential.energy(model(w.x0, n_jobs=THREADS)).mean())

    return Case("deeptime C++", run, w.work, 10.0, f"Euler-Maruyama; {BARE}")


def diffrax(w: Workload, path: str) -> Case:
    """diffrax's Euler method under `vmap`, float64, with Brownian motion from a tree that can be
    asked for any interval again, or from a key a step.
    """
    import diffrax as dfx
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    force = jax.grad(lambda x: -w.jax_energy(jnp, x[None]))
    end, sigma = w.dt * w.steps, float(np.sqrt(2 * w.temperature))
    shape = jax.ShapeDtypeStruct((w.potential.dim,), "float64")

    def one(x: Any, key: Any) -> Any:
        if path == "VirtualBrownianTree":
            motion = dfx.VirtualBrownianTree(0.0, end, tol=w.dt / 2, shape=shape, key=key)
        else:
            motion = dfx.UnsafeBrownianPath(shape=shape, key=key)
        drift = dfx.ODETerm(lambda t, x, _: force(x))
        kicks = dfx.ControlTerm(lambda t, x, _: sigma * jnp.eye(w.potential.dim), motion)
        terms = dfx.MultiTerm(drift, kicks)
        options = {"adjoint": dfx.DirectAdjoint(), "max_steps": w.steps + 2}
        if path == "VirtualBrownianTree":
            options = {"max_steps": None}
        return dfx.diffeqsolve(terms, dfx.Euler(), 0.0, end, w.dt, x, **options).ys[0]

    @jax.jit
    def run(x: Any) -> Any:
        x = jax.vmap(one)(x, jax.random.split(jax.random.key(0), len(x)))
        return w.jax_energy(jnp, x) / len(x)

    x0 = jnp.asarray(w.x0)
    again = "noise can be made again" if path == "VirtualBrownianTree" else ""
    note = ", ".join(filter(None, [f"Euler-Maruyama, {w.replicas:,} replicas", again, BARE]))
    return Case(f"diffrax, {path}", lambda: run(x0).block_until_ready(), w.work, None, note)


def double_well_sum(_: Any, x: Any) -> Any:
    """Sum over replicas."""
    return double_well_energy(x).sum()


def double_well_2d(_: Any, x: Any) -> Any:
    """The same in two dimensions, without the tilt."""
    return ((x[:, 0] ** 2 - 1) ** 2 + x[:, 1] ** 2).sum()


def rastrigin(np_: Any, x: Any) -> Any:
    """Rastrigin's function."""
    return (x * x - 10 * np_.cos(2 * np_.pi * x) + 10).sum()


def muller_brown(np_: Any, x: Any) -> Any:
    """Muller and Brown's function."""
    x, y = x[:, 0], x[:, 1]
    return (
        -200 * np_.exp(-((x - 1) ** 2) - 10 * y**2)
        - 100 * np_.exp(-(x**2) - 10 * (y - 0.5) ** 2)
        - 170 * np_.exp(-6.5 * (x + 0.5) ** 2 + 11 * (x + 0.5) * (y - 1.5) - 6.5 * (y - 1.5) ** 2)
        + 15 * np_.exp(0.7 * (x + 1) ** 2 + 0.6 * (x + 1) * (y - 1) + 0.7 * (y - 1) ** 2)
    ).sum()


def compared(w: Workload, ours: list[Case], peers: list[Callable[[], Case]], repeats: int) -> Any:
    """Measure and print."""
    cases = measure([*ours, *gather(peers)], repeats)
    table(f"{w.name}, {w.replicas:,} replicas, {w.steps} steps", cases, "replica-step")
    kernel, noise = cases[1:3]
    if noise.name.startswith("noise"):
        share = noise.median / kernel.median, noise.fastest / kernel.fastest
        print("\nkernel at {:.0%} ({:.0%}) of the speed of its noise (goal 70 %)".format(*share))
    return cases


@click.command()
@click.option("--quick", is_flag=True, help="A hundredth of the work, to see that it runs.")
@click.option("--repeats", default=7, show_default=True)
def main(quick: bool, repeats: int) -> None:
    """Compare replica kernels."""
    machine()
    # ermak_mccammon at this dt, as deeptime runs it
    warnings.filterwarnings("ignore", "omega.dt", UserWarning)
    many, some, steps = (10**4, 10**3, 100) if quick else (10**5, 10**4, 1000)
    groups = {}

    potential = lsa.potentials.double_well()
    w = Workload("Double well", potential, many, steps, 0.05, 0.3, double_well_sum)
    short = replace(w, steps=steps // FEWER)
    peers = [
        *by_hand(w.x0, steps // FEWER, None, None),
        *jax_loops(short, 15.0, 8.0),
        partial(jax_md, short),
        partial(openmm, short, False),
        partial(openmm, short, True),
        partial(numpy_loop, short),
        partial(torch_loop, short),
    ]
    groups[w.name] = compared(w, [ours(w), our_kernel(w), noise(w.work)], peers, repeats)

    for w in (
        Workload(
            "Rastrigin(10)", lsa.potentials.rastrigin(dim=10), some, steps, 0.02, 5.0, rastrigin
        ),
        Workload(
            "Muller-Brown",
            lsa.potentials.muller_brown(),
            many,
            steps,
            0.01,
            15.0,
            muller_brown,
            at_minimum=True,
        ),
    ):
        noisy = noise(w.work * w.potential.dim)
        noisy.work = w.work
        peers = jax_loops(replace(w, steps=steps // FEWER), 5.0, None)
        groups[w.name] = compared(w, [ours(w), our_kernel(w), noisy], peers, repeats)

    flat = lsa.Potential.from_formula("(x**2 - 1)**2 + y**2", bounds=(-1.5, 1.5))
    for system, potential, dt, temperature, energy in (
        ("double_well_2d", flat, 0.01, 0.3, double_well_2d),
        ("prinz_potential", lsa.potentials.prinz(), 0.001, 1.0, None),
    ):
        w = Workload(f"Overdamped {system}", potential, many, steps, dt, temperature, energy)
        peers = [partial(deeptime, replace(w, steps=steps // FEWER), system)]
        if energy:
            few = replace(w, replicas=some // 50)
            paths = ("VirtualBrownianTree", "UnsafeBrownianPath")
            peers += [partial(diffrax, few, path) for path in paths]
        both = [ours(w, "leimkuhler_matthews"), ours(w, "ermak_mccammon")]
        groups[w.name] = compared(w, both, peers, repeats)

    if not quick:
        plot("replicas", groups)


if __name__ == "__main__":
    main()
