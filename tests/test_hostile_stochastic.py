"""Hostile input of mini-batches and of the potentials that learn."""

from __future__ import annotations

import numpy as np
import pytest
from hostile import (
    ANYTHING,
    JUNK,
    NUMBERS,
    SIZES,
    Odd,
    arrays,
    bits,
    examples,
    mostly,
    odd_arguments,
    refused_or,
)
from hypothesis import given, strategies as st

from langevin_sa import Momentum, StochasticPotential, anneal, potentials

DATA = st.one_of(
    arrays(dim=2),
    st.tuples(arrays(dim=2), arrays(dim=1)),
    st.lists(arrays(dim=1), max_size=2),
    JUNK,
)


@examples(3)
@given(data=st.data())
def test_mini_batches(data):
    given = odd_arguments(
        data,
        {
            "batch_energy": lambda x, *batch: (x**2).sum(1) / 2,
            "batch_gradient": lambda x, *batch: x,
            "data": np.arange(6.0),
            "batch_size": 2,
            "dim": 1,
        },
        {
            "batch_energy": mostly(JUNK, st.just(lambda x, *batch: None)),
            "batch_gradient": st.one_of(JUNK, st.just(lambda x, *batch: x[:, 0])),
            "data": DATA,
            "batch_size": SIZES,
            "dim": SIZES,
            "bounds": arrays(),
            "name": JUNK,
            "start": JUNK,
        },
    )
    before = bits(given["data"])
    made = refused_or(lambda: StochasticPotential(**given))
    if (
        made is not None
        and given["batch_energy"] not in (len, Odd)
        and given["batch_gradient"] not in (len, Odd)
    ):
        with np.errstate(all="ignore"):
            result = refused_or(
                lambda: anneal(made, np.zeros(made.dim), Momentum(0.5, 0.01), 4, rng=1, replicas=2)
            )
        if result is not None:
            assert np.isfinite(result.fun) and result.fun == pytest.approx(made.energy(result.x))
    assert bits(given["data"]) == before


@examples(1)
@given(path=NUMBERS, seed=ANYTHING, x=arrays())
def test_noise_of_mini_batches(path, seed, x):
    U = StochasticPotential(
        lambda x, y: ((x - y) ** 2).mean(1),
        lambda x, y: 2 * (x - y.mean(1, keepdims=True)),
        np.arange(6.0),
        2,
        1,
    )
    with np.errstate(all="ignore"):
        refused_or(lambda: U.gradient_noise(x, seed))


@examples(2)
@given(
    data=st.data(),
    make=st.sampled_from([potentials.logistic_regression, potentials.one_hidden_layer]),
)
def test_learning(data, make):
    inputs, labels = potentials.clouds(12, 3)
    bad = {
        "data": mostly(
            st.one_of(DATA, st.tuples(st.just(inputs), st.one_of(arrays(), JUNK))),
            st.sampled_from(
                [
                    (inputs, labels * 2),
                    (inputs, labels * 0),
                    (inputs, -labels),
                    (inputs, labels + 50),
                    (inputs, labels.astype(np.uint8)),
                    (inputs[:0], labels[:0]),
                    (inputs, labels, labels),
                    (inputs[:, :0], labels),
                ]
            ),
            odds=2,
        ),
        "batch_size": SIZES,
        "l2": ANYTHING,
        "hidden": SIZES,
    }
    if make is potentials.logistic_regression:
        del bad["hidden"]
    given = odd_arguments(data, {"data": (inputs, labels), "batch_size": 3}, bad)
    made = refused_or(lambda: make(**given))
    if made is not None:
        x = made.draw_start(2, np.random.default_rng(0))
        with np.errstate(all="ignore"):
            assert made.energy(x).shape == (2,) and made.gradient(x).shape == x.shape
            assert made.check_gradient(x) < 1e-4 or not 1e-9 < given.get("l2", 1) < 1e9
