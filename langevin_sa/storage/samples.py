"""Positions at each record: in memory, or appended to a .npy file that stays readable whatever
happens to the run.
"""

from __future__ import annotations

import errno
import io
import os
import tokenize
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .npz import octets
from .owner import FLAGS, Owner
from .whole import check_readable


class Trajectory:
    """Records of positions (replicas, dim), kept in a list or, with a path, in a file of shape
    (records, replicas, dim).

    NumPy pads the head of a .npy file so that its first length can grow in place. A record is
    appended first and counted after, so that a process killed in between leaves the records before
    it. ``np.load(path, mmap_mode="r")`` reads it, also while it grows. The file is this run's alone
    until it is closed.

    Parameters
    ----------
    path : path or None
        A file that is not there yet or holds no record, unless the run goes on from a checkpoint.
        No link to one: whoever may plant one could have another file overwritten.
    shape, dtype
        Of one record.
    going_on : int, optional
        How many records the checkpoint knows of; what a file has beyond them is taken off and made
        again.
    earlier : ndarray, optional
        Those records, if they are kept in memory.
    written : ndarray, optional
        The checksums of those records, if they were written to a file.
    run : str
        A short name of the run, the same whenever the same call is made.

    Attributes
    ----------
    sums : list of int
        A checksum (CRC-32) of each record in a file.

    Raises
    ------
    ValueError
        If the file is there and is not what this run wrote, if it is a link, or if another run
        that is under way holds it.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None,
        shape: tuple[int, ...],
        dtype: Any,
        going_on: int | None = None,
        earlier: Any = None,
        written: Any = None,
        run: str = "",
    ) -> None:
        self.owner: Owner | None = None
        self.shape, self.dtype, self.count = shape, np.dtype(dtype), going_on or 0
        self.path = None if path is None else Path(path).absolute()
        self.file: Any = None
        self.kept: list[np.ndarray] = []
        self.sums: list[int] = [] if written is None else np.ravel(written).tolist()
        if self.path is None:
            self.kept.extend(() if earlier is None else earlier)
            self._check_records(self.kept, written is not None)
            return
        if not self.path.absolute().parent.is_dir():
            raise ValueError(
                f"samples {os.fspath(self.path)!r} must be a file in a folder that exists"
            )
        check_readable(self.path)
        try:
            self.owner = Owner(self.path, "samples")
            if going_on:
                self._check(going_on)
            elif self._holds_something() and (going_on is None or self.owner.left_by != run):
                raise ValueError(
                    f"samples {os.fspath(self.path)!r} is there already: give another name, or "
                    "remove it; a run goes on with its file only if it has a checkpoint that "
                    "knows of its records"
                )
            self.file = self._opened()
            # before what is not counted goes: at no moment has the file less than it says
            self._count(self.count)
            record = int(np.prod(shape)) * self.dtype.itemsize
            self.file.truncate(len(self._head()) + self.count * record)
            self.file.seek(0, os.SEEK_END)
            self.owner.sign(run)
        except BaseException:
            self.close(known=self.owner is None or self.owner.left_by is None)
            raise

    def _opened(self) -> Any:
        assert self.path is not None
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | FLAGS, 0o666)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise ValueError(
                    f"samples {os.fspath(self.path)!r} is a link, which is not followed: name "
                    "the file itself"
                ) from None
            raise
        return open(file, "r+b", buffering=0)

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
        """Make sure that the file holds `count` records of this shape, those that were written."""
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
        self._check_records(there[:count])

    def _check_records(self, records: Sequence[np.ndarray], streamed: bool = True) -> None:
        """Make sure that these are the records that the checkpoint knows of."""
        sums = self.sums if streamed else [None] * self.count
        if len(records) != self.count or len(sums) != self.count:
            raise ValueError(
                f"the checkpoint knows of {self.count} records, and {len(records)} of them are "
                "there: give samples the file that they were written to"
            )
        for k, (record, known) in enumerate(zip(records, sums, strict=True)):
            if known is not None and zlib.crc32(octets(record)) != known:
                where = "samples" if self.path is None else f"samples {os.fspath(self.path)!r}"
                raise ValueError(
                    f"the file of {where} is damaged, or another run's: its record {k} is not "
                    "what this run wrote; give other names for samples and checkpoint, or "
                    "remove both files"
                )

    def append(self, x: np.ndarray) -> None:
        """Keep a copy of x."""
        if self.file is None:
            self.kept.append(x.copy())
            return
        rest = octets(x)
        total = zlib.crc32(rest)
        while rest:
            rest = rest[self.file.write(rest) :]
        self.sums.append(total)
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

    def close(self, known: bool = True) -> None:
        """Close a file; more records cannot come. Unless they are `known` to a checkpoint, the lock
        file stays, and tells the next run whose they are.
        """
        if self.file is not None:
            self.file.close()
        if self.owner is not None:
            self.owner.release(known)

    def array(self) -> np.ndarray:
        """All records, (records, replicas, dim); a memory map of a file."""
        if self.path is not None:
            return np.load(self.path, mmap_mode="r")
        return np.array(self.kept, dtype=self.dtype).reshape(-1, *self.shape)
