"""What is asked of a run, checked: everything that can refuse it stands here, in one order.

Arguments, start, schedule, an earlier run to go on from, time step, kernels. What comes out is
`Prepared`; a `langevin_sa.annealing.run.Run` only moves it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ..arguments import check_whole, look_up, on_host, real_dtype, shown
from ..backends.agreement import check_first_energies
from ..backends.choose import get_backend
from ..backends.walk import Backend, NonFinite, Walk, fill
from ..backends.workers import Team, processors
from ..integrators import get_integrator
from ..laws import progress_of
from ..momentum import Steps
from ..noise import purpose_of, seed_of
from ..observables.along import Observables
from ..own.arrays import Library, taken
from ..potential import Potential
from ..storage.checkpoint import Fingerprint, digest, laws_digest, schedule_digest
from ..tuning import Pilot
from .course import Course
from .launch import check_launch, launch
from .masses import check_knows, inertia_of
from .records import Record
from .results import Result, State, put
from .stability import check_last_landscape, check_thermostat, check_time_step
from .starts import check_alone, check_energies, going_on, home_of, not_finite, starting_points
from .weighted import pilot_of, seen_by

# of the size of energies, which are sums: neighbour lists change their order, and with it the last
# few of sixteen digits; nothing is lost where more is off, as the energies are then taken anew
SAME = 1e-12


ON_FAILURE = {"wall": True, "raise": False}


class Earlier(NamedTuple):
    """Where an earlier run of the same problem stands.

    Attributes
    ----------
    state : State
        Its state.
    energies : ndarray (replicas,)
        Energies there, by which the potential is known again.
    sums : dict of ndarray
        What its next record will be made of, as `Recorder.sums` gives it.
    result : Result, optional
        All that it had brought.
    written : ndarray, optional
        Checksums of the records that it streamed to a file.
    """

    state: State
    energies: np.ndarray
    sums: dict[str, np.ndarray]
    result: Result | None = None
    written: np.ndarray | None = None


@dataclass(frozen=True)
class Prepared:
    """A run that can begin.

    Attributes
    ----------
    potential, schedule : Potential, Schedule
        What is asked for; the schedule may have been chosen.
    course : Course
        The recursion's numbers, which the two make of each step.
    integrator : str
        The row of the table that makes the recursion, if the schedule does not bring its own.
    own_recursion : bool
        Whether it does.
    n_steps, record_every : int
        Steps of the whole schedule, and between two records.
    home : ndarray (dim, 2)
        The box of the starting points and of the potential's bounds.
    walk : Walk
        Where the replicas stand, on the device of the backend.
    backend : Backend
        What moves them; it has looked at the energies where they stand.
    library : Library
        Whose arrays results are: that of the starting points.
    omega_dt : float
        omega*dt of the longest step in the region of the start; 0 if no curvature was seen.
    fingerprint : Fingerprint
        What makes this run what it is, for its checkpoint.
    earlier : Earlier or None
        Where it goes on from.
    pilot : Pilot or None
        What chose the schedule, None if it was given.
    launched : int
        Gradients that the velocities at the start took.
    observables : Observables or None
        What else is measured at each record.
    """

    potential: Potential
    schedule: Any
    course: Course
    integrator: str
    own_recursion: bool
    n_steps: int
    record_every: int
    home: np.ndarray
    walk: Walk
    backend: Backend
    library: Library
    omega_dt: float
    fingerprint: Fingerprint
    earlier: Earlier | None
    pilot: Pilot | None = None
    launched: int = 0
    observables: Observables | None = None

    @property
    def used_integrator(self) -> str | None:
        """The row that makes the recursion, None if the schedule brings its own."""
        return None if self.own_recursion else self.integrator

    def coefficients(self, start: int, stop: int) -> Steps:
        """The recursion's numbers for steps start <= n < stop."""
        steps = self.course.steps(start, stop)
        if not self.potential.laws:
            return steps
        assert self.potential.formula is not None
        progress = progress_of(self.n_steps, (start, stop + 1))
        return replace(steps, drive=self.potential.formula.drive(progress))

    def landscape(self, step: int) -> Potential:
        """The potential as it is at a step, where parameters are laws of progress."""
        return self.potential.at(step / self.n_steps) if self.potential.laws else self.potential


