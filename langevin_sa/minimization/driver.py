"""`minimize`: the global minimum by descents, hops and annealing, with SciPy's interface.

This file is the front door: it reads what it is given, runs a strategy of
`langevin_sa.minimization` until a stop rule holds, and says what happened.
"""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult, OptimizeWarning

from ..arguments import check_flags, check_whole, look_up, shown, warn
from ..backends.workers import check_workers, mapping
from ..noise import seed_of
from ..potential import Potential
from ..storage.checkpoint import Checkpoint, Fingerprint, digest
from .arguments import (
    FARTHEST,
    advise,
    check_numbers,
    check_settings,
    function_and_gradient,
    limits,
    starting_point,
)
from .problem import Finished, Problem
from .resume import Memory
from .search import Search
from .strategies import STRATEGIES, Settings, automatic


def minimize(
    fun: Any,
    x0: Any = None,
    args: tuple[Any, ...] = (),
    jac: Any = None,
    bounds: Any = None,
    callback: Callable[..., Any] | None = None,
    *,
    strategy: str = "auto",
    target: float | None = None,
    patience: float = 1.0,
    maxfev: int | None = None,
    maxiter: int | None = None,
    max_seconds: float | None = None,
    tol: float | None = None,
    moves: Sequence[str] | None = None,
    polish: bool = True,
    temperature: tuple[float | None, float | None] = (None, None),
    cooling: str = "exponential",
    replicas: int | None = None,
    n_steps: int | None = None,
    gradient_noise: float | str | None = None,
    rng: Any = None,
    workers: Any = 1,
    vectorized: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_seconds: float = 10.0,
    disp: bool = False,
    hess: Any = None,
    hessp: Any = None,
    constraints: Any = (),
    **unknown: Any,
) -> OptimizeResult:
    """Find the global minimum of a function; stops by itself when nothing lower has turned up for
    long enough.

    Also a method for SciPy: ``scipy.optimize.minimize(fun, x0, jac=...,
    method=langevin_sa.minimize, bounds=..., options={...})``.

    Parameters
    ----------
    fun : callable or Potential
        ``fun(x, *args) -> float`` for x of shape (N,), plain Python or numba; with `vectorized`, x
        (N, S) -> (S,). A Potential brings its gradient.
    x0 : array (N,), optional
        Where to start; may be left out for a Potential or with finite bounds. The search does not
        stay near it.
    args : tuple
        Further arguments of `fun` and `jac`.
    jac : callable, True, None or "2-point"
        The gradient, ``jac(x, *args) -> (N,)`` (vectorized: (N, S) -> (N, S)); True if `fun`
        returns (f, gradient); None takes forward differences, whose evaluations are counted.
    bounds : Bounds or sequence of (low, high), optional
        Kept by every evaluation. They are also the domain that is searched; without them it is the
        potential's, or 10 times the size of x0 (at least 1) to all sides.
    callback : callable, optional
        After each iteration ``callback(intermediate_result=...)`` if that is its only parameter,
        with an OptimizeResult: x, fun (best so far), nit, step, nfev, njev, temperature (without
        annealing: how far above the walker a minimum may be to be accepted), accepted (energy of
        the walker), minima (how many); else ``callback(xk)``. Arrays are copies. StopIteration
        stops, with status 99.
    strategy : {"auto", "portfolio", "clusters", "anneal", "exchange", "population"}
        "portfolio": descents from where several moves lead; "clusters": runs for particles;
        "anneal": Langevin replicas cooled and reheated; "exchange": replica exchange; "population":
        population annealing. "auto" is "anneal" with `gradient_noise`, "clusters" for pair
        potentials in open space, else "portfolio".
    target : float, optional
        Stop at the first value at or below this.
    patience : float
        Multiplies how long the search goes on without finding anything lower.
    maxfev, maxiter, max_seconds : optional
        Budgets: evaluations (never exceeded), iterations, seconds; status 1 when one is spent.
    tol : float, optional
        Relative energy tolerance of descents (1e-9); the last one, from the best minimum, goes to
        rounding.
    moves : sequence of str, optional
        Which of "sample", "line", "hop", "difference", "funnel" the portfolio has.
    polish : bool
        Whether the best minimum is taken down to rounding at the end, and annealed points at all.
    temperature : (T0, T1)
        Of the annealing strategies, in units of the energy. None: T0 from the spread of energies,
        T1 = T0/10,000.
    cooling : {"exponential", "constant speed", "coolmomentum"}
        How "anneal" cools.
    replicas, n_steps : int, optional
        Of the annealing strategies: 16 and 400.
    gradient_noise : float or "estimate", optional
        Variance of each component of a noisy gradient, or measure it: "anneal" takes it off its own
        noise (Eq. 19).
    rng : int, numpy.random.Generator or None
        Seed; the one used is in the result.
    workers : int or map-like callable
        Evaluate points that are known together (samples, scans, differences) by this many processes
        (-1: one for each processor), or by anything with a map.
    vectorized : bool
        `fun` takes many points at once.
    checkpoint, checkpoint_seconds : path, float, optional
        As for `anneal`: the search so far, and every answer of `fun` and `jac` since, is written
        there now and then and at the end, and the same call goes on from it to the same bits (rng
        may be left out; budgets, target and callback may be others). Also for replica exchange and
        population annealing.
    disp : bool
        Print a line after each iteration.

    Returns
    -------
    OptimizeResult
        x, fun, success, status, message, nit, nfev, njev, jac as in SciPy; minima, a list of
        OptimizeResult (x, fun, hits), the lowest first; seed; the annealing strategies add
        temperature (T0, T1), dt, log_z. Status 0: done or target reached; 1: budget spent; 2: the
        function is -inf somewhere, falls without end, or is finite nowhere; 3: interrupted; 99:
        stopped by the callback.

    Raises
    ------
    ValueError, TypeError
        For bad input. An exception in `fun`, `jac` or `callback` passes through with the best so
        far as its attribute `partial_result`; arithmetic that fails at a point (division by zero,
        math domain error) counts as +inf instead.
    """
    settings = Settings(
        moves, patience, temperature, cooling, replicas, n_steps, gradient_noise, polish
    )
    look_up(strategy, {"auto": None, **STRATEGIES}, "strategy")
    if not (callable(fun) or isinstance(fun, Potential)):
        raise TypeError(f"fun must be a function or a Potential, not {type(fun).__name__}")
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be a function, not {type(callback).__name__}")
    for name, budget in (("maxfev", maxfev), ("maxiter", maxiter)):
        if budget is not None:
            check_whole(0, **{name: budget})
    check_numbers(max_seconds=max_seconds, patience=patience, tol=tol, target=target)
    check_settings(settings)
    check_flags(polish=polish, vectorized=vectorized, disp=disp)
    check_workers(workers)
    strategy = automatic(fun, settings) if strategy == "auto" else strategy
    advise(
        strategy,
        settings,
        fun,
        args=args,
        jac=jac,
        vectorized=vectorized,
        hess=hess,
        hessp=hessp,
        constraints=constraints,
        **unknown,
    )
    keeper = Checkpoint(checkpoint, checkpoint_seconds, "checkpoint of minimize")
    seed = seed_of(keeper.seed if rng is None else rng)
    fun, jac = function_and_gradient(fun, jac)
    point, domain = starting_point(fun, x0, bounds, seed)
    low, high = limits(bounds, point.size)
    clipped = np.clip(point, low, high)
    if np.abs(clipped).max() > FARTHEST:
        raise ValueError(f"the starting point must not be beyond {FARTHEST:g}: {shown(clipped)}")
    notes = []
    if x0 is not None and not np.array_equal(clipped, point):
        notes.append("x0 was outside the bounds and was moved onto them.")
        warn(
            "Initial guess is not within the specified bounds; it is moved onto them.",
            OptimizeWarning,
        )
    args = args if isinstance(args, tuple) else (args,)
    tell = _teller(callback)
    fingerprint = Fingerprint(
        {
            "potential": fun.name if isinstance(fun, Potential) else "a function",
            "dim": point.size,
            "seed": seed,
            "strategy": strategy,
            **{name: str(value) for name, value in vars(settings).items()},
            "tol": str(tol),
            "vectorized": bool(vectorized),
            "jac": "a function" if callable(jac) else jac,
        },
        {"the starting point": digest(clipped), "the bounds": digest(low, high)},
    )
    found = keeper.claim(fingerprint)
    # see _remarks
    with (
        nullcontext(None) if workers == 1 else mapping(workers) as apply,
        np.errstate(all="ignore"),
    ):
        problem = Problem(
            fun,
            clipped,
            args,
            jac,
            (low, high),
            domain,
            vectorized=vectorized,
            apply=apply,
            maxfev=math.inf if maxfev is None else maxfev,
            seconds=max_seconds,
            target=target,
        )
        fresh = Search.of(problem, seed)
        fresh.tol = fresh.tol if tol is None else float(tol)
        memory = Memory(fresh, keeper, found)
        search = memory.search

        def result(status: int, message: str) -> OptimizeResult:
            return _result(
                search, seed, memory.nit, status, " ".join([message, *notes, *_remarks(problem)])
            )

        def check_iterations() -> None:
            if maxiter is not None and memory.nit >= max(1, maxiter):
                raise Finished(1, f"Maximum number of iterations ({maxiter}) has been exceeded.")

        try:
            check_iterations()
            for _ in () if search.verdict else STRATEGIES[strategy](search, settings):
                memory.at_yield()
                if disp:
                    print(
                        f"{memory.nit:6d}  {problem.nfev:9d} evaluations  {len(search.minima):5d} "
                        f"minima  best {problem.best_fun:.10g}"
                    )
                if tell is not None:
                    tell(_intermediate(search, memory.nit))
                check_iterations()
            return result(
                2 if problem.best_fun == math.inf or problem.endless else 0, search.verdict
            )
        except Finished as end:
            return result(end.status, end.message)
        except StopIteration:
            return result(99, "`callback` raised `StopIteration`.")
        except KeyboardInterrupt:
            return result(3, "Interrupted; the best point so far is kept.")
        except Exception as error:
            vars(error)["partial_result"] = result(
                -1, f"{type(error).__name__} after {problem.nfev} evaluations: {error}."
            )
            raise
        finally:
            memory.at_end()


