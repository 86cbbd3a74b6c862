"""`langevin_sa.backends.cuda.cupy` under the name that the first version taught."""

from __future__ import annotations

from .cuda.cupy import describe

__all__ = ["describe"]
