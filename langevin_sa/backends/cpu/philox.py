"""Noise: sixteen calls of Philox side by side, and what is made of their words, for blocks of
replicas and for one (`langevin_sa.noise` has the definitions).

Normals are float32 arithmetic on sixteen constants, written in LLVM's terms; the cheaper kinds are
straight-line code for LLVM to vectorize.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import float64, int64, types, uint64
from numba.extending import intrinsic

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
)
from .simd import fma, inline
from .vectors import (
    DOUBLE,
    INTEGER,
    LONG,
    SINGLE,
    all_of,
    call,
    constants,
    item,
    join,
    long,
    splat,
    vector,
)

M0, M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
W0, W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
LOW, HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
LANES = 16  # calls of Philox side by side
# a 512-bit vector multiplies eight words; in this order the words of two are joined by one shuffle
HALVES = ((0, 1, 4, 5, 8, 9, 12, 13), (2, 3, 6, 7, 10, 11, 14, 15))
JOINED = (0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30)


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


def _philox(b: Any, quads: Any, replicas: Any, purpose: Any, k0: Any, k1: Any) -> list[Any]:
    """The same of eight counters; the upper halves of c1 and c3 are left as they come."""
    count = quads.type.count
    low, half = all_of(LONG, int(LOW), count), all_of(LONG, 32, count)
    m0, m1 = all_of(LONG, int(M0), count), all_of(LONG, int(M1), count)
    c0, c1, c2, c3 = quads, b.lshr(quads, half), replicas, splat(b, purpose, count)
    words, upper = vector(INTEGER, 2 * count), [k | 1 for k in range(2 * count)]

    def high(product: Any) -> Any:  # a shuffle, where a shift would wait for the multiplier's port
        halves = b.bitcast(product, words)
        return b.bitcast(join(b, halves, halves, upper), product.type)

    for _ in range(10):
        p0, p1 = b.mul(b.and_(c0, low), m0), b.mul(b.and_(c2, low), m1)
        c0 = b.xor(b.xor(high(p1), c1), splat(b, k0, count))
        c2 = b.xor(b.xor(high(p0), c3), splat(b, k1, count))
        c1, c3 = p1, p0
        k0 = b.and_(b.add(k0, long(int(W0))), long(int(LOW)))
        k1 = b.and_(b.add(k1, long(int(W1))), long(int(LOW)))
    return [c0, c1, c2, c3]


def _polynomial(b: Any, coefficients: np.ndarray, x: Any) -> Any:
    value = all_of(SINGLE, coefficients[0], x.type.count)
    for coefficient in coefficients[1:]:
        value = call(b, "fma", value, x, all_of(SINGLE, coefficient, x.type.count))
    return value


def _box_muller(b: Any, first: Any, second: Any) -> tuple[Any, Any]:
    """Vectors of normals from vectors of words, line by line `langevin_sa.noise.box_muller`."""
    n = first.type.count
    reals, integers = vector(SINGLE, n), vector(INTEGER, n)

    def whole(value: Any) -> Any:
        return all_of(INTEGER, int(value), n)

    def real(value: Any) -> Any:
        return all_of(SINGLE, value, n)

    k = b.ashr(b.sub(b.bitcast(b.uitofp(first, reals), integers), whole(ROOT_HALF)), whole(23))
    k = b.select(b.icmp_signed("<", k, whole(0)), whole(0), k)
    power = b.shl(whole(1), b.and_(k, whole(31)))
    power = b.select(b.icmp_signed("<", k, whole(32)), power, whole(0))
    f = b.fadd(b.sitofp(b.sub(first, power), reals), real(0.5))
    f = b.fmul(f, b.bitcast(b.shl(b.sub(whole(127), k), whole(23)), reals))
    octaves = b.fmul(b.sitofp(b.sub(whole(32), k), reals), real(OCTAVE))
    radius = call(b, "sqrt", call(b, "fma", f, _polynomial(b, LOGARITHM, f), octaves))
    angle = call(
        b, "fma", b.sitofp(b.and_(second, whole(ANGLE)), reals), real(STEP), real(HALF_STEP)
    )
    z = b.fmul(angle, angle)
    sine, cosine = b.fmul(_polynomial(b, SINE, z), angle), _polynomial(b, COSINE, z)
    swap = b.icmp_unsigned("!=", b.and_(second, whole(SWAP_BIT)), whole(0))
    x = b.fmul(b.select(swap, sine, cosine), radius)
    y = b.fmul(b.select(swap, cosine, sine), radius)

    def signed(value: Any, bits: Any) -> Any:
        sign = b.and_(bits, whole(0x80000000))
        return b.bitcast(b.xor(b.bitcast(value, integers), sign), reals)

    return signed(x, second), signed(y, b.shl(second, whole(1)))


def _quartets(b: Any, quads: Any, replicas: Any, purpose: Any, k0: Any, k1: Any) -> list[Any]:
    """Numbers 4q to 4q + 3 of the streams: four vectors, a lane for each call of Philox; `quads`
    and `replicas` give the counters of the eight lanes that they are handed.
    """
    halves = [_philox(b, quads(half), replicas(half), purpose, k0, k1) for half in HALVES]
    kind = vector(INTEGER, LANES)
    words = [
        join(b, b.bitcast(low, kind), b.bitcast(high, kind), JOINED)
        for low, high in zip(*halves, strict=True)
    ]
    return [*_box_muller(b, *words[:2]), *_box_muller(b, *words[2:])]


@intrinsic
def _block_of_normals(
    typing: Any,
    rows: Any,
    column: Any,
    quad: Any,
    replica: Any,
    shift: Any,
    purpose: Any,
    k0: Any,
    k1: Any,
) -> Any:
    """Sixteen lanes of `_quartets` to the four addresses `rows`, from a column on: 2**shift
    replicas, and as many quads as then fill the lanes.
    """

    def build(context: Any, b: Any, signature: Any, args: Any) -> Any:
        rows, column, quad, replica, shift, purpose, k0, k1 = args
        mask = b.sub(b.shl(long(1), shift), long(1))

        def quads(half: Any) -> Any:
            later = b.lshr(constants(*half, kind=LONG), splat(b, shift, len(half)))
            return b.add(splat(b, quad, len(half)), later)

        def replicas(half: Any) -> Any:
            other = b.and_(constants(*half, kind=LONG), splat(b, mask, len(half)))
            return b.add(splat(b, replica, len(half)), other)

        kind = vector(DOUBLE, LANES)
        for k, normals in enumerate(_quartets(b, quads, replicas, purpose, k0, k1)):
            place = item(b, b.extract_value(rows, k), column, kind)
            b.store(b.fpext(normals, kind), place, align=8)
        return context.get_dummy_value()

    whole = types.int64
    return types.void(rows, whole, whole, whole, whole, whole, whole, whole), build


@intrinsic
def _line_of_normals(
    typing: Any, address: Any, quad: Any, replica: Any, purpose: Any, k0: Any, k1: Any
) -> Any:
    """Sixteen quads of one replica to an address, in their order."""

    def build(context: Any, b: Any, signature: Any, args: Any) -> Any:
        address, quad, replica, purpose, k0, k1 = args

        def quads(half: Any) -> Any:
            return b.add(splat(b, quad, len(half)), constants(*half, kind=LONG))

        def replicas(half: Any) -> Any:
            return splat(b, replica, len(half))

        z0, z1, z2, z3 = _quartets(b, quads, replicas, purpose, k0, k1)
        kind = vector(DOUBLE, LANES)
        for k in range(4):  # four quads, sixteen numbers
            side = [lane for q in range(4 * k, 4 * k + 4) for lane in (q, LANES + q)]
            low, high = join(b, z0, z1, side), join(b, z2, z3, side)
            order = [i for q in range(0, 8, 2) for i in (q, q + 1, 8 + q, 8 + q + 1)]
            line = b.fpext(join(b, low, high, order), kind)
            b.store(line, item(b, address, long(LANES * k), kind), align=8)
        return context.get_dummy_value()

    whole = types.int64
    return types.void(whole, whole, whole, whole, whole, whole), build


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


@inline
def _block_normal(
    z: Any, first: int, quads: int, replica: int, columns: int, purpose: int, k0: int, k1: int
) -> None:
    rows = (z[0].ctypes.data, z[1].ctypes.data, z[2].ctypes.data, z[3].ctypes.data)
    shift = 0
    while 1 << shift < min(columns, LANES):
        shift += 1
    for q in range(0, quads, LANES >> shift):
        for i in range(0, columns, LANES):
            _block_of_normals(
                rows, q * columns + i, first + q, replica + i, shift, purpose, int64(k0), int64(k1)
            )


@inline
def _line_normal(
    z: Any, at: int, first: int, quads: int, replica: int, purpose: int, k0: int, k1: int
) -> None:
    for q in range(0, quads, LANES):
        to = z.ctypes.data + 8 * at + 32 * q
        _line_of_normals(to, first + q, replica, purpose, int64(k0), int64(k1))


def _block_filler(draw: Any) -> Any:
    @inline
    def fill(
        z: Any, first: int, quads: int, replica: int, columns: int, purpose: int, k0: int, k1: int
    ) -> None:
        for q in range(quads):
            begin, quad = q * columns, uint64(first + q)
            row0, row1, row2, row3 = (
                z[0, begin : begin + columns],
                z[1, begin : begin + columns],
                z[2, begin : begin + columns],
                z[3, begin : begin + columns],
            )
            for i in range(columns):
                w0, w1, w2, w3 = philox(
                    quad & LOW, quad >> HALF, uint64(replica + i), uint64(purpose), k0, k1
                )
                row0[i], row1[i] = draw(w0, w1)
                row2[i], row3[i] = draw(w2, w3)

    return fill


def _line_filler(draw: Any) -> Any:
    @inline
    def fill(
        z: Any, at: int, first: int, quads: int, replica: int, purpose: int, k0: int, k1: int
    ) -> None:
        for f in range(quads):
            quad, to = uint64(first + f), at + 4 * f
            w0, w1, w2, w3 = philox(
                quad & LOW, quad >> HALF, uint64(replica), uint64(purpose), k0, k1
            )
            z[to], z[to + 1] = draw(w0, w1)
            z[to + 2], z[to + 3] = draw(w2, w3)

    return fill


_block_uniform, _block_three_point = (_block_filler(draw) for draw in (uniform, three_point))
_line_uniform, _line_three_point = (_line_filler(draw) for draw in (uniform, three_point))


@inline
def fill_normals(
    z: Any, first: int, quads: int, replica: int, columns: int, purpose: int, k0: int, k1: int
) -> None:
    """Noise of `columns` replicas from `replica` on, numbers 4*first to 4*(first + quads) - 1 of
    their streams.

    Number 4*(first + q) + j of replica + i goes to ``z[j, q*columns + i]``. There are 1, 2, 4, 8
    or a multiple of 16 columns, and rows have room for 16 numbers more. The kind of noise is in
    `purpose`, see `langevin_sa.noise`.
    """
    if purpose < KIND:
        _block_normal(z, first, quads, replica, columns, purpose, k0, k1)
    elif purpose < 2 * KIND:
        _block_uniform(z, first, quads, replica, columns, purpose, k0, k1)
    else:
        _block_three_point(z, first, quads, replica, columns, purpose, k0, k1)


@inline
def fill_line(
    z: Any, at: int, first: int, quads: int, replica: int, purpose: int, k0: int, k1: int
) -> None:
    """Noise of one replica, numbers 4*first to 4*(first + quads) - 1 of its stream, in their
    order, to z from place `at` on; up to 60 of those that follow may be written behind them.
    """
    if purpose < KIND:
        _line_normal(z, at, first, quads, replica, purpose, k0, k1)
    elif purpose < 2 * KIND:
        _line_uniform(z, at, first, quads, replica, purpose, k0, k1)
    else:
        _line_three_point(z, at, first, quads, replica, purpose, k0, k1)
