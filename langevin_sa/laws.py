"""Laws of progress: a number, or a callable of s = n/n_steps in [0, 1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .arguments import on_host, shown


def plain(value: Any) -> Any:
    """A number as a float, which prints as one; an array as it is."""
    return float(value) if np.ndim(value) == 0 else value


def values(law: Any, progress: np.ndarray, name: str = "law") -> np.ndarray:
    """Values of a number or of a law at each progress, as a float array of the shape of `progress`.

    Raises
    ------
    ValueError
        If a value is not a finite real number; the message names the first progress where that
        happens.
    """
    if callable(law):
        try:
            out = on_host(law(progress))
            if out.dtype.kind not in "iuf":
                raise TypeError
        except (TypeError, ValueError):  # the law takes one number at a time
            out = np.array([on_host(law(float(s))) for s in progress])
        if out.dtype.kind not in "iuf":
            raise TypeError(
                f"{name} must return real numbers; at progress 0 it gives {shown(law(0.0))}"
            )
        if out.shape not in ((), progress.shape):
            raise ValueError(
                f"{name} gave an array of shape {out.shape} for {progress.size} progress values; "
                "a law takes s in [0, 1] and returns one value for each s"
            )
    else:
        out = on_host(law)
        if out.shape != () or out.dtype.kind not in "iuf":
            raise TypeError(
                f"{name} must be a number or a callable of progress s in [0, 1], not {shown(law)}"
            )
    out = np.broadcast_to(out.astype(float), progress.shape)
    bad = ~np.isfinite(out)
    if bad.any():
        raise ValueError(
            f"{name} is {out[bad][0]} at progress {progress[bad][0]:g}; every value must be finite"
        )
    return out


def progress_of(n_steps: int, steps: tuple[int, int] | None = None) -> np.ndarray:
    """Progress s = n/n_steps of steps ``start <= n < stop`` (all steps by default)."""
    start, stop = steps or (0, n_steps)
    return np.arange(start, stop) / n_steps


@dataclass(frozen=True)
class Drive:
    """Parameters of a potential that change from step to step.

    Attributes
    ----------
    places : ndarray (k,) of int
        Which of the formula's numbers they are.
    values : ndarray (n_steps + 1, k)
        A row for each step, in which its force is taken, and one for where the last step ends.
    """

    places: np.ndarray
    values: np.ndarray

    def part(self, start: int, stop: int) -> Drive:
        """That of steps start <= n < stop."""
        return Drive(self.places, self.values[start : stop + 1])


@dataclass(frozen=True)
class NamedLaw:
    """``law(s) = shape(s, *numbers)``."""

    shape: Callable[..., Any]
    numbers: tuple[Any, ...]

    @np.errstate(all="ignore")  # what is not finite is refused where it is used
    def __call__(self, s: Any) -> Any:
        return self.shape(
            np.asarray(s, dtype=float),
            *[n if isinstance(n, tuple) else float(n) for n in self.numbers],
        )

    def __repr__(self) -> str:
        return f"{self.shape.__name__.strip('_')}({', '.join(map(repr, self.numbers))})"
