"""Hostile input of `anneal` and `simulate`."""

from __future__ import annotations

import numpy as np
from hostile import (
    ANYTHING,
    BOWL,
    FUNCTIONS,
    JUNK,
    NUMBERS,
    RAMP,
    SIZES,
    Odd,
    arrays,
    bits,
    examples,
    meaning,
    refused_or,
)
from hypothesis import given, strategies as st

from langevin_sa import anneal, simulate


@examples(3)
@given(
    x0=arrays(),
    replicas=st.sampled_from([None, None, 1, 3, 4]),
    potential=st.sampled_from([BOWL, FUNCTIONS]),
    backend=st.sampled_from(["numba", "numpy"]),
)
def test_starting_points(x0, replicas, potential, backend):
    block = meaning(x0, 2)
    before = bits(x0)
    with np.errstate(all="ignore"):
        result = refused_or(
            lambda: anneal(potential, x0, RAMP, 3, replicas=replicas, rng=1, backend=backend)
        )
    if result is not None and x0 is not None:
        assert block is not None and np.isfinite(block).all(), f"anneal took {x0!r}"
        expected = anneal(
            potential,
            np.tile(block, (replicas, 1)) if len(block) == 1 and replicas else block,
            RAMP,
            3,
            rng=1,
            backend=backend,
        )
        np.testing.assert_array_equal(result.state.x, expected.state.x)
        assert np.isfinite(result.fun) and np.isfinite(result.x).all()
    assert bits(x0) == before


KEYWORDS = {
    "schedule": ANYTHING,
    "n_steps": SIZES,
    "replicas": SIZES,
    "integrator": st.one_of(JUNK, st.sampled_from(["gjf", "GJF", "verlet"])),
    "record_every": SIZES,
    "backend": JUNK,
    "rng": ANYTHING,
    "state": JUNK,
    "dtype": st.one_of(JUNK, st.sampled_from(["f4", float, "O", "f2"])),
    "noise": JUNK,
    "threads": SIZES,
    "samples": st.one_of(
        st.booleans(), NUMBERS, st.sampled_from([[], Odd(), b"x", "", "/", "no/folder.npy"])
    ),
    "check_gradient": st.booleans(),
    "callback": st.one_of(NUMBERS, st.sampled_from([[], Odd(), "x"])),
    "stop_below": ANYTHING,
    "patience": ANYTHING,
    "max_seconds": ANYTHING,
    "checkpoint": st.one_of(NUMBERS, st.sampled_from([[], Odd(), "", "/", "no/a.npz", b"a"])),
    "checkpoint_seconds": ANYTHING,
    "workers": st.one_of(
        st.sampled_from([0, -2, -1.0, 1.5, "2", Odd(), [], None, np.nan, True, 10**400]), JUNK
    ),
}


@examples(6)
@given(data=st.data(), driver=st.sampled_from([anneal, anneal, simulate]))
def test_arguments_of_a_run(data, driver):
    """One or two odd arguments: refused before the first step, or harmless."""
    import inspect

    names = sorted(set(KEYWORDS) & set(inspect.signature(driver).parameters))
    odd = {
        name: data.draw(KEYWORDS[name], label=name)
        for name in data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
    }
    if callable(odd.get("workers")):
        return
    arguments = {
        "x0": None if "state" in odd else [0.5, 0.5],
        "schedule": RAMP,
        "n_steps": 3,
        "rng": None if "state" in odd else 1,
    } | odd
    result = refused_or(
        lambda: (
            list(simulate(BOWL, **arguments)) if driver is simulate else anneal(BOWL, **arguments)
        )
    )
    if driver is anneal and result is not None:
        assert (
            np.isfinite(result.fun) and np.isfinite(result.state.x).all() and result.nit <= 3
            if "n_steps" not in odd
            else True
        )
