"""Every integrator with one force a step
========================================

Positions and velocities of a harmonic mode against omega*dt, diffusion and drift of a free particle
against gamma*dt, of every row of the table: closed forms of the recursion's numbers, and runs.
"""

import matplotlib.pyplot as plt
import numpy as np
from _figure import finish

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
OMEGA_DT, GAMMA_DT, C, F = (0.3, 0.7, 1.1, 1.5), (0.2, 0.6, 1.2, 1.8), 0.5, 0.3
TITLES = (
    r"positions, $k\langle x^2\rangle/T$ against $\omega\,\Delta t$",
    r"velocities, $T_\mathrm{kin}/T$ against $\omega\,\Delta t$",
    r"diffusion, $D\gamma/T$ against $\gamma\,\Delta t$",
    r"drift, $\langle v\rangle\gamma/F$ against $\gamma\,\Delta t$",
)


def law(name: str, omega: float, gamma: float) -> tuple[float, ...]:
    """T_conf and T_kin at omega, diffusion and drift at gamma, in units of what is right."""
    here, there = (lsa.INTEGRATORS[name].steps(c, 1.0, 1.0) for c in (C, gamma))
    a = (omega * here.dt) ** 2
    conf, _, kinetic = here.stationary(a if a < 4 else np.nan)
    drift = gamma * there.lr / (1 - there.rho)
    return conf * here.sustained, kinetic * here.sustained, drift * there.sustained, drift


def run(lab: Lab, name: str, omega: float, gamma: float) -> tuple[np.ndarray, np.ndarray]:
    """The same four measured, and their standard errors."""
    x0, n, found = np.zeros((lab.replicas(4000), 1)), 1600, []
    mode = lab.drive(formula("k*x**2/2", k=omega**2), x0)
    mode.advance(row(name, C, 1.0, 1.0, 300))
    mode.forget()
    mode.advance(row(name, C, 1.0, 1.0, 200))
    found += [omega**2 * mode.walk.x[:, 0] ** 2, mode.walk.kinetic / 200]
    for force in (0.0, F):
        free = lab.drive(formula("-force*x", force=force), x0)
        free.advance(row(name, gamma, 1.0, 1.0, 100))
        start = free.walk.x[:, 0].copy()
        free.advance(row(name, gamma, 1.0, 1.0, n))
        v = (free.walk.x[:, 0] - start) / n
        found.append(v * gamma / F if force else v**2 * n / 2 * gamma)
    return np.mean(found, axis=1), np.std(found, axis=1) / np.sqrt(len(x0))


def main(quick: bool = False) -> float:
    """The largest deviation of a point from its curve, in standard errors (and 0.2 %)."""
    lab = Lab("auto", "float64", "quick" if quick else "full", 1, 2)
    x, worst = np.linspace(0, 2), 0.0
    with plt.rc_context(plots.STYLE):
        figure, axes = plt.subplots(2, 2, figsize=(9.6, 7.4), layout="constrained")
        for name in INERTIAL:
            colour, marker, label = STYLES["gjf" if name.startswith("gj") else name]
            curves = np.array([law(name, at, at) for at in x[1:-1]])
            pairs = list(zip(OMEGA_DT, GAMMA_DT, strict=True))
            seen = np.array([run(lab, name, *pair) for pair in pairs])
            off = (seen[:, 0] - [law(name, *pair) for pair in pairs]) / np.hypot(seen[:, 1], 0.002)
            worst = max(worst, float(np.abs(off).max()))
            for k, ax in enumerate(axes.flat):
                ax.plot(x[1:-1], curves[:, k], color=colour)
                mark = {"markerfacecolor": "none", "label": label if name in STYLES else None}
                ax.plot([p[k // 2] for p in pairs], seen[:, 0, k], marker, color=colour, **mark)
                ax.set(title=TITLES[k], ylim=(0.9, 2.6) if k < 2 else (0.82, 1.4))
        axes[0, 0].legend(loc="upper left")
        finish(figure, "every_integrator", quick)
    return worst


if __name__ == "__main__":
    print(f"largest deviation from a closed form: {main():.1f} standard errors")
