"""No cliffs: what a step costs for any number of replicas and any size of a system.

python benchmarks/surface.py [--repeats 3] [--rounds 8] [--only rastrigin ...]

CPU time of one call of the backend on one thread, the least of the repeats, in nanoseconds of a
coordinate in a step (of a pair, for particles). Replicas and sizes lie on powers of two and just
past them. A cliff is a point that costs more than `CLIFF` times the trend of its neighbours: what
the next points in the grid say, on either side, interpolated in logarithms. What looks like one is
measured again, up to `--rounds` times, for the machine may have been busy. Draws
docs/figures/benchmark_surface.png and prints every cliff.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from time import thread_time
from typing import Any

import numpy as np
from timing import FIGURES, machine

import langevin_sa as lsa
from langevin_sa.backends.choose import get_backend
from langevin_sa.backends.cpu import blocks
from langevin_sa.backends.walk import Walk

CLIFF = 1.5
COUNTS = (1, 2, 3, 8, 9, 16, 17, 32, 33, 64, 65, 128, 129, 256, 257, 511, 512, 513, 1_000)
COUNTS += (4_096, 4_097, 10_000, 100_000, 1_000_000)
PARTICLES = (2, 3, 4, 5, 8, 9, 13, 16, 17, 32, 33, 38, 64, 65, 128, 129, 256, 257, 512, 1_000)
MOST = 2_000_000  # coordinates, or pairs, of all replicas
SECONDS = 0.002  # of one measurement at least
SCHEDULE = lsa.Schedule(0.01, 1.0, 0.001)
blocks.WORTH_PASSES = 0  # passes are compiled at once


def wells(x: Any) -> Any:
    return ((x**2 - 1) ** 2).sum(1)


def wells_gradient(x: Any) -> Any:
    return 4 * x * (x**2 - 1)


def one_well(x: Any) -> float:
    energy = 0.0
    for d in range(len(x)):
        energy += (x[d] ** 2 - 1) ** 2
    return energy


def one_gradient(x: Any, out: Any) -> None:
    for d in range(len(x)):
        out[d] = 4 * x[d] * (x[d] ** 2 - 1)


# name: potential of a size, sizes, and what a step of one replica is divided by
Surface = tuple[Callable[[int], lsa.Potential], tuple[int, ...], Callable[[int], int]]
SURFACES: dict[str, Surface] = {
    "rastrigin (sites)": (lsa.potentials.rastrigin, COUNTS, lambda n: n),
    "phi4_chain (sites and bonds)": (lsa.potentials.phi4_chain, COUNTS[2:], lambda n: n),
    "lennard_jones (pairs)": (lsa.potentials.lennard_jones, PARTICLES, lambda n: n * (n - 1) // 2),
    "from_numba": (
        lambda n: lsa.Potential.from_numba(one_well, one_gradient, n),
        COUNTS,
        lambda n: n,
    ),
    "array functions": (lambda n: lsa.Potential(wells, wells_gradient, n), COUNTS, lambda n: n),
}


def measure(potential: lsa.Potential, replicas: int, repeats: int) -> float:
    """CPU seconds of a step of all replicas."""
    x0 = np.random.default_rng(1).normal(0, 0.1, (replicas, potential.dim))
    if "pair" in (potential.formula.source.bodies if potential.formula else ()):
        x0 += lattice_of(potential.dim // 3)
    walk = Walk.at_rest(x0, 1)
    backend = get_backend("numba", potential, replicas)(potential, walk, 1)
    count = 1
    while True:
        steps = SCHEDULE.coefficients(count)
        began = thread_time()
        backend.advance(steps)
        taken = thread_time() - began
        if taken >= SECONDS and count > 1:
            break
        count = min(8 * count, max(2, int(1.5 * count * SECONDS / max(taken, 1e-6))))
    least = np.inf
    for _ in range(repeats):
        began = thread_time()
        backend.advance(steps)
        least = min(least, thread_time() - began)
    return least / count


def lattice_of(particles: int) -> np.ndarray:
    """Points of a cube, as far apart as pairs at rest."""
    side = int(np.ceil(particles ** (1 / 3)))
    places = np.stack(np.meshgrid(*[np.arange(side)] * 3), axis=-1).reshape(-1, 3)
    return 1.3 * places[:particles].ravel()


def surface(name: str, repeats: int, rounds: int) -> np.ndarray:
    """Nanoseconds at each number of replicas (rows) and size (columns), NaN where it is too
    large.
    """
    make, sizes, work = SURFACES[name]
    out = np.full((len(COUNTS), len(sizes)), np.nan)
    doubtful = {
        (row, column)
        for column, size in enumerate(sizes)
        for row, replicas in enumerate(COUNTS)
        if replicas * work(size) <= MOST
    }
    for _ in range(rounds):
        for row, column in sorted(doubtful, key=lambda point: point[::-1]):
            size, replicas = sizes[column], COUNTS[row]
            seconds = measure(make(size), replicas, repeats)
            out[row, column] = np.fmin(out[row, column], 1e9 * seconds / (replicas * work(size)))
        doubtful = {(row, column) for _, row, column, _ in cliffs(out, sizes)}
    return out


def excess(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """By how much each value of a row of points lies above the trend of its two neighbours."""
    out = np.ones(len(values))
    x, y = np.log(places), np.log(values)
    for k in range(1, len(values) - 1):
        weight = (x[k] - x[k - 1]) / (x[k + 1] - x[k - 1])
        out[k] = np.exp(y[k] - (1 - weight) * y[k - 1] - weight * y[k + 1])
    return np.nan_to_num(out, nan=1.0)


def cliffs(found: np.ndarray, sizes: tuple[int, ...]) -> list[tuple[float, int, int, str]]:
    """Excess, row, column and direction of each cliff, the highest first."""
    counts, out = np.array(COUNTS), []
    for column in range(len(sizes)):
        over = excess(found[:, column], counts)
        out += [(over[r], r, column, "replicas") for r in np.flatnonzero(over > CLIFF)]
    for row in range(len(COUNTS)):
        over = excess(found[row], np.array(sizes))
        out += [(over[c], row, c, "size") for c in np.flatnonzero(over > CLIFF)]
    return sorted(out, reverse=True)


def draw(surfaces: dict[str, np.ndarray]) -> None:
    """One map a potential, cliffs as crosses."""
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 7.5), layout="constrained")
    axes = figure.subplots(2, 3).ravel()
    for ax, (name, found) in zip(axes, surfaces.items(), strict=False):
        sizes = SURFACES[name][1]
        norm = LogNorm(max(0.3, np.nanmin(found)), np.nanmax(found))
        image = ax.pcolormesh(found.T, norm=norm, cmap="viridis")
        for _, row, column, _ in cliffs(found, sizes):
            ax.plot(row + 0.5, column + 0.5, "rx")
        for axis, labels in ((ax.xaxis, COUNTS), (ax.yaxis, sizes)):
            axis.set_ticks(np.arange(len(labels)) + 0.5, [f"{n:g}" for n in labels], fontsize=6)
        ax.tick_params("x", rotation=90)
        pairs = "pairs" in name
        ax.set(title=name, xlabel="replicas", ylabel="particles" if pairs else "coordinates")
        unit = "pair" if pairs else "coordinate"
        figure.colorbar(image, ax=ax, label=f"ns a {unit} and step")
    for ax in axes[len(surfaces) :]:
        ax.set_axis_off()
    FIGURES.mkdir(parents=True, exist_ok=True)
    figure.savefig(FIGURES / "benchmark_surface.png", dpi=80)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--only", nargs="*", default=[], help="beginnings of names; nothing drawn")
    given = parser.parse_args()
    machine()
    names = [name for name in SURFACES if not given.only or name.startswith(tuple(given.only))]
    found = {}
    for name in names:
        found[name] = surface(name, given.repeats, given.rounds)
        sizes, high = SURFACES[name][1], cliffs(found[name], SURFACES[name][1])
        points = int(np.isfinite(found[name]).sum())
        print(f"\n{name}: {points} points, {len(high)} above {CLIFF} times the trend", flush=True)
        for over, row, column, way in high:
            value = found[name][row, column]
            where = f"{COUNTS[row]:8d} replicas of {sizes[column]:8d}"
            print(f"  {over:6.2f} times along {way:9s}{where}{value:10.3g} ns")
    if not given.only:
        draw(found)


if __name__ == "__main__":
    main()
