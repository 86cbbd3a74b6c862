"""Cells and lists of neighbours, run by g++ and from PTX: no pair is missed, forces are the CPU's,
and no bit depends on when lists were made.
"""

import itertools
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
SOFT = "eps*exp(-(r/sig)**2)"  # particles may meet
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


def fluid(box, kinds, particles=PARTICLES, pair=PAIR):
    species = {"species": np.arange(particles) % 2} if kinds is TWO else {}
    given = dict(pair=pair, particles=particles, space=len(box), box=box) | kinds | species
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


def no_pair_is_missed(replicas, dtype, seed):
    """In so many configurations; how many there were."""
    generator, looked = np.random.default_rng(seed), 0
    for box in BOXES.values():
        for kinds in (ONE, TWO):
            U = fluid(box, kinds, pair=SOFT)
            count = replicas // (2 * len(BOXES)) + 1
            x = configurations(box, count, generator).astype(dtype)
            _, mover = start(U, 1, dtype, "cupy", x[:1])
            given = mover.lists.compiled, (1, count)
            lists = type(mover.lists)(U.formula, fake_cupy.asarray(x), mover.numbers, *given)
            cutoffs = np.sqrt(U.formula.cutoff2)
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


@pytest.fixture(scope="session")
def compiled(together):
    """All texts in one call of g++."""

    def build(gpu, boxes=BOXES, single=False, from_ptx=0):
        made = [fluid(BOXES[name], kinds, pair=SOFT) for name in boxes for kinds in (ONE, TWO)]
        codes = [gpu.NeighbourBackend.code(U, single) for U in made]
        together(codes, single, from_ptx=from_ptx)

    return build


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_no_pair_is_missed(gpu, monkeypatch, compiled, dtype):
    monkeypatch.setattr(fake_cupy.RawModule, "reversed", dtype == np.float32)
    compiled(gpu, single=dtype == np.float32)
    count = 10_000 if dtype == np.float64 else 2_000
    assert no_pair_is_missed(count, dtype, 3) >= count


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_no_pair_is_missed_in_a_million(gpu, compiled, seed):
    compiled(gpu)
    assert no_pair_is_missed(100_000, np.float64, seed) >= 100_000


def gradient_of(U, x, dtype=np.float64):
    """Energy and gradient by the kernels: a step at rest, without noise and with lr = 1."""
    walk, mover = start(U, len(x), dtype, "cupy", x)
    energy = walk.energy.copy()
    mover.advance(Steps(*(np.array([value]) for value in (0.0, 1.0, 0.0))))
    return energy, -walk.dx


@pytest.mark.parametrize(
    ("from_ptx", "boxes"),
    [(0, tuple(BOXES)), pytest.param(12, ("cube", "a strip"), marks=pytest.mark.long)],
)
def test_energies_and_forces_are_the_cpus(gpu, monkeypatch, compiled, from_ptx, boxes):
    """To 1e-12 of the largest force, and of an energy a particle."""
    monkeypatch.setattr(fake_cupy.RawModule, "from_ptx", from_ptx)
    compiled(gpu, boxes, from_ptx=from_ptx)
    for name in boxes:
        for kinds in (ONE, TWO):
            U, generator = fluid(BOXES[name], kinds, pair=SOFT), np.random.default_rng(1)
            x = configurations(BOXES[name], 20, generator)
            energy, gradient = gradient_of(U, x)
            for e, g in (U.formula.energy_gradient(x), U.formula.compiled(x)):
                force = np.abs(g).max()
                assert force > 0.1
                np.testing.assert_allclose(energy, e, rtol=0, atol=1e-12 * PARTICLES)
                np.testing.assert_allclose(gradient, g, rtol=0, atol=1e-12 * force)


def gas(particles=96):
    """A mixture whose particles change their neighbours often, and its starting points."""
    U = fluid((6.1, None, 7.0), TWO, particles)
    sites = np.stack(np.meshgrid(np.arange(5), np.arange(4), np.arange(5)), axis=-1).reshape(-1, 3)
    x = (1.2 * sites[:particles] + 0.1).reshape(1, -1)
    return U, np.concatenate([x, x + 0.05 * np.sin(np.arange(x.size)), x + 57.0])


def moved(gpu, cuts, temperature=2.0, n=60):
    """A walk of n steps in parts, and how often lists were made."""
    U, x = gas()
    walk, mover = start(U, len(x), np.float64, "cupy", x)
    row = INTEGRATORS["gjf"]
    steps = row.carrying(row.steps(np.full(n, 1.0), 0.01, temperature), None)
    edges = [0, *cuts, n]
    for low, high in itertools.pairwise(edges):
        mover.advance(steps.part(low, high))
    return walk, mover


