"""What is looked at before the first step: whether the time step can be stable, and whether
integrator and schedule go together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arguments import warn
from ..descents.batched import descend
from ..integrators import STABILITY_LIMIT, get_integrator
from ..momentum import Steps
from ..potential import Potential
from ..schedules import Schedule
from ..tuning import omega_dt, start_points

MAX_BIAS = 0.05  # of the temperature of the stiffest mode
CHECKED_STEPS, MOST_WINDOWS = 20_000, 50  # a schedule is looked at in windows


def brings_recursion(schedule: Any, integrator: str, n_steps: int) -> bool:
    """Whether the schedule brings a recursion of its own; warns of a temperature without a
    thermostat.
    """
    own = getattr(schedule, "own_recursion", True)
    cold = not get_integrator(integrator).thermal
    if not own and cold and np.any(schedule.coefficients(min(n_steps, CHECKED_STEPS), "bbk").s > 0):
        warn(
            f"{integrator} adds no noise, so that the schedule's temperature has no effect and "
            "the run is at T = 0: give temperature=0, or an integrator with a thermostat such as "
            "'gjf'"
        )
    return own


def longest_step(coefficients: Callable[[int, int], Steps], first: int, n_steps: int) -> int:
    """The number of the step with the longest dt, after a look at every step of all but very long
    schedules.
    """
    windows = min(MOST_WINDOWS, -(-(n_steps - first) // CHECKED_STEPS))
    # what only rounding makes longer is not
    longest, at = float(coefficients(first, first + 1).dt[0]) * (1 + 1e-9), first
    for start in (
        np.linspace(first, max(first, n_steps - CHECKED_STEPS), windows).astype(int).tolist()
    ):
        dt = coefficients(start, min(start + CHECKED_STEPS, n_steps)).dt
        if dt.max() > longest:
            longest, at = float(dt.max()), int(start + dt.argmax())
    return at


def check_time_step(
    potential: Potential, x: np.ndarray, schedule: Any, now: Steps, worst: Steps, longest: int
) -> float:
    """omega*dt of the longest step in the region of the points x.

    Raises a ValueError if it cannot be stable, and warns if it biases the temperature; `now` and
    `worst` are the first step and the longest one, number `longest`.
    """
    points = start_points(x)
    omega = omega_dt(potential, points, 1.0)
    # it may grow as replicas leave a steep start region
    if omega * now.dt[0] < STABILITY_LIMIT <= omega * worst.dt[0]:
        omega = max(
            omega * now.dt[0] / worst.dt[0],
            min(omega, omega_dt(potential, descend(potential, points[::4])[0], 1.0)),
        )
    found = float(omega * worst.dt[0])
    later = f" at step {longest} (where dt is the longest)" if worst.dt[0] > now.dt[0] else ""
    if found >= STABILITY_LIMIT:
        raise ValueError(
            f"the time step is beyond stability: omega*dt = {found:.3g} in the start "
            f"region{later}, and it must stay below 2 (omega^2 = {omega**2:.3g} is the largest "
            f"curvature); {_smaller(schedule, found / STABILITY_LIMIT, worst)}"
        )
    bias = 1 / (1 - found**2 / 4) - 1
    if bias > MAX_BIAS and not worst.paired and np.any(worst.s > 0):
        warn(
            f"omega*dt = {found:.3g} in the start region{later} holds stiff modes "
            f"{100 * bias:.0f} % too hot; "
            + _smaller(schedule, found / 0.43, worst)
            + (
                ", or integrator='gjf' or 'baoab', whose positions have no such error"
                if isinstance(schedule, Schedule)
                else ""
            )
        )
    return found


def _smaller(schedule: Any, excess: float, worst: Steps) -> str:
    """What to make smaller so that omega*dt shrinks by `excess`, in the schedule's own numbers."""
    if not isinstance(schedule, Schedule):
        return f"make lr {excess**2:.3g} times smaller"
    return f"make dt {excess**2 if worst.rho[0] == 0 else excess:.3g} times smaller"
