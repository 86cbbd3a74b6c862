"""Bad input gets one clear sentence, before any step is made: what was given, what was expected."""

from __future__ import annotations

import re

import numpy as np
import pytest

from langevin_sa import (
    CoolMomentum,
    FormulaError,
    Langevin,
    Momentum,
    Potential,
    Schedule,
    anneal,
    schedules,
    simulate,
)
from langevin_sa.backends.cpu.blocks import BlockBackend
from langevin_sa.backends.cpu.functions import ArrayBackend
from langevin_sa.backends.numpy import NumpyBackend
from langevin_sa.tuning import automatic_schedule

FORMULA = Potential.from_formula
HARMONIC = FORMULA("x**2/2")
SCHEDULE = Schedule(temperature=1.0, gamma=1.0, dt=0.1)
STATE = anneal(HARMONIC, [0.0], SCHEDULE, 10, rng=1).state


@pytest.fixture(autouse=True)
def no_steps(monkeypatch):
    """Fail if a backend is asked to make a step."""
    for backend in (NumpyBackend, ArrayBackend, BlockBackend):

        def advance(self, steps, real=backend.advance):
            if len(steps.rho):
                pytest.fail("a step was made before the input was refused")
            real(self, steps)

        monkeypatch.setattr(backend, "advance", advance)


def refused(call, error, fragment):
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value)
    assert type(caught.value) is error, message
    assert re.search(fragment, message), message
    assert "\n" not in message and len(message) < 400, message


def squares(x):
    return (x**2).sum(1)


def double(x):
    return 2 * x


def arrays(energy=squares, gradient=double, dim=1, **keywords):
    return Potential(energy, gradient, dim, **keywords)


STARTS = {
    "columns": (
        np.zeros((3, 2)),
        ValueError,
        r"x0 must have shape \(1,\) or \(replicas, 1\) .* not \(3, 2\)",
    ),
    "three axes": (np.zeros((1, 1, 1)), ValueError, r"not \(1, 1, 1\)"),
    "empty": ([], ValueError, r"x0 must have shape .* not \(0,\)"),
    "no replicas": (np.zeros((0, 1)), ValueError, r"not \(0, 1\)"),
    "text": ("here", TypeError, "x0 must be an array of real numbers, .* not 'here'"),
    "ragged": ([[1.0], [1.0, 2.0]], TypeError, "array of real numbers"),
    "complex": ([1j], TypeError, r"array of real numbers.* not \[1j\]"),
    "dates in a list": (
        np.array([np.datetime64("2020")], dtype=object),
        TypeError,
        "array of real numbers",
    ),
    "masked": (np.ma.array([1.0], mask=[True]), TypeError, "none of them masked, not masked_array"),
    "dates": (np.array(["2020-01-01"], dtype="M8[D]"), TypeError, "array of real numbers"),
    "nan": ([np.nan], ValueError, "x0 must be finite, and is nan at replica 0, coordinate 0"),
    "inf": ([[0.0], [np.inf]], ValueError, "is inf at replica 1"),
}


@pytest.mark.parametrize(("x0", "error", "fragment"), STARTS.values(), ids=STARTS)
def test_start(x0, error, fragment):
    refused(lambda: anneal(HARMONIC, x0, SCHEDULE, 10), error, fragment)
    refused(lambda: simulate(HARMONIC, x0, SCHEDULE, 10), error, fragment)


@pytest.mark.parametrize(
    ("formula", "x0", "fragment"),
    [
        ("log(x)", [[1.0], [-1.0]], "energy of log.x. is nan at the starting point of replica 1"),
        (
            "exp(x) + 0*x",
            [1e4],
            "energy of .* is inf at the starting point of replica 0; start where it is finite",
        ),
    ],
)
@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_energy_at_the_start(formula, x0, fragment, backend):
    refused(
        lambda: anneal(FORMULA(formula), x0, Schedule(1.0, 1.0, 1e-3), 10, backend=backend),
        ValueError,
        fragment,
    )


def once_negative(s):
    return np.where(np.abs(s - 0.5) < 1e-9, -1.0, 1.0)


