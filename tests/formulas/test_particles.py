"""Terms over lists of particles and embedded atoms: the same in every target, exact, and right
where particles stand on a line or in a plane.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
import targets
from hostile import refused

from langevin_sa import FormulaError, Potential, Schedule, anneal, page, schedules

FORMULA = Potential.from_formula
BONDS, ANGLES = [(0, 1), (1, 2), (2, 5)], [(0, 1, 2), (1, 2, 3), (5, 0, 3)]
TORSIONS = [(0, 1, 2, 3), (1, 2, 3, 4), (5, 0, 3, 1)]
K = [1.0, 2.0, 3.0]
GUPTA = {"density": "xi**2*exp(-2*q*(r - 1))", "embedding": "-sqrt(rho)", "xi": 1.2, "q": 3.1}
METAL = {"pair": "A*exp(-10*(r - 1))", "A": 0.2, **GUPTA}
SPRING = ("bond", BONDS, "k*(r - r0)**2/2")
BEND = ("angle", ANGLES, "k*(theta - t0)**2/2")
TWIST = ("torsion", TORSIONS, "c*(1 + cos(3*phi - d)) + sin(phi)")


def six(space=3, spread=0.3):
    """Six particles of four replicas, nowhere near each other."""
    places = np.array([[0, 0, 0], [1, 0, 0.2], [1, 1, 0], [0, 1, 0.9], [0.3, 0.2, 1.1], [1, 1, 1]])
    x = np.random.default_rng(0).uniform(-spread, spread, (4, 6, space))
    return (x + places[:, :space]).reshape(4, -1)


def steps(x, entries):
    return [x[entries[:, k + 1]] - x[entries[:, k]] for k in range(entries.shape[1] - 1)]


def size(v):
    return jnp.sqrt((v * v).sum(-1))


def distance(x, entries):
    return size(steps(x, entries)[0])


def theta(x, entries):
    a, b = steps(x, entries)
    return jnp.arccos(-(a * b).sum(-1) / (size(a) * size(b)))


def phi(x, entries):
    """Between the projections of the outer bonds, seen along the middle one."""
    a, b, c = steps(x, entries)
    b = b / size(b)[:, None]
    v, w = -a + (a * b).sum(-1)[:, None] * b, c - (c * b).sum(-1)[:, None] * b
    return jnp.arctan2((jnp.cross(b, v) * w).sum(-1), (v * w).sum(-1))


def others(x):
    """Distances (particles, particles - 1) from each particle to the others."""
    n = len(x)
    j = np.array([[j for j in range(n) if j != i] for i in range(n)])
    return size(x[j] - x[:, None])


def twist(x, entries, c=2.0):
    return (c * (1 + jnp.cos(3 * phi(x, entries) - 0.4)) + jnp.sin(phi(x, entries))).sum()


def metal(x):
    r = others(x)
    pairs = 0.1 * jnp.exp(-10 * (r - 1)).sum()
    return pairs - jnp.sqrt((1.2**2 * jnp.exp(-6.2 * (r - 1))).sum(1)).sum()


def everything(x):
    r, links = others(x), size(x[1:] - x[:-1])
    rho = jnp.exp(-(r**2)).sum(1)
    near = jnp.where(r < 1.3, r**-2 - 1.3**-2, 0).sum() / 2
    lists = distance(x, np.array([(0, 5)])).sum() ** 4 + twist(x, np.array(TORSIONS), 0.5)
    return x[0, 0] ** 2 + ((links - 1) ** 2).sum() + near + (rho**2 - jnp.sin(rho)).sum() + lists


def energies(k, function):
    """Of a list, by one function of its inner coordinate."""
    return lambda x: (np.array(k) * function(x)).sum()


# name: (what from_formula is given, the same in JAX of (particles, space), space)
CASES = {
    "bond in a plane": (
        {"terms": [SPRING], "k": 2.0, "r0": 1.1, "site": "x**2"},
        lambda x: ((distance(x, np.array(BONDS)) - 1.1) ** 2).sum() + (x**2).sum(),
        2,
    ),
    "angle in a plane": (
        {"terms": [BEND], "k": K, "t0": 1.1},
        energies(K, lambda x: (theta(x, np.array(ANGLES)) - 1.1) ** 2 / 2),
        2,
    ),
    "molecule": (
        {"terms": [SPRING, BEND, TWIST], "k": K, "c": K[::-1], "r0": 1.1, "t0": 1.1, "d": 0.4},
        lambda x: (
            energies(K, lambda x: (distance(x, np.array(BONDS)) - 1.1) ** 2 / 2)(x)
            + energies(K, lambda x: (theta(x, np.array(ANGLES)) - 1.1) ** 2 / 2)(x)
            + twist(x, np.array(TORSIONS), np.array(K[::-1]))
        ),
        3,
    ),
    "metal": (METAL, metal, 3),
    "metal in a plane": (METAL, metal, 2),
    "everything": (
        {
            "formula": "x1**2",
            "bond": "(r - 1)**2",
            "pair": "r**-2",
            "density": "exp(-r**2)",
            "embedding": "rho**2 - sin(rho)",
            "terms": [("bond", [(0, 5)], "r**4"), TWIST],
            "c": [0.5] * 3,
            "d": 0.4,
        },
        everything,
        3,
    ),
}


def made(name):
    given, function, space = CASES[name]
    U = FORMULA(**given, particles=6, space=space, name=name)
    if name == "everything":  # a density cut off is another density: only pairs are
        pair = f"where(1.3 - r, {given['pair']} - 1.3**-2, 0)"
        U = FORMULA(**{**given, "pair": pair}, particles=6, space=space, name=name)
    V = Potential.from_jax(lambda x: function(x.reshape(6, space)), dim=6 * space)
    return U, V, six(space)


@pytest.fixture(params=CASES)
def case(request):
    return made(request.param)


def test_energies_and_gradients_are_those_of_autodiff(case):
    U, V, x = case
    energy, gradient = U.energy_gradient(x)
    np.testing.assert_allclose(energy, V.energy(x), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(gradient, V.gradient(x), rtol=0, atol=1e-11 * abs(gradient).max())
    assert U.check_gradient(x) < 1e-7


def test_laplacians_are_those_of_differences(case):
    U, _, x = case
    alone = Potential(U.energy, U.gradient, dim=U.dim)
    np.testing.assert_allclose(U.laplacian(x), alone.laplacian(x), rtol=1e-7)


def test_every_target_has_the_same_bits():
    """Eight replicas in lanes, a lone one, and CUDA C; the reference to rounding."""
    import executor

    cases = [made(name)[::2] for name in CASES]
    expected = [targets.by_numpy(U.formula, x) for U, x in cases]
    blocks = [targets.by_numba(U, x) for U, x in cases]
    for (U, x), here, block in zip(cases, expected, blocks, strict=True):
        np.testing.assert_allclose(block, here, rtol=0, atol=1e-13 * abs(here).max())
        E, G = lone(U, x)
        np.testing.assert_array_equal(block, np.concatenate([E[:, None], G], axis=1))
    if executor.GXX is not None:
        on_gpu = targets.by_cuda(*map(list, zip(*cases, strict=True)))
        for block, cuda in zip(blocks, on_gpu, strict=True):
            np.testing.assert_array_equal(block, cuda)


def lone(U, x):
    """Energies and gradients by the step of one replica."""
    from langevin_sa.descents.compiled import evaluator

    return evaluator(U)(x)


# ----------------------------------------------------------------------- on a line and in a plane


def bent(t, end):
    """Three particles with arms 1 and 1.3, an angle t off a line; `end` is 1 where they fold."""
    return np.array([end, 0, 0, 0, 0, 0, 1.3 * np.cos(t), 1.3 * np.sin(t), 0])


@pytest.mark.parametrize(
    ("end", "text"),
    [
        (-1, "3*(theta - pi)**2/2"),
        (-1, "3*(cos(theta) + 1)"),
        (-1, "3*sin(theta)**2/2"),
        (1, "3*theta**2/2"),
        (1, "3*(1 - cos(theta))"),
    ],
)
def test_angles_on_a_line(end, text):
    """There is no force there, near it 3 t over the length of each arm, to the rounding of theta,
    and second derivatives go over into each other.
    """
    U = FORMULA(terms=[("angle", [(0, 1, 2)], text)], particles=3)
    for t in (0.0, 1e-4, 1e-7, 1e-10, 1e-13):
        force = np.array([-end, end - 1 / 1.3, 1 / 1.3]) * 3 * t
        for gradient in (U.gradient(bent(t, end)), lone(U, bent(t, end)[None])[1][0]):
            np.testing.assert_allclose(gradient[1::3], force, rtol=1e-6, atol=5e-15)
            assert np.abs(gradient[[0, 2, 3, 5, 6, 8]]).max() < 4 * t**2 + 1e-15
    near = U.laplacian(np.stack([bent(0.0, end), bent(1e-4, end)]))
    np.testing.assert_allclose(near[0], near[1], rtol=1e-6)


@pytest.mark.parametrize("at", [0.0, np.pi, -np.pi, 1.0, -2.5])
def test_torsions_in_a_plane(at):
    """phi is what it is drawn with, by the convention of IUPAC, and its force never blows up."""
    x = np.array([1, 0, -0.4, 0, 0, 0, 0, 0, 1.5, np.cos(at), np.sin(at), 1.9])
    sine, cosine = (
        FORMULA(terms=[("torsion", [(0, 1, 2, 3)], f"{f}(phi)")], particles=4)
        for f in ("sin", "cos")
    )
    np.testing.assert_allclose([sine.energy(x), cosine.energy(x)], [np.sin(at), np.cos(at)])
    turning = np.cos(at) * np.array([-np.sin(at), np.cos(at), 0])
    np.testing.assert_allclose(sine.gradient(x)[9:], turning, atol=1e-15)
    assert np.abs(cosine.gradient(x)).max() < abs(np.sin(at)) * 2 + 1e-15


def test_an_atom_far_from_all_others_feels_nothing():
    """The slope of -sqrt(rho) has no end where rho is 0."""
    x = six()[0].reshape(6, 3)
    x[5] = 1e4
    U, rest = FORMULA(**METAL, particles=6), FORMULA(**METAL, particles=5)
    assert U.energy(x.ravel()) == rest.energy(x[:5].ravel())
    assert not U.gradient(x.ravel())[15:].any()
    assert U.laplacian(x.ravel()) == pytest.approx(rest.laplacian(x[:5].ravel()), rel=1e-14)


# ---------------------------------------------------------------------------------- identities


def test_entries_may_be_read_from_either_end():
    x = six()
    for kind, entries, text in (SPRING, BEND, TWIST):
        numbers = {"k": 2.0, "r0": 1.1} if kind == "bond" else {"k": 2.0, "t0": 1.0}
        numbers = {"c": 2.0, "d": 0.3} if kind == "torsion" else numbers
        there, back = (
            FORMULA(terms=[(kind, [e[::way] for e in entries], text)], particles=6, **numbers)
            for way in (1, -1)
        )
        np.testing.assert_allclose(there.energy(x), back.energy(x), rtol=1e-13)
        np.testing.assert_allclose(there.gradient(x), back.gradient(x), rtol=1e-11, atol=1e-13)


def test_a_mirror_turns_torsions_around():
    x = six()
    U = FORMULA(terms=[("torsion", TORSIONS, "sin(phi)")], particles=6)
    np.testing.assert_allclose(U.energy(-x), -U.energy(x), rtol=1e-13)


def test_a_list_of_numbers_is_a_term_each():
    x = six()
    together = FORMULA(terms=[SPRING, BEND], k=K, r0=1.1, t0=0.4, particles=6)
    each = [
        (kind, [entry], text.replace("k*", f"{k}*"))
        for kind, entries, text in (SPRING, BEND)
        for entry, k in zip(entries, K, strict=True)
    ]
    apart = FORMULA(terms=each, r0=1.1, t0=0.4, particles=6)
    np.testing.assert_allclose(together.energy(x), apart.energy(x), rtol=1e-14)
    np.testing.assert_allclose(together.gradient(x), apart.gradient(x), rtol=1e-12, atol=1e-14)


def test_bonds_are_links_and_pairs():
    """The same sums in other words."""
    x, all_pairs = six(), [(i, j) for i in range(6) for j in range(i + 1, 6)]
    listed = FORMULA(terms=[("bond", all_pairs, "r**-3 - r")], particles=6)
    pairs = FORMULA(pair="r**-3 - r", particles=6)
    linear = FORMULA(density="r**-3 - r", embedding="rho/2", particles=6)
    for U in (listed, linear):
        np.testing.assert_allclose(U.energy(x), pairs.energy(x), rtol=1e-13)
        np.testing.assert_allclose(U.gradient(x), pairs.gradient(x), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(U.laplacian(x), pairs.laplacian(x), rtol=1e-12)


def test_formulas_for_people():
    U = FORMULA(terms=[SPRING, BEND], **GUPTA, k=K, r0=1.1, t0=1.1, particles=6)
    embedded, bond, angle = U.latex.split(r" + \sum_{(i, j")
    assert embedded.startswith(r"\sum_{i} \left[- \sqrt{\rho}\right]_{\rho = \sum_{j \neq i}")
    assert r"\left(r - r_{0}\right)^{2}" in bond and angle.startswith(", k)}")
    assert r"\theta" in angle
    assert U.name.endswith("bond k*(r - r0)**2/2; angle k*(theta - t0)**2/2")
    assert U.variables[:4] == ("x1", "y1", "z1", "x2")


def test_a_page_says_that_it_shows_no_particles():
    U = FORMULA(terms=[("bond", [(0, 1)], "r**2")], particles=2, space=1, name="spring")
    refused(lambda: page(U), ValueError, "spring is a potential of particles")


def test_a_cutoff_ends_pairs_and_densities():
    x, ends = six(), {key: METAL[key] for key in ("pair", "density")}
    end = {"xi": 1.2, "q": 3.1, "A": 0.2, "r": 1.3}
    for key, text in ends.items():
        there = eval(text, {"exp": np.exp, **end})
        ends[key] = f"where(1.3 - r, {text} - {there!r}, 0)".replace("np.float64", "")
    cut, written = FORMULA(**METAL, cutoff=1.3, particles=6), FORMULA(**METAL | ends, particles=6)
    assert abs(cut.energy(x) - FORMULA(**METAL, particles=6).energy(x)).min() > 1e-3
    np.testing.assert_allclose(cut.energy(x), written.energy(x), rtol=1e-13)
    np.testing.assert_allclose(cut.gradient(x), written.gradient(x), rtol=1e-12, atol=1e-13)


# ---------------------------------------------------------------------------------- runs


def run(U, x, **given):
    return anneal(U, x, Schedule(0.3, 1.0, 0.01), 60, rng=1, **given)


@pytest.mark.parametrize("name", ["everything", "metal", "angle in a plane"])
def test_runs_have_the_same_bits_however_they_are_cut(name):
    U, _, x = made(name)
    x = np.tile(x, (5, 1))[:17]
    whole = run(U, x, threads=1)
    cuts: list = [{"threads": 2}, {"record_every": 7}]
    for given in [*cuts, {"workers": 2}] if name == "metal" else cuts:
        np.testing.assert_array_equal(run(U, x, **given).state.x, whole.state.x)
    np.testing.assert_array_equal(run(U, x[:1]).state.x[0], whole.state.x[0])
    reference = run(U, x, backend="numpy")
    np.testing.assert_allclose(reference.state.x, whole.state.x, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(reference.energies, whole.energies, rtol=1e-9)


def test_a_parameter_may_be_a_law():
    U = FORMULA(terms=[SPRING], k=schedules.linear(1.0, 3.0), r0=1.1, particles=6)
    half = FORMULA(terms=[SPRING], k=2.0, r0=1.1, particles=6)
    np.testing.assert_array_equal(U.at(0.5).energy(six()), half.energy(six()))
    found, reference = (run(U, six(), backend=backend) for backend in ("numba", "numpy"))
    np.testing.assert_allclose(found.work, reference.work, rtol=1e-9)
    np.testing.assert_allclose(found.state.x, reference.state.x, rtol=1e-9)


def test_float32_runs():
    U, _, x = made("everything")
    single = run(U, x, dtype="float32")
    np.testing.assert_allclose(single.state.x, run(U, x).state.x, atol=1e-3)


# ---------------------------------------------------------------------------------- refused

REFUSED = [
    ({"terms": [SPRING], "k": 1, "r0": 1}, TypeError, "terms= needs particles="),
    ({"terms": "bond"}, TypeError, "terms must be a list of"),
    ({"terms": []}, TypeError, "terms must be a list of"),
    ({"terms": [("bond", BONDS)]}, TypeError, "terms must be a list of"),
    ({"terms": [("bend", BONDS, "r")]}, ValueError, "did you mean 'bond'"),
    ({"terms": [("bond", ANGLES, "r")]}, ValueError, r"of shape \(entries, 2\)"),
    ({"terms": [("bond", [(0.0, 1.0)], "r")]}, ValueError, "must be integers"),
    ({"terms": [("bond", [(0, 1), (2,)], "r")]}, ValueError, "must be integers"),
    ({"terms": np.ones((2, 3))}, TypeError, "terms must be a list of"),
    ({"terms": [("bond", [(0, 6)], "r")]}, ValueError, "numbers from 0 to 5, not 0 to 6"),
    ({"terms": [("angle", [(0, 1, 0)], "theta")]}, ValueError, r"twice in the angle \[0, 1, 0\]"),
    ({"terms": [("torsion", TORSIONS, "phi")], "space": 2}, ValueError, "no torsion in space=2"),
    ({"terms": [("angle", ANGLES, "theta")], "space": 1}, ValueError, "no angle in space=1"),
    ({"terms": [("angle", ANGLES, "r")]}, FormulaError, "'r' in the angle formula 'r' is neither"),
    ({"terms": [("bond", BONDS, "k*r")], "k": [1, 2]}, FormulaError, r"shape \(2,\); in the bond"),
    ({"terms": [("bond", BONDS, "k*r")], "k": K, "site": "k*x"}, FormulaError, "another name"),
    ({"terms": [("bond", BONDS, 3)]}, TypeError, "formula of a bond must be a string"),
    ({"density": "r"}, TypeError, "density= and embedding= go together"),
    ({"density": "r", "embedding": "r"}, FormulaError, "'r' in the embedding formula"),
    ({"terms": [SPRING], "k": 1, "r0": 1, "cutoff": 2}, TypeError, "cutoff= goes with pair="),
]


@pytest.mark.parametrize(("given", "error", "words"), REFUSED)
def test_what_cannot_be_is_refused(given, error, words):
    given = {"particles": 6, **given}
    if "needs particles" in words:
        del given["particles"]
    refused(lambda: FORMULA(**given), error, words)
