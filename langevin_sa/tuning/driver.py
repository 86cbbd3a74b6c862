"""Schedules from the potential; what is given is kept."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import check_type, finite, look_up, shown
from ..integrators import get_integrator
from ..noise import seed_of
from ..potential import Potential
from ..schedules import Schedule, constant, exponential, linear, logarithmic, power, quench
from .findings import COLDEST
from .measure import pilot

LAWS = {law.__name__: law for law in (exponential, linear, logarithmic, power, quench)}
LAWS["constant"] = lambda start, end: constant(start)


def automatic_schedule(
    potential: Potential,
    x0: Any = None,
    rng: int = 0,
    law: str = "exponential",
    temperature: tuple[float | None, float | None] = (None, None),
    gamma: float | None = None,
    dt: float | None = None,
    integrator: str = "gjf",
    n_steps: int = 10_000,
    replicas: int | None = None,
) -> Schedule:
    """A schedule for a potential; what is given is kept, what is None is chosen by a pilot
    (`langevin_sa.tuning.pilot`).

    Parameters
    ----------
    potential : Potential
        What is measured: spreads of energies and curvatures.
    x0 : array (replicas, dim) or (dim,), optional
        Starting points; drawn from the potential's domain if None.
    rng : int
        Seed of the pilot.
    law : {"exponential", "linear", "logarithmic", "power", "quench", "constant"}
        How temperature goes from T0 to T1.
    temperature : (T0, T1)
        In units of the energy.
    gamma, dt : float, optional
        Friction (1/time) and time step.
    integrator : str
        The row of `langevin_sa.INTEGRATORS` for which dt is chosen.
    n_steps, replicas : int
        Of the run; the pilot makes at most a tenth of its evaluations. By default `replicas` are
        those of x0, at least 64.

    Returns
    -------
    Schedule
        With numbers in place of all that was None.

    Raises
    ------
    TypeError, ValueError
        For what is no Potential, an unknown law or integrator, or negative numbers.
    KeyboardInterrupt
        After Ctrl-C in the pilot.

    Examples
    --------
    >>> import langevin_sa as lsa
    >>> U = lsa.potentials.double_well(tilt=0.3)
    >>> lsa.tuning.automatic_schedule(U, temperature=(1.0, 0.01), gamma=1.0, dt=0.1)
    Schedule(temperature=exponential(1.0, 0.01), gamma=1.0, dt=0.1)
    """
    check_type(potential, Potential, "potential")
    make = look_up(law, LAWS, "temperature law")
    row = get_integrator(integrator)
    pair = isinstance(temperature, tuple | list) and len(temperature) == 2
    hot, cold = temperature if pair else (np.nan, np.nan)
    for name, given, values in (
        ("temperature", temperature, (hot, cold)),
        ("gamma", gamma, (gamma,)),
        ("dt", dt, (dt,)),
    ):
        if not all(value is None or (finite(value) and value >= 0) for value in values):
            raise ValueError(f"{name} must be >= 0, or None, not {shown(given)}")
    rng = seed_of(rng)
    if hot is None or cold is None or gamma is None or dt is None:
        if replicas is None:
            replicas = max(64, 1 if x0 is None else len(np.atleast_2d(x0)))
        found = pilot(potential, n_steps, replicas, x0=x0, rng=rng, integrator=integrator)
        if found.interrupted:
            raise KeyboardInterrupt("interrupted in the pilot")
        if dt is None:  # of the friction that is given
            short = 1.0 if gamma is None or not row.overdamped else gamma / found.gamma
            dt = found.dt * short
        gamma = found.gamma if gamma is None else gamma
        if cold is None:
            cold = found.T1 if hot is None else COLDEST * hot
        hot = found.T0 if hot is None else hot
    return Schedule(make(float(hot), float(cold)), float(gamma), float(dt))
