"""Formulas: derivatives, compiled steps against NumPy, names, the cache, and that no formula is
ever executed.
"""

from __future__ import annotations

import numpy as np
import pytest

from langevin_sa import FormulaError, Momentum, Potential, Schedule, anneal
from langevin_sa.backends.walk import Walk
from langevin_sa.momentum import Steps

TINY = 2.0**-40
ARRAY = np.linspace(0.5, 1.5, 6)
GENERATED = (
    "t0",
    "t1",
    "c0",
    "c1",
    "x0",
    "p",
    "v0",
    "v",
    "dim_",
    "size",
    "g",
    "n",
    "i",
    "d",
    "k",
    "a",
    "b",
    "c",
    "h",
    "m",
    "z",
    "s",
    "w",
)
GENERATED += (
    "weight",
    "rows",
    "length",
    "stride",
    "low",
    "high",
    "axis",
    "zeros",
    "roll",
    "coefficients",
    "f",
    "x_",
    "r0",
    "e_",
    "carray",
)

COORDINATES = ("t0", "c1", "x0", "p", "v0", "dim", "size", "g", "m0", "pair")


def site_sum(names):
    return " + ".join(f"{k + 1}*{name}*x**{1 + k % 3}" for k, name in enumerate(names))


POTENTIALS = {
    "polynomial": dict(formula="(x**2 - 1)**2 + 0.3*x"),
    "rosenbrock": dict(formula="a*(y - x**2)**2 + (1 - x)**2", a=100.0),
    "functions": dict(
        formula="exp(-x**2)*sin(3*x) + log(2 + y**2)*tanh(x - y) + atan(x*y) + cosh(y)/3 + "
        "sinh(x)/5"
    ),
    "roots": dict(
        formula="sqrt(1 + x**2) + (2 + y**2)**1.5 + 1/sqrt(3 + x*y + y**2) + (1 + x**2)**-2.5"
    ),
    "powers": dict(
        formula="(1 + x**2)**0.3 + (2 + cos(y))**1.7 + 2**x + e**(y/2) + (1 + x**2)**(y/3) + "
        "x**7/50 + (x**2 + 1)**-3"
    ),
    "kinks": dict(formula="abs(x) + abs(x*y - 3)**1.5 + sign(y)*y**2 + x*abs(y)"),
    "inverse": dict(formula="asin(x/9) + acos(y/9)*x + tan(x/4)"),
    "constants": dict(
        formula="cos(2*pi*x) + e**sin(x) + log(pi + x**2) + 1e-3*x**2 + 12345.6789*cos(y/1e2)"
    ),
    "deep": dict(
        formula="exp(sin(cos(exp(sin(x)*y)) + x*y)) / (1 + exp(-sin(cos(exp(sin(x)*y)))))"
    ),
    "constant": dict(formula="0*x", variables=("x",)),
    "constant of two": dict(formula="3 + 0*x", variables=("x", "y")),
    "ordered": dict(formula="x**2 + 3*y - z*x", variables=("z", "y", "unused", "x")),
    "site": dict(site="x**2 - 10*cos(2*pi*x) + 10", dim=6),
    "site with arrays": dict(site="a*x**2 + b*sin(k*x)", dim=6, a=ARRAY, b=ARRAY[::-1] ** 2, k=1.7),
    "constant site": dict(site="2", dim=6),
    "chain": dict(site="x**4/4 - x**2/2", bond="(y - x)**2/2", dim=6),
    "ring": dict(site="x**4/4 - x**2/2", bond="(y - x)**2/2 + sin(x)*y**3", dim=6, periodic=True),
    "ring of two": dict(bond="cos(x - 2*y)", dim=2, periodic=True),
    "only bonds": dict(bond="j*cos(x - y) + x*y**2", dim=6, j=-1.5),
    "bonds with arrays": dict(
        site="h*x", bond="j*(x - 2*y)**2 + h*x*y", dim=6, j=ARRAY, h=ARRAY**2
    ),
    "ring with arrays": dict(
        site="h*x", bond="j*(x - 2*y)**2 + h*x*y", dim=6, j=ARRAY, h=ARRAY**2, periodic=True
    ),
    "lattice": dict(site="x**4/4 - x**2/2", bond="(y - x)**2/2 + x*y**2", shape=(3, 4)),
    "torus": dict(
        site="x**4/4 - x**2/2", bond="(y - x)**2/2 + x*y**2", shape=(3, 4), periodic=True
    ),
    "torus with arrays": dict(
        bond="j*(y - 2*x)**2", shape=(2, 3), periodic=True, j=ARRAY.reshape(2, 3)
    ),
    "lattice with arrays": dict(bond="j*(y - 2*x)**2", shape=(2, 3), j=ARRAY.reshape(2, 3)),
    "cube": dict(bond="cos(x - 2*y)", shape=(2, 3, 4)),
    "hypertorus": dict(
        site="a*x**2", bond="cos(x - 2*y)", shape=(2, 3, 4), periodic=True, a=np.linspace(1, 2, 24)
    ),
    "pairs on a line": dict(pair="1/r + r**2/9", particles=5, space=1),
    "pairs in the plane": dict(pair="4*(r**-12 - r**-6)", particles=5, space=2),
    "pairs in space": dict(
        pair="exp(-2*k*(r - 1)) - 2*exp(-k*(r - 1)) + sqrt(r)*log(r)", particles=5, space=3, k=1.3
    ),
    "pairs of r": dict(pair="r", particles=3),
    "pairs of r**2": dict(pair="a*r**2", particles=4, space=2, a=0.5),
    "site and pair": dict(site="k*x**2/2", pair="1/r", particles=4, space=2, k=2.0),
    "everything": dict(
        formula="x1*y2*y1",
        site="a*x**2",
        bond="(r - 1)**4",
        pair="1/(1 + r**2)",
        particles=2,
        space=2,
        a=ARRAY[:4],
    ),
    "open polymer": dict(bond="k*(r - 1)**2/2", particles=4, space=3, k=3.0),
    "ring polymer": dict(
        formula="x1*z3 - y2", bond="(r - 1)**2", pair="1/r", particles=4, periodic=True
    ),
    "formula of particles": dict(formula="x1*x4 - x2", particles=5, space=1),
    "names": dict(
        site=site_sum(GENERATED), dim=6, **{name: 0.1 + 0.1 * k for k, name in enumerate(GENERATED)}
    ),
    "array names": dict(
        site=site_sum(GENERATED),
        bond=site_sum(GENERATED) + " + x*y",
        dim=6,
        **{n: ARRAY + k for k, n in enumerate(GENERATED)},
    ),
    "coordinate names": dict(
        formula=" + ".join(f"{k + 1}*sin({name})" for k, name in enumerate(COORDINATES))
    ),
    "greek": dict(formula="λ*x**2 + g_1*sin(β*x)", variables=("x", "β"), λ=2.0, g_1=0.5),
}
KINDS = pytest.mark.parametrize("keywords", POTENTIALS.values(), ids=POTENTIALS)


