"""Replica exchange."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from .style import TIME, check_like, new_axes, styled


@styled
def overlap(found: Any, *, ax: Axes | None = None, bins: int = 80) -> Axes:
    """Energies at each temperature of an `Exchange`, from the coldest, darkest, on: where
    neighbours overlap, they change places.

    Parameters
    ----------
    found : Exchange
        What `langevin_sa.exchange` returns.
    bins : int
        Of the energies of all temperatures.

    Raises
    ------
    ValueError
        If it holds no record.
    """
    check_like(found, "Exchange", "temperatures energies acceptance", "found")
    if not found.energies.size:
        raise ValueError("this exchange was broken off before its first record")
    ax = new_axes(ax)
    low, high = found.energies.min(), np.quantile(found.energies, 0.999)
    edges = np.linspace(low, high, bins + 1)
    colours = TIME(np.linspace(0, 1, len(found.temperatures)))
    for k, (T, colour) in enumerate(zip(found.temperatures, colours, strict=True)):
        share = f", swaps {100 * found.acceptance[k]:.0f} %" if k < len(found.acceptance) else ""
        count, _ = np.histogram(found.energies[:, k], edges)
        share_of = count / found.energies[:, k].size / np.diff(edges)
        ax.stairs(share_of, edges, color=colour, fill=True, alpha=0.25)
        ax.stairs(share_of, edges, color=colour, label=f"$T = {T:.3g}${share}")
    ax.set(xlabel="$U$ (energy)", ylabel="probability density (1/energy)", ylim=(0, None))
    ax.legend(fontsize="small")
    return ax
