"""The kernels beside other ways to do the same on one card: the part `peers` of gpu.py.

Ours is `Backend.advance` on arrays that stay on the card, with energies, the lowest point and the
sums for thermometers, which the peers leave out. Every contestant makes the same number of steps
of the same recursion from the same start. It is timed only if its mean squared displacements are
numba's within five standard errors.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from typing import Any

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # the card is shared

import numpy as np
from gpu_cases import CASES, DTYPES, TEMPERATURE, Case, LeftOut, mover
from gpu_speed import clock

MOST_NUMBERS = 2 * 10**5  # of the runs that are compared
Contestant = tuple[Callable[[], Any], Callable[[], np.ndarray]]  # run, positions
Rows = Iterator[tuple[str, str, Callable[[], dict[str, Any]]]]


def double_well(_: Any, x: Any) -> Any:
    """Gradients, of NumPy-like libraries and their arrays."""
    return 4 * x * (x * x - 1) + 0.3


def rastrigin(xp: Any, x: Any) -> Any:
    return 2 * x + 62.83185307179586 * xp.sin(6.283185307179586 * x)


def chain(xp: Any, x: Any) -> Any:
    return x * x * x - x + 2 * x - xp.roll(x, 1, 1) - xp.roll(x, -1, 1)


def cluster(xp: Any, x: Any) -> Any:
    """All pairs, (replicas, 3*particles)."""
    r = x.reshape(len(x), -1, 3)
    d = r[:, :, None] - r[:, None]
    place = {"device": x.device} if xp.__name__ == "torch" else {}
    eye = xp.eye(r.shape[1], dtype=x.dtype, **place)
    s = (1 - eye) / ((d * d).sum(-1) + eye)
    s3 = s * s * s
    return (((24 * s3 - 48 * s3 * s3) * s)[..., None] * d).sum(2).reshape(x.shape)


GRADIENTS = {
    "double well, 10^6 replicas": double_well,
    "Rastrigin of 10 coordinates, 10^5 replicas": rastrigin,
    "phi^4 chain of 10^7 sites": chain,
    "38 Lennard-Jones particles, 1024 replicas": cluster,
}
FLUID = "8000 Lennard-Jones particles with a cut-off"


def peers(tiny: bool) -> Rows:
    """Ours and all others, potential by potential."""
    for name, gradient in GRADIENTS.items():
        for dtype in DTYPES:
            contestants: dict[str, Callable[..., Contestant]] = {"langevin_sa, gjf": ours}
            contestants["langevin_sa, bbk"] = partial(ours, integrator="bbk")
            for kind in ("threefry2x32", "rbg"):
                contestants[f"JAX, {kind}"] = partial(in_jax, kind=kind)
            for kind in ("eager", "CUDA graph", "compiled"):
                contestants[f"torch, {kind}"] = partial(in_torch, kind=kind)
            contestants["CuPy, fused step, cuRAND"] = in_cupy
            if gradient is double_well:
                contestants["numba.cuda, xoroshiro128p"] = in_numba
            for peer, make in contestants.items():
                row = partial(contest, make, CASES[name].scaled(tiny), dtype, gradient, peer)
                yield name, f"{peer}, {dtype}", row
    for peer, make in {"langevin_sa, gjf": ours, "OpenMM CUDA": in_openmm}.items():
        row = partial(contest, make, CASES[FLUID].scaled(tiny), "float32", None, peer)
        yield FLUID, f"{peer}, float32", row


def contest(make: Any, case: Case, dtype: str, gradient: Any, peer: str) -> dict[str, Any]:
    """Compare the first run, then time more."""
    try:
        run, positions = make(case, dtype, gradient)
    except ImportError as error:
        raise LeftOut(str(error)) from None
    run()
    cells = {}
    expected = reference(case, "bbk" if "bbk" in peer else "gjf")
    for what, (mean, error) in displacement(case, positions()).items():
        right, other = expected[what]
        slack = 0.05 * right if "OpenMM" in peer else 0.0  # another scheme
        if not abs(mean - right) <= 5 * np.hypot(error, other) + slack:
            wrong = f"{what} {mean:.5g} +- {error:.2g}, numba's {right:.5g} +- {other:.2g}"
            return {"failed": f"{wrong}: not timed", "ok": False}
        cells[what] = mean
    timed = clock(run, case.steps * case.replicas * positions().shape[-1])
    cells |= {"_beside": f"langevin_sa, gjf, {dtype}", "ok": True}
    return {"ps": timed["ps"], "spread": timed["spread"], **cells}


def displacement(case: Case, x: np.ndarray) -> dict[str, tuple[float, float]]:
    """Mean square since the start and its standard error, over replicas or pieces of a system: of
    what began in a minimum, which noise decides about, and of what began elsewhere.
    """
    start = starts(case)
    rows = max(1, MOST_NUMBERS // start.shape[1])
    squares = (x[:rows].astype(float) - start[:rows]) ** 2
    if len(squares) < 64:
        size = min(12, start.shape[1])  # whole particles
        squares = squares[:, : start.shape[1] // size * size].reshape(-1, size)
    settled = (start[:rows].reshape(-1)[: squares.size].reshape(squares.shape) == case.rest).all(1)
    parts = {"moved from rest": squares[settled], "moved": squares[~settled]}
    means = {what: part.mean(axis=1) for what, part in parts.items() if len(part)}
    return {what: (float(m.mean()), float(m.std() / len(m) ** 0.5)) for what, m in means.items()}


@cache
def starts(case: Case) -> np.ndarray:
    """Starting points (replicas, dim), every other one or half of a system at rest."""
    x = case.start(case.potential())
    if case.rest is not None and len(x) > 1:
        x[::2] = case.rest
    elif case.rest is not None:
        x[:, : x.shape[1] // 2] = case.rest
    return x


@cache
def reference(case: Case, integrator: str) -> dict[str, tuple[float, float]]:
    """The same of numba with other noise; of fewer replicas, or a shorter chain."""
    if case.replicas == 1 and case.make is CASES["phi^4 chain of 10^7 sites"].make:
        case = replace(case, size=min(case.size, MOST_NUMBERS))
    case = replace(case, replicas=min(case.replicas, max(1, MOST_NUMBERS // starts(case).shape[1])))
    one = walk(case, "float64", "numba", seed=2)
    one.advance(case.coefficients(case.steps, integrator))
    return displacement(case, one.walk.x)


def walk(case: Case, dtype: str, backend: str, seed: int) -> Any:
    """From these starting points, on all threads."""
    threads = len(os.sched_getaffinity(0))
    return mover(case, case.potential(), dtype, backend, threads, seed, starts(case))


def numbers(case: Case) -> tuple[float, float, float]:
    """rho, lr and half of s, which scales each of the two normals of a step."""
    steps = case.coefficients(1)
    return float(steps.rho[0]), float(steps.lr[0]), float(steps.s[0]) / 2


def ours(case: Case, dtype: str, _: Any, integrator: str = "gjf") -> Contestant:
    """The backend's `advance`."""
    one, steps = walk(case, dtype, "cupy", 1), case.coefficients(case.steps, integrator)
    return partial(one.advance, steps), lambda: one.walk.x.get()


