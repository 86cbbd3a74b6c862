"""Particles with a cut-off: the reference against brute force, neighbour lists against the
reference, and the physics of a liquid.
"""

import numpy as np
import pytest

import langevin_sa as lsa
from langevin_sa import Potential, Schedule, potentials
from langevin_sa.backends.choose import get_backend
from langevin_sa.backends.cpu import neighbour_lists
from langevin_sa.backends.cpu.neighbour_lists import Particles
from langevin_sa.backends.cpu.neighbours import NeighbourBackend
from langevin_sa.backends.walk import NonFinite, Walk
from langevin_sa.formulas import cutoff

LJ = "4*epsilon*((sigma/r)**12 - (sigma/r)**6)"


def spread(particles, space=3, side=5.0, seed=0):
    """Particles on a jittered square lattice, some of them whole boxes away, shape (1, dim)."""
    generator = np.random.default_rng(seed)
    n = int(np.ceil(particles ** (1 / space)))
    sites = np.stack(np.meshgrid(*[np.arange(n)] * space, indexing="ij"), axis=-1).reshape(
        -1, space
    )[:particles]
    x = (sites + generator.uniform(-0.15, 0.15, sites.shape)) * side / n
    return (x + side * generator.integers(-2, 3, sites.shape)).reshape(1, -1)


SYSTEMS = {
    "one species": lambda: (
        Potential.from_formula(pair=LJ, particles=40, cutoff=2.5, box=5.3, epsilon=1.0, sigma=1.0),
        5.3,
    ),
    "two dimensions": lambda: (
        Potential.from_formula(pair="exp(-r)/r", particles=50, space=2, cutoff=2.0, box=7.0),
        7.0,
    ),
    "unequal axes": lambda: (
        Potential.from_formula(pair="a/r**3", particles=30, cutoff=2.0, box=(5.0, 6.5, 4.1), a=2.0),
        (5.0, 6.5, 4.1),
    ),
    "open": lambda: (
        Potential.from_formula(pair="(r - 3)**2*(r + 1)", particles=30, cutoff=2.0),
        None,
    ),
    "mixture": lambda: (
        Potential.from_formula(
            pair=LJ,
            particles=40,
            cutoff=[[2.5, 2.0], [2.0, 2.2]],
            box=5.5,
            species=np.arange(40) % 5 // 4,
            epsilon=[[1.0, 1.5], [1.5, 0.5]],
            sigma=[[1.0, 0.8], [0.8, 0.88]],
        ),
        5.5,
    ),
}


def by_hand(U, box, x):
    """Energy from a loop over pairs, with SymPy-free formulas."""
    kernel = U.formula
    v = x.reshape(-1, kernel.source.spec.space)
    total = 0.0
    for i in range(len(v)):
        for j in range(i):
            d = v[i] - v[j]
            if box is not None:
                d = d - np.round(d / box) * box
            r, a, b = np.sqrt(d @ d), kernel.species[i], kernel.species[j]
            rc = np.sqrt(kernel.cutoff2[a, b])
            if r < rc:
                eps, sig = (
                    ([[1.0, 1.5], [1.5, 0.5]], [[1.0, 0.8], [0.8, 0.88]])
                    if kernel.types == 2
                    else ([[1.0]], [[1.0]])
                )
                formula = {
                    LJ: lambda r, e=eps[a][b], s=sig[a][b]: 4 * e * ((s / r) ** 12 - (s / r) ** 6),
                    "exp(-r)/r": lambda r: np.exp(-r) / r,
                    "a/r**3": lambda r: 2.0 / r**3,
                    "(r - 3)**2*(r + 1)": lambda r: (r - 3) ** 2 * (r + 1),
                }[kernel.source.spec.pair]
                total += formula(r) - formula(rc)
    return total


@pytest.fixture(params=SYSTEMS)
def system(request):
    U, box = SYSTEMS[request.param]()
    x = spread(
        len(U.formula.species), U.formula.source.spec.space, 5.0 if box is None else np.asarray(box)
    )
    if box is None:
        x = x % 5.0
    return U, box, x


def test_energy_by_hand(system):
    U, box, x = system
    assert U.energy(x[0]) == pytest.approx(by_hand(U, box, x[0]), rel=1e-12)


def test_derivatives_by_differences(system):
    U, _, x = system
    assert U.check_gradient(x[0]) < 1e-6
    direct = Potential(U._energy, U._gradient, U.dim).laplacian(x)
    np.testing.assert_allclose(U.laplacian(x), direct, rtol=1e-5)


