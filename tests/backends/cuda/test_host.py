"""Layers 1 and 4: what the host does, on a stand-in that refuses what CuPy refuses and counts
launches and copies.
"""

import sys
from pathlib import Path

import fake_cupy
import numpy as np
import pytest
from parity import NAMES, NEIGHBOUR_LISTS

import langevin_sa as lsa
from langevin_sa import Potential, potentials
from langevin_sa.backends.walk import Walk
from langevin_sa.integrators import INTEGRATORS

SCHEDULE = lsa.Schedule(lsa.schedules.exponential(2.0, 0.05), 1.0, 0.02)


@pytest.fixture
def cupy(gpu):
    return sys.modules["cupy"]


def test_mini_batches_are_refused(cupy):
    with pytest.raises(ValueError, match="drawn on the CPU"):
        lsa.anneal(
            potentials.logistic_regression(),
            schedule=SCHEDULE,
            n_steps=10,
            replicas=2,
            backend="cupy",
        )


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(NEIGHBOUR_LISTS)))
def test_array_functions_run_on_cupy_arrays(cupy, name):
    """Of the whole catalogue but those with neighbour lists or mini-batches."""
    U = potentials.catalogue()[name]()
    x = U.draw_start(3, np.random.default_rng(1))
    on_gpu, there = U.on_device(cupy), cupy.asarray(x)
    for what in ("energy", "gradient", *(["laplacian"] if U.has_laplacian else [])):
        out = getattr(on_gpu, what)(there)
        assert isinstance(out, fake_cupy.ndarray)
        np.testing.assert_allclose(out.get(), getattr(U, what)(x), rtol=1e-14)


def test_array_parameters_on_cupy_arrays(cupy):
    for periodic in (False, True):
        U = Potential.from_formula(
            site="h*x**2", bond="h*(y - x)**2", shape=(3, 4), periodic=periodic, h=np.arange(12.0)
        )
        x = U.draw_start(3, np.random.default_rng(1))
        np.testing.assert_allclose(U.gradient(cupy.asarray(x)).get(), U.gradient(x))


def test_functions_that_do_not_work_on_the_gpu_are_named(cupy):
    U = Potential(lambda x: (np.ones(3) * x**2).sum(1), lambda x: 2 * x, dim=3, name="mine")
    with pytest.raises(TypeError, match=r"functions of mine do not work on CuPy arrays.*args="):
        lsa.anneal(U, np.ones((2, 3)), SCHEDULE, 10, backend="cupy")
    shared = np.arange(3.0)
    U = Potential(lambda x, a: (a * x**2).sum(1), lambda x, a: 2 * a * x, dim=3, args=(shared,))
    found = [
        lsa.anneal(U, np.ones((2, 3)), SCHEDULE, 10, backend=backend, rng=1).fun
        for backend in ("cupy", "numba")
    ]
    assert found[0] == found[1]


def test_the_stand_in_refuses_what_cupy_refuses(cupy):
    x = cupy.asarray(np.ones(3))
    for wrong in (
        lambda: np.asarray(x),
        lambda: x + np.ones(3),
        lambda: np.add(np.ones(3), x),
        lambda: np.concatenate([x, np.ones(3)]),
    ):
        with pytest.raises(TypeError):
            wrong()
    with pytest.raises(TypeError):
        x[:] = np.ones(3)


@pytest.mark.parametrize(
    ("name", "launches"),
    [
        ("himmelblau", lambda n: 1),
        ("phi4_chain", lambda n: 1),
        ("lennard_jones", lambda n: 1),
        ("fene_chain", lambda n: 1),
        ("griewank", lambda n: n + 2),
    ],
)
def test_launches_and_copies_of_an_interval(gpu, name, launches):
    """On the GPU: coefficients there, one number back, whatever the number of steps."""
    U = potentials.catalogue()[name]()
    walk = gpu.DeviceBackend.placed(Walk.at_rest(U.draw_start(4, np.random.default_rng(1)), 1))
    backend = gpu.backend_of(U)(U, walk, 1)
    for n in (1, 50):
        steps = INTEGRATORS["gjf"].steps(np.full(n, 1.0), 0.001, 0.1)
        fake_cupy.counts.clear()
        backend.advance(steps)
        copies = 2 + isinstance(backend, gpu.SweepBackend)  # how many steps, and which
        assert fake_cupy.counts == {"launches": launches(n), "to device": copies, "to host": 1}


