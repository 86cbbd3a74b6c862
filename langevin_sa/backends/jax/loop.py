"""The recursion in JAX: as many steps as a slice has, in one call."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ...momentum import Steps
from ..cpu.drawn import TOGETHER, draw_steps
from ..walk import ARRAYS, DIVERGED, Backend, NonFinite, Walk, room_for, share
from .philox import normals
from .trigonometry import with_vectors

NORMALS_TOGETHER = 2**20  # that lie ready for a call
FEWEST, MOST = 8, 1024  # steps of a call
WORTH_A_THREAD = 20_000  # coordinates
KEPT = tuple(name for name in ARRAYS if name != "work")


def ON_CPU(): return jax.default_backend()=="cpu"


def loop_of(energy_gradient: Callable[[Any], tuple[Any, Any]]) -> Callable[..., Any]:
    """The compiled loop ``go(walk, noise, numbers, start, count, paired, purpose=..., wall=...)``
    over steps start <= n < count, or up to a failure that is no wall.

    Parameters
    ----------
    energy_gradient : callable
        Energies (replicas,) and gradients (replicas, dim) at x (replicas, dim), in JAX.
    """

    if ON_CPU():
        energy_gradient = with_vectors(energy_gradient)

    def go(
        walk: dict[str, Any], noise: Any, numbers: Any, start: int, count: int, paired: Any, **asked: Any
    ) -> dict[str, Any]:
        def goes_on(at: tuple[Any, dict[str, Any]]) -> Any:
            return (at[0] < count) & (at[1]["lost"] < 0)

        def step(at: tuple[Any, dict[str, Any]]) -> tuple[Any, dict[str, Any]]:
            moved = _moved(*at, noise, numbers, paired, asked["purpose"])
            return at[0] + 1, _looked(at[0] >= 0, at[1], moved, energy_gradient, asked["wall"])

        return lax.while_loop(goes_on, step, (start, walk))[1]

    return jax.jit(go, static_argnames=("purpose", "wall"), donate_argnames="walk")


def _moved(
    n: Any, was: dict[str, Any], noise: Any, numbers: Any, paired: Any, purpose: int
) -> dict[str, Any]:
    """The walk after step n, and where n is -1 as it was; the recursion is that of
    `langevin_sa.backends.numpy`.
    """
    moves, n = n >= 0, jnp.maximum(n, 0)
    carry, lr, kick, tail, weight22, weight = lax.dynamic_index_in_dim(numbers, n, keepdims=False)
    if noise.ndim == 3:
        z = lax.dynamic_index_in_dim(noise, n, keepdims=False)
    else:
        z = normals(noise, was["step"], purpose, was["x"].shape)
    fresh = kick * z + jnp.where(paired, was["noise"], 0.0)
    dx = (carry * was["dx"] - lr * was["gradient"] + fresh).astype(was["dx"].dtype)
    squares = (dx.astype(float) ** 2).sum(1)
    now = {
        "x": was["x"] + dx,
        "dx": dx,
        "noise": jnp.where(paired, tail * z, was["noise"]),
        "dx2": was["dx2"] + squares * weight22,
        "kinetic": was["kinetic"] + squares * weight,
        "step": was["step"] + 1,
    }
    return was | {name: jnp.where(moves, new, was[name]) for name, new in now.items()}


def _looked(
    moved: Any,
    was: dict[str, Any],
    now: dict[str, Any],
    energy_gradient: Callable[[Any], tuple[Any, Any]],
    wall: bool,
) -> dict[str, Any]:
    """The walk after a look at energies and gradients: replicas whose step met a wall are back
    where they `was`; `lost` is the first for which that was none, or -1.
    """
    energy, gradient = energy_gradient(now["x"].astype(float))
    fails = ~(jnp.isfinite(energy) & jnp.isfinite(gradient).all(1))
    turns = jnp.zeros_like(fails)
    if wall:
        sound = (abs(was["energy"]) < DIVERGED) & jnp.isfinite(now["dx"]).all(1)
        turns = fails & sound & moved
        back = turns[:, None]
        in_all, in_a_row = was["failures"].T
        failures = jnp.stack([in_all + turns, jnp.where(turns, in_a_row + 1, 0)], axis=1)
        now |= {
            "x": jnp.where(back, was["x"], now["x"]),
            "dx": jnp.where(back, -now["dx"], now["dx"]),
            "noise": jnp.where(back, -now["noise"], now["noise"]),
            "failures": jnp.where(moved, failures, was["failures"]),
        }
        energy = jnp.where(turns, was["energy"], energy)
        gradient = jnp.where(back, was["gradient"], gradient)
    lost, better = fails & ~turns, energy < was["best_energy"]
    return now | {
        "energy": energy,
        "gradient": gradient,
        "best_energy": jnp.where(better, energy, was["best_energy"]),
        "best_x": jnp.where(better[:, None], now["x"], was["best_x"]),
        "lost": jnp.where(lost.any(), jnp.argmax(lost), -1),
    }


class JaxBackend(Backend):
    """A function in JAX in the same loop as the recursion.

    Normals are made by the kernels of the CPU for a call at a time, while JAX computes what was
    called before; elsewhere inside of the loop.
    """

    turns_back = True

    def __init__(self, potential: Any, walk: Walk, threads: int = 1) -> None:
        self.potential, self.walk, self.loop = potential, walk, potential.jax_function.loop
        replicas, dim = walk.x.shape
        self.together = int(np.clip(NORMALS_TOGETHER // walk.x.size, FEWEST, MOST))
        self.on_cpu = jax.default_backend() == "cpu"
        self.columns = TOGETHER if replicas >= TOGETHER else 1
        groups = -(-replicas // self.columns)
        parts = min(threads, groups) if walk.x.size > WORTH_A_THREAD else 1
        self.parts = list(itertools.pairwise(np.linspace(0, groups, parts + 1).astype(int).tolist()))
        self.pool = ThreadPoolExecutor(threads) if parts > 1 else None
        self.seen: tuple[Any, Any] | None = None  # the gradient, and where it is known
        self.advance(Steps(*np.empty((3, 0))))  # energy and best at the start

    def advance(self, steps: Steps) -> None:
        """Move the walk on by the given steps."""
        w, count = self.walk, len(steps.rho)
        known = self.seen is not None and np.array_equal(self.seen[0], w.x)
        with jax.enable_x64(True):
            walk = {name: jnp.array(getattr(w, name)) for name in KEPT}
            walk["gradient"] = self.seen[1] if known else jnp.zeros(w.x.shape)
            walk |= {"step": jnp.array(w.step), "lost": jnp.array(-1)}
            self.seen = None
            for n in range(0, max(count, 1), self.together):
                numbers = np.zeros((self.together, 6))
                done = steps.numbers[n : n + self.together]
                numbers[: len(done)] = done
                noise = self._noise(w.step + n, len(done))
                start = 0 if known or n else -1
                asked = {"purpose": w.purpose, "wall": w.wall}
                walk = self.loop(walk, noise, numbers, start, len(done), steps.paired, **asked)
            for name in KEPT:
                getattr(w, name)[...] = walk[name]
        w.step, lost = int(walk["step"]), int(walk["lost"])
        if lost >= 0:
            raise NonFinite(w.step, w.first_replica + lost)
        self.seen = np.asarray(walk["x"]), walk["gradient"]

    def _noise(self, step: int, count: int) -> Any:
        """Normals (steps, replicas, dim) of so many steps, or what the loop makes them of."""
        replica, purpose, k0, k1 = self.walk.stream()
        if not self.on_cpu:
            return np.array([replica, k0, k1], dtype=np.uint32)
        z = room_for((self.together, *self.walk.x.shape), float)

        def draw(part: tuple[int, int]) -> None:
            draw_steps(z[:count], step, self.columns, (replica, purpose, k0, k1), *part)

        if count:
            share(self.pool, draw, self.parts)
        return z
