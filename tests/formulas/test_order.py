"""The order of coordinates: no energy depends on how coordinates are called, and `variables` says
which is which.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from langevin_sa import FormulaError, Momentum, Potential, anneal, potentials

FORMULA = Potential.from_formula
TINY = 2.0**-40

NAME = st.tuples(st.sampled_from("abxyz"), st.integers(0, 120))  # sorted as pairs: the right order
TERMS = (
    "({a} - {b})**2",
    "{c}*{a}**3",
    "sin({a} + 2*{b})",
    "3*{a}*{b}",
    "abs({a} - 2*{c})",
    "7*{b}",
    "cos({a})*{c}**2",
    "{a}",
)
SUMS = st.lists(
    st.tuples(st.sampled_from(TERMS), *[st.integers(0, 10**6)] * 3), min_size=1, max_size=4
)


def text_of(terms, names):
    """A formula of terms in names chosen by number, so that other names may take their place."""
    pick = lambda number: names[number % len(names)]  # noqa: E731
    return " + ".join(t.format(a=pick(i), b=pick(j), c=pick(k)) for t, i, j, k in terms)


def value(text, names, x):
    functions = {name: getattr(np, name) for name in ("sin", "cos", "abs")}
    return eval(text, {**functions, **dict(zip(names, x.T, strict=True))})


def same(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-11)


def moved(potential, x, backend):
    """Energy and gradient as a backend's step has them."""
    run = anneal(potential, x, Momentum(0.0, TINY), 1, rng=1, backend=backend)
    return run.energies, -run.state.dx / TINY


@st.composite
def renamed(draw):
    """A formula in two namings of its coordinates, each in the order that the names have."""
    old = draw(st.lists(NAME, min_size=2, max_size=5, unique=True))
    new = draw(st.lists(NAME, min_size=len(old), max_size=len(old), unique=True))
    terms = draw(SUMS) + [("0*{a}", k, k, k) for k in range(len(old))]  # each is there
    texts = [text_of(terms, ["{}{}".format(*name) for name in names]) for names in (old, new)]
    orders = [sorted(range(len(old)), key=names.__getitem__) for names in (old, new)]
    return texts, orders


@st.composite
def relabelled(draw):
    """A formula of some coordinates of particles, and with the particles in another order."""
    space, particles = draw(st.integers(1, 3)), draw(st.sampled_from([2, 3, 11]))
    label = draw(st.permutations(range(particles)))
    terms = draw(SUMS)
    texts = []
    for of in (range(particles), label):
        names = [f"{axis}{of[i] + 1}" for i in range(particles) for axis in "xyz"[:space]]
        texts.append(text_of(terms, names))
    old = np.arange(particles * space).reshape(particles, space)
    new = np.empty_like(old)
    new[list(label)] = old  # particle i of the old order stands at label[i]
    return texts, (old.ravel(), new.ravel()), dict(pair="1/r", particles=particles, space=space)


def check(texts, orders, keywords, evaluate):
    """Coordinate k stands at place `orders[.].index(k)` of each of the two."""
    first, second = (FORMULA(text, **keywords) for text in texts)
    x = np.random.default_rng(1).normal(size=(4, first.dim)) + 2 * np.arange(first.dim)
    (e, g), (e2, g2) = evaluate(first, x[:, orders[0]]), evaluate(second, x[:, orders[1]])
    same(e, e2)
    same(g[:, np.argsort(orders[0])], g2[:, np.argsort(orders[1])])


def directly(potential, x):
    return potential.energy(x), potential.gradient(x)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(drawn=renamed())
def test_names_do_not_matter(drawn):
    check(*drawn, {}, directly)
    for text in drawn[0]:
        potential = FORMULA(text)
        x = np.random.default_rng(2).normal(size=(3, potential.dim))
        same(potential.energy(x), value(text, potential.variables, x))


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(drawn=relabelled())
def test_labels_of_particles_do_not_matter(drawn):
    check(*drawn, directly)


@pytest.mark.parametrize("backend", ["numpy", pytest.param("numba", marks=pytest.mark.long)])
@settings(max_examples=3, deadline=None, derandomize=True, database=None)
@given(names=renamed(), labels=relabelled())
def test_nor_to_a_backend(backend, names, labels):
    evaluate = lambda potential, x: moved(potential, x, backend)  # noqa: E731
    check(*names, {}, evaluate)
    check(*labels, evaluate)


