"""Potentials: energy and gradient of a block of replicas, from array functions or by one of the
other ways in.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import cached_property
from html import escape
from typing import Any

import numpy as np

from .arguments import (
    FLOAT,
    box_of,
    check_tuple,
    check_type,
    check_whole,
    on_gpu,
    on_host,
    pair_returned,
    points_of,
    real,
    real_array,
    returned,
    shown,
    warn,
)
from .drawing import Displayed, Units, draw, img
from .formulas.in_numpy import Formula
from .own.arrays import of_any_library
from .own.ways import Ways
from .scale import STEP, Scale, gradient_by_differences, laplacian_by_differences, steps

FEW = 9  # coordinates whose names repr shows
NEARBY = 0.01  # natural lengths, where a gradient is looked at too


class Potential(Displayed, Ways):
    """A potential energy U(x) from array functions; ``Potential.from_...`` are the other ways:
    formulas, numba, one-point functions, JAX, torch, ASE, C.

    Parameters
    ----------
    energy : callable
        ``energy(x, *args) -> (replicas,)`` for x of shape (replicas, dim), read-only. Plain NumPy
        code. May be left out beside `energy_gradient`.
    gradient : callable, optional
        ``gradient(x, *args) -> (replicas, dim)``. Without it, central differences of the energy,
        2*dim energies a step.
    dim : int
        Number of coordinates.
    args : tuple
        Further arguments of all functions.
    bounds : sequence of (low, high), or one pair for all coordinates, optional
        The domain where starting points are drawn and pictures are made.
    energy_gradient : callable, optional
        ``energy_gradient(x, *args) -> ((replicas,), (replicas, dim))``: both at once, in place of
        `gradient`. `energy`, if it is given too, is called where no gradient is needed.
    name, laplacian, minima, minimum_energy, latex, start : optional
        A name; ``laplacian(x, *args) -> (replicas,)``; known global minima, shape (k, dim); their
        energy; a formula for people; ``start(replicas, generator) -> (replicas, dim)``, which draws
        starting points.

    Attributes
    ----------
    dim, bounds, minima, minimum_energy, latex, name
        As given; `bounds` is an array (dim, 2) or None, `minima` (k, dim) or None.
    atoms : dict of ndarray or None
        What atoms the coordinates are, for those of `from_ase`.
    masses : ndarray (dim,) or None
        Masses of the coordinates, for those of `from_ase`, in atomic mass units: time is then in
        ASE's unit, Angstrom sqrt(amu/eV). `anneal` takes them where it is given none.
    units : Units
        Names of the units of energy and length, which may be set: ``U.units = Units("eV")``.

    Raises
    ------
    TypeError, ValueError
        For what is no function, a missing dim or energy, or two ways to the gradient; and, when it
        is evaluated, for functions that return other shapes.

    Examples
    --------
    >>> Potential(energy_gradient=lambda x: ((x**2).sum(1), 2 * x), dim=3).energy([1.0, 1.0, 0.0])
    2.0
    """

    def __init__(
        self,
        energy: Callable[..., Any] | None = None,
        gradient: Callable[..., Any] | None = None,
        dim: int | None = None,
        args: tuple[Any, ...] = (),
        bounds: Any = None,
        name: str | None = None,
        *,
        energy_gradient: Callable[..., Any] | None = None,
        laplacian: Callable[..., Any] | None = None,
        minima: Any = None,
        minimum_energy: float | None = None,
        latex: str | None = None,
        start: Callable[[int, np.random.Generator], np.ndarray] | None = None,
    ) -> None:
        functions = {"energy": energy, "gradient": gradient, "energy_gradient": energy_gradient}
        for what, function in {**functions, "laplacian": laplacian, "start": start}.items():
            if not (callable(function) or function is None):
                raise TypeError(
                    f"{what} must be a function of x with shape (replicas, dim), not "
                    f"{type(function).__name__}"
                )
        if energy is None and energy_gradient is None:
            raise TypeError(
                "energy is missing: give energy(x) -> (replicas,), or energy_gradient(x) -> "
                "((replicas,), (replicas, dim))"
            )
        if gradient is not None and energy_gradient is not None:
            raise TypeError("energy_gradient brings the gradient: leave out gradient")
        if dim is None:
            raise TypeError(
                "dim is missing: say how many coordinates the potential has, Potential(energy, "
                "gradient, dim=...)"
            )
        check_whole(1, dim=dim)
        self.dim = int(dim)
        if not isinstance(name, str | None):
            raise TypeError(f"name must be text, not {shown(name)}")
        if gradient is None and energy_gradient is None:
            warn(
                f"no gradient given: it is taken by central differences, {2 * self.dim} energies "
                "a step; give gradient=, or write the potential as a formula"
            )
        self._energy, self._gradient, self._both = energy, gradient, energy_gradient
        self.args = check_tuple(args)
        self._laplacian, self._start = laplacian, start
        self.bounds = None if bounds is None else box_of(bounds, self.dim, "bounds")
        self.minima = points_of(minima, self.dim, "minima")
        self.minimum_energy = minimum_energy
        self.latex = latex
        self.name = name or getattr(energy or energy_gradient, "__name__", "potential")
        self.formula: Formula | None = None
        self.numba_functions: tuple[Any, Any] | None = None
        self.atoms: dict[str, np.ndarray] | None = None
        self.masses: np.ndarray | None = None
        self._units = Units()

    @property
    def units(self) -> Units:
        """Names of the units of energy and length."""
        return self._units

    @units.setter
    def units(self, units: Units) -> None:
        check_type(units, Units, "units")
        self._units = units

    # ----------------------------------------------------------------------------------- evaluation

    @of_any_library
    def energy(self, x: Any) -> Any:
        """U(x): a float for x of shape (dim,), an array (replicas,) for (replicas, dim)."""
        block, single = self._block(x)
        if self._energy is None:
            energy = self.energy_gradient(block)[0]
        else:
            energy = returned(self, self._energy(block, *self.args), "energy", block, (len(block),))
        return float(energy[0]) if single else energy

    @of_any_library
    def gradient(self, x: Any) -> Any:
        """dU/dx, of the shape of x: exact if a gradient or formula was given, else by central
        differences.
        """
        block, single = self._block(x)
        if self._both is not None:
            gradient = self.energy_gradient(block)[1]
        elif self._gradient is None:
            gradient = self._difference(block)
        else:
            gradient = self._gradient(block, *self.args)
            gradient = returned(self, gradient, "gradient", block, block.shape)
        return gradient[0] if single else gradient

    @of_any_library
    def energy_gradient(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Energy and gradient of a block (replicas, dim) together, cheaper than one after the other
        where one function gives both.
        """
        if self.formula is not None:
            return self.formula.energy_gradient(x)
        if self._both is None:
            return self.energy(x), self.gradient(x)
        block, _ = self._block(x)
        energy, gradient = pair_returned(self, self._both(block, *self.args))
        return (
            returned(self, energy, "energy", block, (len(block),)),
            returned(self, gradient, "gradient", block, block.shape),
        )

    @of_any_library
    def descend(self, x: Any) -> tuple[Any, Any]:
        """Where each of many points ends if all heat is taken out at once: the local minima below
        x (replicas, dim), by L-BFGS, and their energies (replicas,).

        All go down together. Points on a GPU stay there (pairs with a cut-off and functions of the
        CPU come to the host).

        Examples
        --------
        >>> U = Potential.from_formula("(x**2 - 1)**2 + x/4", bounds=(-2, 2))
        >>> x, energy = U.descend([[-1.5], [0.1], [1.5]])
        >>> energy.round(3)
        array([-0.254, -0.254,  0.246])
        """
        from .descents.batched import descend

        return descend(self, self._block(x)[0])

    @property
    def has_gradient(self) -> bool:
        """Whether the gradient is exact: given, or a formula's, not by differences."""
        return self._gradient is not None or self._both is not None

    @property
    def laws(self) -> dict[str, Any]:
        """Parameters that are laws of progress, by name; empty for a potential that does not
        move.
        """
        return {} if self.formula is None else self.formula.laws

    def at(self, progress: float) -> Potential:
        """The landscape at a progress in [0, 1] of a run, which does not move; itself without laws.

        Where laws are, ``U.energy`` and all that takes a potential outside of a run (`minimize`,
        pilots, pictures) see ``U.at(1)``. Known minima are those of that one.

        Examples
        --------
        >>> U = Potential.from_formula("(x - a)**2", a=lambda s: 5 * s)
        >>> U.at(0.5).energy([2.5]), U.energy([2.5])
        (0.0, 6.25)
        """
        if not (real(progress) and 0 <= progress <= 1):
            raise ValueError(f"progress must be a number from 0 to 1, not {shown(progress)}")
        if self.formula is None or not self.laws:
            return self
        drive = self.formula.drive(np.array([float(progress)]))
        there = self.moved(drive.places, drive.values[0])
        if progress < 1:
            there.minima, there.minimum_energy = None, None
        return there

    def moved(self, places: np.ndarray, row: np.ndarray) -> Potential:
        """The potential with these of its formula's numbers, and no laws."""
        there, formula = copy(self), self.formula
        assert formula is not None
        vars(there).pop("scale", None)
        there.formula = formula = formula.moved(places, row)
        there._energy, there._gradient = formula.energy, formula.gradient
        there._laplacian = formula.laplacian
        return there

    def on_device(self, xp: Any, dtype: Any = float) -> Potential:
        """The same potential with its array arguments as arrays of `xp`, CuPy for instance; those
        of floats in this dtype.
        """

        def there(array: np.ndarray) -> Any:
            return xp.asarray(array, dtype=dtype if array.dtype.kind == "f" else array.dtype)

        moved = copy(self)
        moved.args = tuple(there(a) if isinstance(a, np.ndarray) else a for a in self.args)
        return moved

    @of_any_library
    def laplacian(self, x: Any) -> Any:
        """Sum of second derivatives, of the shape of the energy: exact for formulas, else
        differences of the gradient.
        """
        block, single = self._block(x)
        if self._laplacian is not None:
            laplacian = self._laplacian(block, *self.args)
            laplacian = returned(self, laplacian, "laplacian", block, (len(block),))
        else:
            laplacian = laplacian_by_differences(self, block)
        return float(laplacian[0]) if single else laplacian

    @property
    def has_laplacian(self) -> bool:
        """Whether the Laplacian is exact (a formula's, or given) and cheap."""
        return self._laplacian is not None

    @cached_property
    def scale(self) -> Scale:
        """The natural length and energy, of which tolerances are shares; the energy takes some
        descents when it is first asked for.
        """
        return Scale(self)

    @property
    def has_domain(self) -> bool:
        """Whether starting points have a place to come from: bounds, or a `start` of the
        potential's own.
        """
        return self._start is not None or self.bounds is not None

    def check_gradient(self, x: Any) -> float:
        """Largest error of the gradient against central differences of the energy, relative to its
        largest component nearby.
        """
        block, _ = self._block(on_host(x))
        if not len(block):
            raise ValueError(f"x must hold at least one point, not shape {np.shape(x)}")
        exact, numeric = self.gradient(block), self._difference(block)
        # x itself may be a minimum, where differences are noise
        nearby = self.gradient(block + NEARBY / STEP * steps(self, block))
        seen = (exact, numeric, nearby)
        size = max(np.max(np.abs(g), where=np.isfinite(g), initial=1e-300) for g in seen)
        return float(np.max(np.abs(exact - numeric)) / size)

    def draw_start(self, replicas: int, generator: np.random.Generator) -> np.ndarray:
        """Starting points (replicas, dim): the potential's own, else uniform in the bounds, else
        standard normal.
        """
        if self._start is not None:
            start = self._start(replicas, generator)
            if start is None:
                raise ValueError(
                    f"the start of {self.name} returned None; expected ({replicas}, {self.dim}): "
                    "does it end with return?"
                )
            return np.asarray(start, dtype=float)
        if self.bounds is not None:
            return generator.uniform(self.bounds[:, 0], self.bounds[:, 1], (replicas, self.dim))
        return generator.standard_normal((replicas, self.dim))

    @property
    def variables(self) -> tuple[str, ...] | None:
        """Names of the coordinates in their order: the formula's, x1, y1, z1, x2, ... of particles,
        x1, x2, ... of sites (a lattice's with the last axis fastest); None for functions.
        """
        return None if self.formula is None else self.formula.source.spec.coordinates_of(self.dim)

    def __repr__(self) -> str:
        order = f", variables={self.variables}" if self.formula and self.dim <= FEW else ""
        return f"Potential({self.name!r}, dim={self.dim}{order})"

    def plot(self) -> Any:
        """The landscape of one or two coordinates; see `langevin_sa.plots.landscape`."""
        return draw("landscape", self)

    def _repr_html_(self) -> str:
        if self.formula is None or self.latex is None:  # functions may take any time
            return f"<pre>{escape(repr(self))}</pre>"
        try:
            formula = img(draw("formula", f"$U = {self.latex}$"), "image/svg+xml")
        except ValueError:  # LaTeX that matplotlib does not know
            formula = f"<code>{escape(self.latex)}</code>"
        return formula + super()._repr_html_()

    def _repr_latex_(self) -> str | None:
        return self.latex and f"$\\displaystyle U = {self.latex}$"

    def _block(self, x: Any) -> tuple[np.ndarray, bool]:
        if type(x) is np.ndarray and x.dtype is FLOAT and x.ndim == 2 and x.shape[1] == self.dim:
            if not x.flags.writeable:  # a backend's, at each step
                return x, False
        elif on_gpu(x):
            x = x if x.dtype in (np.float32, np.float64) else x.astype(float)
        elif type(x) is not np.ndarray or x.dtype not in (np.float32, np.float64):
            x = real_array(x, "x")
        if x.ndim not in (1, 2) or x.shape[-1] != self.dim:
            raise ValueError(
                f"x must have shape ({self.dim},) or (replicas, {self.dim}) for {self.name}, not "
                f"{x.shape}"
            )
        block = np.atleast_2d(x).view()
        if not on_gpu(x):
            block.flags.writeable = False  # a function that writes to x would move the replicas
        return block, x.ndim == 1

    def _difference(self, block: np.ndarray) -> Any:
        return gradient_by_differences(self, block)
