"""Sums of squares: functions that return residuals, and descents by trust-region steps of Gauss and
Newton inside the bounds (Branch, Coleman, Li, SIAM J. Sci. Comput. 21, 1 (1999)), which are SciPy's
`least_squares`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import least_squares

from ..descents.bounded import EARLY, Descent
from ..own.function import array, called
from .differences import EPS
from .functions import Functions
from .problem import FAR, Problem

MANY = 100  # points of a descent; of a precise one, for each coordinate


@dataclass
class Vector:
    """fun of one point; a class, so that worker processes can be sent it."""

    fun: Any
    args: tuple[Any, ...]

    def __call__(self, x: np.ndarray) -> Any:
        return called(self.fun, self.args, x, math.nan)


class Residuals(Functions):
    """Functions whose sum of squares is minimized: ``fun(x, *args) -> (m,)``, and
    ``jac(x, *args) -> (m, dim)``.

    Attributes
    ----------
    count : int
        Residuals, m; 0 until fun has returned any.
    """

    count = 0

    def vectors(self, x: np.ndarray) -> np.ndarray:
        """Residuals (points*m,) at x (points, dim); NaN where their arithmetic fails."""
        answers = list((self.apply or map)(Vector(self.fun, self.args), list(x)))
        failed = [isinstance(a, float) and math.isnan(a) for a in answers]
        sizes = [0 if bad else np.size(a) for a, bad in zip(answers, failed, strict=True)]
        self.count = self.count or max(sizes)
        shape = (max(1, self.count),)
        out = [
            np.full(shape, math.nan) if bad else a for a, bad in zip(answers, failed, strict=True)
        ]
        return np.concatenate([array(a, shape, "fun, with residuals=True,") for a in out])

    def energies(self, x: np.ndarray) -> np.ndarray:
        """Sums of squares (points,) at x (points, dim)."""
        return (self.vectors(x).reshape(len(x), -1) ** 2).sum(1)

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        """Derivatives (m*dim,) of the residuals at x (1, dim)."""
        shape = (self.count, x.size)
        found = called(self.jac, self.args, x[0], np.full(shape, math.nan))
        return array(found, shape, "jac").ravel()

    def unknown(self, kind: str, x: np.ndarray) -> np.ndarray:
        """NaN in the place of what `ask` says."""
        if kind not in ("vectors", "jacobian"):
            return super().unknown(kind, x)
        return np.full(max(1, self.count) * (x.size if kind == "jacobian" else len(x)), np.nan)


class SumOfSquares(Problem):
    """The sum of squares of `Residuals` as the function to minimize.

    Attributes
    ----------
    best_residuals : ndarray (m,)
        At the lowest point.
    """

    arrays = (*Problem.arrays, "best_residuals")

    def __init__(self, *given: Any, **more: Any) -> None:
        self.best_residuals = np.empty(0)
        self._offered: dict[bytes, np.ndarray] = {}  # residuals of points not kept yet
        super().__init__(*given, **more)

    def value(self, u: np.ndarray) -> float:
        """Energy of one point."""
        return float(self.values(u[None])[0])

    def _energies(self, x: np.ndarray) -> np.ndarray:
        return self._squares(x)[1]

    def _squares(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Residuals (n, m), infinite ones where not finite, and the sums of their squares."""
        residuals = self.ask("vectors", x).reshape(len(x), -1)
        f = self._sound((residuals**2).sum(1))
        self._offered |= zip([point.tobytes() for point in x], residuals, strict=True)
        return np.where((f < math.inf)[:, None], residuals, math.inf), f

    def _keep(self, x: np.ndarray, f: np.ndarray) -> None:
        try:
            super()._keep(x, f)
        finally:  # the target may have been reached
            key = self.best_x.tobytes()
            self.best_residuals = self._offered.get(key, self.best_residuals)
            for point in x:
                self._offered.pop(point.tobytes(), None)

    def measure(self) -> None:
        """Find how far the domain reaches; probes outside of it are not kept."""
        super().measure()
        self._offered.clear()

    def vectors(self, u: np.ndarray) -> np.ndarray:
        """Residuals (n, m) of points (n, dim); infinite ones where one is not finite."""
        self.check(len(u))
        self.nfev += len(u)
        x = self.x(u)
        residuals, f = self._squares(x)
        self._keep(x, f)
        return residuals

    def jacobian(self, u: np.ndarray, residuals: np.ndarray, central: bool) -> np.ndarray:
        """Derivatives (m, dim) in u of residuals (m,); 0 where they are not finite."""
        if self.functions.has_slopes:
            self.njev += 1
            found = self.ask("jacobian", self.x(u)[None]).reshape(-1, self.dim) * self.unit
        else:
            found = self.differences.jacobian(self, u, residuals, central)
        return self._finite(found)

    def smooth(self, u: np.ndarray, **options: Any) -> Descent:
        """A descent from u along the coordinates that are not fixed."""
        return fit(self, u, **options)


def fit(
    problem: SumOfSquares, u: np.ndarray, *, tol: float = 1e-9, precise: bool = False, **unused: Any
) -> Descent:
    """The least sum of squares below u (dim,).

    Parameters
    ----------
    problem : SumOfSquares
        What is minimized.
    tol : float
        Relative change of the sum, or of u, at which it is over.
    precise : bool
        Whether only rounding ends it, and derivatives that nobody gave are central differences.
    """
    free = ~problem.fixed
    lowest: list[tuple[float, np.ndarray, np.ndarray]] = []  # sum, point, residuals

    def placed(v: np.ndarray) -> np.ndarray:
        """The point (dim,) with free coordinates v, no farther than a search goes."""
        point = u.copy()
        point[free] = v
        return np.clip(point, problem.low, problem.high)

    def vector(v: np.ndarray) -> np.ndarray:
        if lowest and np.array_equal(v, lowest[-1][1]):
            return lowest[-1][2]
        if lowest and not np.isfinite(v).all():  # a step of a matrix beyond the range of numbers
            return np.full_like(lowest[-1][2], math.inf)
        residuals = problem.vectors(placed(v)[None])[0]
        fun = float(residuals @ residuals)
        if fun < math.inf and not (lowest and fun >= lowest[-1][0]):
            lowest.append((fun, v.copy(), residuals))
        return residuals

    def jacobian(v: np.ndarray) -> np.ndarray:
        return problem.jacobian(placed(v), vector(v), precise)[:, free]

    if not np.isfinite(vector(u[free])).all():
        return Descent(u, math.inf, 0, "stuck", np.zeros_like(u))
    low = np.where(problem.low > -FAR, problem.low, -math.inf)[free]
    high = np.where(problem.high < FAR, problem.high, math.inf)[free]
    exact = EPS if precise else max(tol, EPS)
    found = least_squares(
        vector,
        u[free],
        jacobian,
        (low, high),
        x_scale="jac",
        ftol=exact,
        xtol=exact,
        gtol=None,
        max_nfev=MANY * (u.size if precise else 1),
    )
    fun, v, _ = lowest[-1]
    slope = np.zeros_like(u)
    slope[free] = 2 * found.grad
    how = "converged" if found.status else "stuck"
    gain = lowest[min(EARLY, len(lowest) // 2)][0] - fun if len(lowest) > 1 else 0.0
    return Descent(placed(v), fun, len(lowest) - 1, how, slope, gain)
