"""Cooling rates: what is left above the minimum when the same schedule is run slower and slower,
and the law it follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..arguments import finite, shown
from ..drawing import Displayed, draw
from ..noise import child_seed, seed_of
from ..potential import Potential
from ..statistics import Fit, fit_law
from .driver import compare, judge
from .outcomes import Comparison

LAWS = ("power", "logarithmic")  # of the decay of the residual energy
POOR, CLOSE = 0.01, 2.0  # p-value below which a law is refused; AIC by which one must lead
ALIKE = 1e-6  # of the tolerance: energies that differ by less are one


@dataclass
class Cooling(Displayed):
    """What `cooling_rates` returns; printing it gives a table and the verdict on both laws.

    Attributes
    ----------
    n_steps, times, rates : ndarray (points,)
        Steps, cooling time tau = n_steps*dt, and mean cooling rate (T0 - T1)/tau (NaN where T does
        not fall).
    comparisons : list of Comparison
        One for each point, with the one method called "anneal".
    fits : dict of Fit
        "power", residual ~ tau^-zeta, and "logarithmic", residual ~ (ln tau)^-zeta with tau in
        steps (a microscopic time); empty if fewer than three points have a residual energy above
        zero.
    verdict : str
        Which law describes the residual energy, or that neither does.
    seed : int
        What the seeds of the points, which are in their comparisons, were made from.
    """

    n_steps: np.ndarray
    times: np.ndarray
    rates: np.ndarray
    comparisons: list[Comparison]
    fits: dict[str, Fit]
    verdict: str
    seed: int

    @property
    def residual(self) -> np.ndarray:
        """Mean residual energy with its interval, (points, 3)."""
        return np.array([c["anneal"].residual for c in self.comparisons])

    @property
    def success(self) -> np.ndarray:
        """Share of replicas that found the minimum, with its interval, (points, 3)."""
        return np.array([c["anneal"].success for c in self.comparisons])

    def __str__(self) -> str:
        first = self.comparisons[0]
        lines = [
            f"{first.potential.name}, dim {first.potential.dim}, seed {self.seed}, "
            f"{len(first['anneal'].x)} replicas",
            f"{'steps':>12}  {'cooling time':>12}  {'success (95 %)':>24}  "
            f"{'residual energy (95 %)':>30}",
        ]
        for n, tau, c in zip(self.n_steps, self.times, self.comparisons, strict=True):
            p = c["anneal"].success
            share = f"{100 * p.value:.1f} % [{100 * p.low:.1f}, {100 * p.high:.1f}]"
            lines.append(f"{n:>12,}  {tau:>12.5g}  {share:>24}  {c['anneal'].residual!s:>30}")
        return "\n".join([*lines, *map(str, self.fits.values()), self.verdict])

    __repr__ = __str__

    def plot(self) -> Any:
        """Success and residual energy against cooling time; see `langevin_sa.plots.cooling`."""
        return draw("cooling", self)


def cooling_rates(
    potential: Potential,
    schedule: Any,
    n_steps: Sequence[int] | None = None,
    *,
    rates: Sequence[float] | None = None,
    replicas: int | None = None,
    rng: Any = None,
    integrator: str = "gjf",
    **keywords: Any,
) -> Cooling:
    """Run one schedule over several cooling times and fit a power and a logarithmic law to the
    residual energy.

    Parameters
    ----------
    potential : Potential
        What to cool.
    schedule : Schedule, CoolMomentum, Momentum or SGD
        Laws of progress, which are stretched over the steps.
    n_steps : sequence of int, optional
        Lengths of the runs, each at least 2; a factor of 2 to 10 from one to the next, over some
        decades. One of `n_steps` and `rates` must be given.
    rates : sequence of float, optional
        Instead: mean cooling rates (T0 - T1)/tau, in energy by time.
    replicas, rng, integrator
        As for `compare`. Every cooling time has noise of its own, so that the points are
        independent.
    **keywords
        Passed on to `compare`: x0, tolerance, judged, backend, workers, checkpoint (each cooling
        time writes a file of its own, with the number of steps before the ending; then rng must be
        an int).

    Returns
    -------
    Cooling
        After Ctrl-C of the cooling times that were finished, and the verdict says so;
        KeyboardInterrupt if none was.

    Raises
    ------
    ValueError, TypeError
        For bad input, before the first step.
    """
    if (n_steps is None) == (rates is None):
        raise TypeError(
            "give either n_steps=, the lengths of the runs, or rates=, mean cooling rates (energy "
            "by time)"
        )
    if not hasattr(schedule, "coefficients"):
        kinds = "a Schedule, CoolMomentum, Momentum or SGD"
        raise TypeError(f"schedule must be {kinds}, not {shown(schedule)}")
    look = schedule.coefficients(1000, integrator)
    fall, dt = float(look.temperature[0] - look.temperature[-1]), float(np.mean(look.dt))
    if rates is not None:
        if not fall > 0:
            raise ValueError(
                "the schedule's temperature does not fall, so that it has no cooling rate: give "
                "n_steps"
            )
        if np.ndim(rates) != 1 or not all(finite(rate) and rate > 0 for rate in rates):
            raise ValueError(f"cooling rates must be positive numbers, not {shown(rates)}")
        n_steps = [max(2, round(fall / (rate * dt))) for rate in rates]
    lengths = np.unique(np.asarray(n_steps))
    if lengths.size == 0 or lengths.dtype.kind not in "iu" or lengths[0] < 2:
        raise ValueError(f"n_steps must be integers of at least 2, not {shown(n_steps)}")
    seed = seed_of(rng)
    keywords = {"epochs": 1} | keywords
    keywords |= {"replicas": replicas, "integrator": integrator}
    found: list[Comparison] = []
    interrupted = ""
    for k, n in enumerate(lengths):
        own = keywords | _file(keywords, int(n)) | {"n_steps": int(n), "rng": child_seed(seed, k)}
        try:
            found.append(compare(potential, {"anneal": schedule}, **own))
        except KeyboardInterrupt:
            if not found:
                raise
            interrupted = f"interrupted after {k} of {len(lengths)} cooling times; "
            break
    lengths = lengths[: len(found)]
    # where the minimum is not known, the lowest that any run found
    lowest = min(c.minimum_energy for c in found)
    for k, c in enumerate(found):
        same: dict[str, Any] = {"judged": c.judged, "seed": c.seed, "common_noise": c.common_noise}
        found[k] = judge(potential, c.outcomes, lowest, tolerance=c.tolerance, **same)
    times = lengths * dt
    rate = np.where(fall > 0, fall / times, np.nan)
    fits, verdict = _fitted(lengths, found)
    return Cooling(lengths, times, rate, found, fits, interrupted + verdict, seed)


def _file(keywords: dict[str, Any], n: int) -> dict[str, Any]:
    """The checkpoint of one cooling time, if there is one."""
    if keywords.get("checkpoint") is None:
        return {}
    path = Path(keywords["checkpoint"])
    return {"checkpoint": path.with_suffix(f".{n}{path.suffix}")}


def _fitted(steps: np.ndarray, found: list[Comparison]) -> tuple[dict[str, Fit], str]:
    """Both laws, and which of them the points allow."""
    mean, low, high = np.array([c["anneal"].residual for c in found]).T
    error = (high - low) / (2 * 1.96)
    # replicas that all end alike have no error but that of where their descents stop
    apart = [np.ptp(c["anneal"].energies[c.judged]) > ALIKE * c.tolerance for c in found]
    use = np.isfinite(mean) & (mean > 3 * error) & (error > 0) & apart
    if use.sum() < 3:
        points = f"{int(use.sum())} points whose residual energy is three errors above zero"
        return {}, f"no law can be told from {points}"
    fits = {law: fit_law(law, steps[use], mean[use], error[use]) for law in LAWS}
    better, worse = sorted(fits.values(), key=lambda fit: fit.aic)
    lead = worse.aic - better.aic
    if better.p < POOR:
        verdict = f"neither law fits within the errors (p = {better.p:.1g})"
        return fits, f"{verdict}; the {better.law} law comes closer"
    if lead < CLOSE:
        return fits, f"both laws fit; the points do not tell them apart (AIC differs by {lead:.1f})"
    verdict = f"the {better.law} law fits (p = {better.p:.2g})"
    return fits, f"{verdict}, with an AIC lower by {lead:.1f} than the {worse.law} law"
