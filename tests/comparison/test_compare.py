"""Comparisons: intervals against scipy, step rules against their papers, common noise, and who wins
in the tilted double well.
"""

import matplotlib as mpl

mpl.use("Agg")

import itertools
import re
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
from click.testing import CliRunner

import langevin_sa as lsa
from langevin_sa import cli, plots
from langevin_sa.backends.walk import Walk
from langevin_sa.comparison.method import RuleWalk
from langevin_sa.optimizers import SGD, Adam, RMSprop
from langevin_sa.schedules import exponential, linear, quench
from langevin_sa.statistics import wilson

WELL = lsa.potentials.double_well(tilt=0.3)
BOWL = lsa.potentials.harmonic(dim=2)
ANNEAL, QUENCH = (
    lsa.Schedule(law, 1.0, 0.1) for law in (exponential(1.0, 0.01), quench(1.0, 0.01))
)


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def found():
    methods = {
        "anneal": ANNEAL,
        "quench": QUENCH,
        "cool": lsa.CoolMomentum(0.01, 0.99, noise=2.0),
        "adam": Adam(0.05, noise=2.0),
    }
    return lsa.compare(WELL, methods, x0=[0.96], replicas=40, n_steps=1000, rng=3, epochs=10)


# ------------------------------------------------------------------------------------------ compare


@pytest.mark.long
def test_annealing_beats_quenching():
    out = lsa.compare(
        WELL,
        {"anneal": ANNEAL, "quench": QUENCH},
        x0=[0.96],
        replicas=400,
        n_steps=100_000,
        rng=1,
        epochs=4,
    )
    assert out["anneal"].success.low > 0.95 and out["quench"].success.high <= 0.5
    assert out["anneal"].residual.high < out["quench"].residual.low
    assert out.difference("anneal", "quench").high < 0
    assert out["quench"].tts.value == np.inf and out["anneal"].tts.value < 2e5


def test_what_is_measured(found):
    assert found.minimum_energy == pytest.approx(WELL.minimum_energy) and found.seed == 3
    for name, o in found.outcomes.items():
        assert o.energy.shape == o.best.shape == o.judged.shape == (10, 40) and o.step[-1] == 1000
        np.testing.assert_allclose(o.energies["final"], WELL.energy(o.x))
        assert np.all(o.energies["best"] <= o.energies["final"] + 1e-12) and np.all(
            np.diff(o.best, axis=0) <= 0
        )
        assert o.success == o.success_by_epoch[-1] == wilson(int((o.x[:, 0] < 0.1).sum()), 40), name
        assert sum(s.value for s in o.shares) == pytest.approx(1)
        assert o.residual.value == pytest.approx(
            np.mean(o.energies["polished"] - found.minimum_energy)
        )
        assert o.rescaled.shape == (10,) and np.all(o.rescaled > 0)
    assert [m.known for m in found.minima] == [True, False] and found.minima[
        1
    ].energy == pytest.approx(0.29414648)
    assert np.isnan(found["adam"].temperature).all()
    for text in (
        "anneal",
        "success is a descent from the last point",
        "success (95 %)",
        "TTS99",
        "(known)",
    ):
        assert text in str(found)


def test_the_ends_are_those_of_anneal(found):
    run = lsa.anneal(WELL, [0.96], ANNEAL, 1000, replicas=40, rng=3, record_every=100)
    np.testing.assert_array_equal(found["anneal"].x, run.state.x)
    np.testing.assert_allclose(found["anneal"].temperature, run.history.eq22)
    np.testing.assert_allclose(found["anneal"].rescaled, run.history.eq22 * 0.01)


def test_one_seed_one_result(found):
    again = lsa.compare(
        WELL,
        {"anneal": ANNEAL, "adam": Adam(0.05, noise=2.0)},
        x0=[0.96],
        replicas=40,
        n_steps=1000,
        rng=3,
        epochs=5,
    )
    for name in again.outcomes:
        np.testing.assert_array_equal(again[name].x, found[name].x)
        assert again[name].residual == found[name].residual
    other = lsa.compare(WELL, {"anneal": ANNEAL}, x0=[0.96], replicas=40, n_steps=1000, rng=4)
    assert not np.array_equal(other["anneal"].x, found["anneal"].x)


