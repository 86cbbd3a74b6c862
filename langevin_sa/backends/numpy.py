"""The readable reference: the recursion in a few lines of NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..momentum import Steps
from ..noise import normals
from . import NonFinite, Walk


class NumpyBackend:
    """All replicas at once, one step after the other."""

    def __init__(self, potential: Any, walk: Walk, threads: int = 1) -> None:
        self.potential, self.walk = potential, walk
        self.replicas = walk.first_replica + np.arange(len(walk.x))
        self.gradient = self._look()

    def advance(self, steps: Steps) -> None:
        """Move the walk on by the given steps."""
        for n in range(len(steps.rho)):
            self._kick(steps, n)
            self.walk.step += 1
            self.gradient = self._look()

    @np.errstate(over="ignore", invalid="ignore")  # the next look sees it
    def _kick(self, steps: Steps, n: int) -> None:
        """``dx = rho*dx - lr*gradient + s*xi; x = x + dx``, and the sums that thermometers read."""
        w = self.walk
        kick: Any = steps.s[n] * normals(w.seed, w.step, self.replicas, w.x.shape[1], w.purpose) if steps.s[n] > 0 else np.zeros(w.x.shape)
        if steps.paired:
            half = kick / 2
            kick, w.noise[...] = half + w.noise, half
        w.dx[...] = steps.carry[n] * w.dx - steps.lr[n] * self.gradient + kick
        w.x += w.dx
        squares = (w.dx.astype(float) ** 2).sum(1)
        w.dx2 += squares / steps.dt[n] ** 2
        w.kinetic += squares / steps.velocity_scale[n] ** 2

    def _look(self) -> np.ndarray:
        """Energy and gradient at x; keep the best point."""
        w = self.walk
        w.energy[...], gradient = self._evaluate(w.x)
        if not np.isfinite(w.energy).all():
            raise NonFinite(w.step, w.first_replica + int(np.argmin(np.isfinite(w.energy))))
        better = w.energy < w.best_energy
        w.best_energy[better], w.best_x[better] = w.energy[better], w.x[better]
        return gradient

    def _evaluate(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.potential.energy_gradient(x)