def test_one_large_system_takes_one_launch_a_step(gpu, monkeypatch):
    monkeypatch.setattr(gpu, "ALONE", 8)
    U = potentials.phi4_chain(dim=1025)
    walk = gpu.DeviceBackend.placed(Walk.at_rest(U.draw_start(2, np.random.default_rng(1)), 1))
    backend = gpu.backend_of(U)(U, walk, 1)
    fake_cupy.counts.clear()
    backend.advance(INTEGRATORS["gjf"].steps(np.full(50, 1.0), 0.001, 0.1))
    # 16 passes and the word that they are done, three times; what is left of 52, and that word
    expected = {"recorded": 17, "graphs": 3, "launches": 4 + 1, "to device": 3, "to host": 1}
    assert fake_cupy.counts == expected


@pytest.mark.parametrize(
    "U", [potentials.phi4_chain(1025), potentials.lennard_jones(130), potentials.ackley()]
)
def test_the_arguments_of_launches_are_made_once(gpu, monkeypatch, U):
    """All but the number of the pass and, of array functions, the gradient."""
    monkeypatch.setattr(gpu, "ALONE", 1)
    seen = []
    walk = gpu.DeviceBackend.placed(Walk.at_rest(U.draw_start(2, np.random.default_rng(1)), 1))
    backend = gpu.backend_of(U)(U, walk, 1)
    monkeypatch.setattr(backend, "kernel", lambda grid, block, args: seen.append(args))
    backend.advance(INTEGRATORS["gjf"].steps(np.full(20, 1.0), 0.001, 0.1))
    changing = [len(set(map(id, given))) > 1 for given in zip(*seen, strict=True)]
    assert len(seen) == 22 and sum(changing) <= 2 + (U.formula is None)


def test_a_run_launches_once_a_record(cupy):
    U = potentials.himmelblau()
    x = cupy.asarray(U.draw_start(4, np.random.default_rng(1)))
    fake_cupy.counts.clear()
    result = lsa.anneal(U, x, SCHEDULE, 160, record_every=16, rng=1)
    assert fake_cupy.counts["launches"] == 1 + 10 + 2  # a first look, and short first slices
    assert len(result.history.step) == 10


def test_arrays_come_back_as_what_they_came_in(cupy, tmp_path):
    U, x = potentials.phi4_chain(), potentials.phi4_chain().draw_start(3, np.random.default_rng(1))
    numba = lsa.anneal(U, x, SCHEDULE, 100, rng=5)
    there = lsa.anneal(U, cupy.asarray(x), SCHEDULE, 100, rng=5, samples=True)
    back = lsa.anneal(U, x, SCHEDULE, 100, rng=5, backend="cupy")
    for name in ("x", "energies", "best_energies", "best_positions"):
        assert isinstance(there[name], fake_cupy.ndarray) and isinstance(back[name], np.ndarray)
        np.testing.assert_array_equal(there[name].get(), back[name])
        np.testing.assert_allclose(back[name], numba[name], rtol=1e-10)
    np.testing.assert_allclose(
        back.history.configurational, numba.history.configurational, rtol=1e-10
    )
    there.save(tmp_path / "result.npz")
    np.testing.assert_array_equal(lsa.Result.load(tmp_path / "result.npz").state.x, back.state.x)
    snapshot = next(lsa.simulate(U, cupy.asarray(x), SCHEDULE, 100, record_every=10, rng=5))
    assert isinstance(snapshot.state.x, fake_cupy.ndarray) and isinstance(
        snapshot.energy, fake_cupy.ndarray
    )


