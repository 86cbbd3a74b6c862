"""One method of a comparison, run from epoch to epoch.

All of it is in arrays, which a checkpoint holds and from which it goes on.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from ..annealing.cut import Cut
from ..annealing.request import Earlier, prepare
from ..annealing.results import State, put
from ..annealing.run import Run, next_length
from ..annealing.stability import falls_for_ever
from ..annealing.starts import check_alone, check_energies, home_of
from ..arguments import on_host
from ..backends.numpy import NumpyBackend
from ..backends.walk import ARRAYS, NonFinite, Walk
from ..backends.workers import Team
from ..noise import KIND, RULE, stream
from ..optimizers import Moment, Point, Rule
from ..potential import Potential
from ..storage.checkpoint import check_arrays, digest, schedule_digest
from ..storage.npz import prefixed, unprefixed
from .outcomes import Outcome

# of an epoch
ROWS = ("step", "energy", "best", "judged", "temperature", "rescaled", "acceptance")
STATE = ("x", "dx", "noise", "best_x", "best_energy", "failures")  # of a walk
SUMS = ("moved", "accepted", "memory", "scalars")  # of a rule's
NOISE_NUMBERS = 65_536  # normals made at a time
Arrays = dict[str, np.ndarray]
# of an epoch: T by Eq. (22), T dt^2 = <dx^2>, share of accepted steps; NaN where there is none
Measured = tuple[float, float, float]


def run_method(
    potential: Potential,
    method: Any,
    start: np.ndarray,
    n_steps: int,
    epochs: int,
    seed: int,
    judged: str,
    integrator: str,
    backend: str,
    team: Team | None,
    earlier: Arrays,
    keep: Callable[..., None],
) -> Arrays:
    """Run one method to its end.

    Parameters
    ----------
    potential : Potential
        What is minimized.
    method : Schedule, CoolMomentum, Momentum, SGD or Rule
        The method.
    start : ndarray (replicas, dim)
        Where all replicas start.
    n_steps, epochs : int
        Length of the run, and how often it is looked at.
    seed : int
        Of the noise.
    judged : {"polished", "final", "best"}
        Which energy success is judged by at each epoch.
    integrator, backend : str
        As for `anneal`.
    team : Team or None
        Workers for a schedule's run.
    earlier : dict of ndarray
        What an earlier run handed to `keep`, to go on from; empty for none.
    keep : callable
        Is called between slices with a function that returns the arrays so far, and, with
        ``now=True``, when an interrupt or an exception breaks the method off.

    Returns
    -------
    dict of ndarray
        ``step``, ``temperature``, ``rescaled`` and ``acceptance`` (epochs,); ``energy``, ``best``
        and ``judged`` (epochs, replicas); the walk's ``x``, ``dx``, ``noise``, ``best_x``
        (replicas, dim), ``best_energy``, ``final`` (replicas,), ``failures`` (replicas, 2);
        ``polished`` (replicas,), ``polished_x``; ``at``, ``seconds``, ``message`` (); the sums of
        an epoch under way, whose names begin with ``sums_``.
    """
    began, message = time.perf_counter() - float(earlier.get("seconds", 0)), ""
    rows = {name: list(earlier.get(name, ())) for name in ROWS}
    every, before = -(-n_steps // epochs), _stand(earlier, seed)
    contestant: ScheduledRun | RuleWalk
    if isinstance(method, Rule):
        check_alone(potential, start)
        contestant = RuleWalk(potential, Walk.at_rest(start, seed), method, n_steps, every)
        if before is not None:
            contestant.restore(before)
    else:
        contestant = ScheduledRun(
            potential, start, method, n_steps, every, seed, integrator, backend, team, before
        )

    def arrays() -> Arrays:
        contestant.cut.rewind()
        contestant.settle()
        at = contestant.walk.on_host()
        # of the epochs up to there
        epochs_done = bisect_right(rows["step"], contestant.since)
        found = {
            name: np.array(row[:epochs_done], int if name == "step" else float)
            for name, row in rows.items()
        }
        for name in ("energy", "best", "judged"):  # also where no epoch was finished
            found[name] = found[name].reshape(-1, len(start))
        found |= {name: getattr(at, name) for name in STATE} | {"final": at.energy}
        found |= prefixed("sums_", contestant.sums())
        about = {"at": at.step, "seconds": time.perf_counter() - began, "message": message}
        return found | {name: np.array(value) for name, value in about.items()}

    def look(measured: Measured) -> None:
        """Add an epoch to the rows."""
        at = contestant.walk.on_host()
        energy, lowest = at.energy.copy(), at.best_energy.copy()
        seen = {"final": energy, "best": lowest}
        judge = seen[judged] if judged in seen else on_host(potential.descend(contestant.walk.x)[1])
        epoch = (at.step, energy, lowest, judge, *measured)
        for row, value in zip(rows.values(), epoch, strict=True):
            row.append(value)
        contestant.cut.commit()

    try:
        try:
            for measured in contestant.slices():
                if measured is not None:
                    look(measured)
                keep(arrays)
        except NonFinite as error:
            message = f"diverged at step {error.step}"
        last = contestant.walk.on_host()
        message = message or _endless(potential, start, last)
        polished_x, polished = last.x.copy(), np.full(len(start), np.nan)
        if not message:
            polished_x, polished = map(on_host, potential.descend(contestant.walk.x))
        return arrays() | {"polished": polished, "polished_x": polished_x}
    except BaseException:
        keep(arrays, now=True)
        raise


def _endless(potential: Potential, start: np.ndarray, walk: Walk) -> str:
    """A message if the lowest point seen lies where the energy falls for ever, else none."""
    if potential.minimum_energy is not None:  # no energy below it is taken for success
        return ""
    r = int(np.argmin(walk.best_energy))
    best = walk.best_x[r].astype(float), float(walk.best_energy[r])
    if not falls_for_ever(potential, home_of(potential, start), *best):
        return ""
    return "falls for ever, far outside of the start: put a wall into the potential"


def _stand(arrays: Arrays, seed: int) -> Earlier | None:
    """Where a method's arrays say that it stood."""
    if not arrays:
        return None
    state = State(**{name: arrays[name] for name in STATE}, step=int(arrays["at"]), seed=seed)
    return Earlier(state, arrays["final"], unprefixed("sums_", arrays))


