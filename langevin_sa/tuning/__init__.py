"""Temperatures, friction, time step and starts, chosen from the potential.

`measure` has the pilot, which measures and chooses, and states the rules; `ladder` holds what it
measures at a row of temperatures, `findings` what it hands back; `driver` makes a schedule of it;
`curvature` is what time steps are compared with.
"""

from .curvature import (
    DENSE_DIM as DENSE_DIM,
    LARGEST_DIM as LARGEST_DIM,
    POINTS as POINTS,
    laplacian_estimate as laplacian_estimate,
    largest_curvature as largest_curvature,
    omega_dt as omega_dt,
    start_points as start_points,
)
from .driver import LAWS as LAWS, automatic_schedule as automatic_schedule
from .findings import COLDEST as COLDEST, Pilot as Pilot
from .ladder import OMEGA_DT as OMEGA_DT
from .measure import pilot as pilot
from .spread import spread_temperature as spread_temperature
