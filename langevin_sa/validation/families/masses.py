"""Coordinates of masses 1, 4 and 100, and one that is frozen.

Positions know of no mass. Velocities are distributed with T/m, modes have a = k dt^2/m, and a free
particle diffuses with T/(m gamma).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ... import potentials
from ...backends.choose import get_backend
from ..lab import Check, Lab, formula, identity, row, sampled, unit_row, variance
from .density import BANANA, plane

TITLE = "Masses"
MASSES = np.array([1.0, 4.0, 100.0, np.inf])
T, OMEGA_DT, GAMMA_DT = 0.7, np.array([0.4, 1.2, 0.7, 0.5]), 0.5
MOVING, WEIGHT = slice(0, 3), MASSES[:3]


def checks(lab: Lab) -> Iterator[Check]:
    make = lab.backend
    if isinstance(make, str):
        make = get_backend(make, potentials.harmonic())
    if not getattr(make, "weighs", False):  # no run with masses is let through to it
        return
    yield from modes(lab, "gjf")
    yield from modes(lab, "bbk")
    yield from free(lab)
    yield ensemble(lab)


def modes(lab: Lab, name: str) -> Iterator[Check]:
    """Harmonic modes of unlike masses, one coordinate of which is frozen at 1."""
    k = OMEGA_DT**2 * np.where(np.isinf(MASSES), 1.0, MASSES)
    well, steps = potentials.harmonic(k=k), unit_row(name, GAMMA_DT, T, 7)
    conf, eq22, kinetic = steps.part(0, 1).stationary(OMEGA_DT[MOVING] ** 2)
    x0 = lab.generator.normal(size=(lab.replicas(4096), 4)) * np.sqrt(T / k)
    x0[:, 3] = 1.0
    driven = lab.drive(well, x0, masses=MASSES)
    driven.advance(unit_row(name, GAMMA_DT, T, 300))
    driven.forget()
    rounds = lab.steps(200)
    x2, dx2 = np.zeros((2, len(x0), len(WEIGHT)))
    for _ in range(rounds):
        driven.advance(steps)
        x2 += driven.walk.x[:, MOVING].astype(float) ** 2
        dx2 += driven.walk.dx[:, MOVING].astype(float) ** 2
    for i, m in enumerate(WEIGHT):
        where = f"{name}, mass {m:g}"
        law, seen = r"$k\langle x^2\rangle / T$", k[i] * x2[:, i] / rounds / T
        yield sampled(f"T_conf, {where}", law, seen, conf[i], lab.rounding)
        law, seen = r"$m\langle dx^2\rangle / T \Delta t^2$", m * dx2[:, i] / rounds / T
        yield sampled(f"T_22, {where}", law, seen / steps.dt[0] ** 2, eq22[i], lab.rounding)
    law, seen = r"$\langle m\,dx^2 \rangle / \Delta x_T^2$", driven.walk.kinetic
    seen = seen / (rounds * len(steps.rho) * len(WEIGHT))
    yield sampled(f"sum for kinetic T, {name}", law, seen, T * np.mean(kinetic), lab.rounding)
    moved = np.max(np.abs(driven.walk.x[:, 3] - 1)) + np.max(np.abs(driven.walk.best_x[:, 3] - 1))
    yield identity(f"way of a frozen coordinate, {name}", "$x_n = x_0$", float(moved), 0, 0)


def free(lab: Lab) -> Iterator[Check]:
    """Free particles of each mass at a long time step."""
    gamma, n = 1.2, lab.steps(800)
    flat, start = formula("a*x + a*y + a*z", a=0.0), np.zeros((lab.replicas(10_000, 500), 3))
    driven = lab.drive(flat, start, masses=WEIGHT)
    driven.advance(row("gjf", gamma, 1.0, T, 60))
    before = driven.walk.x.astype(float)
    driven.advance(row("gjf", gamma, 1.0, T, n))
    moved, law = driven.walk.x - before, r"$\langle (x_t - x_0)^2 \rangle / 2t = T/m\gamma$"
    for i, m in enumerate(WEIGHT):
        exact = T / (m * gamma)
        seen = moved[:, i] / np.sqrt(2 * n)
        yield variance(f"diffusion, mass {m:g}", law, seen, exact, 2 * exact / n)


def ensemble(lab: Lab) -> Check:
    """The density of a curved double well, which knows of no mass."""
    banana, masses = formula(BANANA), np.array([4.0, 100.0])
    x0 = lab.generator.uniform(-1.5, 1.5, size=(lab.replicas(30_000, 3000), 2))
    driven = lab.drive(banana, x0, masses=masses)
    driven.advance(row("gjf", 0.4, 0.08, 0.5, 1500))
    points, law = driven.walk.x.astype(float), r"$p(x) = e^{-U(x)/T}/Z$"
    x, y = np.linspace(-2.1, 2.1, 29), np.linspace(-1.6, 3.2, 33)
    return plane("curved double well, masses 4 and 100", law, banana, points, 0.5, x, y)
