"""Integrators are rows of a table that turns (gamma, dt, T) into the recursion's (rho, lr, s).

Every integrator with one force a step is the recursion of `langevin_sa.momentum.Steps`, with noise
of one or two consecutive normals. For a curvature k = omega^2 all are stable for ``lr*k < 2*(1 +
rho)``: that is ``omega*dt < 2`` with ``dt = sqrt(2 lr/(1 + rho))``, which is `Steps.dt`. It is the
schedule's dt for rows with ``lr = (1 + rho)/2 dt^2``; for the overdamped rows, rho = 0 and lr =
dt/gamma, the limit reads omega^2 dt/gamma < 2. `Integrator.time_step` is this law turned around.

`kick_drift_kick` and `splitting` make rows of other schemes.
"""

from .row import STABILITY_LIMIT, Integrator, kick_drift_kick, splitting
from .table import INTEGRATORS, get_integrator

__all__ = [
    "INTEGRATORS",
    "STABILITY_LIMIT",
    "Integrator",
    "get_integrator",
    "kick_drift_kick",
    "splitting",
]
