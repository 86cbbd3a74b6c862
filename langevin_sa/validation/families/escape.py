"""Escape over a barrier: the mean first-passage time from one well to the other, exact when
overdamped, Kramers' beyond.

An overdamped walk that is looked at after every step has a first-passage time that is exact at any
step (`laws.discrete_passage`) and tends to Pontryagin's integral as sqrt(h): a walk can be beyond
the end and back between two looks.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..lab import OVERDAMPED, Check, Lab, formula, identity, row, sampled
from ..laws import discrete_passage, kramers_rate, mean_first_passage

TITLE = "Escape over a barrier"
# -zeta(1/2)/sqrt(2 pi): looks between which x spreads by s see an end as if this times s further
SEEN_LATE = 0.5826


def energy(x: np.ndarray) -> np.ndarray:
    return (x**2 - 1) ** 2


def force(x: np.ndarray) -> np.ndarray:
    return -4 * x * (x**2 - 1)


def slope(x: np.ndarray) -> np.ndarray:
    return 4 - 12 * x**2


def checks(lab: Lab) -> Iterator[Check]:
    T, h = 1 / 3, 0.02
    inner = r"\int_{-\infty}^{y} dz\, e^{-U/T}"
    pontryagin = rf"$\tau = \frac{{\gamma}}{{T}} \int_{{-1}}^{{1}} dy\, e^{{U/T}} {inner}$"
    limit = mean_first_passage(energy, -1.0, 1.0, -3.0, T, 1.0)
    for name in OVERDAMPED:
        at = h / np.array([1, 2, 4, 8])
        exact = [discrete_passage(name, force, slope, -1.0, 1.0, -2.6, float(s), T) for s in at]
        to_zero = np.linalg.solve(at[:, None] ** [0, 0.5, 1, 1.5], exact)[0] / limit
        yield identity(f"{name}, law of the walk at steps to 0", pontryagin, to_zero, 1.0, 2e-3)
        times = passage(lab, name, 1.0, h, T, lab.replicas(4096, 400), exact[0])
        law = r"$\tau = h\,(1 - P_{x<1})^{-1} 1$"
        yield sampled(f"{name}, h = {h}", law, times / exact[0], 1.0)
    gamma, dt, look = 30.0, 0.15, 4  # the limit is off by omega^2/gamma^2, 0.9 % in the wells
    end = 1.0 + SEEN_LATE * np.sqrt(2 * T * look * dt / gamma)
    late = mean_first_passage(energy, -1.0, end, -3.0, T, gamma)
    times = passage(lab, "gjf", gamma, dt, T, lab.replicas(4096, 300), late, look)
    law = r"$\tau = \tau_\mathrm{overdamped} + O(\omega^2/\gamma^2)$"
    name = f"gjf at gamma = {gamma:g}, overdamped to 0.9 %"
    yield sampled(name, law, times / late, 1.0, 8 / gamma**2)
    T = 0.2
    for gamma in (1.0, 3.0):  # Kramers' formula is the first term in T/barrier
        kramers = 1 / kramers_rate(gamma, np.sqrt(8), 2.0, 1.0, T)
        times = passage(lab, "gjf", gamma, 0.08, T, lab.replicas(2048, 150), kramers, 10)
        law = r"$\tau = k_\mathrm{Kramers}^{-1}\,(1 + O(T/\Delta U))$"
        name = f"gjf at gamma = {gamma:g}, Kramers to T/barrier = {T:.0%}"
        yield sampled(name, law, times / kramers, 1.0, T)


def passage(
    lab: Lab,
    name: str,
    gamma: float,
    dt: float,
    T: float,
    replicas: int,
    expected: float,
    look: int = 1,
) -> np.ndarray:
    """First look at x - w >= 1, w the carried half kick, of replicas started at -1; those not there
    after 6 mean times get one more.
    """
    driven = lab.drive(formula("(x**2 - 1)**2"), np.full((replicas, 1), -1.0))
    time, times = 0.0, np.full(replicas, np.inf)
    steps = row(name, gamma, dt, T, look)
    while time < 6 * expected and times.max() == np.inf:
        driven.advance(steps)
        time += look * dt
        np.minimum(times, time, out=times, where=driven.walk.x[:, 0] - driven.walk.noise[:, 0] >= 1)
    return np.minimum(times, time + expected)
