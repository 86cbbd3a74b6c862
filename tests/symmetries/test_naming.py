"""No result depends on how coordinates are called, in which order a formula names them, or which
particle is the first.

(That formulas mean the same in other names: `tests/formulas/test_naming.py`.)
"""

import re
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from cases import BY_NAME
from hypothesis import Phase, given, settings, strategies as st
from looks import (
    by_itself,
    chosen,
    compared,
    curved,
    evaluated,
    minimized,
    paged,
    seen_by,
    simulated,
)
from units import OWN, own, same_bits

from langevin_sa import Potential

CALLED = ["a", "b", "u", "v9", "v10", "v11", "x2", "x10", "zeta", "Q", "q2", "q10", "w", "k1", "B"]
LOOKS = [evaluated, curved, simulated, chosen, by_itself, minimized, compared, paged]
VECTORS = {
    "gradient",
    "one gradient",
    "x",
    "dx",
    "x 0",
    "dx 0",
    "x 1",
    "dx 1",
    "best_x 0",
    "best_x 1",
}
# every naming is derived anew, which takes longer than looking
FEW = settings(max_examples=2, phases=[Phase.generate])


def called(case, names, variables=None, order=None):
    """A case with its coordinates called by other names, which may put them in another order."""
    own = dict(zip(case.names, names, strict=True))
    make = partial(case.make, called=own, variables=variables, order=order)
    return replace(case, make=make, x=case.x if order is None else case.x[:, order])


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.__name__)
@pytest.mark.parametrize("name", ["unlike widths", "rosenbrock"])
@FEW
@given(names=st.permutations(CALLED))
def test_other_names_change_no_bit(look, name, names):
    case = BY_NAME[name]
    if look is paged and case.x.shape[1] > 2:
        return
    names = tuple(names[: case.x.shape[1]])
    seen = look(called(case, names, variables=names), OWN)
    for what, expected in own(look, case).items():
        assert same_bits(seen[what], expected), what


def natural(name):
    letters, digits = re.fullmatch(r"(\D+)(\d*)", name).groups()
    return letters, int(digits or -1)


COLD = [
    (evaluated, 1e-12),
    (curved, 1e-7),
    (seen_by(simulated, kind="verlet"), 1e-10),
    (minimized, 1e-5),
]


def agree(look, case, other, order, rtol):
    """What is seen of a case whose coordinates come in another order."""
    seen, back = look(other, OWN), np.argsort(order)
    for what in ("energy", "gradient", "laplacian", "largest curvature", "x 1", "dx 1", "fun", "x"):
        if what in (expected := own(look, case)):
            value = np.asarray(seen[what])
            value = value[..., back] if what in VECTORS else value
            np.testing.assert_allclose(value, expected[what], rtol=0, atol=rtol * 100, err_msg=what)


@pytest.mark.parametrize("look, rtol", COLD, ids=["evaluated", "curved", "verlet", "minimize"])
@pytest.mark.parametrize("name", ["unlike widths", "rosenbrock", "twelve names"])
@FEW
@given(names=st.permutations(CALLED))
def test_names_in_another_natural_order_only_permute(look, rtol, name, names):
    case = BY_NAME[name]
    names = names[: case.x.shape[1]]
    order = sorted(range(len(names)), key=lambda i: natural(names[i]))
    other = called(case, names, order=order)
    agree(look, case, other, order, rtol)


@pytest.mark.parametrize("look, rtol", COLD, ids=["evaluated", "curved", "verlet", "minimize"])
@pytest.mark.parametrize("name", ["trimer", "fluid"])
@FEW
@given(data=st.data())
def test_particles_in_another_order_only_permute(look, rtol, name, data):
    case = BY_NAME[name]
    particles = data.draw(st.permutations(range(case.x.shape[1] // 2)))
    order = (2 * np.array(particles)[:, None] + [0, 1]).ravel()
    if look is minimized and name == "fluid":
        return  # the same, and long
    if look is minimized:  # where the cluster lies is nobody's choice
        other = replace(case, x=case.x[:, order])
        return np.testing.assert_allclose(
            minimized(other, OWN)["fun"], own(minimized, case)["fun"], rtol=1e-8
        )
    agree(look, case, replace(case, x=case.x[:, order]), order, rtol)


BEADS = np.random.default_rng(4).uniform(-2, 2, (5, 6))
TEXT = "x1**2 + 10*y1**2 + 100*x2**2 + 1000*y2**2 + x3*y3"
NAMES = ("x1", "y1", "x2", "y2", "x3", "y3")
SPRING = "(sqrt((x{1} - x{0})**2 + (y{1} - y{0})**2) - 1)**2"


@pytest.mark.parametrize(
    "terms, alone",
    [
        ({"formula": TEXT}, {"formula": TEXT}),
        ({"formula": TEXT, "pair": "0*r"}, {"formula": TEXT}),
        ({"bond": "(r - 1)**2"}, {"formula": f"{SPRING.format(1, 2)} + {SPRING.format(2, 3)}"}),
        (
            {"pair": "(r - 1)**2", "bond": "0*r"},
            {"formula": " + ".join(SPRING.format(*two) for two in ((1, 2), (1, 3), (2, 3)))},
        ),
    ],
    ids=["coordinates", "coordinates and pairs", "bonds", "pairs"],
)
def test_terms_of_particles_read_the_same_coordinates(terms, alone):
    U = Potential.from_formula(**terms, particles=3, space=2)
    plain = Potential.from_formula(**alone, variables=NAMES)
    np.testing.assert_allclose(U.energy(BEADS), plain.energy(BEADS), rtol=1e-12)
    np.testing.assert_allclose(U.gradient(BEADS), plain.gradient(BEADS), rtol=1e-10, atol=1e-10)
