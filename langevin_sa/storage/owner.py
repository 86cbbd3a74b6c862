"""Who writes to a file: one run at a time.

A run holds a lock on a small file beside its own, named with ``.lock`` at the end, for as long as
it lives. The system takes the lock from a process that ends, however it ends; the small file then
stays, and says to the next run whose the file was.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import stat
import sys
import time
import weakref
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Any

from ..arguments import printable, short, warn

LONGEST = 1000  # bytes of a lock file that are read
NOT_FOLLOWED = getattr(os, "O_NOFOLLOW", 0)  # links are not, where the system can say so
FLAGS = NOT_FOLLOWED | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        os.lseek(file, 2**30, os.SEEK_SET)  # beyond the text, which stays readable
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        os.lseek(file, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Owner:
    """The hold of a run on a file, until `release`, or until the process ends.

    Parameters
    ----------
    path : path
        The file, which need not be there.
    what : str
        What it is called in messages.

    Attributes
    ----------
    left_by : str or None
        What the run signed with that held the file and ended without releasing it; None if none
        did.

    Raises
    ------
    ValueError
        If another run holds the file, in this process or in another, or if its lock file is a link
        or no plain file.

    Notes
    -----
    Where no lock can be had (some network file systems), this is said, and the run goes on.
    """

    def __init__(self, path: str | os.PathLike[str], what: str) -> None:
        self.left_by: str | None = None
        self._file: FileIO | None = None
        target = Path(path).absolute()
        self._beside, self._process = target.with_name(target.name + ".lock"), os.getpid()
        try:
            self._file = _held(self._beside)
            # of an object that nobody releases, as an iterator that was thrown away
            weakref.finalize(self, _free, self._file, self._beside, self._process)
            self.left_by = _read(self._file).get("run")
            self.sign(self.left_by)
        except BlockingIOError as error:
            raise ValueError(
                f"{what} {os.fspath(path)!r} is in use by {error.strerror}: wait until that run "
                "has ended, or give another name"
            ) from None
        except OSError as error:
            if os.access(target.absolute().parent, os.W_OK):  # else nothing can be written there
                warn(
                    f"{what} {os.fspath(path)!r} cannot be locked ({error.strerror or error}): "
                    "make sure that no other run uses it"
                )
        except BaseException:  # Ctrl-C, which may come anywhere
            self.release()
            raise

    def sign(self, run: str | None) -> None:
        """Say in the lock file who holds it, and which run's the file is from now on: a short
        name, the same whenever the same call is made.
        """
        if self._file is None or self._file.closed:
            return
        about = {
            "process": os.getpid(),
            "host": socket.gethostname(),
            "since": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
            "run": run,
        }
        with suppress(OSError):  # a full disk: the lock is held without a word
            self._file.truncate(0)
            self._file.seek(0)
            self._file.write(json.dumps(about).encode())

    @property
    def alone(self) -> bool:
        """Whether no other run can use the file now."""
        return self._file is not None and not self._file.closed

    def release(self, remove: bool = True) -> None:
        """Let others have the file; unless told to `remove` the small one, it stays as after a
        kill.
        """
        if self._file is not None:
            _free(self._file, self._beside, self._process if remove else -1)


def _held(beside: Path) -> FileIO:
    """The lock file, open and locked. An OSError if that cannot be: a BlockingIOError that names
    who holds it.
    """
    while True:
        try:
            file = FileIO(beside, "r+", opener=_opened)
        except OSError as error:
            if error.errno == errno.ELOOP or (beside.exists() and not beside.is_file()):
                raise ValueError(f"{beside} must be a plain file: remove it") from None
            raise
        try:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ValueError(f"{beside} must be a plain file: remove it")
            try:
                _lock(file.fileno())
            except (BlockingIOError, PermissionError):
                raise BlockingIOError(errno.EAGAIN, _named(_read(file))) from None
            if _is_at(file, beside):  # who held it may have removed it meanwhile
                return file
        except BaseException:
            file.close()
            raise
        file.close()


def _opened(path: str, _: int) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | FLAGS, 0o644)


def _is_at(file: FileIO, beside: Path) -> bool:
    """Whether the name is still that of the open file."""
    try:
        there = os.stat(beside, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(file.fileno()), there)


def _free(file: FileIO, beside: Path, process: int) -> None:
    """Close the lock file, and remove it if this is the process that has it, and not a fork of it;
    done again, nothing.
    """
    with suppress(OSError):
        if not file.closed and os.getpid() == process and _is_at(file, beside):
            beside.unlink()
    with suppress(OSError):
        file.close()


def _read(file: FileIO) -> dict[str, Any]:
    """What a lock file says, which anybody may have written."""
    try:
        file.seek(0)
        about = json.loads(file.read(LONGEST))
    except (OSError, ValueError, RecursionError):
        return {}
    return about if isinstance(about, dict) else {}


def _named(about: dict[str, Any]) -> str:
    process, host, since = (
        printable(short(str(about.get(name, "?")))) for name in ("process", "host", "since")
    )
    return f"process {process} on {host} since {since}"
