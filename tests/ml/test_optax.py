"""The optax transformation: Table 1, and the torch optimizer to rounding."""

import math

import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="needs the extra jax")
optax = pytest.importorskip("optax", reason="needs the extra jax")

import jax.numpy as jnp

from langevin_sa.ml.optax import cool_momentum, read, thermometer


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def descend(transformation, params, gradient, steps):
    """Positions after each step, compiled as one scan."""

    def step(carry, n):
        params, state = carry
        updates, state = transformation.update(gradient(params, n), state, params)
        params = optax.apply_updates(params, updates)
        return (params, state), params

    return jax.lax.scan(step, (params, transformation.init(params)), jnp.arange(steps))[1]


def test_the_published_numbers(fixture):
    path = descend(cool_momentum(0.1, 0.9, total_steps=5), jnp.ones(1), lambda x, n: x, 6)
    np.testing.assert_allclose(path[:, 0], fixture, atol=5e-10)


def test_table_1(reference):
    noise = np.random.default_rng(0).normal(size=(120, 10))
    path = descend(
        cool_momentum(0.05, 0.99, total_steps=100),
        jnp.linspace(-2, 2, 10),
        lambda x, n: 2 * x + jnp.asarray(noise)[n],
        120,
    )
    exact = reference(np.linspace(-2, 2, 10), lambda x, n: 2 * x + noise[n], 0.05, 0.99, 100, 120)
    np.testing.assert_allclose(path, exact, rtol=1e-12, atol=1e-12)


@pytest.mark.filterwarnings("ignore:CoolMomentum has made all its total_steps")
@pytest.mark.parametrize(
    "keywords", [{}, {"law": "exponential"}, {"law": "linear", "warmup_steps": 7}]
)
def test_a_small_network_goes_the_way_of_torch(keywords):
    torch = pytest.importorskip("torch", reason="needs the extra ml")
    from langevin_sa.ml import CoolMomentum

    generator = np.random.default_rng(1)
    x, y = generator.normal(size=(60, 16, 4)), generator.normal(size=(60, 16, 2))
    start = {
        "w": generator.normal(size=(4, 6)),
        "b": np.zeros(6),
        "v": generator.normal(size=(6, 2)),
    }

    def loss(p, n, library):
        arrays = (
            (jnp.asarray(x)[n], jnp.asarray(y)[n])
            if library is jnp
            else (torch.tensor(x[n]), torch.tensor(y[n]))
        )
        return ((library.tanh(arrays[0] @ p["w"] + p["b"]) @ p["v"] - arrays[1]) ** 2).mean()

    ours = {name: torch.nn.Parameter(torch.tensor(value)) for name, value in start.items()}
    optimizer = CoolMomentum(ours.values(), 0.02, 0.95, total_steps=50, **keywords)
    for n in range(60):
        optimizer.zero_grad()
        loss(ours, n, torch).backward()
        optimizer.step()
    path = descend(
        cool_momentum(0.02, 0.95, total_steps=50, **keywords),
        {k: jnp.asarray(v) for k, v in start.items()},
        jax.grad(lambda p, n: loss(p, n, jnp)),
        60,
    )
    for name, value in ours.items():
        np.testing.assert_allclose(path[name][-1], value.detach().numpy(), rtol=1e-11, atol=1e-12)


def test_constant_rho_is_optax_sgd():
    ours = descend(
        cool_momentum(0.1, 0.9, total_steps=math.inf),
        jnp.ones(3),
        lambda x, n: jnp.arange(1.0, 4.0) * x,
        40,
    )
    theirs = descend(
        optax.sgd(0.1 * 1.9 / 2, momentum=0.9),
        jnp.ones(3),
        lambda x, n: jnp.arange(1.0, 4.0) * x,
        40,
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)


