"""Energy, virial and pressure of pairs in a periodic box, and what lies beyond the cut-off."""

from __future__ import annotations

from math import gamma, pi
from typing import Any

import numpy as np

from ..arguments import check_flags, check_type, finite, real_array, shown, whole
from ..formulas.cutoff import CutoffFormula
from ..potential import Potential

NODES, AGREE = 64, 1e-8  # of Gauss-Legendre; how well twice as many must agree with them


class Fluid:
    """A potential of pairs in a periodic box.

    Raises
    ------
    TypeError, ValueError
        If it is none.

    Attributes
    ----------
    formula : CutoffFormula
        The pairs.
    box : ndarray (space,)
        Sides.
    particles, space : int
        How many, in how many dimensions.
    volume : float
        Of the box (an area or a length where space is 2 or 1).
    """

    def __init__(self, potential: Any) -> None:
        check_type(potential, Potential, "potential")
        formula = potential.formula
        if not isinstance(formula, CutoffFormula) or not formula.box.all():
            raise ValueError(
                f"{potential.name} has no periodic box, and so no density and no volume: give "
                "Potential.from_formula(pair=..., cutoff=..., box=...)"
            )
        if formula.cell.into is not None or formula.lists is not None:
            raise ValueError(
                f"{potential.name} has a tilted cell or terms over lists of particles: observables "
                "of fluids are for pairs in a rectangular box"
            )
        self.formula, self.box = formula, formula.box
        self.particles, self.space = len(formula.species), len(formula.box)
        self.volume = float(self.box.prod())

    def configurations(self, x: Any) -> np.ndarray:
        """Positions (..., dim) as (configurations, particles, space)."""
        x = real_array(x, "x")
        if not x.ndim or x.shape[-1] != self.particles * self.space or not x.size:
            raise ValueError(
                f"x must have shape (..., {self.particles * self.space}), not {x.shape}"
            )
        if not np.isfinite(x).all():
            raise ValueError("x must be finite")
        return x.reshape(-1, self.particles, self.space)

    def wrapped(self, x: Any) -> np.ndarray:
        """The same with all coordinates inside the box."""
        inside = np.mod(self.configurations(x), self.box)
        inside[inside >= self.box] = 0.0  # a tiny negative number rounds to the far side
        return inside

    def between(self, species: Any) -> tuple[np.ndarray, np.ndarray]:
        """Which particles are of the first and of the second of two species, all for None."""
        if species is None:
            every = np.ones(self.particles, dtype=bool)
            return every, every
        try:
            first, second = species
        except (TypeError, ValueError):
            first = second = None
        a, b = (self.formula.species == s for s in (first, second))
        if not (whole(first) and whole(second) and a.any() and b.any()):
            known = np.unique(self.formula.species).tolist()
            raise ValueError(f"between must be two of the species {known}, not {shown(species)}")
        return a, b


def energy(potential: Any, x: Any, tail: bool = False) -> np.ndarray:
    """Energy of pairs as their formula says it, V(r) for r < cutoff without the shift V(cutoff).

    Parameters
    ----------
    potential : Potential
        Pairs in a periodic box; its own energy has the shift.
    x : array (..., dim)
        Positions.
    tail : bool
        Add what lies beyond the cut-off, with g(r) = 1 there.

    Returns
    -------
    ndarray (...)
        Of each configuration.
    """
    return _sums(potential, x, tail)[0]


def virial(potential: Any, x: Any, tail: bool = False) -> np.ndarray:
    """sum r dV/dr over pairs, r the distance of nearest images; parameters and result as those of
    `energy`.
    """
    return _sums(potential, x, tail)[1]


def pressure(potential: Any, x: Any, temperature: float, tail: bool = False) -> np.ndarray:
    """p = rho T - sum r dV/dr/(space*V), whose mean is the pressure of the potential at a
    temperature.

    Parameters
    ----------
    potential : Potential
        Pairs in a periodic box.
    x : array (..., dim)
        Positions, as ``samples`` or the block of a run has them.
    temperature : float
        T (energy).
    tail : bool
        Add what lies beyond the cut-off, with g(r) = 1 there: an estimate for the formula without
        a cut-off.

    Returns
    -------
    ndarray (...)
        Of each configuration; `langevin_sa.thermometers.average` has the mean and its error.

    Raises
    ------
    ValueError
        If the potential has no periodic box, or its tail no finite integral.

    Notes
    -----
    The package cuts and shifts, V(r) - V(cutoff), which is continuous: there is no impulsive term,
    and without `tail` this is the pressure of the very potential that moves the particles. For one
    that is cut and not shifted add (2 pi/3) rho^2 cutoff^3 V(cutoff) g(cutoff).

    References
    ----------
    Allen, Tildesley, Computer Simulation of Liquids (2017), sections 2.4 and 2.8.

    Examples
    --------
    >>> import langevin_sa as lsa
    >>> U = lsa.potentials.lennard_jones_fluid(108, cutoff=2.0)
    >>> x = U.draw_start(2, np.random.default_rng(1))
    >>> lsa.observables.pressure(U, x, temperature=1.0).shape
    (2,)
    """
    if not (finite(temperature) and temperature >= 0):
        raise ValueError(f"temperature must be a number >= 0, not {shown(temperature)}")
    fluid = Fluid(potential)
    found = virial(potential, x, tail)
    return (fluid.particles * temperature - found / fluid.space) / fluid.volume


def _sums(potential: Any, x: Any, tail: bool) -> tuple[np.ndarray, np.ndarray]:
    """Energy and virial of each configuration, of the shape of x without its last axis."""
    check_flags(tail=tail)
    fluid = Fluid(potential)
    beyond = _tail(fluid) if tail else (0.0, 0.0)
    rows = [fluid.formula.sums(points.ravel()) for points in fluid.configurations(x)]
    total = (np.array(rows) + beyond).reshape(*np.shape(x)[:-1], 2)
    return total[..., 0], total[..., 1]


def _tail(fluid: Fluid) -> tuple[float, float]:
    """Energy and virial of all pairs beyond their cut-offs at g(r) = 1.

    With r = cutoff/t the integrals over r^(space - 1) dr run from 0 to 1, where those of inverse
    powers are of polynomials.
    """
    formula, space = fluid.formula, fluid.space
    surface = 2 * pi ** (space / 2) / gamma(space / 2)
    numbers = np.bincount(formula.species, minlength=formula.types)
    total = np.zeros(2)
    for kind, pairs in enumerate(np.outer(numbers, numbers).ravel() / 2):
        end = float(np.sqrt(formula.table[kind, -1]))
        coarse, fine = (_beyond(formula, kind, end, nodes) for nodes in (NODES, 2 * NODES))
        sizes = end**space * abs(formula.pairs(np.array([end]), kind))[:, 0]
        if not (abs(fine - coarse) <= AGREE * (abs(fine) + sizes)).all():
            raise ValueError(
                f"the pair formula does not fall off fast enough for a tail in {space} dimensions "
                "(it must fall faster than r^-space), or not smoothly"
            )
        total += pairs * surface / fluid.volume * fine
    return float(total[0]), float(total[1])


def _beyond(formula: CutoffFormula, kind: int, end: float, nodes: int) -> np.ndarray:
    """Integrals of V and of r dV/dr over r^(space - 1) dr from `end` on."""
    t, weight = np.polynomial.legendre.leggauss(nodes)
    r = end / (0.5 + 0.5 * t)
    volume: np.ndarray = 0.5 * weight * r ** (len(formula.box) + 1) / end
    return np.asarray((formula.pairs(r, kind) * volume).sum(1))