def test_compiled_evaluation_is_the_reference(system, monkeypatch):
    U, _, x = system
    x = np.vstack([x, x + 0.01, np.full_like(x, np.nan)])
    slow = U.energy(x), U.gradient(x), U.laplacian(x)
    monkeypatch.setattr(cutoff, "MANY", 1)
    for a, b in zip(slow, (U.energy(x), U.gradient(x), U.laplacian(x)), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-11, atol=1e-10)
    assert np.isnan(slow[0][2])


def test_an_image_is_the_same_system():
    U = potentials.kob_andersen(200)
    x = U.draw_start(1, np.random.default_rng(0))
    far = x + U.formula.box[0] * np.random.default_rng(1).integers(-3, 4, x.shape)
    assert U.energy(far[0]) == pytest.approx(U.energy(x[0]), rel=1e-12)


# ----------------------------------------------------------------------------------- the trajectory


def run(
    U,
    x,
    backend,
    steps=200,
    threads=1,
    cuts=(),
    temperature=1.0,
    dt=0.004,
    integrator="gjf",
    dtype=float,
    seed=5,
):
    """A walk of some steps, cut up at some of them."""
    walk = Walk.at_rest(x, seed, dtype)
    engine = get_backend(backend, U, len(walk.x))(U, walk, threads)
    schedule = Schedule(temperature, 1.0, dt)
    for start, stop in zip((0, *cuts), (*cuts, steps), strict=True):
        engine.advance(schedule.coefficients(steps, integrator, (start, stop)))
    return walk


