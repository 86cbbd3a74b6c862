"""The loop in JAX: the package's noise to the bit, the trajectories of the NumPy reference to
rounding, and the same bits however a run is cut.
"""

import numpy as np
import pytest
from hostile import refused

import langevin_sa as lsa
from langevin_sa import noise
from langevin_sa.annealing.request import prepare
from langevin_sa.backends.choose import get_backend
from langevin_sa.backends.cpu.drawn import draw_steps
from langevin_sa.backends.cpu.functions import ArrayBackend
from langevin_sa.backends.walk import NonFinite, Walk

jax = pytest.importorskip("jax")
jnp = jax.numpy

from langevin_sa.backends.jax import philox, trigonometry  # noqa: E402
from langevin_sa.backends.jax.loop import JaxBackend  # noqa: E402

SEED = 2**40 + 17
COOLING = lsa.Schedule(lsa.schedules.exponential(10.0, 0.1), gamma=1.0, dt=0.02)
WARM = lsa.Schedule(1.0, gamma=1.0, dt=0.05)
X0 = np.random.default_rng(0).uniform(-3, 3, (70, 3))


def rastrigin(x):
    return jnp.sum(x**2 - 10 * jnp.cos(2 * jnp.pi * x) + 10)


def cup(x):
    """Defined inside of the unit sphere alone."""
    return -jnp.log(1 - jnp.sum(x**2)) + x[0]


@pytest.fixture(scope="module")
def U():
    return lsa.Potential.from_jax(rastrigin, 3)


def same(a, b):
    """The same bits in all that a run ends with."""
    for name in ("x", "dx", "noise", "best_x", "best_energy", "failures"):
        np.testing.assert_array_equal(getattr(a.state, name), getattr(b.state, name), name)
    np.testing.assert_array_equal(a.energies, b.energies)


def close(a, b, off=1e-9):
    """The same to rounding."""
    for name in ("x", "dx", "noise", "best_x", "best_energy"):
        one, other = getattr(a.state, name), getattr(b.state, name)
        np.testing.assert_allclose(one, other, rtol=0, atol=off, err_msg=name)
    np.testing.assert_array_equal(a.state.failures, b.state.failures)
    for name in ("temperature", "eq22", "energy_mean", "best"):
        np.testing.assert_allclose(a.history[name], b.history[name], rtol=10 * off, err_msg=name)


# -------------------------------------------------------------------------------------------- noise


@pytest.mark.parametrize(("purpose", "dim"), [(0, 1), (1, 3), (0, 10), (16, 2), (32, 5)])
def test_noise_in_jax_has_our_bits(purpose, dim):
    with jax.enable_x64(True):
        draw = jax.jit(philox.normals, static_argnums=(2, 3))
        stream = np.array([5, *noise.key_of(SEED)], dtype=np.uint32)
        for step in (0, 7, 2**33 + 5):
            z = draw(stream, np.int64(step), purpose, (50, dim))
            ours = noise.normals(SEED, step, 5 + np.arange(50), dim, purpose)
            np.testing.assert_array_equal(z, ours)


def test_normals_in_jax_have_our_bits():
    words = np.random.default_rng(1).integers(2**32, size=(100_000, 2), dtype=np.uint32)
    words[:100, 0] = np.arange(100)
    with jax.enable_x64(True):
        pair = jax.jit(philox._box_muller)(*words.T)
    np.testing.assert_array_equal(np.stack(pair, axis=-1), noise.box_muller(words))


def test_one_rounding_where_two_would_err():
    """Sums that float64 rounds to the middle of two float32."""
    u, odd = np.float32(2.0**-18), np.float32(1 + 2.0**-23)
    a = np.float32([2.0**-24, -(2.0**-24)]) * (1 + u)
    with jax.enable_x64(True):
        found = jax.jit(philox._fma)(a, 1 - u, odd)
    np.testing.assert_array_equal(found, np.float32([odd, odd]))
    np.testing.assert_array_equal(noise.fma32(a, 1 - u, odd), np.float32([odd, odd]))


