"""Texts that take the place of a file only when they are written whole."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path


def write_whole(path: str | os.PathLike[str], text: str) -> None:
    """Write a text in UTF-8 by way of a new file beside it; what is there stays if that fails."""
    data = text.encode("utf-8")
    target = Path(path).resolve()
    if target.exists() and not target.is_file():  # a pipe or a terminal
        target.write_bytes(data)
        return
    part = target.with_name(f"{target.name}.{secrets.token_hex(8)}.part")
    try:
        with open(part, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


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
