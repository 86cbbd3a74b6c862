"""`langevin_sa.backends.cuda.device` under the name that the first version taught."""

from __future__ import annotations

from .cuda.device import describe

__all__ = ["describe"]
