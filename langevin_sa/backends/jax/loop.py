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
from ..walk import ARRAYS, DIVERGED, Backend, NonFinite, Walk, exchange_rows, room_for, share
from .philox import normals
from .trigonometry import with_vectors

NORMALS_TOGETHER = 2**20  # that lie ready for a call
FEWEST, MOST = 8, 1024  # steps of a call
WORTH_A_THREAD = 20_000  # coordinates
KEPT = tuple(name for name in ARRAYS if name != "work")  # of a walk, in the loop

NOWHERE = np.empty(0), None
Walking = dict[str, Any]  # a walk in JAX's arrays by name, with its gradient and what is lost


def loop_of(energy_gradient: Callable[[Any], tuple[Any, Any]]) -> Callable[..., Any]:
    """The compiled loop ``go(walk, ...)`` over steps start <= n < count, or up to a failure that is
    no wall.

    Parameters
    ----------
    energy_gradient : callable
        Energies (replicas,) and gradients (replicas, dim) at x (replicas, dim), in JAX.
    """

    def go(
        walk: Walking,
        noise: Any,
        numbers: Any,
        paired: Any,
        start: Any,
        count: Any,
        purpose: int,
        wall: bool,
        on_cpu: bool,
    ) -> Walking:
        function = with_vectors(energy_gradient) if on_cpu else energy_gradient

        def goes_on(at: tuple[Any, Walking]) -> Any:
            n, was = at
            return (n < count) & (was["lost"] < 0)

        def step(at: tuple[Any, Walking]) -> tuple[Any, Walking]:
            n, was = at
            if on_cpu:
                z = lax.dynamic_index_in_dim(noise, n, keepdims=False)
            else:
                z = normals(noise, was["step"], purpose, was["x"].shape)
            now = _moved(n, was, z, numbers, paired)
            return n + 1, _looked(n, was, now, function, wall)

        return lax.while_loop(goes_on, step, (start, walk))[1]

    return jax.jit(go, static_argnames=("purpose", "wall", "on_cpu"), donate_argnames="walk")


def _moved(n: Any, was: Walking, z: Any, numbers: Any, paired: Any) -> Walking:
    """The walk after step n, or as it was before step 0; the recursion is that of
    `langevin_sa.backends.numpy`.
    """
    carry, lr, kick, tail, weight22, weight = lax.dynamic_index_in_dim(numbers, n, keepdims=False)
    fresh, gradient = kick * z + jnp.where(paired, was["noise"], 0.0), was["gradient"]
    inverse, root, mass = was["inertia"]
    if mass.size:
        gradient, fresh = inverse * gradient, root * fresh
    dx = (carry * was["dx"] - lr * gradient + fresh).astype(was["dx"].dtype)
    squares = dx.astype(float) ** 2
    squares = (mass * squares if mass.size else squares).sum(1)
    now = {
        "x": was["x"] + dx,
        "dx": dx,
        "noise": jnp.where(paired, tail * z, was["noise"]),
        "dx2": was["dx2"] + squares * weight22,
        "kinetic": was["kinetic"] + squares * weight,
        "step": was["step"] + 1,
    }
    return was | {name: jnp.where(n >= 0, new, was[name]) for name, new in now.items()}


