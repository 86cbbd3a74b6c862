"""The double well by hand in numba.cuda: what one writes who wants no more than this."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import cuda
from numba.cuda import random

THREADS = 128


def double_well(
    x0: np.ndarray, dtype: str, n: int, rho: float, lr: float, s: float
) -> tuple[Callable[[], Any], Callable[[], np.ndarray]]:
    """One thread a replica of one coordinate (replicas, 1), n steps in one launch with numba's own
    generator: what makes them, and where the replicas are.
    """
    normal = getattr(random, f"xoroshiro128p_normal_{dtype}")
    real = np.dtype(dtype).type
    rho, lr, s, four, one, tilt = map(real, (rho, lr, s, 4, 1, 0.3))

    @cuda.jit
    def kernel(x: Any, states: Any) -> None:
        i = cuda.grid(1)
        if i < x.size:
            here, dx, half = x[i], real(0), real(0)
            for _ in range(n):
                kick = s * normal(states, i)
                dx = rho * dx - lr * (four * here * (here * here - one) + tilt) + kick + half
                half = kick
                here += dx
            x[i] = here

    x = cuda.to_device(x0.ravel().astype(dtype))
    states = random.create_xoroshiro128p_states(len(x0), seed=1)

    def run() -> None:
        kernel[-(-len(x0) // THREADS), THREADS](x, states)
        cuda.synchronize()

    return run, lambda: x.copy_to_host()[:, None]
