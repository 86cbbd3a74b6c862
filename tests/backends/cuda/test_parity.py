"""Layer 3: the CUDA text, run by g++ over all threads, moves as the numba backend does."""

import fake_cupy
import numpy as np
import pytest
from parity import NAMES, compare, start, ulps

from langevin_sa import Potential, potentials
from langevin_sa.integrators import INTEGRATORS
from langevin_sa.noise import KINDS, purpose_of

STEP_ULPS = 4  # of any one step; what was measured is in docs/gpu.md
# forces are added up in another order than on the CPU
ORDERED = {"phi4_chain", "phi4_lattice", "lennard_jones_fluid", "kob_andersen"}


def made(name):
    return potentials.catalogue()[name](
        **({"particles": 250} if "fluid" in name or "kob" in name else {})
    )


@pytest.fixture(scope="session")
def catalogue():
    return {name: made(name) for name in NAMES}


@pytest.fixture
def compiled(gpu, together, catalogue):
    for single in (False, True):
        together([gpu.backend_of(U).code(U, single) for U in catalogue.values()], single)


PAIRED_AND_SINGLE = ("bbk", "gjf")  # a kernel knows an integrator by its numbers alone
OF_EACH_KIND = ("muller_brown", "rastrigin", "lennard_jones")


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_every_potential_and_dtype(compiled, catalogue, name):
    check(catalogue[name], name, PAIRED_AND_SINGLE)


@pytest.mark.long
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in OF_EACH_KIND else pytest.mark.slow) for n in NAMES]
)
def test_every_integrator(compiled, catalogue, name):
    check(catalogue[name], name, set(INTEGRATORS) - set(PAIRED_AND_SINGLE))


