"""What the validation suite measured, against the closed forms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..arguments import finite, shown
from ..integrators import INTEGRATORS
from .style import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    RED,
    check_like,
    given_axes,
    new_axes,
    stack,
    styled,
)

ROW_STYLE = {  # of the rows that the suite measures
    "bbk": (RED, "o", 11, "BBK"),
    "gjf": (BLUE, "s", 11, "GJF"),
    "baoab": (GREEN, "^", 7, "BAOAB"),
    "vec": (BLACK, "v", 7, "VEC"),
    "ermak_mccammon": (ORANGE, "D", 5, "Ermak-McCammon"),
    "leimkuhler_matthews": (PURPLE, "x", 6, "Leimkuhler-Matthews"),
}
PANELS = (
    ("T_conf", r"positions, $T_\mathrm{conf}$"),
    ("T_22", r"Eq. (22), $\langle dx^2\rangle/\Delta t^2$"),
    ("T_22", r"kinetic, $T_\mathrm{kin}$"),
)


@styled
def thermostat(points: Any, gamma_dt: float = 0.5, axes: Any = None) -> np.ndarray:
    """T_conf/T, T_22/T and T_kin/T of harmonic modes against omega*dt: closed-form curves of every
    integrator, with measured points.

    Parameters
    ----------
    points : sequence of Check
        Of the family "stationary" of `langevin_sa.validate`; those at `gamma_dt`, and the
        overdamped ones, are drawn.
    gamma_dt : float
        gamma*dt of the inertial rows.
    axes : three Axes, optional
        Where to draw.

    Notes
    -----
    Eq. (22) and the integrator's kinetic estimator are the same measurement, <dx^2>, in units of
    dt^2 and of velocity_scale^2.
    """
    points = list(points) if isinstance(points, Iterable) else [points]
    for point in points:
        check_like(point, "Check", "about measured standard_error", "each of points")
    if not (finite(gamma_dt) and gamma_dt >= 0):
        raise ValueError(f"gamma_dt must be >= 0, not {shown(gamma_dt)}")
    axes = stack(3, 8.6) if axes is None else given_axes(axes, 3)
    omega_dt = np.linspace(0, 1.85, 300)
    for index, (panel, (what, title)) in enumerate(zip(axes, PANELS, strict=True)):
        for name, (colour, marker, size, label) in ROW_STYLE.items():
            overdamped = INTEGRATORS[name].overdamped
            # dt = 1 as the stability limit knows it, dt^2 = 2 h of the overdamped rows
            steps = INTEGRATORS[name].steps(*((1.0, 0.5) if overdamped else (gamma_dt, 1.0)), 1.0)
            curve = steps.stationary(omega_dt**2)[index] * steps.sustained
            panel.plot(omega_dt, curve, color=colour, linestyle="--" if overdamped else "-")
            unit = float(steps.dt / steps.velocity_scale) ** 2 if index == 2 else 1.0
            found = [
                (a["omega_dt"], unit * c.measured / a["T"], unit * c.standard_error / a["T"])
                for c in points
                if (a := c.about).get("what") == what
                and a["integrator"] == name
                and (overdamped or a["gamma_dt"] == gamma_dt)
            ]
            x, y, error = np.array(found or np.empty((0, 3))).T
            marks: dict[str, Any] = {"marker": marker, "markersize": size, "linestyle": "none"}
            marks |= {"markerfacecolor": "none", "markeredgewidth": 1.6, "elinewidth": 1.2}
            panel.errorbar(x, y, error, color=colour, label=label, **marks)
        panel.axhline(1, color=BLACK, linewidth=0.8, zorder=1)
        panel.set(ylabel="measured $T$ / set $T$", xlim=(0, 1.9), ylim=(0.3, 3.9), yscale="log")
        panel.set_yticks([0.5, 0.7, 1, 1.5, 2, 3], ["0.5", "0.7", "1", "1.5", "2", "3"])
        panel.minorticks_off()
        panel.set_title(title)
    axes[-1].set_xlabel(r"$\omega\,\Delta t$")
    axes[0].legend(loc="lower left", ncols=2)
    return axes


@styled
def p_values(report: Any, ax: Axes | None = None) -> Axes:
    """The p-values of a validation `Report` in order, against those of as many correct checks;
    without those that leave a tolerance.
    """
    check_like(report, "Report", "checks threshold sigma", "report")
    p = np.sort([check.p_value for check in report.checks if check.is_pure_chance])
    if not p.size:
        raise ValueError(
            "the report has no check that is of chance alone, and so no p-values to draw"
        )
    ax = new_axes(ax)
    expected = (np.arange(len(p)) + 0.5) / len(p)
    low = min(1e-6, report.threshold / 3)
    ax.plot([low, 1], [low, 1], color=BLACK, linewidth=0.8)
    limit = f"threshold, {report.sigma:.1f} standard deviations"
    ax.axhline(report.threshold, color=RED, linestyle="--", linewidth=1.2, label=limit)
    ax.plot(expected, np.clip(p, low, 1), "o", markersize=3.5, color=BLUE, label=f"{len(p)} checks")
    ax.set(xscale="log", yscale="log", xlim=(0.3 / len(p), 1.3), ylim=(low / 1.5, 1.5))
    ax.set(xlabel="expected p-value", ylabel="measured p-value")
    ax.legend(loc="lower right")
    return ax
