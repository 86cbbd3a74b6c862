"""When replicas at two temperatures change places."""

from __future__ import annotations

import numpy as np


def swapped(energies: np.ndarray, beta: np.ndarray, first: int, uniforms: np.ndarray) -> np.ndarray:
    """Whether neighbours k and k + 1 change places, for k = first, first + 2, ...: with probability
    min(1, exp((beta_k - beta_{k+1})(U_k - U_{k+1}))), which keeps the product of their Boltzmann
    densities.

    Swendsen, Wang, Phys. Rev. Lett. 57, 2607 (1986).

    Parameters
    ----------
    energies : ndarray (K, ...)
        U of the replicas at each temperature.
    beta : ndarray (K,)
        1/T.
    first : int
        0 or 1.
    uniforms : ndarray (pairs, ...)
        Uniform numbers above 0.
    """
    gaps = beta[first:-1:2] - beta[first + 1 :: 2]
    change = energies[first:-1:2] - energies[first + 1 :: 2]
    return np.log(uniforms) < gaps.reshape(-1, *(1,) * (energies.ndim - 1)) * change
