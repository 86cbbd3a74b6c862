"""Pair formulas with a cut-off: species, periodic cell, and the readable reference for energy,
gradient and Laplacian.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np

from ..arguments import real_array, shown
from .cell import read_cell
from .derive import source_of
from .in_numpy import Formula
from .spec import Source

PAIRS_AT_ONCE = 1_000_000
MOST_SPECIES = 64
MANY = 1000  # particles from which energies are no longer the reference's


class CutoffFormula(Formula):
    """A pair formula truncated and shifted, V(r) - V(cutoff) for r < cutoff, between nearest
    images.

    Every pair is to the printed formula a system of two particles with parameters of its own.

    Attributes
    ----------
    cell : Cell
        The periodic cell.
    box : ndarray (space,)
        Its lengths, between opposite faces; 0 along an open axis.
    species : ndarray (particles,)
        Species of each particle, 0 to types - 1.
    cutoff2 : ndarray (types, types)
        Squared cut-offs.
    table : ndarray (types * types, parameters + 2)
        For each pair of species the formula's parameters, V(cutoff) and the squared cut-off.
    """

    truncated = True
    lists: Formula | None = None  # the terms over lists of particles

    def __init__(
        self,
        source: Source,
        parameters: Mapping[str, Any],
        particles: int,
        cutoff: Any,
        box: Any,
        species: Any,
        laws: Mapping[str, Any] | None = None,
    ) -> None:
        space = source.spec.space
        if space > 3:
            raise ValueError(f"cutoff= needs space= 1, 2 or 3, not {space}")
        matrices = [len(value) for value in (cutoff, *parameters.values()) if np.ndim(value)]
        self.species, self.types = _species(species, particles, matrices)
        reach = _between_species(cutoff, "cutoff", self.types)
        if not (np.isfinite(reach) & (reach > 0)).all():
            raise ValueError(f"cutoff must be positive and finite, not {shown(cutoff)}")
        self.reach, self.cutoff2 = reach.ravel(), reach**2
        self.cell = read_cell(box, space, float(reach.max()))
        self.box = self.cell.lengths
        if self.box.all() and self.cell.into is None:
            self.domain = np.tile(np.stack([np.zeros(space), self.box], axis=1), (particles, 1))
        values = [
            _between_species(value, f"parameter {name!r}", self.types)
            for name, value in parameters.items()
        ]
        rows = np.stack([v.ravel() for v in (*values, np.zeros_like(reach), self.cutoff2)], axis=1)
        super().__init__(source, rows, np.array([2 * space], dtype=np.int64), laws)
        self._shift(np.ascontiguousarray(rows))

    def _shift(self, table: np.ndarray) -> None:
        """Take a table of parameters, after V(cutoff) was put into it."""
        self.numbers = self.table = table
        apart = np.zeros((len(table), len(self.box)))
        apart[:, 0] = self.reach
        table[:, -2] = self._pairs("energy_gradient", apart, np.arange(len(table)))[0]
        if not np.isfinite(table[:, -2]).all():
            raise ValueError(
                f"the formula is not finite at the cut-off: {table[:, -2].tolist()} at r = "
                f"{self.reach.tolist()}"
            )

    def with_lists(self, lists: Formula) -> CutoffFormula:
        """The formula with terms over lists of its particles, which go to nearest images."""
        joined, spec = copy(self), replace(lists.source.spec, cell=True)
        numbers = np.insert(lists.numbers, len(spec.scalars), self.cell.images)
        joined.lists = Formula(source_of(spec), numbers, lists.size)
        latex = f"{self.source.latex} + {lists.source.latex}"
        joined.source = replace(self.source, latex=latex)
        return joined

    def moved(self, places: np.ndarray, row: np.ndarray) -> CutoffFormula:
        """The formula with these of its numbers for all pairs of species, and no laws."""
        frozen, table = copy(self), self.table.copy()
        table[:, places], frozen.laws = row, {}
        frozen._shift(table)
        return frozen

    def _pairs(self, name: str, apart: np.ndarray, kinds: np.ndarray) -> Any:
        """The printed function of two particles for each separation (pairs, space), parameters by
        pair of species.
        """
        two = np.concatenate([np.zeros_like(apart), apart], axis=1)
        with np.errstate(all="ignore"):
            return self._function(name)(two, self.table[kinds].T[..., None], self.size)

    def _near(
        self, x: np.ndarray
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """Pairs of one replica nearer than their cut-off, so many at a time: i, j, pair of species,
        separation (pairs, space).
        """
        from scipy.spatial import cKDTree

        v = self.cell.along(x.reshape(len(self.species), -1).astype(float))
        period = np.where(self.box > 0, self.box, np.inf)
        inside = np.where(self.box > 0, np.mod(v, np.where(self.box > 0, self.box, 1.0)), v)
        inside[(inside >= self.box) & (self.box > 0)] = 0.0
        tree = cKDTree(inside, boxsize=self.box if self.box.any() else None)
        reach = np.sqrt(self.cutoff2.max()) * (1 + 1e-9) * self.cell.stretch
        found = tree.query_pairs(reach, output_type="ndarray")
        for start in range(0, len(found), PAIRS_AT_ONCE):
            i, j = found[start : start + PAIRS_AT_ONCE].T
            apart = v[j] - v[i]
            apart = self.cell.away(apart - self.box * np.round(apart / period))
            kinds = self.species[i] * self.types + self.species[j]
            near = (apart**2).sum(1) < self.table[kinds, -1]
            if near.any():  # none where species have shorter cut-offs than others
                yield i[near], j[near], kinds[near], apart[near]

    def pairs(self, r: np.ndarray, kind: int) -> np.ndarray:
        """V and r dV/dr (2, distances) of two particles at distances r, without cut-off and shift;
        their species as the row of the table.
        """
        apart = np.zeros((len(r), len(self.box)))
        apart[:, 0] = r
        value, forces = self._pairs("energy_gradient", apart, np.full(len(r), kind))
        return np.stack([value, r * forces[:, len(self.box)]])

    def sums(self, x: np.ndarray) -> tuple[float, float]:
        """Sums of V, without the shift, and of r dV/dr over the pairs of one replica (dim,) nearer
        than their cut-off.
        """
        energy = virial = 0.0
        for _, _, kinds, apart in self._near(x):
            value, forces = self._pairs("energy_gradient", apart, kinds)
            energy += float(value.sum())
            virial += float((apart * forces[:, len(self.box) :]).sum())
        return energy, virial

    def energy_gradient(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Energy (replicas,) and gradient (replicas, dim)."""
        energy, gradient = np.zeros(len(x)), np.zeros_like(x)
        for r in np.flatnonzero(self._finite(x, energy)):
            g = np.zeros((len(self.species), len(self.box)))
            for i, j, kinds, apart in self._near(x[r]):
                e, forces = self._pairs("energy_gradient", apart, kinds)
                energy[r] += (e - self.table[kinds, -2]).sum()
                for k, f in enumerate(forces[:, len(self.box) :].T):
                    g[:, k] += np.bincount(j, f, len(g)) - np.bincount(i, f, len(g))
            gradient[r] = g.ravel()
        return self._and_lists(x, energy, gradient)

    def _and_lists(
        self, x: np.ndarray, energy: np.ndarray, gradient: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """With what terms over lists add."""
        if self.lists is None:
            return energy, gradient
        more = self.lists.energy_gradient(x)
        return energy + more[0], gradient + more[1]

    def energy(self, x: np.ndarray) -> np.ndarray:
        """Energy (replicas,)."""
        return self._both(x)[0]

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """Gradient (replicas, dim)."""
        return self._both(x)[1]

    def _both(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        few = len(self.species) < MANY
        return self.energy_gradient(x) if few else self.compiled(x, "pairs")

    def laplacian(self, x: np.ndarray) -> np.ndarray:
        """Laplacian (replicas,)."""
        if len(self.species) >= MANY:
            return self.compiled(x, "laplacians")[0]
        laplacian = np.zeros(len(x))
        for r in np.flatnonzero(self._finite(x, laplacian)):
            for _, _, kinds, apart in self._near(x[r]):
                laplacian[r] += self._pairs("laplacian", apart, kinds).sum()
        return laplacian if self.lists is None else laplacian + self.lists.laplacian(x)

    def compiled(self, x: np.ndarray, name: str = "pairs") -> tuple[np.ndarray, np.ndarray]:
        """The same by the numba backend, for many particles or calls: energy and gradient, or
        Laplacian and zeros.
        """
        from ..backends.cpu.neighbours import evaluate

        value, gradient = np.zeros(len(x)), np.zeros_like(x)
        for r in np.flatnonzero(self._finite(x, value)):
            value[r], gradient[r] = evaluate(self, x[r].astype(float), name)
        if name == "pairs":
            return self._and_lists(x, value, gradient)
        return value if self.lists is None else value + self.lists.laplacian(x), gradient

    @staticmethod
    def _finite(x: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Which replicas are at finite points; NaN goes to `out` for the others."""
        finite = np.isfinite(x).all(1)
        out[~finite] = np.nan
        return finite


def _species(species: Any, particles: int, matrices: list[int]) -> tuple[np.ndarray, int]:
    """Species of the particles, and how many there are: the rows of the matrices, else as many as
    occur.
    """
    out = np.zeros(particles, dtype=np.int64) if species is None else np.asarray(species)
    if out.shape != (particles,) or out.dtype.kind not in "iu":
        raise ValueError(
            f"species must be {particles} integers, one a particle, not {out.dtype.name} of shape "
            f"{out.shape}"
        )
    types = max(matrices, default=int(out.max()) + 1)
    if species is None and types > 1:
        raise ValueError("a matrix of parameters needs species=, the species of each particle")
    if out.min() < 0 or out.max() >= min(types, MOST_SPECIES):
        raise ValueError(
            f"species must be numbers from 0 to {min(types, MOST_SPECIES) - 1}, not {out.min()} "
            f"to {out.max()}"
        )
    return out.astype(np.int64), types


def _between_species(value: Any, what: str, types: int) -> np.ndarray:
    """A number, or a symmetric matrix with a value for each pair of species, as a matrix (types,
    types).
    """
    try:
        out = real_array(value, what)
    except (TypeError, ValueError):
        out = np.empty(0)
    if out.ndim and out.shape != (types, types):
        raise ValueError(
            f"{what} must be a number or a matrix ({types}, {types}), species by species, not "
            f"{shown(value)}"
        )
    if out.ndim and not np.array_equal(out, out.T):
        raise ValueError(
            f"{what} must be symmetric, the same for species (a, b) and (b, a), not {out.tolist()}"
        )
    return np.broadcast_to(out, (types, types)).copy()
