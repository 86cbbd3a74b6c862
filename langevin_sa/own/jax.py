"""Functions in JAX (extra ``jax``): replicas by `jax.vmap`, gradients by `jax.vjp`, compiled."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from .answers import answer_of, name_of

try:
    import jax
    import jax.numpy as jnp
except ImportError as error:
    raise ImportError(
        "Potential.from_jax needs JAX, which the extra jax brings: pip install 'langevin_sa[jax]'"
    ) from error

FEW = 64  # replicas up to which numbers of them are rounded up to a power of two, then to an eighth


class JaxFunction:
    """``fun(x (dim,), *args)``, or of (replicas, dim) if `batched`, with its derivatives over
    replicas in float64, whatever JAX's own precision is set to.

    It is compiled for a few numbers of replicas, and others are filled up to the next of these.
    """

    def __init__(self, fun: Callable[..., Any], args: tuple[Any, ...], batched: bool) -> None:
        self.fun, self.args, self.batched = fun, args, batched

    def check(self, dim: int) -> None:
        """Trace it, which shows what it returns before anything is computed."""
        x = jax.ShapeDtypeStruct((dim + 1, dim), "float64")
        with jax.enable_x64(True):
            try:
                jax.eval_shape(self._energies, x)
            except jax.errors.JAXTypeError as error:
                raise TypeError(
                    f"{name_of(self.fun)} does something with its x that JAX cannot trace: write "
                    "it in jax.numpy, without float(x), NumPy functions of x, and if over x"
                ) from error

    def energy(self, x: np.ndarray) -> np.ndarray:
        """Energies (replicas,) at x (replicas, dim)."""
        return self._call(0, x)[0]

    def energy_gradient(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Energies (replicas,) and gradients (replicas, dim)."""
        energy, gradient = self._call(1, x)
        return energy, gradient

    def laplacian(self, x: np.ndarray) -> np.ndarray:
        """Laplacians (replicas,), forward over backward, at the cost of some 2*dim gradients."""
        return self._call(2, x)[0]

    @cached_property
    def loop(self) -> Callable[..., Any]:
        """Many steps of a walk in one call, see `langevin_sa.backends.jax.loop`."""
        from ..backends.jax.loop import loop_of  # loads numba

        return loop_of(self._both)

    def __getstate__(self) -> dict[str, Any]:
        return {name: vars(self)[name] for name in ("fun", "args", "batched")}

    @cached_property
    def _compiled(self) -> list[Any]:
        return [jax.jit(f) for f in (lambda x: (self._energies(x),), self._both, self._bends)]

    def _call(self, which: int, x: np.ndarray) -> list[np.ndarray]:
        replicas = len(x)
        x = np.resize(x.astype(float), (_rounded(replicas), x.shape[1]))  # from the first on
        with jax.enable_x64(True):
            return [np.array(out)[:replicas] for out in self._compiled[which](x)]

    def _energies(self, x: Any) -> Any:
        if self.batched:
            return answer_of(self.fun, self.fun(x, *self.args), x.shape[:1])
        return jax.vmap(lambda point: answer_of(self.fun, self.fun(point, *self.args), ()))(x)

    def _both(self, x: Any) -> tuple[Any, Any]:
        energy, pull = jax.vjp(self._energies, x)
        return energy, pull(jnp.ones_like(energy))[0]

    def _bends(self, x: Any) -> tuple[Any]:
        def bend(way: Any) -> Any:
            ways = jnp.broadcast_to(way, x.shape)
            return (jax.jvp(lambda x: self._both(x)[1], (x,), (ways,))[1] * way).sum(1)

        return (jax.vmap(bend)(jnp.eye(x.shape[1])).sum(0),)


def _rounded(replicas: int) -> int:
    """The next number of replicas for which functions are compiled."""
    unit = 1 << (replicas - 1).bit_length()
    if replicas > FEW:
        unit //= 16
    return -(-replicas // unit) * unit
