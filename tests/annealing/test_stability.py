"""What is said of steps that are too long, before the first."""

from __future__ import annotations

import numpy as np
import pytest

from langevin_sa import CoolMomentum, Momentum, Potential, Result, Schedule, anneal
from langevin_sa.schedules import exponential, linear, quench

HARMONIC = Potential.from_formula("x**2/2")
SCHEDULE = Schedule(exponential(1.0, 0.01), 1.0, 0.1)


def run(potential=HARMONIC, x0=(1.0,), schedule=SCHEDULE, n_steps=100, **keywords):
    return anneal(potential, x0, schedule, n_steps, **{"rng": 1} | keywords)


@pytest.mark.parametrize("integrator", ["bbk", "ermak_mccammon"])
def test_bias_is_said(integrator):
    """omega*dt = 0.6: a/(1 - a/4) - 1 = 10 % too hot; for the overdamped row a = 2 k h/..., here
    k*h = 0.18.
    """
    dt = 0.6 if integrator == "bbk" else 0.18
    smaller = "1.4" if integrator == "bbk" else "1.95"
    with pytest.warns(
        UserWarning,
        match=rf"omega\*dt = 0.6 in the start region .* 10 % too hot; make dt {smaller} times "
        r"smaller, .*'gjf'",
    ):
        run(schedule=Schedule(1.0, 1.0, dt), integrator=integrator)


def test_bias_of_momentum_is_said():
    with pytest.warns(
        UserWarning, match="stiff modes 10 % too hot; make lr 1.95 times smaller$"
    ) as caught:
        run(schedule=Momentum(0.5, 0.75 * 0.36, 0.1))
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    "integrator", ["gjf", "baoab", "leimkuhler_matthews", "verlet", "heavy_ball"]
)
def test_no_bias_no_warning(integrator):
    run(
        schedule=Schedule(
            0.0 if integrator in ("verlet", "heavy_ball") else 1.0,
            1.0,
            0.18 if integrator == "leimkuhler_matthews" else 0.6,
        ),
        integrator=integrator,
    )


@pytest.mark.parametrize("integrator", ["verlet", "heavy_ball"])
def test_a_temperature_without_a_thermostat_is_said(integrator):
    with pytest.warns(
        UserWarning,
        match=f"{integrator} adds no noise, so that the schedule's temperature has no effect",
    ) as caught:
        result = run(schedule=Schedule(quench(0.0, 1.0, at=0.5), 1.0, 0.1), integrator=integrator)
    assert caught[0].filename == __file__
    assert result.integrator == integrator


class Own:
    """A user's schedule with a recursion of its own."""

    def coefficients(self, n_steps, integrator="heavy_ball", steps=None):
        return Momentum(0.9, 0.01, 0.05).coefficients(n_steps, integrator, steps)


@pytest.mark.parametrize(
    "schedule", [CoolMomentum(0.01, 0.9, 1.0), Momentum(0.9, 0.01, 0.05), Own()]
)
def test_an_integrator_without_effect_is_said(schedule, tmp_path):
    with pytest.warns(
        UserWarning,
        match=rf"{type(schedule).__name__} brings its own recursion, so that integrator='baoab' "
        r"has no effect",
    ) as caught:
        ignored = run(schedule=schedule, integrator="baoab")
    assert caught[0].filename == __file__
    result = run(schedule=schedule, checkpoint=tmp_path / "c.npz")
    assert (
        ignored.integrator
        is result.integrator
        is Result.load(tmp_path / "c.npz").integrator
        is None
    )
    np.testing.assert_array_equal(ignored.state.x, result.state.x)


def test_no_warning_for_small_steps():
    run(schedule=Schedule(1.0, 1.0, 0.4), integrator="bbk")
    run(schedule=Schedule(0.0, 1.0, 0.6), integrator="bbk")


@pytest.mark.parametrize(
    ("schedule", "keywords", "says"),
    [
        (
            Schedule(1.0, 1.0, linear(0.1, 3.0)),
            {},
            r"omega\*dt = 3 .* at step 999 \(where dt is .*\), .* make dt 1.5 times smaller",
        ),
        (
            Momentum(0.9, linear(0.1, 5.0)),
            {},
            r"omega\*dt = 2.29 .* at step 999.* make lr 1.31 times smaller",
        ),
        (
            Schedule(1.0, linear(5.0, 0.2), 1.0),
            {"integrator": "ermak_mccammon"},
            r"omega\*dt = 3.12 .* make dt 2.4[0-9] times smaller",
        ),
        (Schedule(1.0, 1.0, quench(0.1, 3.0, at=0.5)), {"n_steps": 10**7}, r"omega\*dt = 3 "),
    ],
)
def test_a_step_that_grows_beyond_stability_is_refused(schedule, keywords, says):
    with pytest.raises(ValueError, match=says):
        run(schedule=schedule, **{"n_steps": 1000} | keywords)


def test_a_step_that_only_rounding_makes_longer_is_the_first():
    with pytest.raises(
        ValueError, match=r"omega\*dt = 3 in the start region, and it must stay below 2"
    ):
        run(schedule=CoolMomentum(9.0, 0.9))


def test_a_step_that_grows_may_leave_a_steep_start():
    """x^4 from 5: omega*dt is 0.35 at the start, where the last dt would be beyond stability, and
    small where the replica ends.
    """
    steep = Potential.from_formula("x**4")
    growing = Schedule(0.01, 1.0, linear(0.02, 0.4))
    assert run(steep, [5.0], growing, 2000).fun < 1e-3
    with pytest.raises(ValueError, match="beyond stability"):
        run(steep, [5.0], Schedule(0.01, 1.0, 0.4), 2000)
    assert run(schedule=Schedule(1.0, 1.0, linear(1.9, 0.01))).success


def test_bias_of_a_step_that_grows_is_said():
    with pytest.warns(
        UserWarning,
        match=r"omega\*dt = 0.6 in the start region at step 99 \(.* longest\) holds stiff modes "
        r"10 %",
    ):
        run(schedule=Schedule(1.0, 1.0, linear(0.1, 0.605)), integrator="bbk")
