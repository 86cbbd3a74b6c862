"""Walks at several temperatures under way."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ..annealing.cut import Cut
from ..annealing.request import Prepared
from ..arguments import on_gpu, on_host
from ..backends.walk import ARRAYS, share
from ..momentum import Steps
from ..noise import KIND, SWAP, stream
from .swaps import swapped

COUNTS = ("where", "end", "trips", "accepted")


class Ladder:
    """Replica r of every walk is one ladder of K configurations, which change places within it.

    Parameters
    ----------
    rungs : sequence of Prepared
        A run at each temperature, from the lowest on.
    temperatures : ndarray (K,)
        Their temperatures.
    seed : int
        Of the swaps.
    threads : int
        Rungs that move at once.

    Attributes
    ----------
    rounds : int
        How often places have been changed.
    where : ndarray (K, replicas) of int
        Number of the configuration at each temperature, by where in the ladder it began.
    end : ndarray (K, replicas) of int
        Of each configuration: 1 if it has been at the hot end since it was at the cold one, -1 if
        not, 0 if it never was at the cold one.
    trips : ndarray (replicas,) of int
        How often a configuration of the ladder has been from the cold end to the hot one and back.
    accepted : ndarray (K - 1, replicas) of int
        How often neighbours have changed places, of (rounds + 1)//2 times for the first pair, and
        rounds//2 for the second, and so on.
    """

    def __init__(
        self, rungs: Sequence[Prepared], temperatures: np.ndarray, seed: int, threads: int
    ) -> None:
        self.rungs, self.temperatures, self.seed, self.rounds = rungs, temperatures, seed, 0
        self.walks = [rung.walk for rung in rungs]
        shape = (len(rungs), len(self.walks[0].x))
        self.where = np.repeat(np.arange(shape[0])[:, None], shape[1], axis=1)
        self.end, self.trips = np.zeros(shape, dtype=int), np.zeros(shape[1], dtype=int)
        self.accepted = np.zeros((shape[0] - 1, shape[1]), dtype=int)
        self.end[0] = -1
        # kernels on a GPU are threads enough
        several = threads > 1 and not on_gpu(self.walks[0].x)
        self.pool = ThreadPoolExecutor(threads) if several else None
        self.cut = Cut(
            *[(walk, ARRAYS, ("step", "ratio")) for walk in self.walks], (self, COUNTS, ("rounds",))
        )

    @property
    def step(self) -> int:
        """Steps done by each walk."""
        return self.walks[0].step

    @property
    def energies(self) -> np.ndarray:
        """U of every replica, (K, replicas)."""
        return on_host(np.stack([walk.energy for walk in self.walks]))

    def advance(self, steps: Sequence[Steps]) -> None:
        """Move each walk on by the steps of its temperature."""
        parts = range(len(self.rungs))
        share(self.pool, lambda k: self.rungs[k].backend.advance(steps[k]), parts)

    def swap(self) -> None:
        """Let neighbours change places: the pairs from the lowest temperature on in one round,
        those from the second lowest in the next.

        Updates, and the noise that is carried on, go along times the root of the temperatures'
        ratio, so that a velocity from Maxwell's distribution is from the other one's.
        """
        first, replicas = self.rounds % 2, len(self.trips)
        pairs = range(first, len(self.rungs) - 1, 2)
        draws = np.arange(len(self.rungs) * replicas)
        u = stream(self.seed, draws, self.rounds, 1, SWAP + KIND) / np.sqrt(12) + 0.5
        u = u.reshape(len(self.rungs), replicas)[list(pairs)]
        goes = swapped(self.energies, 1 / self.temperatures, first, u)
        for k, rows in zip(pairs, goes, strict=True):
            there = np.asarray(rows, like=self.walks[k].energy)
            self.rungs[k].backend.change_places(self.rungs[k + 1].backend, there)
            ratio = np.sqrt(self.temperatures[k + 1] / self.temperatures[k])
            for walk, factor in ((self.walks[k], 1 / ratio), (self.walks[k + 1], ratio)):
                walk.dx[there] *= factor
                walk.noise[there] *= factor
            self.where[k, rows], self.where[k + 1, rows] = (
                self.where[k + 1, rows],
                self.where[k, rows],
            )
            self.accepted[k] += rows
        self._count_trips()
        self.rounds += 1

    def _count_trips(self) -> None:
        ladders = np.arange(len(self.trips))
        cold, hot = self.where[0], self.where[-1]
        self.trips += self.end[cold, ladders] == 1
        self.end[cold, ladders] = -1
        self.end[hot, ladders] = np.abs(self.end[hot, ladders])
