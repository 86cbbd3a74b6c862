"""A ladder's run: what it does when, its records, and its way into a checkpoint and back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..annealing.request import Earlier
from ..annealing.results import State
from ..arguments import on_host
from ..momentum import Steps
from ..storage.checkpoint import Contents, Fingerprint, check_arrays
from .ladder import COUNTS, Ladder
from .results import Exchange

CUT_SECONDS = 0.1  # between cuts, and between looks at the time
STATE = ("x", "dx", "noise", "best_x", "best_energy", "failures")


@dataclass(frozen=True)
class Plan:
    """What a ladder does, and when: numbers of steps."""

    n_steps: int
    swap_every: int
    record_every: int
    burn_in: int

    def records(self, step: int) -> int:
        """Records taken up to a step."""
        return max(0, step - self.burn_in) // self.record_every


class Found:
    """What a checkpoint holds."""

    def __init__(self, arrays: dict[str, np.ndarray], about: dict[str, Any]) -> None:
        self.arrays, self.step, self.rounds = arrays, int(about["step"]), int(about["rounds"])
        self.gamma, self.dt = float(about["gamma"]), float(about["dt"])
        self.temperatures = arrays["temperatures"]
        if self.temperatures.ndim != 1 or self.temperatures.dtype.kind != "f":
            raise LookupError("temperatures")

    def at(self, k: int, seed: int, fingerprint: Fingerprint, walk: Any) -> Earlier:
        """Where the walk at temperature k stands."""
        rungs = len(self.temperatures)
        for name in STATE:
            model = getattr(walk, name)
            check_arrays(self.arrays, {name: (model.dtype.kind, (rungs, *model.shape))})
        check_arrays(self.arrays, {"energy": ("f", (rungs, len(walk.x)))})
        state = State(**{name: self.arrays[name][k] for name in STATE}, step=self.step, seed=seed)
        return Earlier(state, self.arrays["energy"][k], {})


class Run:
    """A ladder and its records."""

    def __init__(self, ladder: Ladder, plan: Plan, samples: bool, gamma: float, dt: float) -> None:
        self.ladder, self.plan, self.gamma, self.dt = ladder, plan, gamma, dt
        records, walks = plan.records(plan.n_steps), ladder.walks
        shape = (records, len(walks), *walks[0].x.shape)
        self.energies = np.empty(shape[:3])
        self.samples = np.empty(shape, dtype=walks[0].x.dtype) if samples else None

    def restore(self, found: Found) -> None:
        """Go on where a checkpoint stands."""
        ladder, taken = self.ladder, self.plan.records(found.step)
        model = {name: ("i", getattr(ladder, name).shape) for name in COUNTS}
        model["energies"] = ("f", (taken, *self.energies.shape[1:]))
        if self.samples is not None:
            model["samples"] = ("f", (taken, *self.samples.shape[1:]))
            check_arrays(found.arrays, model)
            self.samples[:taken] = found.arrays["samples"]
        check_arrays(found.arrays, model)
        self.energies[:taken] = found.arrays["energies"]
        for name in COUNTS:
            getattr(ladder, name)[...] = found.arrays[name]
        ladder.rounds = found.rounds
        ladder.cut.commit()

    def rounds(self) -> Iterator[None]:
        """Move on to the end; comes back at cuts."""
        ladder, plan = self.ladder, self.plan
        steps = self._steps()
        while ladder.step < plan.n_steps:
            ladder.cut.hold()
            began = time.perf_counter()
            self._round(steps)
            while ladder.step < plan.n_steps and time.perf_counter() < began + CUT_SECONDS:
                self._round(steps)
            ladder.cut.commit()
            yield

    def _round(self, steps: list[Steps]) -> None:
        ladder, plan = self.ladder, self.plan
        ladder.advance(steps)
        taken = plan.records(ladder.step)
        if taken > plan.records(ladder.step - plan.swap_every):
            self.energies[taken - 1] = ladder.energies
            if self.samples is not None:
                for k, walk in enumerate(ladder.walks):
                    self.samples[taken - 1, k] = on_host(walk.x)
        ladder.swap()

    def _steps(self) -> list[Steps]:
        return [rung.coefficients(0, self.plan.swap_every) for rung in self.ladder.rungs]

    def result(self, status: int, message: str) -> Exchange:
        """What there is up to the last cut."""
        ladder = self.ladder
        ladder.cut.rewind()
        taken = self.plan.records(ladder.step)
        tries = np.array([(ladder.rounds + 1 - k % 2) // 2 for k in range(len(ladder.accepted))])
        lowest = on_host(np.stack([walk.best_energy for walk in ladder.walks]))
        k, best = np.unravel_index(int(np.argmin(lowest)), lowest.shape)
        return Exchange(
            ladder.temperatures,
            self.energies[:taken].copy(),
            None if self.samples is None else self.samples[:taken].copy(),
            ladder.accepted.mean(1) / np.maximum(tries, 1),
            ladder.trips.copy(),
            on_host(ladder.walks[k].best_x[int(best)]).astype(float),
            float(lowest[k, best]),
            self.gamma,
            self.dt,
            ladder.step,
            (ladder.step + 1) * ladder.where.size,
            ladder.seed,
            status,
            message,
        )

    def contents(self) -> Contents:
        """What a checkpoint holds."""
        ladder = self.ladder
        ladder.cut.rewind()
        taken, walks = self.plan.records(ladder.step), ladder.walks
        names = (*STATE, "energy")
        arrays = {name: on_host(np.stack([getattr(w, name) for w in walks])) for name in names}
        arrays |= {name: getattr(ladder, name) for name in COUNTS}
        arrays |= {"temperatures": ladder.temperatures, "energies": self.energies[:taken]}
        if self.samples is not None:
            arrays["samples"] = self.samples[:taken]
        facts = {"step": ladder.step, "rounds": ladder.rounds, "gamma": self.gamma, "dt": self.dt}
        return arrays, facts