def check(U, name, integrators):
    for integrator in integrators:
        for dtype in (np.float64, np.float32):
            step, whole, numba, gpu = compare(
                U, integrator, dtype, replicas=2 if U.dim > 500 else 9
            )
            assert step <= STEP_ULPS, (integrator, dtype)
            if dtype == np.float64:
                assert whole <= 100 * STEP_ULPS, integrator
                if name not in ORDERED:
                    np.testing.assert_array_equal(numba.x, gpu.x)
                    np.testing.assert_array_equal(numba.noise, gpu.noise)
                    np.testing.assert_array_equal(numba.best_x, gpu.best_x)
                for sums in ("energy", "best_energy", "dx2", "kinetic"):
                    np.testing.assert_allclose(getattr(numba, sums), getattr(gpu, sums), rtol=1e-11)
            else:
                np.testing.assert_allclose(numba.kinetic, gpu.kinetic, rtol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_noise(gpu, kind):
    U = potentials.himmelblau()
    for integrator in ("bbk", "gjf"):
        step, whole, *_ = compare(U, integrator, np.float64, purpose=purpose_of(kind))
        assert step == whole == 0
        assert compare(U, integrator, np.float32, purpose=purpose_of(kind))[0] <= STEP_ULPS


h = np.linspace(0.5, 1.5, 1025)
SHAPES = {
    "odd chain, array parameter, open ends": dict(
        site="(x**2 - 1)**2/4", bond="h*(y - x)**2/2", dim=1025, h=h
    ),
    "open lattice of odd lengths": dict(
        site="x**4/4", bond="h*(1 - cos(y - x))", shape=(3, 11, 7), h=h[:231]
    ),
    "open lattice of whole rows": dict(
        site="x**4/4", bond="h*(1 - cos(y - x))", shape=(3, 5, 8), h=h[:120]
    ),
    "periodic lattice of whole rows": dict(
        bond="h*(1 - cos(y - x))", shape=(3, 2, 4), periodic=True, h=h[:24]
    ),
    "chain of half quads": dict(site="x**2/2", bond="(y - x)**4/4", dim=1034, periodic=True),
    "small lattice in registers": dict(
        site="x**2", bond="h*(y - x)**4", shape=(3, 5), periodic=True, h=h[:15]
    ),
    "all terms in registers": dict(
        formula="(x*y - z)**2", site="x**2", pair="1/r", particles=2, variables=list("xyzuvw")
    ),
    "sites and pairs": dict(site="x**2/2", pair="1/r", particles=23),
    "functions with kinks": dict(
        formula="max(x, y)**2 + min(x, 3*y)**2 + abs(log(x**2 + 1) - 1) + floor(x)*y + step(x)*y + "
        "mod(y, 0.7)**2 + hypot(x, y) + log10(1 + x**2) + erf(x)*erf(y/9) + atan2(y, x)**2 + "
        "where(x, exp(-x)*y, y**2) + x**4 + y**4"
    ),
    "polymer in registers": dict(formula="x1*y4", bond="(r - 2)**2", particles=5, space=2),
    "ring polymer": dict(bond="(r - 2)**2", pair="1/r", particles=9, periodic=True),
    "polymer over threads": dict(bond="(r - 2)**2", particles=41, space=2),
    "ring polymer over threads": dict(
        bond="(r - 2)**2", pair="1/r", site="x**2/9", particles=37, periodic=True
    ),
    "molecule over threads": dict(
        terms=[
            ("bond", [(k, k + 1) for k in range(34)], "k*(r - 2)**2/2"),
            ("angle", [(k + 2, k + 1, k) for k in range(33)], "bend*(theta - 2)**2/2"),
            ("torsion", [(0, 9, 3, 5), (2, 3, 4, 5), (7, 1, 30, 8)], "turn*(1 + cos(3*phi))"),
            ("bond", [(3, 30), (30, 11)], "k*(r - 3)**4/9"),
        ],
        pair="1/r",
        particles=35,
        k=1.5,
        bend=np.linspace(0.1, 0.2, 33),
        turn=np.array([0.3, 0.5, 0.1]),
    ),
    "plane": dict(pair="r**-12 - r**-6", site="x**2", particles=37, space=2),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("alone", [True, False])
def test_shapes(gpu, monkeypatch, shape, alone):
    """Odd sizes, several blocks a replica or one, fewer blocks than there is work, threads in
    either order.
    """
    kind = SHAPES[shape].copy()
    U = Potential.from_formula(kind.pop("formula", None), **kind)
    if not alone:
        monkeypatch.setattr(gpu, "ALONE", 0)
        monkeypatch.setattr(gpu, "BLOCKS_A_PROCESSOR", 1)
        monkeypatch.setattr(gpu, "MOST_BLOCKS", 2)
        monkeypatch.setattr(gpu, "MOST_ROWS", 2)
        monkeypatch.setattr(gpu.source, "THREADS", 32)
    far = np.tile(2.0 * np.arange(U.dim), (99, 1))  # particles that do not meet
    U._start = lambda n, generator: (
        generator.permuted(far[:n], axis=1)
        if "particles" in kind
        else generator.normal(size=(n, U.dim))
    )
    monkeypatch.setattr(fake_cupy.RawModule, "reversed", not alone)
    for integrator in ("bbk", "gjf"):
        step, whole, numba, other = compare(U, integrator, np.float64, replicas=5, n=31)
        assert step <= 1 and whole <= 31
        np.testing.assert_allclose(numba.kinetic, other.kinetic, rtol=1e-12)
        np.testing.assert_allclose(numba.best_energy, other.best_energy, rtol=1e-12)
        np.testing.assert_allclose(numba.best_x, other.best_x, rtol=1e-12)


@pytest.mark.parametrize(
    "kind",
    [
        dict(site="x**2/2", bond="(y - x)**2/2", dim=64),
        dict(site="x**2/2", bond="(y - x)**2/2", dim=65, periodic=True),
        dict(site="x**2/2", bond="r**2/2", particles=23),
    ],
)
@pytest.mark.parametrize("integrator", ["bbk", "gjf"])
@pytest.mark.parametrize("massive", [False, True])
def test_float32_steps_of_one_call_are_those_of_many(gpu, kind, integrator, massive):
    """Where noise is made once, dx is what the next step needs until the call ends."""
    U, n = Potential.from_formula(**kind), 6
    U._start = lambda n, generator: generator.normal(size=(n, U.dim))
    masses = np.linspace(1.0, 3.0, U.dim) if massive else None
    row = INTEGRATORS[integrator]
    steps = row.carrying(row.steps(np.full(n, 1.0), np.linspace(0.05, 0.1, n), 0.5), None)
    apart, one_by_one = start(U, 5, np.float32, "cupy", masses=masses)
    whole, at_once = start(U, 5, np.float32, "cupy", masses=masses)
    for t in range(n):
        one_by_one.advance(steps.part(t, t + 1))
    at_once.advance(steps)
    assert ulps(apart.x, whole.x, apart.x, np.float32) <= STEP_ULPS
    assert ulps(apart.dx, whole.dx, apart.dx, np.float32) <= n * STEP_ULPS
    np.testing.assert_array_equal(apart.noise, whole.noise)
    np.testing.assert_allclose(apart.kinetic, whole.kinetic, rtol=1e-5)


def test_more_replicas_than_threads(gpu, monkeypatch):
    monkeypatch.setattr(gpu, "MOST_BLOCKS", 3)
    step, whole, *_ = compare(potentials.himmelblau(), "gjf", np.float64, replicas=1001, n=10)
    assert step == whole == 0


def test_the_thermometer_of_a_lattice_is_the_cpu_one(gpu):
    U = Potential.from_formula(**SHAPES["odd chain, array parameter, open ends"])
    for dtype, tolerance in ((np.float64, 1e-13), (np.float32, 1e-6)):
        measured = [start(U, 3, dtype, backend)[1].measure() for backend in ("numba", "cupy")]
        np.testing.assert_allclose(*measured, rtol=tolerance)


def test_functions_with_kinks_in_float32(gpu):
    """Literals and conditions have the type of the trajectory."""
    kinks = SHAPES["functions with kinks"]
    U = Potential.from_formula(kinks["formula"].replace("floor(x)*y", "floor(0.01*x)*y"))
    U._start = lambda n, generator: generator.normal(size=(n, 2))
    assert compare(U, "gjf", np.float32, replicas=5, n=31)[0] <= STEP_ULPS
