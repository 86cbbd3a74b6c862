"""The kinetic energy's whole distribution: in a harmonic well dx is Gaussian, so the energy of D
coordinates is Gamma(D/2, T).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import stats

from ...integrators import INTEGRATORS
from ...potentials import harmonic
from ..lab import MEASURED, OVERDAMPED, Check, Lab, binned, estimated, sampled, unit_row

TITLE = "Kinetic-energy distribution"
T, DIM = 0.7, 6


def checks(lab: Lab) -> Iterator[Check]:
    replicas = lab.replicas(60_000, 4000)
    for name in MEASURED + OVERDAMPED:
        steps = unit_row(name, 0.5, T, 80)
        conf, _, read = steps.part(0, 1).stationary(1.0)
        conf, read = (float(v[0]) * float(steps.sustained[0]) / T for v in (conf, read))
        start = lab.generator.normal(size=(replicas, DIM)) * np.sqrt(T * conf)
        driven = lab.drive(harmonic(dim=DIM, k=1.0), start)
        driven.advance(steps)
        energy = (driven.walk.dx.astype(float) ** 2).sum(1) / steps.velocity_scale[0] ** 2 / 2
        hot = T * read
        law = r"$\langle K \rangle = D T/2$"
        yield sampled(f"mean of K, {name}", law, energy, DIM / 2 * hot, lab.rounding)
        measured, spread = float(energy.var(ddof=1)), (energy - energy.mean()) ** 2
        law, error = r"$\mathrm{var}\,K = D T^2/2$", float(spread.std() / np.sqrt(replicas))
        exact = DIM / 2 * hot**2
        yield estimated(f"width of K, {name}", law, measured, error, exact, lab.rounding)
        law = r"$K \sim \mathrm{Gamma}(D/2, T)$"
        if not INTEGRATORS[name].exact:
            law += r", $T \to T_\mathrm{kin}$"
        edges = stats.gamma(DIM / 2, scale=hot).ppf(np.linspace(0, 1, 41))
        counts = np.histogram(energy, edges)[0]
        yield binned(f"shape of K, {name}", law, counts, np.full(40, replicas / 40))
