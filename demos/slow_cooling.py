"""Slow cooling finds the lower well
===================================

1,000 replicas start in the upper of two wells. Those cooled slowly leave it; sudden cooling freezes
in the shares of the hot equilibrium. This is the picture in the README.
"""

import matplotlib.pyplot as plt
import numpy as np

import langevin_sa as lsa
from langevin_sa import plots

HOT, COLD = 2.0, 0.01
COOLING = {
    "annealed": (plots.BLUE, lsa.schedules.exponential(HOT, COLD)),
    "quenched": (plots.RED, lsa.schedules.quench(HOT, COLD, at=0.1)),
}


def main(quick: bool = False) -> dict[str, float]:
    """The share of replicas that ended in the lower well."""
    well, steps = lsa.potentials.double_well(tilt=0.3), 10_000 if quick else 100_000
    start = np.full((1000, 1), 1.0)
    with plt.rc_context(plots.STYLE):
        figure = plt.figure(figsize=(4.8, 6.4), layout="constrained")
        axes = figure.subplot_mosaic([["U"], ["share"], ["T"]], height_ratios=[3, 2, 1.3])
        landscape = plots.landscape(well, ax=axes["U"])
        arrow = {"arrowstyle": "-|>", "color": plots.BLACK}
        landscape.annotate(
            "1,000 replicas\nstart here", (0.97, 0.34), (0.7, 1.25), ha="center", arrowprops=arrow
        )
        shares = {}
        for row, (name, (colour, law)) in enumerate(COOLING.items()):
            schedule = lsa.Schedule(law, gamma=1.0, dt=0.1)
            run = lsa.anneal(
                well, start, schedule, steps, rng=1, samples=True, record_every=steps // 200
            )
            share = (run.samples[:, :, 0] < 0).mean(axis=1)
            shares[name] = float(share[-1])
            axes["share"].plot(run.history.step / 1000, 100 * share, color=colour, label=name)
            axes["T"].plot(run.history.step / 1000, run.history.temperature, color=colour)
            for x, part in ((-1.0, share[-1]), (0.95, 1 - share[-1])):
                landscape.text(
                    x,
                    -0.75 - 0.3 * row,
                    f"{name}: {100 * part:.1f} %",
                    color=colour,
                    ha="center",
                    fontweight="bold",
                )
        landscape.set_ylim(-1.25, 2.3)
        axes["share"].set(ylabel="in the lower well (%)", ylim=(0, 102))
        axes["share"].tick_params(labelbottom=False)
        axes["share"].legend(loc="lower right")
        axes["T"].set(xlabel="step (thousands)", ylabel="measured $T$\n(energy)", yscale="log")
        axes["T"].sharex(axes["share"])
        figure.align_ylabels([axes["share"], axes["T"]])
    return shares


if __name__ == "__main__":
    for name, share in main().items():
        print(f"{name}: {100 * share:.1f} % end in the lower well")
    plt.show()
