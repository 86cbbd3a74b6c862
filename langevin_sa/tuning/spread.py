"""The first temperature by the spread of energies alone."""

from __future__ import annotations

import numpy as np

ROUNDING = 1e-12  # of the size of energies, which are sums of many terms


def spread_temperature(energies: np.ndarray, dim: int) -> float:
    """The temperature at which `dim` quadratic degrees of freedom have this spread of energies, 1
    where there is no spread: std(U) = T sqrt(dim/2).

    The spread is taken from quartiles, so that a few points on steep walls do not set it.
    """
    sound = energies[np.isfinite(energies)]
    low, high = np.quantile(sound, (0.25, 0.75)) if sound.size else (0.0, 0.0)
    return float(high - low) / 1.349 * float(np.sqrt(2 / dim)) or 1.0


@np.errstate(all="ignore")  # of energies that fall for ever
def ranked(energies: np.ndarray, grain: float) -> np.ndarray:
    """Numbers of the finite energies, the lowest first, in their own order where they differ by
    less than a grain: which of equal minima comes first is not a matter of rounding.
    """
    finite = np.flatnonzero(np.isfinite(energies))
    above = energies[finite] - energies[finite].min(initial=np.inf)
    order: np.ndarray = finite[
        np.argsort(np.round(above / grain) if grain else above, kind="stable")
    ]
    return order


@np.errstate(all="ignore")
def low_spread(energies: np.ndarray, noise: float = 0.0) -> float:
    """Standard deviation of the lower three quarters of finite energies; of more of them if these
    differ by no more than `noise`, which energies of one minimum may, or rounding.

    What stands on a wall, or never came down, does not count.
    """
    sound = np.sort(energies[np.isfinite(energies)])
    for share in (0.75, 0.9, 1.0):
        lower = sound[: int(np.ceil(share * sound.size))]
        width = float(np.std(lower)) if lower.size else 0.0
        if np.inf > width > max(noise, ROUNDING * float(np.abs(lower).min(initial=np.inf))):
            return width
    return 0.0
