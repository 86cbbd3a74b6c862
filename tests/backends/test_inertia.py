"""Masses in every kernel: y = sqrt(m) x moved by hand with masses 1 goes the same way, what is
frozen keeps its bits, and the centre of mass stays where it is.
"""

import numpy as np
import pytest

from langevin_sa import Potential, potentials
from langevin_sa.backends.choose import get_backend
from langevin_sa.backends.walk import Walk
from langevin_sa.integrators import INTEGRATORS
from langevin_sa.noise import normals

jnp = pytest.importorskip("jax.numpy")

SEED, STEPS, REPLICAS = 5, 40, (1, 13)
CHAIN = dict(site="h*x**2/2 + sin(x)/2", bond="(y - x)**2/2")


def one_energy(x):
    total = 0.0
    for d in range(len(x)):
        total += x[d] ** 2 / 2 + np.sin(x[d]) / 2
    return total


def one_gradient(x, out):
    for d in range(len(x)):
        out[d] = x[d] + np.cos(x[d]) / 2


slow = pytest.mark.slow
WAYS = {
    "coordinates": lambda: Potential.from_formula("x**2/2 + sin(x*z)/2 + y**2 + z**2"),
    "sites": lambda: Potential.from_formula(site="h*x**2/2", dim=21, h=np.linspace(1, 2, 21)),
    "chain": lambda: Potential.from_formula(**CHAIN, dim=21, h=np.linspace(1, 2, 21)),
    "terms": lambda: Potential.from_formula("x1*x2", site="x**2 + sin(x)/2", dim=2),
    "lattice": lambda: Potential.from_formula(**CHAIN, shape=(24, 30), periodic=True, h=1.3),
    "pairs": lambda: Potential.from_formula(pair="1/r + r**2/2", particles=7),
    "polymer": lambda: Potential.from_formula(bond="(r - 2)**2", pair="1/r", particles=5),
    "molecule": lambda: Potential.from_formula(
        pair="1/r", particles=5, terms=CHAINED, k=np.linspace(1, 2, 4), a=np.array([1.8, 2.0, 2.2])
    ),
    "metal": lambda: Potential.from_formula(
        pair="exp(-r)", density="exp(-2*r)", embedding="-sqrt(rho)", particles=6
    ),
    "molecules": lambda: Potential.from_formula(
        **{"pair": "1/r", "particles": 12, "terms": CHAINED, "k": 2.0, "a": 2.0},
        **{"cutoff": 1.9, "box": 4.5},
    ),
    "neighbours": lambda: potentials.lennard_jones_fluid(40, density=0.3, cutoff=1.9),
    "arrays": lambda: Potential(
        lambda x: (x**2 / 2 + np.sin(x) / 2).sum(1), lambda x: x + np.cos(x) / 2, 3
    ),
    "numba": lambda: Potential.from_numba(one_energy, one_gradient, 3),
    "jax": lambda: Potential.from_jax(lambda x: (x**2 / 2 + jnp.sin(x) / 2).sum(), 3),
}
CHAINED = [
    ("bond", [(0, 1), (1, 2), (2, 3), (3, 4)], "k*(r - 1)**2"),
    ("angle", [(0, 1, 2), (1, 2, 3), (2, 3, 4)], "(theta - a)**2"),
    ("torsion", [(0, 1, 2, 3), (1, 2, 3, 4)], "1 + cos(phi)"),
]
REFERENCE = ("coordinates", "pairs")  # where NumPy, which is one for all, is looked at too
BACKENDS = dict.fromkeys(REFERENCE, ("numba", "numpy")) | {"jax": ("jax",)}
LATER = ("sites", "chain", "polymer", "terms")  # other text, of which the quick tests have some


def start(U, replicas):
    """Points that are not too far up."""
    x = U.draw_start(replicas, np.random.default_rng(2))
    return x if U.formula is None or not U.formula.source.spec.of_particles else np.round(x, 3)


