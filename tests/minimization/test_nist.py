"""Sums of squares of NIST's reference problems, as plain functions without bounds or gradient, are
brought down to the certified parameters, or the message says what was in the way.
"""

import numpy as np
import pytest
from nist import PROBLEMS

import langevin_sa as lsa

ALIKE = {  # other parameters of the same curve
    "Eckerle4": lambda b: b * [-1, -1, 1],
    "MGH17": lambda b: b[[0, 2, 1, 4, 3]],
}
QUICK = {("BoxBOD", 0, 0), ("BoxBOD", 1, 0), ("Misra1d", 1, 2)}
RUNS = [(name, start, seed) for name in PROBLEMS for start in (0, 1) for seed in range(3)]


def digits(name, b):
    """Largest relative error of parameters."""
    certified = np.array(PROBLEMS[name].certified)
    both = (b, ALIKE.get(name, np.array)(b))
    return min(float(np.abs(c / certified - 1).max()) for c in both)


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_data_are_those_of_the_certificate(name):
    problem = PROBLEMS[name]
    assert problem(np.array(problem.certified)) == pytest.approx(problem.squares, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "start", "seed"),
    [pytest.param(*run, marks=() if run in QUICK else pytest.mark.slow) for run in RUNS],
)
def test_certified_parameters_or_stuck(name, start, seed):
    problem = PROBLEMS[name]
    result = lsa.minimize(problem, problem.starts[start], rng=seed)
    if result.success:
        assert digits(name, result.x) < 1e-6, result
    else:
        assert result.status == 4 and "stuck with a slope" in result.message
