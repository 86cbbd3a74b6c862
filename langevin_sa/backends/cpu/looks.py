"""What is seen to after each step of a block: failures, the lowest points, the centre of mass."""

from __future__ import annotations

from typing import Any

import numpy as np

from .keeping import kernel
from .simd import inline

GROUP = 64  # replicas whose best points are updated together


@inline
def look(E: Any, S: Any, BE: Any, X: Any, BX: Any, n: int) -> int:
    """Keep the points that are the lowest so far; the first replica whose energy, or sum of dx^2
    (where a gradient ends up), is not finite, or -1.
    """
    if n == 1:  # a lone replica cannot afford the slices below
        if not np.abs(E[0]) + S[0] < np.inf:
            return 0
        if E[0] < BE[0]:
            BE[0] = E[0]
            for d in range(len(X)):
                BX[d, 0] = X[d, 0]
        return -1
    for low in range(0, n, GROUP):
        m = min(n - low, GROUP)
        e, s, be = E[low : low + m], S[low : low + m], BE[low : low + m]
        better, bad = 0, 0
        for i in range(m):
            better += e[i] < be[i]
            bad += not (np.abs(e[i]) + s[i] < np.inf)
        if bad:
            for i in range(m):
                if not np.abs(e[i]) + s[i] < np.inf:
                    return low + i
        if better:
            for d in range(len(X)):
                x, bx = X[d, low : low + m], BX[d, low : low + m]
                for i in range(m):
                    bx[i] = x[i] if e[i] < be[i] else bx[i]
            for i in range(m):
                be[i] = e[i] if e[i] < be[i] else be[i]
    return -1


@inline
def lost(E: Any, n: int) -> int:
    """The first replica whose energy is not finite, or -1."""
    for i in range(n):
        if not np.abs(E[i]) < np.inf:
            return i
    return -1


@kernel(nogil=True)
def centre(X: Any, Y: Any, DX: Any, S: Any, mass: Any, space: int, weight: float, n: int) -> None:
    """Take the way of the centre of mass, in so many dimensions, out of a step from X to Y, and its
    part out of the sum of dx^2.
    """
    total = mass[::space].sum()
    for k in range(space):
        for i in range(n):
            moved = 0.0
            for d in range(k, len(X), space):
                moved += mass[d] * DX[d, i]
            moved /= total
            for d in range(k, len(X), space):
                DX[d, i] -= moved
                Y[d, i] = X[d, i] + DX[d, i]
            S[i] -= weight * (total * (moved * moved))
