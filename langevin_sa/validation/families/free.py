"""A free particle: temperature, diffusion and drift at a long time step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..lab import INERTIAL, OVERDAMPED, Check, Lab, formula, row, sampled, variance

TITLE = "Free diffusion and drift"
T, FORCE = 0.7, 0.35


def checks(lab: Lab) -> Iterator[Check]:
    gamma, n, replicas = 1.2, lab.steps(1600), lab.replicas(20_000, 500)
    for name in INERTIAL + OVERDAMPED:
        wrong = gamma / 2 / np.tanh(gamma / 2) if name == "baoab" else 1.0
        for force in (0.0, FORCE):
            driven = lab.drive(formula("-force*x", force=force), np.zeros((replicas, 1)))
            steps = row(name, gamma, 1.0, T, n)
            burn = row(name, gamma, 1.0, T, 60)
            driven.advance(burn)
            start = driven.walk.x.astype(float)
            driven.forget()
            driven.advance(steps)
            moved = (driven.walk.x - start)[:, 0]
            if force:
                law = r"$\langle \dot x \rangle = F/\gamma$" + factor(name)
                yield sampled(f"drift, {name}", law, moved / n, force / gamma * wrong, lab.rounding)
                continue
            if name in INERTIAL:
                law, hot = r"$\langle dx^2 \rangle / \Delta x_T^2 = T$", driven.walk.kinetic / n
                yield sampled(f"kinetic T, {name}", law, hot, T, T * lab.rounding)
            law = r"$\langle (x_t - x_0)^2 \rangle / 2t = T/\gamma$" + factor(name)
            exact = T / gamma * wrong
            yield variance(f"diffusion, {name}", law, moved / np.sqrt(2 * n), exact, 2 * exact / n)


def factor(name: str) -> str:
    """By what the law of a row is off."""
    return r"$\;\times \frac{c}{2}\coth\frac{c}{2}$" if name == "baoab" else ""
