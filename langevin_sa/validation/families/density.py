"""Positions are distributed as exp(-U/T): histograms of independent replicas against quadrature,
and one temperature against another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...integrators import INTEGRATORS
from ...potentials import double_well, muller_brown
from ...thermometers import boltzmann_bins
from ..lab import MEASURED, OVERDAMPED, Check, Lab, binned, estimated, formula, row

TITLE = "Boltzmann density and ensembles"
BANANA = "(x**2 - 1)**2 + 2*(y - x**2/2)**2 + x/5"


def checks(lab: Lab) -> Iterator[Check]:
    law, many = r"$p(x) = e^{-U(x)/T}/Z$", lab.replicas(60_000, 3000)
    exact = [n for n in (*MEASURED, *OVERDAMPED) if INTEGRATORS[n].exact]
    for name in exact:
        dt = 0.004 if name in OVERDAMPED else 0.04
        n, well = 4000 if name in OVERDAMPED else 1000, double_well(tilt=0.3)
        x = final(lab, well, 0.5, dt, name, many, -1.9, 1.9, n)
        edges = np.linspace(-2.0, 2.0, 41)
        counts = np.histogram(x[:, 0], edges)[0]
        expected = boltzmann_bins(well, 0.5, [edges], margin=1.5) * len(x)
        yield binned(f"double well, {name}", law, counts, expected)
    banana = formula(BANANA)
    for name in [name for name in exact if name in MEASURED]:
        points = final(lab, banana, 0.5, 0.04, name, many, -1.5, 1.5, 1000)
        x, y = np.linspace(-2.1, 2.1, 29), np.linspace(-1.6, 3.2, 33)
        yield plane(f"curved double well in 2-D, {name}", law, banana, points, 0.5, x, y)
    if lab.level == "full" and not lab.slow:
        U = muller_brown()
        box = (-1.0, 0.2), (0.2, 1.4)
        points = final(lab, U, 40.0, 0.002, "gjf", 100_000, *box, 6000, gamma=30.0)
        x, y = np.linspace(-2.0, 1.6, 37), np.linspace(-0.8, 2.4, 33)
        yield plane("Muller-Brown surface, gjf", law, U, points, 40.0, x, y)
    for name in ("gjf", "bbk"):
        yield ratio(lab, name)
    # the first two would show an update that is not reflected, the last one such a half kick
    for name, gamma, dt in (("gjf", 1.0, 0.5), ("bbk", 1.0, 0.5), ("gjf", 3.0, 0.7)):
        yield from between_walls(lab, name, gamma, dt, many)


def final(
    lab: Lab,
    U: Any,
    T: float,
    dt: float,
    name: str,
    replicas: int,
    low: Any,
    high: Any,
    n: int,
    gamma: float = 1.0,
) -> np.ndarray:
    """Where independent replicas, started uniformly in a box, are after n steps."""
    driven = lab.drive(U, lab.generator.uniform(low, high, size=(replicas, U.dim)))
    driven.advance(row(name, gamma, dt, T, n))
    return driven.walk.x.astype(float)


def plane(
    name: str, law: str, U: Any, points: np.ndarray, T: float, x: np.ndarray, y: np.ndarray
) -> Check:
    counts = np.histogram2d(points[:, 0], points[:, 1], [x, y])[0]
    return binned(name, law, counts, boltzmann_bins(U, T, [x, y], margin=1.0) * len(points))


def between_walls(lab: Lab, name: str, gamma: float, dt: float, replicas: int) -> Iterator[Check]:
    """A flat box, beyond whose walls the energy is not finite: uniform at any time step."""
    box = formula("1e-9*sqrt(x*(1 - x))")
    driven = lab.drive(box, lab.generator.uniform(0.4, 0.6, size=(replicas, 1)))
    if not getattr(driven.backend, "turns_back", False):  # a backend that leaves walls to the run
        return
    driven.walk.wall = True
    driven.advance(row(name, gamma, dt, 0.5, 150))
    counts = np.histogram(driven.walk.x.astype(float)[:, 0], np.linspace(0, 1, 21))[0]
    law = "$p(x) = 1$ between walls"
    what = f"box with walls, {name} at gamma dt = {gamma * dt:g}"
    yield binned(what, law, counts, np.full(20, replicas / 20))


def ratio(lab: Lab, name: str) -> Check:
    """ln p(U; T2)/p(U; T1) is a line of slope 1/T1 - 1/T2: its maximum-likelihood slope (Shirts
    2013), whatever the density of states.
    """
    temperatures, well = (0.9, 1.1), formula("x**4/4 + y**4/4 + x**2*y**2/4 + x*y/5")
    energies = []
    for T in temperatures:
        x = final(lab, well, T, 0.08, name, lab.replicas(60_000, 4000), -1.5, 1.5, 400)
        energies.append(well.energy(x))
    u = np.concatenate(energies)
    hot = np.repeat([0.0, 1.0], [len(e) for e in energies])
    slope, error = logistic(u, hot)
    difference = r"\left(\frac{1}{T_1} - \frac{1}{T_2}\right)"
    law = rf"$\ln \frac{{p_2(U)}}{{p_1(U)}} = {difference} U + \mathrm{{const}}$"
    exact = 1 / temperatures[0] - 1 / temperatures[1]
    return estimated(f"energies at T = 0.9 and 1.1, {name}", law, slope, error, exact, 0.002)


def logistic(u: np.ndarray, hot: np.ndarray) -> tuple[float, float]:
    """Slope of the log odds of `hot` against u, by Newton's method, and its standard error."""
    design, weights = np.stack([np.ones_like(u), u], axis=1), np.zeros(2)
    for _ in range(30):
        p = 1 / (1 + np.exp(-design @ weights))
        fisher = design.T @ (design * (p * (1 - p))[:, None])
        step = np.linalg.solve(fisher, design.T @ (hot - p))
        weights += step
        if np.max(np.abs(step)) < 1e-10:
            break
    return float(weights[1]), float(np.sqrt(np.linalg.inv(fisher)[1, 1]))
