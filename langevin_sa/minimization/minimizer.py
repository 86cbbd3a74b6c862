"""A search that asks for points and is told the values there, in the user's own loop."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Sequence
from queue import SimpleQueue
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from ..arguments import check_flags, check_whole, look_up, shown
from ..noise import seed_of
from ..potential import real_array
from ..storage.checkpoint import Checkpoint
from .arguments import check_budgets, check_numbers, check_settings
from .functions import Functions
from .results import result_of
from .resume import Journal
from .running import run
from .search import Search
from .strategies import STRATEGIES, Settings
from .task import Task

REPLAYED = 2000  # values told that a pickled search goes through again, at least
THREAD = "a search that asks"


class Minimizer:
    """`minimize` turned inside out: ``x = opt.ask()``, ``opt.tell(x, f)``, until ``opt.over``.

    The points are those of `minimize` with the same arguments and seed. It can be pickled between
    any two calls, and goes on to the same bits.

    Parameters
    ----------
    bounds : Bounds or sequence of (low, high)
        As of `minimize`; without any, None, x0 must be given.
    x0 : array (N,), optional
        The first point.
    rng : int, numpy.random.Generator or None
        Seed; the one used is in the result.
    strategy, target, patience, maxfev, maxiter, tol, moves, polish
        As of `minimize`.
    temperature, cooling, replicas, n_steps, constraints, integrality
        As of `minimize`.

    Attributes
    ----------
    over : bool
        Whether the search has ended by itself, at its target, or with its budget.
    result : OptimizeResult
        What `minimize` returns, of all that was told so far.

    Raises
    ------
    ValueError, TypeError
        For bad input.
    """

    _given: int  # how many of the points that are asked for
    _points: np.ndarray
    _values: np.ndarray
    _is_told: np.ndarray

    def __init__(
        self,
        bounds: Any = None,
        *,
        x0: Any = None,
        rng: Any = None,
        strategy: str = "auto",
        target: float | None = None,
        patience: float = 1.0,
        maxfev: int | None = None,
        maxiter: int | None = None,
        tol: float | None = None,
        moves: Sequence[str] | None = None,
        polish: bool = True,
        temperature: tuple[float | None, float | None] = (None, None),
        cooling: str = "exponential",
        replicas: int | None = None,
        n_steps: int | None = None,
        constraints: Any = (),
        integrality: Any = None,
    ) -> None:
        settings = Settings(moves, patience, temperature, cooling, replicas, n_steps, None, polish)
        look_up(strategy, {"auto": None, **STRATEGIES}, "strategy")
        check_budgets(maxfev=maxfev, maxiter=maxiter)
        check_numbers(patience=patience, tol=tol, target=target)
        check_settings(settings)
        check_flags(polish=polish)
        self._task = Task.read(
            _told,
            x0,
            bounds,
            seed_of(rng),
            strategy,
            settings,
            constraints=constraints,
            integrality=integrality,
            tol=tol,
        )
        self._budget: dict[str, Any] = {"maxfev": maxfev, "maxiter": maxiter, "target": target}
        self._known: list[tuple[np.ndarray, float]] = []
        self._set_up(None)

    # ------------------------------------------------------------------------------------- the user

    def ask(self, n: int | None = None) -> np.ndarray:
        """The point (N,) to evaluate next; with n, up to so many (m, N), which are known together.

        Points that were given and not told are given again once there are no others.

        Raises
        ------
        RuntimeError
            If the search is over.
        """
        if n is not None:
            check_whole(1, n=n)
        if self.over:
            raise RuntimeError(f"the search is over: {self.result.message}")
        left = np.flatnonzero(~self._is_told)
        fresh = left[left >= self._given]
        chosen = (fresh if fresh.size else left)[: 1 if n is None else n]
        self._given = max(self._given, int(chosen[-1]) + 1)
        return self._points[chosen[0]].copy() if n is None else self._points[chosen]

    def tell(self, x: Any, f: Any) -> None:
        """The value f at a point x (N,), or values (m,) at points (m, N), in any order.

        NaN and inf are walls. Points that were not asked for, such as data from before, are known
        from the next iteration on, those that are told before the first `ask` from the beginning:
        the best of them counts, and moves may start there.

        Raises
        ------
        ValueError
            For other shapes, for points that break bounds or are not integers where they must be.
        RuntimeError
            If the search is over.
        """
        dim = self._task.x0.size
        points, values = real_array(x, "x"), real_array(f, "f")
        one = points.shape == (dim,) and values.size == 1
        if not one and (points.ndim != 2 or points.shape != (*values.shape, dim)):
            raise ValueError(
                f"tell takes x of shape ({dim},) and one value, or (m, {dim}) and m values, not "
                f"shapes {points.shape} and {values.shape}"
            )
        if self._ending is not None:
            raise RuntimeError(f"the search is over: {self._ending[1]}")
        points, values = np.atleast_2d(points), values.ravel()
        task = self._task
        wrong = ~((points >= task.low) & (points <= task.high)).all(1)
        wrong |= (points != np.round(points))[:, task.integers].any(1)
        if wrong.any():
            raise ValueError(f"a point is outside of what is searched: {shown(points[wrong][0])}")
        for point, value in zip(points, values.tolist(), strict=True):
            self._take(point, value)
        hit = self._budget["target"]
        reached = self._is_told & (self._values <= (-np.inf if hit is None else hit))
        if self._points.size and (self._is_told.all() or reached.any()):
            self._go_on()

    @property
    def over(self) -> bool:
        """Whether there is nothing more to ask."""
        if self._ending is None and not self._points.size:
            self._go_on()
        return self._ending is not None

    @property
    def result(self) -> OptimizeResult:
        """What `minimize` returns, of all that was told so far; until the search is over `success`
        is False and `status` -1.
        """
        status, message = self._ending or (-1, "The search goes on.")
        result = result_of(
            self._search, self._task.seed, self._journal.nit, status, message, self._task.notes
        )
        result.nfev -= int((~self._is_told).sum())
        if not self._task.constraints:
            told = zip(self._points[self._is_told], self._values[self._is_told], strict=True)
            for x, f in [*told, *self._known]:
                if f < result.fun:
                    result.x, result.fun = x.copy(), float(f)
        return result

    # ----------------------------------------------------------------------------------- the search

    def _set_up(self, found: Any) -> None:
        """A search that has done nothing yet, or what `found` of a journal says."""
        self._questions = _Questions(self._task)
        keeper = Checkpoint(None, 0.0, "")
        self._journal = Journal(self._questions, keeper, longest=REPLAYED)
        limit = {name: self._budget[name] for name in ("maxfev", "target")}
        begun = self._task.search(self._questions, self._journal.ask, **limit)
        self._search = self._journal.begin(begun, found)
        self._questions.problem = begun.problem
        self._ending: tuple[int, str] | None = None
        self._started = self._answered = False  # and whether the next question is still to come
        self._ask_nothing()

    def _ask_nothing(self) -> None:
        self._given = 0
        self._points = np.empty((0, self._task.x0.size))
        self._values = np.empty(0)
        self._is_told = np.empty(0, dtype=bool)

    def _take(self, point: np.ndarray, value: float) -> None:
        """A value that was asked for, or is known besides."""
        same = (self._points == point).all(1) & ~self._is_told
        if same.any():
            k = int(np.argmax(same))
            self._values[k], self._is_told[k] = value, True
        else:
            self._known.append((point.copy(), value if np.isfinite(value) else np.inf))

    def _go_on(self) -> None:
        """Let the search run until its next question, or its end."""
        questions = self._questions
        if not self._started:
            self._started = True
            work = _Work(self._journal, self._task, self._budget["maxiter"], self._known)
            threading.Thread(target=work.run, args=(questions,), name=THREAD, daemon=True).start()
            weakref.finalize(self, questions.answers.put, None)
        elif not self._answered:
            questions.answers.put((self._values, self._is_told))
        self._answered = True
        self._ask_nothing()
        said = questions.asked.get()  # which Ctrl-C may break off
        self._answered = False
        if isinstance(said, np.ndarray):
            self._points = said
            self._values, self._is_told = np.full(len(said), np.nan), np.zeros(len(said), bool)
        elif isinstance(said, tuple):
            self._ending = said
            self._journal.renew()  # for copies, which have nothing to go on with
        else:
            self._ending = -1, f"{type(said).__name__}: {said}"
            raise said

    def __getstate__(self) -> dict[str, Any]:
        own = {
            name: vars(self)[name]
            for name in ("_task", "_budget", "_points", "_values", "_is_told", "_given", "_ending")
        }
        return own | {"known": self._known, "found": self._journal.contents()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._task, self._budget = state["_task"], state["_budget"]
        self._known = state["known"]
        self._set_up(state["found"])
        if state["_points"].size:
            self._go_on()
        for name in ("_values", "_is_told", "_given", "_ending"):
            setattr(self, name, state[name])


def _told(x: np.ndarray) -> float:
    """In the place of a function, whose values are told."""
    raise RuntimeError("a Minimizer calls no function")


class _Closed(BaseException):
    """Nobody will answer."""


class _Questions(Functions):
    """Functions whose values are asked for and told."""

    def __init__(self, task: Task) -> None:
        vars(self).update(vars(task.functions(apply=None, walls=True)))
        self.at_once = True
        self.problem: Any = None
        self.asked: SimpleQueue[Any] = SimpleQueue()
        self.answers: SimpleQueue[Any] = SimpleQueue()

    def energies(self, x: np.ndarray) -> np.ndarray:
        """What is told of x (points, dim); not of all points where the target was reached."""
        self.asked.put(x.copy())
        answer = self.answers.get()
        if answer is None:
            raise _Closed
        values, told = answer
        missing = int((~told).sum())
        self.problem.nfev -= missing
        self.problem.failures -= missing
        return np.where(told, values, np.inf)


class _Work:
    """A search run in a thread of its own, which waits at each question until it is answered."""

    def __init__(
        self,
        journal: Journal,
        task: Task,
        maxiter: int | None,
        known: list[tuple[np.ndarray, float]],
    ) -> None:
        self.journal, self.task, self.maxiter, self.known = journal, task, maxiter, known

    def run(self, questions: _Questions) -> None:
        """Until the search is over, or nobody is there to answer."""
        search = self.journal.search
        try:
            with np.errstate(all="ignore"):
                ending = run(self.journal, self.iterations(search), self.maxiter, self.look)
                questions.asked.put(ending)
        except _Closed:
            pass
        except Exception as error:
            questions.asked.put(error)

    def iterations(self, search: Search) -> Iterator[None]:
        """Those of the strategy; the first from the best that is known."""
        if not self.journal.nit:
            self.keep(search)
        yield from STRATEGIES[self.task.strategy](search, self.task.settings)

    def keep(self, search: Search) -> None:
        """Let the best of what is known besides be the best point."""
        for x, f in self.known:
            search.problem._keep(x[None], np.array([f]))

    def look(self, search: Search, nit: int) -> bool:
        """After each iteration: take in what is known besides."""
        if self.known:
            self.keep(search)
            search.pool += [(f, search.problem.u(x)) for x, f in self.known]
            search.pool.sort(key=lambda pair: pair[0])
            self.known.clear()
            self.journal.renew()
        return False
