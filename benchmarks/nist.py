"""Energy and pressure of the Lennard-Jones fluid, measured along the run, against NIST.

References: NIST Standard Reference Simulation Website, Lennard-Jones fluid, NVT Monte Carlo: 500
particles, the formula cut at 3 sigma and not shifted, corrected for what lies beyond at g(r) = 1.
Ours are moved by the formula cut and shifted, with the same forces inside the cut-off; energies are
of the formula without the shift, and nothing impulsive is added, as there.
"""

from __future__ import annotations

import os

import click
import numpy as np

import langevin_sa as lsa
from langevin_sa import observables
from langevin_sa.thermometers import average

PARTICLES, TEMPERATURE, CUTOFF, GAMMA = 500, 0.85, 3.0, 1.0
# density: (U/N, p), each with its standard deviation
NIST = {
    0.776: ((-5.5121, 4.55e-4), (6.7714e-3, 1.72e-3)),
    0.86: ((-6.0305, 2.38e-3), (1.2660, 1.36e-2)),
}


def measure(density: float, steps: int, replicas: int, dt: float) -> lsa.Result:
    """A run at one state point; its history has U/N and p of every replica, after a melting at
    three times the temperature in the first tenth, which is thrown away with the next.
    """
    U = lsa.potentials.lennard_jones_fluid(PARTICLES, density, cutoff=CUTOFF)
    T = lsa.schedules.stepwise([(0, 3 * TEMPERATURE), (0.05, TEMPERATURE)])

    def fluid(x: np.ndarray) -> np.ndarray:
        u = observables.energy(U, x, tail=True) / PARTICLES
        return np.stack([u, observables.pressure(U, x, TEMPERATURE, tail=True)], axis=-1)

    return lsa.anneal(
        U,
        None,
        lsa.Schedule(T, GAMMA, dt),
        steps,
        replicas=replicas,
        record_every=max(1, round(2.0 / dt)),
        rng=17,
        threads=int(os.environ.get("THREADS", "1")),
        observables={"fluid": observables.PerReplica(fluid)},
    )


@click.command()
@click.option("--steps", default=20_000, show_default=True)
@click.option("--replicas", default=16, show_default=True)
@click.option("--dt", default=0.004, show_default=True)
def main(steps: int, replicas: int, dt: float) -> None:
    """Compare two state points."""
    for density, references in NIST.items():
        found = measure(density, steps, replicas, dt).history.fluid
        found = found[len(found) // 5 :]
        for k, (name, (reference, error)) in enumerate(zip(("U/N", "p"), references, strict=True)):
            ours = average(found[:, :, k])
            sigma = float(np.hypot(error, ours.standard_error))
            print(
                f"rho {density}  {name:4s}{ours.value:9.4f} +- {ours.standard_error:.4f}   "
                f"NIST {reference:8.4f} +- {error:.4f}   {(ours.value - reference) / sigma:+.1f} "
                "sigma",
                flush=True,
            )


if __name__ == "__main__":
    main()
