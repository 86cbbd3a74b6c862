"""Every public entry with arrays on a GPU, or backend="cupy": it works, or says in a sentence why
not.
"""

import sys

import fake_cupy
import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa import Potential, potentials

U = potentials.himmelblau()
SCHEDULE = lsa.Schedule(lsa.schedules.exponential(2.0, 0.05), 1.0, 0.02)
NO_GRADIENT = dict(energy=lambda x: ((x**2 - 1) ** 2).sum(1), dim=3, bounds=(-2, 2))


@pytest.fixture
def there(gpu):
    """``there(values)`` on the stand-in."""
    return sys.modules["cupy"].asarray


def run(x0=None, **more):
    x0 = U.draw_start(6, np.random.default_rng(1)) if x0 is None else x0
    return lsa.anneal(U, x0, **dict(schedule=SCHEDULE, n_steps=40, rng=1) | more)


# what is given besides, as a function that puts arrays somewhere; whether it is a run's own
OPTIONS = {
    "x0": lambda at: dict(x0=at(U.draw_start(6, np.random.default_rng(1)))),
    "masses": lambda at: dict(masses=at(np.array([1.0, 4.0]))),
    "frozen mask": lambda at: dict(frozen=at(np.array([True, False]))),
    "frozen numbers": lambda at: dict(frozen=at(np.array([1]))),
    "v0": lambda at: dict(v0=at(np.array([0.5, 1.0]))),
    "gamma": lambda at: dict(schedule=lsa.Schedule(1.0, at(np.array(2.0)), 0.02)),
    "law": lambda at: dict(schedule=lsa.Schedule(lambda s: at(np.asarray(2.0 - s)), 1.0, 0.02)),
    "law of numbers": lambda at: dict(
        schedule=lsa.Schedule(lambda s: at(np.array(2.0 if s < 0.5 else 1.0)), 1.0, 0.02)
    ),
    "momentum": lambda at: dict(schedule=lsa.Momentum(lr=at(np.array(0.01)), rho=0.9)),
    "thermal start": lambda at: dict(start="thermal"),
    "check_gradient": lambda at: dict(check_gradient=True),
    "observables": lambda at: dict(observables={"m": lambda x: x.mean(1), "f": "x*y"}),
    "stop rules": lambda at: dict(patience=10, stop_below=-1.0),
    "callback": lambda at: dict(callback=lambda x, f, context: False),
    "pilot": lambda at: dict(schedule=None, n_steps=200),
}


@pytest.mark.parametrize("option", OPTIONS)
def test_options_of_runs_may_lie_there(there, option):
    """With the bits of the CPU's run."""
    host = run(**OPTIONS[option](np.asarray), backend="numba")
    for more in (dict(), dict(backend="cupy")):
        given = OPTIONS[option](there)
        if not more and "x0" not in given:
            given["x0"] = there(U.draw_start(6, np.random.default_rng(1)))
        found = run(**given | more)
        out = found.best_positions
        np.testing.assert_array_equal(
            getattr(out, "get", lambda out=out: out)(), host.best_positions
        )


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_gradients_by_differences(there, dtype):
    with pytest.warns(UserWarning, match="no gradient given"):
        V = Potential(**NO_GRADIENT)
    x = V.draw_start(4, np.random.default_rng(1))
    host, gpu = (
        lsa.anneal(V, x, SCHEDULE, 20, rng=1, dtype=dtype, backend=backend).best_energies
        for backend in ("numpy", "cupy")
    )
    np.testing.assert_allclose(host, gpu, rtol=1e-4 if dtype == "float32" else 1e-12, atol=1e-6)


@pytest.mark.parametrize("suffix", ["npy", "h5", "zarr"])
def test_files_of_samples(there, tmp_path, suffix):
    """Positions and velocities, from a GPU as from the CPU."""
    pytest.importorskip({"h5": "h5py", "npy": "numpy"}.get(suffix, suffix))
    kept = []
    for name, more in {"a": dict(backend="numba"), "b": dict(backend="cupy"), "c": {}}.items():
        path = tmp_path / f"{name}.{suffix}"
        x0 = there(U.draw_start(6, np.random.default_rng(1))) if not more else None
        run(x0, samples=path, velocities=True, **more)
        if suffix == "npy":
            kept.append(np.load(path))
        else:
            kept.append(b"".join(p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()))
    if suffix == "npy":
        assert kept[0].shape == (40, 2, 6, 2)
        np.testing.assert_array_equal(kept[0], kept[1])
        np.testing.assert_array_equal(kept[0], kept[2])
    else:
        assert kept[0] == kept[1] == kept[2]


