"""Mass-weighted coordinates y = sqrt(m) x of what moves, in which all masses are 1.

What looks at a landscape before a run (the pilot, the test of the time step, a thermal start) is
shown that of y: a time step, a friction and a temperature there are those of the run.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ..arguments import on_host
from ..backends.walk import Walk
from ..potential import Potential
from ..tuning import Pilot, pilot, start_points


class MassWeighted:
    """A landscape in mass-weighted coordinates, for replicas that have frozen coordinates in one
    place.

    Parameters
    ----------
    potential : Potential
        U(x).
    masses : ndarray (dim,)
        Of its coordinates, infinite where frozen.
    x : ndarray (replicas, dim)
        Where the replicas are.

    Attributes
    ----------
    potential : Potential
        U as a function of y.
    y : ndarray (replicas, moving)
        Where they are.
    """

    def __init__(self, potential: Potential, masses: np.ndarray, x: np.ndarray) -> None:
        self._of_x, self._place, self._moving = potential, x[0], np.isfinite(masses)
        self._root = np.sqrt(masses[self._moving])
        self.y = self._there(x)
        exact, bounds = potential.has_gradient, potential.bounds
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of differences, which the potential has warned of
            self.potential = Potential(
                None if exact else self._energy,
                dim=len(self._root),
                bounds=None if bounds is None else self._there(bounds.T).T,
                name=potential.name,
                energy_gradient=self._energy_gradient if exact else None,
                start=self._start if potential.has_domain else None,
            )

    def back(self, y: np.ndarray) -> np.ndarray:
        """x (..., dim) of y (..., moving)."""
        x = np.broadcast_to(self._place, (*y.shape[:-1], len(self._place))).copy()
        x[..., self._moving] = y / self._root
        return x

    def _there(self, x: np.ndarray) -> np.ndarray:
        return x[..., self._moving] * self._root

    def _energy(self, y: np.ndarray) -> Any:
        return self._of_x.energy(self.back(y))

    def _energy_gradient(self, y: np.ndarray) -> tuple[Any, np.ndarray]:
        energy, gradient = self._of_x.energy_gradient(self.back(y))
        return energy, gradient[:, self._moving] / self._root

    def _start(self, replicas: int, generator: np.random.Generator) -> np.ndarray:
        return self._there(self._of_x.draw_start(replicas, generator))


def mass_weighted(potential: Potential, masses: np.ndarray, x: Any) -> Iterator[MassWeighted]:
    """The landscapes of replicas at x (replicas, dim), one for each place of frozen coordinates."""
    x = on_host(x).astype(float)
    held = x[:, np.isinf(masses)]
    for place in np.unique(held, axis=0) if held.size else held[:1]:
        yield MassWeighted(potential, masses, x[(held == place).all(1)])


def in_one_place(potential: Potential, masses: np.ndarray, x: Any) -> MassWeighted:
    """The landscape of all replicas; a ValueError if there are several."""
    found = list(mass_weighted(potential, masses, x))
    if len(found) > 1:
        raise ValueError(
            f"frozen coordinates are in {len(found)} places, and a pilot measures for one: give "
            "the schedule (gamma and dt for exchange), or an x0 with one place"
        )
    return found[0]


def seen_by(walk: Walk, potential: Potential) -> list[tuple[Potential, np.ndarray]]:
    """Landscapes of mass 1, and where replicas at which a run looks before it begins are there."""
    if walk.masses is None:
        return [(potential, walk.x)]
    found = mass_weighted(potential, walk.masses, start_points(walk.x))
    return [(one.potential, one.y) for one in found]


def pilot_of(potential: Potential, x: np.ndarray, masses: Any, given: bool, **how: Any) -> Pilot:
    """What a pilot finds for replicas at x (replicas, dim), which were `given` or drawn; `how` are
    its other arguments.
    """
    if masses is None:
        return pilot(potential, replicas=len(x), x0=x if given else None, **how)
    there = in_one_place(potential, masses, x)
    found = pilot(there.potential, replicas=len(x), x0=there.y if given else None, **how)
    return replace(found, starts=there.back(found.starts), x=there.back(found.x))