def numbers(U, row="gjf"):
    """Steps whose friction, time step and temperature change."""
    s = np.linspace(0, 1, STEPS)
    stiff = U.formula is not None and bool(U.formula.source.spec.of_particles)
    dt = (0.005 if stiff else 0.2) * (1 - s / 2)
    gamma = 0.07 / dt[0] * (1 + s)
    return INTEGRATORS[row].carrying(INTEGRATORS[row].steps(gamma, dt, 0.3 * (1.2 - s)), None)


def masses(U):
    return np.random.default_rng(3).choice([1.0, 4.0, 100.0], U.dim)


def moved(U, x0, steps, m, backend="numba", dtype="float64", centred=0, cut=17):
    walk = Walk.at_rest(x0, SEED, dtype)
    walk.masses, walk.centred = m, centred
    mover = get_backend(backend, U, len(x0))(U, walk, 1)
    if hasattr(mover, "passes"):
        mover.passes.compile()
    mover.advance(steps.part(0, cut))
    mover.advance(steps.part(cut, STEPS))
    return walk


def by_hand(U, x0, steps, m):
    """x, dx and the two sums, of coordinates y of mass 1."""
    root = np.sqrt(m)
    y, dy, noise, sums = x0 * root, 0 * x0, 0 * x0, 0.0
    for n in range(STEPS):
        z = normals(SEED, n, np.arange(len(x0)), U.dim, 0)
        fresh = steps.kick[n] * z + noise
        noise = steps.tail[n] * z if steps.paired else 0.0
        dy = steps.carry[n] * dy - steps.lr[n] * U.gradient(y / root) / root + fresh
        y = y + dy
        sums = sums + (dy**2).sum(1)[:, None] * steps.weights[n]
    return y / root, dy / root, sums


@pytest.mark.parametrize("way", [pytest.param(w, marks=slow if w in LATER else ()) for w in WAYS])
@pytest.mark.parametrize("row", ["gjf", pytest.param("bbk", marks=slow)])
def test_it_is_the_way_of_y(way, row):
    U = WAYS[way]()
    steps, m = numbers(U, row), masses(U)
    for replicas in REPLICAS:
        x0 = start(U, replicas)
        x, dx, sums = by_hand(U, x0, steps, m)
        size = np.abs(x).max()
        for backend in BACKENDS.get(way, ("numba",)):
            walk = moved(U, x0, steps, m, backend)
            np.testing.assert_allclose(walk.x, x, rtol=0, atol=1e-12 * size)
            np.testing.assert_allclose(walk.dx, dx, rtol=0, atol=1e-12 * size)
            np.testing.assert_allclose(walk.dx2, sums[:, 0], rtol=1e-11)
            np.testing.assert_allclose(walk.kinetic, sums[:, 1], rtol=1e-11)


@pytest.mark.parametrize("way", [pytest.param(w, marks=slow if w in LATER else ()) for w in WAYS])
def test_what_is_frozen_keeps_its_bits(way):
    U = WAYS[way]()
    steps, m = numbers(U), masses(U)
    held = np.arange(U.dim) % 3 == 1
    m[held] = np.inf
    for replicas in REPLICAS:
        x0 = start(U, replicas)
        for dtype in ("float64", "float32"):
            for backend in BACKENDS.get(way, ("numba",)):
                walk = moved(U, x0, steps, m, backend, dtype)
                for there in (walk.x, walk.best_x):
                    np.testing.assert_array_equal(there[:, held], x0.astype(dtype)[:, held])
                assert (walk.dx[:, held] == 0).all() and (walk.dx[:, ~held] != 0).all()
                other = moved(U, x0, steps, m, backend, dtype, cut=1)
                for name in ("x", "dx", "noise", "best_x", "kinetic", "dx2"):
                    np.testing.assert_array_equal(getattr(walk, name), getattr(other, name))


