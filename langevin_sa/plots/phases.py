"""Positions and velocities."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..arguments import check_type
from ..potential import Potential
from .style import BLUE, ENERGY, RED, TIME, check_like, new_axes, styled

MOST_LINES = 12  # replicas that are drawn


def _on_step(result: Any, potential: Any) -> tuple[np.ndarray, ...]:
    """Positions, velocities on the step (records, replicas, dim), U there (records, replicas), of a
    run that kept both; and masses (dim,), 0 where it does not move.
    """
    check_like(result, "Result", "samples velocities history schedule n_steps state", "result")
    check_type(potential, Potential, "potential")
    if result.velocities is None:
        raise ValueError("this run kept no velocities: run anneal(samples=True, velocities=True)")
    x = np.asarray(result.samples, dtype=float)
    steps = result.schedule.coefficients(result.n_steps, result.integrator or "gjf")
    dt = np.asarray(steps.dt)[result.history.step - 1]
    energy, gradient = potential.energy_gradient(x.reshape(-1, x.shape[-1]))
    m = np.ones(x.shape[-1]) if result.state.masses is None else result.state.masses
    v = result.velocities - dt[:, None, None] / 2 * gradient.reshape(x.shape) / m
    return x, v, energy.reshape(x.shape[:2]), np.where(np.isinf(m), 0.0, m)


@styled
def phase(
    result: Any, potential: Potential, *, coordinate: int = 0, ax: Axes | None = None
) -> Axes:
    """Phase portrait: velocity on the step against position of one coordinate, a line for each of
    the first replicas, from dark to light in time; over lines of equal energy if dim is 1.

    Parameters
    ----------
    result : Result
        Of ``anneal(..., samples=True, velocities=True)``.
    potential : Potential
        Its potential.
    coordinate : int
        Which one.

    Raises
    ------
    ValueError
        If the run kept no velocities.
    """
    x, v, _, m = _on_step(result, potential)
    ax = new_axes(ax)
    if potential.dim == 1:
        room = [1.2 * np.abs(a[..., 0]).max() or 1.0 for a in (x, v)]
        side, high = (np.linspace(-r, r, 161) for r in room)
        total = potential.energy(side[:, None])[None] + m * high[:, None] ** 2 / 2
        ax.contour(side, high, total, levels=16, cmap=ENERGY, linewidths=0.8)
    alone = len(x[0]) == 1
    for r in range(min(MOST_LINES, x.shape[1])):
        at, velocity = x[:, r, coordinate], v[:, r, coordinate]
        ax.plot(at, velocity, color=BLUE, alpha=0.5 if alone else 0.3, lw=0.8)
        ax.scatter(at, velocity, c=np.arange(len(at)), cmap=TIME, s=5, zorder=3)
    length = potential.units.length
    ax.set(xlabel=f"position ({length})", ylabel=f"velocity ({length}/time)")
    return ax


@styled
def conservation(result: Any, potential: Potential, *, ax: Axes | None = None) -> Axes:
    """Energy U + m v^2/2 against the step, with velocities on the step, of each of the first
    replicas and in the mean: a scheme without friction and noise keeps it, to the order of dt^2.

    Parameters
    ----------
    result, potential
        As for `phase`.
    """
    _, v, energy, m = _on_step(result, potential)
    total, ax = energy + (m * v**2).sum(2) / 2, new_axes(ax)
    step = result.history.step
    if total.shape[1] > 1:
        ax.plot(step, total[:, :MOST_LINES], color=BLUE, alpha=0.25, lw=0.8)
    ax.plot(step, total.mean(1), color=RED, label="mean over replicas")
    ax.plot(step, energy.mean(1), color=BLUE, ls="--", label="$U$ alone")
    ax.set(xlabel="step", ylabel=f"$U + m v^2/2$ ({potential.units.energy})")
    ax.legend()
    return ax
