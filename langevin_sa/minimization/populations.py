"""Replica exchange and population annealing: ensembles that use several temperatures and say what
the free energy is.

Both end with ``ln Z(T_k)/Z(T_0)``, Z the integral of exp(-U/T) over the bounds, as `log_z` of the
report. Both go on from `ensemble.step` with what they noted in `kept`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.special import logsumexp

from ..tempering.swaps import swapped
from .ensemble import Ensemble


def exchange(
    ensemble: Ensemble,
    temperatures: np.ndarray,
    steps: int,
    sweep: int,
    rng: np.random.Generator,
    report: dict,
    kept: dict[str, Any],
) -> Iterator[float]:
    """Each replica at a temperature of its own; neighbours change places as in
    `langevin_sa.tempering.swaps`.

    ln Z between neighbours by Bennett's ratio at half way; the first fifth is left out.
    """
    beta = 1 / temperatures
    gaps = np.diff(beta)
    if not kept:
        kept |= {"up": [], "down": [], "swaps": 0, "tried": 0}
    for n in range(ensemble.step, steps):
        ensemble.settled = n >= steps // 5
        ensemble.advance(temperatures)
        if n % sweep == sweep - 1:
            u = ensemble.f
            if n >= steps // 5:
                kept["up"].append(-gaps * u[:-1] / 2)
                kept["down"].append(gaps * u[1:] / 2)
            order = np.arange(len(u))
            first = (n // sweep) % 2
            pairs = np.arange(first, len(u) - 1, 2)
            # of a share, which may be drawn as 0
            goes = swapped(u, beta, first, rng.random(len(pairs)) + 1e-300)
            k = pairs[goes]
            order[k], order[k + 1] = k + 1, k
            kept["tried"] += len(pairs)
            kept["swaps"] += len(k)
            scale = np.sqrt(temperatures / temperatures[order])[:, None]
            ensemble.take(order)
            ensemble.du *= scale
            ensemble.kick *= scale
        yield float(temperatures[-1])
    if kept["up"]:
        log_z = np.cumsum(logsumexp(kept["up"], axis=0) - logsumexp(kept["down"], axis=0))
        report |= {"log_z": np.concatenate([[0.0], log_z]), "temperatures": temperatures}
        report["swapped"] = kept["swaps"] / max(1, kept["tried"])


def populate(
    ensemble: Ensemble,
    temperatures: np.ndarray,
    before: int,
    sweep: int,
    rng: np.random.Generator,
    report: dict,
    kept: dict[str, Any],
) -> Iterator[float]:
    """All replicas at one temperature that falls; at each fall they are drawn again by exp(-dBeta
    U), then move `sweep` steps.

    They have `before` times as many steps at the first to come to equilibrium.

    Hukushima, Iba, AIP Conf. Proc. 690, 200 (2003); Machta, Phys. Rev. E 82, 026704 (2010), whose
    ln Z is the sum of ln <exp(-dBeta U)>.
    """
    if not kept:
        kept |= {"log_z": [0.0], "families": np.arange(len(ensemble.u))}
    for k in range(ensemble.step // sweep - before, len(temperatures)):
        t, ensemble.settled = float(temperatures[max(k, 0)]), k >= 0
        if k > 0:
            weights = -(1 / t - 1 / temperatures[k - 1]) * ensemble.f
            mean = float(logsumexp(weights)) - math.log(len(weights))
            kept["log_z"].append(kept["log_z"][-1] + mean)
            shares = np.exp(weights - weights.max())
            chosen = _systematic(shares / shares.sum(), rng)
            ensemble.take(chosen)
            ensemble.du *= math.sqrt(t / temperatures[k - 1])
            ensemble.kick *= math.sqrt(t / temperatures[k - 1])
            kept["families"] = kept["families"][chosen]
        for _ in range(sweep):
            ensemble.advance(t)
        yield t
    report |= {"log_z": np.array(kept["log_z"]), "temperatures": temperatures}
    report["families"] = len(np.unique(kept["families"]))


def _systematic(shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Indices drawn with these shares by one comb of equal teeth, the least noisy way."""
    teeth = (rng.random() + np.arange(len(shares))) / len(shares)
    return np.minimum(np.searchsorted(np.cumsum(shares), teeth), len(shares) - 1)
