"""Pressure and structure of pairs in a periodic box."""

from __future__ import annotations

from functools import partial
from itertools import product

import numpy as np
import pytest
from hostile import refused

from langevin_sa import Potential, observables, potentials, thermometers
from langevin_sa.observables.structure import ball

LJ = "4*(r**-12 - r**-6)"
MIXTURE = {
    "pair": "4*eps*((sig/r)**12 - (sig/r)**6)",
    "species": np.arange(40) % 5 // 4,
    "cutoff": np.array([[1.6, 1.3], [1.3, 1.4]]),
    "eps": [[1, 1.5], [1.5, 0.5]],
    "sig": np.array([[1, 0.8], [0.8, 0.88]]),
}


def fluid(scale=1.0, box=(3.8, 4.1, 3.9), **others):
    """Of 40 particles, with all lengths `scale` times as long but those of the formula."""
    given = {"pair": LJ, "cutoff": 1.7} | others
    given["cutoff"] = np.multiply(given["cutoff"], scale)
    space = len(box)
    return Potential.from_formula(
        particles=40, space=space, box=tuple(scale * np.array(box)), **given
    )


def points(U, rows=4, seed=1, spread=0.1):
    """On a jittered lattice, images of particles at random."""
    box = U.formula.box
    n = int(np.ceil(40 ** (1 / len(box))))
    grid = np.stack(np.meshgrid(*[np.arange(n)] * len(box)), axis=-1).reshape(-1, len(box))[:40]
    rng = np.random.default_rng(seed)
    x = (grid + rng.uniform(-spread, spread, (rows, *grid.shape))) * box / n
    return (x + rng.integers(-2, 3, x.shape) * box).reshape(rows, -1)


FLUIDS = {"cubic": {}, "flat": {"box": (7.1, 7.7)}, "line": {"box": (45.0,)}, "species": MIXTURE}


@pytest.mark.parametrize("kind", FLUIDS)
def test_the_virial_is_the_slope_of_the_energy_in_the_scale(kind):
    """dU(s x, s box)/ds at s = 1 is sum r dV/dr, so that the pressure is -dF/dV; the cut-off goes
    along.
    """
    U, h = fluid(**FLUIDS[kind]), 1e-5
    x = points(U)
    more, less = (observables.energy(fluid(1 + s, **FLUIDS[kind]), (1 + s) * x) for s in (h, -h))
    found = observables.virial(U, x)
    np.testing.assert_allclose(found, (more - less) / (2 * h), rtol=1e-6)
    V, space = U.formula.box.prod(), len(U.formula.box)
    p = observables.pressure(U, x, 0.7)
    np.testing.assert_allclose(p, (40 * 0.7 - found / space) / V, rtol=1e-14)


@pytest.mark.parametrize("kind", FLUIDS)
def test_the_energy_has_no_shift(kind):
    """By all pairs, in plain words."""
    U = fluid(**FLUIDS[kind])
    x, f = points(U), U.formula
    v = x.reshape(len(x), 40, -1)
    d = v[:, :, None] - v[:, None]
    r = np.sqrt(((d - f.box * np.round(d / f.box)) ** 2).sum(-1))
    i, j = np.triu_indices(40, 1)
    near = f.species[i] * f.types + f.species[j]
    end = np.sqrt(f.table[near, -1])
    eps, sig = (1.0, 1.0) if kind != "species" else f.table[near, :2].T
    values = np.where(r[:, i, j] < end, 4 * eps * ((sig / r[:, i, j]) ** 12), 0.0)
    values -= np.where(r[:, i, j] < end, 4 * eps * ((sig / r[:, i, j]) ** 6), 0.0)
    np.testing.assert_allclose(observables.energy(U, x), values.sum(1), rtol=1e-12)
    assert (abs(observables.energy(U, x) - U.energy(x)) > 1e-6).all()


def test_tails_are_the_textbook_s():
    """Allen and Tildesley, Eq. (2.144), and the same integrals in the plane; a mixture of like
    particles is no mixture.
    """
    U, x = fluid(), points(fluid())
    rho, end = 40 / U.formula.box.prod(), 1.7
    energy = 8 / 3 * np.pi * rho * (end**-9 / 3 - end**-3)
    p = 16 / 3 * np.pi * rho**2 * (2 / 3 * end**-9 - end**-3)
    for V in (U, fluid(species=[0, 1] * 20, cutoff=[[end] * 2] * 2)):
        beyond = observables.energy(V, x, tail=True) - observables.energy(V, x)
        np.testing.assert_allclose(beyond / 40, energy, rtol=1e-10)
        more = observables.pressure(V, x, 1.0, tail=True) - observables.pressure(V, x, 1.0)
        np.testing.assert_allclose(more, p, rtol=1e-10)
    flat = fluid(box=(7.1, 7.7))
    beyond = observables.energy(flat, points(flat), tail=True) - observables.energy(
        flat, points(flat)
    )
    exact = 40 * np.pi * 40 / (7.1 * 7.7) * 4 * (end**-10 / 10 - end**-4 / 4)
    np.testing.assert_allclose(beyond, exact, rtol=1e-9)


@pytest.mark.parametrize("pair", ["1/r", "r**-3", "sin(r)"])
def test_a_tail_without_an_end_is_refused(pair):
    U = fluid(pair=pair)
    refused(lambda: observables.energy(U, points(U), tail=True), ValueError, "fall off fast enough")


