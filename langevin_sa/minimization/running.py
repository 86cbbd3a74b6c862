"""A search run until something ends it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from ..backends.workers import OutOfTime
from .constrained import Constrained
from .problem import Finished
from .resume import Journal
from .search import Search


def run(
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
    problem = search.problem
    if problem.best_fun == math.inf:
        return (5 if isinstance(problem, Constrained) else 2), search.verdict
    return 2 if problem.endless else 4 if search.stuck else 0, search.verdict


def _check_iterations(nit: int, maxiter: int | None) -> None:
    if maxiter is not None and nit >= max(1, maxiter):
        raise Finished(1, f"Maximum number of iterations ({maxiter}) has been exceeded.")
