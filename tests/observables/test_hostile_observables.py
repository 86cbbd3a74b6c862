"""Hostile input of observables."""

from __future__ import annotations

from functools import partial

import numpy as np
from hostile import ANYTHING, BOWL, JUNK, arrays, examples, mostly, refused_or
from hypothesis import given, strategies as st

from langevin_sa import Schedule, anneal, observables, potentials

FLUID = potentials.lennard_jones_fluid(4, density=0.05, space=2, cutoff=2.0)
X = np.linspace(0.0, 5.0, 24).reshape(3, 8)
SCHEDULE = Schedule(1.0, 1.0, 0.05)
NAMES = st.one_of(st.text(max_size=4), JUNK.filter(lambda v: isinstance(v, (str, int, tuple))))
FORMULAS = st.one_of(st.sampled_from(["x", "x1**2", "1/0", "log(x1)", "2"]), st.text(max_size=6))


@examples(2)
@given(
    x=mostly(st.just(X), arrays()),
    y=arrays(),
    number=ANYTHING,
    other=ANYTHING,
    which=st.sampled_from("acf msd diffusion g S waves energy virial pressure".split()),
)
def test_named_ones(x, y, number, other, which):
    call = {
        "acf": partial(observables.autocorrelation, y, number),
        "msd": partial(observables.mean_square_displacement, y, number, other),
        "diffusion": partial(observables.diffusion, y, number, other),
        "g": partial(observables.radial_distribution, FLUID, x, y, number),
        "S": partial(observables.structure_factor, FLUID, x, y),
        "waves": partial(observables.wave_vectors, FLUID, number),
        "energy": partial(observables.energy, FLUID, x, number),
        "virial": partial(observables.virial, number, x),
        "pressure": partial(observables.pressure, FLUID, x, number, other),
    }[which]
    with np.errstate(all="ignore"):
        refused_or(call, RuntimeWarning)


@examples(2)
@given(
    name=NAMES, value=st.one_of(FORMULAS, JUNK, arrays()), each=st.booleans(), called=st.booleans()
)
def test_along_a_run(name, value, each, called):
    measure = (lambda x: value) if called else value
    asked = {name: observables.PerReplica(measure) if each else measure}
    found = refused_or(
        partial(anneal, BOWL, np.ones((2, BOWL.dim)), SCHEDULE, 3, rng=1, observables=asked)
    )
    if found is not None:
        assert len(found.history[name]) == len(found.history.step)
