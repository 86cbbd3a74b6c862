"""Layer 4: devices, streams and graphs of the stand-in for CuPy, and what it counts."""

import threading
import weakref
from collections import Counter

counts = Counter()  # by the host: launches, graphs played, launches recorded, copies
launched = Counter()  # kernels on each device


class CUDARuntimeError(RuntimeError):
    """What CuPy raises of what the CUDA runtime says."""


class Device:
    """A GPU by its number; each thread has a current one."""

    attributes = {"MultiProcessorCount": 2}  # noqa: RUF012
    compute_capability = "90"
    count = 1
    _here = threading.local()
    places = {}  # noqa: RUF012  # numbers of the devices of other libraries' arrays, by address

    def __init__(self, id=None):
        self.id = Device.current() if id is None else id
        if not 0 <= self.id < Device.count:
            raise CUDARuntimeError("cudaErrorInvalidDevice: invalid device ordinal")

    @classmethod
    def current(cls):
        """The number of this thread's."""
        return getattr(cls._here, "id", 0)

    def use(self):
        Device._here.id = self.id
        return self

    def __enter__(self):
        vars(Device._here).setdefault("before", []).append(Device.current())
        return self.use()

    def __exit__(self, *_):
        Device._here.id = Device._here.before.pop()


class Stream:
    """A stream that may record launches; all others are one after the other."""

    _here = threading.local()

    def __init__(self, null=False, non_blocking=False):
        self.device, self.non_blocking, self.recorded = Device.current(), non_blocking, None

    @classmethod
    def recording(cls):
        """What this thread's stream records, or None."""
        return getattr(getattr(cls._here, "stream", None), "recorded", None)

    @classmethod
    def refuse(cls, what):
        if cls.recording() is not None:
            raise CUDARuntimeError(f"cudaErrorStreamCaptureUnsupported: {what} while recording")

    def __enter__(self):
        assert self.device == Device.current() and self.non_blocking
        Stream._here.stream = self
        return self

    def __exit__(self, *_):
        Stream._here.stream = None
        assert self.recorded is None, "a stream that goes on recording"

    def begin_capture(self):
        self.recorded = []

    def end_capture(self):
        graph, self.recorded = Graph(self.recorded), None
        return graph


class Graph:
    """Launches with the arguments they were recorded with, whose arrays it does not keep."""

    def __init__(self, launches):
        self.device, self.launches = Device.current(), launches
        counts["recorded"] += len(launches)

    def launch(self, stream=None):
        assert self.device == Device.current()
        counts["graphs"] += 1
        for run, args in self.launches:
            there = [arg() if isinstance(arg, weakref.ref) else arg for arg in args]
            assert all(arg is not None for arg in there), "an array of a graph is gone"
            run(there)
