"""Samples in a Zarr store (extra ``zarr``), which ``zarr.open_group(path)`` and
``xarray.open_zarr(path, consolidated=False)`` read, also while it grows.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

try:
    import zarr
except ImportError as error:
    raise ImportError(
        "samples in .zarr need zarr, which the extra zarr brings: pip install 'langevin_sa[zarr]'"
    ) from error

DIMENSIONS = ("record", "replica", "coordinate")
CHUNK = 1 << 16  # bytes


class Zarr:
    """A folder with an array (records, replicas, dim) for each name.

    Zarr writes each of its files whole or not at all. A process killed between growing and writing
    leaves a last record of NaN. The parameters are those of
    `langevin_sa.storage.samples.Stream`.
    """

    def __init__(
        self, path: Path, names: Sequence[str], shape: tuple[int, ...], dtype: Any, count: int
    ) -> None:
        self.path, self.synced = path, 0
        group = zarr.open_group(path, mode="a", zarr_format=3)
        if not count:
            together = max(1, CHUNK // (int(np.prod(shape)) * dtype.itemsize))
            for name in names:
                group.create_array(
                    name,
                    shape=(0, *shape),
                    dtype=dtype,
                    chunks=(together, *shape),
                    compressors=None,
                    fill_value=np.nan,
                    dimension_names=DIMENSIONS,
                    overwrite=True,
                )
        self.arrays: list[Any] = [group[name] for name in names]
        self.cut(count)

    def append(self, arrays: Sequence[np.ndarray]) -> None:
        """Write one more record."""
        for there, array in zip(self.arrays, arrays, strict=True):
            there.append(array[None])

    def cut(self, count: int) -> None:
        """Leave the first `count` records."""
        for there in self.arrays:
            there.resize((count, *there.shape[1:]))

    def sync(self) -> None:
        """Bring it to the disk."""
        newest = self.synced
        for path in self.path.rglob("*"):
            changed = path.stat().st_mtime_ns
            if path.is_file() and changed >= self.synced:
                with open(path, "rb") as file:
                    os.fsync(file.fileno())
                newest = max(newest, changed)
        self.synced = newest

    def close(self) -> None:
        """End writing."""

    @staticmethod
    def read(path: Path) -> tuple[Any, ...]:
        """Arrays of the positions (records, replicas, dim) and of the velocities, if they were
        kept.
        """
        group = zarr.open_group(path, mode="r")
        names = sorted(group.keys())
        if names not in (["samples"], ["samples", "velocities"]):
            raise ValueError("it has other things than samples and velocities")
        return tuple(group[name] for name in names)
