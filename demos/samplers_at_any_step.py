"""Samplers that may refuse a step
==================================

Metropolis, MALA and GHMC keep Boltzmann's density at any time step; a Langevin integrator keeps it
up to an error that grows with the step. Shares of wells against the step, in a tilted double well
and on Müller and Brown's surface at T = 22, of replicas that start at the exact density.
"""

import matplotlib.pyplot as plt
import numpy as np

import langevin_sa as lsa
from langevin_sa import plots, thermometers
from langevin_sa.optimizers import GHMC, MALA, Metropolis

WELL = lsa.potentials.double_well(tilt=0.3)
BROWN = lsa.potentials.muller_brown()
SIDES = [np.linspace(-2.4, 1.8, 1401), np.linspace(-1.2, 2.8, 1333)]
CASES = {  # potential, T, gamma, time steps, grid, a well
    "tilted double well, T = 0.4: upper well": (
        *(WELL, 0.4, 1.0, (0.1, 0.2, 0.3), [np.linspace(-3, 3, 6001)]),
        lambda x: x[:, 0] > 0,
    ),
    "Müller and Brown, T = 22: well A": (
        *(BROWN, 22.0, 10.0, (0.012, 0.018, 0.024), SIDES),
        lambda x: x[:, 1] > 0.8,
    ),
}
STYLES = {
    "gjf": (plots.BLUE, "s", "GJF"),
    "mala": (plots.ORANGE, "o", "MALA"),
    "ghmc": (plots.GREEN, "^", "GHMC"),
    "metropolis": (plots.BLACK, "x", "Metropolis"),
}


def deviations(potential, T, gamma, dt, sides, well, replicas):
    """Share in the well over the exact one, less 1, of each method, and its standard error."""
    weights = thermometers.boltzmann_density(potential, T, sides).ravel()
    weights /= weights.sum()
    cells = np.stack(np.meshgrid(*sides, indexing="ij"), -1).reshape(-1, len(sides))
    start = cells[np.random.default_rng(1).choice(len(cells), replicas, p=weights)]
    methods = {
        "gjf": lsa.Schedule(T, gamma, dt),
        "mala": MALA(T, dt**2 / 2),
        "ghmc": GHMC(T, gamma, dt),
        "metropolis": Metropolis(T, np.sqrt(T) * dt, adapt=0.0),
    }
    asked = {"x0": start, "n_steps": 100, "epochs": 1, "judged": "final", "tolerance": 1.0}
    found = lsa.compare(potential, methods, **asked, rng=1)
    exact = weights @ well(cells)
    error = np.sqrt((1 - exact) / exact / replicas)
    return {name: (np.mean(well(found[name].x)) / exact - 1, error) for name in methods}


def main(quick: bool = False) -> dict[str, float]:
    """The largest deviation of each method, in standard errors."""
    replicas = 2000 if quick else 100_000
    worst = dict.fromkeys(STYLES, 0.0)
    with plt.rc_context(plots.STYLE):
        _, axes = plt.subplots(2, 1, figsize=(4.8, 6.4), layout="constrained")
        for ax, (title, (U, T, gamma, steps, sides, well)) in zip(axes, CASES.items(), strict=True):
            for k, dt in enumerate(steps):
                found = deviations(U, T, gamma, dt, sides, well, replicas)
                for m, (name, (off, error)) in enumerate(found.items()):
                    worst[name] = max(worst[name], abs(off / error))
                    colour, marker, label = STYLES[name]
                    at, look = dt * (1 + 0.02 * (m - 1.5)), {"mfc": "none", "capsize": 2}
                    look |= {"label": label if k == 0 else None, "fmt": marker, "c": colour}
                    ax.errorbar(at, 100 * off, 100 * error, **look)
            ax.axhline(0, color="0.6")
            ax.set(title=title, xlabel=r"time step $\Delta t$ (time)", ylabel="share, off by (%)")
        axes[0].legend(loc="lower left")
    return worst


if __name__ == "__main__":
    print({name: f"{off:.1f} standard errors at most" for name, off in main().items()})
    plt.show()
