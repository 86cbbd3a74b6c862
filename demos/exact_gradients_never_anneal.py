"""Exact gradients never anneal
===============================

With exact gradients CoolMomentum's ramp of rho is damping, and no replica leaves the wrong well.
Annealing needs the noise of stochastic gradients (or one added): the share that reaches the lower
well against the standard deviation of a constant random force, with Wilson's 95 % interval.
"""

import matplotlib.pyplot as plt
import numpy as np

import langevin_sa as lsa
from langevin_sa import plots


def main(quick: bool = False) -> dict[float, tuple[float, float, float]]:
    """Share in the lower well for each strength of the noise."""
    methods = {
        noise: lsa.CoolMomentum(lr=0.01, rho0=0.99, noise=noise)
        for noise in (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0)
    }
    found = lsa.compare(
        lsa.potentials.double_well(tilt=0.3),
        {f"{noise:g}": method for noise, method in methods.items()},
        x0=[0.96],
        replicas=200 if quick else 2000,
        n_steps=2_000 if quick else 20_000,
        rng=1,
        epochs=1,
    )
    shares = {noise: found[f"{noise:g}"].success for noise in methods}
    noise = np.array(list(shares))
    share, low, high = 100 * np.array(list(shares.values())).T
    with plt.rc_context(plots.STYLE):
        _, ax = plt.subplots(figsize=(5.4, 3.5), layout="constrained")
        ax.errorbar(
            noise, share, [share - low, high - share], color=plots.BLUE, marker="o", capsize=3
        )
        ax.annotate(
            "exact gradients:\nno replica",
            (0.08, 0.5),
            (2.0, 25),
            arrowprops={"arrowstyle": "-|>", "color": plots.BLACK},
        )
        ax.set(
            xlabel="standard deviation of the random force (energy/length)",
            ylabel="ended in the lower well (%)",
            ylim=(-4, 104),
        )
    return shares


if __name__ == "__main__":
    for noise, share in main().items():
        print(f"noise {noise:g}: {share}")
    plt.show()
