"""Hostile input of what the torch optimizer and the optax transformation share."""

from __future__ import annotations

import numpy as np
from hostile import ANYTHING, SIZES, examples, odd_arguments, refused_or
from hypothesis import given, strategies as st

from langevin_sa.ml.ramp import check_ramp


@examples(1)
@given(data=st.data())
def test_ramps_of_training(data):
    """What torch and JAX share, without either; the steps of a ramp are whole numbers, or
    endless.
    """
    good = {"lr": 0.1, "rho0": 0.9, "law": "paper", "total_steps": 10, "warmup_steps": 0}
    given = odd_arguments(data, good, dict.fromkeys(good, st.one_of(SIZES, ANYTHING)))
    if refused_or(lambda: check_ramp(**given) or True):
        assert given["total_steps"] >= 1 and 0 <= given["warmup_steps"] < np.inf
