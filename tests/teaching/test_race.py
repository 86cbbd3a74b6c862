"""The optimizers' race: what Python works out for it, and its code run in a real browser against
`compare`.
"""

import json
import re

import browser as chromium
import numpy as np
import pytest
from hostile import ANYTHING, JUNK, ODD_WELLS, SIZES, TAME, examples, mostly, refused_or
from hypothesis import given, strategies as st

import langevin_sa as lsa
from langevin_sa.optimizers import SGD, Adam, RMSprop

POTENTIALS = {
    "tilted": None,
    "rastrigin": lsa.potentials.rastrigin(dim=1),
    "prinz": lsa.potentials.prinz(),
}
SEED = 2**63 + 12345


@pytest.fixture(scope="module")
def browser():
    if chromium.find() is None:
        pytest.skip("no Chromium on this machine: the race was not run (apt-get install chromium)")
    browser = chromium.Browser()
    yield browser
    browser.close()


@pytest.fixture
def opened(browser, tmp_path):
    """``opened(potential=None, address="", size=(1280, 800), **options) -> browser`` with the race
    loaded.
    """

    def open_race(potential=None, address="", size=(1280, 800), **options):
        lsa.race(potential, tmp_path / "race.html", **options)
        browser.screen(*size)
        browser.open(f"file://{tmp_path}/race.html#{address}")
        return browser

    return open_race


def known(text):
    return json.loads(re.search(r"const DATA = (\{.*?\});\n", text)[1])


# ---------------------------------------------------------------------------- what Python works out


def test_one_file_without_network(tmp_path):
    text = lsa.race(path=tmp_path / "race.html")
    assert (tmp_path / "race.html").read_text() == text == lsa.race()
    assert len(text.encode()) < 100_000
    assert "default-src 'none'" in text and not re.search(
        r"https?:|//\w+\.|@import|\bfetch\(|XMLHttp|WebSocket|\{\{", text
    )
    assert "<iframe" in text._repr_html_()  # in a notebook


def test_names_cannot_end_the_script():
    odd = lsa.Potential.from_formula("x**2", name="<!--<script></script><b>&amp;")
    text = lsa.race(odd)
    assert text.count("</script>") == 1 and "<!--" not in text
    assert "<title>&lt;!--&lt;script&gt;" in text


def test_it_opens_with_the_experiment_of_the_docs():
    """Ten such wells are that of demos/noisy_gradients.py; the start is the wrong well."""
    data = known(lsa.race())
    assert data["noise"] == 5 and data["steps"] == 20_000 and data["opening"]["start"] == "0.96"
    assert data["rates"] == {
        "SGD": 0.02,
        "Momentum": 0.002,
        "Adam": 0.1,
        "RMSprop": 0.1,
        "CoolMomentum": 0.006,
    }
    U = lsa.potentials.double_well(tilt=0.3)
    same = known(lsa.race(U))
    assert [well["best"] for well in same["wells"]] == [True, False]
    assert same["lowest"] == pytest.approx(U.minimum_energy, abs=1e-9)
    assert {**same, "formula": 0, "numbers": 0} == {**data, "formula": 0, "numbers": 0}


@pytest.mark.parametrize("name", POTENTIALS)
@pytest.mark.parametrize("noise", [None, 20.0])
def test_rates_make_one_temperature(name, noise):
    """R^2 lr/2, with Momentum's friction, and Adam and RMSprop divided by the noise, to the two
    digits that are given.
    """
    data = known(lsa.race(POTENTIALS[name], noise=noise))
    rates, R = data["rates"], data["noise"]
    plain = [rates["SGD"], rates["Momentum"] / 0.1, rates["Adam"] / R, rates["RMSprop"] / R]
    assert plain == pytest.approx([plain[0]] * 4, rel=0.1)


def test_wells_of_rastrigin_from_left_to_right():
    data = known(lsa.race(POTENTIALS["rastrigin"]))
    assert [well["high"] for well in data["wells"][:-1]] == pytest.approx(
        np.arange(-5, 5) + 0.5, abs=0.05
    )
    assert [well["best"] for well in data["wells"]] == [False] * 5 + [True] + [False] * 5
    assert data["wells"][5]["energy"] == data["lowest"] == pytest.approx(0, abs=1e-9)


def test_wells_that_are_equally_low_are_all_best():
    data = known(lsa.race(lsa.potentials.double_well(tilt=0.0)))
    assert [well["best"] for well in data["wells"]] == [True, True]


