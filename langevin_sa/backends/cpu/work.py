"""A block of replicas whose potential has parameters that change in the middle of each step: the
parameters, and the work that they do.
"""

from __future__ import annotations

from typing import Any

from .compiled import call_step
from .keeping import kernel


@kernel(nogil=True)
def set_parameters(
    address: int, block: Any, places: Any, laws: Any, t: int, room: Any, n: int, careful: bool
) -> None:
    """Take the parameters of step t, after the work that they did in the step before; where
    replicas may turn back (`careful`) that is taken later, by `add_work`.

    Parameters
    ----------
    address, block : int, tuple of arrays
        The compiled step and its inputs, see `langevin_sa.backends.cpu.blocks`.
    places, laws : int64 array (k,), float64 array (n_steps + 1, k)
        Of a `langevin_sa.laws.Drive`.
    room : float64 array (2*dim + 3, width)
        The sum of work, and room for points, updates and sums.
    """
    if t > 0 and not careful:
        add_work(address, block, block[1], places, laws, t, room, n)
    _put(block[7], places, laws[t])


@kernel(nogil=True)
def add_work(
    address: int, block: Any, before: Any, places: Any, laws: Any, t: int, room: Any, n: int
) -> None:
    """Add U(m; parameters of step t) - U(m; those before) to room[0], with m = (before + x)/2 the
    middle of the step that led to x.
    """
    X, _, _, G, z, _, _, p, rows, size, c = block
    dim = len(X)
    W, spare, E = room[0], room[1], room[2]
    middle, still = room[3 : dim + 3], room[dim + 3 :]
    wanted = c.copy()
    c[:] = 0.0
    for k in range(2):
        for d in range(dim):
            for i in range(n):
                middle[d, i] = 0.5 * (before[d, i] + X[d, i])
        _put(p, places, laws[t - 1 + k])
        call_step(address, (middle, still, still, G, z, spare, E, p, rows, size, c), n)
        for i in range(n):
            W[i] += E[i] if k else -E[i]
    c[:] = wanted


@kernel(nogil=True)
def _put(p: Any, places: Any, row: Any) -> None:
    for k in range(len(places)):
        p[places[k]] = row[k]
