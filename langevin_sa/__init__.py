"""Simulated annealing by Langevin dynamics: potentials, schedules, one recursion, measured temperatures.

The public names are loaded on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import integrators, ml, noise, optimizers, outcomes, plots, potentials, schedules, statistics, thermometers, tuning
    from .annealing import Result, Snapshot, State, anneal, simulate
    from .compare import compare
    from .cooling import Cooling, cooling_rates
    from .formulas.parse import FormulaError
    from .integrators import INTEGRATORS
    from .minimize import minimize
    from .momentum import Langevin, Momentum
    from .outcomes import Comparison
    from .page import page
    from .potential import Potential
    from .schedules import CoolMomentum, Schedule
    from .stochastic import StochasticPotential
    from .validate import Report, validate

__version__ = "0.1.0"

__all__ = [
    "INTEGRATORS", "Comparison", "CoolMomentum", "Cooling", "FormulaError", "Langevin", "Momentum", "Potential", "Report", "Result",
    "Schedule", "Snapshot", "State", "StochasticPotential", "anneal", "compare", "cooling_rates", "integrators", "minimize", "ml", "noise",
    "optimizers", "outcomes", "page", "plots", "potentials", "schedules", "simulate", "statistics", "thermometers", "tuning", "validate",
]  # fmt: skip

_HOME = {
    "Comparison": "outcomes",
    "Cooling": "cooling",
    "INTEGRATORS": "integrators",
    "CoolMomentum": "schedules",
    "FormulaError": "formulas.parse",
    "Langevin": "momentum",
    "Momentum": "momentum",
    "Potential": "potential",
    "Report": "validate",
    "Schedule": "schedules",
    "StochasticPotential": "stochastic",
    "compare": "compare",
    "page": "page",
    "cooling_rates": "cooling",
    "minimize": "minimize",
    "validate": "validate",
} | dict.fromkeys(("Result", "Snapshot", "State", "anneal", "simulate"), "annealing")


class _Package(ModuleType):
    def __setattr__(self, name: str, value: Any) -> None:
        if not (isinstance(value, ModuleType) and name in _HOME):  # importing validate.py must not hide the function validate
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOME.get(name)
    found = getattr(import_module(f".{home}", __name__), name) if home else import_module(f".{name}", __name__)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
