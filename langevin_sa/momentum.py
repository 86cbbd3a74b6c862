"""The discretized Langevin equation is the Momentum optimizer (paper, Eqs. 12-19).

Both sides are one recursion, ``dx = rho*dx + lr*f(x) + s*xi; x = x + dx`` (Eq. 14). A physicist
says it with friction, time step and temperature, an optimizer's user with momentum, learning rate
and noise; this file is the only place where the two vocabularies meet. The noise ``s*xi`` of a step
is made of one normal or of two consecutive ones (`Steps`). Mass and k_B are 1, temperatures are
energies.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from .arguments import real_array, shown
from .drawing import Displayed, draw
from .laws import Drive, plain, progress_of, values


@dataclass(frozen=True)
class Momentum(Displayed):
    """The optimizer's view: momentum `rho`, learning rate `lr`, noise amplitude `s` of the update
    (Eq. 14).

    As a schedule, each of the three is a number or a law of progress; a step-decayed `lr` is the
    quench of the paper's Fig. 1. Here `lr` is always the effective one, (1 + rho)/2 dt^2 (Eq. 16).

    Parameters
    ----------
    rho : float, array or law
        Momentum coefficient, -1 < rho <= 1.
    lr : float, array or law
        Effective learning rate, > 0 (time squared).
    s : float, array or law
        Standard deviation of the noise in dx, >= 0 (length).
    """

    rho: Any
    lr: Any
    s: Any = 0.0
    own_recursion: ClassVar[bool] = True  # a schedule that leaves nothing to the integrator

    @property
    def dt(self) -> Any:
        """Time step that belongs to (rho, lr), Eq. (16)."""
        return plain(np.sqrt(2 * np.asarray(self.lr) / (1 + np.asarray(self.rho))))

    @property
    def temperature(self) -> Any:
        """Temperature that the noise sustains, Eq. (19): s^2 / (2 lr (1 - rho)); 0 without
        noise.
        """
        rho, lr, s = np.broadcast_arrays(
            *(np.asarray(v, dtype=float) for v in (self.rho, self.lr, self.s))
        )
        if np.any((s > 0) & (rho >= 1)):
            raise ValueError(
                "noise with rho = 1 (no friction) has no temperature: it heats for ever; use rho "
                "< 1 or s = 0"
            )
        return plain(np.divide(s**2, 2 * lr * (1 - rho), out=np.zeros_like(lr), where=s > 0))

    @property
    def force_noise(self) -> Any:
        """Standard deviation of the random force R of Eq. (17): s/lr."""
        return plain(np.asarray(self.s) / np.asarray(self.lr))

    def to_langevin(self) -> Langevin:
        """The same recursion as friction, time step and temperature (Eqs. 16, 18, 19); a TypeError
        if one of the three is a law.
        """
        m = Momentum(*(real_array(getattr(self, name), name) for name in ("rho", "lr", "s")))
        return Langevin(2 / m.dt * (1 - m.rho) / (1 + m.rho), m.dt, m.temperature)

    def coefficients(
        self, n_steps: int, integrator: str = "heavy_ball", steps: tuple[int, int] | None = None
    ) -> Steps:
        """One (rho, lr, s) for each step; `integrator` is ignored, since this already is the
        recursion.
        """
        progress = progress_of(n_steps, steps)
        rho, lr, s = (values(getattr(self, name), progress, name) for name in ("rho", "lr", "s"))
        return Steps(rho, lr, s).checked()

    def plot(self, n_steps: int = 1000, integrator: str = "gjf", ax: Any = None) -> Any:
        """Draw rho, lr and temperature against progress; see `langevin_sa.plots.schedule`."""
        return draw("schedule", self, n_steps, integrator=integrator, ax=ax)


@dataclass(frozen=True)
class Steps:
    """The recursion's numbers for each step, which are all that a backend knows of an integrator:
    ``dx_n = carry_n dx_{n-1} + lr_n f(x) + kick_n z_n + tail_{n-1} z_{n-1}``, z standard normals.

    Attributes
    ----------
    rho, lr, s : ndarray (n_steps,)
        Momentum, effective learning rate and noise amplitude, as those of a `Momentum`: s is what
        the normal of a step does in all, kick + tail.
    paired : bool
        The noise of a step is of two consecutive normals (GJF, BAOAB, VEC) instead of one.
    carry : ndarray (n_steps,)
        What multiplies the old dx: rho, times dt_n/dt_{n-1} where a physical time step changes, so
        that the velocity dx/dt is what carries over.
    share : float or ndarray (n_steps,)
        Part of s that the next step gets of paired noise, below 1: half of it unless an integrator
        says otherwise.
    target : ndarray (n_steps,), optional
        The temperature that was asked for, where the noise sustains it only nearly.
    drive : Drive, optional
        The potential's parameters that change from step to step.
    """

    rho: Any
    lr: Any
    s: Any
    paired: bool = False
    carry: Any = field(default=None, repr=False)
    share: Any = field(default=0.5, repr=False)
    target: Any = field(default=None, repr=False)
    drive: Drive | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.carry is None:
            object.__setattr__(self, "carry", self.rho)

    @property
    def _momentum(self) -> Momentum:
        return Momentum(self.rho, self.lr, self.s)

    @cached_property
    def dt(self) -> Any:
        """Time step of each step as the recursion knows it, Eq. (16): stable for omega*dt < 2. It
        is the schedule's for integrators with ``lr = (1 + rho)/2 dt^2``.
        """
        return self._momentum.dt

    @cached_property
    def sustained(self) -> Any:
        """Temperature that the noise of each step sustains, Eq. (19): by Einstein's relation, and
        so for k<x^2> in wells that are wide for the step.
        """
        return self._momentum.temperature

    @property
    def temperature(self) -> Any:
        """The target; what the noise sustains if there is none."""
        return self.sustained if self.target is None else self.target

    @cached_property
    def force_noise(self) -> Any:
        """Standard deviation of the random force of each step, Eq. (17)."""
        return self._momentum.force_noise

    @cached_property
    def _unequal(self) -> Any:
        # 0 for equal halves, 1 for single noise
        return (1 - 2 * np.asarray(self.share)) ** 2

    @cached_property
    def ratio(self) -> Any:
        """(velocity_scale/dt)^2: 1 for single noise, (1 + rho)/2 for halves."""
        if not self.paired:
            return np.ones_like(self.rho)
        return ((1 + self.rho) + self._unequal * (1 - self.rho)) / 2

    @cached_property
    def velocity_scale(self) -> Any:
        """dx / velocity_scale is the velocity whose mean square is the temperature of a free
        particle at any dt, and with halves of every harmonic mode at any stable dt.

        Single noise: dt, which is Eq. (22). Halves: sqrt(lr). In general
        ``dt^2 (1 - 2 share (1 - share) (1 - rho))`` is its square.
        """
        if not self.paired:
            return self.dt
        return np.sqrt(self.lr * (1 + self._unequal * ((1 - self.rho) / (1 + self.rho))))

    def stationary(self, a: Any) -> tuple[Any, Any, Any]:
        """T_conf, T_22 and the kinetic estimator of harmonic modes, in units of what the noise
        sustains, in closed form at any stable time step (`docs/integrators.md`).

        Parameters
        ----------
        a : float or array
            (omega dt)^2 of the modes, with the recursion's own dt, `Steps.dt`.

        Examples
        --------
        >>> from langevin_sa import INTEGRATORS
        >>> float(INTEGRATORS["bbk"].steps(1.0, 1.0, 1.0).stationary(1.0)[0])
        1.3333333333333333
        """
        a, share = np.asarray(a, dtype=float), np.asarray(self.share)
        both = (share * (1 - share) if self.paired else 0.0) * np.ones_like(self.rho)
        lost = 2 * both * (1 - self.rho)
        conf = (1 - both * a) / (1 - a / 4)
        return conf, conf - lost, (conf - lost) / (1 - lost)

    @cached_property
    def weights(self) -> np.ndarray:
        """What thermometers multiply dx^2 by, (n_steps, 2): 1/dt^2, and 1/velocity_scale^2."""
        return np.stack([1 / np.square(self.dt), 1 / np.square(self.velocity_scale)], axis=-1)

    @cached_property
    def kick(self) -> Any:
        """What multiplies a fresh normal: s, or what of it the next step does not get."""
        return self.s * (1 - np.asarray(self.share)) if self.paired else self.s

    @cached_property
    def tail(self) -> Any:
        """What multiplies the same normal in the next step: 0 for single noise."""
        return self.s * np.asarray(self.share) if self.paired else np.zeros_like(self.s)

    @cached_property
    def numbers(self) -> np.ndarray:
        """All that a kernel reads of each step, (n_steps, 6): carry, lr, kick, tail, weights."""
        return np.column_stack([self.carry, self.lr, self.kick, self.tail, self.weights])

    def part(self, start: int, stop: int) -> Steps:
        """Steps start <= n < stop, in views; what is known of all steps is known of these."""
        part = object.__new__(Steps)
        for name, value in vars(self).items():
            vars(part)[name] = value[start:stop] if getattr(value, "ndim", 0) else value
        vars(part)["drive"] = self.drive and self.drive.part(start, stop)
        return part

    def checked(self) -> Steps:
        """Itself, or a ValueError that names the first step at which the recursion makes no
        sense.
        """
        share = np.broadcast_to(self.share, np.shape(self.s))
        for wrong, what in (
            ((self.rho <= -1) | (self.rho > 1), "rho must be in (-1, 1], and rho = {rho:g}"),
            (self.lr <= 0, "lr must be positive, and lr = {lr:g}"),
            (self.s < 0, "the noise amplitude s must not be negative, and s = {s:g}"),
            (~(share < 1), "the next step's share of the noise must be below 1, and is {share:g}"),
        ):
            if np.any(wrong):
                n = int(np.argmax(wrong))
                numbers = {"rho": self.rho[n], "lr": self.lr[n], "s": self.s[n], "share": share[n]}
                raise ValueError(what.format(**numbers) + f" at step {n}")
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            extreme = ~(
                np.isfinite(self.sustained) & np.isfinite(self.dt) & np.isfinite(self.carry)
            )
        if np.any(extreme):
            n = int(np.argmax(extreme))
            raise ValueError(
                f"rho = {self.rho[n]:g}, lr = {self.lr[n]:g}, s = {self.s[n]:g} at step {n} are "
                "beyond floating-point numbers"
            )
        return self


@dataclass(frozen=True)
class Langevin:
    """The physicist's view of the same recursion, Eq. (6).

    Parameters
    ----------
    gamma : float or array
        Friction, >= 0 (1/time).
    dt : float or array
        Time step, > 0 (time).
    temperature : float or array
        T, >= 0 (energy).

    Notes
    -----
    `to_momentum` is the paper's discretization, the integrator "bbk" with noise of one normal. A
    `Schedule` is run by "gjf" unless another integrator is named: the same three numbers are then
    other dynamics (with the same rho, lr and strength of noise).

    Examples
    --------
    >>> round(Langevin(gamma=1.0, dt=0.1, temperature=0.5).to_momentum().rho, 3)
    0.905
    """

    gamma: Any
    dt: Any
    temperature: Any = 0.0

    def __post_init__(self) -> None:
        for name, low in (("gamma", ">= 0"), ("temperature", ">= 0"), ("dt", "> 0")):
            given = getattr(self, name)
            value = np.asarray(given)
            if value.dtype.kind not in "iuf" or not np.all(
                value > 0 if low == "> 0" else value >= 0
            ):
                raise ValueError(f"{name} must be {low}, not {shown(given)}")
            object.__setattr__(self, name, plain(value.astype(float)))

    def to_momentum(self) -> Momentum:
        """The same equation as momentum, learning rate and noise (Eqs. 15-17)."""
        c = self.gamma * self.dt
        rho = (1 - c / 2) / (1 + c / 2)
        lr = self.dt**2 / (1 + c / 2)
        return Momentum(rho, lr, plain(lr * np.sqrt(2 * self.gamma * self.temperature / self.dt)))