def outcome_of(name: str, method: Any, n_steps: int, arrays: Arrays) -> Outcome:
    """The outcome that the arrays of a finished method make."""
    energies = {
        "final": arrays["final"],
        "best": arrays["best_energy"],
        "polished": arrays["polished"],
    }
    rows: dict[str, Any] = {key: arrays[key] for key in (*ROWS, "polished_x")}
    return Outcome(
        name,
        method,
        n_steps,
        float(arrays["seconds"]),
        str(arrays["message"]),
        arrays["x"],
        energies,
        **rows,
    )


def check_method(arrays: Arrays, shape: tuple[int, ...]) -> None:
    """Raise a ValueError unless arrays from a file are what `run_method` keeps of replicas and
    coordinates of this shape.
    """
    epochs, replicas = arrays["step"].shape[:1] if "step" in arrays else (0,), shape[:1]
    model = {"step": ("i", epochs), "at": ("i", ()), "seconds": ("f", ()), "message": ("U", ())}
    model |= dict.fromkeys(("temperature", "rescaled", "acceptance"), ("f", epochs))
    model |= dict.fromkeys(("energy", "best", "judged"), ("f", epochs + replicas))
    model |= dict.fromkeys(("x", "dx", "noise", "best_x"), ("f", shape))
    model |= dict.fromkeys(("best_energy", "final"), ("f", replicas))
    if "polished" in arrays:
        model |= {"polished": ("f", replicas), "polished_x": ("f", shape)}
    check_arrays(arrays, model)


def digest_of(method: Any, n_steps: int, integrator: str) -> str:
    """A method's numbers at some of its steps; of a rule also its type and the numbers that it has
    besides.
    """
    if not isinstance(method, Rule):
        return schedule_digest(method, n_steps, integrator)
    own: tuple[Any, ...] = fields(method) if is_dataclass(method) else ()
    rest = {f.name: getattr(method, f.name) for f in own if f.name not in method.laws}
    return f"{type(method).__name__} {rest} {digest(*method.numbers(n_steps).values())}"


class ScheduledRun:
    """The run of a schedule, looked at once an epoch."""

    def __init__(
        self,
        potential: Potential,
        start: np.ndarray,
        schedule: Any,
        n_steps: int,
        every: int,
        seed: int,
        integrator: str,
        backend: str,
        team: Team | None,
        earlier: Earlier | None,
    ) -> None:
        self.run = Run(
            prepare(
                potential,
                start,
                schedule,
                n_steps,
                integrator=integrator,
                record_every=every,
                backend=backend,
                rng=seed,
                team=team,
                earlier=lambda *_: earlier,
            )
        )
        self.walk, self.cut = self.run.walk, self.run.cut

    @property
    def since(self) -> int:
        """Step of the last epoch."""
        return self.run.recorder.since

    def slices(self) -> Iterator[Measured | None]:
        """Move on to the end: what was measured at each epoch, None after slices between."""
        asked = self.run.prepared
        for record in self.run.slices():
            if record is None:
                yield None
                continue
            first = (record.step - 1) // asked.record_every * asked.record_every
            dt2 = float(np.mean(asked.coefficients(first, record.step).dt ** 2))
            yield record.eq22, record.eq22 * dt2, np.nan

    def settle(self) -> None:
        """Bring the energies up to date."""
        self.run.prepared.backend.settle()

    def sums(self) -> Arrays:
        """What, besides the walk, it takes to go on from here."""
        return self.run.recorder.sums()


