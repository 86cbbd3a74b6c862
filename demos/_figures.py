"""Runs every demo, or those named, and writes their figures to docs/figures/demo_NAME.png, further
ones of a demo with their labels. `tutorial` is the page: its blocks run, and the pictures that they
save become docs/figures/tutorial_NAME.png.

python demos/_figures.py [NAME ...]
"""

import importlib
import os
import re
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt

from langevin_sa import plots

HERE = Path(__file__).parent
FIGURES = HERE.parent / "docs" / "figures"


def figures() -> dict[str, plt.Figure]:
    """The open ones by what is added to the demo's name: their labels, nothing without."""
    found = map(plt.figure, plt.get_fignums())
    return {f"_{f.get_label()}" if f.get_label() else "": f for f in found}


def tutorial() -> None:
    """Run the blocks of the tutorial in an empty folder and keep their pictures."""
    page, names = (FIGURES.parent / "tutorial.md").read_text(), {}
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        for code in re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
            exec(compile(code, "tutorial.md", "exec"), names)
        for picture in Path().glob("*.png"):
            shutil.copy(picture, FIGURES / f"tutorial_{picture.name}")
        os.chdir(HERE)


if __name__ == "__main__":
    demos = sorted(path.stem for path in HERE.glob("[a-z]*.py"))
    for demo in sys.argv[1:] or [*demos, "tutorial"]:
        if demo == "tutorial":
            tutorial()
            continue
        print(demo, importlib.import_module(demo).main(), sep="\n", flush=True)
        with plt.rc_context(plots.STYLE):
            for label, figure in figures().items():
                figure.savefig(FIGURES / f"demo_{demo}{label}.png", dpi=130)
        plt.close("all")
