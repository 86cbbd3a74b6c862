"""Equipartition in a stiff chain: each of 1,000 normal modes has its own temperature and none
borrows from another.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import stats

from ...integrators import INTEGRATORS
from ...potentials import harmonic_chain
from ..lab import MEASURED, Check, Lab, sampled, unit_row

TITLE = "Equipartition in a chain of 1,000 modes"
T, GAMMA_DT, BANDS, EVERY = 0.7, 0.4, 5, 20


def checks(lab: Lab) -> Iterator[Check]:
    dim = 200 if lab.slow else 1000
    chain = harmonic_chain(dim=dim, k=0.7, pinning=0.1)
    stiffness, modes = spectrum(chain, dim)
    replicas, rounds = lab.replicas(128, 48), lab.steps(30)
    for name in MEASURED:
        steps = unit_row(name, GAMMA_DT, T, 1)
        conf, eq22, kinetic = (v * steps.sustained / T for v in steps.stationary(stiffness))
        start = lab.generator.normal(size=(replicas, dim)) * np.sqrt(T * conf / stiffness)
        driven = lab.drive(chain, start @ modes.T)
        driven.advance(unit_row(name, GAMMA_DT, T, 150))
        driven.forget()
        total = np.zeros((replicas, dim))
        for _ in range(rounds):
            driven.advance(unit_row(name, GAMMA_DT, T, EVERY))
            total += stiffness * (driven.walk.x.astype(float) @ modes) ** 2
        measured = total / rounds / (T * conf)
        law = r"$k_j \langle q_j^2 \rangle = T$"
        if not INTEGRATORS[name].exact:
            law = r"$k_j \langle q_j^2 \rangle = T\,(1 - pa)/(1 - a/4)$"
        for band in np.array_split(np.arange(dim), BANDS):
            low, high = np.sqrt(stiffness[band[[0, -1]]])
            where, mean = f"omega dt = {low:.2f} to {high:.2f}", measured[:, band].mean(1)
            yield sampled(f"{name}, modes of {where}", f"{law} (ratio)", mean, 1.0, lab.rounding)
        yield worst(f"{name}, the worst of {dim} modes", law, measured, rounds, lab.rounding)
        n = rounds * EVERY * dim
        for what, unit, total, exact in (
            ("kinetic T", r"\Delta x_T^2", driven.walk.kinetic, kinetic),
            ("Eq. (22)", r"\Delta t^2", driven.walk.dx2, eq22),
        ):
            law, hot = rf"$\langle dx^2 \rangle / {unit}$", T * float(np.mean(exact))
            yield sampled(f"{name}, {what}", law, total / n, hot, lab.rounding)


def spectrum(chain: object, dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues and eigenvectors of the Hessian, which is the gradient of unit vectors."""
    hessian = chain.gradient(np.eye(dim))  # type: ignore[attr-defined]
    return np.linalg.eigh((hessian + hessian.T) / 2)


def worst(name: str, law: str, measured: np.ndarray, looks: int, tolerance: float) -> Check:
    """The mode that deviates most by chi-square of its replicas' looks, with the chance that one of
    so many deviates as much (Bonferroni).

    Looks 20 steps apart correlate by rho^10 < 0.02 at most, their squares by that squared, which is
    nothing here.
    """
    n, dim = measured.shape[0] * looks, measured.shape[1]
    mean = measured.mean(0)
    above = stats.chi2.sf(n * mean / (1 + tolerance), n)
    below = stats.chi2.cdf(n * mean / (1 - tolerance), n)
    p = np.minimum(above, below)
    j, error = int(np.argmin(p)), float(np.sqrt(2 / n))
    chance = min(1.0, 2 * dim * float(p[j]))
    return Check(name, f"{law} (ratio)", float(mean[j]), 1.0, error, tolerance, chance)
