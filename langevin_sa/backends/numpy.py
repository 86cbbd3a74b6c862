"""The readable reference: the recursion in a few lines of NumPy."""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import Any

import numpy as np

from ..momentum import Steps
from ..noise import normals
from .walk import DIVERGED, Backend, NonFinite, Walk, add_work, drift, exchange_rows


class NumpyBackend(Backend):
    """All replicas at once, one step after the other."""

    turns_back = weighs = centres = True

    def __init__(self, potential: Any, walk: Walk, threads: int = 1) -> None:
        self.potential, self.walk, self.inertia = potential, walk, walk.inertia
        self.replicas = walk.first_replica + np.arange(len(walk.x))
        batches = getattr(potential, "batches", None)  # of a StochasticPotential
        self.batches = None if batches is None else batches(walk.seed, self.replicas)
        # of the point before, where a replica whose step fails goes back to
        self.last_x, self.last_gradient = np.zeros_like(walk.x), np.zeros(walk.x.shape)
        self.under_way, self.in_a_row, self.moving = False, True, False
        self.gradient = self._look()
        self.settle()
        self.under_way = True

    def advance(self, steps: Steps) -> None:
        """Move the walk on by the given steps."""
        # failures are counted instead
        quiet = np.errstate(divide="ignore", over="ignore", invalid="ignore")
        self.moving = steps.drive is not None
        with quiet if self.walk.wall else nullcontext():
            for n in range(len(steps.rho)):
                self._kick(steps, n)
                self.walk.step += 1
                before = self.potential
                if steps.drive is not None:
                    self.potential = before.moved(steps.drive.places, steps.drive.values[n + 1])
                self.gradient = self._look()
                if steps.drive is not None:
                    add_work(self.walk, before, self.potential, self.last_x)

    @np.errstate(over="ignore", invalid="ignore")  # the next look sees it
    def _kick(self, steps: Steps, n: int) -> None:
        """One step, and the sums that thermometers read.

        ::

            dx_{n+1} = rho dx_n + lr f(x_n) + s xi_n      x_{n+1} = x_n + dx_{n+1}

            rho, with the change of dt                    carry
            f(x_n)                                        -gradient
            alpha z_n, s z_n or less of paired noise      fresh = kick*z
            s xi_n, paired: alpha z_n + beta z_{n-1}      fresh + noise
            what the next step gets of paired noise       noise = tail*z
            a mass: f/m, s xi/sqrt(m), m dx^2             inverse, root, mass
        """
        w, gradient = self.walk, self.gradient
        self.last_x[...], self.last_gradient[...] = w.x, gradient
        z: Any = np.zeros(w.x.shape)
        if steps.s[n] > 0:
            z = normals(w.seed, w.step, self.replicas, w.x.shape[1], w.purpose)
        fresh = steps.kick[n] * z
        if steps.paired:
            fresh += w.noise
            w.noise[...] = steps.tail[n] * z
        inverse, root, mass = self.inertia
        if mass.size:
            gradient, fresh = inverse * gradient, root * fresh
        w.dx[...] = steps.carry[n] * w.dx - steps.lr[n] * gradient + fresh
        if w.centred:
            w.dx[...] -= drift(w.dx, mass, w.centred)
        w.x += w.dx
        squares = w.dx.astype(float) ** 2
        squares = (mass * squares if mass.size else squares).sum(1)
        w.dx2 += squares / steps.dt[n] ** 2
        w.kinetic += squares / steps.velocity_scale[n] ** 2

    def _look(self) -> np.ndarray:
        """The gradient of this step and, unless it is a mini-batch's within an epoch, the energy;
        replicas where one is not finite have turned back.
        """
        w = self.walk
        rows = slice(0, len(w.x))
        try:
            energy, gradient = self._at(w.x, rows)
        except Exception:
            if not (w.wall and self.under_way):
                raise
            energy, gradient = self._ask_apart(rows)
            if np.isnan(gradient).all():  # raises if the functions fail where they worked as well
                self._at(self.last_x[:1], slice(0, 1))
        if not self._note(energy, gradient):
            fails = ~(np.isfinite(energy) & np.isfinite(gradient).all(1))
            return self._turn_back(fails, energy, gradient)
        if self.in_a_row:
            if self.under_way:
                w.failures[:, 1] = 0
            self.in_a_row = not self.under_way
        return gradient

    def _note(self, energy: np.ndarray, gradient: np.ndarray) -> bool:
        """Note energies that are looked at, and the best points; False, and nothing is noted, if a
        number is not finite.
        """
        # sums are finite where all terms are, but for overflow
        finite = math.isfinite(energy.sum() + gradient.sum())
        if not (finite or (np.isfinite(energy).all() and np.isfinite(gradient).all())):
            return False
        if self._weighs():
            self._weigh(energy)
        return True

    def _weighs(self) -> bool:
        """Whether the energy is looked at in this step."""
        return self.batches is None or self.batches.epoch_starts(self.walk.step)

    def _turn_back(self, fails: Any, energy: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """Take replicas whose step failed back to where they were, dx and noise reflected; the
        gradients then.
        """
        w, walls = self.walk, self.walk.wall and self.under_way
        lost = fails & ~((np.abs(w.energy) < DIVERGED) & np.isfinite(w.dx).all(1))
        if not walls or lost.any():
            if self._weighs():
                w.energy[...] = energy
            raise NonFinite(w.step, w.first_replica + int(np.argmax(lost if walls else fails)))
        w.x[fails] = self.last_x[fails]
        w.dx[fails] *= -1
        w.noise[fails] *= -1
        w.failures[:, 0] += fails
        w.failures[:, 1] = np.where(fails, w.failures[:, 1] + 1, 0)
        self.in_a_row = True
        if self.moving:  # other parameters than when they were there
            energy, gradient = self._evaluate(w.x)
            self._weigh(energy)
            return gradient
        if self.batches is None:
            self._weigh(np.where(fails, w.energy, energy))
        elif self._weighs():
            self.refresh()
        return np.where(fails[:, None], self.last_gradient, gradient)

    def _ask_apart(self, rows: slice) -> tuple[np.ndarray, np.ndarray]:
        """Energies and gradients of these replicas, NaN for those whose functions raise an
        exception, which is found by halves.
        """
        x = self.walk.x[rows]
        try:
            return self._at(x, rows)
        except Exception as error:
            self.raised = f"{type(error).__name__}: {error}"
        if len(x) == 1:
            return np.full(1, np.nan), np.full(x.shape, np.nan)
        middle = (rows.start + rows.stop) // 2
        (e, g), (f, h) = (
            self._ask_apart(slice(*ends)) for ends in ((rows.start, middle), (middle, rows.stop))
        )
        return np.concatenate([e, f]), np.concatenate([g, h])

    def _at(self, x: np.ndarray, rows: slice) -> tuple[np.ndarray, np.ndarray]:
        """Energies and gradients of these replicas at x; zeros for energies that no one looks
        at.
        """
        if self.batches is None:
            return self._evaluate(x)
        gradient = self.batches.gradient(x, self.walk.step, rows)
        return self.potential.energy(x) if self._weighs() else np.zeros(len(x)), gradient

    def settle(self) -> None:
        """Bring the energies up to date where not every step does, without a look for the lowest:
        so this may be done anywhere.
        """
        if self.batches is not None:
            self.walk.energy[...] = self.potential.energy(self.walk.x)

    def refresh(self) -> None:
        """Look at the energy where not every step does."""
        if self.batches is not None:
            energy = self.potential.energy(self.walk.x)
            if not np.isfinite(energy).all():
                self.walk.energy[...] = energy
                bad = int(np.argmin(np.isfinite(energy)))
                raise NonFinite(self.walk.step, self.walk.first_replica + bad)
            self._weigh(energy)

    def _weigh(self, energy: np.ndarray) -> None:
        """Note the energies at x; keep the best point."""
        w = self.walk
        w.energy[...] = energy
        better = w.energy < w.best_energy
        w.best_energy[better], w.best_x[better] = w.energy[better], w.x[better]

    def change_places(self, other: Any, rows: np.ndarray) -> None:
        """As of any backend; gradients go along."""
        super().change_places(other, rows)
        # the user's own arrays, perhaps
        self.gradient, other.gradient = np.array(self.gradient), np.array(other.gradient)
        exchange_rows(self.gradient, other.gradient, rows)

    def _evaluate(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.potential.energy_gradient(x)
