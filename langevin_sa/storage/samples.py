"""Positions at each record: in memory, or appended to a .npy file that stays readable whatever
happens to the run.
"""

from __future__ import annotations

import io
import os
import tokenize
from pathlib import Path
from typing import Any

import numpy as np

from .npz import octets
from .whole import check_readable


class Trajectory:
    """Records of positions (replicas, dim), kept in a list or, with a path, in a file of shape
    (records, replicas, dim).

    NumPy pads the head of a .npy file so that its first length can grow in place. A record is
    appended first and counted after, so that a process killed in between leaves the records before
    it. ``np.load(path, mmap_mode="r")`` reads it, also while it grows.

    Parameters
    ----------
    path : path or None
        A file that is not there yet or holds no record, unless the run goes on from a checkpoint.
    shape, dtype
        Of one record.
    going_on : int, optional
        How many records the checkpoint knows of; what a file has beyond them is taken off and made
        again.
    earlier : ndarray, optional
        Those records, if they are kept in memory.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None,
        shape: tuple[int, ...],
        dtype: Any,
        going_on: int | None = None,
        earlier: Any = None,
    ) -> None:
        self.shape, self.dtype, self.count = shape, np.dtype(dtype), going_on or 0
        self.kept: list[np.ndarray] = [] if path is not None or earlier is None else list(earlier)
        self.path = None if path is None else Path(path)
        self.file: Any = None
        if self.path is None:
            return
        if not self.path.absolute().parent.is_dir():
            raise ValueError(
                f"samples {os.fspath(self.path)!r} must be a file in a folder that exists"
            )
        check_readable(self.path)
        if going_on:
            self._check(going_on)
            self.file = open(self.path, "r+b", buffering=0)  # noqa: SIM115
            # before what is not counted goes: at no moment has the file less than it says
            self._count(going_on)
            record = int(np.prod(shape)) * self.dtype.itemsize
            self.file.truncate(len(self._head()) + going_on * record)
            self.file.seek(0, os.SEEK_END)
        else:
            if going_on is None and self._holds_something():
                raise ValueError(
                    f"samples {os.fspath(self.path)!r} is there already: give another name, or "
                    "remove it; a run goes on with its file only if it has a checkpoint"
                )
            self.file = open(self.path, "wb", buffering=0)  # noqa: SIM115
            self._count(0)

    def _head(self) -> bytes:
        text = io.BytesIO()
        shape = (self.count, *self.shape)
        np.lib.format.write_array_header_1_0(
            text, {"descr": self.dtype.str, "fortran_order": False, "shape": shape}
        )
        return text.getvalue()

    def _holds_something(self) -> bool:
        """Whether the file is more than a run leaves that was killed before its first record."""
        assert self.path is not None
        try:
            if not self.path.exists() or self.path.stat().st_size == 0:
                return False
            return len(np.load(self.path, mmap_mode="r")) > 0
        except (OSError, ValueError, TypeError, tokenize.TokenError):
            return True

    def _check(self, count: int) -> None:
        """Make sure that the file holds `count` records of this shape."""
        assert self.path is not None
        try:
            there = np.load(self.path, mmap_mode="r")
            same = there.shape[1:] == self.shape and there.dtype == self.dtype
            held = same and len(there) >= count
        except (OSError, ValueError, TypeError, EOFError, tokenize.TokenError) as error:
            raise ValueError(
                f"samples {os.fspath(self.path)!r} cannot be gone on with: {error}"
            ) from None
        if not held:
            raise ValueError(
                f"samples {os.fspath(self.path)!r} holds shape {there.shape} of {there.dtype}, "
                f"and the checkpoint expects at least {(count, *self.shape)} of {self.dtype}"
            )

    def append(self, x: np.ndarray) -> None:
        """Keep a copy of x."""
        if self.file is None:
            self.kept.append(x.copy())
            return
        rest = octets(x)
        while rest:
            rest = rest[self.file.write(rest) :]
        self._count(self.count + 1)

    def _count(self, count: int) -> None:
        """Say in the head how many records there are."""
        self.count = count
        self.file.seek(0)
        self.file.write(self._head())
        self.file.seek(0, os.SEEK_END)

    def sync(self) -> None:
        """Bring a file to the disk, before a checkpoint counts on it."""
        if self.file is not None:
            os.fsync(self.file.fileno())

    def close(self) -> None:
        """Close a file; more records cannot come."""
        if self.file is not None:
            self.file.close()

    def array(self) -> np.ndarray:
        """All records, (records, replicas, dim); a memory map of a file."""
        if self.path is not None:
            return np.load(self.path, mmap_mode="r")
        return np.array(self.kept, dtype=self.dtype).reshape(-1, *self.shape)
