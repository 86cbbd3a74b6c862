"""How a block of replicas turns back: those whose step met a place where the energy or the gradient
is not finite.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..walk import DIVERGED
from .compiled import call_step
from .keeping import kernel


@kernel(nogil=True)
def keep(Y: Any, DX: Any, S: Any, kept: Any, n: int) -> None:
    """Note the positions before the step, the update that it made and the sum of dx^2: rows 0 to
    dim - 1, dim to 2*dim - 1 and 2*dim of `kept`.
    """
    dim = len(Y)
    for d in range(dim):
        for i in range(n):
            kept[d, i], kept[dim + d, i] = Y[d, i], DX[d, i]
    for i in range(n):
        kept[2 * dim, i] = S[i]


@kernel(nogil=True)
def turn_back(
    address: int, block: Any, kept: Any, NOISE: Any, BE: Any, BX: Any, failures: Any, bad: int
) -> int:
    """Turn back the replicas of a block whose step failed, and take their next step from there.

    Parameters
    ----------
    address, block : int, tuple of arrays
        The compiled step and its inputs, see `langevin_sa.backends.cpu.blocks`; it was just called
        at x of the step that is looked at.
    kept : float64 array (2*dim + 1, width)
        What `keep` noted before that.
    NOISE, BE, BX : arrays
        What paired noise carries on, lowest energies, and where those were.
    failures : int64 array (n, 2)
        Of the replicas' `Walk.failures`.
    bad : int
        Negative if nothing was found that is not finite.

    Returns
    -------
    int
        A replica for which this is no wall, because it diverged; -1 if there is none.
    """
    X, _, DX, _, _, S, E, _, _, _, c = block
    dim, n = len(X), len(failures)
    if bad < 0:
        failures[:, 1] = 0
        return -1
    # with these coefficients the update is minus the gradient
    wanted = c.copy()
    c[:] = 0.0
    c[1] = 1.0
    _restore(DX, S, kept, n)
    call_step(address, block, n)
    fails, finite = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
    for i in range(n):
        fails[i] = not np.abs(E[i]) < np.inf
        for d in range(dim):
            fails[i] = fails[i] or not np.abs(DX[d, i]) < np.inf
    _restore(DX, S, kept, n)
    c[:] = wanted
    for i in range(n):
        finite[i] = True
        for d in range(dim):
            finite[i] = finite[i] and np.abs(DX[d, i]) < np.inf
            if fails[i]:
                X[d, i], DX[d, i], NOISE[d, i] = kept[d, i], -DX[d, i], -NOISE[d, i]
        failures[i, 1] = failures[i, 1] + 1 if fails[i] else 0
        failures[i, 0] += fails[i]
    call_step(address, block, n)
    for i in range(n):
        if fails[i] and not (finite[i] and np.abs(E[i]) < DIVERGED):
            return i
        if E[i] < BE[i]:
            BE[i] = E[i]
            for d in range(dim):
                BX[d, i] = X[d, i]
    return -1


@kernel(nogil=True)
def _restore(DX: Any, S: Any, kept: Any, n: int) -> None:
    dim = len(DX)
    for i in range(n):
        S[i] = kept[2 * dim, i]
        for d in range(dim):
            DX[d, i] = kept[dim + d, i]