def in_jax(case: Case, dtype: str, gradient: Any, kind: str) -> Contestant:
    """A jitted `fori_loop`."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    rho, lr, s = (jnp.asarray(v, dtype) for v in numbers(case))

    def step(_: Any, state: Any) -> Any:
        x, dx, half, key = state
        key, draw = jax.random.split(key)
        kick = s * jax.random.normal(draw, x.shape, x.dtype)
        dx = rho * dx - lr * gradient(jnp, x) + kick + half
        return x + dx, dx, kick, key

    go = jax.jit(lambda state: jax.lax.fori_loop(0, case.steps, step, state))
    x0 = jnp.asarray(starts(case), dtype)
    zero = jnp.zeros_like(x0)
    state = [(x0, zero, zero, jax.random.key(0, impl=kind))]

    def run() -> None:
        state[0] = jax.block_until_ready(go(state[0]))

    return run, lambda: np.asarray(state[0][0])


def in_torch(case: Case, dtype: str, gradient: Any, kind: str) -> Contestant:
    """torch: eager, or one step compiled, or one step in a CUDA graph."""
    import torch

    there = torch.cuda.is_available()
    if kind != "eager" and not there:
        raise LeftOut(f"torch {torch.__version__} sees no card")
    place = "cuda" if there else "cpu"
    x = torch.tensor(starts(case), dtype=getattr(torch, dtype), device=place)
    dx, half, kick = torch.zeros_like(x), torch.zeros_like(x), torch.zeros_like(x)
    rho, lr, s = numbers(case)

    def step() -> None:
        kick.normal_().mul_(s)
        dx.mul_(rho).sub_(gradient(torch, x), alpha=lr).add_(kick).add_(half)
        x.add_(dx)
        half.copy_(kick)

    go: Any = step
    if kind == "compiled":
        go = torch.compile(step)
    elif kind == "CUDA graph":
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side), torch.inference_mode():
            step()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph), torch.inference_mode():
            step()
        x.copy_(torch.tensor(starts(case), dtype=x.dtype))
        dx.zero_(), half.zero_()
        go = graph.replay

    def run() -> None:
        with torch.inference_mode():
            for _ in range(case.steps):
                go()
        if there:
            torch.cuda.synchronize()

    return run, lambda: x.cpu().numpy()


def in_cupy(case: Case, dtype: str, gradient: Any) -> Contestant:
    """cuRAND's normals, and `cupy.fuse` for what is elementwise: all but neighbours and pairs."""
    import cupy

    local = gradient in (double_well, rastrigin)
    rho, lr, s = (np.dtype(dtype).type(v) for v in numbers(case))
    generator = cupy.random.Generator(cupy.random.Philox4x3210(1))
    x = [cupy.asarray(starts(case).astype(dtype))]
    dx, half, z = (cupy.zeros_like(x[0]) for _ in range(3))
    state = [dx, half]

    @cupy.fuse()
    def step(x: Any, dx: Any, half: Any, z: Any, g: Any, rho: Any, lr: Any, s: Any) -> Any:
        kick = s * z
        dx = rho * dx - lr * (gradient(cupy, x) if local else g) + kick + half
        return x + dx, dx, kick

    def run() -> None:
        for _ in range(case.steps):
            generator.standard_normal(z.shape, dtype=dtype, out=z)
            g = z if local else gradient(cupy, x[0])
            x[0], *state[:] = step(x[0], *state, z, g, rho, lr, s)
        x[0][:1, :1].get()

    return run, lambda: x[0].get()


