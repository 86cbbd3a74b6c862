"""CoolMomentum cools all the time, decayed optimizers in steps
===============================================================

The paper's Fig. 1(c) where the minimum is known. Ten tilted double wells, all started in the wrong
well; gradient noise of deviation 5, the same for all; the learning rates of Momentum, Adam and
RMSprop fall as in the paper: by 10 at 40, 60 and 80 %, by 2 at 90 %. T dt^2 is Eq. (22). At its
best learning rate (found by trial) the residual energies agree within bars of 95 %: a quench from
the right temperature does not lose to rho0 = 0.99. But its rate must be right to a factor of less
than two, or ten times too large (then the second plateau is right, but short); CoolMomentum passes
through all temperatures and holds over a factor of 16 (last panel), and then diverges. With rho0 =
0.9 it ends lower, see the page "Annealing against quenching".
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np

import langevin_sa as lsa
from langevin_sa import plots
from langevin_sa.optimizers import SGD, Adam, RMSprop

NOISE, FACTORS = 5.0, (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
BEST = {"CoolMomentum": 0.0015, "Momentum": 0.002, "Adam": 0.1, "RMSprop": 0.1}  # learning rates


def decayed(lr: float) -> lsa.schedules.NamedLaw:
    """The paper's step decay from a first learning rate."""
    return lsa.schedules.stepwise(
        [(0, lr), (0.4, lr / 10), (0.6, lr / 100), (0.8, lr / 1000), (0.9, lr / 2000)]
    )


METHODS = {
    "CoolMomentum": lambda lr: lsa.CoolMomentum(lr, rho0=0.99, noise=NOISE),
    "Momentum": lambda lr: SGD(decayed(lr), momentum=0.9, noise=NOISE),
    "Adam": lambda lr: Adam(decayed(lr), noise=NOISE),
    "RMSprop": lambda lr: RMSprop(decayed(lr), noise=NOISE),
}


def main(quick: bool = False) -> lsa.Comparison:
    """The comparison of the four at their best learning rates."""
    U = lsa.potentials.double_well(tilt=0.3, dim=10)
    replicas, epochs = (16, 20) if quick else (128, 100)
    same = {"x0": np.full(10, 0.96), "n_steps": 400 if quick else 20_000, "rng": 1}
    methods = {name: make(BEST[name]) for name, make in METHODS.items()}
    best = lsa.compare(U, methods, replicas=replicas, epochs=epochs, **same)
    # of large time steps
    with (
        warnings.catch_warnings(action="ignore", category=UserWarning),
        plt.rc_context(plots.STYLE),
    ):
        _, (*stack, last) = plt.subplots(
            4, 1, figsize=(4.8, 8.8), layout="constrained", height_ratios=[1, 1, 1, 1.3]
        )
        plots.comparison(best, stack)
        factors = np.array(FACTORS[2:4] if quick else FACTORS)
        colours = (plots.BLUE, plots.RED, plots.GREEN, plots.ORANGE)
        for (name, make), colour, marker in zip(METHODS.items(), colours, "os^v", strict=True):
            methods = {f"{lr}": make(lr) for lr in factors * BEST[name]}
            found = lsa.compare(U, methods, replicas=replicas // 2, epochs=1, **same)
            mean, low, high = np.array([o.residual for o in found.outcomes.values()]).T
            look = {"color": colour, "marker": marker, "capsize": 3, "label": name}
            last.errorbar(factors, mean, [mean - low, high - mean], **look)
        last.set(xlabel="learning rate / best learning rate", ylabel=stack[0].get_ylabel())
        last.set(xscale="log", xticks=FACTORS, ylim=(0, 6.5))
        last.xaxis.set_major_formatter("{x:g}")
        last.legend(loc="upper right")
    return best


if __name__ == "__main__":
    print(main())
    plt.show()
