"""Cells and lists of neighbours, run by g++ and from PTX: no pair is missed, forces are the CPU's,
and no bit depends on when lists were made.
"""

from importlib import import_module

import fake_cupy
import numpy as np
import pytest
from parity import compare, start

import langevin_sa as lsa
from langevin_sa import Potential, potentials
from langevin_sa.integrators import INTEGRATORS
from langevin_sa.momentum import Steps

PAIR = "4*eps*((sig/r)**12 - (sig/r)**6)"
TWO = {"eps": [[1, 1.5], [1.5, 0.5]], "sig": [[1, 0.9], [0.9, 0.9]]}
TWO |= {"cutoff": [[1.5, 1.2], [1.2, 1.0]]}
ONE = {"eps": 1.0, "sig": 1.0, "cutoff": 1.5}
BOXES = {
    "cube": (4.4, 4.4, 4.4),  # two cells along each axis
    "flat": (3.0, 9.0, 30.0),
    "open": (None, None, None),
    "a slab": (6.0, None, 7.0),
    "a strip": (9.3, None),
    "a line": (40.0,),
}
PARTICLES = 24
STRETCHES = (0.3, 1.0, 4.0)  # of what configurations fill, over the box (or 10)


@pytest.fixture(autouse=True)
def listed(gpu, monkeypatch):
    """Lists also for few particles."""
    monkeypatch.setattr(gpu, "WORTH_LISTS", 0)
    monkeypatch.setattr(gpu, "ALONE", 0)


def fluid(box, kinds, particles=PARTICLES):
    species = {"species": np.arange(particles) % 2} if kinds is TWO else {}
    given = dict(pair=PAIR, particles=particles, space=len(box), box=box) | kinds | species
    return Potential.from_formula(**given)


def configurations(box, replicas, generator, particles=PARTICLES):
    """Random points; some in a corner, some beyond the box, some in pairs about a cut-off apart."""
    sides = np.array([10.0 if length is None else length for length in box])
    stretch = generator.choice(STRETCHES, size=(replicas, 1, 1))
    x = sides * stretch * generator.uniform(-1, 1, (replicas, particles, len(box)))
    half = particles // 2
    way = generator.normal(size=x[:, half:].shape)
    way /= np.linalg.norm(way, axis=2, keepdims=True)
    near = x[:, :half] + way * generator.uniform(0.8, 1.9, (replicas, half, 1))
    images = sides * generator.integers(-3, 4, near.shape) * [length is not None for length in box]
    x[:, half:] = np.where(generator.random((replicas, 1, 1)) < 0.5, near + images, x[:, half:])
    return x.reshape(replicas, -1)


def within(x, box, cutoffs, kinds):
    """Which particles are nearer than their cut-off (replicas, particles, particles)."""
    v = x.reshape(len(x), -1, len(box)).astype(float)
    r2 = np.zeros((len(v), v.shape[1], v.shape[1]))
    for k, length in enumerate(box):
        r = v[:, :, None, k] - v[:, None, :, k]
        r2 += (r if length is None else r - length * np.round(r / length)) ** 2
    near = r2 < cutoffs[kinds[:, None], kinds] ** 2
    near[:, np.arange(len(kinds)), np.arange(len(kinds))] = False
    return near


def in_lists(lists):
    """Which particles are in the list of each, and whether lists are in order."""
    counts, names = lists.counts.get(), lists.names.get()
    assert counts.max() <= lists.room
    listed = np.zeros((*counts.shape, counts.shape[1]), dtype=bool)
    used = np.arange(lists.room)[None, :, None] < counts[:, None, :]
    r, k, a = np.nonzero(used)
    listed[r, a, names[r, k, a]] = True
    ordered = np.diff(names, axis=1)[used[:, 1:]] > 0
    return listed, bool(ordered.all())


def no_pair_is_missed(gpu, replicas, dtype, reversed_order=False):
    generator = np.random.default_rng(3)
    fake_cupy.RawModule.reversed = reversed_order
    looked = 0
    for box in BOXES.values():
        for kinds in (ONE, TWO):
            U = fluid(box, kinds)
            count = replicas // (2 * len(BOXES)) + 1
            x = configurations(box, count, generator).astype(dtype)
            _, mover = start(U, count, dtype, "cupy", x)
            lists, cutoffs = mover.lists, np.sqrt(U.formula.cutoff2)
            skin = lists_skin(U)
            species = U.formula.species
            listed, ordered = in_lists(lists)
            assert ordered
            assert not (within(x, box, cutoffs + skin, species) & ~listed).any()
            assert not (listed & ~within(x, box, cutoffs + skin + 1e-3, species)).any()
            # wherever particles are before lists are made again, nothing that counts is missed
            way = generator.normal(size=(count, PARTICLES, len(box)))
            way *= 0.499 * skin / np.linalg.norm(way, axis=2, keepdims=True)
            moved = (x + way.reshape(count, -1)).astype(dtype)
            assert not (within(moved, box, cutoffs, species) & ~listed).any()
            home = lists.home.get()
            there = fake_cupy.asarray(moved)
            lists.begin(there, 7)
            lists.make(there, 7)
            np.testing.assert_array_equal(lists.home.get(), home)
            looked += count
    return looked


def lists_skin(U):
    return import_module("langevin_sa.backends.cuda.neighbours").SKIN * U.formula.reach.max()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_no_pair_is_missed(gpu, monkeypatch, dtype):
    monkeypatch.setattr(fake_cupy.RawModule, "reversed", False)
    assert no_pair_is_missed(gpu, 10_000, dtype, dtype == np.float32) >= 10_000


@pytest.mark.slow
def test_no_pair_is_missed_in_a_million(gpu, monkeypatch):
    monkeypatch.setattr(fake_cupy.RawModule, "reversed", False)
    assert sum(no_pair_is_missed(gpu, 100_000, np.float64) for _ in range(10)) >= 10**6
