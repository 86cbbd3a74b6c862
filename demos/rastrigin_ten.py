"""Rastrigin in ten dimensions: annealing wins and still fails
==============================================================

Annealing ends far below one quench, and from 3,000 gradients on below the best of as many quenches
as the same gradients buy (bars: 95 %). Yet no replica finds the minimum: a coordinate must cross a
barrier of 20 to gain about 1, so it freezes while the wells beside the lowest are still full
(below: shares of coordinates, and Boltzmann's at the temperature that fits), and all ten must be
right at once.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import brentq

import langevin_sa as lsa
from langevin_sa import plots
from langevin_sa.schedules import exponential
from langevin_sa.statistics import Interval, bootstrap_mean

SHORT, WELLS = 100, np.arange(-5, 6)  # steps until a quench is at rest


def best_of(energies: np.ndarray, tries: int) -> Interval:
    """Mean of the lowest of `tries` energies, from groups of them."""
    return bootstrap_mean(energies[: len(energies) // tries * tries].reshape(-1, tries).min(axis=1))


def boltzmann(T: float) -> np.ndarray:
    """Shares of the wells at a temperature."""
    weights = np.exp(-(WELLS**2) / T)
    return weights / weights.sum()


def main(quick: bool = False) -> dict[int, tuple[lsa.Comparison, tuple[float, float, float]]]:
    """For each cost in gradients: the comparison, and the mean best of as many quenches with its
    interval.
    """
    U, costs = lsa.potentials.rastrigin(10), (1000, 3000, 10_000, 30_000, 100_000, 300_000)
    costs, tries, replicas = (costs[::2][:2], 1000, 32) if quick else (costs, 60_000, 256)
    cold = lsa.Schedule(0.0, gamma=10.0, dt=0.05)
    short = {"replicas": tries, "n_steps": SHORT, "rng": 2, "epochs": 1}
    many = lsa.compare(U, {"quench": cold}, **short)["quench"].energies["polished"]
    methods = {"anneal": lsa.Schedule(exponential(6.0, 1.0), 3.0, 0.05), "quench": cold}
    how = {"replicas": replicas, "rng": 1, "epochs": 1}
    found = {n: lsa.compare(U, methods, n_steps=n, **how) for n in costs}
    curves = {name: [found[n][name].residual for n in costs] for name in methods}
    curves["best of many quenches"] = [best_of(many, n // SHORT) for n in costs]
    with plt.rc_context(plots.STYLE):
        _, (top, bottom) = plt.subplots(
            2, 1, figsize=(4.8, 6.4), layout="constrained", height_ratios=[1.3, 1]
        )
        colours = (plots.BLUE, plots.RED, plots.GREEN)
        for (name, values), colour, marker in zip(curves.items(), colours, "os^", strict=True):
            mean, low, high = np.array(values).T
            look = {"color": colour, "marker": marker, "capsize": 3, "label": name}
            top.errorbar(costs, mean, [mean - low, high - mean], **look)
        top.set(xlabel="gradients", ylabel=r"$\langle U \rangle - U_{\min}$ (energy)")
        top.set(xscale="log", yscale="log", ylim=(8, 220))
        top.set_yticks([10, 20, 50, 100], ["10", "20", "50", "100"])
        top.legend(loc="upper right")
        for k, (name, colour) in enumerate(zip(methods, (plots.BLUE, plots.RED), strict=True)):
            wells = np.rint(found[costs[-1]][name].polished_x).ravel()
            shares = [100 * np.mean(wells == w) for w in WELLS]
            bottom.bar(WELLS + 0.4 * k - 0.2, shares, 0.4, color=colour, label=name)
            if name == "anneal":
                spread = np.mean(wells**2)
        T = brentq(lambda T: boltzmann(T) @ WELLS**2 - spread, 0.05, 50)
        look = {"color": plots.BLACK, "markersize": 12, "label": f"Boltzmann, $T = {T:.1f}$"}
        bottom.plot(WELLS - 0.2, 100 * boltzmann(T), "_", **look)
        bottom.set(xlabel="well of a coordinate (length)", ylabel="coordinates (%)", xticks=WELLS)
        bottom.legend(loc="upper right")
    return {n: (found[n], best_of(many, n // SHORT)) for n in costs}


if __name__ == "__main__":
    for n, (comparison, best) in main().items():
        print(f"{comparison}\nthe best of {n // SHORT:,} quenches of {SHORT} steps: {best}\n")
    plt.show()
