"""A run as a film."""

from __future__ import annotations

import os
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FuncAnimation, PillowWriter

from ..arguments import check_file, real, real_array, shown
from .landscapes import landscape, path_of
from .style import RED, SIZE, styled


@styled
def animate(
    potential: Any,
    trajectory: Any,
    path: str | os.PathLike[str],
    *,
    temperature: Any = None,
    bounds: Any = None,
    fps: int = 20,
    dpi: int = 90,
) -> Any:
    """Write a GIF of replicas that move on the landscape; returns the Axes of the last frame.

    Parameters
    ----------
    potential : Potential
        Of dim 1 or 2.
    trajectory : array (records, dim) or (records, replicas, dim)
        One frame a record, such as ``result.samples``.
    path : path
        Where to write, ending in .gif.
    temperature : array (records,), optional
        T at each record, shown above the picture.
    bounds, fps, dpi
        As for `landscape`; frames a second; dots an inch (an inch is a fifth of the width).

    Raises
    ------
    ValueError
        For a potential of more coordinates, a trajectory of another shape, or another ending.
    """
    if check_file(path, "path").suffix.lower() != ".gif":
        raise ValueError(
            f"the film is a GIF: give a path that ends in .gif, not {os.fspath(path)!r}"
        )
    for name, value, low, high in (("fps", fps, 0.1, 100), ("dpi", dpi, 10, 1000)):
        if not (real(value) and low <= value <= high):
            raise ValueError(
                f"{name} must be a number from {low:g} to {high:g}, not {shown(value)}"
            )
    figure, ax = plt.subplots(figsize=SIZE, layout="constrained")
    landscape(potential, bounds=bounds, ax=ax)
    points = path_of(trajectory, potential)
    titles = [f"record {k}" for k in range(len(points))]
    if temperature is not None:
        values = real_array(temperature, "temperature")
        if values.shape != points.shape[:1]:
            records = f"{len(points)} records, not of shape {values.shape}"
            raise ValueError(f"temperature must be one T for each of {records}")
        titles = [f"$T$ = {value:.3g}" for value in values]
    if potential.dim == 1:
        heights = potential.energy(points.reshape(-1, 1)).reshape(points.shape[:2])
    else:
        heights = points[:, :, 1]
    look: dict[str, Any] = {"s": 26, "color": RED, "edgecolors": "white", "linewidths": 0.4}
    balls = ax.scatter(points[0, :, 0], heights[0], zorder=6, **look)
    title = ax.set_title(" ")

    def draw(k: int) -> tuple[Any, ...]:
        balls.set_offsets(np.stack([points[k, :, 0], heights[k]], axis=1))
        title.set_text(titles[k])
        return balls, title

    film = FuncAnimation(figure, draw, frames=len(points))
    film.save(os.fspath(path), writer=PillowWriter(fps=fps), dpi=dpi)
    return ax
