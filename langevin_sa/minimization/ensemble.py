"""Replicas under Langevin dynamics inside the bounds: the GJF recursion of the package on a
`Problem`, each at its own temperature.

Step, friction and temperatures choose themselves, by plainer rules than those of the pilot of
`anneal`, as there are no evaluations to spare: T0 from the spread of the energies at the start
(`langevin_sa.tuning.spread_temperature`), T1 = T0/10,000, the time step from the curvature met on
the way (omega*dt = 0.35), friction half the root of the mean curvature met.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import schedules
from ..arguments import look_up
from ..integrators import get_integrator
from ..momentum import Steps
from ..noise import normals
from ..schedules import CoolMomentum
from ..tuning import COLDEST, OMEGA_DT, spread_temperature
from .problem import Problem

LOOK_EVERY = 25  # steps between looks at the curvature and at the gradient's own noise
NUDGE = 1e-4  # length of the step that curvature is read from, in units


@dataclass
class Ensemble:
    """Replicas on their way.

    Attributes
    ----------
    u, du, kick, g : ndarray (replicas, dim)
        Positions, updates, the half kicks w that paired noise carries on, and gradients.
    f : ndarray (replicas,)
        Energies.
    best_u, best_f : ndarray (replicas, dim), (replicas,)
        The best point of each replica, and the energy there.
    noisy : float, "estimate" or None
        Variance of each component of the gradient (per squared unit of x), which is then taken off
        the noise put in, so that the temperature is the one asked for (Eq. 19); "estimate" measures
        it from gradients taken twice at one point.
    variance : float or ndarray (dim,)
        That variance per squared unit of u.
    stiffest, mean : float
        The largest and the mean curvature met.
    thermal : float
        The curvature that is taken where none is met: one temperature for a squared unit.
    settled : bool
        Whether the replicas have come down from where they started, so that a time step that was
        too short there is too short.
    """

    problem: Problem
    seed: int
    noisy: Any
    u: np.ndarray
    du: np.ndarray
    kick: np.ndarray
    f: np.ndarray
    g: np.ndarray
    best_u: np.ndarray
    best_f: np.ndarray
    variance: Any
    thermal: float = 1.0
    stiffest: float = 0.0
    mean: float = 0.0
    step: int = 0
    settled: bool = True

    @classmethod
    def at_rest(
        cls,
        problem: Problem,
        u: np.ndarray,
        seed: int,
        gradient_noise: Any = None,
        temperature: float = 1.0,
    ) -> Ensemble:
        """Replicas at u, folded into the bounds, of which `temperature` is the highest."""
        u = problem.inside(np.array(u, dtype=float))
        f, g = problem.gradients(u)
        known = gradient_noise not in (None, "estimate")
        variance = float(gradient_noise) * problem.unit**2 if known else 0.0
        state = (u, np.zeros_like(u), np.zeros_like(u), f, g, u.copy(), f.copy())
        ensemble = cls(problem, seed, gradient_noise, *state, variance, temperature)
        ensemble.look()
        return ensemble

    def look(self) -> None:
        """Curvature at each replica along its gradient, and the variance of the gradient if it is
        to be measured.
        """
        looks = self.step // LOOK_EVERY + 1
        if self.noisy == "estimate":
            again = self.problem.gradients(self.u)[1]
            measured = ((again - self.g) ** 2).mean(0) / 2
            self.variance = self.variance + (measured - self.variance) / looks
        along = np.random.default_rng([self.seed, self.step, 5]).standard_normal(self.u.shape)
        length = 1.0
        if self.noisy is None:
            along, length = np.where(self.g.any(1, keepdims=True), self.g, along), NUDGE
        point = self.u + length * along / np.linalg.norm(along, axis=1, keepdims=True)
        outside = (point < self.problem.low) | (point > self.problem.high)
        point = self.problem.inside(np.where(outside, 2 * self.u - point, point))
        move = point - self.u
        there, gradient = self.problem.gradients(self.u + move)
        good = np.isfinite(self.f) & np.isfinite(there) & move.any(1)
        change, move = (gradient - self.g)[good], move[good]
        squares = (move**2).sum(1)
        if good.any():
            curvature2 = (change**2).sum(1) / squares
            if self.noisy is not None:
                # two gradients differ by their noise too, of which a largest value would say most
                own = 2 * np.sum(np.broadcast_to(self.variance, self.u[0].shape)) / squares.mean()
                curvature2 = np.maximum(curvature2.mean() - own, 0)
            stiffest = float(np.sqrt(curvature2.max()))
            self.stiffest = max(self.stiffest, stiffest) if self.settled else stiffest
            mean = float(np.abs((change * move).sum(1) / squares).mean())
            self.mean += (mean - self.mean) / looks

    @property
    def dt(self) -> float:
        """Time step: omega*dt = 0.35 in the stiffest direction met."""
        return OMEGA_DT / math.sqrt(self.stiffest or self.thermal)

    def steps(self, temperature: Any) -> Steps:
        """The numbers of a step at a temperature."""
        stiffest = self.stiffest or self.thermal
        # in a unit of energy near the curvature: roots are then to the bit those of any other unit
        k = math.frexp(stiffest)[1]
        dt = OMEGA_DT / math.sqrt(math.ldexp(stiffest, -k))
        gamma = 0.5 * math.sqrt(math.ldexp(self.mean or stiffest, -k))
        now = get_integrator("gjf").steps(gamma, dt, np.ldexp(temperature, -k))
        return replace(now, lr=np.ldexp(now.lr, -k))

    def advance(self, temperature: Any) -> None:
        """One step at a temperature, or one for each replica (replicas,)."""
        if self.step and self.step % LOOK_EVERY == 0:
            before = self.steps(1.0)
            self.look()
            now = self.steps(1.0)
            self.du *= np.sqrt(now.lr / before.lr)  # which keeps <du^2>/lr, the temperature
            self.kick *= now.s / before.s
        temperatures = np.broadcast_to(np.asarray(temperature, dtype=float), (len(self.u),))
        now = self.steps(temperatures[:, None])
        self.recur(now.rho, now.lr, now.s)

    def recur(self, rho: Any, lr: Any, s: Any) -> None:
        """The recursion itself, with paired noise; bounds reflect; a replica at a value that is not
        finite returns to its best.
        """
        own = self.variance if self.noisy is not None else 0.0
        s = np.sqrt(np.maximum(s**2 - lr**2 * own, 0.0))
        half = s * normals(self.seed, self.step, np.arange(len(self.u)), self.u.shape[1]) / 2
        self.du = rho * self.du - lr * self.g + half + self.kick
        self.kick = np.broadcast_to(half, self.u.shape).copy()
        moved = self.u + self.du
        self.u = self.problem.inside(moved)
        self.du, self.kick = (np.where(self.u == moved, a, -a) for a in (self.du, self.kick))
        self.f, self.g = self.problem.gradients(self.u)
        lost = ~np.isfinite(self.f)
        if lost.any():
            self.u[lost], self.f[lost] = self.best_u[lost], self.best_f[lost]
            self.du[lost] = self.kick[lost] = self.g[lost] = 0.0
        better = self.f < self.best_f
        self.best_f[better], self.best_u[better] = self.f[better], self.u[better]
        self.step += 1

    def take(self, chosen: np.ndarray) -> None:
        """Replace the replicas by copies of the chosen ones."""
        for name in ("u", "du", "kick", "f", "g"):
            setattr(self, name, getattr(self, name)[chosen].copy())


def temperature_range(
    energies: np.ndarray, dim: int, chosen: tuple[float | None, float | None]
) -> tuple[float, float]:
    """T0 and T1: what is given, the rest by the rules."""
    hot, cold = chosen
    if hot is None:
        hot = max(spread_temperature(energies, dim), cold or 0.0)
    return float(hot), COLDEST * hot if cold is None else float(cold)


def exponential(
    ensemble: Ensemble, hot: float, cold: float, steps: int, kept: dict[str, Any]
) -> Iterator[float]:
    """Geometric cooling."""
    law = schedules.exponential(hot, cold)
    for n in range(ensemble.step, steps):
        t = float(law(n / max(1, steps - 1)))
        ensemble.advance(t)
        yield t


def constant_speed(
    ensemble: Ensemble, hot: float, cold: float, steps: int, kept: dict[str, Any]
) -> Iterator[float]:
    """Constant thermodynamic speed: d ln T/dn ~ -1/sqrt(C), with the heat capacity C = Var(U)/T^2
    over replicas on the way.

    Nourani, Andresen, J. Phys. A 31, 8373 (1998). What the remaining steps must make good sets the
    speed again at each step.
    """
    plain = ensemble.problem.dim / 2
    kept.setdefault("t", hot)
    kept.setdefault("capacity", plain)
    for n in range(ensemble.step, steps):
        t, capacity = kept["t"], kept["capacity"]
        ensemble.advance(t)
        finite = ensemble.f[np.isfinite(ensemble.f)]
        if finite.size > 1:
            seen = float(np.var(finite)) / t**2
            capacity += 0.2 * (min(max(seen, 0.01 * plain), 100 * plain) - capacity)
        left, following = steps - 1 - n, t
        if left > 0:
            pace = math.log(t / cold) / left if t > cold else 0.0
            faster = min(max(math.sqrt(plain / capacity), 0.2), 5.0)
            following = max(t * math.exp(-pace * faster), cold)
        kept |= {"t": following, "capacity": capacity}
        yield t


def coolmomentum(
    ensemble: Ensemble, hot: float, cold: float, steps: int, kept: dict[str, Any]
) -> Iterator[float]:
    """The paper's Table 1: momentum falls to 0 under constant force noise, set so that the first
    temperature is T0.
    """
    # not by dt, whose rounding depends on the unit
    lr = kept.setdefault("lr", OMEGA_DT**2 / (ensemble.stiffest or ensemble.thermal))
    schedule = CoolMomentum.from_temperature(hot, lr)
    row = schedule.coefficients(steps)
    for n in range(ensemble.step, steps):
        if n and n % LOOK_EVERY == 0:
            ensemble.look()
        ensemble.recur(float(row.rho[n]), float(row.lr[n]), float(row.s[n]))
        yield float(row.temperature[n])


COOLING = {
    "exponential": exponential,
    "constant speed": constant_speed,
    "coolmomentum": coolmomentum,
}


def cool(
    name: str, ensemble: Ensemble, hot: float, cold: float, steps: int, kept: dict[str, Any]
) -> Iterator[float]:
    """Cool from T0 to T1 by the law called `name` and yield each step's temperature; goes on from
    `ensemble.step` with what it noted in `kept`.
    """
    return look_up(name, COOLING, "cooling")(ensemble, hot, cold, steps, kept)
