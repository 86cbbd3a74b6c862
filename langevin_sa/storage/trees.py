"""Trees of dataclasses, lists and arrays as JSON and arrays, and back.

Like pickle, but a file can only bring back the classes that the reader names, and no code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np


def taken_apart(value: Any, arrays: dict[str, np.ndarray], given: Mapping[str, Any]) -> Any:
    """`value` as JSON; its arrays are copied into `arrays` and named there.

    Parameters
    ----------
    value : None, bool, number, str, ndarray, Generator, or list, tuple, dict (with str as keys) or
    dataclass of these
        Lists of arrays of one shape, of tuples and of one dataclass are kept by columns.
    arrays : dict
        Is filled.
    given : mapping
        Names of fields to leave out; `put_together` gets their values.
    """

    def named(array: np.ndarray) -> str:
        arrays[name := f"a{len(arrays)}"] = np.array(array)
        return name

    def apart(part: Any) -> Any:
        return taken_apart(part, arrays, given)

    match value:
        case None | bool() | int() | float() | str():
            return value
        case np.generic():
            return value.item()
        case np.ndarray():
            return {"array": named(value)}
        case np.random.Generator():
            return {"generator": value.bit_generator.state}
        case dict():
            return {"dict": {key: apart(part) for key, part in value.items()}}
        case tuple():
            return {"tuple": [apart(part) for part in value]}
        case list() if value and all(
            isinstance(part, np.ndarray) and part.shape == value[0].shape for part in value
        ):
            return {"rows": named(np.array(value))}
        case list() if value and all(isinstance(part, tuple) for part in value):
            return {"tuples": [apart(list(column)) for column in zip(*value, strict=True)]}
        case list() if value and all(
            is_dataclass(part) and type(part) is type(value[0]) for part in value
        ):
            columns = {
                name: apart([getattr(part, name) for part in value])
                for name in _names(type(value[0]), given)
            }
            return {"many": type(value[0]).__name__, "columns": columns}
        case list():
            return [apart(part) for part in value]
        case _ if is_dataclass(value):
            return {
                "one": type(value).__name__,
                "fields": {
                    name: apart(getattr(value, name)) for name in _names(type(value), given)
                },
            }
    raise TypeError(f"cannot take apart {value!r}")


def put_together(
    tree: Any, arrays: Mapping[str, np.ndarray], given: Mapping[str, Any], kinds: Mapping[str, Any]
) -> Any:
    """What `taken_apart` took apart; `kinds` are the dataclasses by name."""

    def together(part: Any) -> Any:
        return put_together(part, arrays, given, kinds)

    match tree:
        case {"array": name}:
            return arrays[name].copy()
        case {"generator": state}:
            generator = np.random.default_rng()
            generator.bit_generator.state = state
            return generator
        case {"dict": parts}:
            return {key: together(part) for key, part in parts.items()}
        case {"tuple": parts}:
            return tuple(map(together, parts))
        case {"rows": name}:
            return [row.copy() for row in arrays[name]]
        case {"tuples": columns}:
            return list(zip(*map(together, columns), strict=True))
        case {"many": name, "columns": columns}:
            own = {key: given[key] for key in given.keys() & kinds[name].__annotations__.keys()}
            rows = zip(*(together(column) for column in columns.values()), strict=True)
            return [kinds[name](**own, **dict(zip(columns, row, strict=True))) for row in rows]
        case {"one": name, "fields": parts}:
            own = {key: given[key] for key in given.keys() & kinds[name].__annotations__.keys()}
            return kinds[name](**own, **{key: together(part) for key, part in parts.items()})
        case list():
            return [together(part) for part in tree]
    return tree


def _names(kind: Any, given: Mapping[str, Any]) -> list[str]:
    return [field.name for field in fields(kind) if field.name not in given]
