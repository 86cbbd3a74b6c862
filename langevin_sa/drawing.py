"""The way from a result to its picture: matplotlib is loaded when something is drawn, and no other
file names `plots`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


def draw(picture: str, *args: Any, **keywords: Any) -> Any:
    """Call the function of `langevin_sa.plots` called `picture`."""
    return getattr(import_module(".plots", __package__), picture)(*args, **keywords)
