"""Gas, liquid, crystal
====================

Lennard-Jones particles at three densities, looked at along the run: the radial distribution g(r)
and the structure factor S(k) are columns of the history, means over replicas at each record.
"""

from functools import partial

import matplotlib.pyplot as plt
import numpy as np

import langevin_sa as lsa
from langevin_sa import observables, plots

STATES = {  # density, temperature
    "gas": (0.05, 1.3, plots.RED),
    "liquid": (0.776, 0.85, plots.BLUE),
    "crystal": (1.05, 0.5, plots.GREEN),
}


def main(quick: bool = False) -> dict[str, np.ndarray]:
    """g(r) of each state, bins of 0.04 from 0.8 to 2."""
    particles, cutoff, n_steps = (108, 2.0, 400) if quick else (256, 2.5, 4000)
    with plt.rc_context(plots.STYLE):
        _, axes = plt.subplots(2, 1, figsize=(4.8, 6.4), layout="constrained")
        found = {}
        for name, (density, T, colour) in STATES.items():
            U = lsa.potentials.lennard_jones_fluid(particles, density, cutoff=cutoff)
            edges = np.arange(0.8, U.formula.box.min() / 2, 0.04)
            k = observables.wave_vectors(U, 5.0 if quick else 14.0)
            k = k[:: len(k) // 1000 + 1]  # enough of many
            asked = {
                "g": partial(observables.radial_distribution, U, edges=edges),
                "S": partial(observables.structure_factor, U, k=k),
            }
            schedule = lsa.Schedule(T, gamma=1.0, dt=0.005)
            how = {"replicas": 4, "rng": 1, "record_every": n_steps // 20}
            run = lsa.anneal(U, None, schedule, n_steps, observables=asked, **how)
            g, S = (run.history[column][5:].mean(0) for column in ("g", "S"))
            axes[0].plot((edges[1:] + edges[:-1]) / 2, g, color=colour, label=name)
            shell = (np.sqrt((k**2).sum(1)) / 0.25).astype(int)  # of nearly equal k
            sums, numbers = np.bincount(shell, S), np.bincount(shell)
            there = np.flatnonzero(numbers)
            axes[1].plot((there + 0.5) / 4, sums[there] / numbers[there], color=colour, label=name)
            found[name] = g[:30]
        axes[0].set(xlabel="$r$ (length)", ylabel="$g(r)$", xlim=(0.8, 3.5))
        axes[1].set(xlabel="$k$ (1/length)", ylabel="$S(k)$", yscale="log")
        axes[0].legend()
    return found


if __name__ == "__main__":
    for state, g in main().items():
        print(f"{state:8s} highest g = {g.max():.2f} at r = {0.82 + 0.04 * g.argmax():.2f}")
    plt.show()
