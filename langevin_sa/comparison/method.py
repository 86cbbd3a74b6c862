"""One method of a comparison, run from epoch to epoch; all of it is in arrays, which a checkpoint
holds and from which it goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import numpy as np

from ..annealing.results import State, put
from ..annealing.run import Run
from ..annealing.starts import check_energies
from ..backends.numpy import NumpyBackend
from ..backends.walk import NonFinite, Walk
from ..backends.workers import Team
from ..descents.batched import descend
from ..laws import progress_of, values
from ..noise import stream
from ..optimizers import StepRule
from ..potential import Potential
from ..storage.checkpoint import digest, schedule_digest
from .outcomes import Outcome

ROWS = ("step", "energy", "best", "judged", "temperature", "rescaled")  # of an epoch
STATE = ("x", "dx", "noise", "best_x", "best_energy")  # of a walk
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
    keep: Callable[[Callable[[], Arrays]], None],
) -> Arrays:
    """One method from the start, or from `earlier`, which `keep` was offered on the way; the arrays
    of its outcome.
    """
    began, every, message = (
        time.perf_counter() - float(earlier.get("seconds", 0)),
        -(-n_steps // epochs),
        "",
    )
    rows = {key: list(earlier.get(key, ())) for key in ROWS}
    run: Run | RuleWalk
    if isinstance(method, StepRule):
        potential.check_alone(start)
        run = RuleWalk(potential, Walk.at_rest(start, seed), method, n_steps, every)
    else:
        run = Run(
            potential,
            start,
            method,
            n_steps,
            None,
            integrator,
            every,
            backend,
            seed,
            None,
            "float64",
            "normal",
            None,
            team,
        )
    if earlier:
        check_arrays(
            earlier,
            {f"sums_{name}": (array.dtype.kind, array.shape) for name, array in run.sums().items()},
        )
        state = State(**{name: earlier[name] for name in STATE}, step=int(earlier["at"]), seed=seed)
        run.restore(state, earlier["final"], {name: earlier[f"sums_{name}"] for name in run.sums()})

    def arrays() -> Arrays:
        run.settle()
        at = run.walk.on_host()
        found = {
            key: np.array(value, dtype=float if key != "step" else int)
            for key, value in rows.items()
        }
        # also where no epoch was finished
        found |= {key: found[key].reshape(-1, len(start)) for key in ("energy", "best", "judged")}
        found |= {name: getattr(at, name) for name in STATE} | {
            f"sums_{name}": array for name, array in run.sums().items()
        }
        return found | {
            "final": at.energy,
            "at": np.array(at.step),
            "seconds": np.array(time.perf_counter() - began),
            "message": np.array(message),
        }

    try:
        for record in run.records(keep=lambda: keep(arrays)):
            at = run.walk.on_host()
            if isinstance(run, Run):
                steps = run.coefficients(rows["step"][-1] if rows["step"] else 0, at.step)
                temperature, rescaled = record["eq22"], record["eq22"] * float(np.mean(steps.dt**2))
            else:
                temperature, rescaled = np.nan, record["dx2"]
            seen = {"final": at.energy, "best": at.best_energy}
            judge = descend(potential, at.x)[1] if judged == "polished" else seen[judged].copy()
            line = (at.step, at.energy.copy(), at.best_energy.copy(), judge, temperature, rescaled)
            for key, value in zip(rows, line, strict=True):
                rows[key].append(value)
    except NonFinite as error:
        message = f"diverged at step {error.step}"
    x = run.walk.on_host().x
    polished_x, polished = (
        descend(potential, x) if not message else (x.copy(), np.full(len(x), np.nan))
    )
    return arrays() | {"polished": polished, "polished_x": polished_x}


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
    model |= dict.fromkeys(("x", "dx", "noise", "best_x"), ("f", shape)) | dict.fromkeys(
        ("best_energy", "final"), ("f", replicas)
    )
    check_arrays(
        arrays,
        model
        | (
            {"polished": ("f", replicas), "polished_x": ("f", shape)}
            if "polished" in arrays
            else {}
        ),
    )


def check_arrays(arrays: Arrays, model: dict[str, tuple[str, tuple[int, ...]]]) -> None:
    """Raise a ValueError unless each array of the model is there, of its kind of numbers and its
    shape.
    """
    for name, (kind, shape) in model.items():
        if name not in arrays or arrays[name].shape != shape or arrays[name].dtype.kind != kind:
            raise ValueError(
                f"the checkpoint does not hold the arrays of a comparison: {name} is missing, or "
                "of another type or shape"
            )


def digest_of(method: Any, n_steps: int, integrator: str) -> str:
    """A method's numbers at some of its steps; of a StepRule also its type and the numbers that it
    has besides.
    """
    if not isinstance(method, StepRule):
        return schedule_digest(method, n_steps, integrator)
    rest = {f.name: getattr(method, f.name) for f in fields(method) if f.name != "lr"}
    return f"{type(method).__name__} {rest} {digest(values(method.lr, progress_of(n_steps), 'lr'))}"


AHEAD = 65_536  # normals made at a time


class RuleWalk(NumpyBackend):
    """A walk whose steps a rule takes; energies and the lowest point are kept as by any backend,
    records as by a `Run`.
    """

    def __init__(
        self, potential: Any, walk: Walk, rule: StepRule, n_steps: int, record_every: int
    ) -> None:
        super().__init__(potential, walk)
        self.rule, self.n_steps, self.record_every, self.since = (
            rule,
            n_steps,
            record_every,
            walk.step,
        )
        self.lr = values(rule.lr, progress_of(n_steps), "lr")
        self.memory = [np.zeros_like(walk.x) for _ in range(rule.memory)]
        self.moved = np.zeros(len(walk.x))  # sums of dx^2 since the last record

    def records(self, keep: Callable[[], None] = lambda: None) -> Iterator[dict[str, float]]:
        """Run to each moment of interest and yield the mean of dx^2 since the last (dt is unknown
        here); `keep` as in `Run.records`.
        """
        w = self.walk
        while w.step < self.n_steps:
            end = min((w.step // self.record_every + 1) * self.record_every, self.n_steps)
            while w.step < end:
                self._take(min(end - w.step, max(1, AHEAD // w.x.size)))
                if w.step < end:
                    keep()
            self.refresh()
            mean = float(self.moved.sum()) / (w.x.size * (w.step - self.since))
            self.moved[:], self.since = 0, w.step
            yield {"dx2": mean}
            keep()

    def _take(self, count: int) -> None:
        """So many steps, whose noise is made together."""
        w, (replicas, dim) = self.walk, self.walk.x.shape
        z = stream(w.seed, self.replicas, w.step * dim, count * dim, w.purpose).reshape(
            replicas, count, dim
        )
        for k in range(count):
            w.dx[...] = self.rule.update(
                w.step + 1, self.lr[w.step], self.gradient - self.rule.noise * z[:, k], *self.memory
            )
            w.x += w.dx
            self.moved += (w.dx**2).sum(1)
            w.step += 1
            self.gradient = self._look()

    def sums(self) -> dict[str, np.ndarray]:
        """What, besides the walk, it takes to go on from here."""
        return {"moved": self.moved, "since": np.array(self.since), "memory": np.array(self.memory)}

    def restore(self, state: State, energies: np.ndarray, sums: dict[str, np.ndarray]) -> None:
        """Go back to where a walk of the same rule stood; a ValueError if the potential has other
        energies there.
        """
        put(self.walk, state)
        self.gradient = self._look()
        self.settle()
        check_energies(self.potential, self.walk.energy, energies)
        self.moved[...], self.since, self.memory = (
            sums["moved"],
            int(sums["since"]),
            list(sums["memory"]),
        )
