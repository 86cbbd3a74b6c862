"""Traps that are dragged and stiffened: the work that moving parameters do, and the free energies
that follow from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ...schedules import constant, linear
from ...statistics import bennett
from ..lab import MEASURED, OVERDAMPED, Check, Lab, estimated, formula, row, sampled, variance
from ..laws import trap_work

TITLE = "Work: Jarzynski and Crooks"
T, GAMMA, DT, BURN, N = 0.7, 1.0, 0.3, 60, 40
DRAGGED, STIFFENED = ((1.0, 1.0), (0.0, 2.0)), ((1.0, 3.0), (0.5, 0.5))  # of k, of the place


def checks(lab: Lab) -> Iterator[Check]:
    replicas = lab.replicas(12_000, 400)
    for name in MEASURED + OVERDAMPED:
        dt = DT / 2 if name in OVERDAMPED else DT
        work, (mean, spread, _) = driven_trap(lab, name, dt, replicas, *DRAGGED)
        law = r"$\langle W \rangle$, exact recursion"
        yield sampled(f"work of a dragged trap, {name}", law, work, mean, lab.rounding)
        law = r"$\langle W^2 \rangle - \langle W \rangle^2$, exact recursion"
        yield variance(f"its variance, {name}", law, work - mean, spread, spread * lab.rounding)
        work, (_, _, exact) = driven_trap(lab, name, dt, replicas, *STIFFENED)
        law = r"$\langle e^{-W/T} \rangle = e^{-\Delta F/T}\,(1 + O(\Delta t^2))$"
        yield sampled(f"stiffened trap, {name}", law, np.exp(-work / T), exact, lab.rounding)
    there, _ = driven_trap(lab, "gjf", DT / 3, replicas, *STIFFENED)
    back, _ = driven_trap(lab, "gjf", DT / 3, replicas, *(pair[::-1] for pair in STIFFENED))
    exact = T / 2 * np.log(STIFFENED[0][1] / STIFFENED[0][0])
    law = r"$P(W)/P_{\rm rev}(-W) = e^{(W - \Delta F)/T}$"
    yield estimated("Bennett's acceptance ratio", law, *bennett(there, back, T), exact, 0.003 * T)


def driven_trap(
    lab: Lab, name: str, dt: float, replicas: int, k: Any, a: Any
) -> tuple[np.ndarray, tuple[float, float, float]]:
    """Work on each replica of a trap whose stiffness and place go from the first to the second
    value, after a while at the first; and what it should be.
    """
    laws = {"k": linear(*k), "a": linear(*a) if a[0] != a[1] else constant(a[0])}
    trap, width = formula("k*(x - a)**2/2", **laws), float(np.sqrt(T / k[0]))
    start = a[0] + width * lab.generator.normal(size=(replicas, 1))
    driven = lab.drive(trap.at(0), start)
    steps, progress = row(name, GAMMA, dt, T, BURN + N), np.arange(N + 1) / N
    driven.advance(steps.part(0, BURN))
    driven.advance(replace(steps.part(BURN, BURN + N), drive=trap.formula.drive(progress)))
    held = np.concatenate([np.zeros(BURN), progress])
    stiffness, place = (v[0] + (v[1] - v[0]) * held for v in (k, a))
    return np.asarray(driven.walk.work), trap_work(steps, stiffness, place, T, width)
