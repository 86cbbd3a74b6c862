"""The paper's identities: friction, time step and temperature are momentum, learning rate and noise
(Eqs. 13-21).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...integrators import INTEGRATORS
from ...momentum import Langevin, Momentum, Steps
from ...noise import normals
from ...potentials import harmonic
from ...schedules import CoolMomentum
from ..lab import Check, Lab, formula, identity, row

TITLE = "Momentum identities"
COOLED = (0.905, 0.741728127, 0.554611166, 0.397565426, 0.312394648)


def checks(lab: Lab) -> Iterator[Check]:
    ranges = ((0.01, 3), (0.01, 0.6), (0.1, 5))
    gamma, dt, T = (lab.generator.uniform(low, high, 1000) for low, high in ranges)
    there = Langevin(gamma, dt, T).to_momentum()
    back = there.to_langevin()
    law = r"$(\gamma, \Delta t, T) \leftrightarrow (\rho, \mathrm{lr}, s)$ (Eqs. 15-18)"
    for name, value, exact in (
        ("gamma", back.gamma, gamma),
        ("dt", back.dt, dt),
        ("T", back.temperature, T),
    ):
        yield equal(f"{name} there and back, relative error", law, value, exact)
    eq19 = there.force_noise**2 * dt**2 * (1 + there.rho) / (4 * (1 - there.rho))
    law = r"$T = \langle R^2 \rangle \, \Delta t^2 \, \frac{1 + \rho}{4 (1 - \rho)}$"
    yield equal("Eq. (19) gives the temperature back", law, eq19, T)
    for name, integrator in INTEGRATORS.items():
        if not integrator.thermal or integrator.memory > 1:  # those are in "rows"
            continue
        # gj_iii has a limit, gamma*dt < 2
        steps = integrator.steps(gamma, np.minimum(dt, 1.9 / gamma), T)
        sustained = steps.s**2 / (2 * steps.lr * (1 - steps.rho))
        law = r"$s^2 = 2\,\mathrm{lr}\,(1 - \rho)\,T$"
        yield equal(f"{name}: the noise sustains T", law, sustained, T)
    yield from coolmomentum(lab)
    yield from recursion(lab)
    yield from two_taps(lab)
    yield from long_sum(lab)


def equal(name: str, law: str, values: np.ndarray, exact: np.ndarray) -> Check:
    """Arrays that differ by rounding alone."""
    return identity(name, law, np.max(np.abs(values / exact - 1)), 0, 1e-11)


def coolmomentum(lab: Lab) -> Iterator[Check]:
    """Table 1 on the backend: U = x^2/2, x_0 = 1, base lr 0.1, rho_0 = 0.9, S = 5."""
    steps = CoolMomentum(0.1, 0.9).coefficients(5, "gjf")
    driven = lab.drive(harmonic(k=1.0), np.ones((1, 1)))
    law, tolerance = r"$\rho_n = 1 - (1 - \rho_0)^{1 - n/S}$", 2e-9
    if lab.dtype == np.float32:
        tolerance = 1e-6
    for n, exact in enumerate(COOLED):
        driven.advance(Steps(*(v[n : n + 1] for v in (steps.rho, steps.lr, steps.s))))
        name, x = f"CoolMomentum, x after step {n + 1} of 5", float(driven.walk.x[0, 0])
        yield identity(name, f"{law} (Eqs. 20-21)", x, exact, tolerance)
    off = np.max(np.abs(steps.rho - (1 - 0.1 ** (1 - np.arange(5) / 5))))
    yield identity("CoolMomentum, closed form of rho", law, off, 0, 1e-12)
    # force noise and dt of 1
    hot, cold = (Momentum(rho, (1 + rho) / 2, (1 + rho) / 2).temperature for rho in (0.99, 0.0))
    name = "constant force noise: lowering rho 0.99 -> 0 cools 199-fold only"
    yield identity(name, r"$T \propto (1 + \rho)/(1 - \rho)$", hot / cold, 199, 1e-9)


def recursion(lab: Lab) -> Iterator[Check]:
    """The backend's deterministic trajectory against the recursion written out."""
    ranges = ((0.2, 0.9), (0.01, 0.1), (0.2, 0.9))
    rho, lr, carry = (lab.generator.uniform(low, high, 50) for low, high in ranges)
    walk = lab.drive(formula("x**4/4 - x**2/2 + x/5"), np.array([[0.3], [-1.4], [1.1]]))
    walk.advance(Steps(rho, lr, np.zeros(50), carry=carry))
    x, dx = np.array([0.3, -1.4, 1.1]), np.zeros(3)
    total = np.zeros(3)
    for n in range(50):
        dx = carry[n] * dx - lr[n] * (x**3 - x + 0.2)
        x = x + dx
        total += dx**2 * (1 + rho[n]) / (2 * lr[n])
    tolerance = 1e-12 if lab.dtype == np.float64 else 1e-5
    law, off = r"$dx' = \rho\, dx + \mathrm{lr}\, f(x), \; x' = x + dx'$", walk.walk.x[:, 0] - x
    yield identity("Eq. (14) step by step, x", law, np.max(np.abs(off)), 0, tolerance)
    law, off = r"$\sum dx^2/\Delta t^2$", walk.walk.dx2 - total
    yield identity("Eq. (22) summed over steps", law, np.max(np.abs(off)), 0, 10 * tolerance)


