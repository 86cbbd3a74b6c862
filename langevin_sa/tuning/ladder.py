"""A ladder: scouts at a row of temperatures, run for a short while and quenched, tell at which
temperature the minimum is forgotten, where quenches fall lowest, and where all is lost.

Temperatures are logarithms in units of an energy of the potential's own, so that no result depends
on the unit of energy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .sight import Sight, stiffest
from .spread import ROUNDING

OMEGA_DT = 0.35  # of time steps: no integrator then heats the stiffest mode by more than 4 %
NO_SPREAD = 0.03  # of the mean curvature times the square of the spread of starts: where one basin
# is all that was seen
GRAIN = 0.2  # of the spread of minima: a quench that ends nearer forgot nothing
FORGOTTEN, FREEZING, SEEN = 0.5, 0.1, 0.1  # shares of what is forgotten at most; least to count
GRID, FADING = 200, 1e-12  # temperatures at which is looked; weight of what is far away


@np.errstate(all="ignore")
def run_hot(
    sight: Sight,
    u: np.ndarray,
    heat: np.ndarray,
    energy_unit: float,
    mass: np.ndarray,
    gamma: float,
    steps: int,
    seed: list[int],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Langevin dynamics of scouts (points, dim), each at a temperature `heat` of its own in units
    of energy and with its own time step, from the curvature along its way.

    Returns
    -------
    tuple of ndarray
        Where they end, their mean energies in the second half, and the largest curvature that each
        met, in the metric where the inverse masses are `mass` and in units of energy.
    """
    generator = np.random.default_rng(seed)
    root, width = np.sqrt(mass), np.sqrt(heat[:, None] * mass)
    energy, slope = sight(u)
    slope = slope / energy_unit
    v = width * generator.standard_normal(u.shape)
    k = stiffest(sight, u, mass) / energy_unit
    dt = 0.05 / np.sqrt(np.where(k > 0, k, 1.0))
    k = np.where(k > 0, k, np.nan)
    mean, count = np.zeros(len(u)), 0
    for n in range(steps):
        if sight.left <= 0:
            break
        c, half = np.exp(-gamma * dt)[:, None], dt[:, None] / 2
        kicked = v - half * slope * mass
        fresh = np.sqrt(1 - c**2) * width * generator.standard_normal(u.shape)
        turned = c * kicked + fresh
        new = u + half * (kicked + turned)
        there, force = sight(new)
        force = force / energy_unit
        now = np.linalg.norm((force - slope) * root, axis=1)
        now = now / np.linalg.norm((new - u) / root, axis=1)
        bad = ~(np.isfinite(there) & np.isfinite(force).all(1)) | (now * dt**2 > 4)
        k = np.where(bad, k, np.fmax(now, 0.99 * k))
        v = turned - half * force * mass
        v[bad] = width[bad] * generator.standard_normal((int(bad.sum()), u.shape[1]))
        u, slope = (np.where(bad[:, None], a, b) for a, b in ((u, new), (slope, force)))
        energy = np.where(bad, energy, there)
        wanted = OMEGA_DT / np.sqrt(np.where(k > 0, k, np.nan))
        dt = np.where(bad, dt / 2, np.fmin(np.fmax(wanted, dt / 2), dt * 1.2))
        if n >= steps // 2:
            mean, count = mean + energy, count + 1
    return u, mean / count if count else energy, np.nan_to_num(k)


@np.errstate(all="ignore")  # of energies that fall for ever
def smooth(at: np.ndarray, value: np.ndarray, grid: np.ndarray, width: float) -> tuple:
    """Means of values about each temperature of a grid, and the errors of these means."""
    w = np.exp(-0.5 * ((grid[:, None] - at) / width) ** 2) + FADING
    mean = (w * value).sum(1) / w.sum(1)
    spread = np.sqrt((w * (value - mean[:, None]) ** 2).sum(1) / w.sum(1))
    return mean, spread / np.sqrt(w.sum(1) ** 2 / (w**2).sum(1))


