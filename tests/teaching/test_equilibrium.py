"""The law of the page, see `langevin_sa.teaching.space`: what is counted tends to what is marked,
on every page of the catalogue.
"""

import inspect
import json

import numpy as np
import pytest
from scipy.integrate import cubature

import langevin_sa as lsa
from langevin_sa.backends.choose import get_backend
from langevin_sa.backends.walk import Walk
from langevin_sa.teaching.basins import minima_of, window_of
from langevin_sa.teaching.space import space_of, surroundings, walled

BALLS, SETTLING, SAMPLES, BETWEEN = 600, 4000, 150, 10
PATIENCE = {"funnel": 2, "rosenbrock": 2}  # times as long to settle
FROZEN = {"levy of 2"}  # where two wells of energy T have 10 T between them: balls start settled


def catalogue():
    """Every potential of the catalogue that the page command accepts, by name; of those in any
    dimension both, the two-dimensional ones as slow tests.
    """
    pages = []
    for name, make in lsa.potentials.catalogue().items():
        dims = (1, 2) if "dim" in inspect.signature(make).parameters else (None,)
        found = []
        for dim in dims:
            try:
                U = make() if dim is None else make(dim=dim)
                if U.dim <= 2 and U.formula is not None and not U.formula.source.spec.of_particles:
                    found.append(U)
            except ValueError:  # of more coordinates
                continue
        pages += [
            pytest.param(U, id=f"{name} of {U.dim}" if k else name, marks=[pytest.mark.slow] * k)
            for k, U in enumerate(found)
        ]
    return pages


def weight(U, T, low):
    def of(x):
        with np.errstate(all="ignore"):
            w = np.exp((low - U.energy(x)) / T)
        return np.where(np.isfinite(w), w, 0)

    return of


def fine(U, data):
    """Points of the window, finer than its cells, and which well each belongs to."""
    cells, finer = data["cells"], {1: 20, 2: 4}[U.dim]
    label = np.repeat(data["labels"][::2], data["labels"][1::2]).reshape((cells,) * U.dim)
    for axis in range(U.dim):
        label = np.repeat(label, finer, axis)
    middles = (np.arange(cells * finer) + 0.5) / (cells * finer)
    axes = [low + (high - low) * middles for low, high in data["window"]]
    return np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, U.dim), label.ravel()


def quadrature(U, T, data):
    """Shares of the wells, which the page's cells define, and outside of the window: inside by
    finer cells, outside by SciPy's cubature over shells until one holds nothing.
    """
    window, (points, label) = np.array(data["window"]), fine(U, data)
    w = weight(U, T, np.nanmin(U.energy(points)))
    volume = np.prod(window[:, 1] - window[:, 0]) / len(points)
    wells = np.bincount(label, w(points), len(data["wells"])) * volume
    total, outside, inner = wells.sum(), 0.0, window
    ends = np.array([(-np.inf, np.inf) if end is None else end for end in data["ends"]])
    while (inner != ends).any():
        quarter = (inner[:, 1] - inner[:, 0]) / 4
        outer = np.clip(np.stack([inner[:, 0] - quarter, inner[:, 1] + quarter], 1).T, *ends.T).T
        shell = 0.0
        for axis in range(U.dim):
            for side in ((outer[axis, 0], inner[axis, 0]), (inner[axis, 1], outer[axis, 1])):
                box = np.concatenate([inner[:axis], [side], outer[axis + 1 :]])
                if side[0] < side[1]:
                    found = cubature(w, *box.T, rule="gk21", rtol=1e-3, atol=1e-4 * total)
                    assert found.status == "converged"
                    shell += float(found.estimate)
        outside, inner = outside + shell, outer
        if shell < 1e-5 * total:
            break
    return np.append(wells, outside) / (total + outside)


