"""Observables: what is measured along a run (`PerReplica`), correlations in time, structure and
pressure of fluids.
"""

from __future__ import annotations

from .along import PerReplica as PerReplica
