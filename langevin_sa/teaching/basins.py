"""What a picture of one or two coordinates needs to know: a window, the wells in it, and the
barriers between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arguments import around, ceiling
from ..descents.batched import descend

CELLS = {1: 800, 2: 160}  # an axis, by the number of coordinates
SHALLOW = 0.002  # of the energies shown: wells less deep are ripples, or the grid's
SCATTER, TRIALS = 2.0, 64  # descents that look for wells: from how far, how many
NAMED = 8  # of the lowest wells, whose minima are found to all digits
NEAR = 10.0  # wells within are shown, others only if there are none


@dataclass(frozen=True)
class Well:
    """A minimum, its energy, and the depth: how far the lowest way out to a lower well climbs (None
    for the lowest well).
    """

    x: np.ndarray
    energy: float
    depth: float | None
    edge: bool  # lowest at the rim of the window, beyond which it goes on falling


@dataclass(frozen=True)
class Landscape:
    """The window (dim, 2) cut into cells: their centres (cells, dim), energies and well numbers
    (cells,); the wells, lowest first.
    """

    window: np.ndarray
    points: np.ndarray
    energy: np.ndarray
    label: np.ndarray
    wells: list[Well]

    @property
    def top(self) -> float:
        """Energy at which a picture is cut, so that steep walls do not squeeze the rest; above
        every barrier between wells.
        """
        low = float(self.energy.min())
        barriers = [well.energy + well.depth for well in self.wells if well.depth is not None]
        highest = float(self.energy.max(where=np.isfinite(self.energy), initial=low))
        above = [low + 1.5 * (barrier - low) for barrier in barriers]
        return min(highest, max([ceiling(self.energy), *above]))


def minima_of(potential: Any) -> np.ndarray:
    """The minima (k, dim) that descents find, and those that are known."""
    starts = SCATTER * np.random.default_rng(0).standard_normal((TRIALS, potential.dim))
    found, energy = descend(potential, starts)
    with np.errstate(all="ignore"):
        force = np.abs(potential.gradient(found)).max(1)
        gained = potential.energy(starts) - energy
    found = found[np.isfinite(energy) & (SCATTER * force <= 1e-4 * gained)]
    near = found[np.abs(found).max(1) < NEAR]
    known = found[:0] if potential.minima is None else potential.minima
    return np.concatenate([near if len(near) else found, known])


def window_of(potential: Any, minima: np.ndarray) -> np.ndarray:
    """What to show (dim, 2): the potential's bounds, else the surroundings of its minima."""
    if potential.bounds is not None:
        return potential.bounds
    return around(minima if len(minima) else np.zeros((1, potential.dim)), alone=2 * SCATTER)


def survey(potential: Any, window: np.ndarray, rings: Sequence[bool] = ()) -> Landscape:
    """Energies, wells and barriers on the cells of a window, for a potential of dim 1 or 2; `rings`
    are the axes whose last cell touches the first.

    Every cell belongs to the minimum that steepest descent over neighbouring cells reaches; basins
    are then flooded in the order of the passes between them, which gives each its depth and joins
    those that are too shallow to count.

    Raises
    ------
    ValueError
        If the energy is finite nowhere in the window.
    """
    points, energy = sampled(potential, window)
    if not np.isfinite(energy).any():
        raise ValueError(
            f"the energy of {potential.name} is finite nowhere in the window {window.tolist()}: "
            "give another window"
        )
    rings = tuple(rings) or (False,) * potential.dim
    basin, passes = _basins(energy.reshape((CELLS[potential.dim],) * potential.dim), rings)
    low, usual = energy.min(), np.quantile(energy[np.isfinite(energy)], 0.6)
    joined, depth = _flood(energy, passes, SHALLOW * (usual - low))
    basins = [b for b in np.unique(basin) if np.isfinite(energy[b])]
    bottoms = sorted({joined.get(b, b) for b in basins}, key=lambda b: (energy[b], b in depth))
    number = {b: k for k, b in enumerate(bottoms)}
    table = np.zeros(len(energy), dtype=int)
    for b in basins:
        table[b] = number[joined.get(b, b)]
    wells = [
        _well(potential, points[b], window, depth.get(b), rings)
        if k < NAMED
        else Well(points[b], float(energy[b]), depth.get(b), False)
        for k, b in enumerate(bottoms)
    ]
    return Landscape(window, points, energy, table[basin], wells)


