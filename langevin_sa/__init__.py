"""Simulated annealing by Langevin dynamics: potentials, schedules, one recursion, measured
temperatures.

The public names are loaded on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import (
        integrators as integrators,
        ml as ml,
        noise as noise,
        observables as observables,
        optimizers as optimizers,
        outcomes as outcomes,
        plots as plots,
        potentials as potentials,
        schedules as schedules,
        statistics as statistics,
        thermometers as thermometers,
        tuning as tuning,
    )
    from .annealing.driver import anneal as anneal, simulate as simulate
    from .annealing.results import Result as Result, Snapshot as Snapshot, State as State
    from .comparison.cooling import Cooling as Cooling, cooling_rates as cooling_rates
    from .comparison.driver import compare as compare
    from .comparison.grids import Grid as Grid, grid as grid
    from .comparison.outcomes import Comparison as Comparison
    from .drawing import Units as Units
    from .formulas.parse import FormulaError as FormulaError
    from .integrators import INTEGRATORS as INTEGRATORS
    from .minimization.driver import minimize as minimize
    from .minimization.minimizer import Minimizer as Minimizer
    from .momentum import Langevin as Langevin, Momentum as Momentum
    from .potential import Potential as Potential
    from .schedules import CoolMomentum as CoolMomentum, Schedule as Schedule
    from .stochastic import StochasticPotential as StochasticPotential
    from .teaching.driver import page as page
    from .teaching.racing import race as race
    from .tempering.driver import exchange as exchange
    from .tempering.results import Exchange as Exchange
    from .validation.driver import validate as validate
    from .validation.report import Report as Report

__version__ = "0.2.0"

_NAMES = {
    "annealing.driver": ("anneal", "simulate"),
    "annealing.results": ("Result", "Snapshot", "State"),
    "comparison.cooling": ("Cooling", "cooling_rates"),
    "comparison.driver": ("compare",),
    "comparison.grids": ("Grid", "grid"),
    "comparison.outcomes": ("Comparison",),
    "formulas.parse": ("FormulaError",),
    "integrators": ("INTEGRATORS", "integrators"),
    "minimization.driver": ("minimize",),
    "minimization.minimizer": ("Minimizer",),
    "ml": ("ml",),
    "momentum": ("Langevin", "Momentum"),
    "noise": ("noise",),
    "observables": ("observables",),
    "optimizers": ("optimizers",),
    "outcomes": ("outcomes",),
    "plots": ("plots",),
    "potential": ("Potential",),
    "potentials": ("potentials",),
    "schedules": ("CoolMomentum", "Schedule", "schedules"),
    "statistics": ("statistics",),
    "stochastic": ("StochasticPotential",),
    "teaching.driver": ("page",),
    "teaching.racing": ("race",),
    "tempering.driver": ("exchange",),
    "tempering.results": ("Exchange",),
    "thermometers": ("thermometers",),
    "tuning": ("tuning",),
    "drawing": ("Units",),
    "validation.driver": ("validate",),
    "validation.report": ("Report",),
}
_HOME = {name: home for home, names in _NAMES.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: Any = import_module(f".{_HOME[name]}", __name__)
    if _HOME[name].rpartition(".")[2] != name:  # else it is the module itself
        found = getattr(found, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