SCHEDULES = {
    "negative T": (Schedule(-1.0), ValueError, "temperature must be >= 0, and is -1 at step 0"),
    "nan T": (
        Schedule(np.nan),
        ValueError,
        "temperature is nan at progress 0; every value must be finite",
    ),
    "T is text": (
        Schedule("hot"),
        TypeError,
        "temperature must be a number or a callable of progress s in .* not 'hot'",
    ),
    "T is an array": (
        Schedule([1.0, 2.0]),
        TypeError,
        r"temperature must be a number or a callable .* not \[1.0, 2.0\]",
    ),
    "negative gamma": (Schedule(1.0, -1.0), ValueError, "gamma must be >= 0, and is -1"),
    "nan gamma": (Schedule(1.0, np.nan), ValueError, "gamma is nan"),
    "negative dt": (Schedule(1.0, 1.0, -0.1), ValueError, "dt must be > 0, and is -0.1"),
    "zero dt": (Schedule(1.0, 1.0, 0.0), ValueError, "dt must be > 0, and is 0"),
    "inf dt": (Schedule(1.0, 1.0, np.inf), ValueError, "dt is inf"),
    "T negative once": (
        Schedule(once_negative),
        ValueError,
        "temperature must be >= 0, and is -1 at step 5",
    ),
    "gamma negative once": (
        Schedule(1.0, once_negative),
        ValueError,
        "gamma must be >= 0, and is -1 at step 5",
    ),
    "law of wrong shape": (
        Schedule(lambda s: np.ones(3)),
        ValueError,
        r"temperature gave an array of shape \(3,\) for 1 progress values",
    ),
    "law without value": (
        Schedule(lambda s: None),
        TypeError,
        "temperature must return real numbers; at progress 0 it gives None",
    ),
    "dt beyond stability": (
        Schedule(1.0, 1.0, 3.0),
        ValueError,
        r"beyond stability: omega\*dt = 3 .* below 2 .* make dt 1.5 times smaller$",
    ),
    "a number": (1.0, TypeError, "schedule must be a Schedule, CoolMomentum or Momentum, not 1.0"),
    "a name": ("exponential", TypeError, "schedule must be a Schedule, .* not 'exponential'"),
    "only a law": (
        schedules.linear(1.0, 0.0),
        TypeError,
        "schedule must be a Schedule, .* not linear",
    ),
    "rho > 1": (
        Momentum(1.5, 0.1),
        ValueError,
        r"rho must be in \(-1, 1\], and rho = 1.5 at step 0",
    ),
    "rho -1": (Momentum(-1.0, 0.1), ValueError, r"rho must be in \(-1, 1\], and rho = -1"),
    "lr negative": (Momentum(0.5, -0.1), ValueError, "lr must be positive, and lr = -0.1"),
    "s negative": (
        Momentum(0.5, 0.1, -1.0),
        ValueError,
        "noise amplitude s must not be negative, and s = -1",
    ),
    "noise without friction": (
        Momentum(1.0, 0.1, 1.0),
        ValueError,
        "noise with rho = 1 .* use rho < 1 or s = 0",
    ),
    "rho is text": (
        Momentum("high", 0.1),
        TypeError,
        "rho must be a number or a callable .* not 'high'",
    ),
}


@pytest.mark.parametrize(("schedule", "error", "fragment"), SCHEDULES.values(), ids=SCHEDULES)
def test_schedule(schedule, error, fragment):
    refused(lambda: anneal(HARMONIC, [0.0], schedule, 10), error, fragment)


def test_a_law_that_turns_negative_late():
    late = Schedule(lambda s: np.where(s > 0.9999, -1.0, 1.0))
    refused(
        lambda: anneal(HARMONIC, [0.0], late, 150_000),
        ValueError,
        "temperature must be >= 0, and is -1 at step 149986",
    )


@pytest.mark.parametrize("integrator", ["ermak_mccammon", "leimkuhler_matthews"])
def test_overdamped_without_friction(integrator):
    refused(
        lambda: anneal(HARMONIC, [0.0], Schedule(1.0, 0.0), 10, integrator=integrator),
        ValueError,
        "gamma must be > 0; .* use bbk",
    )


