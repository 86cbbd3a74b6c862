"""Functions with kinks and steps, and those that are written out: values, derivatives and what is
said of them at a kink, on NumPy and compiled. JavaScript is in teaching/test_page.py, CUDA in
backends/cuda/test_parity.py.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from langevin_sa import FormulaError, Momentum, Potential, anneal
from langevin_sa.formulas.parse import FUNCTIONS, SMOOTH

TINY = 2.0**-40
RNG = np.random.default_rng(3)
PLANE = RNG.normal(size=(400, 2)) * RNG.choice([0.1, 1.0, 4.0], (400, 1))
POINTS = np.concatenate([PLANE, [[1.0, 1.0], [0.0, 2.0], [2.0, 0.0], [-3.0, 0.0], [0.0, -1.0]]])
FUNCTION = {
    "max(x, y)": np.maximum,
    "min(x, y)": np.minimum,
    "max(x, 0.3)": lambda x, y: np.maximum(x, 0.3),
    "min(2, x*y)": lambda x, y: np.minimum(2, x * y),
    "floor(x)*y": lambda x, y: np.floor(x) * y,
    "step(x)*y": lambda x, y: np.heaviside(x, 0.5) * y,
    "sign(log(abs(x) + 1) - 1)*y": lambda x, y: np.sign(np.log(np.abs(x) + 1) - 1) * y,
    "abs(log(2 + tanh(x)) - 1)*y": lambda x, y: np.abs(np.log(2 + np.tanh(x)) - 1) * y,
    "mod(x, 0.7)*y": lambda x, y: np.mod(x, 0.7) * y,
    "mod(x, -2)": lambda x, y: np.mod(x, -2),
    "mod(y, 1 + x**2)": lambda x, y: np.mod(y, 1 + x**2),
    "hypot(x, y)": np.hypot,
    "hypot(3, x - y)": lambda x, y: np.hypot(3, x - y),
    "log10(1 + x**2) + y": lambda x, y: np.log10(1 + x**2) + y,
    "erf(x) + erf(y/9)": lambda x, y: special.erf(x) + special.erf(y / 9),
    "atan2(y, x)": lambda x, y: np.arctan2(y, x),
    "atan2(2, x)*y": lambda x, y: np.arctan2(2, x) * y,
    "where(x, exp(-x)*y, sin(x)*y**2)": lambda x, y: np.where(
        x > 0, np.exp(-x) * y, np.sin(x) * y**2
    ),
    "where(x - 1, 3, 2)*y": lambda x, y: np.where(x > 1, 3, 2) * y,
    "max(abs(x) - 1, 0)**2 + hypot(mod(x, 2), min(y, 1))": lambda x, y: (
        np.maximum(np.abs(x) - 1, 0) ** 2 + np.hypot(np.mod(x, 2), np.minimum(y, 1))
    ),
}
EACH = pytest.mark.parametrize("text", FUNCTION)


def made(text):
    return Potential.from_formula(text, variables=("x", "y"))


@EACH
def test_value(text):
    np.testing.assert_allclose(
        made(text).energy(POINTS), FUNCTION[text](*POINTS.T), rtol=1e-14, atol=1e-14
    )


@EACH
def test_derivatives(text):
    """Gradient against differences of what NumPy says, Laplacian against those of the gradient,
    where slopes on both sides agree.
    """
    U, h = made(text), 1e-5
    x = PLANE[np.abs(PLANE).min(1) > 0.05]
    smooth, laplacian = np.ones(len(x), dtype=bool), np.zeros(len(x))
    gradient = np.empty_like(x)
    for c, unit in enumerate(np.eye(2) * h):
        down, here, up = (FUNCTION[text](*(x + k * unit).T) for k in (-1, 0, 1))
        gradient[:, c] = (up - down) / (2 * h)
        smooth &= np.abs(up - 2 * here + down) < 0.02 * h * (1 + np.abs(here))
        laplacian += (U.gradient(x + unit) - U.gradient(x - unit))[:, c] / (2 * h)
    assert smooth.mean() > 0.9
    size = np.abs(gradient[smooth]).max()
    np.testing.assert_allclose(U.gradient(x)[smooth], gradient[smooth], rtol=1e-6, atol=1e-7 * size)
    size = np.abs(laplacian[smooth]).max()
    np.testing.assert_allclose(
        U.laplacian(x)[smooth], laplacian[smooth], rtol=1e-5, atol=1e-6 * size + 1e-5
    )


def backends(U, x):
    """Energy and gradient, from one step of each backend."""
    for backend in ("numpy", "numba"):
        run = anneal(U, x, Momentum(0.0, TINY), 1, rng=1, backend=backend)
        yield run.best_energies, -run.state.dx / TINY


@pytest.mark.long
def test_compiled_is_numpy():
    """All of them in one potential for the sake of the compiler, each with a place of its own."""
    texts = [f"w{k}*({text})" for k, text in enumerate(FUNCTION)]
    text = " + ".join(texts)
    weights = {f"w{k}": 1.7**k for k in range(len(texts))}
    names = ("x", "y")
    U = Potential.from_formula(text, variables=names, **weights)
    (e, g), (e2, g2) = backends(U, POINTS)
    np.testing.assert_allclose(e2, e, rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(g2, g, rtol=1e-12, atol=1e-9)
    alone = [anneal(U, POINTS[r : r + 1], Momentum(0.0, TINY), 1, rng=1) for r in (0, 3, 400)]
    np.testing.assert_array_equal(
        np.concatenate([run.state.dx for run in alone]),
        anneal(U, POINTS, Momentum(0.0, TINY), 1, rng=1).state.dx[[0, 3, 400]],
    )


KINKS = {
    "abs(x)": ([0.0, 0.0], [0.0, 0.0]),
    "max(x, y)": ([2.0, 2.0], [0.5, 0.5]),
    "min(x, 3*y)": ([3.0, 1.0], [0.5, 1.5]),
    "max(max(x, y), 1)": ([1.0, 1.0], [0.25, 0.25]),
    "hypot(x, y)": ([0.0, 0.0], [0.0, 0.0]),
    "step(x)*y": ([0.0, 4.0], [0.0, 0.5]),
    "where(x, 5*x, 3*x)": ([0.0, 0.0], [3.0, 0.0]),
    "floor(x) + y": ([2.0, 0.0], [0.0, 1.0]),
    "mod(x, 2)": ([4.0, 0.0], [1.0, 0.0]),
    "sign(x)*y": ([0.0, 4.0], [0.0, 0.0]),
}


@pytest.mark.parametrize("text", KINKS)
def test_what_is_said_of_kinks(text):
    """As docs/potentials.md has it; a branch that is not taken does not count."""
    x, slope = KINKS[text]
    U = made(text)
    assert U.gradient(x).tolist() == slope
    assert abs(U.laplacian(x)) < 1e-29


def test_a_branch_that_is_not_taken():
    U = made("where(x, log(x), 1/(x - 3)) + max(x, exp(800*x))*0 + y")
    assert np.isfinite(U.energy([[-1.0, 0.0], [0.5, 0.0]])).all()
    assert U.gradient([-1.0, 0.0]).tolist() == [-1 / 16, 1.0]
    assert U.gradient([0.5, 0.0]).tolist() == [2.0, 1.0]


def test_nan_is_not_hidden():
    for text in (
        "max(log(x), 1)",
        "max(1, log(x))",
        "min(log(x), y)",
        "erf(log(x))",
        "hypot(1, log(x))",
    ):
        assert np.isnan(made(text).energy([-1.0, 0.0])), text
    for text in ("atan2(log(x), y)", "atan2(y, log(x))", "mod(log(x), 2)", "floor(log(x))"):
        assert np.isnan(made(text).energy([-1.0, 0.0])), text


def test_numbers():
    for text, number in {
        "max(2, 1/3) + min(pi, 3)": 5.0,
        "floor(-0.5) + mod(-1, 3) + step(0)": 1.5,
        "hypot(3, 4) + log10(1000) + atan2(0, -1)": 8 + np.pi,
        "where(2, 7, 1/2) + where(0, 7, 1/2) + erf(0.5)": 7.5 + special.erf(0.5),
        "max(sin(1)**2 + cos(1)**2, 1)": 1.0,
    }.items():
        assert made(f"x + {text}").energy([0.0, 0.0]) == pytest.approx(number, rel=1e-15)


def test_each_function_has_been_tried():
    assert all(f"{name}(" in " ".join(FUNCTION) for name in set(FUNCTIONS) - set(SMOOTH))


REFUSED = {
    "max(x)": r"max takes two arguments, in 'max\(x\)'",
    "min(x, y, z)": "min takes two arguments",
    "where(x, y)": "where takes three arguments",
    "floor(x, y)": "floor takes one argument",
    "hypot(*x)": "hypot takes two arguments",
    "max(x, key=y)": "max takes two arguments",
    "mod(x, mod(1, 0))": r"'mod\(1, 0\)' is not a real number",
    "floor(1/0) + x": "is not a real number",
    "max(sqrt(-1), 2)*x": "is not a real number",
    "x + atan2(0, 0)": r"'atan2\(0, 0\)' is not a real number",
    "max*x": r"max is a function: write max\(...\)",
}


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text):
    with pytest.raises(FormulaError, match=REFUSED[text]):
        Potential.from_formula(text)


def test_nested_functions_in_bounded_time():
    for name, depth in {"max": 12, "min": 12, "mod": 17, "hypot": 5, "atan2": 5}.items():
        text = "x"
        for k in range(depth):
            text = f"{name}({text}, {k + 2} + y)"
        assert np.isfinite(Potential.from_formula(text).energy([0.3, 0.4]))
