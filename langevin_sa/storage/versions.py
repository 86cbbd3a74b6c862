"""Versions of what runs, also where the package runs from its sources and nothing is installed."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version


def version_of(package: str) -> str:
    """What an imported package says of itself, else what its installation says; "unknown" where
    there is neither.
    """
    own = getattr(sys.modules.get(package), "__version__", None)
    if own is not None:
        return str(own)
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