@pytest.mark.parametrize("space", [1, 2, 3, 4])
def test_particles_one_after_another(space):
    """Whatever a formula mentions; its own order may be given."""
    names = [f"{axis}{i}" for i in (1, 2) for axis in "xyz"[:space]]
    if space == 4:
        names = [f"x{i}_{k}" for i in (1, 2) for k in (1, 2, 3, 4)]
    x = np.arange(1.0, 2 * space + 1)
    whole = " + ".join(f"{10**k}*{name}**2" for k, name in enumerate(names[::-1]))
    for terms in ({}, {"pair": "0*r"}, {"bond": "0*r"}, {"site": "0*x"}):
        kind = dict(**terms, particles=2, space=space)
        assert FORMULA(whole, **kind).energy(x) == (10.0 ** np.arange(x.size)[::-1] * x**2).sum()
        some = FORMULA(f"{names[-1]}**2", **kind)
        assert some.variables == tuple(names)
        assert some.gradient(x).tolist() == [*[0] * (x.size - 1), 2 * x[-1]]
        other = FORMULA(whole, **kind, variables=names[::-1])
        assert other.variables == tuple(names[::-1])
        assert other.energy(x) == (10.0 ** np.arange(x.size) * x**2).sum()


def test_bonds_join_consecutive_particles():
    x = np.array([0, 0, 0, 1, 2, 3, 4, 5, 6.0])  # distances sqrt(14), sqrt(27), sqrt(77)
    kind = dict(bond="r**2/2", particles=3)
    for more in ({}, {"pair": "0*r"}, {"formula": "0*x1"}):
        same(FORMULA(**kind, **more).energy(x), 20.5)
        same(FORMULA(**kind, **more, periodic=True).energy(x), 59.0)
    same(FORMULA(bond="(r - 1)**2", particles=1).energy([1.0, 2.0, 3.0]), 0.0)
    same(FORMULA(bond="(y - x)**2/2", dim=9).energy(x), 3.0)


REFUSED = {
    "unknown coordinate": (
        dict(formula="x1*w", pair="1/r", particles=5),
        r"'w' in the coordinates formula 'x1\*w' .* \(x1, y1, z1, x2, ..., z5\) nor a parameter",
    ),
    "no such particle": (dict(formula="x3", particles=2, space=1), r"'x3' .* \(x1, x2\)"),
    "no such axis": (dict(formula="z1", pair="r", particles=2, space=2), "'z1' .*x1, y1, x2, y2"),
    "without a number": (dict(formula="x", pair="r", particles=2, space=1), r"'x' .* \(x1, x2\)"),
    "bond of sites": (
        dict(bond="(y - x)**2", pair="r", particles=2),
        r"'x' in the bond formula .* \(r, the distance of consecutive particles\)",
    ),
    "parameter": (dict(formula="x1*y1", particles=2, x1=1.0), "'x1' is a coordinate of"),
    "array": (dict(bond="a*r", particles=2, a=np.ones(6)), "'a' is an array.* not bonds of part"),
    "shape": (dict(bond="r", particles=2, shape=(2, 3)), "bond= joins consecutive particles"),
    "ring of one": (dict(bond="r", particles=1, periodic=True), "at least 2 particles, not 1"),
    "variables": (
        dict(formula="x1", particles=2, space=1, variables=("x1",)),
        r"sizes disagree: .*coordinates = 1, particles\*space = 2",
    ),
}


@pytest.mark.parametrize(("keywords", "fragment"), REFUSED.values(), ids=REFUSED)
def test_refused(keywords, fragment):
    with pytest.raises((FormulaError, ValueError, TypeError), match=fragment):
        FORMULA(**keywords)


def test_variables_and_repr():
    assert FORMULA("x10 + x2 + b*x9_1 + x + X2 + x02").variables == (
        *("X2", "b", "x", "x02", "x2", "x9_1", "x10"),
    )
    assert FORMULA("y + x", variables=("y", "x")).variables == ("y", "x")
    assert FORMULA(site="x**2", shape=(2, 2)).variables == ("x1", "x2", "x3", "x4")
    assert potentials.lennard_jones(2).variables == ("x1", "y1", "z1", "x2", "y2", "z2")
    assert potentials.spin_glass(3).variables is None
    assert potentials.lennard_jones_fluid(400).variables[-2:] == ("y400", "z400")
    assert repr(FORMULA("y + x")) == "Potential('y + x', dim=2, variables=('x', 'y'))"
    assert repr(potentials.spin_glass(3)) == "Potential('spin_glass', dim=3)"
    assert repr(FORMULA(site="x", dim=99)) == "Potential('site x', dim=99)"
    long = FORMULA("x" + "1" * 5000 + " + x2")  # no integer that Python reads
    assert long.variables[0] == "x2"
