"""Fused CUDA kernels through CuPy: the same noise and, in float64, the same arithmetic as the numba
backend.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...arguments import warn
from ...momentum import Steps
from ..walk import ARRAYS, Walk
from . import source
from .backend import NOTHING, DeviceBackend
from .device import check_device, cupy, describe, in_vectors, kernel, numbers_of
from .gathered import entries_of
from .graphs import AT_ONCE, Graphs
from .neighbours import WORTH_LISTS, Lists
from .points import Points

__all__ = ["backend_of", "describe"]

MOST_BLOCKS, MOST_ROWS = 2**31 - 1, 65_535  # of a grid
ALONE = 512  # units of a replica that one block can see to, so that its steps need no launches
BLOCKS_A_PROCESSOR = 16


def backend_of(potential: Any) -> type[DeviceBackend]:
    """The backend that suits a potential."""
    check_device()
    if potential.cpu_only:
        raise TypeError(
            f"{potential.name} is made of functions that run on the CPU only; write a formula or "
            "array functions"
        )
    if potential.formula is None:
        return ArrayBackend if potential.cuda_function is None else ReplicaBackend
    formula = potential.formula
    if formula.truncated and (formula.cell.into is not None or formula.lists is not None):
        raise TypeError(
            f"{potential.name} has a tilted cell or terms over lists in a cell, which backend "
            "'cupy' has no kernel for: take backend='numba'"
        )
    if formula.truncated and len(formula.species) >= WORTH_LISTS:
        return NeighbourBackend
    kinds = set(potential.formula.source.bodies)
    small = potential.dim <= source.IN_REGISTERS and not potential.formula.truncated
    if not small and kinds <= {"site", "bond"}:
        return LatticeBackend
    terms = {kind for kind in kinds if " " not in kind}  # besides those over lists
    of_particles = formula.source.spec.of_particles and terms <= {"site", "link", "pair"}
    return ParticleBackend if not small and of_particles else ReplicaBackend


def _formula(potential: Any) -> tuple[Any, Any, int, list[int]]:
    """What is printed: the spec, the bodies, the number of coordinates and a lattice's shape."""
    formula = potential.formula
    return (
        formula.source.spec,
        formula.source.bodies,
        potential.dim,
        [int(n) for n in formula.size[1:]],
    )


