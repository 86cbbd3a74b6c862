"""The last moment at which all of a run fitted together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Cut:
    """What a run goes back to when it is broken off: its state is changed in many statements, of
    which an interrupt or an exception may skip some.

    Whoever writes or returns a run that was broken off calls `rewind` first. The cut is either the
    run's own arrays, or, while these are changed, the copies that `hold` made; one assignment makes
    it the one or the other.

    Parameters
    ----------
    held : (object, names of arrays, names of numbers)
        Whose attributes are the state.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> import numpy as np
    >>> walk = SimpleNamespace(x=np.zeros(2), step=0)
    >>> cut = Cut((walk, ["x"], ["step"]))
    >>> cut.hold()
    >>> walk.x[0] = 1.0  # and here comes Ctrl-C, before the step is counted
    >>> cut.rewind()
    >>> walk.x
    array([0., 0.])
    """

    def __init__(self, *held: tuple[Any, Sequence[str], Sequence[str]]) -> None:
        self._held = held
        self.copies = [
            {name: getattr(owner, name).copy() for name in arrays} for owner, arrays, _ in held
        ]
        self.commit()

    def commit(self) -> None:
        """Say that all fits together now."""
        self._last = [
            {name: getattr(owner, name) for name in (*arrays, *numbers)}
            for owner, arrays, numbers in self._held
        ]

    def hold(self) -> None:
        """Say so, and keep it until the next `commit`, whatever becomes of the arrays."""
        self.commit()
        for (owner, *_), copies in zip(self._held, self.copies, strict=True):
            for name, copy in copies.items():
                copy[...] = getattr(owner, name)
        self._last = [last | copies for last, copies in zip(self._last, self.copies, strict=True)]

    def rewind(self) -> None:
        """Bring everything back to where it fitted together; nothing can be moved on after that,
        but for a run that stands there already.
        """
        # no array is written to: a kernel may still be at work in the run's own
        for (owner, *_), last in zip(self._held, self._last, strict=True):
            vars(owner).update(last)
