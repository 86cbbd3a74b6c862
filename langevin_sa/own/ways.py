"""The ways to a potential besides array functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from ..arguments import check_positive, check_tuple, check_whole, shown
from .answers import check_one_point, function_of, name_of
from .formula import FromFormula

CHEAP = 8  # coordinates up to which the Laplacian by derivatives is taken at each record


class Ways(FromFormula):
    """Makers of a `Potential`, which inherits them.

    Attributes
    ----------
    cpu_only : bool
        Whether its functions do not take arrays on a GPU.
    jax_function : JaxFunction or None
        What the JAX backend compiles into its loop.
    cuda_function : CudaFunction or None
        What the CUDA backend compiles into its kernels.
    """

    cpu_only = False
    jax_function: Any = None
    cuda_function: Any = None
    numba_functions: Any
    atoms: Any
    units: Any
    masses: Any

    @classmethod
    def from_numba(
        cls, energy: Callable[..., Any], gradient: Callable[..., Any], dim: int, **keywords: Any
    ) -> Self:
        """A potential from loops over one replica; both functions are compiled with numba if they
        are not yet.

        Parameters
        ----------
        energy : callable
            ``energy(x) -> float`` for x of shape (dim,), float64.
        gradient : callable
            ``gradient(x, out)`` writes all of `out`, of shape (dim,), and returns nothing.
        dim : int
            Number of coordinates.
        **keywords
            Those of `Potential`: bounds, name, minima, ...

        Raises
        ------
        TypeError
            For what is no function, or what numba cannot compile.

        Examples
        --------
        >>> def energy(x):
        ...     return 0.5 * x[0] * x[0]
        >>> def gradient(x, out):
        ...     out[0] = x[0]
        >>> Potential.from_numba(energy, gradient, dim=1).energy([2.0])
        2.0
        """
        from ..backends.cpu.compiled import over_replicas

        for what, function in (("energy", energy), ("gradient", gradient)):
            if not callable(function):
                raise TypeError(
                    f"{what} must be a function of one replica's x, shape (dim,), not "
                    f"{type(function).__name__}"
                )
        jitted, array_functions = over_replicas(energy, gradient)
        keywords.setdefault("name", getattr(energy, "__name__", "numba potential"))
        potential = cls._of_cpu(*array_functions, dim, **keywords)
        potential.numba_functions = jitted
        return potential

    @classmethod
    def from_function(
        cls,
        fun: Callable[..., Any],
        dim: int,
        jac: Any = None,
        args: tuple[Any, ...] = (),
        **keywords: Any,
    ) -> Self:
        """A potential from a function of one point, in SciPy's convention, looped over replicas.

        Parameters
        ----------
        fun : callable
            ``fun(x, *args) -> float`` for x of shape (dim,), a copy; ``(float, (dim,))`` if jac is
            True. Where its arithmetic fails (division by zero, math domain error) it counts as NaN.
        dim : int
            Number of coordinates.
        jac : callable, True or None
            ``jac(x, *args) -> (dim,)``, the gradient; None takes central differences.
        args : tuple
            Further arguments of both.
        **keywords
            Those of `Potential`.

        Raises
        ------
        TypeError, ValueError
            For what is no function, and for other answers than a number and a gradient.

        Examples
        --------
        >>> from scipy.optimize import rosen, rosen_der
        >>> U = Potential.from_function(rosen, dim=2, jac=rosen_der)
        >>> U.energy([[1.0, 1.0], [0.0, 0.0]])
        array([0., 1.])
        """
        from .function import OnePoint

        check_one_point(fun)
        if not (callable(jac) or jac is None or jac is True):
            raise TypeError(f"jac must be a function, True or None, not {shown(jac)}")
        one = OnePoint(fun, jac, check_tuple(args))
        keywords = {"dim": dim, "name": name_of(fun), **keywords}
        if jac is True:
            return cls._of_cpu(energy_gradient=one.energy_gradient, **keywords)
        return cls._of_cpu(one.energy, one.gradient if callable(jac) else None, **keywords)

    @classmethod
    def from_jax(
        cls,
        fun: Callable[..., Any],
        dim: int,
        args: tuple[Any, ...] = (),
        batched: bool = False,
        **keywords: Any,
    ) -> Self:
        """A potential from a function in JAX: its gradient by `jax.vjp`, replicas by `jax.vmap`,
        compiled, in float64; JAX's own settings stay as they are (extra ``jax``).

        Parameters
        ----------
        fun : callable
            ``fun(x, *args) -> ()`` for x of shape (dim,), in `jax.numpy`; with `batched`,
            (replicas, dim) -> (replicas,), each energy of its own row alone.
        dim : int
            Number of coordinates.
        args : tuple
            Further arguments, which are compiled in: arrays, trees of them, anything.
        batched : bool
            Whether fun takes all replicas at once.
        **keywords
            Those of `Potential`. Up to 8 coordinates the Laplacian is exact; beyond, thermometers
            estimate it from gradients along random directions (Hutchinson).

        Raises
        ------
        ImportError
            Without JAX.
        TypeError, ValueError
            For a function that JAX cannot trace, or that returns anything but one real number a
            point.

        Examples
        --------
        >>> import jax.numpy as jnp
        >>> U = Potential.from_jax(lambda x: jnp.sum(x**4 - x**2), dim=2)
        >>> U.gradient([1.0, 0.5])
        array([ 2. , -0.5])
        """
        from .jax import JaxFunction

        function = function_of(JaxFunction, fun, dim, args, batched)
        function.check(int(dim))
        potential = cls._differentiated(function, dim, keywords)
        potential.jax_function = function
        return potential

    @classmethod
    def from_torch(
        cls,
        fun: Callable[..., Any],
        dim: int,
        args: tuple[Any, ...] = (),
        batched: bool = False,
        **keywords: Any,
    ) -> Self:
        """A potential from a function or module of torch: its gradient by autograd, replicas by
        `torch.func.vmap`, in float64 (extra ``ml``).

        Parameters
        ----------
        fun : callable or torch.nn.Module
            ``fun(x, *args) -> ()`` for x of shape (dim,); with `batched`, (replicas, dim) ->
            (replicas,), each energy of its own row alone. A module is copied, in float64 and in its
            evaluation mode: training it further does not change the potential.
        dim : int
            Number of coordinates.
        args : tuple
            Further arguments; arrays become tensors, in float64 where they are real.
        batched : bool
            Whether fun takes all replicas at once, as it must where `vmap` does not follow it.
        **keywords
            Those of `Potential`; for the Laplacian see `from_jax`.

        Raises
        ------
        ImportError
            Without torch.
        TypeError, ValueError
            When it is evaluated: for an answer that is not one real number a point, or has no
            gradient.

        Examples
        --------
        >>> U = Potential.from_torch(lambda x: (x**4 - x**2).sum(), dim=2)
        >>> U.gradient([1.0, 0.5])
        array([ 2. , -0.5])
        """
        from .torch import TorchFunction

        function = function_of(TorchFunction, fun, dim, args, batched)
        return cls._differentiated(function, dim, keywords)

    @classmethod
    def from_ase(
        cls, atoms: Any, calculator: Any = None, rattle: float = 0.1, **keywords: Any
    ) -> Self:
        """A potential from atoms and a calculator of ASE: energies in eV, lengths in Angstrom
        (extra ``ase``).

        x are the coordinates that no constraint holds, atom by atom: `FixAtoms` and `FixCartesian`
        leave theirs out, and dim is what remains. Cell and pbc are those of the atoms; x is not
        wrapped. Where a calculator has a free energy, that is U, as its gradient are the forces.

        Parameters
        ----------
        atoms : ase.Atoms
            They are copied, the calculator is not.
        calculator : ase.calculators.calculator.Calculator, optional
            That of the atoms by default.
        rattle : float
            Standard deviation (Angstrom) of the displacements with which starting points are drawn
            around the positions of `atoms`.
        **keywords
            Those of `Potential`.

        Raises
        ------
        ImportError
            Without ASE.
        TypeError, ValueError
            For what is no Atoms, no calculator, or a constraint of another kind.

        Examples
        --------
        >>> from ase.build import molecule
        >>> from ase.calculators.emt import EMT
        >>> U = Potential.from_ase(molecule("N2"), EMT())
        >>> U.name, U.dim
        ('N2', 6)
        """
        from .ase import UNITS, Calculator, arrays_of

        check_positive(rattle=rattle)
        found = Calculator(atoms, calculator, float(rattle))
        own = {"start": found.draw, "name": atoms.get_chemical_formula(), **keywords}
        pair, dim = found.energy_gradient, len(found.start)
        potential = cls._of_cpu(dim=dim, energy_gradient=pair, **own)
        potential.atoms, potential.units = arrays_of(atoms), UNITS
        potential.masses = found.masses
        return potential

    @classmethod
    def from_c(cls, function: Any, dim: int, data: Any = None, **keywords: Any) -> Self:
        """A potential from a compiled function, called inside of the kernels, by all threads at
        once: ``double f(const double *x, double *g, int n, void *data)`` returns the energy of x
        and writes its gradient to g, both of n = dim numbers.

        Parameters
        ----------
        function : ctypes function or int
            A function of a library, as in ``ctypes.CDLL("./spring.so").spring``; or an address, of
            cffi or of another compiler. Only the first can be sent to worker processes.
        dim : int
            Number of coordinates.
        data : array or int, optional
            What `data` points to: a contiguous array, which is kept and may be changed in place
            between runs, or an address; NULL if left out.
        **keywords
            Those of `Potential`.

        Raises
        ------
        TypeError, ValueError
            For what is no function of C, and for data that is not contiguous. What the function
            does with its pointers nobody can check.

        Examples
        --------
        >>> spring = ctypes.CDLL("./spring.so").spring  # doctest: +SKIP
        >>> U = Potential.from_c(spring, dim=2, data=np.array([0.5]))  # doctest: +SKIP
        """
        from .c import CFunction

        found = CFunction(function, data)
        keywords.setdefault("name", found.name)
        potential = cls._of_cpu(dim=dim, energy_gradient=found.energy_gradient, **keywords)
        potential.numba_functions = found, None
        return potential

    @classmethod
    def from_cuda(cls, text: str, dim: int, parameters: Any = None, **keywords: Any) -> Self:
        """A potential from a function in CUDA C, compiled into the kernels of ``backend="cupy"``:
        one thread a replica, all steps of a record interval in one launch (extra ``gpu``).

        Parameters
        ----------
        text : str
            It defines ``__device__ real energy_gradient(const real* x, real* g)``, which returns
            the energy of one replica and writes its gradient to g, both of dim numbers; with
            `parameters` it takes ``const real* p`` besides. ``real`` is double, and float where
            ``dtype="float32"``; ``DIM`` is dim. Other functions, constants and macros may stand
            before it.
        dim : int
            Number of coordinates; up to 16 are held in registers.
        parameters : array, optional
            What p points to, in the order of its elements.
        **keywords
            Those of `Potential`.

        Raises
        ------
        TypeError, ValueError
            For what is no text, or text that does not define the function; when it is first used,
            for text that does not compile, with the compiler's words and the line. What the
            function does with its pointers nobody can check; ``check_gradient=True`` of `anneal`
            compares energies and gradients.
        ImportError, RuntimeError
            When it is first used, without CuPy or a GPU. No other backend runs it.

        Examples
        --------
        >>> text = "__device__ real energy_gradient(const real* x, real* g, const real* p) {"
        >>> text += "g[0] = p[0] * x[0]; return p[0] / 2 * x[0] * x[0]; }"
        >>> U = Potential.from_cuda(text, dim=1, parameters=[2.0], bounds=(-3, 3))
        >>> U.gradient([1.5])  # doctest: +SKIP
        array([3.])
        """
        from .cuda import CudaFunction

        check_whole(1, dim=dim)
        found = CudaFunction(text, int(dim), parameters)
        keywords = {"name": "CUDA function", **keywords}
        potential = cls(energy_gradient=found.energy_gradient, dim=dim, **keywords)
        potential.cuda_function = found
        return potential

    @classmethod
    def _differentiated(cls, function: Any, dim: int, keywords: dict[str, Any]) -> Self:
        """Of a function over replicas with derivatives of its own."""
        more = {"energy_gradient": function.energy_gradient, "name": name_of(function.fun)}
        if dim <= CHEAP:
            more["laplacian"] = function.laplacian
        return cls._of_cpu(function.energy, dim=dim, **{**more, **keywords})

    @classmethod
    def _of_cpu(cls, *functions: Any, **keywords: Any) -> Self:
        potential = cls(*functions, **keywords)
        potential.cpu_only = True
        return potential
