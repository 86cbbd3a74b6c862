"""Sums of squares of NIST's reference problems, as plain functions without bounds or gradient, are
brought down to the certified parameters, or the message says what was in the way.
"""

import pytest
from nist import PROBLEMS

import langevin_sa as lsa

QUICK = {("BoxBOD", 0, 0), ("BoxBOD", 1, 0), ("Misra1d", 1, 2)}
RUNS = [(name, start, seed) for name in PROBLEMS for start in (0, 1) for seed in range(3)]


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_data_are_those_of_the_certificate(name):
    problem = PROBLEMS[name]
    rounded = 1e-9 * problem.squares + 1e-20  # Lanczos1's is 1.4e-25, of parameters of 11 digits
    assert abs(problem(problem.certified) - problem.squares) <= rounded


@pytest.mark.parametrize(
    ("name", "start", "seed"),
    [pytest.param(*run, marks=() if run in QUICK else pytest.mark.slow) for run in RUNS],
)
def test_certified_parameters_or_stuck(name, start, seed):
    problem = PROBLEMS[name]
    result = lsa.minimize(problem, problem.starts[start], rng=seed)
    if result.success:
        assert problem.error(result.x) < 1e-6, result
    else:
        assert result.status == 4 and "stuck with a slope" in result.message