def backend_at(x0: Any, potential: Potential, backend: str) -> str:
    """The backend for points that may lie on a GPU, whose device is then the current one: "cupy" in
    place of "auto".
    """
    if not Library.of(x0).on_gpu or potential.cpu_only:
        return backend
    taken(x0).device.use()
    return "cupy" if backend == "auto" else backend


def prepare(
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
    observables: Mapping[str, Any] | None = None,
    masses: Any = None,
    frozen: Any = None,
    remove_drift: bool = False,
    team: Team | None = None,
    earlier: Callable[[Fingerprint, Walk], Earlier | None] = lambda fingerprint, walk: None,
    pilot: Pilot | None = None,
    max_seconds: float | None = None,
    tell: Callable[[int], Any] | None = None,
) -> Prepared:
    """Check what is asked of a run and make ready what moves it; parameters as in `anneal`.

    Parameters
    ----------
    team : Team, optional
        Workers over which the replicas are spread.
    earlier : callable
        Is told the fingerprint and the walk at its start, and says where to go on from, if
        anywhere.
    pilot : Pilot, optional
        What chose the schedule of the run that this one goes on from.
    max_seconds, tell
        For a pilot that is run.

    Raises
    ------
    ValueError, TypeError
        If the run is refused.
    """
    if not isinstance(potential, Potential):
        raise TypeError(
            "potential must be a Potential (see Potential.from_formula), not "
            f"{type(potential).__name__}"
        )
    get_integrator(integrator)
    check_whole(1, n_steps=n_steps)
    record_every = max(1, n_steps // 100) if record_every is None else record_every
    threads = threads if threads is not None else 1 if team is not None else processors()
    check_whole(1, record_every=record_every, threads=threads)
    n_steps, record_every, threads = int(n_steps), int(record_every), int(threads)
    dtype = real_dtype(dtype)
    wall = look_up(on_failure, ON_FAILURE, "on_failure")

    given = x0 if state is None else getattr(state, "x", None)
    library = Library.of(given)
    stays = library.on_gpu and not potential.cpu_only
    backend = backend_at(given, potential, backend)
    given = taken(given) if stays else given
    if state is None:
        seed = seed_of(rng)
        x0 = on_host(given) if library.on_gpu else x0
        # a pilot that draws its own starts looks at them itself
        first = potential.at(0)
        x = starting_points(first, x0, replicas, seed, dtype, schedule is not None)
        home = home_of(potential, x)
        measured = _measured(observables, potential, x)
        masses, centred = inertia_of(potential, x0, masses, frozen, remove_drift)
        if schedule is not None:
            pilot = None
        elif pilot is None:
            get_backend(backend, potential)  # or the pilot would run for nothing
            pilot = pilot_of(
                potential,
                x,
                masses,
                x0 is not None,
                n_steps=n_steps,
                rng=seed,
                integrator=integrator,
                max_seconds=max_seconds,
                tell=tell,
                on_failure=on_failure,
            )
        if pilot is not None:
            schedule, x = pilot.schedule, pilot.starts
        walk = Walk.at_rest(x, seed, dtype)
    else:
        if start != "rest" or v0 is not None:
            raise ValueError("a state brings its own velocities: leave out start and v0")
        walk = going_on(state, potential, dtype, (x0, rng, replicas), schedule, n_steps)
        masses, centred = inertia_of(potential, x0, masses, frozen, remove_drift, state)
        home, pilot = home_of(potential, walk.x), None
        check_alone(potential, walk.x)
        measured = _measured(observables, potential, walk.x)

    if isinstance(schedule, type) or not hasattr(schedule, "coefficients"):
        raise TypeError(
            f"schedule must be a Schedule, CoolMomentum or Momentum, not {shown(schedule)}"
        )
    own_recursion = getattr(schedule, "own_recursion", True)
    if not own_recursion:
        check_thermostat(schedule, integrator, n_steps)
    course = Course(schedule, integrator, n_steps)
    v0 = check_launch(start, v0, walk.x.shape)
    walk.purpose, walk.wall = purpose_of(noise), wall
    walk.masses, walk.centred = masses, centred
    here, moves = potential.at(walk.step / n_steps), bool(potential.laws)
    kernel = get_backend(backend, potential, len(walk.x))
    check_knows(kernel, backend, walk)
    if pilot is None or moves:
        ways = (schedule, course.steps, (walk.step, n_steps))
        omega_dt = max(check_time_step(U, y, *ways) for U, y in seen_by(walk, here))
        if moves:
            last = seen_by(walk, potential.at(1))
            omega_dt = max(omega_dt, *(check_last_landscape(U, y, *ways) for U, y in last))
    else:
        omega_dt = pilot.omega_dt  # it has looked at the curvature

    fingerprint = Fingerprint(
        {
            "potential": potential.name,
            "dim": potential.dim,
            "replicas": len(walk.x),
            "n_steps": n_steps,
            "integrator": None if own_recursion else integrator,
            "dtype": dtype.name,
            "noise": noise,
            "on_failure": on_failure,
            "seed": walk.seed,
            "observables": measured and (measured.facts or None),
        },
        {
            "the schedule": schedule_digest(schedule, n_steps, integrator, course.steps),
            "the starting points": digest(walk.x, walk.step),
        }
        | ({"the laws": laws_digest(potential.laws, n_steps)} if moves else {})
        | ({"the start": start} if start != "rest" else {})
        | ({"the first velocities": digest(v0)} if v0 is not None else {})
        | ({"the masses": digest(masses)} if masses is not None else {}),
    )
    if centred:
        fingerprint.facts["remove_drift"] = True
    before = earlier(fingerprint, walk)
    launched = 0
    if before is None and (start == "thermal" or v0 is not None):
        T = getattr(schedule, "temperature", 0.0)
        launched = launch(here, walk, course.steps(0, 1), v0, float(T(0.0) if callable(T) else T))
    if team is None:  # whose workers are sent what lies on the host
        walk = kernel.placed(walk)
    if before is not None:
        put(walk, before.state)
    elif state is not None and not moves:
        _weigh_best(kernel, potential, walk, threads)
    if moves and not kernel.turns_back:  # the work of a step that fails is not known
        walk.wall = False
    here = potential.at(walk.step / n_steps)
    with library.here():
        mover = _backend_at(kernel, here, walk, threads, before)
    if team is not None:
        mover = team.spread(mover, here, walk, threads)
    return Prepared(
        potential,
        schedule,
        course,
        integrator,
        own_recursion,
        n_steps,
        record_every,
        home,
        walk,
        mover,
        library,
        omega_dt,
        fingerprint,
        before,
        pilot,
        launched,
        measured,
    )


def _measured(asked: Any, potential: Potential, x: np.ndarray) -> Observables | None:
    return None if asked is None else Observables(asked, potential, x, Record._fields)


@np.errstate(all="ignore")  # where another potential is not finite
def _weigh_best(kernel: Any, potential: Potential, walk: Walk, threads: int) -> None:
    """Look whether the lowest points of a state have their energies in this potential too.

    If so they stay to the bit. If one has not, the state is another potential's, and the energies
    of all are taken here; a point that has none counts no more.
    """
    x, best_x, there = (on_host(a).copy() for a in (walk.x, walk.best_x, walk.best_energy))
    if np.isinf(there).all():
        return
    fill(walk.x, best_x)
    try:
        kernel(potential, walk, threads)
        here = on_host(walk.energy).copy()
    except NonFinite:
        here = potential.energy(best_x)
    here = np.where(np.isfinite(here), here, np.inf)
    sizes = np.abs(np.append(here, there))
    size = np.max(sizes, where=np.isfinite(sizes), initial=0)
    if (np.abs(here - there) <= SAME * size).all():
        here = there
    for array, values in ((walk.x, x), (walk.best_x, best_x), (walk.best_energy, here)):
        fill(array, values)


def _backend_at(
    kernel: Any, potential: Potential, walk: Walk, threads: int, before: Earlier | None
) -> Backend:
    """The backend at the walk's points, whose energies must be finite, and those of before."""
    try:
        backend: Backend = kernel(potential, walk, threads)
    except NonFinite as error:
        if before is None:
            x, r = on_host(walk.x), error.replica
            raise ValueError(not_finite(potential, x, r, float(walk.energy[r]))) from None
        walk.energy[error.replica] = np.nan
        check_energies(potential, on_host(walk.energy), before.energies)
        raise
    if before is not None:
        check_energies(potential, on_host(walk.energy), before.energies)
    else:
        check_first_energies(backend, potential, walk)
    return backend