def test_judged_and_budgets():
    out = lsa.compare(
        BOWL,
        {"a": ANNEAL, "b": ANNEAL},
        replicas=30,
        n_steps=500,
        budgets={"b": 100},
        rng=1,
        judged="final",
        epochs=3,
    )
    assert (out["a"].n_steps, out["b"].n_steps, out["b"].step[-1]) == (500, 100, 100)
    assert out["a"].residual.value == pytest.approx(out["a"].energies["final"].mean())
    best = lsa.compare(BOWL, {"a": ANNEAL}, replicas=30, n_steps=500, rng=1, judged="best")
    assert best["a"].residual.value < out["a"].residual.value


def test_two_known_minima_are_told_apart():
    out = lsa.compare(
        lsa.potentials.double_well(tilt=0.0), {"a": ANNEAL}, replicas=200, n_steps=500, rng=1
    )
    assert len(out.minima) == 2 and all(m.known for m in out.minima)
    assert sorted(np.sign([m.x[0] for m in out.minima])) == [-1, 1]
    assert out["a"].success.value == 1


def test_without_a_known_minimum_the_lowest_found_counts():
    U = lsa.Potential.from_formula("(x**2 - 1)**2 + 0.3*x", bounds=(-2, 2))
    out = lsa.compare(U, {"a": ANNEAL}, replicas=30, n_steps=500, rng=1)
    assert out.minimum_energy == pytest.approx(WELL.minimum_energy) and not out.minima[0].known