def test_what_comes_of_a_run(there, tmp_path):
    """Thermometers and observables take what a run on a GPU left."""
    x = there(U.draw_start(6, np.random.default_rng(1)))
    result = run(x, samples=True)
    for name in ("configurational", "virial"):
        here = getattr(lsa.thermometers, name)(U, x.get()).value
        assert getattr(lsa.thermometers, name)(U, x).value == here
    assert lsa.thermometers.average(result.energies).value == float(result.energies.get().mean())
    assert U.check_gradient(x) == U.check_gradient(x.get()) < 1e-6
    result.save(tmp_path / "r.npz")
    assert lsa.Result.load(tmp_path / "r.npz").fun == result.fun
    F = potentials.lennard_jones_fluid(particles=108, cutoff=2.0)
    x = F.draw_start(2, np.random.default_rng(1))
    for f in (F.energy, F.gradient, F.laplacian, lambda x: lsa.observables.pressure(F, x, 1.0)):
        out = f(there(x))
        np.testing.assert_array_equal(getattr(out, "get", lambda out=out: out)(), f(x))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: lsa.minimize(U, backend="numba"), "unknown backend of minimize 'numba'"),
        (lambda: lsa.minimize(lambda x: 0.0, [1.0], backend="cupy"), "and fun is a function"),
        (
            lambda: lsa.minimize(
                Potential.from_function(lambda x: 0.0, 2, jac=lambda x: x), backend="cupy"
            ),
            "functions that run on the CPU only",
        ),
        (lambda: run(remove_drift=True, backend="cupy"), "remove_drift needs particles"),
        (
            lambda: lsa.anneal(
                *(potentials.lennard_jones(4), None, SCHEDULE, 10),
                **dict(replicas=2, remove_drift=True, backend="cupy"),
            ),
            "does not hold the centre of mass",
        ),
        (lambda: lsa.exchange(U, [1.0, 2.0], 10, backend="cuda"), "did you mean 'cupy'"),
        (
            lambda: lsa.anneal(
                *(Potential.from_function(lambda x: 0.0, 2, jac=lambda x: x), [[1.0, 1.0]]),
                **dict(schedule=SCHEDULE, n_steps=10, backend="cupy"),
            ),
            "functions that run on the CPU only",
        ),
    ],
)
def test_what_is_refused_is_so_in_a_sentence(gpu, call, says):
    """Before any work."""
    fake_cupy.counts.clear()
    with pytest.raises((ValueError, TypeError), match=says):
        call()
    assert not fake_cupy.counts["launches"]


def test_many_descents_and_one_search(there):
    """As docs/gpu.md has it: many points down at once, and on from the lowest end."""
    V = potentials.rastrigin(3)
    x, energy = V.descend(there(V.draw_start(300, np.random.default_rng(1))))
    best = x[int(energy.argmin())]
    assert lsa.minimize(V, best, rng=1).fun == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    "V", [U, potentials.lennard_jones(6), potentials.phi4_chain(20)], ids=["few", "pairs", "sites"]
)
def test_searches_evaluate_there(there, V):
    """Point by point, or all that are known together, in one launch; budgets hold."""
    fake_cupy.counts.clear()
    found = lsa.minimize(V, maxfev=700, rng=1, backend="cupy")
    counts, known = fake_cupy.counts.copy(), lsa.minimize(V, maxfev=700, rng=1)
    assert found.fun == pytest.approx(known.fun, rel=1e-9, abs=1e-9) and found.nfev <= 700
    assert found.nfev / 4 < counts["launches"] <= found.nfev  # no descent is the CPU's
    assert counts["to host"] == 2 * counts["launches"]
    assert counts["to device"] <= counts["launches"] + 3


def test_a_search_goes_on_elsewhere(there, tmp_path):
    file = tmp_path / "search.npz"
    for backend, maxfev in (("cupy", 100), ("auto", 400), ("cupy", 700)):
        found = lsa.minimize(U, maxfev=maxfev, rng=1, backend=backend, checkpoint=file)
    assert found.fun == pytest.approx(0.0, abs=1e-12)