def sampled(potential: Any, window: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Middles (cells, dim) of a window's cells and the energies there, infinite where there is
    none.
    """
    cells = CELLS[potential.dim]
    axes = [low + (high - low) * (np.arange(cells) + 0.5) / cells for low, high in window]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, potential.dim)
    energy = np.array(potential.energy(points), dtype=float)
    energy[~np.isfinite(energy)] = np.inf
    return points, energy


def hot_temperature(land: Landscape) -> float:
    """A temperature at which balls cross every barrier, or that fills the window if there is
    none.
    """
    depths = [well.depth for well in land.wells if well.depth is not None]
    quarter = (land.top - float(land.energy.min())) / 4
    return 1.25 * max(depths, default=0.0) or quarter or 1.0


def _neighbours(shape: tuple[int, ...], rings: Sequence[bool]) -> Any:
    """Index arrays (here, there) of all pairs of neighbouring cells, diagonal ones too, each pair
    once.
    """
    index = np.arange(np.prod(shape)).reshape(shape)
    for steps in ((1,),) if len(shape) == 1 else ((1, 0), (0, 1), (1, 1), (1, -1)):
        there = np.roll(index, [-k for k in steps], axis=tuple(range(len(shape))))
        kept = np.ones(shape, dtype=bool)
        for axis, (step, ring) in enumerate(zip(steps, rings, strict=True)):
            if step and not ring:
                last = [slice(None)] * len(shape)
                last[axis] = slice(-1, None) if step > 0 else slice(0, 1)
                kept[tuple(last)] = False
        yield index[kept], there[kept]


def _basins(
    energy: np.ndarray, rings: Sequence[bool]
) -> tuple[np.ndarray, list[tuple[float, int, int]]]:
    """The lowest cell of each cell's basin; and for each two basins that touch, the pass between
    them, lowest first.
    """
    flat = energy.ravel()
    lowest, down = flat.copy(), np.arange(flat.size)
    for a, b in _neighbours(energy.shape, rings):
        for here, there in ((a, b), (b, a)):
            lower = flat[there] < lowest[here]
            lowest[here[lower]], down[here[lower]] = flat[there[lower]], there[lower]
    while (down[down] != down).any():
        down = down[down]
    passes: dict[tuple[int, int], float] = {}
    for a, b in _neighbours(energy.shape, rings):
        border = (down[a] != down[b]) & np.isfinite(flat[a]) & np.isfinite(flat[b])
        a, b = a[border], b[border]
        for i, j, height in zip(down[a], down[b], np.maximum(flat[a], flat[b]), strict=True):
            key = (int(min(i, j)), int(max(i, j)))
            passes[key] = min(passes.get(key, np.inf), float(height))
    return down, sorted((height, i, j) for (i, j), height in passes.items())


def _flood(
    energy: np.ndarray, passes: list[tuple[float, int, int]], shallow: float
) -> tuple[dict[int, int], dict[int, float]]:
    """Which well each basin too shallow to count belongs to, and the depth of each well but the
    lowest of its lake.
    """
    lake: dict[int, int] = {}  # towards the lowest basin of the lake
    well: dict[int, int] = {}
    depth: dict[int, float] = {}

    def root(of: dict[int, int], b: int) -> int:
        while b in of:
            b = of[b]
        return b

    for height, i, j in passes:
        a, b = root(lake, i), root(lake, j)
        if a == b:
            continue
        if energy[a] < energy[b]:
            a, b, i, j = b, a, j, i
        lake[a] = b
        if height - energy[a] < shallow:
            well[a] = root(well, j)
        else:
            depth[a] = height - float(energy[a])
    return {b: root(well, b) for b in well}, depth


def _well(
    potential: Any, cell: np.ndarray, window: np.ndarray, depth: float | None, rings: Sequence[bool]
) -> Well:
    """The minimum near a well's lowest cell, or the cell."""
    width = (window[:, 1] - window[:, 0]) / CELLS[potential.dim]
    at, energy = descend(potential, cell)
    if (np.abs(at[0] - cell) < 4 * width).all():
        return Well(at[0], float(energy[0]), depth, False)
    rim = (cell - window[:, 0] < width) | (window[:, 1] - cell < width)
    return Well(cell, float(potential.energy(cell)), depth, bool((rim & ~np.array(rings)).any()))
