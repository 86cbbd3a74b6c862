"""The teaching page: what Python works out for it, and its code run in a real browser against the
NumPy backend and Boltzmann's law.
"""

import json
import re

import numpy as np
import pytest
from scipy import stats

import langevin_sa as lsa
from langevin_sa import noise
from langevin_sa.backends.choose import get_backend
from langevin_sa.backends.walk import Walk
from langevin_sa.formulas.in_javascript import javascript_source
from langevin_sa.teaching.basins import minima_of, survey, window_of
from langevin_sa.thermometers import boltzmann_bins

POTENTIALS = {
    "double_well": (lsa.potentials.double_well(), {"T": 0.5, "gamma": 1.5, "dt": 0.06}),
    "prinz": (lsa.potentials.prinz(), {"T": 1.0, "gamma": 10.0, "dt": 0.01}),
    "rastrigin": (lsa.potentials.rastrigin(dim=2), {"T": 10.0, "gamma": 6.0, "dt": 0.016}),
    "muller_brown": (lsa.potentials.muller_brown(), {"T": 30.0, "gamma": 10.0, "dt": 0.005}),
    "rosenbrock": (lsa.potentials.rosenbrock(dim=2), {"T": 1.0, "gamma": 3.0, "dt": 0.005}),
}
SEED = 2**63 + 12345


# ---------------------------------------------------------------------------- what Python works out


