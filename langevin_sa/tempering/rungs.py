"""Temperatures between two, at which neighbours change places equally often.

Where energies are nearly normal, so is the logarithm of the acceptance ratio, with a mean of -d and
a variance of 2 d, d = (beta_k - beta_{k+1})(<U>_{k+1} - <U>_k); neighbours then swap with
probability erfc(sqrt(d)/2) (Predescu, Predescu, Ciobanu, J. Chem. Phys. 120, 4119 (2004)). sqrt(d)
adds up along the ladder, as long as the heat capacity changes little from rung to rung, so that
rungs at equal distances swap equally often.
"""

from __future__ import annotations

import numpy as np
from scipy.special import erfcinv


def spaced(temperatures: np.ndarray, energies: np.ndarray, acceptance: float) -> np.ndarray:
    """The fewest temperatures, from the first to the last one, of which neighbours change places
    with at least this probability.

    Parameters
    ----------
    temperatures, energies : ndarray (n,)
        Rising temperatures, and <U> at each.
    acceptance : float
        In (0, 1).
    """
    beta, rising = 1 / temperatures, np.maximum.accumulate(energies)
    way = np.append(0.0, np.cumsum(np.sqrt(-np.diff(beta) * np.diff(rising))))
    # where <U> does not change at all, any place will do
    way += 1e-9 * max(way[-1], 1.0) * np.arange(len(way))
    gaps = max(1, int(np.ceil(way[-1] / (2 * erfcinv(acceptance)) - 1e-6)))
    at = np.linspace(0.0, way[-1], gaps + 1)
    lowest = temperatures[0]  # ratios are to the bit those of any other unit
    chosen = lowest * np.exp(np.interp(at, way, np.log(temperatures / lowest)))
    chosen[[0, -1]] = temperatures[[0, -1]]
    return chosen
