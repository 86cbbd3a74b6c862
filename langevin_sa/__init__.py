"""Simulated annealing by Langevin dynamics: potentials, schedules, one recursion, measured temperatures.

The public names are loaded on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import plots, potentials, schedules
    from .annealing import Result, Snapshot, State, anneal, simulate
    from .integrators import INTEGRATORS
    from .momentum import Langevin, Momentum
    from .parse import FormulaError
    from .potential import Potential
    from .schedules import CoolMomentum, Schedule

__version__ = "0.1.0"

__all__ = [
    "INTEGRATORS", "CoolMomentum", "FormulaError", "Langevin", "Momentum", "Potential", "Result", "Schedule", "Snapshot", "State",
    "anneal", "plots", "potentials", "schedules", "simulate",
]  # fmt: skip

_HOME = {
    "INTEGRATORS": "integrators",
    "CoolMomentum": "schedules",
    "FormulaError": "parse",
    "Langevin": "momentum",
    "Momentum": "momentum",
    "Potential": "potential",
    "Schedule": "schedules",
} | dict.fromkeys(("Result", "Snapshot", "State", "anneal", "simulate"), "annealing")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOME.get(name)
    found = getattr(import_module(f".{home}", __name__), name) if home else import_module(f".{name}", __name__)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
