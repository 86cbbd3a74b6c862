"""Launches played as a graph are those that the host would launch one by one."""

import fake_cupy
import fake_device
import numpy as np
import pytest
from parity import start

from langevin_sa import Potential
from langevin_sa.backends.walk import ARRAYS, NonFinite
from langevin_sa.integrators import INTEGRATORS

h = np.linspace(0.5, 1.5, 600)
KINDS = {
    "lattice": dict(site="k*x**4/4", bond="h*(y - x)**2/2", dim=600, h=h, k=1.0),
    "particles": dict(bond="k*(r - 2)**2", particles=37, space=2, k=1.0),
}


def steps_of(integrator, n, dt=0.02):
    row = INTEGRATORS[integrator]
    growing = dt * np.linspace(0.5, 1.0, n) if row.physical else np.full(n, 0.1 * dt)
    return row.carrying(row.steps(np.full(n, 1.0), growing, 0.5), None)


def began(kind, dtype, **changes):
    U = Potential.from_formula(**KINDS[kind] | changes)
    U._start = lambda n, generator: np.cumsum(generator.uniform(0.5, 1.5, (n, U.dim)), 1) / 100
    return U, *start(U, 3, dtype, "cupy")


@pytest.fixture
def one_by_one(gpu, monkeypatch):
    """Blocks that are not alone; what it returns puts an end to graphs."""
    monkeypatch.setattr(gpu, "ALONE", 0)
    monkeypatch.setattr(gpu.source, "THREADS", 32)
    return lambda: monkeypatch.setattr(gpu, "AT_ONCE", 10**9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("integrator", ["bbk", "gjf"])
def test_a_graph_has_the_bits_of_launches_one_by_one(one_by_one, kind, dtype, integrator):
    """Of even and odd numbers of steps, of more and of fewer than before, with other parameters."""
    ends = []
    for alone in (False, True):
        if alone:
            one_by_one()
        _, walk, mover = began(kind, dtype)
        fake_cupy.counts.clear()
        for n in (31, 14, 77, 5, 31, 40):
            mover.advance(steps_of(integrator, n))
        mover.retune(began(kind, dtype, k=1.5)[0])
        mover.advance(steps_of(integrator, 33))
        ends.append(walk)
        if not alone:
            # passes are two more than steps, 16 of them a graph; one look after new parameters
            assert fake_cupy.counts["graphs"] == 2 + 1 + 4 + 2 + 2 + 2
    for name in ARRAYS:
        np.testing.assert_array_equal(*(getattr(walk, name) for walk in ends), err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
def test_a_graph_is_recorded_once(one_by_one, kind):
    """For each of the two buffers that x may be in, as long as arguments are where they were."""
    mover = began(kind, np.float64)[2]
    recorded = []
    for n in (65, 65, 64, 64, 30, 15, 65):  # odd: x is in the other one afterwards
        fake_cupy.counts.clear()
        mover.advance(steps_of("gjf", n))
        recorded.append(fake_cupy.counts["recorded"])
    assert recorded == [17, 17, 0, 0, 0, 0, 0]
    mover.advance(steps_of("gjf", 99))  # more numbers than there was room for
    mover.advance(steps_of("gjf", 99))
    assert len(mover.graphs.held) == 2


def test_a_step_that_fails_within_a_graph_is_named(one_by_one):
    found = []
    for alone in (False, True):
        if alone:
            one_by_one()
        _, walk, mover = began("lattice", np.float64, site="-k*x**4")
        walk.x[2] += 1.0
        mover.advance(steps_of("gjf", 1, 1e-3))
        with pytest.raises(NonFinite) as failed:
            mover.advance(steps_of("gjf", 200, 0.01))
        found.append((failed.value.step, failed.value.replica))
    assert found[0] == found[1] and 20 < found[0][0] < 200


def test_the_stand_in_refuses_what_cannot_be_recorded(gpu):
    x, stream = gpu.cupy.asarray(np.ones(3)), gpu.cupy.cuda.Stream(non_blocking=True)
    with stream:
        stream.begin_capture()
        for wrong in (x.get, lambda: x.set(np.ones(3)), lambda: float(x[0])):
            with pytest.raises(fake_device.CUDARuntimeError, match="while recording"):
                wrong()
        stream.end_capture()


def test_an_interrupt_while_recording_ends_it(one_by_one):
    """The stand-in looks whether a stream that is left goes on recording."""
    mover = began("lattice", np.float64)[2]
    launch = mover.kernel

    def broken(*arguments):
        raise KeyboardInterrupt

    mover.kernel = broken
    with pytest.raises(KeyboardInterrupt):
        mover.advance(steps_of("gjf", 40))
    assert not mover.graphs.held
    mover.kernel = launch
    mover.advance(steps_of("gjf", 40))
