"""The way from a result to its picture: matplotlib is loaded when something is drawn."""

from __future__ import annotations

import sys
from typing import Any


def draw(picture: str, *args: Any, **keywords: Any) -> Any:
    """Call the function called `picture` of the public name `plots`."""
    return getattr(sys.modules[__package__].plots, picture)(*args, **keywords)
