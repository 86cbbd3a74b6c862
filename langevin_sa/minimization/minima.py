"""The minima found so far: each once, the lowest first, and whether a descent under way is about to
end in one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

SAME_PLACE = 0.1  # distance in units
NEAR, PARABOLIC = 2.0, 0.03  # how far a parabola is trusted, and how well it must fit
MOST_MINIMA, MOST_WATCHED = 2000, 256  # that are kept; that a descent looks out for


@dataclass
class Minimum:
    """A point, its energy, and how many descents have ended there."""

    u: np.ndarray
    fun: float
    hits: int = 1


def near(u: np.ndarray, v: np.ndarray) -> bool:
    """Whether two points of equal energy are one, by their distance."""
    return bool(np.abs(u - v).max() < SAME_PLACE)


@dataclass
class Minima:
    """Distinct minima; `same(u, v)` says whether two points of equal energy are one."""

    same: Callable[[np.ndarray, np.ndarray], bool] = near
    found: list[Minimum] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.found)

    @property
    def best(self) -> Minimum:
        """The lowest."""
        return self.found[0]

    def levels(self, tolerance: float) -> tuple[int, int]:
        """How many energies are further apart than the tolerance, and how many descents have ended
        at the lowest.
        """
        energies = np.array([m.fun for m in self.found])
        steps = np.flatnonzero(np.diff(energies) > tolerance) + 1
        lowest = self.found[: steps[0] if len(steps) else None]
        return 1 + len(steps), sum(m.hits for m in lowest)

    def add(self, u: np.ndarray, fun: float, tolerance: float = 0.0) -> tuple[Minimum, bool]:
        """The minimum that this point is, whose energies may differ by the tolerance, and whether
        it is new.
        """
        for minimum in self.found:
            if abs(minimum.fun - fun) <= tolerance and self.same(minimum.u, u):
                minimum.hits += 1
                if fun < minimum.fun:
                    minimum.u, minimum.fun = u.copy(), fun
                    self.found.sort(key=lambda m: m.fun)
                return minimum, False
        new = Minimum(u.copy(), fun)
        self.found.append(new)
        self.found.sort(key=lambda m: m.fun)
        del self.found[MOST_MINIMA:]
        return new, True

    def improve(self, u: np.ndarray, fun: float) -> None:
        """Move the best minimum to a lower point near it, or book that point as a minimum of its
        own.
        """
        if self.found and self.same(self.best.u, u):
            if fun < self.best.fun:
                self.best.u, self.best.fun = u.copy(), fun
        else:
            self.add(u, fun)


class Watch:
    """Told each point of a descent, says when it is sure to end in a known minimum.

    In the parabola around a minimum m, f(u) - f(m) = g.(u - m)/2; two points in a row that obey
    this, near m, are proof enough.
    """

    def __init__(self, minima: Minima) -> None:
        self.found = minima.found[:MOST_WATCHED]
        self.places = np.array([m.u for m in self.found])
        self.suspect: Minimum | None = None
        self.met: Minimum | None = None

    def __call__(self, u: np.ndarray, f: float, g: np.ndarray) -> bool:
        if not self.found:
            return False
        apart = np.abs(self.places - u).max(1)
        k = int(np.argmin(apart))
        if apart[k] < NEAR:
            minimum = self.found[k]
            above, predicted = f - minimum.fun, float(g @ (u - minimum.u)) / 2
            if above > 0 and abs(above - predicted) < PARABOLIC * above:
                if self.suspect is minimum:
                    self.met = minimum
                    return True
                self.suspect = minimum
                return False
        self.suspect = None
        return False
