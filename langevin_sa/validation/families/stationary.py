"""Harmonic modes in equilibrium: the temperature that each thermometer reads, for every integrator,
friction and time step.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ... import potentials
from ..lab import INERTIAL, OVERDAMPED, Check, Driven, Lab, sampled, unit_row
from ..laws import stationary

TITLE = "Stationary laws of the thermostats"
T = 0.7
OMEGA_DT = (0.2, 0.7, 1.2, 1.7)
GAMMA_DT = (0.05, 0.5, 1.5)
LAWS = {
    True: (
        r"$k\langle x^2\rangle = T$",
        r"$\langle dx^2\rangle/\Delta t^2 = \frac{1+\rho}{2}\,T$",
        r"$\langle dx^2\rangle/\mathrm{lr} = T$",
    ),
    False: (
        r"$k\langle x^2\rangle = T/(1 - a/4)$",
        r"$\langle dx^2\rangle/\Delta t^2 = T/(1 - a/4)$",
        r"$\langle dx^2\rangle/\Delta t^2 = T/(1 - a/4)$",
    ),
}


def checks(lab: Lab) -> Iterator[Check]:
    from ...integrators import INTEGRATORS

    k = np.square(OMEGA_DT)
    well = potentials.harmonic(k=k)
    for name in INERTIAL + OVERDAMPED:
        law = LAWS[INTEGRATORS[name].paired]
        for gamma_dt in GAMMA_DT if name in INERTIAL else (1.0,):
            steps = unit_row(name, gamma_dt, T, 7)
            conf, eq22, kinetic = stationary(name, k, float(steps.rho[0]))
            driven = equilibrium(
                lab, well, lab.replicas(4096), np.sqrt(T * conf / k), name, gamma_dt
            )
            rounds = lab.steps(600)
            x2, dx2 = np.zeros((2, *driven.walk.x.shape))
            for _ in range(rounds):
                driven.advance(steps)
                x2, dx2 = (
                    x2 + driven.walk.x.astype(float) ** 2,
                    dx2 + driven.walk.dx.astype(float) ** 2,
                )
            where = name if name in OVERDAMPED else f"{name}, gamma dt = {gamma_dt:g}"
            for i, omega_dt in enumerate(OMEGA_DT):
                about = {"integrator": name, "omega_dt": omega_dt, "gamma_dt": gamma_dt, "T": T}
                yield sampled(
                    f"T_conf, {where}, omega dt = {omega_dt:g}",
                    law[0],
                    k[i] * x2[:, i] / rounds,
                    T * conf[i],
                    lab.rounding,
                    what="T_conf",
                    **about,
                )
                yield sampled(
                    f"T_22, {where}, omega dt = {omega_dt:g}",
                    law[1],
                    dx2[:, i] / rounds / steps.dt[0] ** 2,
                    T * eq22[i],
                    lab.rounding,
                    what="T_22",
                    **about,
                )
            n = rounds * len(steps.rho) * len(k)
            yield sampled(
                f"sum for Eq. (22), {where}",
                law[1],
                driven.walk.dx2 / n,
                T * eq22.mean(),
                lab.rounding,
            )
            yield sampled(
                f"sum for kinetic T, {where}",
                law[2],
                driven.walk.kinetic / n,
                T * kinetic.mean(),
                lab.rounding,
            )


def equilibrium(
    lab: Lab, potential: object, replicas: int, width: np.ndarray, name: str, gamma_dt: float
) -> Driven:
    """A walk that has forgotten its start: 500 steps from positions of about the right width."""
    driven = lab.drive(potential, lab.generator.normal(size=(replicas, len(width))) * width)
    driven.advance(unit_row(name, gamma_dt, T, 500))
    driven.forget()
    return driven
