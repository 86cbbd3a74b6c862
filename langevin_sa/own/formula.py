"""A potential from formulas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np

from ..formulas.terms import read_formula, written


class FromFormula:
    """Makers of a `Potential` from formulas, which it inherits."""

    formula: Any

    def __init__(self, *functions: Any, **keywords: Any) -> None:
        raise NotImplementedError

    @classmethod
    def from_formula(
        cls,
        /,
        formula: str | None = None,
        *,
        site: str | None = None,
        bond: str | None = None,
        pair: str | None = None,
        density: str | None = None,
        embedding: str | None = None,
        terms: Sequence[tuple[str, Any, str]] | None = None,
        variables: Sequence[str] | None = None,
        dim: int | None = None,
        shape: Sequence[int] | None = None,
        periodic: bool = False,
        particles: int | None = None,
        space: int = 3,
        cutoff: Any = None,
        box: Any = None,
        species: Any = None,
        bounds: Any = None,
        name: str | None = None,
        minima: Any = None,
        minimum_energy: float | None = None,
        start: Callable[[int, np.random.Generator], np.ndarray] | None = None,
        **parameters: Any,
    ) -> Self:
        """A potential from formulas; several kinds of term are added up. docs/potentials.md lists
        the functions that they may use.

        Parameters
        ----------
        formula : str, optional
            In coordinates: free names that are no parameters are coordinates, a before b and x2
            before x10, or in the order of `variables`. With `particles` the coordinates are x1, y1,
            z1, x2, ... (x1, x2, ... if space is 1), whichever of them the formula mentions.
        site : str, optional
            In x, summed over all coordinates.
        bond : str, optional
            In x and y, summed over neighbours x_i, x_{i+1} of the chain, or along each axis of the
            lattice; with `particles` in the distance r of consecutive particles.
        pair : str, optional
            In the distance r, summed over pairs of particles.
        density, embedding : str, optional
            F(rho) summed over particles, where rho is f(r) summed over the others: `density` is f,
            in the distance r, `embedding` F, in rho.
        terms : list of (kind, particles, formula), optional
            Sums over lists of particles, numbered from 0: ("bond", (n, 2), in their distance r),
            ("angle", (n, 3), in theta, 0 to pi, at the middle one), ("torsion", (n, 4), in phi,
            -pi to pi, 0 in cis, around the middle bond, space 3 only).
        dim, shape : int; tuple of int, optional
            Sites of a chain; or sites along each axis of a lattice (dim is then their product).
        periodic : bool
            Whether bonds close around the chain (of sites or particles) or lattice.
        particles, space : int
            Number of particles and dimensions of space; dim is their product, coordinates x1, y1,
            z1, x2, ...
        cutoff : float or array (types, types), optional
            Distance beyond which a pair does not count: V(r) - V(cutoff) for r < cutoff. Beside no
            other terms (or terms over lists in a box), work then grows as the number of particles
            (neighbour lists of numba).
        box : float, or sequence of float, array (space,) or None, optional
            Length of the periodic box, or for each axis a length, a cell vector, or None where it
            is open; opposite faces at least twice the cutoff apart: pairs (and terms over lists)
            are between nearest images. Coordinates are not wrapped. None leaves space open.
        species : array of int (particles,), optional
            Species 0, 1, ... of each particle; pair parameters and the cutoff may then be symmetric
            matrices (types, types).
        **parameters
            Numbers, or for site and bond formulas arrays with one value a coordinate, for terms
            over lists one an entry; or laws of progress, as in ``a=schedules.linear(0, 5)``: then
            the landscape moves during a run, and everywhere else the potential is its last
            landscape, ``U.at(1)``.

        Raises
        ------
        FormulaError
            If a formula cannot be read, uses a name that is not known or an argument of this method
            that was given a number, or does not use a parameter; formulas are parsed, never run as
            Python.

        Examples
        --------
        >>> Potential.from_formula("a*(y - x**2)**2 + (1 - x)**2", a=100.0).gradient([1.0, 1.0])
        array([0., 0.])
        """
        kinds = {"coordinates": formula, "site": site, "bond": bond, "pair": pair}
        kinds |= {"density": density, "embedding": embedding}
        texts = {kind: text for kind, text in kinds.items() if text is not None}
        given = {"name": name, "minimum_energy": minimum_energy}
        pairs: dict[str, Any] = {"particles": particles, "space": space}
        pairs |= {"cutoff": cutoff, "box": box, "species": species, "terms": terms}
        read, dim = read_formula(
            texts, parameters, variables, given, dim=dim, shape=shape, periodic=periodic, **pairs
        )
        potential = cls(
            read.energy,
            read.gradient,
            dim,
            bounds=read.domain if bounds is None else bounds,
            name=name or written(texts, terms or ()),
            laplacian=read.laplacian,
            minima=minima,
            minimum_energy=minimum_energy,
            latex=read.source.latex,
            start=start,
        )
        potential.formula = read
        return potential
