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
from .problem import FAR

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

    squared, count = True, 0

    def vectors(self, x: np.ndarray) -> np.ndarray:
        """Residuals (points*m,) at x (points, dim); NaN where their arithmetic fails."""
        answers = list((self.apply or map)(Vector(self.fun, self.args), list(x)))
        self.count = self.count or max(0 if a is math.nan else np.size(a) for a in answers)
        shape = (max(1, self.count),)
        out = [np.full(shape, math.nan) if a is math.nan else a for a in answers]
        return np.concatenate([array(a, shape, "fun, with residuals=True,") for a in out])

    def energies(self, x: np.ndarray) -> np.ndarray:
        """Sums of squares (points,) at x (points, dim)."""
        return (self.vectors(x).reshape(len(x), -1) ** 2).sum(1)

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        """Derivatives (m*dim,) of the residuals at x (dim,)."""
        shape = (self.count, x.size)
        return array(called(self.jac, self.args, x, np.full(shape, math.nan)), shape, "jac").ravel()

    def numbers(self, kind: str, x: np.ndarray) -> int:
        """How many numbers the answer to `kind` has."""
        if kind == "jacobian":
            return self.count * x.size
        return max(1, self.count) * len(x) if kind == "vectors" else super().numbers(kind, x)


def fit(
    problem: Any, u: np.ndarray, *, tol: float = 1e-9, precise: bool = False, **unused: Any
) -> Descent:
    """The least sum of squares below u (dim,).

    Parameters
    ----------
    problem : Problem
        Whose functions are `Residuals`.
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
