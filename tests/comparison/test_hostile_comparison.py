"""Hostile input of `compare` and `cooling_rates`."""

from __future__ import annotations

import numpy as np
from hostile import ANYTHING, BOWL, JUNK, NUMBERS, RAMP, SIZES, arrays, examples, refused_or
from hypothesis import given, strategies as st

from langevin_sa import Schedule, compare, cooling_rates
from langevin_sa.arguments import whole
from langevin_sa.optimizers import Adam

METHOD = st.one_of(
    ANYTHING, st.just(RAMP), st.just(Adam(0.01)), st.just(Adam), st.just(Schedule(-1.0))
)
COMPARED = {
    "replicas": SIZES,
    "n_steps": SIZES,
    "budgets": st.one_of(JUNK, st.dictionaries(st.sampled_from(["a", "b"]), SIZES, max_size=2)),
    "x0": arrays(),
    "rng": ANYTHING,
    "tolerance": ANYTHING,
    "judged": JUNK,
    "epochs": SIZES,
    "integrator": JUNK,
    "backend": JUNK,
}


@examples(1)
@given(data=st.data())
def test_arguments_of_a_comparison(data):
    odd = {
        name: data.draw(COMPARED[name], label=name)
        for name in data.draw(st.lists(st.sampled_from(sorted(COMPARED)), max_size=2, unique=True))
    }
    methods = data.draw(
        st.one_of(
            st.just({"a": RAMP}),
            st.dictionaries(st.sampled_from(["a", "b"]), METHOD, max_size=2),
            JUNK,
        )
    )
    found = refused_or(
        lambda: compare(BOWL, methods, **{"replicas": 3, "n_steps": 4, "epochs": 2, "rng": 1} | odd)
    )
    if found is not None:
        assert np.isfinite(found.minimum_energy) and "success" in str(found)


@examples(1)
@given(
    n_steps=st.one_of(ANYTHING, st.lists(SIZES, max_size=3)),
    rates=st.one_of(st.none(), ANYTHING, st.lists(NUMBERS, max_size=3)),
    schedule=METHOD,
)
def test_arguments_of_cooling_rates(n_steps, rates, schedule):
    if isinstance(n_steps, (list, range)) and any(whole(n) and n > 100 for n in n_steps):
        return
    refused_or(
        lambda: cooling_rates(
            BOWL,
            schedule,
            n_steps if rates is None else None,
            rates=None if rates is None else [1.0],
            replicas=2,
            rng=1,
        )
    )
    if rates is not None and not any(
        isinstance(r, (float, int)) and 0 < r < 1e-3
        for r in (rates if isinstance(rates, list) else [rates])
    ):
        refused_or(lambda: cooling_rates(BOWL, schedule, rates=rates, replicas=2, rng=1))
