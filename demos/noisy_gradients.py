"""The paper's Fig. 1(c) on a problem with a known minimum: CoolMomentum cools all the time, the decayed optimizers in steps.

Ten tilted double wells, all started in the wrong well, gradients with noise of standard deviation 5, the same for all; the learning
rates of Momentum, Adam and RMSprop fall as in the paper: by 10 at 40, 60 and 80 %, by 2 at 90 %. T dt^2 = <dx^2> is Eq. (22).
At its best learning rate (right, found by trial) each ends equally low within 0.1: a quench whose plateau is at the right temperature
does not lose. That temperature must be hit to a factor of two; CoolMomentum passes through all, and holds over a factor of 20.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from _figure import finish

import langevin_sa as lsa
from langevin_sa import plots
from langevin_sa.optimizers import SGD, Adam, RMSprop

NOISE, FACTORS = 5.0, (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
BEST = {"CoolMomentum": 0.006, "Momentum": 0.002, "Adam": 0.1, "RMSprop": 0.1}  # learning rates


def decayed(lr: float) -> lsa.schedules.NamedLaw:
    """The paper's step decay from a first learning rate."""
    return lsa.schedules.stepwise([(0, lr), (0.4, lr / 10), (0.6, lr / 100), (0.8, lr / 1000), (0.9, lr / 2000)])


METHODS = {
    "CoolMomentum": lambda lr: lsa.CoolMomentum(lr, rho0=0.99, noise=NOISE),
    "Momentum": lambda lr: SGD(decayed(lr), momentum=0.9, noise=NOISE),
    "Adam": lambda lr: Adam(decayed(lr), noise=NOISE),
    "RMSprop": lambda lr: RMSprop(decayed(lr), noise=NOISE),
}


def main(quick: bool = False) -> lsa.Comparison:
    """The comparison of the four at their best learning rates."""
    U = lsa.potentials.double_well(tilt=0.3, dim=10)
    replicas, n_steps = (16, 400) if quick else (64, 20_000)
    same = {"x0": np.full(10, 0.96), "replicas": replicas, "n_steps": n_steps, "rng": 1}
    best = lsa.compare(U, {name: make(BEST[name]) for name, make in METHODS.items()}, epochs=20 if quick else 100, **same)
    with warnings.catch_warnings(action="ignore", category=UserWarning), plt.rc_context(plots.STYLE):  # of large time steps
        figure = plt.figure(figsize=(10.2, 6.0), layout="constrained")
        axes = figure.subplot_mosaic([["U", "lr"], ["p", "lr"], ["T", "lr"]])
        plots.comparison(best, [axes[k] for k in "UpT"])
        for (name, make), colour, marker in zip(METHODS.items(), (plots.BLUE, plots.RED, plots.GREEN, plots.ORANGE), "os^v", strict=True):
            rates = np.array(FACTORS)[2 if quick else 0 : 4 if quick else None] * BEST[name]
            found = lsa.compare(U, {f"{lr}": make(lr) for lr in rates}, epochs=1, **same)
            mean, low, high = np.array([o.residual for o in found.outcomes.values()]).T
            axes["lr"].errorbar(rates / BEST[name], mean, [mean - low, high - mean], color=colour, marker=marker, capsize=3, label=name)
        axes["lr"].set(
            xlabel="learning rate / best learning rate", ylabel=r"$\langle U \rangle - U_{\min}$ at the end (energy)", xscale="log"
        )
        axes["lr"].set_ylim(0, 6.5)
    finish(figure, __file__, quick)
    return best


if __name__ == "__main__":
    print(main())
