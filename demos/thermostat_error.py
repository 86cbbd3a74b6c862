"""What each thermostat does to the temperature of stiff modes, measured by the validation suite and drawn on the closed forms.

Draws docs/figures/thermostat_error.png, and thermostat_friction.png: Eq. (22) of GJF at three frictions.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import langevin_sa as lsa
from langevin_sa import plots
from langevin_sa.validation.lab import unit_row
from langevin_sa.validation.laws import stationary

FIGURES = Path(__file__).parents[1] / "docs" / "figures"


def main() -> float:
    """Measure, draw, and return the largest deviation of a point from its curve in standard errors."""
    report = lsa.validate(families=["stationary"])
    points = [check for check in report.checks if "omega_dt" in check.about]
    FIGURES.mkdir(parents=True, exist_ok=True)
    (FIGURES / "thermostat_error.png").write_bytes(plots.image(plots.thermostat(points), "png"))
    (FIGURES / "thermostat_friction.png").write_bytes(plots.image(friction(points), "png"))
    return max(check.sigma for check in points)


def friction(points: list) -> plt.Axes:
    """T_conf/T and T_22/T of gjf at each friction."""
    with plt.rc_context(plots.STYLE):
        ax = plt.subplots(figsize=plots.SIZE, layout="constrained")[1]
        x = np.linspace(0, 1.85, 2)
        for gamma_dt, colour in ((0.05, plots.SKY), (0.5, plots.BLUE), (1.5, plots.PURPLE)):
            rho = float(unit_row("gjf", gamma_dt, 1.0, 1).rho[0])
            ax.plot(x, stationary("gjf", x**2, rho)[1], color=colour)
            for what, face in (("T_conf", colour), ("T_22", "white")):
                shown = [
                    c for c in points if c.about["what"] == what and c.about["integrator"] == "gjf" and c.about["gamma_dt"] == gamma_dt
                ]
                label = rf"$\gamma\,\Delta t = {gamma_dt:g}$" if what == "T_conf" else None
                values = [(c.about["omega_dt"], c.measured / c.about["T"]) for c in shown]
                ax.plot(*np.transpose(values), "o", color=colour, markerfacecolor=face, label=label)
        ax.axhline(1, color=plots.BLACK, linewidth=0.8)
        ax.set(xlabel=r"$\omega\,\Delta t$", ylabel="$T$ measured / $T$", xlim=(0, 1.9), ylim=(0.4, 1.3))
        ax.set_title("GJF: positions (filled), Eq. (22) (open)")
        ax.legend(loc="upper left", ncols=3)
    return ax


if __name__ == "__main__":
    print(f"largest deviation from a closed form: {main():.1f} standard errors")
    print(f"drawn: {FIGURES}/thermostat_error.png, thermostat_friction.png")
