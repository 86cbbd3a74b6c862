"""Pictures of landscapes, runs, comparisons, schedules and validation; every function takes ``ax=``
and returns the Axes it drew on.

Energies, lengths and times are in reduced units (mass = k_B = 1). Sizes are chosen to stay legible
in a column 8 cm wide.

Figures are pyplot's, so that ``plt.show()`` shows them; whoever draws many in a loop closes each,
``plt.close(ax.figure)``.
"""

from __future__ import annotations

from .checks import p_values, thermostat
from .comparisons import bands, comparison, cooling, ends, heat_map
from .ladders import overlap
from .landscapes import histogram, landscape
from .motion import Film, animate, check_film
from .phases import conservation, phase
from .runs import energy, history, schedule, summary, temperature
from .search import search
from .style import (
    BLACK,
    BLUE,
    ENERGY,
    GREEN,
    ORANGE,
    PURPLE,
    RED,
    SIZE,
    SKY,
    STYLE,
    TIME,
    YELLOW,
    formula,
    image,
    image_formats,
    styled,
)

__all__ = ["animate", "bands", "comparison", "conservation", "cooling", "ends"]
__all__ += [
    "energy",
    "heat_map",
    "histogram",
    "history",
    "landscape",
    "overlap",
    "p_values",
    "phase",
]
__all__ += ["schedule", "search", "summary", "temperature", "thermostat"]
__all__ += ["BLACK", "BLUE", "ENERGY", "GREEN", "ORANGE", "PURPLE", "RED", "SKY", "TIME", "YELLOW"]
__all__ += ["SIZE", "STYLE", "Film", "check_film", "formula", "image", "image_formats", "styled"]
