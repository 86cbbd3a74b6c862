"""Two funnels of Lennard-Jones clusters
========================================

13 atoms fall into their icosahedron; 38 miss the fcc octahedron, for the wrong funnel is the
wider. Energies after a descent from the last point, of replicas annealed or quenched with equal
cost. For 38 atoms the lowest minimum (fcc, -173.93) and that of the icosahedral funnel (-173.25)
are marked. Annealing goes deeper in both, but at this cost it does not find the octahedron: above
the solid transition icosahedral order has the higher entropy, and below it the crossing takes
longer than the run. Basin hopping, which jumps without heat, is the better tool. The few energies
near -38 for 13 atoms are clusters that lost an atom while hot.
"""

import matplotlib.pyplot as plt
import numpy as np

import langevin_sa as lsa
from langevin_sa import plots
from langevin_sa.schedules import exponential

MARKS = {13: {"icosahedron": -44.327}, 38: {"fcc": -173.928, "icosahedral": -173.252}}
HOT, COLD = {13: 0.25, 38: 0.30}, 0.05


def main(quick: bool = False) -> dict[int, lsa.Comparison]:
    """The comparison for each size."""
    sizes = {13: (16, 2_000), 38: (4, 300)} if quick else {13: (256, 50_000), 38: (32, 200_000)}
    found = {}
    with plt.rc_context(plots.STYLE):
        _, axes = plt.subplots(2, 1, figsize=(4.8, 6.4), layout="constrained")
        for ax, (atoms, (replicas, n_steps)) in zip(axes, sizes.items(), strict=True):
            methods = {
                "anneal": lsa.Schedule(exponential(HOT[atoms], COLD), gamma=1.0, dt=0.025),
                "quench": lsa.Schedule(COLD, gamma=1.0, dt=0.025),
            }
            found[atoms] = lsa.compare(
                lsa.potentials.lennard_jones(atoms),
                methods,
                replicas=replicas,
                n_steps=n_steps,
                rng=1,
                epochs=1,
            )
            energies = [outcome.energies["polished"] for outcome in found[atoms].outcomes.values()]
            lowest, width = (
                min(map(np.min, energies)),
                np.ptp(np.quantile(energies, [0, 0.98])) / 20,
            )
            edges = lowest + width * np.arange(23)  # no bar begins below the lowest energy
            weights = [np.full(len(e), 100 / len(e)) for e in energies]
            ax.hist(
                energies, edges, weights=weights, color=[plots.BLUE, plots.RED], label=list(methods)
            )
            for (name, energy), dashes in zip(MARKS[atoms].items(), ("--", ":"), strict=False):
                ax.axvline(
                    energy, color=plots.BLACK, linestyle=dashes, label=f"{name}, {energy:.2f}"
                )
            ax.set(
                xlabel="energy after descent ($\\epsilon$)",
                ylabel="replicas (%)",
                title=f"{atoms} atoms, {n_steps:,} steps",
            )
            ax.set_ylim(0, 1.4 * ax.get_ylim()[1])
            ax.set_yticks([tick for tick in ax.get_yticks() if tick <= 100])
            ax.legend(loc="upper right")
    return found


if __name__ == "__main__":
    for comparison in main().values():
        print(comparison, "\n")
    plt.show()
