"""One potential in all ways gives the same energies, gradients and trajectories; and each way says
what it cannot use.
"""

from __future__ import annotations

import ctypes
import importlib
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
from hostile import refused
from numba import cfunc, types

from langevin_sa import Potential, Schedule, anneal, minimize
from langevin_sa.backends.parcel import Parcel, opened

FOLDER = Path(__file__).parents[2] / "benchmarks"
SCHEDULE = Schedule(temperature=0.1, gamma=1.0, dt=0.001)
GENERATOR = np.random.default_rng(0)


@pytest.fixture(scope="module")
def ways(tmp_path_factory):
    """LJ13 by each way that this machine has."""
    sys.path.insert(0, str(FOLDER))
    try:
        makers = importlib.import_module("own").ways(tmp_path_factory.mktemp("c"))
    finally:
        sys.path.remove(str(FOLDER))
    for name, module in {"JAX": "jax", "torch": "torch"}.items():
        try:
            importlib.import_module(module)
        except ImportError:
            del makers[name]
    return {name: make() for name, make in makers.items()}


NAMES = ["C", "numba", "JAX", "torch", "array functions", "one point"]


@pytest.mark.parametrize("name", NAMES)
def test_one_potential_in_all_ways(ways, name):
    """Energies and gradients to 1e-10, also of blocks of other sizes, and a trajectory of one
    seed.
    """
    if name not in ways:
        pytest.skip(f"no {name} here")
    U, formula = ways[name], ways["formula"]
    x = formula.draw_start(67, np.random.default_rng(1))
    for few in (x[:1], x[:5], x):
        energy, gradient = U.energy_gradient(few)
        exact, slope = formula.energy_gradient(few)
        np.testing.assert_allclose(energy, exact, rtol=1e-10)
        np.testing.assert_allclose(U.energy(few), exact, rtol=1e-10)
        size = np.abs(slope).max(1, keepdims=True)
        np.testing.assert_allclose(gradient / size, slope / size, rtol=0, atol=1e-10)
        np.testing.assert_array_equal(U.gradient(few), gradient)
    assert isinstance(U.energy(x[0]), float) and U.gradient(x[0]).shape == (39,)
    runs = [anneal(V, x[:5], SCHEDULE, 100, rng=3) for V in (U, formula)]
    np.testing.assert_allclose(runs[0].state.x, runs[1].state.x, rtol=0, atol=1e-9)


# ------------------------------------------------------------------------------ energy and gradient


def pair(x):
    return (x**2).sum(1), 2 * x


def squares(x):
    return (x**2).sum(1)


def test_one_function_for_both():
    asked = []

    def both(x, a):
        asked.append(len(x))
        return a * (x**2).sum(1), 2 * a * x

    U = Potential(energy_gradient=both, dim=2, args=(3.0,))
    assert (U.name, U.energy([1.0, 2.0]), asked) == ("both", 15.0, [1])
    V = Potential(lambda x, a: a * (x**2).sum(1), lambda x, a: 2 * a * x, 2, args=(3.0,))
    beside = Potential(V._energy, dim=2, args=(3.0,), energy_gradient=both)
    x = GENERATOR.standard_normal((4, 2))
    runs = [anneal(W, x, SCHEDULE, 50, rng=1) for W in (U, V, beside)]
    asked.clear()
    beside.energy(x)
    assert asked == []
    for run in runs[1:]:
        np.testing.assert_array_equal(run.state.x, runs[0].state.x)
        np.testing.assert_array_equal(run.energies, runs[0].energies)


def test_two_functions_may_differ_by_rounding_where_the_energy_is_zero():
    rounded = Potential(lambda x: squares(x) + 1e-17, dim=1, energy_gradient=pair)
    assert anneal(rounded, [0.0], SCHEDULE, 9, rng=1).success


def test_a_run_calls_it_once_a_step():
    asked = []

    def both(x):
        asked.append(len(x))
        return pair(x)

    anneal(Potential(energy_gradient=both, dim=1), np.ones((7, 1)), SCHEDULE, 50, record_every=50)
    assert 50 < asked.count(7) < 65