ARGUMENTS = {
    "integrator": (
        dict(integrator="gjff"),
        ValueError,
        "unknown integrator 'gjff'; did you mean 'gjf'. Known: baoab, bbk",
    ),
    "no integrator": (dict(integrator=None), ValueError, "unknown integrator None"),
    "backend": (
        dict(backend="numbaa"),
        ValueError,
        "unknown backend 'numbaa'; did you mean 'numba'",
    ),
    "dtype": (
        dict(dtype="float16"),
        ValueError,
        "dtype must be 'float64' or 'float32', not 'float16'",
    ),
    "unknown dtype": (
        dict(dtype="flaot64"),
        ValueError,
        "dtype must be 'float64' or 'float32', not 'flaot64'",
    ),
    "replicas 0": (
        dict(replicas=0),
        ValueError,
        "replicas must be an integer of at least 1, not 0",
    ),
    "replicas -1": (
        dict(replicas=-1),
        ValueError,
        "replicas must be an integer of at least 1, not -1",
    ),
    "replicas 2.5": (
        dict(replicas=2.5),
        TypeError,
        "replicas must be an integer of at least 1, not 2.5",
    ),
    "replicas True": (
        dict(replicas=True),
        TypeError,
        "replicas must be an integer of at least 1, not True",
    ),
    "replicas disagree": (
        dict(x0=[[0.0], [1.0]], replicas=3),
        ValueError,
        "x0 has 2 replicas and replicas = 3",
    ),
    "n_steps 0": (dict(n_steps=0), ValueError, "n_steps must be an integer of at least 1, not 0"),
    "n_steps float": (
        dict(n_steps=10.0),
        TypeError,
        "n_steps must be an integer of at least 1, not 10.0",
    ),
    "record_every 0": (
        dict(record_every=0),
        ValueError,
        "record_every must be an integer of at least 1, not 0",
    ),
    "record_every float": (
        dict(record_every=1.5),
        TypeError,
        "record_every must be an integer of at least 1, not 1.5",
    ),
    "threads 0": (dict(threads=0), ValueError, "threads must be an integer of at least 1, not 0"),
    "rng text": (
        dict(rng="seed"),
        TypeError,
        "rng must be None, an int or a numpy.random.Generator, not str",
    ),
    "rng float": (dict(rng=1.0), TypeError, "rng must be .* not float"),
    "rng True": (dict(rng=True), TypeError, "rng must be .* not bool"),
    "rng RandomState": (
        dict(rng=np.random.RandomState(1)),
        TypeError,
        "rng must be .* not RandomState",
    ),
    "rng negative": (dict(rng=-1), ValueError, r"a seed must be in \[0, 2\*\*64\), not -1"),
    "rng large": (
        dict(rng=2**64),
        ValueError,
        r"a seed must be in \[0, 2\*\*64\), not 18446744073709551616",
    ),
    "state and x0": (
        dict(state=STATE, n_steps=20),
        ValueError,
        "either state, or x0, replicas and rng",
    ),
    "state and rng": (
        dict(state=STATE, x0=None, rng=1, n_steps=20),
        ValueError,
        "either state, or x0, replicas and rng",
    ),
    "state at the end": (
        dict(state=STATE, x0=None),
        ValueError,
        "state is at step 10, and n_steps = 10 leaves nothing to do",
    ),
    "state is none": (
        dict(state="run.npz", x0=None),
        TypeError,
        "state must be a State .* not str",
    ),
    "potential": (
        dict(potential=squares),
        TypeError,
        r"potential must be a Potential \(see Potential.from_formula\), not function",
    ),
    "patience 0": (dict(patience=0), ValueError, "patience must be positive, not 0"),
    "patience nan": (dict(patience=np.nan), TypeError, "patience must be a number, not nan"),
    "max_seconds": (dict(max_seconds=-1.0), ValueError, "max_seconds must be positive, not -1.0"),
    "workers": (
        dict(workers=0),
        ValueError,
        "workers must be from 1 to 4096, or -1 for one a processor, not 0",
    ),
    "workers text": (
        dict(workers="all"),
        TypeError,
        "workers must be an int or a callable like map",
    ),
    "noise": (dict(noise="gaussian"), ValueError, "unknown noise 'gaussian'"),
    "callback": (
        dict(callback=3),
        TypeError,
        "callback must be a function of intermediate_result, not int",
    ),
    "checkpoint": (
        dict(checkpoint="/no/such/folder/a.npz"),
        ValueError,
        "'/no/such/folder/a.npz' must be a file in a folder",
    ),
    "checkpoint is a folder": (dict(checkpoint="/"), ValueError, "'/' must be a file in a folder"),
    "checkpoint is a number": (
        dict(checkpoint=3),
        TypeError,
        "checkpoint must be the path of a file, not 3",
    ),
    "checkpoint_seconds": (
        dict(checkpoint_seconds=-1),
        ValueError,
        "checkpoint_seconds must be a number >= 0, not -1",
    ),
    "samples": (
        dict(samples=3),
        TypeError,
        "samples must be True, False or the path of a file, not 3",
    ),
    "samples in no folder": (
        dict(samples="/no/such/folder/a.npy"),
        ValueError,
        "'/no/such/folder/a.npy' must be a file in a folder",
    ),
    "stop_below text": (
        dict(stop_below="low"),
        TypeError,
        "stop_below must be a number, not 'low'",
    ),
    "stop_below nan": (dict(stop_below=np.nan), TypeError, "stop_below must be a number, not nan"),
}


