"""What `minimize` tells of a search: the result, its message, and what a callback is given."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from ..drawing import Displayed, draw
from .constrained import Constrained
from .problem import Problem
from .residuals import SumOfSquares
from .search import SAME_FUN, SCATTERED, Search

SHOWN = 6  # energies of minima that are printed


class MinimizeResult(Displayed, OptimizeResult):
    """What `minimize` returns: a SciPy OptimizeResult that prints its many minima and its history
    in a line each.
    """

    def plot(self) -> Any:
        """What the search found, against its evaluations; see `langevin_sa.plots.search`."""
        return draw("search", self)

    def __repr__(self) -> str:
        energies = ", ".join(f"{minimum.fun:.6g}" for minimum in self.minima[:SHOWN])
        more = ", ..." if len(self.minima) > SHOWN else ""
        told = {"minima": f"{len(self.minima)}, at {energies}{more}" if energies else "0"}
        told["history"] = f"{len(self.history.move)} lines of {', '.join(self.history)}"
        return repr(OptimizeResult(dict(self) | told))


def result_of(
    search: Search, seed: int, nit: int, status: int, message: str, notes: Sequence[str] = ()
) -> MinimizeResult:
    """What `minimize` returns; `notes` go into its message."""
    problem = search.problem
    message = " ".join([message, *notes, *_remarks(search)])
    gradient = np.full(problem.dim, np.nan) if search.slope is None else search.slope / problem.unit
    gradient = np.where(problem.integers, np.nan, gradient)
    found = [OptimizeResult(x=problem.x(m.u), fun=m.fun, hits=m.hits) for m in search.minima.found]
    ending = {"success": status == 0, "status": status, "message": message}
    more = {"jac": gradient, "minima": found, "seed": seed, **search.report}
    more["history"] = search.history.result()
    if isinstance(problem, SumOfSquares):
        more["residuals"] = problem.best_residuals.copy()
    known = problem.best_fun < math.inf  # and finite, unless it is -inf
    more["precision"] = search.matters(SAME_FUN, problem.best_fun) if known else math.inf

    best = _best(problem, nit)
    return MinimizeResult(**best, **ending, **more, **_held(problem, best["x"]))


def _best(problem: Problem, nit: int) -> dict[str, Any]:
    """The lowest point so far, and what it took."""
    counts = {"nit": nit, "nfev": problem.nfev, "njev": problem.njev}
    x, fun = problem.best
    return {"x": x.copy(), "fun": float(fun), **counts}


def _held(problem: Problem, x: np.ndarray) -> dict[str, Any]:
    """The constraints at x, as SciPy's differential_evolution tells of them, and their calls."""
    if not isinstance(problem, Constrained):
        return {}
    limits, values = problem.constraints, problem.limits_of(x)
    excess = limits.excess(values)
    return {
        "constr": limits.split(values),
        "constr_violation": limits.split(excess),
        "maxcv": float(excess.max(initial=0.0)),
        "constr_nfev": problem.constraint_calls,
    }


def _remarks(search: Search) -> Iterator[str]:
    """What the message adds of the function."""
    problem = search.problem
    if problem.failures:
        yield (
            f"The function was not finite at {problem.failures} of {problem.nfev} evaluations, "
            "which count as +inf."
        )
    if search.stuck and not problem.endless:
        gradient = "the gradient by differences is not exact enough, or " if problem.guesses else ""
        yield (
            f"The last descent was stuck with a slope: it expected to gain {search.stuck:.2g} more "
            f"and found nothing lower; {gradient}the gradient is wrong, or coordinates are too "
            "different in scale: give jac=, bounds=, or other coordinates."
        )
    if problem.noise:
        yield (
            f"Values scatter by about {problem.noise:.1g}: energies that differ by less than "
            f"{SCATTERED:g} times as much count as equal."
        )
    if problem.endless:
        yield (
            "The function still falls very far from where it was started: it seems to have no "
            "minimum there; give bounds."
        )
    if isinstance(problem, Constrained):
        if problem.best_fun == math.inf:
            yield ("No point was found where the constraints hold; x is the one that came closest.")
    elif problem.best_fun == math.inf:
        seen = "No point with a finite value was seen" if problem.nfev else "Nothing was evaluated"
        yield f"{seen}; x is the starting point."
    if problem.functions.raised:
        yield f"Points where it raised an exception are among them ({problem.functions.raised})."


def intermediate(search: Search, nit: int) -> OptimizeResult:
    """What the callback is given."""
    return OptimizeResult(
        **_best(search.problem, nit),
        step=nit,
        temperature=float(search.threshold if np.isnan(search.temperature) else search.temperature),
        accepted=None if search.walker is None else search.walker.fun,
        minima=len(search.minima),
    )
