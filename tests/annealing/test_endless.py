"""Energies that fall for ever have no minimum, in any units, and what has one is never taken for
such.
"""

from __future__ import annotations

import numpy as np
import pytest

from langevin_sa import Potential, Schedule, anneal, compare, potentials

LENGTHS, ENERGIES, ORIGINS = (2.0**-30, 1.0, 2.0**30), (2.0**-60, 1.0, 2.0**40), (0.0, 1e3)
SAID = "falls for ever: far outside of where the run started"


def potential(energy, slope, length=1.0, unit=1.0, origin=0.0, **keywords):
    """U = unit*energy(y) of y = x/length - origin, (replicas, 1)."""
    return Potential(
        lambda x: unit * energy((x / length - origin)[:, 0]),
        lambda x: unit / length * slope(x / length - origin),
        dim=1,
        name="falling",
        **keywords,
    )


def cooled(U, length=1.0, unit=1.0, origin=0.0, n_steps=600, start=None, **keywords):
    """Annealed from eight points with a spread of 2 about the origin, by the same steps in all
    units.
    """
    start = np.linspace(-1, 1, 8)[:, None] if start is None else start
    schedule = Schedule(0.01 * unit, unit**0.5 / length, 0.1 * length / unit**0.5)
    return anneal(U, length * (start + origin), schedule, n_steps, rng=1, **keywords)


FALLING = {
    "linear": (lambda y: -y, lambda y: -np.ones_like(y)),
    "quadratic": (lambda y: -(y**2), lambda y: -2 * y),
    "cubic": (lambda y: y**3, lambda y: 3 * y**2),
    "washboard": (lambda y: np.sin(y) - y, lambda y: np.cos(y) - 1),
}


@np.errstate(over="ignore", invalid="ignore")  # a cube falls to infinity within finite time
@pytest.mark.parametrize("shape", FALLING.values(), ids=FALLING)
def test_falling_for_ever_is_no_success_in_any_units(shape):
    seen = set()
    for length in LENGTHS:
        for unit in ENERGIES:
            for origin in ORIGINS:
                units = {"length": length, "unit": unit, "origin": origin}
                result = cooled(potential(*shape, **units), **units)
                assert SAID in result.message and "give bounds=" in result.message, units
                seen.add((result.success, result.status))
    assert seen == {(False, 2)}


@pytest.mark.parametrize("start", [np.array([0.5]), None], ids=["one point", "spread"])
@pytest.mark.parametrize("far", [1e3, 1e6, 1e9])
def test_a_well_far_from_the_start_is_no_fall(far, start):
    """Reached or still far away: the way out rises behind it."""
    for stiffness in (1.0, 1e-6, 1e-12):
        U = potential(
            lambda y, k=stiffness: k * (y - far) ** 2, lambda y, k=stiffness: 2 * k * (y - far)
        )
        for n_steps in (20, 600):
            assert cooled(U, start=start, n_steps=n_steps).success


LARGE = {"lennard_jones_fluid", "kob_andersen"}
TORN = {"fene_chain"}  # ten times as far out


@pytest.mark.parametrize("name", sorted(set(potentials.catalogue()) - LARGE))
def test_no_false_alarm_on_the_catalogue(name):
    U = getattr(potentials, name)()
    far = 10 * U.draw_start(8, np.random.default_rng(1))
    for x0 in (None,) if name in TORN else (None, far):
        assert SAID not in anneal(U, x0, None, 300, rng=1, replicas=8).message


def test_within_reach_of_the_domain_nothing_is_asked_of_the_function():
    """A metastable well in bounds is a result; so is a target that was reached on the way down."""
    U = potential(lambda y: y**3 - y, lambda y: 3 * y**2 - 1, bounds=(0, 1))
    calls = []
    U._energy, given = lambda x: calls.append(x.max()) or given(x), U._energy
    schedule = Schedule(0.001, 1.0, 0.1)
    result = anneal(U, [0.5], schedule, 100, rng=1)
    assert result.success and max(calls) < 2
    falling = potential(*FALLING["linear"])
    assert anneal(falling, [0.5], schedule, 1000, rng=1, stop_below=-40).success
    assert not anneal(falling, [0.5], schedule, 1000, rng=1, stop_below=-1e9).success


def test_a_function_that_fails_far_out_is_not_blamed():
    """It is defined where the run went."""

    def energy(x):
        if x.max() > 100:
            raise RuntimeError("outside of the table")
        return -x[:, 0]

    U = Potential(energy, lambda x: -np.ones_like(x), dim=1)
    assert anneal(U, [0.0], Schedule(0.0, 1.0, 0.1), 900, rng=1).success


@np.errstate(over="ignore")  # far out the other way
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_a_fall_that_comes_to_rest_is_none(offset):
    """At the zero of a loss, whatever is added to it; a logarithm never does."""

    def run(energy, slope):
        U = potential(lambda y: offset + energy(y), slope)
        return anneal(U, [2.0], Schedule(0.0, 1.0, 0.5), 900, rng=1)

    assert run(lambda y: np.log1p(np.exp(-y)), lambda y: -1 / (1 + np.exp(y))).success
    assert run(lambda y: 1 / y, lambda y: -1 / y**2).success
    assert SAID in run(lambda y: -np.log(y), lambda y: -1 / y).message


@np.errstate(over="ignore")
def test_a_fall_that_overflows_is_named():
    result = anneal(potential(*FALLING["quadratic"]), [1.0], Schedule(0.0, 0.1, 1.0), 2000, rng=1)
    assert result.status == 2 and "non-finite" in result.message and SAID in result.message


def test_compare_counts_what_falls_for_ever_as_failed():
    """Its energy is not the minimum that others are measured by."""
    U = potential(lambda y: y**3 - 3 * y, lambda y: 3 * y**2 - 3)
    cold, drift = Schedule(0.01, 1.0, 0.05), Schedule(0.01, 40.0, 2e-3)
    falling = potential(*FALLING["linear"])
    found = compare(falling, {"falls": cold}, x0=[[0.0], [1.0]], n_steps=500, rng=1, epochs=2)
    assert "falls for ever" in found["falls"].message and found["falls"].success.value == 0
    assert "falls for ever" in str(found)
    stays = compare(U, {"stays": cold, "creeps": drift}, x0=[[0.5], [1.5]], n_steps=500, rng=1)
    assert not stays["stays"].message and stays.minimum_energy == pytest.approx(-2, abs=1e-2)
