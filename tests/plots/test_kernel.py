"""In a real Jupyter kernel: what cells show, and bars of progress with and without ipywidgets."""

from __future__ import annotations

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")

BEGIN = """
import langevin_sa as lsa
U = lsa.potentials.double_well(tilt=0.3)
cooling = lsa.Schedule(lsa.schedules.exponential(1.0, 0.1), gamma=1.0, dt=0.1)
"""
RUN = "run = lsa.anneal(U, None, cooling, 500, replicas=20, rng=1, samples=True, progress=True)"
CELLS = ["U", "cooling", "lsa.page(U)", "run", "lsa.plots.animate(U, run, frames=3, dpi=30)"]


def outputs(folder, *cells):
    """What each cell put out."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    metadata = {"metadata": {"path": str(folder)}}
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources=metadata
    )
    client.execute()
    return [cell.outputs for cell in notebook.cells]


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_figures_show_after_one_of_the_package(tmp_path, monkeypatch):
    """The first figure of a notebook loads its backend, which then shows what each cell draws."""
    monkeypatch.delenv("MPLBACKEND", raising=False)
    draws = "lsa.plots.landscape(U)", "import matplotlib.pyplot as plt", "plt.plot([1, 2])"
    first, _, second = outputs(tmp_path, BEGIN, *draws)[1:]
    for shown in (first, second):
        assert any("image/png" in output.get("data", {}) for output in shown)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("widgets", [True, False])
def test_cells(widgets, tmp_path):
    if widgets:
        pytest.importorskip("ipywidgets")
    hide = "" if widgets else "import sys; sys.modules['ipywidgets'] = None\n"
    _, ran, *shown = outputs(tmp_path, hide + BEGIN, RUN, *CELLS)
    if widgets:
        (bar,) = ran
        assert bar.output_type == "display_data" and "500" in str(bar.data)
    else:
        said = "".join(output.text for output in ran)  # all streams
        assert "100%" in said and "Warning" not in said
    for cell, (output,) in zip(CELLS, shown, strict=True):
        assert output.output_type == "execute_result", cell
        assert len(output.data["text/plain"]) < 3000, cell
        start = output.data["text/html"].split()[0]
        assert start in ("<iframe", "<pre", "<img", "<video"), cell