BAD = {
    "no energy": (lambda: Potential(dim=1), TypeError, "energy is missing: give energy"),
    "two gradients": (
        lambda: Potential(squares, squares, 1, energy_gradient=pair),
        TypeError,
        "energy_gradient brings the gradient: leave out gradient",
    ),
    "no function": (
        lambda: Potential(dim=1, energy_gradient=3.0),
        TypeError,
        "energy_gradient must be a function of x .* not float",
    ),
    "no pair": (
        lambda: anneal(Potential(energy_gradient=squares, dim=1), [1.0], SCHEDULE, 9),
        ValueError,
        r"energy_gradient of squares must return \(energy \(replicas,\), gradient \(replicas, 1\)",
    ),
    "gradient of wrong shape": (
        lambda: anneal(
            Potential(energy_gradient=lambda x: (squares(x), squares(x)), dim=1), [1.0], SCHEDULE, 9
        ),
        ValueError,
        r"gradient of <lambda> returned shape \(1,\) .* expected \(1, 1\)",
    ),
    "energies that disagree": (
        lambda: anneal(
            Potential(lambda x: squares(x) + 1, dim=1, energy_gradient=pair), [1.0], SCHEDULE, 9
        ),
        ValueError,
        "energy of <lambda> is 2 where its energy_gradient says 1",
    ),
    "jac no function": (
        lambda: Potential.from_function(squares, 1, jac="2-point"),
        TypeError,
        "jac must be a function, True or None, not '2-point'",
    ),
    "fun no function": (
        lambda: Potential.from_function(3, 1),
        TypeError,
        r"fun must be a function of x with shape \(dim,\), not int",
    ),
    "args no tuple": (
        lambda: Potential.from_function(sum, 1, args=3),
        TypeError,
        r"args must be a tuple .* not int; write args=\(value,\)",
    ),
    "many numbers": (
        lambda: Potential.from_function(lambda x: x, 2, jac=lambda x: x).energy([1.0, 2.0]),
        ValueError,
        r"fun must return one real number, not an array of shape \(2,\)",
    ),
    "no number": (
        lambda: Potential.from_function(lambda x: None, 2, jac=lambda x: x).energy([1.0, 2.0]),
        ValueError,
        "fun returned None; expected one real number: does it end with return",
    ),
    "jac of wrong shape": (
        lambda: Potential.from_function(sum, 2, jac=lambda x: [1.0]).gradient([1.0, 2.0]),
        ValueError,
        r"jac returned shape \(1,\); expected \(2,\)",
    ),
    "jac True without a pair": (
        lambda: Potential.from_function(sum, 2, jac=True).energy([1.0, 2.0]),
        ValueError,
        r"with jac=True fun must return \(f, gradient\), not",
    ),
}


@pytest.mark.parametrize(("call", "error", "fragment"), BAD.values(), ids=BAD)
def test_refused(call, error, fragment):
    refused(call, error, fragment)


# ----------------------------------------------------------------------------- functions of a point


def power(x, a, b):
    return float(a * x[0] ** 4 + b * x[1] ** 2)


def power_slope(x, a, b):
    return 4 * a * x[0] ** 3, 2 * b * x[1]


def test_scipy_functions():
    """args, jac, and differences in its place."""
    x, args = GENERATOR.standard_normal((3, 2)), (2.0, 3.0)
    U = Potential.from_function(power, 2, power_slope, args)
    V = Potential.from_function(
        lambda x, *args: (power(x, *args), power_slope(x, *args)), 2, True, args
    )
    with pytest.warns(UserWarning, match="no gradient given"):
        W = Potential.from_function(power, 2, args=args)
    exact = np.stack([8 * x[:, 0] ** 3, 6 * x[:, 1]], axis=1)
    for P in (U, V, W):
        np.testing.assert_allclose(P.energy(x), 2 * x[:, 0] ** 4 + 3 * x[:, 1] ** 2)
        np.testing.assert_allclose(P.gradient(x), exact, atol=1e-6)
    assert (U.name, W.has_gradient, V.has_gradient) == ("power", False, True)
    assert U.check_gradient(x) < 1e-6
    assert pickle.loads(pickle.dumps(U)).energy(x[0]) == U.energy(x[0])


def test_arithmetic_that_fails_is_a_wall():
    def hard(x):
        return 1 / (0.0 if abs(x[0]) > 0.3 else 1.0) + x[0] ** 2, 2 * x

    U = Potential.from_function(hard, 1, jac=True)
    assert np.isnan(U.energy([0.5])) and U.energy([0.2]) == pytest.approx(1.04)
    run = anneal(U, np.zeros((20, 1)), Schedule(1.0, 1.0, 0.1), 200, rng=1)
    assert run.failures > 0 and (np.abs(run.state.x) <= 0.3).all()
    assert anneal(U, [0.0], SCHEDULE, 10, rng=1).success


