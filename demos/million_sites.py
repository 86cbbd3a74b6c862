"""A chain of a million sites
=============================

A chain of 10^6 coupled double wells: the faster it is cooled, the more kinks stay behind, as the
defects of a quenched material. One replica is enough, for the chain averages over itself: bars of
95 % come from 100 stretches of it.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import FixedLocator, NullLocator

import langevin_sa as lsa
from langevin_sa import plots
from langevin_sa.schedules import linear

HOT, DT = 0.5, 0.2


def main(quick: bool = False) -> dict[int, tuple[float, float]]:
    """Kinks a site and their standard error for each number of steps."""
    sites, lengths = (10_000, (30, 100, 300)) if quick else (1_000_000, (100, 300, 1000, 2000))
    U = lsa.potentials.phi4_chain(sites)
    found, chains = {}, {}
    with plt.rc_context(plots.STYLE):
        _, (top, bottom) = plt.subplots(2, 1, figsize=(4.8, 6.0), layout="constrained")
        for n_steps in lengths:
            run = lsa.anneal(
                U,
                None,
                lsa.Schedule(linear(HOT, 0.0), gamma=0.5, dt=DT),
                n_steps,
                replicas=1,
                rng=1,
                record_every=n_steps,
            )
            x = run.state.x[0]
            walls = np.append(np.diff(np.sign(x)) != 0, False).reshape(100, -1).mean(axis=1)
            found[n_steps] = float(walls.mean()), float(walls.std(ddof=1) / 10)
            chains[n_steps] = x[:300]
        for k, (n_steps, colour) in enumerate(
            zip((lengths[0], lengths[-1]), (plots.RED, plots.BLUE), strict=True)
        ):
            top.plot(chains[n_steps] + 3 * k, color=colour, label=f"{n_steps:,} steps")
        kinks, error = np.array(list(found.values())).T
        bottom.errorbar(
            DT * np.array(lengths), kinks, 1.96 * error, color=plots.BLUE, marker="o", capsize=3
        )
        top.set(
            xlabel="site (the first 300)",
            ylabel="$x_i$ (length), shifted",
            ylim=(-1.6, 5.9),
            yticks=[-1, 1, 2, 4],
        )
        top.set_yticklabels(["-1", "1"] * 2)
        top.legend(loc="upper center", ncols=2)
        bottom.set(
            xlabel=r"cooling time $\tau$ (time)", ylabel="kinks a site", xscale="log", yscale="log"
        )
        for axis, ticks in (
            (bottom.xaxis, (20, 50, 100, 200, 400)),
            (bottom.yaxis, (0.02, 0.03, 0.04, 0.05)),
        ):
            axis.set_major_locator(FixedLocator(ticks))
            axis.set_major_formatter("{x:g}")
            axis.set_minor_locator(NullLocator())
    return found


if __name__ == "__main__":
    for n_steps, (kinks, error) in main().items():
        print(f"{n_steps:,} steps: {kinks:.5f} +- {error:.5f} kinks a site")
    plt.show()
