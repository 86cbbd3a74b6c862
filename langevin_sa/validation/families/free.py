"""A free particle: temperature, diffusion and drift at a long time step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..lab import MEASURED, OVERDAMPED, Check, Lab, formula, row, sampled, variance

TITLE = "Free diffusion and drift"
T, FORCE = 0.7, 0.35


def checks(lab: Lab) -> Iterator[Check]:
    gamma, n, replicas = 1.2, lab.steps(1600), lab.replicas(20_000, 500)
    for name in MEASURED + OVERDAMPED:
        one = row(name, gamma, 1.0, T, 1)
        # of drift, and of diffusion
        wrong = float(one.lr[0] / (1 - one.rho[0]) * gamma)
        hot = float(one.sustained[0] / T)
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
            if name in MEASURED:
                law, read = r"$\langle dx^2 \rangle / \Delta x_T^2 = T$", driven.walk.kinetic / n
                yield sampled(f"kinetic T, {name}", law, read, hot * T, T * lab.rounding)
            law = r"$\langle (x_t - x_0)^2 \rangle / 2t = T/\gamma$" + factor(name)
            exact = hot * T / gamma * wrong
            yield variance(f"diffusion, {name}", law, moved / np.sqrt(2 * n), exact, 2 * exact / n)


def factor(name: str) -> str:
    """By what the law of a row is off."""
    known = {"baoab": r"$\;\times \frac{c}{2}\coth\frac{c}{2}$", "vec": r"$\;(1 + O(c^2))$"}
    return known.get(name, "")
