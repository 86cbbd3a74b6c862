"""Laws of progress, schedules made of them, and their slices."""

from __future__ import annotations

import pickle
from itertools import pairwise

import numpy as np
import pytest

from langevin_sa import INTEGRATORS, CoolMomentum, Momentum, Schedule
from langevin_sa.schedules import (
    COOLMOMENTUM_LAWS,
    constant,
    exponential,
    linear,
    logarithmic,
    power,
    quench,
    stepwise,
)

S = np.linspace(0, 1, 101)
N = 1000
LAWS = {
    "constant": (constant(2.0), 2.0, 2.0, np.full_like(S, 2.0)),
    "linear": (linear(5.0, 0.0), 5.0, 0.0, 5.0 - 5.0 * S),
    "linear up": (linear(0.1, 0.4), 0.1, 0.4, 0.1 + 0.3 * S),
    "exponential": (
        exponential(5.0, 0.01),
        5.0,
        0.01,
        np.exp(np.log(5.0) + S * np.log(0.01 / 5.0)),
    ),
    "logarithmic": (logarithmic(5.0, 0.5), 5.0, 0.5, None),
    "power": (power(5.0, 1.0, 3.0), 5.0, 1.0, 1.0 + 4.0 * (1 - S) ** 3),
    "stepwise": (
        stepwise([(0, 5.0), (0.5, 0.5), (0.75, 0.1)]),
        5.0,
        0.1,
        np.where(S < 0.5, 5.0, np.where(S < 0.75, 0.5, 0.1)),
    ),
    "quench": (quench(5.0, 0.01, at=0.25), 5.0, 0.01, np.where(S < 0.25, 5.0, 0.01)),
    "quench at 0": (quench(5.0, 0.01), 0.01, 0.01, np.full_like(S, 0.01)),
}


@pytest.mark.parametrize(("law", "first", "last", "curve"), LAWS.values(), ids=LAWS)
def test_law(law, first, last, curve):
    assert float(law(0.0)) == pytest.approx(first, rel=1e-14)
    assert float(law(1.0)) == pytest.approx(last, rel=1e-13)
    if curve is not None:
        np.testing.assert_allclose(law(S), curve, rtol=1e-13)
    assert law(S).shape == S.shape and law(S.reshape(1, -1)).shape == (1, 101)
    # powers of arrays and of numbers: 1 ulp
    np.testing.assert_allclose(law(S), [float(law(float(s))) for s in S], rtol=4e-16)
    assert law(list(S)).shape == S.shape


def test_logarithmic_is_hajeks():
    """T = c/(d + ln(1 + stretch*s)), with 1/T linear in ln(1 + stretch*s)."""
    s, stretch = S[1:], 300.0
    inverse = 1 / logarithmic(5.0, 0.5, stretch)(s)
    slope = np.diff(inverse) / np.diff(np.log1p(stretch * s))
    np.testing.assert_allclose(slope, slope[0], rtol=1e-9)
    d = np.log1p(stretch) / (5.0 / 0.5 - 1)
    np.testing.assert_allclose(1 / inverse, 5.0 * d / (d + np.log1p(stretch * s)), rtol=1e-13)


@pytest.mark.parametrize("law", [law for law, *_ in LAWS.values()], ids=LAWS)
def test_repr_and_pickle(law):
    from langevin_sa import schedules

    assert eval(repr(law), vars(schedules)) == law  # the laws print as they were written
    assert pickle.loads(pickle.dumps(law)) == law
    schedule = Schedule(law, 1.0, 0.05)
    assert repr(schedule) == f"Schedule(temperature={law!r}, gamma=1.0, dt=0.05)"
    again = pickle.loads(pickle.dumps(schedule))
    assert again == schedule
    np.testing.assert_array_equal(again.coefficients(N).s, schedule.coefficients(N).s)


def test_repr_and_pickle_of_the_others():
    cool = CoolMomentum(0.01, 0.9, 2.0, "linear")
    assert repr(cool) == "CoolMomentum(lr=0.01, rho0=0.9, noise=2.0, law='linear')"
    assert pickle.loads(pickle.dumps(cool)) == cool
    momentum = Momentum(0.9, stepwise([(0, 0.1), (0.5, 0.01)]))
    assert pickle.loads(pickle.dumps(momentum)) == momentum
    assert repr(momentum) == "Momentum(rho=0.9, lr=stepwise(((0.0, 0.1), (0.5, 0.01))), s=0.0)"


def test_stepwise_takes_any_points():
    assert (
        stepwise(((0, 1), (0.5, 2)))
        == stepwise(np.array([[0, 1], [0.5, 2]]))
        == stepwise([[0, 1], [0.5, 2]])
    )
    assert stepwise([(0, 3.0)])(S).tolist() == [3.0] * 101


def branching(s):
    if s < 0.5:
        return 2.0
    return 1.0 if s < 0.75 else 0.5


def scalar_math(s):
    import math

    return 3 * math.exp(-2 * s)


