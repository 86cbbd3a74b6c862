"""Launches recorded as a CUDA graph, which the host plays at the cost of about one of them.

A graph has its arguments from when it was recorded: what changes from one time to the next is read
from device memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .device import cupy

AT_ONCE = 16  # launches of a graph: by then the GPU takes longer for them than the host


class Graphs:
    """The graphs of a backend, by the arguments they were recorded with.

    Two are kept: of positions in one buffer and in the other.

    Parameters
    ----------
    onward : callable
        ``onward(n)`` launches what comes last in a graph: it writes down that n launches are done.
    """

    def __init__(self, onward: Callable[[int], None]) -> None:
        self.onward, self.held = onward, dict[tuple[Any, ...], Any]()

    def play(self, arguments: tuple[Any, ...], go: Callable[[int], None], times: int) -> None:
        """Launch ``go(0)`` to ``go(AT_ONCE - 1)`` so many times; `arguments` are all the others
        that it launches with, arrays and numbers.
        """
        if not times:
            return
        key = tuple(a.item() if isinstance(a, np.generic) else a.data.ptr for a in arguments)
        if key not in self.held:
            if len(self.held) > 1:
                self.held.clear()
            self.held[key] = self._recorded(go)
        for _ in range(times):
            self.held[key].launch()

    def _recorded(self, go: Callable[[int], None]) -> Any:
        self.onward(0)  # a kernel is loaded when it is first launched, not while it is recorded
        # not on the default stream, which cannot record, nor on one that waits for it
        stream = cupy.cuda.Stream(non_blocking=True)
        with stream:
            stream.begin_capture()
            try:
                for number in range(AT_ONCE):
                    go(number)
                self.onward(AT_ONCE)
            finally:
                graph = stream.end_capture()
        return graph