def counted(page, T, settling):
    """Time averages of the share of balls in each well and outside, their standard errors from ball
    to ball, and the marks. Balls go on from where they are.
    """
    mean, square, marks = page.run(f"""(() => {{
        const settings = {{ ...DEFAULTS, T: {T}, balls: {BALLS} }};
        window.trial ??= new Experiment(settings);
        trial.hold({T});
        for (let n = 0; n < {settling}; n++) trial.step(settings);
        const parts = DATA.wells.length + 1, walk = trial.walk;
        const visits = new Float64Array(parts * walk.count);
        for (let n = 0; n < {SAMPLES}; n++) {{
          for (let k = 0; k < {BETWEEN}; k++) trial.step(settings);
          for (let r = 0; r < walk.count; r++) visits[r * parts + partOf(walk, r)] += 1 / {SAMPLES};
        }}
        const mean = new Float64Array(parts), square = new Float64Array(parts);
        visits.forEach((v, i) => (mean[i % parts] += v / walk.count));
        visits.forEach((v, i) => (square[i % parts] += v * v / walk.count));
        return [[...mean], [...square], [...boltzmann({T}, BINS).wells]];
    }})()""")
    variance = np.maximum(np.array(square) - np.square(mean), 0) / (BALLS - 1)
    return np.array(mean), np.sqrt(variance), np.array(marks)


@pytest.mark.parametrize("U", catalogue())
def test_what_is_counted_is_what_is_marked(opened, request, U):
    """At the temperature that the page opens with and at a colder one, within 4 standard errors.

    An error is at least that of a visit in a thousand samples of all balls, since wells that no
    ball left, or none has found, show none.
    """
    page = opened(U)
    data, settling = page.run("pause(true); DATA"), SETTLING
    name = request.node.callspec.id
    settling *= PATIENCE.get(name, 1)
    if name in FROZEN:
        points, _ = fine(U, data)
        law = weight(U, data["hot"], U.energy(points).min())(points)
        at = np.random.default_rng(1).choice(len(points), BALLS, p=law / law.sum())
        page.run(f"""window.trial = new Experiment({{ ...DEFAULTS, balls: {BALLS} }});
            trial.walk = new Walk({points[at].ravel().tolist()}, DIM, DATA.seed); null""")
    for T in (data["hot"], 0.7 * data["hot"]):
        exact = quadrature(U, T, data)
        shares, error, marks = counted(page, T, settling)
        np.testing.assert_allclose(marks, exact, rtol=0, atol=2.5e-3)
        assert (np.abs(shares - exact) < 4 * np.maximum(error, 1e-3)).all(), (T, shares, exact)
        assert shares.sum() == pytest.approx(1) and exact[-1] < 0.1  # the window holds the balls


def page_data(U, **options):
    text = lsa.page(U, **options)
    return json.loads(text[text.index("const DATA = ") + 13 :].split(";\n")[0])


def test_space():
    """Rings where the energy repeats, walls where it does not hold the balls, else open."""
    F = lsa.Potential.from_formula
    for U, kinds in (
        (lsa.potentials.periodic(), ["ring"]),
        (lsa.potentials.periodic(tilt=0.3), ["walls"]),
        (lsa.potentials.xy_chain(dim=2), ["ring", "ring"]),
        (lsa.potentials.harmonic_chain(dim=2), ["walls", "walls"]),
        (lsa.potentials.double_well(), ["open"]),
        (F("1 - cos(3*x) + y**2"), ["ring", "open"]),
        (F("x**3", bounds=(-1, 2)), ["walls"]),
        (F("log(1 + x**2)"), ["open"]),
    ):
        data = page_data(U)
        assert data["kinds"] == kinds and data["held"], U
        for axis, kind in enumerate(kinds):
            assert (data["ends"][axis] is None) == (kind == "open")
    for text, falls in (("x", True), ("x**3", True), ("-exp(-x**2)", False), ("-y**2", True)):
        data = page_data(F(text))
        assert not data["held"] and data["falls"] == falls, text
    assert page_data(lsa.potentials.periodic(), window=(-20, 1))["window"] == [[-3 * np.pi, 1]]
    with pytest.raises(ValueError, match="shows nothing of the domain"):
        lsa.page(lsa.potentials.periodic(), window=(20, 30))


def test_a_heavy_tail_is_seen():
    """exp(-log(1 + x^2)/T) is a power law: at T = 0.7 the share beyond 4 is known."""
    U, T, window = lsa.Potential.from_formula("log(1 + x**2)"), 0.7, np.array([[-4.0, 4.0]])
    around = surroundings(U, space_of(U, window, minima_of(U)), window, T)
    x = np.linspace(0, np.arctan(1e7), 2_000_001)  # x = tan(angle)
    density = np.cos(x) ** (2 / T - 2)
    beyond = np.trapezoid(np.where(np.tan(x) > 4, density, 0), x) / np.trapezoid(density, x)
    assert 1 - around.share_in(window, T) == pytest.approx(beyond, rel=2e-3)
    assert around.held(T) and not around.held(2.5)


