"""Names that are no text or are half mathematics; gradients of odd types; what the command line
finds out before a run.
"""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner
from hostile import BOWL, RAMP, refused

import langevin_sa as lsa
from langevin_sa import Potential, anneal, compare
from langevin_sa.cli import main


@pytest.mark.parametrize("name", [1, ("a", "b"), b"a", None])
def test_names_of_methods_are_text(name):
    refused(lambda: compare(BOWL, {name: RAMP}, n_steps=10), TypeError, "names of methods must be")


def test_a_dollar_in_a_name_is_no_mathematics(tmp_path):
    """It was a ValueError when the picture was drawn."""
    found = compare(BOWL, {"5$ a run": RAMP, "$\\frac$": RAMP}, replicas=4, n_steps=20, rng=1)
    axes = found.plot()
    figure = np.ravel(axes)[0].figure
    figure.savefig(tmp_path / "a.png")
    lsa.plots.plt.close(figure) if hasattr(lsa.plots, "plt") else figure.clear()
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.mark.parametrize("kind", ["float16", "longdouble", "object"])
def test_gradients_of_odd_types(kind):
    """As float64, where numba had errors of its own."""
    odd = Potential(lambda x: (x**2).sum(1).astype(kind), lambda x: (2 * x).astype(kind), 2)
    plain = Potential(lambda x: (x**2).sum(1), lambda x: 2 * x, 2)
    ends = [anneal(p, [[0.5, 0.25]], RAMP, 3, rng=1).x for p in (odd, plain)]
    np.testing.assert_allclose(*ends, rtol=1e-2)


@pytest.mark.parametrize("value", [10**400, "a", None])
def test_objects_that_are_no_numbers(value):
    def gradient(x):
        return np.full(x.shape, value, dtype=object)

    odd = Potential(lambda x: (x**2).sum(1), gradient, 2)
    refused(lambda: odd.gradient([1.0, 2.0]), ValueError, "returned no real numbers")


def test_a_deep_toml(tmp_path):
    config = tmp_path / "c.toml"
    config.write_text("a = " + "[" * 3000 + "]" * 3000)
    done = CliRunner().invoke(main, ["anneal", "double_well", "--config", str(config)])
    assert done.exit_code == 2 and "is not TOML" in done.output


@pytest.mark.parametrize("option", ["--save", "--plot"])
def test_a_place_that_cannot_be_written_is_found_before_the_run(tmp_path, monkeypatch, option):
    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    monkeypatch.setattr(lsa.annealing.driver, "anneal", lambda *a, **k: pytest.fail("it ran"))
    given = ["anneal", "double_well", option, str(tmp_path / "a.png")]
    done = CliRunner().invoke(main, given)
    assert done.exit_code == 2 and "No space left on device" in done.output
