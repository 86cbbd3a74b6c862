"""Integrators are rows of a table that turns (gamma, dt, T) into the recursion's (rho, lr, s).

Every row obeys ``lr = (1 + rho)/2 dt^2``, so every row has the same stability limit, ``lr*k < 2*(1
+ rho)`` for a curvature k = omega^2: that is ``omega*dt < 2``, with ``dt = sqrt(2 lr/(1 + rho))``,
which is `Steps.dt`. For the overdamped rows, rho = 0 and lr = dt/gamma, it reads omega^2 dt/gamma <
2. `Integrator.time_step` is this law turned around.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .arguments import look_up
from .momentum import Langevin, Steps

STABILITY_LIMIT = 2.0  # of omega*dt, for every row and every rho


@dataclass(frozen=True)
class Integrator:
    """One row: how (gamma, dt, T) become (rho, lr, s), and what is known of the scheme.

    Attributes
    ----------
    name : str
        What it is asked for by.
    rule : callable
        ``rule(gamma, dt, temperature) -> (rho, lr, s)``, for arrays.
    paired : bool
        A step's noise is the mean of two consecutive normals.
    source : str
        Equation or paper.
    order : int or None
        Averages over positions are off by a multiple of dt to this power; None without noise, or
        where it is not known.
    thermal : bool
        It adds noise, which sustains the temperature.
    overdamped : bool
        No velocity is carried over: rho = 0, and dt/gamma is the step.
    physical : bool
        The velocity dx/dt is carried over when dt changes between steps, instead of dx.
    """

    name: str
    rule: Callable[[Any, Any, Any], tuple[Any, Any, Any]]
    paired: bool
    source: str
    order: int | None = None
    thermal: bool = True
    overdamped: bool = False
    physical: bool = True

    def steps(self, gamma: Any, dt: Any, temperature: Any) -> Steps:
        """Coefficients for arrays (or numbers) of friction, time step and temperature."""
        Langevin(gamma, dt, temperature)  # refuses what is no friction, time step or temperature
        gamma, dt, temperature = np.broadcast_arrays(
            *(np.asarray(v, dtype=float) for v in (gamma, dt, temperature))
        )
        rho, lr, s = (np.broadcast_to(v, dt.shape) for v in self.rule(gamma, dt, temperature))
        return Steps(rho, lr, s, paired=self.paired)

    def time_step(self, omega_dt: float, omega: float, gamma: float) -> float:
        """The dt of schedules with which omega*dt, of ``sqrt(2 lr/(1 + rho))``, is as wished in a
        direction of curvature omega^2: overdamped, lr = dt/gamma.
        """
        if self.overdamped:
            return gamma * (omega_dt / omega) ** 2 / 2
        return omega_dt / omega

    def carrying(self, steps: Steps, previous_dt: float | None) -> Steps:
        """`steps` with the velocity, not dx, carried over where the time step changes."""
        if not self.physical:
            return steps
        dt = np.asarray(steps.dt)
        before = np.concatenate([dt[:1] if previous_dt is None else [previous_dt], dt[:-1]])
        return replace(steps, carry=steps.rho * (dt / before))


def _bbk(gamma: Any, dt: Any, temperature: Any) -> tuple[Any, Any, Any]:
    m = Langevin(gamma, dt, temperature).to_momentum()
    return m.rho, m.lr, m.s


def _baoab(gamma: Any, dt: Any, temperature: Any) -> tuple[Any, Any, Any]:
    rho = np.exp(-gamma * dt)
    return rho, (1 + rho) / 2 * dt**2, dt * np.sqrt(temperature * -np.expm1(-2 * gamma * dt))


def _overdamped(gamma: Any, dt: Any, temperature: Any) -> tuple[Any, Any, Any]:
    if np.any(gamma <= 0):
        raise ValueError(
            "an overdamped integrator divides by gamma: gamma must be > 0; with gamma = 0 use "
            "bbk, gjf, baoab or verlet"
        )
    h = dt / gamma
    return np.zeros_like(h), h, np.sqrt(2 * temperature * h)


def _verlet(gamma: Any, dt: Any, temperature: Any) -> tuple[Any, Any, Any]:
    return np.ones_like(dt), dt**2, np.zeros_like(dt)


def _heavy_ball(gamma: Any, dt: Any, temperature: Any) -> tuple[Any, Any, Any]:
    return _bbk(gamma, dt, np.zeros_like(dt))


_ROWS = (
    Integrator("bbk", _bbk, False, "the paper's Eqs. (13)-(17); Brunger, Brooks, Karplus 1984", 2),
    Integrator("gjf", _bbk, True, "Gronbech-Jensen, Farago 2013", 2),
    Integrator("baoab", _baoab, True, "Leimkuhler, Matthews 2013", 2),
    Integrator(
        "ermak_mccammon",
        _overdamped,
        False,
        "the paper's Eq. (9); Ermak, McCammon 1978",
        order=1,
        overdamped=True,
    ),
    Integrator(
        "leimkuhler_matthews",
        _overdamped,
        True,
        "Leimkuhler, Matthews 2013, overdamped limit",
        order=2,
        overdamped=True,
    ),
    Integrator(
        "verlet",
        _verlet,
        False,
        "Eq. (2); Stormer 1907, Verlet 1967; ignores gamma and T",
        thermal=False,
    ),
    Integrator(
        "heavy_ball", _heavy_ball, False, "Polyak 1964; bbk at T = 0", thermal=False, physical=False
    ),
)
INTEGRATORS = {row.name: row for row in _ROWS}


def get_integrator(name: str) -> Integrator:
    """The row called `name`; a ValueError that lists the rows and suggests the nearest
    otherwise.
    """
    return look_up(name, INTEGRATORS, "integrator")
