"""Several steps in one pass: the same bits as step by step, whatever is asked for."""

import itertools

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa.backends.cpu.blocks import WORTH_PASSES, BlockBackend
from langevin_sa.backends.cpu.compiled import Late
from langevin_sa.backends.cpu.passes import suits
from langevin_sa.backends.walk import NonFinite, Walk

WELL = lsa.potentials.double_well(tilt=0.3)
SURFACE = lsa.potentials.muller_brown()
COOLING = lsa.Schedule(lsa.schedules.exponential(0.5, 0.01), 1.0, 0.05)
CHANGING = lsa.Schedule(0.3, 1.0, lsa.schedules.linear(0.05, 0.02))


def begun(potential, walk, passes):
    backend = BlockBackend(potential, walk, 1)
    assert backend.passes.made
    if passes:
        backend.asked = WORTH_PASSES + 1
    else:
        backend.passes = Late()
    return backend


def test_a_short_run_is_not_worth_compiling_passes_but_takes_those_that_are_there():
    well = lsa.Potential.from_formula("x**4 - 3*x**2")
    first, second = (BlockBackend(well, Walk.at_rest(np.zeros((9, 1)), 7), 1) for _ in range(2))
    steps = COOLING.coefficients(10)
    first.advance(steps)
    assert first.compiled(0)[5] == 0
    first.asked = WORTH_PASSES
    first.advance(steps)
    assert first.compiled(0)[5] == second.compiled(0)[5] != 0


def both(potential, x0, schedule, row="gjf", cuts=(0, 3, 40, 57), dtype=float):
    """Everything that a walk holds after some cuts of a run, in passes and step by step."""
    ends = []
    for passes in (True, False):
        walk = Walk.at_rest(np.array(x0, dtype=dtype), 7)
        backend = begun(potential, walk, passes)
        steps = schedule.coefficients(cuts[-1], row)
        for start, stop in itertools.pairwise(cuts):
            backend.advance(steps.part(start, stop))
        ends.append({name: np.array(value) for name, value in vars(walk).items()})
    return ends


def assert_equal(ends):
    for name in ends[0]:
        np.testing.assert_array_equal(ends[0][name], ends[1][name], err_msg=name)


@pytest.mark.parametrize("replicas", [1, 5, 33, 300])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_bits_of_widths_and_dtypes(replicas, dtype):
    x0 = WELL.draw_start(replicas, np.random.default_rng(1))
    assert_equal(both(WELL, x0, COOLING, dtype=dtype))


@pytest.mark.parametrize("row", ["bbk", "baoab", "vec", "ermak_mccammon", "heavy_ball"])
@pytest.mark.parametrize("schedule", [COOLING, CHANGING])
def test_bits_of_rows_and_changing_steps(row, schedule):
    """Single and paired noise and none; sums of dx^2 in constant and in changing proportion."""
    x0 = WELL.draw_start(20, np.random.default_rng(1))
    assert_equal(both(WELL, x0, schedule, row))


def test_bits_of_two_coordinates():
    x0 = SURFACE.draw_start(20, np.random.default_rng(1))
    assert_equal(both(SURFACE, x0, lsa.Schedule(22.0, 1.0, 0.005)))


def test_an_energy_that_fails_alone_is_found():
    """The force is finite all the time, and the replica is soon back where the energy is."""
    wall = lsa.Potential.from_formula("x**2/2 + where(x - 1, h*h, 0)", h=1e200)
    found = []
    for passes in (True, False):
        walk = Walk.at_rest(np.linspace(-0.5, 0.9, 20)[:, None], 7)
        with pytest.raises(NonFinite) as failure:
            begun(wall, walk, passes).advance(lsa.Schedule(1.0, 1.0, 0.3).coefficients(60))
        found.append((failure.value.step, failure.value.replica))
        assert np.all(np.abs(walk.x) < 9)
    assert found[0] == found[1]


def test_a_step_that_fails_is_found_where_it_is():
    """Nothing is lost and nothing is said that is not so: step, replica and walk are the same."""
    x0 = np.full((20, 1), 0.5)
    x0[13] = 40.0
    found = []
    for passes in (True, False):
        walk = Walk.at_rest(x0.copy(), 7)
        backend = begun(WELL, walk, passes)
        with pytest.raises(NonFinite) as failure:
            backend.advance(lsa.Schedule(0.1, 1.0, 0.3).coefficients(60))
        found.append((failure.value.step, failure.value.replica, walk.x.tobytes()))
    assert found[0] == found[1]
    assert found[0][1] == 13


@pytest.mark.parametrize("replicas", [1, 8, 40])
@pytest.mark.parametrize("periodic", [False, True])
def test_bits_of_sites_and_bonds_in_two_directions(replicas, periodic):
    """Neighbours and the parameter of each site are written out."""
    lattice = lsa.Potential.from_formula(
        site="h*x + x**4/4",
        bond="h*(y - x)**2/2",
        shape=(2, 3),
        periodic=periodic,
        h=np.linspace(0.5, 1.5, 6),
    )
    x0 = np.random.default_rng(1).normal(size=(replicas, 6))
    assert_equal(both(lattice, x0, COOLING))


def test_bits_where_a_coordinate_has_no_force():
    flat = lsa.Potential.from_formula(bond="(y - x)**2", shape=(1,))
    assert_equal(both(flat, np.ones((20, 1)), COOLING))


@pytest.mark.parametrize("width", [1, 8, 256])
def test_what_goes_in_passes(width):
    few, narrow = True, width <= 8
    for potential, goes in (
        (WELL, few),
        (SURFACE, few),
        (lsa.potentials.rosenbrock(dim=2), few),
        (lsa.potentials.rastrigin(10), few),
        (lsa.potentials.rastrigin(16), narrow),
        (lsa.potentials.rastrigin(17), False),
        (lsa.potentials.lennard_jones(3), False),
    ):
        formula = potential.formula
        printed = (formula.source.spec, formula.source.bodies, formula.size.tolist())
        assert suits(*printed, width) is goes


@pytest.mark.parametrize("replicas", [1, 8, 20])
def test_bits_of_as_many_coordinates_as_fit(replicas):
    """Few steps' noise is made at a time then, and a step's begins within a quad."""
    names = [f"x{k}" for k in range(7)]
    well = lsa.Potential.from_formula(
        " + ".join(f"{k + 1}*{x}**2/2" for k, x in enumerate(names)) + " + x0*x1*x6/9"
    )
    assert well.dim == 7
    x0 = np.random.default_rng(1).normal(size=(replicas, 7))
    assert_equal(both(well, x0, COOLING))
