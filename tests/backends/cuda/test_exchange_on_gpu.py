"""Replica exchange with its walks on a GPU: the CPU's trajectories, by whatever kernel."""

import sys

import fake_cupy
import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa import Potential, potentials

WAYS = {
    "registers": lambda: (potentials.himmelblau(), [1.0, 5.0, 20.0], 0.01),
    "lattice": lambda: (potentials.phi4_chain(33), [0.2, 0.3, 0.4], 0.05),
    "particles": lambda: (potentials.lennard_jones(7), [0.02, 0.03, 0.04], 0.002),
    "arrays": lambda: (
        Potential(lambda x: (x**4).sum(1), lambda x: 4 * x**3, dim=3, bounds=(-1, 1)),
        [0.5, 0.7, 1.0],
        0.05,
    ),
}
BACK = ("samples", "energies", "acceptance", "round_trips", "x")


def found(way, backend, **more):
    U, temperatures, dt = WAYS[way]()
    how = dict(gamma=1.0, dt=dt, replicas=5, rng=3, backend=backend) | more
    return lsa.exchange(U, temperatures, 300, **how)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("integrator", ["gjf", "bbk"])
def test_places_change_as_on_the_cpu(gpu, way, integrator):
    """Also what noise is carried on, and the gradients at new places."""
    cpu, there = (found(way, backend, integrator=integrator) for backend in ("numba", "cupy"))
    assert cpu.acceptance.min() > 0.05
    np.testing.assert_array_equal(there.acceptance, cpu.acceptance)
    np.testing.assert_array_equal(there.round_trips, cpu.round_trips)
    if way in ("registers", "arrays"):
        np.testing.assert_array_equal(there.samples, cpu.samples)
        np.testing.assert_array_equal(there.x, cpu.x)
    np.testing.assert_allclose(there.samples, cpu.samples, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(there.energies, cpu.energies, rtol=1e-9, atol=1e-9)
    for name in BACK:
        assert not isinstance(getattr(there, name), fake_cupy.ndarray)


def test_points_on_a_gpu_are_run_there(gpu):
    cupy, U = sys.modules["cupy"], potentials.himmelblau()
    x = U.draw_start(4, np.random.default_rng(1))
    for given, runs in ((x, False), (cupy.asarray(x), True)):
        fake_cupy.counts.clear()
        lsa.exchange(U, [1.0, 5.0], 40, gamma=1.0, dt=0.01, x0=given, rng=1)
        assert bool(fake_cupy.counts["launches"]) == runs
        fake_cupy.counts.clear()
        lsa.compare(U, {"a": lsa.Schedule(1.0, 1.0, 0.01)}, x0=given, n_steps=40, rng=1)
        assert bool(fake_cupy.counts["launches"]) == runs


def test_copies_of_a_round_do_not_grow_with_replicas(gpu):
    """Coefficients there and one number back for each walk; energies back, rows there for each pair
    of temperatures that meets.
    """
    seen = []
    for replicas in (3, 40):
        rounds = []
        for n_steps in (200, 400):
            fake_cupy.counts.clear()
            lsa.exchange(
                *(potentials.himmelblau(), [1.0, 5.0, 20.0], n_steps),
                **dict(gamma=1.0, dt=0.01, replicas=replicas, rng=1, backend="cupy"),
                **dict(record_every=n_steps, burn_in=0, samples=False),
            )
            rounds.append(fake_cupy.counts.copy())
        rounds[1].subtract(rounds[0])
        seen.append(rounds[1])
    assert seen[0] == seen[1]
    assert seen[0]["launches"] == 3 * 20
    assert seen[0]["to host"] <= 20 * (3 + 1) and seen[0]["to device"] <= 20 * (2 * 3 + 1)


def test_a_checkpoint_of_one_is_gone_on_with_by_the_other(gpu, tmp_path):
    """And after an interrupt all fits together."""
    whole = found("registers", "numba")
    for first, second in (("cupy", "numba"), ("numba", "cupy")):
        file = tmp_path / f"{first}.npz"
        stopped = found("registers", first, checkpoint=file, max_seconds=1e-9)
        assert stopped.status == 1 or stopped.nit == 300
        rest = found("registers", second, checkpoint=file)
        np.testing.assert_array_equal(rest.samples, whole.samples)
        np.testing.assert_array_equal(rest.x, whole.x)


def test_temperatures_between_two(gpu):
    U = potentials.himmelblau()
    ends = [
        lsa.exchange(U, [1.0, 20.0], 400, replicas=4, rng=1, backend=backend).temperatures
        for backend in ("numba", "cupy")
    ]
    np.testing.assert_array_equal(*ends)
