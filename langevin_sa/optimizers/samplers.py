"""Samplers that the paper names beside Langevin integrators, as rules of `compare`.

`Metropolis`, `MALA` and `GHMC` sample exp(-U/T) whatever their step is, as they may refuse one; a
long step costs acceptance, not truth. `SGLD` and `SGNHT` are made for gradients that are noisy, and
their averages have an error that falls with the step. With a law for the temperature each is an
annealing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..arguments import check_fraction, finite, shown
from .first_order import StepRule
from .rule import Moment, Point, Rule


@dataclass(frozen=True)
class Metropolis(Rule):
    """Metropolis et al. (1953), annealed as by Kirkpatrick et al., Science 220, 671 (1983), the
    paper's reference 10: no gradients.

    Parameters
    ----------
    temperature : float or law
        T (energy), a number or a law of progress.
    step : float
        Standard deviation of the first moves (length).
    single : bool
        Move one coordinate at a time, in turn, each with a step of its own; otherwise all at once.
        One move is one step either way.
    acceptance : float
        To which share of accepted moves each replica's step is adapted: its logarithm changes by
        (accepted - acceptance)/sqrt(k) at the k-th move.
    adapt : float
        Until which progress. Adapting steps look back, so that averages of a run are exact only in
        the limit; from here on they are exact.

    Examples
    --------
    >>> import langevin_sa as lsa
    >>> from langevin_sa.optimizers import Metropolis
    >>> cool = Metropolis(lsa.schedules.exponential(1.0, 0.01), step=0.5)
    >>> U = lsa.potentials.double_well(tilt=0.3)
    >>> found = lsa.compare(U, {"mc": cool}, x0=[0.96], replicas=50, n_steps=2000, rng=1)
    >>> bool(found["mc"].success.value > 0.8)
    True
    """

    temperature: Any
    step: float
    single: bool = False
    acceptance: float = 0.4
    adapt: float = 1.0
    laws: ClassVar[tuple[str, ...]] = ("temperature",)
    memory: ClassVar[int] = 1  # the logarithm of the step, in units of the first
    refuses: ClassVar[bool] = True
    needs_gradient: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check(temperature=self.temperature)
        _check_positive(step=self.step)
        if not isinstance(self.single, bool):
            raise TypeError(f"single must be True or False, not {shown(self.single)}")
        check_fraction(acceptance=self.acceptance)
        if self.acceptance == 0 or not (finite(self.adapt) and 0 <= self.adapt <= 1):
            raise ValueError(
                "acceptance must be between 0 and 1 and adapt a progress in [0, 1], not "
                f"{shown(self.acceptance)} and {shown(self.adapt)}"
            )

    def numbers(self, n_steps: int) -> dict[str, np.ndarray]:
        return _checked(super().numbers(n_steps))

    def _moving(self, n: int, dim: int) -> slice:
        """Which coordinates step n moves."""
        c = (n - 1) % dim
        return slice(c, c + 1) if self.single else slice(None)

    def propose(self, now: Moment, here: Point, *memory: np.ndarray) -> np.ndarray:
        moving, update = self._moving(now.n, here.x.shape[1]), np.zeros(here.x.shape)
        update[:, moving] = self.step * np.exp(memory[0][:, moving]) * now.normals[:, moving]
        return update

    def accept(self, now: Moment, here: Point, there: Point, *memory: np.ndarray) -> Any:
        accepted = _metropolis(now, there.energy - here.energy)
        if now.progress < self.adapt:
            dim = here.x.shape[1]
            tried = 1 + (now.n - 1) // dim if self.single else now.n
            change = (accepted - self.acceptance) / np.sqrt(tried)
            memory[0][:, self._moving(now.n, dim)] += change[:, None]
        return accepted


@dataclass(frozen=True)
class GHMC(Rule):
    """Generalized hybrid Monte Carlo (Horowitz, Phys. Lett. B 268, 247 (1991)): underdamped
    Langevin dynamics with velocities that turn round where a step is refused.

    A step renews the velocity, ``v = c v + sqrt((1 - c^2) T) z`` with c = exp(-gamma dt), takes one
    of velocity Verlet, and accepts it with probability min(1, exp(-(H' - H)/T)).

    Parameters
    ----------
    temperature, gamma, dt : float or law
        T (energy), friction (1/time) and time step, numbers or laws of progress.

    Examples
    --------
    >>> import langevin_sa as lsa
    >>> from langevin_sa.optimizers import GHMC
    >>> U = lsa.potentials.harmonic()
    >>> found = lsa.compare(U, {"it": GHMC(1.0, 1.0, 1.5)}, replicas=4000, n_steps=100, rng=1)
    >>> bool(abs(found["it"].energies["final"].mean() - 0.5) < 0.05)  # <U> = T/2 at any dt
    True
    """

    temperature: Any
    gamma: Any
    dt: Any
    laws: ClassVar[tuple[str, ...]] = ("temperature", "gamma", "dt")
    memory: ClassVar[int] = 1  # velocities; at the half step between `propose` and `accept`
    refuses: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check(temperature=self.temperature, gamma=self.gamma)
        _check_positive(dt=self.dt)

    def numbers(self, n_steps: int) -> dict[str, np.ndarray]:
        return _checked(super().numbers(n_steps), "dt")

    def propose(self, now: Moment, here: Point, *memory: np.ndarray) -> np.ndarray:
        (v,), of = memory, now.numbers
        kept = np.exp(-of["gamma"] * of["dt"]) if now.n > 1 else 0.0  # the first are thermal
        return _half_kick(v, kept, of["temperature"], of["dt"], now, here)

    def accept(self, now: Moment, here: Point, there: Point, *memory: np.ndarray) -> Any:
        return _end_of_leap(memory[0], now.numbers["dt"], now, here, there)


@dataclass(frozen=True)
class MALA(Rule):
    """The Metropolis-adjusted Langevin algorithm (Rossky, Doll, Friedman, J. Chem. Phys. 69, 4628
    (1978); Roberts, Tweedie, Bernoulli 2, 341 (1996)).

    Eq. (9) proposes, ``x' = x + lr f(x) + sqrt(2 T lr) z``. This is `GHMC` with dt^2 = 2 lr and
    velocities that are all new in each step.

    Parameters
    ----------
    temperature, lr : float or law
        T (energy) and the step (length^2/energy), numbers or laws of progress.
    """

    temperature: Any
    lr: Any
    laws: ClassVar[tuple[str, ...]] = ("temperature", "lr")
    memory: ClassVar[int] = 1
    refuses: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check(temperature=self.temperature)
        _check_positive(lr=self.lr)

    def numbers(self, n_steps: int) -> dict[str, np.ndarray]:
        return _checked(super().numbers(n_steps), "lr")

    def propose(self, now: Moment, here: Point, *memory: np.ndarray) -> np.ndarray:
        dt = np.sqrt(2 * now.numbers["lr"])
        return _half_kick(memory[0], 0.0, now.numbers["temperature"], dt, now, here)

    def accept(self, now: Moment, here: Point, there: Point, *memory: np.ndarray) -> Any:
        return _end_of_leap(memory[0], np.sqrt(2 * now.numbers["lr"]), now, here, there)


@dataclass(frozen=True)
class SGLD(StepRule):
    """Stochastic gradient Langevin dynamics (Welling, Teh, ICML 2011), the paper's reference 13:
    Eq. (9) with the gradient that there is, ``dx = -lr (g - noise z) + sqrt(2 T lr) xi``.

    Parameters
    ----------
    lr : float or law
        Step (length^2/energy).
    noise : float
        Standard deviation of the noise on each component of the gradient (energy/length), which
        comes on top: the temperature is too high by lr noise^2/2.
    temperature : float or law
        T (energy).
    """

    temperature: Any = 1.0
    laws: ClassVar[tuple[str, ...]] = ("lr", "temperature")
    draws_more: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        _check(temperature=self.temperature)

    def numbers(self, n_steps: int) -> dict[str, np.ndarray]:
        return _checked(super().numbers(n_steps), "lr")

    def propose(self, now: Moment, here: Point, *memory: np.ndarray) -> np.ndarray:
        lr, T = now.numbers["lr"], now.numbers["temperature"]
        return -lr * (here.gradient - self.noise * now.normals) + np.sqrt(2 * T * lr) * now.more


@dataclass(frozen=True)
class SGNHT(StepRule):
    """The stochastic gradient Nose-Hoover thermostat (Ding et al., NIPS 2014, Algorithm 2), the
    paper's reference 14: the friction of each replica grows where it is too hot, and so takes away
    the heat of noisy gradients, whose size need not be known.

    ``v += -chi v h - (g - noise z) h + sqrt(2 A T h) xi``, ``dx = v h``, ``chi += (|v|^2/dim - T)
    h/T``. Its error is of first order: <x^2> of a harmonic well is too low by the share chi h/2.

    Parameters
    ----------
    lr : float or law
        Time step h.
    noise : float
        Standard deviation of the noise on each component of the gradient (energy/length).
    temperature : float or law
        T (energy), above 0.
    diffusion : float
        A (1/time): the friction at the start, and where gradients are exact.
    """

    temperature: Any = 1.0
    diffusion: float = 1.0
    laws: ClassVar[tuple[str, ...]] = ("lr", "temperature")
    memory: ClassVar[int] = 2  # velocities, and what chi is above A
    draws_more: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        _check(diffusion=self.diffusion)
        _check_positive(temperature=self.temperature)

    def numbers(self, n_steps: int) -> dict[str, np.ndarray]:
        return _checked(super().numbers(n_steps), "lr", "temperature")

    def propose(self, now: Moment, here: Point, *memory: np.ndarray) -> np.ndarray:
        (v, chi), h, T = memory, now.numbers["lr"], now.numbers["temperature"]
        v *= 1 - (self.diffusion + chi) * h
        v -= h * (here.gradient - self.noise * now.normals)
        v += np.sqrt(2 * self.diffusion * T * h) * now.more
        chi += h * ((v**2).mean(1, keepdims=True) / T - 1)
        return h * v


def _metropolis(now: Moment, rise: np.ndarray) -> np.ndarray:
    """Accept with probability min(1, exp(-rise/T)), also at T = 0."""
    return rise <= -now.numbers["temperature"] * np.log(now.uniforms)


def _half_kick(v: np.ndarray, kept: float, T: float, dt: float, now: Moment, here: Point) -> Any:
    """Renew velocities, take them to the half step, and drift: the update."""
    v *= kept
    v += np.sqrt((1 - kept**2) * T) * now.normals - dt / 2 * here.gradient
    return dt * v


def _end_of_leap(v: np.ndarray, dt: float, now: Moment, here: Point, there: Point) -> np.ndarray:
    """Which steps of velocity Verlet are accepted; velocities there or, turned round, here."""
    before, after = v + dt / 2 * here.gradient, v - dt / 2 * there.gradient
    rise = there.energy - here.energy + ((after**2).sum(1) - (before**2).sum(1)) / 2
    accepted = _metropolis(now, rise)
    v[...] = np.where(accepted[:, None], after, -before)
    return accepted


def _check(**numbers: Any) -> None:
    for name, value in numbers.items():
        if not callable(value) and not (finite(value) and value >= 0):
            raise ValueError(f"{name} must be a number >= 0 or a law, not {shown(value)}")


def _check_positive(**numbers: Any) -> None:
    for name, value in numbers.items():
        if not callable(value) and not (finite(value) and value > 0):
            raise ValueError(f"{name} must be a number > 0 or a law, not {shown(value)}")


def _checked(numbers: dict[str, np.ndarray], *positive: str) -> dict[str, np.ndarray]:
    """Values of laws, none of them below 0 and these above it."""
    for name, value in numbers.items():
        least = value.min(initial=np.inf)
        if least < 0 or (least == 0 and name in positive):
            sign = ">" if name in positive else ">="
            raise ValueError(f"{name} must be {sign} 0 all the time, and is {least:g} at some step")
    return numbers
