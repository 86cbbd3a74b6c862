"""The lattice backend is the reference backend, faster: same trajectory, same best point, same bits
for any cut of the work.
"""

from __future__ import annotations

import numpy as np
import pytest

from langevin_sa import Potential, Schedule, schedules
from langevin_sa.backends.choose import get_backend
from langevin_sa.backends.cpu.lattice import LatticeBackend
from langevin_sa.backends.numpy import NumpyBackend
from langevin_sa.backends.walk import Walk

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
) -> Walk:
    walk = Walk.at_rest(x, 3, dtype)
    run = backend(potential, walk, threads)
    for start in range(0, STEPS, cut):
        run.advance(COOLING.coefficients(STEPS, integrator, (start, min(STEPS, start + cut))))
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


@pytest.mark.parametrize("integrator", ["gjf", "bbk"])
def test_same_bits_for_any_cut(integrator):
    U = lattice("phi4", {"dim": 70_000, "periodic": True})
    x = RNG.normal(size=(1, U.dim))
    whole, shared = (
        walked(LatticeBackend, U, x, integrator, threads=t, cut=c) for t, c in ((1, STEPS), (2, 7))
    )
    for name in ("x", "dx", "noise", "best_x", "energy", "best_energy"):
        assert np.array_equal(getattr(whole, name), getattr(shared, name)), name


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
