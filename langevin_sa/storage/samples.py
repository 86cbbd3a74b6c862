"""Positions at each record: in memory, or appended to a file that stays readable whatever happens
to the run.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .npz import octets
from .owner import Owner
from .whole import check_readable

SUFFIXES = ".npy, .h5, .hdf5 or .zarr"


class Stream(Protocol):
    """A file that records are appended to, in one of the formats.

    Parameters
    ----------
    path : Path
        The file; it holds at least `count` such records, or nothing, or is not there.
    names : sequence of str
        "samples", and "velocities" where these are kept.
    shape, dtype
        Of a record of each, (replicas, dim).
    count : int
        How many records stay.
    """

    def __init__(
        self, path: Path, names: Sequence[str], shape: tuple[int, ...], dtype: Any, count: int
    ) -> None: ...

    def append(self, arrays: Sequence[np.ndarray]) -> None:
        """Write one more record."""

    def cut(self, count: int) -> None:
        """Leave the first `count` records."""

    def sync(self) -> None:
        """Bring it to the disk."""

    def close(self) -> None:
        """End writing."""

    @staticmethod
    def read(path: Path) -> tuple[Any, ...]:
        """What is in the file under each name: it has a shape, a dtype and slices. An OSError or a
        ValueError if it is no file of samples.
        """


def format_of(path: Path) -> type[Stream]:
    """The format that a suffix names, .npy if there is none.

    Raises
    ------
    ValueError
        For another suffix.
    ImportError
        If its package is not installed; the message names the extra.
    """
    suffix = path.suffix.lower()
    if suffix in ("", ".npy"):
        from .npy import Npy

        return Npy
    if suffix in (".h5", ".hdf5"):
        from .hdf5 import Hdf5

        return Hdf5
    if suffix == ".zarr":
        from .zarr import Zarr

        return Zarr
    raise ValueError(f"samples {os.fspath(path)!r} must end in {SUFFIXES}, not in {suffix!r}")


def read_samples(path: str | os.PathLike[str]) -> tuple[Any, ...]:
    """The positions (records, replicas, dim) in a file, and the velocities if they were kept, as
    what its format's package reads piece by piece: a memory map, `h5py.Dataset`, `zarr.Array`.

    Raises
    ------
    OSError, ValueError
        If it is no file of samples.
    """
    check_readable(path)
    return format_of(Path(path)).read(Path(path))


class Trajectory:
    """Records of positions (replicas, dim), and of velocities, kept in a list or, with a path, in a
    file, which is this run's alone until it is closed.

    Parameters
    ----------
    path : path or None
        A file that is not there yet or holds no record, unless the run goes on from a checkpoint.
        No link to one: whoever may plant one could have another file overwritten.
    names, shape, dtype
        As of `Stream`.
    going_on : int, optional
        How many records the checkpoint knows of; what a file has beyond them is taken off and made
        again.
    earlier : sequence of ndarray, optional
        Those records of each name, if they are kept in memory.
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
        If the file is there and is not what this run wrote, if it is a link, if its suffix names
        no format, or if another run that is under way holds it.
    ImportError
        If the format's package is not installed.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None,
        names: Sequence[str],
        shape: tuple[int, ...],
        dtype: Any,
        going_on: int | None = None,
        earlier: Sequence[Any] = (),
        written: Any = None,
        run: str = "",
    ) -> None:
        self.owner: Owner | None = None
        self.stream: Stream | None = None
        self.names, self.shape, self.dtype = names, shape, np.dtype(dtype)
        self.count = going_on or 0
        self.path = None if path is None else Path(path).absolute()
        self.kept: list[tuple[np.ndarray, ...]] = []
        self.sums: list[int] = [] if written is None else np.ravel(written).tolist()
        if self.path is None:
            self.kept.extend(zip(*earlier, strict=True))
            self._check_records(len(self.kept), self.kept, written is not None)
            return
        if not self.path.parent.is_dir():
            raise ValueError(
                f"samples {os.fspath(self.path)!r} must be a file in a folder that exists"
            )
        opened = format_of(self.path)
        check_readable(self.path)
        try:
            self.owner = Owner(self.path, "samples")
            if self.path.is_symlink():
                raise ValueError(
                    f"samples {os.fspath(self.path)!r} is a link, which is not followed: name "
                    "the file itself"
                )
            if going_on:
                self._check(going_on)
            elif self._holds_something() and (going_on is None or self.owner.left_by != run):
                raise ValueError(
                    f"samples {os.fspath(self.path)!r} is there already: give another name, or "
                    "remove it; a run goes on with its file only if it has a checkpoint that "
                    "knows of its records"
                )
            self.stream = opened(self.path, names, shape, self.dtype, self.count)
            self.owner.sign(run)
        except BaseException:
            self.close(known=self.owner is None or self.owner.left_by is None)
            raise

    def _holds_something(self) -> bool:
        """Whether the file is more than a run leaves that was killed before its first record."""
        assert self.path is not None
        try:
            if not self.path.exists() or (self.path.is_file() and not self.path.stat().st_size):
                return False
            return bool(read_samples(self.path)[0].shape[0])
        except (OSError, ValueError):
            return True

    def _check(self, count: int) -> None:
        """Make sure that the file holds `count` records of this shape, those that were written."""
        assert self.path is not None
        try:
            there = read_samples(self.path)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"samples {os.fspath(self.path)!r} cannot be gone on with: {error}"
            ) from None
        if len(there) != len(self.names):
            kept = " and ".join(("samples", "velocities")[: len(there)])
            raise ValueError(
                f"samples {os.fspath(self.path)!r} holds {kept}, and the checkpoint expects "
                f"{' and '.join(self.names)}"
            )
        same = [array.shape[1:] == self.shape and array.dtype == self.dtype for array in there]
        if not (all(same) and there[0].shape[0] >= count):
            raise ValueError(
                f"samples {os.fspath(self.path)!r} holds shape {there[0].shape} of "
                f"{there[0].dtype}, and the checkpoint expects at least {(count, *self.shape)} of "
                f"{self.dtype}"
            )
        self._check_records(count, (tuple(array[k] for array in there) for k in range(count)))

    def _check_records(
        self, count: int, records: Iterable[tuple[np.ndarray, ...]], streamed: bool = True
    ) -> None:
        """Make sure that these are the records that the checkpoint knows of."""
        sums = self.sums if streamed else [None] * self.count
        if count != self.count or len(sums) != self.count:
            raise ValueError(
                f"the checkpoint knows of {self.count} records, and {count} of them are "
                "there: give samples the file that they were written to"
            )
        for k, (record, known) in enumerate(zip(records, sums, strict=True)):
            if known is not None and _sum_of(record) != known:
                where = "samples" if self.path is None else f"samples {os.fspath(self.path)!r}"
                raise ValueError(
                    f"the file of {where} is damaged, or another run's: its record {k} is not "
                    "what this run wrote; give other names for samples and checkpoint, or "
                    "remove both files"
                )

    def append(self, *arrays: np.ndarray) -> None:
        """Keep a copy of the positions, and of the velocities if these are kept."""
        if self.stream is None:
            self.kept.append(tuple(array.copy() for array in arrays))
            return
        self.stream.append(arrays)
        self.sums.append(_sum_of(arrays))

    def sync(self) -> None:
        """Bring a file to the disk, before a checkpoint counts on it."""
        if self.stream is not None:
            self.stream.sync()

    def close(self, known: bool = True) -> None:
        """Close a file; more records cannot come. Unless they are `known` to a checkpoint, the lock
        file stays, and tells the next run whose they are.
        """
        if self.stream is not None:
            self.stream.close()
        if self.owner is not None:
            self.owner.release(known)

    def arrays(self, count: int) -> dict[str, Any]:
        """The first `count` records (count, replicas, dim) under each name; those of a file end
        with them, and more cannot come.
        """
        arrays: Iterable[Any]
        if self.stream is None:
            kept = zip(*self.kept[:count], strict=True) if count else ((),) * len(self.names)
            arrays = (np.array(a, dtype=self.dtype).reshape(-1, *self.shape) for a in kept)
        else:
            assert self.path is not None
            with suppress(OSError, RuntimeError):  # of a full disk
                self.stream.cut(count)
            self.stream.close()
            arrays = (first(count, array) for array in read_samples(self.path))
        return dict(zip(self.names, arrays, strict=True))


def first(count: int, array: Any) -> Any:
    """The first records, of an array that is not read if it has no more."""
    return array if array.shape[0] == count else array[:count]


def _sum_of(arrays: Sequence[np.ndarray]) -> int:
    total = 0
    for array in arrays:
        total = zlib.crc32(octets(array), total)
    return total
