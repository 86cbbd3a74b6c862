"""Intervals, fits and free energies from experiments with independent replicas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logsumexp
from scipy.stats import binomtest, bootstrap

from .arguments import check_positive, real, real_array, shown

LEVEL, RESAMPLES = 0.95, 4000
FINENESS = 2**20  # parts of a sample's range, within which values are one
BATCH = 2**22  # numbers that are drawn at once
MOST_SKEWED = 8192  # values of a sample whose skewness is looked at


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
    found = binomtest(int(successes), int(trials)).proportion_ci(LEVEL, "wilson")
    return Interval(successes / trials, float(found.low), float(found.high))


def bootstrap_mean(sample: Any, seed: int = 0) -> Interval:
    """A mean with the bias-corrected, accelerated interval of `RESAMPLES` resamples (Efron 1987),
    which follows the skewness of a sample; NaN limits for a single value.
    """
    sample = real_array(sample, "a sample")
    if sample.ndim != 1 or not sample.size:
        raise ValueError(
            f"a sample is a 1-D array of at least one number, not of shape {sample.shape}"
        )
    if sample.size == 1:
        return Interval(float(sample[0]), np.nan, np.nan)
    low = float(sample.min())
    width = float(sample.max()) - low
    if not 0 < width < np.inf:  # all alike, or not finite
        end = low if width == 0 else np.nan
        return Interval(float(sample.mean()), end, end)
    # no power of these is beyond floating point, and of values alike but for rounding all sums are
    # alike: the bias is a count of resamples below the mean
    shares = np.rint((sample - low) / width * FINENESS) / FINENESS
    # of a large sample the skewness no longer shows, and its jackknife takes n^2
    method = "BCa" if sample.size <= MOST_SKEWED else "percentile"
    generator = np.random.default_rng([seed, 2])
    keywords = {"batch": max(1, BATCH // sample.size), "confidence_level": LEVEL, "rng": generator}
    found = bootstrap((shares,), np.mean, n_resamples=RESAMPLES, method=method, **keywords)
    ends = (low + width * float(end) for end in found.confidence_interval)
    return Interval(float(sample.mean()), *ends)


def time_to_solution(share: Interval, run: float) -> Interval:
    """TTS99 = run * ln(1 - 0.99)/ln(1 - p): cost, in the unit of `run`, after which independent
    runs have found it at least once with 99 % probability; at least one run.

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


def jarzynski(work: Any, temperature: float) -> tuple[float, float]:
    """Free energy difference by Jarzynski's equality, ``exp(-dF/T) = <exp(-W/T)>``, and its
    standard error.

    Parameters
    ----------
    work : array (n,)
        Work of each of n independent runs that began in equilibrium, as in `Result.work`.
    temperature : float
        In units of the energy.

    Returns
    -------
    (float, float)
        dF, which is biased upwards by about error^2/(2 T), and the error to first order: both are
        good only while the work spreads over a few T. Beyond, drive more slowly or take `bennett`.

    References
    ----------
    C. Jarzynski, Phys. Rev. Lett. 78, 2690 (1997).

    Examples
    --------
    >>> float(jarzynski([2.0, 2.0, 2.0], 1.0)[0])
    2.0
    """
    w = _works(work, "work", temperature)
    mean = logsumexp(-w) - np.log(len(w))
    error = np.std(np.exp(-w - mean), ddof=1) / np.sqrt(len(w))
    return float(-temperature * mean), float(temperature * error)


def bennett(forward: Any, reverse: Any, temperature: float) -> tuple[float, float]:
    """Free energy difference by Bennett's acceptance ratio, and its standard error.

    By Crooks' theorem ``P(W)/P_reverse(-W) = exp((W - dF)/T)``, of which this is the estimate of
    largest likelihood: it solves ``sum 1/(1 + e^(M + (W - dF)/T)) = sum 1/(1 + e^(-M + (W' +
    dF)/T))`` with M = ln(n/n').

    Parameters
    ----------
    forward, reverse : arrays (n,), (n',)
        Work of independent runs from the first landscape to the last, and of runs from the last
        to the first, with laws in the reverse order, each begun in its own equilibrium.
    temperature : float
        In units of the energy.

    Returns
    -------
    (float, float)
        dF = F(last) - F(first), and its standard error.

    References
    ----------
    C. H. Bennett, J. Comput. Phys. 22, 245 (1976); M. R. Shirts, E. Bair, G. Hooker and V. S.
    Pande, Phys. Rev. Lett. 91, 140601 (2003), Eqs. (8) and (10).

    Examples
    --------
    >>> round(bennett([2.0, 3.0], [-2.0, -1.0], 1.0)[0], 9)
    2.0
    """
    there, back = (
        _works(given, name, temperature)
        for given, name in ((forward, "forward"), (reverse, "reverse"))
    )
    n, m = len(there), len(back)
    shift = np.log(n / m)

    def excess(f: float) -> float:
        return float(expit(f - shift - there).sum() - expit(shift - f - back).sum())

    low, high = min(there.min(), -back.max()), max(there.max(), -back.min())
    reach = 1 + abs(shift) + np.log(n + m)
    f = float(brentq(excess, low - reach, high + reach, xtol=1e-13 * (1 + high - low)))
    # of the logistic likelihood, less what the fixed numbers of runs take off
    weights = np.concatenate([expit(f - shift - there), expit(shift - f - back)])
    variance = 1 / float((weights * (1 - weights)).sum()) - 1 / n - 1 / m
    return temperature * f, float(temperature * np.sqrt(max(variance, 0.0)))


def _works(given: Any, name: str, temperature: float) -> np.ndarray:
    """Works in units of the temperature."""
    check_positive(temperature=temperature)
    work = real_array(given, name)
    if work.ndim != 1 or len(work) < 2 or not np.isfinite(work).all():
        raise ValueError(
            f"{name} must be the finite work of at least two runs, shape (n,), not an array of "
            f"shape {work.shape}"
        )
    out: np.ndarray = work / float(temperature)
    return out
