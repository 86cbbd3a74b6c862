"""Without friction: energy is conserved to order dt^2 without drift, and time can be reversed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..lab import Check, Driven, Lab, formula, identity, row, sampled

TITLE = "Verlet: conservation and reversibility"
WELL = "x**4/4 + x**2/2"


def checks(lab: Lab) -> Iterator[Check]:
    fine = lab.dtype == np.float64
    replicas, n, well = 64, lab.steps(40_000, 8000), formula(WELL)
    start = lab.generator.uniform(0.5, 1.5, size=(replicas, 1))
    widths = {}
    for dt in (0.1, 0.05):
        energy = energies(lab, lab.drive(well, start), dt, n)
        widths[dt] = energy.std(0)
        times = np.linspace(-0.5, 0.5, len(energy))
        drift = (times @ energy) / (times @ times) / energy.mean(0)
        yield sampled(f"energy drift over {n} steps at dt = {dt:g}", r"$\Delta E/E = 0$", drift, 0)
    # the next order in dt leaves some of (omega dt)^2 = 0.08 open
    order = np.log2(widths[0.1] / widths[0.05])
    law = r"$\sqrt{\langle \delta E^2 \rangle} \propto \Delta t^2$"
    yield sampled("order of the energy error in dt", law, order, 2, 0.03)
    driven = lab.drive(well, start)
    steps = row("verlet", 0.0, 0.05, 0.0, 1000)
    driven.advance(steps)
    back = lab.drive(well, driven.walk.x - driven.walk.dx, dx=-driven.walk.dx)
    back.advance(row("verlet", 0.0, 0.05, 0.0, 999))
    off, tolerance = np.max(np.abs(back.walk.x - start.astype(lab.dtype))), 1e-10 if fine else 5e-3
    yield identity("1000 steps forth and back", r"$x_{-N}(x_N) = x_0$", off, 0, tolerance)
    yield period(lab)


def energies(lab: Lab, driven: Driven, dt: float, n: int) -> np.ndarray:
    """Energies with the velocity centred on the step, every 50 steps or so lest they beat with a
    period, (records, replicas).
    """
    out = []
    for skip in lab.generator.integers(20, 80, n // 50):
        driven.advance(row("verlet", 0.0, dt, 0.0, int(skip)))
        before, potential = driven.walk.dx.astype(float), driven.walk.energy.copy()
        driven.advance(row("verlet", 0.0, dt, 0.0, 1))
        velocity = (before + driven.walk.dx.astype(float)) / (2 * dt)
        out.append(potential + (velocity**2).sum(1) / 2)
    return np.array(out)


def period(lab: Lab) -> Check:
    """In a harmonic well the phase advances by exactly 2 asin(omega dt/2) a step."""
    driven = lab.drive(formula("x**2/2"), np.array([[1.0]]))
    driven.advance(row("verlet", 0.0, 0.3, 0.0, 500))
    phase = 2 * np.arcsin(0.15)
    exact = np.cos(phase * 500.5) / np.cos(phase / 2)  # dx = 0 at the start puts x_{-1} = x_0
    law, tolerance = r"$\cos\phi = 1 - (\omega \Delta t)^2/2$", 1e-11
    if lab.dtype == np.float32:
        tolerance = 1e-3
    x = float(driven.walk.x[0, 0])
    return identity("phase after 500 steps of a harmonic well", law, x, exact, tolerance)