def test_no_bit_depends_on_when_lists_were_made(gpu, monkeypatch):
    """Nor on the order of threads, on how many neighbours lists have room for, or whether there are
    lists.
    """
    whole, _ = moved(gpu, ())
    ways = {"cut": (7, 8, 31), "made anew": (), "reversed": (), "overfull": (), "one row": ()}
    for way, cuts in ways.items():
        with monkeypatch.context() as m:
            lists = import_module("langevin_sa.backends.cuda.neighbours")
            if way == "made anew":
                m.setattr(lists, "SKIN", 0.02)
            if way == "reversed":
                m.setattr(fake_cupy.RawModule, "reversed", True)
            if way == "overfull":
                m.setattr(lists, "FIRST_ROOM", 3)
                m.setattr(lists.Lists, "grow", lambda self: False)
            if way == "one row":
                m.setattr(gpu, "MOST_ROWS", 1)
                m.setattr(gpu, "BLOCKS_A_PROCESSOR", 1)
            other, moves = moved(gpu, cuts)
            if way == "overfull":
                assert int(moves.lists.most[0]) > moves.lists.room == 3
        for name in ("x", "dx", "noise", "energy", "best_energy", "best_x", "dx2", "kinetic"):
            np.testing.assert_array_equal(getattr(whole, name), getattr(other, name), err_msg=way)
    monkeypatch.setattr(gpu, "WORTH_LISTS", 10**6)
    tiles, _ = moved(gpu, ())
    np.testing.assert_array_equal(whole.x, tiles.x)
    np.testing.assert_allclose(whole.energy, tiles.energy, rtol=1e-13)


def test_few_neighbours_make_room_for_more(gpu, monkeypatch):
    lists = import_module("langevin_sa.backends.cuda.neighbours")
    whole, _ = moved(gpu, ())
    monkeypatch.setattr(lists, "FIRST_ROOM", 1)
    other, mover = moved(gpu, (7,))
    assert mover.lists.room > 3 and not int(mover.lists.most[0]) > mover.lists.room
    np.testing.assert_array_equal(whole.x, other.x)


def test_lists_are_made_again_by_displacement(gpu):
    """Of the replica in which a particle has gone half the skin, and of no other; not before."""
    U, x = gas()
    _, mover = start(U, len(x), np.float64, "cupy", x)
    half = np.sqrt(mover.lists.half2)
    for far, again in ((0.999, False), (1.001, True)):
        moved_x = x.copy()
        moved_x[1, 3 * 40] += far * half
        before = mover.lists.home.get()
        mover.lists.begin(fake_cupy.asarray(moved_x), 3)
        mover.lists.make(fake_cupy.asarray(moved_x), 3)
        changed = (mover.lists.home.get() != before).any(axis=(1, 2))
        assert changed.tolist() == [False, again, False]
    _, moves = moved(gpu, (), temperature=0.0, n=3)
    np.testing.assert_array_equal(moves.lists.home.get().reshape(x.shape), x)
    hot, moves = moved(gpu, (), temperature=50.0)
    assert near_home(hot, moves) and np.abs(hot.x - x).max() > 10 * half


def near_home(walk, mover):
    """Whether all particles are within half the skin of where lists were made."""
    way = walk.x.reshape(mover.lists.home.shape) - mover.lists.home.get()
    return bool((np.linalg.norm(way, axis=2) <= np.sqrt(mover.lists.half2) * (1 + 1e-12)).all())


def test_parity_with_the_cpu(gpu):
    for U in (potentials.kob_andersen(250), potentials.lennard_jones_fluid(200, 0.8, 2)):
        for integrator in ("bbk", "gjf"):
            step, whole, numba, other = compare(U, integrator, np.float64, replicas=2, n=40)
            assert step <= 1 and whole <= 100
            for name in ("energy", "best_energy", "kinetic", "dx2"):
                np.testing.assert_allclose(getattr(numba, name), getattr(other, name), rtol=1e-11)
        assert compare(U, "gjf", np.float32, replicas=2, n=40)[0] <= 4