@pytest.mark.filterwarnings("ignore:omega")
def test_a_method_that_diverges_fails_and_says_so():
    steep = lsa.Potential.from_formula(
        "x**2/2 + x**8", bounds=(-0.1, 0.1), minima=[[0.0]], minimum_energy=0.0
    )
    out = lsa.compare(
        steep,
        {"wild": SGD(0.9, 0.9, noise=3.0), "tame": SGD(0.001)},
        replicas=10,
        n_steps=400,
        rng=1,
    )
    assert out["wild"].message.startswith("diverged at step") and out["wild"].success.value == 0
    assert out["wild"].tts.value == np.inf and np.isnan(out["wild"].residual.value)
    assert out["tame"].success.value == 1 and "diverged" in str(out)
    out.plot()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("x**2", {"a": ANNEAL}), TypeError, "must be a Potential"),
        ((WELL, {}), TypeError, "at least one method"),
        ((WELL, [ANNEAL]), TypeError, "dictionary"),
        ((WELL, {"a": 3}), TypeError, "method 'a' must be"),
        ((WELL, {"a": Adam}), TypeError, "method 'a' must be"),
    ],
)
def test_bad_methods(arguments, error, message):
    with pytest.raises(error, match=message):
        lsa.compare(*arguments)


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"judged": "lowest"}, ValueError, "unknown energy to judge by"),
        ({"tolerance": -1.0}, ValueError, "tolerance"),
        ({"budgets": {"b": 3}}, ValueError, "unknown method in budgets"),
        ({"budgets": {"a": 0}}, ValueError, "budget of a"),
        ({"n_steps": 1.5}, TypeError, "n_steps"),
        ({"epochs": 0}, ValueError, "epochs"),
        ({"x0": [1.0, 2.0]}, ValueError, "x0 must have shape"),
    ],
)
def test_bad_keywords(keywords, error, message):
    with pytest.raises(error, match=message):
        lsa.compare(WELL, {"a": ANNEAL}, **keywords)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Adam(0.0), "lr must be"),
        (lambda: Adam(0.1, noise=-1), "noise"),
        (lambda: Adam(0.1, beta1=1.0), "beta1"),
        (lambda: RMSprop(0.1, decay=2), "decay"),
        (lambda: SGD(0.1, momentum=1.5), "momentum"),
    ],
)
def test_bad_rules(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# ------------------------------------------------------------------------------------ cooling rates


@pytest.fixture(scope="module")
def cooled():
    return lsa.cooling_rates(
        WELL, ANNEAL, [300, 1000, 3000, 10_000], x0=[0.96], replicas=400, rng=1
    )


def test_slower_is_better(cooled):
    assert np.all(np.diff(cooled.residual[:, 0]) < 0) and np.all(np.diff(cooled.success[:, 0]) > 0)
    np.testing.assert_allclose(cooled.times, [30, 100, 300, 1000])
    assert set(cooled.fits) == {"power", "logarithmic"} and 0.2 < cooled.fits["power"].zeta < 0.9
    assert cooled.verdict in str(cooled) and "law" in cooled.verdict


def test_rates_are_lengths(cooled):
    by_rate = lsa.cooling_rates(
        WELL, ANNEAL, rates=cooled.rates[:2], x0=[0.96], replicas=400, rng=1
    )
    np.testing.assert_array_equal(by_rate.n_steps, [300, 1000])
    np.testing.assert_allclose(by_rate.residual, cooled.residual[:2])
    assert by_rate.fits == {} and "no law" in by_rate.verdict


def test_all_lengths_are_measured_from_the_lowest_that_any_found():
    U = lsa.Potential.from_formula(site="x**2 - 10*cos(2*pi*x)", dim=3, bounds=(-5, 5))
    out = lsa.cooling_rates(
        U, lsa.Schedule(exponential(5.0, 0.3), 1.0, 0.05), [10, 1000, 30_000], replicas=40, rng=1
    )
    assert (
        len({c.minimum_energy for c in out.comparisons}) == 1
        and out.residual[-1, 2] < out.residual[0, 1]
    )
    assert out.comparisons[0].minimum_energy == min(
        c["anneal"].energies[k].min() for c in out.comparisons for k in ("best", "polished")
    )


@pytest.mark.parametrize(
    ("arguments", "keywords", "error", "message"),
    [
        ((WELL, ANNEAL), {}, TypeError, "either n_steps"),
        ((WELL, ANNEAL, [10]), {"rates": [1.0]}, TypeError, "either n_steps"),
        ((WELL, Adam(0.1), [10]), {}, TypeError, "schedule must be"),
        ((WELL, ANNEAL, [10.5]), {}, ValueError, "n_steps must be integers"),
        ((WELL, ANNEAL), {"rates": [-1.0]}, ValueError, "positive"),
        ((WELL, lsa.Schedule(1.0)), {"rates": [1.0]}, ValueError, "does not fall"),
    ],
)
def test_bad_cooling(arguments, keywords, error, message):
    with pytest.raises(error, match=message):
        lsa.cooling_rates(*arguments, **keywords)


# -------------------------------------------------------------------------------------------- plots


def test_figure_1(found):
    energy, success, temperature = found.plot()
    for k, o in enumerate(found.outcomes.values()):
        np.testing.assert_allclose(
            energy.get_lines()[k].get_ydata(), o.judged.mean(1) - found.minimum_energy
        )
        np.testing.assert_allclose(
            success.get_lines()[k].get_ydata(), [100 * s.value for s in o.success_by_epoch]
        )
        np.testing.assert_allclose(temperature.get_lines()[k].get_ydata(), o.rescaled)
    assert temperature.get_yscale() == "log" and "Delta t^2" in temperature.get_ylabel()
    given = plt.subplots(3)[1]
    assert list(plots.comparison(found, given)) == list(given)


def test_other_figures(found, cooled):
    np.testing.assert_allclose(
        plots.bands(found).get_lines()[0].get_ydata(), np.median(found["anneal"].energy, axis=1)
    )
    top, bottom = cooled.plot()
    np.testing.assert_allclose(top.get_lines()[0].get_ydata(), 100 * cooled.success[:, 0])
    assert (
        bottom.get_xscale() == bottom.get_yscale() == "log"
        and len(bottom.get_legend().get_texts()) == 3
    )
    plots.ends(found).figure.canvas.draw()
    flat = lsa.compare(
        lsa.potentials.muller_brown(),
        {"a": lsa.Schedule(linear(20.0, 1.0), 10.0, 0.004)},
        replicas=8,
        n_steps=100,
        rng=1,
    )
    np.testing.assert_allclose(plots.ends(flat).collections[-1].get_offsets(), flat["a"].x)


def test_heat_map_marks_what_diverged():
    ax = plots.heat_map((0.9, 0.99), (0.01, 0.1, 1.0), [[1, 2, np.nan], [3, 9, np.nan]])
    assert [t.get_text() for t in ax.texts] == ["1", "2", "div", "3", "9", "div"]
    assert [t.get_text() for t in ax.texts if t.get_fontweight() == "bold"] == ["9"]
    with pytest.raises(ValueError, match="shape"):
        plots.heat_map((0.9,), (0.1,), [[1, 2]])


def test_trajectory_coloured_by_temperature():
    path = np.random.default_rng(1).normal(size=(6, 2))
    T = np.geomspace(1, 0.01, 6)
    ax = plots.landscape(BOWL, trajectory=path, temperature=T)
    lines = next(c for c in ax.collections if isinstance(c, mpl.collections.LineCollection))
    np.testing.assert_allclose(lines.get_array(), T[:-1])
    with pytest.raises(ValueError, match="one T > 0"):
        plots.landscape(BOWL, trajectory=path, temperature=T[1:])


@pytest.mark.parametrize("potential", [WELL, BOWL])
def test_animation(tmp_path, potential):
    from PIL import Image

    path = np.random.default_rng(1).normal(size=(4, 3, potential.dim)) / 2
    plots.animate(potential, path, tmp_path / "film.gif", temperature=[1.0, 0.5, 0.2, 0.1], dpi=40)
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == 4
    with pytest.raises(ValueError, match=r"ends in \.mp4 or \.gif"):
        plots.animate(potential, path, tmp_path / "film.avi")


# ------------------------------------------------------------------------------------- command line


def test_command(tmp_path):
    words = (
        "compare double_well --T0 1 --T1 0.01 --steps 500 --replicas 20 --seed 1 --methods "
        "linear,quench,coolmomentum --plot "
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        done = CliRunner().invoke(cli.main, [*words.split(), f"{tmp_path}/c.png"])
    assert done.exit_code == 0, done.output
    assert all(
        text in done.output
        for text in ("linear: Schedule(", "coolmomentum: CoolMomentum(", "TTS99", "drawn")
    )
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


def test_optimizers_on_the_command_line():
    """Their noise is CoolMomentum's, their learning rates fall as the paper's, and what is given is
    kept.
    """
    words = (
        "compare double_well --T0 1 --steps 400 --replicas 8 --seed 1 --methods "
        "coolmomentum,momentum,sgd,adam,rmsprop"
    )
    shown = []
    for more in ("", " --lr 0.02 --noise 3"):
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # of large time steps
            done = CliRunner().invoke(cli.main, (words + more).split())
        assert done.exit_code == 0, done.output
        shown.append(
            dict(line.split(": ", 1) for line in done.output.splitlines() if "noise=" in line)
        )
    first, second = shown
    assert list(first) == ["coolmomentum", "momentum", "sgd", "adam", "rmsprop"]
    noise = re.search(r"noise=[\d.]+", first["coolmomentum"])[0]
    assert all(noise in line for line in first.values())
    assert first["adam"].startswith("Adam(lr=stepwise(") and "momentum=0.9" in first["momentum"]
    for name in ("momentum", "sgd", "adam", "rmsprop"):
        assert (
            "(0, 0.02), (0.4, 0.002), (0.6, 0.0002), (0.8, 2e-05), (0.9, 1e-05)" in second[name]
            and "noise=3" in second[name]
        )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("compare double_wel", "did you mean 'double_well'"),
        ("compare double_well --methods adam --T0 0", "give --lr"),
        ("compare double_well --methods adm", "did you mean 'adam'"),
        ("compare double_well --methods annealing", "unknown schedule"),
        ("compare double_well --judged lowest", "unknown energy"),
        ("compare double_well --plot c.xyz", "kind of image"),
    ],
)
def test_command_says_what_is_wrong(words, message):
    done = CliRunner().invoke(cli.main, words.split())
    assert done.exit_code != 0 and message in done.output


