"""Hostile input of what the other hostile tests leave: mini-batches, learning, fluids, tuning,
statistics, validation, small helpers.
"""

from __future__ import annotations

import inspect

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
    meaning,
    mostly,
    refused_or,
)
from hypothesis import given
from hypothesis import strategies as st

from langevin_sa import (
    Momentum,
    Potential,
    Schedule,
    StochasticPotential,
    anneal,
    compare,
    potentials,
    schedules,
    statistics,
    thermometers,
    tuning,
    validate,
)
from langevin_sa.integrators import INTEGRATORS
from langevin_sa.ml.ramp import check_ramp
from langevin_sa.optimizers import Adam
from langevin_sa.storage import npz
from langevin_sa.validation.report import Report

BOWL = Potential.from_formula("x**2/2 + y**2", bounds=(-2, 2))
LINE = Potential.from_formula("x**2", bounds=(-1, 1))
RAMP = Schedule(schedules.exponential(1.0, 0.1), 1.0, 0.05)
WELLS = st.sampled_from(
    [
        BOWL,
        LINE,
        potentials.lennard_jones(particles=2),
        Potential.from_formula("log(x)", bounds=(-2, -1)),
        Potential.from_formula("x + y"),
    ]
)


def odd_arguments(data, good, bad, most=2):
    """The good arguments, but for at most two."""
    names = data.draw(st.lists(st.sampled_from(sorted(bad)), max_size=most, unique=True))
    return good | {name: data.draw(bad[name], label=name) for name in names}


# ------------------------------------------------------------------- mini-batches, learning, fluids

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


@examples(3)
@given(data=st.data())
def test_fluids(data):
    """Pairs with a cut-off, in a box, of species."""
    matrix = st.one_of(
        ANYTHING,
        arrays(dim=2, most=2),
        st.sampled_from([np.eye(2), np.ones((2, 2)), [[1.0, 2.0], [3.0, 4.0]]]),
    )
    given = odd_arguments(
        data,
        {"pair": "a/r**2", "particles": 4, "space": 2, "cutoff": 1.0, "box": 3.0, "a": 1.0},
        {
            "particles": SIZES,
            "space": SIZES,
            "cutoff": matrix,
            "box": st.one_of(ANYTHING, arrays(dim=1), st.just([3.0, 4.0])),
            "a": matrix,
            "species": st.one_of(
                JUNK,
                arrays(dim=4),
                st.just([0, 1, 0, 1]),
                st.just([0, 1, 2, 1]),
                st.just([0, -1, 0, 1]),
            ),
            "bounds": arrays(),
            "pair": st.sampled_from(["log(r - 1)", "0*r", "1/(r - 1)", "exp(-r)", "sqrt(1 - r)"]),
        },
    )
    made = refused_or(lambda: Potential.from_formula(**given))
    if made is not None:
        x = np.random.default_rng(0).uniform(0.3, 1, (2, made.dim))
        for look, shape in ((made.energy, (2,)), (made.gradient, x.shape), (made.laplacian, (2,))):
            assert refused_or(lambda look=look: look(x)).shape == shape


@examples(1)
@given(data=st.data(), which=st.sampled_from(["clouds", "normal_modes", "catalogue", "from_numba"]))
def test_helpers_of_potentials(data, which):
    make, good, bad = {
        "clouds": (
            potentials.clouds,
            {"samples": 6},
            {"samples": SIZES, "classes": SIZES, "seed": ANYTHING},
        ),
        "normal_modes": (
            potentials.normal_modes,
            {"dim": 4},
            {"dim": SIZES, "k": ANYTHING, "periodic": ANYTHING, "pinning": ANYTHING},
        ),
        "catalogue": (potentials.catalogue, {}, {"family": ANYTHING}),
        "from_numba": (
            Potential.from_numba,
            {"energy": len, "gradient": len, "dim": 2},
            {"energy": JUNK, "gradient": JUNK, "dim": SIZES},
        ),
    }[which]
    given = odd_arguments(data, good, bad)
    if which == "from_numba" and callable(given["energy"]) and callable(given["gradient"]):
        return
    found = refused_or(lambda: make(**given))
    if which == "normal_modes" and found is not None:
        assert np.isfinite(found).all() and (np.diff(found) >= 0).all()


