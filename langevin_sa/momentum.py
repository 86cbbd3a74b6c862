"""The discretized Langevin equation is the Momentum optimizer (paper, Eqs. 12-19).

Both sides are one recursion, ``dx = rho*dx + lr*f(x) + s*xi; x = x + dx`` (Eq. 14). A physicist
says it with friction, time step and temperature, an optimizer's user with momentum, learning rate
and noise; this file is the only place where the two vocabularies meet. Mass and k_B are 1,
temperatures are energies.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from .arguments import real_array, shown
from .drawing import draw
from .laws import plain, progress_of, values


@dataclass(frozen=True)
class Momentum:
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
    """The recursion's numbers for each step, which are all that a backend knows of an integrator.

    Attributes
    ----------
    rho, lr, s : ndarray (n_steps,)
        Momentum, effective learning rate and noise amplitude, as those of a `Momentum`.
    paired : bool
        The noise of a step is the mean of two consecutive normals (GJF, BAOAB) instead of one.
    carry : ndarray (n_steps,)
        What multiplies the old dx: rho, times dt_n/dt_{n-1} where a physical time step changes, so
        that the velocity dx/dt is what carries over.
    """

    rho: Any
    lr: Any
    s: Any
    paired: bool = False
    carry: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.carry is None:
            object.__setattr__(self, "carry", self.rho)

    @cached_property
    def _momentum(self) -> Momentum:
        return Momentum(self.rho, self.lr, self.s)

    @cached_property
    def dt(self) -> Any:
        """Time step of each step, Eq. (16)."""
        return self._momentum.dt

    @cached_property
    def temperature(self) -> Any:
        """Temperature that the noise of each step sustains, Eq. (19)."""
        return self._momentum.temperature

    @cached_property
    def force_noise(self) -> Any:
        """Standard deviation of the random force of each step, Eq. (17)."""
        return self._momentum.force_noise

    @cached_property
    def velocity_scale(self) -> Any:
        """dx / velocity_scale is the velocity whose mean square is the temperature.

        Single noise: dt, which is Eq. (22). Paired noise: sqrt(lr), exact at any stable dt.
        """
        return np.sqrt(self.lr) if self.paired else self.dt

    @cached_property
    def weights(self) -> np.ndarray:
        """What thermometers multiply dx^2 by, (n_steps, 2): 1/dt^2, and 1/velocity_scale^2."""
        return np.stack([1 / np.square(self.dt), 1 / np.square(self.velocity_scale)], axis=-1)

    @cached_property
    def kick(self) -> Any:
        """What multiplies a fresh normal: s, or s/2 where noise is paired."""
        return self.s / 2 if self.paired else self.s

    def checked(self) -> Steps:
        """Itself, or a ValueError that names the first step at which the recursion makes no
        sense.
        """
        for wrong, what in (
            ((self.rho <= -1) | (self.rho > 1), "rho must be in (-1, 1], and rho = {rho:g}"),
            (self.lr <= 0, "lr must be positive, and lr = {lr:g}"),
            (self.s < 0, "the noise amplitude s must not be negative, and s = {s:g}"),
        ):
            if np.any(wrong):
                n = int(np.argmax(wrong))
                raise ValueError(
                    what.format(rho=self.rho[n], lr=self.lr[n], s=self.s[n]) + f" at step {n}"
                )
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            extreme = ~(
                np.isfinite(self.temperature) & np.isfinite(self.dt) & np.isfinite(self.carry)
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
    """The physicist's view: friction `gamma` (1/time), time step `dt`, `temperature` (energy), Eq.
    (6).
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
