"""A run as its user sees it: the types of `langevin_sa.annealing.results`, filled from a walk.

Arrays are those of the library that the starting points came from, where these were.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from ..backends.walk import fill
from .records import Record, history_of
from .results import Result, Snapshot, State
from .run import Run


def given(run: Run, array: Any) -> Any:
    """An array of the walk as the starting points were, in the walk's memory if that is there."""
    return run.prepared.library.array(array)


def copied(run: Run, array: Any) -> Any:
    """The same of a copy, which stays as it is when the walk moves on."""
    return given(run, array.copy())


def best(run: Run) -> tuple[np.ndarray, float]:
    """The lowest point (dim,) that any replica or the pilot has seen, and its energy."""
    pilot, r = run.prepared.pilot, int(np.argmin(run.walk.best_energy))
    x, energy = run.walk.best_x[r].astype(float), float(run.walk.best_energy[r])
    if pilot is not None and pilot.fun < energy:
        fill(x, pilot.x)
        energy = pilot.fun
    return given(run, x), energy


def found_in(run: Run) -> str:
    """Who found the minimum, "pilot" or "run": the run if it came lower by more than its last
    temperature, below which its own heat blurs what it sees.
    """
    pilot, lowest = run.prepared.pilot, float(run.walk.best_energy.min())
    return "run" if pilot is None or lowest < pilot.fun - pilot.T1 else "pilot"


def evaluations(run: Run) -> tuple[int, int]:
    """Energies and gradients taken along the trajectories from step 0, by the thermometer of
    records and by the pilot.
    """
    pilot, along = run.prepared.pilot, len(run.walk.x) * (run.walk.step + 1)
    nfev, njev = (0, 0) if pilot is None else (pilot.nfev, pilot.njev)
    return along + nfev, along + run.recorder.asked + njev


def state(run: Run, view: Any = copied) -> State:
    """Where the run stands, in copies, or by `given` in the walk's own arrays."""
    w = run.walk
    x, dx, noise, best_x, best_energy, failures = (
        view(run, array) for array in (w.x, w.dx, w.noise, w.best_x, w.best_energy, w.failures)
    )
    work = view(run, w.work) if run.prepared.potential.laws else None
    return State(x, dx, noise, w.step, w.seed, best_x, best_energy, failures, work, w.masses)


def snapshot(run: Run, record: Record) -> Snapshot:
    """What `simulate` yields."""
    x, energy = best(run)
    measured = ("target", "temperature", "eq22", "configurational", "squares", "laplacian")
    return Snapshot(
        step=run.walk.step,
        state=state(run),
        velocity_scale=run.velocity_scale,
        energy=copied(run, run.walk.energy),
        best_x=x,
        best_energy=energy,
        **{name: getattr(record, name) for name in (*measured, "failures", "observed")},
    )


def intermediate(run: Run, record: Record) -> OptimizeResult:
    """What a callback gets."""
    x, fun = best(run)
    energy = copied(run, run.walk.energy)
    return OptimizeResult(
        record._asdict(), x=x, fun=fun, nit=run.walk.step, nfev=evaluations(run)[0], energy=energy
    )


def result(
    run: Run, status: int, message: str, records: Sequence[Record], seconds: float
) -> Result:
    """The run so far but for its samples, in the walk's own arrays: for the end, or to be written
    at once.
    """
    asked, walk = run.prepared, run.walk
    asked.backend.settle()
    x, fun = best(run)
    now = state(run, given)
    nfev, njev = evaluations(run)
    return Result(
        x=x,
        fun=fun,
        success=status == 0,
        status=status,
        message=message,
        nit=walk.step,
        nfev=nfev,
        njev=njev,
        failures=int(walk.failures[:, 0].sum()),
        work=now.work,
        state=now,
        energies=given(run, walk.energy),
        best_energies=now.best_energy,
        best_positions=now.best_x,
        history=history_of(records, asked.observables),
        samples=None,
        velocities=None,
        samples_file=None,
        seed=walk.seed,
        schedule=asked.schedule,
        integrator=asked.used_integrator,
        n_steps=asked.n_steps,
        seconds=seconds,
        potential_name=asked.potential.name,
        pilot=asked.pilot,
        found_in=found_in(run),
        atoms=asked.potential.atoms,
        units=asked.potential.units,
    )
