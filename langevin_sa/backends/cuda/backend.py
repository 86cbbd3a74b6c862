"""What every backend on the GPU does.

A walk whose arrays are CuPy's stays on the GPU: `advance` sends the steps' coefficients, launches,
and reads back one number that says whether an energy was not finite. A walk of NumPy arrays is
copied there and back in every `advance`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...momentum import Steps
from ...noise import key_of
from ..walk import ARRAYS, Backend, NonFinite, Walk, advance_by_step
from .device import cupy, device_of, numbers_of, on_device

NOTHING = np.full(2, 2**64 - 1, dtype=np.uint64)  # no failure, no replica that turns back


class DeviceBackend(Backend):
    """A walk on the GPU, its twin on the host if it came from there, and what every launch
    needs.
    """

    weighs = True

    def __init__(self, potential: Any, walk: Walk, threads: int = 1) -> None:
        self.potential, self.given, self.walk = potential, walk, on_device(walk)
        self.single = walk.x.dtype == np.float32
        self.defined = () if walk.masses is None else ("MASSES",)
        self.real = np.float32 if self.single else np.float64
        self.inertia = numbers_of(walk.inertia, self.real)
        self.failure, self.sent = cupy.asarray(NOTHING), dict[str, Any]()
        self.processors = cupy.cuda.Device().attributes["MultiProcessorCount"]

    placed, at = staticmethod(on_device), staticmethod(device_of)

    def advance(self, steps: Steps) -> None:
        """Move the walk on by the given steps."""
        if steps.drive is not None:
            return advance_by_step(self, self.given, steps)
        self._fetch(ARRAYS)
        numbers = [steps.carry, steps.lr, steps.kick, steps.tail]
        coefficients = self._sent("coefficients", np.stack(numbers, axis=1).astype(self.real))
        weights = self._sent("weights", np.ascontiguousarray(steps.weights))
        failure = self._run(len(steps.rho), steps.paired, coefficients, weights)
        if self.given is not self.walk:
            for name in ARRAYS:
                getattr(self.walk, name).get(out=getattr(self.given, name))
        if failure != NOTHING[0]:
            self.failure.set(NOTHING)
            raise NonFinite(
                self.given.step + (failure >> 32), self.given.first_replica + (failure & 0xFFFFFFFF)
            )
        self.given.step += len(steps.rho)

    def _fetch(self, names: tuple[str, ...]) -> None:
        """Bring arrays of a walk on the host to the GPU."""
        if self.given is not self.walk:
            for name in names:
                getattr(self.walk, name).set(getattr(self.given, name))

    def _sent(self, name: str, numbers: np.ndarray) -> Any:
        """Numbers copied to where those of that name are kept, the same place if there is room."""
        if name not in self.sent or self.sent[name].size < numbers.size:
            self.sent[name] = cupy.empty(max(1, numbers.size), dtype=numbers.dtype)
        self.sent[name][: numbers.size].set(numbers.ravel())
        return self.sent[name]

    def retune(self, potential: Any) -> None:
        """Take the parameters of a potential of the same formula, and the energies there."""
        self.potential, (self.numbers, _) = potential, self._inputs(potential)
        self.advance(Steps(*np.empty((3, 0))))

    def _inputs(self, potential: Any) -> tuple[Any, Any]:
        return self.inputs(potential, self.real)

    @staticmethod
    def inputs(potential: Any, real: type) -> tuple[Any, Any]:
        """Parameters in the kernel's arithmetic, and its extra input."""
        of = potential.formula or potential.cuda_function
        return numbers_of(of.numbers, real), cupy.zeros(1, dtype=np.int32)

    @staticmethod
    def code(potential: Any, single: bool) -> str:
        """The CUDA text for a potential."""
        raise NotImplementedError

    def _run(self, n: int, paired: bool, coefficients: Any, weights: Any) -> int:
        """Go n steps; the first that failed and a replica, or `NOTHING`."""
        raise NotImplementedError

    def _noise(self) -> tuple[Any, ...]:
        """The last arguments of a kernel: what the noise is a function of."""
        words = (self.given.first_replica, self.given.purpose, *key_of(self.given.seed))
        return tuple(np.uint32(word) for word in words)