CALLABLES = {
    "if and else": (branching, lambda s: np.where(s < 0.5, 2.0, np.where(s < 0.75, 1.0, 0.5))),
    "math": (scalar_math, lambda s: 3 * np.exp(-2 * s)),
    "array": (lambda s: 1 + s**2, lambda s: 1 + s**2),
    "one number": (lambda s: 0.7, lambda s: np.full_like(s, 0.7)),
    "list": (lambda s: list(1 + np.asarray(s)), lambda s: 1 + s),
    "integers": (lambda s: 1 + (np.asarray(s) > 0.5).astype(int), lambda s: 1.0 + (s > 0.5)),
    "numpy function": (np.exp, np.exp),
    "max": (lambda s: max(0.1, 1 - s), lambda s: np.maximum(0.1, 1 - s)),
}


@pytest.mark.parametrize(("law", "expected"), CALLABLES.values(), ids=CALLABLES)
def test_any_callable(law, expected):
    progress = np.arange(N) / N
    np.testing.assert_allclose(
        Schedule(law).coefficients(N, "bbk").temperature, expected(progress), rtol=1e-12
    )
    np.testing.assert_allclose(
        Schedule(1.0, law).coefficients(N, "bbk").rho,
        (1 - expected(progress) / 200) / (1 + expected(progress) / 200),
    )
    np.testing.assert_allclose(
        Schedule(1.0, 1.0, law).coefficients(N, "bbk").dt, expected(progress), rtol=1e-12
    )
    np.testing.assert_allclose(
        Momentum(0.5, law).coefficients(N).lr, expected(progress), rtol=1e-12
    )


def test_progress_is_of_the_whole_run():
    seen = []

    def law(s):
        seen.append(np.array(s))
        return 1.0 + 0 * s

    Schedule(law).coefficients(8)
    np.testing.assert_array_equal(seen[-1], np.arange(8) / 8)


@pytest.mark.parametrize("integrator", INTEGRATORS)
@pytest.mark.parametrize(
    "schedule",
    [
        Schedule(exponential(5.0, 0.01), 1.0, 0.05),
        Schedule(power(5.0, 0.0), linear(0.5, 2.0), exponential(0.1, 0.02)),
        Schedule(branching, branching, lambda s: 0.1 if s < 0.3 else 0.03),
        Schedule(scalar_math, scalar_math, lambda s: min(0.1, 0.2 - s / 10)),
        CoolMomentum(0.01, 0.99, 1.5),
        CoolMomentum(0.01, 0.9, 0.0, "linear"),
        CoolMomentum(0.01, 0.9, 1.0, "exponential"),
        Momentum(linear(0.9, 0.0), stepwise([(0, 0.1), (0.5, 0.01)]), linear(0.1, 0.0)),
    ],
    ids=["T", "all laws", "branches", "math", "paper", "linear", "exponential", "momentum"],
)
def test_slices_are_the_same_bits(schedule, integrator):
    n = 240
    whole = schedule.coefficients(n, integrator)
    names = ("rho", "lr", "s", "carry", "dt", "temperature", "velocity_scale")
    for name in names:
        assert np.shape(getattr(whole, name)) == (n,)
    for cuts in (
        [0, 240],
        [0, 1, 2, 3, 240],
        [0, 71, 72, 73, 100, 239, 240],
        list(range(0, 241, 30)),
    ):
        pieces = [schedule.coefficients(n, integrator, (a, b)) for a, b in pairwise(cuts)]
        assert {piece.paired for piece in pieces} == {whole.paired}
        for name in names:
            np.testing.assert_array_equal(
                np.concatenate([getattr(piece, name) for piece in pieces]),
                getattr(whole, name),
                err_msg=name,
            )


def test_first_steps_alone():
    """The slice (0, 0) is empty, and (0, 1) is the first step, not all steps."""
    for schedule in (Schedule(), CoolMomentum(), Momentum(0.9, 0.1)):
        assert len(schedule.coefficients(10, "gjf", (0, 1)).rho) == 1
        assert len(schedule.coefficients(10, "gjf", (3, 3)).rho) == 0


def test_time_step_laws():
    """lr = (1 + rho)/2 dt^2 at every step, and velocity carries over where dt changes; heavy_ball
    carries dx.
    """
    dt = exponential(0.1, 0.02)
    progress = np.arange(N) / N
    for integrator in ("bbk", "gjf", "baoab", "verlet"):
        steps = Schedule(1.0, 1.5, dt).coefficients(N, integrator)
        np.testing.assert_allclose(steps.dt, dt(progress), rtol=1e-12)
        np.testing.assert_allclose(steps.lr, (1 + steps.rho) / 2 * dt(progress) ** 2, rtol=1e-12)
        np.testing.assert_allclose(
            steps.carry[1:], steps.rho[1:] * steps.dt[1:] / steps.dt[:-1], rtol=1e-12
        )
        assert steps.carry[0] == steps.rho[0]
    steps = Schedule(1.0, 1.5, dt).coefficients(N, "heavy_ball")
    np.testing.assert_array_equal(steps.carry, steps.rho)
    np.testing.assert_array_equal(steps.s, 0)


