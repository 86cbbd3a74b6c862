"""What a backend is asked for, by a run and by `lsa.validate`."""

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa.backends.choose import get_backend
from langevin_sa.backends.numpy import NumpyBackend
from langevin_sa.backends.walk import Backend, Walk

POTENTIALS = {
    "formula": lsa.potentials.double_well(),
    "functions": lsa.Potential(lambda x: (x**2).sum(1), lambda x: 2 * x, 2),
    "lattice": lsa.potentials.phi4_chain(600),
    "fluid": lsa.potentials.lennard_jones_fluid(200),
}


@pytest.mark.parametrize("backend", ["numpy", "auto"])
@pytest.mark.parametrize("name", POTENTIALS)
def test_every_backend_has_every_hook(name, backend):
    U = POTENTIALS[name]
    kernel = get_backend(backend, U, 2)
    walk = Walk.at_rest(U.draw_start(2, np.random.default_rng(1)), 1)
    assert issubclass(kernel, Backend) and kernel.placed(walk) is walk
    with kernel.at(3):
        engine = kernel(U, walk, 1)
    engine.refresh()
    engine.settle()
    assert engine.overhead == 0.0
    assert engine.measure() is None or len(engine.measure()) == 2


def test_validate_takes_a_class_that_only_advances():
    class Own:
        def __init__(self, potential, walk, threads):
            self.inner = NumpyBackend(potential, walk, threads)

        def advance(self, steps):
            self.inner.advance(steps)

    assert lsa.validate(Own, families=["momentum"]).passed
