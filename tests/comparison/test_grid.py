"""Table 2 as a function and a command; what is unstable does not take the rest with it."""

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from click.testing import CliRunner

import langevin_sa as lsa
from langevin_sa import cli

WELL = lsa.potentials.double_well(tilt=0.3)
STABLE, LONG = (lsa.CoolMomentum(lr, 0.9, noise=2.0) for lr in (0.002, 9.0))
SHORT = {"n_steps": 400, "replicas": 16, "rng": 3}


def same(a, b):
    np.testing.assert_array_equal(a.x, b.x)
    assert (a.success, a.residual) == (b.success, b.residual)


@pytest.mark.parametrize("order", [("ok", "long"), ("long", "ok")])
def test_an_unstable_method_leaves_the_others_as_they_are(order, tmp_path):
    methods = {name: {"ok": STABLE, "long": LONG}[name] for name in order}
    file = tmp_path / "c.npz"
    found = lsa.compare(WELL, methods, **SHORT, checkpoint=file)
    assert file.exists()
    same(found["ok"], lsa.compare(WELL, {"ok": STABLE}, **SHORT)["ok"])
    assert "beyond stability" in found["long"].message and "beyond stability" in str(found)
    assert found["long"].success.value == 0 and np.isnan(found["long"].residual.value)
    assert not found.message and not found["ok"].message
    found.plot(), lsa.plots.bands(found), lsa.plots.ends(found)
    plt.close("all")
    again = lsa.compare(WELL, methods, **SHORT, checkpoint=file)
    same(again["ok"], found["ok"])
    assert again["long"].message == found["long"].message


def test_nothing_stable_is_refused():
    with pytest.raises(ValueError, match="beyond stability"):
        lsa.compare(WELL, {"a": LONG, "b": LONG}, **SHORT)


def test_a_grid_is_a_comparison_of_its_cells():
    found = lsa.grid(WELL, [0.9, 0.99], [0.002, 9.0], noise=2.0, **SHORT)
    alone = lsa.compare(WELL, {"a": STABLE}, **SHORT)["a"]
    same(found.comparison[found.name(0, 0)], alone)
    np.testing.assert_array_equal(found.success[0, 0], alone.success)
    np.testing.assert_array_equal(found.residual[0, 0], alone.residual)
    for value in ("success", "residual"):
        assert np.isnan(getattr(found, value)[:, 1]).all()
        lines = found.table(value).splitlines()
        assert [line.split()[-1] for line in lines[2:]] == ["div", "div"]
        found.plot(value)
    plt.close("all")
    value = 100 * found.success[1, 0, 0]
    assert str(found).splitlines()[3].split()[1] == f"{value:.4g}"
    del found.comparison.outcomes[found.name(1, 1)]  # as after Ctrl-C
    assert [line.split()[-1] for line in str(found).splitlines()[2:]] == ["div", "run"]


def test_a_grid_without_a_stable_cell():
    found = lsa.grid(WELL, [0.9], [9.0, 10.0], **SHORT)
    assert found.comparison is None and str(found).splitlines()[2].split() == ["0.9", "div", "div"]


@pytest.mark.parametrize(
    ("lists", "match"),
    [(([0.9, 0.9], [0.01]), "rho0 must be"), (([0.9], []), "lr must be"), (([1.5], [1]), "rho0")],
)
def test_bad_grids(lists, match):
    with pytest.raises(ValueError, match=match):
        lsa.grid(WELL, *lists, **SHORT)


def test_the_command(tmp_path):
    words = "grid double_well --rho0 0.9,0.99 --lr 0.002,9 --steps 200 --replicas 16 --seed 1"
    picture = tmp_path / "g.png"
    found = CliRunner().invoke(cli.main, [*words.split(), "--plot", str(picture)])
    assert found.exit_code == 0, found.output
    assert len(found.output.splitlines()) == 6  # title, what is shown, header, two rows, file
    rows = found.output.splitlines()[-3:-1]
    assert [row.split()[0] for row in rows] == ["0.9", "0.99"]
    assert all(row.endswith("div") and "[" in row for row in rows) and picture.stat().st_size
    refused = CliRunner().invoke(cli.main, ["grid", "double_well", "--lr", "a,b"])
    assert refused.exit_code == 2 and "numbers between commas" in refused.output
