"""Samples in an HDF5 file (extra ``hdf5``), which ``h5py.File(path, swmr=True)`` reads, also while
it grows.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .whole import part_of

try:
    import h5py
except ImportError as error:
    raise ImportError(
        "samples in .h5 need h5py, which the extra hdf5 brings: pip install 'langevin_sa[hdf5]'"
    ) from error

DIMENSIONS = ("record", "replica", "coordinate")
VERSION = ("v110", "v110")  # the first that lets others read while one writes
CHUNK, ZEROS = 1 << 16, 1 << 24  # bytes


class Hdf5:
    """A file with a dataset (records, replicas, dim) for each name.

    It is written as HDF5's single writer of multiple readers, which leaves it in order whenever
    the process is killed; it then still bears the writer's mark, wherefore a run goes on in a copy
    that takes its place. The parameters are those of `langevin_sa.storage.samples.Stream`.
    """

    def __init__(
        self, path: Path, names: Sequence[str], shape: tuple[int, ...], dtype: Any, count: int
    ) -> None:
        self.path = path
        record = int(np.prod(shape)) * dtype.itemsize
        self.together = max(1, CHUNK // record)
        self.chunk = len(names) * self.together * record + CHUNK  # with what HDF5 notes of it
        with part_of(path) as part:
            with h5py.File(part, "w", libver=VERSION) as new:
                for name in names:
                    room = {"chunks": (self.together, *shape), "maxshape": (None, *shape)}
                    dataset = new.create_dataset(name, (0, *shape), dtype, fillvalue=np.nan, **room)
                    for axis, dimension in enumerate(DIMENSIONS):
                        dataset.dims[axis].label = dimension
            extend(part, (1 + count // self.together) * self.chunk)
            if count:
                with h5py.File(part, "r+", libver=VERSION) as new:
                    self._copy(self.read(path), [new[name] for name in names], count)
        self.file = h5py.File(path, "r+", libver=VERSION)
        self.file.swmr_mode = True
        self.arrays = [self.file[name] for name in names]

    def _copy(self, old: Sequence[Any], new: Sequence[Any], count: int) -> None:
        for source, target in zip(old, new, strict=True):
            target.resize(count, axis=0)
            for k in range(0, count, self.together):
                end = min(k + self.together, count)
                target[k:end] = source[k:end]
        old[0].file.close()

    def append(self, arrays: Sequence[np.ndarray]) -> None:
        """Write one more record."""
        if len(self.arrays[0]) % self.together == 0:
            extend(self.path, self.chunk)
        for dataset, array in zip(self.arrays, arrays, strict=True):
            dataset.resize(len(dataset) + 1, axis=0)
            dataset[-1] = array
        self.file.flush()

    def cut(self, count: int) -> None:
        """Leave the first `count` records."""
        for dataset in self.arrays:
            dataset.resize(count, axis=0)
        self.file.flush()

    def sync(self) -> None:
        """Bring it to the disk."""
        with open(self.path, "rb") as file:
            os.fsync(file.fileno())

    def close(self) -> None:
        """End writing."""
        self.file.close()

    @staticmethod
    def read(path: Path) -> tuple[Any, ...]:
        """Datasets of the positions (records, replicas, dim) and of the velocities, if they were
        kept.
        """
        file = h5py.File(path, "r", libver=VERSION, swmr=True)
        if set(file) not in ({"samples"}, {"samples", "velocities"}):
            file.close()
            raise ValueError("it has other things than samples and velocities")
        return tuple(file[name] for name in file)


def extend(path: Path, room: int) -> None:
    """Make the file longer before HDF5 needs it: a disk that is full while HDF5 writes may take the
    process with it. What is not used goes when the file is closed.
    """
    with open(path, "ab", buffering=0) as file:
        while room > 0:
            room -= file.write(bytes(min(room, ZEROS)))
