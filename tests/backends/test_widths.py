"""Who goes side by side: a replica's bits do not know, whoever is left over and however few."""

import numpy as np
import pytest

from langevin_sa import Potential, Schedule, potentials
from langevin_sa.backends.cpu.blocks import WORTH_PASSES, BlockBackend
from langevin_sa.backends.cpu.compiled import Late
from langevin_sa.backends.cpu.printed_pairs import LANES
from langevin_sa.backends.cpu.widths import widths
from langevin_sa.backends.walk import ARRAYS, NonFinite, Walk

COOLING = Schedule(lambda s: 0.5 - 0.4 * s, 1.0, 0.01)
RNG = np.random.default_rng(0)
LATTICES = {
    "sites": {"site": "x**4/4 - h*cos(3*x)", "h": RNG.uniform(0, 1, 19), "dim": 19},
    "open": {"site": "x**4", "bond": "J*(y - x)**2 + exp(-x*y)", "shape": (3, 4), "J": 0.3},
    "around": {"bond": "J*sin(x - y)*x", "J": RNG.uniform(0, 1, 40), "shape": (2, 20)},
    "two sites": {"bond": "(y - x**2)**2", "shape": (2, 9)},
}
PERIODIC = ("around", "two sites")


def lattice(name):
    return Potential.from_formula(**LATTICES[name], periodic=name in PERIODIC)


def ends(potential, x0, row="gjf", dtype=float, passes=False):
    """All arrays of a walk after three calls."""
    walk = Walk.at_rest(x0.copy(), 7, dtype)
    backend = BlockBackend(potential, walk, 1)
    if passes:
        backend.asked = WORTH_PASSES + 1
    else:
        backend.passes = Late()
    steps = COOLING.coefficients(40, row)
    for start, stop in ((0, 1), (1, 30), (30, 40)):
        backend.advance(steps.part(start, stop))
    return {name: getattr(walk, name) for name in ARRAYS}


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("open", "two sites")]


@pytest.mark.parametrize("row", ["gjf", "ermak_mccammon"])
@pytest.mark.parametrize("name", ["sites", "around", *SLOW])
def test_a_lone_replica_has_the_bits_of_one_among_others(name, row):
    U = lattice(name)
    x0 = np.random.default_rng(1).normal(0, 0.5, (11, U.dim))
    among, alone = ends(U, x0, row), ends(U, x0[:1], row)
    for array in ARRAYS:
        np.testing.assert_array_equal(alone[array], among[array][:1], err_msg=array)


def test_those_left_over_have_the_bits_that_they_have_elsewhere():
    """Nine replicas are eight and one; seventeen are on their own or not, it is all the same."""
    U = potentials.lennard_jones(13)
    x0 = 1.1 * np.stack(np.meshgrid(*[np.arange(3)] * 3), -1).reshape(-1, 3)[:13].ravel()
    x0 = x0 + np.random.default_rng(1).normal(0, 0.05, (17, 39))
    whole = ends(U, x0)
    for replicas in (1, 3, 9, 12):
        part = ends(U, x0[:replicas])
        for array in ARRAYS:
            np.testing.assert_array_equal(part[array], whole[array][:replicas], err_msg=array)


def test_lanes_are_worth_it_where_replicas_fill_them():
    """The cost of a step in vectors: a block of eight takes each pair once, a lone one twice."""
    for particles in (2, 3, 5, 9, 38, 147):
        U = potentials.lennard_jones(particles)
        spec, bodies = U.formula.source.spec, U.formula.source.bodies
        block = particles * (particles - 1) / 2
        lone = particles * -(-particles // LANES)
        for replicas in range(2, 8):
            width, _ = widths(spec, bodies, replicas, U.dim, 1)
            assert width == (LANES if replicas * lone >= block else 1)
        assert widths(spec, bodies, 9, U.dim, 1)[0] == LANES


def energy(x):
    total = 0.0
    for d in range(len(x)):
        total += (x[d] ** 2 - 1) ** 2
    return total if x[0] < 30 else np.inf


def gradient(x, out):
    for d in range(len(x)):
        out[d] = 4 * x[d] * (x[d] ** 2 - 1)
        if np.isnan(x[d]):  # the energy alone must have stopped it
            out[d] = 0.0


@pytest.mark.parametrize("dtype", [np.float64, pytest.param(np.float32, marks=pytest.mark.slow)])
def test_passes_of_numba_functions_have_the_bits_of_steps(dtype):
    U = Potential.from_numba(energy, gradient, 3)
    x0 = np.random.default_rng(1).normal(0, 0.5, (3, 3))
    steps, passes = (ends(U, x0, "gjf", dtype, way) for way in (False, True))
    for array in ARRAYS:
        np.testing.assert_array_equal(passes[array], steps[array], err_msg=array)


def wall_energy(x):
    return np.inf if x[0] > 1.0 else 0.5 * x[0] ** 2


def wall_gradient(x, out):
    out[0] = x[0]


@pytest.mark.parametrize(
    "functions", [(energy, gradient), (wall_energy, wall_gradient)], ids=["diverges", "comes back"]
)
def test_a_failure_in_a_pass_is_found_where_it_is(functions):
    """Also where only the energy fails, and the replica is back among finite ones soon after."""
    found = []
    for passes in (False, True):
        walk = Walk.at_rest(np.array([[0.5], [9.0 if functions[0] is energy else 0.9]]), 7)
        backend = BlockBackend(Potential.from_numba(*functions, 1), walk, 1)
        if passes:
            backend.asked = WORTH_PASSES + 1
        else:
            backend.passes = Late()
        with pytest.raises(NonFinite) as failure:
            backend.advance(Schedule(1.0, 1.0, 0.4).coefficients(60))
        found.append((failure.value.step, failure.value.replica, walk.x.tobytes()))
    assert found[0] == found[1]
