"""Global optimizers under one signature: `solver(f, problem, seed, budget)` returns the point it
takes for the minimum.

Without a budget each keeps its defaults and stops by itself. With one it is told the budget, if it
takes one; `run` starts it anew, from other points, until the evaluations are spent.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from scipy import optimize

import langevin_sa as lsa


@dataclass
class Problem:
    """What all solvers get. `jac` is the gradient, None, or True if `fun` gives both at once."""

    name: str
    dim: int
    instance: int
    fun: Callable[[Any], Any]
    x0: Any
    bounds: list[tuple[float, float]]
    target: float  # a value at or below it is a hit
    truth: Callable[[Any], float] | None = None  # of a point, if it is not `fun` that is judged
    jac: Any = None
    residuals: Any = None  # of which `fun` is the sum of squares
    jacobian: Any = None
    potential: Any = None  # the same, of langevin_sa
    noisy: bool = False
    hops: dict[str, float] = field(default_factory=dict)  # of basinhopping, where T and step matter

    def judge(self, x: Any, value: Any) -> float:
        """What is compared with the target, of a point where `fun` gave this value."""
        if self.truth is not None:
            return float(self.truth(x))
        return float(value[0] if self.jac is True else value)

    def start(self, seed: int) -> Any:
        """Where to begin anew: in the bounds, or within ten sizes of x0 where there are none."""
        low, high = np.array(self.bounds).T
        if not np.isfinite([low, high]).all():
            reach = 10 * np.maximum(1, np.abs(self.x0))
            low = np.where(np.isfinite(low), low, self.x0 - reach)
            high = np.where(np.isfinite(high), high, np.maximum(low, self.x0) + reach)
        return np.random.default_rng([seed, 7]).uniform(low, high)


class Over(Exception):
    """Raised by a counted function when the target is hit or the budget spent."""


class Counted:
    """The functions of a problem, with evaluations counted until and after the first hit. A call
    of the function is one evaluation, of its gradient one more.
    """

    def __init__(self, problem: Problem, budget: int | None) -> None:
        self.problem, self.budget = problem, budget
        self.evaluations, self.first, self.best = 0, np.inf, np.inf
        self.best_x = problem.x0

    @property
    def over(self) -> bool:
        """Whether a run within a budget is through. NLopt may lose the exception that said so."""
        hit = self.first < np.inf
        return self.budget is not None and (hit or self.evaluations >= self.budget)

    def _count(self) -> None:
        if self.over:
            raise Over
        self.evaluations += 1

    def _seen(self, x: Any, value: Any) -> None:
        judged = self.problem.judge(x, value)
        if judged < self.best:
            self.best, self.best_x = judged, np.array(x)
        if judged <= self.problem.target:
            self.first = min(self.first, self.evaluations)
            if self.budget is not None:
                raise Over

    def fun(self, x: Any) -> Any:
        self._count()
        value = self.problem.fun(x)
        self._seen(x, value)
        return value

    def jac(self, x: Any) -> Any:
        self._count()
        return self.problem.jac(x)

    def residuals(self, x: Any) -> Any:
        self._count()
        result = self.problem.residuals(x)
        self._seen(x, result @ result)
        return result

    def jacobian(self, x: Any) -> Any:
        self._count()
        return self.problem.jacobian(x)

    @property
    def slope(self) -> Any:
        """`jac` in SciPy's sense."""
        return self.jac if callable(self.problem.jac) else self.problem.jac


@dataclass
class Run:
    """One solver on one problem."""

    part: str
    solver: str
    function: str
    dim: int
    instance: int
    success: bool
    first: float  # evaluation of the first hit
    evaluations: int  # until it stopped, was stopped, or hit within a budget
    best: float
    seconds: float  # of processor time, which other load does not change

    asdict = asdict

    @property
    def key(self) -> tuple[str, str, int, int]:
        return self.solver, self.function, self.dim, self.instance