FLUIDS = {
    "liquid": lambda: potentials.lennard_jones_fluid(500),
    "plane": lambda: potentials.lennard_jones_fluid(500, density=0.7, space=2),
    "mixture": lambda: potentials.kob_andersen(500),
    "drop": lambda: Potential.from_formula(
        pair=LJ,
        particles=100,
        cutoff=3.0,
        epsilon=1.0,
        sigma=1.0,
        start=potentials.lennard_jones(100)._start,
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("name", FLUIDS)
@pytest.mark.parametrize("integrator", ["gjf", "bbk"])
def test_same_trajectory_as_the_reference(name, integrator, monkeypatch):
    U = FLUIDS[name]()
    x = U.draw_start(1, np.random.default_rng(0)) + 50.0
    x[0, : U.dim // 2] += 1e-9
    made = []
    monkeypatch.setattr(
        Particles,
        "make_lists",
        lambda self, *args, old=Particles.make_lists: (made.append(1), old(self, *args)),
    )
    fast, slow = (run(U, x, backend, integrator=integrator) for backend in ("numba", "numpy"))
    assert len(made) > 5
    for what in ("x", "dx", "noise", "best_x"):
        np.testing.assert_allclose(getattr(fast, what), getattr(slow, what), rtol=0, atol=1e-9)
    for what in ("energy", "best_energy", "dx2", "kinetic"):
        np.testing.assert_allclose(getattr(fast, what), getattr(slow, what), rtol=1e-9)
    assert fast.step == 200


def test_through_the_walls_at_high_temperature():
    U = potentials.lennard_jones_fluid(500, density=0.3)
    x = U.draw_start(1, np.random.default_rng(0))
    fast, slow = (run(U, x, backend, temperature=20.0, dt=0.002) for backend in ("numba", "numpy"))
    side = U.formula.box[0]
    assert (np.floor(fast.x / side) != np.floor(x / side)).mean() > 0.03
    np.testing.assert_allclose(fast.x, slow.x, rtol=0, atol=1e-9)


def test_float32_is_a_storage_format():
    U = potentials.lennard_jones_fluid(200)
    x = U.draw_start(1, np.random.default_rng(0))
    fast, slow = (run(U, x, backend, steps=50, dtype=np.float32) for backend in ("numba", "numpy"))
    assert fast.x.dtype == np.float32
    np.testing.assert_allclose(fast.x, slow.x, rtol=0, atol=2e-4)


EVERYTHING = ("x", "dx", "noise", "energy", "best_energy", "best_x")


@pytest.mark.parametrize("name", ["liquid", "mixture"])
def test_bits_depend_on_neither_threads_nor_cuts(name):
    U = {"liquid": potentials.lennard_jones_fluid, "mixture": potentials.kob_andersen}[name](1200)
    x = U.draw_start(1, np.random.default_rng(0))
    one = run(U, x, "numba", steps=120)
    for other in (
        run(U, x, "numba", 120, threads=2),
        run(U, x, "numba", 120, cuts=(1, 8, 50)),
        run(U, x, "numba", 120, 2, cuts=(33,)),
    ):
        for what in EVERYTHING:
            np.testing.assert_array_equal(getattr(other, what), getattr(one, what))


def test_bits_of_replicas_on_two_threads():
    U = potentials.lennard_jones_fluid(200)
    x = U.draw_start(3, np.random.default_rng(0))
    one, two = run(U, x, "numba", 60), run(U, x, "numba", 60, threads=2)
    alone = run(U, x[:1], "numba", 60)
    for what in EVERYTHING:
        np.testing.assert_array_equal(getattr(two, what), getattr(one, what))
        np.testing.assert_array_equal(getattr(alone, what), getattr(one, what)[:1])


def test_bits_after_a_resume_and_with_records():
    U = potentials.lennard_jones_fluid(300)
    schedule = Schedule(lsa.schedules.linear(1.0, 0.1), 1.0, 0.005)
    x = U.draw_start(1, np.random.default_rng(0))
    whole = lsa.anneal(U, x, schedule, 120, rng=3, record_every=120, threads=1)
    cut = lsa.anneal(U, x, schedule, 120, rng=3, record_every=7, threads=2)
    half = next(lsa.simulate(U, x, schedule, 120, rng=3, record_every=55)).state
    rest = lsa.anneal(U, schedule=schedule, n_steps=120, state=half)
    for result in (cut, rest):
        np.testing.assert_array_equal(result.state.x, whole.state.x)
        np.testing.assert_array_equal(result.x, whole.x)
        assert result.fun == whole.fun


@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_a_run_that_breaks_names_the_step(backend):
    U = potentials.lennard_jones_fluid(200)
    x = U.draw_start(1, np.random.default_rng(0))
    with pytest.raises(NonFinite) as caught:
        run(U, x, backend, steps=3000, dt=3.0, temperature=1e9)
    assert 0 < caught.value.step < 3000
    x[0, 3:6] = x[0, :3]
    with pytest.raises(NonFinite) as caught:
        run(U, x, backend, steps=1)
    assert caught.value.step == 0


def test_dense_spots_need_room_in_lists_and_packs():
    U = Potential.from_formula(pair="(r - 4)**2", particles=700, cutoff=4.0, box=20.0)
    x = np.random.default_rng(0).uniform(0, 6, (1, U.dim))
    np.testing.assert_allclose(
        run(U, x, "numba", 20, dt=0.001).x, run(U, x, "numpy", 20, dt=0.001).x, rtol=0, atol=1e-9
    )


@pytest.mark.parametrize("box", [None, 40.0])
def test_float32_does_not_decide_at_the_cutoff(box, monkeypatch):
    """The force of r is 1 inside and 0 outside, however near to the edge, however far away."""
    generator = np.random.default_rng(0)
    away = 10.0 ** generator.uniform(-11, -4, 400) * generator.choice([-1, 1], 400)
    directions = generator.normal(size=(400, 3))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    U = Potential.from_formula(pair="r", particles=401, cutoff=2.5, box=box)
    monkeypatch.setattr(cutoff, "MANY", 1)
    for centre in ([0.3, 39.9, 17.0], [1e3, -300.0, 20.0]):
        x = np.vstack([np.zeros(3), 2.5 * (1 + away)[:, None] * directions]) + centre
        inside = np.linalg.norm(x[1:] - x[0], axis=1) < 2.5
        assert 150 < inside.sum() < 250
        gradient = U.gradient(x.ravel()).reshape(-1, 3)[0]
        np.testing.assert_allclose(gradient, -directions[inside].sum(0), rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["liquid", "mixture"])
def test_bits_do_not_depend_on_what_float32_can_tell(name, monkeypatch):
    U = {"liquid": potentials.lennard_jones_fluid, "mixture": potentials.kob_andersen}[name](300)
    x = U.draw_start(1, np.random.default_rng(0))
    sure = run(U, x, "numba", steps=60)
    monkeypatch.setattr(neighbour_lists, "FLOAT32", 0.02)
    unsure = run(U, x, "numba", steps=60)
    for what in EVERYTHING:
        np.testing.assert_array_equal(getattr(unsure, what), getattr(sure, what))


def test_backend_is_chosen_by_the_cutoff():
    assert get_backend("auto", potentials.lennard_jones_fluid(200)) is NeighbourBackend
    assert get_backend("auto", potentials.lennard_jones(13)) is not NeighbourBackend


# ------------------------------------------------------------------------------------------ physics


def test_energy_is_conserved_without_friction():
    U = potentials.lennard_jones_fluid(500)
    hot = run(U, U.draw_start(1, np.random.default_rng(0)), "numba", 300)
    dt = 0.002
    walk = Walk.at_rest(hot.x, 0)
    walk.dx[...] = hot.dx * dt / 0.004
    engine, totals = get_backend("numba", U)(U, walk, 1), []
    steps = Schedule(0.0, 0.0, dt).coefficients(4000, "verlet", (0, 1))
    for _ in range(1000):  # velocity at a step: the mean of the updates before and after it
        before, potential = walk.dx / dt, walk.energy[0]
        engine.advance(steps)
        totals.append(potential + (((before + walk.dx / dt) / 2) ** 2).sum() / 2)
    totals = np.array(totals)
    assert abs(totals[-200:].mean() - totals[:200].mean()) < 2e-4 * U.dim / 3
    assert (
        np.abs(walk.dx.reshape(-1, 3).sum(0) - (hot.dx * dt / 0.004).reshape(-1, 3).sum(0)).max()
        < 1e-10
    )


@pytest.mark.long
def test_a_liquid_has_the_energy_of_nist_and_the_right_temperature():
    """T = 0.85, density 0.776: U/N = -5.5121 +- 0.0005 with the tail beyond 3 sigma (NIST, Monte
    Carlo, 500 particles).
    """
    particles, density, temperature, rc = 500, 0.776, 0.85, 3.0
    U = potentials.lennard_jones_fluid(particles, density, cutoff=rc)
    walk = Walk.at_rest(U.draw_start(1, np.random.default_rng(0)), 1)
    engine, schedule = get_backend("numba", U)(U, walk, 1), Schedule(temperature, 1.0, 0.005)
    n, every = 20_000, 50
    energies, pairs = [], []
    for start in range(0, n, every):
        engine.advance(schedule.coefficients(n, "gjf", (start, start + every)))
        if start == 3000:
            walk.kinetic[:], begun = 0, walk.step
        if start >= 3000:
            energies.append(walk.energy[0])
            if start % 1000 == 0:
                pairs.append(sum(len(i) for i, *_ in U.formula._near(walk.x[0])))
    shift = 4 * (rc**-12 - rc**-6)
    tail = 8 / 3 * np.pi * density * (rc**-9 / 3 - rc**-3)
    blocks = (
        np.mean(np.array(energies)[: len(energies) // 20 * 20].reshape(20, -1), axis=1) / particles
    )
    mean, error = (
        blocks.mean() + shift * np.mean(pairs) / particles + tail,
        blocks.std(ddof=1) / np.sqrt(20),
    )
    assert error < 0.006
    assert abs(mean + 5.5121) < 4.5 * error + 0.004  # 0.004: shifting changes the ensemble a little
    measured = walk.kinetic[0] / U.dim / (n - begun)
    # steps over which the squared velocities forget, at friction 1
    correlation = 1 / (1 - np.exp(-2 * 0.005))
    assert abs(measured / temperature - 1) < 4.5 * np.sqrt(
        2 / U.dim * 2 * correlation / (n - begun)
    )


# ---------------------------------------------------------------------------------------- catalogue


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("lennard_jones_fluid", {"space": 2}), ("lennard_jones_fluid", {}), ("kob_andersen", {})],
)
@pytest.mark.parametrize("particles", [256, 300, 501])
def test_starts_have_no_overlaps(name, arguments, particles):
    U = potentials.catalogue("fluids")[name](particles, **arguments)
    x = U.draw_start(2, np.random.default_rng(0))
    assert np.isfinite(U.energy(x)).all() and U.energy(x).max() / particles < 5
    assert np.all((x >= U.bounds[:, 0]) & (x <= U.bounds[:, 1]))
    assert np.abs(x[0] - x[1]).max() > 1


@pytest.mark.parametrize("cutoff", [1.5, 2.0, 2.3, 2.5])
def test_a_box_of_twice_the_cutoff_may_round(cutoff):
    """Whichever number of particles fills it; energies are those of a box that is not too short."""
    for particles in range(30, 130, 7):
        density = particles / (2 * cutoff) ** 3
        for make in (potentials.lennard_jones_fluid, potentials.kob_andersen):
            U = make(particles, density, cutoff=cutoff)
            assert U.formula.box == pytest.approx(2 * cutoff, rel=1e-14)
            x = U.draw_start(1, np.random.default_rng(1))
            roomy = make(particles, density * (1 - 1e-13), cutoff=cutoff)
            np.testing.assert_allclose(U.energy(x), roomy.energy(x), rtol=1e-9)
        with pytest.raises(ValueError, match="box must be at least twice the cutoff"):
            potentials.lennard_jones_fluid(particles, density * (1 + 1e-9), cutoff=cutoff)


def test_kob_andersen_has_one_b_in_five():
    kernel = potentials.kob_andersen(1000).formula
    assert np.bincount(kernel.species).tolist() == [800, 200]
    np.testing.assert_allclose(np.sqrt(kernel.cutoff2), 2.5 * np.array([[1, 0.8], [0.8, 0.88]]))
    np.testing.assert_allclose(kernel.table[:, -2] / [1, 1.5, 1.5, 0.5], 4 * (2.5**-12 - 2.5**-6))


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        (
            {"box": 4.0, "cutoff": 2.5},
            ValueError,
            "box must be at least twice the cutoff, 5, along each axis.*not 4.0",
        ),
        (
            {"box": (6.0, 6.0), "cutoff": 2.5},
            ValueError,
            "box must be one length or 3, one an axis",
        ),
        ({"box": np.inf, "cutoff": 2.5}, ValueError, "box must be"),
        ({"box": 6.0}, TypeError, "box= and species= go with cutoff="),
        ({"species": [0] * 8}, TypeError, "box= and species= go with cutoff="),
        ({"cutoff": -1.0}, ValueError, "cutoff must be positive and finite, not -1.0"),
        ({"cutoff": "far"}, ValueError, "cutoff must be a number or a matrix"),
        ({"cutoff": 2.0, "site": "x**2", "box": 9.0}, TypeError, "not with other terms"),
        ({"cutoff": -2.0, "site": "x**2"}, ValueError, "beside other terms cutoff must be"),
        ({"cutoff": [[2.0]], "site": "x**2"}, ValueError, "beside other terms cutoff must be"),
        (
            {"cutoff": 2.0, "species": [0] * 7},
            ValueError,
            r"species must be 8 integers, one a particle, not int64 of shape \(7,\)",
        ),
        ({"cutoff": 2.0, "species": [0.5] * 8}, ValueError, "species must be 8 integers"),
        ({"cutoff": 2.0, "species": [-1] * 8}, ValueError, "species must be numbers from 0 to"),
        (
            {"cutoff": 2.0, "species": [0, 2] * 4, "a": [[1.0, 2.0], [2.0, 1.0]]},
            ValueError,
            "species must be numbers from 0 to 1, not 0",
        ),
        (
            {"cutoff": 2.0, "a": [[1.0, 2.0], [2.0, 1.0]]},
            ValueError,
            "a matrix of parameters needs species=",
        ),
        (
            {"cutoff": 2.0, "species": [0, 1] * 4, "a": [1.0, 2.0]},
            ValueError,
            r"parameter 'a' must be a number or a matrix \(2, 2\)",
        ),
        (
            {"cutoff": 2.0, "species": [0, 1] * 4, "a": [[1.0, 2.0], [3.0, 1.0]]},
            ValueError,
            "parameter 'a' must be symmetric",
        ),
        ({"cutoff": 2.0, "space": 4}, ValueError, "cutoff= needs space= 1, 2 or 3, not 4"),
        ({"cutoff": 1.0, "pair": "a/(r - 1)"}, ValueError, "not finite at the cut-off"),
    ],
)
def test_bad_input_is_named(keywords, error, message):
    with pytest.raises(error, match=message):
        Potential.from_formula(**{"pair": "a/r", "particles": 8, "a": 1.0, **keywords})


def test_a_pair_between_its_own_cutoff_and_the_longest_one():
    U = Potential.from_formula(
        pair="1/r", particles=2, space=2, species=[0, 1], cutoff=[[3.0, 1.0], [1.0, 2.0]]
    )
    x = [0.0, 0.0, 1.5, 0.0]
    assert U.energy(x) == U.laplacian(x) == 0
    assert not U.gradient(x).any()


def test_a_cutoff_beside_other_terms():
    """The same energy and forces as the terms apart, one of them with its lists of neighbours."""
    form, trap = lsa.Potential.from_formula, {"site": "k*x**2", "k": 0.3}
    keywords = {"pair": "4*eps*(r**-12 - r**-6)", "eps": 1.5, "particles": 6, "cutoff": 1.7}
    together, pairs = form(**trap, **keywords), form(**keywords)
    alone = form(**trap, dim=18)
    x = np.random.default_rng(4).normal(size=(9, 18))
    for look in ("energy", "gradient", "laplacian"):
        parts = [getattr(U, look)(x) for U in (pairs, alone)]
        np.testing.assert_allclose(getattr(together, look)(x), sum(parts), rtol=1e-10)
    found = [
        lsa.anneal(together, x, Schedule(0.0, 1.0, 1e-5), 20, rng=1, backend=b).energies
        for b in ("numba", "numpy")
    ]
    np.testing.assert_allclose(*found, rtol=1e-9)
