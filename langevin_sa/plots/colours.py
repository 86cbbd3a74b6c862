"""Colours of Okabe and Ito, which colour-blind readers can tell apart, and two maps."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, RED, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"


def _part(name: str, low: float, high: float) -> ListedColormap:
    return ListedColormap(plt.get_cmap(name)(np.linspace(low, high, 256)))


TIME = _part("plasma", 0, 0.9)
ENERGY = _part("bone", 0.35, 1)  # pale, so that lines in any colour of TIME show
GOODNESS = _part("cividis", 0.05, 1)
