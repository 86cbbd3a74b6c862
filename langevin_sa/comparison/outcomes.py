"""What a comparison hands back: how each method fared, and the table of them all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arguments import look_up
from ..drawing import Brief, Displayed, draw
from ..potential import Potential
from ..statistics import Interval, bootstrap_mean

UNKNOWN = Interval(np.nan, np.nan, np.nan)
SHOWN_MINIMA = 6
JUDGED = {
    "polished": "a descent from the last point",
    "final": "the last energy",
    "best": "the lowest energy seen",
}


@dataclass(frozen=True)
class Minimum:
    """A place where replicas ended: its energy, a point, and whether it is the potential's own
    known minimum.
    """

    energy: float
    x: np.ndarray
    known: bool


@dataclass(repr=False)
class Outcome(Brief):
    """What one method did.

    Attributes
    ----------
    name, method, n_steps, seconds, message
        How it was run; `message` is empty unless it diverged or its energy falls for ever, and then
        all its replicas count as failed.
    x : ndarray (replicas, dim)
        Where the replicas ended.
    energies : dict of ndarray (replicas,)
        At the end: "final", the energy there; "best", the lowest seen; "polished", after a descent
        from there.
    step : ndarray (epochs,)
        Steps done at the end of each epoch.
    energy, best, judged : ndarray (epochs, replicas)
        Then: energy, lowest energy seen, and what success is judged by.
    temperature, rescaled : ndarray (epochs,)
        Eq. (22) over each epoch, T and T dt^2 = <dx^2>; T is NaN for rules that know no dt. Where
        dt changes within an epoch, T dt^2 uses its mean square.
    acceptance : ndarray (epochs,)
        Share of steps over each epoch that a rule did not refuse; NaN for methods that refuse none.
    success, residual, tts : Interval
        Share of replicas that succeeded (Wilson); mean judged energy above the minimum (bootstrap;
        of no width where all replicas agree, and then success says more); steps to solution.
    quantiles : ndarray (3,)
        Of the residual energy, at 10, 50 and 90 %.
    shares : list of Interval
        Share of replicas in each of the comparison's minima.
    """

    name: str
    method: Any
    n_steps: int
    seconds: float
    message: str
    x: np.ndarray
    energies: dict[str, np.ndarray]
    step: np.ndarray
    energy: np.ndarray
    best: np.ndarray
    judged: np.ndarray
    temperature: np.ndarray
    rescaled: np.ndarray
    acceptance: np.ndarray
    polished_x: np.ndarray = field(repr=False)
    success: Interval = UNKNOWN
    residual: Interval = UNKNOWN
    tts: Interval = UNKNOWN
    quantiles: np.ndarray = field(default_factory=lambda: np.full(3, np.nan))
    success_by_epoch: list[Interval] = field(default_factory=list)
    shares: list[Interval] = field(default_factory=list)


@dataclass
class Comparison(Displayed):
    """What `compare` returns; printing it gives a table.

    Attributes
    ----------
    outcomes : dict of Outcome
        By the name of the method; ``comparison["anneal"]`` is short for it.
    minimum_energy, tolerance : float
        What success is measured against: the known minimum or, without one, the lowest energy
        found.
    minima : list of Minimum
        Where replicas ended, the lowest first; equal energies are one, unless they are different
        known minima.
    judged, seed, common_noise, potential
        How it was run.
    message : str
        Empty, or why methods are missing.
    """

    potential: Potential
    outcomes: dict[str, Outcome]
    minimum_energy: float
    tolerance: float
    minima: list[Minimum]
    judged: str
    seed: int
    common_noise: bool
    message: str = ""

    def __getitem__(self, name: str) -> Outcome:
        return look_up(name, self.outcomes, "method")

    def difference(self, first: str, second: str) -> Interval:
        """Mean residual energy of `first` minus that of `second`, replica by replica: tight where
        noise is common.
        """
        a, b = (self[name].energies[self.judged] for name in (first, second))
        return bootstrap_mean(a - b, self.seed)

    def __str__(self) -> str:
        replicas = len(next(iter(self.outcomes.values())).x)
        width = max(8, *map(len, self.outcomes))
        lines = [
            f"{self.potential.name}, dim {self.potential.dim}: {replicas} replicas, seed "
            f"{self.seed}; success is {JUDGED[self.judged]} within {self.tolerance:.3g} of "
            f"{self.minimum_energy:.8g}",
            f"{'':{width}}  {'steps':>10}  {'success (95 %)':>24}  {'residual energy (95 %)':>30} "
            f" {'TTS99 in steps (95 %)':>34}",
        ]
        for name, o in self.outcomes.items():
            value, low, high = (100 * p for p in o.success)
            share = f"{value:.1f} % [{low:.1f}, {high:.1f}]"
            lines.append(
                f"{name:{width}}  {o.n_steps:>10,}  {share:>24}  {o.residual!s:>30}  {o.tts!s:>34}"
            )
            if np.isfinite(o.acceptance).any():
                share = f"accepted {100 * np.nanmean(o.acceptance):.1f} % of the steps"
                lines.append(f"{'':{width}}  {share}")
            if o.message:
                lines.append(f"{'':{width}}  {o.message}")
        more = f" ({SHOWN_MINIMA} of {len(self.minima)} minima)"
        lines.append(f"where replicas ended{more if len(self.minima) > SHOWN_MINIMA else ''}")
        settled = {name: o.shares for name, o in self.outcomes.items() if o.shares}
        for k, minimum in enumerate(self.minima[:SHOWN_MINIMA]):
            shares = (f"{name} {100 * share[k].value:.1f} %" for name, share in settled.items())
            known = " (known)" if minimum.known else ""
            lines.append(f"  U = {minimum.energy:.8g}{known}: {', '.join(shares)}")
        return "\n".join([*lines, self.message] if self.message else lines)

    __repr__ = __str__

    def plot(self) -> Any:
        """Energy, success and temperature against the step; see `langevin_sa.plots.comparison`."""
        return draw("comparison", self)
