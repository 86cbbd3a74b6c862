"""Continuous tempering: each replica carries a variable of its own that makes it hot and cold."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from ..arguments import check_fraction, finite, shown
from ..integrators import get_integrator
from ..momentum import Steps
from ..schedules import Schedule
from .rule import Moment, Point, Rule

CELLS = 32  # of the bias, over the range of the tempering variable
# thermal velocities: a bound met far from equilibrium only, as at a start with very high energies
FASTEST = 5.0


@dataclass(frozen=True)
class ContinuousTempering(Rule):
    """Langevin dynamics with continuous tempering (Ye, Zhu, Mantiuk, NIPS 2017), the paper's
    reference 15, by the extended Hamiltonian of Gobbo, Leimkuhler, Phys. Rev. E 91, 061301 (2015).

    The potential of x and of a tempering variable alpha, which lives on a circle from -1 to 1, is
    ``lambda(alpha) U(x) + bias(|alpha|)``. Both move by GJF at T, so that x sees the temperature
    T/lambda. The coupling lambda is 1 for \\|alpha\\| < `plateau`, where samples are Boltzmann's at
    T whatever the bias is, and falls smoothly to 1/`ratio` at 1. With ratio 1 this is GJF alone.

    The bias flattens what alpha sees: its force is that of the mean energy which the replica has
    met so far in each of 32 cells of \\|alpha\\|, in place of the hills that the paper piles up
    there; this is thermodynamic integration (Darve, Pohorille, J. Chem. Phys. 115, 9169 (2001);
    Zhang, Ma, J. Chem. Phys. 132, 244101 (2010)) and knows neither unit nor origin of the energy.

    Parameters
    ----------
    temperature, gamma, dt : float or law
        T (energy, above 0), friction (1/time) and time step, numbers or laws of progress.
    ratio : float
        Highest over lowest temperature, at least 1.
    plateau : float
        Share of the range of alpha, and so in the long run of the steps, with coupling 1.
    crossing : float
        Steps in which alpha crosses its range at its thermal velocity, and forgets it. Fewer mix
        faster, until x cannot follow.
    adapt : float
        Until which progress the bias learns. It looks back, so that averages of a run are exact
        only in the limit; from here on they are exact.
    until : float
        Until which progress it tempers. From then on it is GJF alone, which a law of the
        temperature may cool: the paper's second phase.

    Examples
    --------
    >>> import langevin_sa as lsa
    >>> from langevin_sa.optimizers import ContinuousTempering
    >>> U = lsa.potentials.double_well(tilt=0.3)  # the barrier is 18 T, 0.9 T when hot
    >>> rule = ContinuousTempering(0.04, gamma=1.0, dt=0.2, ratio=20.0)
    >>> found = lsa.compare(U, {"ct": rule}, x0=[0.96], replicas=50, n_steps=5000, rng=1)
    >>> bool(found["ct"].success.value > 0.8)
    True
    """

    temperature: Any
    gamma: Any
    dt: Any
    ratio: float = 10.0
    plateau: float = 0.25
    crossing: float = 50.0
    adapt: float = 0.5
    until: float = 1.0
    laws: ClassVar[tuple[str, ...]] = ("temperature", "gamma", "dt")
    memory: ClassVar[int] = 2  # dx, and the noise that the next step gets
    # alpha, its last update and its noise; mean energies and visits of the cells
    scalars: ClassVar[int] = 3 + 2 * CELLS
    draws_more: ClassVar[bool] = True
    needs_energy: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name, least in (("ratio", 1), ("crossing", 2)):
            value = getattr(self, name)
            if not (finite(value) and value >= least):
                raise ValueError(f"{name} must be a number >= {least}, not {shown(value)}")
        check_fraction(plateau=self.plateau)
        for name in ("adapt", "until"):
            value = getattr(self, name)
            if not (finite(value) and 0 <= value <= 1):
                raise ValueError(f"{name} must be a progress in [0, 1], not {shown(value)}")

    def numbers(self, n_steps: int) -> dict[str, np.ndarray]:
        steps = Schedule(self.temperature, self.gamma, self.dt).coefficients(n_steps)
        T = steps.temperature
        if not T.min(initial=np.inf) > 0:
            raise ValueError(
                f"temperature must be > 0 all the time, and is {T.min():g} at some step"
            )
        return {
            name: getattr(steps, name) for name in ("temperature", "carry", "lr", "kick", "tail")
        }

    @cached_property
    def _alone(self) -> Steps:
        """The recursion of alpha, with T for the unit of energy and a crossing for that of time."""
        return get_integrator("gjf").steps(1.0, 1 / self.crossing, 1.0)

    def coupling(self, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """lambda, and its derivative by alpha."""
        t = np.maximum(np.abs(alpha) - self.plateau, 0) / (1 - self.plateau)
        value = self.ratio ** -(t**2 * (3 - 2 * t))
        slope = -value * np.log(self.ratio) * 6 * t * (1 - t) / (1 - self.plateau)
        return value, slope * np.sign(alpha)

    def propose(self, now: Moment, here: Point, *memory: np.ndarray) -> np.ndarray:
        (dx, noise, own), of = memory, now.numbers
        value = np.ones(len(dx))
        if now.progress < self.until:
            value = self._temper(now, here.energy, own)
        dx *= of["carry"]
        dx -= of["lr"] * (value[:, None] * here.gradient)
        dx += of["kick"] * now.normals + noise
        noise[...] = of["tail"] * now.normals
        return dx

    def _temper(self, now: Moment, energy: np.ndarray, own: np.ndarray) -> np.ndarray:
        """The coupling of this step; alpha and the bias move on."""
        alpha, update, noise = own[:, :3].T
        means, visits = own[:, 3 : 3 + CELLS], own[:, 3 + CELLS :]
        value, slope = self.coupling(alpha)
        cell = np.arange(len(own)), np.minimum(np.abs(alpha) * CELLS, CELLS - 1).astype(int)
        visits[cell] += 1
        # weights rise linearly, so that the start is forgotten
        share = 2 / (visits[cell] + 1)
        if now.progress >= self.adapt:
            share *= visits[cell] == 1
        means[cell] += share * (energy - means[cell])
        force = -slope * ((energy - means[cell]) / now.numbers["temperature"])

        one, z = self._alone, now.more[:, 0]
        moved = one.rho * update + one.lr * force + (one.kick * z + noise)
        update[...] = np.clip(moved, -FASTEST / self.crossing, FASTEST / self.crossing)
        noise[...] = one.tail * z
        alpha[...] = (alpha + update + 1) % 2 - 1
        return value