def two_taps(lab: Lab) -> Iterator[Check]:
    """Noise whose kick and tail change from step to step, against the recursion written out."""
    n, seed, start = 50, lab.new_seed(), np.array([[0.3], [-1.4], [1.1]])
    ranges = ((0.2, 0.9), (0.01, 0.1), (0.05, 0.4), (-0.2, 0.6))
    rho, lr, s, share = (lab.generator.uniform(low, high, n) for low, high in ranges)
    steps = Steps(rho, lr, s, paired=True, share=share)
    driven = lab.drive(formula("x**4/4 - x**2/2 + x/5"), start, seed=seed)
    driven.advance(steps)
    x, dx, carried = start[:, 0], np.zeros(3), np.zeros(3)
    for k in range(n):
        z = normals(seed, k, np.arange(3), 1)[:, 0]
        dx = rho[k] * dx - lr[k] * (x**3 - x + 0.2) + s[k] * (1 - share[k]) * z + carried
        x, carried = x + dx, s[k] * share[k] * z
    tolerance = 1e-11 if lab.dtype == np.float64 else 1e-5
    law, off = r"$W_n = \alpha_n z_n + \beta_n z_{n-1}$", driven.walk.x[:, 0] - x
    yield identity("noise of two taps step by step, x", law, np.max(np.abs(off)), 0, tolerance)
    off = driven.walk.noise[:, 0] - carried
    yield identity("noise of two taps, what goes on", law, np.max(np.abs(off)), 0, tolerance)


def long_sum(lab: Lab) -> Iterator[Check]:
    """Sums over 3,000 steps in one go against the same steps one by one, added in float64."""
    n, start = 3000, np.array([[0.3], [-1.4], [1.1]])
    steps, seed = row("gjf", 0.3, 0.2, 1.0, n), lab.new_seed()
    well = formula("x**4/4 - x**2/2 + x/5")
    at_once, singly = (lab.drive(well, start, seed=seed) for _ in range(2))
    at_once.advance(steps)
    total = np.zeros(3)
    for k in range(len(steps.rho)):
        singly.advance(steps.part(k, k + 1))
        total += singly.walk.dx[:, 0].astype(float) ** 2
    of_sums, of_points = (1e-9, 1e-9) if lab.dtype == np.float64 else (1e-5, 1e-3)
    for name, measured, scale in (
        ("Eq. (22)", at_once.walk.dx2, steps.dt[0] ** 2),
        ("kinetic T", at_once.walk.kinetic, steps.lr[0]),
    ):
        check, off = f"the sum of {name} over {n} steps is that of its steps", measured * scale
        off = np.max(np.abs(off / total - 1))
        yield identity(check, r"$\sum_n dx_n^2$ to rounding", off, 0, of_sums)
    off = np.max(np.abs(at_once.walk.x - singly.walk.x))
    name = f"{n} steps at once and one by one end at the same point"
    yield identity(name, r"$x_n$ does not depend on where a run is cut", off, 0, of_points)
