"""Steps of single potentials, compiled once and called by address: printed formulas, and users'
functions in numba and C.
"""

from __future__ import annotations

import ctypes
import hashlib
import inspect
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import carray, cfunc, float32, float64, int64, njit, types, void
from numba.extending import intrinsic

from .keeping import c_function

REALS, INTEGERS = types.CPointer(types.float64), types.CPointer(types.int64)
STEP = void(
    REALS, REALS, REALS, REALS, REALS, REALS, REALS, REALS, INTEGERS, INTEGERS, REALS, types.int64
)
PASS = void(REALS, REALS, REALS, INTEGERS, REALS, types.int64, types.int64)

C_FUNCTION = ctypes.CFUNCTYPE(
    ctypes.c_double, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p
)


@intrinsic
def call_step(typing: Any, address: Any, inputs: Any, n: Any) -> Any:
    """Call the compiled step at `address` with the tuple `inputs`, where an array is handed over as
    the address of its numbers, and with `n`.
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = ir.IntType(8).as_pointer()
        given = []
        for k, kind in enumerate(inputs.types):
            value = builder.extract_value(args[1], k)
            if isinstance(kind, types.Array):
                data = context.make_array(kind)(context, builder, value).data
                value = builder.bitcast(data, pointer)
            given.append(value)
        given.append(args[2])
        kind = ir.FunctionType(ir.VoidType(), [value.type for value in given])
        builder.call(builder.inttoptr(args[0], kind.as_pointer()), given)
        return context.get_dummy_value()

    return types.void(int64, inputs, int64), build


@cache
def compiled_source(text: str, name: str, signature: Any) -> Any:
    """The function `name` of a printed source as a C function, compiled or taken from the cache."""
    files = ("simd.py", "lanes.py", "distances.py", "vectors.py")  # what printed text imports
    used = (Path(__file__).with_name(file).read_text() for file in files)
    version = hashlib.sha256(
        "".join([text, str(signature), *used, numba.__version__]).encode()
    ).hexdigest()[:20]
    module = ModuleType(f"langevin_sa_{name}_{version}")
    sys.modules[module.__name__] = module  # where numba looks up what it has compiled
    exec(compile(text, f"<{module.__name__}>", "exec"), vars(module))
    return c_function(getattr(module, name), signature, module.__name__)


class Late:
    """What is compiled once somebody has enough to do, for everybody from then on; its `address` is
    0 before, or without a way to make it.
    """

    def __init__(self, *made: Any) -> None:
        self.made, self.address = made, 0

    def compile(self) -> None:
        """Have it, if it can be had."""
        if self.made and not self.address:
            make, *given = self.made
            self.address = make(*given).address


late = cache(Late)  # the same in a process


def over_replicas(
    energy: Callable[..., Any], gradient: Callable[..., Any]
) -> tuple[tuple[Any, Any], tuple[OverReplicas, OverReplicas]]:
    """The jitted pair of one-replica functions, and the same as array functions over (replicas,
    dim); compiled once a process for one pair, as long as what it takes from outside is the same.
    """
    outside = _frozen(energy), _frozen(gradient)
    if None in outside:
        pair, functions = _over_replicas.__wrapped__(energy, gradient, outside)
    else:
        pair, functions = _over_replicas(energy, gradient, outside)
    return pair, (OverReplicas(pair, 0, functions[0]), OverReplicas(pair, 1, functions[1]))


class OverReplicas:
    """One of `over_replicas` as an array function; pickled as the pair."""

    def __init__(self, pair: tuple[Any, Any], which: int, function: Any) -> None:
        self.pair, self.which, self.function = pair, which, function

    def __call__(self, x: np.ndarray) -> Any:
        """Contiguous, writable and float64: one compilation."""
        return self.function(np.array(x, dtype=float))

    def __reduce__(self) -> Any:
        return _array_function, (*self.pair, self.which)


def _array_function(energy: Any, gradient: Any, which: int) -> OverReplicas:
    return over_replicas(energy, gradient)[1][which]


@cache
def _over_replicas(energy: Any, gradient: Any, outside: Any) -> Any:
    one_energy, one_gradient = (f if hasattr(f, "py_func") else njit(f) for f in (energy, gradient))

    @njit
    def energies(x):  # type: ignore[no-untyped-def]
        out = np.empty(len(x))
        for r in range(len(x)):
            out[r] = one_energy(x[r])
        return out

    @njit
    def gradients(x):  # type: ignore[no-untyped-def]
        out = np.empty(x.shape)
        for r in range(len(x)):
            one_gradient(x[r], out[r])
        return out

    return (one_energy, one_gradient), (energies, gradients)


def external(address: int, data: int) -> tuple[Any, Any]:
    """The C function at an address, ``double f(const double *x, double *g, int n, void *data)``, as
    a jitted ``both(x, out) -> float``, and the same as an array function of both.
    """
    function = C_FUNCTION(address)

    @njit
    def both(x, out):  # type: ignore[no-untyped-def]
        return function(x.ctypes, out.ctypes, len(x), data)

    @njit
    def energies_gradients(x):  # type: ignore[no-untyped-def]
        energies, gradients = np.empty(len(x)), np.empty(x.shape)
        for r in range(len(x)):
            energies[r] = both(x[r], gradients[r])
        return energies, gradients

    return both, energies_gradients


def _frozen(function: Any) -> tuple[Any, ...] | None:
    """The values from outside that numba freezes into a function; None if they cannot be told, or
    may change in place.
    """
    if hasattr(function, "py_func"):  # compiled by the user, who froze them
        return ()
    code = getattr(function, "__code__", None)
    if code is None or any(isinstance(part, CodeType) for part in code.co_consts):
        return None
    known = inspect.getclosurevars(function)
    values = sorted({**known.globals, **known.nonlocals}.items())
    constant = (bool, int, float, complex, str, ModuleType)
    if not all(isinstance(v, constant) or callable(v) for _, v in values):
        return None
    return tuple((name, type(value), value) for name, value in values)


@cache
def compiled_functions(energy: Any, gradient: Any, massive: bool = False) -> Any:
    """The step of a pair of jitted one-replica functions, or of a C function and None, one replica
    at a time, whose p is `langevin_sa.backends.walk.Walk.inertia` if `massive`; compiled once.
    """
    both = _together(energy, gradient)

    @cfunc(STEP, error_model="numpy")
    def step(x_, y_, dx_, g_, z, s, e, p, rows, size, c, n):  # type: ignore[no-untyped-def]
        dim = size[0]
        x, y, dx, g = (
            carray(x_, (dim,)),
            carray(y_, (dim,)),
            carray(dx_, (dim,)),
            carray(g_, (dim,)),
        )
        e[0] = both(x, g)
        for d in range(dim):
            force, noise = c[1] * g[d], c[2] * z[rows[d]] + c[3] * z[rows[dim + d]]
            if massive:
                force, noise = p[d] * force, p[dim + d] * noise
            m = c[0] * dx[d] - force + noise
            dx[d], y[d] = m, x[d] + m
            s[0] += c[4] * (p[2 * dim + d] * (m * m) if massive else m * m)

    return step


@cache
def compiled_passes(
    energy: Any, gradient: Any, dim: int, single: bool, massive: bool = False
) -> Any:
    """Several steps of the same, as `langevin_sa.backends.cpu.passes.pass_source` has them for
    formulas; none is made any more from where one failed.
    """
    both = _together(energy, gradient)

    @cfunc(PASS, error_model="numpy")
    def steps(state_, z, p, rows, c, steps, n):  # type: ignore[no-untyped-def]
        state = carray(state_, (5 * dim + 5,))
        x, dx, noise = state[:dim], state[dim : 2 * dim], state[2 * dim : 3 * dim]
        best_x, g = state[3 * dim : 4 * dim], state[4 * dim + 5 :]
        best, s, s22, check = (
            state[4 * dim],
            state[4 * dim + 1],
            state[4 * dim + 2],
            state[4 * dim + 3],
        )
        for t in range(steps):
            if not s + check < np.inf:
                check = np.nan
                break
            e = both(x, g)
            state[4 * dim + 4] = e
            check = check + 0.0 * e
            if e < best:
                best = e
                best_x[:] = x
            for d in range(dim):
                normal = z[rows[dim * t + d]]
                force, kick = c[6 * t + 1] * g[d], c[6 * t + 2] * normal + noise[d]
                if massive:
                    force, kick = p[d] * force, p[dim + d] * kick
                m = c[6 * t] * dx[d] - force + kick
                mass = p[2 * dim + d] if massive else 1.0
                noise[d] = c[6 * t + 3] * normal
                s = s + c[6 * t + 5] * (mass * (m * m))
                m = float64(float32(m)) if single else m
                at = x[d] + m
                x[d] = float64(float32(at)) if single else at
                dx[d] = m
                s22 = s22 + c[6 * t + 4] * (mass * (m * m))
        state[4 * dim], state[4 * dim + 1], state[4 * dim + 2] = best, s, s22
        state[4 * dim + 3] = check

    return steps


def _together(energy: Any, gradient: Any) -> Any:
    if gradient is None:  # a C function, which says both
        return energy.jitted

    @njit
    def both(x, out):  # type: ignore[no-untyped-def]
        value = energy(x)
        gradient(x, out)
        return value

    return both


def check_functions(potential: Any, x: np.ndarray) -> None:
    """Raise a ValueError if a one-replica function writes to its x, which would move the
    replicas, or if the energy is None.
    """
    energy, gradient = potential.numba_functions
    out = (np.empty_like(x),)
    calls = [("energy", energy, ()), ("gradient", gradient, out)]
    for what, function, rest in [("C function", energy, out)] if gradient is None else calls:
        given = x.copy()
        answer = function(given, *rest)
        if what == "energy" and answer is None:
            raise ValueError(
                f"the energy of {potential.name} returned None for x of shape {x.shape}; expected "
                "a number: does it end with return?"
            )
        if not np.array_equal(given, x):
            raise ValueError(
                f"the {what} of {potential.name} changes its x; leave x as it is and work on a "
                "copy, y = x.copy()"
            )
