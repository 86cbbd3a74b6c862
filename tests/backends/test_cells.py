"""Cells of particles: tilted ones, open axes, and terms over lists between nearest images."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hostile import refused

from langevin_sa import Potential, Schedule, anneal, simulate
from langevin_sa.observables import pressure

FORMULA = Potential.from_formula
L, CUT = 4.4, 1.5
ONE = {"pair": "4*(r**-12 - r**-6)", "cutoff": CUT}
TWO = {"pair": "4*eps*((sig/r)**12 - (sig/r)**6)", "species": np.arange(64) % 2}
TWO |= {"eps": [[1, 1.5], [1.5, 0.5]], "sig": [[1, 0.9], [0.9, 0.9]]}
TWO |= {"cutoff": [[1.5, 1.4], [1.4, 1.3]]}
SKEWED = {  # cells of one lattice, the cube of side L
    "cube": L,
    "matrix": L * np.eye(3),
    "sheared": [[L, 0, 0], [L, L, 0], [0, 0, L]],
    "other way": [[L, 0, 0], [0, L, 0], [L, -L, L]],
    "turned": [[0, L, 0], [0, 0, L], [-L, 0, 0]],
}
FIRST = np.arange(63)
LISTS = {
    "terms": [
        ("bond", np.stack([FIRST, FIRST + 1], axis=1), "k*(r - 1.1)**2/2"),
        ("angle", np.stack([FIRST, FIRST + 1, FIRST + 2], axis=1)[:-1], "2*(theta - 1.9)**2"),
        ("torsion", FIRST[:-2, None] + np.arange(4), "c*cos(phi)"),
    ],
    "k": 10.0,
    "c": np.linspace(0, 1, 61),
}


def particles(spread=0.05, space=3):
    """64 of them (or 16) in two replicas, one far from the cell, on a square lattice, each next to
    the one before.
    """
    sites = np.array(list(product(range(4), repeat=space)))
    for axis in range(1, space):  # there and back again
        back = sites[:, :axis].sum(1) % 2 == 1
        sites[back, axis] = 3 - sites[back, axis]
    x = np.tile(L / 4 * sites.ravel(), (2, 1))
    x += np.random.default_rng(0).uniform(-spread, spread, x.shape)
    x[1] += 57.0
    return x


def run(U, x, **given):
    return anneal(U, x, Schedule(0.7, 1.0, 0.004), 40, rng=1, **given)


def same(a, b, size=1e-12):
    np.testing.assert_allclose(a, b, rtol=0, atol=size * np.abs(b).max())


@pytest.mark.parametrize("given", [ONE, TWO, {**ONE, **LISTS}], ids=["one", "two", "lists"])
def test_a_lattice_may_be_said_by_any_of_its_cells(given):
    """The same energies, forces and trajectories, by the reference and by lists of neighbours."""
    x = particles()
    cube = FORMULA(**given, particles=64, box=L)
    energy, gradient = cube.formula.energy_gradient(x)
    moved = run(cube, x)
    for box in SKEWED.values():
        U = FORMULA(**given, particles=64, box=box)
        for e, g in (U.formula.energy_gradient(x), U.formula.compiled(x)):
            same(e, energy)
            same(g, gradient)
        same(U.laplacian(x), cube.laplacian(x))
        same(U.formula.compiled(x, "laplacians")[0], cube.laplacian(x))
        same(run(U, x).state.x, moved.state.x, 1e-10)
    same(run(U, x, backend="numpy").state.x, moved.state.x, 1e-10)


def by_images(given, vectors, x, open_axes=()):
    """The energy by a sum over all pairs and images near the cell, in NumPy alone."""
    v = x.reshape(-1, len(vectors))
    i, j = np.triu_indices(len(v), 1)
    ways = [(0,) if k in open_axes else (-2, -1, 0, 1, 2) for k in range(len(vectors))]
    total = 0.0
    for n in product(*ways):
        r = np.linalg.norm(v[j] - v[i] + np.array(n) @ np.array(vectors), axis=1)
        r = r[r < CUT]
        total += (4 * (r**-12 - r**-6) - 4 * (CUT**-12 - CUT**-6)).sum()
    return total


@pytest.mark.parametrize(
    ("box", "vectors", "open_axes"),
    [
        ([[L, 0, 0], [1.0, L, 0], [-1.0, 1.5, 5]], None, ()),
        ((L, None, L), np.diag([L, 1, L]), (1,)),
        ((np.inf, L + 1, [0.4, 0, L]), [[1, 0, 0], [0, L + 1, 0], [0.4, 0, L]], (0,)),
        ([None, None, [0.3, 1.0, L]], [[1, 0, 0], [0, 1, 0], [0.3, 1.0, L]], (0, 1)),
    ],
)
def test_energies_are_sums_over_images(box, vectors, open_axes):
    x = particles()[0]
    x[::3] += 0.1 * np.sin(np.arange(64))
    U = FORMULA(**ONE, particles=64, box=box)
    expected = by_images(ONE, box if vectors is None else vectors, x, open_axes)
    np.testing.assert_allclose(U.formula.energy_gradient(x[None])[0], expected, rtol=1e-12)
    np.testing.assert_allclose(U.formula.compiled(x[None])[0], expected, rtol=1e-12)
    assert U.check_gradient(x) < 1e-5
    both = [run(U, np.stack([x, x + 1]), backend=backend) for backend in ("numba", "numpy")]
    same(both[0].state.x, both[1].state.x, 1e-10)


def test_a_plane():
    x = particles(space=2)
    energies = [
        FORMULA(**ONE, particles=16, space=2, box=box).formula.compiled(x)[0]
        for box in ((L, L), [[L, 0], [L, L]], [[L, L], [0, -L]])
    ]
    for energy in energies[1:]:
        same(energy, energies[0])


@pytest.mark.parametrize("box", SKEWED.values(), ids=SKEWED)
def test_terms_over_lists_take_the_nearest_image(box):
    """Particles may leave the cell one by one; without a cell the bonds would be torn."""
    U, x = FORMULA(**ONE, **LISTS, particles=64, box=box), particles()
    energy, gradient = U.formula.energy_gradient(x)
    hop = np.random.default_rng(1).integers(-3, 4, x.shape) * L
    again = U.formula.energy_gradient(x + hop)
    same(again[0], energy, 1e-10)
    same(again[1], gradient, 1e-10)
    same(run(U, x + hop).state.x - hop, run(U, x).state.x, 1e-8)


@pytest.mark.parametrize("box", [L, SKEWED["sheared"]], ids=["cube", "sheared"])
def test_bits_do_not_depend_on_threads_or_cuts(box):
    U, x = FORMULA(**ONE, **LISTS, particles=64, box=box), np.tile(particles(), (4, 1))
    whole = run(U, x, threads=1)
    for given in ({"threads": 2}, {"record_every": 7}):
        np.testing.assert_array_equal(run(U, x, **given).state.x, whole.state.x)
    single = run(U, x, dtype="float32")
    np.testing.assert_allclose(single.state.x, whole.state.x, atol=1e-3)
    energy = U.energy(whole.state.x)
    same(whole.energies, energy)


def test_bits_do_not_depend_on_when_lists_are_made():
    """As a run that goes on from a state makes them, and as workers do for each slice."""
    box = np.array([[4.4, 0, 0], [1.1, 4.3, 0], [0.2, 0.7, 4.1]])
    U, x = FORMULA(**ONE, particles=64, box=box), particles() / L @ np.kron(np.eye(64), box)
    warm, whole = Schedule(0.7, 1.0, 0.004), run(U, x)
    for part in simulate(U, x, warm, 40, record_every=7, rng=1):
        if part.step in (7, 21):
            again = anneal(U, state=part.state, schedule=warm, n_steps=40)
            np.testing.assert_array_equal(again.state.x, whole.state.x)


REFUSED = [
    ({"box": [[9, 0, 0], [18, 0, 0], [0, 0, 9]]}, "lie in one plane"),
    ({"box": [[4, 0, 0], [4, 4, 0], [0, 0, 4]]}, "between opposite faces"),
    ({"box": (9, 9)}, "one length or 3"),
    ({"box": (9, 9, [9, 9])}, "one length or 3"),
    ({"box": (9, 9, -9)}, "one length or 3"),
    ({"box": [[9, 0, 0], [0, 9, 0], [0, 0, 0]]}, "one length or 3"),
    ({"box": [[9, 0, 0], [0, np.nan, 0], [0, 0, 9]]}, "one length or 3"),
]


@pytest.mark.parametrize(("given", "words"), REFUSED)
def test_what_is_no_cell_is_refused(given, words):
    refused(lambda: FORMULA(**{**ONE, "particles": 9, **given}), ValueError, words)


def test_what_is_not_done_is_refused():
    bond = {"terms": [("bond", [(0, 1)], "k*r")], "particles": 9, "box": 9.0}
    refused(lambda: FORMULA(**bond, k=1.0), TypeError, "go with pair= and cutoff=")
    law = lambda s: 1 + s  # noqa: E731
    refused(lambda: FORMULA(**ONE, **bond, k=law), ValueError, "k of terms= cannot be a law")
    tilted = FORMULA(**ONE, particles=9, box=[[9, 0, 0], [1, 9, 0], [0, 0, 9]])
    for U in (tilted, FORMULA(**ONE, **bond, k=1.0)):
        x = 4 * np.arange(27.0)
        refused(lambda U=U, x=x: pressure(U, x, 1.0), ValueError, "in a rectangular box")
