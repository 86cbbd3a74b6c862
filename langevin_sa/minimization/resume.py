"""What `minimize` writes to a checkpoint: all that a search knows, and the answers of the user's
functions since.

A strategy can be started anew where it yields, so there the search is taken apart. Between two
yields a slow function may take hours: its answers are written too, and a run that goes on gets them
again instead of calling the function.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable

import numpy as np

from ..storage.checkpoint import Checkpoint, Contents
from ..storage.npz import octets
from ..storage.trees import put_together, taken_apart
from .clusters import Descending
from .ensemble import Ensemble
from .minima import Minima, Minimum
from .search import Account, Search
from .strategies import Cycle

KINDS = {
    kind.__name__: kind for kind in (Search, Minima, Minimum, Account, Cycle, Ensemble, Descending)
}
COUNTS = ("nfev", "njev", "failures", "best_fun")  # of a problem
MOST = 2**20  # numbers in answers that are kept


class Memory:
    """A search and its checkpoint.

    Parameters
    ----------
    search : Search
        One that has done nothing yet.
    keeper : Checkpoint
        The file.
    found : (dict of ndarray, dict) or None
        What the file holds.

    Attributes
    ----------
    search : Search
        The one to go on with.
    nit : int
        Iterations done.

    Raises
    ------
    ValueError
        If the function is another one than when the file was written.
    """

    def __init__(self, search: Search, keeper: Checkpoint, found: Contents | None) -> None:
        self.search, self.keeper, self.nit = search, keeper, 0
        self._given = {"problem": search.problem, "same": search.minima.same}
        self._answers: list[tuple[int, np.ndarray]] = []
        self._again: deque[tuple[int, np.ndarray]] = deque()
        self._size = 0
        self._seen: tuple[np.ndarray, float] | None = None  # a point and the function there
        if found is not None:
            self._restore(*found)
        if keeper.path is not None:
            self._search = self._taken()
            if search.problem.compiled is None:
                search.problem.ask = self._ask
            keeper.save(self._contents, now=found is None)

    def at_yield(self) -> None:
        """Called where the strategy yields."""
        self.nit += 1
        if self._size > MOST:
            self._renewed()
        self.keeper.save(self._renewed)

    def at_end(self) -> None:
        """Called when the search is over or broken off."""
        self.keeper.save(self._renewed if self.search.verdict else self._contents, now=True)

    def _ask(self, function: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> np.ndarray:
        """``function(x)``, unless the run that was broken off has asked that already."""
        key = zlib.crc32(octets(x), zlib.crc32(function.__name__.encode()))
        if self._again and self._again[0][0] == key:
            answer = self._again.popleft()[1]
        else:
            self._again.clear()  # a machine that rounds differently has come to another point
            answer = function(x)
        if function.__name__ != "slopes" and np.isfinite(answer[0]):
            self._seen = np.atleast_2d(x)[0], float(answer[0])
        self._answers.append((key, answer))
        self._size += answer.size
        self.keeper.save(self._contents)
        return answer

    def _taken(self) -> Contents:
        """The search now."""
        arrays: dict[str, np.ndarray] = {}
        tree, problem = taken_apart(self.search, arrays, self._given), self.search.problem
        counts = {name: getattr(problem, name) for name in COUNTS}
        return arrays | {"best_x": problem.best_x.copy()}, {
            "search": tree,
            "counts": counts,
            "nit": self.nit,
        }

    def _renewed(self) -> Contents:
        self._search, self._answers, self._size = self._taken(), [], 0
        return self._contents()

    def _contents(self) -> Contents:
        """The search when it was last taken apart, and the answers since."""
        arrays, facts = self._search
        known = [*self._answers, *self._again]
        x, fun = self._seen or (self.search.problem.best_x, self.search.problem.best_fun)
        keys, sizes = [key for key, _ in known], [answer.size for _, answer in known]
        arrays = arrays | {
            "answers": np.concatenate([np.empty(0), *(answer for _, answer in known)]),
            "sizes": np.array(sizes, dtype=int),
            "keys": np.array(keys, dtype=np.uint32),
            "seen_x": x,
        }
        return arrays, facts | {"seen": fun}

    def _restore(self, arrays: dict[str, np.ndarray], facts: dict) -> None:
        problem = self.search.problem
        try:
            self.search = put_together(facts["search"], arrays, self._given, KINDS)
            parts = np.split(arrays["answers"], np.cumsum(arrays["sizes"])[:-1])
            self._again.extend(zip(arrays["keys"].tolist(), parts, strict=False))
            self.nit, problem.best_x = facts["nit"], arrays["best_x"]
            seen = arrays["seen_x"], float(facts["seen"])
            for name in COUNTS:
                setattr(problem, name, facts["counts"][name])
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"checkpoint {self.keeper.path} holds no search: {error}") from None
        walker = self.search.walker
        if walker is not None:  # one of the minima, as long as it is in their list
            same = (
                m
                for m in self.search.minima.found
                if m.fun == walker.fun and np.array_equal(m.u, walker.u)
            )
            self.search.walker = next(same, walker)
        self._check_function(*seen)

    def _check_function(self, x: np.ndarray, fun: float) -> None:
        """Raise a ValueError if the function has another value at x now, but not because it has
        noise.
        """
        if not np.isfinite(fun):
            return
        here, again = (float(self.search.problem.energies(x[None])[0]) for _ in range(2))
        if here == again and not np.isclose(here, fun, rtol=1e-6, atol=1e-6):
            raise ValueError(
                f"checkpoint {self.keeper.path} belongs to another function: at a point that it "
                f"knows it was {fun:.9g} and is {here:.9g} now; give another name, or remove the "
                "file"
            )
