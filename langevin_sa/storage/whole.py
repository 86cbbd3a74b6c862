"""Files that take the place of others only when they are written whole."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def part_of(target: Path) -> Iterator[Path]:
    """The name of a new file, empty yet, which takes the place of `target` when all is written, and
    goes if that fails.

    It is used by nobody else, on any machine, and what bears it already, a link too, is not
    opened. A `target` that is a link is replaced, not followed.
    """
    part = target.with_name(f"{target.name}.{secrets.token_hex(8)}.part")
    open(part, "xb").close()
    try:
        yield part
        with open(part, "rb") as file:
            os.fsync(file.fileno())
        os.replace(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if os.name == "posix":  # so that the new name, too, outlives a power failure
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """A new file beside `target`, which takes its place when all is written; what is there stays
    if that fails.
    """
    with part_of(target) as part, open(part, "wb") as file:
        yield file


def write_whole(path: str | os.PathLike[str], text: str) -> None:
    """Write a text in UTF-8, whole or not at all, to where a link leads."""
    data = text.encode("utf-8")
    target = Path(path).resolve()
    if target.exists() and not target.is_file():  # a pipe or a terminal
        target.write_bytes(data)
        return
    with whole_file(target) as file:
        file.write(data)


def check_readable(path: str | os.PathLike[str]) -> None:
    """Raise a ValueError for what is there and is no plain file: reading a pipe may wait for
    ever.
    """
    try:
        kind = os.stat(os.fspath(path)).st_mode
    except (OSError, ValueError, TypeError):  # whoever opens it says so
        return
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        raise ValueError(f"{os.fspath(path)} is not a plain file")
