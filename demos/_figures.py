"""Runs every demo, or those named, and writes their figures to docs/figures/demo_NAME.png, further
ones of a demo with their labels.

python demos/_figures.py [NAME ...]
"""

import importlib
import sys
from pathlib import Path

import matplotlib.pyplot as plt

from langevin_sa import plots

HERE = Path(__file__).parent
FIGURES = HERE.parent / "docs" / "figures"


def figures() -> dict[str, plt.Figure]:
    """The open ones by what is added to the demo's name: their labels, nothing without."""
    found = map(plt.figure, plt.get_fignums())
    return {f"_{f.get_label()}" if f.get_label() else "": f for f in found}


if __name__ == "__main__":
    for demo in sys.argv[1:] or sorted(path.stem for path in HERE.glob("[a-z]*.py")):
        print(demo, importlib.import_module(demo).main(), sep="\n", flush=True)
        with plt.rc_context(plots.STYLE):
            for label, figure in figures().items():
                figure.savefig(FIGURES / f"demo_{demo}{label}.png", dpi=130)
        plt.close("all")
