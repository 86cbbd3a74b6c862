"""In a real Jupyter kernel functions of the notebook go to workers."""

from __future__ import annotations

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")
pytest.importorskip("xarray")

CELLS = [
    """
import numpy as np
import langevin_sa as lsa

tilt = 0.3

def energy(x):
    return ((x**2 - 1) ** 2 + tilt * x).sum(1)

def gradient(x):
    return 4 * x * (x**2 - 1) + tilt

def fun(x):
    return float(energy(x[None])[0])

U = lsa.Potential(energy, gradient, dim=2, bounds=(-2, 2))
schedule = lsa.Schedule(lsa.schedules.exponential(1.0, 0.1), gamma=1.0, dt=0.1)
""",
    """
one = lsa.Potential.from_function(fun, 2, lambda x: gradient(x[None])[0], bounds=(-2, 2))
runs = [
    lsa.anneal(V, None, schedule, 100, replicas=4, rng=1, workers=workers).energies
    for V in (U, one)
    for workers in (1, 2)
]
for other in runs[1:]:
    np.testing.assert_allclose(other, runs[0], rtol=1e-12)
""",
    """
found = [
    lsa.minimize(fun, bounds=[(-2, 2)] * 2, maxfev=200, rng=1, workers=workers).fun
    for workers in (1, 2)
]
assert found[0] == found[1] < 0, found
""",
    """
compared = [
    lsa.compare(U, {"slow": schedule}, replicas=4, n_steps=50, rng=1, workers=workers)
    for workers in (1, 2)
]
assert np.array_equal(*(c["slow"].energies["final"] for c in compared))
""",
    "lsa.anneal(U, None, schedule, 100, replicas=4, rng=1, samples=True).to_xarray()",
]


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_functions_of_a_notebook_go_to_workers(tmp_path):
    """And its last cell shows a dataset."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in CELLS])
    folder = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources=folder
    ).execute()
    shown = notebook.cells[-1].outputs[-1].data
    assert "best_positions" in shown["text/html"] and "best_positions" in shown["text/plain"]