def points(potential, replicas, seed=0):
    """Points in general position, particles apart from each other."""
    generator = np.random.default_rng(seed)
    if "pair" in potential.formula.source.bodies:
        return (
            generator.uniform(-0.2, 0.2, (replicas, potential.dim))
            + np.arange(potential.dim) // potential.formula.source.spec.space
        )
    return generator.uniform(0.2, 1.2, (replicas, potential.dim)) * generator.choice(
        [-1, 1], potential.dim
    )


@KINDS
def test_derivatives(keywords):
    """Gradient and Laplacian against differences of energy and gradient."""
    potential = Potential.from_formula(**keywords)
    x = points(potential, 5)
    h = 1e-4
    gradient, laplacian = np.empty_like(x), np.zeros(len(x))
    for c, unit in enumerate(np.eye(potential.dim)):  # fourth-order differences
        e = [potential.energy(x + k * h * unit) for k in (-2, -1, 1, 2)]
        g = [potential.gradient(x + k * h * unit)[:, c] for k in (-2, -1, 1, 2)]
        gradient[:, c] = (e[0] - 8 * e[1] + 8 * e[2] - e[3]) / (12 * h)
        laplacian += (g[0] - 8 * g[1] + 8 * g[2] - g[3]) / (12 * h)
    noise = 1e-11 * np.abs(potential.energy(x)).max() + 1e-9
    np.testing.assert_allclose(potential.gradient(x), gradient, rtol=1e-8, atol=noise)
    noise = 1e-11 * np.abs(gradient).max() * potential.dim + 1e-8
    np.testing.assert_allclose(potential.laplacian(x), laplacian, rtol=1e-8, atol=noise)
    assert potential.check_gradient(x) < 1e-6
    assert potential.has_laplacian
    assert (
        potential.energy(x).shape == potential.laplacian(x).shape == (5,)
        and potential.gradient(x).shape == x.shape
    )
    assert potential.energy(x[0]) == pytest.approx(
        potential.energy(x)[0], rel=1e-14
    ) and isinstance(potential.laplacian(x[0]), float)


