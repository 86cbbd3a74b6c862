"""Escape over a barrier: the mean first-passage time from one well to the other, exact when overdamped, Kramers' beyond."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .lab import Check, Lab, formula, row, sampled
from .laws import kramers_rate, mean_first_passage

TITLE = "Escape over a barrier"


def energy(x: np.ndarray) -> np.ndarray:
    return (x**2 - 1) ** 2


def checks(lab: Lab) -> Iterator[Check]:
    T = 1 / 3
    for name in ("leimkuhler_matthews",) if lab.slow else ("leimkuhler_matthews", "ermak_mccammon"):
        exact = mean_first_passage(energy, -1.0, 1.0, -3.0, T, 1.0)
        yield sampled(f"overdamped, {name}", r"$\tau = \frac{\gamma}{T} \int_{-1}^{1} dy\, e^{U/T} \int_{-\infty}^{y} dz\, e^{-U/T}$",
                      passage(lab, name, 1.0, 0.005, T, lab.replicas(4096, 400), exact) / exact, 1.0, 0.04)  # fmt: skip
    exact = mean_first_passage(energy, -1.0, 1.0, -3.0, T, 1.0)
    yield sampled("gjf at gamma = 30, overdamped limit", r"$\tau \to \tau_\mathrm{overdamped}$, corrections $\omega^2/\gamma^2$",
                  passage(lab, "gjf", 30.0, 0.15, T, lab.replicas(4096, 300), 30 * exact) / (30 * exact), 1.0, 0.04)  # fmt: skip
    T = 0.2
    for gamma in (1.0, 3.0):
        kramers = 1 / kramers_rate(gamma, np.sqrt(8), 2.0, 1.0, T)
        yield sampled(f"gjf at gamma = {gamma:g}, barrier 5 T", r"$\tau \approx 1/k_\mathrm{Kramers}$ to 20 %",
                      passage(lab, "gjf", gamma, 0.08, T, lab.replicas(2048, 150), kramers) / kramers, 1.0, 0.2)  # fmt: skip


def passage(lab: Lab, name: str, gamma: float, dt: float, T: float, replicas: int, expected: float) -> np.ndarray:
    """First time at x >= 1 of replicas started at -1, looked at every 10 steps; those not there after 6 mean times get one more."""
    driven = lab.drive(formula("(x**2 - 1)**2"), np.full((replicas, 1), -1.0))
    look = 10
    time, times = 0.0, np.full(replicas, np.inf)
    steps = row(name, gamma, dt, T, look)
    while time < 6 * expected and times.max() == np.inf:
        driven.advance(steps)
        time += look * dt
        np.minimum(times, time - look * dt / 2, out=times, where=driven.walk.x[:, 0] >= 1)
    return np.minimum(times, time + expected)
