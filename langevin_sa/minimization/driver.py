"""`minimize`: the global minimum by descents, hops and annealing, with SciPy's interface.

This file is the front door: it reads what it is given, runs a strategy of
`langevin_sa.minimization` until a stop rule holds, and says what happened.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, nullcontext
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from ..arguments import check_flags, look_up, teller
from ..backends.workers import OutOfTime, check_workers, mapping
from ..noise import seed_of
from ..potential import Potential
from ..storage.checkpoint import Checkpoint, Fingerprint, digest
from .arguments import (
    advise,
    by_our_names,
    check_budgets,
    check_fun,
    check_numbers,
    check_settings,
    function_and_gradient,
    limits,
    onto_bounds,
    refuse,
    starting_point,
)
from .functions import Functions
from .problem import Finished, Problem
from .resume import Journal
from .search import SCATTERED, Search
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
    on_failure: str = "wall",
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
        potential's, else 10 lengths of each coordinate to both sides of x0: its size, and at least
        where the function, probed along it, departs from a parabola.
    callback : callable, optional
        After each iteration ``callback(intermediate_result=...)`` if that is its only parameter,
        with an OptimizeResult: x, fun (best so far), nit, step, nfev, njev, temperature (without
        annealing: how far above the walker a minimum may be to be accepted), accepted (energy of
        the walker), minima (how many); as ``callback(x, f, context)``, with context 0, if it has
        three as in SciPy's dual_annealing; else ``callback(xk)``. Arrays are copies. True or
        StopIteration stops, with status 99.
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
        Tolerance of descents (1e-9) in energies of the search, that is what a descent gains after
        its first steps; the last one, from the best minimum, goes to rounding.
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
    on_failure : {"wall", "raise"}
        What becomes of an exception in `fun` or `jac`. "wall": the point counts as not finite, that
        is as +inf, and the message tells of it; unless an exception also comes from the last point
        that worked, or else from x0, which is asked for once more (and counted): then the function
        is broken, or a simulator gone. "raise": it passes through. Values that are
        not finite, and arithmetic that fails (division by zero, math domain error), count as +inf
        in either case.
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
        stopped by the callback; 4: the last descent was stuck with a slope.

    Raises
    ------
    ValueError, TypeError
        For bad input, and for a wish that cannot be met: constraints, integrality, maximize. (A
        `seed` or `maxfun` is taken for rng or maxfev, with a warning.) An exception in
        `callback`, or one in `fun` or `jac` that is no wall (`on_failure`), passes through with the
        best so far as its attribute `partial_result`.
    """
    settings = Settings(
        moves, patience, temperature, cooling, replicas, n_steps, gradient_noise, polish
    )
    look_up(strategy, {"auto": None, **STRATEGIES}, "strategy")
    check_fun(fun)
    rng, maxfev, unknown = by_our_names(rng, maxfev, unknown)
    wishes = {name: unknown.pop(name, None) for name in ("integrality", "maximize")}
    refuse(constraints=constraints, **wishes)
    tell = teller(callback)
    check_budgets(maxfev=maxfev, maxiter=maxiter)
    check_numbers(max_seconds=max_seconds, patience=patience, tol=tol, target=target)
    check_settings(settings)
    check_flags(polish=polish, vectorized=vectorized, disp=disp)
    check_workers(workers)
    walls = look_up(on_failure, {"wall": True, "raise": False}, "on_failure")
    strategy = automatic(fun, settings) if strategy == "auto" else strategy
    advise(strategy, settings, fun, args, jac, vectorized, hess=hess, hessp=hessp, **unknown)
    asked = Checkpoint(checkpoint, checkpoint_seconds, "checkpoint of minimize")
    with closing(asked) as keeper, keeper:
        seed = seed_of(keeper.seed if rng is None else rng)
        fun, jac = function_and_gradient(fun, jac)
        point, domain = starting_point(fun, x0, bounds, seed)
        low, high = limits(bounds, point.size)
        clipped, notes = onto_bounds(point, low, high, given=x0 is not None)
        args = args if isinstance(args, tuple) else (args,)
        look = _looker(tell, disp)
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
        on_workers = nullcontext() if workers == 1 else mapping(workers, max_seconds)
        with on_workers as apply, np.errstate(all="ignore"):  # the result counts what is not finite
            functions = Functions(fun, jac, args, vectorized=vectorized, apply=apply, walls=walls)
            journal = Journal(functions, keeper)
            limit: dict[str, Any] = {"maxfev": maxfev, "seconds": max_seconds, "target": target}
            problem = Problem(functions, clipped, (low, high), domain, ask=journal.ask, **limit)
            search = journal.begin(Search.of(problem, seed, tol), found)

            def result(status: int, message: str) -> OptimizeResult:
                sentences = " ".join([message, *notes, *_remarks(search)])
                return _result(search, seed, journal.nit, status, sentences)

            try:
                iterations = STRATEGIES[strategy](search, settings)
                return result(*_ending(journal, iterations, maxiter, look))
            except Exception as error:
                said = f"{type(error).__name__} after {problem.nfev} evaluations: {error}."
                vars(error)["partial_result"] = result(-1, said)
                raise
            finally:
                journal.at_end()