def test_masses_of_one_are_no_masses():
    for way in ("coordinates", "arrays", "lattice"):
        U = WAYS[way]()
        x0, steps = start(U, 3), numbers(U)
        for backend in ("numba", "numpy"):
            none = moved(U, x0, steps, None, backend)
            ones = moved(U, x0, steps, np.ones(U.dim), backend)
            for name in ("x", "dx", "kinetic", "dx2", "best_energy"):
                np.testing.assert_array_equal(getattr(none, name), getattr(ones, name))


@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_walls_turn_back_what_moves(backend):
    """log(x) has a wall at 0; y is frozen, so only x turns back."""
    U = Potential.from_formula("5*x - log(x) + (y - x)**2")
    x0, m = np.array([[0.3, 0.2], [0.5, 0.1]]), np.array([4.0, np.inf])
    steps = INTEGRATORS["gjf"].steps(np.full(STEPS, 1.0), 0.5, 2.0)
    walk = Walk.at_rest(x0, SEED)
    walk.masses, walk.wall = m, True
    get_backend(backend, U, 2)(U, walk, 1).advance(steps)
    assert walk.failures[:, 0].sum() > 0
    np.testing.assert_array_equal(walk.x[:, 1], x0[:, 1])
    assert np.isfinite(walk.kinetic).all() and (walk.x[:, 0] > 0).all()


@pytest.mark.parametrize("way", ["pairs", pytest.param("polymer", marks=slow), "neighbours"])
def test_the_centre_of_mass_is_held_and_nothing_else(way):
    U = WAYS[way]()
    m, steps = np.repeat(masses(U)[::3], 3), numbers(U)
    for replicas in REPLICAS:
        x0 = start(U, replicas)

        def centre(x):
            return (m * x).reshape(len(x), -1, 3).sum(1) / m[::3].sum()

        free = moved(U, x0, steps, m)
        drift = np.tile(centre(free.x) - centre(x0), U.dim // 3)
        assert np.abs(drift).max() > 1e-3
        x, dx = free.x - drift, free.dx - np.tile(centre(free.dx), U.dim // 3)
        for backend in ("numba", "numpy"):
            held = moved(U, x0, steps, m, backend, centred=3)
            np.testing.assert_allclose(held.x, x, rtol=0, atol=1e-11 * np.abs(x).max())
            np.testing.assert_allclose(held.dx, dx, rtol=0, atol=1e-11)
            np.testing.assert_allclose(centre(held.x), centre(x0), rtol=0, atol=1e-13)
            again = moved(U, x0, steps, m, backend, centred=3, cut=1)
            np.testing.assert_array_equal(again.x, held.x)
            np.testing.assert_array_equal(again.kinetic, held.kinetic)
            last = moved(U, x0, steps, m, backend, centred=3, cut=STEPS - 1)
            gained = moved(U, x0, steps.part(0, STEPS), m, backend, centred=3).kinetic
            np.testing.assert_array_equal(last.kinetic, gained)
            assert held.freedom == U.dim - 3


def test_its_part_is_taken_out_of_the_sums():
    """Step by step the sum grows by m v^2 of the updates that were made."""
    U = WAYS["pairs"]()
    m, steps = np.repeat([1.0, 4.0, 100.0, 1.0, 1.0, 4.0, 2.0], 3), numbers(U)
    for backend in ("numba", "numpy"):
        walk = Walk.at_rest(start(U, 3), SEED)
        walk.masses, walk.centred = m, 3
        mover, total = get_backend(backend, U, 3)(U, walk, 1), 0.0
        for n in range(STEPS):
            mover.advance(steps.part(n, n + 1))
            total = total + (m * walk.dx**2).sum(1)[:, None] * steps.weights[n]
        np.testing.assert_allclose(walk.kinetic, total[:, 1], rtol=1e-12)
        np.testing.assert_allclose(walk.dx2, total[:, 0], rtol=1e-12)
