"""SciPy's call, another method
============================

It finds the lowest of 10^10 wells of Rastrigin's function and stops. A line is one run: the lowest
value so far against calls of function and gradient, up to where it stopped by itself.
dual_annealing spends most of its evaluations after it is done.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import dual_annealing, minimize

import langevin_sa as lsa
from langevin_sa import plots


def one(method: str, dim: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Evaluations at which a lower value was seen, the last one being where it stopped, and these
    values.
    """
    centre = np.random.default_rng(seed).uniform(-4, 4, dim)
    made, lowest = [0], [np.inf]

    def fun(x: np.ndarray) -> float:
        value = 10 * dim + float(((x - centre) ** 2 - 10 * np.cos(2 * np.pi * (x - centre))).sum())
        made.append(made[-1] + 1)
        lowest.append(min(lowest[-1], value))
        return value

    def gradient(x: np.ndarray) -> np.ndarray:
        made[-1] += 1
        return 2 * (x - centre) + 20 * np.pi * np.sin(2 * np.pi * (x - centre))

    start, bounds = np.zeros(dim), [(-5.12, 5.12)] * dim
    if method == "langevin_sa":
        how = {"method": lsa.minimize, "options": {"rng": seed}}
        minimize(fun, start, jac=gradient, bounds=bounds, **how)
    else:
        local = {"method": "L-BFGS-B", "jac": gradient, "bounds": bounds}
        dual_annealing(fun, bounds, x0=start, rng=seed, minimizer_kwargs=local)
    return np.array(made), np.array(lowest)


def main(quick: bool = False) -> dict[str, list[tuple[np.ndarray, np.ndarray]]]:
    """The runs of each method."""
    seeds, dim = (range(2), 3) if quick else (range(10), 10)
    methods = ("langevin_sa", "dual_annealing")
    found = {method: [one(method, dim, seed) for seed in seeds] for method in methods}
    with plt.rc_context(plots.STYLE):
        _, ax = plt.subplots(figsize=plots.SIZE, layout="constrained")
        for colour, (method, runs) in zip((plots.BLUE, plots.ORANGE), found.items(), strict=True):
            for k, (made, lowest) in enumerate(runs):
                lowest, label = np.maximum(lowest, 1e-9), None if k else method
                ax.plot(made, lowest, color=colour, lw=1, label=label)
                ax.plot(made[-1], lowest[-1], "o", color=colour, ms=5)
        ax.set(xlabel="evaluations", ylabel="lowest value so far", xlim=(10, None))
        ax.set(xscale="log", yscale="log")
        ax.legend(loc="lower left")
    return found


if __name__ == "__main__":
    for name, curves in main().items():
        typical = int(np.median([made[-1] for made, _ in curves]))
        print(f"{name} stopped after {typical} evaluations (median)")
    plt.show()