def test_masses(gpu):
    """Also of what is frozen."""
    U, x = gas()
    masses = np.linspace(0.5, 3.0, x.shape[1])
    masses[:3] = np.inf
    steps = INTEGRATORS["gjf"].steps(np.full(20, 1.0), 0.01, 1.0)
    found = []
    for backend in ("numba", "cupy"):
        walk, mover = start(U, len(x), np.float64, backend, x, masses=masses)
        mover.advance(steps)
        found.append(walk)
    np.testing.assert_allclose(found[0].x, found[1].x, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(found[1].x[:, :3], x[:, :3])


def test_launches_and_copies_of_an_interval(gpu):
    """Five launches a step, one before and two after; on the way nothing is copied."""
    U, x = gas()
    walk = gpu.DeviceBackend.placed(lsa.backends.walk.Walk.at_rest(x, 1))
    backend = gpu.backend_of(U)(U, walk, 1)
    for n in (1, 50):
        steps = INTEGRATORS["gjf"].steps(np.full(n, 1.0), 0.001, 0.1)
        fake_cupy.counts.clear()
        backend.advance(steps)
        launches = 1 + 5 * (n + 1) + 1
        assert fake_cupy.counts == {"launches": launches, "to device": 3, "to host": 2}


def test_few_particles_keep_the_tiles(gpu, monkeypatch):
    monkeypatch.undo()
    for particles, expected in ((1999, gpu.ParticleBackend), (2000, gpu.NeighbourBackend)):
        assert gpu.backend_of(potentials.lennard_jones_fluid(particles)) is expected
    assert gpu.backend_of(potentials.lennard_jones(2000)) is gpu.ParticleBackend


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_particle_that_is_nowhere_is_found(gpu, bad):
    """Also where it has no neighbour, on open axes."""
    U = fluid((None, None), ONE)
    x = 5.0 * np.arange(2.0 * PARTICLES)[None]
    walk, mover = start(U, 1, np.float64, "cupy", x)
    assert walk.energy == 0
    walk.x[0, 9] = bad
    with pytest.raises(lsa.backends.walk.NonFinite):
        mover.advance(INTEGRATORS["gjf"].steps(np.full(1, 1.0), 0.01, 0.0))


def test_an_interrupted_call_leaves_nothing_behind(gpu):
    """Broken off before any launch, a walk that is set back goes the same way."""
    U, x = gas()
    whole, _ = moved(gpu, (), n=5)
    row = INTEGRATORS["gjf"]
    steps = row.carrying(row.steps(np.full(5, 1.0), 0.01, 2.0), None)
    for launches in range(0, 25, 3):
        walk, mover = start(U, len(x), np.float64, "cupy", x + 0.4)
        left, launch = [launches], mover.lists._launch

        def broken(*arguments, launch=launch, left=left, **given):
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            launch(*arguments, **given)

        mover.lists._launch = broken
        fresh = {n: getattr(walk, n).copy() for n in ("dx", "noise", "best_x", "dx2", "kinetic")}
        with pytest.raises(KeyboardInterrupt):
            mover.advance(steps)
        mover.lists._launch = launch
        for name, value in fresh.items():
            getattr(walk, name)[...] = value
        walk.x[...], walk.best_energy[...] = x, np.inf
        mover.advance(steps)
        np.testing.assert_array_equal(walk.x, whole.x)
        np.testing.assert_array_equal(walk.energy, whole.energy)


def test_lists_that_do_not_fit_are_refused(gpu, monkeypatch):
    U, x = gas()
    walk = lsa.backends.walk.Walk.at_rest(x[:1], 1)
    with pytest.raises(MemoryError, match=r"lists of up to 64 neighbours of 1 times 96 .* need"):
        monkeypatch.setattr(fake_cupy, "FREE", 24_000)
        gpu.NeighbourBackend(U, walk)


MUTATIONS = {
    "no skin": ("> reach2) continue", "> reach2 - 0.4) continue"),
    "a side forgotten": ("side < SIDES", "side < SIDES - 1"),
    "cells that do not repeat": ("+ cells_along - 1 + d) % cells_along", "+ d) % cells_along"),
    "lists out of order": ("if (before < other) break;", "break;"),
    "of the first replica": ("lists.names + r * lists.room * UNITS", "lists.names"),
    "never made again": ("lists.stale[r] = step;", "lists.stale[r] = r ? step : step - 1;"),
    "a step too late": (
        "watch(y, unit, extra, r, first_step + t + 1)",
        "watch(x, unit, extra, r, first_step + t + 1)",
    ),
    "home not kept": ("home[(r * UNITS + unit) * UNIT + k] = x[unit * UNIT + k];", ";"),
    "the other's species": (
        "kind * TYPES + (TYPES > 1 ? lists.species[other] : 0)",
        "kind * TYPES",
    ),
    "no images": ("::fma(-::rint", "::fma(0 * ::rint"),
    "first slots one cell late": ("slots[low + k] = slot;\n                slot +=", "slot +="),
    "counts not cleared": ("here[low + k] = 0;", ""),
    "no energy": ("e + 0.5 * double(part)", "e + double(part)"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_is_noticed(gpu, monkeypatch, name):
    right, wrong = MUTATIONS[name]
    whole, _ = moved(gpu, (), temperature=50.0)
    code = gpu.NeighbourBackend.code
    assert right in code(gas()[0], False)
    changed = staticmethod(lambda U, single: code(U, single).replace(right, wrong))
    monkeypatch.setattr(gpu.NeighbourBackend, "code", changed)
    try:
        other, mover = moved(gpu, (), temperature=50.0)
    except (ArithmeticError, AssertionError, RuntimeError):
        return
    same = all((getattr(whole, what) == getattr(other, what)).all() for what in ("x", "energy"))
    assert not (same and near_home(other, mover))
