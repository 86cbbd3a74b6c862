"""Hostile input of schedules, laws and the rows of the integrators' table."""

from __future__ import annotations

import numpy as np
from hostile import ANYTHING, BOWL, JUNK, NUMBERS, examples, refused_or
from hypothesis import given, strategies as st

import langevin_sa as lsa
from langevin_sa import CoolMomentum, Langevin, Momentum, Schedule, anneal, schedules
from langevin_sa.integrators import INTEGRATORS
from langevin_sa.optimizers import SGD, Adam, RMSprop


@st.composite
def laws(draw):
    """Numbers, junk, and laws that break somewhere: steps, poles, a single bad value, odd shapes,
    odd types, exceptions.
    """
    kind = draw(
        st.sampled_from(
            ["number", "junk", "named", "steps", "bad once", "shape", "type", "raises", "scalar"]
        )
    )
    if kind == "number":
        return draw(NUMBERS)
    if kind == "junk":
        # which calls itself a constant, another for each block of steps
        return draw(JUNK.filter(lambda thing: thing is not len))
    if kind == "named":
        make = draw(
            st.sampled_from(
                [schedules.linear, schedules.exponential, schedules.quench, schedules.power]
            )
        )
        return make(draw(st.floats(0.1, 5)), draw(st.floats(0.01, 5)))
    good = draw(st.floats(0.01, 1))
    at = draw(st.integers(0, 19)) / 20
    bad = draw(st.sampled_from([np.nan, np.inf, -np.inf, -1.0, 0.0, 1e300, 1e-300]))
    return {
        "steps": lambda s: np.where(np.sin(40 * s) > 0, good, 3 * good),
        "bad once": lambda s: np.where(np.abs(s - at) < 1e-9, bad, good),
        "shape": lambda s: np.full(draw_shape(s), good),
        "type": lambda s: np.full(np.shape(s), draw_type),
        "raises": lambda s: {}[s] if np.ndim(s) == 0 else [][1],
        "scalar": lambda s: good if s < 0.5 else 2 * good,
    }[kind]


def draw_shape(s):
    return (2, *np.shape(s))


draw_type = "text"


@examples(5)
@given(
    temperature=laws(),
    gamma=st.one_of(st.just(1.0), laws()),
    dt=st.one_of(st.just(0.05), laws()),
    integrator=st.sampled_from(sorted(lsa.INTEGRATORS)),
    n_steps=st.sampled_from([1, 2, 20]),
)
def test_schedules(temperature, gamma, dt, integrator, n_steps):
    """Numbers for every step, all of them sound, and the same for any cut."""
    schedule = Schedule(temperature, gamma, dt)
    steps = refused_or(lambda: schedule.coefficients(n_steps, integrator), IndexError, KeyError)
    if steps is None:
        return
    for name in ("rho", "lr", "s", "carry", "dt", "temperature"):
        values = np.broadcast_to(getattr(steps, name), (n_steps,))
        assert np.isfinite(values).all(), f"{name} = {values}"
    assert (steps.lr > 0).all() and (steps.s >= 0).all() and (np.abs(steps.rho) <= 1).all()
    for n in range(n_steps):
        one = schedule.coefficients(n_steps, integrator, (n, n + 1))
        assert (one.rho[0], one.lr[0], one.s[0], one.carry[0]) == (
            steps.rho[n],
            steps.lr[n],
            steps.s[n],
            steps.carry[n],
        )


@examples(3)
@given(rho=laws(), lr=laws(), s=laws(), n_steps=st.sampled_from([1, 20]))
def test_momentum_schedules(rho, lr, s, n_steps):
    steps = refused_or(lambda: Momentum(rho, lr, s).coefficients(n_steps), IndexError, KeyError)
    if steps is not None:
        assert all(
            np.isfinite(np.broadcast_to(getattr(steps, name), (n_steps,))).all()
            for name in ("rho", "lr", "s", "dt", "temperature")
        )


@examples(1)
@given(temperature=laws(), gamma=laws(), dt=laws())
def test_runs_of_odd_schedules(temperature, gamma, dt):
    """Refused before the first step, or finite to the end."""
    result = refused_or(
        lambda: anneal(BOWL, [0.5, 0.5], Schedule(temperature, gamma, dt), 20, rng=1),
        IndexError,
        KeyError,
        OverflowError,
    )
    if result is not None:
        assert np.isfinite(result.fun) and np.isfinite(result.state.x).all()


MAKERS = {
    schedules.constant: 1,
    schedules.linear: 2,
    schedules.exponential: 2,
    schedules.logarithmic: 3,
    schedules.power: 3,
    schedules.quench: 3,
    schedules.stepwise: 1,
    CoolMomentum: 4,
    Langevin: 3,
    SGD: 3,
    Adam: 5,
    RMSprop: 4,
    CoolMomentum.from_temperature: 3,
}


@examples(4)
@given(
    maker=st.sampled_from(list(MAKERS)),
    values=st.lists(ANYTHING, min_size=5, max_size=5),
    sane=st.integers(0, 31),
)
def test_makers_of_schedules(maker, values, sane):
    """What is made gives finite numbers at every progress."""
    values = [0.5 if sane >> k & 1 else value for k, value in enumerate(values)][: MAKERS[maker]]
    made = refused_or(lambda: maker(*values))
    if made is None or isinstance(made, Langevin):
        return
    if callable(made):
        steps = refused_or(lambda: Schedule(made).coefficients(7))
        assert steps is None or np.isfinite(steps.s).all(), f"{made}: {steps}"
    elif hasattr(made, "coefficients"):
        steps = refused_or(lambda: made.coefficients(7))
        assert steps is None or (
            np.isfinite(steps.rho).all()
            and np.isfinite(steps.lr).all()
            and np.isfinite(steps.s).all()
        )


@examples(1)
@given(
    row=st.sampled_from(list(INTEGRATORS.values())),
    gamma=ANYTHING,
    dt=ANYTHING,
    temperature=ANYTHING,
    odd=st.integers(0, 7),
)
def test_rows(row, gamma, dt, temperature, odd):
    """The rows of the table take what a Langevin takes."""
    values = [v if odd >> k & 1 else 0.5 for k, v in enumerate((gamma, dt, temperature))]
    with np.errstate(all="ignore"):
        refused_or(lambda: row.steps(*values))