class RuleWalk(NumpyBackend):
    """A walk whose steps a rule takes; energies and the lowest point are kept as by any backend."""

    def __init__(self, potential: Any, walk: Walk, rule: Rule, n_steps: int, every: int) -> None:
        self.rule = rule
        super().__init__(potential, walk)
        self.n_steps, self.every, self.since = n_steps, every, walk.step
        self.numbers = rule.numbers(n_steps)
        self.memory = np.zeros((rule.memory, *walk.x.shape))
        self.scalars = np.zeros((len(walk.x), rule.scalars))
        self.remembered = [*self.memory, self.scalars][: rule.memory + (rule.scalars > 0)]
        self.moved = np.zeros(len(walk.x))  # sums of dx^2 since the last epoch
        self.accepted = np.zeros(len(walk.x))  # steps since then that were not refused
        own = (self, SUMS, ("since",))
        self.cut = Cut((walk, ARRAYS, ("step", "ratio")), own)

    def slices(self) -> Iterator[Measured | None]:
        """Move on to the end: what was measured at each epoch, None after slices between."""
        w, length = self.walk, 1
        while w.step < self.n_steps:
            end = min((w.step // self.every + 1) * self.every, self.n_steps)
            start, began = w.step, time.perf_counter()
            self.cut.hold()
            try:
                self._take(min(end - w.step, length))
            except NonFinite:  # it ends where it failed
                self.cut.commit()
                raise
            rate = (w.step - start) / max(time.perf_counter() - began, 1e-9)
            length = next_length(length, rate, max(1, NOISE_NUMBERS // w.x.size))
            if w.step < end:
                self.cut.commit()
                yield None
                continue
            self.refresh()
            steps = w.step - self.since
            mean = float(self.moved.sum()) / (w.x.size * steps)
            accepted = float(self.accepted.mean()) / steps if self.rule.refuses else np.nan
            self.moved[:], self.accepted[:], self.since = 0, 0, w.step
            yield np.nan, mean, accepted

    def _take(self, count: int) -> None:
        """So many steps, whose noise is made together."""
        w, rule, none = self.walk, self.rule, np.empty((count, 0))
        z, more, u = self._stream(count, w.purpose), none, none
        if rule.draws_more:
            more = self._stream(count, RULE)
        if rule.refuses:
            u = stream(w.seed, self.replicas, w.step, count, RULE + KIND).T / np.sqrt(12) + 0.5
        for k in range(count):
            numbers = {name: float(value[w.step]) for name, value in self.numbers.items()}
            now = Moment(w.step + 1, w.step / self.n_steps, numbers, z[k], more[k], u[k])
            here = Point(w.x, w.energy, self.gradient)
            w.dx[...] = rule.propose(now, here, *self.remembered)
            if rule.refuses:
                self._judge(now, here)
            else:
                w.x += w.dx
                w.step += 1
                self.gradient = self._look()
            self.moved += (w.dx**2).sum(1)

    def _stream(self, count: int, purpose: int) -> np.ndarray:
        """Normals of so many steps, (count, replicas, dim)."""
        w, (replicas, dim) = self.walk, self.walk.x.shape
        z = stream(w.seed, self.replicas, w.step * dim, count * dim, purpose)
        return z.reshape(replicas, count, dim).swapaxes(0, 1)

    @np.errstate(all="ignore")  # what is not finite is refused
    def _judge(self, now: Moment, here: Point) -> None:
        """Go where the rule accepts to."""
        w, x = self.walk, self.walk.x + self.walk.dx
        energy, gradient = self._evaluate(x)
        fails = ~(np.isfinite(energy) & np.isfinite(gradient).all(1))
        energy, gradient = np.where(fails, np.inf, energy), np.where(fails[:, None], 0.0, gradient)
        goes = np.asarray(self.rule.accept(now, here, Point(x, energy, gradient), *self.remembered))
        goes = goes & ~fails
        w.x[goes], w.dx[~goes] = x[goes], 0.0
        self.gradient = np.where(goes[:, None], gradient, self.gradient)
        self.accepted += goes
        w.step += 1
        self._weigh(np.where(goes, energy, w.energy))

    def _evaluate(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.rule.needs_gradient:
            return super()._evaluate(x)
        return self.potential.energy(x), np.zeros(x.shape)

    def sums(self) -> Arrays:
        """What, besides the walk, it takes to go on from here."""
        return {name: getattr(self, name) for name in SUMS} | {"since": np.array(self.since)}

    def restore(self, earlier: Earlier) -> None:
        """Go on where a walk of the same rule stood; a ValueError if the potential is another."""
        sums = earlier.sums
        check_arrays(sums, {n: (a.dtype.kind, a.shape) for n, a in self.sums().items()})
        put(self.walk, earlier.state)
        self.gradient = self._look()
        self.settle()
        check_energies(self.potential, self.walk.energy, earlier.energies)
        for name in SUMS:
            getattr(self, name)[...] = sums[name]
        self.since = int(sums["since"])
        self.cut.commit()
