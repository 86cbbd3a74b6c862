"""What is far and what is much for a potential: its natural length and energy, and differences that
step by them.

Every step, floor and tolerance of the package is a share of one of these, so that no result depends
on the units of length and energy or on the origin.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from .arguments import on_gpu, on_host

STARTS = 32  # points drawn to see a scale
STEP = float(np.cbrt(np.finfo(float).eps))  # of a length, where rounding and bending balance
BENT = 3e-3  # of a difference may be bending, which then costs it 6e-6 of its size
NOISE = 1e6  # roundings that a difference must be above, as three decimals of it at 1e-10 are
SETTLED, MOST_TRIES = 1e-7, 16  # relative change between two step lengths; step lengths tried
ULPS = 2**10  # of x, below which no step is taken
REACHED = 1e-10  # of the height of a start, within which descents surely reach a minimum
ONE_BASIN = 1e-3  # of the height of starts above their minima, where all minima are one


class Scale:
    """The natural length and energy of a potential; see `Potential.scale`.

    Parameters
    ----------
    potential : Potential
        Whose scale it is.
    x : ndarray (replicas, dim), optional
        Points to see it from, for a potential without a domain; drawn from the standard normal by
        default.

    Attributes
    ----------
    length : ndarray (dim,)
        Half widths of the bounds; else the spread of the potential's own starts; else, for all
        coordinates, the largest of the points.
    energy : float
        Spread of the energies of inherent structures, the minima below starting points; where these
        are all one, a thousandth of the height of the starts above it; 0 where nothing differs.
    """

    def __init__(self, potential: Any, x: np.ndarray | None = None) -> None:
        self._potential, self._x = potential, x

    def __repr__(self) -> str:
        return f"Scale(length={self.length}, energy={self.energy:.6g})"

    @cached_property
    def _points(self) -> np.ndarray:
        if not (self._x is None or self._potential.has_domain):
            return np.atleast_2d(self._x)
        points: np.ndarray = self._potential.draw_start(STARTS, np.random.default_rng(0))
        return points

    @cached_property
    def length(self) -> np.ndarray:
        """Natural length along each coordinate, (dim,)."""
        if self._potential.bounds is not None:
            low, high = self._potential.bounds.T
            return high / 2 - low / 2
        if self._potential.has_domain:
            return sizes(self._points.std(0))
        return self.lengths(self._points).max(0)

    def lengths(self, x: np.ndarray) -> np.ndarray:
        """The natural length of each coordinate at points x (replicas, dim), of the same shape:
        that of the domain, else the size of each point's largest coordinate.
        """
        if self._potential.has_domain:
            return np.broadcast_to(back_to(x, self.length), x.shape)
        return np.broadcast_to(sizes(np.abs(x).max(1, keepdims=True)), x.shape)

    @staticmethod
    def bend(gradient: Callable[[Any], Any], x: Any, way: Any, here: Any) -> Any:
        """How a gradient, which at x is `here`, changes along `way`; all (replicas, dim), the ways
        as long as natural lengths.
        """
        return difference(gradient, x, STEP * way, here) / STEP

    @cached_property
    def energy(self) -> float:
        """Natural energy, 0 where nothing differs."""
        from .descents.batched import descend

        with np.errstate(all="ignore"):  # starts may lie where the potential is not finite
            above = np.asarray(self._potential.energy(self._points), dtype=float)
            found = descend(self._potential, self._points)[1]
        sound = np.isfinite(above) & np.isfinite(found)
        if not sound.any():
            return 0.0
        relaxed, height = spread(found[sound]), above[sound] - found[sound].min()
        if relaxed > REACHED * height.min():
            return relaxed
        return ONE_BASIN * float(np.quantile(height, 0.25))


def spread(energies: np.ndarray) -> float:
    """Standard deviation of the lowest three quarters of energies, or of more where these differ by
    rounding only: what stands on a wall does not count.
    """
    ordered = np.sort(energies)
    for share in (0.75, 0.9, 1.0):
        some = ordered[: int(np.ceil(share * ordered.size))]
        if (wide := float(np.std(some))) > rounding(some).max():
            return wide
    return 0.0


def rounding(energies: Any) -> np.ndarray:
    """What rounding may have done to energies, which are sums: some tens of their last digits."""
    return 64 * np.finfo(float).eps * np.abs(energies)


def sizes(lengths: np.ndarray) -> np.ndarray:
    """Lengths along the last axis, where those that are 0 are as long as the longest, or 1 if all
    are.
    """
    longest = lengths.max(-1, keepdims=True)
    return np.where(lengths > 0, lengths, np.where(longest > 0, longest, 1.0))


def steps(potential: Any, x: np.ndarray) -> np.ndarray:
    """First guess of steps (replicas, dim) for differences at points x: shares of the natural
    length, and more than x is rounded by.
    """
    return np.maximum(STEP * potential.scale.lengths(x), ULPS * np.spacing(np.abs(x)))


def difference(
    function: Callable[[np.ndarray], np.ndarray],
    x: np.ndarray,
    step: np.ndarray,
    here: np.ndarray | None = None,
) -> np.ndarray:
    """d function(x + t*step)/dt at t = 0 by central differences, row by row.

    Parameters
    ----------
    function : callable
        ``function(x (n, dim)) -> (n,)`` or (n, k).
    x, step : ndarray (n, dim)
        Points, and first guesses of how far to go; where the function bends much within them they
        are made shorter by eights, where rounding shows longer, as long as the difference settles.
    here : ndarray, optional
        The function at x, if it is known.
    """
    here = function(x) if here is None else here
    slope, up, down = _central(function, x, step)
    with np.errstate(all="ignore"):
        moved = _size(up - down)
        coarse = ~(_size((up - here) + (down - here)) <= BENT * moved)
        fine = moved < NOISE * np.finfo(float).eps * _size(here)
    going = np.flatnonzero(coarse | fine)
    factor = np.where(fine[going], 8.0, 0.125)
    length, change = np.ones_like(factor), np.full_like(factor, np.inf)
    for _ in range(MOST_TRIES):
        if not going.size:
            break
        length = length * factor
        new = _central(function, x[going], length[:, None] * step[going])[0]
        new /= length.reshape(-1, *[1] * (new.ndim - 1))
        with np.errstate(all="ignore"):
            moved, lost = _size(new - slope[going]), ~np.isfinite(_size(slope[going]))
        better = lost | (moved <= change)
        slope[going[better]] = new[better]
        more = lost | (better & (moved > SETTLED * _size(new)))
        going, factor, length = going[more], factor[more], length[more]
        change = np.where(lost, np.inf, moved)[more]
    return slope


def gradient_by_differences(potential: Any, block: Any) -> Any:
    """Gradient (replicas, dim) of a potential by central differences of its energy."""
    energy, x = on_cpu(potential.energy, block)
    h, here = steps(potential, x), energy(x)
    ways = h[:, None] * np.eye(potential.dim)
    slopes = [difference(energy, x, ways[:, c], here) for c in range(potential.dim)]
    gradient = np.stack(slopes, axis=1) / h
    # float64 would make a float32 walk slow there
    return back_to(block, gradient.astype(block.dtype)) if on_gpu(block) else gradient


def laplacian_by_differences(potential: Any, block: Any) -> Any:
    """Laplacian (replicas,) of a potential by differences of its gradient."""
    gradient, x = on_cpu(potential.gradient, block)
    h, here = steps(potential, x), gradient(x)
    ways = h[:, None] * np.eye(potential.dim)
    bends = [difference(gradient, x, ways[:, c], here)[:, c] for c in range(potential.dim)]
    return back_to(block, (np.stack(bends, axis=1) / h).sum(1))


def on_cpu(function: Callable[[Any], Any], x: Any) -> tuple[Callable[[Any], Any], np.ndarray]:
    """The function of NumPy points, and x as float64 ones: a step that suits float64 is lost in
    float32.
    """
    if not on_gpu(x):
        return function, x.astype(float)
    return lambda points: on_host(function(back_to(x, points))), on_host(x).astype(float)


def back_to(x: Any, values: np.ndarray) -> Any:
    """Values as an array where x lies."""
    return np.asarray(values, like=x) if on_gpu(x) else values


def _central(
    function: Callable[[np.ndarray], np.ndarray], x: np.ndarray, step: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The slope, and the values ahead and behind; the way counts that is left after rounding."""
    ahead, behind = x + step, x - step
    up, down = function(ahead), function(behind)
    size = np.abs(step).max(1, keepdims=True)
    along = step / size
    way = ((ahead - behind) / size * along).sum(1) / (along * along).sum(1)
    with np.errstate(all="ignore"):
        slope = (up - down) / way.reshape(-1, *[1] * (up.ndim - 1))
    return slope, up, down


def _size(values: np.ndarray) -> np.ndarray:
    """Size of each row, (n,)."""
    return np.abs(values).reshape(len(values), -1).max(1)
