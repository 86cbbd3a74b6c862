"""Plots draw what they were given, on the Axes they were given, and leave the user's matplotlib as
it was.
"""

from itertools import pairwise
from types import SimpleNamespace

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa import plots
from langevin_sa.thermometers import configurational_history

WELL = lsa.Potential.from_formula("(x**2 - 1)**2 + 0.3*x", bounds=(-2, 2), minima=[[-1.0355785]])
BOWL = lsa.Potential.from_formula("x**2 + 3*y**2", minima=[[0.0, 0.0]])


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def run():
    schedule = lsa.Schedule(lsa.schedules.exponential(1.0, 0.01), 1.0, 0.1)
    return lsa.anneal(
        WELL, schedule=schedule, n_steps=400, replicas=8, rng=1, samples=True, backend="numpy"
    )


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def line(ax, label):
    return next(drawn for drawn in ax.get_lines() if drawn.get_label() == label)


def test_landscape_curve_with_trajectory(run):
    ax = plots.landscape(WELL, trajectory=run.samples)
    x, u = ax.get_lines()[0].get_data()
    np.testing.assert_allclose(u, (x**2 - 1) ** 2 + 0.3 * x, atol=1e-12)
    assert ax.get_xlim() == (-2, 2)
    points, minimum = ax.collections
    np.testing.assert_allclose(points.get_offsets()[:, 0], run.samples.ravel())
    # coloured by time
    np.testing.assert_allclose(points.get_array(), np.repeat(np.arange(len(run.samples)), 8))
    np.testing.assert_allclose(minimum.get_offsets(), [[-1.0355785, -0.3054285]], atol=1e-6)


def test_landscape_contours_with_trajectory():
    path = np.random.default_rng(1).normal(size=(20, 3, 2))
    ax = plots.landscape(BOWL, trajectory=path)
    lines = next(c for c in ax.collections if isinstance(c, mpl.collections.LineCollection))
    assert len(lines.get_segments()) == 19 * 3
    np.testing.assert_allclose(lines.get_segments()[4], path[1:3, 1])  # step 1 of replica 1
    assert labels(ax) == ["known minimum"]


def test_steep_walls_do_not_set_the_levels():
    steep = lsa.Potential.from_formula("(x**2 - 1)**2 + (x/2)**20", bounds=(-4, 4))
    assert plots.landscape(steep).get_ylim()[1] < 1e-2 * steep.energy([4.0])


def test_bounds_from_the_trajectory_or_given():
    assert plots.landscape(BOWL, trajectory=[[0, 0], [1, 2]]).get_ylim() == pytest.approx(
        (-0.8, 2.8)
    )
    assert plots.landscape(BOWL, bounds=[(0, 1), (0, 2)]).get_ylim() == (0, 2)


@pytest.mark.parametrize(
    ("potential", "keywords", "message"),
    [
        (lsa.Potential.from_formula(site="x**2", dim=3), {}, "dim 1 or 2"),
        (lsa.Potential.from_formula("x**2"), {}, "has no bounds"),
        (BOWL, {"trajectory": np.zeros((5, 3))}, r"\(records, 2\)"),
        (BOWL, {"bounds": (1, 0)}, "low < high"),
        (BOWL, {"bounds": "wide"}, "must be"),
        (BOWL, {"bounds": np.ones((3, 2))}, "2 of them"),
    ],
)
def test_landscape_says_what_is_wrong(potential, keywords, message):
    with pytest.raises(ValueError, match=message):
        plots.landscape(potential, **keywords)


def test_history_draws_the_history(run):
    top, bottom = run.plot()
    for ax, label, values in (
        (top, "target", run.history.target),
        (top, "kinetic", run.history.temperature),
        (top, "configurational", configurational_history(run.history)),
        (bottom, "mean of replicas", run.history.energy_mean),
        (bottom, "lowest replica", run.history.energy_min),
        (bottom, "best so far", run.history.best),
    ):
        np.testing.assert_array_equal(line(ax, label).get_ydata(), values)
        np.testing.assert_array_equal(line(ax, label).get_xdata(), run.history.step)
    assert top.get_yscale() == "log"  # a hundredfold range
    assert "energy" in top.get_ylabel() and "energy" in bottom.get_ylabel()


def test_small_range_of_temperature_stays_linear():
    steady = lsa.anneal(
        WELL, schedule=lsa.Schedule(0.5, 1.0, 0.1), n_steps=100, replicas=4, rng=1, backend="numpy"
    )
    assert plots.temperature(steady).get_yscale() == "linear"


def test_one_replica_and_one_record():
    one = lsa.anneal(
        WELL, [0.5], lsa.Schedule(0.5, 1.0, 0.1), 10, record_every=10, rng=1, backend="numpy"
    )
    assert labels(plots.energy(one)) == ["energy", "best so far"]


def test_a_run_without_records_is_an_error(run):
    empty = lsa.Result(
        {
            **run,
            "history": type(run.history)({key: values[:0] for key, values in run.history.items()}),
        }
    )
    for plot in (plots.energy, plots.temperature, plots.history):
        with pytest.raises(ValueError, match="no records"):
            plot(empty)


def test_summary_shows_where_replicas_ended(run):
    axes = plots.summary(run, WELL)
    assert len(axes) == 3
    assert labels(axes[2]) == ["known minimum", "end of a replica"]
    np.testing.assert_allclose(axes[2].collections[-1].get_offsets()[:, 0], run.state.x[:, 0])
    assert len(plots.summary(run, lsa.Potential.from_formula(site="x**2", dim=3))) == 2


