"""Harmonic modes in equilibrium: the temperature that each thermometer reads, for every integrator,
friction and time step.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ... import potentials
from ...integrators import INTEGRATORS
from ..lab import MEASURED, OVERDAMPED, Check, Driven, Lab, sampled, unit_row

TITLE = "Stationary laws of the thermostats"
T = 0.7
OMEGA_DT = (0.2, 0.7, 1.2, 1.7)
GAMMA_DT = (0.05, 0.5, 1.5)
LAWS = {
    "halves": (
        r"$k\langle x^2\rangle = T$",
        r"$\langle dx^2\rangle/\Delta t^2 = \frac{1+\rho}{2}\,T$",
        r"$\langle dx^2\rangle/\mathrm{lr} = T$",
    ),
    "single": (
        r"$k\langle x^2\rangle = T/(1 - a/4)$",
        r"$\langle dx^2\rangle/\Delta t^2 = T/(1 - a/4)$",
        r"$\langle dx^2\rangle/\Delta t^2 = T/(1 - a/4)$",
    ),
    "unequal": (
        r"$k\langle x^2\rangle = T\,(1 - pa)/(1 - a/4)$",
        r"$\langle dx^2\rangle/\Delta t^2 = k\langle x^2\rangle - 2p(1 - \rho)T$",
        r"$\langle dx^2\rangle/\Delta x_T^2$",
    ),
}


def checks(lab: Lab) -> Iterator[Check]:
    k = np.square(OMEGA_DT)
    well = potentials.harmonic(k=k)
    for name in MEASURED + OVERDAMPED:
        row = INTEGRATORS[name]
        law = LAWS["halves" if row.exact else "unequal" if row.paired else "single"]
        for gamma_dt in GAMMA_DT if name in MEASURED else (1.0,):
            steps = unit_row(name, gamma_dt, T, 7)
            one = steps.part(0, 1)
            conf, eq22, kinetic = (v * one.sustained / T for v in one.stationary(k))
            width = np.sqrt(T * conf / k)
            driven = equilibrium(lab, well, lab.replicas(4096), width, name, gamma_dt)
            walk, rounds = driven.walk, lab.steps(600)
            x2, dx2 = np.zeros((2, *walk.x.shape))
            for _ in range(rounds):
                driven.advance(steps)
                x2 += walk.x.astype(float) ** 2
                dx2 += walk.dx.astype(float) ** 2
            where = name if name in OVERDAMPED else f"{name}, gamma dt = {gamma_dt:g}"
            for i, omega_dt in enumerate(OMEGA_DT):
                about: dict[str, Any] = {"integrator": name, "gamma_dt": gamma_dt, "T": T}
                about["omega_dt"] = omega_dt
                seen = {
                    "T_conf": (law[0], k[i] * x2[:, i] / rounds, T * conf[i]),
                    "T_22": (law[1], dx2[:, i] / rounds / steps.dt[0] ** 2, T * eq22[i]),
                }
                for what, values in seen.items():
                    check = f"{what}, {where}, omega dt = {omega_dt:g}"
                    yield sampled(check, *values, lab.rounding, what=what, **about)
            n = rounds * len(steps.rho) * len(k)
            for what, exact_law, total, exact in (
                ("Eq. (22)", law[1], walk.dx2, eq22),
                ("kinetic T", law[2], walk.kinetic, kinetic),
            ):
                check = f"sum for {what}, {where}"
                yield sampled(check, exact_law, total / n, T * exact.mean(), lab.rounding)


def equilibrium(
    lab: Lab, potential: object, replicas: int, width: np.ndarray, name: str, gamma_dt: float
) -> Driven:
    """A walk that has forgotten its start: 500 steps from positions of about the right width."""
    driven = lab.drive(potential, lab.generator.normal(size=(replicas, len(width))) * width)
    driven.advance(unit_row(name, gamma_dt, T, 500))
    driven.forget()
    return driven
