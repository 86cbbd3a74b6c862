"""Slower is better, and how much: residual energy against cooling time in one double well and on Rastrigin's lattice of wells.

Two wells: one barrier B = 0.73 crossed ever later leaves about tau^(-D/B) of the energy D = 0.60 between them, with logarithmic
corrections (Huse, Fisher 1986). The fit over three decades gives 0.55 and is refused; over the last decade the slope is 0.7 and
still rising towards 0.82. Rastrigin in ten dimensions: fast at first, down the bowl, then slow, as the barriers, 20, are 20 times the
difference that decides. Neither law holds across that change, and no affordable time finds the minimum.
"""

import matplotlib.pyplot as plt
import numpy as np
from _figure import finish

import langevin_sa as lsa
from langevin_sa import plots
from langevin_sa.schedules import exponential


def main(quick: bool = False) -> dict[str, lsa.Cooling]:
    """Both cooling experiments."""
    well, rastrigin = lsa.potentials.double_well(tilt=0.3), lsa.potentials.rastrigin(10)
    steps = np.geomspace(300, 10_000 if quick else 300_000, 4 if quick else 7).astype(int)
    found = {
        "double well": lsa.cooling_rates(
            well, lsa.Schedule(exponential(1.0, 0.01), 1.0, 0.1), steps, x0=[0.96], replicas=200 if quick else 4000, rng=1
        ),
        "Rastrigin, 10 dimensions": lsa.cooling_rates(
            rastrigin, lsa.Schedule(exponential(5.0, 0.3), 1.0, 0.05), steps, replicas=32 if quick else 256, rng=1
        ),
    }  # fmt: skip
    with plt.rc_context(plots.STYLE):
        figure, axes = plt.subplots(2, 2, figsize=(9.8, 5.6), layout="constrained", sharex="col")
        for column, (name, cooling) in zip(axes.T, found.items(), strict=True):
            plots.cooling(cooling, column)
            column[0].set_title(name)
        for ax in axes[:, 1]:
            ax.set_ylabel("")
    finish(figure, __file__, quick)
    return found


if __name__ == "__main__":
    for name, cooling in main().items():
        print(f"{name}\n{cooling}\n")
