"""Hostile input of potentials: points, sums, fluids, functions of blocks, the catalogue."""

from __future__ import annotations

import numpy as np
from hostile import (
    ANYTHING,
    BOWL,
    FUNCTIONS,
    JUNK,
    SIZES,
    Odd,
    arrays,
    bits,
    examples,
    meaning,
    odd_arguments,
    refused_or,
)
from hypothesis import given, strategies as st

from langevin_sa import Potential, potentials
from langevin_sa.arguments import whole


@examples(2)
@given(
    x=arrays(),
    potential=st.sampled_from([BOWL, FUNCTIONS]),
    what=st.sampled_from(["energy", "gradient", "laplacian", "check_gradient"]),
)
def test_points_of_a_potential(x, potential, what):
    block = meaning(x, 2, empty=what != "check_gradient")
    with np.errstate(all="ignore"):
        found = refused_or(lambda: getattr(potential, what)(x))
        if found is None:
            return
        assert block is not None, f"{what} took {x!r}"
        if what == "check_gradient":
            return
        expected = getattr(BOWL, what)(block)
        if what == "laplacian" and not (np.abs(block) < 1e5).all():
            return  # by differences for array functions
        wide = np.asarray(x).dtype.itemsize > 4 or np.asarray(x).dtype.kind != "f"
        np.testing.assert_allclose(
            np.atleast_1d(found).reshape(expected.shape),
            expected,
            rtol=1e-5 if potential is FUNCTIONS or not wide else 1e-12,
        )


@examples(2)
@given(data=st.data())
def test_makers_of_potentials(data):
    terms = {"formula": "a*x**2 + y**2", "site": "x**2", "bond": "(x - y)**2", "pair": "1/r"}
    chosen = data.draw(st.lists(st.sampled_from(sorted(terms)), unique=True, max_size=3))
    numbers = {
        "dim": SIZES,
        "shape": st.one_of(ANYTHING, st.lists(SIZES, max_size=3)),
        "particles": SIZES,
        "space": SIZES,
        "cutoff": ANYTHING,
        "box": ANYTHING,
        "species": ANYTHING,
        "bounds": st.one_of(ANYTHING, arrays()),
        "minima": st.one_of(ANYTHING, arrays()),
        "periodic": st.one_of(st.booleans(), JUNK),
        "a": st.one_of(ANYTHING, st.just(1.0)),
        "variables": JUNK,
        "minimum_energy": ANYTHING,
    }
    odd = {
        name: data.draw(numbers[name], label=name)
        for name in data.draw(st.lists(st.sampled_from(sorted(numbers)), max_size=4, unique=True))
    }
    if any(whole(v) and abs(int(v)) > 1000 for v in odd.values()):
        odd = {k: v for k, v in odd.items() if k not in ("dim", "particles", "space", "shape")}
    arguments = (
        {"dim": 2}
        | {kind: terms[kind] for kind in chosen}
        | ({"a": 1.0} if "formula" in chosen else {})
        | odd
    )
    made = refused_or(lambda: Potential.from_formula(**arguments))
    if made is not None:
        x = np.random.default_rng(0).uniform(0.3, 1, (2, made.dim))
        assert made.energy(x).shape == (2,) and made.gradient(x).shape == x.shape


@examples(2)
@given(data=st.data(), name=st.sampled_from(sorted(potentials.catalogue())))
def test_the_catalogue(data, name):
    import inspect

    make = potentials.catalogue()[name]
    parameters = [p for p in inspect.signature(make).parameters if p not in ("seed",)]
    small = st.one_of(
        st.integers(-2, 8),
        st.floats(-3, 3),
        JUNK,
        st.sampled_from([np.nan, np.inf, 1e300, [1.0, 2.0], (4, 4), (2,), (0, 3)]),
    )
    odd = {p: data.draw(small, label=p) for p in parameters if data.draw(st.booleans())}
    made = refused_or(lambda: make(**odd))
    if made is not None:
        assert isinstance(made, Potential) and repr(made)
        energy = made.energy(made.draw_start(2, np.random.default_rng(0)))
        assert energy.shape == (2,)


