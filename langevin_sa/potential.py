"""Potentials: energy and gradient of a block of replicas, said as a formula, as array functions or as numba functions."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from typing import Any

import numpy as np

from .backends import on_gpu
from .formula import INPUTS, Source, Spec, check_names, source_of
from .naming import check_flags, shown, whole
from .parse import CONSTANTS, FUNCTIONS, FormulaError, names, parse, short
from .sources import numpy_source


class Potential:
    """A potential energy U(x) from array functions; see `from_formula` and `from_numba` for the other two ways.

    Parameters
    ----------
    energy : callable
        ``energy(x, *args) -> (replicas,)`` for x of shape (replicas, dim). Plain NumPy code.
    gradient : callable, optional
        ``gradient(x, *args) -> (replicas, dim)``. Without it, central differences of the energy, 2*dim energies a step.
    dim : int
        Number of coordinates.
    args : tuple
        Further arguments of both functions.
    bounds : sequence of (low, high), or one pair for all coordinates, optional
        The domain where starting points are drawn and pictures are made.
    name, laplacian, minima, minimum_energy, latex, start : optional
        A name; ``laplacian(x, *args) -> (replicas,)``; known global minima, shape (k, dim); their energy; a formula for
        people; ``start(replicas, generator) -> (replicas, dim)``, which draws starting points.

    Attributes
    ----------
    dim, bounds, minima, minimum_energy, latex, name
        As given; `bounds` is an array (dim, 2) or None, `minima` (k, dim) or None.
    """

    def __init__(
        self,
        energy: Callable[..., Any],
        gradient: Callable[..., Any] | None = None,
        dim: int | None = None,
        args: tuple[Any, ...] = (),
        bounds: Any = None,
        name: str | None = None,
        *,
        laplacian: Callable[..., Any] | None = None,
        minima: Any = None,
        minimum_energy: float | None = None,
        latex: str | None = None,
        start: Callable[[int, np.random.Generator], np.ndarray] | None = None,
    ) -> None:
        for what, function in (("energy", energy), ("gradient", gradient), ("laplacian", laplacian), ("start", start)):
            if not (callable(function) or (function is None and what != "energy")):
                raise TypeError(f"{what} must be a function of x with shape (replicas, dim), not {type(function).__name__}")
        if dim is None:
            raise TypeError("dim is missing: say how many coordinates the potential has, Potential(energy, gradient, dim=...)")
        self.dim = _count(dim, "dim")
        if not isinstance(args, tuple):
            raise TypeError(f"args must be a tuple of further arguments, not {type(args).__name__}; write args=(value,)")
        if not isinstance(name, str | None):
            raise TypeError(f"name must be text, not {shown(name)}")
        if gradient is None:
            warnings.warn(
                f"no gradient given: it is taken by central differences, {2 * self.dim} energies a step; "
                "give gradient=, or write the potential as a formula",
                UserWarning,
                stacklevel=2,
            )
        self._energy, self._gradient, self._laplacian, self._start, self.args = energy, gradient, laplacian, start, args
        self.bounds = _bounds(bounds, self.dim)
        self.minima = _minima(minima, self.dim)
        self.minimum_energy = minimum_energy
        self.latex = latex
        self.name = name or getattr(energy, "__name__", "potential")
        self.formula: FormulaKernel | None = None
        self.numba_functions: tuple[Any, Any] | None = None

    # ------------------------------------------------------------------------------------------- the other ways in

    @classmethod
    def from_formula(
        cls,
        formula: str | None = None,
        *,
        site: str | None = None,
        bond: str | None = None,
        pair: str | None = None,
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
    ) -> Potential:
        """A potential from formulas; several kinds of term are added up.

        Parameters
        ----------
        formula : str, optional
            In coordinates: free names that are no parameters are coordinates, sorted, or in the order of `variables`.
        site : str, optional
            In x, summed over all coordinates.
        bond : str, optional
            In x and y, summed over neighbours x_i, x_{i+1} of the chain, or along each axis of the lattice.
        pair : str, optional
            In the distance r, summed over pairs of particles.
        dim, shape : int; tuple of int, optional
            Sites of a chain; or sites along each axis of a lattice (dim is then their product).
        periodic : bool
            Whether bonds close around the chain or lattice.
        particles, space : int
            Number of particles and dimensions of space; dim is their product, coordinates x1, y1, z1, x2, ...
        cutoff : float or array (types, types), optional
            Distance beyond which a pair does not count: V(r) - V(cutoff) for r < cutoff. Neighbour lists then make the work
            grow as the number of particles (numba backend).
        box : float or tuple of float, optional
            Length of the periodic box, or one an axis, at least twice the cutoff: pairs are between nearest images.
            Coordinates are not wrapped. None leaves space open.
        species : array of int (particles,), optional
            Species 0, 1, ... of each particle; pair parameters and the cutoff may then be symmetric matrices (types, types).
        **parameters
            Numbers, or for site and bond formulas arrays with one value a coordinate.

        Raises
        ------
        FormulaError
            If a formula cannot be read or uses a name that is not known; formulas are parsed, never run as Python.

        Examples
        --------
        >>> Potential.from_formula("a*(y - x**2)**2 + (1 - x)**2", a=100.0).gradient([1.0, 1.0])
        array([0., 0.])
        """
        texts = {"coordinates": formula, "site": site, "bond": bond, "pair": pair}
        if all(text is None for text in texts.values()):
            raise TypeError("give a formula, or site=, bond= or pair=")
        scalars, arrays = _sorted_parameters(parameters)
        if cutoff is not None:
            if pair is None or formula is not None or site is not None or bond is not None:
                raise TypeError("cutoff= goes with pair= alone")
            scalars, arrays = dict(sorted({**scalars, **arrays}.items())), {}  # a matrix is one number to each pair
        elif box is not None or species is not None:
            raise TypeError("box= and species= go with cutoff=, the distance beyond which a pair does not count")
        if formula is None:
            variables = ()
        elif variables is None:
            variables = tuple(n for n in names(parse(formula)) if n not in parameters)
        elif isinstance(variables, str) or not isinstance(variables, Iterable):
            raise TypeError(f"variables must be a sequence of names, as in ('y', 'x'), not {shown(variables)}")
        variables = tuple(variables)
        if formula is not None and not variables:
            raise ValueError(f"the formula {short(formula)!r} has no coordinates; name them with variables=")
        _check_variables(variables)
        if (pair is not None) != (particles is not None):
            raise TypeError("particles= goes with pair=" if pair is None else "pair= needs particles=, the number of particles")
        check_flags(periodic=periodic)
        dim, shape = _sizes(len(variables), dim, shape, particles, space, lattice=site is not None or bond is not None)
        if bond is not None and periodic and 1 in shape:
            raise ValueError(f"periodic bonds need at least 2 sites along each axis, not {shape}")
        unused = set(parameters)
        for kind, text in texts.items():
            if text is not None:
                check_names(kind, text, INPUTS.get(kind, variables), tuple(scalars), tuple(arrays))
                unused -= set(names(parse(text)))
        if unused:
            raise FormulaError(f"{min(unused)!r} is neither an argument of from_formula nor a name in the formula")
        for key, array in arrays.items():
            if array.size != dim or (array.ndim > 1 and array.shape != shape):
                raise ValueError(f"parameter {key!r} has shape {array.shape}; an array parameter needs one value a coordinate, {dim}")
        spec = Spec(
            coordinates=formula, variables=variables, site=site, bond=bond, pair=pair, scalars=tuple(scalars),
            arrays=tuple(arrays), lattice=len(shape), periodic=bool(periodic), space=space,
        )  # fmt: skip
        kernel: FormulaKernel
        if cutoff is None:
            numbers = np.concatenate([np.array(list(scalars.values()), dtype=float), *(a.ravel() for a in arrays.values())])
            kernel = FormulaKernel(source_of(spec), numbers, np.array([dim, *shape], dtype=np.int64))
        else:
            from .cutoff import CutoffKernel

            kernel = CutoffKernel(source_of(spec), scalars, dim // space, cutoff, box, species)
            if bounds is None and kernel.box.all():
                bounds = np.tile(np.stack([np.zeros(space), kernel.box], axis=1), (dim // space, 1))
        written = "; ".join(f"{text}" if kind == "coordinates" else f"{kind} {text}" for kind, text in texts.items() if text)
        potential = cls(
            kernel.energy, kernel.gradient, dim, bounds=bounds, name=name or written, laplacian=kernel.laplacian,
            minima=minima, minimum_energy=minimum_energy, latex=kernel.source.latex, start=start,
        )  # fmt: skip
        potential.formula = kernel
        return potential

    @classmethod
    def from_numba(cls, energy: Callable[..., Any], gradient: Callable[..., Any], dim: int, **keywords: Any) -> Potential:
        """A potential from loops: ``energy(x) -> float`` and ``gradient(x, out)`` for one replica, x of shape (dim,).

        Both are compiled with numba if they are not yet. Keywords are those of `Potential`.
        """
        from .backends.numba import over_replicas

        for what, function in (("energy", energy), ("gradient", gradient)):
            if not callable(function):
                raise TypeError(f"{what} must be a function of one replica's x, shape (dim,), not {type(function).__name__}")
        jitted, array_functions = over_replicas(energy, gradient)
        keywords.setdefault("name", getattr(energy, "__name__", "numba potential"))
        potential = cls(*array_functions, dim, **keywords)
        potential.numba_functions = jitted
        return potential

    # ------------------------------------------------------------------------------------------------- evaluation

    def energy(self, x: Any) -> Any:
        """U(x): a float for x of shape (dim,), an array (replicas,) for (replicas, dim)."""
        block, single = self._block(x)
        energy = self._checked(self._energy(block, *self.args), block, "energy", (len(block),))
        return float(energy[0]) if single else energy

    def gradient(self, x: Any) -> Any:
        """dU/dx, of the shape of x: exact if a gradient or formula was given, else by central differences."""
        block, single = self._block(x)
        if self._gradient is None:
            gradient = self._difference(block)
        else:
            gradient = self._checked(self._gradient(block, *self.args), block, "gradient", block.shape)
        return gradient[0] if single else gradient

    def energy_gradient(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Energy and gradient of a block (replicas, dim) together, cheaper than one after the other for a formula."""
        if self.formula is not None:
            return self.formula.energy_gradient(x)
        return self.energy(x), self.gradient(x)

    def on_device(self, xp: Any) -> Potential:
        """The same potential with its array arguments as arrays of `xp`, CuPy for instance."""
        moved = copy(self)
        moved.args = tuple(xp.asarray(value) if isinstance(value, np.ndarray) else value for value in self.args)
        return moved

    def laplacian(self, x: Any) -> Any:
        """Sum of second derivatives, of the shape of the energy: exact for formulas, else differences of the gradient."""
        block, single = self._block(x)
        if self._laplacian is not None:
            laplacian = self._checked(self._laplacian(block, *self.args), block, "laplacian", (len(block),))
        else:
            laplacian = np.zeros(len(block))
            for c in range(self.dim):
                h = np.zeros_like(block)
                h[:, c] = _STEP * np.maximum(1, np.abs(block[:, c]))
                laplacian += (self.gradient(block + h) - self.gradient(block - h))[:, c] / (2 * h[:, c])
        return float(laplacian[0]) if single else laplacian

    @property
    def has_laplacian(self) -> bool:
        """Whether the Laplacian is exact (a formula's, or given) and cheap."""
        return self._laplacian is not None

    @property
    def has_domain(self) -> bool:
        """Whether starting points have a place to come from: bounds, or a `start` of the potential's own."""
        return self._start is not None or self.bounds is not None

    def check_gradient(self, x: Any) -> float:
        """Largest error of the gradient against central differences of the energy, relative to its largest component nearby."""
        block, _ = self._block(x)
        if not len(block):
            raise ValueError(f"x must hold at least one point, not shape {np.shape(x)}")
        exact, numeric = self.gradient(block), self._difference(block)
        nearby = self.gradient(block + 0.01 * np.maximum(1, np.abs(block)))  # x itself may be a minimum, where differences are noise
        size = max(np.max(np.abs(g), where=np.isfinite(g), initial=1e-300) for g in (exact, numeric, nearby))
        return float(np.max(np.abs(exact - numeric)) / size)

    def draw_start(self, replicas: int, generator: np.random.Generator) -> np.ndarray:
        """Starting points (replicas, dim): the potential's own, else uniform in the bounds, else standard normal."""
        if self._start is not None:
            return np.asarray(self._start(replicas, generator), dtype=float)
        if self.bounds is not None:
            return generator.uniform(self.bounds[:, 0], self.bounds[:, 1], (replicas, self.dim))
        return generator.standard_normal((replicas, self.dim))

    def __repr__(self) -> str:
        return f"Potential({self.name!r}, dim={self.dim})"

    def _block(self, x: Any) -> tuple[np.ndarray, bool]:
        if on_gpu(x):
            x = x if x.dtype in (np.float32, np.float64) else x.astype(float)
        elif type(x) is not np.ndarray or x.dtype not in (np.float32, np.float64):
            x = real_array(x, "x")
        if x.ndim not in (1, 2) or x.shape[-1] != self.dim:
            raise ValueError(f"x must have shape ({self.dim},) or (replicas, {self.dim}) for {self.name}, not {x.shape}")
        block = np.atleast_2d(x).view()
        if not on_gpu(x):
            block.flags.writeable = False  # a function that writes to x would move the replicas
        return block, x.ndim == 1

    def _checked(self, out: Any, block: np.ndarray, what: str, shape: tuple[int, ...]) -> np.ndarray:
        out = out if on_gpu(out) else np.asarray(out)
        if out.dtype.kind not in "fiu" and out.dtype != object:
            raise ValueError(f"{what} of {self.name} returned {out.dtype.name} values; expected real numbers")
        if out.shape != shape:
            raise ValueError(
                f"{what} of {self.name} returned shape {out.shape} for x of shape {block.shape}; expected {shape}: "
                "functions work on all replicas at once, one energy and one gradient a replica"
            )
        return out.copy() if not on_gpu(out) and np.may_share_memory(out, block) else out

    def _difference(self, block: np.ndarray) -> np.ndarray:
        gradient = np.empty_like(block)
        for c in range(self.dim):
            h = np.zeros_like(block)
            h[:, c] = _STEP * np.maximum(1, np.abs(block[:, c]))
            up, down = block + h, block - h
            gradient[:, c] = (self.energy(up) - self.energy(down)) / (up - down)[:, c]
        return gradient


