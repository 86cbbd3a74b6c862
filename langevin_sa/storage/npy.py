"""Samples in a .npy file, which ``np.load(path, mmap_mode="r")`` reads, also while it grows."""

from __future__ import annotations

import errno
import io
import os
import tokenize
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .npz import octets
from .owner import FLAGS


class Npy:
    """A file of shape (records, replicas, dim), or (records, 2, replicas, dim) with velocities.

    NumPy pads the head of a .npy file so that its first length can grow in place. A record is
    appended first and counted after, so that a process killed in between leaves the records before
    it. The parameters are those of `langevin_sa.storage.samples.Stream`.
    """

    def __init__(
        self, path: Path, names: Sequence[str], shape: tuple[int, ...], dtype: Any, count: int
    ) -> None:
        self.record = shape if len(names) == 1 else (len(names), *shape)
        self.dtype = dtype
        self.file = _opened(path)
        try:
            self.cut(count)
        except BaseException:
            self.close()
            raise

    def append(self, arrays: Sequence[np.ndarray]) -> None:
        """Write one more record."""
        for array in arrays:
            rest = octets(array)
            while rest:
                rest = rest[self.file.write(rest) :]
        self._count(self.count + 1)

    def cut(self, count: int) -> None:
        """Leave the first `count` records."""
        # before what is not counted goes: at no moment has the file less than it says
        self._count(count)
        record = int(np.prod(self.record)) * self.dtype.itemsize
        self.file.truncate(len(self._head()) + count * record)
        self.file.seek(0, os.SEEK_END)

    def sync(self) -> None:
        """Bring it to the disk."""
        os.fsync(self.file.fileno())

    def close(self) -> None:
        """End writing."""
        self.file.close()

    def _head(self) -> bytes:
        text = io.BytesIO()
        shape = (self.count, *self.record)
        np.lib.format.write_array_header_1_0(
            text, {"descr": self.dtype.str, "fortran_order": False, "shape": shape}
        )
        return text.getvalue()

    def _count(self, count: int) -> None:
        """Say in the head how many records there are."""
        self.count = count
        self.file.seek(0)
        self.file.write(self._head())
        self.file.seek(0, os.SEEK_END)

    @staticmethod
    def read(path: Path) -> tuple[Any, ...]:
        """Memory maps of the positions (records, replicas, dim) and of the velocities, if they
        were kept.
        """
        try:
            there = np.load(path, mmap_mode="r")
        except (TypeError, EOFError, tokenize.TokenError) as error:
            raise ValueError(f"not a .npy file: {error}") from None
        return (there[:, 0], there[:, 1]) if there.ndim == 4 else (there,)


def _opened(path: Path) -> Any:
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | FLAGS, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise ValueError(
                f"samples {os.fspath(path)!r} is a link, which is not followed: name the file "
                "itself"
            ) from None
        raise
    return open(file, "r+b", buffering=0)
