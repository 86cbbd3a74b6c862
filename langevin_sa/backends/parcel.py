"""What is sent to worker processes: packed once, and unpacked once by each of them.

So what is compiled when it is first called is compiled once a process. Functions that stand in no
module, as those of a notebook, are packed by value.
"""

from __future__ import annotations

import pickle
from functools import lru_cache
from typing import Any

KEPT = 8  # parcels that a process keeps unpacked


class Parcel:
    """A value on its way to other processes.

    Raises
    ------
    TypeError
        If it holds something that cannot be sent, such as an open file.
    """

    def __init__(self, value: Any) -> None:
        import cloudpickle  # here: runs without workers do without

        try:
            self.data = cloudpickle.dumps(value)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise TypeError(
                f"what workers= are sent must pickle ({error}): leave open files, locks and "
                "addresses out of the functions, or let each function make its own"
            ) from None


def opened(value: Any) -> Any:
    """What a parcel holds; anything else is itself."""
    return _unpacked(value.data) if isinstance(value, Parcel) else value


@lru_cache(maxsize=KEPT)
def _unpacked(data: bytes) -> Any:
    return pickle.loads(data)
