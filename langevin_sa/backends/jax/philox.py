"""The package's noise in JAX, for devices where it is made inside of the loop; see
`langevin_sa.noise`, whose bits these are.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from ...noise import (
    ANGLE,
    COSINE,
    HALF_STEP,
    KIND,
    LOGARITHM,
    OCTAVE,
    ROOT_HALF,
    SINE,
    STEP,
    SWAP_BIT,
    three_point,
    uniform,
)

MULTIPLY, WEYL = (0xD2511F53, 0xCD9E8D57), (0x9E3779B9, 0xBB67AE85)


def normals(stream: Any, step: Any, purpose: int, shape: tuple[int, int]) -> Any:
    """The noise of one step, float64 of shape (replicas, dim).

    Parameters
    ----------
    stream : uint32 array (3,)
        The number of the first replica and the two words of the key.
    step : int64
        Steps done.
    purpose : int
        Which streams, and of which kind of noise.
    """
    replicas, dim = shape
    first, (replica, k0, k1) = step * dim >> 2, stream
    quads = first + jnp.arange((dim + 6) // 4)
    own = (replica + jnp.arange(replicas, dtype=np.uint32))[:, None]
    counter = (quads.astype(np.uint32), (quads >> 32).astype(np.uint32), own, np.uint32(purpose))
    words = _philox4x32(jnp.broadcast_arrays(*counter), k0, k1)
    kind = purpose // KIND
    if kind:
        made = [(uniform, three_point)[kind - 1](word) for word in words]
    else:
        made = [*_box_muller(*words[:2]), *_box_muller(*words[2:])]
    line = jnp.stack(made, axis=-1).reshape(replicas, -1).astype(float)
    return lax.dynamic_slice_in_dim(line, step * dim - 4 * first, dim, axis=1)


def _philox4x32(counter: list[Any], k0: Any, k1: Any) -> list[Any]:
    c0, c1, c2, c3 = counter
    for _ in range(10):
        p0, p1 = (
            factor * c.astype(np.uint64) for factor, c in zip(MULTIPLY, (c0, c2), strict=True)
        )
        high0, high1 = ((p >> 32).astype(np.uint32) for p in (p0, p1))
        c0, c1, c2, c3 = (
            high1 ^ c1 ^ k0,
            p1.astype(np.uint32),
            high0 ^ c3 ^ k1,
            p0.astype(np.uint32),
        )
        k0, k1 = k0 + np.uint32(WEYL[0]), k1 + np.uint32(WEYL[1])
    return [c0, c1, c2, c3]


def _fma(a: Any, b: Any, c: Any) -> Any:
    """a*b + c of float32 with one rounding, as `langevin_sa.noise.fma32` has it."""
    product, c = a.astype(float) * b, c.astype(float)
    total = product + c
    near = total.astype(np.float32)
    away = total - near
    other = total + away
    middle = (other.astype(np.float32) == other) & (away != 0)
    back = total - product
    left_out = (product - (total - back)) + (c - back)
    return jnp.where(middle & (left_out * away > 0), other.astype(np.float32), near)


def _polynomial(coefficients: np.ndarray, x: Any) -> Any:
    value = jnp.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        value = _fma(value, x, coefficient)
    return value


def _box_muller(first: Any, second: Any) -> tuple[Any, Any]:
    """Two float32 normals of two words, as `langevin_sa.noise.box_muller` explains them."""
    k = jnp.maximum(
        (lax.bitcast_convert_type(first.astype(np.float32), np.int32) - ROOT_HALF) >> 23, 0
    )
    power = jnp.where(k < 32, np.uint32(1) << (k & 31).astype(np.uint32), np.uint32(0))
    f = lax.bitcast_convert_type(first - power, np.int32).astype(np.float32) + np.float32(0.5)
    f *= lax.bitcast_convert_type((127 - k) << 23, np.float32)  # 2^-k
    octaves = (32 - k).astype(np.float32) * OCTAVE
    radius = jnp.sqrt(_fma(f, _polynomial(LOGARITHM, f), octaves))
    angle = _fma((second & ANGLE).astype(np.float32), STEP, HALF_STEP)
    z = angle * angle
    sine, cosine = _polynomial(SINE, z) * angle, _polynomial(COSINE, z)
    swap = (second & SWAP_BIT) != 0
    x, y = jnp.where(swap, sine, cosine) * radius, jnp.where(swap, cosine, sine) * radius
    return jnp.where(second >> 31 != 0, -x, x), jnp.where(second >> 30 & 1 != 0, -y, y)
