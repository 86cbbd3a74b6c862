"""One row of the table of integrators, and how any scheme becomes one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..momentum import Langevin, Steps
from .taps import MEMORY, Scheme, drifting, reduced

STABILITY_LIMIT = 2.0  # of omega*dt, for every row and every rho


@dataclass(frozen=True)
class Integrator:
    """One row: how (gamma, dt, T) become (rho, lr, s), and what is known of the scheme.

    Attributes
    ----------
    name : str
        What it is asked for by.
    rule : callable
        ``rule(gamma, dt, temperature) -> (rho, lr, s)``, for arrays, which are consecutive steps;
        or (rho, lr, s, share) if the next step's share of the noise is not a half (`Steps`).
    paired : bool
        A step's noise is of two consecutive normals.
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
    exact : bool
        Positions in a harmonic well have no error at any stable dt.
    """

    name: str
    rule: Callable[[Any, Any, Any], tuple[Any, ...]]
    paired: bool
    source: str
    order: int | None = None
    thermal: bool = True
    overdamped: bool = False
    physical: bool = True
    exact: bool = False

    def steps(self, gamma: Any, dt: Any, temperature: Any) -> Steps:
        """Coefficients for numbers, or for arrays of consecutive steps, of friction, time step and
        temperature.
        """
        Langevin(gamma, dt, temperature)  # refuses what is no friction, time step or temperature
        gamma, dt, temperature = np.broadcast_arrays(
            *(np.asarray(v, dtype=float) for v in (gamma, dt, temperature))
        )
        made = self.rule(gamma, dt, temperature)
        rho, lr, s, *share = (np.broadcast_to(v, dt.shape) for v in made)
        if not share:
            return Steps(rho, lr, s, paired=self.paired)
        return Steps(rho, lr, s, paired=True, share=share[0], target=temperature)

    def time_step(self, omega_dt: float, omega: float, gamma: float) -> float:
        """The dt of schedules with which omega*dt, of ``sqrt(2 lr/(1 + rho))``, is as wished in a
        direction of curvature omega^2: overdamped, lr = dt/gamma.

        Raises
        ------
        ValueError
            If no dt gives that at this friction.
        """
        if self.overdamped:
            return gamma * (omega_dt / omega) ** 2 / 2
        wanted = omega_dt / omega
        if abs(self._reach(gamma, wanted) / wanted - 1) < 1e-12:  # lr = (1 + rho)/2 dt^2
            return wanted
        low = high = wanted
        while self._reach(gamma, low) > wanted:
            low /= 1.25
        while self._reach(gamma, high) < wanted and high < 1e6 * wanted:
            high *= 1.25
        for _ in range(60):
            middle = np.sqrt(low * high)
            low, high = (low, middle) if self._reach(gamma, middle) > wanted else (middle, high)
        if abs(self._reach(gamma, low) / wanted - 1) > 1e-9:
            raise ValueError(
                f"no time step of {self.name} gives omega*dt = {omega_dt:g} at gamma/omega = "
                f"{gamma / omega:.3g}; take less friction"
            )
        return float(low)

    @np.errstate(all="ignore")  # what is no recursion any more is beyond any reach
    def _reach(self, gamma: float, dt: float) -> float:
        steps = self.steps(gamma, dt, 0.0)
        return float(steps.dt) if steps.rho > -1 and steps.lr > 0 else np.inf

    def carrying(self, steps: Steps, previous_dt: float | None) -> Steps:
        """`steps` with the velocity, not dx, carried over where the time step changes."""
        if not self.physical:
            return steps
        dt = np.asarray(steps.dt)
        before = np.concatenate([dt[:1] if previous_dt is None else [previous_dt], dt[:-1]])
        return replace(steps, carry=steps.rho * (dt / before))

    @property
    def memory(self) -> int:
        """On how many steps before the numbers of a step depend."""
        return 1 if self.exact or not self.paired else MEMORY


def kick_drift_kick(name: str, scheme: Scheme, source: str, order: int | None = None) -> Integrator:
    """The row of any scheme of kick, drift and kick, to be entered in `INTEGRATORS`.

    ::

        vh = A v + B f(x) + N1        x' = x + C vh + N2        v' = A2 vh + B2 f(x') + N3

    Without velocities that is ``dx' = A A2 dx + C (A B2 + B) f + W``, with W the sum of ``C N1 +
    N2`` of this step and ``C A N3 - A A2 N2`` of the one before: two taps, see
    `langevin_sa.integrators.taps`.

    Parameters
    ----------
    name : str
        What it is asked for by.
    scheme : callable
        ``scheme(gamma, dt) -> (A, B, C, A2, B2, noise)``, for arrays; `noise` is the covariance of
        (N1, N2, N3) at temperature 1, a nested 3 x 3 sequence.
    source, order
        Columns of the `Integrator`.

    Returns
    -------
    Integrator
        A row with paired noise.

    Examples
    --------
    >>> def obabo(gamma, dt):
    ...     half, heat = np.exp(-gamma * dt / 2), -np.expm1(-gamma * dt)
    ...     noise = [[heat, 0, 0], [0, 0, 0], [0, 0, heat]]
    ...     return half, dt / 2, dt, half, half * dt / 2, noise
    >>> row = kick_drift_kick("mine", obabo, "Bussi, Parrinello 2007", order=2)
    >>> float(row.steps(1.0, 0.1, 1.0).tail)
    0.0
    """

    def rule(gamma: Any, dt: Any, temperature: Any) -> tuple[Any, ...]:
        return reduced(temperature, *scheme(gamma, dt))

    return Integrator(name, rule, True, source, order)


def splitting(word: str, source: str = "a splitting", order: int | None = None) -> Integrator:
    """The row of a splitting with one force a step, such as "OBABO", written in the order in which
    its parts are applied: A drift, B kick, O friction and noise.

    Each part takes dt over the number of its letters. Positions of the row are where the force is
    taken: ABOBA's are OBABO's, and OABAO's are BAOAB's.

    Raises
    ------
    ValueError
        If the word needs more than one force a step, or is none of these letters.
    """
    scheme = drifting(word)
    return kick_drift_kick(word.lower(), scheme, source, order)
