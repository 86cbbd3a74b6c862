"""States that are gone on from in another potential, or in the same."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from langevin_sa import Potential, Schedule, State, anneal, potentials, simulate
from langevin_sa.schedules import exponential

SCHEDULE = Schedule(exponential(0.5, 0.01), 1.0, 0.02)


def bowl(depth, at=0.0, name="bowl"):
    """(x - at)^2 - depth, whatever it is called."""
    return Potential(
        lambda x: ((x - at) ** 2).sum(1) - depth, lambda x: 2 * (x - at), dim=2, name=name
    )


def half(potential, **keywords):
    """The state after half of a run of 200 steps."""
    start = np.random.default_rng(1).normal(size=(6, potential.dim))
    given = {"rng": 1, "record_every": 100, "callback": lambda x: True} | keywords
    return anneal(potential, start, SCHEDULE, 200, **given).state


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("backend", ["numba", "numpy"])
@pytest.mark.parametrize(
    "other",
    [bowl(-5), bowl(4), bowl(5 + 1e-9), bowl(5, at=3.0)],
    ids=["high", "near", "1e-9", "beside"],
)
def test_best_points_are_those_of_the_potential_that_runs(other, backend, dtype):
    """Also where both have one name: the lowest of the old points and of those met since."""
    state = half(bowl(5), dtype=dtype)
    on = {"state": state, "dtype": dtype, "backend": backend}
    result = anneal(other, None, SCHEDULE, 200, **on)
    near = 1e-12 if dtype == "float64" else 2e-6  # the function itself works in float32
    assert result.fun == pytest.approx(other.energy(result.x.astype(float)), abs=near)
    np.testing.assert_allclose(
        result.best_energies, other.energy(result.best_positions.astype(float)), rtol=0, atol=near
    )
    assert (result.best_energies <= other.energy(state.best_x.astype(float)) + near).all()
    assert (result.best_energies <= result.energies).all()
    first = next(simulate(other, None, SCHEDULE, 200, **on))
    assert first.best_energy == pytest.approx(other.energy(first.best_x.astype(float)), abs=near)


def test_a_best_point_where_the_potential_is_not_finite_is_forgotten():
    """That replica begins anew where it stands."""
    state = half(bowl(5))
    state.best_x[2] = -1e3
    log = Potential.from_formula("log(x + 10)**2 + y**2")
    result = anneal(log, None, Schedule(0.0, 1.0, 0.01), 101, state=state)
    assert np.isfinite(result.best_energies).all()
    np.testing.assert_allclose(result.best_energies, log.energy(result.best_positions), rtol=1e-12)
    assert result.best_energies[2] <= log.energy(state.x[2])
    met = np.stack([state.x[2], result.state.x[2]])  # in one step
    lower = met[np.argmin(log.energy(met))]
    np.testing.assert_array_equal(result.best_positions[2], lower)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_the_same_potential_keeps_its_bits(backend, dtype):
    """Energies that cancel to nearly nothing too."""
    cancelling = Potential(
        lambda x: (x**2 - 2 * x + 1).sum(1), lambda x: 2 * x - 2, dim=2, name="cancelling"
    )
    for U in (cancelling, potentials.rastrigin(dim=2)):
        whole = half(U, callback=None, backend=backend, dtype=dtype)
        state = half(U, backend=backend, dtype=dtype)
        rest = anneal(U, None, SCHEDULE, 200, state=state, backend=backend, dtype=dtype).state
        for name in ("x", "best_x", "best_energy"):
            np.testing.assert_array_equal(getattr(rest, name), getattr(whole, name))


def test_sums_in_another_order_are_the_same_energies():
    """Of a fluid, whose neighbour lists are made anew."""
    fluid = potentials.lennard_jones_fluid(108)
    schedule = Schedule(1.0, 1.0, 0.002)
    snapshots = simulate(fluid, None, schedule, 120, replicas=1, rng=1, record_every=60)
    state = next(snapshots).state
    rounded = state.best_energy * (1 + 1e-14)
    moved = State(state.x, state.dx, state.noise, 60, state.seed, state.best_x, rounded)
    gone_on = next(simulate(fluid, None, schedule, 61, state=moved))
    assert gone_on.state.best_energy[0] in (rounded[0], gone_on.energy[0])


def test_a_state_without_best_points_and_a_higher_start():
    state = half(bowl(5))
    bare = State(state.x, state.dx, state.noise, state.step, state.seed)
    for given, other in itertools.product((bare, state), (bowl(5), bowl(0))):
        result = anneal(other, None, SCHEDULE, 200, state=given)
        assert result.fun == pytest.approx(other.energy(result.x), abs=1e-12)
