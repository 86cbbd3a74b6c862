"""Simulated annealing by Langevin dynamics: potentials, schedules, one recursion, measured
temperatures.

The public names are loaded on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import integrators as integrators
    from . import ml as ml
    from . import noise as noise
    from . import optimizers as optimizers
    from . import plots as plots
    from . import potentials as potentials
    from . import schedules as schedules
    from . import statistics as statistics
    from . import thermometers as thermometers
    from . import tuning as tuning
    from .annealing.driver import anneal as anneal
    from .annealing.driver import simulate as simulate
    from .annealing.results import Result as Result
    from .annealing.results import Snapshot as Snapshot
    from .annealing.results import State as State
    from .comparison import outcomes as outcomes
    from .comparison.cooling import Cooling as Cooling
    from .comparison.cooling import cooling_rates as cooling_rates
    from .comparison.driver import compare as compare
    from .comparison.outcomes import Comparison as Comparison
    from .formulas.parse import FormulaError as FormulaError
    from .integrators import INTEGRATORS as INTEGRATORS
    from .minimization.driver import minimize as minimize
    from .momentum import Langevin as Langevin
    from .momentum import Momentum as Momentum
    from .potential import Potential as Potential
    from .schedules import CoolMomentum as CoolMomentum
    from .schedules import Schedule as Schedule
    from .stochastic import StochasticPotential as StochasticPotential
    from .teaching.driver import page as page
    from .validation.driver import validate as validate
    from .validation.report import Report as Report

__version__ = "0.1.0"

_HOME = {
    "anneal": "annealing.driver",
    "simulate": "annealing.driver",
    "Result": "annealing.results",
    "Snapshot": "annealing.results",
    "State": "annealing.results",
    "Cooling": "comparison.cooling",
    "cooling_rates": "comparison.cooling",
    "compare": "comparison.driver",
    "Comparison": "comparison.outcomes",
    "FormulaError": "formulas.parse",
    "INTEGRATORS": "integrators",
    "minimize": "minimization.driver",
    "Langevin": "momentum",
    "Momentum": "momentum",
    "Potential": "potential",
    "CoolMomentum": "schedules",
    "Schedule": "schedules",
    "StochasticPotential": "stochastic",
    "page": "teaching.driver",
    "validate": "validation.driver",
    "Report": "validation.report",
}
_MODULES = {
    name: name
    for name in (
        "integrators",
        "ml",
        "noise",
        "optimizers",
        "plots",
        "potentials",
        "schedules",
        "statistics",
        "thermometers",
        "tuning",
    )
}
_MODULES["outcomes"] = "comparison.outcomes"

__all__ = sorted([*_HOME, *_MODULES])


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        found: Any = import_module(f".{_MODULES[name]}", __name__)
    elif name in _HOME:
        found = getattr(import_module(f".{_HOME[name]}", __name__), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
