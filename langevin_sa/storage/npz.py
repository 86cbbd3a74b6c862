"""Arrays and JSON in an .npz file, with a checksum; written whole or not at all, never pickled."""

from __future__ import annotations

import hashlib
import json
import os
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..arguments import on_host, short
from .whole import check_readable, whole_file

VERSION = 3  # of the files; others are refused


def save(
    path: str | os.PathLike[str], kind: str, arrays: dict[str, Any], about: dict[str, Any]
) -> None:
    """Write arrays and JSON-able facts to an .npz file by way of a temporary file, fsync and a
    rename; no NumPy array is copied.
    """
    arrays = {key: on_host(array) for key, array in arrays.items()}
    target = Path(path)
    text = json.dumps({"format": f"langevin_sa {VERSION}", "kind": kind, **about})
    parts = {"about": np.array(text), "sha256": np.array(_checksum(text, arrays)), **arrays}
    with whole_file(target) as file:
        try:
            np.savez(file, **parts)
        except ValueError as error:
            if isinstance(error.__context__, KeyboardInterrupt):  # behind which zipfile hides it
                raise error.__context__ from None
            raise


def _check_sizes(file: BinaryIO) -> None:
    """Raise a ValueError for parts that are packed: ours are not, and a small file may unpack to
    more than there is memory.
    """
    if not zipfile.is_zipfile(file):
        file.seek(0)
        return  # said better by who reads it
    room = file.seek(0, os.SEEK_END)
    with zipfile.ZipFile(file) as parts:
        if sum(part.file_size for part in parts.infolist()) > room:
            raise ValueError("its parts are larger than the file")
    file.seek(0)


def _checksum(text: str, arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 of the facts and of every array's name, type, shape and bytes."""
    total = hashlib.sha256(text.encode())
    for name, array in sorted(arrays.items()):
        total.update(f"{name} {array.dtype.str} {array.shape}".encode())
        total.update(octets(array))
    return total.hexdigest()


def octets(array: np.ndarray) -> memoryview:
    """The bytes of an array, in C order; not a copy if they are in that order."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def load(path: str | os.PathLike[str], *kinds: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays and facts of a file written by `save`, of one of these kinds if any are named.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged, is not ours, is of another version or holds another kind.
    """
    check_readable(path)
    try:
        with open(os.fspath(path), "rb") as opened:
            _check_sizes(opened)
            with np.load(opened, allow_pickle=False) as file:
                arrays = {key: file[key] for key in file.files}
        text, checksum = str(arrays.pop("about")), str(arrays.pop("sha256", ""))
        about = json.loads(text)
        made, found = about.pop("format").split(), about.pop("kind")
        version = int(made[1]) if made[0] == "langevin_sa" else 0
        sound = version != VERSION or checksum == _checksum(text, arrays)
    except FileNotFoundError:
        raise
    except (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        EOFError,
        MemoryError,
        RuntimeError,
        OverflowError,
        tokenize.TokenError,  # of a damaged head of an array
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        reason = "it holds pickled objects" if "pickle" in str(error) else short(str(error))
        raise ValueError(f"{os.fspath(path)} is not a whole langevin_sa file ({reason})") from None
    if version != VERSION:
        age = (
            "a newer langevin_sa: update this one"
            if version > VERSION
            else "an older langevin_sa, which can still read it"
        )
        raise ValueError(
            f"{os.fspath(path)} has format {version}, and this version reads format {VERSION}; it "
            f"was written by {age}"
        )
    if not sound:
        raise ValueError(
            f"{os.fspath(path)} is not a whole langevin_sa file (its checksum is wrong)"
        )
    if kinds and found not in kinds:
        raise ValueError(f"{os.fspath(path)} holds a {found}, not a {kinds[0]}")
    return arrays, about


def prefixed(prefix: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Arrays under longer names."""
    return {prefix + name: array for name, array in arrays.items()}


def unprefixed(prefix: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays whose names begin with the prefix, under the rest of their names."""
    return {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}
