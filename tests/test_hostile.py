"""Hostile input, made by Hypothesis: every call ends in a right answer or in one clear sentence,
and soon.

A few examples each in the default run, some ten thousand in all by ``make test-all`` (the profile
in `conftest.py`).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hostile import ANYTHING, JUNK, NUMBERS, SIZES, Odd, arrays, bits, examples, meaning, refused_or
from hypothesis import given
from hypothesis import strategies as st

import langevin_sa as lsa
from langevin_sa import (
    CoolMomentum,
    Langevin,
    Momentum,
    Potential,
    Result,
    Schedule,
    State,
    anneal,
    compare,
    cooling_rates,
    potentials,
    schedules,
    simulate,
    statistics,
    thermometers,
)
from langevin_sa.arguments import whole
from langevin_sa.cli import main
from langevin_sa.optimizers import SGD, Adam, RMSprop

BOWL = Potential.from_formula("x**2/2 + y**2", bounds=(-2, 2))
FUNCTIONS = Potential(
    lambda x: x[:, 0] ** 2 / 2 + x[:, 1] ** 2, lambda x: x * [1, 2], 2, bounds=(-2, 2)
)
RAMP = Schedule(schedules.exponential(1.0, 0.1), 1.0, 0.05)
RUN = anneal(BOWL, None, RAMP, 20, replicas=3, rng=1, record_every=5, samples=True)


# ------------------------------------------------------------------------------------------- arrays


@examples(2)
@given(
    x=arrays(),
    potential=st.sampled_from([BOWL, FUNCTIONS]),
    what=st.sampled_from(["energy", "gradient", "laplacian", "check_gradient"]),
)
def test_points_of_a_potential(x, potential, what):
    block = meaning(x, 2, empty=what != "check_gradient")
    with np.errstate(all="ignore"):
        found = refused_or(lambda: getattr(potential, what)(x))
        if found is None:
            return
        assert block is not None, f"{what} took {x!r}"
        if what == "check_gradient":
            return
        expected = getattr(BOWL, what)(block)
        if what == "laplacian" and not (np.abs(block) < 1e5).all():
            return  # by differences for array functions
        wide = np.asarray(x).dtype.itemsize > 4 or np.asarray(x).dtype.kind != "f"
        np.testing.assert_allclose(
            np.atleast_1d(found).reshape(expected.shape),
            expected,
            rtol=1e-5 if potential is FUNCTIONS or not wide else 1e-12,
        )


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


# ---------------------------------------------------------------------------------------- arguments

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


# ---------------------------------------------------------------------------------------- schedules


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


# --------------------------------------------------------------------------------------- potentials


@examples(2)
@given(data=st.data())
def test_makers_of_potentials(data):
    terms = {"formula": "a*x**2 + y**2", "site": "x**2", "bond": "(x - y)**2", "pair": "1/r"}
    chosen = data.draw(st.lists(st.sampled_from(sorted(terms)), unique=True, max_size=3))
    numbers = {
        "dim": SIZES,
        "shape": st.one_of(ANYTHING, st.lists(SIZES, max_size=3)),
        "particles": SIZES,
        "space": SIZES,
        "cutoff": ANYTHING,
        "box": ANYTHING,
        "species": ANYTHING,
        "bounds": st.one_of(ANYTHING, arrays()),
        "minima": st.one_of(ANYTHING, arrays()),
        "periodic": st.one_of(st.booleans(), JUNK),
        "a": st.one_of(ANYTHING, st.just(1.0)),
        "variables": JUNK,
        "minimum_energy": ANYTHING,
    }
    odd = {
        name: data.draw(numbers[name], label=name)
        for name in data.draw(st.lists(st.sampled_from(sorted(numbers)), max_size=4, unique=True))
    }
    if any(whole(v) and abs(int(v)) > 1000 for v in odd.values()):
        odd = {k: v for k, v in odd.items() if k not in ("dim", "particles", "space", "shape")}
    arguments = (
        {"dim": 2}
        | {kind: terms[kind] for kind in chosen}
        | ({"a": 1.0} if "formula" in chosen else {})
        | odd
    )
    made = refused_or(lambda: Potential.from_formula(**arguments))
    if made is not None:
        x = np.random.default_rng(0).uniform(0.3, 1, (2, made.dim))
        assert made.energy(x).shape == (2,) and made.gradient(x).shape == x.shape


@examples(2)
@given(data=st.data(), name=st.sampled_from(sorted(potentials.catalogue())))
def test_the_catalogue(data, name):
    import inspect

    make = potentials.catalogue()[name]
    parameters = [p for p in inspect.signature(make).parameters if p not in ("seed",)]
    small = st.one_of(
        st.integers(-2, 8),
        st.floats(-3, 3),
        JUNK,
        st.sampled_from([np.nan, np.inf, 1e300, [1.0, 2.0], (4, 4), (2,), (0, 3)]),
    )
    odd = {p: data.draw(small, label=p) for p in parameters if data.draw(st.booleans())}
    made = refused_or(lambda: make(**odd))
    if made is not None:
        assert isinstance(made, Potential) and repr(made)
        energy = made.energy(made.draw_start(2, np.random.default_rng(0)))
        assert energy.shape == (2,)


@examples(1)
@given(
    energy=st.one_of(JUNK, st.just(lambda x: (x**2).sum(1))),
    gradient=st.one_of(JUNK, st.just(lambda x: 2 * x)),
    dim=SIZES,
    args=JUNK,
    bounds=arrays(),
)
def test_array_potentials(energy, gradient, dim, args, bounds):
    made = refused_or(lambda: Potential(energy, gradient, dim, args, bounds))
    if made is not None and energy is not len and energy is not Odd:
        refused_or(lambda: made.energy(np.ones((2, made.dim))))


# ------------------------------------------------------------------------- thermometers, statistics


@examples(2)
@given(
    x=arrays(),
    y=arrays(),
    number=ANYTHING,
    which=st.sampled_from(
        [
            "blocking",
            "average",
            "eq22",
            "kinetic",
            "configurational",
            "virial",
            "density",
            "bootstrap",
            "wilson",
        ]
    ),
)
def test_thermometers_and_statistics(x, y, number, which):
    call = {
        "blocking": lambda: thermometers.blocking(x),
        "average": lambda: thermometers.average(x),
        "eq22": lambda: thermometers.eq22(x, number),
        "kinetic": lambda: thermometers.kinetic(x, 1.0, number),
        "configurational": lambda: thermometers.configurational(BOWL, x),
        "virial": lambda: thermometers.virial(BOWL, x),
        "density": lambda: thermometers.boltzmann_density(BOWL, number, [x, y]),
        "bootstrap": lambda: statistics.bootstrap_mean(x),
        "wilson": lambda: statistics.wilson(number, 3),
    }[which]
    with np.errstate(all="ignore"):
        refused_or(call)


# ----------------------------------------------------------------------------------------- formulas

ATOMS = st.sampled_from(
    [
        "x",
        "y",
        "a",
        "pi",
        "e",
        "1",
        "2",
        "0.5",
        "3.7",
        "0",
        "1e300",
        "1e-300",
        "9",
        "64",
        "65",
        "-1",
        "1e5",
        "x1",
        "λ",
    ]
)
CODE = [
    "__import__('os').system('touch {}')",
    "open('{}','w')",
    "(lambda: open('{}','w'))()",
    "[c for c in ().__class__.__bases__]",
    "x.__class__",
    "exec('1')",
    "eval('1')",
    "globals()",
    "print(x)",
    "f'{{x}}'",
    "x if x else y",
    "(x:=1)",
    "*x",
    "**x",
    "x;y",
    "import os",
    "x\n+y",
    "x#y",
    "\\x00",
    "sin.__globals__",
    "x@y",
    "x//y",
    "x<<9999999",
    "9**9**9",
    "not x",
    "x in y",
    "await x",
    "yield x",
    "()",
    "'a'*999999999",
    "{{}}",
    "0x7f",
    "1_000",
]
FUNCTION = st.sampled_from(
    [
        "sqrt",
        "exp",
        "log",
        "sin",
        "cos",
        "tan",
        "asin",
        "acos",
        "atan",
        "sinh",
        "cosh",
        "tanh",
        "abs",
        "sign",
        "Abs",
        "zeta",
    ]
)


def grow(inner):
    operators = st.sampled_from([" + ", " - ", "*", "/", "**", "**-", "^", "//", " "])
    return st.one_of(
        st.tuples(inner, operators, inner).map("".join),
        st.tuples(FUNCTION, inner).map(lambda p: f"{p[0]}({p[1]})"),
        inner.map(lambda t: f"({t})"),
        inner.map(lambda t: f"-{t}"),
    )


EXPRESSIONS = st.recursive(ATOMS, grow, max_leaves=12)
TEXTS = st.text(
    st.sampled_from("xya01239.+-*/()^ ,=e_sincolgqrtp[]{}:'\"\\\n\tλ\x00é"), max_size=40
)


@examples(5)
@given(
    text=st.one_of(
        TEXTS,
        st.text(max_size=30),
        st.tuples(st.sampled_from(CODE), EXPRESSIONS).map("+".join),
        st.tuples(EXPRESSIONS, TEXTS).map("".join),
    )
)
def test_formulas_are_never_executed(text, tmp_path_factory):
    canary = tmp_path_factory.getbasetemp() / "canary"
    seen = []
    watch.append(seen)
    try:
        refused_or(lambda: Potential.from_formula(text.replace("{}", str(canary))))
    finally:
        watch.remove(seen)
    assert not canary.exists() and not seen, seen


watch: list[list[str]] = []


def audit(event, arguments):
    if watch and event in (
        "os.system",
        "subprocess.Popen",
        "os.exec",
        "socket.connect",
        "shutil.rmtree",
        "os.remove",
    ):
        watch[-1].append(event)


sys.addaudithook(audit)


@examples(5)
@given(text=EXPRESSIONS, kind=st.sampled_from(["formula", "formula", "site", "pair"]))
def test_expressions(text, kind):
    """Read and finite or refused, in bounded time; energies are numbers, whatever they are."""
    sizes = {"formula": {}, "site": {"dim": 2}, "pair": {"particles": 2, "space": 1}}[kind]
    text = (
        text.replace("x1", "x").replace("λ", "x")
        if kind == "site"
        else text.replace("x1", "r").replace("x", "r")
        if kind == "pair"
        else text
    )
    made = refused_or(
        lambda: Potential.from_formula(
            **{kind: text}, **sizes, **({"a": 0.5} if "a" in text and kind != "formula" else {})
        )
    )
    if made is not None:
        x = np.full((2, made.dim), 0.7) + 0.1 * np.arange(made.dim)
        assert (
            made.energy(x).shape == (2,)
            and made.gradient(x).shape == x.shape
            and made.laplacian(x).shape == (2,)
        )


@pytest.mark.parametrize("n", [4, 9, 19, 100, 3000])
@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        "sin(",
        "-",
        "x+",
        "x**",
        "x*",
        "((x)+",
        "1/",
        "x/(x+",
        "exp(x)*",
        "x**(x+",
        "sqrt(x+",
        "x/(y+z/(1+",
    ],
)
def test_long_formulas(pattern, n):
    """Long and deep ones are refused, or made, in bounded time."""
    opened = pattern.count("(") - pattern.count(")")
    refused_or(lambda: Potential.from_formula(pattern * n + "x" + ")" * (opened * n)))


# -------------------------------------------------------------------------------------------- files


def filled(shape, value, dtype):
    with np.errstate(all="ignore"):
        return np.full(shape, value).astype(dtype)


def written():
    files = {}
    for name, thing in (("state", RUN.state), ("result", RUN)):
        files[name] = Path(os.environ.get("TMPDIR", "/tmp")) / f"hostile_{os.getpid()}_{name}.npz"
        thing.save(files[name])
    data = {name: path.read_bytes() for name, path in files.items()}
    for path in files.values():
        path.unlink()
    return data


FILES = written()


def damaged(data, draw):
    """The bytes after one kind of damage."""
    kind = draw(st.sampled_from(["cut", "flip", "swap", "zero", "repeat", "splice", "random"]))
    at, length = draw(st.integers(0, len(data) - 1)), draw(st.integers(1, 200))
    if kind == "cut":
        return data[:at]
    if kind == "flip":
        return data[:at] + bytes([data[at] ^ (1 << draw(st.integers(0, 7)))]) + data[at + 1 :]
    if kind == "swap":
        return data[:at] + data[at : at + length][::-1] + data[at + length :]
    if kind == "zero":
        return data[:at] + bytes(min(length, len(data) - at)) + data[at + length :]
    if kind == "repeat":
        return data[:at] + data[at : at + length] * 2 + data[at + length :]
    if kind == "splice":
        other = FILES[draw(st.sampled_from(sorted(FILES)))]
        return data[:at] + other[at:]
    return draw(st.binary(max_size=300))


@examples(6)
@given(
    data=st.data(), name=st.sampled_from(["state", "result"]), cls=st.sampled_from([State, Result])
)
def test_damaged_files(data, name, cls, tmp_path_factory):
    """Refused, or read as it was written."""
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    path.write_bytes(damaged(FILES[name], data.draw))
    found = refused_or(lambda: cls.load(path))
    if found is not None:
        state = found if cls is State else found.state
        for key in ("x", "dx", "noise", "best_x", "best_energy"):
            np.testing.assert_array_equal(getattr(state, key), getattr(RUN.state, key))
        assert (state.step, state.seed) == (RUN.state.step, RUN.state.seed)


@examples(2)
@given(
    data=st.data(),
    keys=st.lists(
        st.sampled_from(
            ["x", "dx", "noise", "best_x", "best_energy", "about", "sha256", "state_x", "odd"]
        ),
        unique=True,
    ),
)
def test_forged_files(data, keys, tmp_path_factory):
    """Arrays and facts that are not what they should be, under a right checksum: no state of a run,
    or one that a run refuses.
    """
    from langevin_sa.storage import npz

    path = tmp_path_factory.getbasetemp() / "forged.npz"
    shapes = st.sampled_from([(), (1, 2), (3, 2), (3,), (0, 2)])
    made = {
        k: filled(
            data.draw(shapes),
            data.draw(st.floats()),
            data.draw(st.sampled_from(["f8", "f4", "i4", "c16"])),
        )
        for k in keys
        if k not in ("about", "sha256")
    }
    about = {
        key: data.draw(
            st.one_of(st.integers(), st.floats(allow_nan=False), st.text(max_size=3), st.none())
        )
        for key in ("step", "seed")
        if data.draw(st.booleans())
    }
    npz.save(path, data.draw(st.sampled_from(["state", "result", "checkpoint"])), made, about)
    state = refused_or(lambda: State.load(path))
    if state is not None:
        refused_or(lambda: anneal(BOWL, None, RAMP, 100, state=state))
    refused_or(lambda: Result.load(path))
    refused_or(lambda: anneal(BOWL, [0.1, 0.1], RAMP, 3, rng=1, checkpoint=path))


@pytest.mark.parametrize("content", ["object", "pickle"])
def test_pickles_are_refused(tmp_path, content):
    import pickle

    class Bomb:
        def __reduce__(self):
            return (os.system, (f"touch {tmp_path / 'canary'}",))

    path = tmp_path / "a.npz"
    if content == "pickle":
        path.write_bytes(pickle.dumps(Bomb()))
    else:
        np.savez(path, x=np.array([Bomb()], dtype=object))
    for load in (
        State.load,
        Result.load,
        lambda p: anneal(BOWL, [0.0, 0.0], RAMP, 3, checkpoint=p),
    ):
        with pytest.raises(ValueError, match="not a whole langevin_sa file"):
            load(path)
    np.save(tmp_path / "s.npy", np.array([Bomb()], dtype=object))
    with pytest.raises(ValueError, match="is there already"):
        anneal(BOWL, [0.0, 0.0], RAMP, 3, samples=tmp_path / "s.npy")
    assert not (tmp_path / "canary").exists()


TOML = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=60).map(str.encode),
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    "dim",
                    "steps",
                    "T0",
                    "name",
                    "formula",
                    "param",
                    "seed",
                    "dt",
                    "schedule",
                    "replicas",
                    "odd",
                    "config",
                    "save",
                ]
            ),
            st.sampled_from(
                [
                    "1",
                    "-1",
                    "0",
                    "2.5",
                    "nan",
                    "inf",
                    "'x'",
                    "'harmonic'",
                    "'x**2'",
                    "[1, 2]",
                    "{a = 1}",
                    "true",
                    "2020-01-01",
                    "99999999999999999999",
                    "''",
                ]
            ),
        ),
        max_size=4,
    ).map(lambda lines: "\n".join(f"{k} = {v}" for k, v in lines).encode()),
)


@examples(2)
@given(content=TOML)
def test_toml_files(content, tmp_path_factory):
    """Exit code 0, or 1 or 2 with one line of error."""
    folder = tmp_path_factory.getbasetemp()
    path = folder / "c.toml"
    path.write_bytes(content)
    options = [] if b"save" in content else ["--save", str(folder / "out.npz")]
    outcome(
        [
            "anneal",
            "--config",
            str(path),
            "--steps",
            "3",
            "--replicas",
            "2",
            "--no-progress",
            *options,
        ]
    )


ODD_OPTIONS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "--dim",
                "--T0",
                "--T1",
                "--gamma",
                "--dt",
                "--steps",
                "--replicas",
                "--seed",
                "--target",
                "--max-seconds",
                "--param",
                "--schedule",
                "--integrator",
                "--dtype",
                "--rho0",
                "--formula",
                "--odd",
            ]
        ),
        st.sampled_from(
            [
                "1",
                "0",
                "-1",
                "2",
                "nan",
                "inf",
                "-inf",
                "1e300",
                "1e-300",
                "x",
                "",
                "a=1",
                "a=",
                "gjf",
                "linear",
                "float32",
                "x**2",
                "9" * 30,
            ]
        ),
    ),
    max_size=4,
)


@examples(2)
@given(options=ODD_OPTIONS)
def test_the_command(options):
    outcome(
        [
            "anneal",
            "double_well",
            "--steps",
            "3",
            "--replicas",
            "2",
            "--no-progress",
            *(word for pair in options for word in pair),
        ]
    )


def outcome(arguments):
    """Run the command; no traceback, no NaN as a result."""

    def call():
        done = CliRunner().invoke(main, arguments)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code in (0, 1, 2) and (done.exit_code == 0) == (done.exception is None), (
            done.output
        )
        if done.exit_code:
            assert "Error: " in done.output, done.output
        else:
            assert "best energy  nan" not in done.output, done.output

    refused_or(call)