@pytest.mark.parametrize("purpose", [0, 16])
@pytest.mark.parametrize(("replicas", "columns"), [(3, 1), (64, 64), (130, 64)])
def test_noise_of_several_steps_in_one_array(replicas, columns, purpose):
    for dim, step in ((1, 3), (3, 2**33 + 1), (10, 7)):
        z = np.full((5, replicas, dim), np.nan)
        groups = -(-replicas // columns)
        draw_steps(z, step, columns, (9, purpose, *noise.key_of(SEED)), 0, groups)
        for n in range(5):
            ours = noise.normals(SEED, step + n, 9 + np.arange(replicas), dim, purpose)
            np.testing.assert_array_equal(z[n], ours)


# -------------------------------------------------------------------------------- sines and cosines


@pytest.mark.parametrize("name", ["sin", "cos"])
def test_sines_are_those_of_the_library_to_rounding(name):
    generator = np.random.default_rng(2)
    near = np.arange(-4000, 4000) * np.pi / 2
    x = np.concatenate(
        [generator.uniform(-1e6, 1e6, 100_000), generator.normal(0, 5, 100_000), near]
    )
    with jax.enable_x64(True):
        ours = jax.jit(trigonometry.with_vectors(getattr(jnp, name)))
        found, exact = np.asarray(ours(x)), getattr(np, name)(x.astype(np.longdouble))
        assert (np.abs(found - exact) < np.minimum(2.5 * np.spacing(np.abs(found)), 3e-16)).all()
        far = np.append(x[:9], [1e7, 1e22, -1e300])
        np.testing.assert_allclose(ours(far), getattr(np, name)(far), rtol=1e-15)
        assert np.isnan(ours(np.array([np.nan, np.inf, 0.0]))[:2]).all()


def test_sines_are_found_in_functions_of_all_kinds():
    def function(x):
        inner = jax.jit(lambda y: jnp.sin(y) + jax.nn.relu(y))(x)
        cut = jax.lax.cond(x[0, 0] > 0, jnp.cos, jnp.sin, x)
        total = jax.lax.scan(lambda sum, row: (sum + jnp.sin(row), row), x[0], x)[0]
        return {"all": inner + cut + total, "single": jnp.sin(x.astype(jnp.float32))}

    with jax.enable_x64(True):
        x = np.random.default_rng(3).normal(size=(4, 3))
        swift = jax.jit(trigonometry.with_vectors(function))(x)
        np.testing.assert_allclose(swift["all"], function(x)["all"], rtol=0, atol=1e-14)
        assert swift["single"].dtype == np.float32


# ------------------------------------------------------------------------------------- trajectories


SCHEDULES = {
    "halves": (COOLING, "gjf"),
    "single": (COOLING, "bbk"),
    "parts": (COOLING, "vec"),
    "optimizer": (lsa.CoolMomentum(lr=1e-4, rho0=0.9, noise=3.0), "gjf"),
    "no noise": (lsa.Momentum(0.9, 1e-4), "gjf"),
}


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_trajectory_is_that_of_numpy(U, name, dtype):
    schedule, integrator = SCHEDULES[name]
    options = dict(rng=1, integrator=integrator, dtype=dtype, record_every=30)
    ours, theirs = (
        lsa.anneal(U, X0, schedule, 100, **options, backend=backend)
        for backend in ("auto", "numpy")
    )
    close(ours, theirs, off=1e-9 if dtype == "float64" else 1e-4)
    assert ours.state.x.dtype == dtype


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["uniform", "three-point"])
def test_other_kinds_of_noise(U, kind):
    runs = [lsa.anneal(U, X0, COOLING, 50, rng=1, noise=kind, backend=b) for b in ("jax", "numpy")]
    close(*runs)


@pytest.mark.slow
def test_thermal_starts_and_exchange(U):
    options = dict(x0=X0[:5], rng=1, dt=0.02, gamma=1.0, record_every=10, burn_in=0)
    runs = [
        lsa.exchange(U, [1.0, 1.5, 2.0], 60, **options, backend=backend)
        for backend in ("auto", "numpy")
    ]
    np.testing.assert_allclose(runs[0].energies, runs[1].energies, rtol=1e-9)
    started = dict(rng=1, start="thermal")
    close(*(lsa.anneal(U, X0, COOLING, 50, **started, backend=b) for b in ("jax", "numpy")))


@pytest.fixture(scope="module")
def bowl():
    """A potential with a wall."""
    return lsa.Potential.from_jax(cup, 2)


def test_walls(bowl):
    """Some replicas turn back at once, others later."""
    options = dict(x0=np.full((60, 2), 0.6), schedule=WARM, n_steps=200, rng=2)
    ours, theirs = (lsa.anneal(bowl, **options, backend=backend) for backend in ("jax", "numpy"))
    assert ours.failures > 30
    close(ours, theirs, off=1e-6)  # walls are steep
    same(lsa.anneal(bowl, **options, record_every=77), ours)


