"""The paper's identities: friction, time step and temperature are momentum, learning rate and noise
(Eqs. 13-21).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...integrators import INTEGRATORS
from ...momentum import Langevin, Momentum, Steps
from ...potentials import harmonic
from ...schedules import CoolMomentum
from ..lab import Check, Lab, formula, identity, part, row

TITLE = "Momentum identities"
COOLED = (0.905, 0.741728127, 0.554611166, 0.397565426, 0.312394648)


def checks(lab: Lab) -> Iterator[Check]:
    gamma, dt, T = (
        lab.generator.uniform(low, high, 1000) for low, high in ((0.01, 3), (0.01, 0.6), (0.1, 5))
    )
    there = Langevin(gamma, dt, T).to_momentum()
    back = there.to_langevin()
    for name, value, exact in (
        ("gamma", back.gamma, gamma),
        ("dt", back.dt, dt),
        ("T", back.temperature, T),
    ):
        law = r"$(\gamma, \Delta t, T) \leftrightarrow (\rho, \mathrm{lr}, s)$ (Eqs. 15-18)"
        yield identity(
            f"{name} there and back, relative error",
            law,
            np.max(np.abs(value / exact - 1)),
            0,
            1e-11,
        )
    eq19 = there.force_noise**2 * dt**2 * (1 + there.rho) / (4 * (1 - there.rho))
    yield identity(
        "Eq. (19) gives the temperature back",
        r"$T = \langle R^2 \rangle \, \Delta t^2 \, \frac{1 + \rho}{4 (1 - \rho)}$",
        np.max(np.abs(eq19 / T - 1)),
        0,
        1e-11,
    )
    for name, integrator in INTEGRATORS.items():
        if not integrator.thermal:
            continue
        steps = integrator.steps(gamma, dt, T)
        sustained = steps.s**2 / (2 * steps.lr * (1 - steps.rho))
        yield identity(
            f"{name}: the noise sustains T",
            r"$s^2 = 2\,\mathrm{lr}\,(1 - \rho)\,T$",
            np.max(np.abs(sustained / T - 1)),
            0,
            1e-11,
        )
    yield from coolmomentum(lab)
    yield from recursion(lab)
    yield from long_sum(lab)


def coolmomentum(lab: Lab) -> Iterator[Check]:
    """Table 1 on the backend: U = x^2/2, x_0 = 1, base lr 0.1, rho_0 = 0.9, S = 5."""
    steps = CoolMomentum(0.1, 0.9).coefficients(5, "gjf")
    driven = lab.drive(harmonic(k=1.0), np.ones((1, 1)))
    for n, exact in enumerate(COOLED):
        driven.advance(Steps(*(v[n : n + 1] for v in (steps.rho, steps.lr, steps.s))))
        yield identity(
            f"CoolMomentum, x after step {n + 1} of 5",
            r"$\rho_n = 1 - (1 - \rho_0)^{1 - n/S}$ (Eqs. 20-21)",
            float(driven.walk.x[0, 0]),
            exact,
            2e-9 if lab.dtype == np.float64 else 1e-6,
        )
    ramp = 1 - 0.1 ** (1 - np.arange(5) / 5)
    yield identity(
        "CoolMomentum, closed form of rho",
        r"$\rho_n = 1 - (1 - \rho_0)^{1 - n/S}$",
        np.max(np.abs(steps.rho - ramp)),
        0,
        1e-12,
    )
    # force noise and dt of 1
    hot, cold = (Momentum(rho, (1 + rho) / 2, (1 + rho) / 2).temperature for rho in (0.99, 0.0))
    yield identity(
        "constant force noise: lowering rho 0.99 -> 0 cools 199-fold only",
        r"$T \propto (1 + \rho)/(1 - \rho)$",
        hot / cold,
        199,
        1e-9,
    )


def recursion(lab: Lab) -> Iterator[Check]:
    """The backend's deterministic trajectory against the recursion written out."""
    rho, lr, carry = (
        lab.generator.uniform(low, high, 50) for low, high in ((0.2, 0.9), (0.01, 0.1), (0.2, 0.9))
    )
    walk = lab.drive(formula("x**4/4 - x**2/2 + x/5"), np.array([[0.3], [-1.4], [1.1]]))
    walk.advance(Steps(rho, lr, np.zeros(50), carry=carry))
    x, dx = np.array([0.3, -1.4, 1.1]), np.zeros(3)
    total = np.zeros(3)
    for n in range(50):
        dx = carry[n] * dx - lr[n] * (x**3 - x + 0.2)
        x = x + dx
        total += dx**2 * (1 + rho[n]) / (2 * lr[n])
    tolerance = 1e-12 if lab.dtype == np.float64 else 1e-5
    yield identity(
        "Eq. (14) step by step, x",
        r"$dx' = \rho\, dx + \mathrm{lr}\, f(x), \; x' = x + dx'$",
        np.max(np.abs(walk.walk.x[:, 0] - x)),
        0,
        tolerance,
    )
    yield identity(
        "Eq. (22) summed over steps",
        r"$\sum dx^2/\Delta t^2$",
        np.max(np.abs(walk.walk.dx2 - total)),
        0,
        10 * tolerance,
    )


def long_sum(lab: Lab) -> Iterator[Check]:
    """Sums over 3,000 steps in one go against the same steps one by one, added in float64."""
    n, start = 3000, np.array([[0.3], [-1.4], [1.1]])
    steps, seed = row("gjf", 0.3, 0.2, 1.0, n), lab.new_seed()
    at_once, singly = (
        lab.drive(formula("x**4/4 - x**2/2 + x/5"), start, seed=seed) for _ in range(2)
    )
    at_once.advance(steps)
    total = np.zeros(3)
    for k in range(len(steps.rho)):
        singly.advance(part(steps, k, k + 1))
        total += singly.walk.dx[:, 0].astype(float) ** 2
    for name, measured, scale in (
        ("Eq. (22)", at_once.walk.dx2, steps.dt[0] ** 2),
        ("kinetic T", at_once.walk.kinetic, steps.lr[0]),
    ):
        yield identity(
            f"the sum of {name} over {n} steps is that of its steps",
            r"$\sum_n dx_n^2$ to rounding",
            float(np.max(np.abs(measured * scale / total - 1))),
            0,
            1e-9 if lab.dtype == np.float64 else 1e-5,
        )
    yield identity(
        f"{n} steps at once and one by one end at the same point",
        r"$x_n$ does not depend on where a run is cut",
        float(np.max(np.abs(at_once.walk.x - singly.walk.x))),
        0,
        1e-9 if lab.dtype == np.float64 else 1e-3,
    )
