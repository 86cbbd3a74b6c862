"""The validation suite: its verdict, its false-alarm rate, its reports; whole runs of it are marked
slow.
"""

import json
import re

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import stats

import langevin_sa as lsa
from langevin_sa import validate
from langevin_sa.cli import main
from langevin_sa.validation import lab, laws
from langevin_sa.validation.families import FAMILIES

FAST = ("momentum", "free", "kinetic", "verlet", "noise")


@pytest.mark.long
@pytest.mark.parametrize(
    ("backend", "dtype"),
    [
        *(("numba", "float64"), ("numba", "float32"), ("numpy", "float64")),
        pytest.param("numpy", "float32", marks=pytest.mark.slow),
    ],
)
def test_fast_families_pass(backend, dtype):
    report = validate(backend, dtype, families=FAST, rng=1)
    assert report.passed, str(report)


@pytest.mark.long
@pytest.mark.parametrize(
    "family",
    [
        # test_thermostat's chain holds the modes, test_report measures the stationary laws
        # and the order of averages is that of the numbers that test_integrators compares
        pytest.param(
            family, marks=pytest.mark.slow if family in ("modes", "stationary", "order") else ()
        )
        for family in sorted({*FAMILIES} - {*FAST, "escape"})
    ],
)
def test_the_others_pass_on_numba(family):
    report = validate("numba", families=[family], rng=1)
    assert report.passed, str(report)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["numba", "numpy"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_all_of_it(backend, dtype):
    report = validate(backend, dtype)
    assert report.passed, str(report)
    assert len(report.checks) > 300


@pytest.mark.long
def test_one_seed_gives_one_report():
    first, second = (validate("numba", families=["noise", "momentum"], rng=3) for _ in range(2))
    assert [c.measured for c in first.checks] == [c.measured for c in second.checks]
    other = validate("numba", families=["noise"], rng=4)
    alone = validate("numba", families=["noise"], rng=3)
    assert other.checks[0].measured != first.checks[0].measured
    # a family's numbers do not depend on the others
    assert alone.checks[0].measured == first.checks[0].measured


@pytest.mark.long
def test_p_values_of_correct_laws_are_uniform():
    """Each kind of check on data that obey the law: the fraction below 0.1 is 0.1."""
    generator = np.random.default_rng(1)
    p = {"sampled": [], "binned": [], "joint": [], "chi_square": []}
    for _ in range(2000):
        z = generator.standard_normal((50, 3))
        p["sampled"].append(lab.sampled("", "", z[:, 0], 0.0).p_value)
        p["joint"].append(lab.joint("", "", z, np.zeros(3)).p_value)
        p["chi_square"].append(lab.chi_square("", "", float(np.sum(z[:, 0] ** 2)), 50).p_value)
        p["binned"].append(
            lab.binned(
                "", "", generator.multinomial(2000, np.full(10, 0.1)), np.full(10, 200.0)
            ).p_value
        )
    for kind, values in p.items():
        assert stats.kstest(values, "uniform").pvalue > 1e-3, kind


def test_tolerance_and_identity():
    assert lab.estimated("", "", 1.05, 0.01, 1.0, 0.05).p_value == pytest.approx(1)
    assert lab.estimated("", "", 1.07, 0.01, 1.0, 0.05).sigma == pytest.approx(2)
    assert lab.estimated("", "", 9.0, 0.01, 1.0).sigma == pytest.approx(800)
    assert lab.identity("", "", 1.0, 1.1, 0.2).p_value == 1
    assert (
        lab.identity("", "", 1.0, 1.4, 0.2).p_value
        == lab.identity("", "", np.nan, 1.4, 0.2).p_value
        == 0
    )


def test_closed_forms_agree_with_each_other():
    """The autocovariance's lag 0 is the stationary law; long recursions of second moments end
    there.
    """
    for name in lab.INERTIAL:
        steps = lab.row(name, 0.3, 1.0, 0.7, 400)
        dt2, T = steps.dt[0] ** 2, steps.sustained[0]
        conf, eq22, _ = (v[0] for v in steps.stationary(0.49 * dt2))
        position, velocity = laws.autocovariance(steps.part(0, 1), 0.49 * dt2, 6)
        np.testing.assert_allclose([position[0], velocity[0]], [conf, eq22], rtol=1e-12)
        x2, dx2 = laws.second_moments(steps, steps.rho, 0.49)[-1]
        np.testing.assert_allclose([0.49 * x2 / T, dx2 / T / dt2], [conf, eq22], rtol=1e-9)


@pytest.mark.parametrize("name", lab.MEASURED + lab.OVERDAMPED)
def test_transfer_operators_on_a_harmonic_well(name):
    """Where the answer is known: k<x^2>/T of `stationary`."""
    dt = 0.8 if name in lab.INERTIAL else 0.32
    if name in lab.INERTIAL:
        found = laws.inertial_average(name, np.negative, np.square, 1.0, dt, 1.0, 1.1)
        steps = lsa.INTEGRATORS[name].steps(1.0, dt, 1.0)
    else:
        found = laws.overdamped_average(name, np.negative, np.square, dt, 1.0, 8.0)
        steps = lsa.INTEGRATORS[name].steps(1.0, dt, 1.0)
    exact = float(steps.stationary(steps.dt**2)[0] * steps.sustained)
    assert found == pytest.approx(exact, rel=1e-5)


def test_mean_first_passage_of_flat_ground():
    """Without a potential, from 0 to 1 with a wall at -1: (gamma/2T) (2^2 - 1^2)."""
    assert laws.mean_first_passage(np.zeros_like, 0.0, 1.0, -1.0, 0.5, 2.0) == pytest.approx(
        2 / (2 * 0.5) * 3, rel=1e-6
    )


@pytest.mark.long
def test_report(tmp_path):
    report = validate("numba", families=["stationary", "momentum"], rng=2)
    text = str(report)
    assert "PASS: " in text and "-- Stationary laws of the thermostats" in text
    report.save(tmp_path / "report.html")
    report.save(tmp_path / "report.json")
    page = (tmp_path / "report.html").read_text()
    assert page.count("<figure>") == 2
    # nothing from elsewhere
    assert not re.search(r"""(src|href)=["'](?!data:|#)|@import|url\(""", page)
    numbers = json.loads((tmp_path / "report.json").read_text())
    assert (
        numbers["passed"]
        and numbers["false_alarm_rate"] == 1e-3
        and len(numbers["checks"]) == len(report.checks)
    )
    with pytest.raises(ValueError, match=r"written as .html or .json"):
        report.save(tmp_path / "report.txt")


def test_a_failed_report_says_what_failed(tmp_path):
    report = validate("numba", families=["momentum"])
    broken = lab.estimated("the broken law", "$1 = 2$", 1.0, 0.1, 2.0)
    broken.family = "momentum"
    report.checks.append(broken)
    report.__post_init__()
    assert not report.passed
    assert report.failures[0].name == "the broken law"
    assert "FAIL: 1 of" in report.verdict
    report.save(tmp_path / "report.html")
    assert "What failed" in (tmp_path / "report.html").read_text()


def test_command(tmp_path, monkeypatch):
    monkeypatch.setattr("langevin_sa.validation.driver.FAMILIES", ("momentum", "verlet"))
    page = tmp_path / "report.html"
    found = CliRunner().invoke(
        main,
        [
            "validate",
            "--backend",
            "numba",
            "--report",
            str(page),
            "--json",
            str(tmp_path / "out.json"),
        ],
    )
    assert found.exit_code == 0, found.output
    assert "PASS: " in found.output and page.exists()
    wrong = CliRunner().invoke(main, ["validate", "--report", str(tmp_path / "report.pdf")])
    assert wrong.exit_code != 0 and "should end in .html" in wrong.output


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"level": "thorough"}, ValueError, "quick"),
        ({"backend": "nunba"}, ValueError, "numba"),
        ({"backend": 3}, TypeError, "name or a Backend class"),
        ({"dtype": "int8"}, ValueError, "float64"),
        ({"families": ["momenta"]}, ValueError, "momentum"),
        (
            {"families": "momentum"},
            TypeError,
            "families must be a sequence of names, not .momentum",
        ),
    ],
)
def test_bad_arguments(arguments, error, match):
    with pytest.raises(error, match=match):
        validate(**arguments)


@pytest.mark.long
def test_a_class_of_the_users_own_is_what_is_tested():
    from langevin_sa.backends.numpy import NumpyBackend

    made = []

    class Mine(NumpyBackend):
        def __init__(self, potential, walk, threads=1):
            made.append(potential)
            super().__init__(potential, walk)

    report = validate(Mine, families=["momentum"])
    assert report.passed and made and report.backend == "Mine"
