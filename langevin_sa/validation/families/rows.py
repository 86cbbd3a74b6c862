"""Every row of the table: what it makes of friction, time step and temperature, as identities, and
one run of each.

In a harmonic well a row is a linear recursion, whose second moments are found by a discrete
Lyapunov equation; its diffusion, drift and order follow from the recursion's numbers. Kernels know
nothing of rows: what they do with the numbers is measured by the other families.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...momentum import Steps
from ...potentials import harmonic
from ..lab import INERTIAL, MEASURED, OVERDAMPED, THERMAL, Check, Lab, identity, row, sampled
from ..laws import boltzmann_average
from . import order

TITLE = "Every row of the table"
GRID = ((0.05, 0.3), (0.5, 0.9), (1.4, 1.1))  # gamma and dt
CURVATURES = np.array([0.1, 1.0, 2.0])


def checks(lab: Lab) -> Iterator[Check]:
    law = r"$k\langle x^2\rangle, \langle dx^2\rangle$ in closed form"
    for name in INERTIAL + OVERDAMPED:
        off = [moments(THERMAL[name].steps(*at, 0.7), k) for at in GRID for k in CURVATURES]
        yield identity(f"{name}, moments of a harmonic mode", law, max(off), 0, 1e-10)
    for name, (diffusion, drift) in TRANSPORT.items():
        for gamma, dt in GRID:
            steps, c = THERMAL[name].steps(gamma, dt, 0.7), gamma * dt
            mobility = steps.lr / (1 - steps.rho) / dt
            for what, found, factor in (
                ("diffusion", mobility * steps.sustained / 0.7, diffusion),
                ("drift", mobility, drift),
            ):
                law = r"$D\gamma/T$" if what == "diffusion" else r"$\langle v \rangle\gamma/F$"
                where = f"{name}, {what} at gamma dt = {c:g}"
                yield identity(where, law, float(gamma * found), factor(c), 1e-10)
    exact = boltzmann_average(order.energy, np.square, order.T, 9.0)
    for name in sorted({*INERTIAL} - {*MEASURED}):  # theirs are in "order"
        bias = [order.at_step(name, dt) - exact for dt in (0.4, 0.2)]
        p = float(np.log2(abs(bias[0] / bias[1])))
        law = r"$\langle x^2 \rangle_{\Delta t} - \langle x^2 \rangle \propto \Delta t^2$"
        yield identity(f"{name}, order p, by quadrature", law, p, 2, 0.2)
    yield from runs(lab)


def moments(steps: Steps, k: float) -> float:
    """How far the Lyapunov solution is from the closed forms."""
    from scipy.linalg import solve_discrete_lyapunov

    a = k * float(steps.dt) ** 2
    if a >= 4:
        return 0.0
    dx = np.array([-steps.lr * k, steps.rho, 1.0])
    move = np.array([dx + np.array([1, 0, 0]), dx, [0, 0, 0]])
    kick = np.array([steps.kick, steps.kick, steps.tail])
    steady = solve_discrete_lyapunov(move, np.outer(kick, kick))
    conf, eq22, _ = steps.stationary(a)
    exact = np.array([conf / k, eq22 * steps.dt**2]) * steps.sustained
    return float(np.max(np.abs(steady[[0, 1], [0, 1]] / exact - 1)))


def one(c: float) -> float:
    """Exact at any time step."""
    return 1.0


def coth(c: float) -> float:
    """Of BAOAB and OBABO."""
    return float(c / 2 / np.tanh(c / 2))


def sinh(c: float) -> float:
    """Of BOAOB's drift, and the leap-frog's."""
    return float(c / 2 / np.sinh(c / 2))


GJ = tuple(name for name in INERTIAL if name.startswith("gj"))
TRANSPORT: dict[str, tuple[Any, Any]] = dict.fromkeys(("bbk", "langevin_impulse", *GJ), (one, one))
TRANSPORT |= dict.fromkeys(("obabo", "baoab"), (coth, coth))
TRANSPORT["boaob"] = coth, sinh
TRANSPORT["van_gunsteren_berendsen"] = one, lambda c: 1 / sinh(c)


def runs(lab: Lab) -> Iterator[Check]:
    """A short run of each row that the other families do not measure."""
    T, k, replicas, n = 0.7, 0.8, lab.replicas(8192, 400), 60
    for name in sorted({*INERTIAL} - {*MEASURED}):
        steps = row(name, 0.6, 1.0, T, n)
        conf, _, read = (float(v[0]) for v in steps.stationary(k * steps.dt**2))
        hot = float(steps.sustained[0])
        start = lab.generator.normal(size=(replicas, 1)) * np.sqrt(hot * conf / k)
        driven = lab.drive(harmonic(k=k), start)
        driven.advance(steps)
        driven.forget()
        driven.advance(steps)
        law, squares = r"$k\langle x^2\rangle$", k * driven.walk.x[:, 0].astype(float) ** 2
        yield sampled(
            f"{name}, positions after {2 * n} steps", law, squares, hot * conf, lab.rounding
        )
        law = r"$\langle dx^2 \rangle / \Delta x_T^2$"
        yield sampled(f"{name}, kinetic T", law, driven.walk.kinetic / n, hot * read, lab.rounding)
