"""Schedules chosen from the potential."""

from __future__ import annotations

import numpy as np
import pytest

from langevin_sa import Potential, Schedule, anneal, potentials
from langevin_sa.tuning import (
    COLDEST,
    LAWS,
    automatic_schedule,
    largest_curvature,
    omega_dt,
    start_points,
)

OMEGA_DT = 0.7  # of gjf, whose positions are exact in a harmonic well
HARMONIC = Potential.from_formula("(x**2 + y**2 + z**2 + w**2)*k/2", k=9.0)


def ends(schedule):
    return float(schedule.temperature(0.0)), float(schedule.temperature(1.0))


@pytest.mark.parametrize("omega", [0.01, 1.0, 300.0])
def test_harmonic(omega):
    chosen = automatic_schedule(Potential.from_formula("k*x**2/2", k=omega**2))
    assert chosen.dt == pytest.approx(OMEGA_DT / omega, rel=1e-5)
    assert chosen.gamma == pytest.approx(omega / 4, rel=1e-5)
    hot, cold = ends(chosen)
    assert 0 < cold < COLDEST * hot < omega**2  # one basin: nothing to be hot for


def test_it_is_the_same_again():
    def chosen():
        return automatic_schedule(Potential.from_formula("(x**2 - 1)**2", bounds=(-2, 2)), rng=5)

    assert chosen() == chosen()


def fair(potential, x0=None):
    """A schedule that heats over the potential's range, with steps that are stable where it goes
    when hot.
    """
    chosen = automatic_schedule(potential, x0)
    hot, cold = ends(chosen)
    assert 0 < cold < hot and chosen.dt > 0 and 0 < chosen.gamma < 2 / chosen.dt
    result = anneal(potential, x0, Schedule(hot, chosen.gamma, chosen.dt), 500, replicas=32, rng=1)
    assert result.status == 0, result.message
    assert omega_dt(potential, result.state.x, chosen.dt) < 1.0
    return chosen, result


def test_double_well():
    chosen, _ = fair(potentials.double_well())
    assert 0.5 < ends(chosen)[0] < 20  # the barrier is 1


def test_rastrigin():
    potential = potentials.rastrigin(dim=10)
    chosen, _ = fair(potential)
    assert ends(chosen)[0] > 5  # ripples are 20 high
    assert chosen.dt == pytest.approx(OMEGA_DT / np.sqrt(2 + 40 * np.pi**2), rel=0.02)


@pytest.mark.parametrize("x0", [[0.0], [2.0], [-30.0]])
def test_quartic_without_bounds_from_one_point(x0):
    """At 0 the curvature is 0, and is found by going there hot."""
    fair(Potential.from_formula("x**4"), x0)


def test_long_chain():
    potential = potentials.harmonic_chain(200)
    chosen, _ = fair(potential)
    largest = np.linalg.eigvalsh([potential.gradient(row) for row in np.eye(200)]).max()
    assert chosen.dt == pytest.approx(OMEGA_DT / np.sqrt(largest), rel=0.03)


@pytest.mark.parametrize("dim", [3, 60])
def test_largest_curvature(dim):
    """The top of the spectrum of a quadratic form, exact Hessian for few coordinates, Lanczos for
    many.
    """
    matrix = np.random.default_rng(1).normal(size=(dim, dim))
    matrix = matrix @ matrix.T
    form = Potential(
        lambda x: np.einsum("ri,ij,rj->r", x, matrix, x) / 2, lambda x: x @ matrix, dim
    )
    points = np.random.default_rng(2).normal(size=(5, dim))
    assert largest_curvature(form, points) == pytest.approx(
        np.linalg.eigvalsh(matrix)[-1], rel=0.02
    )
    assert omega_dt(form, points, 0.1) == pytest.approx(
        0.1 * np.sqrt(np.linalg.eigvalsh(matrix)[-1]), rel=0.02
    )


