"""Arrays of other libraries in host memory: taken without copies, answered in kind, or refused."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hostile import refused

import langevin_sa as lsa
from langevin_sa.own.arrays import Library

WARM = lsa.Schedule(1.0, 1.0, 0.1)
X = np.linspace(-1, 1, 10).reshape(5, 2)
U = lsa.Potential.from_formula("(x**2 - 1)**2 + y**2/2")
ARRAYS = lsa.Potential(lambda x: (x**2).sum(1), lambda x: 2 * x, 2)


class Shared:
    """An array of which nothing is known but that it has DLPack's protocol."""

    def __init__(self, array, device=None):
        self.array, self.device_type = array, device

    def __dlpack__(self, **keywords):
        return self.array.__dlpack__(**keywords)

    def __dlpack_device__(self):
        return self.device_type or self.array.__dlpack_device__()


def in_torch(array):
    return pytest.importorskip("torch").tensor(array)


def in_jax(array):
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        return jax.numpy.asarray(array)


MAKERS = {"torch": in_torch, "jax": in_jax, "DLPack alone": Shared}


def kind(array):
    return type(array).__module__.partition(".")[0].replace("jaxlib", "jax")


@pytest.mark.parametrize("name", MAKERS)
def test_runs_are_answered_in_kind_with_the_same_bits(name, tmp_path):
    make = MAKERS[name]
    plain = lsa.anneal(U, X, WARM, 50, rng=1)
    run = lsa.anneal(U, make(X), WARM, 50, rng=1, samples=True, checkpoint=tmp_path / "run.npz")
    expected = "numpy" if name == "DLPack alone" else name
    arrays = {n: getattr(run.state, n) for n in ("x", "dx", "noise", "best_x", "best_energy")}
    arrays |= {n: run[n] for n in ("x", "energies", "best_energies", "best_positions")}
    for what, array in arrays.items():
        assert kind(array) == expected, what
        theirs = plain[what] if what in plain else getattr(plain.state, what)
        np.testing.assert_array_equal(np.asarray(array), theirs)
    assert kind(run.samples) == "numpy" and isinstance(run.fun, float)

    run.save(tmp_path / "result.npz")
    np.testing.assert_array_equal(
        lsa.Result.load(tmp_path / "result.npz").best_positions, arrays["best_x"]
    )
    longer, theirs = (lsa.anneal(U, None, WARM, 80, state=a.state) for a in (run, plain))
    assert kind(longer.x) == expected
    np.testing.assert_array_equal(np.asarray(longer.state.x), theirs.state.x)
    run.plot()


@pytest.mark.parametrize("name", MAKERS)
def test_snapshots_stay_as_they_are(name):
    states = [s.state.x for s in lsa.simulate(U, MAKERS[name](X), WARM, 30, rng=1, record_every=10)]
    theirs = [s.state.x.copy() for s in lsa.simulate(U, X, WARM, 30, rng=1, record_every=10)]
    np.testing.assert_array_equal(np.stack([np.asarray(x) for x in states]), theirs)


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("V", [U, ARRAYS], ids=["formula", "functions"])
def test_points_are_answered_in_kind(name, V):
    points, expected = MAKERS[name](X), "numpy" if name == "DLPack alone" else name
    for method in ("energy", "gradient", "laplacian", "energy_gradient"):
        found, theirs = getattr(V, method)(points), getattr(V, method)(X)
        pairs = zip(found, theirs, strict=True) if type(theirs) is tuple else [(found, theirs)]
        for array, other in pairs:
            assert kind(array) == expected
            np.testing.assert_array_equal(np.asarray(array), other)
    assert isinstance(V.energy(MAKERS[name](X[0])), float)


@pytest.mark.parametrize("name", MAKERS)
def test_points_are_read_where_they_lie(name):
    """And so are velocities; nothing may write there."""
    points, seen = MAKERS[name](X.copy()), []
    V = lsa.Potential(lambda x: seen.append(x) or (x**2).sum(1), lambda x: 2 * x, 2)
    V.energy(points)
    there = points.array if name == "DLPack alone" else np.asarray(points)
    assert np.shares_memory(seen[0], there) and not seen[0].flags.writeable
    fast = lsa.anneal(U, X, WARM, 20, rng=1, v0=points)
    np.testing.assert_array_equal(fast.state.x, lsa.anneal(U, X, WARM, 20, rng=1, v0=X).state.x)


