"""A user's function in CUDA C: in the place of a printed formula, with the same bits."""

import pickle
import sys

import fake_cupy
import numpy as np
import nvrtc
import pytest

import langevin_sa as lsa
from langevin_sa import Potential
from langevin_sa.backends.cuda import source

# the formula's own way to the same numbers, in a text that has more than the function
TEXT = """
#define SQUARE(x) ((x) * (x))
// energy_gradient(x) { of a comment }
__device__ real valley(real a) { return a * a; }

__device__ real energy_gradient(const real* x, real* g, const real* p) {
    const real b = x[1] - valley(x[0]);
    g[0] = 2 * (x[0] - p[0]) - 4 * p[1] * b * x[0];
    g[1] = 2 * p[1] * b;
    return SQUARE(x[0] - p[0]) + p[1] * SQUARE(b);
}
"""
HARMONIC = """__device__ real energy_gradient(const real* x, real* g) {
    real e = 0;
    for (int d = 0; d < DIM; ++d) { g[d] = x[d]; e += x[d] * x[d] / 2; }
    return e;
}"""
SCHEDULE = lsa.Schedule(lsa.schedules.exponential(2.0, 0.05), 1.0, 0.005)


def twins():
    """The text, and array functions of the same operations."""
    how = dict(dim=2, bounds=(-2, 2))

    def energy(x):
        b = x[:, 1] - x[:, 0] * x[:, 0]
        return (x[:, 0] - 1) ** 2 + 5.0 * (b * b)

    def gradient(x):
        b = x[:, 1] - x[:, 0] * x[:, 0]
        return np.stack([2 * (x[:, 0] - 1) - 4 * 5.0 * b * x[:, 0], 2 * 5.0 * b], axis=1)

    return Potential.from_cuda(TEXT, parameters=[1.0, 5.0], **how), Potential(
        energy, gradient, **how
    )


