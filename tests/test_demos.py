"""Every demo runs, in a small version, and shows what it claims."""

import ast
import importlib
import inspect
from io import BytesIO
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "demos"
DEMOS = sorted(p.stem for p in FOLDER.glob("[a-z]*.py"))


@pytest.fixture
def run(monkeypatch):
    """``run(name)``: what the demo's main returns in its quick version."""
    monkeypatch.syspath_prepend(str(FOLDER))
    with mpl.rc_context():
        yield lambda name: importlib.import_module(name).main(quick=True)
        drawn = [plt.figure(number) for number in plt.get_fignums()]
        for figure in drawn:
            figure.savefig(BytesIO())
    plt.close("all")
    assert drawn


def momentum_is_langevin(difference):
    assert difference < 1e-12


def three_arrows(difference):
    assert difference < 1e-12


def friction(found):
    for rows in found.values():  # little, some, much
        assert rows[1, 1] > 2 * rows[0, 1] and rows[1, 1] > 2 * rows[2, 1]


def freezing(found):
    for _, there, end in found.values():
        assert there - 0.02 < end < 1.3 * there + 0.02
    assert found[100_000][2] < found[3_000][2]


def boltzmann_sampling(shares):
    assert all(abs(measured - exact) < 0.08 for measured, exact in shares.values())


def anneal_or_quench(found):
    assert (
        found["anneal"].success.low
        > found["hot, then quench"].success.high
        > found["quench"].success.high
    )


def slow_cooling(shares):
    assert shares["annealed"] > shares["quenched"] + 0.1


def thermostat_error(deviation):
    assert deviation < 5  # standard errors, the largest of some hundred points


def every_integrator(deviation):
    assert deviation < 5  # standard errors, the largest of 256 points


def samplers_at_any_step(worst):
    assert worst.pop("gjf") > 0 and max(worst.values()) < 4.5  # standard errors


def rastrigin_ten(found):
    (_, first), (comparison, best) = found[min(found)], found[max(found)]
    assert comparison["anneal"].residual.high < best.low < comparison["quench"].residual.low
    # better with cost, and never there
    assert best.value < first.value and comparison["anneal"].success.value < 0.05


def cooling_rate_law(found):
    assert found.residual[-1, 2] < found.residual[0, 1]


def coolmomentum_cools(numbers):
    assert numbers["fall of T"] == pytest.approx(199, abs=1)
    assert numbers["last T"] > 0 and numbers["measured/set at the end"] == pytest.approx(
        1, abs=0.15
    )


def exact_gradients_never_anneal(shares):
    assert shares[0.0].value == 0 and shares[2.0].low > 0.6


def kramers_escape(found):
    assert all(
        abs(measured - exact) < 4.5 * error + 0.03 * exact
        for measured, error, exact in found.values()
    )


def two_funnels(found):
    assert found[13]["anneal"].residual.value < found[13]["quench"].residual.value


def spin_glass_quench(residual):
    # annealing does not pay
    assert np.all(residual["quench"][:, 2] < residual["linear cooling"][:, 1])


def million_sites(found):
    kinks = [density for density, _ in found.values()]
    assert kinks[0] > kinks[-1] > 0


def high_dimensional_gpu(found):
    assert 0.02 < found["kinks"] < 0.08  # 0.05 after 300 steps of another chain, see million_sites


def which_temperature(found):
    for (integrator, omega_dt), reading in found.items():
        hot = 1 / (1 - omega_dt**2 / 4) if integrator == "bbk" else 1
        assert reading["temperature"] == pytest.approx(hot, rel=0.06)
        assert reading["eq22"] == pytest.approx(hot * (0.8 if integrator == "gjf" else 1), rel=0.06)


def noisy_gradients(found):
    for name, outcome in found.outcomes.items():
        falls = -np.diff(np.log(outcome.rescaled[1:]))
        # a step of more than a factor of four, or none
        assert (falls.max() > 1.4) == (name != "CoolMomentum"), name


def minimize_like_scipy(found):
    assert all(lowest[-1] < 1e-6 for _, lowest in found["langevin_sa"])
    stopped = {method: np.median([made[-1] for made, _ in runs]) for method, runs in found.items()}
    assert stopped["langevin_sa"] < stopped["dual_annealing"]


def gas_liquid_crystal(found):
    heights = [found[name].max() for name in ("gas", "liquid", "crystal")]
    assert heights[0] < heights[1] < heights[2]
    assert all(g[0] < 0.1 for g in found.values())


LONG = (
    "thermostat_error",
    "every_integrator",
    "samplers_at_any_step",
    "two_funnels",
)  # whose laws `validate` and the clusters' tests hold


@pytest.mark.long
@pytest.mark.parametrize(
    "name", [pytest.param(d, marks=pytest.mark.slow if d in LONG else ()) for d in DEMOS]
)
def test_demo(name, run):
    globals()[name](run(name))


def test_demos_need_no_file_beside_them():
    """The gallery offers each as a notebook, alone."""
    for name in DEMOS:
        tree = ast.parse((FOLDER / f"{name}.py").read_text())
        imported = [n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
        imported += [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
        assert not {m.split(".")[0] for m in imported} & {p.stem for p in FOLDER.iterdir()}, name


@pytest.mark.long
@pytest.mark.parametrize("name", ["momentum_is_langevin", "coolmomentum_cools"])
def test_a_demo_in_a_notebook_of_its_own(name, tmp_path, monkeypatch):
    """In an empty folder, as a gallery's notebook: its text, then its code, with a picture."""
    nbclient, nbformat = map(pytest.importorskip, ("nbclient", "nbformat"))
    monkeypatch.setenv("PYTHONPATH", str(FOLDER.parent))
    monkeypatch.delenv("MPLBACKEND", raising=False)
    cell = nbformat.v4.new_code_cell((FOLDER / f"{name}.py").read_text())
    notebook = nbformat.v4.new_notebook(cells=[cell])
    nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    assert any("image/png" in out.get("data", {}) for out in cell.outputs)
    assert not list(tmp_path.iterdir())


def test_every_demo_is_small():
    for name in DEMOS:
        assert len((FOLDER / f"{name}.py").read_text().splitlines()) <= 80, name


def test_every_demo_explains_itself(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    for name in DEMOS:
        module = importlib.import_module(name)
        assert inspect.getdoc(module) and inspect.getdoc(module.main), name
