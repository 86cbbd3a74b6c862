"""Noise as straight-line code: Philox words and what is made of them, for blocks of replicas and
for one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import float64, int64, uint64

from ...noise import KIND
from .simd import cos_reduced, fma, inline, log_positive, sin_reduced

M0, M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
W0, W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
LOW, HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


@inline
def philox(c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> tuple[Any, Any, Any, Any]:
    """Philox4x32-10 on 32-bit words held in uint64, see `langevin_sa.noise`."""
    for _ in range(10):
        p0 = M0 * c0
        p1 = M1 * c2
        c0 = (p1 >> HALF) ^ c1 ^ k0
        c2 = (p0 >> HALF) ^ c3 ^ k1
        c1 = p1 & LOW
        c3 = p0 & LOW
        k0 = (k0 + W0) & LOW
        k1 = (k1 + W1) & LOW
    return c0, c1, c2, c3


@inline
def _log_word(a: int) -> float:
    """log((a + 1/2)/2^32) of a 32-bit word."""
    return log_positive(fma(float64(int64(a)), 2.0**-32, 2.0**-33))


@inline
def box_muller(a: int, b: int) -> tuple[float, float]:
    """Two standard normals from two 32-bit words, see `langevin_sa.noise`."""
    radius = math.sqrt(-2.0 * _log_word(a))
    w = int64(b)
    n = (w + 0x20000000) >> 30  # quarter turns, to the nearest
    r = float64(w - (n << 30)) * (math.pi * 2.0**-31)
    z = r * r
    s, c = sin_reduced(r, z), cos_reduced(z)
    cosine = s if n & 1 else c
    sine = c if n & 1 else s
    cosine = -cosine if (n + 1) & 2 else cosine
    sine = -sine if n & 2 else sine
    return radius * cosine, radius * sine


@inline
def uniform(a: int, b: int) -> tuple[float, float]:
    """Two uniform numbers of mean 0 and variance 1."""
    width = math.sqrt(12.0)
    return (fma(float64(int64(a)), 2.0**-32, 2.0**-33) - 0.5) * width, (
        fma(float64(int64(b)), 2.0**-32, 2.0**-33) - 0.5
    ) * width


@inline
def three_point(a: int, b: int) -> tuple[float, float]:
    """Two numbers that are -sqrt(3), 0 or sqrt(3) with probabilities 1/6, 2/3, 1/6."""
    side = math.sqrt(3.0)
    return side * ((int64(a) >= HIGH_SIXTH) - (int64(a) < LOW_SIXTH)), side * (
        (int64(b) >= HIGH_SIXTH) - (int64(b) < LOW_SIXTH)
    )


LOW_SIXTH, HIGH_SIXTH = 715827883, 3579139413  # of 2^32


def _block_filler(draw: Any) -> Any:
    @inline
    def fill(
        z: Any, first: int, quads: int, replica: int, shift: int, purpose: int, k0: int, k1: int
    ) -> None:
        row0, row1, row2, row3 = z[0], z[1], z[2], z[3]
        mask = (1 << shift) - 1
        for f in range(quads << shift):
            quad = uint64(first + (f >> shift))
            w0, w1, w2, w3 = philox(
                quad & LOW, quad >> HALF, uint64(replica + (f & mask)), uint64(purpose), k0, k1
            )
            row0[f], row1[f] = draw(w0, w1)
            row2[f], row3[f] = draw(w2, w3)

    return fill


def _line_filler(draw: Any) -> Any:
    @inline
    def fill(z: Any, first: int, quads: int, replica: int, purpose: int, k0: int, k1: int) -> None:
        for f in range(quads):
            quad = uint64(first + f)
            w0, w1, w2, w3 = philox(
                quad & LOW, quad >> HALF, uint64(replica), uint64(purpose), k0, k1
            )
            z[4 * f], z[4 * f + 1] = draw(w0, w1)
            z[4 * f + 2], z[4 * f + 3] = draw(w2, w3)

    return fill


_block_normal, _block_uniform, _block_three_point = (
    _block_filler(draw) for draw in (box_muller, uniform, three_point)
)
_line_normal, _line_uniform, _line_three_point = (
    _line_filler(draw) for draw in (box_muller, uniform, three_point)
)


@inline
def fill_normals(
    z: Any, first: int, quads: int, replica: int, shift: int, purpose: int, k0: int, k1: int
) -> None:
    """Noise of ``2**shift`` replicas from `replica` on, numbers 4*first to 4*(first + quads) - 1 of
    their streams.

    Number 4*(first + q) + j of replica + i goes to ``z[j, (q << shift) + i]``: one long loop,
    whatever the block's shape. The kind of noise is in `purpose`, see `langevin_sa.noise`.
    """
    if purpose < KIND:
        _block_normal(z, first, quads, replica, shift, purpose, k0, k1)
    elif purpose < 2 * KIND:
        _block_uniform(z, first, quads, replica, shift, purpose, k0, k1)
    else:
        _block_three_point(z, first, quads, replica, shift, purpose, k0, k1)


@inline
def fill_line(z: Any, first: int, quads: int, replica: int, purpose: int, k0: int, k1: int) -> None:
    """Noise of one replica, numbers 4*first to 4*(first + quads) - 1 of its stream, in their
    order.
    """
    if purpose < KIND:
        _line_normal(z, first, quads, replica, purpose, k0, k1)
    elif purpose < 2 * KIND:
        _line_uniform(z, first, quads, replica, purpose, k0, k1)
    else:
        _line_three_point(z, first, quads, replica, purpose, k0, k1)
