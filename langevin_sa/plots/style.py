"""One style for all figures: colours, sizes that stay legible in a column 8 cm wide, Axes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from io import BytesIO
from typing import Any, TypeVar

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.colors import ListedColormap
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import math_to_image

from ..arguments import finite, look_up, short, shown

# of Okabe and Ito, which colour-blind readers can tell apart
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, RED, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"


def _part(name: str, low: float, high: float) -> ListedColormap:
    return ListedColormap(plt.get_cmap(name)(np.linspace(low, high, 256)))


TIME = _part("plasma", 0, 0.9)
ENERGY = _part("bone", 0.35, 1)  # pale, so that lines in any colour of TIME show
GOODNESS = _part("cividis", 0.05, 1)

STYLE: dict[Any, Any] = {
    "font.size": 11,
    "axes.labelsize": 11,
    "axes.titlesize": 11,
    "legend.fontsize": 9.5,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "axes.formatter.limits": (-4, 5),
    "lines.linewidth": 1.6,
    "legend.frameon": True,
    "legend.framealpha": 0.85,
    "legend.edgecolor": "none",
    "figure.dpi": 150,  # that of what the user saves, too
}
SIZE = (4.8, 3.3)  # inches

Plot = TypeVar("Plot", bound=Callable[..., Any])


def styled(plot: Plot) -> Plot:
    """The function run under `STYLE`: the user's own matplotlib settings are as before when it
    returns, and if it raises no figure is left.
    """

    @wraps(plot)
    def run(*args: Any, **keywords: Any) -> Any:
        there = plt.get_fignums()
        try:
            with plt.rc_context(STYLE):
                drawn = plot(*args, **keywords)
                interactive = plt.isinteractive()
            # a notebook's backend, which is loaded with the first figure, has switched it on
            mpl.interactive(interactive)
            return drawn
        except BaseException:
            for number in set(plt.get_fignums()).difference(there):
                plt.close(number)
            raise

    return run  # type: ignore[return-value]


def image_formats() -> dict[str, str]:
    """The kinds of image file that can be written, by their ending."""
    return FigureCanvasBase.get_supported_filetypes()


def literal(name: str) -> str:
    """A user's name, none of which is mathematics to matplotlib."""
    return name.replace("$", r"\$")


def check_like(value: Any, kind: str, attributes: str, what: str) -> None:
    """Raise a TypeError unless a value has the attributes, in one string, that a picture reads of a
    `kind`.
    """
    if not all(hasattr(value, name) for name in attributes.split()):
        raise TypeError(f"{what} must be a {kind}, not {shown(value)}")


def new_axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return given_axes(ax, 1)[0]
    return plt.subplots(figsize=SIZE, layout="constrained")[1]


def given_axes(axes: Any, count: int) -> np.ndarray:
    """So many Axes that the caller brings, as an array."""
    found = np.ravel(np.asarray(axes, dtype=object))
    if len(found) != count or not all(isinstance(ax, Axes) for ax in found):
        which = "ax must be the Axes" if count == 1 else f"axes must be the {count} Axes"
        raise TypeError(f"{which} to draw on, not {shown(axes)}")
    return found


def stack(panels: int, height: float) -> np.ndarray:
    return plt.subplots(panels, 1, sharex=True, figsize=(SIZE[0], height), layout="constrained")[1]


def log_if_wide(ax: Axes, values: np.ndarray) -> None:
    """A logarithmic y axis if the positive values span more than a factor of ten."""
    values = values[values > 0]
    if values.size and values.max() > 10 * values.min():
        ax.set_yscale("log", nonpositive="mask")
        ax.set_ylim(values.min() / 2, values.max() * 2)


def between(ax: Axes, low: float, high: float) -> None:
    """The y axis from `low` to `high` with a margin; matplotlib's own limits where nothing is
    between.
    """
    if high - low > 1e-9 * max(abs(low), abs(high), 1e-290):
        ax.set_ylim(low - 0.06 * (high - low), high + 0.06 * (high - low))


def dots(step: Any) -> dict[str, Any]:
    return {"marker": "o", "markersize": 4} if len(step) < 12 else {}


def image(axes: Any, kind: str = "svg") -> bytes:
    """The figure of some Axes as the bytes of an image file; the figure is closed."""
    look_up(kind, image_formats(), "kind of image")
    figure = given_axes(axes, max(1, np.size(axes)))[0].figure
    buffer = BytesIO()
    with plt.rc_context({"svg.hashsalt": "langevin_sa"}):
        figure.savefig(buffer, format=kind, metadata={"Date": None} if kind == "svg" else None)
    plt.close(figure)
    return buffer.getvalue()


def formula(latex: str, size: float = 11) -> bytes:
    """Text with LaTeX between dollars, as an SVG image."""
    if not isinstance(latex, str) or not (finite(size) and 1 <= size <= 1000):
        raise TypeError(
            f"a formula is text, in a size from 1 to 1000 points, not {shown(latex)} in "
            f"{shown(size)}"
        )
    style: dict[Any, Any] = {
        "svg.hashsalt": "langevin_sa",
        "mathtext.fontset": "stix",
        "font.family": "STIXGeneral",
        "savefig.transparent": True,
    }
    buffer = BytesIO()
    try:
        with plt.rc_context(style), np.errstate(all="raise"):
            math_to_image(latex, buffer, prop=FontProperties(size=size), dpi=100, format="svg")
    except (ValueError, ArithmeticError) as error:  # the latter where there is nothing to see
        raise ValueError(f"cannot draw {shown(latex)}: {short(str(error))}") from None
    return buffer.getvalue()
