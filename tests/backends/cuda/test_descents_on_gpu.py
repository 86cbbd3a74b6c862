"""Many descents at once on the stand-in: where the CPU's end, and nothing copied on the way."""

import sys

import fake_cupy
import numpy as np
import nvrtc
import pytest
from parity import NAMES, NEIGHBOUR_LISTS

import langevin_sa as lsa
from langevin_sa import Potential, potentials
from langevin_sa.descents import batched
from langevin_sa.descents.compiled import evaluator as numba_evaluator

# one for each way to energies: in registers; sites over threads; particles; array functions
WAYS = {
    "registers": potentials.himmelblau,
    "lattice": potentials.phi4_chain,
    "particles": lambda: potentials.lennard_jones(7),
    "arrays": lambda: Potential(
        lambda x, a: (a * (x**2 - 1) ** 2).sum(1),
        lambda x, a: 4 * a * x * (x**2 - 1),
        dim=3,
        args=(np.arange(1.0, 4.0),),
    ),
}


@pytest.fixture
def cupy(gpu):
    return sys.modules["cupy"]


@pytest.mark.parametrize("way", WAYS)
def test_descents_end_where_the_cpu_ends(cupy, way):
    U = WAYS[way]()
    x = U.draw_start(24, np.random.default_rng(1))
    there, energy = U.descend(cupy.asarray(x))
    assert isinstance(there, fake_cupy.ndarray) and isinstance(energy, fake_cupy.ndarray)
    end, lowest = U.descend(x)
    np.testing.assert_allclose(energy.get(), lowest, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(there.get(), end, atol=1e-8)


@pytest.mark.parametrize("way", WAYS)
def test_copies_grow_neither_with_replicas_nor_with_steps(cupy, way):
    """Parameters and natural lengths there, once; nothing back, and no position at all."""
    U, seen = WAYS[way](), []
    U.scale.length  # noqa: B018  # which is the potential's
    for replicas, spread in ((3, 1e-3), (70, 1.0)):
        start = U.descend(U.draw_start(1, np.random.default_rng(1)))[0]
        x = start + spread * np.random.default_rng(2).normal(size=(replicas, U.dim))
        x = cupy.asarray(x)
        fake_cupy.counts.clear()
        U.descend(x)
        seen.append(fake_cupy.counts.copy())
        assert seen[-1]["to host"] == 0 and seen[-1]["to device"] <= 3, way
    assert seen[0]["to device"] == seen[1]["to device"]
    if way != "arrays":
        assert seen[0]["launches"] < seen[1]["launches"]  # one an evaluation of all


@pytest.mark.parametrize("way", WAYS)
def test_as_many_at_once_as_there_is_room_for(cupy, monkeypatch, way):
    """And the same ends."""
    U = WAYS[way]()
    x = cupy.asarray(U.draw_start(7, np.random.default_rng(1)))
    whole = U.descend(x)
    monkeypatch.setattr(fake_cupy, "FREE", 3 * 512 * U.dim)
    most = []
    monkeypatch.setattr(
        batched,
        "_descend",
        lambda *given, own=batched._descend: most.append(len(given[3])) or own(*given),
    )
    for all_at_once, parts in zip(whole, U.descend(x), strict=True):
        np.testing.assert_array_equal(all_at_once.get(), parts.get())
    assert most == [3, 3, 1]


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(set(NAMES) - set(NEIGHBOUR_LISTS)))
def test_energies_and_gradients_are_the_kernels(cupy, name):
    """Of numba in its bits where the order of sums is one thread's."""
    from langevin_sa.backends.cuda.evaluate import evaluator

    U = potentials.catalogue()[name]()
    x = U.draw_start(5, np.random.default_rng(1))
    energy, gradient = (out.get() for out in evaluator(U)(cupy.asarray(x)))
    expected = numba_evaluator(U)(x)
    if U.formula is not None and U.dim <= 16:
        np.testing.assert_array_equal(energy, expected[0])
        np.testing.assert_array_equal(gradient, expected[1])
    size = np.abs(expected[1]).max()
    np.testing.assert_allclose(energy, expected[0], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-12, atol=1e-12 * size)