def rising(value: np.ndarray) -> np.ndarray:
    """The nearest values that never fall (isotonic regression), so that a start that was on a
    saddle, and leaves it when cold, is outweighed by the hotter ones that stay.
    """
    sums, n = np.append(0.0, np.cumsum(value)), len(value)
    start, stop = np.arange(n)[:, None], np.arange(n)
    means = np.where(stop >= start, sums[stop + 1] - sums[start], np.inf)
    means = means / np.maximum(stop - start + 1, 1)
    least = np.minimum.accumulate(means[:, ::-1], axis=1)[:, ::-1]
    highest: np.ndarray = np.where(stop >= start, least, -np.inf).max(0)
    return highest


@dataclass
class Rungs:
    """Scouts of one ladder, or of several.

    Attributes
    ----------
    heat : ndarray (scouts,)
        Logarithms of their temperatures in units of an energy.
    before, after : ndarray (scouts,)
        Energies of the minima that they came from, and that they were quenched to.
    warm : ndarray (scouts,)
        Mean energies while they ran.
    minima, hot : ndarray (scouts, dim)
        Where the quenches ended, and began.
    k : ndarray (scouts,)
        Largest curvatures met.
    """

    heat: np.ndarray
    before: np.ndarray
    after: np.ndarray
    warm: np.ndarray
    minima: np.ndarray
    hot: np.ndarray
    k: np.ndarray

    def __add__(self, other: Rungs) -> Rungs:
        return Rungs(
            *map(np.concatenate, zip(vars(self).values(), vars(other).values(), strict=True))
        )

    def forgot(self, spread: float) -> np.ndarray:
        """How much of the energy of its minimum each scout forgot, 0 to 1."""
        change = np.abs(self.after - self.before)
        moved = change > GRAIN * spread + ROUNDING * np.abs(self.before)
        return np.where(moved, np.minimum(change / spread, 1) ** 2, 0.0) if spread else 0.0 * change


@dataclass
class Reading:
    """What ladders say; temperatures as in `Rungs`, infinite where nothing was seen.

    Attributes
    ----------
    leaves, freezes : float
        Where half, and a tenth, of what is forgotten at most is forgotten.
    falls : float
        The coldest of those from which quenches fall lowest.
    lost : float
        Hotter, more than half of all quenches end above `worst`.
    """

    leaves: float
    freezes: float
    falls: float
    lost: float

    @property
    def turn(self) -> float:
        """The temperature that the run must pass slowly; -inf where nothing happens."""
        if not np.isfinite(self.leaves):
            return self.falls
        return max(self.leaves, min(self.falls, self.leaves + np.log(10)))


def read(rungs: Rungs, spread: float, worst: float, width: float, cold: list[float]) -> Reading:
    """Read ladders; `cold`, which the first ladder fills, is what scouts that are too cold to go
    anywhere seem to forget (as they only go on descending), how they fall, and how surely.
    """
    grid = np.linspace(rungs.heat.min(), rungs.heat.max(), GRID)
    gain = np.clip(rungs.after - rungs.before, -3 * spread, 3 * spread)
    gain, error = smooth(rungs.heat, gain, grid, width)
    share = rising(smooth(rungs.heat, rungs.forgot(spread), grid, width)[0])
    above = (rungs.after > worst + GRAIN * spread).astype(float)
    above = rising(smooth(rungs.heat, above, grid, width)[0])
    if not cold:
        cold += [share[0], share[-1], gain[0], error[0]]
    cold[1] = max(cold[1], share[-1])
    least, most, still, unsure = cold

    def coldest(where: np.ndarray) -> float:
        """The first temperature where something holds, the hottest if it holds nowhere."""
        return float(grid[np.argmax(where)] if where.any() else grid[-1])

    leaves = freezes = falls = -np.inf
    if most - least > SEEN:
        leaves, freezes = (
            coldest(share > least + part * (most - least)) for part in (FORGOTTEN, FREEZING)
        )
    lowest = int(np.argmin(gain))
    if gain[lowest] < still - 2 * np.hypot(error[lowest], unsure):
        falls = coldest(gain <= gain[lowest] + error[lowest])
    lost = coldest(above > 0.5) if (above > 0.5).any() else np.inf
    return Reading(leaves, freezes, falls, lost)
