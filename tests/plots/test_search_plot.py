"""`plots.search` draws the history of `minimize`."""

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa import plots


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def result():
    return lsa.minimize(lsa.potentials.rastrigin(dim=3), rng=1)


def line(ax, start):
    return next(drawn for drawn in ax.get_lines() if str(drawn.get_label()).startswith(start))


def test_best_and_walker(result):
    top, bottom = plots.search(result)
    run = result.history
    x, y = line(top, "best").get_data()
    np.testing.assert_array_equal(x[:-1], run.evaluations)
    np.testing.assert_array_equal(y[:-1], run.best - result.fun)
    np.testing.assert_array_equal(line(top, "walker").get_ydata(), run.walker - result.fun)
    assert line(top, f"{len(result.minima)} minima").get_ydata()[0] == 0
    assert top.get_xscale() == "log" and top.get_yscale() == "symlog"
    names = [text.get_text() for text in bottom.get_yticklabels()]
    assert names == list(dict.fromkeys(run.move.tolist()))
    ticks = bottom.collections[0::2]
    assert sum(len(drawn.get_positions()) for drawn in ticks) == result.nit
    dots = np.concatenate([drawn.get_offsets() for drawn in bottom.collections[1::2]])
    assert len(dots) == len(np.unique(run.best))


def test_any_offset_and_sign(result):
    """The picture is the same: heights are drawn."""
    moved = lsa.minimize(lambda x: (x**2).sum() - 7e3, [1.0, 2.0], rng=1, maxfev=300)
    top = plots.search(moved)[0]
    assert line(top, "best").get_ydata().min() == 0
    assert top.get_ylim()[1] > line(top, "best").get_ydata().max()


def test_on_given_axes(result):
    ax = plt.figure().subplots()
    assert plots.search(result, ax) is ax and len(ax.get_lines()) == 3
    assert ax.get_xlabel() == "evaluations"


@pytest.mark.parametrize("strategy", ["anneal", "clusters"])
def test_other_strategies(strategy):
    fun = lsa.potentials.lennard_jones(5) if strategy == "clusters" else (lambda x: (x**2).sum())
    start = None if strategy == "clusters" else [1.0, 2.0]
    found = lsa.minimize(fun, start, strategy=strategy, rng=1, patience=0.5)
    top, bottom = plots.search(found)
    top.figure.canvas.draw()
    assert strategy in [label.get_text() for label in bottom.get_yticklabels()]


def test_a_flat_function_and_walls():
    for fun in (lambda x: 3.0, lambda x: np.nan if x[0] > 0.5 else 0.0):
        plots.search(lsa.minimize(fun, [0.1], bounds=[(0, 1)], rng=1))[0].figure.canvas.draw()


def test_what_is_no_search(result):
    with pytest.raises(TypeError, match="result must be a result of minimize"):
        plots.search(3)
    run = lsa.anneal(lsa.potentials.double_well(), n_steps=20, rng=1)
    with pytest.raises(TypeError, match="result must be a result of minimize"):
        plots.search(run)
    with pytest.raises(ValueError, match="nothing to draw"):
        plots.search(lsa.minimize(lambda x: np.nan, [1.0], rng=1))
    with pytest.raises(ValueError, match="nothing to draw"):
        plots.search(lsa.minimize(lambda x: 1.0, [1.0], rng=1, maxfev=0))