def test_odd_numbers_of_points(gpu, cupy, monkeypatch):
    """More than the grid has threads, units of one point over several blocks, or that are no
    multiple of the block.
    """
    from langevin_sa.backends.cuda import evaluate

    monkeypatch.setattr(evaluate, "MOST_BLOCKS", 2)
    monkeypatch.setattr(evaluate, "MOST_ROWS", 2)
    monkeypatch.setattr(evaluate.source, "THREADS", 32)
    for U in (potentials.himmelblau(), potentials.phi4_chain(601), potentials.lennard_jones(37)):
        for points in (1, 301 if U.dim < 3 else 5):
            x = U.draw_start(points, np.random.default_rng(1))
            found = evaluate.evaluator(U)(cupy.asarray(x))
            for out, expected in zip(found, numba_evaluator(U)(x), strict=True):
                np.testing.assert_allclose(out.get(), expected, rtol=1e-12)


def test_pairs_with_a_cut_off_come_to_the_host(cupy):
    U = potentials.lennard_jones_fluid(particles=108, cutoff=2.0)
    x = U.draw_start(2, np.random.default_rng(1))
    np.testing.assert_array_equal(U.energy(cupy.asarray(x)).get(), U.energy(x))
    np.testing.assert_array_equal(U.descend(cupy.asarray(x))[0].get(), U.descend(x)[0])


def test_points_that_fall_for_ever_stop(cupy):
    U = Potential.from_formula("-x**4 + 1/y")
    x = np.array([[0.5, 1.0], [np.nan, 1.0], [1.0, 0.0]])
    found, expected = U.descend(cupy.asarray(x)), U.descend(x)
    for out, value in zip(found, expected, strict=True):
        np.testing.assert_array_equal(np.isfinite(out.get()), np.isfinite(value))


def test_comparisons_descend_where_the_replicas_are(cupy):
    U, methods = potentials.himmelblau(), {"a": lsa.Schedule(20.0, 1.0, 0.02)}
    found = []
    for backend in ("numba", "cupy"):
        how = dict(replicas=12, n_steps=40, epochs=2, rng=1, backend=backend)
        fake_cupy.counts.clear()
        found.append(lsa.compare(U, methods, **how).outcomes["a"])
        launches = fake_cupy.counts["launches"]
    numba, there = found
    np.testing.assert_array_equal(there.judged, numba.judged)
    np.testing.assert_array_equal(there.polished_x, numba.polished_x)
    assert isinstance(there.polished_x, np.ndarray) and launches > 40  # of the descents


def test_none_descend(cupy):
    for x in (np.empty((0, 2)), cupy.zeros((0, 2))):
        there, energy = potentials.himmelblau().descend(x)
        assert type(there) is type(energy) is type(x)
        assert there.shape == (0, 2) and energy.shape == (0,)


@pytest.mark.parametrize("release", nvrtc.WHEELS)
@pytest.mark.parametrize("way", sorted(set(WAYS) - {"arrays"}))
def test_nvidias_compiler_takes_it(gpu, way, release):
    """Without a remark, local memory or a spilled register."""
    from langevin_sa.backends.cuda.evaluate import code

    U = WAYS[way]()
    kind = gpu.backend_of(U)
    text = code(kind.code(U, False), issubclass(kind, gpu.SweepBackend))
    for target in ("sm_80", "sm_90", "sm_120"):
        kernels, remarks = nvrtc.resources(text, target, gpu.source.options(False), release)
        assert not remarks and kernels["evaluate"][1:] == (0, 0), (target, kernels)


@pytest.mark.long
@pytest.mark.parametrize("way", sorted(set(WAYS) - {"arrays"}))
def test_what_nvidias_compiler_made_of_it(gpu, cupy, monkeypatch, way):
    from langevin_sa.backends.cuda.evaluate import evaluator

    monkeypatch.setattr(fake_cupy.RawModule, "from_ptx", 12)
    U = WAYS[way]()
    x = U.draw_start(5, np.random.default_rng(1))
    for out, expected in zip(evaluator(U)(cupy.asarray(x)), numba_evaluator(U)(x), strict=True):
        np.testing.assert_allclose(out.get(), expected, rtol=1e-12, atol=1e-12)


def test_on_the_device_of_the_points(gpu, cupy, monkeypatch):
    monkeypatch.setattr(fake_cupy.Device, "count", 2)
    U = potentials.himmelblau()
    with fake_cupy.Device(1):
        x = cupy.asarray(U.draw_start(4, np.random.default_rng(1)))
    fake_cupy.launched.clear()
    there, energy = U.descend(x)
    assert there.device.id == energy.device.id == 1 and set(fake_cupy.launched) == {1}
    assert fake_cupy.Device.current() == 0
