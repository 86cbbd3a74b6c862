"""Bars of progress: silent on pipes."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from .run import Run


def bar_of_run(shown: bool, run: Run) -> Any:
    """A bar of steps, or a context of None."""
    if not shown:
        return nullcontext()
    from tqdm.auto import tqdm

    total, done = run.prepared.n_steps, run.walk.step
    return tqdm(total=total, initial=done, disable=None, unit="step", unit_scale=True)


class PilotBar(AbstractContextManager["PilotBar"]):
    """Called with the number of evaluations just made; a bar of them, if there are any, until the
    pilot is done.
    """

    def __init__(self, shown: bool) -> None:
        self.shown = shown
        self._bar: Any = None

    def __call__(self, evaluations: int) -> None:
        if self.shown and self._bar is None:
            from tqdm.auto import tqdm

            keywords = {"desc": "pilot", "unit": "evaluation", "unit_scale": True}
            self._bar = tqdm(disable=None, leave=False, **keywords)
        if self._bar is not None:
            self._bar.update(evaluations)

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()