def test_every_potential_of_one_coordinate():
    made = 0
    for make in lsa.potentials.catalogue().values():
        try:
            U = make(dim=1)
        except (TypeError, ValueError):
            U = make()
        if U.dim == 1 and U.formula is not None and U.name != "periodic":
            data = known(lsa.race(U))
            made += 1
            assert all(0 < rate < np.inf for rate in (*data["rates"].values(), data["noise"]))
            assert U.gradient(np.array([[float(data["opening"]["start"])]])) is not None
            assert any(well["best"] for well in data["wells"]) and data["scale"] > 0
    assert made > 5


def test_bad_input(tmp_path):
    U = lsa.potentials.double_well()
    plain = lsa.Potential(lambda x: (x**2).sum(1), lambda x: 2 * x, dim=1, name="mine")
    for potential, message in (
        (lsa.potentials.rastrigin(dim=2), "one coordinate, and rastrigin has dim 2; give dim=1"),
        (plain, "mine is made of functions"),
        (lsa.Potential.from_formula("sqrt(x - 100)"), "finite nowhere in the window"),
        (lsa.Potential.from_formula("x"), "nothing holds the replicas on x"),
        (lsa.Potential.from_formula("cos(x)"), "nothing holds the replicas"),
        (lsa.Potential.from_formula("1e-20*((x**2 - 1)**2 + 0.3*x)"), "in other units"),
        (lsa.Potential.from_formula("1e-200*(x**2 - 1)**2 + 3e-201*x"), "not far above"),
    ):
        with pytest.raises(ValueError, match=message):
            lsa.race(potential, tmp_path / "race.html")
    for option, value, message in (
        ("noise", 0, "noise must be a positive number, not 0"),
        ("noise", np.nan, "noise must be"),
        ("rho0", 1, r"rho0 must be in \[0, 1\), not 1"),
        ("n_steps", 99, "n_steps must be an integer from 100"),
        ("replicas", 5001, "replicas must be an integer from 1 to 5000"),
        ("start", np.inf, "start must be a finite number"),
        ("window", (1, 0), "low < high"),
        ("rng", -1, "a seed must be"),
    ):
        with pytest.raises(ValueError, match=message):
            lsa.race(U, tmp_path / "race.html", **{option: value})
    with pytest.raises(TypeError, match="replicas must be an integer"):
        lsa.race(U, tmp_path / "race.html", replicas=2.5)
    with pytest.raises(TypeError, match="potential must be a Potential, not 'double_well'"):
        lsa.race("double_well")
    with pytest.raises(ValueError, match="a folder that exists"):
        lsa.race(U, tmp_path / "nowhere" / "race.html")
    assert not list(tmp_path.iterdir())


KEYWORDS = {
    **dict.fromkeys(("noise", "rho0", "start", "rng"), ANYTHING),
    **dict.fromkeys(("n_steps", "replicas"), mostly(SIZES, JUNK)),
    "window": mostly(st.sampled_from([(-1, 1), (0, 1e-300), (-1e300, 1)]), JUNK),
}


@examples(2)
@given(data=st.data(), potential=mostly(st.sampled_from([*TAME.values(), *ODD_WELLS])))
def test_hostile_races(data, potential):
    """A page whose numbers are all finite, or one sentence."""
    names = data.draw(st.lists(st.sampled_from(sorted(KEYWORDS)), max_size=2, unique=True))
    odd = {name: data.draw(KEYWORDS[name], label=name) for name in names}
    with np.errstate(all="ignore"):
        text = refused_or(lambda: lsa.race(potential, **odd))
    if text is not None:
        assert known(text)["noise"] > 0


# -------------------------------------------------------------------- the race's code, in a browser


def decayed(lr):
    points = [(0, lr), (0.4, lr / 10), (0.6, lr / 100), (0.8, lr / 1000), (0.9, lr / 2000)]
    return lsa.schedules.stepwise(points)


def methods_of(rates, noise, rho0):
    return {
        "SGD": SGD(decayed(rates["SGD"]), noise=noise),
        "Momentum": SGD(decayed(rates["Momentum"]), momentum=0.9, noise=noise),
        "Adam": Adam(decayed(rates["Adam"]), noise=noise),
        "RMSprop": RMSprop(decayed(rates["RMSprop"]), noise=noise),
        "CoolMomentum": lsa.CoolMomentum(rates["CoolMomentum"], rho0=rho0, noise=noise),
    }


