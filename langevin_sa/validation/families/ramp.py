"""A well that is cooled: second moments follow an exact linear recursion, so that the lag behind
the target is known to all digits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...annealing import views
from ...annealing.request import prepare
from ...annealing.results import State
from ...annealing.run import Run
from ...potentials import harmonic
from ...schedules import Schedule, exponential, linear
from ..lab import MEASURED, OVERDAMPED, Check, Lab, estimated, sampled
from ..laws import second_moments

TITLE = "Temperature ramps, friction ramps, changing time steps"
N, LOOKS, X0 = 240, 8, 1.0
MOMENTS = r"$M_{n+1} = A_n M_n A_n^T + b_n b_n^T$"


def checks(lab: Lab) -> Iterator[Check]:
    cooling = exponential(2.0, 0.05)
    cases = [(name, "T falls 40-fold", Schedule(cooling, 0.4, 0.5), 0.36) for name in MEASURED]
    cases += [(name, "T falls 40-fold", Schedule(cooling, 1.0, 0.12), 0.9) for name in OVERDAMPED]
    rising = Schedule(1.0, linear(0.2, 2.0), 0.5)
    cases += [(name, "gamma rises 10-fold", rising, 1.0) for name in MEASURED]
    slowing = Schedule(linear(1.0, 0.2), 0.4, exponential(0.2, 1.0))
    cases += [(name, "dt grows 5-fold as T falls", slowing, 1.0) for name in MEASURED]
    for name, what, schedule, k in cases:
        yield from ramp(lab, name, what, schedule, k)
    yield from driver(lab)


def ramp(lab: Lab, name: str, what: str, schedule: Schedule, k: float) -> Iterator[Check]:
    """Half of the ramp in one run, the other half resumed, looked at 8 times."""
    replicas, potential = lab.replicas(60_000, 3000), harmonic(dim=2, k=k)
    steps = schedule.coefficients(N, name)
    dt = np.asarray(steps.dt)
    # velocity is what carries over
    exact = second_moments(steps, steps.rho * np.append(1.0, dt[1:] / dt[:-1]), k, X0)
    driven = lab.drive(potential, np.full((replicas, 2), X0))
    every = N // LOOKS
    for look in range(LOOKS):
        if look == LOOKS // 2:
            driven = lab.drive(potential, driven.walk.x, dx=driven.walk.dx, like=driven.walk)
        driven.advance(steps.part(look * every, (look + 1) * every))
        end = (look + 1) * every
        resumed = ", resumed" if look >= LOOKS // 2 else ""
        x2, dx2 = exact[end - 1]
        if look % 2:
            squares = (driven.walk.x.astype(float) ** 2).mean(1)
            check = f"{name}, {what}, <x^2> at step {end}{resumed}"
            yield sampled(check, MOMENTS, squares, x2, lab.rounding)
            squares = (driven.walk.dx.astype(float) ** 2).mean(1)
            check = f"{name}, {what}, <dx^2> at step {end}{resumed}"
            yield sampled(check, MOMENTS, squares, dx2, lab.rounding * dx2)
    target = float(np.asarray(schedule.coefficients(N, name).temperature)[-1])
    if what.startswith("T falls") and name in MEASURED:
        hot = (driven.walk.dx.astype(float) ** 2).mean(1) / steps.velocity_scale[-1] ** 2
        late = 2 / 0.4 / (N * 0.5) * np.log(40)  # a relaxation time 2/gamma of delay
        mean, error = float(hot.mean()) / target, float(hot.std() / np.sqrt(replicas)) / target
        law = r"$|T_\mathrm{kin}/T - 1| \lesssim \tau\,|\dot T|/T$"
        check = f"{name}, measured T against the target at the end"
        yield estimated(check, law, mean, error, 1.0, 1.5 * late)


def driver(lab: Lab) -> Iterator[Check]:
    """The driver's own history, over a run cut in the middle: records against the exact recursion
    summed over the same steps.
    """
    if not isinstance(lab.backend, str):
        return
    schedule, k = Schedule(exponential(2.0, 0.05), 0.4, 0.5), 0.36
    replicas, half = lab.replicas(20_000, 2000), N // 2
    steps = schedule.coefficients(N, "gjf")
    exact = second_moments(steps, steps.rho, k, X0)[:, 1] / steps.velocity_scale**2
    state: State | None = None
    for stop in (half, N):
        x0, seed = (np.full((replicas, 2), X0), lab.new_seed()) if state is None else (None, None)
        how: dict[str, Any] = {"backend": lab.backend, "dtype": lab.dtype, "threads": lab.threads}
        start: dict[str, Any] = {"rng": seed, "state": state, "record_every": half}
        run = Run(prepare(harmonic(dim=2, k=k), x0, schedule, N, **start, **how))
        record = next(record for record in run.slices() if record is not None)
        state, span = views.state(run), exact[stop - half : stop]
        # an upper bound: the record averages over steps and coordinates
        error = float(span.mean() / np.sqrt(replicas))
        check = f"history of a run, steps {stop - half} to {stop}"
        law, exact_mean = r"$\overline{T_\mathrm{kin}}$ over the record", float(span.mean())
        yield estimated(check, law, record.temperature, error, exact_mean)
