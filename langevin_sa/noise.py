"""Counter-based noise: every normal is a pure function of (seed, step, replica, coordinate).

Each replica owns one stream of standard normals and reads `dim` of them a step, so coordinate c of
step n is number ``n*dim + c``. Numbers 4q to 4q+3 come from one call of Philox4x32-10 (Salmon et
al. 2011) with

    key = (seed low, seed high)          counter = (q low, q high, replica, purpose),

whose four words make two Box-Muller pairs: (w0, w1) -> numbers 4q, 4q+1 and (w2, w3) -> 4q+2, 4q+3.
Nothing is stored and nothing has an order, so any step can be made again alone, on any backend and
any split of the work. With 32-bit uniforms the largest normal is 6.76, which cuts 1.4e-11 of the
distribution.

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


def box_muller(words: np.ndarray) -> np.ndarray:
    """Standard normals from words (..., 2k): each pair of 32-bit words makes a pair of normals."""
    radius = np.sqrt(-2 * np.log((words[..., 0::2] + 0.5) * 2.0**-32))
    angle = words[..., 1::2] * (2 * np.pi * 2.0**-32)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1).reshape(words.shape)


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
