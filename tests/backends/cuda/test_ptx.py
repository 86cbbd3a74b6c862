"""Layer 3, second executor: what NVIDIA's compiler made of the texts moves as the numba backend
does, too.
"""

import fake_cupy
import numpy as np
import nvrtc
import ptx
import pytest
from parity import NAMES, NEIGHBOUR_LISTS, compare

from langevin_sa import Potential, potentials
from langevin_sa.integrators import INTEGRATORS
from langevin_sa.noise import purpose_of

pytestmark = pytest.mark.long

OPEN = dict(site="x**4/4 - x**2/2", bond="h*(y - x)**2/2", dim=133, h=np.linspace(0.5, 1.5, 133))
SOME = {
    "double_well": potentials.double_well,
    "muller_brown": potentials.muller_brown,
    "open chain": lambda: Potential.from_formula(**OPEN),
    "lennard_jones": lambda: potentials.lennard_jones(13),
}

# arrays in local memory, registers in blocks of their own: the executor reads neither
UNREAD = ("butane", "gupta", "sutton_chen")


def check(U, dtype, integrators, purpose=0):
    for integrator in integrators:
        step, whole, numba, gpu = compare(U, integrator, dtype, replicas=5, purpose=purpose)
        assert step <= 4
        if dtype == np.float64:
            assert whole <= 100
            np.testing.assert_allclose(numba.kinetic, gpu.kinetic, rtol=1e-11)
            np.testing.assert_allclose(numba.best_energy, gpu.best_energy, rtol=1e-11)


@pytest.mark.parametrize("release", nvrtc.WHEELS)
@pytest.mark.parametrize("single", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_parity(gpu, monkeypatch, together, single, release):
    monkeypatch.setattr(fake_cupy.RawModule, "from_ptx", release)
    made = [make() for make in SOME.values()]
    together([gpu.backend_of(U).code(U, single) for U in made], single, from_ptx=release)
    for U in made:
        rows = INTEGRATORS if U is made[0] else ("bbk", "gjf")
        check(U, np.float32 if single else np.float64, rows)
    check(made[0], np.float32 if single else np.float64, ("gjf",), purpose_of("uniform"))
    check(made[0], np.float32 if single else np.float64, ("gjf",), purpose_of("three-point"))


@pytest.mark.slow
@pytest.mark.parametrize("single", [False, True])
def test_the_catalogue(gpu, monkeypatch, together, single):
    monkeypatch.setattr(fake_cupy.RawModule, "from_ptx", 12)
    names = set(NAMES) - {*NEIGHBOUR_LISTS, *UNREAD}
    made = [potentials.catalogue()[name]() for name in sorted(names)]
    together([gpu.backend_of(U).code(U, single) for U in made], single, from_ptx=12)
    for U in made:
        check(U, np.float32 if single else np.float64, INTEGRATORS if U.formula else ("bbk", "gjf"))


def test_an_unknown_instruction_is_an_error():
    text = (
        ".visible .entry f(\n.param .u64 f_param_0\n)\n{\n.reg .b32 %r<3>;\n popc.b32 %r1, %r2;\n "
        "ret;\n}\n"
    )
    with pytest.raises(NotImplementedError, match="popc"):
        ptx.translation_unit([text])
