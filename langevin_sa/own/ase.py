"""Atoms and calculators of ASE (extra ``ase``): energies in eV, lengths in Angstrom."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arguments import shown
from ..drawing import Units

try:
    import ase
    import ase.io
    import ase.units
    from ase.calculators.singlepoint import SinglePointCalculator
    from ase.constraints import FixAtoms, FixCartesian
except ImportError as error:
    raise ImportError(
        "atoms need ASE, which the extra ase brings: pip install 'langevin_sa[ase]'"
    ) from error

UNITS = Units("eV", "Angstrom", kB=float(ase.units.kB))


class Calculator:
    """What an ASE calculator says of atoms whose free coordinates are x, one replica after the
    other.

    Attributes
    ----------
    atoms : ase.Atoms
        A copy without constraints, whose positions are those of the last call.
    free : ndarray of bool (atoms, 3)
        Which coordinates make up x, atom by atom.
    masses : ndarray (dim,)
        Their masses, in atomic mass units.
    """

    def __init__(self, atoms: Any, calculator: Any, rattle: float) -> None:
        check_atoms(atoms)
        calculator = atoms.calc if calculator is None else calculator
        if not hasattr(calculator, "get_property"):
            given = "the atoms have none" if calculator is None else f"not {shown(calculator)}"
            raise TypeError(f"calculator must be one of ASE's, as in calculator=EMT(): {given}")
        self.free, self.rattle = free_coordinates(atoms), rattle
        self.atoms = atoms.copy()
        self.atoms.set_constraint()
        self.atoms.calc = calculator
        self.start = atoms.positions[self.free]
        self.masses = np.broadcast_to(atoms.get_masses()[:, None], self.free.shape)[self.free]
        # the one whose gradient the forces are
        names = getattr(calculator, "implemented_properties", ())
        self.energy_name = "free_energy" if "free_energy" in names else "energy"

    def energy_gradient(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Energies (replicas,) in eV and gradients (replicas, dim) in eV/Angstrom at x (replicas,
        dim) in Angstrom.
        """
        energies, gradients = np.empty(len(x)), np.empty(x.shape)
        for r, point in enumerate(x):
            self.atoms.positions[self.free] = point
            energies[r] = self._property(self.energy_name)
            gradients[r] = -self._property("forces")[self.free]
        return energies, gradients

    def draw(self, replicas: int, generator: np.random.Generator) -> np.ndarray:
        """Starting points (replicas, dim): the positions that were given, rattled."""
        return self.start + self.rattle * generator.standard_normal((replicas, len(self.start)))

    def _property(self, name: str) -> Any:
        return self.atoms.calc.get_property(name, self.atoms)


def check_atoms(atoms: Any) -> None:
    """Raise a TypeError unless these are ASE's."""
    if not isinstance(atoms, ase.Atoms):
        raise TypeError(f"atoms must be ase.Atoms, not {shown(atoms)}")


def free_coordinates(atoms: Any) -> np.ndarray:
    """Which coordinates (atoms, 3) no constraint holds; a ValueError for constraints that are more
    than that.
    """
    free = np.ones((len(atoms), 3), dtype=bool)
    for constraint in atoms.constraints:
        if isinstance(constraint, FixAtoms):
            free[constraint.index] = False
        elif isinstance(constraint, FixCartesian):
            free[constraint.index] &= ~np.asarray(constraint.mask)
        else:
            raise ValueError(
                f"{type(constraint).__name__} cannot be kept; of ASE's constraints only FixAtoms "
                "and FixCartesian can, by leaving their coordinates out of x"
            )
    if not free.any():
        raise ValueError("the constraints fix every coordinate of the atoms")
    return free


def arrays_of(atoms: Any) -> dict[str, np.ndarray]:
    """What atoms are, but for their calculator, as arrays: ASE's own, cell, pbc and free."""
    check_atoms(atoms)
    frame = {"cell": atoms.cell.array, "pbc": atoms.pbc, "free": free_coordinates(atoms)}
    return {name: array.copy() for name, array in {**atoms.arrays, **frame}.items()}


def atoms_at(arrays: dict[str, np.ndarray], x: np.ndarray, energy: float | None = None) -> Any:
    """Atoms as `arrays_of` took them apart, with free coordinates x (dim,), and their energy."""
    arrays = dict(arrays)
    cell, pbc, free = (arrays.pop(name) for name in ("cell", "pbc", "free"))
    atoms = ase.Atoms(arrays.pop("numbers"), arrays.pop("positions"), cell=cell, pbc=pbc)
    if len(x) != free.sum():
        raise ValueError(f"the atoms have {free.sum()} free coordinates, and x has {len(x)}")
    for name, array in arrays.items():
        atoms.set_array(name, array)
    atoms.positions[free] = x
    held = [FixAtoms(np.flatnonzero(~free.any(1)))]
    held += [FixCartesian(k, ~free[k]) for k in np.flatnonzero(free.any(1) & ~free.all(1))]
    atoms.set_constraint([fix for fix in held if len(fix.index)])
    if energy is not None:
        atoms.calc = SinglePointCalculator(atoms, energy=energy)
    return atoms


def write(path: str | os.PathLike[str], frames: Sequence[Any]) -> None:
    """Write atoms to a file whose suffix says in which of ASE's formats."""
    name = os.fspath(path)
    try:
        ase.io.write(name, list(frames))
    except ase.io.formats.UnknownFileTypeError:
        raise ValueError(
            f"{name!r} has no suffix that ASE knows: .extxyz, .xyz, .traj, .pdb, ..."
        ) from None
