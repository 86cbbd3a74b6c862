"""The numbers of a run's steps, for all who ask: computed once, in pieces of bounded memory."""

from __future__ import annotations

from typing import Any

from ..momentum import Steps

PIECE = 20_000  # steps that are computed together, unless somebody asks for more at once


class Course:
    """What a schedule and an integrator make of the steps of a run.

    Parameters
    ----------
    schedule : Schedule, CoolMomentum or Momentum
        What the run follows.
    integrator : str
        The row of the table, if the schedule does not bring its own recursion.
    n_steps : int
        Length of the schedule.
    """

    def __init__(self, schedule: Any, integrator: str, n_steps: int) -> None:
        self.schedule, self.integrator, self.n_steps = schedule, integrator, n_steps
        self._first, self._last, self._piece = 0, 0, None

    def steps(self, start: int, stop: int) -> Steps:
        """Steps start <= n < stop, in views of the piece that was computed last."""
        if not self._first <= start < stop <= self._last:
            last = min(max(stop, start + PIECE), self.n_steps)
            piece = self.schedule.coefficients(self.n_steps, self.integrator, (start, last))
            _ = piece.numbers, piece.ratio, piece.temperature  # parts have what the piece has
            self._first, self._last, self._piece = start, last, piece
        return self._piece.part(start - self._first, stop - self._first)
