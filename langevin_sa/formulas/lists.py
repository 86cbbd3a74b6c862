"""The lists of particles that `terms=` of `Potential.from_formula` are summed over."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arguments import look_up, short, shown, whole
from .parse import FormulaError, names, parse
from .spec import LISTED, Listed

FORM = 'terms must be a list of (kind, particles, formula), as in ("bond", pairs, "k*(r - 1)**2")'


@dataclass(frozen=True)
class Terms:
    """One kind of term over a list of particles (entries, 2, 3 or 4)."""

    kind: str
    particles: np.ndarray
    text: str

    def listed(self, arrays: dict[str, np.ndarray]) -> Listed:
        """What is printed of it; its arrays are those of the parameters that are in its formula.

        Raises
        ------
        FormulaError
            If an array has not one value an entry.
        """
        own = tuple(name for name in names(parse(self.text)) if name in arrays)
        for name in own:
            if arrays[name].shape != (len(self.particles),):
                raise FormulaError(
                    f"parameter {name!r} has shape {arrays[name].shape}; in the {self.kind} "
                    f"formula {short(self.text)!r} an array needs one value an entry of the list, "
                    f"{len(self.particles)}"
                )
        return Listed(self.kind, self.text, own)


def read_lists(terms: Any, particles: Any, space: Any) -> list[Terms]:
    """The terms as they were given, checked.

    Raises
    ------
    TypeError, ValueError
        For what is no list of (kind, particles, formula), a kind that is not known or not in so
        many dimensions, and particles that are not there, or twice in an entry.
    """
    if terms is None:
        return []
    if isinstance(terms, str) or not isinstance(terms, Collection) or not len(terms):
        raise TypeError(f"{FORM}, not {shown(terms)}")
    if particles is None:
        raise TypeError("terms= needs particles=, the number of particles")
    return [_read(term, particles, space) for term in terms]


def _read(term: Any, particles: Any, space: Any) -> Terms:
    if not isinstance(term, tuple | list) or len(term) != 3:
        raise TypeError(f"{FORM}, not {shown(term)} in it")
    kind, entries, text = term
    count, _ = look_up(kind, LISTED, "kind of term over a list")
    if not isinstance(text, str):
        raise TypeError(f"the formula of a {kind} must be a string, not {type(text).__name__}")
    if (kind == "torsion" and space != 3) or (kind == "angle" and space == 1):
        raise ValueError(f"there is no {kind} in space={space}")
    try:
        found = np.asarray(entries)
    except ValueError:  # entries of unlike lengths
        found = np.empty(0)
    if found.ndim != 2 or found.shape[1] != count or not len(found) or found.dtype.kind not in "iu":
        raise ValueError(
            f"the particles of {kind} terms must be integers of shape (entries, {count}), numbered "
            f"from 0, not {shown(entries)}"
        )
    if whole(particles) and (found.min() < 0 or found.max() >= particles):
        raise ValueError(
            f"the particles of {kind} terms must be numbers from 0 to {particles - 1}, not "
            f"{found.min()} to {found.max()}"
        )
    ordered = np.sort(found, axis=1)
    twice = (ordered[:, 1:] == ordered[:, :-1]).any(1)
    if twice.any():
        entry = found[twice.argmax()].tolist()
        raise ValueError(f"a particle is there twice in the {kind} {entry}")
    return Terms(kind, found.astype(np.int64), text)


def flat(listed: list[Terms], space: int) -> list[int]:
    """The lists as they stand in a formula's sizes, see `Spec.lists`."""
    return [
        number
        for term in listed
        for number in (len(term.particles), *(space * term.particles).ravel().tolist())
    ]
