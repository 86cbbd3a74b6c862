"""The history of a search is what the callback was told, and a checkpoint holds it."""

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa.minimization.history import FIRST, History


def bumpy(x):
    return float((x**2 - 10 * np.cos(2 * np.pi * x)).sum()) - 300


OPTIONS = {"bounds": [(-5, 4)] * 2, "rng": 3, "patience": 0.3}


@pytest.mark.parametrize("strategy", ["portfolio", "anneal", "exchange", "population", "clusters"])
def test_it_is_what_the_callback_is_told(strategy):
    told = []
    fun = lsa.potentials.lennard_jones(6) if strategy == "clusters" else bumpy
    options = {**OPTIONS, "strategy": strategy}
    if strategy == "clusters":
        options["bounds"] = None
    elif strategy != "portfolio":
        options |= {"n_steps": 40, "replicas": 4}

    def callback(intermediate_result):
        told.append(intermediate_result)

    result = lsa.minimize(fun, callback=callback, **options)
    run = result.history
    assert len(told) == result.nit == len(run.best) == len(run.move) == len(run.temperature)
    assert run.evaluations.tolist() == [t.nfev for t in told]
    assert run.best.tolist() == [t.fun for t in told]
    np.testing.assert_array_equal(run.temperature, [t.temperature for t in told])
    if strategy == "portfolio":
        assert run.walker.tolist() == [t.accepted for t in told]
        assert run.move[0] == "start" and set(run.move) > {"sample", "line", "hop"}
    else:
        assert run.move[0] == strategy and np.isfinite(run.walker).any()
    assert run.move[-1] == "polish" and run.best[-1] == result.fun


def test_a_checkpoint_holds_it(tmp_path):
    whole = lsa.minimize(bumpy, **OPTIONS)
    lsa.minimize(bumpy, **OPTIONS, maxiter=5, checkpoint=tmp_path / "h.npz")
    again = lsa.minimize(bumpy, **OPTIONS, checkpoint=tmp_path / "h.npz")
    np.testing.assert_equal(dict(again.history), dict(whole.history))


def test_no_iteration():
    assert lsa.minimize(bumpy, **OPTIONS, maxfev=1).history.best.shape == (0,)


def test_it_grows():
    history = History()
    for k in range(3 * FIRST):
        history.note("ab"[k % 2], k, 1, 2, 3)
    found = history.result()
    assert found.evaluations.tolist() == list(range(3 * FIRST))
    assert found.move.tolist() == ["a", "b"] * (3 * FIRST // 2)
