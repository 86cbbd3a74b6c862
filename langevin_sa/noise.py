"""Counter-based noise: every normal is a pure function of (seed, step, replica, coordinate).

Each replica owns one stream of standard normals and reads `dim` of them a step, so coordinate c of
step n is number ``n*dim + c``. Numbers 4q to 4q+3 come from one call of Philox4x32-10 (Salmon et
al. 2011) with

    key = (seed low, seed high)          counter = (q low, q high, replica, purpose),

whose four words make two Box-Muller pairs: (w0, w1) -> numbers 4q, 4q+1 and (w2, w3) -> 4q+2, 4q+3.
Nothing is stored and nothing has an order, so any step can be made again alone, on any backend and
any split of the work. Normals are float32 numbers, the same on every backend (`box_muller`). With
32-bit uniforms the largest is 6.76, which cuts 1.4e-11 of the distribution.

Two cheaper kinds have the same first moments, one word a number: `uniform` (on +-sqrt 3; mean,
variance and skewness of the normal) and `three-point` (-sqrt 3, 0, sqrt 3 with 1/6, 2/3, 1/6; the
first five moments). Averages then converge with dt as with normals, to first and second order
(Dunweg, Paul 1991); single trajectories and tails are not Gaussian.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

# purposes: streams that never meet; START is that of teaching/noise.js
THERMAL, START, GRADIENT, LAUNCH, RULE, SWAP = 0, 1, 2, 3, 4, 8
KIND = 16  # purpose + KIND*k is noise of the k-th kind
KINDS = ("normal", "uniform", "three-point")

# Box-Muller in float32. Minimax polynomials, highest power first: -2 ln(1 + f)/f for 1 + f from
# sqrt(1/2) to sqrt(2); sin(r)/r and cos(r) in r^2 for r up to pi/4. None errs by 4e-8 of itself.
LOGARITHM = np.array(
    "-0.17444719 0.28733692 -0.29904532 0.33124787 -0.39913666 0.50004148 -0.66668373 0.99999976 "
    "-2.0".split(),
    dtype=np.float32,
)
SINE = np.array([-1.9501822e-04, 8.3320169e-03, -0.16666651, 1.0], dtype=np.float32)
COSINE = np.array([-1.3579404e-03, 4.1654419e-02, -0.49999842, 0.99999994], dtype=np.float32)
OCTAVE = np.float32(2 * np.log(2))
STEP, HALF_STEP = np.float32(np.pi * 2.0**-31), np.float32(np.pi * 2.0**-32)
ROOT_HALF = np.int32(0x3F3504F3)  # bits of sqrt(1/2)
ANGLE, SWAP_BIT = np.uint32(0x1FFFFFFF), np.uint32(0x20000000)

_MULTIPLY = np.array([0xD2511F53, 0xCD9E8D57], dtype=np.uint64)
_WEYL = np.array([0x9E3779B9, 0xBB67AE85], dtype=np.uint64)
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


def philox4x32(counter: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Philox4x32-10 of counters (..., 4) and keys (..., 2), all 32-bit words held in uint64; shape
    (..., 4).
    """
    c0, c1, c2, c3 = np.moveaxis(np.asarray(counter, dtype=np.uint64), -1, 0)
    k0, k1 = np.moveaxis(np.asarray(key, dtype=np.uint64), -1, 0)
    for _ in range(10):
        p0, p1 = _MULTIPLY[0] * c0, _MULTIPLY[1] * c2
        c0, c1, c2, c3 = (p1 >> _HALF) ^ c1 ^ k0, p1 & _LOW, (p0 >> _HALF) ^ c3 ^ k1, p0 & _LOW
        k0, k1 = (k0 + _WEYL[0]) & _LOW, (k1 + _WEYL[1]) & _LOW
    return np.stack(np.broadcast_arrays(c0, c1, c2, c3), axis=-1)


def fma32(a: np.ndarray, b: Any, c: Any) -> np.ndarray:
    """a*b + c of float32 with one rounding, as processors do it.

    The product is exact in float64, but the sum is rounded there and then to float32: one rounding
    too many where the first ends in the middle of two float32. There what it left out decides.
    """
    product = a.astype(np.float64) * b
    total = product + c
    near = total.astype(np.float32)
    away = total - near
    other = total + away  # the float32 on the other side, if total is in the middle
    middle = (other.astype(np.float32) == other) & (away != 0)
    if not middle.any():
        return near
    back = total - product
    left_out = (product - (total - back)) + (c - back)
    return np.where(middle & (left_out * away > 0), other, near).astype(np.float32)


def _polynomial(coefficients: np.ndarray, x: np.ndarray) -> np.ndarray:
    value = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        value = fma32(value, x, coefficient)
    return value


