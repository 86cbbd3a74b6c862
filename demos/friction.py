"""How much friction crosses a barrier fastest
===========================================

Kramers' turnover. With little friction a replica keeps its energy for many oscillations and rarely
gains enough to cross; with much it diffuses slowly over the top. Rates between the wells of U =
(x^2 - 1)^2 as shares of that of transition state theory, against the friction in units of omega_b,
the root of the curvature at the top: about a third of it is best, and the optimum is flat. Kramers'
factor is the limit of high barriers on the right side. Bars are 95 %.
"""

import matplotlib.pyplot as plt
import numpy as np

import langevin_sa as lsa
from langevin_sa import plots

OMEGA_B, DT = 2.0, 0.05
FRICTIONS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 4.0)  # over omega_b
BARRIERS = {5: (plots.BLUE, "o"), 3: (plots.ORANGE, "s")}  # over T


def transition_state(U: lsa.Potential, T: float) -> float:
    """Rate at which an equilibrium in the left well streams over the top, if none came back."""
    x = np.linspace(-4, 0, 40_001)
    weight = np.exp(-U.energy(x[:, None]) / T)
    return float(np.sqrt(T / (2 * np.pi)) * weight[-1] / np.trapezoid(weight, x))


def crossing(U: lsa.Potential, T: float, gamma: float, replicas: int) -> tuple[float, float]:
    """The rate k of p' = k (1 - 2p), p the share in the right well, and its standard error."""
    length = 1.6 / transition_state(U, T) + 20 / gamma
    schedule, n = lsa.Schedule(T, gamma, DT), int(length / DT)
    how = {"replicas": replicas, "rng": 1, "samples": True, "record_every": max(1, n // 400)}
    run = lsa.anneal(U, [-1.0], schedule, n, start="thermal", **how)
    p = (run.samples[..., 0] > 0).mean(1)
    first, last = np.searchsorted(p, [0.1, 0.3]).clip(max=len(p) - 1)
    groups = (run.samples[[first, last], :, 0] > 0).reshape(2, 20, -1).mean(2)
    time = (run.history.step[last] - run.history.step[first]) * DT
    rates = np.log((1 - 2 * groups[0]) / (1 - 2 * groups[1])) / (2 * time)
    middle = np.log((1 - 2 * p[first]) / (1 - 2 * p[last])) / (2 * time)
    return float(middle), float(rates.std(ddof=1) / np.sqrt(20))


def main(quick: bool = False) -> dict[int, np.ndarray]:
    """For each E/T: an array of friction, share of transition state theory, standard error."""
    U, replicas = lsa.potentials.double_well(tilt=0.0), 1000 if quick else 20_000
    frictions, found = FRICTIONS[::4] if quick else FRICTIONS, {}
    with plt.rc_context(plots.STYLE):
        _, ax = plt.subplots(figsize=(4.8, 3.6), layout="constrained")
        for ratio, (colour, marker) in BARRIERS.items():
            flux = transition_state(U, 1 / ratio)
            rows = [(g, *crossing(U, 1 / ratio, g * OMEGA_B, replicas)) for g in frictions]
            found[ratio] = np.array(rows) / [1, flux, flux]
            g, share, error = found[ratio].T
            look = {"color": colour, "marker": marker, "capsize": 3, "label": f"$E/T = {ratio}$"}
            ax.errorbar(g, share, 1.96 * error, **look)
        g = np.geomspace(0.1, 5, 60)
        factor = np.sqrt(1 + g**2 / 4) - g / 2
        ax.plot(g, factor, "--", color=plots.BLACK, label="Kramers' factor")
        ax.set(xlabel=r"friction $\gamma/\omega_b$", xscale="log", ylim=(0, 1.05))
        ax.set_ylabel("rate / that of\ntransition state theory")
        ax.set_xticks([0.02, 0.1, 0.3, 1, 4], ["0.02", "0.1", "0.3", "1", "4"])
        ax.minorticks_off()
        ax.legend(loc="upper right")
    return found


if __name__ == "__main__":
    for ratio, rows in main().items():
        print(f"E/T = {ratio}", *(f"{g:g}: {r:.3f} +- {e:.3f}" for g, r, e in rows), sep="\n  ")
    plt.show()