def _result(search: Search, seed: int, nit: int, status: int, message: str) -> OptimizeResult:
    problem = search.problem
    gradient = np.full(problem.dim, np.nan) if search.slope is None else search.slope / problem.unit
    found = [OptimizeResult(x=problem.x(m.u), fun=m.fun, hits=m.hits) for m in search.minima.found]
    return OptimizeResult(
        x=problem.best_x.copy(),
        fun=float(problem.best_fun),
        success=status == 0,
        status=status,
        message=message,
        nit=nit,
        nfev=problem.nfev,
        njev=problem.njev,
        jac=gradient,
        minima=found,
        seed=seed,
        **search.report,
    )


def _remarks(problem: Problem) -> Iterator[str]:
    if problem.failures:
        yield (
            f"The function was not finite at {problem.failures} of {problem.nfev} evaluations, "
            "which count as +inf."
        )
    if problem.endless:
        yield (
            "The function still falls very far from where it was started: it seems to have no "
            "minimum there; give bounds."
        )
    if problem.best_fun == math.inf:
        yield (
            "No point with a finite value was seen; x is the starting point."
            if problem.nfev
            else "Nothing was evaluated; x is the starting point."
        )


def _intermediate(search: Search, nit: int) -> OptimizeResult:
    problem = search.problem
    temperature = search.threshold if np.isnan(search.temperature) else search.temperature
    return OptimizeResult(
        x=problem.best_x.copy(),
        fun=float(problem.best_fun),
        nit=nit,
        step=nit,
        nfev=problem.nfev,
        njev=problem.njev,
        temperature=float(temperature),
        accepted=None if search.walker is None else search.walker.fun,
        minima=len(search.minima),
    )


def _teller(callback: Callable[..., Any] | None) -> Callable[[OptimizeResult], Any] | None:
    """The callback as a function of the intermediate result, by SciPy's rule on its parameters."""
    if callback is None:
        return None
    try:
        keyword = set(inspect.signature(callback).parameters) == {"intermediate_result"}
    except (TypeError, ValueError):
        keyword = False
    return (
        (lambda seen: callback(intermediate_result=seen))
        if keyword
        else (lambda seen: callback(np.copy(seen.x)))
    )
