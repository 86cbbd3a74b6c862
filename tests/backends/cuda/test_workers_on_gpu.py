"""A device a worker: the bits of one device, whoever the workers are."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fake_cupy
import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa import Potential, potentials

SCHEDULE = lsa.Schedule(lsa.schedules.exponential(1.0, 0.1), 1.0, 0.02)
CHAIN = dict(site="x**4/4 - x**2/2", bond="(y - x)**2/2")
WAYS = {
    "registers": potentials.himmelblau,
    "lattice": lambda: Potential.from_formula(**CHAIN, dim=40),
    "pairs": lambda: potentials.lennard_jones(7),
    "arrays": lambda: Potential(
        lambda x, a: (a * x**2).sum(1), lambda x, a: 2 * a * x, 3, args=(np.arange(1.0, 4.0),)
    ),
    "moving": lambda: Potential.from_formula("(x - a)**2 + y**2", a=lambda s: 2 * s),
    "walls": lambda: Potential.from_formula("x*log(x) + y**2/2", bounds=(0.1, 2)),
}


@pytest.fixture
def two(gpu, monkeypatch):
    """Two devices."""
    monkeypatch.setattr(fake_cupy.Device, "count", 2)
    return gpu


def run(U, **keywords):
    settings = dict(n_steps=60, replicas=7, rng=5, record_every=20, samples=True, backend="cupy")
    x0 = U.draw_start(7, np.random.default_rng(2))
    return lsa.anneal(U, x0, SCHEDULE, **settings | keywords)


def same(a, b):
    for name in ("x", "dx", "noise", "best_x", "best_energy", "failures", "step"):
        np.testing.assert_array_equal(getattr(a.state, name), getattr(b.state, name), err_msg=name)
    for name in ("energies", "samples", "fun", "message"):
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    for name in a.history:
        np.testing.assert_array_equal(a.history[name], b.history[name], err_msg=name)


@pytest.mark.filterwarnings("ignore:omega")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_two_devices_have_the_bits_of_one(two, way, dtype):
    U = WAYS[way]()
    one = run(U, dtype=dtype)
    assert set(fake_cupy.launched) == {0}
    with ThreadPoolExecutor(2) as pool:
        split = run(U, dtype=dtype, workers=pool)
    same(split, one)
    assert set(fake_cupy.launched) == {0, 1}
    assert type(split.state.x) is np.ndarray and fake_cupy.Device.current() == 0


def test_parts_take_turns_at_the_devices(two):
    """Also in the caller's own thread, whose current device comes back."""
    fake_cupy.Device(1).use()
    U = WAYS["registers"]()
    launches = []
    run(U, workers=lambda f, parts: [launches.append(0) or f(part) for part in parts])
    assert abs(fake_cupy.launched[0] - fake_cupy.launched[1]) <= len(launches) // 4 + 2
    assert fake_cupy.Device.current() == 1


def test_arrays_on_a_gpu_go_to_the_workers_and_come_back(two):
    U = WAYS["lattice"]()
    x0 = U.draw_start(7, np.random.default_rng(2))
    with fake_cupy.Device(1):
        given = fake_cupy.asarray(x0)
    there = lsa.anneal(U, given, SCHEDULE, 60, rng=5, workers=map)
    here = lsa.anneal(U, x0, SCHEDULE, 60, rng=5, backend="cupy")
    for name in ("x", "best_x"):
        array = getattr(there.state, name)
        assert array.device.id == 1
        np.testing.assert_array_equal(array.get(), getattr(here.state, name))
    np.testing.assert_array_equal(there.history.configurational, here.history.configurational)


def test_every_driver_takes_workers(two):
    U = WAYS["registers"]()
    methods = {"anneal": SCHEDULE}
    a, b = (
        lsa.compare(U, methods, replicas=6, n_steps=40, rng=1, backend="cupy", workers=w)
        for w in (1, map)
    )
    np.testing.assert_array_equal(a["anneal"].x, b["anneal"].x)
    x0 = U.draw_start(5, np.random.default_rng(2))
    how = dict(n_steps=40, rng=1, record_every=20, backend="cupy")
    a, b = ([s.state.x for s in lsa.simulate(U, x0, SCHEDULE, **how, workers=w)] for w in (1, map))
    np.testing.assert_array_equal(np.stack(a), np.stack(b))


def test_processes(two, monkeypatch, tmp_path):
    """Each of which sees both devices, and takes one for its part."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "stand_in"))
    notes = tmp_path / "devices"

    def gradient(x, notes=str(notes)):
        import os

        if hasattr(x.device, "id"):
            with open(notes, "a") as file:
                file.write(f"{os.getpid()} {x.device.id}\n")
        return 2 * x

    U = Potential(lambda x: (x**2).sum(1), gradient, 3)
    split = run(U, workers=2)
    used = {tuple(map(int, line.split())) for line in notes.read_text().splitlines()}
    notes.write_text("")
    same(split, run(U))
    parent = {int(line.split()[0]) for line in notes.read_text().splitlines()}
    children = {process for process, _ in used} - parent
    assert len(children) == 2 and {device for process, device in used if process in children} == {
        0,
        1,
    }


def test_a_worker_without_a_gpu_says_so(two, monkeypatch):
    def bare(function, parts):
        monkeypatch.setattr(fake_cupy.Device, "count", 0)
        return list(map(function, parts))

    with pytest.raises(RuntimeError, match="finds no GPU"):
        run(WAYS["registers"](), workers=bare)
