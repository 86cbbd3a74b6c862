"""The catalogue: exact derivatives, known minima, clear errors."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from langevin_sa import potentials
from langevin_sa.potential import Potential

VARIANTS = {
    "harmonic k array": lambda: potentials.harmonic(k=[1.0, 4.0, 9.0]),
    "double_well symmetric": lambda: potentials.double_well(tilt=0.0, dim=3),
    "double_well tilted down": lambda: potentials.double_well(tilt=-0.7, barrier=2.0, dim=2),
    "double_well one well": lambda: potentials.double_well(tilt=5.0),
    "periodic tilted": lambda: potentials.periodic(amplitude=2.0, tilt=0.3, dim=3),
    "gaussian_wells 4-d": lambda: potentials.gaussian_wells(
        np.eye(4), depths=[1.0, 2.0, 3.0, 4.0], widths=0.5
    ),
    "funnel 4-d": lambda: potentials.funnel(4, width=1.5),
    "rosenbrock 7": lambda: potentials.rosenbrock(7, a=10.0),
    "rastrigin shifted": lambda: potentials.rastrigin(3, shift=0.5),
    "rastrigin shift array": lambda: potentials.rastrigin(3, shift=[0.5, -1.0, 2.0]),
    "levy 1": lambda: potentials.levy(1),
    "michalewicz m=2": lambda: potentials.michalewicz(12, m=2),
    "ackley 1": lambda: potentials.ackley(1),
    "lennard_jones 2": lambda: potentials.lennard_jones(2),
    "lennard_jones 3": lambda: potentials.lennard_jones(3, epsilon=2.0, sigma=1.5),
    "lennard_jones 4": lambda: potentials.lennard_jones(4),
    "lennard_jones 10": lambda: potentials.lennard_jones(10),
    "morse_cluster 4": lambda: potentials.morse_cluster(4, rho=14.0),
    # the usual size is too much for differences
    "lennard_jones_fluid": lambda: potentials.lennard_jones_fluid(40, cutoff=1.8),
    "lennard_jones_fluid 2-d": lambda: potentials.lennard_jones_fluid(40, space=2),
    "kob_andersen": lambda: potentials.kob_andersen(40, cutoff=1.6),
    "kob_andersen 2-d": lambda: potentials.kob_andersen(40, cutoff=1.6, space=2),
    "fene_chain 4": lambda: potentials.fene_chain(4, epsilon=2.0, sigma=1.5),
    "gupta 5": lambda: potentials.gupta(5, "Au", r0=2.884),
    "sutton_chen 6": lambda: potentials.sutton_chen(6, 9, 6, epsilon=0.01, a=3.5),
    "phi4_chain open": lambda: potentials.phi4_chain(5, coupling=0.3, periodic=False),
    "phi4_lattice 3-d": lambda: potentials.phi4_lattice((2, 3, 4), periodic=False),
    "xy_chain open": lambda: potentials.xy_chain(6, periodic=False),
    "harmonic_chain pinned": lambda: potentials.harmonic_chain(
        6, k=2.0, periodic=False, pinning=0.5
    ),
    "spin_glass 5": lambda: potentials.spin_glass(5, seed=3, kappa=2.0),
}
ENTRIES = potentials.catalogue() | VARIANTS


@pytest.fixture(params=ENTRIES)
def U(request):
    return ENTRIES[request.param]()


def points(U, replicas, seed=0):
    return U.draw_start(replicas, np.random.default_rng(seed))


def test_gradient_is_the_slope_of_the_energy(U):
    assert max(U.check_gradient(x) for x in points(U, 3)) < 1e-6


def test_laplacian_is_the_divergence_of_the_gradient(U):
    assert U.has_laplacian
    x = points(U, 4, seed=1)
    by_differences = Potential(U._energy, U._gradient, U.dim, args=U.args).laplacian(x)
    scale = np.maximum(np.abs(by_differences), np.abs(U.gradient(x)).max(1))
    np.testing.assert_array_less(np.abs(U.laplacian(x) - by_differences), 1e-5 * scale)


def test_minima_have_the_minimum_energy_and_no_slope(U):
    if U.minima is None:
        pytest.skip("no minima known")
    np.testing.assert_allclose(U.energy(U.minima), U.minimum_energy, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(U.gradient(U.minima), 0, atol=1e-9)


def test_nothing_in_the_domain_lies_below_the_minimum(U):
    if U.minimum_energy is None:
        pytest.skip("no minimum known")
    assert U.energy(points(U, 1000)).min() >= U.minimum_energy
    if U.minima is not None:
        near = U.minima[0] + np.random.default_rng(2).normal(0, 1e-2, (100, U.dim))
        assert U.energy(near).min() >= U.minimum_energy - 1e-12


def test_shapes_follow_x(U):
    x = points(U, 3)
    for function, shape in ((U.energy, (3,)), (U.gradient, x.shape), (U.laplacian, (3,))):
        block = function(x)
        assert block.shape == shape
        np.testing.assert_allclose(function(x[1]), block[1], rtol=1e-12, atol=1e-12)
    assert isinstance(U.energy(x[0]), float)


def test_pickle_keeps_everything(U):
    again = pickle.loads(pickle.dumps(U))
    x = points(U, 2)
    np.testing.assert_array_equal(again.energy(x), U.energy(x))
    np.testing.assert_array_equal(again.gradient(x), U.gradient(x))
    np.testing.assert_array_equal(points(again, 2), x)


def test_described(U):
    assert U.name and U.latex and U.bounds.shape == (U.dim, 2)


@pytest.mark.parametrize("name", potentials.catalogue())
def test_catalogue_entry_is_documented_and_public(name):
    make = potentials.catalogue()[name]
    assert getattr(potentials, name) is make
    assert "Domain" in make.__doc__
    assert make().name == name


def test_families():
    clusters = ["lennard_jones", "morse_cluster", "gupta", "sutton_chen"]
    assert list(potentials.catalogue("clusters")) == clusters
    with pytest.raises(ValueError, match="did you mean 'wells'"):
        potentials.catalogue("well")


def test_import_loads_nothing_heavy():
    code = (
        "import sys, langevin_sa.potentials; sys.exit(any(m in sys.modules for m in ('sympy', "
        "'numba', 'scipy', 'matplotlib')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# -------------------------------------------------------------------------------- particular minima


@pytest.mark.parametrize(
    "name", ["prinz", "double_well", "gaussian_wells", *potentials.catalogue("surfaces")]
)
def test_the_best_point_of_a_grid_is_a_known_minimum(name):
    U = potentials.catalogue()[name]()
    axes = [np.linspace(low, high, 601) for low, high in U.bounds]
    grid = np.stack([axis.ravel() for axis in np.meshgrid(*axes)], axis=1)
    best = grid[np.argmin(U.energy(grid))]
    step = max(axis[1] - axis[0] for axis in axes)
    assert np.abs(U.minima - best).max(1).min() < 3 * step


@pytest.mark.parametrize(
    ("name", "dim", "energy"),
    [
        ("michalewicz", 2, -1.8013034),
        ("michalewicz", 5, -4.687658),
        ("michalewicz", 10, -9.6601517),
        ("styblinski_tang", 1, -39.1661657),
    ],
)
def test_published_minimum_energies(name, dim, energy):
    assert potentials.catalogue()[name](dim).minimum_energy == pytest.approx(energy, abs=1e-6)


def test_michalewicz_minimum_by_brute_force():
    x = np.linspace(0, np.pi, 200_001)
    energy = sum(np.min(-np.sin(x) * np.sin(i * x**2 / np.pi) ** 20) for i in range(1, 31))
    assert potentials.michalewicz(30).minimum_energy == pytest.approx(energy, abs=1e-5)


def test_schwefel_has_a_bottom_outside_its_domain_and_a_slope_at_zero():
    U = potentials.schwefel(1)
    assert U.energy(np.linspace(-2000, 2000, 100_001)[:, None]).min() > -1e-6
    assert np.isfinite(U.gradient([0.0])).all()


@pytest.mark.parametrize(("particles", "energy"), [(2, -1.0), (3, -3.0), (4, -6.0)])
def test_small_clusters(particles, energy):
    U = potentials.lennard_jones(particles, epsilon=2.0, sigma=0.5)
    assert U.minimum_energy == 2 * energy
    atoms = U.minima.reshape(particles, 3)
    distances = np.linalg.norm(atoms[:, None] - atoms, axis=-1)[np.triu_indices(particles, 1)]
    np.testing.assert_allclose(distances, 0.5 * 2 ** (1 / 6))
    assert potentials.morse_cluster(particles, rho=3.7).minimum_energy == energy


@pytest.mark.parametrize(
    "U13",
    [
        potentials.lennard_jones(13),
        potentials.morse_cluster(13, rho=6),
        potentials.morse_cluster(13, rho=14),
    ],
)
def test_thirteen_atoms_are_an_icosahedron(U13):
    golden = (1 + np.sqrt(5)) / 2
    shell = [np.roll([0, s, t * golden], k) for k in range(3) for s in (-1, 1) for t in (-1, 1)]
    icosahedron = np.concatenate([[[0, 0, 0]], np.array(shell) / np.sqrt(1 + golden**2)]).ravel()
    radii = np.linspace(0.9, 1.2, 10_001)[:, None]
    energy = U13.energy(radii * icosahedron).min()
    assert energy == pytest.approx(U13.minimum_energy, abs=1e-5)


def test_unknown_minimum_is_none():
    assert potentials.lennard_jones(10).minimum_energy is None
    assert potentials.morse_cluster(13, rho=7.0).minimum_energy is None
    assert potentials.periodic(tilt=0.1).minimum_energy is None


@pytest.mark.parametrize("particles", [2, 8, 9, 38])
def test_cluster_starts_without_overlaps(particles):
    U = potentials.lennard_jones(particles, sigma=2.0)
    x = U.draw_start(20, np.random.default_rng(0))
    assert np.all((x >= U.bounds[:, 0]) & (x <= U.bounds[:, 1]))
    atoms = x.reshape(20, particles, 3)
    distances = np.linalg.norm(atoms[:, :, None] - atoms[:, None], axis=-1)[
        :, *np.triu_indices(particles, 1)
    ]
    assert distances.min() > 0.95 * 2.0
    assert np.ptp(x, axis=0).min() > 0


@pytest.mark.parametrize(
    ("dim", "periodic"),
    [(1, False), (2, True), (2, False), (7, True), (7, False), (8, True), (8, False)],
)
def test_normal_modes_are_the_eigenvalues_of_the_hessian(dim, periodic):
    keywords = dict(dim=dim, k=2.0, periodic=periodic, pinning=0.3)
    hessian = potentials.harmonic_chain(**keywords).gradient(np.eye(dim))
    omega = potentials.normal_modes(**keywords)
    np.testing.assert_allclose(np.linalg.eigvalsh(hessian), omega**2, rtol=1e-12, atol=1e-12)


def test_xy_chain_winding_states_are_stationary():
    U = potentials.xy_chain(12)
    x = 2 * np.pi * np.arange(12) / 12
    np.testing.assert_allclose(U.gradient(x), 0, atol=1e-12)
    assert U.energy(x) == pytest.approx(12 * (1 - np.cos(2 * np.pi / 12)))


def test_spin_glass_couplings():
    U = potentials.spin_glass(200, seed=1)
    J, _ = U.args
    assert np.array_equal(J, J.T) and not J.diagonal().any()
    assert J[np.triu_indices(200, 1)].var() == pytest.approx(1 / 200, rel=0.05)
    assert not np.array_equal(J, potentials.spin_glass(200, seed=2).args[0])


def test_numbers_share_one_kernel():
    a, b = potentials.double_well(tilt=0.1), potentials.double_well(tilt=0.2, dim=50)
    assert a.formula.source is b.formula.source
    assert (
        potentials.lennard_jones(5, sigma=2.0).formula.source
        is potentials.lennard_jones(9).formula.source
    )


def test_griewank_gradient_where_a_cosine_vanishes():
    x = np.array([np.pi / 2, 0.3, 1.0])
    slope = x[0] / 2000 + np.cos(0.3 / np.sqrt(2)) * np.cos(1 / np.sqrt(3))
    assert potentials.griewank(3).gradient(x)[0] == pytest.approx(slope)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("harmonic", {"k": 0.0}, "k must be a positive number, or an array of them, not 0.0"),
        (
            "harmonic",
            {"k": [1.0, 2.0], "dim": 3},
            r"k must be a number or an array of shape \(3,\).* \(2,\)",
        ),
        ("double_well", {"tilt": np.nan}, "tilt must be a finite number, not nan"),
        ("double_well", {"barrier": -1}, "barrier must be a positive number"),
        ("gaussian_wells", {"centres": [0.0, 1.0]}, r"shape \(wells, dim\), not \(2,\)"),
        ("gaussian_wells", {"depths": [1.0, 2.0]}, "depths must be a number or 4 numbers"),
        ("funnel", {"dim": 1}, "dim must be an integer from 2 to 100, not 1"),
        ("rosenbrock", {"dim": 1}, "dim must be an integer of at least 2, not 1"),
        ("rastrigin", {"dim": 0}, "dim must be an integer of at least 1, not 0"),
        ("rastrigin", {"dim": 2, "shift": [1.0]}, r"shift must be .* \(2,\), not of shape \(1,\)"),
        ("michalewicz", {"m": 40}, "m must be an integer from 1 to 32, not 40"),
        ("ackley", {"b": "x"}, "b must be a positive number, not 'x'"),
        ("lennard_jones", {"particles": 1}, "particles must be an integer of at least 2, not 1"),
        ("lennard_jones", {"sigma": -1.0}, "sigma must be a positive number"),
        ("morse_cluster", {"rho": np.inf}, "rho must be a positive number, not inf"),
        ("phi4_chain", {"dim": 0}, "dim must be an integer of at least 1, not 0"),
        ("phi4_lattice", {"shape": 16}, r"like \(16, 16\), not 16"),
        (
            "phi4_lattice",
            {"shape": (4, 0)},
            "a length in shape must be an integer of at least 1, not 0",
        ),
        ("harmonic_chain", {"pinning": -1.0}, "pinning must not be negative, not -1.0"),
        ("spin_glass", {"seed": -1}, "seed must be an integer of at least 0, not -1"),
    ],
)
def test_bad_arguments_are_named(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        potentials.catalogue()[name](**arguments)


def test_a_dim_that_is_no_integer_is_a_type_error():
    with pytest.raises(TypeError, match=r"dim must be an integer of at least 1, not 2\.5"):
        potentials.rastrigin(dim=2.5)


@pytest.mark.filterwarnings("ignore:no gradient given")
def test_differences_of_float32_positions_are_those_of_float64():
    """A difference over 6e-6 in float32 held a run 13 % too hot."""
    U = Potential(lambda x: ((x**2 - 1) ** 2 + 0.3 * x).sum(1) + 100, None, 2)
    x = np.float32([[0.7, -1.1], [0.2, 1.4]])
    exact = (4 * x * (x**2 - 1) + 0.3).astype(float)
    np.testing.assert_allclose(U.gradient(x), exact, atol=1e-6)
    smooth = Potential(lambda x: (x**4).sum(1), lambda x: 4 * x**3, 2)
    np.testing.assert_allclose(smooth.laplacian(x), 12 * (x.astype(float) ** 2).sum(1), rtol=1e-6)


@pytest.mark.parametrize("name", ["michalewicz", "schwefel"])
def test_a_wall_keeps_what_lies_outside_of_the_domain_above_the_minimum(name):
    """Without it, michalewicz has -1.99 at x = 8, and schwefel no lower bound."""
    U = potentials.catalogue()[name](2)
    x = np.random.default_rng(1).uniform(-8, 8, (100_000, 2)) * U.bounds[0, 1]
    assert U.energy(x).min() > U.minimum_energy