def test_a_rule_says_how_far_it_moved():
    """<dx^2> of Adam's first step is lr^2, whatever the gradient; Walk.dx2, a sum of (dx/dt)^2, is
    left alone.
    """
    walk = Walk.at_rest(np.array([[1.0, -2.0], [0.3, 4.0]]), 1)
    steps = RuleWalk(lsa.potentials.harmonic(dim=2), walk, Adam(0.01), 5, every=1)
    assert next(steps.slices())[1] == pytest.approx(1e-4, rel=1e-6)
    assert not walk.dx2.any()


def test_energies_below_the_known_minimum_are_no_success():
    """The upper well is said to be the minimum: only it counts, and what lies below is said."""
    upper = float(WELL.energy(np.array([0.960209])))
    U = lsa.Potential.from_formula(
        "(x**2 - 1)**2 + 0.3*x",
        bounds=(-2, 2),
        minima=[[0.960209]],
        minimum_energy=upper,
        name="half",
    )
    with pytest.warns(
        UserWarning, match=r"energies down to -0.305.* below the known minimum of half, 0.294"
    ) as caught:
        found = lsa.compare(
            U,
            {"quench": QUENCH},
            x0=[[-1.0]] * 3 + [[1.0]],
            n_steps=50,
            epochs=1,
            rng=1,
            backend="numpy",
        )
    assert caught[0].filename == __file__
    assert found.minimum_energy == upper and found["quench"].success.value == 0.25
    assert found["quench"].success_by_epoch[-1].value == 0.25
    assert [minimum.known for minimum in found.minima] == [False, True]


