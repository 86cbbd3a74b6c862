"""When a search has found enough: what the ends of its descents say about minima not met yet.

Of d descents into w minima, those not met yet are expected to hold a share w(w + 1)/(d(d - 1)) of
all further ones (Boender, Rinnooy Kan, Math. Program. 37, 59 (1987)). How much this matters falls
with the number n of descents that ended at the lowest energy, as 1/sqrt(n), wherever they did.

Where the energy does not change under motions of a cluster, nearly every descent ends at a place of
its own, but at an energy known before. Then the energies are counted instead of the places, and
what counts is how many descents ended at the lowest.
"""

from __future__ import annotations

import math

from .search import SAME_FUN, Search

# the portfolio goes on without improvement for so many ...
FEWEST_MOVES, MORE_MOVES = 5, 10  # moves, and one more for each two coordinates up to so many more
FAMILIAR = 40  # evaluations for each coordinate where all minima are known, ...
MANY_DIM, MOST_DIM = 8, 30  # ... as many more for each 8 coordinates, up to 30, ...
SEVERAL = 4  # ... less where there are fewer minima than this
STRANGE = 6000  # further ones where every descent ends in a minimum not met before
NO_GRADIENT = 2.0  # times as many where gradients are differences
AGAIN = 0.4  # and this share of the evaluations that the last improvement took
# or until so many descents ended at the lowest energy, more if each ends in a minimum of its own;
# fewer of clusters, in whatever form
AGREE, CLUSTER_AGREE = (8, 20), (4, 20)
# a symmetry is looked for at so many places, if so large a share of descents ends at their own
ALIKE, ELSEWHERE = 4, 0.5
# runs of clusters: evaluations without a lower one that end the search
CLUSTER_FAMILIAR, CLUSTER_AGAIN = 10_000, 1.0


def enough(search: Search, patience: float) -> bool:
    """Whether so many moves and evaluations have brought nothing lower that going on is not worth
    it.
    """
    problem, dim = search.problem, int((~search.problem.fixed).sum())
    distinct, strange, agreed = _census(search)
    moves = 0 if search.moving else FEWEST_MOVES + min(dim / 2, MORE_MOVES)
    if search.attempts - search.improved_at < patience * moves:
        return False
    needed = _needed(CLUSTER_AGREE if search.moving else AGREE, strange)
    # over integers most fall back, and constraints lead many to one end
    free = not problem.whole and problem.functions.constraints is None
    if free and agreed >= patience * needed:
        return True
    each = FAMILIAR * (1 + min(dim, MOST_DIM) / MANY_DIM) * min(1.0, distinct / SEVERAL)
    each += STRANGE * strange / math.sqrt(agreed)
    evaluations = dim * each * (NO_GRADIENT if problem.cost > 1 else 1)
    evaluations += AGAIN * search.improved_after
    return problem.evaluations - search.improved_after >= patience * evaluations


def unseen(search: Search) -> float:
    """The share of descents to come that minima not met yet are expected to hold."""
    return _census(search)[1]


def _census(search: Search) -> tuple[int, float, int]:
    """How many distinct minima there are, the share of descents that those not met yet are expected
    to hold, and how many ended at the lowest energy.
    """
    minima = search.minima
    if not len(minima):
        return SEVERAL, 1.0, 1
    energies, agreed = minima.levels(search.matters(SAME_FUN, minima.best.fun))
    places, descents = len(minima), sum(m.hits for m in minima.found)
    strange = places >= ALIKE and places > ELSEWHERE * descents
    w = energies if strange and search.moves_freely() else places
    return w, _unseen(w, descents), agreed


def _unseen(distinct: int, descents: int) -> float:
    """The share of further descents that end in none of so many distinct minima met so far."""
    return min(1.0, distinct * (distinct + 1) / max(1, descents * (descents - 1)))


def _needed(agree: tuple[int, int], strange: float) -> float:
    """How many descents have to end at the lowest energy."""
    return agree[0] + agree[1] * strange


def settled(search: Search, patience: float) -> bool:
    """Whether so many runs of clusters have ended in the lowest minimum, or so many evaluations
    have brought nothing lower.
    """
    problem, minima = search.problem, search.minima
    needed = _needed(CLUSTER_AGREE, _unseen(len(minima), search.attempts))
    since = problem.evaluations - search.improved_after
    most = max(CLUSTER_FAMILIAR * problem.dim, CLUSTER_AGAIN * search.improved_after)
    return minima.best.hits >= patience * needed or since > patience * most
