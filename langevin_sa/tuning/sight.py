"""What a pilot sees of a potential: energies and gradients in units of the spread of its starting
points, counted, within a budget and a deadline; and curvatures, by differences of what it sees.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..potential import Potential

LOOKS = 0.05  # of the time that may be spent, between two looks at the clock
NUDGE, NUDGE_ROUNDING = 1e-5, 3e-8  # of a difference, in units of the spread and of |u|


class Sight:
    """``sight(u) -> energies (points,), gradients (points, dim)`` for x = u*sigma.

    An exception of the potential at the very first points passes through; later it is a place where
    the potential is not defined, as a NaN is. Points of a call for which there is no time any more,
    but for the first of them, are NaN too.

    Parameters
    ----------
    potential : Potential
        What is looked at.
    sigma : ndarray (dim,)
        Units of the coordinates.
    room : float
        Evaluations that may be made.
    seconds : float
        Time that may be spent from the first evaluation on, which compiles.
    tell : callable, optional
        Is told how many evaluations were just made.
    wall : bool
        Whether an exception is a wall; else every one passes through.

    Attributes
    ----------
    calls : int
        Points evaluated.
    x, fun : ndarray (dim,), float
        The lowest point met, and its energy.
    """

    def __init__(
        self,
        potential: Potential,
        sigma: np.ndarray,
        room: float,
        seconds: float = np.inf,
        tell: Callable[[int], Any] | None = None,
        wall: bool = True,
    ) -> None:
        from ..descents.compiled import evaluator  # loads numba

        self.potential, self.sigma, self.room = potential, sigma, room
        self.calls, self.x, self.fun = 0, np.full(len(sigma), np.nan), np.inf
        self._evaluate, self._tell, self._wall = evaluator(potential), tell, wall
        self._seconds, self._since = seconds, np.inf
        self._together = 1  # points in one call, between looks at the clock
        self.by_differences = not potential.has_gradient

    @property
    def left(self) -> float:
        """Evaluations that are left; none once the time is spent."""
        late = time.perf_counter() - self._since > self._seconds
        return 0.0 if late else self.room - self.calls

    def within(self, evaluations: float) -> Callable[[], bool]:
        """A function that says whether there is room, for so many evaluations from now on."""
        end = self.calls + min(evaluations, self.left)
        return lambda: self.calls < end and self.left > 0

    @np.errstate(all="ignore")  # of energies beyond a wall
    def __call__(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = u * self.sigma
        if self._seconds == np.inf:
            energy, gradient = self._seen(x)
        else:
            energy, gradient = np.full(len(x), np.nan), np.full(x.shape, np.nan)
            k = 0
            while k < len(x) and (k == 0 or self.left > 0 or not np.isfinite(self.fun)):
                part, began = slice(k, k + self._together), time.perf_counter()
                energy[part], gradient[part] = self._seen(x[part])
                k += len(x[part])
                if self._since == np.inf:  # what compiles tells nothing of the pace
                    self._since = time.perf_counter()
                else:
                    pace = (time.perf_counter() - began) / len(x[part])
                    self._together = max(1, int(LOOKS * self._seconds / max(pace, 1e-9)))
        return energy, gradient * self.sigma

    def _seen(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Energies and gradients in x, which are counted."""
        energy, gradient = self._try(x, self._evaluate)
        self.calls += len(x)
        if self._tell is not None:
            self._tell(len(x))
        energy, gradient = np.asarray(energy, float), np.asarray(gradient, float)
        self._note(x, np.where(np.isfinite(gradient).all(1), energy, np.inf))
        return energy, gradient

    @np.errstate(all="ignore")
    def energy(self, u: np.ndarray) -> np.ndarray:
        """Energies (points,) alone, one after the other."""
        x, found = u * self.sigma, np.empty(len(u))
        for k in range(len(x)):
            found[k] = self._try(x[k : k + 1], lambda x: (self.potential.energy(x), x))[0][0]
            self.calls += 1
        self._note(x, found)
        return found

    def _note(self, x: np.ndarray, energy: np.ndarray) -> None:
        """Keep the lowest point."""
        seen = np.where(np.isfinite(energy), energy, np.inf)
        lowest = int(np.argmin(seen))
        if seen[lowest] < self.fun:
            self.x, self.fun = x[lowest].copy(), float(seen[lowest])

    def _try(self, x: np.ndarray, evaluate: Callable[[np.ndarray], Any]) -> Any:
        """Energies and gradients; if that fails, point by point, NaN where it does."""
        try:
            return evaluate(x)
        except Exception:
            if not self.calls or not self._wall:
                raise
            if len(x) == 1:
                return np.full(1, np.nan), np.full(x.shape, np.nan)
        parts = [self._try(x[k : k + 1], evaluate) for k in range(len(x))]
        return np.concatenate([e for e, _ in parts]), np.concatenate([g for _, g in parts])


