"""Hostile input of `langevin_sa.plots`: a picture that can be drawn, or one clear sentence and no
figure left.
"""

from __future__ import annotations

import copy
import warnings

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hostile import (
    ANYTHING,
    FORMULA,
    JUNK,
    NUMBERS,
    ODD_WELLS,
    RAMP,
    SIZES,
    TAME,
    Odd,
    arrays,
    examples,
    mostly,
    refused_or,
)
from hypothesis import given, strategies as st
from matplotlib.axes import Axes

from langevin_sa import (
    Langevin,
    Momentum,
    Potential,
    Schedule,
    anneal,
    compare,
    cooling_rates,
    plots,
    schedules,
)
from langevin_sa.optimizers import Adam
from langevin_sa.validation.lab import Check
from langevin_sa.validation.report import Report

# kicked to where the energy overflows
GROWING = Momentum(0.9, 1e-4, schedules.quench(0.0, 100.0, at=0.1))
STEEP = FORMULA("exp(x**2)", bounds=(-1, 1))


def runs():
    """Results that are usual, tiny, of one replica, stopped, diverged, or have lost some of their
    numbers.
    """
    made = [
        anneal(U, None, RAMP, n, replicas=r, rng=1, samples=True, backend="numpy")
        for U in TAME.values()
        for n, r in ((20, 3), (1, 1))
    ]
    made.append(anneal(TAME[1], [0.1], Schedule(0.0, 0.0, 0.1), 5, backend="numpy"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made += [anneal(STEEP, [[0.5]], GROWING, n, backend="numpy") for n in (10, 100)]
    for column in (
        "energy_mean",
        "energy_min",
        "best",
        "temperature",
        "squares",
        "laplacian",
        "target",
        "step",
    ):
        made.append(copy.deepcopy(made[0]))
        if column != "step":
            made[-1].history[column] = np.full_like(made[-1].history[column], np.nan)
        else:
            made[-1].history.update({key: values[:0] for key, values in made[-1].history.items()})
    made.append(copy.deepcopy(made[0]))
    made[-1].state.x[:] = np.nan
    return made


def comparisons():
    keywords = {"replicas": 3, "n_steps": 8, "epochs": 2, "rng": 1, "backend": "numpy"}
    methods = {"a": RAMP, "b": Adam(0.01), "c": Momentum(0.9, 0.01)}
    made = [compare(U, methods, **keywords) for U in TAME.values()]
    made.append(
        compare(
            TAME[2],
            {"a" * 30: RAMP, "$x": RAMP, "": RAMP, "_hidden": RAMP},
            **keywords | {"replicas": 1, "n_steps": 1},
        )
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made.append(compare(STEEP, {"a": GROWING, "b": Momentum(0.0, 1e-3)}, **keywords))
        made.append(compare(STEEP, {"a": GROWING}, **keywords))
    return made


RUNS, COMPARISONS = runs(), comparisons()
COOLINGS = [
    cooling_rates(TAME[1], RAMP, n, replicas=r, rng=1, backend="numpy")
    for n, r in (([4, 8, 16, 32], 5), ([2], 1), ([2, 3], 2))
]
CHECKS = [
    Check("a", "x", 1.0, 1.0, 0.1, 0.0, 0.5),
    Check("b", "x", np.nan, 1.0, 0.0, 0.0, 0.0),
    Check("c", "x", 1.0, 1.0, 0.1, 0.1, 1e-300),
    Check(
        "d",
        "x",
        1.0,
        1.0,
        0.1,
        about={"what": "T_conf", "integrator": "gjf", "gamma_dt": 0.5, "omega_dt": 1.0, "T": 1.0},
    ),
    Check(
        "e",
        "x",
        np.nan,
        1.0,
        np.inf,
        about={"what": "T_22", "integrator": "bbk", "gamma_dt": 0.5, "omega_dt": 1.0, "T": 1.0},
    ),
]
REPORTS = [
    Report(checks, "numba", "float64", "quick", 0, 1.0)
    for checks in ([], CHECKS, CHECKS[:1], CHECKS[1:2])
]


@pytest.fixture(autouse=True)
def no_figures():
    yield
    plt.close("all")


def axes_of(kind, count):
    """Axes to draw on, right or wrong."""
    if kind == "none":
        return None
    if kind not in ("fresh", "row", "list", "figure", "too many"):
        return Odd() if kind is None else kind
    figure, axes = plt.subplots(1, count + (kind == "too many"))
    return {
        "fresh": axes,
        "row": np.reshape(axes, (1, -1)),
        "figure": figure,
        "too many": axes,
        "list": list(np.ravel(axes)),
    }[kind]


def drawn(call):
    """What `call` returns, drawn without a warning and with finite limits; nothing is left behind
    where it refused.
    """
    before = plt.get_fignums()

    def strict():
        warnings.simplefilter("error", UserWarning)
        found = call()
        for ax in np.ravel(found):
            assert isinstance(ax, Axes)
            assert np.isfinite([ax.get_xlim(), ax.get_ylim()]).all() and ax.get_xlabel() is not None
        for figure in {id(ax.figure): ax.figure for ax in np.ravel(found)}.values():
            figure.set_dpi(40)
            figure.canvas.draw()
        return found

    settings = dict(mpl.rcParams)
    try:
        found = refused_or(strict)
        assert found is not None or plt.get_fignums() == before
    finally:
        plt.close("all")
    assert dict(mpl.rcParams) == settings
    return found


SOME = np.random.default_rng(0).uniform(-1, 1, (4, 2, 2))
GOOD = {
    "result": st.sampled_from(RUNS),
    "potential": st.sampled_from([*TAME.values(), *ODD_WELLS]),
    "ax": st.sampled_from(["none", "fresh"]),
    "axes": st.sampled_from(["none", "fresh", "list", "row"]),
    "trajectory": st.sampled_from([None, SOME, SOME, SOME[:1], SOME * np.nan]),
    "temperature": st.none(),
    "bounds": st.sampled_from([None, None, (-1, 1), (0.0, 1e-9), (-1e100, 1e100)]),
    "x": st.sampled_from([SOME, SOME[:1, 0, 0], SOME[:, 0]]),
    "bins": st.sampled_from([60, "auto", [-1.0, 0.5, 1.0], 1]),
    "path": st.sampled_from(["a.gif", "a.GIF"]),
    "fps": st.just(20),
    "dpi": st.just(20),
    "frames": st.sampled_from([None, 1, 3]),
    "comparison": st.sampled_from(COMPARISONS),
    "cooling": st.sampled_from(COOLINGS),
    "rho0": st.just([0.5, 0.9]),
    "lr": st.just([0.1, 0.2]),
    "values": st.sampled_from([np.eye(2), [[1.0, np.nan], [3, np.inf]], np.full((2, 2), np.nan)]),
    "label": st.just("success (%)"),
    "good": st.sampled_from(["high", "low"]),
    "points": st.lists(st.sampled_from(CHECKS), max_size=4),
    "gamma_dt": st.just(0.5),
    "report": st.sampled_from(REPORTS),
    "n_steps": st.sampled_from([1, 2, 60]),
    "T": st.sampled_from([1.0, 1e-9, 1e9]),
    "integrator": st.sampled_from(["gjf", "bbk", "verlet"]),
    "schedule": st.sampled_from(
        [
            RAMP,
            GROWING,
            Momentum(0.5, 0.1),
            Schedule(0.0),
            Schedule(1e300),
            Schedule(1e-300, 1.0, 1e-5),
        ]
    ),
}
BAD = {
    "ax": st.sampled_from(["figure", "too many", None, Odd(), [], "x", 3]),
    "axes": st.sampled_from(["figure", "too many", None, Odd(), [], 3]),
    "trajectory": st.one_of(arrays(dim=1), arrays(), st.just(SOME[:0]), st.just(SOME[:, :0]), JUNK),
    "temperature": st.one_of(
        arrays(dim=1), st.sampled_from([np.ones(4), [1.0, 0.1, 0.01, 0.001], [0.0, 1, 1, 1]]), JUNK
    ),
    "bounds": st.one_of(arrays(), st.tuples(NUMBERS, NUMBERS), JUNK),
    "x": st.one_of(arrays(), JUNK),
    "n_steps": st.one_of(SIZES, st.just(10**400)),
    "bins": st.one_of(st.integers(-2, 50), st.sampled_from([[1.0, 0.0], [0.0, 0.5, np.nan]]), JUNK),
    "path": st.sampled_from(["no/a.gif", "a.png", "", 3, b"a.gif", Odd(), []]),
    "fps": st.one_of(SIZES, NUMBERS),
    "dpi": st.one_of(SIZES, st.sampled_from([0, np.inf, "90", 1e9])),
    "frames": st.one_of(SIZES, st.sampled_from([0, -1, 2.5, "9"])),
    "rho0": st.one_of(arrays(dim=1), JUNK),
    "lr": st.one_of(arrays(dim=1), JUNK),
    "values": st.one_of(arrays(), JUNK),
    "label": JUNK,
    "points": st.one_of(JUNK, st.lists(JUNK, max_size=2)),
    "gamma_dt": ANYTHING,
    "T": ANYTHING,
    "schedule": st.one_of(
        ANYTHING,
        st.sampled_from(
            [Schedule(-1.0), Schedule(lambda s: np.nan * s), Langevin(1, 1, 1), Schedule]
        ),
    ),
}
PICTURES = {
    "energy": "result ax",
    "temperature": "result ax",
    "history": "result",
    "summary": "result potential",
    "schedule": "schedule n_steps integrator ax",
    "landscape": "potential trajectory temperature bounds ax",
    "histogram": "x potential T ax bins",
    "animate": "potential trajectory path temperature bounds fps dpi frames",
    "comparison": "comparison axes",
    "bands": "comparison ax",
    "ends": "comparison bounds ax",
    "cooling": "cooling axes",
    "heat_map": "rho0 lr values label good ax",
    "thermostat": "points gamma_dt axes",
    "p_values": "report ax",
}
NEVER_REFUSED = ("temperature", "comparison", "bands", "cooling", "heat_map", "thermostat")


@pytest.mark.parametrize("name", PICTURES)
@examples(0.3)
@given(data=st.data())
def test_pictures(name, data, tmp_path_factory):
    """At most two odd arguments."""
    names = PICTURES[name].split()
    odd = data.draw(
        st.one_of(st.just([]), st.lists(st.sampled_from(names), max_size=2, unique=True))
    )
    given = {
        key: data.draw(BAD.get(key, JUNK) if key in odd else GOOD[key], label=key) for key in names
    }
    for key in ("ax", "axes"):
        if key in given:
            given[key] = axes_of(given[key], {"ax": 1, "axes": 2 if name == "cooling" else 3}[key])
    if name == "landscape" and given["trajectory"] is SOME and "temperature" not in odd:
        given["temperature"] = data.draw(
            st.sampled_from([None, np.array([1.0, 0.5, 0.2, 0.1]), np.ones(4)])
        )
    if (
        isinstance(given.get("trajectory"), np.ndarray)
        and isinstance(given["potential"], Potential)
        and "trajectory" not in odd
    ):
        given["trajectory"] = given["trajectory"][..., : given["potential"].dim]
    if "T" in given:
        given["temperature"] = given.pop("T")
    folder = tmp_path_factory.mktemp("films")
    if isinstance(given.get("path"), str) and given["path"]:
        given["path"] = folder / given["path"]
    with np.errstate(all="ignore"):
        found = drawn(lambda: getattr(plots, name)(**given))
    assert name != "animate" or (found is not None) == bool(list(folder.glob("*")))
    emptied = name == "temperature" and not len(
        getattr(given["result"], "history", {"step": ()})["step"]
    )
    assert found is not None or odd or name not in NEVER_REFUSED or emptied


@examples(0.3)
@given(
    text=mostly(
        st.one_of(
            st.text("x^_{}$\\ alph23+", max_size=8),
            st.sampled_from(["$x$", r"$\frac{1}{2}$", r"$\nothing$", "$", "$x", ""]),
        )
    ),
    size=mostly(st.just(11), st.one_of(SIZES, NUMBERS)),
    kind=mostly(st.sampled_from(["svg", "png", "gif", "xyz", ""])),
    axes=mostly(st.sampled_from(["fresh", "row", "list"]), BAD["ax"]),
)
def test_images(text, size, kind, axes):
    """Bytes of an image, or a sentence."""
    plt.close("all")
    found = refused_or(lambda: plots.formula(text, size))
    assert found is None or found.startswith(b"<?xml")
    axes = axes_of(axes, 1)
    found = refused_or(lambda: plots.image(axes, kind))
    assert found is None or len(found) > 100
