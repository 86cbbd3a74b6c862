"""What is measured at each record of a run, besides what every run measures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from keyword import iskeyword
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import OptimizeResult

from ..arguments import on_gpu, on_host, real_array, shown
from ..formulas.values import values_of
from ..potential import Potential


class PerReplica(NamedTuple):
    """An observable of which the history keeps every replica's value, not the mean over them.

    Attributes
    ----------
    measure : callable or str
        The observable.

    Examples
    --------
    >>> import langevin_sa as lsa
    >>> U, schedule = lsa.Potential.from_formula("x**4 - x**2"), lsa.Schedule(0.1, 1.0, 0.1)
    >>> asked = {"x": lsa.observables.PerReplica("x"), "square": "x**2"}
    >>> run = lsa.anneal(U, [[-1.0], [1.0]], schedule, observables=asked, rng=1)
    >>> run.history.x.shape
    (100, 2)
    """

    measure: Callable[[np.ndarray], Any] | str


class Observables:
    """Observables of a run, checked on the block where it starts.

    Parameters
    ----------
    asked : mapping of str to callable, str or PerReplica
        As for `anneal`.
    potential : Potential
        Whose coordinates formulas are in.
    x : array (replicas, dim)
        Points to try them on.
    taken : iterable of str
        Names that mean something else.

    Attributes
    ----------
    shapes : dict of tuple
        Of each observable at one record.
    facts : dict of str
        The observables as text, by which a checkpoint knows them again.

    Raises
    ------
    TypeError, ValueError
        If a name cannot be used, or an observable is none. What a function raises passes through.
    """

    def __init__(
        self, asked: Mapping[str, Any], potential: Potential, x: Any, taken: Iterable[str]
    ) -> None:
        if not isinstance(asked, Mapping):
            raise TypeError(
                "observables must be a dict of functions or formulas by name, as in {'mean': 'x'}, "
                f"not {shown(asked)}"
            )
        coordinates = potential.variables or tuple(f"x{c + 1}" for c in range(potential.dim))
        self._measures: dict[str, tuple[Callable[[np.ndarray], Any], bool]] = {}
        self.facts: dict[str, str] = {}
        for name, measure in asked.items():
            _check_name(name, set(taken))
            each = isinstance(measure, PerReplica)
            inner = measure.measure if isinstance(measure, PerReplica) else measure
            if not (callable(inner) or isinstance(inner, str)):
                raise TypeError(
                    f"observable {name!r} must be a function of the block (replicas, dim) or a "
                    f"formula, not {shown(inner)}"
                )
            text = inner if isinstance(inner, str) else "a function"
            self.facts[name] = f"{text}, per replica" if each else text
            function = values_of(inner, coordinates) if isinstance(inner, str) else inner
            self._measures[name] = function, each
        self.shapes: dict[str, tuple[int, ...]] = {}
        if self._measures:
            block = on_host(x)
            self.shapes = {name: value.shape for name, value in self(block).items()}
            if len(block) == potential.dim > 1:  # as many replicas as coordinates tell nothing
                self(block[:1], alone=True)

    def __call__(self, x: Any, alone: bool = False) -> dict[str, np.ndarray]:
        """Values at a block (replicas, dim) of any backend: means over replicas, or each replica's.

        Functions get a copy in float64, which cannot be written to.
        """
        if not self._measures:
            return {}
        block = on_host(x).astype(float)
        block.flags.writeable = False
        found = {}
        for name, (measure, each) in self._measures.items():
            try:
                value = measure(block)
            except StopIteration as error:  # which would end loops of ours
                raise RuntimeError(f"observable {name!r} raised StopIteration") from error
            except Exception as error:
                error.add_note(f"in the observable {name!r}")
                raise
            value = _read(name, value, block.shape, each)
            expected = self.shapes.get(name, value.shape)
            if value.shape != expected and not alone:
                raise ValueError(
                    f"observable {name!r} gave {value.shape} at a record, and {expected} before"
                )
            found[name] = value
        return found

    def columns(self, records: Iterable[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """Values of many records as arrays (records, ...) by name."""
        rows = list(records)
        return {
            name: np.array([row[name] for row in rows]).reshape(len(rows), *shape)
            for name, shape in self.shapes.items()
        }

    def rows(self, history: Mapping[str, Any], records: int) -> list[dict[str, np.ndarray]]:
        """What `columns` was made of; a ValueError if a column of a file is of another shape."""
        for name, shape in self.shapes.items():
            if np.shape(history[name]) != (records, *shape):
                raise ValueError(
                    f"the checkpoint has shape {np.shape(history[name])} for the observable "
                    f"{name!r}, which should be {(records, *shape)}"
                )
        return [{name: history[name][r] for name in self.shapes} for r in range(records)]


def _check_name(name: Any, taken: set[str]) -> None:
    """Raise an error unless a history can have a column of this name beside its own."""
    if not isinstance(name, str):
        raise TypeError(f"the name of an observable must be text, not {shown(name)}")
    if not name.isidentifier() or iskeyword(name):
        raise ValueError(
            f"an observable cannot be called {name!r}: history.name needs a name as in Python"
        )
    if name in taken or hasattr(OptimizeResult, name):
        raise ValueError(
            f"an observable cannot be called {name!r}, which a history has already: take another "
            "name"
        )


def _read(name: str, value: Any, block: tuple[int, ...], each: bool) -> np.ndarray:
    """A value as it is recorded; an error if it is not one of, or one for each of, the replicas."""
    array = real_array(value.get() if on_gpu(value) else value, f"observable {name!r}")
    if array.ndim and len(array) == block[0]:
        return array if each else array.mean(0)
    if array.ndim or each:
        more = "" if each else "a number, or "
        raise ValueError(
            f"observable {name!r} gave shape {array.shape} for a block of shape {block}; expected "
            f"{more}one value for each of the {block[0]} replicas: x[:, 0] is the first coordinate "
            "of each"
        )
    return array
