"""CoolMomentum cools, 199-fold and never to zero
=================================================

With a constant random force T follows Eq. (19). Above: Eq. (22) measured on a harmonic well for the
three laws of rho. Below: the paper's Table 2 on a tilted double well in four dimensions, all
replicas from the highest state; "div" is divergent.
"""

import warnings
from contextlib import suppress

import matplotlib.pyplot as plt
import numpy as np

import langevin_sa as lsa
from langevin_sa import plots
from langevin_sa.schedules import COOLMOMENTUM_LAWS

WELL = lsa.potentials.harmonic(k=0.2)
RHO0, LR = (0.9, 0.99, 0.999), (0.0003, 0.001, 0.003, 0.01, 0.03)


def main(quick: bool = False) -> dict[str, float]:
    """The measured fall of T over the paper's law, the exact one, and the temperature at the
    end.
    """
    n_steps, replicas = (2_000, 300) if quick else (40_000, 2000)
    with plt.rc_context(plots.STYLE):
        _, (top, bottom) = plt.subplots(2, 1, figsize=(4.8, 6.4), layout="constrained")
        how = {"replicas": replicas, "rng": 1, "record_every": n_steps // 200}
        colours = (plots.BLUE, plots.RED, plots.GREEN)
        for law, colour in zip(COOLMOMENTUM_LAWS, colours, strict=True):
            method = lsa.CoolMomentum(lr=0.01, rho0=0.99, noise=1.0, law=law)
            history = lsa.anneal(WELL, np.zeros(1), method, n_steps, **how).history
            s, label = history.step / n_steps, "paper's law" if law == "paper" else f"{law} law"
            top.plot(s, history.eq22, color=colour, label=label)
            label = "Eq. (19)" if law == "linear" else None
            top.plot(s, history.target, "--", color=plots.BLACK, linewidth=0.9, label=label)
            if law == "paper":
                first, last = method.coefficients(n_steps).temperature[[0, -1]]
                measured = history.eq22[-6:].mean() / history.target[-6:].mean()
        numbers = {
            "fall of T": float(first / last),
            "last T": float(last),
            "measured/set at the end": float(measured),
        }
        top.set(xlabel="progress $s$", ylabel="$T$ of Eq. (22) (energy)", yscale="log")
        top.legend(loc="lower left")
        plots.heat_map(RHO0, LR, table(300 if quick else 20_000, 32 if quick else 256), ax=bottom)
    return numbers


def table(n_steps: int, replicas: int) -> np.ndarray:
    """Success in percent for each rho0 and lr, NaN where the run diverged."""
    U, start = lsa.potentials.double_well(dim=4), np.full(4, 0.96)
    values = np.full((len(RHO0), len(LR)), np.nan)
    # of large time steps, which are the point here
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        for (row, column), _ in np.ndenumerate(values):
            method = lsa.CoolMomentum(LR[column], RHO0[row], noise=5.0)
            with suppress(ValueError):  # beyond stability at the start
                how = {"replicas": replicas, "n_steps": n_steps, "rng": 1, "epochs": 1}
                found = lsa.compare(U, {"cool": method}, x0=start, **how)["cool"]
                values[row, column] = np.nan if found.message else 100 * found.success.value
    return values


if __name__ == "__main__":
    for name, value in main().items():
        print(f"{name}: {value:.4g}")
    plt.show()