def test_failures_that_are_no_walls(bowl):
    """In a run that shall raise, at a start, and where a run diverges."""
    options = dict(x0=np.full((60, 2), 0.6), schedule=WARM, n_steps=200, rng=2, on_failure="raise")
    messages = [lsa.anneal(bowl, **options, backend=b).message for b in ("jax", "numpy")]
    assert messages[0] == messages[1] and "step" in messages[0]
    walk = Walk.at_rest(np.array([[0.1, 0.1], [1.0, 1.0]]), 1)
    with pytest.raises(NonFinite) as found:
        JaxBackend(bowl, walk)
    assert (found.value.step, found.value.replica) == (0, 1) and np.isnan(walk.energy[1])


@pytest.mark.slow
def test_a_run_that_diverges():
    falling = lsa.Potential.from_jax(lambda x: -jnp.sum(x**2), 1)
    runs = [lsa.anneal(falling, [1.0], WARM, 500, rng=1, backend=b) for b in ("jax", "numpy")]
    assert runs[0].status == 2 and runs[0].message == runs[1].message


def test_replicas_that_change_places(U):
    walks = {}
    for backend in ("jax", "numpy"):
        kernel = get_backend(backend, U)
        pair = [kernel(U, Walk.at_rest(X0, seed), 1) for seed in (1, 2)]
        for n in range(0, 30, 10):
            for mover in pair:
                mover.advance(COOLING.coefficients(30, "gjf", (n, n + 10)))
            pair[0].change_places(pair[1], np.arange(n // 10, 70, 3))
        walks[backend] = [mover.walk for mover in pair]
    for ours, theirs in zip(*walks.values(), strict=True):
        for name in ("x", "dx", "energy", "best_energy", "kinetic"):
            np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-9)


def test_where_a_device_makes_the_noise_itself(U, monkeypatch):
    """As it does where JAX is not on the CPU."""
    made = lsa.anneal(U, X0, COOLING, 100, rng=SEED)
    monkeypatch.setattr(
        JaxBackend, "on_cpu", property(lambda self: False, lambda self, value: None), raising=False
    )
    close(lsa.anneal(U, X0, COOLING, 100, rng=SEED), made)


# --------------------------------------------------------------------------------------------- bits


def test_the_same_bits_however_a_run_is_cut(U, monkeypatch):
    whole = lsa.anneal(U, X0, COOLING, 200, rng=1, record_every=200)
    same(lsa.anneal(U, X0, COOLING, 200, rng=1, record_every=1), whole)
    first = lsa.anneal(U, X0, COOLING, 200, rng=1, record_every=7, callback=stop_at(91))
    assert first.nit == 91
    same(lsa.anneal(U, None, COOLING, 200, state=first.state), whole)
    monkeypatch.setattr("langevin_sa.backends.jax.loop.WORTH_A_THREAD", 10)
    monkeypatch.setattr("langevin_sa.backends.jax.loop.MOST", 13)
    same(lsa.anneal(U, X0, COOLING, 200, rng=1, threads=2), whole)


def stop_at(step):
    return lambda intermediate_result: intermediate_result.nit >= step


@pytest.mark.slow
def test_workers_have_the_same_bits(U):
    options = dict(rng=1, record_every=50)
    same(
        lsa.anneal(U, X0, COOLING, 200, workers=2, **options),
        lsa.anneal(U, X0, COOLING, 200, **options),
    )


# --------------------------------------------------------------------------------------- the choice


def test_who_gets_it(U):
    assert get_backend("auto", U) is get_backend("jax", U) is JaxBackend
    assert get_backend("numba", U) is ArrayBackend
    refused(
        lambda: lsa.anneal(lsa.potentials.double_well(), [1.0], WARM, 9, backend="jax"),
        TypeError,
        r"backend 'jax' is for functions in JAX, and .* is none: make it by Potential.from_jax",
    )


def test_settings_of_jax_stay_as_they_are(U):
    lsa.anneal(U, X0, COOLING, 10, rng=1)
    assert jnp.zeros(1).dtype == jnp.float32


def test_a_run_looks_once_at_each_point():
    """A slice goes on with the gradient of the one before."""
    seen = []

    def told(x):
        jax.debug.callback(lambda: seen.append(1))
        return (x**2).sum(1)

    U = lsa.Potential.from_jax(told, 2, batched=True)
    prepared = prepare(U, X0[:, :2], WARM, 100, rng=1)
    for record_every in (1, 5):
        seen.clear()
        for n in range(0, 20, record_every):
            prepared.backend.advance(prepared.coefficients(n, n + record_every))
        jax.effects_barrier()
        assert len(seen) == 20
    prepared.walk.x[0] += 1
    seen.clear()
    prepared.backend.advance(prepared.coefficients(20, 21))
    jax.effects_barrier()
    assert len(seen) == 2