# ------------------------------------------------------------------------------------------- tuning


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


# ------------------------------------------------------------------------------- numbers of samples


@examples(3)
@given(
    data=st.data(),
    x=arrays(dim=1, most=4),
    number=ANYTHING,
    size=SIZES,
    which=st.sampled_from(
        [
            "effective",
            "bins",
            "mean",
            "fit",
            "fitted",
            "tts",
            "wilson",
            "density",
            "eq22",
            "kinetic",
            "potential",
        ]
    ),
)
def test_statistics(data, x, number, size, which):
    axis = data.draw(
        mostly(st.sampled_from([np.linspace(-1, 1, 9), [-1.0, 0.0, 1.0]]), arrays(dim=1))
    )
    potential = data.draw(mostly(WELLS))
    call = {
        "effective": lambda: thermometers.effective_sample_size(x),
        "bins": lambda: thermometers.boltzmann_bins(
            potential, number, [axis] * min(2, getattr(potential, "dim", 1)), 0.1, 4
        ),
        "mean": lambda: thermometers.boltzmann_average(
            potential, 1.0, lambda y: (y**2).sum(1), [axis] * getattr(potential, "dim", 1)
        ),
        "fit": lambda: statistics.fit_law(
            data.draw(mostly(st.sampled_from(["power", "logarithmic"]))), x, x, x
        ),
        "fitted": lambda: statistics.fit_law("power", [10, 100, 1000], [3.0, 2.0, 1.0], [0.1] * 3)(
            x
        ),
        "tts": lambda: statistics.time_to_solution(statistics.wilson(1, 2), number),
        "wilson": lambda: statistics.wilson(size, data.draw(SIZES)),
        "density": lambda: thermometers.boltzmann_density(
            potential, number, data.draw(st.one_of(JUNK, st.lists(arrays(dim=1), max_size=2)))
        ),
        "eq22": lambda: thermometers.eq22(x, 0.1, rescaled=number),
        "kinetic": lambda: thermometers.kinetic(
            np.ones((4, 2)), 1.0, 0.1, data.draw(mostly(st.sampled_from(list(INTEGRATORS))))
        ),
        "potential": lambda: data.draw(
            st.sampled_from([thermometers.configurational, thermometers.virial])
        )(potential, np.ones((3, 2))),
    }[which]
    with np.errstate(all="ignore"):
        refused_or(call, RuntimeWarning)


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


# --------------------------------------------------------------------------------------- validation


@pytest.fixture
def no_families(monkeypatch):
    """Fail if a family of checks is begun."""
    module = inspect.getmodule(validate)
    monkeypatch.setattr(
        module,
        "timed",
        lambda lab, name: pytest.fail("a family of checks ran before the arguments were refused"),
    )
    return module


@examples(2)
@given(data=st.data())
def test_arguments_of_a_validation(data, no_families):
    """Refused before the first family; with no family asked for, an empty report."""
    bad = {
        "backend": JUNK.filter(lambda b: not callable(b)),
        "dtype": st.one_of(JUNK, st.just("f2")),
        "level": ANYTHING,
        "rng": ANYTHING,
        "progress": ANYTHING,
        "families": st.one_of(
            JUNK, st.lists(st.one_of(JUNK, st.just("fre")), min_size=1, max_size=2)
        ).filter(lambda f: f is not None),
        "threads": st.one_of(SIZES, st.just(10**400)),
    }
    given = odd_arguments(data, {"families": ()}, bad)
    report = refused_or(lambda: validate(**given))
    if report is not None:
        assert report.checks == [] and report.passed and "0 checks" in report.verdict


