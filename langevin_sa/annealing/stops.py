"""What ends a run before its schedule does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..arguments import on_host, real, shown
from . import views
from .records import Record
from .run import Run
from .stability import falls_for_ever

LOWER = 1e-8  # of the depth reached: what counts as a lower energy for `patience`


def check_limits(**limits: float | None) -> None:
    """Raise a TypeError or ValueError for a limit of `anneal` that is none."""
    for name, value in limits.items():
        if value is not None and not real(value):
            raise TypeError(f"{name} must be a number, not {shown(value)}")
        if value is not None and name != "stop_below" and not value > 0:
            raise ValueError(f"{name} must be positive, not {shown(value)}")


def stop_rules(
    stop_below: float | None, patience: int | None, run: Run
) -> Callable[[Record], str | None] | None:
    """A function that is told every record in turn and says why to stop, if there is a reason; what
    the run's pilot has seen counts. None without rules.
    """
    if stop_below is None and patience is None:
        return None
    pilot = run.prepared.pilot
    seen = lowest = np.inf if pilot is None else pilot.fun
    highest, since = -np.inf, 0

    def stops(record: Record) -> str | None:
        nonlocal lowest, highest, since
        best, step, highest = min(record.best, seen), record.step, max(highest, record.energy_mean)
        if stop_below is not None and best <= stop_below:
            return f"Target energy {stop_below:g} reached at step {step}."
        if best < lowest - LOWER * (highest - best):
            lowest, since = best, step
        elif patience is not None and step - since >= patience:
            return f"No lower energy for {patience} steps, at step {step}."
        return None

    return stops


def endless(run: Run) -> bool:
    """Whether the lowest point seen lies where the energy falls for ever."""
    x, fun = views.best(run)
    return falls_for_ever(run.prepared.potential, run.prepared.home, on_host(x), fun)
