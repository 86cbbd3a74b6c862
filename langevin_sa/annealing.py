"""Drivers: `simulate` yields a run from one moment of interest to the next, `anneal` drains it into a Result.

Progress, callbacks, stop rules and interruption live here and only here; `run` holds what both share.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .backends import NonFinite, on_gpu, on_host
from .potential import Potential
from .results import Result, Snapshot, State
from .run import Run
from .workers import anneal_over, check_workers

CHECKPOINT_SECONDS = 10


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
) -> Iterator[Snapshot]:
    """Run and yield a Snapshot every `record_every` steps; parameters as in `anneal`, checked before the first step.

    Raises
    ------
    FloatingPointError
        If an energy becomes non-finite; the message says at which step and what omega*dt was.
    """
    run = Run(potential, x0, schedule, n_steps, replicas, integrator, record_every, backend, rng, state, dtype, noise, threads)

    def snapshots() -> Iterator[Snapshot]:
        try:
            for record in run.records():
                yield run.snapshot(record)
        except NonFinite as error:
            raise FloatingPointError(run.explain(error)) from None

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
    samples: bool = False,
    check_gradient: bool = False,
    callback: Callable[..., Any] | None = None,
    progress: bool = False,
    stop_below: float | None = None,
    patience: int | None = None,
    max_seconds: float | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    workers: Any = 1,
) -> Result:
    """Anneal: integrate the Langevin equation while the schedule cools, and keep the lowest point seen.

    Parameters
    ----------
    potential : Potential
        What to minimize.
    x0 : array (dim,) or (replicas, dim), optional
        Starting point of all replicas or of each; drawn from the potential's domain if None. A CuPy array is run on the GPU, and the
        result's arrays (but samples) are CuPy's.
    schedule : Schedule, CoolMomentum or Momentum, optional
        If None, T0, T1, gamma and dt are chosen from the potential: T0 from the spread of energies over starting points,
        dt and gamma from the curvature met in a short hot run (`langevin_sa.tuning` states the rules); the result says
        which.
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
        Seed; the one used is in the result. One seed gives the same trajectory on any number of threads.
    state : State, optional
        Go on from here, with its seed and at its step of the same schedule; then x0 and rng must not be given.
    dtype : {"float64", "float32"}
        How positions are stored; energies are float64.
    noise : {"normal", "uniform", "three-point"}
        The last two are cheaper and have the normal's first moments; averages converge with dt in the same way
        (`langevin_sa.noise`).
    threads : int, optional
        By default all processors of this process.
    samples : bool
        Keep the positions at each record.
    check_gradient : bool
        First compare the gradient with differences of the energy, and refuse to start if they disagree by more than 1e-4.
    callback : callable, optional
        Called at each record as ``callback(intermediate_result=...)`` with an OptimizeResult: x, fun (lowest so far),
        step, nit, nfev, target, temperature, energy (replicas,), energy_mean; its arrays are copies. StopIteration stops.
    progress : bool
        Show a bar; silent on pipes.
    stop_below : float, optional
        Stop at the first record where the lowest energy seen is at or below this.
    patience : int, optional
        Stop after this many steps without a lower energy (by 1e-8 of its size).
    max_seconds : float, optional
        Stop when this much time is spent.
    checkpoint : path, optional
        Write the state to this file at each record, whole or not at all (at most every ten seconds), and at the end. If that
        fails, for want of space, the run goes on with a warning and the last good file stays.
    workers : int or map-like callable
        Split the replicas over processes (-1: one for each processor), or over anything with a map: an executor of
        concurrent.futures, Dask, MPI or Ray. The potential must then pickle (formulas and the catalogue do); no bit depends on the
        split. Goes without callback, progress, stop rules, checkpoint and state.

    Returns
    -------
    Result
        Also after Ctrl-C (status 3), the time limit (1), a non-finite energy (2) or the callback's StopIteration (99).

    Raises
    ------
    ValueError, TypeError
        For bad input, before any step. An exception in the callback or the potential passes through with what was
        computed so far as its attribute `partial_result`.
    """
    started = time.perf_counter()
    run = Run(potential, x0, schedule, n_steps, replicas, integrator, record_every, backend, rng, state, dtype, noise, threads)
    for name, value in (("stop_below", stop_below), ("patience", patience), ("max_seconds", max_seconds)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or np.isnan(value)):
            raise TypeError(f"{name} must be a number, not {value!r}")
        if value is not None and name != "stop_below" and not value > 0:
            raise ValueError(f"{name} must be positive, not {value!r}")
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be a function of intermediate_result, not {type(callback).__name__}")
    if check_gradient:
        error = potential.check_gradient(on_host(run.walk.x[:16]).astype(float))
        if not error < 1e-4:
            raise ValueError(
                f"the gradient of {potential.name} disagrees with its energy by {error:.2g} of its size (central differences); "
                "correct it, or leave gradient=None"
            )
    if checkpoint is not None:
        if not isinstance(checkpoint, (str, os.PathLike)):
            raise TypeError(f"checkpoint must be the path of a file, not {checkpoint!r}")
        folder = os.path.dirname(os.path.abspath(checkpoint))
        if os.path.isdir(checkpoint) or not os.path.isdir(folder):
            raise ValueError(f"checkpoint {os.fspath(checkpoint)!r} must be a file in a folder that exists")
    check_workers(workers)
    history: list[dict[str, float]] = []
    kept: list[np.ndarray] = []
    deadline = None if max_seconds is None else started + max_seconds
    saved = started

    def result(status: int, message: str) -> Result:
        return run.result(status, message, history, kept if samples else None, time.perf_counter() - started)

    if workers != 1:
        if on_gpu(run.walk.x):
            raise ValueError("workers are for the CPU: one process keeps a GPU busy, so leave workers=1 with backend 'cupy'")
        if any(v is not None for v in (state, callback, stop_below, patience, max_seconds, checkpoint)) or progress:
            raise ValueError("state, callback, progress, stop_below, patience, max_seconds and checkpoint work with workers=1 only")
        keywords = {"potential": potential, "n_steps": n_steps, "replicas": None, "integrator": integrator, "state": None,
                    "record_every": run.record_every, "backend": backend, "dtype": dtype, "noise": noise,
                    "threads": threads or 1}  # fmt: skip
        history, kept, failure = anneal_over(workers, run, keywords, samples)
        return result(2, failure) if failure else result(0, f"Schedule of {n_steps} steps finished.")
    improved = (np.inf, run.walk.step)
    try:
        with _bar(progress, n_steps, run.walk.step) as bar:
            for record in run.records(deadline, bar):
                history.append(record)
                if samples:
                    kept.append(on_host(run.walk.x))
                if checkpoint is not None and time.perf_counter() > saved + CHECKPOINT_SECONDS:
                    _keep(run, checkpoint)
                    saved = time.perf_counter()
                best, step = record["best"], run.walk.step
                if callback is not None:
                    callback(intermediate_result=run.intermediate(record))
                if stop_below is not None and best <= stop_below:
                    return result(0, f"Target energy {stop_below:g} reached at step {step}.")
                if best < improved[0] - 1e-8 * max(1.0, abs(best)):
                    improved = (best, step)
                elif patience is not None and step - improved[1] >= patience:
                    return result(0, f"No lower energy for {patience} steps, at step {step}.")
        if run.walk.step < n_steps:
            return result(1, f"Time limit of {max_seconds:g} s reached at step {run.walk.step} of {n_steps}.")
        return result(0, f"Schedule of {n_steps} steps finished.")
    except StopIteration:
        return result(99, f"Stopped by the callback at step {run.walk.step}.")
    except NonFinite as error:
        return result(2, run.explain(error))
    except KeyboardInterrupt:
        return result(3, f"Interrupted at step {run.walk.step} of {n_steps}.")
    except Exception as error:
        error.partial_result = result(-1, f"{type(error).__name__} at step {run.walk.step}: {error}")  # type: ignore[attr-defined]
        raise
    finally:
        if checkpoint is not None:
            _keep(run, checkpoint)


def _keep(run: Run, checkpoint: str | os.PathLike[str]) -> None:
    try:
        run.state().save(checkpoint)
    except OSError as error:
        warnings.warn(f"checkpoint not written, the last good one stays: {error}", UserWarning, stacklevel=3)


def _bar(shown: bool, total: int, done: int) -> Any:
    from contextlib import nullcontext

    if not shown:
        return nullcontext()
    from tqdm.auto import tqdm

    return tqdm(total=total, initial=done, disable=None, unit="step", unit_scale=True)
