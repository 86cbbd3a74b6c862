"""What a search is about, read from what the user gave: the point to start from, where it may go,
and how.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..potential import Potential
from ..storage.checkpoint import Fingerprint, digest
from .arguments import (
    advise,
    check_residuals,
    check_restricted,
    function_and_gradient,
    limits,
    onto_bounds,
    onto_integers,
    starting_point,
    whole_coordinates,
)
from .constrained import Constrained
from .constraints import Constraint, Constraints, listed, read
from .functions import Functions
from .problem import Problem
from .residuals import Residuals, SumOfSquares
from .search import Search
from .strategies import MOVES, Settings, automatic

BY_DESCENT = ("sample", "hop", "difference", "funnel")  # moves that need no feasible point near


@dataclass
class Task:
    """All that says what a search does but its budgets; see `minimize` for what each is.

    Attributes
    ----------
    x0 : ndarray (dim,)
        The starting point, where bounds and integers allow it.
    low, high : ndarray (dim,)
        Bounds.
    domain : ndarray (dim, 2) or None
        Of a potential.
    integers : ndarray of bool (dim,)
        Which coordinates are.
    notes : list of str
        What the result is to say of all this.
    """

    fun: Any
    jac: Any
    args: tuple[Any, ...]
    x0: np.ndarray
    low: np.ndarray
    high: np.ndarray
    domain: np.ndarray | None
    constraints: list[Constraint]
    integers: np.ndarray
    strategy: str
    settings: Settings
    seed: int
    tol: float | None
    vectorized: bool
    residuals: bool
    notes: list[str] = field(default_factory=list)

    @classmethod
    def read(
        cls,
        fun: Any,
        x0: Any,
        bounds: Any,
        seed: int,
        strategy: str,
        settings: Settings,
        *,
        args: Any = (),
        jac: Any = None,
        constraints: Any = (),
        integrality: Any = None,
        tol: float | None = None,
        vectorized: bool = False,
        residuals: bool = False,
        hess: Any = None,
        hessp: Any = None,
        **unknown: Any,
    ) -> Task:
        """The task that these arguments of `minimize` make; it warns of what is `unknown`."""
        parts = listed(constraints)
        whole_coordinates(integrality, None)
        restricted = bool(parts) or bool(np.any(integrality))
        strategy = automatic(fun, settings, restricted) if strategy == "auto" else strategy
        check_restricted(strategy, fun, parts, integrality)
        if residuals:
            check_residuals(fun, jac, strategy, vectorized, bool(parts))
        advise(strategy, settings, fun, args, jac, vectorized, hess=hess, hessp=hessp, **unknown)
        fun, jac = function_and_gradient(fun, jac)
        point, domain = starting_point(fun, x0, bounds, seed)
        integers = whole_coordinates(integrality, point.size)
        low, high = onto_integers(*limits(bounds, point.size), integers)
        point, notes = onto_bounds(point, low, high, given=x0 is not None)
        point = np.where(integers, np.round(point), point)
        held = read(parts, point)
        if settings.moves is None and any((part.low == part.high).any() for part in held):
            settings = replace(settings, moves=tuple(name for name in MOVES if name in BY_DESCENT))
        args = args if isinstance(args, tuple) else (args,)
        return cls(
            fun,
            jac,
            args,
            point,
            low,
            high,
            domain,
            held,
            integers,
            strategy,
            settings,
            seed,
            tol,
            bool(vectorized),
            bool(residuals),
            notes,
        )

    def functions(
        self, *, apply: Callable[..., Any] | None, walls: bool, backend: str = "auto"
    ) -> Functions:
        """What is called."""
        held = Constraints(self.constraints) if self.constraints else None
        kind = Residuals if self.residuals else Functions
        return kind(
            self.fun,
            self.jac,
            self.args,
            vectorized=self.vectorized,
            apply=apply,
            walls=walls,
            constraints=held,
            backend=backend,
        )

    def search(
        self, functions: Functions, ask: Callable[[str, np.ndarray], np.ndarray], **limit: Any
    ) -> Search:
        """A search that has done nothing yet, and whose questions go to `ask`."""
        kind = Constrained if self.constraints else SumOfSquares if self.residuals else Problem
        bounds = self.low, self.high
        problem = kind(
            functions, self.x0, bounds, self.domain, ask=ask, integers=self.integers, **limit
        )
        search = Search.of(problem, self.seed, self.tol)
        search.move = self.strategy
        return search

    @property
    def fingerprint(self) -> Fingerprint:
        """What must be the same for a search to go on from a checkpoint."""
        facts = {
            "potential": self.fun.name if isinstance(self.fun, Potential) else "a function",
            "dim": self.x0.size,
            "seed": self.seed,
            "strategy": self.strategy,
            **{name: str(value) for name, value in vars(self.settings).items()},
            "tol": str(self.tol),
            "vectorized": self.vectorized,
            "residuals": self.residuals,
            "jac": "a function" if callable(self.jac) else self.jac,
        }
        digests: dict[str, Any] = {
            "the starting point": digest(self.x0),
            "the bounds": digest(self.low, self.high),
        }
        if self.integers.any():
            digests["the integers"] = digest(self.integers)
        if self.constraints:
            digests["the constraints"] = [digest(part.low, part.high) for part in self.constraints]
        return Fingerprint(facts, digests)
