"""`minimize`: the global minimum by descents, hops and annealing, with SciPy's interface.

This file is the front door: it reads what it is given, runs a strategy of
`langevin_sa.minimization` until a stop rule holds, and says what happened.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from ..arguments import check_flags, check_whole, look_up, teller
from ..backends.workers import check_workers, mapping
from ..noise import seed_of
from ..storage.checkpoint import Checkpoint
from .arguments import (
    by_our_names,
    check_backend,
    check_budgets,
    check_fun,
    check_numbers,
    check_settings,
    refuse,
)
from .functions import Functions
from .results import intermediate, result_of
from .resume import Journal
from .running import run
from .search import Search
from .seeds import several
from .strategies import STRATEGIES, Settings
from .task import Task


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
    n_seeds: int = 1,
    workers: Any = 1,
    vectorized: bool = False,
    residuals: bool = False,
    on_failure: str = "wall",
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_seconds: float = 10.0,
    backend: str = "auto",
    disp: bool = False,
    hess: Any = None,
    hessp: Any = None,
    constraints: Any = (),
    integrality: Any = None,
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
        Which of "sample", "line", "hop", "difference", "funnel", "covariance" the portfolio has.
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
    n_seeds : int
        So many searches, from seeds that come from rng, one after the other. They share `maxfev`
        and `max_seconds`; one that reaches the target ends them all. The result is that of the
        best, with nfev, njev and nit of all, and success asks that two agree on the lowest minimum.
    workers : int or map-like callable
        Evaluate points that are known together (samples, scans, differences) by this many processes
        (-1: one for each processor), or by anything with a map.
    vectorized : bool
        `fun` takes many points at once.
    residuals : bool
        `fun` returns residuals, ``fun(x, *args) -> (M,)``, and `jac` their Jacobian (M, N), or None
        for differences: their sum of squares (without a half) is minimized, by descents of SciPy's
        least_squares. All else is said of this sum: fun, target, and jac in the result.
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
    backend : {"auto", "cupy"}
        "cupy" evaluates a Potential on the GPU, one point at a time or all that are known together:
        worth it where an energy takes more than some ten microseconds, as of many particles.
    disp : bool
        Print a line after each iteration.
    constraints : LinearConstraint, NonlinearConstraint, dict, or a list of these
        As in SciPy; dicts have "type" ("eq": fun = 0, "ineq": fun >= 0), "fun", "jac", "args". They
        are asked for one point at a time, also with `vectorized`. Descents are SLSQP's, from any
        point; for all else a point that breaks one is +inf, and `fun` is not asked there. Only
        points that hold them are kept: exactly, or where SLSQP ends on one to the rounding of x, at
        most (if rounding of the constraint is more) to 1e-9 of a fortieth of the domain by its
        slope there. So neither the unit of a constraint nor that of x counts.
    integrality : 0, 1, or a sequence of them (N,), optional
        1 for coordinates that are integers, as in SciPy's differential_evolution and milp; wherever
        `fun`, `jac` or a constraint is asked they are. They need bounds, which are rounded inwards.

    Returns
    -------
    OptimizeResult
        x, fun, success, status, message, nit, nfev, njev, jac as in SciPy; minima, a list of
        OptimizeResult (x, fun, hits), the lowest first; seed; precision (energies that differ by
        less count as one; inf where nothing was found); history, with arrays of one entry for each
        iteration: evaluations, best, walker, temperature (as the callback is told them) and move
        (its name); with residuals=True, residuals (M,) at x; the annealing strategies add
        temperature (T0, T1), dt, log_z. With constraints:
        constr and constr_violation (a list of arrays), maxcv (the largest), constr_nfev. `jac` is
        NaN along integers. Status 0: done or target reached; 1: budget spent; 2: the function is
        -inf somewhere, falls without end, or is finite nowhere; 3: interrupted; 99: stopped by the
        callback; 4: the last descent was stuck with a slope; 5: the constraints held nowhere, and x
        is the point that came closest; 6: no two of the searches agree.

    Raises
    ------
    ValueError, TypeError
        For bad input, and for a wish that cannot be met: maximize, constraints or integrality with
        a strategy other than "portfolio", integrality for a Potential. (A `seed` or `maxfun` is
        taken for rng or maxfev, with a warning.) An exception in `callback`, or one in `fun` or
        `jac` that is no wall (`on_failure`), passes through with the best so far as its attribute
        `partial_result`.

    Examples
    --------
    >>> def wells(x):
    ...     return float(np.sum((x**2 - 1) ** 2 + 0.3 * x))
    >>> found = lsa.minimize(wells, bounds=[(-2, 2)] * 2, rng=1)
    >>> found.x.round(3), len(found.minima)
    (array([-1.036, -1.036]), 4)
    """
    settings = Settings(
        moves, patience, temperature, cooling, replicas, n_steps, gradient_noise, polish
    )
    look_up(strategy, {"auto": None, **STRATEGIES}, "strategy")
    check_fun(fun)
    rng, maxfev, unknown = by_our_names(rng, maxfev, unknown)
    refuse(maximize=unknown.pop("maximize", None))
    check_backend(backend, fun)
    tell = teller(callback)
    check_budgets(maxfev=maxfev, maxiter=maxiter)
    check_numbers(max_seconds=max_seconds, patience=patience, tol=tol, target=target)
    check_settings(settings)
    check_flags(polish=polish, vectorized=vectorized, residuals=residuals, disp=disp)
    check_workers(workers)
    walls = look_up(on_failure, {"wall": True, "raise": False}, "on_failure")
    check_whole(1, n_seeds=n_seeds)
    if n_seeds > 1 and checkpoint is not None:
        raise ValueError(
            f"one checkpoint holds one search, not n_seeds={n_seeds}: make a call, with a "
            "checkpoint, for each"
        )
    asked = Checkpoint(checkpoint, checkpoint_seconds, "checkpoint of minimize")
    look = _looker(tell, disp)
    with closing(asked) as keeper, keeper:
        seed = seed_of(keeper.seed if rng is None else rng)

        def read(seed: int) -> Task:
            return Task.read(
                fun,
                x0,
                bounds,
                seed,
                strategy,
                settings,
                args=args,
                jac=jac,
                constraints=constraints,
                integrality=integrality,
                tol=tol,
                vectorized=vectorized,
                residuals=residuals,
                hess=hess,
                hessp=hessp,
                **unknown,
            )

        first = read(seed)
        on_workers = nullcontext() if workers == 1 else mapping(workers, max_seconds)
        with on_workers as apply, np.errstate(all="ignore"):  # the result counts what is not finite

            def once(own: int, **limit: Any) -> OptimizeResult:
                task = first if own == seed else again(own)
                functions = task.functions(apply=apply, walls=walls, backend=backend)
                return _searched(task, functions, keeper, maxiter, look, limit)

            def again(own: int) -> Task:
                with warnings.catch_warnings():  # of what the first said already
                    warnings.simplefilter("ignore")
                    return read(own)

            limit: dict[str, Any] = {"maxfev": maxfev, "seconds": max_seconds, "target": target}
            return once(seed, **limit) if n_seeds == 1 else several(once, n_seeds, seed, **limit)


def _searched(
    task: Task,
    functions: Functions,
    keeper: Checkpoint,
    maxiter: int | None,
    look: Callable[[Search, int], bool],
    limit: dict[str, Any],
) -> OptimizeResult:
    """The result of one search."""
    found = keeper.claim(task.fingerprint)
    journal = Journal(functions, keeper)
    search = journal.begin(task.search(functions, journal.ask, **limit), found)

    def result(status: int, message: str) -> OptimizeResult:
        return result_of(search, task.seed, journal.nit, status, message, task.notes)

    try:
        iterations = STRATEGIES[task.strategy](search, task.settings)
        return result(*run(journal, iterations, maxiter, look))
    except Exception as error:
        said = f"{type(error).__name__} after {search.problem.nfev} evaluations: {error}."
        vars(error)["partial_result"] = result(-1, said)
        raise
    finally:
        journal.at_end()


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
        return tell is not None and tell(intermediate(search, nit))

    return look
