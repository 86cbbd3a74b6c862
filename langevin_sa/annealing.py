"""Drivers: `simulate` yields a run from one moment of interest to the next, `anneal` drains it into a Result.

Recording, progress, stop rules, interruption and divergence live here and only here. Between two looks the kernels run
in slices of about a tenth of a second; since noise is a function of (seed, step, replica, coordinate), nothing depends
on where slices, records or threads are cut.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from .backends import NonFinite, Walk, get_backend
from .integrators import STABILITY_LIMIT, get_integrator
from .noise import seed_of
from .potential import Potential
from .results import Result, Snapshot, State
from .schedules import Schedule
from .tuning import automatic_schedule, laplacian_estimate, omega_dt

SLICE_SECONDS, DEFAULT_REPLICAS, MAX_BIAS = 0.1, 64, 0.05
CHECKED_STEPS, MOST_WINDOWS = 20_000, 50  # a schedule is looked at in windows before the first step
THERMOMETER_NUMBERS = 65_536  # coordinates looked at by the configurational thermometer at each record


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
    threads: int | None = None,
) -> Iterator[Snapshot]:
    """Run and yield a Snapshot every `record_every` steps; parameters as in `anneal`, checked before the first step.

    Raises
    ------
    FloatingPointError
        If an energy becomes non-finite; the message says at which step and what omega*dt was.
    """
    run = Run(potential, x0, schedule, n_steps, replicas, integrator, record_every, backend, rng, state, dtype, threads)

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
    threads: int | None = None,
    samples: bool = False,
    check_gradient: bool = False,
    callback: Callable[..., Any] | None = None,
    progress: bool = False,
    stop_below: float | None = None,
    patience: int | None = None,
    max_seconds: float | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
) -> Result:
    """Anneal: integrate the Langevin equation while the schedule cools, and keep the lowest point seen.

    Parameters
    ----------
    potential : Potential
        What to minimize.
    x0 : array (dim,) or (replicas, dim), optional
        Starting point of all replicas or of each; drawn from the potential's domain if None.
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
    backend : {"auto", "numba", "numpy"}
        "auto" is numba.
    rng : int, numpy.random.Generator or None
        Seed; the one used is in the result. One seed gives the same trajectory on any number of threads.
    state : State, optional
        Go on from here, with its seed and at its step of the same schedule; then x0 and rng must not be given.
    dtype : {"float64", "float32"}
        How positions are stored; energies are float64.
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
        Write the state to this file at each record, whole or not at all (at most every ten seconds), and at the end.

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
    run = Run(potential, x0, schedule, n_steps, replicas, integrator, record_every, backend, rng, state, dtype, threads)
    for name, value in (("patience", patience), ("max_seconds", max_seconds)):
        if value is not None and not value > 0:
            raise ValueError(f"{name} must be positive, not {value!r}")
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be a function of intermediate_result, not {type(callback).__name__}")
    if check_gradient:
        error = potential.check_gradient(run.walk.x[:16].astype(float))
        if not error < 1e-4:
            raise ValueError(
                f"the gradient of {potential.name} disagrees with its energy by {error:.2g} of its size (central differences); "
                "correct it, or leave gradient=None"
            )
    if checkpoint is not None:
        folder = os.path.dirname(os.path.abspath(checkpoint))
        if not os.path.isdir(folder):
            raise ValueError(f"checkpoint {os.fspath(checkpoint)!r}: there is no folder {folder}")
    history: list[dict[str, float]] = []
    kept: list[np.ndarray] = []
    deadline = None if max_seconds is None else started + max_seconds
    saved = started

    def result(status: int, message: str) -> Result:
        return run.result(status, message, history, kept if samples else None, time.perf_counter() - started)

    improved = (np.inf, run.walk.step)
    try:
        with _bar(progress, n_steps, run.walk.step) as bar:
            for record in run.records(deadline, bar):
                history.append(record)
                if samples:
                    kept.append(run.walk.x.copy())
                if checkpoint is not None and time.perf_counter() > saved + 10:
                    run.state().save(checkpoint)
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
            run.state().save(checkpoint)


