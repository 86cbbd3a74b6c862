"""Masses and frozen coordinates in the CUDA text: as the numba backend moves them."""

import numpy as np
import pytest
from parity import start

from langevin_sa import Potential, potentials
from langevin_sa.integrators import INTEGRATORS

# one for each kernel: a thread a replica; sites over threads; pairs; array functions
WAYS = {
    "registers": lambda: potentials.himmelblau(),
    "lattice": lambda: Potential.from_formula(site="(x**2 - 1)**2/4", bond="(y - x)**2/2", dim=133),
    "pairs": lambda: potentials.lennard_jones(7),
    "links and entries of lists": lambda: Potential.from_formula(
        bond="(r - 1)**2", particles=8, terms=[("angle", [(0, 3, 5), (7, 6, 2)], "theta**2")]
    ),
    "arrays": lambda: Potential(
        lambda x: (x**2 / 2 + x**4 / 40).sum(1), lambda x: x + x**3 / 10, dim=9
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_gpu_weighs_as_the_cpu_does(gpu, way, dtype):
    U = WAYS[way]()
    masses = np.resize([1.0, 100.0, 4.0, np.inf], U.dim)
    held = np.isinf(masses)
    for integrator in ("bbk", "gjf"):
        steps = INTEGRATORS[integrator].steps(np.full(40, 1.0), 0.01, 0.5)
        walks = []
        for backend in ("numba", "cupy"):
            walk, mover = start(U, 5, dtype, backend, masses=masses)
            mover.advance(steps.part(0, 13))
            mover.advance(steps.part(13, 40))
            walks.append(walk)
        cpu, there = walks
        close = 1e-11 if dtype == np.float64 else 2e-3
        for name in ("x", "dx", "kinetic", "dx2", "best_x"):
            a, b = getattr(cpu, name), getattr(there, name)
            np.testing.assert_allclose(a, b, rtol=close, atol=close * np.abs(a).max())
        begin = U.draw_start(5, np.random.default_rng(5)).astype(dtype)
        for x in (there.x, there.best_x):
            np.testing.assert_array_equal(x[:, held], begin[:, held])
        assert (there.dx[:, ~held] != 0).all()