def _all_of(budget: int | None) -> dict[str, Any]:
    """Options of `lsa.minimize` for a search that goes on until its budget is spent."""
    return {} if budget is None else {"maxfev": budget, "patience": 1e6, "on_failure": "raise"}


def langevin_sa(f: Counted, problem: Problem, seed: int, budget: int | None) -> Any:
    bounds, more = problem.bounds, _all_of(budget)
    return lsa.minimize(f.fun, problem.x0, jac=f.slope, bounds=bounds, rng=seed, **more).x


def langevin_sa_residuals(f: Counted, problem: Problem, seed: int, budget: int | None) -> Any:
    more = {"jac": problem.jacobian and f.jacobian, "bounds": problem.bounds} | _all_of(budget)
    return lsa.minimize(f.residuals, problem.x0, residuals=True, rng=seed, **more).x


def langevin_sa_potential(f: Counted, problem: Problem, seed: int, budget: int | None) -> Any:
    """Of a Potential, whose evaluations are the result's; a hit is seen after an iteration."""

    def look(intermediate_result: Any) -> None:
        if intermediate_result.fun <= problem.target:
            f.first = min(f.first, intermediate_result.nfev)

    more = _all_of(budget)
    more.pop("on_failure", None)
    if budget is not None:
        more["target"] = problem.target
    result = lsa.minimize(problem.potential, problem.x0, rng=seed, callback=look, **more)
    f.evaluations += result.nfev
    f.best, f.best_x = result.fun, result.x
    if result.fun <= problem.target:
        f.first = min(f.first, f.evaluations)
        if budget is not None:
            raise Over
    return result.x


def _local(f: Counted, problem: Problem) -> dict[str, Any]:
    return {"method": "L-BFGS-B", "jac": f.slope, "bounds": problem.bounds}


def dual_annealing(f: Counted, problem: Problem, seed: int, budget: int | None) -> Any:
    most = {} if budget is None else {"maxfun": budget, "maxiter": 10**7}
    local = _local(f, problem)
    bounds, x0 = problem.bounds, problem.x0
    return optimize.dual_annealing(f.fun, bounds, x0=x0, rng=seed, minimizer_kwargs=local, **most).x


def basinhopping(f: Counted, problem: Problem, seed: int, budget: int | None) -> Any:
    more = {"niter": 100 if budget is None else 10**7, "minimizer_kwargs": _local(f, problem)}
    return optimize.basinhopping(f.fun, problem.x0, rng=seed, **more, **problem.hops).x


def differential_evolution(f: Counted, problem: Problem, seed: int, budget: int | None) -> Any:
    return optimize.differential_evolution(f.fun, problem.bounds, x0=problem.x0, rng=seed).x


def lbfgsb(f: Counted, problem: Problem, seed: int, budget: int | None) -> Any:
    """To rounding, from one random start after another."""
    tight = {"ftol": 1e-15, "gtol": 1e-10, "maxiter": 10**5, "maxfun": 10**7, "maxls": 50}
    return optimize.minimize(f.fun, problem.x0, **_local(f, problem), options=tight).x