@examples(1)
@given(
    path=st.sampled_from(["r.html", "r.json", "r.txt", "", "no/r.json", None, 3, b"r.json", Odd()])
)
def test_paths(path, tmp_path_factory):
    """Of reports, states and results: written whole, or a sentence and nothing left."""
    folder = tmp_path_factory.mktemp("paths")
    file = folder / path if isinstance(path, str) and path else path
    run = anneal(BOWL, [0.1, 0.1], RAMP, 2, rng=1)
    for thing in (Report([], "numba", "float64", "quick", 0, 1.0), run, run.state):
        refused_or(lambda thing=thing: thing.save(file) or True, OSError)
    assert not list(folder.rglob("*.part"))
    for kind in (type(run), type(run.state)):
        refused_or(lambda kind=kind: kind.load(file), OSError)


# -------------------------------------------------------------------------------------- comparisons

METHODS = {"a": RAMP, "b": Adam(0.01)}
COMPARED = {"replicas": 3, "n_steps": 6, "epochs": 3, "rng": 1}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("compared") / "c.npz"
    whole = compare(BOWL, METHODS, **COMPARED, checkpoint=path)
    return path.read_bytes(), whole


@examples(1)
@given(data=st.data())
def test_damaged_checkpoints_of_comparisons(data, written, tmp_path_factory):
    """Refused, or gone on with to the same end."""
    content, whole = written
    at, length = data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(1, 200))
    damaged = data.draw(
        st.sampled_from(
            [
                content,
                content[:at],
                content[:at] + content[at:][:length][::-1] + content[at + length :],
                content[:at] + bytes(length),
                content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :],
                b"",
                content + content,
            ]
        )
    )
    path = tmp_path_factory.getbasetemp() / "damaged_comparison.npz"
    path.write_bytes(damaged)
    found = refused_or(lambda: compare(BOWL, METHODS, **COMPARED, checkpoint=path))
    if found is not None:
        for name in METHODS:
            np.testing.assert_array_equal(found[name].x, whole[name].x)
            np.testing.assert_array_equal(found[name].judged, whole[name].judged)


@examples(2)
@given(data=st.data())
def test_forged_checkpoints_of_comparisons(data, written, tmp_path_factory):
    """Arrays that are not what they should be, under a right checksum and for the right problem."""
    content, _ = written
    path = tmp_path_factory.getbasetemp() / "forged_comparison.npz"
    path.write_bytes(content)
    found, about = npz.load(path)
    for key in data.draw(st.lists(st.sampled_from(sorted(found)), max_size=2, unique=True)):
        if data.draw(st.booleans()):
            del found[key]
        else:
            shape = data.draw(st.sampled_from([(), (1, 2), (3, 2), (3,), (0, 2)]))
            with np.errstate(all="ignore"):
                found[key] = np.full(shape, data.draw(st.floats())).astype(
                    data.draw(st.sampled_from(["f8", "i4", "c16", "U3"]))
                )
    npz.save(path, "comparison checkpoint", found, about)
    refused_or(lambda: compare(BOWL, METHODS, **COMPARED, checkpoint=path))


@examples(1)
@given(name=ANYTHING, other=ANYTHING)
def test_names_of_methods(name, other, written):
    refused_or(lambda: written[1][name])
    refused_or(lambda: written[1].difference(name, other))


# --------------------------------------------------------------------------------------- potentials


@examples(2)
@given(
    x=arrays(),
    which=st.sampled_from(["energy", "gradient", "laplacian"]),
    kind=st.sampled_from(["writes", "itself", "nothing", "more"]),
)
def test_functions_of_blocks(x, which, kind):
    """Points are never written to, and answers are never the points themselves."""
    block, before = meaning(x, 2), bits(x)

    def answer(x):
        if kind == "writes":
            x *= 2
        return {"writes": x, "itself": x, "nothing": None, "more": np.ones((len(x) + 1, 2))}[kind]

    U = Potential(
        lambda x: answer(x) if which == "energy" else x[:, 0],
        lambda x: answer(x) if which != "energy" else x,
        2,
    )
    with np.errstate(all="ignore"):
        found = refused_or(lambda: getattr(U, which)(x))
    assert bits(x) == before
    if found is not None:
        assert kind == "itself" and which != "energy" and not np.shares_memory(found, np.asarray(x))
        if which == "gradient":
            np.testing.assert_array_equal(np.atleast_2d(found), block)


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
