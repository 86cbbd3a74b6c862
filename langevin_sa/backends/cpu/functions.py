"""Array functions: energy and gradient by the user's own code, noise and recursion in one compiled
pass.

The user's functions are called on blocks of replicas that stay in cache. Noise is made a few steps
ahead where a step takes less than a whole call of the generator from each stream.
"""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import float64

from ...momentum import Steps
from ..numpy import NumpyBackend
from ..walk import Walk, share
from .keeping import kernel
from .philox import fill_normals

EVALUATED = 16_384  # coordinates in one call of the user's functions
NORMALS_TOGETHER = 16  # of a replica
REPLICAS_TOGETHER = 64  # whose noise is made side by side, if there are so many
WORTH_A_THREAD = 20_000  # coordinates


@kernel(nogil=True)
def make_noise(
    z: Any, first: int, quads: int, columns: int, stream: Any, low: int, high: int
) -> None:
    """Normals from number 4*first on of the replicas' streams, for groups low <= k < high of
    `columns` replicas.
    """
    replica, purpose, k0, k1 = stream
    for k in range(low, high):
        fill_normals(z[k], first, quads, replica + k * columns, columns, purpose, k0, k1)


# One step, x = x + dx after
#
#     dx = rho dx + lr f(x) + s xi        s xi = alpha z_n, or paired alpha z_n + beta z_{n-1}
#
#     rho, with the change of dt                                carry
#     alpha; beta of the next step                              kick, tail
#     -f(x)                                                     gradient
#     z                                                         z
#     beta z_{n-1}, what paired noise carried on                noise
#     1/dt^2, 1/velocity_scale^2                                weight22, weight
#     a mass: f/m, s xi/sqrt(m), m dx^2                         inverse, root, mass
@kernel(nogil=True)
def move(
    motion: Any,
    gradient: Any,
    last: Any,
    z: Any,
    offset: int,
    columns: int,
    numbers: Any,
    n: int,
    paired: bool,
    inertia: Any,
    low: int,
    high: int,
) -> None:
    """The step with line n of `Steps.numbers` of groups low <= k < high, with normals from number
    `offset` of z on, and the sums that thermometers read.

    `motion` are x, dx and noise of the walk, dx2 and kinetic; `last` is where x and gradient are
    kept as they were before; `inertia` is the walk's.
    """
    inverse, root, mass = inertia[0], inertia[1], inertia[2]
    x, dx, noise, dx2, kinetic = motion
    last_x, last_gradient = last
    carry, lr, kick, tail = numbers[n, 0], numbers[n, 1], numbers[n, 2], numbers[n, 3]
    weight22, weight = numbers[n, 4], numbers[n, 5]
    for k in range(low, high):
        for r in range(k * columns, min((k + 1) * columns, len(x))):
            i = r - k * columns
            total = 0.0
            for d in range(x.shape[1]):
                m = offset + d
                last_x[r, d], last_gradient[r, d] = x[r, d], gradient[r, d]
                normal = z[k, m & 3, (m >> 2) * columns + i]
                force, fresh, heavy = lr * gradient[r, d], kick * normal, 1.0
                if paired:
                    fresh += noise[r, d]
                    noise[r, d] = tail * normal
                if len(mass):
                    force, fresh, heavy = inverse[d] * force, root[d] * fresh, mass[d]
                dx[r, d] = carry * dx[r, d] - force + fresh
                x[r, d] += dx[r, d]
                total += heavy * (float64(dx[r, d]) * float64(dx[r, d]))
            dx2[r] += total * weight22
            kinetic[r] += total * weight


@kernel(nogil=True)
def weigh(energy: Any, gradient: Any, x: Any, now: Any, best_energy: Any, best_x: Any) -> bool:
    """Note the energies at x in `now`, and the points that are the lowest so far; False, and
    nothing is noted, if a number is not finite.
    """
    sum_of_all = 0.0  # of zeros, and of what is not finite
    for r in range(len(energy)):
        sum_of_all += 0.0 * energy[r]
        for d in range(gradient.shape[1]):
            sum_of_all += 0.0 * gradient[r, d]
    if sum_of_all != 0.0:
        return False
    for r in range(len(energy)):
        now[r] = energy[r]
        if now[r] < best_energy[r]:
            best_energy[r] = now[r]
            best_x[r] = x[r]
    return True


def plain(array: np.ndarray) -> np.ndarray:
    """As kernels are compiled for."""
    return np.ascontiguousarray(array, dtype=float)


class ArrayBackend(NumpyBackend):
    """The reference backend with a compiled step."""

    def __init__(self, potential: Any, walk: Walk, threads: int) -> None:
        replicas, dim = walk.x.shape
        self.block = max(1, EVALUATED // dim)
        super().__init__(potential, walk)
        self.columns = REPLICAS_TOGETHER if replicas >= REPLICAS_TOGETHER else 1
        self.ahead = max(1, NORMALS_TOGETHER // dim)
        self.quads = (self.ahead * dim + 6) // 4
        groups = (replicas + self.columns - 1) // self.columns
        self.z = np.zeros((groups, 4, self.quads * self.columns + 16))
        self.made = range(0)  # steps whose noise is in z
        edges = np.linspace(
            0, groups, (min(threads, groups) if walk.x.size > WORTH_A_THREAD else 1) + 1
        ).astype(int)
        self.parts = list(itertools.pairwise(edges))
        self.pool = ThreadPoolExecutor(threads) if len(self.parts) > 1 else None

    def advance(self, steps: Steps) -> None:
        """Move the walk on by the given steps."""
        w = self.walk
        self.motion = (w.x, w.dx, w.noise, w.dx2, w.kinetic)
        self.stream, self.numbers = w.stream(), np.ascontiguousarray(steps.numbers)
        self.noisy = (steps.s > 0).tolist()
        super().advance(steps)

    def _kick(self, steps: Steps, n: int) -> None:
        w, dim = self.walk, self.walk.x.shape[1]
        noisy = self.noisy[n]
        fresh = noisy and w.step not in self.made
        if fresh:
            self.made = range(w.step, w.step + self.ahead)
        first = (self.made.start * dim) >> 2
        gradient, last = plain(self.gradient), (self.last_x, self.last_gradient)
        offset = w.step * dim - 4 * first if noisy else 0

        def run(part: tuple[int, int]) -> None:
            if fresh:
                make_noise(self.z, first, self.quads, self.columns, self.stream, *part)
            given = (self.z, offset, self.columns, self.numbers, n, steps.paired)
            move(self.motion, gradient, last, *given, self.inertia, *part)

        share(self.pool, run, self.parts)

    def _note(self, energy: np.ndarray, gradient: np.ndarray) -> bool:
        if not self._weighs():
            return super()._note(energy, gradient)
        w = self.walk
        seen = (plain(energy), plain(gradient), w.x)
        return bool(weigh(*seen, w.energy, w.best_energy, w.best_x))

    def _evaluate(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = x.view()
        x.flags.writeable = False  # which potentials need not see to again
        if len(x) <= self.block:
            return self.potential.energy_gradient(x)
        blocks = [
            self.potential.energy_gradient(x[r : r + self.block])
            for r in range(0, len(x), self.block)
        ]
        return np.concatenate([energy for energy, _ in blocks]), np.concatenate(
            [gradient for _, gradient in blocks]
        )
