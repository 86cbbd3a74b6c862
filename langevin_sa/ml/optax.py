"""CoolMomentum as an optax gradient transformation (extra ``jax``)."""

from __future__ import annotations

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
    lr : float or optax schedule
        Base learning rate, dt^2.
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
    check_ramp(1.0 if callable(lr) else lr, rho0, law, total_steps, warmup_steps)

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
