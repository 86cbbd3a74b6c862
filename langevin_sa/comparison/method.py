"""One method of a comparison, run from epoch to epoch.

All of it is in arrays, which a checkpoint holds and from which it goes on.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import numpy as np

from ..annealing.cut import Cut
from ..annealing.request import Earlier, prepare
from ..annealing.results import State, put
from ..annealing.run import Run, next_length
from ..annealing.stability import falls_for_ever
from ..annealing.starts import check_energies, home_of
from ..backends.numpy import NumpyBackend
from ..backends.walk import ARRAYS, NonFinite, Walk
from ..backends.workers import Team
from ..descents.batched import descend
from ..laws import progress_of, values
from ..noise import stream
from ..optimizers import StepRule
from ..potential import Potential
from ..storage.checkpoint import check_arrays, digest, schedule_digest
from ..storage.npz import prefixed, unprefixed
from .outcomes import Outcome

ROWS = ("step", "energy", "best", "judged", "temperature", "rescaled")  # of an epoch
STATE = ("x", "dx", "noise", "best_x", "best_energy", "failures")  # of a walk
NOISE_NUMBERS = 65_536  # normals made at a time
Arrays = dict[str, np.ndarray]


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
    method : Schedule, CoolMomentum, Momentum, SGD or StepRule
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
        ``step``, ``temperature`` and ``rescaled`` (epochs,); ``energy``, ``best`` and ``judged``
        (epochs, replicas); the walk's ``x``, ``dx``, ``noise``, ``best_x`` (replicas, dim),
        ``best_energy``, ``final`` (replicas,), ``failures`` (replicas, 2); ``polished``
        (replicas,), ``polished_x``; ``at``, ``seconds``, ``message`` (); the sums of an epoch under
        way, whose names begin with ``sums_``.
    """
    began, message = time.perf_counter() - float(earlier.get("seconds", 0)), ""
    rows = {name: list(earlier.get(name, ())) for name in ROWS}
    every, before = -(-n_steps // epochs), _stand(earlier, seed)
    contestant: ScheduledRun | RuleWalk
    if isinstance(method, StepRule):
        potential.check_alone(start)
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

    def look(measured: tuple[float, float]) -> None:
        """Add an epoch to the rows."""
        at = contestant.walk.on_host()
        energy, lowest = at.energy.copy(), at.best_energy.copy()
        seen = {"final": energy, "best": lowest}
        judge = descend(potential, at.x)[1] if judged == "polished" else seen[judged]
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
            polished_x, polished = descend(potential, last.x)
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
    model |= dict.fromkeys(("temperature", "rescaled"), ("f", epochs))
    model |= dict.fromkeys(("energy", "best", "judged"), ("f", epochs + replicas))
    model |= dict.fromkeys(("x", "dx", "noise", "best_x"), ("f", shape))
    model |= dict.fromkeys(("best_energy", "final"), ("f", replicas))
    if "polished" in arrays:
        model |= {"polished": ("f", replicas), "polished_x": ("f", shape)}
    check_arrays(arrays, model)


def digest_of(method: Any, n_steps: int, integrator: str) -> str:
    """A method's numbers at some of its steps; of a StepRule also its type and the numbers that it
    has besides.
    """
    if not isinstance(method, StepRule):
        return schedule_digest(method, n_steps, integrator)
    rest = {f.name: getattr(method, f.name) for f in fields(method) if f.name != "lr"}
    return f"{type(method).__name__} {rest} {digest(values(method.lr, progress_of(n_steps), 'lr'))}"


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

    def slices(self) -> Iterator[tuple[float, float] | None]:
        """Move on to the end: T by Eq. (22) and T dt^2 at each epoch, None after slices between."""
        asked = self.run.prepared
        for record in self.run.slices():
            if record is None:
                yield None
                continue
            first = (record.step - 1) // asked.record_every * asked.record_every
            dt2 = float(np.mean(asked.coefficients(first, record.step).dt ** 2))
            yield record.eq22, record.eq22 * dt2

    def settle(self) -> None:
        """Bring the energies up to date."""
        self.run.prepared.backend.settle()

    def sums(self) -> Arrays:
        """What, besides the walk, it takes to go on from here."""
        return self.run.recorder.sums()


class RuleWalk(NumpyBackend):
    """A walk whose steps a rule takes; energies and the lowest point are kept as by any backend."""

    def __init__(
        self, potential: Any, walk: Walk, rule: StepRule, n_steps: int, every: int
    ) -> None:
        super().__init__(potential, walk)
        self.rule, self.n_steps, self.every, self.since = rule, n_steps, every, walk.step
        self.lr = values(rule.lr, progress_of(n_steps), "lr")
        self.memory = np.zeros((rule.memory, *walk.x.shape))
        self.moved = np.zeros(len(walk.x))  # sums of dx^2 since the last epoch
        own = (self, ("memory", "moved"), ("since",))
        self.cut = Cut((walk, ARRAYS, ("step", "ratio")), own)

    def slices(self) -> Iterator[tuple[float, float] | None]:
        """Move on to the end: NaN, as no dt is known, and the mean of dx^2 at each epoch; None
        after slices between.
        """
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
            mean = float(self.moved.sum()) / (w.x.size * (w.step - self.since))
            self.moved[:], self.since = 0, w.step
            yield np.nan, mean

    def _take(self, count: int) -> None:
        """So many steps, whose noise is made together."""
        w, (replicas, dim) = self.walk, self.walk.x.shape
        z = stream(w.seed, self.replicas, w.step * dim, count * dim, w.purpose)
        z = z.reshape(replicas, count, dim)
        for k in range(count):
            gradient = self.gradient - self.rule.noise * z[:, k]
            w.dx[...] = self.rule.update(w.step + 1, self.lr[w.step], gradient, *self.memory)
            w.x += w.dx
            self.moved += (w.dx**2).sum(1)
            w.step += 1
            self.gradient = self._look()

    def sums(self) -> Arrays:
        """What, besides the walk, it takes to go on from here."""
        return {"moved": self.moved, "since": np.array(self.since), "memory": self.memory}

    def restore(self, earlier: Earlier) -> None:
        """Go on where a walk of the same rule stood; a ValueError if the potential is another."""
        sums = earlier.sums
        check_arrays(sums, {n: (a.dtype.kind, a.shape) for n, a in self.sums().items()})
        put(self.walk, earlier.state)
        self.gradient = self._look()
        self.settle()
        check_energies(self.potential, self.walk.energy, earlier.energies)
        self.moved[...], self.since = sums["moved"], int(sums["since"])
        self.memory[...] = sums["memory"]
        self.cut.commit()
