"""The readable reference: the recursion in a few lines of NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..momentum import Steps
from ..noise import stream
from .walk import Backend, NonFinite, Walk

NORMALS_TOGETHER = 1024  # normals made at a time


class NumpyBackend(Backend):
    """All replicas at once, one step after the other."""

    def __init__(self, potential: Any, walk: Walk, threads: int = 1) -> None:
        self.potential, self.walk = potential, walk
        self.replicas = walk.first_replica + np.arange(len(walk.x))
        batches = getattr(potential, "batches", None)  # of a StochasticPotential
        self.batches = None if batches is None else batches(walk.seed, self.replicas)
        self.made = range(0)  # steps whose normals are made
        self.normals: np.ndarray = np.empty(0)
        self.gradient = self._look()
        self.settle()

    def advance(self, steps: Steps) -> None:
        """Move the walk on by the given steps."""
        for n in range(len(steps.rho)):
            self._kick(steps, n)
            self.walk.step += 1
            self.gradient = self._look()

    @np.errstate(over="ignore", invalid="ignore")  # the next look sees it
    def _kick(self, steps: Steps, n: int) -> None:
        """One step, and the sums that thermometers read.

        dx = rho dx + lr f(x) + s xi, x = x + dx, with xi = z, or paired (z_n + z_{n-1})/2. Here
        rho, with the change of dt, is carry; s, or paired s/2, is kick, and fresh is kick times z;
        s z/2, the half kick that paired noise carries to the next step, is noise.
        """
        w = self.walk
        fresh: Any = steps.kick[n] * self._normals() if steps.s[n] > 0 else np.zeros(w.x.shape)
        if steps.paired:
            fresh, w.noise[...] = fresh + w.noise, fresh
        w.dx[...] = steps.carry[n] * w.dx - steps.lr[n] * self.gradient + fresh
        w.x += w.dx
        squares = (w.dx.astype(float) ** 2).sum(1)
        w.dx2 += squares / steps.dt[n] ** 2
        w.kinetic += squares / steps.velocity_scale[n] ** 2

    def _normals(self) -> np.ndarray:
        """The normals (replicas, dim) of this step, from those made for several steps at a time."""
        w, (replicas, dim) = self.walk, self.walk.x.shape
        if w.step not in self.made:
            count = max(1, NORMALS_TOGETHER // w.x.size)
            self.made = range(w.step, w.step + count)
            self.normals = stream(
                w.seed, self.replicas, w.step * dim, count * dim, w.purpose
            ).reshape(replicas, count, dim)
        return self.normals[:, w.step - self.made.start]

    def _look(self) -> np.ndarray:
        """The gradient of this step and, unless it is a mini-batch's within an epoch, the
        energy.
        """
        w = self.walk
        if self.batches is None:
            energy, gradient = self._evaluate(w.x)
            self._weigh(energy)
            return gradient
        gradient = self.batches.gradient(w.x, w.step)
        self._check(gradient.sum(1))
        if self.batches.epoch_starts(w.step):
            self.refresh()
        return gradient

    def settle(self) -> None:
        """Bring the energies up to date where not every step does, without a look for the lowest:
        so this may be done anywhere.
        """
        if self.batches is not None:
            self.walk.energy[...] = self.potential.energy(self.walk.x)

    def refresh(self) -> None:
        """Look at the energy where not every step does."""
        if self.batches is not None:
            self._weigh(self.potential.energy(self.walk.x))

    def _weigh(self, energy: np.ndarray) -> None:
        """Note the energies at x; keep the best point."""
        w = self.walk
        w.energy[...] = energy
        self._check(energy)
        better = w.energy < w.best_energy
        w.best_energy[better], w.best_x[better] = w.energy[better], w.x[better]

    def _check(self, values: np.ndarray) -> None:
        if not np.isfinite(values).all():
            raise NonFinite(
                self.walk.step, self.walk.first_replica + int(np.argmin(np.isfinite(values)))
            )

    def _evaluate(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.potential.energy_gradient(x)
