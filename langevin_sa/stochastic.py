"""Potentials that are means over data, and the mini-batches whose gradients carry their own noise
(Eq. 11).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .arguments import check_whole, returned
from .noise import GRADIENT, KIND, stream
from .potential import Potential

LOOKED = 2_000_000  # samples times replicas whose energies are taken at once


class StochasticPotential(Potential):
    """U(x) = mean of u(x; sample) over data, which a run follows by the gradients of mini-batches,
    Eq. (11).

    As a potential it is the mean over all data: that is what `energy` and `gradient` give, and what
    success, descents and thermometers are judged by. A run moves on mini-batches instead: each
    replica goes through the data in an order of its own, drawn anew for every epoch from the Philox
    stream of (seed, replica, epoch), and leaves out what does not fill a last batch. It looks at
    the energy of all data at the end of each epoch and at each record, and its best point is the
    lowest of those.

    Parameters
    ----------
    batch_energy : callable
        ``batch_energy(x, *batch) -> (replicas,)``: the mean of u over a batch, for x (replicas,
        dim) and arrays of shape (replicas, batch_size, ...), or (1, samples, ...) for all data:
        plain NumPy code that broadcasts.
    batch_gradient : callable
        ``batch_gradient(x, *batch) -> (replicas, dim)``, its derivative.
    data : array or sequence of arrays (n_samples, ...)
        What batches are taken from, as in (inputs, labels).
    batch_size : int
        Samples in a batch, at most all.
    dim : int
        Number of coordinates.
    **keywords
        As for `Potential`; a ``laplacian(x, *batch)`` sees all data.

    Raises
    ------
    ValueError, TypeError
        For arrays of different lengths or a batch larger than the data.

    Examples
    --------
    >>> data = np.random.default_rng(0).normal(1.0, 2.0, 100)
    >>> energy = lambda x, y: ((x - y) ** 2).mean(1) / 2
    >>> U = StochasticPotential(energy, lambda x, y: x - y.mean(1)[:, None], data, 10, dim=1)
    >>> U.steps_per_epoch
    10
    """

    def __init__(
        self,
        batch_energy: Callable[..., Any],
        batch_gradient: Callable[..., Any],
        data: Any,
        batch_size: int,
        dim: int,
        **keywords: Any,
    ) -> None:
        if not callable(batch_gradient):
            raise TypeError(
                "batch_gradient must be a function of x and a batch, not "
                f"{type(batch_gradient).__name__}"
            )
        arrays = _arrays(data)
        samples = len(arrays[0])
        check_whole(1, batch_size=batch_size)
        self.batch_size = int(batch_size)
        if self.batch_size > samples:
            raise ValueError(
                f"batch_size must be at most the number of samples, {samples}, and is {batch_size}"
            )
        args = tuple(array[None] for array in arrays)
        super().__init__(batch_energy, batch_gradient, dim, args=args, **keywords)

    @property
    def samples(self) -> int:
        """Number of samples."""
        return self.args[0].shape[1]

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches in one pass through the data."""
        return self.samples // self.batch_size

    def batches(self, seed: int, replicas: Any) -> Batches:
        """The mini-batches that replicas of these numbers see in a run with this seed."""
        return Batches(self, seed, np.asarray(replicas))

    def on_device(self, xp: Any, dtype: Any = float) -> Potential:
        """Refuses: orders of samples are drawn on the CPU."""
        raise ValueError(
            f"{self.name} is followed by mini-batches, which are drawn on the CPU: leave out "
            "backend='cupy'"
        )

    def gradient_noise(self, x: Any, seed: int = 0) -> float:
        """<R^2> of Eq. (11) at x (dim,): the variance of a batch gradient's component, averaged
        over coordinates and one epoch.

        As batches of an epoch share no sample, this is (1 - batch_size/samples) of the variance of
        independent batches.
        """
        batches, x = self.batches(seed, [0]), self._block(x)[0][:1]
        exact, steps = self.gradient(x), range(self.steps_per_epoch)
        return float(np.mean([(batches.gradient(x, step) - exact) ** 2 for step in steps]))

    def energy(self, x: Any) -> Any:
        """U(x) over all data, a few replicas at a time."""
        block, single = self._block(x)
        size, few = max(1, LOOKED // self.samples), super().energy
        parts = [few(block[r : r + size]) for r in range(0, len(block), size)]
        energy = np.concatenate(parts)
        return float(energy[0]) if single else energy


class Batches:
    """Which samples each replica sees at each step: a pure function of (seed, replica, step)."""

    def __init__(self, potential: StochasticPotential, seed: int, replicas: np.ndarray) -> None:
        self.potential, self.seed, self.replicas = potential, seed, replicas
        self._epoch, self._order = -1, np.empty((0, 0), dtype=int)

    def indices(self, step: int) -> np.ndarray:
        """Numbers of the samples of a step's batch, (replicas, batch_size)."""
        epoch, k = divmod(step, self.potential.steps_per_epoch)
        if epoch != self._epoch:
            samples = self.potential.samples
            # sorting uniform numbers shuffles
            keys = stream(self.seed, self.replicas, epoch * samples, samples, GRADIENT + KIND)
            self._epoch, self._order = epoch, np.argsort(keys, axis=1, kind="stable")
        return self._order[:, k * self.potential.batch_size : (k + 1) * self.potential.batch_size]

    def gradient(self, x: np.ndarray, step: int, rows: slice = slice(None)) -> np.ndarray:
        """Gradient of the mean over each replica's batch of a step, (replicas, dim), at the points
        x of these replicas.
        """
        U, chosen = self.potential, self.indices(step)[rows]
        gradient = U._gradient(x, *(array[0, chosen] for array in U.args))  # type: ignore[misc]
        return returned(U, gradient, "batch_gradient", x, x.shape)

    def epoch_starts(self, step: int) -> bool:
        """Whether a step is the first of an epoch."""
        return step % self.potential.steps_per_epoch == 0


def _arrays(data: Any) -> list[np.ndarray]:
    # arrays, or what has rows of its own
    several = isinstance(data, list | tuple) and any(getattr(a, "ndim", 0) for a in data)
    try:
        arrays = [np.asarray(a) for a in (data if several else [data])]
    except ValueError:  # ragged
        arrays = []
    if not arrays or any(a.ndim == 0 or len(a) == 0 or a.dtype == object for a in arrays):
        raise TypeError(
            "data must be an array (samples, ...) or several of them, as in (inputs, labels), "
            "with at least one sample"
        )
    if len({len(a) for a in arrays}) > 1:
        raise ValueError(
            "the arrays of data have different numbers of samples: "
            f"{', '.join(str(len(a)) for a in arrays)}"
        )
    return arrays