def test_constant_dt_carries_exactly():
    steps = Schedule(exponential(5.0, 0.01), 1.0, 0.05).coefficients(N)
    np.testing.assert_array_equal(steps.carry, steps.rho)


def test_coefficients_of_the_paper():
    """Eqs. (15)-(17) for laws of T and gamma."""
    schedule = Schedule(exponential(5.0, 0.01), linear(0.5, 2.0), 0.05)
    steps, s = schedule.coefficients(N, "bbk"), np.arange(N) / N
    temperature, c = exponential(5.0, 0.01)(s), linear(0.5, 2.0)(s) * 0.05
    np.testing.assert_allclose(steps.rho, (1 - c / 2) / (1 + c / 2), rtol=1e-14)
    np.testing.assert_allclose(steps.lr, 0.05**2 / (1 + c / 2), rtol=1e-14)
    np.testing.assert_allclose(steps.s, steps.lr * np.sqrt(2 * c * temperature) / 0.05, rtol=1e-13)
    np.testing.assert_allclose(steps.temperature, temperature, rtol=1e-10)
    np.testing.assert_allclose(
        schedule.coefficients(N, "baoab").temperature, temperature, rtol=2e-3
    )


def test_temperature_may_end_at_zero():
    steps = Schedule(linear(1.0, 0.0)).coefficients(10)
    assert steps.s[-1] > 0 and Schedule(power(1.0, 0.0)).coefficients(10).s[-1] > 0
    np.testing.assert_array_equal(Schedule(0.0).coefficients(10).s, 0)
    np.testing.assert_array_equal(
        Schedule(quench(1.0, 0.0, at=0.5)).coefficients(10).s > 0, np.arange(10) < 5
    )


@pytest.mark.parametrize("rho0", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("law", COOLMOMENTUM_LAWS)
def test_coolmomentum(law, rho0):
    """From rho0 towards 0, never up; lr = (1 + rho)/2 lr0; the noise is that of a constant force
    noise.
    """
    steps = CoolMomentum(0.04, rho0, 2.0, law).coefficients(N)
    assert steps.rho[0] == pytest.approx(rho0, rel=1e-12)
    assert float(COOLMOMENTUM_LAWS[law](1.0, rho0)) == pytest.approx(0, abs=1e-12)
    assert (np.diff(steps.rho) < 0).all() and (steps.rho >= 0).all()
    np.testing.assert_allclose(steps.lr, (1 + steps.rho) / 2 * 0.04, rtol=1e-14)
    np.testing.assert_allclose(steps.dt, 0.2, rtol=1e-14)
    np.testing.assert_allclose(steps.force_noise, 2.0, rtol=1e-14)
    # Eq. (19)
    np.testing.assert_allclose(
        steps.temperature, 0.04 * 2.0**2 * (1 + steps.rho) / (1 - steps.rho) / 4, rtol=1e-10
    )
    assert not steps.paired
    assert (CoolMomentum(0.04, rho0, 0.0, law).coefficients(N).s == 0).all()
    hot = CoolMomentum.from_temperature(1.7, 0.04, rho0, law)
    np.testing.assert_allclose(hot.coefficients(N).temperature[0], 1.7, rtol=1e-12)


def test_coolmomentum_temperatures():
    """The paper's law falls (1 + rho0)/(1 - rho0)-fold, the other two exponentially and
    linearly.
    """
    progress, rho0 = np.arange(N) / N, 0.99

    def relative(law):
        temperature = CoolMomentum(1.0, rho0, 1.0, law).coefficients(N).temperature
        return temperature / temperature[0]

    q = (1 - rho0) / (1 + rho0)
    np.testing.assert_allclose(relative("exponential"), q**progress, rtol=1e-10)
    np.testing.assert_allclose(relative("linear"), 1 + (q - 1) * progress, rtol=1e-10)
    assert relative("paper")[-1] == pytest.approx(q, rel=0.05)


def test_paper_recursion():
    """Eqs. (20)-(21) one step after another."""
    rho0 = 0.99
    alpha = (1 - rho0) ** (1 / N)
    rho, out = rho0, []
    for _ in range(N):
        out.append(max(0.0, rho))
        rho = 1 - (1 - rho) / alpha
    np.testing.assert_allclose(CoolMomentum(0.01, rho0).coefficients(N).rho, out, atol=1e-10)


def test_rho0_of_zero_is_gradient_descent():
    steps = CoolMomentum(0.01, 0.0).coefficients(10)
    np.testing.assert_array_equal(steps.rho, 0)
    np.testing.assert_array_equal(steps.lr, 0.005)


def test_schedules_are_values():
    assert Schedule(exponential(5.0, 0.01), 1.0, 0.05) == Schedule(
        exponential(5.0, 0.01), 1.0, 0.05
    )
    assert Schedule(exponential(5.0, 0.01)) != Schedule(exponential(5.0, 0.02))
    with pytest.raises(AttributeError):
        Schedule().dt = 1.0
