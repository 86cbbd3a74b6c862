"""Averages in an anharmonic well: exact at each finite time step by quadrature of the transfer
operator, and of the right order in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from ...integrators import INTEGRATORS
from ..lab import MEASURED, OVERDAMPED, Check, Lab, formula, identity, row, sampled
from ..laws import boltzmann_average, inertial_average, overdamped_average

TITLE = "Weak order of convergence in the time step"
WELL, T, GAMMA, WIDTH = "x**2/2 - cos(x)/2 + sin(x)", 1.0, 1.0, 0.95


def energy(x: np.ndarray) -> np.ndarray:
    return x**2 / 2 - np.cos(x) / 2 + np.sin(x)


def force(x: np.ndarray) -> np.ndarray:
    return -x - np.sin(x) / 2 - np.cos(x)


@cache
def at_step(name: str, dt: float) -> float:
    """<x^2> of a row at a finite time step."""
    if name in OVERDAMPED:
        return overdamped_average(name, force, np.square, dt, T, 7.0)
    return inertial_average(name, force, np.square, GAMMA, dt, T, WIDTH)


def checks(lab: Lab) -> Iterator[Check]:
    exact = boltzmann_average(energy, np.square, T, 9.0)
    for name in MEASURED + OVERDAMPED:
        dt, p = 0.4 if name in MEASURED else 0.1, INTEGRATORS[name].order
        if p is None:
            continue
        bias = [at_step(name, step) - exact for step in (dt, dt / 2)]
        law = rf"$\langle x^2 \rangle_{{\Delta t}} - \langle x^2 \rangle \propto \Delta t^{p}$"
        measured = float(np.log2(abs(bias[0] / bias[1])))
        yield identity(f"{name}, order p, by quadrature", law, measured, p, 0.15)
        for step in (2 * dt, dt):
            n = lab.steps(int((200 if name in MEASURED else 300) / step))
            squares = averages(lab, name, step, lab.replicas(8192), n)
            what, there = f"{name}, <x^2> at dt = {step:g}", at_step(name, step)
            law = r"$\langle x^2 \rangle_{\Delta t}$ of the transfer operator"
            yield sampled(what, law, squares, there, 1e-6 + lab.rounding)


def averages(lab: Lab, name: str, dt: float, replicas: int, n: int, every: int = 4) -> np.ndarray:
    """Per-replica time averages of x^2."""
    driven = lab.drive(formula(WELL), lab.generator.normal(-0.5, 0.7, size=(replicas, 1)))
    driven.advance(row(name, GAMMA, dt, T, int(30 / dt)))
    steps, total = row(name, GAMMA, dt, T, every), np.zeros(replicas)
    for _ in range(n // every):
        driven.advance(steps)
        total += driven.walk.x[:, 0].astype(float) ** 2
    return total / (n // every)
