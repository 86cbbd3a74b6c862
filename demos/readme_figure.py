"""Slow cooling finds the lower well, sudden cooling does not: 1,000 replicas that all start in the wrong well.

Draws docs/figures/anneal_vs_quench.png, the picture in the README.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import langevin_sa as lsa
from langevin_sa import plots

FIGURE = Path(__file__).parents[1] / "docs" / "figures" / "anneal_vs_quench.png"
HOT, COLD, STEPS = 2.0, 0.01, 100_000
COOLING = {
    "annealed": (plots.BLUE, lsa.schedules.exponential(HOT, COLD)),
    "quenched": (plots.RED, lsa.schedules.quench(HOT, COLD, at=0.1)),
}


def main() -> dict[str, float]:
    """Run both, draw the figure, and return the share of replicas that ended in the lower well."""
    well = lsa.potentials.double_well(tilt=0.3)
    start = np.full((1000, 1), 1.0)
    with plt.rc_context(plots.STYLE):
        figure = plt.figure(figsize=(9.6, 3.7), layout="constrained")
        axes = figure.subplot_mosaic([["U", "share"], ["U", "T"]], height_ratios=[2, 1])
        landscape = plots.landscape(well, ax=axes["U"])
        landscape.annotate(
            "1,000 replicas\nstart here", (0.97, 0.34), (0.7, 1.25), ha="center", arrowprops={"arrowstyle": "-|>", "color": plots.BLACK}
        )
        shares = {}
        for row, (name, (colour, law)) in enumerate(COOLING.items()):
            schedule = lsa.Schedule(law, gamma=1.0, dt=0.1)
            run = lsa.anneal(well, start, schedule, STEPS, rng=1, samples=True, record_every=500)
            share = (run.samples[:, :, 0] < 0).mean(axis=1)
            shares[name] = float(share[-1])
            axes["share"].plot(run.history.step / 1000, 100 * share, color=colour, label=name)
            axes["T"].plot(run.history.step / 1000, run.history.temperature, color=colour)
            for x, part in ((-1.0, share[-1]), (0.95, 1 - share[-1])):
                landscape.text(x, -0.62 - 0.17 * row, f"{name}: {100 * part:.1f} %", color=colour, ha="center", fontweight="bold")
        landscape.set_ylim(-0.95, 2.3)
        axes["share"].set(ylabel="in the lower well (%)", ylim=(0, 102))
        axes["share"].tick_params(labelbottom=False)
        axes["share"].legend(loc="lower right")
        axes["T"].set(xlabel="step (thousands)", ylabel="measured $T$\n(energy)", yscale="log")
        axes["T"].sharex(axes["share"])
        figure.align_ylabels([axes["share"], axes["T"]])
        FIGURE.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(FIGURE, dpi=130)
        plt.close(figure)
    return shares


if __name__ == "__main__":
    for name, share in main().items():
        print(f"{name}: {100 * share:.1f} % end in the lower well")
    print(f"drawn: {FIGURE}")
