"""Functions and points that a potential cannot use get one clear sentence."""

from __future__ import annotations

import numpy as np
import pytest
from hostile import refused

from langevin_sa import Potential, Schedule, anneal

HARMONIC = Potential.from_formula("x**2/2")
pytestmark = pytest.mark.usefixtures("no_steps")
SCHEDULE = Schedule(temperature=1.0, gamma=1.0, dt=0.1)


def squares(x):
    return (x**2).sum(1)


def double(x):
    return 2 * x


def arrays(energy=squares, gradient=double, dim=1, **keywords):
    return Potential(energy, gradient, dim, **keywords)


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
    "start without return": (
        lambda: anneal(arrays(dim=2, start=lambda n, g: None), None, SCHEDULE, 10),
        ValueError,
        r"the start of squares returned None; expected \(64, 2\): does it end with return",
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


FUNCTIONS = {
    "sum over all": (
        arrays(lambda x: (x**2).sum()),
        r"energy of .* returned shape \(\) for x of shape \(3, 1\); expected \(3,\)",
    ),
    "one a coordinate": (
        arrays(lambda x: x**2),
        r"energy of .* returned shape \(3, 1\) .* expected \(3,\)",
    ),
    "no energy": (arrays(lambda x: None), "energy of .* returned None .* does it end with return"),
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
        r"gradient of squares returned None for x of shape \(3, 1\); expected \(3, 1\)",
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


def forgets(x):
    x[0] + x[1]


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


def test_a_numba_energy_without_return():
    forgetful = Potential.from_numba(forgets, no_writes_gradient, 2)
    refused(
        lambda: anneal(forgetful, [0.0, 1.0], SCHEDULE, 10),
        ValueError,
        r"energy of forgets returned None for x of shape \(2,\); expected a number: does it end",
    )