def test_where_there_is_no_box_there_is_no_pressure():
    open_space = Potential.from_formula(pair=LJ, particles=3, cutoff=2.0)
    for U, (function, *given) in product(
        (open_space, potentials.lennard_jones(3)),
        (
            (observables.pressure, 1.0),
            (observables.virial,),
            (observables.radial_distribution, [0, 1]),
            (observables.structure_factor, [[0, 0, 1]]),
        ),
    ):
        refused(partial(function, U, np.arange(9.0), *given), ValueError, "no periodic box")


def test_in_a_box_the_virial_is_no_thermometer():
    U = fluid()
    refused(lambda: thermometers.virial(U, points(U)), ValueError, "which image of a particle")


@pytest.mark.parametrize("kind", FLUIDS)
def test_distances_and_waves_by_all_pairs(kind):
    U = fluid(**FLUIDS[kind])
    x, box = points(U, spread=0.3), U.formula.box
    space = len(box)
    edges = np.linspace(0, box.min() / 2, 8)
    v = x.reshape(len(x), 40, space)
    d = v[:, :, None] - v[:, None]
    r = np.sqrt(((d - box * np.round(d / box)) ** 2).sum(-1))
    r[:, range(40), range(40)] = np.inf
    shells = np.diff(ball(space) * edges**space) / box.prod()
    species = U.formula.species
    for between in (None, (0, 1), (1, 1)) if kind == "species" else (None,):
        a, b = (species >= 0,) * 2 if between is None else (species == s for s in between)
        number = a.sum() * b.sum() - (a & b).sum()
        near = r[:, a][:, :, b].reshape(len(x), -1)
        counts = [np.histogram(row, edges)[0] for row in near]
        g = observables.radial_distribution(U, x.reshape(2, 2, -1), edges, between)
        np.testing.assert_allclose(g.reshape(4, -1), counts / (number * shells), rtol=1e-12)
    k = observables.wave_vectors(U, 3.0)
    assert (np.sqrt((k**2).sum(1)) <= 3).all() and not (k[:, None] + k[None] == 0).all(-1).any()
    most = [np.arange(-int(s), int(s) + 1) for s in 3 * box / (2 * np.pi)]
    every = np.stack(np.meshgrid(*most, indexing="ij"), -1).reshape(-1, space) * 2 * np.pi / box
    assert 2 * len(k) + 1 == (np.sqrt((every**2).sum(1)) <= 3).sum()
    waves = np.cos(k @ np.swapaxes(d.reshape(len(x), -1, space), 1, 2)).sum(-1) / 40
    np.testing.assert_allclose(observables.structure_factor(U, x, k), waves, atol=1e-11)


def test_independent_particles_have_no_structure():
    U = fluid()
    x = np.random.default_rng(1).uniform(0, 1, (3000, 40, 3)) * U.formula.box
    x = x.reshape(3000, 1, -1)
    g = thermometers.average(observables.radial_distribution(U, x, [0, 1.5, 1.9])[:, 0, 1])
    k = observables.wave_vectors(U, 4.0)
    S = thermometers.average(observables.structure_factor(U, x, k).mean(-1)[:, 0])
    for seen in (g, S):
        assert abs(seen.value - 1) < 4.5 * seen.standard_error < 0.03


def test_pressure_is_the_slope_of_the_partition_function():
    """Two particles on a ring of length L, by quadrature: Z is L times I = int exp(-V/T) over the
    ring, so that p = T d(ln Z)/dL is T (1/L + exp(-V(L/2)/T)/I).
    """
    L, T = 6.0, 0.7
    U = Potential.from_formula(pair="3*exp(-r**2)", particles=2, space=1, cutoff=L / 2, box=L)
    r = (np.arange(500) + 0.5) * L / 2 / 500
    x = np.stack([0 * r, r], axis=1)
    weight = np.exp(-U.energy(x) / T)
    exact = T * (1 / L + 1 / (weight.mean() * L))
    found = np.average(observables.pressure(U, x, T), weights=weight)
    assert found == pytest.approx(exact, rel=1e-6)


BAD = {
    "edges": (lambda U, x: observables.radial_distribution(U, x, [0, 2.0]), "half the shortest"),
    "order": (lambda U, x: observables.radial_distribution(U, x, [1, 0.5]), "ascend"),
    "species": (lambda U, x: observables.radial_distribution(U, x, [0, 1], (0, 7)), "species"),
    "wave": (lambda U, x: observables.structure_factor(U, x, [[1.0, 0, 0]]), "must fit the box"),
    "k": (lambda U, x: observables.structure_factor(U, x, [1.0, 0, 0]), "shape"),
    "T": (lambda U, x: observables.pressure(U, x, -1.0), "temperature"),
    "x": (lambda U, x: observables.pressure(U, x[:, 1:], 1.0), "shape"),
    "nan": (lambda U, x: observables.pressure(U, x * np.nan, 1.0), "finite"),
}


@pytest.mark.parametrize("call, why", BAD.values(), ids=list(BAD))
def test_what_cannot_be_measured_is_refused(call, why):
    U = fluid()
    refused(lambda: call(U, points(U)), ValueError, why)