class Run:
    """A checked run: a walk, its backend and its schedule, moved on record by record."""

    def __init__(
        self, potential: Potential, x0: Any, schedule: Any, n_steps: int, replicas: int | None, integrator: str,
        record_every: int | None, backend: str, rng: Any, state: State | None, dtype: Any, threads: int | None,
    ) -> None:  # fmt: skip
        if not isinstance(potential, Potential):
            raise TypeError(f"potential must be a Potential (see Potential.from_formula), not {type(potential).__name__}")
        get_integrator(integrator)
        self.potential, self.integrator = potential, integrator
        self.n_steps = _positive_int(n_steps, "n_steps")
        self.record_every = max(1, self.n_steps // 100) if record_every is None else _positive_int(record_every, "record_every")
        count = (
            threads if threads is not None else len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        )
        self.threads = _positive_int(count, "threads")
        dtype = _dtype(dtype)
        if state is None:
            seed = seed_of(rng)
            x = starting_points(potential, x0, replicas, seed)
            self.walk = Walk.at_rest(x, seed, dtype)
        else:
            if rng is not None or x0 is not None:
                raise ValueError("a state brings its own positions and seed: give either state, or x0 and rng")
            self.walk = _walk_of(state, potential, dtype)
            if self.walk.step >= self.n_steps:
                raise ValueError(f"the state is at step {self.walk.step}, and n_steps = {n_steps} leaves nothing to do")
        self.schedule = automatic_schedule(potential, self.walk.x, self.walk.seed, integrator=integrator) if schedule is None else schedule
        if not hasattr(self.schedule, "coefficients"):
            raise TypeError(f"schedule must be a Schedule, CoolMomentum or Momentum, not {type(schedule).__name__}")
        windows = min(MOST_WINDOWS, -(-(self.n_steps - self.walk.step) // CHECKED_STEPS))  # every step of all but very long runs
        for start in np.linspace(self.walk.step, max(self.walk.step, self.n_steps - CHECKED_STEPS), windows).astype(int):
            self.coefficients(int(start), min(int(start) + CHECKED_STEPS, self.n_steps))
        self._check_time_step()
        try:
            self.backend = get_backend(backend, potential)(potential, self.walk, self.threads)
        except NonFinite as error:
            raise ValueError(
                f"the energy of {potential.name} is {self.walk.energy[error.replica - self.walk.first_replica]} at the starting "
                f"point of replica {error.replica}; start where it is finite"
            ) from None
        self._copying = 0.0  # seconds that keeping the walk before a slice takes
        self._reset()

    def coefficients(self, start: int, stop: int) -> Any:
        """The recursion's numbers for steps start <= n < stop."""
        return self.schedule.coefficients(self.n_steps, self.integrator, (start, stop))

    def _check_time_step(self) -> None:
        first = self.coefficients(self.walk.step, self.walk.step + 1)
        self.omega_dt = omega_dt(self.potential, self.walk.x[:: max(1, len(self.walk.x) // 16)].astype(float), float(first.dt[0]))
        a = self.omega_dt**2
        if self.omega_dt >= STABILITY_LIMIT:
            raise ValueError(
                f"the time step is beyond stability: omega*dt = {self.omega_dt:.3g} in the start region, and it must stay below 2 "
                f"(omega^2 = {a / first.dt[0] ** 2:.3g} is the largest curvature); reduce dt below {2 * first.dt[0] / self.omega_dt:.3g}"
            )
        bias = 1 / (1 - a / 4) - 1
        if bias > MAX_BIAS and not first.paired and np.any(first.s > 0):
            warnings.warn(
                f"omega*dt = {self.omega_dt:.3g} in the start region holds stiff modes {100 * bias:.0f} % too hot; use "
                f"dt < {0.43 * first.dt[0] / self.omega_dt:.3g}"
                + (", or integrator='gjf' or 'baoab', whose positions have no such error" if isinstance(self.schedule, Schedule) else ""),
                UserWarning,
                stacklevel=4,
            )

    def _reset(self) -> None:
        self.walk.dx2[:], self.walk.kinetic[:] = 0, 0
        self._since, self._target = self.walk.step, 0.0

    def records(self, deadline: float | None = None, bar: Any = None) -> Iterator[dict[str, float]]:
        """Run to each moment of interest and yield one line of history; returns early at the deadline."""
        walk, slice_steps = self.walk, 16
        while walk.step < self.n_steps:
            end = min((walk.step // self.record_every + 1) * self.record_every, self.n_steps)
            while walk.step < end:
                start, before = walk.step, time.perf_counter()
                self._advance(min(start + slice_steps, end))
                spent = time.perf_counter() - before
                rate = (walk.step - start) / max(spent, 1e-9)
                seconds = max(SLICE_SECONDS, 10 * self._copying)
                slice_steps = int(np.clip(rate * seconds, 1, 8 * slice_steps))
                if bar is not None:
                    bar.update(walk.step - bar.n)
                if deadline is not None and time.perf_counter() > deadline and walk.step < self.n_steps:
                    yield self._record()
                    return
            yield self._record()

    def _advance(self, stop: int) -> None:
        """Run to step `stop`, or leave the walk as it was (with the best points found on the way)."""
        walk = self.walk
        names = ("x", "dx", "noise", "energy", "dx2", "kinetic")
        started = time.perf_counter()
        step, before = walk.step, {name: getattr(walk, name).copy() for name in names}
        self._copying = time.perf_counter() - started
        steps = self.coefficients(step, stop)
        try:
            self.backend.advance(steps)
        except BaseException:
            for name, array in before.items():
                getattr(walk, name)[...] = array
            walk.step = step
            raise
        self._target += float(np.sum(steps.temperature))

    def _record(self) -> dict[str, float]:
        walk = self.walk
        steps = walk.step - self._since
        numbers = max(1, walk.x.size * steps)
        looked = walk.x[: max(1, THERMOMETER_NUMBERS // walk.x.shape[1])].astype(float)
        generator = np.random.default_rng([walk.seed, walk.step])
        squares = float((self.potential.gradient(looked) ** 2).sum())
        curvature = float(laplacian_estimate(self.potential, looked, generator).sum())
        record = {
            "step": walk.step,
            "target": self._target / max(1, steps),
            "temperature": walk.kinetic.sum() / numbers,
            "eq22": walk.dx2.sum() / numbers,
            "configurational": squares / curvature if curvature != 0 else np.nan,
            "energy_mean": float(walk.energy.mean()),
            "energy_min": float(walk.energy.min()),
            "best": float(walk.best_energy.min()),
        }
        self._reset()
        return record

    def state(self) -> State:
        """A copy of where the run stands."""
        w = self.walk
        return State(w.x.copy(), w.dx.copy(), w.noise.copy(), w.step, w.seed, w.best_x.copy(), w.best_energy.copy())

    def best(self) -> tuple[np.ndarray, float]:
        """The lowest point seen by any replica, and its energy."""
        r = int(np.argmin(self.walk.best_energy))
        return self.walk.best_x[r].astype(float), float(self.walk.best_energy[r])

    def evaluations(self) -> int:
        """Energies (and gradients) taken along the trajectories from step 0."""
        return len(self.walk.x) * (self.walk.step + 1)

    def snapshot(self, record: dict[str, float]) -> Snapshot:
        """A line of history as a Snapshot with copies of the arrays."""
        measured = {name: record[name] for name in ("temperature", "target", "eq22", "configurational")}
        x, energy = self.best()
        return Snapshot(self.walk.step, self.state(), self.walk.energy.copy(), best_x=x, best_energy=energy, **measured)

    def intermediate(self, record: dict[str, float]) -> OptimizeResult:
        """What a callback gets."""
        x, fun = self.best()
        nfev = self.evaluations()
        return OptimizeResult(record, x=x, fun=fun, nit=self.walk.step, nfev=nfev, energy=self.walk.energy.copy())

    def explain(self, error: NonFinite) -> str:
        """The sentence for a run that became non-finite."""
        return (
            f"The energy became non-finite at step {error.step} (replica {error.replica}); omega*dt was {self.omega_dt:.3g} in the start "
            f"region and must stay below 2 everywhere; the best finite point is kept. Use a smaller dt or lower temperature."
        )

    def result(
        self, status: int, message: str, history: list[dict[str, float]], samples: list[np.ndarray] | None, seconds: float
    ) -> Result:
        """The run so far as a Result."""
        walk, (x, fun) = self.walk, self.best()
        columns = ("step", "target", "temperature", "eq22", "configurational", "energy_mean", "energy_min", "best")
        arrays = {name: np.array([line[name] for line in history], dtype=int if name == "step" else float) for name in columns}
        shape = (0, *walk.x.shape)
        return Result(
            x=x, fun=fun, success=status == 0, status=status, message=message, nit=walk.step,
            nfev=self.evaluations(), njev=self.evaluations(), state=self.state(), energies=walk.energy.copy(),
            best_energies=walk.best_energy.copy(), best_positions=walk.best_x.copy(), history=OptimizeResult(arrays),
            samples=None if samples is None else np.array(samples).reshape(-1, *shape[1:]), seed=walk.seed, schedule=self.schedule,
            integrator=self.integrator, n_steps=self.n_steps, seconds=seconds, potential_name=self.potential.name,
        )  # fmt: skip


def starting_points(potential: Potential, x0: Any, replicas: int | None, seed: int) -> np.ndarray:
    """x0 as an array (replicas, dim); drawn from the potential's domain if None."""
    if replicas is not None:
        replicas = _positive_int(replicas, "replicas")
    dim = potential.dim
    if x0 is None:
        x = potential.draw_start(replicas or DEFAULT_REPLICAS, np.random.default_rng([seed, 1]))
    else:
        try:
            x = np.array(x0, dtype=float)
        except (TypeError, ValueError):
            raise TypeError(f"x0 must be an array of numbers of shape ({dim},) or (replicas, {dim}), not {x0!r}") from None
        if x.ndim == 0 and dim == 1:
            x = x[None]
        if x.ndim not in (1, 2) or x.shape[-1] != dim or x.size == 0:
            raise ValueError(f"x0 must have shape ({dim},) or (replicas, {dim}) for {potential.name}, not {x.shape}")
        if x.ndim == 1:
            x = np.tile(x, (replicas or 1, 1))
        elif replicas not in (None, len(x)):
            raise ValueError(f"x0 has {len(x)} replicas and replicas = {replicas}; leave one of them out")
    if x.shape[1:] != (dim,):
        raise ValueError(f"the start of {potential.name} gave shape {x.shape}; expected (replicas, {dim})")
    if not np.isfinite(x).all():
        r, c = np.argwhere(~np.isfinite(x))[0]
        raise ValueError(f"x0 must be finite, and is {x[r, c]} at replica {r}, coordinate {c}")
    return x


def _walk_of(state: State, potential: Potential, dtype: Any) -> Walk:
    if not isinstance(state, State):
        raise TypeError(f"state must be a State (of a Snapshot or a Result), not {type(state).__name__}")
    x = np.asarray(state.x)
    if x.ndim != 2 or x.shape[1] != potential.dim:
        raise ValueError(f"the state holds positions of shape {x.shape}; {potential.name} needs (replicas, {potential.dim})")
    if not all(np.shape(a) == x.shape and np.isfinite(a).all() for a in (x, state.dx, state.noise)):
        raise ValueError("the state's x, dx and noise must be finite and of one shape")
    walk = Walk.at_rest(x, state.seed, dtype)
    walk.dx[...], walk.noise[...], walk.step = state.dx, state.noise, state.step
    if state.best_x is not None and state.best_energy is not None:
        walk.best_x[...], walk.best_energy[...] = state.best_x, state.best_energy
    return walk


def _positive_int(n: Any, name: str) -> int:
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
        raise TypeError(f"{name} must be an integer, not {n!r}")
    if n < 1:
        raise ValueError(f"{name} must be at least 1, not {n}")
    return int(n)


def _dtype(dtype: Any) -> np.dtype:
    try:
        out = np.dtype(dtype)
    except TypeError:
        out = None
    if out not in (np.float32, np.float64):
        raise ValueError(f"dtype must be 'float64' or 'float32', not {dtype!r}")
    return out


def _bar(shown: bool, total: int, done: int) -> Any:
    from contextlib import nullcontext

    if not shown:
        return nullcontext()
    from tqdm.auto import tqdm

    return tqdm(total=total, initial=done, disable=None, unit="step", unit_scale=True)
