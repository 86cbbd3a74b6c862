"""Memory: position and velocity autocorrelation of a damped oscillator against the discrete-time
closed form, lag by lag and jointly.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...potentials import harmonic
from ..lab import MEASURED, Check, Lab, joint, sampled, unit_row
from ..laws import autocovariance

TITLE = "Autocorrelation of a damped oscillator"
T, OMEGA_DT, LAGS, SHOWN = 0.7, 0.6, 24, (1, 5, 12)


def checks(lab: Lab) -> Iterator[Check]:
    replicas, blocks, k = lab.replicas(4096, 400), 10, OMEGA_DT**2
    for name in MEASURED:
        for gamma_dt in (0.1, 0.8):
            steps = unit_row(name, gamma_dt, T, 1)
            hot = float(steps.sustained[0] / T)
            position, velocity = (hot * c for c in autocovariance(steps, k, LAGS))
            start = lab.generator.normal(size=(replicas, 1)) * np.sqrt(T * position[0] / k)
            driven = lab.drive(harmonic(k=k), start)
            driven.advance(unit_row(name, gamma_dt, T, 200))
            x, v = np.empty((LAGS, replicas)), np.empty((LAGS, replicas))
            xx, vv = np.zeros((replicas, LAGS)), np.zeros((replicas, LAGS))
            for _ in range(blocks):
                for j in range(LAGS):
                    driven.advance(steps)
                    x[j], v[j] = driven.walk.x[:, 0], driven.walk.dx[:, 0]
                for lag in range(LAGS):
                    span = LAGS - lag
                    xx[:, lag] += np.mean(x[:span] * x[lag:], axis=0) * k / T / blocks
                    vv[:, lag] += np.mean(v[:span] * v[lag:], axis=0) / T / blocks
            for what, measured, exact, law in (
                ("position", xx, position, r"$k \langle x_n x_{n+j} \rangle / T$"),
                ("velocity", vv, velocity, r"$\langle dx_n dx_{n+j} \rangle / (T \Delta t^2)$"),
            ):
                where = f"{what}, {name}, gamma dt = {gamma_dt:g}"
                for j in SHOWN:
                    yield sampled(f"{where}, lag {j}", law, measured[:, j], exact[j], lab.rounding)
                yield joint(f"{where}, {LAGS} lags together", law, measured, exact)
