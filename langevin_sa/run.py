"""A checked run, moved on record by record: what `simulate` and `anneal` drive.

Between two looks the kernels run in slices of about a tenth of a second; since noise is a function of (seed, step, replica,
coordinate), nothing depends on where slices, records or threads are cut.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from .backends import NonFinite, Walk, fill, get_backend, on_gpu, on_host
from .checkpoint import digest, schedule_digest
from .descent import descend
from .integrators import STABILITY_LIMIT, get_integrator
from .naming import shown, whole
from .noise import purpose_of, seed_of
from .potential import Potential, real_array
from .results import Result, Snapshot, State
from .schedules import Schedule
from .tuning import automatic_schedule, laplacian_estimate, omega_dt, start_points
from .workers import Team, processors

SLICE_SECONDS, DEFAULT_REPLICAS, MAX_BIAS = 0.1, 64, 0.05
CHECKED_STEPS, MOST_WINDOWS = 20_000, 50  # a schedule is looked at in windows before the first step
MOST = 2**53  # steps, replicas
MOST_STEPS = 100_000  # in one slice, whose coefficients are arrays
COLUMNS = ("step", "target", "temperature", "eq22", "configurational", "squares", "laplacian", "energy_mean", "energy_min", "best")
THERMOMETER_NUMBERS = 8_192  # coordinates looked at by the configurational thermometer at each record


class Run:
    """A checked run: a walk, its backend and its schedule, moved on record by record."""

    def __init__(
        self, potential: Potential, x0: Any, schedule: Any, n_steps: int, replicas: int | None, integrator: str,
        record_every: int | None, backend: str, rng: Any, state: State | None, dtype: Any,
        noise: str, threads: int | None, team: Team | None = None,
    ) -> None:  # fmt: skip
        if not isinstance(potential, Potential):
            raise TypeError(f"potential must be a Potential (see Potential.from_formula), not {type(potential).__name__}")
        get_integrator(integrator)
        self.potential, self.integrator = potential, integrator
        self.n_steps = _positive_int(n_steps, "n_steps")
        self.record_every = max(1, self.n_steps // 100) if record_every is None else _positive_int(record_every, "record_every")
        self.threads = _positive_int(threads if threads is not None else 1 if team is not None else processors(), "threads")
        dtype = _dtype(dtype)
        self.stays = on_gpu(x0 if state is None else getattr(state, "x", None))  # results are where the caller's arrays are
        if self.stays and backend == "auto":
            backend = "cupy"
        if state is None:
            seed = seed_of(rng)
            self.walk = Walk.at_rest(starting_points(potential, on_host(x0) if self.stays else x0, replicas, seed), seed, dtype)
        else:
            if rng is not None or x0 is not None or replicas is not None:
                raise ValueError("a state brings its own positions, replicas and seed: give either state, or x0, replicas and rng")
            if schedule is None:
                raise ValueError("going on from a state needs the schedule of its first part: give schedule=")
            self.walk = walk_of(state, potential, dtype)
            if self.walk.step >= self.n_steps:
                raise ValueError(f"the state is at step {self.walk.step}, and n_steps = {n_steps} leaves nothing to do")
        self.schedule = automatic_schedule(potential, self.walk.x, self.walk.seed, integrator=integrator) if schedule is None else schedule
        if isinstance(self.schedule, type) or not hasattr(self.schedule, "coefficients"):
            raise TypeError(f"schedule must be a Schedule, CoolMomentum or Momentum, not {shown(schedule)}")
        longest = self._longest_step()
        self._check_integrator()
        potential.check_alone(self.walk.x)
        self.walk.purpose = purpose_of(noise)
        self.noise, self._kernel, self.team = noise, get_backend(backend, potential), team
        self.walk = getattr(self._kernel, "placed", lambda walk: walk)(self.walk)
        if team is not None and on_gpu(self.walk.x):
            raise ValueError("workers are for the CPU: one process keeps a GPU busy, so leave workers=1 with backend 'cupy'")
        try:
            self._begin()
        except NonFinite as error:
            raise ValueError(
                f"the energy of {potential.name} is {self.walk.energy[error.replica]} at the starting "
                f"point of replica {error.replica}; start where it is finite"
            ) from None
        self._check_time_step(longest)
        self._before = {name: getattr(self.walk, name).copy() for name in ("x", "dx", "noise", "energy", "dx2", "kinetic")}
        self._copying = 0.0  # seconds that keeping the walk before a slice takes
        self._reset()

    def _begin(self) -> None:
        """Kernels and energies where the walk is."""
        self.backend = self._kernel(self.potential, self.walk, self.threads)
        self._looker = self.backend
        if self.team is not None:
            self.backend = self.team.spread(self.backend, self.potential, self.walk, self.threads)

    @property
    def used_integrator(self) -> str | None:
        """The row that makes the recursion, None if the schedule brings its own."""
        return None if self.own_recursion else self.integrator

    def coefficients(self, start: int, stop: int) -> Any:
        """The recursion's numbers for steps start <= n < stop."""
        return self.schedule.coefficients(self.n_steps, self.integrator, (start, stop))

    def _check_integrator(self) -> None:
        """Note whether the schedule brings a recursion of its own; warn of a temperature without a thermostat."""
        step = (self.walk.step, self.walk.step + 1)
        paired = [self.schedule.coefficients(self.n_steps, integrator, step).paired for integrator in ("gjf", "verlet")]
        self.own_recursion = paired[0] == paired[1]
        if not self.own_recursion and not get_integrator(self.integrator).steps(1.0, 0.1, 1.0).s and self._is_warm():
            warnings.warn(
                f"{self.integrator} adds no noise, so that the schedule's temperature has no effect and the run is at T = 0: "
                "give temperature=0, or an integrator with a thermostat such as 'gjf'",
                UserWarning,
                stacklevel=5,  # of the caller of a driver
            )

    def _is_warm(self) -> bool:
        """Whether the schedule has a temperature above 0 anywhere, as any integrator with a thermostat would run it."""
        return bool(np.any(self.schedule.coefficients(min(self.n_steps, CHECKED_STEPS), "bbk").s > 0))

    def _longest_step(self) -> int:
        """The number of the step with the longest dt, after a look at every step of all but very long schedules."""
        windows = min(MOST_WINDOWS, -(-(self.n_steps - self.walk.step) // CHECKED_STEPS))
        at = self.walk.step
        longest = float(self.coefficients(at, at + 1).dt[0]) * (1 + 1e-9)  # what only rounding makes longer is not
        for start in np.linspace(self.walk.step, max(self.walk.step, self.n_steps - CHECKED_STEPS), windows).astype(int):
            dt = self.coefficients(int(start), min(int(start) + CHECKED_STEPS, self.n_steps)).dt
            if dt.max() > longest:
                longest, at = float(dt.max()), int(start + dt.argmax())
        return at

    def _check_time_step(self, longest: int) -> None:
        """Refuse a time step that cannot be stable, at the start or in the longest step; warn of one that biases the temperature."""
        now, worst = (self.coefficients(n, n + 1) for n in (self.walk.step, longest))
        points = start_points(self.walk.x)
        omega = omega_dt(self.potential, points, 1.0)
        if omega * now.dt[0] < STABILITY_LIMIT <= omega * worst.dt[0]:  # it may grow as replicas leave a steep start region
            omega = max(omega * now.dt[0] / worst.dt[0], min(omega, omega_dt(self.potential, descend(self.potential, points[::4])[0], 1.0)))
        self.omega_dt = float(omega * worst.dt[0])
        a, later = self.omega_dt**2, f" at step {longest} (where dt is the longest)" if worst.dt[0] > now.dt[0] else ""
        if self.omega_dt >= STABILITY_LIMIT:
            raise ValueError(
                f"the time step is beyond stability: omega*dt = {self.omega_dt:.3g} in the start region{later}, and it must stay below 2 "
                f"(omega^2 = {omega**2:.3g} is the largest curvature); {self._smaller(self.omega_dt / STABILITY_LIMIT, worst)}"
            )
        bias = 1 / (1 - a / 4) - 1
        if bias > MAX_BIAS and not worst.paired and np.any(worst.s > 0):
            warnings.warn(
                f"omega*dt = {self.omega_dt:.3g} in the start region{later} holds stiff modes {100 * bias:.0f} % too hot; "
                + self._smaller(self.omega_dt / 0.43, worst)
                + (", or integrator='gjf' or 'baoab', whose positions have no such error" if isinstance(self.schedule, Schedule) else ""),
                UserWarning,
                stacklevel=5,  # of the caller of a driver
            )

    def _smaller(self, excess: float, worst: Any) -> str:
        """What to make smaller so that omega*dt shrinks by `excess`, in the schedule's own numbers."""
        if not isinstance(self.schedule, Schedule):
            return f"make lr {excess**2:.3g} times smaller"
        return f"make dt {excess**2 if worst.rho[0] == 0 else excess:.3g} times smaller"

    def _reset(self) -> None:
        self.walk.forget()
        self._since, self._target = self.walk.step, 0.0

    def records(
        self, deadline: float | None = None, bar: Any = None, keep: Callable[[], None] = lambda: None
    ) -> Iterator[dict[str, float]]:
        """Run to each moment of interest and yield one line of history; returns early at the deadline.

        `keep` is called between slices, when all lines so far have been taken.
        """
        walk, slice_steps = self.walk, 16
        while walk.step < self.n_steps:
            end = min((walk.step // self.record_every + 1) * self.record_every, self.n_steps)
            while walk.step < end:
                start, before = walk.step, time.perf_counter()
                self._advance(min(start + slice_steps, end))
                spent = time.perf_counter() - before
                rate = (walk.step - start) / max(spent, 1e-9)
                seconds = max(SLICE_SECONDS, 10 * (self._copying + getattr(self.backend, "overhead", 0.0)))
                slice_steps = int(np.clip(rate * seconds, 1, min(8 * slice_steps, MOST_STEPS)))
                if bar is not None:
                    bar.update(walk.step - bar.n)
                if deadline is not None and time.perf_counter() > deadline and walk.step < self.n_steps:
                    yield self._record()
                    return
                if walk.step < end:
                    keep()
            yield self._record()
            keep()

    def _advance(self, stop: int) -> None:
        """Run to step `stop`, or leave the walk as it was (with the best points found on the way)."""
        walk = self.walk
        started, step = time.perf_counter(), walk.step
        for name, array in self._before.items():
            array[...] = getattr(walk, name)
        self._copying = time.perf_counter() - started
        steps = self.coefficients(step, stop)
        try:
            self.backend.advance(steps)
        except BaseException:
            for name, array in self._before.items():
                getattr(walk, name)[...] = array
            walk.step = step
            raise
        self._target = float(np.cumsum(np.append(self._target, steps.temperature))[-1])  # one after the other, however a run is cut

    def _record(self) -> dict[str, float]:
        walk = self.walk
        steps = walk.step - self._since
        numbers = max(1, walk.x.size * steps)
        getattr(self._looker, "refresh", lambda: None)()
        squares, curvature = getattr(self._looker, "measure", self._measure)()
        record = {
            "step": walk.step,
            "target": self._target / max(1, steps),
            "temperature": float(walk.kinetic.sum()) / numbers,
            "eq22": float(walk.dx2.sum()) / numbers,
            "configurational": squares / curvature if curvature != 0 else np.nan,
            "squares": squares,
            "laplacian": curvature,
            "energy_mean": float(walk.energy.mean()),
            "energy_min": float(walk.energy.min()),
            "best": float(walk.best_energy.min()),
        }
        self._reset()
        return record

    def _measure(self) -> tuple[float, float]:
        """Sums of |grad U|^2 and of the Laplacian over some replicas, where the backend has nothing faster."""
        looked = on_host(self.walk.x[: max(1, THERMOMETER_NUMBERS // self.walk.x.shape[1])]).astype(float)
        generator = np.random.default_rng([self.walk.seed, self.walk.step])
        squares = float((self.potential.gradient(looked) ** 2).sum())
        return squares, float(laplacian_estimate(self.potential, looked, generator).sum())

    def problem(self) -> dict[str, Any]:
        """What makes this run what it is, for its checkpoint; to be asked before the first step."""
        return {
            "potential": self.potential.name, "dim": self.potential.dim, "replicas": len(self.walk.x), "n_steps": self.n_steps,
            "integrator": self.used_integrator, "dtype": self.walk.x.dtype.name, "noise": self.noise, "seed": self.walk.seed,
            "the schedule": schedule_digest(self.schedule, self.n_steps, self.integrator),
            "the starting points": digest(on_host(self.walk.x), self.walk.step),
        }  # fmt: skip

    def restore(self, state: State, energies: np.ndarray, sums: dict[str, np.ndarray]) -> None:
        """Go back to where a run of the same problem stood; `sums` are what `sums` returned there.

        Raises
        ------
        ValueError
            If the potential has other energies there.
        """
        w = self.walk
        put(w, state)
        try:
            self._begin()
        except NonFinite as error:
            w.energy[error.replica] = np.nan
        check_energies(self.potential, on_host(w.energy), energies)
        fill(w.dx2, sums["dx2"])
        fill(w.kinetic, sums["kinetic"])
        w.ratio, self._since, self._target = float(sums["ratio"]), int(sums["since"]), float(sums["target"])

    def settle(self) -> None:
        """Bring the energies up to date where not every step looks at them."""
        getattr(self._looker, "settle", lambda: None)()

    def sums(self) -> dict[str, np.ndarray]:
        """What the next record will be made of, so far."""
        numbers = {"ratio": self.walk.ratio, "since": self._since, "target": self._target}
        return {"dx2": self.walk.dx2, "kinetic": self.walk.kinetic} | {name: np.array(value) for name, value in numbers.items()}

    def state(self) -> State:
        """A copy of where the run stands."""
        w = self.walk
        x, dx, noise, best_x, best_energy = map(self.kept, (w.x, w.dx, w.noise, w.best_x, w.best_energy))
        return State(x, dx, noise, w.step, w.seed, best_x, best_energy)

    def kept(self, array: Any) -> Any:
        """A copy of an array of the walk, on the GPU if the starting points came from there."""
        return array.get() if on_gpu(array) and not self.stays else array.copy()

    def theirs(self, array: Any) -> Any:
        """An array of the walk itself, or a copy in host memory if it is on the GPU and the starting points were not."""
        return array if self.stays else on_host(array)

    def best(self) -> tuple[np.ndarray, float]:
        """The lowest point seen by any replica, and its energy."""
        r = int(np.argmin(self.walk.best_energy))
        return self.kept(self.walk.best_x[r]).astype(float, copy=False), float(self.walk.best_energy[r])

    def evaluations(self) -> int:
        """Energies (and gradients) taken along the trajectories from step 0."""
        return len(self.walk.x) * (self.walk.step + 1)

    def snapshot(self, record: dict[str, float]) -> Snapshot:
        """A line of history as a Snapshot with copies of the arrays."""
        measured = {name: record[name] for name in ("temperature", "target", "eq22", "configurational", "squares", "laplacian")}
        x, energy = self.best()
        return Snapshot(self.walk.step, self.state(), self.kept(self.walk.energy), best_x=x, best_energy=energy, **measured)

    def intermediate(self, record: dict[str, float]) -> OptimizeResult:
        """What a callback gets."""
        x, fun = self.best()
        nfev = self.evaluations()
        return OptimizeResult(record, x=x, fun=fun, nit=self.walk.step, nfev=nfev, energy=self.kept(self.walk.energy))

    def explain(self, error: NonFinite) -> str:
        """The sentence for a run that became non-finite."""
        if self.omega_dt > 0:
            known = f"omega*dt was {self.omega_dt:.3g} in the start region and must stay below 2 everywhere"
            advice = "Use a smaller dt or lower temperature."
        else:
            known = "no curvature was seen in the start region, so that omega*dt, which must stay below 2, is not known"
            advice = "Use a smaller dt; or the energy falls for ever, or the gradient has the wrong sign: check_gradient=True tells."
        return (
            f"The energy became non-finite at step {error.step} (replica {error.replica}); {known}; the best finite point is kept. {advice}"
        )

    def result(self, status: int, message: str, history: list[dict[str, float]], samples: np.ndarray | None, seconds: float) -> Result:
        """The run so far as a Result, which shares its arrays with the walk: for the end, or to be written at once."""
        self.settle()
        walk, (x, fun) = self.walk, self.best()
        arrays = {name: np.array([line[name] for line in history], dtype=int if name == "step" else float) for name in COLUMNS}
        x_now, dx, noise, best_x, best_energy, energy = map(
            self.theirs, (walk.x, walk.dx, walk.noise, walk.best_x, walk.best_energy, walk.energy)
        )
        state = State(x_now, dx, noise, walk.step, walk.seed, best_x, best_energy)
        return Result(
            x=x, fun=fun, success=status == 0, status=status, message=message, nit=walk.step, nfev=self.evaluations(),
            njev=self.evaluations(), state=state, energies=energy, best_energies=state.best_energy, best_positions=state.best_x,
            history=OptimizeResult(arrays), samples=samples, seed=walk.seed, schedule=self.schedule, integrator=self.used_integrator,
            n_steps=self.n_steps, seconds=seconds, potential_name=self.potential.name,
        )  # fmt: skip


def put(walk: Walk, state: State) -> None:
    """Put a walk where a state of the same shape was taken."""
    for name in ("x", "dx", "noise", "best_x", "best_energy"):
        fill(getattr(walk, name), getattr(state, name))
    walk.step = state.step


def check_energies(potential: Potential, here: np.ndarray, there: np.ndarray) -> None:
    """Raise a ValueError if energies of a checkpoint's points are others now than when it was written."""
    if not np.allclose(here, there, rtol=1e-6, atol=1e-6 * max(1.0, float(np.abs(there).max()))):
        raise ValueError(
            f"the checkpoint belongs to another potential: its energies were {there[0]:.9g}, ..., and at the same points those of "
            f"{potential.name} are {here[0]:.9g}, ...; give another name, or remove the file"
        )


def starting_points(potential: Potential, x0: Any, replicas: int | None, seed: int) -> np.ndarray:
    """x0 as an array (replicas, dim); drawn from the potential's domain if None."""
    if replicas is not None:
        replicas = _positive_int(replicas, "replicas")
    dim = potential.dim
    if x0 is None:
        x = potential.draw_start(replicas or DEFAULT_REPLICAS, np.random.default_rng([seed, 1]))
    else:
        x = real_array(x0, "x0")
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


def walk_of(state: State, potential: Potential, dtype: Any = float) -> Walk:
    """A walk that stands where the state says, after checks; a TypeError or ValueError if that is nowhere for this potential."""
    if not isinstance(state, State):
        raise TypeError(f"state must be a State (of a Snapshot or a Result), not {type(state).__name__}")
    x = on_host(state.x)
    if x.ndim != 2 or x.shape[1] != potential.dim:
        raise ValueError(f"the state holds positions of shape {x.shape}; {potential.name} needs (replicas, {potential.dim})")
    dx, noise = on_host(state.dx), on_host(state.noise)
    if not all(a.shape == x.shape and np.isfinite(a).all() for a in (x, dx, noise)):
        raise ValueError("the state's x, dx and noise must be finite and of one shape")
    if not (whole(state.step) and state.step >= 0 and whole(state.seed)):
        raise ValueError(f"the state's step and seed must be integers >= 0, not {shown(state.step)} and {shown(state.seed)}")
    walk = Walk.at_rest(x, seed_of(state.seed), dtype)
    walk.dx[...], walk.noise[...], walk.step = dx, noise, state.step
    if state.best_x is not None and state.best_energy is not None:
        if (np.shape(state.best_x), np.shape(state.best_energy)) != (x.shape, (len(x),)):
            raise ValueError(f"the state's best_x and best_energy have shapes {np.shape(state.best_x)} and {np.shape(state.best_energy)}")
        walk.best_x[...], walk.best_energy[...] = on_host(state.best_x), on_host(state.best_energy)
    return walk


def _positive_int(n: Any, name: str) -> int:
    if not whole(n):
        raise TypeError(f"{name} must be an integer, not {shown(n)}")
    if n < 1:
        raise ValueError(f"{name} must be at least 1, not {n}")
    if n > MOST:
        raise ValueError(f"{name} must be at most {MOST}, not {shown(n)}")
    return int(n)


def _dtype(dtype: Any) -> np.dtype:
    try:
        out = None if dtype is None else np.dtype(dtype)
    except TypeError:
        out = None
    if out not in (np.float32, np.float64):
        raise ValueError(f"dtype must be 'float64' or 'float32', not {shown(dtype)}")
    return out
