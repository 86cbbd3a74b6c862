"""Momentum is Langevin
=======================

Newton's equation with friction and noise, discretized (Eq. 13), and the Momentum optimizer (Eq. 14)
give one path. The line is x_{n+1} solved from the second difference of Eq. (13), with friction
gamma, time step dt and temperature T. The dots are the compiled recursion ``dx = rho*dx + lr*f +
s*xi`` with the numbers of Eqs. (15)-(17). They agree to rounding.
"""

import matplotlib.pyplot as plt
import numpy as np

import langevin_sa as lsa
from langevin_sa import plots
from langevin_sa.noise import normals

GAMMA, DT, T, SEED = 0.3, 0.1, 0.6, 7


def langevin(U: lsa.Potential, x0: float, n_steps: int) -> np.ndarray:
    """(x'' - 2x + x_)/dt^2 = f - gamma (x'' - x_)/(2 dt) + sqrt(2 gamma T/dt) xi, from rest."""
    before, x, path = x0, x0, []
    for n in range(n_steps):
        force = (
            -U.gradient(np.array([x]))[0]
            + np.sqrt(2 * GAMMA * T / DT) * normals(SEED, n, np.array([0]), 1)[0, 0]
        )
        c = GAMMA * DT / 2
        before, x = x, (2 * x - (1 - c) * before + DT**2 * force) / (1 + c)
        path.append(x)
    return np.array(path)


def main(quick: bool = False) -> float:
    """The largest difference between the two paths."""
    U, n_steps = lsa.potentials.double_well(tilt=0.3), 100 if quick else 600
    optimizer = lsa.Langevin(GAMMA, DT, T).to_momentum()
    run = lsa.anneal(U, [0.96], optimizer, n_steps, rng=SEED, record_every=1, samples=True)
    path = langevin(U, 0.96, n_steps)
    with plt.rc_context(plots.STYLE):
        _, ax = plt.subplots(figsize=(4.8, 3.6), layout="constrained")
        ax.plot(
            DT * run.history.step,
            path,
            color=plots.BLUE,
            label=rf"$\gamma = {GAMMA}$, $\Delta t = {DT}$, $T = {T}$ (Langevin)",
        )
        label = (
            rf"$\rho = {optimizer.rho:.3f}$, $lr = {optimizer.lr:.5f}$, $s = {optimizer.s:.4f}$ "
            r"(Momentum)"
        )
        ax.plot(
            DT * run.history.step[::4],
            run.samples[::4, 0, 0],
            "o",
            color=plots.RED,
            markersize=3,
            label=label,
        )
        ax.set(xlabel="time (reduced units)", ylabel="position $x$ (length)", ylim=(-1.9, 2.7))
        ax.legend(loc="upper right")
    return float(np.abs(run.samples[:, 0, 0] - path).max())


if __name__ == "__main__":
    print(f"largest difference between the paths: {main():.1e}")
    plt.show()
