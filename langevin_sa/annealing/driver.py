"""Drivers: `simulate` yields a run from one moment of interest to the next, `anneal` drains it into
a Result.

Progress, callbacks, stop rules, checkpoints and interruption live here and only here; `run` holds
what both share.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from typing import Any

import numpy as np

from ..arguments import real, shown, warn
from ..backends.walk import NonFinite, on_host
from ..backends.workers import team_of
from ..potential import Potential
from ..storage.checkpoint import Checkpoint, Contents
from ..storage.samples import Trajectory
from .results import Result, Snapshot, State
from .run import Run


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
    dtype: Any = "float64",
    noise: str = "normal",
    threads: int | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_seconds: float = 10.0,
    workers: Any = 1,
) -> Iterator[Snapshot]:
    """Run and yield a Snapshot every `record_every` steps; parameters as in `anneal`, checked
    before the first step.

    Going on from a checkpoint yields the snapshots after it, of which the first may have been
    yielded before. Processes of `workers` end with the iterator, also when it is closed or thrown
    away.

    Raises
    ------
    FloatingPointError
        If an energy becomes non-finite; the message says at which step and what omega*dt was.
    """
    team = team_of(workers)
    keeper, run, _ = _begin(
        checkpoint,
        checkpoint_seconds,
        False,
        potential,
        x0,
        schedule,
        n_steps,
        replicas,
        integrator,
        record_every,
        backend,
        rng,
        state,
        dtype,
        noise,
        threads,
        team,
    )

    def contents() -> Contents:
        return _contents(run, run.result(4, _under_way(run), [], None, 0.0))

    def snapshots() -> Iterator[Snapshot]:
        with team or nullcontext():
            try:
                for record in run.records(keep=lambda: keeper.save(contents)):
                    yield run.snapshot(record)
            except NonFinite as error:
                raise FloatingPointError(run.explain(error)) from None
            finally:
                keeper.save(contents, now=True)

    return snapshots()


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
    dtype: Any = "float64",
    noise: str = "normal",
    threads: int | None = None,
    samples: bool | str | os.PathLike[str] = False,
    check_gradient: bool = False,
    callback: Callable[..., Any] | None = None,
    progress: bool = False,
    stop_below: float | None = None,
    patience: int | None = None,
    max_seconds: float | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_seconds: float = 10.0,
    workers: Any = 1,
) -> Result:
    """Anneal: integrate the Langevin equation while the schedule cools, and keep the lowest point
    seen.

    Parameters
    ----------
    potential : Potential
        What to minimize.
    x0 : array (dim,) or (replicas, dim), optional
        Starting point of all replicas or of each; drawn from the potential's domain if None. A CuPy
        array is run on the GPU, and the result's arrays (but samples) are CuPy's.
    schedule : Schedule, CoolMomentum or Momentum, optional
        If None, T0, T1, gamma and dt are chosen from the potential: T0 from the spread of energies
        over starting points, dt and gamma from the curvature met in a short hot run
        (`langevin_sa.tuning` states the rules); the result says which.
    n_steps : int
        Length of the schedule.
    replicas : int, optional
        Independent copies; by default those of x0, 1 if x0 is one point, 64 if there is no x0.
    integrator : str
        A row of `langevin_sa.INTEGRATORS`; CoolMomentum and Momentum bring their own recursion.
    record_every : int, optional
        Steps between records (and calls of `callback`); a hundredth of the run by default.
    backend : {"auto", "numba", "numpy", "cupy"}
        "auto" is numba, and cupy for CuPy arrays.
    rng : int, numpy.random.Generator or None
        Seed; the one used is in the result. One seed gives the same trajectory on any number of
        threads.
    state : State, optional
        Go on from here, with its seed and at its step of the same schedule; then x0 and rng must
        not be given.
    dtype : {"float64", "float32"}
        How positions are stored; energies are float64.
    noise : {"normal", "uniform", "three-point"}
        The last two are cheaper and have the normal's first moments; averages converge with dt in
        the same way (`langevin_sa.noise`).
    threads : int, optional
        By default all processors of this process.
    samples : bool or path
        Keep the positions at each record; with the path of a new .npy file there, one record after
        the other, where ``np.load(path, mmap_mode="r")`` reads them, also during the run and after
        a kill.
    check_gradient : bool
        First compare the gradient with differences of the energy, and refuse to start if they
        disagree by more than 1e-4.
    callback : callable, optional
        Called at each record as ``callback(intermediate_result=...)`` with an OptimizeResult: x,
        fun (lowest so far), step, nit, nfev, target, temperature, energy (replicas,), energy_mean;
        its arrays are copies. StopIteration stops.
    progress : bool
        Show a bar; silent on pipes.
    stop_below : float, optional
        Stop at the first record where the lowest energy seen is at or below this.
    patience : int, optional
        Stop after this many steps without a lower energy (by 1e-8 of its size).
    max_seconds : float, optional
        Stop when this much time is spent.
    checkpoint : path, optional
        Write the run so far to this file now and then and at the end, whole or not at all. If the
        file is there, the run goes on from it, to the same bits; it must then be of the same
        problem, seed and length (x0 and rng may be left out). If it cannot be written, for want of
        space, the run goes on with a warning and the last good file stays. `Result.load` reads it
        at any time.
    checkpoint_seconds : float
        Time between checkpoints; more if writing would take more than a tenth of the time.
    workers : int or map-like callable
        Spread the replicas over processes (-1: one for each processor), or over anything with a
        map: an executor of concurrent.futures, Dask, MPI or Ray. The potential must then pickle
        (formulas and the catalogue do); no bit depends on the split. A part whose worker dies runs
        again on another, three times in all.

    Returns
    -------
    Result
        Also after Ctrl-C (status 3), the time limit (1), a non-finite energy (2) or the callback's
        StopIteration (99).

    Raises
    ------
    ValueError, TypeError
        For bad input, before any step. An exception in the callback or the potential passes through
        with what was computed so far as its attribute `partial_result`.
    """
    started = time.perf_counter()
    for name, value in (
        ("stop_below", stop_below),
        ("patience", patience),
        ("max_seconds", max_seconds),
    ):
        if value is not None and not real(value):
            raise TypeError(f"{name} must be a number, not {shown(value)}")
        if value is not None and name != "stop_below" and not value > 0:
            raise ValueError(f"{name} must be positive, not {shown(value)}")
    if callback is not None and not callable(callback):
        raise TypeError(
            f"callback must be a function of intermediate_result, not {type(callback).__name__}"
        )
    if not isinstance(samples, (bool, np.bool_, str, os.PathLike)):
        raise TypeError(f"samples must be True, False or the path of a file, not {shown(samples)}")
    team = team_of(workers)
    keeper, run, earlier = _begin(
        checkpoint,
        checkpoint_seconds,
        bool(samples),
        potential,
        x0,
        schedule,
        n_steps,
        replicas,
        integrator,
        record_every,
        backend,
        rng,
        state,
        dtype,
        noise,
        threads,
        team,
    )
    if check_gradient:
        _check_gradient(run)
    history = _lines(earlier) if earlier else []
    kept = Trajectory(
        None if isinstance(samples, (bool, np.bool_)) else samples,
        run.walk.x.shape,
        run.walk.x.dtype,
        earlier and len(history),
        earlier and earlier.samples,
    )
    with team or nullcontext(), closing(kept):
        before = earlier.seconds if earlier else 0.0
        stops = _stop_rules(stop_below, patience)

        def result(status: int, message: str) -> Result:
            at_records = kept.array()[: len(history)] if samples else None
            return run.result(
                status, message, history, at_records, before + time.perf_counter() - started
            )

        def contents() -> Contents:
            kept.sync()
            return _contents(run, result(4, _under_way(run)))

        def finished(status: int, message: str) -> Result:
            kept.close()
            last = result(status, message)
            keeper.save(lambda: _contents(run, last), now=True)
            return last

        if earlier is None:
            # so that the call can be made again from the very first step on
            keeper.save(contents, now=True)
        try:
            ended = next(filter(None, map(stops, history)), None)
            if ended is None:
                with _bar(progress, n_steps, run.walk.step) as bar:
                    deadline = None if max_seconds is None else started + max_seconds
                    for record in run.records(deadline, bar, lambda: keeper.save(contents)):
                        if samples:
                            kept.append(on_host(run.walk.x))
                        history.append(record)
                        if callback is not None:
                            callback(intermediate_result=run.intermediate(record))
                        ended = stops(record)
                        if ended is not None:
                            break
            if ended is not None:
                return finished(0, ended)
            if run.walk.step < n_steps:
                return finished(
                    1,
                    f"Time limit of {max_seconds:g} s reached at step {run.walk.step} of "
                    f"{n_steps}.",
                )
            return finished(0, f"Schedule of {n_steps} steps finished.")
        except StopIteration:
            return finished(99, f"Stopped by the callback at step {run.walk.step}.")
        except NonFinite as error:
            return finished(2, run.explain(error))
        except KeyboardInterrupt:
            return finished(3, f"Interrupted at step {run.walk.step} of {n_steps}.")
        except Exception as error:
            vars(error)["partial_result"] = finished(
                -1, f"{type(error).__name__} at step {run.walk.step}: {error}"
            )
            raise


def _check_gradient(run: Run) -> None:
    error = run.potential.check_gradient(on_host(run.walk.x[:16]).astype(float))
    if not error < 1e-4:
        raise ValueError(
            f"the gradient of {run.potential.name} disagrees with its energy by {error:.2g} of "
            "its size (central differences); correct it, or leave gradient=None"
        )


def _stop_rules(
    stop_below: float | None, patience: int | None
) -> Callable[[dict[str, float]], str | None]:
    """A function that is told every line of history in turn and says why to stop, if there is a
    reason.
    """
    lowest, since = np.inf, 0.0

    def stops(line: dict[str, float]) -> str | None:
        nonlocal lowest, since
        best, step = line["best"], line["step"]
        if stop_below is not None and best <= stop_below:
            return f"Target energy {stop_below:g} reached at step {step}."
        if best < lowest - 1e-8 * max(1.0, abs(best)):
            lowest, since = best, step
        elif patience is not None and step - since >= patience:
            return f"No lower energy for {patience} steps, at step {step}."
        return None

    return stops


def _under_way(run: Run) -> str:
    return f"Under way, at step {run.walk.step} of {run.n_steps}."


def _contents(run: Run, result: Result) -> Contents:
    """What a checkpoint holds: the result so far, and the sums that the next record will be made
    of.
    """
    arrays, about = result.packed()
    return arrays | {f"sums_{name}": array for name, array in run.sums().items()}, about


def _begin(
    checkpoint: str | os.PathLike[str] | None,
    seconds: float,
    samples: bool,
    potential: Potential,
    x0: Any,
    schedule: Any,
    n_steps: int,
    replicas: int | None,
    integrator: str,
    record_every: int | None,
    backend: str,
    rng: Any,
    state: State | None,
    *rest: Any,
) -> tuple[Checkpoint, Run, Result | None]:
    """The checkpoint's keeper, the run where it stood, and what there was of it; None without a
    file.

    Starting points must be those of the checkpoint's run, unless they were left out or are its
    present ones.
    """
    keeper = Checkpoint(checkpoint, seconds, "checkpoint")
    rng = keeper.seed if rng is None and state is None else rng
    run = Run(
        potential,
        x0,
        schedule,
        n_steps,
        replicas,
        integrator,
        record_every,
        backend,
        rng,
        state,
        *rest,
    )
    if run.own_recursion and integrator != "gjf":
        warn(
            f"{type(run.schedule).__name__} brings its own recursion, so that "
            f"integrator={integrator!r} has no effect: leave it out"
        )
    if keeper.path is None:
        return keeper, run, None
    start_given = x0 is not None or state is not None
    problem = run.problem() | {"samples": samples}
    if keeper.found is not None:
        arrays, about = keeper.found
        if not start_given or (
            about.get("step") == run.walk.step
            and np.array_equal(arrays["state_x"], on_host(run.walk.x))
        ):
            problem["the starting points"] = about["problem"].get("the starting points")
    found = keeper.belongs_to(problem)
    if found is None:
        return keeper, run, None
    earlier = Result.unpacked(*found)
    run.restore(
        earlier.state, earlier.energies, {name: found[0][f"sums_{name}"] for name in run.sums()}
    )
    return keeper, run, earlier


def _lines(result: Result) -> list[dict[str, float]]:
    """The history of a result as the lines that it was made of."""
    columns = {name: column.tolist() for name, column in result.history.items()}
    return [dict(zip(columns, line, strict=True)) for line in zip(*columns.values(), strict=True)]


def _bar(shown: bool, total: int, done: int) -> Any:
    if not shown:
        return nullcontext()
    from tqdm.auto import tqdm

    return tqdm(total=total, initial=done, disable=None, unit="step", unit_scale=True)
