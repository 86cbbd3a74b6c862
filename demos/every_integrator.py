"""Every integrator with one force a step
========================================

A harmonic mode against omega*dt, diffusion and drift of a free particle against gamma*dt, of every
row of the table: closed forms of the recursion's numbers, and runs.
"""

import matplotlib.pyplot as plt
import numpy as np

import langevin_sa as lsa
from langevin_sa import plots
from langevin_sa.validation.lab import INERTIAL, Lab, formula, row

STYLES = {
    "gjf": (plots.BLUE, "s", "GJF and the GJ family"),
    "baoab": (plots.GREEN, "^", "BAOAB"),
    "bbk": (plots.RED, "o", "BBK"),
    "obabo": (plots.ORANGE, "D", "OBABO"),
    "boaob": ("0.5", "p", "BOAOB"),
    "vec": (plots.BLACK, "v", "Vanden-Eijnden, Ciccotti"),
    "van_gunsteren_berendsen": (plots.PURPLE, "x", "van Gunsteren, Berendsen"),
    "langevin_impulse": (plots.SKY, "+", "Langevin impulse"),
}
AT, C, F = ((0.3, 0.7, 1.1, 1.5), (0.2, 0.6, 1.2, 1.8)), 0.5, 0.3  # omega dt, gamma dt
TITLES = (r"positions, $k\langle x^2\rangle/T$", r"velocities, $T_\mathrm{kin}/T$")
TITLES += (r"diffusion, $D\gamma/T$", r"drift, $\langle v\rangle\gamma/F$")
LABELS, LIMITS = (r"$\omega\,\Delta t$", r"$\gamma\,\Delta t$"), ((0.9, 2.6), (0.82, 1.4))


def law(name: str, omega: float, gamma: float) -> tuple[float, ...]:
    """T_conf and T_kin at omega, diffusion and drift at gamma, in units of what is right."""
    here, there = (lsa.INTEGRATORS[name].steps(c, 1.0, 1.0) for c in (C, gamma))
    a, drift = (omega * here.dt) ** 2, gamma * there.lr / (1 - there.rho)
    conf, _, kinetic = np.array(here.stationary(a if a < 4 else np.nan)) * here.sustained
    return conf, kinetic, drift * there.sustained, drift


def run(lab: Lab, name: str, omega: float, gamma: float) -> tuple[np.ndarray, np.ndarray]:
    """The same four measured, and their standard errors."""
    x0, n, burn = np.zeros((lab.replicas(4000), 1)), 1600, row(name, C, 1.0, 1.0, 300)
    mode = lab.drive(formula("k*x**2/2", k=omega**2), x0)
    mode.advance(burn)
    mode.forget()
    mode.advance(burn)
    found = [omega**2 * mode.walk.x[:, 0] ** 2, mode.walk.kinetic / 300]
    for force in (0.0, F):
        free = lab.drive(formula("-force*x", force=force), x0)
        free.advance(row(name, gamma, 1.0, 1.0, 100))
        start = free.walk.x[:, 0].copy()
        free.advance(row(name, gamma, 1.0, 1.0, n))
        v = gamma * (free.walk.x[:, 0] - start) / n
        found.append(v / F if force else v**2 * n / 2 / gamma)
    return np.mean(found, axis=1), np.std(found, axis=1) / np.sqrt(len(x0))


def main(quick: bool = False) -> float:
    """The largest deviation of a point from its curve, in standard errors (and 0.2 %)."""
    lab = Lab("auto", "float64", ["full", "quick"][quick], 1, 2)
    with plt.rc_context(plots.STYLE):
        figure, axes = plt.subplots(2, 2, figsize=(6.6, 6.8), layout="constrained")
        worst, x = [], np.linspace(0.04, 1.96)
        for name in INERTIAL:
            colour, marker, label = STYLES.get(name, (plots.BLUE, "s", None))
            curves = np.array([law(name, at, at) for at in x])
            seen, error = np.array([*map(run, 4 * [lab], 4 * [name], *AT)]).transpose(1, 0, 2)
            off = np.abs(seen - [*map(law, 4 * [name], *AT)])
            worst += [np.max(off / np.hypot(error, 0.002))]
            for k, ax in enumerate(axes.flat):
                ax.plot(x, curves[:, k], color=colour)
                ax.plot(AT[k // 2], seen[:, k], marker, c=colour, mfc="none", label=label)
                ax.set(title=TITLES[k], xlabel=LABELS[k // 2], ylim=LIMITS[k // 2])
        figure.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return float(max(worst))


if __name__ == "__main__":
    print(f"largest deviation from a closed form: {main():.1f} standard errors")
    plt.show()
