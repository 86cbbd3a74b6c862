"""Molecules against quadrature and exact sums, and metal clusters against published minima."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from langevin_sa import Potential, Schedule, anneal, minimize, potentials, simulate

REPLICAS = 1000


def sampled(U, x, temperature, dt, every, records):
    """What `simulate` yields at each record, positions (records, replicas, particles, 3)."""
    run = simulate(U, x, Schedule(temperature, 1.0, dt), every * records, record_every=every, rng=1)
    return np.array([s.state.x.copy() for s in run][1:]).reshape(-1, len(x), U.dim // 3, 3)


def agree(found, exact, sigmas=4.5):
    """Numbers (replicas, ...) of independent replicas have these means."""
    error = found.std(0, ddof=1) / np.sqrt(len(found))
    assert (abs(found.mean(0) - exact) < sigmas * error).all(), (found.mean(0), exact, error)
    return error / exact


def torsions(x):
    b = x[..., 1:, :] - x[..., :-1, :]
    m, n = (np.cross(b[..., k, :], b[..., k + 1, :]) for k in (0, 1))
    length = np.linalg.norm(b[..., 1, :], axis=-1)
    return np.arctan2(length * (b[..., 0, :] * n).sum(-1), (m * n).sum(-1))


def angles(x):
    a, b = x[..., :-2, :] - x[..., 1:-1, :], x[..., 2:, :] - x[..., 1:-1, :]
    return np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), (a * b).sum(-1))


def mean(f, weight, low, high):
    return quad(lambda q: f(q) * weight(q), low, high)[0] / quad(weight, low, high)[0]


def test_butane_has_the_torsions_of_quadrature():
    """The atoms at the ends meet in the torsion only: phi, the angles and the bonds are
    independent, with volume elements 1, sin(theta) and r^2. Its bonds are softer here, so that
    steps may be longer.
    """
    U, T = potentials.butane(), 12.0
    values = dict(zip(U.formula.source.spec.scalars, U.formula.numbers, strict=True))
    values |= {"k": 300.0, "bend": 60.0}
    lists = [("bond", [(0, 1), (1, 2), (2, 3)]), ("angle", [(0, 1, 2), (1, 2, 3)])]
    lists += [("torsion", [(0, 1, 2, 3)])]
    texts = [term.text for term in U.formula.source.spec.listed]
    terms = [(*term, text) for term, text in zip(lists, texts, strict=True)]
    V = Potential.from_formula(terms=terms, particles=4, **values)
    x = sampled(V, U.draw_start(REPLICAS, np.random.default_rng(0)), T, 0.02, 250, 60)[4:]

    def weight(phi):
        c1, c2, c3 = (values[f"c{k}"] for k in (1, 2, 3))
        cosines = c1 * (1 + np.cos(phi)), c2 * (1 - np.cos(2 * phi)), c3 * (1 + np.cos(3 * phi))
        return np.exp(-sum(cosines) / T)

    phi, edges = abs(torsions(x)), np.linspace(0, np.pi, 7)
    exact = [quad(weight, *edges[k : k + 2])[0] / quad(weight, 0, np.pi)[0] for k in range(6)]
    shares = [((phi >= a) & (phi < b)).mean(0) for a, b in pairwise(edges)]
    assert agree(np.stack(shares, axis=1), np.array(exact)).max() < 0.02
    assert agree(np.cos(phi).mean(0), mean(np.cos, weight, 0, np.pi)) < 0.005
    assert abs(torsions(x).mean()) < 4.5 * torsions(x).mean(0).std() / np.sqrt(REPLICAS)

    def bent(theta):
        return np.sin(theta) * np.exp(-30 * (theta - values["theta0"]) ** 2 / T)

    agree(np.cos(angles(x)).mean((0, 2)), mean(np.cos, bent, 0, np.pi))
    squares = ((x[..., 1:, :] - x[..., :-1, :]) ** 2).sum(-1).mean((0, 2))
    agree(
        squares, mean(lambda r: r**2, lambda r: r**2 * np.exp(-150 * (r - 1.54) ** 2 / T), 0.5, 3)
    )


BEADS, REACH = 32, 1.4
FENE = "-15*1.5**2*log(1 - (r/1.5)**2) + where(2**(1/6) - r, 4*(r**-12 - r**-6) + 1, 0)"


def fene(r):
    near = np.where(r < 2 ** (1 / 6), 4 * (r**-12 - r**-6) + 1, 0)
    return r**2 * np.exp(15 * 2.25 * np.log(1 - (r / 1.5) ** 2) - near + 20)


def test_a_phantom_chain_is_a_sum_of_bonds():
    """Bonds of Kremer's and Grest's chain without other contacts are independent and point
    anywhere: R^2 is a sum of their squares, and the distribution of R has the characteristic
    function of a bond to the power of their number.
    """
    first = np.arange(BEADS - 1)
    bonds = np.stack([first, first + 1], axis=1)
    U = Potential.from_formula(terms=[("bond", bonds, FENE)], particles=BEADS)
    square = mean(lambda r: r**2, fene, 0.7, REACH)
    grid = np.linspace(0.7, REACH, 4001)
    rng = np.random.default_rng(2)
    start = rng.standard_normal((4 * REPLICAS, BEADS - 1, 3))
    lengths = np.interp(rng.random(start.shape[:2]), fene(grid).cumsum() / fene(grid).sum(), grid)
    start *= (lengths / np.linalg.norm(start, axis=2))[..., None]
    x0 = np.concatenate([np.zeros((len(start), 1, 3)), start.cumsum(1)], axis=1)
    x = sampled(U, x0.reshape(len(x0), -1), 1.0, 0.01, 200, 2)
    steps = x[..., 1:, :] - x[..., :-1, :]
    # as long as a step of 0.4/omega leaves them
    assert agree((steps**2).sum(-1).mean((0, 2)), square, sigmas=5) < 0.001
    ends = ((x[-1, :, -1] - x[-1, :, 0]) ** 2).sum(-1)
    assert agree(ends, (BEADS - 1) * square) < 0.02
    cross = ends - (steps[-1] ** 2).sum((1, 2))
    assert abs(cross.mean()) < 4.5 * cross.std() / np.sqrt(len(cross))

    k = np.linspace(1e-6, 12, 6001)
    one = (fene(grid) * np.sinc(np.outer(k, grid) / np.pi)).sum(1) / fene(grid).sum()
    edges = np.linspace(0, 12, 9)
    kr = np.outer(edges, k)
    below = (
        2 / np.pi * (one ** (BEADS - 1) * (np.sin(kr) - kr * np.cos(kr)) / k).sum(1) * (k[1] - k[0])
    )
    R = np.sqrt(ends)
    shares = np.stack([(a <= R) & (b > R) for a, b in pairwise(edges)], axis=1).astype(float)
    agree(shares, np.diff(below))


def test_chains_cannot_be_torn():
    """Steps beyond the reach of FENE turn back."""
    U = potentials.fene_chain(8)
    x = U.draw_start(50, np.random.default_rng(0))
    run = anneal(U, x, Schedule(2.0, 1.0, 0.015), 300, rng=1)
    assert "steps met places where the energy" in run.message
    beads = run.state.x.reshape(50, 8, 3)
    assert np.linalg.norm(np.diff(beads, axis=1), axis=2).max() < 1.5


# Doye, Wales, New J. Chem. 22, 733 (1998)
PUBLISHED = {3: -1704.6905, 4: -2601.8447, 5: -3461.3452, 6: -4378.8875}


def test_energies_of_sutton_chen_are_the_published_ones():
    for particles, energy in PUBLISHED.items():
        U = potentials.sutton_chen(particles)
        assert abs(U.minimum_energy - energy) < 6e-5
        assert abs(minimize(U, rng=1, maxfev=3000).fun - energy) < 6e-5
        scaled = potentials.sutton_chen(particles, epsilon=2.0, a=3.0)
        np.testing.assert_allclose(scaled.minimum_energy, 2 * U.minimum_energy)


def test_symmetric_clusters_by_hand():
    """Of two to four atoms all distances are equal: one number is left to minimize over."""
    r = np.linspace(0.4, 1.2, 800_001)
    for particles in (2, 3, 4):
        pairs = particles * (particles - 1) / 2
        for (n, m), table in potentials.clusters.SUTTON_CHEN.items():
            c = potentials.clusters.SUTTON_CHEN_C[n, m]
            energy = pairs * r**-n - c * particles * np.sqrt((particles - 1) * r**-m)
            assert abs(energy.min() - table[particles]) < 1e-5
        for metal, table in potentials.clusters.GUPTA.items():
            A, xi, p, q = potentials.clusters.CLERI_ROSATO[metal]
            density = xi**2 * (particles - 1) * np.exp(-2 * q * (r - 1))
            energy = 2 * A * pairs * np.exp(-p * (r - 1)) - particles * np.sqrt(density)
            assert abs(energy.min() - table[particles]) < 1e-6


CLUSTERS = [("gupta", "Ag"), ("gupta", "Au")]
CLUSTERS += [("sutton_chen", family) for family in ((12, 6), (9, 6), (10, 8))]


@pytest.mark.parametrize("particles", range(4, 14))
@pytest.mark.parametrize(("name", "family"), CLUSTERS)
@pytest.mark.slow
def test_minimize_finds_every_minimum_of_the_tables(name, family, particles):
    given = {"metal": family} if name == "gupta" else dict(zip("nm", family, strict=True))
    U = getattr(potentials, name)(particles, **given)
    found = minimize(U, rng=7, maxfev=40_000)
    np.testing.assert_allclose(found.fun, U.minimum_energy, rtol=0, atol=6e-7)


def test_minimize_finds_thirteen_atoms():
    """The icosahedron."""
    for U in (potentials.gupta(), potentials.sutton_chen()):
        found = minimize(U, rng=3, maxfev=8000)
        np.testing.assert_allclose(found.fun, U.minimum_energy, rtol=1e-8)
        atoms = found.x.reshape(-1, 3)
        shells = np.linalg.norm(atoms - atoms.mean(0), axis=1)
        assert (np.sort(shells)[1:].std() < 1e-3 * shells.max()) and shells.min() < 1e-3


@pytest.mark.parametrize("space", [2, 3])
def test_shares_of_the_kob_andersen_mixture(space):
    U = potentials.kob_andersen(400, space=space)
    assert np.bincount(U.formula.species).tolist() == ([260, 140] if space == 2 else [320, 80])
    assert U.dim == 400 * space
    assert U.bounds[0, 1] ** space == pytest.approx(400 / 1.2)
