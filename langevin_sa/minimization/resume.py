"""What `minimize` writes to a checkpoint: all that a search knows, and the answers of the user's
functions since.

A strategy can be started anew where it yields, so there the search is taken apart. Between two
yields a slow function may take hours: its answers are written too, and a run that goes on gets them
from the file instead of calling the function.
"""

from __future__ import annotations

import zlib

import numpy as np

from ..storage.checkpoint import Checkpoint, Contents
from ..storage.npz import octets
from ..storage.trees import put_together, taken_apart
from .covariance import Population, Restarts
from .ensemble import Ensemble
from .functions import Functions
from .history import History
from .minima import Minima, Minimum
from .search import Account, Search
from .strategies import Cycle, Descending

KINDS = {
    kind.__name__: kind
    for kind in (
        *(Search, Minima, Minimum, Account, History, Cycle, Ensemble, Descending),
        *(Restarts, Population),
    )
}
SAME_VALUE = 1e-6  # of a value, or of the energy of the search, by which its function may differ
LONGEST_RECORD = 2**20  # numbers in answers between two looks at the search


class Journal:
    """Calls the functions, and keeps their answers and the search in a checkpoint.

    Parameters
    ----------
    functions : Functions
        What is called.
    keeper : Checkpoint
        The file.
    longest : int, optional
        Numbers in answers between two looks at the search, when all is kept without a file, too:
        what `contents` then returns. Without either nothing is kept.

    Attributes
    ----------
    search : Search
        The one to go on with, after `begin`.
    nit : int
        Iterations done.
    """

    def __init__(
        self, functions: Functions, keeper: Checkpoint, longest: int | None = None
    ) -> None:
        self.functions, self.keeper, self.nit = functions, keeper, 0
        self.keeps = keeper.path is not None or longest is not None
        self._longest = LONGEST_RECORD if longest is None else longest
        self.search: Search
        # since the search was last taken apart; those of the file beyond `_asked` are to come
        self._answers: list[tuple[int, np.ndarray]] = []
        self._asked, self._size = 0, 0  # answers, and numbers in them
        self.over = False  # whether the search has come to its end and counted its iterations
        self._seen: tuple[np.ndarray, float] | None = None  # a point and the function there

    def begin(self, search: Search, found: Contents | None) -> Search:
        """The search to go on with: `search`, which has done nothing yet, or what the file holds.

        Parameters
        ----------
        search : Search
            Whose problem asks through this journal.
        found : (dict of ndarray, dict) or None
            What the file holds.

        Raises
        ------
        ValueError
            If the function is another one than when the file was written.
        """
        self.search, self._start = search, search.problem.best_x.copy()
        self._worked: dict[str, np.ndarray] = {}  # the last point of each kind of question
        self._given = {"problem": search.problem, "same": search.minima.same}
        if found is not None:
            self._restore(*found)
        if self.keeps:
            self._search = self._taken()
            self.keeper.save(self.contents, now=found is None)
        return self.search

    def ask(self, kind: str, x: np.ndarray) -> np.ndarray:
        """``functions.ask(kind, x)``, unless the run that was broken off has asked that already;
        NaN where it raises an exception, and that is a wall.
        """
        if not self.keeps or self.functions.compiled is not None:
            return self._called(kind, x)
        key = zlib.crc32(octets(x), zlib.crc32(kind.encode()))
        known = self._answers[self._asked : self._asked + 1]
        if known and known[0][0] == key:
            answer = known[0][1]
        else:
            answer = self._called(kind, x)
            # what a machine that rounds differently has come to is another point
            self._answers[self._asked :] = [(key, answer)]
        if kind in ("energies", "pair") and np.isfinite(answer[0]):
            self._seen = np.atleast_2d(x)[0], float(answer[0])
        self._asked, self._size = self._asked + 1, self._size + answer.size
        self.keeper.save(self.contents)
        return answer

    def _called(self, kind: str, x: np.ndarray) -> np.ndarray:
        try:
            answer = self.functions.ask(kind, x)
        except Exception as error:
            if not self.functions.walls:
                raise
            return self._failed(kind, x, error)
        self._worked[kind] = x if kind == "pair" else x[:1]
        return answer

    def _failed(self, kind: str, x: np.ndarray, error: Exception) -> np.ndarray:
        """The answer after an exception: NaN, unless it comes again where the functions worked, or
        at the start if they never did. Which of many points it minds is found by halves. All calls
        are counted, and there are none beyond the budget.
        """
        problem = self.search.problem
        points = {"pair": 1, "limits": 0, "normals": 0}.get(kind, len(x))  # calls of fun or jac
        if problem.nfev + points <= problem.maxfev:
            problem.nfev += points
            if points > 1:
                halves = np.array_split(x, 2)
                found = [self._called(kind, half) for half in halves]
                # how many numbers answer a point may be known from the second half on
                blank = [self.functions.unknown(kind, half) for half in halves]
                return np.concatenate(
                    [a if a.size == b.size else b for a, b in zip(found, blank, strict=True)]
                )
            start = self._start if kind == "pair" else self._start[None]
            self.functions.ask(kind, self._worked.get(kind, start))
        self.functions.raised = f"{type(error).__name__}: {error}"
        return self.functions.unknown(kind, x)

    def at_yield(self) -> None:
        """Called where the strategy yields."""
        self.nit += 1
        self.search.note()
        if self._size > self._longest:
            self.renew()
        self.keeper.save(self.renew)

    def at_end(self) -> None:
        """Called when the search is over or broken off."""
        self.keeper.save(self.renew if self.over else self.contents, now=True)

    def _taken(self) -> Contents:
        """The search now."""
        arrays: dict[str, np.ndarray] = {}
        tree, problem = taken_apart(self.search, arrays, self._given), self.search.problem
        counts = {name: getattr(problem, name) for name in problem.numbers}
        arrays |= {name: getattr(problem, name).copy() for name in problem.arrays}
        return arrays, {"search": tree, "counts": counts, "nit": self.nit}

    def renew(self) -> Contents:
        """Take the search apart anew, at a yield."""
        rest = self._answers[self._asked :]
        self._search, self._answers, self._asked, self._size = self._taken(), rest, 0, 0
        return self.contents()

    def contents(self) -> Contents:
        """The search when it was last taken apart, and the answers since."""
        arrays, facts = self._search
        x, fun = self._seen or (self.search.problem.best_x, self.search.problem.best_fun)
        arrays = arrays | {
            "answers": np.concatenate([np.empty(0), *(answer for _, answer in self._answers)]),
            "sizes": np.array([answer.size for _, answer in self._answers], dtype=int),
            "keys": np.array([key for key, _ in self._answers], dtype=np.uint32),
            "seen_x": x,
        }
        return arrays, facts | {"seen": fun}

    def _restore(self, arrays: dict[str, np.ndarray], facts: dict) -> None:
        problem = self.search.problem
        try:
            self.search = put_together(facts["search"], arrays, self._given, KINDS)
            parts = np.split(arrays["answers"], np.cumsum(arrays["sizes"])[:-1])
            self._answers = list(zip(arrays["keys"].tolist(), parts, strict=False))
            self.nit = facts["nit"]
            for name in problem.arrays:
                setattr(problem, name, arrays[name])
            seen = arrays["seen_x"], float(facts["seen"])
            for name in problem.numbers:
                setattr(problem, name, facts["counts"][name])
            if arrays["reach"].size:
                problem.spread(arrays["reach"])
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"checkpoint {self.keeper.path} holds no search: {error}") from None
        walker = self.search.walker
        if walker is not None:  # one of the minima, as long as it is in their list
            found = self.search.minima.found
            same = (m for m in found if m.fun == walker.fun and np.array_equal(m.u, walker.u))
            self.search.walker = next(same, walker)
        if self.keeper.path is not None:
            self._check_function(*seen)

    def _check_function(self, x: np.ndarray, fun: float) -> None:
        """Raise a ValueError if the function has another value at x now, but not because it has
        noise.
        """
        if not np.isfinite(fun):
            return
        here, again = (float(self.functions.energies(x[None])[0]) for _ in range(2))
        # what another machine may round otherwise, also where terms cancel
        allowed = SAME_VALUE * max(abs(fun), self.search.energy)
        if here == again and not abs(here - fun) <= allowed:
            raise ValueError(
                f"checkpoint {self.keeper.path} belongs to another function: at a point that it "
                f"knows it was {fun:.9g} and is {here:.9g} now; give another name, or remove the "
                "file"
            )
