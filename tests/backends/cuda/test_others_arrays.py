"""Arrays of other libraries on a GPU: taken as CuPy's, and results handed back in kind."""

import sys
from types import SimpleNamespace

import fake_cupy
import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa.own.arrays import Library

WARM = lsa.Schedule(1.0, 1.0, 0.1)
X = np.linspace(-1, 1, 10).reshape(5, 2)
U = lsa.Potential(lambda x: (x**2).sum(1), lambda x: 2 * x, 2)


class Interface:
    """Nothing but the protocol of CUDA arrays."""

    def __init__(self, array):
        self.array = array

    @property
    def __cuda_array_interface__(self):
        return self.array.__array_interface__


class Capsule:
    """Nothing but DLPack's, on device 1."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **keywords):
        return self.array.__dlpack__()

    def __dlpack_device__(self):
        return 2, 1


def on_device(make, device, monkeypatch):
    """An array on a GPU of two."""
    monkeypatch.setattr(fake_cupy.Device, "count", 2)
    if make is fake_cupy.asarray:
        with fake_cupy.Device(device):
            return make(X)
    array = X.copy()
    fake_cupy.Device.places[array.ctypes.data] = device
    return make(array)


MAKERS = [Interface, Capsule, fake_cupy.asarray]


@pytest.mark.parametrize("make", MAKERS)
def test_they_stay_on_their_device(monkeypatch, make):
    """And so does all that is made of them, while another one is current."""
    given = on_device(make, 1, monkeypatch)
    for method in ("energy", "gradient", "laplacian"):
        found = getattr(U, method)(given)
        assert found.device.id == 1 and fake_cupy.Device.current() == 0
        with found.device:
            np.testing.assert_array_equal(found.get(), getattr(U, method)(X))
    both = U.energy_gradient(given)
    assert [array.device.id for array in both] == [1, 1]
    for V in (U, lsa.potentials.himmelblau(), lsa.potentials.phi4_chain()):
        fake_cupy.Device(0).use()
        x = given if V.dim == 2 else None
        if x is None:
            with fake_cupy.Device(1):
                x = fake_cupy.asarray(np.tile(X, (1, V.dim // 2)))
        run = lsa.anneal(V, x, WARM, 30, rng=1, samples=True, on_failure="raise")
        arrays = [run.x, run.energies, run.best_positions]
        arrays += [getattr(run.state, name) for name in ("x", "dx", "noise", "best_x")]
        assert {array.device.id for array in arrays} == {1}
        fake_cupy.Device(0).use()
        longer = lsa.anneal(V, None, WARM, 60, state=run.state)
        assert longer.x.device.id == 1
    assert set(fake_cupy.launched) == {1}


@pytest.mark.parametrize("make", MAKERS[:2])
def test_they_work_as_those_of_cupy(monkeypatch, make):
    monkeypatch.setattr(fake_cupy.Device, "count", 2)
    given = make(X.copy())
    for method in ("energy", "gradient"):
        found = getattr(U, method)(given)
        assert type(found) is fake_cupy.ndarray
        np.testing.assert_array_equal(found.get(), getattr(U, method)(X))
    run, plain = (lsa.anneal(U, x, WARM, 30, rng=1) for x in (given, X))
    for array in (run.x, run.state.x, run.best_positions, run.energies):
        assert type(array) is fake_cupy.ndarray
    np.testing.assert_allclose(run.state.x.get(), plain.state.x, rtol=0, atol=1e-12)
    assert fake_cupy.Device.current() == (1 if make is Capsule else 0)
    longer = lsa.anneal(U, None, WARM, 60, state=run.state)
    assert type(longer.x) is fake_cupy.ndarray


def test_the_memory_is_shared():
    given = X.copy()
    seen = []
    V = lsa.Potential(lambda x: seen.append(x) or (x**2).sum(1), lambda x: 2 * x, 2)
    V.energy(Interface(given))
    assert np.shares_memory(seen[0]._array, given)


def test_functions_of_the_cpu_are_called_there():
    """And answers go back to the GPU."""
    V = lsa.Potential.from_function(lambda x: x @ x, 2, lambda x: 2 * x)
    assert type(V.gradient(fake_cupy.asarray(X))) is fake_cupy.ndarray
    run = lsa.anneal(V, fake_cupy.asarray(X), WARM, 30, rng=1)
    assert type(run.state.x) is fake_cupy.ndarray
    np.testing.assert_array_equal(run.state.x.get(), lsa.anneal(V, X, WARM, 30, rng=1).state.x)


def test_answers_of_the_cpu_go_back_where_they_came_from(monkeypatch):
    V = lsa.Potential.from_function(lambda x: x @ x, 2, lambda x: 2 * x)
    given = on_device(fake_cupy.asarray, 1, monkeypatch)
    run = lsa.anneal(V, given, WARM, 30, rng=1)
    assert V.gradient(given).device.id == run.state.x.device.id == run.energies.device.id == 1
    assert fake_cupy.Device.current() == 0 and not fake_cupy.launched


def of(module, **more):
    """What a library of this name would give, on a GPU."""
    kind = type("Array", (Interface,), {"__module__": module, **more})
    return kind(X.copy())


def test_torch_and_numba_get_their_own(monkeypatch):
    there = {
        "torch": SimpleNamespace(
            from_dlpack=lambda a: SimpleNamespace(to=lambda d: ("torch", a, d))
        ),
        "numba": SimpleNamespace(
            cuda=SimpleNamespace(
                as_cuda_array=lambda a: ("numba", a), to_device=lambda a: ("copied", a)
            )
        ),
    }
    for name, module in there.items():
        monkeypatch.setitem(sys.modules, name, module)
    values = fake_cupy.asarray(X)
    assert Library.of(of("torch", device="cuda:1")).array(values) == ("torch", values, "cuda:1")
    numba = Library.of(of("numba.cuda.cudadrv.devicearray"))
    assert numba.array(values) == ("numba", values)
    assert numba.array(X) == ("copied", X)


def test_jax_gets_its_own(monkeypatch):
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        on_host = jax.numpy.asarray(X)
    monkeypatch.setattr(jax.dlpack, "from_dlpack", lambda array: on_host)
    library = Library.of(on_host)._replace(on_gpu=True)
    assert library.array(fake_cupy.asarray(X)).devices() == on_host.devices()


def test_their_own_ways_to_the_host():
    """Where no kernel of the GPU is asked for, CuPy is not needed."""
    from langevin_sa.arguments import on_host

    for name in ("get", "copy_to_host", "cpu"):
        given = of("another", **{name: lambda self: self.array})
        np.testing.assert_array_equal(on_host(given), X)
