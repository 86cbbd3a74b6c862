"""The law of the normals against the normal law: that of the construction itself, all first words,
and 10^9 of them as replicas and steps use them.

python benchmarks/normals.py [--draws 1e9] [--seed 1]

Deviations of draws are in standard errors. `tests/test_many_normals.py` asserts what is printed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import numpy as np
from numba import njit, types
from numba.extending import intrinsic
from scipy.stats import chi2, norm, poisson
from timing import machine

from langevin_sa.backends.cpu.philox import LANES, _box_muller, fill_normals
from langevin_sa.backends.cpu.vectors import DOUBLE, INTEGER, constants, item, long, splat, vector
from langevin_sa.noise import key_of

CELLS, PER_UNIT = 2048, 128  # of a histogram from -8 to 8
POWERS, SIGMAS = np.arange(1, 7), (3, 4, 5, 6)
LAGS = np.array([1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 32])
COLUMNS, QUADS = 256, 16  # replicas side by side and calls of Philox of each, looked at at a time
GOLDEN = 2654435769  # odd, so that k*GOLDEN are all words; (k, k*GOLDEN)/2^32 is evenly spread
CLOSEST = 1 << 28  # pairs of words of which a tail is made

# moments 0 to 12 of the normal law, and the probability of each cell
MOMENTS = np.array([0 if k % 2 else np.prod(np.arange(1.0, k, 2)) for k in range(13)])
EDGES = np.arange(CELLS + 1) / PER_UNIT - 8
SHARES = np.diff(norm.cdf(EDGES[: CELLS // 2 + 1]))
SHARES = np.concatenate([SHARES, SHARES[::-1]])


@intrinsic
def box_muller(typing: Any, address: Any, first: Any, second: Any, stride: Any, factor: Any) -> Any:
    """Sixteen lanes of Box-Muller, of the words first + lane*stride and second + lane*factor, to an
    address: 32 numbers.
    """

    def build(context: Any, b: Any, signature: Any, args: Any) -> Any:
        address, *rest = args
        word = [b.trunc(number, INTEGER) for number in rest]
        lanes = constants(*range(LANES))
        first, second = (
            b.add(splat(b, at, LANES), b.mul(lanes, splat(b, by, LANES)))
            for at, by in zip(word[:2], word[2:], strict=True)
        )
        kind = vector(DOUBLE, LANES)
        for k, normals in enumerate(_box_muller(b, first, second)):
            b.store(b.fpext(normals, kind), item(b, address, long(LANES * k), kind), align=8)
        return context.get_dummy_value()

    whole = types.int64
    return types.void(whole, whole, whole, whole, whole), build


@njit(error_model="numpy", fastmath=True)
def count(z: Any, sums: Any, cells: Any) -> float:
    """Add powers of the numbers to `sums` and the numbers to `cells`, one row for every fourth; the
    largest so far, in size.
    """
    s1 = s2 = s3 = s4 = s5 = s6 = largest = 0.0
    for i in range(z.size):
        x = z[i]
        y = x * x
        s1 += x
        s2 += y
        s3 += x * y
        s4 += y * y
        s5 += x * y * y
        s6 += y * y * y
        largest = max(largest, abs(x))
    for k, s in enumerate((s1, s2, s3, s4, s5, s6)):
        sums[k] += s
    for i in range(0, z.size, 4):
        for k in range(4):
            cells[k, int(z[i + k] * PER_UNIT + CELLS // 2)] += 1
    return largest


@njit(error_model="numpy")
def construction(bits: int, pairs: int) -> tuple[Any, Any, float]:
    """Moments 1 to 6, shares of the cells and the largest number of what Box-Muller makes of the
    first words below 2**bits, each as often as the others, with second words spread evenly.
    """
    z = np.empty(4096)
    sums, cells, largest = np.zeros(6), np.zeros((4, CELLS), np.int64), 0.0
    for low in range(0, pairs, z.size // 2):
        for k in range(0, z.size // 2, LANES):
            first = (low + k) & ((1 << bits) - 1)
            second = (low + k) * GOLDEN
            box_muller(z.ctypes.data + 16 * k, first, second, 1, GOLDEN)
        largest = max(largest, count(z, sums, cells))
    return sums / (2 * pairs), cells.sum(axis=0) / (2.0 * pairs), largest


@njit(error_model="numpy", fastmath=True)
def products(a: Any, b: Any) -> tuple[float, float]:
    """Sums of x*y and of (x^2 - 1)*(y^2 - 1)."""
    plain = squares = 0.0
    for i in range(a.size):
        plain += a[i] * b[i]
        squares += (a[i] * a[i] - 1.0) * (b[i] * b[i] - 1.0)
    return plain, squares


@njit(error_model="numpy")
def drawn(blocks: int, rounds: int, k0: int, k1: int) -> tuple[Any, Any, Any, Any]:
    """Sums of powers, cells, and products of numbers that are `LAGS` apart along steps and across
    replicas (their sums, those of squares, and how many), of the first numbers of COLUMNS*blocks
    replicas as a run of blocks draws them.
    """
    z, line = np.empty((4, QUADS * COLUMNS + 16)), np.empty((4 * QUADS, COLUMNS))
    sums, cells = np.zeros(6), np.zeros((4, CELLS), np.int64)
    total, pairs = np.zeros((2, 2, LAGS.size)), np.zeros((2, LAGS.size))
    for block in range(blocks):
        for n in range(rounds):
            fill_normals(z, n * QUADS, QUADS, block * COLUMNS, COLUMNS, 0, k0, k1)
            for q in range(QUADS):
                for j in range(4):
                    line[4 * q + j] = z[j, q * COLUMNS : (q + 1) * COLUMNS]
            flat = line.reshape(-1)
            count(flat, sums, cells)
            for k, lag in enumerate(LAGS):
                ahead = lag * COLUMNS
                plain, squares = products(flat[:-ahead], flat[ahead:])
                total[0, 0, k] += plain
                total[0, 1, k] += squares
                pairs[0, k] += flat.size - ahead
                for row in line:
                    plain, squares = products(row[:-lag], row[lag:])
                    total[1, 0, k] += plain
                    total[1, 1, k] += squares
                    pairs[1, k] += COLUMNS - lag
    return sums, cells.sum(axis=0), total, pairs


def draw(draws: float, seed: int, replicas: int = 4096) -> tuple[Any, Any, Any, Any]:
    """`drawn` for at least so many numbers of so many replicas."""
    blocks = replicas // COLUMNS
    rounds = -(-int(draws) // (blocks * 4 * QUADS * COLUMNS))
    return drawn(blocks, rounds, *key_of(seed))


def beyond(shares: np.ndarray, sigma: int) -> Any:
    """What of a histogram is at least `sigma` away from 0, on both sides."""
    far = np.abs(EDGES[:-1] + 0.5 / PER_UNIT) > sigma
    return shares[..., far].sum(axis=-1)


def tail_of_construction(sigma: int) -> float:
    """Probability of what is beyond `sigma`, which only small first words make."""
    bits = int(np.ceil(32 - sigma**2 / 2 / np.log(2) + 1e-4))
    return float(beyond(construction(bits, CLOSEST)[1], sigma) * 2.0 ** (bits - 32))


def deviations(sums: Any, cells: Any, total: Any, pairs: Any) -> Iterator[tuple[str, float, float]]:
    """What was looked at, its value, and how many standard errors the normal law is away."""
    n = cells.sum()
    for k, mean in zip(POWERS, sums / n, strict=True):
        error = np.sqrt((MOMENTS[2 * k] - MOMENTS[k] ** 2) / n)
        yield f"moment {k}", mean, (mean - MOMENTS[k]) / error
    for sigma in SIGMAS:
        found, expected = beyond(cells, sigma), n * 2 * norm.sf(sigma)
        more, less = poisson.sf(found - 1, expected), poisson.cdf(found, expected)
        error = norm.isf(min(more, less, 0.5)) * (1 if more < less else -1)
        yield f"beyond {sigma} sigma", found / n, error
    middle = slice(CELLS // 4, 3 * CELLS // 4)  # 1,024 cells from -4 to 4
    expected = n * SHARES[middle]
    distance = ((cells[middle] - expected) ** 2 / expected).sum()
    yield "chi2 of 1,024 cells", distance, norm.isf(chi2.sf(distance, CELLS // 2))
    for way, where in enumerate(("along steps", "across replicas")):
        for power in range(2):
            for lag, s, m in zip(LAGS, total[way, power], pairs[way], strict=True):
                r = s / m / 2**power  # variance of x^2 is 2
                what = f"correlation of {('x', 'x^2')[power]}, {lag} {where}"
                yield what, r, r * np.sqrt(m)


@click.command()
@click.option("--draws", default=1e9, show_default=True)
@click.option("--seed", default=(1, 2**40 + 17), multiple=True, show_default=True)
def main(draws: float, seed: tuple[int, ...]) -> None:
    """Print rows of tables."""
    machine()
    moments, shares, largest = construction(32, 1 << 32)
    print(f"\nAll 2^32 first words, largest {largest:.4f}\n\n| | construction | normal law |")
    print("|---|---|---|")
    for k, moment in zip(POWERS, moments, strict=True):
        print(f"| moment {k} | {moment:.8f} | {MOMENTS[k]:g} |")
    for sigma in SIGMAS:
        tail = tail_of_construction(sigma)
        print(f"| beyond {sigma} sigma | {tail:.6g} | {2 * norm.sf(sigma):.6g} |")
    off = np.abs(shares - SHARES).max()
    print(f"shares of cells, up to {SHARES.max():.2g}, are at most {off:.2g} off\n")
    all_rows = [list(deviations(*draw(draws, s))) for s in seed]
    print(
        f"{draws:g} draws of 4096 replicas, in standard errors; seeds {', '.join(map(str, seed))}"
    )
    for rows in zip(*all_rows, strict=True):
        if not rows[0][0].startswith("correlation"):
            cells = [f"{value:.7g} ({error:+.1f})" for _, value, error in rows]
            print(f"| {rows[0][0]} | {' | '.join(cells)} |")
    for way in ("along steps", "across replicas"):
        for power in ("x", "x^2"):
            what = f"correlation of {power},"
            worst = [
                max(abs(e) for w, _, e in rows if w.startswith(what) and w.endswith(way))
                for rows in all_rows
            ]
            print(
                f"| worst {what} 1 to {LAGS[-1]} {way} | {' | '.join(f'{e:.1f}' for e in worst)} |"
            )


if __name__ == "__main__":
    main()
