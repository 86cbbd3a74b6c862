"""What "the same trajectory" means: two backends, one noise, differences in units of the last
place.
"""

from dataclasses import replace

import numpy as np

from langevin_sa import potentials
from langevin_sa.backends.choose import get_backend
from langevin_sa.backends.walk import ARRAYS, Walk
from langevin_sa.integrators import INTEGRATORS
from langevin_sa.validation.lab import OVERDAMPED

SEED = 2**63 + 12_345
NEIGHBOUR_LISTS = ("kob_andersen", "lennard_jones_fluid")
# mini-batches stay on the CPU
NAMES = sorted(set(potentials.catalogue()) - {"logistic_regression", "one_hidden_layer"})


def ulps(x, y, before, dtype):
    """Largest difference of two arrays (replicas, dim) in units of the last place of the replica's
    largest coordinate.

    Of x or of where it came from; a coordinate near 0 is the difference of larger numbers, and
    rounds as they do.
    """
    size = np.maximum(np.abs(x), np.abs(before)).max(1, keepdims=True).astype(dtype)
    return float(np.max(np.abs(x.astype(float) - y) / np.spacing(size)))


def start(potential, replicas, dtype, backend, x=None, purpose=0, masses=None):
    """A walk at the potential's own starting points, and what moves it."""
    x = potential.draw_start(replicas, np.random.default_rng(5)) if x is None else x
    walk = Walk.at_rest(x, SEED, dtype)
    walk.first_replica, walk.purpose, walk.masses = 3, purpose, masses
    return walk, get_backend(backend, potential, len(walk.x))(potential, walk, 1)


def compare(potential, integrator, dtype, replicas=8, n=100, purpose=0, temperature=0.5, every=10):
    """Run n steps on numba and on cupy; the most ulps in x of any one step looked at, and of the
    whole way; the two walks.

    A single step starts from where numba is; each of the first `every` and then one in `every` are
    looked at.
    """
    curvature = (
        np.abs(potential.laplacian(potential.draw_start(64, np.random.default_rng(5)))).max()
        / potential.dim
    )
    dt = 0.01 / curvature if integrator in OVERDAMPED else 0.1 / np.sqrt(curvature)
    # a time step that changes makes carry differ from rho
    growing = INTEGRATORS[integrator].physical * np.linspace(0.0, 0.1, n)
    row = INTEGRATORS[integrator]
    steps = row.carrying(row.steps(np.full(n, 1.0), dt * (1 + growing), temperature), None)
    reference, moves = start(potential, replicas, dtype, "numba", purpose=purpose)
    whole, moves_whole = start(potential, replicas, dtype, "cupy", purpose=purpose)
    worst, t = 0.0, 0
    while t < n:
        before = reference.x.copy()
        one = replace(reference, **{name: getattr(reference, name).copy() for name in ARRAYS})
        get_backend("cupy", potential)(potential, one, 1).advance(steps.part(t, t + 1))
        moves.advance(steps.part(t, t + 1))
        worst = max(worst, ulps(reference.x, one.x, before, dtype))
        ahead = t + 1 if t < every else min(t + every, n)
        if ahead > t + 1:
            moves.advance(steps.part(t + 1, ahead))
        t = ahead
    middle = n // 3
    moves_whole.advance(steps.part(0, middle))
    moves_whole.advance(steps.part(middle, n))
    return worst, ulps(reference.x, whole.x, before, dtype), reference, whole
