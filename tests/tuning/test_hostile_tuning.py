"""Hostile input of the automatic schedule."""

from __future__ import annotations

import numpy as np
from hostile import ANYTHING, JUNK, WELLS, arrays, examples, mostly, odd_arguments, refused_or
from hypothesis import given, strategies as st

from langevin_sa import tuning


@examples(2)
@given(data=st.data(), potential=mostly(WELLS))
def test_automatic_schedules(data, potential):
    """A schedule of finite numbers, or a sentence; what was given is kept."""
    odd = odd_arguments(
        data,
        {},
        {
            "x0": st.one_of(arrays(), arrays(dim=1)),
            "rng": ANYTHING,
            "law": st.one_of(JUNK, st.sampled_from(["linear", "constant", "quench"])),
            "temperature": st.one_of(
                ANYTHING,
                st.tuples(ANYTHING, ANYTHING),
                st.sampled_from([(1.0, None), (None, 0.1), (1, 2)]),
            ),
            "gamma": ANYTHING,
            "dt": ANYTHING,
            "integrator": JUNK,
        },
        3,
    )
    with np.errstate(all="ignore"):
        made = refused_or(lambda: tuning.automatic_schedule(potential, **odd))
    if made is not None:
        steps = refused_or(lambda: made.coefficients(5))
        assert steps is None or np.isfinite(np.concatenate([steps.rho, steps.lr, steps.s])).all()
        for name in ("gamma", "dt"):
            assert odd.get(name) is None or getattr(made, name) == odd[name]