def test_histogram_density_is_normalised_and_right():
    hot = lsa.Potential.from_formula("x**2/2")
    x = np.random.default_rng(2).normal(size=5000) * np.sqrt(0.7)
    ax = plots.histogram(x, hot, 0.7, bins=40)
    grid, density = line(ax, r"$\exp(-U/T)/Z$").get_data()
    np.testing.assert_allclose(
        density, np.exp(-(grid**2) / 1.4) / np.sqrt(2 * np.pi * 0.7), rtol=1e-6, atol=1e-12
    )
    assert sum(bar.get_height() * bar.get_width() for bar in ax.patches) == pytest.approx(1)


def test_histogram_shows_wells_that_no_sample_saw():
    grid, density = line(plots.histogram([0.9, 1.0], WELL, 0.1), r"$\exp(-U/T)/Z$").get_data()
    assert np.trapezoid(density[grid < 0], grid[grid < 0]) > 0.9


def test_histogram_of_a_potential_that_does_not_confine():
    washboard = lsa.Potential.from_formula("-cos(x)")
    grid, density = line(
        plots.histogram([-3.0, 0.0, 3.0], washboard, 1.0), r"$\exp(-U/T)/Z$"
    ).get_data()
    assert grid[0] >= -3 and grid[-1] <= 3
    assert np.trapezoid(density, grid) == pytest.approx(1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.0], BOWL, 1.0), "one coordinate"),
        (([0.0], WELL, 0.0), "temperature must be a positive number"),
        (([np.nan], WELL, 1.0), "finite"),
        (([], WELL, 1.0), "finite"),
    ],
)
def test_histogram_says_what_is_wrong(arguments, message):
    with pytest.raises(ValueError, match=message):
        plots.histogram(*arguments)


def test_schedule_panels():
    schedule = lsa.Schedule(lsa.schedules.exponential(5.0, 0.01), 1.0, 0.1)
    axes = schedule.plot(100)
    steps = schedule.coefficients(100, "gjf")
    for ax, values in zip(axes, (steps.rho, steps.lr, steps.temperature), strict=True):
        np.testing.assert_array_equal(ax.get_lines()[0].get_ydata(), values)
    assert axes[2].get_yscale() == "log" and axes[0].get_yscale() == "linear"


@pytest.mark.parametrize(
    "schedule",
    [
        lsa.CoolMomentum(),
        lsa.Momentum(0.9, 0.01),
        lsa.Schedule(0.0),
        lsa.Schedule(1.0, 1000.0, 0.01),
    ],
)
def test_every_schedule_can_be_drawn(schedule):
    assert len(plots.schedule(schedule)) == 3


def test_given_axes_are_used(run):
    schedule = lsa.Schedule(lsa.schedules.linear(1.0, 0.0), 1.0, 0.1)
    for draw in (
        lambda ax: plots.landscape(WELL, ax=ax),
        lambda ax: plots.energy(run, ax=ax),
        lambda ax: plots.temperature(run, ax),
        lambda ax: plots.histogram(run.samples, WELL, 1.0, ax=ax),
        lambda ax: plots.schedule(schedule, ax=ax),
    ):
        figure, given = plt.subplots()
        assert draw(given) is given
        assert plt.get_fignums() == [figure.number]
        plt.close(figure)


def test_global_settings_stay(run):
    before = dict(mpl.rcParams)
    run.plot()
    plots.landscape(BOWL)
    assert dict(mpl.rcParams) == before


def test_figures_are_made_for_a_column(run):
    """A page of text is 8 cm wide in two columns: panels stand above one another, and labels of
    steps do not run into each other.
    """
    long = lsa.Result(
        run | {"history": type(run.history)(run.history | {"step": 50 * run.history.step})}
    )
    for axes in (plots.summary(long, WELL), plots.history(long), plots.thermostat([])):
        figure = axes[0].figure
        assert figure.get_size_inches()[0] <= plots.SIZE[0]
        figure.canvas.draw()
        boxes = [
            t.get_window_extent()
            for t in axes[1].get_xticklabels()
            if t.get_text() and t.get_visible()
        ]
        assert all(left.x1 + 10 < right.x0 for left, right in pairwise(boxes))


@pytest.mark.parametrize(
    ("picture", "what", "kind"),
    [
        ("energy", "result", "Result"),
        ("temperature", "result", "Result"),
        ("history", "result", "Result"),
        ("comparison", "comparison", "Comparison"),
        ("bands", "comparison", "Comparison"),
        ("ends", "comparison", "Comparison"),
        ("cooling", "cooling", "Cooling"),
        ("thermostat", "each of points", "Check"),
        ("p_values", "report", "Report"),
    ],
)
def test_what_is_something_else_is_named(picture, what, kind):
    with pytest.raises(TypeError, match=f"{what} must be a {kind}, not 3"):
        getattr(plots, picture)(3)
    assert not plt.get_fignums()


def test_pictures_ask_for_what_they_read_and_no_type(run):
    look_alike = SimpleNamespace(
        **{name: run[name] for name in ("history", "energies", "state", "x", "units")}
    )
    assert len(plots.summary(look_alike, WELL)) == 3


def test_overlap_of_energies():
    """Each temperature's bars hold its records but for the highest thousandth of all."""
    found = lsa.exchange(BOWL, [0.5, 1.0, 2.0], 400, gamma=1.0, dt=0.2, replicas=50, rng=1)
    ax = found.plot()
    shares = [
        (patch.get_data().values * np.diff(patch.get_data().edges)).sum() for patch in ax.patches
    ]
    assert len(shares) == 6 and min(shares) > 0.99
    assert labels(ax)[2] == "$T = 2$" and "swaps" in labels(ax)[0]
    found.energies = found.energies[:0]
    with pytest.raises(ValueError, match="before its first record"):
        found.plot()
