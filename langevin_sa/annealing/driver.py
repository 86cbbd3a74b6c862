"""Drivers: `simulate` yields a run from one record to the next, `anneal` drains it into a Result.

Progress, callbacks, stop rules, deadlines, checkpoints and interruption live here and only here.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, nullcontext
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from ..arguments import check_flags, shown, teller
from ..backends.walk import NonFinite
from ..backends.workers import OutOfTime, Team, team_of
from ..potential import Potential
from ..storage.checkpoint import Checkpoint
from . import views
from .bars import PilotBar, bar_of_run
from .begin import begin
from .log import Log
from .records import Record
from .results import Result, Snapshot, State
from .run import Run
from .stability import ENDLESS, check_against_energy, explain
from .stops import check_limits, endless, stop_rules


def simulate(
    potential: Potential,
    x0: Any = None,
    schedule: Any = None,
    n_steps: int = 10_000,
    *,
    replicas: int | None = None,
    integrator: str = "gjf",
    record_every: int | None = None,
    backend: str = "auto",
    rng: Any = None,
    state: State | None = None,
    start: str = "rest",
    v0: Any = None,
    dtype: Any = "float64",
    noise: str = "normal",
    threads: int | None = None,
    on_failure: str = "wall",
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_seconds: float = 10.0,
    workers: Any = 1,
    observables: Mapping[str, Any] | None = None,
    masses: Any = None,
    frozen: Any = None,
    remove_drift: bool = False,
) -> Iterator[Snapshot]:
    """Run and yield a Snapshot, whose arrays are copies, every `record_every` steps; parameters as
    in `anneal`, checked before the first step.

    Going on from a checkpoint yields the snapshots after it; one that was not dealt with, since the
    next was not asked for, comes again. Processes of `workers` end with the iterator.

    Raises
    ------
    FloatingPointError
        If a run diverges (or with ``on_failure="raise"`` meets an energy or gradient that is not
        finite); the message says at which step and what omega*dt was.

    Examples
    --------
    >>> looks = lsa.simulate(U, [1.0], lsa.Schedule(0.5, dt=0.1), 100, record_every=50, rng=1)
    >>> [look.step for look in looks]
    [50, 100]
    """
    team = team_of(workers)
    keeper = Checkpoint(checkpoint, checkpoint_seconds, "checkpoint")
    try:
        keeper.open()
        run = begin(
            keeper,
            {"samples": False},
            potential,
            x0,
            schedule,
            n_steps,
            replicas=replicas,
            integrator=integrator,
            record_every=record_every,
            backend=backend,
            rng=rng,
            state=state,
            start=start,
            v0=v0,
            dtype=dtype,
            noise=noise,
            threads=threads,
            on_failure=on_failure,
            observables=observables,
            masses=masses,
            frozen=frozen,
            remove_drift=remove_drift,
            team=team,
        )
        snapshots = _snapshots(run, Log(run, keeper, time.perf_counter()), team)
        next(snapshots)  # it holds the file from here on
        return snapshots
    except BaseException:
        keeper.close()
        raise


def _snapshots(run: Run, log: Log, team: Team | None) -> Iterator[Any]:
    with closing(log.keeper) as keeper, keeper, team or nullcontext():
        yield
        try:
            for record in run.slices():
                if record is not None:
                    yield views.snapshot(run, record)
                    run.cut.commit()  # whoever asked has dealt with it, since he asks for more
                log.save()
        except NonFinite as error:
            raise FloatingPointError(explain(error, run.prepared.omega_dt)) from None
        finally:
            log.save(now=True)


def anneal(
    potential: Potential,
    x0: Any = None,
    schedule: Any = None,
    n_steps: int = 10_000,
    *,
    replicas: int | None = None,
    integrator: str = "gjf",
    record_every: int | None = None,
    backend: str = "auto",
    rng: Any = None,
    state: State | None = None,
    start: str = "rest",
    v0: Any = None,
    dtype: Any = "float64",
    noise: str = "normal",
    threads: int | None = None,
    on_failure: str = "wall",
    samples: bool | str | os.PathLike[str] = False,
    velocities: bool = False,
    check_gradient: bool = False,
    callback: Callable[..., Any] | None = None,
    progress: bool = False,
    stop_below: float | None = None,
    patience: int | None = None,
    max_seconds: float | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_seconds: float = 10.0,
    workers: Any = 1,
    observables: Mapping[str, Any] | None = None,
    masses: Any = None,
    frozen: Any = None,
    remove_drift: bool = False,
) -> Result:
    """Anneal: integrate the Langevin equation while the schedule cools, and keep the lowest point
    seen.

    Parameters
    ----------
    potential : Potential
        What to minimize.
    x0 : array (dim,) or (replicas, dim), optional
        Starting point of all replicas or of each; drawn from the potential's domain if None. Of an
        array of CuPy, torch, JAX or numba the result's arrays (but samples) are of the same kind,
        on the same device; one on a GPU is run there.
    schedule : Schedule, CoolMomentum or Momentum, optional
        If None, a pilot measures the potential first, with at most a tenth of the evaluations (and
        of `max_seconds`), and chooses T0, T1, gamma, dt and, without x0, where to start
        (`langevin_sa.tuning.pilot` states the rules). ``result.pilot`` says how it found each
        number; its evaluations are counted, and the lowest point that it met counts as seen:
        ``result.found_in`` says who met it, "pilot" or "run".
    n_steps : int
        Length of the schedule.
    replicas : int, optional
        Independent copies; by default those of x0, 1 if x0 is one point, 64 if there is no x0.
    integrator : str
        A row of `langevin_sa.INTEGRATORS`; CoolMomentum and Momentum bring their own recursion.
    record_every : int, optional
        Steps between records (and calls of `callback`); a hundredth of the run by default.
    backend : {"auto", "numba", "numpy", "cupy", "jax"}
        "auto" is numba, cupy for arrays on a GPU, and jax for functions in JAX.
    rng : int, numpy.random.Generator or None
        Seed; the one used is in the result. One seed gives the same trajectory on any number of
        threads.
    state : State, optional
        Go on from here, with its seed and at its step of the same schedule; then x0 and rng must
        not be given. Its best points count with their energies in this potential.
    start : {"rest", "thermal"}
        "thermal": velocities, and the noise that is carried on, are drawn from their stationary law
        at x0 and the first temperature, so that a run whose x0 is in equilibrium is so from its
        first step. It takes a few gradients at x0.
    v0 : array (dim,) or (replicas, dim), optional
        Velocities at x0 instead (length/time).
    dtype : {"float64", "float32"}
        How positions are stored; energies are float64.
    noise : {"normal", "uniform", "three-point"}
        The last two are cheaper and have the normal's first moments; averages converge with dt in
        the same way (`langevin_sa.noise`).
    threads : int, optional
        By default all processors of this process.
    on_failure : {"wall", "raise"}
        What becomes of a replica whose step meets an energy or a gradient that is not finite, or an
        exception of the potential's functions. "wall": it goes back to where it was and its update
        changes sign, as at a wall; such steps are counted in ``result.failures`` and
        ``history.failures``, and told in the message. "raise": the run ends there.
    samples : bool or path
        Keep the positions at each record; with the path of a new file (.npy, .h5 or .zarr) there,
        readable during the run and after a kill; no link, and no other run's.
    velocities : bool
        Keep velocities with them (`Snapshot.velocity`), in ``result.velocities``; a file is then of
        shape (records, 2, replicas, dim), positions and velocities.
    check_gradient : bool
        First compare the gradient with differences of the energy, and refuse to start if they
        disagree by more than 1e-4.
    callback : callable, optional
        Called at each record as ``callback(intermediate_result=...)`` with an OptimizeResult: x,
        fun (lowest so far), step, nit, nfev, target, temperature, energy (replicas,), energy_mean;
        its arrays are copies. Also ``callback(x, f, context)``, with context 0, or
        ``callback(x)``. True or StopIteration stops.
    progress : bool
        Show a bar; silent on pipes.
    stop_below : float, optional
        Stop at the first record where the lowest energy seen is at or below this.
    patience : int, optional
        Stop after so many steps without a lower energy (by 1e-8 of the fall of energy so far).
    max_seconds : float, optional
        Stop when this much time is spent.
    checkpoint : path, optional
        Write the run so far to this file now and then and at the end, whole or not at all. If the
        file is there, the run goes on from it, to the same bits; it must then be of the same
        problem, seed and length (x0 and rng may be left out). If the disk is full, the run goes on
        with a warning and the last good file stays. `Result.load` reads it at any time.
    checkpoint_seconds : float
        Time between checkpoints; more if writing would take more than a tenth of the time.
    workers : int or map-like callable
        Spread the replicas over processes (-1: one for each processor), or over anything with a
        map: an executor of concurrent.futures, Dask, MPI or Ray. The potential must then pickle
        (formulas and the catalogue do); no bit depends on the split. A part whose worker dies runs
        again on another, three times in all.
    observables : dict of str to callable, str or PerReplica, optional
        What else ``history`` has at each record, by name: functions of the block (replicas, dim)
        that return a number or one value (or array) for each replica, whose mean is kept (or each,
        see `langevin_sa.observables.PerReplica`); or formulas in the potential's coordinates.
    masses : array (dim,) or (particles,), optional
        Masses of the coordinates, or of the particles of a pair formula or ASE's atoms: as if
        y = sqrt(m) x were the coordinates. Without them `Potential.masses`, else 1.
    frozen : array of bool (dim,) or (particles,), or of int, optional
        What stays where x0 has it, to the bit, and counts for no temperature: a mask, or numbers of
        particles (of atoms, fixed ones counted too), of coordinates where there are no particles.
    remove_drift : bool
        Hold the centre of mass of particles that act on each other alone; the other motion is the
        same.

    Returns
    -------
    Result
        Also after Ctrl-C (status 3), the time limit (1), a run that diverged or an energy that
        falls for ever, far outside of where the run started (2), or when the callback stopped it
        (99).

    Raises
    ------
    ValueError, TypeError
        For bad input, before any step. An exception in the callback passes through with what was
        computed so far as its attribute `partial_result`; so does one of the potential with
        ``on_failure="raise"``, or where it worked before (a simulator that is gone).

    Examples
    --------
    >>> cooling = lsa.Schedule(lsa.schedules.exponential(1.0, 0.01), gamma=1.0, dt=0.1)
    >>> lsa.anneal(U, schedule=cooling, n_steps=2000, replicas=32, rng=1).x.round(2)
    array([-1.04])
    """
    started = time.perf_counter()
    check_limits(stop_below=stop_below, patience=patience, max_seconds=max_seconds)
    tell = teller(callback)
    if not isinstance(samples, (bool, np.bool_, str, os.PathLike)):
        raise TypeError(f"samples must be True, False or the path of a file, not {shown(samples)}")
    check_flags(velocities=velocities)
    if velocities and samples is False:
        raise ValueError("velocities are kept with positions: give samples=True or a file too")
    team = team_of(workers, math.inf if max_seconds is None else started + max_seconds)
    with closing(Checkpoint(checkpoint, checkpoint_seconds, "checkpoint")) as keeper, keeper:
        with PilotBar(progress) as seen:
            run = begin(
                keeper,
                {"samples": bool(samples)} | ({"velocities": True} if velocities else {}),
                potential,
                x0,
                schedule,
                n_steps,
                replicas=replicas,
                integrator=integrator,
                record_every=record_every,
                backend=backend,
                rng=rng,
                state=state,
                start=start,
                v0=v0,
                dtype=dtype,
                noise=noise,
                threads=threads,
                on_failure=on_failure,
                observables=observables,
                masses=masses,
                frozen=frozen,
                remove_drift=remove_drift,
                team=team,
                max_seconds=max_seconds,
                tell=seen,
            )
        if check_gradient:
            check_against_energy(run.prepared.potential, run.walk)
        with (
            closing(Log(run, keeper, started, samples, bool(velocities))) as log,
            closing(log),
            team or nullcontext(),
            bar_of_run(progress, run) as bar,
        ):
            if run.prepared.pilot is not None and run.prepared.pilot.interrupted:
                return log.finish(3, "Interrupted in the pilot, before step 1.")
            if run.prepared.earlier is None:
                log.save(now=True)  # so that the call can be made again from the very first step on
            try:
                stops = stop_rules(stop_below, patience, run)
                status, message = _drain(run, log, stops, tell, bar, started, max_seconds)
                asked = stop_below is not None and views.best(run)[1] <= stop_below
                if status == 0 and not asked and endless(run):
                    status, message = 2, f"{message} {ENDLESS}"
                return log.finish(status, message)
            except OutOfTime:
                return log.finish(1, _late(max_seconds, run))
            except StopIteration:
                return log.finish(99, f"Stopped by the callback at step {run.rewind()}.")
            except NonFinite as error:
                why = explain(error, run.prepared.omega_dt)
                return log.finish(2, f"{why} {ENDLESS}" if endless(run) else why)
            except KeyboardInterrupt:
                return log.finish(3, f"Interrupted at step {run.rewind()} of {n_steps}.")
            except Exception as error:
                why = f"{type(error).__name__} at step {run.rewind()}: {error}"
                vars(error)["partial_result"] = log.finish(-1, why)
                raise


def _drain(
    run: Run,
    log: Log,
    stops: Callable[[Record], str | None] | None,
    tell: Callable[[OptimizeResult], bool] | None,
    bar: Any,
    started: float,
    max_seconds: float | None,
) -> tuple[int, str]:
    """Move a run on until a rule, the deadline or its schedule ends it; why, as a status and a
    sentence.
    """
    n_steps = run.prepared.n_steps
    deadline = math.inf if max_seconds is None else started + max_seconds
    for before in log.records:  # of the run that this one goes on from
        if stops is not None and (ended := stops(before)):
            return 0, ended
    alone = tell is not None or log.trajectory is not None or stops is not None
    for record in run.slices(together=not alone):
        step = run.walk.step
        if record is not None and record.step < step:
            log.add(record)
            continue
        if bar is not None:
            bar.update(step - bar.n)
        late = time.perf_counter() > deadline and step < n_steps
        taken = record
        if record is None and late:  # a record that a run without a limit does not have
            log.leave(1, _late(max_seconds, run))
            run.hold()
            taken = run.recorder.take()
        if taken is not None:
            log.add(taken)
            if tell is not None and tell(views.intermediate(run, taken)):
                return 99, f"Stopped by the callback at step {step}."
            if stops is not None and (ended := stops(taken)):
                return 0, ended
        if late:
            return 1, _late(max_seconds, run)
        log.save()
    return 0, f"Schedule of {n_steps} steps finished."


def _late(max_seconds: float | None, run: Run) -> str:
    limit, n_steps = f"{max_seconds:g} s", run.prepared.n_steps
    return f"Time limit of {limit} reached at step {run.rewind()} of {n_steps}."