def in_numba(case: Case, dtype: str, _: Any) -> Contestant:
    """One thread a replica of one coordinate, all steps in one launch."""
    import gpu_numba

    if not gpu_numba.cuda.is_available():
        raise LeftOut("numba.cuda sees no card")
    return gpu_numba.double_well(starts(case), dtype, case.steps, *numbers(case))


def in_openmm(case: Case, dtype: str, _: Any) -> Contestant:
    """NonbondedForce without charges, mixed precision; LangevinMiddle, neighbour lists."""
    import openmm as mm

    known = [mm.Platform.getPlatform(k).getName() for k in range(mm.Platform.getNumPlatforms())]
    if "CUDA" not in known:
        raise LeftOut(f"OpenMM has no CUDA platform, only {', '.join(known)}")
    box = (case.size / 0.8) ** (1 / 3)  # the density of the catalogue's fluid
    system, force = mm.System(), mm.NonbondedForce()
    system.setDefaultPeriodicBoxVectors(*(mm.Vec3(*row) for row in box * np.eye(3)))
    for _ in range(case.size):
        system.addParticle(1.0)
        force.addParticle(0.0, 1.0, 1.0)
    force.setNonbondedMethod(mm.NonbondedForce.CutoffPeriodic)
    force.setCutoffDistance(2.5)
    force.setUseDispersionCorrection(False)
    system.addForce(force)
    kelvin = TEMPERATURE / 0.00831446261815324
    scheme = mm.LangevinMiddleIntegrator(kelvin, 1.0, case.dt)
    platform = mm.Platform.getPlatformByName("CUDA")
    context = mm.Context(system, scheme, platform, {"Precision": "mixed"})
    context.setPositions(starts(case)[0].reshape(-1, 3))

    def positions() -> np.ndarray:
        state = context.getState(getPositions=True)
        return state.getPositions(asNumpy=True)._value.reshape(1, -1)

    def run() -> None:
        scheme.step(case.steps)
        context.getState(getEnergy=True)

    return run, positions