def least_squares(f: Counted, problem: Problem, seed: int, budget: int | None) -> Any:
    """From one random start after another."""
    low, high = np.array(problem.bounds).T
    jacobian = f.jacobian if problem.jacobian else "2-point"
    tight = {"xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15, "max_nfev": 10**5}
    try:
        result = optimize.least_squares(
            f.residuals, problem.x0, jacobian, (low, high), x_scale="jac", **tight
        )
    except ValueError:  # residuals that are not finite
        return problem.x0
    return result.x


def pycma(f: Counted, problem: Problem, seed: int, budget: int | None) -> Any:
    """BIPOP with a budget: restarts with large and small populations from random points."""
    import cma

    low, high = np.array(problem.bounds).T
    options = {"bounds": [low, high], "CMA_stds": (high - low) / 4, "seed": seed + 1, "verbose": -9}
    if budget is None:
        _, strategy = cma.fmin2(f.fun, problem.x0, 1.0, options)
    else:
        options |= {"maxfevals": budget}
        rng, first = np.random.default_rng([seed, 8]), [problem.x0]

        def start() -> Any:
            return first.pop() if first else rng.uniform(low, high)

        _, strategy = cma.fmin2(f.fun, start, 1.0, options, bipop=True, restarts=9)
    # under noise the lowest value seen is luck
    return strategy.result.xfavorite if problem.noisy else strategy.result.xbest


def _nlopt(
    algorithm: str, f: Counted, problem: Problem, seed: int, budget: int | None
) -> tuple[Any, Any]:
    """An NLopt optimizer of the problem, and `optimize` of it, which ends where it cannot go on."""
    import nlopt

    def fun(x: Any, gradient: Any) -> float:
        if gradient.size:
            gradient[:] = f.jac(x)
        return float(f.fun(x))

    nlopt.srand(seed + 1)
    low, high = np.array(problem.bounds).T
    optimizer = nlopt.opt(getattr(nlopt, algorithm), problem.dim)
    optimizer.set_lower_bounds(low)
    optimizer.set_upper_bounds(high)
    optimizer.set_min_objective(fun)
    optimizer.set_maxeval(budget or 5000 * problem.dim)  # it has no stop of its own

    def search() -> Any:
        with suppress(nlopt.RoundoffLimited, nlopt.runtime_error):
            return optimizer.optimize(problem.x0)
        return f.best_x

    return optimizer, search


def crs2(f: Counted, problem: Problem, seed: int, budget: int | None) -> Any:
    optimizer, search = _nlopt("GN_CRS2_LM", f, problem, seed, budget)
    optimizer.set_ftol_rel(1e-12)
    return search()


def mlsl(f: Counted, problem: Problem, seed: int, budget: int | None) -> Any:
    """Local searches by Nelder-Mead, the best of NLopt's there, or L-BFGS with a gradient."""
    import nlopt

    optimizer, search = _nlopt("G_MLSL_LDS", f, problem, seed, budget)
    local = nlopt.opt(nlopt.LD_LBFGS if problem.jac else nlopt.LN_NELDERMEAD, problem.dim)
    local.set_xtol_rel(1e-7)
    local.set_ftol_rel(1e-11)
    optimizer.set_local_optimizer(local)
    return search()


PEERS = (
    dual_annealing,
    basinhopping,
    differential_evolution,
    pycma,
    crs2,
    mlsl,
    lbfgsb,
    least_squares,
)
OURS = (langevin_sa, langevin_sa_residuals, langevin_sa_potential)
SOLVERS = {f.__name__: f for f in (*OURS, *PEERS)}
GLOBAL = ("langevin_sa", *(f.__name__ for f in PEERS[:6]))


def run(part: str, name: str, problem: Problem, seed: int, budget: int | None) -> Run:
    """One solver on one problem; with a budget until the target is hit or it is spent, else until
    it stops.
    """
    f, restarts, success = Counted(problem, budget), 0, False
    x0, start = problem.x0, time.process_time()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            while True:
                before = f.evaluations
                left = None if budget is None else budget - before
                x = SOLVERS[name](f, problem, seed + 10**6 * restarts, left)
                if budget is None:
                    success = bool(problem.judge(x, problem.fun(x)) <= problem.target)
                    break
                if f.over or f.evaluations == before:  # or it cannot even begin
                    break
                restarts += 1
                problem.x0 = problem.start(seed + 10**6 * restarts)
        except Over:
            pass
        finally:
            problem.x0 = x0
    seconds = time.process_time() - start
    if budget is not None:
        success = bool(f.first < np.inf)
    seen = (float(f.first), f.evaluations, float(f.best), seconds)
    return Run(part, name, problem.name, problem.dim, problem.instance, success, *seen)
