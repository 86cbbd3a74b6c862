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
        self._piece: tuple[int, int, Steps] | None = None

    def steps(self, start: int, stop: int) -> Steps:
        """Steps start <= n < stop, in views of the piece that was computed last."""
        if self._piece is None or not self._piece[0] <= start < stop <= self._piece[1]:
            last = min(max(stop, start + PIECE), self.n_steps)
            steps = self.schedule.coefficients(self.n_steps, self.integrator, (start, last))
            _ = steps.numbers, steps.ratio, steps.temperature  # parts have what the piece has
            self._piece = start, last, steps
        first, _, steps = self._piece
        return steps.part(start - first, stop - first)
