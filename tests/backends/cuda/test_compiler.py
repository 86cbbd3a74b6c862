"""Layer 2: NVIDIA's compiler takes the very texts, without a remark, and needs neither local memory
nor more registers than there are.
"""

import re
import struct

import nvrtc
import pytest
from test_parity import SHAPES

from langevin_sa import Potential, potentials
from langevin_sa.backends.cuda import source
from langevin_sa.backends.walk import DIVERGED

KERNELS = {
    "replicas, 1 coordinate": potentials.double_well,
    "replicas, 2 coordinates": potentials.muller_brown,
    "replicas, 10 coordinates": potentials.rastrigin,
    "lattice": potentials.phi4_chain,
    "lattice of 10^8": lambda: Potential.from_formula(
        site="x**4/4 - x**2/2", bond="(y - x)**2/2", dim=10**8, periodic=True
    ),
    "pairs": lambda: potentials.lennard_jones(38),
    "pairs with a cut-off": potentials.kob_andersen,
    "pairs in lists of neighbours": lambda: potentials.kob_andersen(4000),
    "pairs and bonds of a list": lambda: potentials.fene_chain(400),
    "pairs and links of a ring": lambda: Potential.from_formula(
        bond="(r - 2)**2", pair="r**-12", particles=400, periodic=True
    ),
    "links": lambda: Potential.from_formula(bond="(r - 2)**2", particles=400),
    "molecule": lambda: Potential.from_formula(**SHAPES["molecule over threads"]),
    "arrays": potentials.ackley,
}


CARDS = ("sm_80", "sm_90", "sm_120")


@pytest.mark.long
@pytest.mark.parametrize("release", nvrtc.WHEELS)
@pytest.mark.parametrize("name", KERNELS)
def test_no_remark_no_local_memory(gpu, name, release):
    U = KERNELS[name]()
    for single in (False, True):
        code = gpu.backend_of(U).code(U, single)
        for target in CARDS:
            kernels, remarks = nvrtc.resources(code, target, source.options(single), release)
            assert kernels and not remarks, remarks
            for kernel, (registers, stack, spilled) in kernels.items():
                print(
                    f"{name:<26} {kernel:<9} {'float32' if single else 'float64'} {target:<6} "
                    f"CUDA {release} {registers:4} registers"
                )
                resident = int(re.search(r"#define RESIDENT (\d)", code)[1])
                most = 65_536 // (resident * source.THREADS) if kernel == "sweep" else 255
                assert (stack, spilled) == (0, 0), (target, kernel)
                assert registers <= most, (target, kernel)
        if gpu.backend_of(U).turns_back:  # what goes again may use local memory: it is rare
            code = f"#define TURNS\n{code}"
            assert not nvrtc.resources(code, target, source.options(single), release)[1]


def test_no_float64_arithmetic_on_a_float32_trajectory(gpu):
    """Energies are added up in float64, and nothing else."""
    for make in (potentials.muller_brown, potentials.phi4_chain):
        U = make()
        ptx = nvrtc.compile(gpu.backend_of(U).code(U, True), "compute_80", source.options(True))[
            1
        ].decode()
        used = set(re.findall(r"\b(?:fma|mul|sub|div|sqrt|rcp|neg)\.\w*\.?f64", ptx))
        assert used <= {"fma.rn.f64", "mul.f64"}, used  # thermometer weights
        assert len(re.findall(r"(?:fma|mul)\.\w*\.?f64", ptx)) <= 4


def test_float64_fuses_nothing_of_its_own_accord(gpu):
    U = potentials.double_well()
    code = gpu.backend_of(U).code(U, False)
    counts = [
        nvrtc.compile(code, "compute_80", options)[1].count(b"fma.rn.f64")
        for options in (source.options(False), source.options(True))
    ]
    assert counts[0] < counts[1]


def test_a_number_of_float64_is_an_operand_in_constant_memory(gpu):
    """Of those with a lower half, which an instruction has no room for, there is the bound on
    energies, and that is rare.
    """
    for make in (potentials.periodic, potentials.phi4_chain, potentials.gaussian_wells):
        code = gpu.backend_of(make()).code(make(), False)
        ptx = nvrtc.compile(code, "compute_80", source.options(False))[1].decode()
        halves = re.findall(r"\b0[dD](\w{8})(\w{8})\b", ptx)
        numbers = {struct.unpack(">d", bytes.fromhex(a + b))[0] for a, b in halves if int(b, 16)}
        assert numbers <= {DIVERGED} and "literals" in ptx


def test_a_remark_is_noticed():
    kernels, remarks = nvrtc.resources(
        'extern "C" __global__ void f(int* x) { int unused; x[0] = 1; }', "sm_80", ()
    )
    assert "f" in kernels and "never referenced" in remarks[0]


@pytest.mark.parametrize("release", nvrtc.WHEELS)
def test_texts_are_compiled_as_cupy_does_it(gpu, release):
    """CuPy flushes float32 subnormals whatever is asked for; the normals, float32 in a float64 run
    too, are none.
    """
    for make in (potentials.muller_brown, potentials.phi4_chain):
        for single in (False, True):
            code = gpu.backend_of(make()).code(make(), single)
            ptx = nvrtc.compile(code, "compute_80", source.options(single), release)[1].decode()
            rounding = re.findall(r"\b(?:add|sub|mul|fma|sqrt|div)\.\w*\.?(?:ftz\.)?f32\b", ptx)
            assert rounding and all(".ftz." in op for op in rounding)