def test_a_schedule_of_the_base_rate_and_weight_decay_in_a_chain(reference):
    chain = optax.chain(
        optax.add_decayed_weights(0.5),
        cool_momentum(lambda n: jnp.minimum(0.1, n * jnp.float64(0.01)), 0.9, total_steps=20),
    )
    path = descend(chain, jnp.ones(1), lambda x, n: x, 20)
    exact = reference([1.0], lambda x, n: 1.5 * x * min(0.1, n / 100), 1.0, 0.9, 20, 20)
    np.testing.assert_allclose(path, exact, rtol=1e-12)


def test_updates_keep_the_parameters_dtype():
    params = {"a": jnp.ones(2, dtype=jnp.bfloat16), "b": jnp.ones(2, dtype=jnp.float32)}
    updates, state = cool_momentum(0.1, total_steps=5).update(
        params, cool_momentum(0.1, total_steps=5).init(params)
    )
    assert jax.tree.map(lambda u: u.dtype, updates) == jax.tree.map(lambda p: p.dtype, params)
    assert int(state.step) == 1


def test_bad_numbers():
    with pytest.raises(ValueError, match="total_steps must be a whole number"):
        cool_momentum(0.1, total_steps=0)
    with pytest.raises(ValueError, match="lr must be a positive number"):
        cool_momentum(-0.1, total_steps=10)


def test_rates_of_a_sweep():
    """Traced by `vmap`, each as by itself; `inject_hyperparams` shows and changes them."""
    rates = jnp.array([0.01, 0.1, 0.0])

    def end(lr):
        rule = cool_momentum(lr, 0.9, total_steps=20)
        return descend(rule, jnp.ones(2), lambda x, n: x, 20)[-1]

    together = jax.vmap(end)(rates)
    np.testing.assert_allclose(together, [end(float(lr)) for lr in rates], rtol=1e-14)
    rule = optax.inject_hyperparams(cool_momentum)(0.1, rho0=0.9, total_steps=20)
    np.testing.assert_allclose(
        descend(rule, jnp.ones(2), lambda x, n: x, 20)[-1], together[1], rtol=1e-14
    )
    state = rule.init(jnp.ones(2))
    assert state.hyperparams["lr"] == 0.1
    with pytest.raises(ValueError, match="lr"):
        cool_momentum(jnp.array(-0.1), total_steps=20)


def test_the_thermometer_reads_what_moved():
    noise = jnp.asarray(np.random.default_rng(2).normal(size=(30, 4)))
    lr = optax.linear_schedule(0.1, 0.02, 30)
    plain = cool_momentum(lr, 0.9, total_steps=30)
    rule = optax.chain(plain, thermometer(lr))

    def gradient(x, n):
        return x + noise[n]

    path = descend(plain, jnp.ones(4), gradient, 30)
    moves = np.diff(np.vstack([np.ones(4), path]), axis=0)
    x, state, readings = jnp.ones(4), rule.init(jnp.ones(4)), []
    for n in range(30):
        updates, state = jax.jit(rule.update)(gradient(x, n), state)
        x = optax.apply_updates(x, updates)
        if n in (9, 29):
            reading, fresh = read(state[-1])
            readings.append(reading)
            state = (*state[:-1], fresh)
    np.testing.assert_allclose(x, path[-1], rtol=1e-12)
    squares = (moves**2).mean(1)
    dt2 = np.array([float(lr(n)) for n in range(30)])
    for reading, part in zip(readings, (slice(0, 10), slice(10, 30)), strict=True):
        assert reading.rescaled == pytest.approx(squares[part].mean(), rel=1e-10)
        assert reading.temperature == pytest.approx((squares / dt2)[part].mean(), rel=1e-6)
    assert [reading.steps for reading in readings] == [10, 20]
    nothing = read(rule.init(jnp.ones(4))[-1])[0]
    assert np.isnan(nothing.rescaled) and nothing.steps == 0
    assert np.isnan(
        read(optax.chain(plain, thermometer()).update(x, (state[0], fresh))[1][-1])[0].temperature
    )