NO_NUMBERS = (str, bytes, np.datetime64, np.timedelta64, np.complexfloating, type(None))  # although float or NumPy would convert them


def real_array(value: Any, what: str) -> np.ndarray:
    """A copy as float64; a TypeError unless it is an array of real numbers with no entry masked."""
    try:
        raw = np.asarray(value)
        odd = raw.dtype == object and any(isinstance(v, NO_NUMBERS) for v in raw.flat)
        if odd or raw.dtype.kind not in "biufO" or np.ma.is_masked(value):
            raise TypeError
        with np.errstate(over="ignore"):
            return np.array(raw, dtype=float)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"{what} must be an array of real numbers, none of them masked, not {shown(value)}") from None


MOST, FARTHEST = 2**48, 1e300  # coordinates; where a bound may lie
_STEP = float(np.cbrt(np.finfo(float).eps))


class FormulaKernel:
    """A printed formula with the numbers it needs: the packed parameters and the sizes."""

    def __init__(self, source: Source, numbers: np.ndarray, size: np.ndarray) -> None:
        self.source, self.numbers, self.size = source, numbers, size
        self._functions: dict[str, Any] | None = None

    def _function(self, name: str) -> Callable[..., Any]:
        if self._functions is None:  # compiled on first use, not pickled
            arc = {"asin": np.arcsin, "acos": np.arccos, "atan": np.arctan}
            space = {f: arc.get(f) or getattr(np, f) for f in FUNCTIONS}
            space |= {"zeros_like": np.zeros_like, "roll": np.roll, "power": np.power, "neighbours": _neighbours}
            exec(compile(numpy_source(self.source.spec, self.source.bodies), f"<formula {self.source.key}>", "exec"), space)
            self._functions = space
        return self._functions[name]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_functions": None}

    def energy_gradient(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Energy (replicas,) and gradient (replicas, dim)."""
        with np.errstate(all="ignore"):
            return self._function("energy_gradient")(x, self._numbers_like(x), self.size)

    def energy(self, x: np.ndarray) -> np.ndarray:
        """Energy (replicas,)."""
        return self.energy_gradient(x)[0]

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """Gradient (replicas, dim)."""
        return self.energy_gradient(x)[1]

    def laplacian(self, x: np.ndarray) -> np.ndarray:
        """Laplacian (replicas,)."""
        with np.errstate(all="ignore"):
            return self._function("laplacian")(x, self._numbers_like(x), self.size)

    def _numbers_like(self, x: Any) -> Any:
        """The parameters as an array of the kind of x, which may be CuPy's."""
        return self.numbers if isinstance(x, np.ndarray) else np.asarray(self.numbers, like=x)


def _neighbours(v: np.ndarray, axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Slices of the lower and the upper sites of the bonds along an axis, open ends."""
    low, high = [slice(None)] * v.ndim, [slice(None)] * v.ndim
    low[axis], high[axis] = slice(None, -1), slice(1, None)
    return tuple(low), tuple(high)


def _sorted_parameters(parameters: dict[str, Any]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    scalars, arrays = {}, {}
    for name, value in sorted(parameters.items()):
        if name in (*FUNCTIONS, *CONSTANTS):
            raise ValueError(f"a parameter cannot be called {name!r}: that is a function or constant of formulas")
        try:
            array = real_array(value, name)
        except TypeError:
            raise TypeError(f"parameter {name!r} must be a number or an array of numbers, not {shown(value)}") from None
        if not np.isfinite(array).all():
            raise ValueError(f"parameter {name!r} must be finite, not {shown(value)}")
        if array.ndim:
            arrays[name] = array
        else:
            scalars[name] = float(array)
    return scalars, arrays


def _sizes(
    variables: int, dim: int | None, shape: Sequence[int] | None, particles: int | None, space: int, lattice: bool
) -> tuple[int, tuple[int, ...]]:
    """Number of coordinates that all terms agree on, and the lattice's shape, () if there is no lattice."""
    claims = {}
    if variables:
        claims["the formula's coordinates"] = variables
    if dim is not None:
        claims["dim"] = _count(dim, "dim")
    if shape is not None:
        if not lattice:
            raise TypeError("shape= goes with site= or bond=")
        if np.ndim(shape) != 1 or len(shape) == 0:
            raise TypeError(f"shape must be the numbers of sites along each axis, as in (8, 8), not {shown(shape)}")
        claims["the sites of shape"] = int(np.prod([_count(n, "a length in shape") for n in shape]))
    if particles is not None:
        claims["particles*space"] = _count(particles, "particles") * _count(space, "space")
    if not claims:
        raise TypeError("site= and bond= need dim=, the number of sites, or shape=, the sites along each axis")
    if len(set(claims.values())) > 1:
        raise ValueError("the sizes disagree: " + ", ".join(f"{what} = {n}" for what, n in claims.items()))
    n = next(iter(claims.values()))
    return n, (tuple(shape) if shape is not None else (n,)) if lattice else ()


def _count(n: Any, what: str) -> int:
    if not whole(n) or not 1 <= n <= MOST:
        raise ValueError(f"{what} must be a positive integer, {'not' if not whole(n) or n < 1 else 'at most 2**48, not'} {shown(n)}")
    return int(n)


def _check_variables(variables: tuple[str, ...]) -> None:
    for i, name in enumerate(variables):
        if not (isinstance(name, str) and name.isidentifier()):
            raise ValueError(f"variables must be names of coordinates, and {name!r} is none")
        if name in (*FUNCTIONS, *CONSTANTS):
            raise ValueError(f"a coordinate cannot be called {name!r}: that is a function or constant of formulas")
        if name in variables[:i]:
            raise ValueError(f"coordinate {name!r} is there twice in variables={variables!r}")


def _minima(minima: Any, dim: int) -> np.ndarray | None:
    if minima is None:
        return None
    out = np.atleast_2d(real_array(minima, "minima"))
    if out.ndim != 2 or out.shape[1] != dim:
        raise ValueError(f"minima must have shape (k, {dim}), not {out.shape}")
    return out


def _bounds(bounds: Any, dim: int) -> np.ndarray | None:
    if bounds is None:
        return None
    try:
        out = np.broadcast_to(real_array(bounds, "bounds"), (dim, 2)).copy()
    except (TypeError, ValueError):
        raise ValueError(f"bounds must be one (low, high), or {dim} of them, not {shown(bounds)}") from None
    if not (np.abs(out) < FARTHEST).all() or not (out[:, 0] < out[:, 1]).all():
        raise ValueError(f"each bound must be finite with low < high, not {shown(bounds)}; at most {FARTHEST:g}")
    return out