@examples(1)
@given(
    energy=st.one_of(JUNK, st.just(lambda x: (x**2).sum(1))),
    gradient=st.one_of(JUNK, st.just(lambda x: 2 * x)),
    dim=SIZES,
    args=JUNK,
    bounds=arrays(),
)
def test_array_potentials(energy, gradient, dim, args, bounds):
    made = refused_or(lambda: Potential(energy, gradient, dim, args, bounds))
    if made is not None and energy is not len and energy is not Odd:
        refused_or(lambda: made.energy(np.ones((2, made.dim))))


@examples(2)
@given(
    x=arrays(),
    which=st.sampled_from(["energy", "gradient", "laplacian"]),
    kind=st.sampled_from(["writes", "itself", "nothing", "more"]),
)
def test_functions_of_blocks(x, which, kind):
    """Points are never written to, and answers are never the points themselves."""
    block, before = meaning(x, 2), bits(x)

    def answer(x):
        if kind == "writes":
            x *= 2
        return {"writes": x, "itself": x, "nothing": None, "more": np.ones((len(x) + 1, 2))}[kind]

    U = Potential(
        lambda x: answer(x) if which == "energy" else x[:, 0],
        lambda x: answer(x) if which != "energy" else x,
        2,
    )
    with np.errstate(all="ignore"):
        found = refused_or(lambda: getattr(U, which)(x))
    assert bits(x) == before
    if found is not None:
        assert kind == "itself" and which != "energy" and not np.shares_memory(found, np.asarray(x))
        if which == "gradient":
            np.testing.assert_array_equal(np.atleast_2d(found), block)


@examples(3)
@given(data=st.data())
def test_fluids(data):
    """Pairs with a cut-off, in a box, of species."""
    matrix = st.one_of(
        ANYTHING,
        arrays(dim=2, most=2),
        st.sampled_from([np.eye(2), np.ones((2, 2)), [[1.0, 2.0], [3.0, 4.0]]]),
    )
    given = odd_arguments(
        data,
        {"pair": "a/r**2", "particles": 4, "space": 2, "cutoff": 1.0, "box": 3.0, "a": 1.0},
        {
            "particles": SIZES,
            "space": SIZES,
            "cutoff": matrix,
            "box": st.one_of(ANYTHING, arrays(dim=1), st.just([3.0, 4.0])),
            "a": matrix,
            "species": st.one_of(
                JUNK,
                arrays(dim=4),
                st.just([0, 1, 0, 1]),
                st.just([0, 1, 2, 1]),
                st.just([0, -1, 0, 1]),
            ),
            "bounds": arrays(),
            "pair": st.sampled_from(["log(r - 1)", "0*r", "1/(r - 1)", "exp(-r)", "sqrt(1 - r)"]),
        },
    )
    made = refused_or(lambda: Potential.from_formula(**given))
    if made is not None:
        x = np.random.default_rng(0).uniform(0.3, 1, (2, made.dim))
        for look, shape in ((made.energy, (2,)), (made.gradient, x.shape), (made.laplacian, (2,))):
            assert refused_or(lambda look=look: look(x)).shape == shape


@examples(1)
@given(data=st.data(), which=st.sampled_from(["clouds", "normal_modes", "catalogue", "from_numba"]))
def test_helpers_of_potentials(data, which):
    make, good, bad = {
        "clouds": (
            potentials.clouds,
            {"samples": 6},
            {"samples": SIZES, "classes": SIZES, "seed": ANYTHING},
        ),
        "normal_modes": (
            potentials.normal_modes,
            {"dim": 4},
            {"dim": SIZES, "k": ANYTHING, "periodic": ANYTHING, "pinning": ANYTHING},
        ),
        "catalogue": (potentials.catalogue, {}, {"family": ANYTHING}),
        "from_numba": (
            Potential.from_numba,
            {"energy": len, "gradient": len, "dim": 2},
            {"energy": JUNK, "gradient": JUNK, "dim": SIZES},
        ),
    }[which]
    given = odd_arguments(data, good, bad)
    if which == "from_numba" and callable(given["energy"]) and callable(given["gradient"]):
        return
    found = refused_or(lambda: make(**given))
    if which == "normal_modes" and found is not None:
        assert np.isfinite(found).all() and (np.diff(found) >= 0).all()
