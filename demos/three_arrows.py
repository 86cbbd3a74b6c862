"""One step is three arrows
========================

A part rho of the last update (memory), lr times the force, and noise add up to the next update.
With rho = 0 there is no memory: gradient descent, or Brownian motion. Without friction rho = 1, and
with no noise this is Verlet's method. With friction and no noise it is the heavy ball, the Momentum
optimizer. The black arrow is the step that the package makes from the same point.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np

import langevin_sa as lsa
from langevin_sa import plots
from langevin_sa.noise import normals

U = lsa.Potential.from_formula("x**2/2 + y**2", bounds=(-2, 2))
START, BEFORE, LR, SEED = np.array([-1.3, 0.55]), np.array([0.85, 0.3]), 0.3, 5
CASES = {  # rho, amplitude of the noise
    "Langevin": (0.7, 0.45),
    r"$\rho = 0$: Brownian": (0.0, 0.45),
    r"$\rho = 1$, $s = 0$: Verlet": (1.0, 0.0),
    r"$s = 0$: heavy ball": (0.7, 0.0),
}


def main(quick: bool = False) -> float:
    """The largest difference between the sum of the arrows and the step of the package."""
    worst, z = 0.0, normals(SEED, 0, np.array([0]), 2)[0]
    axis = np.linspace(-1.6, 0.5, 85), np.linspace(-0.6, 1.1, 69)
    x, y = np.meshgrid(*axis)
    height = U.energy(np.stack([x.ravel(), y.ravel()], 1)).reshape(x.shape)
    with plt.rc_context(plots.STYLE):
        _, axes = plt.subplots(2, 2, figsize=(4.8, 4.9), layout="constrained", sharey=True)
        for ax, (title, (rho, s)) in zip(axes.flat, CASES.items(), strict=True):
            ax.contour(x, y, height, levels=np.arange(0.1, 4, 0.35), colors="0.82", linewidths=1)
            arrows = {
                r"$\rho\,\Delta x_n$, memory": (plots.BLUE, rho * BEFORE),
                r"$lr\,f$, force": (plots.RED, -LR * U.gradient(START)),
                r"$s\,\xi$, noise": (plots.GREEN, s * z),
            }
            state = lsa.State(START[None], BEFORE[None], np.zeros((1, 2)), 0, SEED)
            # of a step that is long enough to be seen
            with warnings.catch_warnings(action="ignore", category=UserWarning):
                run = lsa.anneal(U, schedule=lsa.Momentum(rho, LR, s), n_steps=1, state=state)
            at = START
            for label, (colour, step) in arrows.items():
                if step.any():
                    draw(ax, at, step, colour, label)
                at = at + step
            draw(ax, START, run.state.dx[0], plots.BLACK, r"$\Delta x_{n+1}$, their sum", 1.2)
            worst = max(worst, float(np.abs(at - run.state.x[0]).max()))
            ax.plot(*START, "o", color=plots.BLACK)
            ax.set(title=title, aspect="equal", xticks=[], yticks=[])
            ax.grid(False)
        lines, labels = axes[0, 0].get_legend_handles_labels()
        axes[0, 0].figure.legend(lines, labels, loc="outside lower center", ncols=2)
    return worst


def draw(
    ax: plt.Axes, at: np.ndarray, step: np.ndarray, colour: str, label: str, width: float = 2.4
) -> None:
    """An arrow, and a line of its colour for the legend."""
    look = {"arrowstyle": "-|>", "color": colour, "linewidth": width, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", at + step, at, arrowprops=look)
    ax.plot([], [], color=colour, label=label)


if __name__ == "__main__":
    print(f"largest difference {main():.2g}")
    plt.show()
