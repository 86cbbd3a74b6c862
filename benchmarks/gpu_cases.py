"""What the benchmarks of the GPU run: a potential of each kernel, and a walk of it on a backend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import langevin_sa as lsa
from langevin_sa.backends.choose import get_backend
from langevin_sa.backends.walk import Walk
from langevin_sa.integrators import INTEGRATORS

GAMMA, TEMPERATURE = 1.0, 0.3
DTYPES = ("float64", "float32")


class LeftOut(Exception):
    """A row that cannot be found here, and why: a package or a tool is not installed."""


@dataclass(frozen=True)
class Case:
    """So many replicas of a potential of some size, and a number of steps.

    Attributes
    ----------
    make : callable
        The potential of a size.
    size, replicas, steps : int
        Of a run on a card.
    tiny : tuple of int
        The same three, to see that all of it runs.
    dt : float
        Time step.
    counted : str
        Its name in the table of instructions; "" if other kernels share the work.
    moved : int
        Numbers of a coordinate-step that cross the memory bus: the rest stays in registers, caches.
    launches : int
        Launches before the steady ones (`counters` looks at the first after them).
    rest : float or None
        A coordinate's value in a minimum, where all may have the same.
    each : int
        Of `size`, what a thread has: sites, particles; 0 if it has a replica.
    met : float
        Particles in the list of each; 0 if it meets all the others.
    a_step : int
        Launches of a step, where it is not all of them that are one.
    """

    make: Callable[[int], Any]
    size: int
    replicas: int
    steps: int
    tiny: tuple[int, int, int]
    dt: float = 0.02
    counted: str = ""
    moved: int = 0
    launches: int = 2
    rest: float | None = None
    each: int = 0
    met: float = 0.0
    a_step: int = 1

    def scaled(self, tiny: bool) -> Case:
        """Itself, or the tiny one."""
        if not tiny:
            return self
        size, replicas, steps = self.tiny
        return replace(self, size=size, replicas=replicas, steps=steps)

    def potential(self) -> Any:
        """The potential of this size."""
        return self.make(self.size)

    @property
    def coordinates(self) -> int:
        """Of a replica."""
        return 3 * self.size if self.each == 1 else self.size

    def start(self, potential: Any) -> np.ndarray:
        """Starting points (replicas, dim)."""
        return potential.draw_start(self.replicas, np.random.default_rng(1))

    def coefficients(self, n: int, integrator: str = "gjf") -> Any:
        """Those of n equal steps."""
        row = INTEGRATORS[integrator]
        return row.steps(np.full(n, GAMMA), self.dt, TEMPERATURE)


SITES = "phi4_chain of 10^7"
CASES = {
    "double well, 10^6 replicas": Case(
        lambda _: lsa.potentials.double_well(),
        *(1, 10**6, 1000, (1, 100, 8), 0.02),
        counted="double_well",
        rest=-1.0,
    ),
    "Rastrigin of 10 coordinates, 10^5 replicas": Case(
        lsa.potentials.rastrigin,
        *(10, 10**5, 200, (10, 40, 8), 0.005),
        counted="rastrigin",
        rest=0.0,
    ),
    "Ackley of 10 coordinates (array functions), 10^5 replicas": Case(
        lsa.potentials.ackley, *(10, 10**5, 50, (10, 40, 4), 0.005), launches=9
    ),
    "phi^4 chain of 10^7 sites": Case(
        lsa.potentials.phi4_chain,
        *(10**7, 1, 50, (4096, 1, 4), 0.02),
        counted=SITES,
        moved=4,
        launches=9,
        rest=1.0,
        each=4,
    ),
    "phi^4 chain of 10^5 sites": Case(
        lsa.potentials.phi4_chain,
        *(10**5, 1, 1000, (2304, 1, 20), 0.02),
        counted=SITES,
        launches=9,
        each=4,
    ),
    "38 Lennard-Jones particles, 1024 replicas": Case(
        lsa.potentials.lennard_jones,
        *(38, 1024, 100, (38, 2, 4), 0.0005),
        counted="lennard_jones of 38",
        each=1,
    ),
    "8000 Lennard-Jones particles with a cut-off": Case(
        lsa.potentials.lennard_jones_fluid,
        *(8000, 1, 20, (2048, 1, 3), 0.002),
        counted="lennard_jones_fluid of 8000",
        launches=9,
        each=1,
        met=0.8 * 4 / 3 * np.pi * (1.15 * 2.5) ** 3,  # density, cut-off and skin
        a_step=5,
    ),
}


def mover(
    case: Case,
    potential: Any,
    dtype: str,
    backend: str,
    threads: int = 1,
    seed: int = 1,
    x0: np.ndarray | None = None,
) -> Any:
    """A walk from the case's own start or another, moved by a backend; on the card if that is where
    it is.
    """
    make = get_backend(backend, potential, case.replicas)
    walk = Walk.at_rest(case.start(potential) if x0 is None else x0, seed, dtype)
    return make(potential, make.placed(walk), threads)
