"""Why every integrator with one force a step is Momentum: velocities are taken out of a scheme of
kick, drift and kick, and what its noises leave in dx is a moving average of two steps.

Written as ``vh = A v + B f(x) + N1, x' = x + C vh + N2, v' = A2 vh + B2 f(x') + N3``, the updates
dx = C vh + N2 obey

    dx_{n+1} = A A2 dx_n + C (A B2 + B) f(x_{n+1}) + W_{n+1}
    W_{n+1} = [C N1 + N2]_{n+1} + [C A N3 - A A2 N2]_n

W has the covariance of ``kick_{n+1} z_{n+1} + tail_n z_n`` with one normal a step, if ``kick_n^2 +
tail_{n-1}^2`` is the variance of W_n and ``kick_n tail_n`` the covariance of W_n and W_{n+1}.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Scheme = Callable[[Any, Any], tuple[Any, ...]]
# Steps over which kick and tail are followed: a mistake shrinks by (tail/kick)^2 in each, which is
# below 1/13 for all rows
MEMORY = 16
SAME = (
    1e-14  # of the product of variances: noises that are multiples of each other, but for rounding
)


def reduced(
    temperature: Any, A: Any, B: Any, C: Any, A2: Any, B2: Any, noise: Any
) -> tuple[Any, Any, Any, Any]:
    """rho, lr, s and share of a scheme, see `langevin_sa.integrators.kick_drift_kick`."""
    now, later = (C, 1.0, 0.0), (0.0, -A * A2, C * A)

    def covariance(p: Any, q: Any) -> Any:
        return sum(p[i] * q[j] * noise[i][j] for i in range(3) for j in range(3))

    shape = np.shape(temperature)
    own, mixed, next_ = (
        np.broadcast_to(np.asarray(v, dtype=float), shape)
        for v in (covariance(now, now), covariance(now, later), covariance(later, later))
    )
    return A * A2, C * (A * B2 + B), *_taps(own, mixed, next_, np.asarray(temperature))


def _taps(own: Any, mixed: Any, later: Any, temperature: Any) -> tuple[Any, Any]:
    """s and share of each step from what the noises of a step do: the variance of their part in
    its own dx, that of their part in the next one, and the covariance of the two, at temperature 1.
    """
    unit = _stationary(own, mixed, later)
    kick2 = unit * temperature
    if np.ndim(kick2):
        first, (own_T, mixed_T, later_T) = kick2[:1], (v * temperature for v in (own, mixed, later))
        for _ in range(MEMORY):
            tail2 = _divided(mixed_T**2, kick2)
            kick2 = np.concatenate([first, own_T[1:] + (later_T - tail2)[:-1]])
    kick = np.sqrt(kick2)
    tail = _divided(mixed * temperature, kick)
    still = _divided(mixed, unit + mixed)  # of no noise: as at any temperature
    s = kick + tail
    return s, np.where(s > 0, _divided(tail, s), still)


def _stationary(own: Any, mixed: Any, later: Any) -> Any:
    """kick^2 where steps do not change: the larger root of kick^2 + tail^2 = own + later, kick
    tail = mixed.
    """
    free = own * later - mixed**2
    free = np.where(free > SAME * own * later, free, 0.0)
    return (own + later + np.sqrt((own - later) ** 2 + 4 * free)) / 2


def _divided(p: Any, q: Any) -> Any:
    return np.divide(p, q, out=np.zeros(np.shape(q)), where=np.asarray(q) > 0)


def drifting(word: str) -> Scheme:
    """The scheme of a splitting of letters A, B and O, from one force to the next: kicks and
    friction first, then drifts and friction.
    """
    letters = word.upper() if isinstance(word, str) else ""
    start = next((k for k, c in enumerate(letters) if c == "B" and _after_drift(letters, k)), 0)
    turned = letters[start:] + letters[:start]
    if set(letters) != set("ABO") or "B" in turned[turned.index("A") :]:
        raise ValueError(
            f"a splitting with one force a step is a word of A, B and O in which no A lies between "
            f"two Bs, as in OBABO or BAOAB (the last B and the first go together), not {word!r}"
        )
    parts = turned[: turned.index("A")], turned[turned.index("A") :]

    def scheme(gamma: Any, dt: Any) -> tuple[Any, ...]:
        share = {c: dt / letters.count(c) for c in "ABO"}
        keep, heat = np.exp(-gamma * share["O"]), -np.expm1(-2 * gamma * share["O"])
        A, B, kicked = 1.0, 0.0, 0.0
        for c in parts[0]:
            if c == "B":
                B = B + share["B"]
            else:
                A, B, kicked = A * keep, B * keep, kicked * keep**2 + heat
        C, A2, xx, xv, vv = 0.0, 1.0, 0.0, 0.0, 0.0
        for c in parts[1]:
            if c == "A":
                h = share["A"]
                C, xx, xv = C + h * A2, xx + 2 * h * xv + h**2 * vv, xv + h * vv
            else:
                A2, xv, vv = A2 * keep, xv * keep, vv * keep**2 + heat
        return A, B, C, A2, 0.0, [[kicked, 0, 0], [0, xx, xv], [0, xv, vv]]

    return scheme


def _after_drift(letters: str, k: int) -> bool:
    """Whether the letter before place k that is no O is an A."""
    before = (letters[k:] + letters[:k]).replace("O", "")
    return before.endswith("A")
