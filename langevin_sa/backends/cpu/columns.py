"""A block of replicas has one column a replica; a walk has one row."""

from __future__ import annotations

from typing import Any

from .keeping import kernel


@kernel(nogil=True)
def to_columns(block: Any, array: Any, r: int, n: int, filled: int) -> None:
    """Rows r to r + n - 1 of a walk's array; what is `filled` beyond them is like the last."""
    if block.shape[1] == 1:
        for d in range(len(block)):
            block[d, 0] = array[r, d]
        return
    for d in range(len(block)):  # not replica by replica, so that few coordinates are vectors too
        for i in range(n):
            block[d, i] = array[r + i, d]
        for i in range(n, filled):
            block[d, i] = array[r + n - 1, d]


@kernel(nogil=True)
def to_rows(array: Any, block: Any, r: int, n: int) -> None:
    """The other way."""
    if block.shape[1] == 1:
        for d in range(len(block)):
            array[r, d] = block[d, 0]
        return
    for d in range(len(block)):
        for i in range(n):
            array[r + i, d] = block[d, i]
