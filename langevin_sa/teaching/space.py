"""All of the space that a page's balls have, and Boltzmann's law over it.

The law of the page: a mark is what a count of the balls tends to. Both are of all of space, not of
what the window shows; what is outside the window is a share of its own. Space is open where U
itself holds the balls; it is folded where U repeats (an axis is then a ring), and where U holds
nothing it ends with the potential's domain: walls, which are mirrors, so that balls move without
any rule of their own in U of the mirrored coordinate. Where nothing at all holds the balls there is
no equilibrium, and the page says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import logsumexp

from .basins import CELLS

REPEATS = 1e-6  # share of U's change along an axis within which it is the same, shifted
FARTHEST = 1e4  # window's widths to which an open axis is looked at
LONGER = {1: 1.01, 2: 1.08}  # cells outside the window, from one to the next
ENDED = 1e-6  # share of the law that may lie near there
RANGE, HOTTER = 100.0, 4  # of the opening temperature: how far below and above it the slider goes
TEMPERATURES = 48  # at which what lies outside is tabulated
NEGLIGIBLE = 60  # of the highest temperature: energies above the lowest that do not count


def rounded(value: float) -> float:
    """Three digits: what a slider shows is what is meant."""
    return float(f"{value:.3g}")


@dataclass(frozen=True)
class Space:
    """Kind of each axis, "open", "ring" or "walls", and its ends (dim, 2), infinite if open."""

    kinds: tuple[str, ...]
    ends: np.ndarray

    @property
    def rings(self) -> tuple[bool, ...]:
        """Which axes are closed to a ring."""
        return tuple(kind == "ring" for kind in self.kinds)

    def clipped(self, window: np.ndarray) -> np.ndarray:
        """What of a window is in space.

        Raises
        ------
        ValueError
            If nothing is.
        """
        both = np.stack([np.maximum(window, self.ends)[:, 0], np.minimum(window, self.ends)[:, 1]])
        if not (both[0] < both[1]).all():
            raise ValueError(
                f"window {window.tolist()} shows nothing of the domain {self.ends.tolist()}, where "
                "the balls are: give one that overlaps it"
            )
        return both.T


def space_of(potential: Any, window: np.ndarray, minima: np.ndarray) -> Space:
    """Space with the axes along which a potential repeats closed to rings: by the lengths of its
    domain, else by distances between minima (k, dim).
    """
    kinds, ends = ["open"] * potential.dim, np.tile([-np.inf, np.inf], (potential.dim, 1))
    around = window if potential.bounds is None else potential.bounds
    for axis, (low, high) in enumerate(around):
        lengths = [high - low]
        if potential.bounds is None:
            apart = np.unique(np.abs(minima[:, axis] - minima[:, axis, None]))
            lengths = apart[apart > 1e-3 * (high - low)].tolist()
        period = next((a for a in lengths if _repeats(potential, around, axis, a)), None)
        if period is not None:
            kinds[axis] = "ring"
            half = np.ceil((high - low) / period - 1e-9) * period / 2
            ends[axis] = (low + high) / 2 - half, (low + high) / 2 + half
    return Space(tuple(kinds), ends)


def _repeats(potential: Any, window: np.ndarray, axis: int, length: float) -> bool:
    """Whether U is the same a length further along an axis, beside how it changes along it."""
    x = np.random.default_rng(0).uniform(window[:, 0], window[:, 1], (64, potential.dim))
    elsewhere = x.copy()
    elsewhere[:, axis] = np.roll(x[:, axis], 1)
    shift = np.zeros(potential.dim)
    shift[axis] = length
    here, *there = (np.asarray(potential.energy(x + k * shift)) for k in (0, 1, 5))
    with np.errstate(all="ignore"):
        change = np.abs(potential.energy(elsewhere) - here).max()
        rounding = 16 * np.finfo(float).eps * np.abs(here).max()
        return bool((np.abs(np.array(there) - here) <= REPEATS * change + rounding).all())


def walled(space: Space, domain: np.ndarray) -> Space:
    """The space with walls at the ends of a domain along its open axes."""
    kinds = tuple("walls" if kind == "open" else kind for kind in space.kinds)
    open_axes = np.array([kind == "open" for kind in space.kinds])
    return Space(kinds, np.where(open_axes[:, None], domain, space.ends))


@dataclass(frozen=True)
class Surroundings:
    """Cells of all space: middles (k, dim), energies (k,), volumes (k,) in cells of the window,
    whether a cell is in the window, and how many widths of the window it is away along open axes.
    """

    points: np.ndarray
    energy: np.ndarray
    volume: np.ndarray
    inside: np.ndarray
    away: np.ndarray

    def log_weight(self, T: float, where: np.ndarray) -> float:
        """Logarithm of the integral of exp(-U/T) over the cells where `where` (k,)."""
        if not where.any():
            return -np.inf
        with np.errstate(all="ignore"):
            return float(logsumexp(-self.energy[where] / T, b=self.volume[where]))

    def held(self, T: float) -> bool:
        """Whether exp(-U/T) has a finite integral: what is farther away counts less and less."""
        tail = [self.log_weight(T, self.away >= far) for far in (0, FARTHEST / 100, FARTHEST / 10)]
        return bool(tail[2] == -np.inf or tail[2] < min(tail[0] + np.log(ENDED), tail[1] - 1))

    @property
    def falls(self) -> bool:
        """Whether U is lower far away than anywhere in the window."""
        far = self.energy[self.away > FARTHEST / 10].min(initial=np.inf)
        return bool(far < self.energy[self.inside].min(initial=np.inf))

    def share_in(self, window: np.ndarray, T: float) -> float:
        """The law's share in a window, by whole cells."""
        there = np.all((self.points > window[:, 0]) & (self.points < window[:, 1]), axis=1)
        everywhere = np.ones(len(self.energy), dtype=bool)
        return float(np.exp(self.log_weight(T, there) - self.log_weight(T, everywhere)))

    def softness(self, T: float) -> float:
        """Mean curvature that the law shows along its widest axis, T/<(x - <x>)^2>; 0 where all
        its weight is in one cell.
        """
        weight = np.exp((self.energy.min() - self.energy) / T) * self.volume
        mean = weight @ self.points / weight.sum()
        spread = float((weight @ (self.points - mean) ** 2).max())
        return T * float(weight.sum()) / spread if spread > 0 else 0.0

    def outside(self, low: float, temperatures: np.ndarray) -> np.ndarray:
        """Logarithm of exp((low - U)/T) summed over the cells outside the window, at each
        temperature, in cells of the window; at least -1e3.
        """
        weights = [self.log_weight(T, ~self.inside) + low / T for T in temperatures]
        return np.maximum(weights, -1e3)


