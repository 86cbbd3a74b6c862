"""Free energy differences from the work of runs that drive a system from one landscape to another.

`Result.work` is what these functions take: the work of each replica of a run in which parameters
of the potential are laws of progress, begun in equilibrium. Temperatures are energies.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logsumexp

from .arguments import check_positive, real_array

__all__ = ["bennett", "jarzynski"]


def jarzynski(work: Any, temperature: float) -> tuple[float, float]:
    """Free energy difference by Jarzynski's equality, ``exp(-dF/T) = <exp(-W/T)>``, and its
    standard error.

    Parameters
    ----------
    work : array (n,)
        Work of each of n independent runs.
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