def nudges(u: np.ndarray) -> np.ndarray:
    """Steps (points, 1) for differences of the gradient at u."""
    size: np.ndarray = np.maximum(NUDGE, NUDGE_ROUNDING * np.abs(u).max(1, keepdims=True))
    return size


@np.errstate(all="ignore")
def stiffest(sight: Sight, u: np.ndarray, mass: np.ndarray, turns: int = 0) -> np.ndarray:
    """Largest curvature at each point u (points, dim), by `turns` turns of the power method, in the
    metric where coordinates have these inverse masses; 0 where none was seen.
    """
    root = np.sqrt(mass)
    signs = np.random.default_rng(0).choice([-1.0, 1.0], u.shape)
    way = signs / np.sqrt(u.shape[1])
    found = np.zeros(len(u))
    for _ in range(turns + 1):
        step = way * root
        h = nudges(u) / np.abs(step).max(1, keepdims=True)
        product = root * (sight(u + h * step)[1] - sight(u - h * step)[1]) / (2 * h)
        size = np.linalg.norm(product, axis=1)
        good = np.isfinite(size) & (size > 0)
        way = np.where(good[:, None], product / np.where(good, size, 1)[:, None], way)
        found = np.where(good, size, found)
    return found


@np.errstate(all="ignore")
def typical(sight: Sight, u: np.ndarray, mass: np.ndarray, seed: Any) -> tuple[float, float]:
    """Mean of the absolute diagonal of the Hessian over points u (points, dim), one random
    direction each, in the metric of `stiffest` and in u itself.
    """
    way = np.random.default_rng(seed).choice([-1.0, 1.0], u.shape)
    h = nudges(u)
    diagonal = way * (sight(u + h * way)[1] - sight(u - h * way)[1]) / (2 * h)
    diagonal = diagonal[np.isfinite(diagonal).all(1)]
    if not len(diagonal):
        return 0.0, 0.0
    means = (np.abs((diagonal * mass).mean(1)), np.abs(diagonal.mean(1)))
    return float(np.median(means[0])), float(np.median(means[1]))


GLANCES, GLANCE = 3, 1e-3  # ways that are looked along; how far, of the spread of starts


@np.errstate(all="ignore")
def glance(
    sight: Sight, u: np.ndarray, mass: np.ndarray, seed: Any
) -> tuple[np.ndarray, float, float, float]:
    """What at most 7 energies at and about one point u (1, dim) say: the energy (1,), the two
    means of `typical`, and a bound of the stiffest curvature.
    """
    dim, generator = u.shape[1], np.random.default_rng(seed)
    few = dim <= GLANCES
    ways = np.eye(dim) if few else generator.choice([-1.0, 1.0], (GLANCES, dim))
    step = GLANCE * ways
    here = sight.energy(u)
    curved = np.abs(sight.energy(u + step) - 2 * here + sight.energy(u - step)) / GLANCE**2
    curved = np.where(np.isfinite(curved), curved, 0.0)
    if few:  # a diagonal, of which the trace is the bound
        diagonal = curved * mass
        return here, float(diagonal.mean()), float(curved.mean()), float(diagonal.sum())
    mean = float(curved.mean()) / dim
    scale = float(mass.mean())
    return here, mean * scale, mean, mean * dim * float(mass.max())