def box_muller(words: np.ndarray) -> np.ndarray:
    """Standard normals from words (..., 2k): each pair of 32-bit words makes a pair of normals.

    All arithmetic is float32 with the roundings written out, so that every backend has these bits:

        radius^2 = -2 ln((a + 1/2)/2^32) = -2 ln(1 + f) + 2 (32 - k) ln 2,  (a + 1/2)/2^k = 1 + f,

    with 2^k the power of two nearest to the first word a. Of the second word the low 29 bits are
    an angle below pi/4 and the others, from the top, the signs of cosine and sine and whether they
    change places. The radius is right within 2e-7 of itself (3e-6 for a = 0).
    """
    words = words.astype(np.uint32)
    first, second = words[..., 0::2], words[..., 1::2]
    k = np.maximum((first.astype(np.float32).view(np.int32) - ROOT_HALF) >> 23, 0)
    power = np.where(k < 32, np.uint32(1) << (k & 31).astype(np.uint32), np.uint32(0))
    f = (first - power).view(np.int32).astype(np.float32) + np.float32(0.5)
    f *= np.ldexp(np.float32(1), -k)
    octaves = (32 - k).astype(np.float32) * OCTAVE
    radius = np.sqrt(fma32(f, _polynomial(LOGARITHM, f), octaves))
    angle = fma32((second & ANGLE).astype(np.float32), STEP, HALF_STEP)
    z = angle * angle
    sine, cosine = _polynomial(SINE, z) * angle, _polynomial(COSINE, z)
    swap = (second & SWAP_BIT) != 0
    x, y = np.where(swap, sine, cosine) * radius, np.where(swap, cosine, sine) * radius
    x, y = np.where(second >> 31, -x, x), np.where(second >> 30 & 1, -y, y)
    return np.stack([x, y], axis=-1).reshape(words.shape).astype(np.float64)


def uniform(words: np.ndarray) -> np.ndarray:
    """Uniform numbers of mean 0 and variance 1, one a word."""
    return ((words + 0.5) * 2.0**-32 - 0.5) * np.sqrt(12)


def three_point(words: np.ndarray) -> np.ndarray:
    """-sqrt(3), 0 or sqrt(3) with probabilities 1/6, 2/3, 1/6, one a word."""
    return np.sqrt(3) * ((words >= 3579139413).astype(float) - (words < 715827883))


def stream(
    seed: int, replicas: np.ndarray, start: int, count: int, purpose: int = THERMAL
) -> np.ndarray:
    """Normals number `start` to ``start + count - 1`` of each replica's stream, shape
    (len(replicas), count).
    """
    first, last = start // 4, (start + count + 3) // 4
    quads = np.arange(first, last, dtype=np.uint64)
    counter = np.empty((len(replicas), quads.size, 4), dtype=np.uint64)
    counter[..., 0], counter[..., 1] = quads & _LOW, quads >> _HALF
    counter[..., 2], counter[..., 3] = np.asarray(replicas, dtype=np.uint64)[:, None], purpose
    words = philox4x32(counter, key_of(seed))
    make = (box_muller, uniform, three_point)[purpose // KIND]
    return make(words).reshape(len(replicas), -1)[:, start - 4 * first :][:, :count]


def purpose_of(kind: str) -> int:
    """The purpose of thermal noise of one of `KINDS`."""
    from .arguments import unknown

    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(unknown(kind, KINDS, "noise"))
    return THERMAL + KIND * KINDS.index(kind)


def normals(
    seed: int, step: int, replicas: np.ndarray, dim: int, purpose: int = THERMAL
) -> np.ndarray:
    """The normals of one step, shape (len(replicas), dim)."""
    return stream(seed, replicas, step * dim, dim, purpose)


def key_of(seed: int) -> np.ndarray:
    """The Philox key of a 64-bit seed: low word, high word."""
    return np.array([seed & 0xFFFFFFFF, seed >> 32], dtype=np.uint64)


def seed_of(rng: Any) -> int:
    """The 64-bit seed that `rng` stands for: an int is itself; a Generator or None draws one (SPEC
    7).

    Raises
    ------
    TypeError, ValueError
        If `rng` is not None, an int in [0, 2^64), or a ``numpy.random.Generator``.
    """
    if rng is None:
        rng = np.random.default_rng()
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**63))
    from .arguments import shown, whole

    if not whole(rng):
        raise TypeError(
            f"rng must be None, an int or a numpy.random.Generator, not {type(rng).__name__}"
        )
    seed = operator.index(rng)
    if not 0 <= seed < 2**64:
        raise ValueError(f"a seed must be in [0, 2**64), not {shown(rng)}")
    return int(seed)


def child_seed(seed: int, k: int) -> int:
    """The seed of the k-th of several runs that are to be independent, also of those of another
    seed.
    """
    return int(np.random.SeedSequence([seed, k]).generate_state(1, np.uint64)[0])
