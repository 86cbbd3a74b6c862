"""Which temperature to trust
=============================

In a harmonic well at T = 1 with GJF, Eq. (22) as written reads (1 + rho)/2 of T, however small
omega*dt is; the integrator's own estimator and the configurational temperature read T. With BBK all
three read 1/(1 - (omega dt)^2/4), for BBK really is that hot.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np

import langevin_sa as lsa
from langevin_sa import plots

GAMMA_DT = 0.5
THERMOMETERS = {
    "eq22": ("Eq. (22)", plots.RED, "^"),
    "temperature": ("kinetic", plots.BLUE, "o"),
    "configurational": ("configurational", plots.GREEN, "x"),
}


def main(quick: bool = False) -> dict[tuple[str, float], dict[str, float]]:
    """Readings for each integrator and omega*dt."""
    replicas, n_steps = (500, 400) if quick else (20_000, 2_000)
    steps, found = (0.2, 0.6, 1.0, 1.4, 1.8), {}
    with plt.rc_context(plots.STYLE):
        _, axes = plt.subplots(2, 1, figsize=(4.8, 6.4), layout="constrained", sharex=True)
        curve = np.linspace(0.1, 1.85, 200)
        for ax, integrator in zip(axes, ("gjf", "bbk"), strict=True):
            for dt in steps:
                # omega = dt, so that omega*dt changes and gamma*dt does not
                U = lsa.potentials.harmonic(k=dt**2)
                x0 = np.random.default_rng(1).normal(size=(replicas, 1)) / dt
                schedule = lsa.Schedule(1.0, GAMMA_DT, 1.0)
                # of large time steps, the point here
                with warnings.catch_warnings(action="ignore", category=UserWarning):
                    how = {"integrator": integrator, "rng": 2, "record_every": 10}
                    run = lsa.anneal(U, x0, schedule, n_steps, **how)
                late = len(run.history.step) // 4
                means = {name: run.history[name][late:].mean() for name in THERMOMETERS}
                found[integrator, dt] = {name: float(mean) for name, mean in means.items()}
            hot = 1 / (1 - curve**2 / 4) if integrator == "bbk" else curve**0
            ax.plot(curve, hot, color=plots.BLACK, linewidth=1)
            if integrator == "gjf":
                rho = schedule.coefficients(1, integrator).rho[0]
                ax.axhline((1 + rho) / 2, color=plots.RED, linewidth=1, linestyle="--")
                ax.text(0.1, 0.68, r"$(1 + \rho)/2$", color=plots.RED)
            for name, (label, colour, marker) in THERMOMETERS.items():
                look = {"ms": 8, "mfc": "none", "mew": 1.6, "color": colour, "label": label}
                ax.plot(steps, [found[integrator, dt][name] for dt in steps], marker, **look)
            ax.set(ylabel="measured $T$ / set $T$", title=integrator.upper())
            ax.set(yscale="log", ylim=(0.6, 7))
            ax.set_yticks([0.8, 1, 2, 4], ["0.8", "1", "2", "4"])
            ax.minorticks_off()
        axes[1].set_xlabel(r"$\omega\,\Delta t$")
        axes[0].legend(loc="upper left")
    return found


if __name__ == "__main__":
    for (integrator, dt), reading in main().items():
        rounded = {name: round(value, 4) for name, value in reading.items()}
        print(integrator, f"omega dt = {dt}", rounded)
    plt.show()
