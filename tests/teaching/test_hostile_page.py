"""Hostile input of `langevin_sa.page`: a page whose numbers are finite, or one clear sentence."""

from __future__ import annotations

import json
import re

import numpy as np
from hostile import (
    ANYTHING,
    JUNK,
    NUMBERS,
    ODD_WELLS,
    SIZES,
    TAME,
    Odd,
    arrays,
    examples,
    mostly,
    refused_or,
)
from hypothesis import given, strategies as st

import langevin_sa as lsa
from langevin_sa import page

BOUNDS = st.one_of(arrays(), st.tuples(NUMBERS, NUMBERS), JUNK)
KEYWORDS = {
    "temperature": ANYTHING,
    "gamma": ANYTHING,
    "dt": ANYTHING,
    "integrator": st.one_of(JUNK, st.sampled_from(["gjf", "verlet", "GJF"])),
    "balls": st.one_of(SIZES, st.sampled_from([5000, 5001, 10**400])),
    "rng": ANYTHING,
    "window": mostly(st.sampled_from([(-1, 1), [(0, 1), (0, 2)]]), BOUNDS),
    "path": mostly(
        st.sampled_from(["", "/", "no/a.html", b"a.html", Odd(), [], "a.html\0"]), NUMBERS
    ),
}
OF_TWO = [  # coordinates, or dimensions
    lsa.potentials.lennard_jones_fluid(particles=20, space=2, density=0.6),
    lsa.potentials.phi4_lattice(shape=(3, 4)),
    lsa.potentials.rastrigin(dim=2),
    lsa.potentials.muller_brown(),
    lsa.potentials.gaussian_wells(),
]


@examples(2)
@given(data=st.data(), potential=mostly(st.sampled_from([*TAME.values(), *ODD_WELLS, *OF_TWO])))
def test_pages(data, potential):
    """A page whose numbers are all finite, or one sentence; nothing is written where it refused."""
    names = data.draw(st.lists(st.sampled_from(sorted(KEYWORDS)), max_size=2, unique=True))
    odd = {name: data.draw(KEYWORDS[name], label=name) for name in names}
    with np.errstate(all="ignore"):
        text = refused_or(lambda: page(potential, **odd))
    if text is not None:
        known = json.loads(re.search(r"const DATA = (\{.*?\});\n", text)[1])
        assert (
            known["hot"] > known["cold"] > 0
            and known["dt"] > 0
            and known["gamma"] > 0
            and known["rate"] > 0
        )