@pytest.mark.parametrize("integrator", ["bbk", "gjf"])
def test_from_cpu_to_gpu_and_back_is_the_same_trajectory(cupy, integrator):
    U, x = (
        potentials.muller_brown(),
        potentials.muller_brown().draw_start(5, np.random.default_rng(1)),
    )
    how = {
        "schedule": lsa.Schedule(20.0, 1.0, 0.005),
        "n_steps": 90,
        "integrator": integrator,
        "record_every": 10,
    }
    whole = lsa.anneal(U, x, rng=5, **how)
    state, kinds = next(iter(lsa.simulate(U, x, rng=5, **how))).state, []
    for stop, backend in ((40, "cupy"), (70, "numba"), (90, "cupy")):
        run = lsa.simulate(U, state=state, backend=backend, **how)
        state = next(snapshot.state for snapshot in run if snapshot.step >= stop)
        kinds.append(state.step)
    np.testing.assert_array_equal(state.x, whole.state.x)
    np.testing.assert_array_equal(state.noise, whole.state.noise)
    np.testing.assert_array_equal(state.best_x, whole.state.best_x)
    assert kinds == [40, 70, 90]


def test_the_code_in_the_docs(gpu):
    page = (Path(__file__).parents[3] / "docs" / "gpu.md").read_text()
    for block in page.split("```python\n")[1:]:
        exec(block.split("```")[0], {})


def test_memory_is_looked_at_before_anything_is_allocated(gpu, monkeypatch):
    monkeypatch.setattr(fake_cupy, "FREE", 5_000)
    with pytest.raises(
        MemoryError,
        match=r"3 replicas of 64 coordinates in float64 need 13,992 bytes on the GPU, where 5,000 "
        r"are free",
    ):
        fake_cupy.counts.clear()
        lsa.anneal(
            potentials.phi4_chain(),
            replicas=3,
            schedule=SCHEDULE,
            n_steps=10,
            backend="cupy",
            rng=1,
        )
    assert not fake_cupy.counts["launches"]


def test_a_run_that_blows_up_says_where(gpu):
    x, schedule = np.array([[0.1], [0.2], [1.9], [1.0]]), lsa.Schedule(0.0, 1.0, 0.1)
    for U in (
        Potential.from_formula("-x**4"),
        Potential.from_formula(site="-x**4", bond="(y-x)**2", dim=65),
    ):
        ends = []
        for backend in ("numba", "cupy"):
            result = lsa.anneal(U, np.tile(x, U.dim), schedule, 1000, rng=1, backend=backend)
            ends.append((result.status, result.message, result.fun))
        assert ends[0][:2] == ends[1][:2] and ends[0][0] == 2
        assert ends[0][2] == pytest.approx(ends[1][2], rel=1e-10)


def test_what_cannot_run_there_is_refused(gpu, monkeypatch):
    U = Potential.from_numba(lambda x: x[0] ** 2, lambda x, out: None, 1)
    with pytest.raises(TypeError, match="run on the CPU only"):
        lsa.anneal(U, [[1.0]], SCHEDULE, 10, backend="cupy")
    monkeypatch.setitem(sys.modules, "cupy", None)
    for name in ("cupy", "device"):
        del sys.modules[f"langevin_sa.backends.cuda.{name}"]
    with pytest.raises(ImportError, match=r"pip install 'langevin_sa\[gpu\]'"):
        lsa.anneal(potentials.himmelblau(), [[1.0, 1.0]], SCHEDULE, 10, backend="cupy")


def test_no_thread_has_many_particles(gpu):
    """Bonds of any kind beside pairs, or alone: a thread a particle."""
    few = dict(bond="(r - 1)**2", particles=5, space=3)
    lists = [("bond", [(0, 1)], "r**2"), ("torsion", [(0, 1, 2, 3)], "phi**2")]
    for kinds in (dict(), dict(pair="1/r"), dict(site="x**2", terms=lists)):
        for particles, expected in ((5, gpu.ReplicaBackend), (6, gpu.ParticleBackend)):
            U = Potential.from_formula(**few | {"particles": particles} | kinds)
            assert gpu.backend_of(U) is expected
    for name in ("fene_chain", "lennard_jones"):
        assert gpu.backend_of(potentials.catalogue()[name]()) is gpu.ParticleBackend


def test_compare_runs_there(gpu):
    methods = {"anneal": SCHEDULE, "quench": lsa.Schedule(0.0, 1.0, 0.02)}
    numba, cupy = (
        lsa.compare(potentials.himmelblau(), methods, replicas=8, n_steps=50, rng=1, backend=b)
        for b in ("numba", "cupy")
    )
    for name in methods:
        np.testing.assert_array_equal(numba.outcomes[name].x, cupy.outcomes[name].x)
