"""Where annealing does not pay: the spherical spin glass
=========================================================

Here a quench is as good as the best cooling, and slow cooling loses at every cost. The landscape
has no barriers: all stationary points but the two minima are saddles (Kosterlitz, Thouless, Jones
1976). A quench slides down at once and then creeps along the flattest direction. Linear cooling
keeps the energy T*dim/2 of its temperature almost to the end; exponential cooling is cold most of
the time, and so nearly a quench. Noise pays where there are barriers to cross.
"""

import matplotlib.pyplot as plt
import numpy as np

import langevin_sa as lsa
from langevin_sa import plots
from langevin_sa.schedules import exponential, linear

DIM, HOT, COLD = 200, 1.0, 1e-6


def main(quick: bool = False) -> dict[str, np.ndarray]:
    """For each way of cooling: mean residual energy a site with its interval, (lengths, 3)."""
    U = lsa.potentials.spin_glass(DIM)
    lengths = (30, 100, 300) if quick else (100, 200, 400, 800, 1600, 3200)
    laws = {
        "linear cooling": linear(HOT, COLD),
        "exponential cooling": exponential(HOT, COLD),
        "quench": COLD,
    }
    methods = {name: lsa.Schedule(law, gamma=1.0, dt=0.1) for name, law in laws.items()}
    found = [
        lsa.compare(
            U, methods, replicas=16 if quick else 64, n_steps=n, rng=1, epochs=1, judged="final"
        )
        for n in lengths
    ]
    residual = {name: np.array([c[name].residual for c in found]) / DIM for name in methods}
    with plt.rc_context(plots.STYLE):
        _, ax = plt.subplots(figsize=(5.6, 4.0), layout="constrained")
        for (name, values), colour, marker in zip(
            residual.items(), (plots.BLUE, plots.GREEN, plots.RED), "os^", strict=True
        ):
            mean, low, high = values.T
            ax.errorbar(
                lengths,
                mean,
                [mean - low, high - mean],
                color=colour,
                marker=marker,
                capsize=3,
                label=name,
            )
        ax.axhline(
            COLD / 2, color=plots.BLACK, linestyle=":", linewidth=1, label="$T/2$ at the end"
        )
        ax.set(
            xlabel="steps",
            ylabel=r"$(\langle U \rangle - U_{\min})/N$ (energy)",
            xscale="log",
            yscale="log",
            ylim=(2e-7, 9),
        )
        ax.set_xticks(lengths, [f"{n}" for n in lengths])
        ax.minorticks_off()
        ax.legend(loc="upper right")
    return residual


if __name__ == "__main__":
    for name, values in main().items():
        print(
            name, *(f"{mean:.3g} [{low:.3g}, {high:.3g}]" for mean, low, high in values), sep="\n  "
        )
    plt.show()
