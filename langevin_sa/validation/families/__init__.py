"""Families of checks, one a file: ``checks(lab)`` yields what `langevin_sa.validate` judges,
`TITLE` heads it in the report.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

FAMILIES: tuple[str, ...] = ("momentum", "stationary", "free", "modes", "kinetic", "density")
FAMILIES += ("correlation", "order", "rows", "verlet", "escape", "ramp", "work", "paths", "noise")
FAMILIES += ("masses",)


def family_of(name: str) -> Any:
    """The module of a family."""
    return import_module(f".{name}", __name__)


def title(name: str) -> str:
    """What heads a family in a report."""
    return str(family_of(name).TITLE)
