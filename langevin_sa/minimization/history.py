"""The course of a search: one row for each iteration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

COLUMNS = ("evaluations", "best", "walker", "temperature")
FIRST = 64  # rows there is room for at first


@dataclass
class History:
    """Rows of numbers, `COLUMNS`, and the move that each iteration made.

    Attributes
    ----------
    rows : ndarray (room, columns)
        Of which `count` are in use.
    moves : list of str
        The names of moves.
    made : ndarray of int (room,)
        Which of them an iteration made.
    """

    count: int = 0
    rows: np.ndarray = field(default_factory=lambda: np.empty((FIRST, len(COLUMNS))))
    moves: list[str] = field(default_factory=list)
    made: np.ndarray = field(default_factory=lambda: np.empty(FIRST, dtype=int))

    def note(self, move: str, *numbers: float) -> None:
        """Add a row."""
        if self.count == len(self.rows):
            self.rows, self.made = (np.concatenate([a, a]) for a in (self.rows, self.made))
        if move not in self.moves:
            self.moves.append(move)
        self.rows[self.count], self.made[self.count] = numbers, self.moves.index(move)
        self.count += 1

    def result(self) -> OptimizeResult:
        """Arrays by name."""
        columns: dict[str, Any] = dict(zip(COLUMNS, self.rows[: self.count].T.copy(), strict=True))
        columns["evaluations"] = columns["evaluations"].astype(int)
        names = np.array(self.moves or [""])
        return OptimizeResult(**columns, move=names[self.made[: self.count]])