@pytest.mark.parametrize("name", POTENTIALS)
@pytest.mark.filterwarnings("ignore:omega")
@pytest.mark.parametrize("n_steps", [300, 1000])  # each step recorded; every third, and the last
def test_trajectories_are_those_of_compare(opened, name, n_steps):
    page = opened(POTENTIALS[name], n_steps=n_steps, rho0=0.8, replicas=6, rng=SEED)
    data, start = page.run("[DATA, settings.start]")
    seen = page.run("""(() => {
        const race = new Race(settings);
        while (!race.done) race.step();
        return race.lanes.map((lane) => ({ ...lane, x: [...lane.x], energy: [...lane.energy] }));
    })()""")
    U = POTENTIALS[name] or lsa.potentials.double_well(tilt=0.3)
    every = -(-n_steps // 400)
    found = lsa.compare(
        U,
        methods_of(data["rates"], data["noise"], 0.8),
        x0=np.full((6, 1), float(start)),
        n_steps=n_steps,
        epochs=-(-n_steps // every),
        judged="final",
        backend="numpy",
        rng=SEED,
    )
    assert [lane["name"] for lane in seen] == list(found.outcomes)
    for lane in seen:
        ours, series = found[lane["name"]], lane["series"]
        assert np.abs(ours.x - float(start)).max() > 1e-2  # they did move
        np.testing.assert_allclose(lane["x"], ours.x[:, 0], rtol=0, atol=1e-9)
        scale = np.abs(ours.energy).max()
        np.testing.assert_allclose(
            lane["energy"], ours.energies["final"], rtol=0, atol=1e-9 * scale
        )
        assert [point["n"] for point in series] == [0, *ours.step]
        loss = ours.energy.mean(1) - data["lowest"]
        np.testing.assert_allclose(
            [point["loss"] for point in series[1:]], loss, rtol=0, atol=1e-9 * scale
        )
        if every == 1 or lane["name"] in ("Adam", "RMSprop"):  # others weigh dt within an epoch
            squares = [point["square"] for point in series[1:]]
            np.testing.assert_allclose(squares, ours.rescaled, rtol=1e-8)


def test_shares_and_what_a_descent_leaves(opened):
    """Counted by the page from the wells' ridges, and by descents."""
    U = POTENTIALS["rastrigin"]
    page = opened(U, replicas=50, n_steps=400, window=(-9, 9), noise=100.0)
    x, last, lowest = page.run("""(() => {
        const race = new Race({ ...settings, CoolMomentum: 4 * settings.CoolMomentum });
        while (!race.done) race.step();
        return [[...race.lanes[4].x], race.lanes[4].last, DATA.lowest];
    })()""")
    kept = np.array(x)[:, None]
    found = np.array([lsa.descents.batched.descend(U, point)[1][0] for point in kept])
    assert np.abs(kept).max() < 8.5 and 0.02 < last["share"] < 0.98
    assert last["share"] == pytest.approx(np.mean(np.abs(kept) < 0.5))
    assert last["left"] == pytest.approx(found.mean() - lowest, rel=0.1)


def test_temperature_falls_in_steps_or_continuously(opened):
    """The paper's Fig. 1(c), by records of 50 steps."""
    page = opened(replicas=100)
    series = page.run("""(() => {
        const race = new Race(settings);
        while (!race.done) race.step();
        const squares = (lane) => lane.series.map((point) => point.square);
        return Object.fromEntries(race.lanes.map((lane) => [lane.name, squares(lane)]));
    })()""")
    for name, squares in series.items():
        squares = np.array(squares[20:])  # past the first motion downhill
        falls = squares[:-1] / squares[1:]
        assert squares[0] > 10 * squares[-1]
        if name == "CoolMomentum":
            assert falls.max() < 1.4
        else:
            steep = np.flatnonzero(falls > 2) + 20
            assert set(np.round(steep / 40)) == {4, 6, 8, 9}  # of ten parts of 40 records
            assert np.abs(steep / 40 - np.round(steep / 40)).max() < 0.1
            assert squares[5:135].max() < 1.5 * squares[5:135].min()


@pytest.mark.long
def test_coolmomentum_ends_lower_and_over_more_rates(opened):
    """As seen at the opening, with its seed: shares of 400 replicas, error 0.015."""
    page = opened()
    ends = page.run("""[0.5, 1, 2].map((factor) => {
        const race = new Race({ ...settings, factor });
        while (!race.done) race.step();
        return Object.fromEntries(race.lanes.map((lane) => [lane.name, lane.last.share]));
    })""")
    assert all(end["CoolMomentum"] > 0.88 for end in ends)
    for name in ("SGD", "Momentum", "Adam", "RMSprop"):
        low, best, high = (end[name] for end in ends)
        assert low < 0.3 and 0.84 < best < ends[1]["CoolMomentum"] and high < best


def test_a_rate_too_high_is_shown_and_the_others_go_on(opened):
    page = opened(address="SGD=2&steps=1000&speed=30000", replicas=20)
    page.run("new Promise((done) => { setInterval(() => race.done && done(), 50); })")
    page.run("showNumbers()")
    rows = page.run(
        "[...document.querySelectorAll('#lanes .lane:not(.head)')].map((row) => row.innerText)"
    )
    assert rows[0].count("div") == 2 and not any("div" in row for row in rows[1:])
    assert page.run("race.lanes.map((lane) => lane.diverged !== null)") == [True] + 4 * [False]
    assert page.run("tried.runs[0].ends[0].left") is None and page.errors() == []


def test_other_rates_are_tried_and_the_present_one_comes_back(opened):
    page = opened(address="steps=1000&factor=2", replicas=5)
    page.run("document.getElementById('try').click()")
    page.run("new Promise((done) => { setInterval(() => queue.length || done(), 50); })")
    factors = page.run("tried.runs.map((run) => run.factor)")
    assert sorted(factors) == [0.125, 0.25, 0.5, 1, 2, 4, 8, 16] and factors[-1] == 2
    assert page.run("[settings.factor, race.done]") == [2, True] and page.errors() == []
    page.run("change('noise', 3)")
    assert page.run("tried.runs.length") == 0  # those were other runs


def test_no_requests_and_no_errors(opened):
    for U in (None, POTENTIALS["rastrigin"], lsa.potentials.harmonic()):
        page = opened(U, address="speed=20000&replicas=50")
        page.run("new Promise((done) => setTimeout(done, 300))")
        assert [url.split("#")[0].split("/")[-1] for url in page.requests()] == ["race.html"]
        assert page.errors() == []
        assert page.run("race.n") > 0


def test_the_address_holds_the_settings(opened):
    page = opened(address="Adam=0.2&noise=3&rho0=0.5&steps=2000&replicas=7&seed=9&start=spread")
    given = {"Adam": 0.2, "noise": 3, "rho0": 0.5, "steps": 2000, "replicas": 7, "seed": "9"}
    assert page.run("settings") == page.run("DEFAULTS") | given | {"start": "spread"}
    assert page.run("[race.lanes[0].x.length, race.settings.rho0]") == [7, 0.5]
    assert page.run("readAddress('#' + writeAddress(settings))") == page.run("settings")
    page.run("change('SGD', 0.03); new Promise((done) => setTimeout(done, 400))")
    assert "SGD=0.03&" in page.run("location.hash")
    page.run(
        "location.hash = '#start=0.25&replicas=3'; new Promise((done) => setTimeout(done, 50))"
    )
    assert page.run("[settings.start, race.lanes[0].x.length]") == ["0.25", 3]
    nonsense = (
        "SGD=-1&noise=1e99&rho0=7&steps=x&replicas=1e9&seed=1e9&start=<b>&factor=NaN&toString=1"
    )
    kept = page.run(f"readAddress('#{nonsense}')")
    ends = {"noise": page.run("RANGES.noise[1]"), "rho0": 0.999, "replicas": 5000}
    assert kept == page.run("DEFAULTS") | ends and page.errors() == []


def test_one_seed_one_race_whatever_the_frames(opened):
    def after(speed):
        page = opened(address=f"replicas=20&speed={speed}&steps=1000")
        page.run("new Promise((done) => { setInterval(() => race.n > 50 && done(), 20); })")
        return page.run("while (!race.done) race.step(); race.lanes.map((lane) => [...lane.x])")

    assert after(100) == after(20_000)


@pytest.mark.parametrize("size", [(1280, 900), (390, 844)])
def test_keys_clicks_and_sizes(opened, size):
    page = opened(address="replicas=20", size=size)
    page.press(" ")
    assert page.run("paused") is True and page.run("element('pause').textContent") == "Go on"
    page.press("r")
    assert page.run("paused") is False
    page.press("t")
    assert page.run("queue.length") == 8
    page.press("t")
    assert page.run("queue.length") == 0
    page.press("?")
    assert page.run("element('why-page').matches(':popover-open')")
    page.press("?")
    assert page.run("document.documentElement.scrollWidth <= innerWidth")
    right = "element.getBoundingClientRect().right"
    parts = "[...document.querySelectorAll('#lanes *, #sliders *')]"
    beyond = f"{parts}.filter((element) => {right} > document.querySelector('#lanes').{right[8:]})"
    assert page.run(f"{beyond}.length") == 0
    page.run("""(() => { const box = element('stage').getBoundingClientRect();
        element('stage').dispatchEvent(new MouseEvent('click', {
            clientX: box.left + stage.px(-0.5), clientY: box.top + 50, bubbles: true })); })()""")
    assert float(page.run("settings.start")) == pytest.approx(-0.5, abs=0.02)
    assert page.run("race.lanes.every((lane) => Math.abs(lane.series[0].n) === 0)")
    page.run("document.querySelector('#lanes button[aria-pressed]').click()")
    assert page.run("[...hidden]") == ["SGD"]
    asked = "[...document.querySelectorAll('[popovertarget]')].map((b) => b.popoverTargetElement)"
    assert page.run(f"{asked}.includes(null)") is False  # each question has its answer
    assert page.errors() == []
