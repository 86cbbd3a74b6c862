"""Hostile input of thermometers and statistics."""

from __future__ import annotations

import numpy as np
from hostile import ANYTHING, BOWL, JUNK, SIZES, WELLS, arrays, examples, mostly, refused_or
from hypothesis import given, strategies as st

from langevin_sa import statistics, thermometers
from langevin_sa.integrators import INTEGRATORS


@examples(2)
@given(
    x=arrays(),
    y=arrays(),
    number=ANYTHING,
    which=st.sampled_from(
        "blocking average eq22 kinetic configurational virial density bootstrap wilson".split()
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


@examples(3)
@given(
    data=st.data(),
    x=arrays(dim=1, most=4),
    number=ANYTHING,
    size=SIZES,
    which=st.sampled_from(
        "effective bins mean fit fitted tts wilson density eq22 kinetic potential".split()
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