def test_one_file_without_network(tmp_path):
    text = lsa.page(lsa.potentials.muller_brown(), tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text() == text == lsa.page(lsa.potentials.muller_brown())
    assert len(text.encode()) < 150_000
    assert "default-src 'none'" in text and not re.search(
        r"https?:|//\w+\.|@import|\bfetch\(|XMLHttp|WebSocket|\{\{", text
    )


def test_names_cannot_end_the_script():
    text = lsa.page(lsa.Potential.from_formula("x**2", name="<!--<script></script><b>&amp;"))
    assert (
        text.count("</script>") == 1
        and "<title>&lt;!--&lt;script&gt;" in text
        and "<!--" not in text
    )


def test_bad_input(tmp_path):
    U = lsa.potentials.double_well()
    for potential, message in (
        (lsa.potentials.rastrigin(dim=3), "one or two coordinates, .* and rastrigin has dim 3"),
        (
            lsa.Potential(lambda x: (x**2).sum(1), lambda x: 2 * x, dim=1, name="mine"),
            "mine is made of functions",
        ),
        (
            lsa.Potential.from_formula(pair="r**2", particles=2, space=1, name="spring"),
            "spring is a potential of particles",
        ),
        (lsa.Potential.from_formula("sqrt(x - 100)"), "finite nowhere in the window"),
    ):
        with pytest.raises(ValueError, match=message):
            lsa.page(potential, tmp_path / "page.html")
    for option, value, message in (
        ("temperature", 0, "temperature must be a positive number, not 0"),
        ("temperature", np.nan, "temperature must be"),
        ("gamma", -1, "gamma must be"),
        ("dt", "small", "dt must be"),
        ("balls", 0, "balls must be an integer from 1 to 5000"),
        ("balls", 5001, "balls must be"),
        ("window", (1, 0), "low < high"),
        ("window", "wide", "window must be"),
        ("rng", -1, "a seed must be"),
        ("integrator", "gfj", "did you mean 'gjf'"),
    ):
        with pytest.raises(ValueError, match=message):
            lsa.page(U, tmp_path / "page.html", **{option: value})
    with pytest.raises(TypeError, match="balls must be an integer"):
        lsa.page(U, tmp_path / "page.html", balls=2.5)
    with pytest.raises(ValueError, match="a folder that exists"):
        lsa.page(U, tmp_path / "nowhere" / "page.html")
    assert not list(tmp_path.iterdir())


def test_wells_and_depths_of_muller_brown():
    wells = survey(lsa.potentials.muller_brown(), lsa.potentials.muller_brown().bounds).wells
    assert [well.energy for well in wells] == pytest.approx(
        [-146.6995, -108.1667, -80.7678], abs=1e-4
    )
    assert np.array([well.x for well in wells]) == pytest.approx(
        np.array([[-0.5582, 1.4417], [0.6235, 0.0280], [-0.05, 0.4667]]), abs=1e-3
    )
    saddles = np.array([-40.6648, -72.2489])  # literature's, at (-0.822, 0.624) and (0.212, 0.293)
    assert wells[0].depth is None
    assert [wells[1].depth, wells[2].depth] == pytest.approx(
        saddles + np.array([108.1667, 80.7678]), abs=0.15
    )  # a cell's width from the pass


@pytest.mark.parametrize("tilt", [0.0, 0.3, -0.5])
def test_wells_of_the_double_well(tilt):
    U = lsa.potentials.double_well(tilt=tilt)
    low, high = survey(U, U.bounds).wells
    roots = np.sort(np.roots([4, 0, -4, tilt]).real)
    top, bottoms = U.energy(roots[1:2]), sorted(U.energy(roots[[0, 2]][:, None]))
    assert [low.energy, high.energy] == pytest.approx(bottoms, abs=1e-9)
    assert low.depth is None and high.depth == pytest.approx(top - bottoms[1], abs=1e-4)


@pytest.mark.parametrize(
    ("formula", "inside", "outside"),
    [
        ("x**4 - 3*x**2 + x", [-1.3, 1.13], [-4, 4]),
        ("(x - 50)**2", [50.0], [0.0, 100.0]),
        ("1e4*(x**2 - 0.01)**2", [-0.1, 0.1], [-0.5, 0.5]),
        ("x", [0.0], [-10, 10]),
    ],
)
def test_a_window_for_a_formula_without_bounds(formula, inside, outside):
    U = lsa.Potential.from_formula(formula)
    low, high = window_of(U, minima_of(U))[0]
    assert all(low < x < high for x in inside) and not any(low < x < high for x in outside)


def test_a_page_for_everything_in_the_catalogue_that_fits():
    made = 0
    for make in lsa.potentials.catalogue().values():
        for options in ({"dim": 1}, {"dim": 2}, {}):
            try:
                U = make(**options)
            except (TypeError, ValueError):
                continue
            if U.dim < 3 and U.formula is not None:
                text = lsa.page(U)
                data = json.loads(re.search(r"const DATA = (.*);\n", text)[1])
                assert len(text.encode()) < 150_000
                assert (
                    data["cold"] < data["hot"]
                    and 0.3 < data["dt"] * np.sqrt(data["curvature"]) < 0.4
                )
                made += 1
    assert made > 20


# -------------------------------------------------------------------- the page's code, in a browser


@pytest.mark.parametrize("name", POTENTIALS)
def test_trajectories_are_those_of_the_numpy_backend(opened, name):
    U, at = POTENTIALS[name]
    page = opened(U, rng=SEED)
    for row in lsa.INTEGRATORS.values():
        gamma = (10 if row.overdamped else 1) * at["gamma"]
        n = np.arange(200)
        T, dt = at["T"] * (1 - n / 300), at["dt"] * np.where(n < 100, 1, 0.9)
        seen = page.run(f"""(() => {{
            const start = scatter(5, DATA.seed, (c) => ENERGY[c] < LOWEST + 60);
            const walk = new Walk(start, DIM, DATA.seed), x0 = [...walk.x];
            let kinetic = 0, eq22 = 0;
            {json.dumps(T.tolist())}.forEach((T, n) => {{
              const dt = n < 100 ? {at["dt"]} : {at["dt"]} * 0.9;
              const c = coefficients("{row.name}", {gamma}, dt, T);
              walk.step(c);
              kinetic += walk.meanSquare() / c.scale ** 2;
              eq22 += walk.meanSquare() / c.dt ** 2;
            }});
            const [x, dx, energy] = [walk.x, walk.dx, walk.energy].map((a) => [...a]);
            return {{ x0, x, dx, energy, kinetic, eq22 }};
        }})()""")
        walk = Walk.at_rest(np.reshape(seen["x0"], (5, U.dim)), SEED)
        backend = get_backend("numpy", U)(U, walk, 1)
        backend.advance(row.carrying(row.steps(gamma, dt, T), None))
        assert np.abs(walk.x - np.reshape(seen["x0"], walk.x.shape)).max() > 1e-3  # they did move
        for ours, theirs in ((walk.x, "x"), (walk.dx, "dx"), (walk.energy, "energy")):
            np.testing.assert_allclose(
                np.ravel(ours), seen[theirs], rtol=0, atol=1e-9 * max(1, np.abs(ours).max())
            )
        assert [walk.kinetic.mean() / U.dim, walk.dx2.mean() / U.dim] == pytest.approx(
            [seen["kinetic"], seen["eq22"]], rel=1e-9
        )


@pytest.mark.parametrize("seed", [0, 1, SEED, 2**64 - 1])
def test_the_noise_is_the_same(opened, seed):
    page = opened(lsa.potentials.double_well(), rng=seed)
    for step in (0, 7, 2**35 + 2):  # the last needs the counter's second word
        ours = page.run(f"""(() => {{
            const walk = new Walk([0, 0, 0], 1, DATA.seed);
            walk.stepNumber = {step};
            const at = walk.draw();
            return [0, 1, 2].map((r) => walk.normals[4 * r + at]);
        }})()""")
        np.testing.assert_array_equal(ours, noise.normals(seed, step, np.arange(3), 1)[:, 0])


def test_normals_of_extreme_and_of_many_words(opened):
    """To the bit, with the fused multiply-add that JavaScript does not have."""
    page = opened(lsa.potentials.double_well())
    ends = [0, 1, 2, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1]
    some = np.random.default_rng(3).integers(0, 2**32, 20_000).tolist()
    words = [w for a in ends for b in ends for w in (a, b)] + some
    ours = page.run(f"""(() => {{
        const words = {words}, out = new Float64Array(words.length);
        for (let i = 0; i < words.length; i += 2) boxMuller(out, i, words[i], words[i + 1]);
        return Array.from(out);
    }})()""")
    np.testing.assert_array_equal(ours, noise.box_muller(np.array(words, dtype=np.uint64)))


def test_printed_forces(browser):
    """Sites with array parameters, open and periodic bonds, every function: the JavaScript against
    NumPy.
    """
    every = (
        "sqrt(2 + x) + exp(y) + log(3 + x) + sin(x)*cos(y) + tan(x/2) + asin(x/2) + acos(y/2) + "
        "atan(x*y) + sinh(x) + cosh(y) + tanh(x)"
    )
    for U in (
        lsa.potentials.harmonic(k=[1.0, 4.0]),
        lsa.potentials.phi4_chain(dim=2),
        lsa.Potential.from_formula(site="k*x**4", bond="k*(y - x)**2/2", k=[1.0, 3.0], dim=2),
        lsa.Potential.from_formula(bond="k*(y - x - 1)**2", k=[1.0, 3.0], dim=2, periodic=True),
        lsa.Potential.from_formula(bond="(y - x - 1)**2", shape=(2, 1)),
        lsa.Potential.from_formula("x1*x2**2", particles=2, space=1),
        lsa.Potential.from_formula(
            "max(x, y)**2 + min(x, 3*y)**2 + abs(log(x) + 1) + floor(9*x)*y + step(x - y)*y + "
            "mod(y, x) + hypot(x, y) + log10(x) + erf(x)*erf(3*y) + atan2(x - 0.5, y - 0.5)**2 + "
            "where(x - 0.5, exp(-x)*y, log(y))"
        ),
        lsa.Potential.from_formula(every + " + abs(x - y) + sign(y)*x**0.7 + x**(-3) + pi*e**x"),
    ):
        force = javascript_source(
            U.formula.source.spec, U.formula.source.bodies, U.formula.size.tolist()
        )
        x = np.random.default_rng(1).uniform(0.1, 0.9, (20, 2))
        seen = browser.run(f"""(() => {{ {force}
            const p = {U.formula.numbers.tolist()}, g = [0, 0];
            return {x.tolist()}.map((x) => [energyGradient(x, g, p), ...g]);
        }})()""")
        np.testing.assert_allclose(
            seen, np.column_stack([U.energy(x), U.gradient(x)]), rtol=1e-12, atol=1e-12
        )


def discrepancy(page, strength):
    """p-value of the histogram of 2,000 balls against Boltzmann's law; the error is from ball to
    ball, so visits may be correlated.
    """
    bins, T = 16, 0.5
    edges = np.linspace(-1.75, 1.75, bins + 1)
    mean, outer = page.run(f"""(() => {{
        const walk = new Walk(scatter(2000, DATA.seed, (c) => ENERGY[c] < 1), 1, DATA.seed);
        const c = coefficients("gjf", 1.5, 0.04, {T});
        c.s *= {strength};
        const counts = Array.from({{ length: walk.count }}, () => new Float64Array({bins}));
        for (let n = 0; n < 400; n++) walk.step(c);
        for (let n = 0; n < 6400; n++) {{
          walk.step(c);
          if (n % 20) continue;
          for (let r = 0; r < walk.count; r++) {{
            const k = Math.floor(((walk.x[r] + 1.75) / 3.5) * {bins});
            if (k >= 0 && k < {bins}) counts[r][k] += 1 / 320;
          }}
        }}
        const mean = new Float64Array({bins});
        const outer = Array.from({{ length: {bins} }}, () => new Float64Array({bins}));
        for (const row of counts) {{
          row.forEach((a, i) => {{
            mean[i] += a / walk.count;
            row.forEach((b, j) => (outer[i][j] += (a * b) / walk.count));
          }});
        }}
        return [[...mean], outer.map((row) => [...row])];
    }})()""")
    mean, R = np.array(mean), 2000
    away = mean - boltzmann_bins(lsa.potentials.double_well(), T, [edges], margin=1.0)
    covariance = (np.array(outer) - np.outer(mean, mean)) / (R - 1)
    # Hotelling's, since bins and times are correlated
    T2 = away @ np.linalg.solve(covariance, away)
    return stats.f.sf(T2 * (R - bins) / (bins * (R - 1)), bins, R - bins)


def test_the_histogram_is_boltzmanns_and_would_show_noise_two_percent_too_strong(opened):
    page = opened(lsa.potentials.double_well(), rng=3)
    assert discrepancy(page, 1.0) > 1e-3
    assert discrepancy(page, 1.02) < 1e-6


def test_annealing_finds_the_lower_well_and_a_quench_does_not(opened):
    page = opened(lsa.potentials.double_well())
    shares = {}
    for kind in ("quench", "anneal"):
        run = page.run(f"""(() => {{
            const settings = {{ ...DEFAULTS, rate: DEFAULTS.rate / 3 }};
            const trial = new Experiment(settings);
            trial.cool("{kind}", settings);
            let done = null;
            while (!done) done = trial.step(settings);
            return {{ ...done, shares: [...done.shares], measured: trial.recent.measured }};
        }})()""")
        assert run["T"] == pytest.approx(run["from"] / 100)
        assert run["measured"] == pytest.approx(run["T"], rel=0.3)  # as cold as it says
        shares[kind] = run["shares"][0]
    hot = page.run("boltzmann(DATA.hot, BINS).wells[0]")
    # the hot share, frozen; the error of 400 balls is 0.024
    assert shares["quench"] == pytest.approx(hot, abs=0.1)
    assert shares["anneal"] > shares["quench"] + 0.15


def test_boltzmann_on_the_page(opened):
    for U, margin in ((lsa.potentials.double_well(), 1.0), (lsa.potentials.muller_brown(), 1.5)):
        page = opened(U)
        along, T, wells, window = page.run(
            "(() => { const law = boltzmann(DATA.hot, BINS); return [law.along.map((a) => "
            "[...a]), DATA.hot, [...law.wells], DATA.window]; })()"
        )
        edges = [np.linspace(low, high, len(along[0]) + 1) for low, high in window]
        exact = boltzmann_bins(U, T, edges, margin=margin)
        for axis, ours in enumerate(along):
            np.testing.assert_allclose(
                ours, exact.sum(tuple(a for a in range(U.dim) if a != axis)), rtol=0, atol=2e-4
            )
        assert sum(wells) == pytest.approx(1)
        assert wells[-1] == pytest.approx(1 - exact.sum(), abs=5e-4)


def test_no_requests_and_no_errors(opened):
    for U in (
        lsa.potentials.double_well(),
        lsa.potentials.himmelblau(),
        lsa.Potential.from_formula("x"),
    ):
        page = opened(U, address="run=quench&speed=2400")
        page.run("new Promise((done) => setTimeout(done, 300))")
        assert [url.split("#")[0].split("/")[-1] for url in page.requests()] == ["page.html"]
        assert page.run("performance.getEntriesByType('resource').length") == 0
        assert page.errors() == []
        assert page.run("experiment.walk.stepNumber") > 0


@pytest.mark.parametrize("name", ["constructor", "toString", "__proto__", "hasOwnProperty"])
def test_words_of_javascript_are_no_integrators(opened, name):
    """They froze the page: every object has them."""
    page = opened(lsa.potentials.double_well(), address=f"integrator={name}&balls=7")
    assert page.run("settings.integrator") == "gjf" and not page.errors()


def test_the_address_holds_the_situation(opened):
    page = opened(
        lsa.potentials.double_well(),
        address="T=0.5&gamma=3&dt=0.05&integrator=bbk&balls=7&seed=9&start=B&run=anneal",
    )
    assert page.run("settings") == page.run("DEFAULTS") | {
        "T": 0.5,
        "gamma": 3,
        "dt": 0.05,
        "integrator": "bbk",
        "balls": 7,
        "seed": "9",
        "start": "B",
        "run": "anneal",
    }
    assert page.run("[experiment.run.kind, experiment.walk.count]") == ["anneal", 7]
    assert page.run("readAddress('#' + writeAddress(settings))") == page.run("settings")
    page.run("change('T', 0.7); change('rho', 0.5); new Promise((done) => setTimeout(done, 400))")
    assert "T=0.7&gamma=13.3&" in page.run("location.hash")
    page.run("location.hash = '#start=0.25&balls=3'; new Promise((done) => setTimeout(done, 50))")
    assert page.run("[settings.start, experiment.walk.count, settings.T]") == [
        "0.25",
        3,
        page.run("DATA.hot"),
    ]
    nonsense = (
        "T=1e9&gamma=-1&dt=x&integrator=evil&balls=1e9&seed=99999999999999999999&start=Z&run=format"
    )
    kept = page.run(f"readAddress('#{nonsense}')")
    assert kept == page.run("DEFAULTS") | {"T": page.run("RANGES.T[1]"), "balls": 5000}


def test_one_seed_one_trajectory_whatever_the_frames(opened):
    def after(steps, speed):
        page = opened(lsa.potentials.double_well(), address=f"run=anneal&balls=20&speed={speed}")
        page.run("reset(); cool('anneal'); pause(true)")
        return page.run(
            f"for (let n = 0; n < {steps}; n++) experiment.step(settings); [...experiment.walk.x]"
        )

    assert after(500, 15) == after(500, 2400)


def test_keys_buttons_and_the_picture(opened):
    page = opened(lsa.potentials.himmelblau())
    kind = "experiment.run && experiment.run.kind"
    page.press("q")
    assert page.run(kind) == "quench"
    page.press("a")
    assert page.run(kind) == "anneal"
    page.press("r")
    assert page.run(kind) is None
    page.press(" ")
    assert page.run("[paused, byId('pause').textContent]") == [True, "Go on"]
    page.run("byId('quench').click()")
    assert page.run(kind) == "quench" and not page.run("paused")
    x, y = page.run(
        "(() => { const r = byId('stage').getBoundingClientRect(); return [r.x + r.width / 2, r.y "
        "+ r.height / 2]; })()"
    )
    for event in ("mousePressed", "mouseReleased"):
        page.call("Input.dispatchMouseEvent", type=event, x=x, y=y, button="left", clickCount=1)
    start = np.array(page.run("settings.start").split(","), dtype=float)
    assert (np.abs(start) < 1.5).all() and page.run("byId('start').value") == page.run(
        "settings.start"
    )
    page.run("byId('slide-gamma').value = 1; byId('slide-gamma').dispatchEvent(new Event('input'))")
    assert page.run("settings.gamma") == page.run("RANGES.gamma[1]")
    page.press("?")
    assert page.run("byId('why-page').matches(':popover-open')")


def test_steps_that_are_too_long_are_said_to_be(opened):
    page = opened(lsa.potentials.double_well())
    page.run(
        "change('dt', 1); for (let n = 0; n < 2000 && experiment.walk.isFinite(); n++) "
        "experiment.step(settings); debt = 1"
    )
    page.run("new Promise((done) => setTimeout(done, 200))")
    assert "flew off" in page.run("byId('status').textContent") and page.errors() == []
    page.run("change('dt', DATA.dt); reset(); new Promise((done) => setTimeout(done, 200))")
    assert "Holding" in page.run("byId('status').textContent")


def test_it_stands_still_while_hidden(opened):
    page = opened(lsa.potentials.double_well())
    page.run("new Promise((done) => setTimeout(done, 200))")
    other, session = None, page.session
    try:
        page.session = None
        other = page.call("Target.createTarget", url="about:blank")["targetId"]
        page.call("Target.activateTarget", targetId=other)
        page.session = session
        page.run("new Promise((done) => setTimeout(done, 200))")
        before = page.run("[document.hidden, experiment.walk.stepNumber]")
        page.run("new Promise((done) => setTimeout(done, 300))")
        after = page.run("[document.hidden, experiment.walk.stepNumber]")
    finally:
        page.session = None
        page.call("Target.closeTarget", targetId=other)
        page.session = session
    assert before == after and before[0]


@pytest.mark.parametrize("size", [(360, 740), (768, 1024), (1280, 720), (1920, 1080)])
def test_everything_fits(opened, size):
    """Nothing sticks out to the side, no text runs over its neighbour, and what is clicked is large
    enough.
    """
    page = opened(lsa.potentials.muller_brown(), size=size)
    page.run(
        "document.querySelector('details').open = true; change('T', RANGES.T[0]); new "
        "Promise((done) => setTimeout(done, 150))"
    )
    assert page.run("document.documentElement.scrollWidth") <= size[0]
    rows = ".slider, .share, h2, #step, .buttons, header, #runs li, figcaption"
    overlaps = page.run(f"""[...document.querySelectorAll('{rows}')].filter((row) => {{
        const outer = row.getBoundingClientRect();
        const all = [...row.children].map((e) => e.getBoundingClientRect());
        const boxes = all.filter((b) => b.width);
        const meet = (a, b) => a.right > b.left + 1 && b.right > a.left + 1
            && a.bottom > b.top + 1 && b.bottom > a.top + 1;
        return boxes.some((a, i) => a.right > outer.right + 1
            || boxes.some((b, j) => j > i && meet(a, b)));
    }}).map((row) => row.textContent)""")
    assert overlaps == []
    small = page.run("""[...document.querySelectorAll('button, input, select, summary')]
        .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 24)
        .map((e) => e.id || e.textContent)""")
    assert small == []


@pytest.mark.parametrize("dark", [False, True])
def test_accessible(opened, browser, dark):
    """Every control has a name, every question mark an answer, every picture words; text contrasts
    with its ground.
    """
    page = opened(lsa.potentials.muller_brown())
    browser.screen(1280, 800, dark=dark)
    page.run("new Promise((done) => setTimeout(done, 150))")
    named = (
        "(e) => e.ariaLabel || e.textContent.trim() || (e.labels && "
        "e.labels[0]?.textContent.trim())"
    )
    assert (
        page.run(
            "[...document.querySelectorAll('button, input, select')].filter((e) => "
            f"!({named})(e)).length"
        )
        == 0
    )
    assert (
        page.run(
            "[...document.querySelectorAll('[popovertarget]')].filter((e) => "
            "!byId(e.getAttribute('popovertarget'))).length"
        )
        == 0
    )
    assert (
        "A " in page.run("byId('stage').ariaLabel")
        and page.run("byId('chart').ariaLabel")
        and page.run("byId('histogram').ariaLabel")
    )
    colours = {
        name: rgb(text) for name, text in page.run("({...palette(), wells: ''})").items() if text
    }
    assert min(contrast(colours[name], colours["paper"]) for name in ("ink", "soft")) > 4.5
    assert contrast(colours["measured"], colours["paper"]) > 3
    assert (np.mean(colours["paper"]) < 128) == dark


def rgb(text):
    return [int(n) for n in re.findall(r"\d+", text)[:3]]


def contrast(a, b):
    """Contrast ratio of two colours as WCAG defines it."""

    def luminance(colour):
        c = np.array(colour) / 255
        return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [
            0.2126,
            0.7152,
            0.0722,
        ]

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)
