"""Where the demos' pictures go: docs/figures/demo_NAME.png; a quick run only checks that they can
be drawn.
"""

import os
from io import BytesIO
from pathlib import Path

import matplotlib.pyplot as plt

FIGURES = Path(
    os.environ.get("LANGEVIN_SA_FIGURES", Path(__file__).parents[1] / "docs" / "figures")
)


def finish(figure: plt.Figure, name: str, quick: bool) -> None:
    """Write the figure of a demo; it stays open for the gallery, which shows all that are."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    figure.savefig(BytesIO() if quick else FIGURES / f"demo_{name}.png", dpi=130)
