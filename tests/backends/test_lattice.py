"""The lattice backend is the reference backend, faster: same trajectory, same best point, same bits
for any cut of the work.
"""

from __future__ import annotations

import numpy as np
import pytest

from langevin_sa import Potential, Schedule, schedules
from langevin_sa.backends.choose import get_backend
from langevin_sa.backends.cpu.lattice import AROUND, LatticeBackend
from langevin_sa.backends.numpy import NumpyBackend
from langevin_sa.backends.walk import Walk
from langevin_sa.noise import THERMAL, purpose_of

RNG = np.random.default_rng(0)
SIZES = [
    {"dim": 4100, "periodic": True},
    {"dim": 1025, "periodic": False},
    {"shape": (7, 300), "periodic": True},
    {"shape": (20, 30), "periodic": False},
    {"shape": (5, 6, 40), "periodic": True},
    {"shape": (5, 6, 40), "periodic": False},
    {"shape": (300, 2), "periodic": True},
]
STEPS = 30
COOLING = Schedule(schedules.quench(0.3, 0.0, 0.6), 1.0, 0.05)
# noise that stops and starts again, and time steps that differ
REHEATING = Schedule(lambda s: 0.3 * ((s < 0.3) | (s > 0.6)), 1.0, lambda s: 0.05 - 0.02 * s)


def lattice(kind: str, size: dict) -> Potential:
    """A phi^4 lattice, or one whose bonds are lopsided, with a parameter for each site."""
    n = size.get("dim") or int(np.prod(size["shape"]))
    fields = {"h": RNG.normal(size=n), "J": 0.3 + 0.1 * RNG.random(n)}
    if kind == "phi4":
        return Potential.from_formula(site="x**4/4 - x**2/2", bond="(y - x)**2/2", **size)
    return Potential.from_formula(
        site="h*cos(x)", bond="J*exp(x - y)/9 + J*sin(x*y)", **size, **fields
    )


def walked(
    backend,
    potential: Potential,
    x: np.ndarray,
    integrator: str,
    dtype=float,
    threads: int = 1,
    cut: int = STEPS,
    schedule: Schedule = COOLING,
    steps: int = STEPS,
    purpose: int = THERMAL,
) -> Walk:
    walk = Walk.at_rest(x, 3, dtype)
    walk.purpose = purpose
    run = backend(potential, walk, threads)
    for start in range(0, steps, cut):
        run.advance(schedule.coefficients(steps, integrator, (start, min(steps, start + cut))))
    return walk


@pytest.mark.long
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(("kind", "dtype"), [("phi4", np.float32), ("lopsided", np.float64)])
def test_same_as_the_reference(size, kind, dtype):
    U = lattice(kind, size)
    x = RNG.normal(size=(2, U.dim))
    for integrator in ("gjf", "bbk", "verlet"):
        ours, reference = (
            walked(b, U, x, integrator, dtype) for b in (LatticeBackend, NumpyBackend)
        )
        for name in ("x", "dx", "noise", "best_x", "energy", "best_energy", "dx2", "kinetic"):
            a, b = getattr(ours, name), getattr(reference, name)
            assert np.max(np.abs(a - b)) <= (1e-12 if dtype == np.float64 else 1e-5) * max(
                np.max(np.abs(b)), 1e-3
            ), (integrator, name)


@pytest.mark.parametrize("schedule", [COOLING, REHEATING], ids=["cooling", "reheating"])
@pytest.mark.parametrize(
    ("integrator", "kind"), [("gjf", "normal"), ("gjf", "uniform"), ("bbk", "normal")]
)
def test_same_bits_for_any_cut(integrator, kind, schedule):
    """Between steps of paired noise normals are kept as float32, which others do not fit into."""
    U = lattice("phi4", {"dim": 70_000, "periodic": True})
    x = RNG.normal(size=(1, U.dim))
    rest = {"schedule": schedule, "purpose": purpose_of(kind)}
    whole, shared = (
        walked(LatticeBackend, U, x, integrator, threads=t, cut=c, **rest)
        for t, c in ((1, STEPS), (2, 7))
    )
    for name in ("x", "dx", "noise", "best_x", "energy", "best_energy"):
        assert np.array_equal(getattr(whole, name), getattr(shared, name)), name


@pytest.mark.parametrize("size", [{"dim": 1_060_003}, {"shape": (505, 2101)}], ids=str)
def test_same_beyond_the_cache(size):
    """Rows that begin anywhere in a cache line, written around the cache."""
    U = lattice("phi4", {"periodic": True, **size})
    x = RNG.normal(size=(1, U.dim))
    assert x.nbytes > AROUND
    ours, reference = (
        walked(b, U, x, "gjf", steps=4, threads=2) for b in (LatticeBackend, NumpyBackend)
    )
    for name in ("x", "dx", "noise", "best_x"):
        np.testing.assert_allclose(getattr(ours, name), getattr(reference, name), atol=1e-12)


def test_is_chosen_for_few_replicas_of_many_sites():
    U = lattice("phi4", {"dim": 600, "periodic": True})
    for replicas, chosen in ((1, True), (300, False)):
        assert (get_backend("auto", U, replicas) is LatticeBackend) is chosen


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_measures_force_and_laplacian(size):
    U = lattice("lopsided", size)
    walk = Walk.at_rest(RNG.normal(size=(2, U.dim)), 1)
    squares, laplacian = LatticeBackend(U, walk, 2).measure()
    np.testing.assert_allclose(squares, np.sum(U.gradient(walk.x) ** 2), rtol=1e-11)
    np.testing.assert_allclose(laplacian, U.laplacian(walk.x).sum(), rtol=1e-11)
