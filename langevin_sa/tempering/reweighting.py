"""What samples at several temperatures say together: the multistate Bennett acceptance ratio.

Shirts, Chodera, J. Chem. Phys. 129, 124105 (2008). All samples count as drawn from the mixture of
the Boltzmann densities, whose ratios of normalizations are those that are most likely.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp


def log_partition(energies: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """ln Z at each temperature less that at the last one, Z the integral of exp(-beta U) over
    positions.

    Parameters
    ----------
    energies : ndarray (K, n)
        U of n samples at each temperature.
    beta : ndarray (K,)
        1/T.
    """
    lowest, count = energies.min(), energies.size
    u, mean = (energies - lowest).ravel(), (energies - lowest).mean(1)
    # d ln Z/d beta = -<U>
    steps = np.diff(beta) * (mean[1:] + mean[:-1]) / 2
    guess = np.append(np.cumsum(steps[::-1])[::-1], 0.0)
    if len(beta) == 1:
        return guess

    def shares(free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """ln of the mixture, and to which temperature a sample belongs (samples, K)."""
        terms = -np.append(free, 0.0) - beta * u[:, None]
        mixture = logsumexp(terms, axis=1)
        return mixture, np.exp(terms - mixture[:, None])

    def misfit(free: np.ndarray) -> tuple[float, np.ndarray]:
        mixture, share = shares(free)
        slope = 1 / len(beta) - share.mean(0)
        return mixture.mean() + free.sum() / len(beta), slope[:-1]

    def curvature(free: np.ndarray) -> np.ndarray:
        share = shares(free)[1]
        return (np.diag(share.mean(0)) - share.T @ share / count)[:-1, :-1]

    found = minimize(
        misfit, guess[:-1], jac=True, hess=curvature, method="trust-exact", options={"gtol": 1e-9}
    )
    return np.append(found.x, 0.0) - (beta - beta[-1]) * lowest


def weights(energies: np.ndarray, beta: np.ndarray, log_z: np.ndarray, at: float) -> np.ndarray:
    """The share of each sample in an average at another 1/T, of the shape of `energies` (K, n)."""
    lowest = energies.min()
    u = energies - lowest
    terms = -(log_z + beta * lowest)[:, None, None] - beta[:, None, None] * u
    log_w = -at * u - logsumexp(terms, axis=0)
    w: Any = np.exp(log_w - log_w.max())
    return w / w.sum()
