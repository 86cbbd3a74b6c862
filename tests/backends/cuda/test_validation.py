"""The validation suite, on the CUDA kernels run by g++."""

import pytest

from langevin_sa import validate
from langevin_sa.validation.families import FAMILIES

pytestmark = pytest.mark.long

QUICK = ("momentum", "kinetic", "correlation", "verlet")  # a few seconds each


@pytest.mark.parametrize("family", QUICK)
def test_family(gpu, family):
    report = validate("cupy", families=[family], rng=2, threads=1)
    assert report.passed, str(report)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family(gpu, family, dtype):
    report = validate("cupy", dtype, families=[family], rng=1, threads=1)
    assert report.passed, str(report)
