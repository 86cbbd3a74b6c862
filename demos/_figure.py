"""Where the demos' pictures go: docs/figures/demo_NAME.png; a quick run only checks that they can be drawn."""

from io import BytesIO
from pathlib import Path

import matplotlib.pyplot as plt

FIGURES = Path(__file__).parents[1] / "docs" / "figures"


def finish(figure: plt.Figure, demo: str, quick: bool) -> None:
    """Write the figure of a demo (its ``__file__``) and close it."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    figure.savefig(BytesIO() if quick else FIGURES / f"demo_{Path(demo).stem}.png", dpi=110)
    plt.close(figure)
