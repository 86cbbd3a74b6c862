"""When a search has found enough."""

from __future__ import annotations

from .search import Search

# the portfolio goes on without improvement for so many ...
FEWEST_MOVES, MORE_MOVES = 10, 20  # moves, and one more for each coordinate up to so many more
FAMILIAR = 80  # evaluations for each coordinate where all minima are known, ...
MANY_DIM, MOST_DIM = 8, 30  # ... and as many more for each 8 coordinates, up to 30
STRANGE = 1400  # further ones where every descent ends in a minimum not met before
NO_GRADIENT = 2.0  # times as many where gradients are differences
AGAIN = 0.4  # and this share of the evaluations that the last improvement took


def enough(search: Search, patience: float) -> bool:
    """Whether so many moves and evaluations have brought nothing lower that going on is not worth
    it.

    What the minima not met yet are expected to share among them of all descents, w(w + 1)/(d(d -
    1)) after d descents into w minima (Boender, Rinnooy Kan, Math. Program. 37, 59 (1987)), says
    how much there is to look for.
    """
    problem, dim = search.problem, int((~search.problem.fixed).sum())
    w, d = len(search.minima), search.descents
    unseen = min(1.0, w * (w + 1) / max(1, d * (d - 1)))
    each = FAMILIAR * (1 + min(dim, MOST_DIM) / MANY_DIM) + STRANGE * unseen
    evaluations = dim * each * (NO_GRADIENT if problem.cost > 1 else 1)
    evaluations += AGAIN * search.improved_after
    moves = FEWEST_MOVES + min(dim, MORE_MOVES)
    return (
        search.attempts - search.improved_at >= patience * moves
        and problem.evaluations - search.improved_after >= patience * evaluations
    )