def test_a_function_sees_copies_in_float64():
    seen = []

    def vandal(x):
        seen.append(x.dtype)
        x[:] = 9.0
        return 0.0

    U = Potential.from_function(vandal, 2, jac=lambda x: np.zeros(2))
    x = np.ones((2, 2), dtype=np.float32)
    U.energy(x)
    assert (x == 1).all() and set(seen) == {np.dtype(float)}


# --------------------------------------------------------------------------------------- JAX, torch


def test_jax_in_float64_whatever_its_own_precision():
    jax = pytest.importorskip("jax")
    jnp = jax.numpy
    weights = jnp.asarray([1.0, 2.0])  # float32
    U = Potential.from_jax(lambda x, w: jnp.sum(w * x**3) + jnp.sin(x[0] * x[1]), 2, (weights,))
    x = np.array([[0.3, 0.7], [1.1, -0.2]])
    a, b = x.T
    np.testing.assert_allclose(U.energy(x), a**3 + 2 * b**3 + np.sin(a * b), rtol=1e-14)
    lap = 6 * a + 12 * b - (a**2 + b**2) * np.sin(a * b)
    np.testing.assert_allclose(U.laplacian(x), lap, rtol=1e-13)
    assert U.has_laplacian and jnp.zeros(1).dtype == jnp.float32
    assert not Potential.from_jax(lambda x: x.sum(), 9).has_laplacian
    V = Potential.from_jax(lambda x: (x**2).sum(1), 2, batched=True)
    np.testing.assert_array_equal(V.gradient(x), 2 * x)
    assert V.energy(np.empty((0, 2))).shape == (0,)


def test_jax_compiles_for_few_numbers_of_replicas():
    pytest.importorskip("jax")
    from langevin_sa.own.jax import _rounded

    sizes = [_rounded(n) for n in range(1, 5000)]
    assert len(set(sizes[:64])) == 7 and len(set(sizes)) < 65
    assert all(
        n <= size <= max(2 * n if n < 64 else 0, 1.13 * n) for n, size in enumerate(sizes, 1)
    )


def test_torch_modules_are_copied_in_float64():
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(
        torch.nn.Linear(2, 5), torch.nn.Tanh(), torch.nn.Dropout(), torch.nn.Linear(5, 1)
    )
    first, last = module[0], module[3]
    fun = torch.nn.Sequential(module, torch.nn.Flatten(0))
    U = Potential.from_torch(fun, 2, batched=True)
    x = GENERATOR.standard_normal((3, 2))
    a, b, c, d = (p.detach().double().numpy() for p in (*first.parameters(), *last.parameters()))
    np.testing.assert_allclose(U.energy(x), np.tanh(x @ a.T + b) @ c[0] + d[0], rtol=1e-13)
    assert U.check_gradient(x) < 1e-7
    assert first.weight.dtype == torch.float32 and fun.training and first.weight.requires_grad
    with torch.no_grad():
        first.weight.zero_()
    np.testing.assert_allclose(U.energy(x), np.tanh(x @ a.T + b) @ c[0] + d[0], rtol=1e-13)


def test_torch_laplacians():
    pytest.importorskip("torch")
    scale = np.array([1.0, 3.0], dtype=np.float32)
    U = Potential.from_torch(lambda x, s: (s * x**4).sum() + x[0] * x[1], 2, (scale,))
    x = GENERATOR.standard_normal((3, 2))
    np.testing.assert_allclose(U.laplacian(x), 12 * x[:, 0] ** 2 + 36 * x[:, 1] ** 2, rtol=1e-13)
    linear = Potential.from_torch(lambda x: x.sum(), 2)
    np.testing.assert_array_equal(linear.laplacian(x), 0)


@pytest.mark.parametrize("name", ["jax", "torch"])
def test_functions_that_were_compiled_can_be_sent(name):
    pytest.importorskip(name)
    a = 3.0
    U = getattr(Potential, f"from_{name}")(lambda x: (a * x**2).sum(), 2)
    x = GENERATOR.standard_normal((3, 2))
    for V in (U, opened(Parcel(U)), opened(Parcel(U))):
        np.testing.assert_array_equal(V.gradient(x), 6 * x)


