"""Annealing against quenching
==============================

A tilted double well: all replicas start in the wrong well, and only slow cooling brings them out.
At equal cost a quench that never gets hot stays where it is; one that is hot for the first half
keeps the shares of the hot equilibrium, frozen in. Success is a descent from the last point;
intervals are 95 %.
"""

import matplotlib.pyplot as plt

import langevin_sa as lsa
from langevin_sa import plots
from langevin_sa.schedules import exponential, quench


def main(quick: bool = False) -> lsa.Comparison:
    """The comparison of three schedules."""
    laws = {
        "anneal": exponential(1.0, 0.01),
        "hot, then quench": quench(1.0, 0.01, at=0.5),
        "quench": quench(1.0, 0.01),
    }
    found = lsa.compare(
        lsa.potentials.double_well(tilt=0.3),
        {name: lsa.Schedule(law, gamma=1.0, dt=0.1) for name, law in laws.items()},
        x0=[0.96],
        replicas=200 if quick else 1000,
        n_steps=10_000 if quick else 100_000,
        rng=1,
    )
    with plt.rc_context(plots.STYLE):
        figure = plt.figure(figsize=(4.8, 8.6), layout="constrained")
        axes = figure.subplot_mosaic([["U"], ["p"], ["T"], ["ends"]], height_ratios=[1, 1, 1, 1.8])
        plots.comparison(found, [axes[k] for k in "UpT"])
        plots.ends(found, ax=axes["ends"])
    return found


if __name__ == "__main__":
    print(main())
    plt.show()