def _looked(
    n: Any,
    was: Walking,
    now: Walking,
    energy_gradient: Callable[[Any], tuple[Any, Any]],
    wall: bool,
) -> Walking:
    """The walk after a look at energies and gradients: replicas that met a wall are where they were
    before step n; `lost` is the first that met what was none, or -1.
    """
    energy, gradient = energy_gradient(now["x"].astype(float))
    fails = ~(jnp.isfinite(energy) & jnp.isfinite(gradient).all(1))
    turns = jnp.zeros_like(fails)
    if wall:
        sound = (abs(was["energy"]) < DIVERGED) & jnp.isfinite(now["dx"]).all(1)
        turns = fails & sound & (n >= 0)
        back = turns[:, None]
        in_all, in_a_row = was["failures"].T
        failures = jnp.stack([in_all + turns, jnp.where(turns, in_a_row + 1, 0)], axis=1)
        now |= {
            "x": jnp.where(back, was["x"], now["x"]),
            "dx": jnp.where(back, -now["dx"], now["dx"]),
            "noise": jnp.where(back, -now["noise"], now["noise"]),
            "failures": jnp.where(n >= 0, failures, was["failures"]),
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
    """A function in JAX in one loop with the recursion, on JAX's device.

    On the CPU kernels of the package make the noise of a call, while JAX computes the call before;
    elsewhere the loop makes it. The gradient is kept for the next slice, for as long as the walk
    stays where it is.
    """

    turns_back = weighs = True

    def __init__(self, potential: Any, walk: Walk, threads: int = 1) -> None:
        self.potential, self.walk, self.loop = potential, walk, potential.jax_function.loop
        self.device = next(iter(jnp.zeros(()).devices()))
        self.on_cpu = self.device.platform == "cpu"
        replicas, size = len(walk.x), walk.x.size
        self.together = int(np.clip(NORMALS_TOGETHER // size, FEWEST, MOST))
        self.columns = TOGETHER if replicas >= TOGETHER else 1
        groups = -(-replicas // self.columns)
        edges = np.linspace(0, groups, (min(threads, groups) if size > WORTH_A_THREAD else 1) + 1)
        self.parts = list(itertools.pairwise(edges.astype(int).tolist()))
        self.pool = ThreadPoolExecutor(threads) if len(self.parts) > 1 else None
        self.looked: tuple[np.ndarray, Any] = NOWHERE  # and the gradient there
        self.advance(Steps(*np.empty((3, 0))))  # energy and best at the start

    def advance(self, steps: Steps) -> None:
        """Move the walk on by the given steps."""
        w, count, start = self.walk, len(steps.rho), -1
        walk: Walking = {name: getattr(w, name) for name in KEPT}
        walk |= {"gradient": np.zeros(w.x.shape), "inertia": w.inertia}
        walk |= {"step": w.step, "lost": -1}
        if np.array_equal(self.looked[0], w.x):
            walk["gradient"], start = self.looked[1], 0
        self.looked = NOWHERE  # the loop takes the gradient's memory
        with jax.enable_x64(True), jax.default_device(self.device):
            for n in range(0, max(count, 1), self.together):
                part = steps.numbers[n : n + self.together]
                numbers = np.zeros((self.together, 6))
                numbers[: len(part)] = part
                noise = self._noise(w.step + n, len(part))
                steps_of = (noise, numbers, steps.paired, start, len(part))
                walk = self.loop(walk, *steps_of, w.purpose, w.wall, self.on_cpu)
                start = 0
            for name in KEPT:
                getattr(w, name)[...] = walk[name]
        w.step, lost = int(walk["step"]), int(walk["lost"])
        if lost >= 0:
            raise NonFinite(w.step, w.first_replica + lost)
        self.looked = np.asarray(walk["x"]), walk["gradient"]

    def change_places(self, other: Any, rows: np.ndarray) -> None:
        """As of any backend; gradients go along."""
        super().change_places(other, rows)
        gradient, others = np.array(self.looked[1]), np.array(other.looked[1])
        exchange_rows(gradient, others, rows)
        self.looked, other.looked = (self.walk.x.copy(), gradient), (other.walk.x.copy(), others)

    def _noise(self, first_step: int, count: int) -> np.ndarray:
        """The noise of so many steps, (steps, replicas, dim), or what the loop makes it from."""
        replica, purpose, *key = self.walk.stream()
        if not self.on_cpu:
            return np.array([replica, *key], dtype=np.uint32)
        z = room_for((self.together, *self.walk.x.shape), float)

        def draw(part: tuple[int, int]) -> None:
            draw_steps(z[:count], first_step, self.columns, (replica, purpose, *key), *part)

        if count:
            share(self.pool, draw, self.parts)
        return z
