"""Identities of a single run: what is said of it is so, whatever the potential is written as."""

import numpy as np
import pytest
from cases import BY_NAME, wells, wells_gradient
from hypothesis import Phase, given, settings
from looks import SEED, potential
from units import OWN, roughly

import langevin_sa as lsa
from langevin_sa import Potential, Schedule, tuning

FEW = settings(max_examples=2, phases=[Phase.generate])
PLAIN = dict(rng=SEED, threads=1)


@FEW
@given(roughly)
def test_falling_for_ever_is_no_success(units):
    numbers = {"L": units.length, "E": units.energy}
    numbers |= {"at": units.shift("position"), "up": units.shift("level")}
    down = Potential.from_formula("up - E*((x - at)/L)**2", **numbers)
    start = units.put("position", [0.3])
    found = lsa.anneal(down, start, units.schedule(Schedule(0.1, 1.0, 0.1)), 2000, **PLAIN)
    assert not found.success
    found = lsa.minimize(down, start, rng=SEED, maxfev=2000)
    assert not found.success


@pytest.mark.parametrize("name", ["double well", "own start", "array", "numba"])
def test_the_energy_told_is_that_of_the_point_told(name):
    case = BY_NAME[name]
    U = potential(case, OWN)
    schedule = Schedule(case.temperature, case.gamma, case.dt)
    for found in (
        lsa.anneal(U, case.x, schedule, 30, **PLAIN),
        lsa.minimize(U, case.x[0], rng=SEED, maxfev=500),
    ):
        assert np.isclose(found.fun, U.energy(found.x), rtol=1e-13, atol=1e-13)


def test_a_state_from_another_potential_brings_no_energy_along():
    deep, shallow = (Potential.from_formula(f"{k}*(x**2 - 1)**2 - {k}") for k in (5, -0.1))
    state = lsa.anneal(deep, [0.9], Schedule(0.0, 1.0, 0.05), 200, **PLAIN).state
    found = lsa.anneal(shallow, state=state, schedule=Schedule(0.0, 1.0, 1e-3), n_steps=210)
    assert np.isclose(found.fun, shallow.energy(found.x))


def test_an_interrupted_run_tells_the_energy_of_its_point():
    """Interrupted at any evaluation."""
    for stop in (40, 41, 44, 90):  # in the run, whatever is looked at before it
        calls = iter(range(10**6))

        def energy(x, calls=calls, stop=stop):
            if next(calls) == stop:
                raise KeyboardInterrupt
            return wells(x)

        U = Potential(energy, wells_gradient, dim=2)
        found = lsa.anneal(U, [[1.3, -0.9], [0.2, 0.1]], Schedule(0.5, 1.0, 0.05), 200, **PLAIN)
        assert found.status == 3
        assert found.fun == wells(found.x[None])[0]


# ----------------------------------------------------------------------------- places of no energy


def undefined(kind):
    """Wells that are not defined beyond 1.4, and say so in one of these ways."""

    def energy(x):
        beyond = (np.abs(x) > 1.4).any(1)
        if kind == "raises" and beyond.any():
            raise ZeroDivisionError("beyond")
        return np.where(beyond, {"nan": np.nan, "inf": np.inf}.get(kind, 0.0), wells(x))

    return Potential(energy, wells_gradient, dim=2, bounds=(-1.3, 1.3), name=kind)


def test_places_of_no_energy_are_the_same_said_in_any_way():
    x, schedule = np.array([[1.1, -0.9], [0.2, 0.1]]), Schedule(2.0, 1.0, 0.05)
    ways = map(undefined, ("nan", "inf", "raises"))
    seen = [lsa.anneal(U, x, schedule, 200, **PLAIN) for U in ways]
    for found in seen:
        assert found.success, found.message
        assert np.array_equal(found.state.x, seen[0].state.x)
        assert (np.abs(found.best_positions) <= 1.4).all()


# ---------------------------------------------------------------------------------- nothing chosen


def test_overlapping_starts_do_not_make_it_hot():
    """The same particles drawn from boxes of two sizes want the same temperature."""
    case = BY_NAME["cluster"]
    found = []
    for side in (1.5, 3.0):
        U = Potential.from_formula(
            pair="4*(r**-12 - r**-6)", particles=5, space=2, bounds=(0, side)
        )
        c = tuning.automatic_schedule(U, rng=SEED).coefficients(100, "gjf")
        found.append(c.temperature[0])
    assert case.temperature / 20 < min(found) and max(found) < case.temperature * 20, found


@pytest.mark.parametrize("row", ["gjf", "baoab", "bbk", "ermak_mccammon", "leimkuhler_matthews"])
def test_the_step_that_is_chosen_suits_the_row_that_runs(row):
    U = Potential.from_formula("8*(x**2 + y**2)", bounds=(-1, 1))  # of one curvature, 16
    c = tuning.automatic_schedule(U, rng=SEED, integrator=row).coefficients(100, row)
    kinetic = np.max(16 * np.asarray(c.lr) / (2 * (1 + np.asarray(c.rho))))  # (omega dt)^2/4
    assert kinetic < 0.13, "more than 15 % hot where positions have an error of 1/(1 - a/4)"


def test_every_call_is_counted():
    asked = []

    def counting(function):
        def call(x):
            asked.append(len(x))
            return function(x)

        return call

    U = Potential(counting(wells), counting(wells_gradient), dim=2, bounds=(-2, 2))
    # a record each 200 steps: what thermometers ask is not the pilot's
    found = lsa.anneal(U, n_steps=200, replicas=4, record_every=200, **PLAIN)
    assert sum(asked) <= 1.05 * (found.nfev + found.njev) + 20, (sum(asked), found.nfev, found.njev)


# ------------------------------------------------------------------- one potential in several words

SAME = [
    ("max(x, y)", "(x + y + abs(x - y))/2"),
    ("min(x, 2*y)", "(x + 2*y - abs(x - 2*y))/2"),
    ("abs(x)*y", "sign(x)*x*y"),
    ("where(x - y, x**2, y**2)", "step(x - y)*x**2 + step(y - x)*y**2"),
    ("hypot(x, y)", "sqrt(x**2 + y**2)"),
    ("log10(2 + x**2)", "log(2 + x**2)/log(10)"),
    ("atan2(y, x + 9)", "atan(y/(x + 9))"),
    ("mod(x + 9, 2)*y", "(x + 9 - 2*floor((x + 9)/2))*y"),
]


@pytest.mark.parametrize("text, other", SAME)
def test_one_potential_in_other_words(text, other):
    x = np.random.default_rng(1).uniform(-2, 2, (40, 2))
    a, b = (Potential.from_formula(f"{words} + 0*x*y") for words in (text, other))
    for look in ("energy", "gradient", "laplacian"):
        seen, expected = getattr(a, look)(x), getattr(b, look)(x)
        np.testing.assert_allclose(seen, expected, rtol=1e-12, atol=1e-12, err_msg=look)


@pytest.mark.parametrize("particles, cutoff", [(100, 2.5), (800, 5.0), (2700, 7.5)])
def test_a_box_of_twice_the_cutoff_is_taken_however_it_is_rounded(particles, cutoff):
    lsa.potentials.lennard_jones_fluid(particles, cutoff=cutoff)
