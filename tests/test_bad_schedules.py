"""Bad numbers of schedules and laws get one clear sentence, where they are made."""

from __future__ import annotations

import numpy as np
import pytest
from hostile import refused

from langevin_sa import CoolMomentum, Langevin, Potential, schedules
from langevin_sa.tuning import automatic_schedule

HARMONIC = Potential.from_formula("x**2/2")

MAKERS = {
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
