"""No result depends on the unit of length, the unit of energy, or where their zeros lie.

Every look at every case is in other units what it is in the case's own (`units.symmetric`): powers
of two to the bit, others to rounding. `make test` sees few units, and the costly looks at few
cases; `make test-all` sees all, and many.
"""

from zlib import crc32

import numpy as np
import pytest
from cases import CASES, FUNCTIONS
from hypothesis import Phase, assume, given, seed, settings, strategies as st
from looks import (
    ROWS,
    annealed,
    boltzmann,
    by_itself,
    checked,
    chosen,
    compared,
    cooled,
    curved,
    evaluated,
    measured,
    minimized,
    minimized_function,
    paged,
    patient,
    refused,
    seen_by,
    simulated,
    sliders,
)
from units import OWN, exactly, own, roughly, same_bits, symmetric

pytestmark = pytest.mark.filterwarnings("ignore:no gradient given:UserWarning")

ONE_OF_EACH = ("double well", "unlike widths", "chain", "trimer", "differences")
# look, to what share it keeps rounding, cases of `make test` (None: all cheap ones), what it needs
LOOKS = {
    "evaluated": (evaluated, 1e-11, None, ()),
    "curved": (curved, 1e-8, None, ("smoothness",)),
    "check_gradient": (checked, 1e-5, None, ("smoothness",)),
    "thermometers": (measured, 1e-8, None, ("smoothness",)),
    "boltzmann": (boltzmann, 1e-11, None, ("plane", "bounds")),
    "refused": (refused, 1e-9, None, ("smoothness",)),
    "simulate": (simulated, 1e-9, None, ()),
    "anneal": (annealed, 1e-9, (*ONE_OF_EACH, "turns back"), ()),
    "patience": (patient, 1e-9, ONE_OF_EACH, ()),
    "automatic_schedule": (chosen, 1e-5, ONE_OF_EACH, ()),
    "anneal by itself": (by_itself, 1e-5, ONE_OF_EACH, ()),
    "minimize": (minimized, 1e-6, ONE_OF_EACH, ()),
    "compare": (compared, 1e-8, ("double well", "chain"), ("smoothness",)),
    "cooling_rates": (cooled, 1e-7, ("double well", "site arrays"), ("smoothness",)),
    "page": (paged, 1e-6, ("double well", "rosenbrock"), ("plane", "formula", "domain")),
    "sliders": (sliders, 1e-2, ("double well",), ("plane", "formula", "domain")),
}
for row in (*ROWS, "momentum", "coolmomentum"):
    LOOKS[row] = (seen_by(simulated, kind=row), 1e-9, ("double well",), ())
LOOKS["numpy"] = (seen_by(simulated, backend="numpy"), 1e-9, ("chain",), ("cheap",))
for strategy in ("portfolio", "anneal", "exchange", "population"):
    look = seen_by(minimized, strategy=strategy)
    LOOKS[f"minimize by {strategy}"] = (look, 1e-6, ("unlike widths",), ("domain",))


# where rounding does not change what a pilot meets; of few walkers, or of particles, it does
STEADY = ("double well", "unlike widths", "chain", "differences")
SECOND_DIFFERENCES = 1e-4  # what is left of second derivatives where there is no gradient


def pairs(bits=False):
    """Every look at every case that has what it needs, as parameters of a test; with `bits` also
    those that rounding sends another way.
    """
    found = []
    for name, (look, rtol, quick, needs) in LOOKS.items():
        for case in CASES:
            if case.has(*needs):
                slow = not case.has("cheap") if quick is None else case.name not in quick
                chaotic = look in (chosen, by_itself) and case.name not in STEADY
                # which of many minima its quenches end in is for rounding to decide
                chaotic |= look in (compared, cooled) and case.name == "long lattice"
                if not bits and chaotic:
                    continue
                marks = pytest.mark.slow if slow else ()
                own = rtol if case.has("gradient") else max(rtol, SECOND_DIFFERENCES)
                found.append(pytest.param(look, case, own, id=f"{name}-{case.name}", marks=marks))
    for function in FUNCTIONS:
        for strategy in ("portfolio", "anneal"):
            slow = strategy == "anneal" and function.jac is None
            name = f"minimize by {strategy}-{function.name}"
            marks = pytest.mark.slow if slow else ()
            look = seen_by(minimized_function, strategy=strategy)
            if bits or strategy == "portfolio":
                found.append(pytest.param(look, function, 1e-6, id=name, marks=marks))
    return found


def in_units(request, drawn, law):
    """Try a law in drawn units, other ones for every test; many by `make test-all`."""
    count = 5 if settings.default.max_examples > 10 else 1
    # nothing is won by shrinking: the first units are the simplest
    tried = settings(max_examples=count, phases=[Phase.generate])(given(drawn)(law))
    seed(crc32(request.node.nodeid.encode()))(tried)()


@pytest.mark.parametrize("look, case, rtol", pairs(bits=True))
def test_powers_of_two(request, look, case, rtol):
    in_units(request, exactly, lambda units: symmetric(look, case, units, rtol))


@pytest.mark.parametrize("look, case, rtol", pairs())
def test_any_units(request, look, case, rtol):
    def law(units):
        assume(units.level == 0 or case.has("level"))
        assume(rtol * units.blur < 0.1)  # else rounding leaves nothing to compare
        symmetric(look, case, units, rtol)

    in_units(request, roughly, law)


POWERS = st.tuples(st.integers(-30, 30), st.integers(-30, 30))


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_every_coordinate_in_a_unit_of_its_own(request, function):
    """What `minimize` alone can promise: a mass is not the same in all directions."""

    def law(powers):
        each = 2.0 ** np.array(powers)
        seen, expected = (
            minimized_function(function, OWN, each=each),
            own(minimized_function, function),
        )
        if function.bounds:
            assert all(same_bits(seen[what], expected[what]) for what in expected)
        else:
            assert np.allclose(seen["x"], expected["x"], atol=1e-5)
            assert np.isclose(seen["fun"], expected["fun"], atol=1e-9)

    in_units(request, POWERS, law)