def surroundings(potential: Any, space: Space, window: np.ndarray, hot: float) -> Surroundings:
    """All space in cells: the window's, and outside of it cells that grow with the distance; those
    alone that count at temperatures up to `HOTTER` times the hot one.
    """
    cells, longer = CELLS[potential.dim], LONGER[potential.dim]
    ends = zip(window, space.ends, strict=True)
    axes = [_cells_of(*axis, cells, longer) for axis in ends]
    middle, width, inside, away = (
        np.stack(np.meshgrid(*parts, indexing="ij"), axis=-1).reshape(-1, potential.dim)
        for parts in zip(*axes, strict=True)
    )
    energy = np.array(potential.energy(middle), dtype=float)
    lowest = np.nanmin(energy)
    counts = energy <= max(lowest, np.nextafter(-np.inf, 0)) + NEGLIGIBLE * HOTTER * hot
    parts = [middle, energy, width.prod(1), np.all(inside, axis=1), away.max(1)]
    return Surroundings(*(part[counts] for part in parts))


def _cells_of(
    window: np.ndarray, ends: np.ndarray, cells: int, longer: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Along an axis: middles, widths (in those of the window's cells), whether in the window, and
    if it is open the distance from the window's middle in widths of the window.
    """
    low, high = window
    unit = (high - low) / cells
    reach = FARTHEST * cells
    growing = longer ** np.arange(1, np.log1p(reach * (longer - 1)) / np.log(longer) + 1)
    away = np.append(0, np.cumsum(growing))  # edges beyond the window
    sides = []
    for room in ((low - ends[0]) / unit, (ends[1] - high) / unit):
        edges = np.append(away[away < room - 1e-9], room) if np.isfinite(room) else away
        sides.append(edges if room > 1e-9 else np.zeros(1))
    edges = np.concatenate([-sides[0][:0:-1], np.arange(cells + 1), cells + sides[1][1:]])
    middle = low + unit * (edges[1:] + edges[:-1]) / 2
    inside = (edges[:-1] > -0.5) & (edges[1:] < cells + 0.5)
    away = np.abs(middle - (low + high) / 2) / (high - low) * np.isinf(ends).all()
    return middle, np.diff(edges), inside, away
