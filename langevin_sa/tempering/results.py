"""What replica exchange brings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ..arguments import real, shown
from ..drawing import Displayed, draw
from ..statistics import Interval
from .reweighting import log_partition, weights

GROUPS = 10  # of ladders, between which errors are measured


@dataclass(repr=False)
class Exchange(Displayed):
    """What `exchange` returns; printing it gives a table, one line a temperature.

    Attributes
    ----------
    temperatures : ndarray (K,)
        From the lowest on.
    energies : ndarray (records, K, replicas)
        U at each record, by temperature.
    samples : ndarray (records, K, replicas, dim) or None
        Positions there.
    acceptance : ndarray (K - 1,)
        Share of the tries at which neighbours changed places.
    round_trips : ndarray (replicas,)
        How often a configuration went from the lowest temperature to the highest and back, in each
        ladder.
    x, fun : ndarray (dim,), float
        The lowest point seen, and its energy.
    gamma, dt : float
        Friction and time step of all temperatures.
    nit, nfev : int
        Steps of each walk; energies with their gradients, of all walks.
    seed : int
        What the run is made again from.
    status, message : int, str
        0: done; 1: time spent; 2: an energy was not finite; 3: interrupted.
    """

    temperatures: np.ndarray
    energies: np.ndarray
    samples: np.ndarray | None
    acceptance: np.ndarray
    round_trips: np.ndarray
    x: np.ndarray
    fun: float
    gamma: float
    dt: float
    nit: int
    nfev: int
    seed: int
    status: int = 0
    message: str = ""
    _beta: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._beta = 1 / self.temperatures

    @cached_property
    def log_z(self) -> np.ndarray:
        """ln Z at each temperature less that at the highest, (K,), Z the integral of exp(-U/T) over
        positions: by the multistate Bennett acceptance ratio from all samples.
        """
        return self._log_z(slice(None))

    @cached_property
    def log_z_error(self) -> np.ndarray:
        """Standard error of `log_z`, from groups of ladders, which know nothing of each other; NaN
        for one ladder.
        """
        return self._spread([self._log_z(group) for group in self._groups])

    def average(
        self, function: Callable[[np.ndarray], Any], temperature: float | None = None
    ) -> Interval:
        """Mean of a function of positions at any temperature between the lowest and the highest,
        from the samples at all of them, with its 95 % interval (Student's, from groups of ladders).

        Parameters
        ----------
        function : callable
            ``function(x)`` for x (n, dim), one number each.
        temperature : float, optional
            By default the lowest.

        Raises
        ------
        ValueError
            Without samples, or for a temperature outside.
        """
        from scipy.stats import t as student

        low, high = self.temperatures[[0, -1]]
        at = low if temperature is None else temperature
        if not (real(at) and low <= at <= high):
            raise ValueError(f"temperature must be in [{low:g}, {high:g}], not {shown(at)}")
        if self.samples is None:
            raise ValueError("averages are taken over samples: run exchange with samples=True")
        dim = self.samples.shape[-1]
        values = np.asarray(function(self.samples.reshape(-1, dim)), dtype=float)
        if values.shape != (self.energies.size,):
            raise ValueError(
                f"function must return one number for each of (n, dim) points, (n,) = "
                f"({self.energies.size},), not an array of shape {values.shape}"
            )
        values = values.reshape(self.energies.shape)

        def mean(group: Any, log_z: np.ndarray) -> float:
            w = weights(self._by_temperature(group), self._beta, log_z, 1 / at)
            return float((w * np.moveaxis(values[..., group], 1, 0).reshape(w.shape)).sum())

        groups = self._groups
        error = self._spread([np.array(mean(g, self._log_z(g))) for g in groups])
        half = float(student.isf(0.025, max(1, len(groups) - 1)) * error)
        value = mean(slice(None), self.log_z)
        return Interval(value, value - half, value + half)

    @property
    def _groups(self) -> list[np.ndarray]:
        ladders = np.arange(self.energies.shape[-1])
        return np.array_split(ladders, min(GROUPS, len(ladders)))

    def _by_temperature(self, group: Any) -> np.ndarray:
        return np.moveaxis(self.energies[..., group], 1, 0).reshape(len(self.temperatures), -1)

    def _log_z(self, group: Any) -> np.ndarray:
        if not len(self.energies):
            return np.full(len(self.temperatures), np.nan)
        return log_partition(self._by_temperature(group), self._beta)

    def _spread(self, values: list[np.ndarray]) -> np.ndarray:
        if len(values) == 1:
            return np.full_like(values[0], np.nan)
        return np.std(values, axis=0, ddof=1) / np.sqrt(len(values))

    def __str__(self) -> str:
        lines = [f"{'T':>10}  {'<U>':>12}  {'<dU^2>/T^2':>10}  {'ln Z':>20}  swaps with the next"]
        for k, T in enumerate(self.temperatures):
            u = self.energies[:, k]
            mean, heat = (u.mean(), u.var() / T**2) if u.size else (np.nan, np.nan)
            log_z = f"{self.log_z[k]:.4f} +- {self.log_z_error[k]:.4f}"
            share = f"{100 * self.acceptance[k]:.0f} %" if k < len(self.acceptance) else ""
            lines.append(f"{T:10.5g}  {mean:12.6g}  {heat:10.4g}  {log_z:>20}  {share}")
        trips = f"{self.round_trips.sum()} round trips in {len(self.round_trips)} ladders"
        lines.append(f"{trips}; lowest U = {self.fun:.8g}. {self.message}")
        return "\n".join(lines)

    __repr__ = __str__

    def plot(self) -> Any:
        """Energies at each temperature; see `langevin_sa.plots.overlap`."""
        return draw("overlap", self)
