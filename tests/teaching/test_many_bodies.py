"""Pages of many bodies: their forces, walks and measures of order in a browser, against NumPy."""

import json

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa.backends.choose import get_backend
from langevin_sa.backends.walk import Walk

P = lsa.potentials


def xy_lattice(shape=(8, 6), **options):
    options = {"periodic": True, "bounds": (-np.pi, np.pi), **options}
    return lsa.Potential.from_formula(bond="1 - cos(y - x)", shape=shape, name="xy", **options)


SYSTEMS = {
    "few particles": lambda: P.lennard_jones_fluid(particles=30, space=2),
    "cells": lambda: P.lennard_jones_fluid(particles=300, space=2, density=0.7),
    "two species": lambda: P.kob_andersen(particles=100, space=2),
    "soft disks": lambda: lsa.Potential.from_formula(
        pair="(s/r)**12", particles=64, space=2, s=1.0, cutoff=3.0, box=(8.0, 9.0), name="soft"
    ),
    "phi4": lambda: P.phi4_lattice(shape=(6, 10)),
    "open": lambda: P.phi4_lattice(shape=(7, 5), periodic=False),
    "angles": xy_lattice,
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_trajectories_are_those_of_the_numpy_backend(opened, name):
    """To the digits that a chaotic system keeps over 200 steps, in which pairs are listed anew."""
    U = SYSTEMS[name]()
    page = opened(U, rng=2**63 + 5)
    T = np.linspace(1, 0.3, 200)
    seen = page.run(f"""(() => {{
        pause(true);
        const walk = new Walk(startPoints(DATA.seed), {U.dim}, DATA.seed), x0 = [...walk.x];
        let kinetic = 0;
        for (const T of {T.tolist()}) {{
          walk.step(coefficients("gjf", DATA.gamma, DATA.dt, T * DATA.hot));
          kinetic += walk.meanSquare() / walk.last.scale ** 2;
        }}
        const [x, dx, energy] = [[...walk.x], [...walk.dx], walk.energy[0]];
        return {{ x0, x, dx, energy, kinetic, data: DATA }};
    }})()""")
    data = seen["data"]
    walk = Walk.at_rest(np.array([seen["x0"]]), 2**63 + 5)
    row = lsa.INTEGRATORS["gjf"]
    steps = row.steps(data["gamma"], data["dt"], T * data["hot"])
    backend = get_backend("numpy", U)(U, walk, 1)
    backend.advance(row.carrying(steps, None))
    assert np.abs(walk.x[0] - seen["x0"]).max() > 0.2  # they did move
    np.testing.assert_allclose(walk.x[0], seen["x"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(walk.dx[0], seen["dx"], rtol=0, atol=1e-8)
    assert walk.energy[0] == pytest.approx(seen["energy"], rel=1e-8)
    assert walk.kinetic.mean() / U.dim == pytest.approx(seen["kinetic"], rel=1e-8)
    assert page.errors() == []


def test_one_seed_one_trajectory_whatever_the_frames(opened):
    def after(wait):
        page = opened(P.kob_andersen(particles=100, space=2), address="speed=300")
        page.run(f"new Promise((done) => setTimeout(done, {wait}))")
        page.run("pause(true); reset()")
        return page.run(
            "for (let n = 0; n < 900; n++) experiment.step(settings); [...experiment.walk.x]"
        )

    assert after(0) == after(400)


def order(page, x):
    return page.run(f"orderOf({{ x: Float64Array.from({np.ravel(x).tolist()}) }})")


def test_order_of_particles(opened):
    """A triangular crystal is one crystal of hexagons; a square one, or a gas, is none."""
    rows, columns, a = 10, 10, 1.1
    box = (columns * a, rows * a * np.sqrt(3) / 2)
    U = lsa.Potential.from_formula(
        pair="(1/r)**12", particles=rows * columns, space=2, cutoff=2.5, box=box, name="disks"
    )
    page = opened(U)
    i, j = np.divmod(np.arange(rows * columns), columns)
    crystal = np.stack([(j + i % 2 / 2) * a, i * a * np.sqrt(3) / 2], 1)
    assert [o["value"] for o in order(page, crystal)] == pytest.approx([1, 1])
    square = np.stack([j * a, i * a * np.sqrt(3) / 2], 1)
    assert order(page, square)[1]["value"] < 0.75
    noise = np.random.default_rng(1).uniform(0, box, (rows * columns, 2))
    assert order(page, noise)[0]["value"] < 0.3


def test_order_of_a_lattice(opened):
    page = opened(P.phi4_lattice(shape=(8, 12)))
    x = np.ones((8, 12))
    assert [o["value"] for o in order(page, x)] == [1, 0]
    x[:, :6] = -1  # two walls, around the ring
    assert [o["value"] for o in order(page, x)] == pytest.approx([0, 16 / 192])
    page = opened(xy_lattice(shape=(20, 20), periodic=False))
    u, v = np.mgrid[:20, :20] - 9.5
    assert order(page, np.arctan2(u, v))[1]["value"] == pytest.approx(1 / 400)  # one vortex
    assert [o["value"] for o in order(page, 2 + 0 * u)] == pytest.approx([1, 0])


@pytest.mark.parametrize(
    ("make", "orders"),
    [
        pytest.param(lambda: P.kob_andersen(particles=100, space=2), False, id="glass"),
        pytest.param(lambda: P.phi4_lattice(shape=(64, 64)), True, id="domains"),
        pytest.param(
            lambda: P.lennard_jones_fluid(particles=400, space=2),
            True,
            id="crystal",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_an_anneal_ends_lower_than_a_quench(opened, make, orders):
    """And in one order where there is one: a crystal, a domain. A glass may cool faster."""
    page = opened(make())
    runs = {}
    for kind in ("quench", "anneal"):
        runs[kind] = page.run(f"""(() => {{
            pause(true);
            const settings = {{ ...DEFAULTS, rate: {1 if orders else 3} * DEFAULTS.rate }};
            const trial = new Experiment(settings);
            trial.cool("{kind}", settings);
            let done = null;
            while (!done) done = trial.step(settings);
            return {{ ...done, measured: trial.recent.measured }};
        }})()""")
        assert runs[kind]["measured"] == pytest.approx(runs[kind]["T"], rel=0.4)
    quench, anneal = runs["quench"], runs["anneal"]
    assert anneal["energy"] < quench["energy"] - 0.01 * abs(quench["energy"])
    if orders:
        assert anneal["order"][0]["value"] > 0.8 > 0.6 > quench["order"][0]["value"]


def test_a_page_of_many_bodies_works(opened):
    for name in ("two species", "phi4", "angles"):
        page = opened(SYSTEMS[name](), address="run=quench&seed=7")
        page.run("new Promise((done) => setTimeout(done, 400))")
        assert page.errors() == []
        assert [url.split("#")[0].split("/")[-1] for url in page.requests()] == ["page.html"]
        assert page.run("[settings.seed, experiment.run.kind]") == ["7", "quench"]
        assert page.run("experiment.walk.stepNumber") > 0
        for key, expected in (("r", None), ("a", "anneal")):
            page.press(key)
            assert page.run("experiment.run && experiment.run.kind") == expected
        page.run("finish({ kind: 'anneal', from: 1, rate: 2, T: 0.01, ...experiment.outcome() })")
        page.run("document.querySelector('details').open = true; refit()")
        assert "order" in page.run("byId('runs').textContent")
        for width in (360, 900, 1280):
            page.screen(width, 800)
            assert page.run("document.documentElement.scrollWidth") <= width


def data_of(U, **options):
    text = lsa.page(U, **options)
    return json.loads(text[text.index("const DATA = ") + 13 :].split(";\n")[0])


def test_what_is_given_is_kept():
    data = data_of(P.phi4_lattice(shape=(4, 6)), temperature=0.3, gamma=0.2, dt=0.05, rng=9)
    assert [data[k] for k in ("hot", "cold", "gamma", "dt", "seed")] == [0.3, 0.003, 0.2, 0.05, "9"]
    assert data["shape"] == [4, 6] and data["kind"] == "lattice" and not data["angles"]
    assert data_of(xy_lattice())["angles"]
    data = data_of(P.kob_andersen(particles=100, space=2))
    assert data["radii"][0] > data["radii"][1] and data["parameters"] == {}


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (lambda: P.lennard_jones(13), {}, "lennard_jones_fluid or kob_andersen with space=2"),
        (lambda: P.lennard_jones_fluid(100), {}, "lennard_jones_fluid or kob_andersen"),
        (lambda: P.phi4_chain(64), {}, "a lattice of two axes, and phi4_chain has dim 64"),
        (lambda: P.phi4_lattice((4, 4, 4)), {}, "lattice of two axes, and phi4_lattice has dim 64"),
        (lambda: P.spin_glass(16), {}, "made of functions"),
        (lambda: P.phi4_lattice((300, 300)), {}, "90,000 sites, at most 65,536"),
        (lambda: P.phi4_lattice((4, 4)), {"balls": 10}, "balls goes with a potential of one or"),
        (lambda: P.phi4_lattice((4, 4)), {"window": (0, 1)}, "window goes with a potential"),
    ],
)
def test_what_no_page_shows_is_said(make, options, message):
    with pytest.raises(ValueError, match=message):
        lsa.page(make(), **options)