def test_infinite_energies_are_left_out():
    """Half of the domain has no energy."""
    potential = Potential.from_formula(site="x - log(x)", dim=2, bounds=(-1, 3))
    chosen = automatic_schedule(potential)
    hot, _ = ends(chosen)
    assert 1e-4 < hot < 10 and 0 < chosen.dt < 1

    def box(x):
        return np.where(np.abs(x[:, 0]) < 1, x[:, 0] ** 2, np.inf)

    chosen = automatic_schedule(Potential(box, lambda x: 2 * x, 1, bounds=(-4, 4)))
    assert 1e-4 < ends(chosen)[0] < 2
    assert chosen.dt == pytest.approx(OMEGA_DT / np.sqrt(2), rel=1e-4)


def test_no_finite_energy_is_said():
    with pytest.raises(
        ValueError, match=r"the energy of x - log\(x\) is finite at none of \d+ points: give x0"
    ):
        automatic_schedule(Potential.from_formula("x - log(x)", bounds=(-3, -1)))


@pytest.mark.long
def test_flat_and_sloped_potentials():
    for formula in ("0*x", "x", "-x**2", "abs(x)"):
        chosen = automatic_schedule(Potential.from_formula(formula, variables=("x",)))
        assert all(np.isfinite((*ends(chosen), chosen.gamma, chosen.dt)))
        assert min(*ends(chosen), chosen.gamma, chosen.dt) > 0


@pytest.mark.parametrize("seed", range(8))
def test_a_run_takes_the_schedule_that_was_chosen_for_it(seed):
    """The funnel is 100 times stiffer at one end: whichever starting points the run asks, the time
    step is short enough for them.
    """
    potential = potentials.funnel()
    start = np.random.default_rng(seed).normal(scale=3, size=(64, 2))
    chosen = automatic_schedule(potential, start, seed)
    assert omega_dt(potential, start_points(start), chosen.dt) <= OMEGA_DT * 1.01
    anneal(potential, rng=seed, n_steps=2)


def test_what_is_given_is_kept():
    chosen = automatic_schedule(HARMONIC, temperature=(7.0, None))
    assert ends(chosen) == pytest.approx((7.0, 7.0 * COLDEST))
    chosen = automatic_schedule(HARMONIC, temperature=(None, 0.125))
    assert ends(chosen)[1] == pytest.approx(0.125)
    assert automatic_schedule(HARMONIC, gamma=0.3).gamma == 0.3
    assert automatic_schedule(HARMONIC, gamma=0.0).gamma == 0.0
    assert automatic_schedule(HARMONIC, dt=0.02).dt == 0.02
    assert automatic_schedule(HARMONIC, None, 0, "linear", (3.0, 0.0), 0.3, 0.02).temperature(
        np.array([0.0, 0.5, 1.0])
    ) == pytest.approx([3.0, 1.5, 0.0])


@pytest.mark.parametrize("law", LAWS)
def test_every_law(law):
    chosen = automatic_schedule(HARMONIC, law=law, temperature=(3.0, 0.5), gamma=1.0)
    assert chosen.temperature(0.0) == pytest.approx(0.5 if law == "quench" else 3.0)
    assert chosen.temperature(1.0) == pytest.approx(3.0 if law == "constant" else 0.5)


@pytest.mark.long
def test_anneal_says_what_it_chose():
    result = anneal(HARMONIC, n_steps=300, replicas=8, rng=3)
    assert isinstance(result.schedule, Schedule)
    assert result.history.target[0] < ends(result.schedule)[0]
    assert result.fun < 0.05
    again = anneal(HARMONIC, result.pilot.starts, result.schedule, 300, rng=3)
    np.testing.assert_array_equal(again.state.x, result.state.x)


def test_few_coordinates_of_many_replicas():
    """A block of float32 positions and a single point both do."""
    x0 = np.random.default_rng(0).normal(size=(500, 4)).astype(np.float32)
    assert automatic_schedule(HARMONIC, x0).dt == pytest.approx(OMEGA_DT / 3, rel=1e-4)
    assert automatic_schedule(HARMONIC, x0[0]).dt == pytest.approx(OMEGA_DT / 3, rel=1e-4)
