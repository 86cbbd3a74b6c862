"""The folder of the user's cache, where printed sources and compiled steps are kept."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path


@cache
def cache_folder() -> Path:
    """``$LANGEVIN_SA_CACHE``, else ``langevin_sa`` in the user's cache folder; a temporary one if
    it cannot be written.
    """
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "langevin_sa"
    folder = Path(os.environ.get("LANGEVIN_SA_CACHE") or default)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise OSError
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="langevin_sa_"))
    return folder


def write_whole(path: Path, text: str) -> None:
    """Write a file so that another process sees all of it or none; a full disk only costs the
    caching.
    """
    try:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
            file.write(text)
        os.replace(file.name, path)
    except OSError:
        pass
