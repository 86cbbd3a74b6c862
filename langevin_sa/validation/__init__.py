"""Families of checks, one a file: ``checks(lab)`` yields what `langevin_sa.validate` judges, `TITLE` heads it in the report."""

from __future__ import annotations

FAMILIES = (
    "momentum",
    "stationary",
    "free",
    "modes",
    "kinetic",
    "density",
    "correlation",
    "order",
    "verlet",
    "escape",
    "ramp",
    "paths",
    "noise",
)
