"""Wherever launches are broken off, a lowest energy is that of its point."""

import numpy as np
import pytest
from parity import start

from langevin_sa import Potential, potentials
from langevin_sa.integrators import INTEGRATORS

WAYS = {
    "lattice": lambda: Potential.from_formula(site="(x**2 - 1)**2/4", bond="(y - x)**2/2", dim=133),
    "pairs": lambda: potentials.lennard_jones(38),
    "arrays": lambda: Potential(lambda x: (x**2).sum(1), lambda x: 2 * x, dim=9),
}
PASSES = 14


@pytest.mark.parametrize("way", WAYS)
def test_a_best_point_has_its_energy_between_any_two_launches(gpu, monkeypatch, way):
    """A quench, of which nearly every step is the lowest so far; a launch a step."""
    monkeypatch.setattr(gpu, "ALONE", 0)
    monkeypatch.setattr(gpu.source, "THREADS", 32)
    U = WAYS[way]()
    steps = INTEGRATORS["gjf"].steps(np.full(PASSES - 2, 1.0), 0.002, 0.0)
    seen = []
    for launches in range(PASSES + 1):
        walk, mover = start(U, 3, np.float64, "cupy")
        first, walk = mover.walk.best_energy.get(), mover.walk
        launch, left = mover.kernel, [launches]

        def broken(*arguments, launch=launch, left=left):
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            launch(*arguments)

        mover.kernel = broken
        try:
            mover.advance(steps)
        except KeyboardInterrupt:
            assert launches < PASSES
        energy, best_x = walk.best_energy.get(), walk.best_x.get()
        np.testing.assert_allclose(U.energy(best_x), energy, rtol=1e-12)
        assert (energy <= first).all()
        seen.append(energy[0])
    assert len(set(seen)) > PASSES // 2


def test_it_has_before_those_that_turn_back_go_again(gpu, monkeypatch):
    U = Potential.from_formula("x*log(x)", bounds=(0.1, 2))
    walk, mover = start(U, 9, np.float64, "cupy", np.linspace(0.1, 1.0, 9)[:, None])
    walk.wall, first = True, mover.walk.best_energy.get()

    def broken(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(gpu, "kernel", broken)
    with pytest.raises(KeyboardInterrupt):
        mover.advance(INTEGRATORS["gjf"].steps(np.full(20, 1.0), 0.1, 1.0))
    turned, found = mover.turned.get() > 0, mover.walk.best_energy.get()
    np.testing.assert_allclose(U.energy(mover.walk.best_x.get()), found, rtol=1e-12)
    assert (found < first)[turned].any() and not turned.all()
