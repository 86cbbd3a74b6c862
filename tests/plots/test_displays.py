"""What prints and what a notebook shows: words and a picture, and no arrays."""

from __future__ import annotations

import base64
import html
import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

import langevin_sa as lsa

U = lsa.potentials.double_well(tilt=0.3)
COOLING = lsa.Schedule(lsa.schedules.exponential(1.0, 0.01), gamma=1.0, dt=0.1)
REPLICAS = 300


def run(**keywords):
    keywords = {"n_steps": 200, "replicas": REPLICAS, "rng": 1, "record_every": 20} | keywords
    return lsa.anneal(U, schedule=COOLING, **keywords)


SHOWN = {
    "formula": lambda: U,
    "plane": lambda: lsa.potentials.muller_brown(),
    "schedule": lambda: COOLING,
    "coolmomentum": lambda: lsa.CoolMomentum(0.01, 0.9),
    "momentum": lambda: lsa.Momentum(0.9, lsa.schedules.linear(0.1, 0.01), 0.2),
    "result": lambda: run(samples=True),
    "minimize": lambda: lsa.minimize(lsa.potentials.rastrigin(2), rng=1, maxfev=2000),
    "comparison": lambda: lsa.compare(U, {"slow": COOLING}, n_steps=100, replicas=20, rng=1),
    "grid": lambda: lsa.grid(U, [0.9], [0.001, 0.002], noise=2.0, n_steps=100, replicas=9, rng=1),
    "cooling": lambda: lsa.cooling_rates(U, COOLING, [100, 200], replicas=20, rng=1),
    "exchange": lambda: lsa.exchange(U, [0.1, 0.2], n_steps=200, replicas=4, rng=1),
    "report": lambda: lsa.validate(families=["noise"]),
}
WORDS = {  # without a picture: many coordinates, functions, lists for laws
    "clusters": lambda: lsa.potentials.lennard_jones(),
    "functions": lambda: lsa.Potential(lambda x: (x**2).sum(1), lambda x: 2 * x, dim=1),
    "arrays": lambda: lsa.Momentum(np.array([0.5, 0.9]), 0.1),
}


def pictures(shown):
    """The images in a notebook's output, whole files."""
    found = re.findall(r'src="data:image/(png|svg\+xml);base64,([^"]+)"', shown)
    files = [(kind, base64.b64decode(text)) for kind, text in found]
    starts = {"png": b"\x89PNG", "svg+xml": b"<?xml"}
    assert all(file.startswith(starts[kind]) for kind, file in files)
    return [kind for kind, _ in files]


@pytest.mark.parametrize("name", SHOWN)
def test_words_and_a_picture(name):
    value = SHOWN[name]()
    before = plt.get_fignums()
    shown = value._repr_html_()
    assert plt.get_fignums() == before  # which a notebook would show a second time
    formula = ["svg+xml"] if isinstance(value, lsa.Potential) else []
    assert pictures(shown) == [*formula, "png"]
    first = str(value).splitlines()[0].split("(")[0].strip()
    assert first and first in html.unescape(shown)
    assert name == "report" or len(str(value)) < 3000


@pytest.mark.parametrize("name", WORDS)
def test_words_where_there_is_nothing_to_draw(name):
    shown = WORDS[name]()._repr_html_()
    assert "png" not in pictures(shown) and "<pre" in shown


def test_nothing_prints_its_arrays():
    """The length of what is printed does not know how many replicas there were."""
    few, many = (run(samples=True, replicas=n) for n in (3, REPLICAS))
    shots = [next(iter(lsa.simulate(U, schedule=COOLING, n_steps=9, replicas=n))) for n in (3, 300)]
    pairs = [(few, many), (few.state, many.state), shots]
    ways = {"slow": COOLING}
    pairs.append([lsa.compare(U, ways, n_steps=9, replicas=n, rng=1)["slow"] for n in (3, 300)])
    for small, large in pairs:
        assert len(repr(large)) < len(repr(small)) + 60, type(large)
        assert "array(" not in repr(large)
    assert f"x=<float64 ({REPLICAS}, 1)>" in repr(many.state)
    found = lsa.anneal(U, n_steps=100, replicas=REPLICAS, rng=1).pilot
    assert repr(found) == str(found) and "array(" not in repr(found)
    assert "x: [" in repr(many)  # the point that was sought


def test_latex():
    assert lsa.Potential.from_formula("x**2")._repr_latex_() == r"$\displaystyle U = x^{2}$"
    assert lsa.Potential(lambda x: x[:, 0], lambda x: 1 + 0 * x, 1)._repr_latex_() is None
    unknown = lsa.Potential.from_formula("x**2")
    unknown.latex = r"\nothing{x} < 1"
    assert r"<code>\nothing{x} &lt; 1</code>" in unknown._repr_html_()


def test_a_page_is_a_text_that_shows_itself():
    page = lsa.page(U)
    assert page.startswith("<!") and len(repr(page)) < 40
    srcdoc = re.search(r'srcdoc="([^"]*)"', page._repr_html_())[1]
    assert html.unescape(srcdoc) == page


def test_a_film_of_a_result(tmp_path):
    from PIL import Image

    U_units = lsa.potentials.double_well(tilt=0.3)
    U_units.units = lsa.Units("eV", kB=0.5)
    result = run(samples=True)
    for frames, count in ((None, 10), (4, 4), (50, 10)):
        lsa.plots.animate(U_units, result, tmp_path / "a.gif", frames=frames, dpi=30)
        with Image.open(tmp_path / "a.gif") as film:
            assert film.n_frames == count
    ax = lsa.plots.animate(U_units, result, tmp_path / "a.gif", frames=1, dpi=30)
    assert ax.get_title() == f"$T$ = {result.history.target[0] / 0.5:.3g} K"
    with pytest.raises(ValueError, match="samples=True"):
        lsa.plots.animate(U, run(), tmp_path / "b.gif")
    assert not (tmp_path / "b.gif").exists()


@pytest.mark.parametrize("ffmpeg", [True, False])
def test_a_film_in_a_notebook(ffmpeg, tmp_path):
    imageio = pytest.importorskip("imageio_ffmpeg")
    program = imageio.get_ffmpeg_exe() if ffmpeg else str(tmp_path / "none")
    with mpl.rc_context({"animation.ffmpeg_path": program}):
        film = lsa.plots.animate(U, run(samples=True), frames=3, dpi=31)  # odd numbers of pixels
        if not ffmpeg:
            with pytest.raises(ValueError, match="needs ffmpeg"):
                lsa.plots.animate(U, run(samples=True), tmp_path / "a.mp4")
    assert len(repr(film)) < 60
    if ffmpeg:
        (tmp_path / "a.mp4").write_bytes(film.content)
        assert imageio.count_frames_and_secs(str(tmp_path / "a.mp4"))[0] == 3
        assert film._repr_html_().startswith("<video") and film._repr_html_().endswith("</video>")
    else:
        assert film.content.startswith(b"GIF89a") and film._repr_html_().startswith("<img")
