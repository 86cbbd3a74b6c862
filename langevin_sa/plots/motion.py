"""A run as a film."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FFMpegWriter, FuncAnimation, PillowWriter

from ..arguments import check_file, check_whole, on_host, real, real_array, shown
from ..drawing import img
from .landscapes import landscape, path_of, place_of
from .style import RED, SIZE, styled

WRITERS = {".gif": PillowWriter, ".mp4": FFMpegWriter}
EVEN = "crop=floor(iw/2)*2:floor(ih/2)*2"  # pixels, as players of H.264 want them


class Film:
    """A film as bytes, which a notebook shows.

    Attributes
    ----------
    content : bytes
        The file.
    kind : str
        "video/mp4", or "image/gif" where there is no ffmpeg.
    """

    def __init__(self, content: bytes, kind: str) -> None:
        self.content, self.kind = content, kind

    def __repr__(self) -> str:
        return f"Film of {len(self.content) / 1000:.0f} kB, {self.kind}"

    def _repr_html_(self) -> str:
        picture = img(self.content, self.kind, 'width="480"')
        if self.kind == "image/gif":
            return picture
        look = "controls autoplay loop muted"
        return picture.replace("<img", f"<video {look}").replace(' alt=""', "") + "</video>"


@styled
def animate(
    potential: Any,
    trajectory: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    temperature: Any = None,
    bounds: Any = None,
    fps: float = 20,
    dpi: float = 90,
    frames: int | None = None,
) -> Any:
    """Film replicas that move on the landscape: an MP4 (with ffmpeg) or a GIF.

    Parameters
    ----------
    potential : Potential
        Of dim 1 or 2.
    trajectory : Result, or array (records, dim) or (records, replicas, dim)
        A result of ``anneal(..., samples=True)``, or its samples: one frame a record.
    path : path, optional
        Where to write, ending in .mp4 or .gif; by default the film is returned, and a notebook
        shows it.
    temperature : array (records,), optional
        T at each record, shown above the picture; a result brings its own.
    bounds : (low, high), or one pair a coordinate, optional
        What to show, as for `landscape`.
    fps, dpi : float
        Frames a second; dots an inch (an inch is a fifth of the width).
    frames : int, optional
        At most so many, of records evenly spaced; by default all. A frame takes some 0.1 s.

    Returns
    -------
    Axes of the last frame, or a `Film` if no path is given.

    Raises
    ------
    ValueError, TypeError
        For a potential of more coordinates, a trajectory of another shape, a result without
        samples, another ending, or an MP4 without ffmpeg.

    Examples
    --------
    >>> import langevin_sa as lsa
    >>> U = lsa.potentials.double_well(tilt=0.3)
    >>> run = lsa.anneal(U, n_steps=200, replicas=20, rng=1, record_every=20, samples=True)
    >>> lsa.plots.animate(U, run, "run.gif")  # doctest: +SKIP
    """
    if path is None:
        ending = ".mp4" if FFMpegWriter.isAvailable() else ".gif"
    else:
        ending = check_film(path)
    for name, value, low, high in (("fps", fps, 0.1, 100), ("dpi", dpi, 10, 1000)):
        if not (real(value) and low <= value <= high):
            raise ValueError(
                f"{name} must be a number from {low:g} to {high:g}, not {shown(value)}"
            )
    if hasattr(trajectory, "history"):
        trajectory, temperature = _of_run(trajectory, temperature)
    points = path_of(trajectory, potential)
    titles = [f"record {k}" for k in range(len(points))]
    if temperature is not None:
        values = real_array(temperature, "temperature")
        if values.shape != points.shape[:1]:
            records = f"{len(points)} records, not of shape {values.shape}"
            raise ValueError(f"temperature must be one T for each of {records}")
        units = potential.units
        unit = "" if units.temperature == "energy" else f" {units.temperature}"
        titles = [f"$T$ = {units.shown_temperature(value):.3g}{unit}" for value in values]
    if frames is not None:
        check_whole(1, frames=frames)
        kept = np.unique(np.linspace(0, len(points) - 1, min(frames, len(points))).astype(int))
        points, titles = points[kept], [titles[k] for k in kept]

    figure, ax = plt.subplots(figsize=SIZE, layout="constrained")
    landscape(potential, bounds=place_of(potential, points, bounds), ax=ax)
    heights = points[:, :, -1]
    if potential.dim == 1:
        heights = potential.energy(points.reshape(-1, 1)).reshape(points.shape[:2])
    look: dict[str, Any] = {"s": 26, "color": RED, "edgecolors": "white", "linewidths": 0.4}
    balls = ax.scatter(points[0, :, 0], heights[0], zorder=6, **look)
    title = ax.set_title(" ")

    def draw(k: int) -> tuple[Any, ...]:
        balls.set_offsets(np.stack([points[k, :, 0], heights[k]], axis=1))
        title.set_text(titles[k])
        return balls, title

    film = FuncAnimation(figure, draw, frames=len(points))
    more = {"extra_args": ["-vf", EVEN]} if ending == ".mp4" else {}
    writer = WRITERS[ending](fps=fps, **more)
    # a film that is broken off is none, and leaves what was there
    with TemporaryDirectory(dir=None if path is None else Path(path).absolute().parent) as folder:
        file = Path(folder) / f"film{ending}"
        film.save(os.fspath(file), writer=writer, dpi=dpi)
        if path is not None:
            os.replace(file, path)
            return ax
        content = file.read_bytes()
    plt.close(figure)
    return Film(content, "video/mp4" if ending == ".mp4" else "image/gif")


def check_film(path: Any) -> str:
    """The ending of a film's path; a ValueError if such a file cannot be written."""
    ending = check_file(path, "path").suffix.lower()
    if ending not in WRITERS:
        raise ValueError(
            f"a film is an MP4 or a GIF: give a path that ends in .mp4 or .gif, not "
            f"{os.fspath(path)!r}"
        )
    if ending == ".mp4" and not FFMpegWriter.isAvailable():
        raise ValueError("an MP4 needs ffmpeg, which is not installed: give a path ending in .gif")
    return ending


def _of_run(result: Any, temperature: Any) -> tuple[Any, Any]:
    """Samples of a result, and their temperature."""
    if result.samples is None:
        raise ValueError(
            "the result has no samples to film: run anneal(..., samples=True, record_every=...)"
        )
    samples = on_host(result.samples)
    return samples, result.history.target if temperature is None else temperature