def compiled(potential, x):
    """Energy and gradient from the compiled step: dx = -lr*gradient with lr a power of two."""
    from langevin_sa.backends.cpu.blocks import BlockBackend

    walk = Walk.at_rest(x, 0)
    backend = BlockBackend(potential, walk, 1)
    energy = walk.best_energy.copy()
    backend.advance(Steps(np.zeros(1), np.full(1, TINY), np.zeros(1)))
    return energy, -walk.dx / TINY


def agree(potential, x, energy, gradient):
    """To 1e-13 of the largest terms, which are looked for by taking the replicas' largest."""
    want, slope = potential.energy(x), potential.gradient(x)
    np.testing.assert_allclose(energy, want, rtol=1e-13, atol=1e-13 * max(1.0, np.abs(want).max()))
    np.testing.assert_allclose(
        gradient, slope, rtol=1e-13, atol=1e-13 * max(1.0, np.abs(slope).max())
    )


NUMPY_ONLY = {
    "rosenbrock",
    "constants",
    "constant of two",
    "ordered",
    "ring of two",
    "only bonds",
    "pairs of r",
    "pairs of r**2",
    "greek",
}
COMPILED = [name for name in POTENTIALS if name not in NUMPY_ONLY]  # each costs seconds to compile


@pytest.mark.parametrize("keywords", [POTENTIALS[name] for name in COMPILED], ids=COMPILED)
def test_compiled_step(keywords):
    potential = Potential.from_formula(**keywords)
    x = points(potential, 7)
    agree(potential, x, *compiled(potential, x))


@pytest.mark.parametrize("replicas", [1, 40, 300])
@pytest.mark.parametrize(
    "name", ["functions", "site with arrays", "bonds with arrays", "pairs in space"]
)
def test_widths(name, replicas):
    """A scalar, and blocks of 32 and 128 replicas with a rest."""
    potential = Potential.from_formula(**POTENTIALS[name])
    x = points(potential, replicas)
    agree(potential, x, *compiled(potential, x))


LARGE = {
    "chain": dict(site="x**4/4 - x**2/2", bond="(y - x)**2/2 + x*y**2", dim=2500),
    "torus": dict(
        site="a*x**2", bond="cos(x - 2*y)", shape=(30, 40), periodic=True, a=np.linspace(1, 2, 1200)
    ),
    "cube": dict(bond="j*cos(x - 2*y)", shape=(8, 9, 10), j=np.linspace(1, 2, 720)),
    "hypertorus": dict(
        bond="j*cos(x - 2*y)", shape=(8, 9, 10), periodic=True, j=np.linspace(1, 2, 720)
    ),
    "ring of two and many": dict(bond="x*y**2", shape=(2, 512), periodic=True),
}


@pytest.mark.parametrize("replicas", [1, 3])
@pytest.mark.parametrize("keywords", LARGE.values(), ids=LARGE)
def test_large_lattices(keywords, replicas):
    """Whatever backend anneal chooses for them."""
    potential = Potential.from_formula(**keywords)
    x = points(potential, replicas)
    result = anneal(potential, x, Momentum(0.0, TINY), 1, rng=1)
    np.testing.assert_allclose(result.energies, potential.energy(result.state.x), rtol=1e-12)
    slope = potential.gradient(x)
    np.testing.assert_allclose(
        -result.state.dx / TINY, slope, rtol=1e-13, atol=1e-13 * np.abs(slope).max()
    )
    assert potential.check_gradient(x[:, : potential.dim]) < 1e-6 if potential.dim < 800 else True


# ------------------------------------------------------------------------------- what the sums mean


