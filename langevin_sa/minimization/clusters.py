"""Clusters of particles that are alike: minima compared up to motion and naming of
particles, and moves of the loosest ones. Atoms are arrays (particles, space).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist, pdist

from ..potential import Potential

NEIGHBOUR = 1.25  # distance of neighbours, in median nearest distances
DIRECTIONS = 200  # in which places around the cluster are looked for
SHARPNESS = 3.0  # of the preference for places with many neighbours
SHAKE = 0.45  # largest displacement along a coordinate, in median nearest distances
ROOMY = 0.6  # radius of the ball of `scattered`, in nearest distances times particles^(1/space)
TURN = 0.1  # radians
ALIKE = 1e-3  # relative difference of sorted distances


def space_of(fun: Any) -> int | None:
    """The dimension of space for particles that are all alike, in open space, with nothing else:
    sums over pairs and embedded atoms, or free atoms of one element from ASE; None for any other
    function.
    """
    if not isinstance(fun, Potential):
        return None
    if fun.atoms is not None:
        numbers = fun.atoms["numbers"]
        alone = fun.atoms["free"].all() and not fun.atoms["pbc"].any()
        return 3 if alone and len(numbers) > 2 and (numbers == numbers[0]).all() else None
    if fun.formula is None or fun.formula.truncated:
        return None
    source = fun.formula.source
    alike = set(source.bodies) <= {"pair", "density", "embedding"}
    return source.spec.space if alike and fun.dim > 2 * source.spec.space else None


def alike(space: int) -> Callable[[np.ndarray, np.ndarray], bool]:
    """Whether two clusters of equal energy have the same sorted distances."""

    def same(x: np.ndarray, y: np.ndarray) -> bool:
        a, b = (np.sort(pdist(w.reshape(-1, space))) for w in (x, y))
        return bool(np.abs(a - b).max() < ALIKE * a.max())

    return same


def motions(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Coordinates (motions, dim) within bounds after what leaves a cluster of at least three
    particles as it is, if x (dim,) are such: turned around the last axis, by coordinates of
    particles, or by angles, with those of a particle in a row or in a column.
    """
    found = []
    turn = np.array([[np.cos(TURN), np.sin(TURN)], [-np.sin(TURN), np.cos(TURN)]])
    for space in (2, 3):
        if len(x) % space == 0 and len(x) >= 3 * space:
            for way in (turn, turn.T):
                atoms = x.reshape(-1, space).copy()
                atoms[:, :2] = atoms[:, :2] @ way
                found.append(atoms.ravel())
    if len(x) % 2 == 0 and len(x) >= 6:
        for angles in (slice(1, None, 2), slice(len(x) // 2, None)):
            up, down = (high - x)[angles].min(), (x - low)[angles].min()
            shifted = x.copy()
            shifted[angles] += min(up / 2, TURN) if up > down else -min(down / 2, TURN)
            found.append(shifted)
    kept = [y for y in found if (y >= low).all() and (y <= high).all()]
    return np.array(kept).reshape(-1, len(x))


def shaken(atoms: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """All particles displaced at random."""
    return atoms + SHAKE * nearest(atoms) * rng.uniform(-1, 1, atoms.shape)


def scattered(particles: int, space: int, near: float, rng: np.random.Generator) -> np.ndarray:
    """Particles at random in a ball of the volume that they fill as spheres of diameter `near`."""
    way = rng.standard_normal((particles, space))
    radius = ROOMY * near * (particles * rng.random((particles, 1))) ** (1 / space)
    return radius * way / np.linalg.norm(way, axis=1, keepdims=True)


def rearranged(atoms: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """The `count` particles with fewest neighbours put, one after the other, where there are
    most.
    """
    near = nearest(atoms)
    neighbours = (cdist(atoms, atoms) < NEIGHBOUR * near).sum(1)
    loose = np.argsort(neighbours + 2 * rng.random(len(atoms)))[:count]
    rest = np.delete(atoms, loose, axis=0)
    for _ in loose:
        rest = np.vstack([rest, _place(rest, near, rng)])
    return rest


def nearest(atoms: np.ndarray) -> float:
    """The median distance from a particle to its nearest neighbour."""
    d = cdist(atoms, atoms)
    np.fill_diagonal(d, np.inf)
    return float(np.median(d.min(1)))


def _place(atoms: np.ndarray, near: float, rng: np.random.Generator) -> np.ndarray:
    """A place that touches the cluster from outside in a random direction, those with many
    neighbours first.
    """
    centre = atoms.mean(0)
    way = rng.standard_normal((DIRECTIONS, atoms.shape[1]))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    relative = atoms - centre
    along, squares = way @ relative.T, (relative**2).sum(1)
    room = near**2 - squares + along**2  # of the ball around each particle, on the ray
    reach = np.where(room > 0, along + np.sqrt(np.maximum(room, 0)), 0).max(1)
    distances2 = reach[:, None] * (reach[:, None] - 2 * along) + squares
    neighbours = (distances2 < (NEIGHBOUR * near) ** 2).sum(1)
    weights = np.exp(SHARPNESS * (neighbours - neighbours.max()))
    k = rng.choice(len(way), p=weights / weights.sum())
    return centre + reach[k] * way[k]
