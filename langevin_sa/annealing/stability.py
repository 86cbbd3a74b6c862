"""Whether a time step can be stable and a temperature be held; why a run broke off, and whether it
falls for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..arguments import on_host, warn
from ..backends.walk import NonFinite, Walk
from ..descents.batched import descend
from ..integrators import STABILITY_LIMIT, get_integrator
from ..momentum import Steps
from ..potential import Potential
from ..schedules import Schedule
from ..tuning import omega_dt, start_points
from .weighted import seen_by

MAX_BIAS = 0.05  # of the temperature of the stiffest mode
CHECKED_STEPS, MOST_WINDOWS = 20_000, 50  # a schedule is looked at in windows
OUTSIDE = 10.0  # half widths of home; a minimum that is nearer was within reach of the starts
DOUBLINGS = 100  # of the way out: 10^30, so that it passes any well that the run was on its way to
STANDING = 10  # failures in a row
ENDLESS = (
    "The energy falls for ever: far outside of where the run started it falls on and on, 10^30 "
    "times as far out too, and has no minimum there. Put a wall into the potential that keeps "
    "replicas in, or give bounds= to langevin_sa.minimize."
)


class Unstable(ValueError):
    """A time step is beyond stability where a run starts."""


def check_thermostat(schedule: Any, integrator: str, n_steps: int) -> None:
    """Warn of a temperature that an integrator without noise ignores."""
    cold = not get_integrator(integrator).thermal
    if cold and np.any(schedule.coefficients(min(n_steps, CHECKED_STEPS), "bbk").s > 0):
        warn(
            f"{integrator} adds no noise, so that the schedule's temperature has no effect and "
            "the run is at T = 0: give temperature=0, or an integrator with a thermostat such as "
            "'gjf'"
        )


def longest_step(
    numbers: Callable[[int, int], Steps], steps: tuple[int, int]
) -> tuple[int, Steps, Steps]:
    """The number of the step with the longest dt of steps first <= n < n_steps, after a look at
    every one of all but very long schedules; the numbers of the first step and of that one.
    """
    first, n_steps = steps
    windows = min(MOST_WINDOWS, -(-(n_steps - first) // CHECKED_STEPS))
    now = numbers(first, first + 1)
    longest, at = float(now.dt[0]) * (1 + 1e-9), first  # what only rounding makes longer is not
    starts = np.linspace(first, max(first, n_steps - CHECKED_STEPS), windows).astype(int)
    for start in starts.tolist():
        dt = numbers(start, min(start + CHECKED_STEPS, n_steps)).dt
        if dt.max() > longest:
            longest, at = float(dt.max()), int(start + dt.argmax())
    return at, now, numbers(at, at + 1)


def check_time_step(
    potential: Potential,
    x: np.ndarray,
    schedule: Any,
    numbers: Callable[[int, int], Steps],
    steps: tuple[int, int],
) -> float:
    """omega*dt of the longest step in the region of the points x (replicas, dim).

    Parameters
    ----------
    numbers : callable
        ``numbers(start, stop)``, those of the schedule's steps start <= n < stop.
    steps : (first, n_steps)
        The steps still to come.

    Raises
    ------
    Unstable
        If it cannot be stable; a bias of the temperature is warned of.
    """
    longest, now, worst = longest_step(numbers, steps)
    points = start_points(x)
    omega = omega_dt(potential, points, 1.0)
    # it may grow as replicas leave a steep start region
    if omega * now.dt[0] < STABILITY_LIMIT <= omega * worst.dt[0]:
        below = omega_dt(potential, descend(potential, points[::4])[0], 1.0)
        omega = max(omega * now.dt[0] / worst.dt[0], min(omega, below))
    found = float(omega * worst.dt[0])
    later = f" at step {longest} (where dt is the longest)" if worst.dt[0] > now.dt[0] else ""
    if found >= STABILITY_LIMIT:
        raise Unstable(
            f"the time step is beyond stability: omega*dt = {found:.3g} in the start "
            f"region{later}, and it must stay below 2 (omega^2 = {omega**2:.3g} is the largest "
            f"curvature); {_smaller(schedule, found / STABILITY_LIMIT, worst)}"
        )
    bias = float(worst.stationary(found**2)[0].ravel()[0]) - 1
    if bias > MAX_BIAS and np.any(worst.s > 0):
        better = ", or integrator='gjf' or 'baoab', whose positions have no such error"
        warn(
            f"omega*dt = {found:.3g} in the start region{later} holds stiff modes "
            f"{100 * bias:.0f} % too hot; {_smaller(schedule, found / 0.43, worst)}"
            f"{better if isinstance(schedule, Schedule) else ''}"
        )
    return found


def check_last_landscape(potential: Potential, x: np.ndarray, *ways: Any) -> float:
    """`check_time_step` for the landscape where the laws of a potential end, at the minima there
    below the points x (replicas, dim).
    """
    minima = descend(potential, start_points(x)[::4])[0]
    try:
        return check_time_step(potential, minima, *ways)
    except Unstable as error:
        raise Unstable(f"where the potential's laws end, at progress 1: {error}") from None


def check_standing(potential: Potential, walk: Walk, steps: Steps) -> None:
    """Raise `NonFinite` if the highest of the replicas that stand still before a wall diverged.

    One that rests at a wall, as a cold one does where the energy falls towards it, has curvatures
    for which the step is stable. One that was thrown onto a slope so steep that no step comes off
    it has not.

    Parameters
    ----------
    steps : Steps
        The recursion's last step, which is stable up to lr*omega^2 = 2 (1 + rho).
    """
    standing = on_host(walk.failures)[:, 1] >= STANDING
    if not standing.any():
        return
    r = int(np.argmax(np.where(standing, on_host(walk.energy), -np.inf)))
    at = replace(walk, x=on_host(walk.x[r : r + 1]).astype(float))
    omega = omega_dt(*seen_by(at, potential)[0], 1.0)
    if steps.lr[-1] * omega**2 >= 2 * (1 + steps.rho[-1]):
        raise NonFinite(walk.step, walk.first_replica + r)


def explain(error: NonFinite, omega_dt: float) -> str:
    """The sentence for a run that became non-finite."""
    if omega_dt > 0:
        known = f"omega*dt was {omega_dt:.3g} in the start region and must stay below 2 everywhere"
        advice = "Use a smaller dt or lower temperature."
    else:
        known = (
            "no curvature was seen in the start region, so that omega*dt, which must stay below 2, "
            "is not known"
        )
        advice = (
            "Use a smaller dt; or the energy falls for ever, or the gradient has the wrong sign: "
            "check_gradient=True tells."
        )
    return (
        f"The energy became non-finite at step {error.step} (replica {error.replica}); {known}; "
        f"the best finite point is kept. {advice}"
    )


@np.errstate(all="ignore")  # so far out energies may overflow
def falls_for_ever(potential: Potential, home: np.ndarray, x: np.ndarray, energy: float) -> bool:
    """Whether a run's lowest point x (dim,) lies far outside of `home` (dim, 2), where it started,
    and the energy only falls from there on, straight out and without coming to rest.

    All is measured in distances and energies of the run itself, so neither units nor origins
    matter. Twice as far out as a point near a minimum the energy is higher.
    """
    middle = home.mean(1)
    way = x - middle
    if not (np.abs(way) > OUTSIDE * (home[:, 1] - middle)).any():
        return False
    falls: list[float] = []
    for _ in range(DOUBLINGS):
        way = 2 * way
        try:
            further = potential.energy(middle + way)
        except Exception:  # of a user's function, which no run asked to be defined there
            return False
        if further == -np.inf:
            return True
        if not further < energy:
            return False
        falls.append(energy - further)
        energy = further
    # as a logarithm's, unlike those to the zero of 1/r or of a loss
    return falls[-1] > 0.5 * falls[0]


def _smaller(schedule: Any, excess: float, worst: Steps) -> str:
    """What to make smaller so that omega*dt shrinks by `excess`, in the schedule's own numbers."""
    if not isinstance(schedule, Schedule):
        return f"make lr {excess**2:.3g} times smaller"
    return f"make dt {excess**2 if worst.rho[0] == 0 else excess:.3g} times smaller"


def check_against_energy(potential: Potential, walk: Walk) -> None:
    """Raise a ValueError unless the gradient where a walk starts is that of the energy."""
    error = potential.check_gradient(on_host(walk.x[:16]).astype(float))
    if not error < 1e-4:
        raise ValueError(
            f"the gradient of {potential.name} disagrees with its energy by {error:.2g} of "
            "its size (central differences); correct it, or leave gradient=None"
        )
