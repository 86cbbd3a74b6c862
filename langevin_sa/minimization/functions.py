"""The functions that the user gives, called for points x and their answers checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..own.function import Energy, array, both
from ..potential import Potential
from .constraints import Constraints


class Functions:
    """fun and jac of `minimize`; everything that is evaluated passes through `ask`.

    Parameters
    ----------
    fun : callable or Potential
        ``fun(x, *args)``, of one point (dim,) or, with `vectorized`, of points (dim, points).
    jac : callable, True or None
        ``jac(x, *args)``; True if `fun` returns (f, gradient).
    args : tuple
        Further arguments of both.
    vectorized : bool
        Whether fun and jac take many points at once.
    apply : callable or None
        A ``map`` for points that are known together.
    walls : bool
        Whether an exception makes a point that is not finite.
    constraints : Constraints or None
        What must hold.
    backend : {"auto", "cupy"}
        Where a potential is evaluated.

    Attributes
    ----------
    raised : str
        The last exception that did, in words.
    compiled : callable or None
        A potential's ``x (points, dim) -> energies (points,), gradients (points, dim)``.
    on_gpu : bool
        Whether that is on a GPU.
    paired : bool
        Whether one call brings the energy and the gradient.
    has_slopes : bool
        Whether gradients are calls of their own.
    at_once : bool
        Whether many points are better asked for together than one by one.
    """

    def __init__(
        self,
        fun: Any,
        jac: Any = None,
        args: tuple[Any, ...] = (),
        *,
        vectorized: bool = False,
        apply: Callable[..., Any] | None = None,
        walls: bool = True,
        constraints: Constraints | None = None,
        backend: str = "auto",
    ) -> None:
        self.fun, self.jac, self.args = fun, jac, args
        self.vectorized, self.apply = vectorized, apply
        self.walls, self.raised = walls, ""
        self.constraints = constraints
        self.compiled: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]] | None = None
        written = isinstance(fun, Potential) and fun.cuda_function is not None
        self.on_gpu = backend == "cupy" or written
        if self.on_gpu:
            from ..backends.cuda.evaluate import from_host

            self.compiled = from_host(fun)
        elif isinstance(fun, Potential):
            from ..descents.compiled import evaluator

            self.compiled = evaluator(fun)
        self.paired = jac is True or self.compiled is not None
        self.has_slopes = callable(jac)
        self.at_once = vectorized or apply is not None or self.compiled is not None

    def ask(self, kind: str, x: np.ndarray) -> np.ndarray:
        """What `energies`, `slopes`, `pair`, `limits` or `normals`, which `kind` names, says of
        x.
        """
        return getattr(self, kind)(x)

    def unknown(self, kind: str, x: np.ndarray) -> np.ndarray:
        """NaN in the place of what `ask` says."""
        m = 0 if self.constraints is None else len(self.constraints)
        sizes = {"energies": len(x), "slopes": x.size, "pair": 1 + x.size, "limits": m}
        return np.full(sizes.get(kind, m * x.size), np.nan)

    def limits(self, x: np.ndarray) -> np.ndarray:
        """The constraints (m,) at x (1, dim)."""
        assert self.constraints is not None
        return self.constraints.values(x)

    def normals(self, x: np.ndarray) -> np.ndarray:
        """Their Jacobian (m*dim,) at x (1, dim), NaN where it was not given."""
        assert self.constraints is not None
        return self.constraints.slopes(x)

    def energies(self, x: np.ndarray) -> np.ndarray:
        """fun (points,) at x (points, dim)."""
        if self.compiled is not None:
            return self.compiled(x)[0]
        if self.vectorized:
            return array(self.fun(np.array(x.T, order="C"), *self.args), (len(x),))
        energy = Energy(self.fun, self.args, self.paired)
        if len(x) == 1:
            return np.array([energy(x[0])])
        return np.array(list((self.apply or map)(energy, list(x))), dtype=float)

    def slopes(self, x: np.ndarray) -> np.ndarray:
        """jac (points*dim,) at x (points, dim); one point unless `vectorized`."""
        if self.vectorized:
            out = self.jac(np.array(x.T, order="C"), *self.args)
            return array(out, (x.shape[1], len(x))).T.ravel()
        return array(self.jac(x[0].copy(), *self.args), (x.shape[1],))

    def pair(self, x: np.ndarray) -> np.ndarray:
        """fun and its gradient (1 + dim,) at x (dim,), where one call brings both."""
        if self.compiled is not None:
            energies, gradients = self.compiled(x[None])
            return np.append(energies, gradients)
        f, gradient = both(self.fun, self.args, x)
        return np.append(f, array(gradient, x.shape))
