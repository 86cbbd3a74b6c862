"""Bad input gets one clear sentence, before any step is made: what was given, what was expected."""

from __future__ import annotations

import numpy as np
import pytest
from hostile import refused

from langevin_sa import Momentum, Potential, Schedule, anneal, schedules, simulate
from langevin_sa.annealing.stability import Unstable

FORMULA = Potential.from_formula
HARMONIC = FORMULA("x**2/2")
SCHEDULE = Schedule(temperature=1.0, gamma=1.0, dt=0.1)
pytestmark = pytest.mark.usefixtures("no_steps")
STATE = anneal(HARMONIC, [0.0], SCHEDULE, 10, rng=1).state


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
        r"temperature gave an array of shape \(3,\) for 10 progress values",
    ),
    "law without value": (
        Schedule(lambda s: None),
        TypeError,
        "temperature must return real numbers; at progress 0 it gives None",
    ),
    "dt beyond stability": (
        Schedule(1.0, 1.0, 3.0),
        Unstable,
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
        dict(potential=once_negative),
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
