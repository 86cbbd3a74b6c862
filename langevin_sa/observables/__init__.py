"""Observables: what is measured along a run (`PerReplica`), correlations in time, structure and
pressure of fluids.
"""

from __future__ import annotations

from .along import PerReplica as PerReplica
from .correlations import (
    autocorrelation as autocorrelation,
    diffusion as diffusion,
    mean_square_displacement as mean_square_displacement,
)
from .pairs import energy as energy, pressure as pressure, virial as virial
from .structure import (
    radial_distribution as radial_distribution,
    structure_factor as structure_factor,
    wave_vectors as wave_vectors,
)
