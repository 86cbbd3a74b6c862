"""A limit to the time that sympy may take: what is short to write may be long to differentiate, and
no measure of a formula tells beforehand.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class TooLong(BaseException):
    """Raised in the middle of the work, which no `except Exception` of sympy's may swallow."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise `TooLong` once what is within has taken this much processor time of the process.

    Python code only is broken off, between two of its instructions, in any thread.
    """
    worker, lock = ctypes.c_ulong(threading.get_ident()), threading.Lock()
    began, over = time.process_time(), threading.Event()
    raise_there, raised = ctypes.pythonapi.PyThreadState_SetAsyncExc, False

    def watch() -> None:
        nonlocal raised
        left = seconds
        while left > 0:
            if over.wait(left):
                return
            left = seconds - (time.process_time() - began)
        with lock:
            if not over.is_set():
                raised = True
                raise_there(worker, ctypes.py_object(TooLong))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        # One that is raised but has not arrived is taken back. With none on its way the interpreter
        # would look for it for ever, which slows it, and hangs it where a debugger is at work.
        with lock:
            if raised and not isinstance(sys.exc_info()[1], TooLong):
                raise_there(worker, None)
