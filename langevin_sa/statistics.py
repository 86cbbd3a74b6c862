"""Intervals and fits for experiments with independent replicas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .arguments import real, real_array, shown

LEVEL, RESAMPLES = 0.95, 4000


class Interval(NamedTuple):
    """An estimate with its 95 % confidence interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}]"


def wilson(successes: int, trials: int) -> Interval:
    """A share with Wilson's score interval, which stays inside [0, 1] and is honest at both ends
    (Wilson 1927).
    """
    if not (real(successes) and real(trials) and 0 <= successes <= trials and trials >= 1):
        given = f"{shown(successes)} of {shown(trials)}"
        raise ValueError(f"a share needs 0 <= successes <= trials and a trial, not {given}")
    z = 1.959963984540054
    p = successes / trials
    middle = (p + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * np.sqrt(p * (1 - p) / trials + z**2 / (4 * trials**2))
    low = 0.0 if successes == 0 else float(middle - half)
    high = 1.0 if successes == trials else float(middle + half)
    return Interval(p, low, high)


def bootstrap_mean(sample: Any, seed: int = 0) -> Interval:
    """A mean with the percentile interval of `RESAMPLES` resamples (Efron 1979); NaN limits for a
    single value.
    """
    sample = real_array(sample, "a sample")
    if sample.ndim != 1 or not sample.size:
        raise ValueError(
            f"a sample is a 1-D array of at least one number, not of shape {sample.shape}"
        )
    if sample.size == 1:
        return Interval(float(sample[0]), np.nan, np.nan)
    generator = np.random.default_rng([seed, 2])
    n = sample.size
    means = [sample[generator.integers(n, size=n)].mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(sample.mean()), float(low), float(high))


def time_to_solution(share: Interval, run: float) -> Interval:
    """TTS99 = run * ln(1 - 0.99)/ln(1 - p): cost until independent runs have found it with 99 %
    probability, at least one run.

    Infinite for p = 0; the interval is that of p, turned around.
    """
    if not (real(run) and run > 0):
        raise ValueError(f"the cost of a run must be a positive number, not {shown(run)}")

    def at(p: float) -> float:
        if p <= 0:
            return float("inf")
        return run if p >= 0.99 else run * float(np.log(0.01) / np.log1p(-p))

    return Interval(at(share.value), at(share.high), at(share.low))


@dataclass(frozen=True)
class Fit:
    """``ln y = ln(amplitude) - zeta*ln(t)``, t the number of steps (power law) or its logarithm
    (logarithmic law).

    Attributes
    ----------
    zeta, zeta_error, amplitude : float
        The exponent, its standard error (widened by chi2/freedom where that is above 1) and the
        factor.
    r2, aic, chi2, freedom, p : float
        Share of the weighted variance explained; chi^2 + 4; chi^2 of the weighted residuals, its
        degrees of freedom, and the probability of a larger one if the law were true.
    """

    law: str
    zeta: float
    zeta_error: float
    amplitude: float
    r2: float
    aic: float
    chi2: float
    freedom: int
    p: float

    def __call__(self, steps: Any) -> Any:
        """The fitted y after a number of steps."""
        return self.amplitude * _clock(self.law, real_array(steps, "steps")) ** -self.zeta

    def __str__(self) -> str:
        time = "tau" if self.law == "power" else "(ln tau)"
        zeta = f"zeta = {self.zeta:.3g} +- {self.zeta_error:.2g}"
        quality = f"R^2 = {self.r2:.3f}, AIC = {self.aic:.1f}"
        chi2 = f"chi^2/freedom = {self.chi2:.1f}/{self.freedom}, p = {self.p:.2g}"
        return f"{self.law}: {time}^-zeta, {zeta}, {quality}, {chi2}"


def _clock(law: str, steps: np.ndarray) -> np.ndarray:
    return steps if law == "power" else np.log(steps)


def fit_law(law: str, steps: Any, y: Any, error: Any) -> Fit:
    """Weighted least squares of ln y; `error` holds standard errors of y.

    Parameters
    ----------
    law : {"power", "logarithmic"}
        y ~ steps^-zeta or y ~ (ln steps)^-zeta (Huse, Fisher, Phys. Rev. Lett. 57, 2203 (1986)).
    steps, y, error : array (points,)
        At least three points, y and error > 0, steps > 1.
    """
    from scipy.stats import chi2 as chi_square

    steps, y, error = (real_array(v, "each of steps, y and error") for v in (steps, y, error))
    if steps.size < 3 or np.any(y <= 0) or np.any(error <= 0) or np.any(steps <= 1):
        raise ValueError(
            "a law is fitted to three points or more with steps > 1, y > 0 and errors > 0"
        )
    weight = y / error
    columns = np.stack([np.ones(steps.size), -np.log(_clock(law, steps))], axis=1)
    weighted = columns * weight[:, None]
    if np.linalg.matrix_rank(weighted) < 2:
        raise ValueError(
            f"a law is fitted to steps that differ and errors of like size, not {shown(steps)} and "
            f"{shown(error)}"
        )
    (a, zeta), *_ = np.linalg.lstsq(weighted, np.log(y) * weight, rcond=None)
    inverse = np.linalg.inv(np.linalg.qr(weighted, mode="r"))  # squares nothing, as X.T @ X would
    covariance = inverse @ inverse.T
    chi2 = float(np.sum((weight * (np.log(y) - columns @ [a, zeta])) ** 2))
    centre = np.average(np.log(y), weights=weight**2)
    spread = float(np.sum((weight * (np.log(y) - centre)) ** 2))
    freedom = steps.size - 2
    widen = np.sqrt(max(1.0, chi2 / freedom))
    error, r2 = float(np.sqrt(covariance[1, 1]) * widen), 1 - chi2 / spread if spread else 0.0
    p = float(chi_square.sf(chi2, freedom))
    return Fit(law, float(zeta), error, float(np.exp(a)), r2, chi2 + 4, chi2, freedom, p)