class ReplicaBackend(DeviceBackend):
    """Small systems: one thread a replica, all steps of an `advance` in one launch."""

    turns_back = True

    def __init__(self, potential: Any, walk: Walk, threads: int = 1) -> None:
        super().__init__(potential, walk, threads)
        self.text = self.code(potential, self.single)
        self.kernel = kernel(self.text, "replicas", self.single, *self.defined)
        self.numbers, _ = self._inputs(potential)
        count = len(walk.x)
        self.turned = cupy.zeros(count, dtype=np.int32)
        # few replicas go to many processors
        self.threads = source.THREADS if count >= 4 * source.THREADS * self.processors else 32
        self.blocks = min(-(-count // self.threads), MOST_BLOCKS)
        self.advance(Steps(*np.empty((3, 0))))  # energy and best at the start

    @staticmethod
    def code(potential: Any, single: bool) -> str:
        """One thread a replica."""
        if potential.cuda_function is not None:
            return source.function_module(potential.cuda_function.force, potential.dim, single)
        return source.replicas_module(*_formula(potential), single)

    def _run(self, n: int, paired: bool, coefficients: Any, weights: Any) -> int:
        arguments = (
            *(getattr(self.walk, name) for name in ARRAYS[:-1]),  # work is no kernel's
            coefficients,
            weights,
            self.numbers,
            self.inertia,
            self.turned,
            self.failure,
            np.int64(len(self.walk.x)),
            np.int32(n),
            np.int64(self.given.step),
            np.int32(paired),
            np.int32(self.given.wall),
            *self._noise(),
        )
        self.kernel((self.blocks,), (self.threads,), arguments)
        failure, turning = map(int, self.failure.get())
        if turning != NOTHING[1]:
            again = kernel(self.text, "replicas", self.single, *self.defined, "TURNS")
            again((self.blocks,), (self.threads,), arguments)
            failure = int(self.failure[0])
            self.failure.set(NOTHING)
        return failure


class SweepBackend(DeviceBackend):
    """Large systems: many threads a replica; a launch a step, or one where a block is enough."""

    passes_alone = False  # whether something has to be done between any two

    def __init__(self, potential: Any, walk: Walk, threads: int = 1) -> None:
        replicas, units = len(walk.x), self.units(potential)
        self.threads = min(source.THREADS, 32 << max(0, (units - 1).bit_length() - 5))
        super().__init__(potential, walk, threads)
        most = BLOCKS_A_PROCESSOR * self.processors
        blocks = 1 if units <= ALONE else min(-(-units // self.threads), most)
        self.other, self.found = cupy.empty_like(self.walk.x), cupy.zeros(replicas)
        self.partial = cupy.empty(2 * replicas * blocks)
        self.arrived = cupy.zeros(replicas, dtype=np.uint32)
        self.grid, self.blocks = (blocks, min(replicas, MOST_ROWS)), blocks
        self.text = self.code(potential, self.single)
        self.kernel = kernel(self.text, "sweep", self.single, *self.defined)
        onward = kernel(self.text, "onward", self.single, *self.defined)
        self.graphs = Graphs(lambda n: onward((1,), (1,), (self.sent["now"], np.int64(n))))
        self.numbers, self.extra = self._inputs(potential)
        self.advance(Steps(*np.empty((3, 0))))  # energy and best at the start

    @staticmethod
    def units(potential: Any) -> int:
        """How many units of coordinates a replica has."""
        return -(-int(potential.dim) // 4)

    def _run(self, n: int, paired: bool, coefficients: Any, weights: Any) -> int:
        arguments = self._arguments(n, paired, coefficients, weights)
        go, passes = self._passes(n, arguments), n + 2
        if self.blocks == 1 and not self.passes_alone:
            go(0, passes)
        else:
            times = 0 if self.passes_alone else passes // AT_ONCE
            self.graphs.play((*arguments, self.extra), go, times)
            for later in range(passes - times * AT_ONCE):
                go(later)
        return self._end(n)

    def _arguments(self, n: int, paired: bool, coefficients: Any, weights: Any) -> tuple[Any, ...]:
        """What all launches of an `advance` have in common, made once: of short kernels that is
        what the host has time for.
        """
        w = self.walk
        # it leaves failures to the run
        arrays = (w.x, self.other, *(getattr(w, name) for name in ARRAYS[1:-2]))
        arrays = (*arrays, coefficients, weights, self.numbers, self.inertia)
        now = self._sent("now", np.array([0, n, self.given.step]))
        sums = (self.partial, self.found, self.arrived, self.failure, now)
        return (*arrays, *sums, np.int64(len(w.x)), np.int32(paired), *self._noise())

    def _passes(self, n: int, arguments: tuple[Any, ...]) -> Callable[..., None]:
        """``go(later, passes=1)`` launches passes of an `advance` of n steps, the first of them
        so many later than those that are done.
        """

        def go(later: int, passes: int = 1) -> None:
            changing = self.extra, np.int64(later), np.int64(passes)
            self.kernel(self.grid, (self.threads,), (*arguments, *changing))

        return go

    def _end(self, n: int) -> int:
        """After the passes of n steps: the first failure."""
        if n % 2:
            self.walk.x, self.other = self.other, self.walk.x
        return int(self.failure[0])


class LatticeBackend(SweepBackend):
    """Sites and bonds."""

    @staticmethod
    def code(potential: Any, single: bool) -> str:
        """A thread gathers the forces on four sites."""
        return source.lattice_module(*_formula(potential), single)

    def measure(self) -> tuple[float, float]:
        """Sums over replicas of |grad U|^2 and of the Laplacian at the present positions, for the
        configurational thermometer.
        """
        w = self.walk
        self._fetch(("x",))
        blocks = min(-(-w.x.size // source.THREADS), BLOCKS_A_PROCESSOR * self.processors)
        sums = cupy.empty(2 * blocks)
        kernel(self.text, "measure", self.single)(
            (blocks,), (source.THREADS,), (w.x, self.numbers, sums, np.int64(len(w.x)))
        )
        squares, laplacian = sums.reshape(-1, 2).sum(0).get()
        return float(squares), float(laplacian)


class ParticleBackend(SweepBackend):
    """Particles, each of which looks at all the others where there are pairs."""

    @staticmethod
    def code(potential: Any, single: bool) -> str:
        """A thread gathers the forces on a particle."""
        formula = potential.formula
        box, types = (formula.box.tolist(), formula.types) if formula.truncated else ((), 1)
        return source.particles_module(*_formula(potential), single, box, types)

    @staticmethod
    def units(potential: Any) -> int:
        """Particles."""
        return int(potential.dim // potential.formula.source.spec.space)

    @staticmethod
    def inputs(potential: Any, real: type) -> tuple[Any, Any]:
        """The lists of a formula, or the species of particles with a cut-off."""
        formula = potential.formula
        if not formula.truncated:
            lists = entries_of(formula.source.spec, formula.size)
            return numbers_of(formula.numbers, real), cupy.asarray(np.append(lists, np.int32(0)))
        inverse = np.divide(1.0, formula.box, out=np.zeros_like(formula.box), where=formula.box > 0)
        numbers = np.concatenate([formula.table.ravel(), formula.box, inverse])
        return numbers_of(numbers, real), cupy.asarray(formula.species.astype(np.int32))


class NeighbourBackend(ParticleBackend):
    """Many particles with a cut-off, each of which meets the neighbours in its list."""

    passes_alone = True
    lists: Any = None

    @staticmethod
    def code(potential: Any, single: bool) -> str:
        """A thread gathers the forces on a particle, others make lists."""
        formula = potential.formula
        box, types = formula.box.tolist(), formula.types
        return source.neighbours_module(*_formula(potential), single, box, types)

    def _inputs(self, potential: Any) -> tuple[Any, Any]:
        numbers, _ = super()._inputs(potential)
        if self.lists is None:

            def compiled(name: str) -> Any:
                return kernel(self.text, name, self.single, *self.defined)

            self.lists = Lists(potential.formula, self.walk.x, numbers, compiled, self.grid)
        return numbers, self.lists.words

    def advance(self, steps: Steps) -> None:
        """Move the walk on by the given steps."""
        super().advance(steps)
        self.lists.grow()

    def _passes(self, n: int, arguments: tuple[Any, ...]) -> Callable[..., None]:
        go, points = super()._passes(n, arguments), (self.walk.x, self.other)
        self.lists.begin(self.walk.x, self.given.step)

        def listed(first: int, passes: int = 1) -> None:
            if first <= n:
                self.lists.make(points[first % 2], self.given.step + first)
            go(first, passes)

        return listed


class ArrayBackend(SweepBackend):
    """Array functions: energy and gradient by CuPy, the rest of a step in one launch."""

    told = False  # that they compute in float64

    def __init__(self, potential: Any, walk: Walk, threads: int = 1) -> None:
        super().__init__(potential.on_device(cupy, walk.x.dtype), walk, threads)

    @staticmethod
    def code(potential: Any, single: bool) -> str:
        """A thread moves four coordinates."""
        return source.arrays_module(potential.dim, single)

    @staticmethod
    def inputs(potential: Any, real: type) -> tuple[Any, Any]:
        """No parameters, and no gradient yet."""
        return numbers_of(np.empty(0), real), None

    def advance(self, steps: Steps) -> None:
        """Move the walk on by the given steps."""
        try:
            super().advance(steps)
        except BaseException:
            self.extra = None  # the gradient of a place that the walk may leave again
            raise

    def _run(self, n: int, paired: bool, coefficients: Any, weights: Any) -> int:
        go = self._passes(n, self._arguments(n, paired, coefficients, weights))
        points = self.walk.x, self.other
        for t in range(n + 2):
            if t <= n and (t > 0 or self.extra is None):
                self._look(points[t % 2])
            go(t)
        return self._end(n)

    def change_places(self, other: Any, rows: Any) -> None:
        """Let replicas change places, whose gradients are found anew."""
        super().change_places(other, rows)
        self.extra = other.extra = None

    def _look(self, x: Any) -> None:
        """Energy into the walk, gradient for the kernel."""
        if self.single:
            x = x.view(type=Points)
        try:
            self.walk.energy[...], gradient = self.potential.energy_gradient(x)
        except TypeError as error:
            raise TypeError(
                f"the functions of {self.potential.name} do not work on CuPy arrays: {error} Make "
                "arrays from x, np.zeros_like(x) instead of np.zeros(x.shape), and hand others "
                "over as args="
            ) from error
        if gradient.dtype.itemsize > self.real().itemsize and not self.told:
            self.told = True
            warn(
                f"the gradient of {self.potential.name} is {gradient.dtype.name} where x is "
                "float32, which is slow: make arrays from x, np.zeros_like(x) instead of "
                "cupy.zeros(x.shape), and hand others over as args="
            )
        self.extra = in_vectors(gradient.astype(self.real, copy=False))