@pytest.mark.parametrize(("missing", "extra"), [("jax", "jax"), ("torch", "ml"), ("ase", "ase")])
def test_a_missing_extra_is_named(monkeypatch, missing, extra):
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.delitem(sys.modules, f"langevin_sa.own.{missing}", raising=False)
    with pytest.raises(ImportError, match=rf"pip install 'langevin_sa\[{extra}\]'"):
        getattr(Potential, f"from_{missing}")(sum, 2)


UNFIT = {
    "vector": (lambda x: x, ValueError, r"returned shape \(2,\); expected one number"),
    "nothing": (lambda x: None, ValueError, "returned None; expected one number"),
    "complex": (lambda x: x.sum() * 1j, ValueError, "complex.*; expected real numbers"),
    "condition": (lambda x: x.sum() if x[0] > 0 else -x.sum(), TypeError, "cannot trace"),
    "float": (lambda x: float(x[0]), TypeError, "cannot trace: write it in jax.numpy"),
}


@pytest.mark.parametrize(("fun", "error", "fragment"), UNFIT.values(), ids=UNFIT)
def test_what_jax_cannot_use_is_refused_at_once(fun, error, fragment):
    pytest.importorskip("jax")
    refused(lambda: Potential.from_jax(fun, 2), error, fragment)


def test_what_torch_cannot_use():
    torch = pytest.importorskip("torch")
    x = np.ones((3, 2))
    for name in ("vector", "nothing", "complex"):
        fun, error, fragment = UNFIT[name]
        refused(lambda fun=fun: Potential.from_torch(fun, 2).energy_gradient(x), error, fragment)
    cut = Potential.from_torch(lambda x: torch.sum(x.detach()), 2)
    refused(lambda: cut.gradient(x), TypeError, r"torch cannot differentiate what <lambda> returns")


# ------------------------------------------------------------------------------------------------ C


C = cfunc(
    types.float64(
        types.CPointer(types.float64), types.CPointer(types.float64), types.intc, types.voidptr
    )
)


@C
def spring(x, g, n, data):
    energy = 0.0
    for i in range(n):
        energy += x[i] ** 2 / 2
        g[i] = x[i]
    return energy


@C
def vandal(x, g, n, data):
    x[0] = 7.0
    return 0.0


def test_c_by_address_and_by_name():
    """In the kernels as in NumPy, with the bits of numba's own functions."""
    x = GENERATOR.standard_normal((6, 3))
    U, V = (Potential.from_c(function, 3) for function in (spring.address, spring.ctypes))
    np.testing.assert_array_equal(U.gradient(x), x)
    runs = [
        anneal(W, x, SCHEDULE, 100, rng=1, backend=b) for W in (U, V) for b in ("numba", "numpy")
    ]
    for run in runs[1:]:
        np.testing.assert_allclose(run.state.x, runs[0].state.x, rtol=0, atol=1e-12)
    assert minimize(U, np.ones(3), rng=1).fun < 1e-12
    with pytest.raises(TypeError, match="an address means nothing to another process"):
        pickle.dumps(U)


def test_c_functions_of_libraries_can_be_sent(ways):
    if "C" not in ways:
        pytest.skip("no C compiler here")
    U = ways["C"]
    x = ways["formula"].draw_start(2, GENERATOR)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(U)).energy(x), U.energy(x))


UNFIT_FOR_C = {
    "text": (lambda: Potential.from_c("f", 1), TypeError, "function must be a function of ctypes"),
    "python": (lambda: Potential.from_c(len, 1), TypeError, "function must be .* not <built-in"),
    "null": (lambda: Potential.from_c(0, 1), TypeError, "function must be .* not 0"),
    "arguments": (
        lambda: Potential.from_c(ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(abs), 1),
        TypeError,
        r"the function takes 1 arguments; expected double f\(const double \*x",
    ),
    "data": (
        lambda: Potential.from_c(spring.address, 1, data=[1.0]),
        TypeError,
        "data must be an array or an address",
    ),
    "strided": (
        lambda: Potential.from_c(spring.address, 1, data=np.ones((3, 3)).T[:, :2]),
        ValueError,
        "data must be a contiguous array of numbers",
    ),
    "writes": (
        lambda: anneal(Potential.from_c(vandal.address, 2), [1.0, 1.0], SCHEDULE, 9),
        ValueError,
        "C function of C function changes its x",
    ),
}


@pytest.mark.parametrize(("call", "error", "fragment"), UNFIT_FOR_C.values(), ids=UNFIT_FOR_C)
def test_what_c_cannot_use(call, error, fragment):
    refused(call, error, fragment)
