"""The folder of the user's cache, where printed sources and compiled kernels are kept.

What lies there is executed, so the folder must be the user's own and closed to others. Each entry
begins with a digest of itself: one that is damaged, cut short or of another source is none, and is
made again. Without a folder, or with a full disk, nothing is kept, which is said once.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from ..arguments import warn

DIGITS = 64  # of a SHA-256, which an entry begins with


@cache
def cache_folder() -> Path | None:
    """``$LANGEVIN_SA_CACHE``, else ``langevin_sa`` in the user's cache folder; None if neither can
    be used.
    """
    refused: list[str] = []
    for folder in _places():
        why = _unfit(folder)
        if why is None:
            if refused:
                say_once(f"{refused[0]}; {folder} is used instead")
            return folder
        refused.append(f"cache folder {folder}: {why}")
    say_once(f"{refused[0] if refused else 'no home folder'}; nothing compiled is kept")
    return None


def _places() -> Iterator[Path]:
    if given := os.environ.get("LANGEVIN_SA_CACHE"):
        yield Path(given)
    home = os.path.expanduser("~")  # stays as it is where there is none
    if caches := os.environ.get("XDG_CACHE_HOME"):
        yield Path(caches, "langevin_sa")
    elif home != "~":
        yield Path(home, ".cache", "langevin_sa")


def _unfit(folder: Path) -> str | None:
    """Why a folder cannot be used or trusted; None if it can."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = folder.resolve()
        about = folder.stat()
        if os.name == "posix":
            if about.st_uid != os.geteuid():
                return "it belongs to another user"
            if about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                return "others may write to it (remove it, or chmod 700)"
            for above in folder.parents:
                mode = above.stat().st_mode
                if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
                    return f"others may replace it, since {above} is open to all"
        if not os.access(folder, os.W_OK | os.X_OK):
            return "it cannot be written"
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    return None


@cache
def say_once(reason: str) -> None:
    """Warn that something is not kept, once for each reason."""
    warn(f"{reason}: what is compiled will be compiled again by the next process")


def kept(name: str, stamp: str = "", folder: Path | None = None) -> bytes | None:
    """The entry `name` of a folder, by default the user's cache, if it is whole and was kept with
    the same stamp, which says what it was made from; else None.
    """
    folder = folder or cache_folder()
    if folder is None:
        return None
    try:
        data = (folder / name).read_bytes()
    except OSError:
        return None
    digest, data = data[:DIGITS], data[DIGITS:]
    return data if digest == _digest(name, stamp, data) else None


def keep(name: str, data: bytes, stamp: str = "", folder: Path | None = None) -> bool:
    """Keep an entry, so that another process sees all of it or none; whether that was possible."""
    folder = folder or cache_folder()
    if folder is None:
        return False
    part = None
    try:
        with tempfile.NamedTemporaryFile("wb", dir=folder, delete=False) as file:
            part = file.name
            file.write(_digest(name, stamp, data) + data)
        os.chmod(part, 0o644)  # the installation's entries are for all users
        os.replace(part, folder / name)
    except OSError as error:
        if part is not None:
            with suppress(OSError):
                os.unlink(part)
        if folder == cache_folder():
            say_once(f"cache folder {folder}: {error.strerror or error}")
        return False
    return True


def _digest(name: str, stamp: str, data: bytes) -> bytes:
    total = hashlib.sha256(f"{name}\n{stamp}\n".encode())
    total.update(data)
    return total.hexdigest().encode()
