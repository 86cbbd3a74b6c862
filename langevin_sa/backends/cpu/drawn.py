"""The noise of several steps as one array, for loops that are not numba's."""

from __future__ import annotations

from typing import Any

import numpy as np

from .keeping import kernel
from .philox import fill_normals

TOGETHER = 64  # replicas whose noise is made side by side, if there are so many


@kernel(nogil=True)
def draw_steps(z: Any, first_step: int, columns: int, stream: Any, low: int, high: int) -> None:
    """Noise (steps, replicas, dim) from step `first_step` on, of groups low <= k < high of
    `columns` replicas; `stream` is that of a `langevin_sa.backends.walk.Walk`.
    """
    replica, purpose, k0, k1 = stream
    steps, replicas, dim = z.shape
    first = (first_step * dim) >> 2
    offset = first_step * dim - 4 * first
    quads = (offset + steps * dim + 3) >> 2
    rows = np.empty((4, quads * columns + 16))
    for k in range(low, high):
        start = k * columns
        count = min(columns, replicas - start)
        fill_normals(rows, first, quads, replica + start, columns, purpose, k0, k1)
        for n in range(steps):
            for i in range(count):
                for d in range(dim):
                    m = offset + n * dim + d
                    z[n, start + i, d] = rows[m & 3, (m >> 2) * columns + i]
