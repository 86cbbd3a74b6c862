"""Schedules: temperature, friction and time step (or rho and lr) as laws of progress s = n/n_steps
in [0, 1).

A law is any callable of s, array-friendly or not. The laws below are callables with a name and
numbers, so that they print as they were written and travel to other processes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from .arguments import check_finite, check_fraction, check_positive, finite, look_up, shown
from .drawing import Displayed
from .integrators import get_integrator
from .laws import NamedLaw, progress_of, values
from .momentum import Momentum, Steps


def _constant(s: Any, value: float) -> Any:
    return np.full_like(s, value)


def _linear(s: Any, start: float, end: float) -> Any:
    return start + (end - start) * s


def _exponential(s: Any, start: float, end: float) -> Any:
    return start * (end / start) ** s


def _logarithmic(s: Any, start: float, end: float, stretch: float) -> Any:
    return start / (1 + (start / end - 1) * np.log1p(stretch * s) / np.log1p(stretch))


def _power(s: Any, start: float, end: float, exponent: float) -> Any:
    return end + (start - end) * (1 - s) ** exponent


def _stepwise(s: Any, points: tuple[tuple[float, float], ...]) -> Any:
    at, value = np.array(points, dtype=float).T
    return value[np.searchsorted(at, s, side="right") - 1]


def _quench(s: Any, start: float, end: float, at: float) -> Any:
    return np.where(s < at, start, end)


def _two_stage(s: Any, start: float, middle: float, end: float, at: float) -> Any:
    early = start * (middle / start) ** (np.minimum(s, at) / at)
    return np.where(s < at, early, middle * (end / middle) ** ((np.maximum(s, at) - at) / (1 - at)))


def _through(s: Any, points: tuple[tuple[float, float], ...]) -> Any:
    at, value = np.array(points, dtype=float).T
    return value[0] * np.exp(np.interp(s, at, np.log(value / value[0])))


def constant(value: float) -> NamedLaw:
    """The same value throughout, in any unit.

    >>> float(constant(0.5)(0.3))
    0.5
    """
    check_finite(value=value)
    return NamedLaw(_constant, (value,))


def linear(start: float, end: float) -> NamedLaw:
    """From `start` to `end` in equal steps, in any unit; finite numbers, `end` may be 0.

    >>> linear(1.0, 0.0)(np.array([0.0, 0.25]))
    array([1.  , 0.75])
    """
    check_finite(start=start, end=end)
    return NamedLaw(_linear, (start, end))


def exponential(start: float, end: float) -> NamedLaw:
    """Geometric cooling, ``start*(end/start)**s``: equal time on each factor; both positive, else a
    ValueError.

    >>> exponential(1.0, 0.01)(np.array([0.0, 0.5]))
    array([1. , 0.1])
    """
    check_positive(start=start, end=end)
    return NamedLaw(_exponential, (start, end))


def logarithmic(start: float, end: float, stretch: float = 1e4) -> NamedLaw:
    """Hajek's law T = c/(d + ln(1 + stretch*s)) through `start` at s = 0 and `end` at s = 1.

    Then d = ln(1 + stretch)/(start/end - 1) and c = start*d; annealing converges in the limit of
    long runs if c is at least the critical depth (Hajek 1988). `stretch` is the length of the run
    in units of the law's own time, and so sets c: from 1 to 0.01 the default makes it 0.093 only,
    and T falls nearly at once.

    >>> logarithmic(1.0, 0.1)(np.array([0.0, 0.5])).round(3)
    array([1.   , 0.107])
    """
    check_positive(start=start, end=end, stretch=stretch)
    return NamedLaw(_logarithmic, (start, end, stretch))


def power(start: float, end: float, exponent: float = 2.0) -> NamedLaw:
    """``end + (start - end)*(1 - s)**exponent``; `end` may be 0."""
    check_finite(start=start, end=end)
    check_positive(exponent=exponent)
    return NamedLaw(_power, (start, end, exponent))


def stepwise(points: Sequence[tuple[float, float]]) -> NamedLaw:
    """``[(s, value), ...]``: each value holds from its s on; the first s must be 0 and they must
    rise.
    """
    try:
        pairs = tuple((float(s), float(v)) for s, v in points)
    except (TypeError, ValueError):
        pairs = ()
    at = [s for s, _ in pairs]
    rising = all(a < b <= 1 for a, b in itertools.pairwise(at))
    if not pairs or at[0] != 0 or not rising or not np.isfinite(pairs).all():
        raise ValueError(
            "stepwise takes [(0, value), (s, value), ...] with rising s in [0, 1], not "
            f"{shown(points)}"
        )
    return NamedLaw(_stepwise, (pairs,))


def quench(start: float, end: float, at: float = 0.0) -> NamedLaw:
    """`start` before progress `at`, `end` from then on: the sudden cooling that annealing is
    compared with.
    """
    check_finite(start=start, end=end)
    if not (finite(at) and 0 <= at <= 1):
        raise ValueError(f"the quench happens at a progress in [0, 1], not {shown(at)}")
    return NamedLaw(_quench, (start, end, at))


def two_stage(start: float, middle: float, end: float, at: float = 0.85) -> NamedLaw:
    """Geometric cooling from `start` to `middle` at progress `at`, and from there to `end`: slowly
    as long as anything moves, then fast to take the heat out; all positive.
    """
    check_positive(start=start, middle=middle, end=end)
    if not (finite(at) and 0 < at < 1):
        raise ValueError(f"the second stage begins at a progress in (0, 1), not {shown(at)}")
    return NamedLaw(_two_stage, (start, middle, end, at))


def constant_speed(pilot: Any, at: float = 0.85) -> NamedLaw:
    """Cooling at constant thermodynamic speed to `pilot.T_freeze` at progress `at`, and
    geometrically from there to `pilot.T1`.

    d ln T/ds is proportional to 1/(tau sqrt(C)), with the heat capacity C and the relaxation time
    tau that a pilot measured (`langevin_sa.tuning.pilot`): slow where much heat must leave and
    where it leaves slowly. Salamon, Nourani, Harland, Andresen, "Constant thermodynamic speed for
    minimizing entropy production in simulated annealing" (Nourani, Andresen, J. Phys. A 31, 8373
    (1998); Lam 1988).
    """
    if not (finite(at) and 0 < at < 1):
        raise ValueError(f"the second stage begins at a progress in (0, 1), not {shown(at)}")
    temperatures = np.asarray(getattr(pilot, "temperatures", ()), dtype=float)
    if len(temperatures) < 2:  # too short a run for ladders
        return two_stage(pilot.T0, pilot.T_freeze, pilot.T1, at)
    slow = pilot.relaxation * np.sqrt(pilot.heat_capacity)
    passed = -np.diff(np.log(temperatures / temperatures[0])) * (slow[1:] + slow[:-1]) / 2
    progress = at * np.append(0.0, np.cumsum(passed)) / passed.sum()
    points = [*zip(progress.tolist(), temperatures.tolist(), strict=True), (1.0, float(pilot.T1))]
    return NamedLaw(_through, (tuple(points),))


@dataclass(frozen=True)
class Schedule(Displayed):
    """Temperature, friction and time step, each a number or a law of progress.

    Parameters
    ----------
    temperature : float or law
        T >= 0 (energy, k_B = 1).
    gamma : float or law
        Friction >= 0 (1/time).
    dt : float or law
        Time step > 0 (time). Stable is ``lr*k < 2 (1 + rho)`` for a curvature k, see
        `langevin_sa.integrators`.

    Notes
    -----
    A law is a function of progress s = n/n_steps in [0, 1). It is called with an array (n_steps,)
    of s and returns as many values; one that takes a single s alone is called for each. Values that
    are not finite or out of range are a ValueError when the schedule is used, before the first
    step.

    Examples
    --------
    >>> Schedule(temperature=exponential(5.0, 0.01), gamma=1.0, dt=0.05)
    Schedule(temperature=exponential(5.0, 0.01), gamma=1.0, dt=0.05)
    >>> Schedule(temperature=lambda s: 1 - s, dt=0.1).coefficients(4).temperature
    array([1.  , 0.75, 0.5 , 0.25])
    """

    temperature: Any = 1.0
    gamma: Any = 1.0
    dt: Any = 0.01
    own_recursion: ClassVar[bool] = False  # the integrator makes it

    # what is not finite is refused below
    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def coefficients(
        self, n_steps: int, integrator: str = "gjf", steps: tuple[int, int] | None = None
    ) -> Steps:
        """The recursion's numbers for each step.

        Parameters
        ----------
        n_steps : int
            Length of the whole run, which sets the progress s = n/n_steps.
        integrator : str
            A row of `langevin_sa.integrators.INTEGRATORS`.
        steps : (start, stop), optional
            Only the steps ``start <= n < stop``.

        Returns
        -------
        Steps
            Arrays `rho`, `lr`, `s`, `dt`, `temperature` of shape (n_steps,) or (stop - start,).

        Raises
        ------
        ValueError
            For a value that is not finite, a negative temperature or friction, or a time step that
            is not positive.
        """
        row = get_integrator(integrator)
        start, stop = steps or (0, n_steps)
        # of steps before, the last of which has the dt that the velocity was measured with
        first = max(start - row.memory, 0)
        progress = progress_of(n_steps, (first, stop))
        laws = {
            name: values(getattr(self, name), progress, name)
            for name in ("gamma", "dt", "temperature")
        }
        for name, wrong, want in (
            ("temperature", laws["temperature"] < 0, ">= 0"),
            ("gamma", laws["gamma"] < 0, ">= 0"),
            ("dt", laws["dt"] <= 0, "> 0"),
        ):
            if wrong.any():
                n = int(np.argmax(wrong))
                raise ValueError(
                    f"{name} must be {want}, and is {laws[name][n]:g} at step {first + n}"
                )
        known, skip = row.steps(**laws), start - first
        now = known.part(skip, stop - first).checked()
        return row.carrying(now, known.dt[skip - 1] if skip else None)

    plot = Momentum.plot


COOLMOMENTUM_LAWS: dict[str, Callable[[Any, float], Any]] = {
    # Eqs. (20)-(21) in closed form: alpha = (1 - rho0)^(1/S)
    "paper": lambda s, rho0: 1 - (1 - rho0) ** (1 - s),
    # temperature falls exponentially: with q = (1 - rho0)/(1 + rho0), (1 - rho)/(1 + rho) = q^(1 -
    # s)
    "exponential": lambda s, rho0: 2 / (1 + ((1 - rho0) / (1 + rho0)) ** (1 - s)) - 1,
    # temperature falls linearly; the same as DEMON's decay (arXiv 1910.04952)
    "linear": lambda s, rho0: rho0 * (1 - s) / (1 - rho0 * s),
}


@dataclass(frozen=True)
class CoolMomentum(Displayed):
    """The paper's Table 1: momentum falls from `rho0` to 0, which cools if noise comes with the
    force.

    Parameters
    ----------
    lr : float
        Base learning rate, dt^2 (the effective one is (1 + rho)/2 lr, Eq. 16).
    rho0 : float
        Momentum at the first step, 0 <= rho0 < 1.
    noise : float
        Standard deviation of a constant random force R. With it the temperature follows Eq. (19)
        and falls by (1 + rho0)/(1 - rho0), 199-fold for 0.99, not to 0. Without it, and with exact
        gradients, the temperature is 0 throughout and the ramp is plain damping.
    law : {"paper", "exponential", "linear"}
        Eqs. (20)-(21), or the laws that make the temperature of constant force noise fall
        exponentially or linearly.
    """

    lr: float = 0.01
    rho0: float = 0.99
    noise: float = 0.0
    law: str = "paper"
    own_recursion: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_positive(lr=self.lr)
        check_fraction(rho0=self.rho0)
        if not (finite(self.noise) and self.noise >= 0):
            raise ValueError(
                "noise is the standard deviation of a force and must be >= 0, not "
                f"{shown(self.noise)}"
            )
        look_up(self.law, COOLMOMENTUM_LAWS, "CoolMomentum law")

    @classmethod
    def from_temperature(
        cls, temperature: float, lr: float = 0.01, rho0: float = 0.99, law: str = "paper"
    ) -> CoolMomentum:
        """With the noise that makes `temperature` the first temperature, Eq. (19): R^2 = 4 (1 -
        rho0) T/((1 + rho0) lr).
        """
        if not (finite(temperature) and temperature >= 0):
            raise ValueError(f"temperature must be a number >= 0, not {shown(temperature)}")
        quiet = cls(lr, rho0, law=law)
        return replace(
            quiet, noise=2 * float(np.sqrt((1 - rho0) * temperature / ((1 + rho0) * lr)))
        )

    @np.errstate(over="ignore")
    def coefficients(
        self, n_steps: int, integrator: str = "heavy_ball", steps: tuple[int, int] | None = None
    ) -> Steps:
        """One (rho, lr, s) for each step; `integrator` is ignored, since this already is the
        recursion.
        """
        rho = np.maximum(0, COOLMOMENTUM_LAWS[self.law](progress_of(n_steps, steps), self.rho0))
        lr = (1 + rho) / 2 * self.lr
        return Steps(rho, lr, lr * self.noise).checked()

    plot = Momentum.plot
