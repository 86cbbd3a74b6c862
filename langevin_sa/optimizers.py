"""Optimizers of machine learning on the array path, with the noise that the Langevin recursion gets.

A `StepRule` turns a noisy gradient into an update of x. Its gradient is ``g - noise*z``, with z the normals of the run's
own stream (`langevin_sa.noise`), so that ``-lr*(g - noise*z)`` is the recursion's ``lr*f + s*xi`` with s = lr*noise:
CoolMomentum, Momentum and Adam can be compared under the very same kicks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .annealing.results import State, put
from .annealing.starts import check_energies
from .arguments import check_fraction, finite, shown
from .backends.numpy import NumpyBackend
from .backends.walk import Walk
from .laws import progress_of, values
from .momentum import Momentum, Steps
from .noise import stream

AHEAD = 65_536  # normals made at a time


@dataclass(frozen=True)
class StepRule:
    """A rule ``update(n, lr, gradient, *memory) -> dx`` for arrays (replicas, dim); write one by overriding `update`.

    Parameters
    ----------
    lr : float or law
        Learning rate, a number or a law of progress (`langevin_sa.schedules`); a stepwise one is the usual decay.
    noise : float
        Standard deviation of the noise on each component of the gradient (energy/length).
    """

    lr: Any
    noise: float = 0.0
    memory: ClassVar[int] = 0  # arrays of the shape of x that the rule keeps, zero at the start

    def __post_init__(self) -> None:
        _check(self.lr, self.noise)

    def update(self, n: int, lr: float, gradient: np.ndarray, *memory: np.ndarray) -> np.ndarray:
        """The change of x in step n = 1, 2, ...; `memory` is updated in place."""
        raise NotImplementedError


@dataclass(frozen=True)
class Adam(StepRule):
    """Kingma, Ba, arXiv 1412.6980 (2014), Algorithm 1; defaults are the paper's."""

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    memory: ClassVar[int] = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fraction(beta1=self.beta1, beta2=self.beta2)

    def update(self, n: int, lr: float, gradient: np.ndarray, *memory: np.ndarray) -> np.ndarray:
        m, v = memory
        m += (1 - self.beta1) * (gradient - m)
        v += (1 - self.beta2) * (gradient**2 - v)
        return -lr * (m / (1 - self.beta1**n)) / (np.sqrt(v / (1 - self.beta2**n)) + self.epsilon)


@dataclass(frozen=True)
class RMSprop(StepRule):
    """Tieleman, Hinton, Coursera lecture 6.5 (2012): the gradient by a running average of its size."""

    decay: float = 0.9
    epsilon: float = 1e-8
    memory: ClassVar[int] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fraction(decay=self.decay)

    def update(self, n: int, lr: float, gradient: np.ndarray, *memory: np.ndarray) -> np.ndarray:
        (v,) = memory
        v += (1 - self.decay) * (gradient**2 - v)
        return -lr * gradient / (np.sqrt(v) + self.epsilon)


@dataclass(frozen=True)
class SGD:
    """``dx = momentum*dx - lr*(g - noise*z)``: a `Momentum` said with the noise of its gradient, and run as one.

    Without momentum it is Eq. (10). An lr that steps down, with momentum, is the quench of the paper's Fig. 1.
    """

    lr: Any
    momentum: float = 0.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        _check(self.lr, self.noise)
        check_fraction(momentum=self.momentum)

    @np.errstate(over="ignore")
    def coefficients(self, n_steps: int, integrator: str = "heavy_ball", steps: tuple[int, int] | None = None) -> Steps:
        """One (rho, lr, s) for each step; `integrator` is ignored, since this already is the recursion."""
        lr = values(self.lr, progress_of(n_steps, steps), "lr")
        return Steps(np.full_like(lr, self.momentum), lr, lr * self.noise).checked()

    plot = Momentum.plot


class RuleWalk(NumpyBackend):
    """A walk whose steps a rule takes; energies and the lowest point are kept as by any backend, records as by a `Run`."""

    def __init__(self, potential: Any, walk: Walk, rule: StepRule, n_steps: int, record_every: int) -> None:
        super().__init__(potential, walk)
        self.rule, self.n_steps, self.record_every, self.since = rule, n_steps, record_every, walk.step
        self.lr = values(rule.lr, progress_of(n_steps), "lr")
        self.memory = [np.zeros_like(walk.x) for _ in range(rule.memory)]
        self.moved = np.zeros(len(walk.x))  # sums of dx^2 since the last record

    def records(self, keep: Callable[[], None] = lambda: None) -> Iterator[dict[str, float]]:
        """Run to each moment of interest and yield the mean of dx^2 since the last (dt is unknown here); `keep` as in `Run.records`."""
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
        z = stream(w.seed, self.replicas, w.step * dim, count * dim, w.purpose).reshape(replicas, count, dim)
        for k in range(count):
            w.dx[...] = self.rule.update(w.step + 1, self.lr[w.step], self.gradient - self.rule.noise * z[:, k], *self.memory)
            w.x += w.dx
            self.moved += (w.dx**2).sum(1)
            w.step += 1
            self.gradient = self._look()

    def sums(self) -> dict[str, np.ndarray]:
        """What, besides the walk, it takes to go on from here."""
        return {"moved": self.moved, "since": np.array(self.since), "memory": np.array(self.memory)}

    def restore(self, state: State, energies: np.ndarray, sums: dict[str, np.ndarray]) -> None:
        """Go back to where a walk of the same rule stood; a ValueError if the potential has other energies there."""
        put(self.walk, state)
        self.gradient = self._look()
        self.settle()
        check_energies(self.potential, self.walk.energy, energies)
        self.moved[...], self.since, self.memory = sums["moved"], int(sums["since"]), list(sums["memory"])


def _check(lr: Any, noise: Any) -> None:
    if not callable(lr) and not (finite(lr) and lr > 0):
        raise ValueError(f"lr must be a positive number or a law of progress, not {shown(lr)}")
    if not (finite(noise) and noise >= 0):
        raise ValueError(f"noise is the standard deviation of the gradient's noise and must be >= 0, not {shown(noise)}")
