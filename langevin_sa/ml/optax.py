"""CoolMomentum and a thermometer as optax gradient transformations (extra ``jax``)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from ..schedules import COOLMOMENTUM_LAWS
from .ramp import check_ramp

try:
    import jax
    import jax.numpy as jnp
    import optax
except ImportError as error:
    raise ImportError(
        "langevin_sa.ml.optax needs JAX and optax, which the extra jax brings: pip install "
        "'langevin_sa[jax]'"
    ) from error


class CoolMomentumState(NamedTuple):
    """Steps done, and the last update of each parameter."""

    step: Any
    dx: Any


def cool_momentum(
    lr: float | Callable[[Any], Any],
    rho0: float = 0.99,
    *,
    total_steps: float,
    law: str = "paper",
    warmup_steps: int = 0,
) -> optax.GradientTransformation:
    """The paper's Table 1: updates ``dx = rho_n*dx - (1 + rho_n)/2 lr*gradient``, rho from `rho0`
    to 0 over `total_steps`.

    Parameters
    ----------
    lr : float, array or optax schedule
        Base learning rate, dt^2. Traced values (of `optax.inject_hyperparams`, or of a `vmap` over
        rates) are taken as they are.
    rho0, total_steps, law, warmup_steps
        As for `langevin_sa.ml.CoolMomentum`; for weight decay put `optax.add_decayed_weights`
        before it in `optax.chain`.

    Returns
    -------
    optax.GradientTransformation
        Its state holds the step, so a restored state goes on cooling where it was.

    Raises
    ------
    ValueError
        For a number out of its range or an unknown law.
    """
    rate = 1.0 if callable(lr) else _known(lr, 1.0)
    check_ramp(rate, _known(rho0, 0.0), law, _known(total_steps, 1), _known(warmup_steps, 0))

    def init(params: Any) -> CoolMomentumState:
        still = jax.tree.map(jnp.zeros_like, params)
        return CoolMomentumState(jnp.zeros([], dtype=jnp.int32), still)

    def update(
        gradients: Any, state: CoolMomentumState, params: Any = None
    ) -> tuple[Any, CoolMomentumState]:
        n = state.step
        progress = jnp.minimum(n.astype(jnp.result_type(float)) / total_steps, 1.0)
        cooled = jnp.maximum(COOLMOMENTUM_LAWS[law](progress, rho0), 0.0)
        rho = jnp.where(n < warmup_steps, 0.0, cooled)
        rate = (1 + rho) / 2 * (lr(n) if callable(lr) else lr)

        def move(gradient: Any, dx: Any) -> Any:
            return (rho * dx - rate * gradient).astype(dx.dtype)

        dx = jax.tree.map(move, gradients, state.dx)
        return dx, CoolMomentumState(optax.safe_increment(n), dx)

    return optax.GradientTransformation(init, update)


def _known(value: Any, instead: float) -> Any:
    """An array of one number as that number, a traced one as another, all else as it is."""
    if isinstance(value, jax.core.Tracer):
        return instead
    return value.item() if isinstance(value, jax.Array) and value.size == 1 else value


class ThermometerState(NamedTuple):
    """Steps done, those since the last reading, and sums over these of <dx^2> and <(dx/dt)^2>."""

    step: Any
    since: Any
    squares: Any
    velocities: Any


class Reading(NamedTuple):
    """As `langevin_sa.ml.Reading`: T dt^2 = <dx^2>, T by Eq. (22), and steps averaged over."""

    rescaled: float
    temperature: float
    steps: int


def thermometer(lr: float | Callable[[Any], Any] = math.nan) -> optax.GradientTransformation:
    """Measures the mean square update, Eq. (22), of what comes before it in `optax.chain`, and
    changes nothing.

    Parameters
    ----------
    lr : float, array or optax schedule
        Base learning rate, dt^2; without one (for rules that have no dt) the temperature is NaN.

    Returns
    -------
    optax.GradientTransformation
        Its state goes to `read`.

    Examples
    --------
    >>> rule = optax.chain(cool_momentum(0.1, total_steps=500), thermometer(0.1))
    >>> state = rule.init(jnp.ones(3))
    >>> for _ in range(10):
    ...     updates, state = rule.update(jnp.ones(3), state)
    >>> read(state[-1])[0].steps
    10
    """

    def init(params: Any) -> ThermometerState:
        none, nothing = jnp.zeros([], dtype=jnp.int32), jnp.zeros([], dtype=jnp.result_type(float))
        return ThermometerState(none, none, nothing, nothing)

    def update(
        updates: Any, state: ThermometerState, params: Any = None
    ) -> tuple[Any, ThermometerState]:
        moved = jax.tree.leaves(updates)
        wide = [jnp.abs(dx.astype(jnp.result_type(dx, jnp.float32))) for dx in moved]
        mean = sum(jnp.sum(jnp.square(dx)) for dx in wide) / sum(dx.size for dx in moved)
        dt2 = lr(state.step) if callable(lr) else lr
        step, since = map(optax.safe_increment, (state.step, state.since))
        squares, velocities = state.squares + mean, state.velocities + mean / dt2
        return updates, ThermometerState(step, since, squares, velocities)

    return optax.GradientTransformation(init, update)


def read(state: ThermometerState) -> tuple[Reading, ThermometerState]:
    """Averages over the steps since the last reading, NaN without a step, and a state that starts
    anew.
    """
    steps, sums = int(state.since), (state.squares, state.velocities)
    rescaled, hot = (float(total) / steps if steps else math.nan for total in sums)
    since, squares, velocities = map(jnp.zeros_like, state[1:])
    fresh = ThermometerState(state.step, since, squares, velocities)
    return Reading(rescaled, hot, steps), fresh
