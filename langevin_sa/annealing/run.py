"""A checked run, moved on record by record: what `simulate` and `anneal` drive.

Between two looks the kernels run in slices of about a tenth of a second; since noise is a function
of (seed, step, replica, coordinate), nothing depends on where slices, records or threads are cut.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from ..arguments import check_whole, real_dtype, shown
from ..backends.choose import get_backend
from ..backends.walk import Backend, NonFinite, Walk, fill, on_gpu, on_host
from ..backends.workers import Team, processors
from ..integrators import get_integrator
from ..noise import purpose_of, seed_of
from ..potential import Potential
from ..storage.checkpoint import digest, schedule_digest
from ..tuning import automatic_schedule, laplacian_estimate
from .results import Result, Snapshot, State, put
from .stability import brings_recursion, check_time_step, longest_step
from .starts import check_energies, starting_points, walk_of

SLICE_SECONDS = 0.1
MOST_STEPS = 100_000  # in one slice, whose coefficients are arrays
COLUMNS = (
    "step",
    "target",
    "temperature",
    "eq22",
    "configurational",
    "squares",
    "laplacian",
    "energy_mean",
    "energy_min",
    "best",
)
# coordinates looked at by the configurational thermometer at each record
THERMOMETER_NUMBERS = 8_192


class Run:
    """A checked run: a walk, its backend and its schedule, moved on record by record."""

    def __init__(
        self,
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
        dtype: Any,
        noise: str,
        threads: int | None,
        team: Team | None = None,
    ) -> None:
        if not isinstance(potential, Potential):
            raise TypeError(
                "potential must be a Potential (see Potential.from_formula), not "
                f"{type(potential).__name__}"
            )
        get_integrator(integrator)
        self.potential, self.integrator = potential, integrator
        check_whole(1, n_steps=n_steps)
        record_every = max(1, n_steps // 100) if record_every is None else record_every
        threads = threads if threads is not None else 1 if team is not None else processors()
        check_whole(1, record_every=record_every, threads=threads)
        self.n_steps, self.record_every, self.threads = map(int, (n_steps, record_every, threads))
        dtype = real_dtype(dtype)
        # results are where the caller's arrays are
        self.stays = on_gpu(x0 if state is None else getattr(state, "x", None))
        if self.stays and backend == "auto":
            backend = "cupy"
        if state is None:
            seed = seed_of(rng)
            self.walk = Walk.at_rest(
                starting_points(potential, on_host(x0) if self.stays else x0, replicas, seed),
                seed,
                dtype,
            )
        else:
            if rng is not None or x0 is not None or replicas is not None:
                raise ValueError(
                    "a state brings its own positions, replicas and seed: give either state, or "
                    "x0, replicas and rng"
                )
            if schedule is None:
                raise ValueError(
                    "going on from a state needs the schedule of its first part: give schedule="
                )
            self.walk = walk_of(state, potential, dtype)
            if self.walk.step >= self.n_steps:
                raise ValueError(
                    f"the state is at step {self.walk.step}, and n_steps = {n_steps} leaves "
                    "nothing to do"
                )
        self.schedule = (
            automatic_schedule(potential, self.walk.x, self.walk.seed, integrator=integrator)
            if schedule is None
            else schedule
        )
        if isinstance(self.schedule, type) or not hasattr(self.schedule, "coefficients"):
            raise TypeError(
                f"schedule must be a Schedule, CoolMomentum or Momentum, not {shown(schedule)}"
            )
        first = self.walk.step
        longest = longest_step(self.coefficients, first, self.n_steps)
        self.own_recursion = brings_recursion(self.schedule, integrator, self.n_steps)
        potential.check_alone(self.walk.x)
        self.walk.purpose = purpose_of(noise)
        self.noise, self._kernel, self.team = (
            noise,
            get_backend(backend, potential, len(self.walk.x)),
            team,
        )
        self.walk = self._kernel.placed(self.walk)
        if team is not None and on_gpu(self.walk.x):
            raise ValueError(
                "workers are for the CPU: one process keeps a GPU busy, so leave workers=1 with "
                "backend 'cupy'"
            )
        try:
            self._begin()
        except NonFinite as error:
            raise ValueError(
                f"the energy of {potential.name} is {self.walk.energy[error.replica]} at the "
                f"starting point of replica {error.replica}; start where it is finite"
            ) from None
        now, worst = self.coefficients(first, first + 1), self.coefficients(longest, longest + 1)
        self.omega_dt = check_time_step(potential, self.walk.x, self.schedule, now, worst, longest)
        self._before = {
            name: getattr(self.walk, name).copy()
            for name in ("x", "dx", "noise", "energy", "dx2", "kinetic")
        }
        self._copying = 0.0  # seconds that keeping the walk before a slice takes
        self._reset()

    def _begin(self) -> None:
        """Kernels and energies where the walk is."""
        self.backend: Backend = self._kernel(self.potential, self.walk, self.threads)
        if self.team is not None:
            self.backend = self.team.spread(self.backend, self.potential, self.walk, self.threads)

    @property
    def used_integrator(self) -> str | None:
        """The row that makes the recursion, None if the schedule brings its own."""
        return None if self.own_recursion else self.integrator

    def coefficients(self, start: int, stop: int) -> Any:
        """The recursion's numbers for steps start <= n < stop."""
        return self.schedule.coefficients(self.n_steps, self.integrator, (start, stop))

    def _reset(self) -> None:
        self.walk.forget()
        self._since, self._target = self.walk.step, 0.0

    def records(
        self,
        deadline: float | None = None,
        bar: Any = None,
        keep: Callable[[], None] = lambda: None,
    ) -> Iterator[dict[str, float]]:
        """Run to each moment of interest and yield one line of history; returns early at the
        deadline.

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
                seconds = max(SLICE_SECONDS, 10 * (self._copying + self.backend.overhead))
                slice_steps = int(np.clip(rate * seconds, 1, min(8 * slice_steps, MOST_STEPS)))
                if bar is not None:
                    bar.update(walk.step - bar.n)
                if (
                    deadline is not None
                    and time.perf_counter() > deadline
                    and walk.step < self.n_steps
                ):
                    yield self._record()
                    return
                if walk.step < end:
                    keep()
            yield self._record()
            keep()

    def _advance(self, stop: int) -> None:
        """Run to step `stop`, or leave the walk as it was (with the best points found on the
        way).
        """
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
        # one after the other, however a run is cut
        self._target = float(np.cumsum(np.append(self._target, steps.temperature))[-1])

    def _record(self) -> dict[str, float]:
        walk = self.walk
        steps = walk.step - self._since
        numbers = max(1, walk.x.size * steps)
        self.backend.refresh()
        squares, curvature = self.backend.measure() or self._measure()
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
        """Sums of |grad U|^2 and of the Laplacian over some replicas, where the backend has nothing
        faster.
        """
        looked = on_host(self.walk.x[: max(1, THERMOMETER_NUMBERS // self.walk.x.shape[1])]).astype(
            float
        )
        generator = np.random.default_rng([self.walk.seed, self.walk.step])
        squares = float((self.potential.gradient(looked) ** 2).sum())
        return squares, float(laplacian_estimate(self.potential, looked, generator).sum())

    def problem(self) -> dict[str, Any]:
        """What makes this run what it is, for its checkpoint; to be asked before the first step."""
        return {
            "potential": self.potential.name,
            "dim": self.potential.dim,
            "replicas": len(self.walk.x),
            "n_steps": self.n_steps,
            "integrator": self.used_integrator,
            "dtype": self.walk.x.dtype.name,
            "noise": self.noise,
            "seed": self.walk.seed,
            "the schedule": schedule_digest(self.schedule, self.n_steps, self.integrator),
            "the starting points": digest(on_host(self.walk.x), self.walk.step),
        }

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
        w.ratio, self._since, self._target = (
            float(sums["ratio"]),
            int(sums["since"]),
            float(sums["target"]),
        )

    def settle(self) -> None:
        """Bring the energies up to date where not every step looks at them."""
        self.backend.settle()

    def sums(self) -> dict[str, np.ndarray]:
        """What the next record will be made of, so far."""
        numbers = {"ratio": self.walk.ratio, "since": self._since, "target": self._target}
        return {"dx2": self.walk.dx2, "kinetic": self.walk.kinetic} | {
            name: np.array(value) for name, value in numbers.items()
        }

    def state(self) -> State:
        """A copy of where the run stands."""
        w = self.walk
        x, dx, noise, best_x, best_energy = map(
            self.kept, (w.x, w.dx, w.noise, w.best_x, w.best_energy)
        )
        return State(x, dx, noise, w.step, w.seed, best_x, best_energy)

    def kept(self, array: Any) -> Any:
        """A copy of an array of the walk, on the GPU if the starting points came from there."""
        return array.get() if on_gpu(array) and not self.stays else array.copy()

    def theirs(self, array: Any) -> Any:
        """An array of the walk itself, or a copy in host memory if it is on the GPU and the
        starting points were not.
        """
        return array if self.stays else on_host(array)

    def best(self) -> tuple[np.ndarray, float]:
        """The lowest point seen by any replica, and its energy."""
        r = int(np.argmin(self.walk.best_energy))
        return self.kept(self.walk.best_x[r]).astype(float, copy=False), float(
            self.walk.best_energy[r]
        )

    def evaluations(self) -> int:
        """Energies (and gradients) taken along the trajectories from step 0."""
        return len(self.walk.x) * (self.walk.step + 1)

    def snapshot(self, record: dict[str, float]) -> Snapshot:
        """A line of history as a Snapshot with copies of the arrays."""
        measured = {
            name: record[name]
            for name in ("temperature", "target", "eq22", "configurational", "squares", "laplacian")
        }
        x, energy = self.best()
        return Snapshot(
            self.walk.step,
            self.state(),
            self.kept(self.walk.energy),
            best_x=x,
            best_energy=energy,
            **measured,
        )

    def intermediate(self, record: dict[str, float]) -> OptimizeResult:
        """What a callback gets."""
        x, fun = self.best()
        nfev = self.evaluations()
        return OptimizeResult(
            record, x=x, fun=fun, nit=self.walk.step, nfev=nfev, energy=self.kept(self.walk.energy)
        )

    def explain(self, error: NonFinite) -> str:
        """The sentence for a run that became non-finite."""
        if self.omega_dt > 0:
            known = (
                f"omega*dt was {self.omega_dt:.3g} in the start region and must stay below 2 "
                "everywhere"
            )
            advice = "Use a smaller dt or lower temperature."
        else:
            known = (
                "no curvature was seen in the start region, so that omega*dt, which must stay "
                "below 2, is not known"
            )
            advice = (
                "Use a smaller dt; or the energy falls for ever, or the gradient has the wrong "
                "sign: check_gradient=True tells."
            )
        return (
            f"The energy became non-finite at step {error.step} (replica {error.replica}); "
            f"{known}; the best finite point is kept. {advice}"
        )

    def result(
        self,
        status: int,
        message: str,
        history: list[dict[str, float]],
        samples: np.ndarray | None,
        seconds: float,
    ) -> Result:
        """The run so far as a Result, which shares its arrays with the walk: for the end, or to be
        written at once.
        """
        self.settle()
        walk, (x, fun) = self.walk, self.best()
        arrays = {
            name: np.array([line[name] for line in history], dtype=int if name == "step" else float)
            for name in COLUMNS
        }
        x_now, dx, noise, best_x, best_energy, energy = map(
            self.theirs, (walk.x, walk.dx, walk.noise, walk.best_x, walk.best_energy, walk.energy)
        )
        state = State(x_now, dx, noise, walk.step, walk.seed, best_x, best_energy)
        return Result(
            x=x,
            fun=fun,
            success=status == 0,
            status=status,
            message=message,
            nit=walk.step,
            nfev=self.evaluations(),
            njev=self.evaluations(),
            state=state,
            energies=energy,
            best_energies=state.best_energy,
            best_positions=state.best_x,
            history=OptimizeResult(arrays),
            samples=samples,
            seed=walk.seed,
            schedule=self.schedule,
            integrator=self.used_integrator,
            n_steps=self.n_steps,
            seconds=seconds,
            potential_name=self.potential.name,
        )
