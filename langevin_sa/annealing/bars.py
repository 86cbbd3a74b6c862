"""Bars of progress: silent on pipes, a widget in notebooks, or text where there are no widgets."""

from __future__ import annotations

import sys
import warnings
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from .run import Run


def bar(*args: Any, shown: bool = True, **keywords: Any) -> Any:
    """tqdm's bar, on a terminal or in a notebook, with or without ipywidgets."""
    with warnings.catch_warnings():  # of ipywidgets that are not there
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm

    off = None if shown and not _in_notebook() else not shown
    return tqdm(*args, disable=off, **keywords)


def _in_notebook() -> bool:
    """Whether a Jupyter kernel shows what is printed, whose streams are no terminals."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")


def bar_of_run(shown: bool, run: Run) -> Any:
    """A bar of steps, or a context of None."""
    if not shown:
        return nullcontext()
    total, done = run.prepared.n_steps, run.walk.step
    return bar(total=total, initial=done, unit="step", unit_scale=True)


class PilotBar(AbstractContextManager["PilotBar"]):
    """Called with the number of evaluations just made; a bar of them, if there are any, until the
    pilot is done.
    """

    def __init__(self, shown: bool) -> None:
        self.shown = shown
        self._bar: Any = None

    def __call__(self, evaluations: int) -> None:
        if self.shown and self._bar is None:
            self._bar = bar(desc="pilot", leave=False, unit="evaluation", unit_scale=True)
        if self._bar is not None:
            self._bar.update(evaluations)

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()