def test_a_run_is_that_of_the_same_functions(gpu):
    text, arrays = twins()
    x = arrays.draw_start(7, np.random.default_rng(1))
    there = lsa.anneal(text, x, SCHEDULE, 200, rng=1, samples=True, check_gradient=True)
    cpu = lsa.anneal(arrays, x, SCHEDULE, 200, rng=1, samples=True)
    assert fake_cupy.counts["launches"]
    np.testing.assert_allclose(there.samples, cpu.samples, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(there.best_energies, cpu.best_energies, rtol=1e-9, atol=1e-13)
    single = lsa.anneal(text, x, SCHEDULE, 200, rng=1, samples=True, dtype="float32")
    assert single.samples.dtype == np.float32
    np.testing.assert_allclose(single.samples[:10], cpu.samples[:10], rtol=1e-4, atol=1e-4)


def test_points_are_evaluated_where_they_lie(gpu):
    cupy, (text, arrays) = sys.modules["cupy"], twins()
    x = arrays.draw_start(7, np.random.default_rng(1))
    for name in ("energy", "gradient", "laplacian"):
        here, there = getattr(text, name)(x), getattr(text, name)(cupy.asarray(x))
        assert isinstance(here, np.ndarray) and isinstance(there, fake_cupy.ndarray)
        np.testing.assert_array_equal(there.get(), here)
        np.testing.assert_allclose(here, getattr(arrays, name)(x), rtol=1e-6)
    assert text.energy([1.0, 1.0]) == 0.0 and text.has_gradient
    np.testing.assert_allclose(text.descend(cupy.asarray(x))[0].get(), 1.0, atol=1e-5)
    assert pickle.loads(pickle.dumps(text)).energy([1.0, 2.0]) == 5.0


@pytest.mark.parametrize("dim", [1, 16, 17, 61])
def test_dimensions(gpu, dim):
    text = Potential.from_cuda(HARMONIC, dim)
    formula = Potential.from_formula(site="x**2/2", dim=dim)
    x = np.random.default_rng(1).normal(size=(5, dim))
    how = dict(schedule=SCHEDULE, n_steps=40, rng=1)
    there = lsa.anneal(text, x, **how)
    np.testing.assert_array_equal(there.x, lsa.anneal(formula, x, backend="numba", **how).x)
    np.testing.assert_allclose(there.fun, lsa.anneal(formula, x, **how).fun)


def test_the_rest_of_the_package_takes_it(gpu):
    text = twins()[0]
    compared = lsa.compare(text, {"a": SCHEDULE}, replicas=6, n_steps=40, epochs=2, rng=1)
    assert compared.outcomes["a"].success.value == 1.0
    ladder = lsa.exchange(text, [0.1, 1.0], 100, replicas=3, dt=0.01, gamma=1.0, rng=1)
    assert ladder.acceptance[0] > 0
    assert lsa.anneal(text, n_steps=300, replicas=8, rng=1).fun < 1e-3
    fake_cupy.counts.clear()
    found = lsa.minimize(text, maxfev=300, rng=1)
    assert found.fun < 1e-6
    assert fake_cupy.counts["to device"] <= fake_cupy.counts["launches"] + 9  # made ready once
    spread = lsa.anneal(text, replicas=6, schedule=SCHEDULE, n_steps=20, rng=1, workers=map)
    alone = lsa.anneal(text, replicas=6, schedule=SCHEDULE, n_steps=20, rng=1)
    np.testing.assert_array_equal(spread.x, alone.x)


@pytest.mark.parametrize("backend", ["numba", "numpy", "jax"])
def test_no_other_backend_runs_it(gpu, backend):
    with pytest.raises(TypeError, match=f"CUDA text, which backend '{backend}' cannot.*'cupy'"):
        lsa.anneal(twins()[0], schedule=SCHEDULE, n_steps=10, replicas=2, backend=backend)


@pytest.mark.parametrize(
    ("text", "more", "error", "says"),
    [
        (3, {}, TypeError, "text must be CUDA C that defines __device__ real energy_gradient"),
        ("", {}, ValueError, "defines no energy_gradient: write __device__ real"),
        ("// energy_gradient(a, b) {", {}, ValueError, "defines no energy_gradient"),
        (TEXT, {}, ValueError, "takes 3 arguments; expected without parameters"),
        (HARMONIC, {"parameters": [1]}, ValueError, "takes 2 arguments; expected with parameters="),
        (TEXT, {"parameters": ["a"]}, TypeError, "parameters must be an array of real numbers"),
        (TEXT, {"parameters": [], "dim": 0}, ValueError, "dim"),
    ],
)
def test_what_is_no_function_is_refused(gpu, text, more, error, says):
    with pytest.raises(error, match=says):
        Potential.from_cuda(text, **{"dim": 2, **more})


def test_the_compilers_words_and_the_users_line(gpu):
    wrong = TEXT.replace("SQUARE(b)", "SQUARE(c)")
    line = next(n for n, text in enumerate(wrong.splitlines(), 1) if "SQUARE(c)" in text)
    U = Potential.from_cuda(wrong, 2, [1.0, 5.0])
    for use in (
        lambda: U.energy([1.0, 2.0]),
        lambda: lsa.anneal(U, [[1.0, 2.0]], SCHEDULE, 10, backend="cupy"),
    ):
        with pytest.raises(ValueError, match=r"the text of from_cuda does not compile") as raised:
            use()
        assert f"energy_gradient:{line}:" in str(raised.value)
    with pytest.raises(AssertionError, match=rf"energy_gradient\({line}\): error: identifier"):
        compiled(U, False)  # NVIDIA's


def compiled(U, single):
    """What NVIDIA's compiler says of all kernels of a potential."""
    from langevin_sa.backends.cuda.evaluate import code

    text = code(source.function_module(U.cuda_function.force, U.dim, single), False)
    return nvrtc.compile(text, "sm_80", source.options(single))[0]


@pytest.mark.parametrize("single", [False, True])
def test_nvidias_compiler_takes_it(gpu, single):
    assert compiled(twins()[0], single) == ""
    assert compiled(Potential.from_cuda(HARMONIC, 20), single) == ""


def test_without_a_gpu_it_says_so(gpu, monkeypatch):
    monkeypatch.setattr(gpu.cupy.cuda.runtime, "getDeviceCount", lambda: 0)
    U = twins()[0]
    for use in (lambda: U.energy([1.0, 1.0]), lambda: lsa.anneal(U, None, SCHEDULE, 10)):
        with pytest.raises(RuntimeError, match="backend 'cupy' finds no GPU"):
            use()


def test_a_wrong_gradient_is_found(gpu):
    U = Potential.from_cuda(HARMONIC.replace("g[d] = x[d]", "g[d] = -x[d]"), 3)
    with pytest.raises(ValueError, match="disagrees with its energy"):
        lsa.anneal(U, np.ones((2, 3)), SCHEDULE, 10, check_gradient=True)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_users_numbers_stay_as_they_are(gpu, dtype):
    """Those of formulas become float32 literals, or go into constant memory."""
    text = """
    constexpr double tenth = 0.1;
    static_assert(tenth == 0.1 && sizeof(0.1) == 8, "");
    __device__ real energy_gradient(const real* x, real* g) { g[0] = tenth; return tenth * x[0]; }
    """
    U = Potential.from_cuda(text, 1)
    assert U.gradient([2.0])[0] == 0.1
    start = np.zeros((1, 1))
    out = lsa.anneal(U, start, lsa.Schedule(0.0, 1.0, 0.1), 1, rng=1, dtype=dtype)
    assert out.state.dx[0, 0] == pytest.approx(-0.1 * 0.1**2 / 1.05, rel=0.1)