@pytest.mark.parametrize("kind", ["ring", "walls"])
def test_trajectories_in_folded_space_are_those_of_numpy(opened, kind):
    """A walk on a ring, or between mirrors, is the plain recursion in the potential of the folded
    coordinates.
    """
    if kind == "ring":
        U = lsa.potentials.periodic(dim=2)
        low, width = -3 * np.pi, 6 * np.pi
    else:
        U = lsa.potentials.harmonic_chain(dim=2)
        low, width = -3, 6

    def folded(x):
        lap = np.mod(x - low, width if kind == "ring" else 2 * width)
        back = lap > width
        return low + np.where(back, 2 * width - lap, lap), np.where(back, -1, 1)

    unfolded = lsa.Potential(
        lambda x: U.energy(folded(x)[0]), lambda x: U.gradient(folded(x)[0]) * folded(x)[1], dim=2
    )
    page = opened(U, rng=7)
    seen = page.run("""(() => {
        const walk = new Walk(scatter(20, DATA.seed, () => true), DIM, DATA.seed), x0 = [...walk.x];
        for (let n = 0; n < 300; n++) walk.step(coefficients("gjf", 0.3, 0.2, DATA.hot));
        const within = (v, [low, high]) => v >= low && v <= high;
        const fit = walk.place.every((v, i) => within(v, DATA.ends[i % 2]));
        return { x0, x: [...walk.x], energy: [...walk.energy], fit, hot: DATA.hot };
    })()""")
    walk = Walk.at_rest(np.reshape(seen["x0"], (20, 2)), 7)
    row = lsa.INTEGRATORS["gjf"]
    steps = row.steps(0.3, 0.2, np.full(300, seen["hot"]))
    get_backend("numpy", unfolded)(unfolded, walk, 1).advance(row.carrying(steps, None))
    np.testing.assert_allclose(np.ravel(walk.x), seen["x"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(walk.energy, seen["energy"], rtol=0, atol=1e-9)
    assert seen["fit"] and (np.abs(walk.x) > width / 2).any()  # some have crossed an end


def test_walls_end_only_open_axes():
    U = lsa.Potential.from_formula("cos(x) - y", bounds=((-np.pi, np.pi), (0, 1)))
    space = walled(space_of(U, window_of(U, np.zeros((0, 2))), np.zeros((0, 2))), U.bounds)
    assert space.kinds == ("ring", "walls")
    np.testing.assert_allclose(space.ends, U.bounds)


def test_falling_for_ever_is_said(opened):
    page = opened(lsa.Potential.from_formula("x**3"), address="speed=2400")
    status = "byId('status').textContent"
    page.run("new Promise((done) => setTimeout(done, 700))")
    assert page.run("experiment.failed") and page.errors() == []
    assert "falls for ever" in page.run(status) and "dt" not in page.run(status)
    page = opened(lsa.Potential.from_formula("-exp(-x**2)"))
    page.run("new Promise((done) => setTimeout(done, 200))")
    assert "Nothing holds the balls" in page.run(status) and page.errors() == []
    hidden = "getComputedStyle(document.querySelector('.share .mark')).display"
    assert page.run(hidden) == "none"


def test_a_formula_is_its_pages_title(opened):
    page = opened(lsa.Potential.from_formula("a*x**2 + sqrt(1e-46)", a=3.0))
    assert page.run("byId('title').textContent") == "U = a·x2 + sqrt(1e\u221246)"
    assert page.run("byId('formula').textContent") == "a = 3"
    page.run("new Promise((done) => setTimeout(done, 100))")
    assert "U = 0" in page.run("byId('shares').textContent")  # not 1e-23
    page = opened(lsa.potentials.double_well())
    assert page.run("byId('title').textContent") == "double well"


@pytest.mark.parametrize("size", [(360, 740), (900, 700), (1280, 800)])
def test_sliders_keep_their_width(opened, size):
    page = opened(lsa.potentials.muller_brown(), size=size)
    widths = page.run("""(() => {
        pause(true);
        return [32.7, 3.27, 0.327, 12.34, 0.00896, 3.27e-5, 123456].map((T) => {
          experiment.hold(T);
          showNumbers();
          const sliders = [...document.querySelectorAll(".slider input")];
          return sliders.map((e) => e.getBoundingClientRect().width);
        });
    })()""")
    assert np.ptp(widths, axis=0).max() == 0
