"""Three panels one below the other, legible in a column: training loss, test accuracy, temperature
against the epoch.
"""

from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.ticker import MaxNLocator

from langevin_sa import plots

FIGURES = Path(__file__).parents[2] / "docs" / "figures"
COLOURS = {"Adam": plots.GREEN, "Momentum": plots.RED, "CoolMomentum": plots.BLUE}
LABELS = "training loss", "test accuracy", r"$T\,\Delta t^2 = \langle\Delta x^2\rangle$"
HIGHEST_LOSS = 10.0  # what lies above is off the scale: random guesses have ln(10) = 2.3


def panels(starts_of_decay: list[float]) -> tuple[plt.Figure, list[plt.Axes]]:
    """Figure and axes; dotted lines where the learning rates of Adam and Momentum fall. Call
    `finish` when all is drawn.
    """
    figure, axes = plt.subplots(3, 1, figsize=(4.8, 7.6), layout="constrained", sharex=True)
    for k, (ax, label) in enumerate(zip(axes, LABELS, strict=True)):
        ax.set(ylabel=label, yscale="linear" if k == 1 else "log")
        for start in starts_of_decay:
            ax.axvline(start, color="#AAAAAA", linewidth=1, linestyle=":", zorder=0)
    axes[0].lines[0].set_label("lr of Adam and Momentum falls")
    axes[0].legend(loc="upper right")
    axes[2].set_xlabel("epoch")
    axes[2].xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure, list(axes)


def finish(figure: plt.Figure, path: Path) -> None:
    """Limit the loss, add the legend, write and close."""
    loss, accuracy, heat = figure.axes
    loss.set_ylim(top=min(loss.get_ylim()[1], HIGHEST_LOSS))
    accuracy.legend(loc="lower right")
    if len(heat.get_legend_handles_labels()[0]) > len(COLOURS):
        handles, labels = heat.get_legend_handles_labels()
        heat.legend(handles[len(COLOURS) :], labels[len(COLOURS) :])
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
    plt.close(figure)
