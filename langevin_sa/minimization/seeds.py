"""Several searches from different seeds, and whether they agree."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from scipy.optimize import OptimizeResult

from ..noise import child_seed

SUMMED = ("nfev", "njev", "nit", "constr_nfev")
ALONE = 6  # status where no two searches agree


def several(
    once: Callable[..., OptimizeResult],
    count: int,
    seed: int,
    *,
    maxfev: int | None,
    seconds: float | None,
    target: float | None,
) -> OptimizeResult:
    """The best result of `count` searches that share the budgets, with what they say together.

    Parameters
    ----------
    once : callable
        ``once(seed, maxfev=..., seconds=..., target=...)`` makes one search.
    seed : int
        That of the first; those of the others come from it.
    """
    searches: list[OptimizeResult] = []
    started, spent = time.perf_counter(), 0
    for k in range(count):
        left = count - k
        limit: dict[str, Any] = {"maxfev": None, "seconds": None, "target": target}
        if maxfev is not None:
            limit["maxfev"] = (maxfev - spent) // left
        if seconds is not None:
            limit["seconds"] = max(0.0, seconds - (time.perf_counter() - started)) / left
        try:
            found = once(child_seed(seed, k) if k else seed, **limit)
        except Exception as error:
            part = getattr(error, "partial_result", None)
            if part is not None:
                vars(error)["partial_result"] = _together([*searches, part], seed, target)
            raise
        searches.append(found)
        spent += found.nfev
        if found.status in (3, 99) or _hit(found, target):
            break
    return _together(searches, seed, target)


def _hit(found: OptimizeResult, target: float | None) -> bool:
    return target is not None and found.success and found.fun <= target


def _together(searches: list[OptimizeResult], seed: int, target: float | None) -> OptimizeResult:
    """The result of the best of the searches, and how many agree with it."""
    best = min(searches, key=_rank)
    near = best.fun + best.precision
    agree = [s for s in searches if s is best or (s.precision < math.inf and s.fun <= near)]
    ended = min(agree, key=lambda s: (s.status != 0, s is not best))
    one = len(agree) == 1
    said = (
        f"{len(agree)} of {len(searches)} search{'es' if len(searches) > 1 else ''} ended in the "
        f"lowest minimum. {ended.message}"
    )
    status = ended.status
    if one and status == 0 and not _hit(best, target):
        status = ALONE
    result = type(best)(best)
    for name in SUMMED:
        if name in best:
            result[name] = sum(s[name] for s in searches)
    result.update(success=status == 0, status=status, message=said, seed=seed)
    result.update(agreed=len(agree), searches=searches)
    return result


def _rank(found: OptimizeResult) -> tuple[bool, float]:
    """By which the best of some results is the lowest; those that found nothing come last."""
    return found.precision == math.inf, found.fun
