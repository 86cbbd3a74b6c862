"""Compiled functions kept on disk between processes, as entries of `langevin_sa.storage.cache`.

numba's own cache runs whatever lies in its folder, stops at a damaged file, does not see changes of
functions that were inlined, and refuses to compile where it cannot write. A `Kept` stands in its
place.
"""

from __future__ import annotations

import hashlib
import inspect
import pickle
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba import njit
from numba.core.ccallback import CFunc
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps
from numba.core.sigutils import normalize_signature

from ...storage import cache as storage

if numba.config.DISABLE_JIT:
    raise RuntimeError(
        "NUMBA_DISABLE_JIT is set, and kernels cannot run without being compiled: unset it, or "
        "take backend='numpy'"
    )
HERE = Path(__file__).parent


class Kept:
    """What numba asks of the cache of one function (`numba.core.caching.Cache`).

    Parameters
    ----------
    name, stamp : str
        Beginning of its entries' names, and what they are made from.
    beside : Path, optional
        A folder of the installation that is looked at, and written to, before the user's.
    """

    def __init__(self, name: str, stamp: str, beside: Path | None = None) -> None:
        self.name, self.stamp, self.folders = name, stamp, [beside, None] if beside else [None]

    def _entry(self, signature: Any, codegen: Any) -> str:
        build = (str(signature), codegen.magic_tuple(), numba.__version__, sys.version_info[:2])
        return f"{self.name}.{hashlib.sha256(repr(build).encode()).hexdigest()[:16]}.kept"

    def load_overload(self, signature: Any, context: Any) -> Any:
        """The compiled function for a signature, None if it is not kept."""
        context.refresh()
        name = self._entry(signature, context.codegen())
        for folder in self.folders:
            data = storage.kept(name, self.stamp, folder)
            if data is not None:
                return CompileResult._rebuild(context, *pickle.loads(data))
        return None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Keep what was compiled for a signature."""
        if compiled.library.has_dynamic_globals or compiled.lifted:
            return
        name, data = self._entry(signature, compiled.codegen), dumps(compiled._reduce())
        for folder in self.folders:
            if storage.keep(name, data, self.stamp, folder):
                return

    @property
    def cache_path(self) -> str:
        """Where `numba` says that it keeps the function."""
        return str(self.folders[0] or storage.cache_folder())

    def enable(self) -> None:
        """As numba has it."""

    disable = flush = enable


@cache
def _text(folder: Path) -> str:
    """A digest of the sources of a folder and of this one, which are inlined into each other."""
    files = sorted({*folder.glob("*.py"), *HERE.glob("*.py")})
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def kernel(**options: Any) -> Callable[[Any], Any]:
    """``njit(error_model="numpy", **options)`` for a function of this package, kept beside its
    file if that can be written, else in the user's cache.
    """

    def compiled(function: Any) -> Any:
        out = njit(error_model="numpy", **options)(function)
        if hasattr(out, "_cache"):  # not so with NUMBA_DISABLE_JIT
            folder = Path(inspect.getfile(function)).parent
            name = f"{function.__module__}.{function.__qualname__}"
            out._cache = Kept(name, _text(folder), folder / "__pycache__")
        return out

    return compiled


def c_function(function: Any, signature: Any, name: str) -> Any:
    """``cfunc(signature, error_model="numpy")`` kept in the user's cache under a name that says
    all it was made from.
    """
    parts = normalize_signature(signature)
    out: Any = CFunc(function, parts, locals={}, options={"error_model": "numpy"})
    out._cache = Kept(name, "")
    out.compile()
    return out