def test_answers_in_torch_share_the_walks_memory():
    torch = pytest.importorskip("torch")
    values = np.arange(3.0)
    array = Library.of(torch.ones(1)).array(values)
    assert np.shares_memory(array.numpy(), values)


def test_other_kinds_of_numbers_and_orders():
    """Integers, truth values, float32, strides, no axis, arrays that cannot be written to."""
    torch = pytest.importorskip("torch")
    whole = np.array([[0, 1], [1, 1]])
    frozen = X.copy()
    frozen.flags.writeable = False
    for given in (torch.tensor(whole), torch.tensor(whole > 0), torch.tensor(whole).float()):
        np.testing.assert_array_equal(U.gradient(given).numpy(), U.gradient(whole.astype(float)))
        run = lsa.anneal(U, given, WARM, 9, rng=1)
        np.testing.assert_array_equal(run.state.x, lsa.anneal(U, whole, WARM, 9, rng=1).state.x)
    strided = torch.tensor(np.repeat(X, 2, axis=0))[::2]
    np.testing.assert_array_equal(U.energy(strided).numpy(), U.energy(X))
    np.testing.assert_array_equal(U.energy(Shared(frozen)), U.energy(X))
    assert lsa.anneal(lsa.potentials.double_well(), torch.tensor(1.0), WARM, 9, rng=1).x.shape == (
        1,
    )
    for name in ("jax", "torch"):  # potentials in the same library too
        pytest.importorskip(name)
        V = getattr(lsa.Potential, f"from_{name}")(lambda x: (x**2).sum(), 2)
        for given in (MAKERS[name](whole), MAKERS[name](X)[::2], MAKERS[name](whole > 0)):
            there = np.asarray(given).astype(float)
            np.testing.assert_array_equal(np.asarray(V.gradient(given)), 2 * there)
        np.testing.assert_array_equal(V.gradient(frozen), 2 * X)


UNFIT = {
    "gradient wanted": (lambda torch: torch.ones(2, 2, requires_grad=True), "detach"),
    "bfloat16": (lambda torch: torch.ones(2, 2, dtype=torch.bfloat16), "BFloat16"),
    "no memory": (lambda torch: torch.ones(2, 2, device="meta"), "meta"),
    "complex": (lambda torch: torch.ones(2, 2, dtype=torch.complex64), "0.j"),
}


@pytest.mark.parametrize(("make", "fragment"), UNFIT.values(), ids=UNFIT)
def test_what_cannot_be_read_is_refused(make, fragment):
    given = make(pytest.importorskip("torch"))
    for what, call in {
        "x0": lambda: lsa.anneal(U, given, WARM, 9),
        "v0": lambda: lsa.anneal(U, X[:2], WARM, 9, v0=given),
        "x": lambda: U.energy(given),
    }.items():
        refused(call, TypeError, rf"(?s){what} must be an array of real numbers.*{fragment}")


def test_bfloat16_of_jax_is_refused():
    jax = pytest.importorskip("jax")
    given = jax.numpy.ones((2, 2), dtype=jax.numpy.bfloat16)
    refused(lambda: U.energy(given), TypeError, "x must be an array of real numbers")
    refused(lambda: lsa.anneal(U, given, WARM, 9), TypeError, "x0 must be an array of real numbers")


def test_jax_computes_and_answers_where_the_starting_points_are():
    """In a process that has two devices."""
    pytest.importorskip("jax")
    code = """
import jax, jax.numpy as jnp, langevin_sa as lsa
there = jax.devices()[1]
x0 = jax.device_put(jnp.ones((3, 2)), there)
U = lsa.Potential.from_jax(lambda x: jnp.sum(x**4), 2)
run = lsa.anneal(U, x0, lsa.Schedule(1.0, 1.0, 0.1), 20, rng=1)
assert run.x.devices() == run.state.x.devices() == U.gradient(x0).devices() == {there}
here = lsa.anneal(U, [[1.0, 1.0]] * 3, lsa.Schedule(1.0, 1.0, 0.1), 20, rng=1)
assert (jax.device_get(run.state.x) == here.state.x).all()
from langevin_sa.annealing.request import prepare
assert prepare(U, x0, lsa.Schedule(1.0, 1.0, 0.1), 20).backend.device == there
"""
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | flags,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
