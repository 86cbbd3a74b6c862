"""What a rule is: a step that is no choice of (rho, lr, s) and runs in `compare`.

A rule proposes an update of x. It may then accept or refuse it, replica by replica, when the energy
and the gradient there are known. So a step is one evaluation, of every rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..laws import progress_of, values


@dataclass(frozen=True)
class Point:
    """Where the replicas stand, or might: x (replicas, dim), its energy (replicas,) and gradient.

    Read it only. The gradient is zero for rules that need none, and of a mini-batch for a
    `StochasticPotential`.
    """

    x: np.ndarray
    energy: np.ndarray
    gradient: np.ndarray


@dataclass(frozen=True)
class Moment:
    """One step of a rule.

    Attributes
    ----------
    n : int
        Number of the step, 1, 2, ...
    progress : float
        Share of the run that is done, (n - 1)/n_steps.
    numbers : dict of float
        Values of the rule's laws.
    normals : ndarray (replicas, dim)
        The normals that the recursion has in this step.
    more : ndarray (replicas, dim)
        Normals besides, for rules of two noises (`Rule.draws_more`).
    uniforms : ndarray (replicas,)
        Uniform numbers in (0, 1), for rules that may refuse (`Rule.refuses`).
    """

    n: int
    progress: float
    numbers: dict[str, float]
    normals: np.ndarray
    more: np.ndarray
    uniforms: np.ndarray


class Rule:
    """Propose, and perhaps accept; write one by overriding `propose` (and `accept`) in a frozen
    dataclass.

    All that a rule remembers is in its memory, arrays of the shape of x and one of numbers for each
    replica, which are zero at the start and which it changes in place, so that a run may be cut
    anywhere.

    Attributes
    ----------
    laws : tuple of str
        Which of its attributes are numbers or laws of progress.
    memory : int
        How many arrays of the shape of x it keeps.
    scalars : int
        How many numbers it keeps of each replica besides: the last array, (replicas, scalars).
    refuses : bool
        Whether `accept` is asked. A place where the energy or the gradient is not finite is then
        refused; for other rules it ends the run.
    needs_gradient, needs_energy, draws_more : bool
        Whether it looks at the gradient, at the energy in every step (as all do that refuse), and
        at `Moment.more`.

    Examples
    --------
    >>> from langevin_sa.optimizers import Rule
    >>> class Greedy(Rule):
    ...     refuses, needs_gradient = True, False
    ...     def propose(self, now, here, *memory):
    ...         return 0.1*now.normals
    ...     def accept(self, now, here, there, *memory):
    ...         return there.energy < here.energy
    >>> import langevin_sa as lsa
    >>> U = lsa.potentials.harmonic()
    >>> found = lsa.compare(U, {"greedy": Greedy()}, x0=[1.0], replicas=9, n_steps=300, rng=1)
    >>> bool(found["greedy"].energies["final"].max() < 0.01)
    True
    """

    laws: ClassVar[tuple[str, ...]] = ()
    memory: ClassVar[int] = 0
    scalars: ClassVar[int] = 0
    refuses: ClassVar[bool] = False
    needs_gradient: ClassVar[bool] = True
    needs_energy: ClassVar[bool] = False
    draws_more: ClassVar[bool] = False

    def numbers(self, n_steps: int) -> dict[str, np.ndarray]:
        """Values of the laws at each step; a ValueError for those that cannot be run."""
        return {name: values(getattr(self, name), progress_of(n_steps), name) for name in self.laws}

    def propose(self, now: Moment, here: Point, *memory: np.ndarray) -> np.ndarray:
        """The update of x (replicas, dim)."""
        raise NotImplementedError

    def accept(self, now: Moment, here: Point, there: Point, *memory: np.ndarray) -> Any:
        """Which replicas go there, (replicas,) of bool; the others stay where they are."""
        raise NotImplementedError