def _ending(
    journal: Journal,
    iterations: Iterator[None],
    maxiter: int | None,
    look: Callable[[Search, int], bool],
) -> tuple[int, str]:
    """Search, with a look after each iteration, until something ends it: the status and the
    sentence that say what.
    """
    search = journal.search
    try:
        _check_iterations(journal.nit, maxiter)
        search.problem.measure()
        for _ in () if search.verdict else iterations:
            journal.at_yield()
            if look(search, journal.nit):
                return 99, "`callback` returned True."
            _check_iterations(journal.nit, maxiter)
        journal.over = True
    except Finished as end:
        return end.status, end.message
    except OutOfTime:
        return 1, f"Time limit of {search.problem.seconds:g} s reached."
    except StopIteration:
        return 99, "`callback` raised `StopIteration`."
    except KeyboardInterrupt:
        return 3, "Interrupted; the best point so far is kept."
    lost = search.problem.best_fun == math.inf or search.problem.endless
    return 2 if lost else 4 if search.stuck else 0, search.verdict


def _check_iterations(nit: int, maxiter: int | None) -> None:
    if maxiter is not None and nit >= max(1, maxiter):
        raise Finished(1, f"Maximum number of iterations ({maxiter}) has been exceeded.")


def _result(search: Search, seed: int, nit: int, status: int, message: str) -> OptimizeResult:
    """What `minimize` returns."""
    problem = search.problem
    gradient = np.full(problem.dim, np.nan) if search.slope is None else search.slope / problem.unit
    found = [OptimizeResult(x=problem.x(m.u), fun=m.fun, hits=m.hits) for m in search.minima.found]
    ending = {"success": status == 0, "status": status, "message": message}
    more = {"jac": gradient, "minima": found, "seed": seed, **search.report}
    return OptimizeResult(**_best(problem, nit), **ending, **more)


def _best(problem: Problem, nit: int) -> dict[str, Any]:
    """The lowest point so far, and what it took."""
    counts = {"nit": nit, "nfev": problem.nfev, "njev": problem.njev}
    return {"x": problem.best_x.copy(), "fun": float(problem.best_fun), **counts}


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
    if problem.best_fun == math.inf:
        seen = "No point with a finite value was seen" if problem.nfev else "Nothing was evaluated"
        yield f"{seen}; x is the starting point."
    if problem.functions.raised:
        yield f"Points where it raised an exception are among them ({problem.functions.raised})."


def _intermediate(search: Search, nit: int) -> OptimizeResult:
    """What the callback is given."""
    return OptimizeResult(
        **_best(search.problem, nit),
        step=nit,
        temperature=float(search.threshold if np.isnan(search.temperature) else search.temperature),
        accepted=None if search.walker is None else search.walker.fun,
        minima=len(search.minima),
    )


def _looker(
    tell: Callable[[OptimizeResult], bool] | None, disp: bool
) -> Callable[[Search, int], bool]:
    """What is done after each iteration: print a line, and tell the callback; whether that stops
    the search.
    """

    def look(search: Search, nit: int) -> bool:
        problem = search.problem
        if disp:
            print(
                f"{nit:6d}  {problem.nfev:9d} evaluations  {len(search.minima):5d} minima  "
                f"best {problem.best_fun:.10g}"
            )
        return tell is not None and tell(_intermediate(search, nit))

    return look
