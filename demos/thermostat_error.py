"""What each thermostat does to stiff modes
===========================================

The temperature of a harmonic mode against its omega*dt, measured by the validation suite and drawn
on the closed forms. The second figure is GJF at three frictions: its positions are right at all of
them, and Eq. (22) is low at all of them.
"""

import matplotlib.pyplot as plt
import numpy as np

import langevin_sa as lsa
from langevin_sa import plots
from langevin_sa.validation.lab import unit_row


def main(quick: bool = False) -> float:
    """The largest deviation of a point from its curve in standard errors."""
    report = lsa.validate(families=["stationary"], rng=1 if quick else 0)
    points = [check for check in report.checks if "omega_dt" in check.about]
    with plt.rc_context(plots.STYLE):
        plots.thermostat(points)
        friction(points)
    return max(check.sigma for check in points)


def friction(points: list) -> plt.Figure:
    """T_conf/T and T_22/T of gjf at each friction."""
    figure, ax = plt.subplots(num="friction", figsize=plots.SIZE, layout="constrained")
    x = np.linspace(0, 1.85, 2)
    for gamma_dt, colour in ((0.05, plots.SKY), (0.5, plots.BLUE), (1.5, plots.PURPLE)):
        ax.plot(x, unit_row("gjf", gamma_dt, 1.0, 2).stationary(x**2)[1], color=colour)
        for what, face in (("T_conf", colour), ("T_22", "white")):
            shown = [
                c
                for c in points
                if (c.about["what"], c.about["integrator"], c.about["gamma_dt"])
                == (what, "gjf", gamma_dt)
            ]
            label = rf"$\gamma\,\Delta t = {gamma_dt:g}$" if what == "T_conf" else None
            values = [(c.about["omega_dt"], c.measured / c.about["T"]) for c in shown]
            ax.plot(*np.transpose(values), "o", color=colour, markerfacecolor=face, label=label)
    ax.axhline(1, color=plots.BLACK, linewidth=0.8)
    ax.set(
        xlabel=r"$\omega\,\Delta t$",
        ylabel="measured $T$ / set $T$",
        xlim=(0, 1.9),
        ylim=(0.4, 1.3),
    )
    ax.set_title("GJF: positions (filled), Eq. (22) (open)")
    ax.legend(loc="upper left", ncols=3, handletextpad=0, columnspacing=0.6)
    return figure


if __name__ == "__main__":
    print(f"largest deviation from a closed form: {main():.1f} standard errors")
    plt.show()