def test_sums_are_what_the_docstring_says():
    x = np.random.default_rng(0).normal(size=(4, 12)) + np.arange(12)
    v = x.reshape(4, 3, 4)
    site, bond = lambda u: u**4 - u, lambda u, w: u * w**2
    make = dict(site="x**4 - x", bond="x*y**2")
    chain = site(x).sum(1) + bond(x[:, :-1], x[:, 1:]).sum(1)
    np.testing.assert_allclose(Potential.from_formula(**make, dim=12).energy(x), chain, rtol=1e-12)
    np.testing.assert_allclose(
        Potential.from_formula(**make, dim=12, periodic=True).energy(x),
        chain + bond(x[:, -1], x[:, 0]),
        rtol=1e-12,
    )
    plane = (
        site(x).sum(1)
        + bond(v[:, :-1], v[:, 1:]).sum((1, 2))
        + bond(v[:, :, :-1], v[:, :, 1:]).sum((1, 2))
    )
    np.testing.assert_allclose(
        Potential.from_formula(**make, shape=(3, 4)).energy(x), plane, rtol=1e-12
    )
    torus = (
        site(x).sum(1)
        + bond(v, np.roll(v, -1, 1)).sum((1, 2))
        + bond(v, np.roll(v, -1, 2)).sum((1, 2))
    )
    np.testing.assert_allclose(
        Potential.from_formula(**make, shape=(3, 4), periodic=True).energy(x), torus, rtol=1e-12
    )
    for space in (1, 2, 3):
        r = x.reshape(4, -1, space)
        pairs = sum(
            1 / np.linalg.norm(r[:, i] - r[:, j], axis=1)
            for j in range(r.shape[1])
            for i in range(j)
        )
        np.testing.assert_allclose(
            Potential.from_formula(pair="1/r", particles=12 // space, space=space).energy(x),
            pairs,
            rtol=1e-12,
        )


def test_array_parameters_go_with_the_lower_site():
    x, j = np.random.default_rng(0).normal(size=(2, 6)), ARRAY
    bonds = j * x * np.roll(x, -1, 1) ** 2
    np.testing.assert_allclose(
        Potential.from_formula(bond="j*x*y**2", dim=6, periodic=True, j=j).energy(x),
        bonds.sum(1),
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        Potential.from_formula(bond="j*x*y**2", dim=6, j=j).energy(x),
        bonds[:, :-1].sum(1),
        rtol=1e-12,
    )


def test_names_that_the_generated_code_uses():
    """Each parameter keeps its own value, whatever it is called."""
    x, numbers = (
        np.random.default_rng(0).normal(size=(4, 6)),
        {name: 0.1 + 0.1 * k for k, name in enumerate(GENERATED)},
    )
    expected = sum((k + 1) * number * x ** (1 + k % 3) for k, number in enumerate(numbers.values()))
    np.testing.assert_allclose(
        Potential.from_formula(**POTENTIALS["names"]).energy(x), expected.sum(1), rtol=1e-12
    )
    expected = sum((k + 1) * (ARRAY + k) * x ** (1 + k % 3) for k in range(len(GENERATED)))
    expected[:, :-1] += expected[:, :-1] + x[:, :-1] * x[:, 1:]
    np.testing.assert_allclose(
        Potential.from_formula(**POTENTIALS["array names"]).energy(x), expected.sum(1), rtol=1e-12
    )


def test_coordinates_are_sorted_or_named():
    assert Potential.from_formula("y - 2*x").gradient([0.0, 0.0]).tolist() == [-2.0, 1.0]
    assert Potential.from_formula("y - 2*x", variables=("y", "x")).gradient(
        [0.0, 0.0]
    ).tolist() == [1.0, -2.0]
    assert Potential.from_formula("x10 + 2*x9").gradient([0.0, 0.0]).tolist() == [2.0, 1.0]


def test_numbers():
    assert Potential.from_formula("pi + e*x").energy([1.0]) == pytest.approx(
        np.pi + np.e, rel=1e-15
    )
    for text in (
        "0.1",
        "1e-300",
        "3.141592653589793",
        "123456789.123456789",
        "1e22",
        "2.5",
        "1/3",
        "2**0.5",
        "7",
        "0.1 + 0.2",
    ):
        assert Potential.from_formula(f"x + {text}").energy([0.0]) == pytest.approx(
            eval(text), rel=3e-16
        )


def test_a_free_particle_diffuses():
    """<x^2> = 2 T/gamma t after many relaxation times, BBK and GJF exactly."""
    free = Potential.from_formula("0*x", variables=("x",))
    with np.errstate(invalid="ignore"):
        result = anneal(free, [0.0], Schedule(0.7, 2.0, 0.5), 1000, replicas=4000, rng=1)
    assert result.fun == 0 and result.status == 0
    assert np.mean(result.state.x**2) == pytest.approx(2 * 0.7 / 2.0 * 500, rel=0.1)


@pytest.mark.parametrize("text", ["0*x", "x"])
def test_no_curvature_is_no_reason_to_warn(text):
    anneal(
        Potential.from_formula(text, variables=("x",)), [0.0], Schedule(0.7, 2.0, 0.5), 10, rng=1
    )


def test_free_particles_as_pairs():
    potential = Potential.from_formula(pair="0*r", particles=3)
    assert potential.gradient(np.arange(9.0)).tolist() == [0.0] * 9


def test_array_called_all():
    x, a, b = np.ones((1, 6)), ARRAY, 10 + ARRAY
    potential = Potential.from_formula(bond="a*x + a_all*y", dim=6, a=a, a_all=b)
    np.testing.assert_allclose(potential.energy(x), (a + b)[:-1].sum(), rtol=1e-13)


# -------------------------------------------------------------------------------------------- names


def test_python_keywords():
    """A keyword cannot be a name in a formula; the message quotes it."""
    for word in ("lambda", "if", "class", "in", "None", "True"):
        with pytest.raises(FormulaError, match=word):
            Potential.from_formula(f"{word}*x")
    assert Potential.from_formula("match*type*x", type=2.0).gradient([3.0, 1.0]).tolist() == [
        2.0,
        6.0,
    ]


def test_names_of_arguments_can_be_coordinates():
    potential = Potential.from_formula("bounds**2 + 3*name", bounds=(-1, 1), name="odd")
    assert potential.gradient([1.0, 0.0]).tolist() == [2.0, 3.0] and potential.name == "odd"


@pytest.mark.parametrize("name", ["x", "y"])
def test_parameters_that_are_coordinates(name):
    with pytest.raises(FormulaError, match=f"'{name}' is a coordinate of the bond formula"):
        Potential.from_formula(bond="x*y", dim=3, **{name: 1.0})


# -------------------------------------------------------------------------------------------- latex


@KINDS
def test_latex(keywords):
    latex = Potential.from_formula(**keywords).latex
    assert isinstance(latex, str) and latex and latex.count("{") == latex.count("}")


def test_latex_of_each_kind():
    latex = Potential.from_formula(
        site="a*x**4", bond="cos(r)", pair="1/r", particles=2, space=1, a=1.0
    ).latex
    for part in (
        r"\sum_{i} \left[a x^{4}\right]",
        r"\sum_{\langle ij\rangle}",
        r"\cos{\left(r \right)}",
        r"\sum_{i<j}",
        r"\frac{1}{r}",
    ):
        assert part in latex


# -------------------------------------------------------------------------------------------- cache


def test_pickled_potential():
    import pickle

    potential = Potential.from_formula(**POTENTIALS["bonds with arrays"])
    x = points(potential, 3)
    potential.energy(x)
    again = pickle.loads(pickle.dumps(potential))
    np.testing.assert_array_equal(again.gradient(x), potential.gradient(x))
    np.testing.assert_array_equal(
        anneal(again, x, n_steps=5, rng=1).state.x, anneal(potential, x, n_steps=5, rng=1).state.x
    )


# ---------------------------------------------------------------------------- any expression at all


@pytest.mark.parametrize(
    ("formula", "numbers"),
    [
        ("(x**2 - 1)**2 + 0.3*x", "0.3 x"),
        ("0.1*x**2 + 1.2345678901234567*x", "0.1 x^{2} + 1.2345678901234567 x"),
        ("1e-10*x", r"1.0 \cdot 10^{-10} x"),
        ("abs(x**y)**2", r"\left(x^{y}\right)^{2}"),  # a power in sympy's place of a function
    ],
)
def test_latex_shows_numbers_as_they_were_written(formula, numbers):
    assert numbers in Potential.from_formula(formula).latex


@pytest.mark.parametrize("name", ["name", "dim", "space", "minimum_energy", "periodic"])
def test_a_number_for_an_argument_is_no_parameter(name):
    """It would go to the argument, and the name in the formula would silently be a coordinate."""
    with pytest.raises(
        FormulaError,
        match=f"{name}=2 is an argument of from_formula, and '{name}' is in the formula",
    ):
        Potential.from_formula(f"{name}*x**2", **{name: 2})
    with pytest.raises(TypeError, match="name must be text"):
        Potential.from_formula("x**2", name=2.0)
