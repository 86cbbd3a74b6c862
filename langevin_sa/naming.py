"""Looking up what a user names, with a suggestion when the name is not there; and showing what was given, briefly."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable, Mapping
from typing import TypeVar

T = TypeVar("T")

_BRIEF = reprlib.Repr()
_BRIEF.maxstring = _BRIEF.maxother = 100


def shown(value: object) -> str:
    """What was given, for a message: one line, of a long array or list only the ends."""
    return " ".join(_BRIEF.repr(value).split())


def unknown(name: object, known: Iterable[str], what: str) -> str:
    """The sentence for a name that is not known: what was given, the nearest known name, all of them."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5) if isinstance(name, str) and len(name) < 100 else []
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown {what} {shown(name)}; {hint}Known: {', '.join(known)}"


def look_up(name: str, table: Mapping[str, T], what: str) -> T:
    """``table[name]``, or a ValueError with the sentence of `unknown`."""
    try:
        return table[name]
    except (KeyError, TypeError):
        raise ValueError(unknown(name, table, what)) from None