class Interrupts:
    """Energies of a bowl; once `at` of them have been asked for, Ctrl-C, or an error each time."""

    def __init__(self, at, error):
        self.calls, self.at, self.error = itertools.count(), at, error

    def __call__(self, x):
        call = next(self.calls)
        if call == self.at or (call > self.at >= 0 and isinstance(self.error, Exception)):
            raise self.error
        return (x**2).sum(1) / 2


def interrupted(at, error=KeyboardInterrupt, **keywords):
    U = lsa.Potential(Interrupts(at, error), lambda x: x, 2, name="bowl")
    return lsa.compare(
        U,
        {"a": ANNEAL, "b": QUENCH},
        **{"replicas": 3, "n_steps": 500, "epochs": 2, "rng": 1, "backend": "numpy"} | keywords,
    )


def test_ctrl_c_gives_what_is_finished(tmp_path):
    """A method takes some 550 energies."""
    whole = interrupted(-1)
    found = interrupted(800, checkpoint=tmp_path / "c.npz")
    assert list(found.outcomes) == [
        "a"
    ] and "KeyboardInterrupt in b: what was finished before is here" in str(found)
    np.testing.assert_array_equal(found["a"].judged, whole["a"].judged)
    again = interrupted(-1, checkpoint=tmp_path / "c.npz")
    assert str(again) == str(whole) and not again.message
    with pytest.raises(KeyboardInterrupt):
        interrupted(100)


def test_errors_leave_what_is_finished():
    with pytest.raises(LookupError, match="no license") as caught:
        interrupted(800, LookupError("no license"))
    assert (
        list(caught.value.partial_result.outcomes) == ["a"]
        and "LookupError in b" in caught.value.partial_result.message
    )


def test_ctrl_c_leaves_the_cooling_times_that_are_finished():
    U = lsa.Potential(Interrupts(2000, KeyboardInterrupt), lambda x: x, 2, name="bowl")
    found = lsa.cooling_rates(
        U, ANNEAL, [100, 200, 400, 5000], x0=[0.5, 0.5], replicas=20, rng=1, backend="numpy"
    )
    assert (
        found.n_steps.tolist()
        == [100, 200, 400]
        == [c["anneal"].n_steps for c in found.comparisons]
    )
    assert found.times.shape == found.rates.shape == (3,) and found.verdict.startswith(
        "interrupted after 3 of 4 cooling times; "
    )
