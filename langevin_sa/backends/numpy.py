"""The readable reference: the recursion in a few lines of NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..momentum import Steps
from ..noise import normals
from .walk import Backend, NonFinite, Walk


class NumpyBackend(Backend):
    """All replicas at once, one step after the other."""

    def __init__(self, potential: Any, walk: Walk, threads: int = 1) -> None:
        self.potential, self.walk = potential, walk
        self.replicas = walk.first_replica + np.arange(len(walk.x))
        batches = getattr(potential, "batches", None)  # of a StochasticPotential
        self.batches = None if batches is None else batches(walk.seed, self.replicas)
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

        ::

            dx_{n+1} = rho dx_n + lr f(x_n) + s xi_n      x_{n+1} = x_n + dx_{n+1}

            rho, with the change of dt                    carry
            f(x_n)                                        -gradient
            s z_n, or s z_n/2 of paired noise             fresh = kick*z
            s xi_n, paired: s (z_n + z_{n-1})/2           fresh + noise
            s z_n/2, for the next step                    noise
        """
        w = self.walk
        fresh: Any = np.zeros(w.x.shape)
        if steps.s[n] > 0:
            z = normals(w.seed, w.step, self.replicas, w.x.shape[1], w.purpose)
            fresh = steps.kick[n] * z
        if steps.paired:
            fresh, w.noise[...] = fresh + w.noise, fresh
        w.dx[...] = steps.carry[n] * w.dx - steps.lr[n] * self.gradient + fresh
        w.x += w.dx
        squares = (w.dx.astype(float) ** 2).sum(1)
        w.dx2 += squares / steps.dt[n] ** 2
        w.kinetic += squares / steps.velocity_scale[n] ** 2

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