@pytest.mark.parametrize(("keywords", "error", "fragment"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_argument(keywords, error, fragment):
    refused(
        lambda: anneal(
            **{"potential": HARMONIC, "x0": [0.0], "schedule": SCHEDULE, "n_steps": 10} | keywords
        ),
        error,
        fragment,
    )


def test_state_of_another_dim():
    refused(
        lambda: anneal(FORMULA("x + y"), None, SCHEDULE, 20, state=STATE),
        ValueError,
        r"positions of shape \(1, 1\); x \+ y needs",
    )


def test_state_that_is_not_finite():
    broken = type(STATE)(**{**vars(STATE), "dx": np.full_like(STATE.dx, np.nan)})
    refused(
        lambda: anneal(HARMONIC, None, SCHEDULE, 20, state=broken),
        ValueError,
        "x, dx and noise must be finite and of one shape",
    )


FUNCTIONS = {
    "sum over all": (
        arrays(lambda x: (x**2).sum()),
        r"energy of .* returned shape \(\) for x of shape \(3, 1\); expected \(3,\)",
    ),
    "one a coordinate": (
        arrays(lambda x: x**2),
        r"energy of .* returned shape \(3, 1\) .* expected \(3,\)",
    ),
    "no energy": (arrays(lambda x: None), r"energy of .* returned shape \(\)"),
    "complex energies": (
        arrays(lambda x: squares(x) + 0j),
        "energy of .* returned complex128 values; expected real numbers",
    ),
    "energies as text": (
        arrays(lambda x: np.array(["low"] * len(x))),
        "energy of .* returned str.* values; expected real numbers",
    ),
    "gradient summed": (
        arrays(gradient=lambda x: 2 * x.sum(1)),
        r"gradient of squares returned shape \(3,\) .* expected \(3, 1\)",
    ),
    "gradient missing": (
        arrays(gradient=lambda x: None),
        r"gradient of squares returned shape \(\)",
    ),
}


@pytest.mark.parametrize(("potential", "fragment"), FUNCTIONS.values(), ids=FUNCTIONS)
@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_functions_of_wrong_shape(potential, fragment, backend):
    refused(
        lambda: anneal(potential, [[0.0], [1.0], [2.0]], SCHEDULE, 10, backend=backend),
        ValueError,
        fragment,
    )


def test_gradient_that_disagrees():
    wrong = arrays(gradient=lambda x: 1.9 * x)
    refused(
        lambda: anneal(wrong, [1.0], SCHEDULE, 10, check_gradient=True),
        ValueError,
        "gradient of squares disagrees .* by 0.05 of its size",
    )
    wrong = arrays(gradient=lambda x: -2 * x)
    refused(
        lambda: anneal(wrong, [1.0], SCHEDULE, 10, check_gradient=True),
        ValueError,
        "gradient of squares disagrees .* by 2 of its size",
    )


NO_PART = "is not allowed in a formula: use numbers, names, "
FORMULAS = {
    "unfinished": ("x +", "cannot read the formula 'x .': expected an expression like"),
    "empty": ("", "cannot read the formula ''"),
    "two names": ("x y", "cannot read the formula 'x y'"),
    "implied product": ("2x", "cannot read the formula '2x'"),
    "open bracket": ("(x", "cannot read"),
    "statement": ("import os", "cannot read the formula 'import os'"),
    "assignment": ("x = 1", "cannot read"),
    "import": ("__import__('os').system('true')", "double underscore"),
    "hidden attribute": ("x.__class__", "double underscore"),
    "attribute": ("x.real", "'x.real' " + NO_PART),
    "method": ("x.sum()", r"'x.sum\(\)' " + NO_PART),
    "lambda": ("lambda x: x", "'lambda x: x' " + NO_PART),
    "comprehension": ("[x for x in y]", "for x in y.* " + NO_PART),
    "subscript": ("x[0]", r"'x\[0\]' " + NO_PART),
    "string": ("'text'", "'text' is not a number that a formula can use"),
    "f-string": ("f'{x}'", NO_PART),
    "bytes": ("b'x'", "b'x' is not a number"),
    "comparison": ("x < 1", "'x < 1' " + NO_PART),
    "conditional": ("x if y else 1", "'x if y else 1' " + NO_PART),
    "logic": ("x and y", NO_PART),
    "walrus": ("(x := 1)", NO_PART),
    "tuple": ("(x, y)", NO_PART),
    "remainder": ("x % 2", "'x % 2' " + NO_PART),
    "tilde": ("~x", "'~x' " + NO_PART),
    "keyword": ("sin(x=1)", r"sin takes one argument, in 'sin\(x=1\)'"),
    "two arguments": ("sin(x, y)", "sin takes one argument"),
    "star argument": ("sin(*x)", "sin takes one argument"),
    "caret": ("x^2", r"write powers as \*\*, not \^, in 'x\^2'"),
    "imaginary": ("x + 1j", "1j is not a number"),
    "True": ("True*x", "True is not a number"),
    "unknown function": (
        "siin(x)",
        "unknown function 'siin'; did you mean 'sin'. Known: abs, acos",
    ),
    "eval": ("eval(x)", "unknown function 'eval'"),
    "function without argument": ("sin*x", r"sin is a function: write sin\(...\) in 'sin.x'"),
    "huge": (
        "x + " * 6000 + "x",
        "the formula has 24001 characters, more than 20000; use array functions",
    ),
    "many terms": ("+".join(f"x{i}" for i in range(2000)), "too many terms"),
    "nested": ("(" * 300 + "x" + ")" * 300, "cannot read the formula"),
    "tower": ("9**9**9**9 + x", "the exponent 387420489 is beyond 64"),
    "power of a tower": ("x**9**9", "the exponent 387420489 is beyond 64"),
    "power of powers": (
        "(((9**64)**64)**64)**64*x",
        r"'\(9 \*\* 64\) \*\* 64' is not a real number of at most 1e.300",
    ),
    "large exponent": ("x**65", "the exponent 65 is beyond 64"),
    "large number": ("1e400*x", "inf is not a number"),
    "large product": ("1e200*1e200*x", "'1e.200 . 1e.200' is not a real number of at most 1e.300"),
    "large function": ("exp(1000)*x", r"'exp\(1000\)' is not a real number of at most 1e.300"),
    "zero division": ("x + 1/0", "'1 / 0' is not a real number"),
    "not real": ("sqrt(-1)*x", r"'sqrt\(-1\)' is not a real number"),
    "arcsine of 2": ("asin(2)*x", r"'asin\(2\)' is not a real number"),
    "power of -2": ("(-2)**x", "in the formula or its derivatives, is not a real number"),
}


@pytest.mark.parametrize(("formula", "fragment"), FORMULAS.values(), ids=FORMULAS)
def test_formula(formula, fragment):
    refused(lambda: FORMULA(formula), FormulaError, fragment)


TERMS = {
    "no formula": (dict(), TypeError, "give a formula, or site=, bond= or pair="),
    "a number": (dict(formula=3), TypeError, "a formula must be a string, not int"),
    "no coordinates": (
        dict(formula="1 + pi"),
        ValueError,
        "'1 . pi' has no coordinates; name them with variables=",
    ),
    "unknown name": (
        dict(formula="a*x", variables=("x",)),
        FormulaError,
        r"'a' in the coordinates formula .* \(x\) nor a parameter; give it",
    ),
    "unknown name in site": (
        dict(site="a*x", dim=3),
        FormulaError,
        "'a' in the site formula .* give it as a=value",
    ),
    "unknown name in bond": (
        dict(bond="x*z", dim=3),
        FormulaError,
        r"'z' in the bond formula .* \(x, y\)",
    ),
    "x in pair": (dict(pair="1/x", particles=3), FormulaError, r"'x' in the pair formula .* \(r\)"),
    "misspelt argument": (
        dict(site="x**2", dim=3, periodc=True),
        FormulaError,
        "'periodc' is neither an argument of from_formula nor",
    ),
    "array too short": (
        dict(site="a*x", dim=3, a=[1.0, 2.0]),
        ValueError,
        r"'a' has shape \(2,\); .* one value a coordinate, 3",
    ),
    "array of other shape": (
        dict(site="a*x", shape=(2, 3), a=np.ones((3, 2))),
        ValueError,
        r"'a' has shape \(3, 2\)",
    ),
    "array in coordinates": (
        dict(formula="a*x", a=[1.0]),
        FormulaError,
        "'a' is an array, .* fits site and bond formulas, not coordinates",
    ),
    "array in pair": (
        dict(pair="a*r", particles=2, a=np.ones(6)),
        FormulaError,
        "'a' is an array, .* not pair",
    ),
    "parameter is text": (
        dict(site="a*x", dim=3, a="k"),
        TypeError,
        "parameter 'a' must be a number or an array of numbers, not 'k'",
    ),
    "parameter is nan": (
        dict(site="a*x", dim=3, a=np.nan),
        ValueError,
        "parameter 'a' must be finite, not nan",
    ),
    "parameter sin": (dict(formula="x", sin=1.0), ValueError, "a parameter cannot be called 'sin'"),
    "parameter e": (dict(formula="e*x", e=1.0), ValueError, "a parameter cannot be called 'e'"),
    "parameter x of site": (
        dict(site="x**2", dim=3, x=1.0),
        FormulaError,
        "'x' is a coordinate of the site formula",
    ),
    "variable and parameter": (
        dict(formula="a*x", variables=("a", "x"), a=1.0),
        FormulaError,
        "'a' is a coordinate of the coordinates formula",
    ),
    "variable twice": (
        dict(formula="x*y", variables=("x", "x", "y")),
        ValueError,
        "coordinate 'x' is there twice",
    ),
    "variable pi": (
        dict(formula="x", variables=("x", "pi")),
        ValueError,
        "a coordinate cannot be called 'pi'",
    ),
    "variable no name": (
        dict(formula="x", variables=("x", "a b")),
        ValueError,
        "variables must be names of coordinates, and 'a b' is none",
    ),
    "dim missing": (dict(site="x**2"), TypeError, "need dim=, the number of sites, or shape="),
    "dim disagrees": (
        dict(formula="x*y", dim=3),
        ValueError,
        "sizes disagree: the formula's coordinates = 2, dim = 3",
    ),
    "shape disagrees": (
        dict(site="x", dim=3, shape=(2, 2)),
        ValueError,
        "sizes disagree: dim = 3, the sites of shape = 4",
    ),
    "shape is a number": (
        dict(site="x", shape=3),
        TypeError,
        r"shape must be the numbers of sites along each axis, as in \(8, 8\), not 3",
    ),
    "shape without sites": (
        dict(formula="x", shape=(1,)),
        TypeError,
        "shape= goes with site= or bond=",
    ),
    "dim 0": (dict(site="x", dim=0), ValueError, "dim must be an integer of at least 1, not 0"),
    "dim float": (
        dict(site="x", dim=3.0),
        TypeError,
        "dim must be an integer of at least 1, not 3.0",
    ),
    "periodic text": (
        dict(bond="x*y", dim=3, periodic="no"),
        TypeError,
        "periodic must be True or False, not 'no'",
    ),
    "ring of one": (
        dict(bond="x*y", dim=1, periodic=True),
        ValueError,
        r"at least 2 sites along each axis, not \(1,\)",
    ),
    "particles without pair": (
        dict(site="x", particles=3),
        TypeError,
        "particles= goes with pair=",
    ),
    "pair without particles": (
        dict(pair="1/r"),
        TypeError,
        "pair= needs particles=, the number of particles",
    ),
    "particles -1": (
        dict(pair="1/r", particles=-1),
        ValueError,
        "particles must be an integer of at least 1, not -1",
    ),
    "space 2.5": (
        dict(pair="1/r", particles=3, space=2.5),
        TypeError,
        "space must be an integer of at least 1, not 2.5",
    ),
    "bounds reversed": (
        dict(formula="x", bounds=(1.0, -1.0)),
        ValueError,
        r"low < high, not \(1.0, -1.0\)",
    ),
    "bounds of wrong shape": (
        dict(formula="x*y", bounds=[1, 2, 3]),
        ValueError,
        r"one \(low, high\), or 2 of them, not \[1, 2, 3\]",
    ),
    "bounds infinite": (
        dict(formula="x", bounds=(0.0, np.inf)),
        ValueError,
        "must be finite with low < high",
    ),
    "minima of wrong shape": (
        dict(formula="x*y", minima=[[0.0, 0.0, 0.0]]),
        ValueError,
        r"minima must have shape \(k, 2\), not \(1, 3\)",
    ),
    "minima are text": (
        dict(formula="x*y", minima="here"),
        TypeError,
        "minima must be an array of real numbers",
    ),
}


@pytest.mark.parametrize(("keywords", "error", "fragment"), TERMS.values(), ids=TERMS)
def test_terms(keywords, error, fragment):
    refused(lambda: FORMULA(**keywords), error, fragment)


MAKERS = {
    "energy no function": (
        lambda: Potential(3.0, dim=1),
        TypeError,
        r"energy must be a function of x with shape .* not float",
    ),
    "gradient no function": (
        lambda: Potential(squares, 3.0, 1),
        TypeError,
        "gradient must be a function .* not float",
    ),
    "dim missing": (
        lambda: Potential(squares, double),
        TypeError,
        r"dim is missing: .* Potential\(energy, gradient, dim=...\)",
    ),
    "args no tuple": (
        lambda: Potential(squares, double, 1, args=3.0),
        TypeError,
        r"args must be a tuple .* not float; write args=\(value,\)",
    ),
    "numba energy": (
        lambda: Potential.from_numba(3, double, 1),
        TypeError,
        "energy must be a function of one replica's x, .* not int",
    ),
    "start of wrong shape": (
        lambda: anneal(arrays(dim=2, start=lambda n, g: np.zeros(n)), None, SCHEDULE, 10),
        ValueError,
        r"the start of squares gave shape \(64,\); expected \(replicas, 2\)",
    ),
    "x of wrong shape": (
        lambda: HARMONIC.energy(np.zeros((2, 3))),
        ValueError,
        r"x must have shape \(1,\) or .* not \(2, 3\)",
    ),
    "x is text": (
        lambda: HARMONIC.gradient("here"),
        TypeError,
        "x must be an array of real numbers",
    ),
    "x is complex": (
        lambda: HARMONIC.gradient([1j]),
        TypeError,
        r"x must be an array of real numbers, .* not \[1j\]",
    ),
    "rho0 1": (lambda: CoolMomentum(rho0=1.0), ValueError, r"rho0 must be in \[0, 1\), not 1.0"),
    "rho0 text": (lambda: CoolMomentum(rho0="high"), ValueError, "rho0 must be in .* not 'high'"),
    "lr negative": (
        lambda: CoolMomentum(lr=-0.1),
        ValueError,
        "lr must be a positive number, not -0.1",
    ),
    "lr text": (
        lambda: CoolMomentum(lr="low"),
        ValueError,
        "lr must be a positive number, not 'low'",
    ),
    "force noise negative": (
        lambda: CoolMomentum(noise=-1.0),
        ValueError,
        "noise is the standard deviation of a force and must be >= 0, not -1",
    ),
    "CoolMomentum law": (
        lambda: CoolMomentum(law="papr"),
        ValueError,
        "unknown CoolMomentum law 'papr'; did you mean 'paper'",
    ),
    "temperature law": (
        lambda: automatic_schedule(HARMONIC, law="exponentiel"),
        ValueError,
        "unknown temperature law .* mean 'exponential'",
    ),
    "points do not rise": (
        lambda: schedules.stepwise([(0, 1), (0, 2)]),
        ValueError,
        r"rising s in \[0, 1\], not \[\(0, 1\), \(0, 2\)\]",
    ),
    "points start late": (
        lambda: schedules.stepwise([(0.1, 1)]),
        ValueError,
        r"stepwise takes \[\(0, value\)",
    ),
    "points beyond 1": (lambda: schedules.stepwise([(0, 1), (1.5, 2)]), ValueError, "rising s"),
    "points with nan": (
        lambda: schedules.stepwise([(0, 1), (np.nan, 2), (0.5, 1)]),
        ValueError,
        "rising s",
    ),
    "no points": (lambda: schedules.stepwise([]), ValueError, r"stepwise takes .* not \[\]"),
    "no pairs": (
        lambda: schedules.stepwise([1.0, 2.0]),
        ValueError,
        r"stepwise takes .* not \[1.0, 2.0\]",
    ),
    "exponential to 0": (
        lambda: schedules.exponential(1.0, 0.0),
        ValueError,
        "end must be a positive number, not 0.0",
    ),
    "logarithmic to 0": (
        lambda: schedules.logarithmic(1.0, 0.0),
        ValueError,
        "end must be a positive number, not 0.0",
    ),
    "linear from text": (
        lambda: schedules.linear("hot", 1.0),
        ValueError,
        "start must be a finite number, not 'hot'",
    ),
    "power of -1": (
        lambda: schedules.power(1.0, 0.0, -1.0),
        ValueError,
        "exponent must be a positive number, not -1.0",
    ),
    "quench after the end": (
        lambda: schedules.quench(1.0, 0.0, at=2.0),
        ValueError,
        r"progress in \[0, 1\], not 2.0",
    ),
    "constant nan": (
        lambda: schedules.constant(np.nan),
        ValueError,
        "value must be a finite number, not nan",
    ),
    "Langevin gamma": (lambda: Langevin(-1.0, 0.1), ValueError, "gamma must be >= 0, not -1.0"),
    "Langevin dt": (lambda: Langevin(1.0, 0.0), ValueError, "dt must be > 0, not 0.0"),
    "Langevin T": (
        lambda: Langevin(1.0, 0.1, np.nan),
        ValueError,
        "temperature must be >= 0, not nan",
    ),
}


@pytest.mark.parametrize(("call", "error", "fragment"), MAKERS.values(), ids=MAKERS)
def test_making(call, error, fragment):
    refused(call, error, fragment)


def test_missing_gradient_is_said():
    with pytest.warns(
        UserWarning,
        match="no gradient given: it is taken by central differences, 6 energies a step",
    ):
        Potential(squares, dim=3)


def writes_energy(x):
    x -= 1.0
    return (x**2).sum()


def writes_gradient(x, out):
    x -= 1.0
    out[:] = 2 * x


def no_writes_energy(x):
    return ((x - 1.0) ** 2).sum()


def no_writes_gradient(x, out):
    out[:] = 2 * (x - 1.0)


@pytest.mark.parametrize("backend", ["numba", "numpy"])
@pytest.mark.parametrize(
    "potential",
    [
        Potential(lambda x: (np.subtract(x, 1.0, out=x) ** 2).sum(1), lambda x: 2 * (x - 1.0), 2),
        Potential(lambda x: ((x - 1.0) ** 2).sum(1), lambda x: 2 * np.subtract(x, 1.0, out=x), 2),
        Potential.from_numba(writes_energy, no_writes_gradient, 2),
        Potential.from_numba(no_writes_energy, writes_gradient, 2),
    ],
)
def test_functions_that_write_to_x_are_refused(potential, backend):
    """They would move the replicas: a run came out at T = 102 for T = 1."""
    if potential.numba_functions is not None and backend == "numpy":
        return  # which hands them copies
    with pytest.raises(
        ValueError, match=r"read-only|(energy|gradient) of \w+ changes its x; .* y = x.copy\(\)"
    ):
        anneal(potential, [0.0, 0.0], Schedule(1.0, 1.0, 0.1), 10, rng=1, backend=backend)


@pytest.mark.parametrize(
    ("energy", "gradient", "says"),
    [
        (
            lambda x: x[0] ** 2 + x[1] ** 2,
            lambda x: 2 * x,
            r"energy of <lambda> fails for one replica, x of shape \(1, 2\)",
        ),
        (
            lambda x: (x**2).sum(0),
            lambda x: 2 * x,
            r"energy of <lambda> returned shape \(2,\) for x of shape \(1, 2\)",
        ),
        (
            lambda x: (x**2).sum(1),
            lambda x: np.array([2 * x[0], 2 * x[1]]),
            "gradient of <lambda> fails for one replica",
        ),
    ],
)
def test_functions_of_one_point_are_refused_also_for_as_many_replicas_as_coordinates(
    energy, gradient, says
):
    with pytest.raises(ValueError, match=says):
        anneal(
            Potential(energy, gradient, 2),
            schedule=Schedule(1.0, 1.0, 0.1),
            n_steps=10,
            replicas=2,
            rng=1,
        )
