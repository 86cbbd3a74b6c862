"""The paper's Table 2 for any potential: CoolMomentum over a grid of first momentum and learning
rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..annealing.stability import Unstable
from ..arguments import look_up, real_array, shown
from ..drawing import Displayed, draw
from ..potential import Potential
from ..schedules import CoolMomentum
from .driver import compare
from .outcomes import Comparison

SHOWN = {"success": "success (%), 95 %", "residual": "residual energy, 95 %"}


@dataclass
class Grid(Displayed):
    """What `grid` returns; printing it gives a table, with "div" for what is unstable and "not
    run" for what Ctrl-C left out.

    Attributes
    ----------
    rho0, lr : ndarray (rows,), (columns,)
        First momentum and base learning rate, dt^2.
    noise : float
        Standard deviation of the force noise of every cell.
    success, residual : ndarray (rows, columns, 3)
        Share of replicas that found the minimum, and mean energy above it, with the ends of the
        95 % intervals; NaN where the time step is beyond stability or the run diverged.
    comparison : Comparison or None
        All cells, named as ``grid.name(row, column)``; None if none is stable.
    """

    rho0: np.ndarray
    lr: np.ndarray
    noise: float
    success: np.ndarray
    residual: np.ndarray
    comparison: Comparison | None

    def name(self, row: int, column: int) -> str:
        """What a cell is called in `comparison`."""
        return _name(self.rho0[row], self.lr[column])

    def _ran(self, row: int, column: int) -> bool:
        return self.comparison is None or self.name(row, column) in self.comparison.outcomes

    def table(self, value: str = "success") -> str:
        """The table of "success" or "residual", as text."""
        look_up(value, SHOWN, "value of a grid")
        scale = 100 if value == "success" else 1
        lines = [[r"rho0 \ lr", *(f"{lr:g}" for lr in self.lr)]]
        for r, row in enumerate(getattr(self, value)):
            cells = (_cell(scale * cell, self._ran(r, c)) for c, cell in enumerate(row))
            lines.append([f"{self.rho0[r]:g}", *cells])
        width = [max(map(len, column)) for column in zip(*lines, strict=True)]
        rows = ["  ".join(map(str.rjust, line, width)) for line in lines]
        return "\n".join([f"{SHOWN[value]}; force noise {self.noise:.5g}", *rows])

    def __str__(self) -> str:
        return self.table()

    __repr__ = __str__

    def plot(self, value: str = "success") -> Any:
        """The table in colours; see `langevin_sa.plots.heat_map`."""
        look_up(value, SHOWN, "value of a grid")
        success = value == "success"
        look = {"label": "success (%)"} if success else {"label": "residual energy", "good": "low"}
        values = getattr(self, value)[..., 0] * (100 if success else 1)
        return draw("heat_map", self.rho0, self.lr, values, **look)


def grid(
    potential: Potential,
    rho0: Sequence[float],
    lr: Sequence[float],
    *,
    noise: float = 0.0,
    **keywords: Any,
) -> Grid:
    """Run CoolMomentum for every rho0 and lr, from the same starting points under the same noise.

    Parameters
    ----------
    potential : Potential
        What to minimize.
    rho0, lr : sequence of float
        Rows and columns: first momentum, and base learning rate, dt^2 (time squared).
    noise : float
        Standard deviation of the force noise, energy/length, the same in every cell as mini-batches
        make it.
    **keywords
        Passed on to `compare`: replicas, n_steps, x0, rng, tolerance, judged, backend, workers,
        checkpoint.

    Returns
    -------
    Grid
        After Ctrl-C of the cells that were finished; the others are NaN, and the message of its
        comparison says so.

    Raises
    ------
    ValueError, TypeError
        For bad input, before the first step. A cell whose time step is too long is no bad input.

    Examples
    --------
    >>> import langevin_sa as lsa
    >>> found = lsa.grid(
    ...     lsa.potentials.double_well(tilt=0.3), [0.9, 0.99], [0.01, 9.0], noise=2.0,
    ...     n_steps=500, replicas=16, rng=1,
    ... )
    >>> found.success.shape, bool(np.isnan(found.success[:, 1]).all())
    ((2, 2, 3), True)
    """
    rows, columns = (_line(values, name) for values, name in ((rho0, "rho0"), (lr, "lr")))
    cells = {(r, c): _name(rows[r], columns[c]) for r, c in np.ndindex(len(rows), len(columns))}
    methods = {
        name: CoolMomentum(float(columns[c]), float(rows[r]), noise)
        for (r, c), name in cells.items()
    }
    success, residual = np.full((2, len(rows), len(columns), 3), np.nan)
    try:
        found = compare(potential, methods, **keywords)
    except Unstable:
        found = None
    for at, name in cells.items():
        outcome = found and found.outcomes.get(name)
        if outcome and not outcome.message:
            success[at], residual[at] = outcome.success, outcome.residual
    return Grid(rows, columns, float(noise), success, residual, found)


def _line(values: Any, name: str) -> np.ndarray:
    line = real_array(values, name)
    if line.ndim != 1 or not line.size or len(np.unique(line)) < line.size:
        raise ValueError(f"{name} must be a list of different numbers, not {shown(values)}")
    return line


def _name(rho0: Any, lr: Any) -> str:
    return f"rho0 = {float(rho0)!r}, lr = {float(lr)!r}"


def _cell(numbers: np.ndarray, ran: bool) -> str:
    value, low, high = numbers
    if np.isfinite(value):
        return f"{value:.4g} [{low:.4g}, {high:.4g}]"
    return "div" if ran else "not run"
