"""Optimizers of machine learning on the array path, with the noise that the Langevin recursion
gets.

A `StepRule` turns a noisy gradient into an update of x. Its gradient is ``g - noise*z``, with z the
normals of the run's own stream (`langevin_sa.noise`), so that ``-lr*(g - noise*z)`` is the
recursion's ``lr*f + s*xi`` with s = lr*noise: CoolMomentum, Momentum and Adam can be compared under
the very same kicks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..arguments import check_fraction, finite, shown
from ..laws import progress_of, values
from ..momentum import Momentum, Steps
from .rule import Moment, Point, Rule


@dataclass(frozen=True)
class StepRule(Rule):
    """A `Rule` ``update(n, lr, gradient, *memory) -> dx`` for arrays (replicas, dim); write one by
    overriding `update`.

    Parameters
    ----------
    lr : float or law
        Learning rate, a number or a law of progress (`langevin_sa.schedules`); a stepwise one is
        the usual decay.
    noise : float
        Standard deviation of the noise on each component of the gradient (energy/length).
    """

    lr: Any
    noise: float = 0.0
    laws: ClassVar[tuple[str, ...]] = ("lr",)

    def __post_init__(self) -> None:
        _check(self.lr, self.noise)

    def propose(self, now: Moment, here: Point, *memory: np.ndarray) -> np.ndarray:
        gradient = here.gradient - self.noise * now.normals
        return self.update(now.n, now.numbers["lr"], gradient, *memory)

    def update(self, n: int, lr: float, gradient: np.ndarray, *memory: np.ndarray) -> np.ndarray:
        """The change of x in step n.

        Parameters
        ----------
        n : int
            1, 2, ...
        lr : float
            The law's value at this step.
        gradient : ndarray (replicas, dim)
            With its noise.
        *memory : ndarray (replicas, dim)
            As many as the class attribute `memory` says, zero at the start, updated in place.

        Returns
        -------
        ndarray (replicas, dim)
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Adam(StepRule):
    """Kingma, Ba, arXiv 1412.6980 (2014), Algorithm 1; defaults are the paper's.

    Parameters
    ----------
    lr, noise
        As for `StepRule`.
    beta1, beta2 : float
        Share of the running averages of the gradient and of its square that a step keeps, [0, 1).
    epsilon : float
        Added to the root of the second (energy/length).
    """

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
    """Tieleman, Hinton, Coursera lecture 6.5 (2012): the gradient by a running average of its
    size.

    Parameters
    ----------
    lr, noise
        As for `StepRule`.
    decay : float
        Share of the running average of the squared gradient that a step keeps, [0, 1).
    epsilon : float
        Added to its root (energy/length).
    """

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
class AdaGrad(StepRule):
    """Duchi, Hazan, Singer, JMLR 12, 2121 (2011), diagonal form: the gradient by the root of all
    its squares so far.
    """

    epsilon: float = 1e-10
    memory: ClassVar[int] = 1

    def update(self, n: int, lr: float, gradient: np.ndarray, *memory: np.ndarray) -> np.ndarray:
        (v,) = memory
        v += gradient**2
        return -lr * gradient / (np.sqrt(v) + self.epsilon)


@dataclass(frozen=True)
class Adadelta(StepRule):
    """Zeiler, arXiv 1212.5701 (2012), Algorithm 1: steps as long as the last ones were; the paper's
    lr is 1.

    `epsilon` has the units of both a squared gradient and a squared step, and the first steps are
    about its root.
    """

    decay: float = 0.95
    epsilon: float = 1e-6
    memory: ClassVar[int] = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fraction(decay=self.decay)

    def update(self, n: int, lr: float, gradient: np.ndarray, *memory: np.ndarray) -> np.ndarray:
        v, moved = memory
        v += (1 - self.decay) * (gradient**2 - v)
        dx = -np.sqrt((moved + self.epsilon) / (v + self.epsilon)) * gradient
        moved += (1 - self.decay) * (dx**2 - moved)
        return lr * dx


@dataclass(frozen=True)
class NAdam(Adam):
    """Dozat, ICLR workshop (2016), Algorithm 8 with a constant momentum: Adam that looks one step
    ahead, as Nesterov's momentum does.
    """

    def update(self, n: int, lr: float, gradient: np.ndarray, *memory: np.ndarray) -> np.ndarray:
        (m, v), b = memory, self.beta1
        m += (1 - b) * (gradient - m)
        v += (1 - self.beta2) * (gradient**2 - v)
        ahead = b * m / (1 - b ** (n + 1)) + (1 - b) * gradient / (1 - b**n)
        return -lr * ahead / (np.sqrt(v / (1 - self.beta2**n)) + self.epsilon)


@dataclass(frozen=True)
class SGD:
    """``dx = momentum*dx - lr*(g - noise*z)``: a `Momentum` said with the noise of its gradient,
    and run as one.

    Without momentum it is Eq. (10). An lr that steps down, with momentum, is the quench of the
    paper's Fig. 1.
    """

    lr: Any
    momentum: float = 0.0
    noise: float = 0.0
    own_recursion: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check(self.lr, self.noise)
        check_fraction(momentum=self.momentum)

    @np.errstate(over="ignore")
    def coefficients(
        self, n_steps: int, integrator: str = "heavy_ball", steps: tuple[int, int] | None = None
    ) -> Steps:
        """One (rho, lr, s) for each step; `integrator` is ignored, since this already is the
        recursion.
        """
        lr = values(self.lr, progress_of(n_steps, steps), "lr")
        return Steps(np.full_like(lr, self.momentum), lr, lr * self.noise).checked()

    plot = Momentum.plot


def _check(lr: Any, noise: Any) -> None:
    if not callable(lr) and not (finite(lr) and lr > 0):
        raise ValueError(f"lr must be a positive number or a law of progress, not {shown(lr)}")
    if not (finite(noise) and noise >= 0):
        raise ValueError(
            "noise is the standard deviation of the gradient's noise and must be >= 0, not "
            f"{shown(noise)}"
        )
