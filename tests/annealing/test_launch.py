"""Velocities: at the start, kept, and drawn."""

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.linalg import solve_discrete_lyapunov

import langevin_sa as lsa
from langevin_sa.annealing.launch import thermal_law

THERMAL = [name for name, row in lsa.INTEGRATORS.items() if row.thermal]
BOWL = lsa.potentials.harmonic(dim=2)
WELL = lsa.potentials.double_well(tilt=0.3)
STILL = lsa.Schedule(0.0, 0.0, 0.1)
WARM = lsa.Schedule(0.7, 0.4, 0.3)


@pytest.mark.parametrize("name", THERMAL)
def test_the_thermal_law_is_the_stationary_one(name):
    """Covariances of (x, dx, w) in a harmonic well, by a discrete Lyapunov equation."""
    for gamma, dt in ((0.05, 0.9), (0.5, 0.4), (1.5, 1.1)):
        steps = lsa.INTEGRATORS[name].steps(*(np.array([v]) for v in (gamma, dt, 0.7)))
        for k in (0.2, 1.0, 1.7):
            if k * float(steps.dt[0]) ** 2 >= 4:
                continue
            dx = np.array([-steps.lr[0] * k, steps.rho[0], 1.0])
            kick = np.array([steps.kick[0], steps.kick[0], steps.tail[0]])
            move = np.array([dx + np.array([1, 0, 0]), dx, [0, 0, 0]])
            exact = solve_discrete_lyapunov(move, np.outer(kick, kick))
            slopes, root = thermal_law(steps, k, 0.7)
            mean = np.append(1.0, k * slopes)
            found = exact[0, 0] * np.outer(mean, mean)
            found[1:, 1:] += root @ root.T
            size = np.sqrt(np.diag(exact))
            size[2] = max(size[2], steps.kick[0])
            np.testing.assert_allclose(
                found / np.outer(size, size), exact / np.outer(size, size), atol=1e-12
            )


@pytest.mark.parametrize("name", ["gjf", "bbk", "vec"])
def test_a_run_is_stationary_from_its_first_step(name):
    """From Boltzmann's x: the kinetic estimator of short stretches; at rest it starts far off."""
    schedule = lsa.Schedule(0.7, 0.3, 0.2)
    steps = schedule.coefficients(1, name)
    conf, _, kinetic = (float(v[0]) for v in steps.stationary(float(steps.dt[0]) ** 2))
    x0 = np.random.default_rng(0).normal(size=(40_000, 2)) * np.sqrt(steps.sustained[0] * conf)
    for start, far in (("thermal", False), ("rest", True)):
        run = lsa.simulate(
            BOWL, x0, schedule, 12, record_every=3, integrator=name, rng=1, start=start
        )
        seen = [snap.temperature / steps.sustained[0] / kinetic for snap in run]
        off = np.abs(np.array(seen) - 1)
        # x and v of 80,000 modes, which are but one sample each in so short a time
        assert (off.max() > 0.5) if far else (off.max() < 4.5 * np.sqrt(2 / 80_000))


def test_velocities_at_the_start_keep_the_energy():
    """Of velocity Verlet in a harmonic well, v^2 + (1 - dt^2/4) x^2 is the same in every step."""
    x0, v0, dt = np.array([0.8, -0.1]), np.array([0.3, 1.1]), 0.1
    asked = {"integrator": "velocity_verlet", "samples": True, "velocities": True}
    run = lsa.anneal(BOWL, x0, STILL, 60, v0=v0, record_every=1, **asked)
    x, v = run.samples[:, 0], run.velocities[:, 0] - dt / 2 * run.samples[:, 0]
    np.testing.assert_allclose(
        v**2 + (1 - dt**2 / 4) * x**2 - v0**2 - (1 - dt**2 / 4) * x0**2, 0, atol=1e-13
    )
    axes = plt.subplots(1, 2)[1]
    lsa.plots.phase(run, BOWL, ax=axes[0])
    lsa.plots.conservation(run, BOWL, ax=axes[1])
    drawn = axes[1].lines[0].get_ydata()
    np.testing.assert_allclose(drawn, ((x**2 + v**2) / 2).sum(1))
    plt.close("all")
    with pytest.raises(ValueError, match="kept no velocities"):
        lsa.plots.phase(lsa.anneal(BOWL, x0, WARM, 5, samples=True, rng=1), BOWL)


def test_pictures_of_velocities_know_the_masses():
    """What is drawn of masses 4 and, frozen, infinity is energy, which velocity Verlet keeps."""
    asked = {"integrator": "velocity_verlet", "samples": True, "velocities": True}
    asked |= {"masses": [4.0, 1.0], "frozen": [1], "record_every": 1}
    run = lsa.anneal(BOWL, np.array([0.8, -0.1]), STILL, 60, v0=[0.3, 0.0], **asked)
    drawn = lsa.plots.conservation(run, BOWL).lines[0].get_ydata()
    v = run.velocities[:, 0, 0] - 0.1 / 2 * run.samples[:, 0, 0] / 4
    np.testing.assert_allclose(lsa.plots.phase(run, BOWL).lines[0].get_ydata(), v)
    energy = (run.samples[:, 0] ** 2).sum(1) / 2 + 4 * v**2 / 2
    np.testing.assert_allclose(drawn, energy)
    assert np.ptp(drawn) < 1e-3 * drawn.mean()
    plt.close("all")


def test_one_velocity_is_that_of_each_and_one_of_each_its_own():
    asked = {"n_steps": 7, "rng": 2, "integrator": "gjf"}
    x0 = np.zeros((3, 2))
    one = lsa.anneal(BOWL, x0, WARM, v0=[1.0, -2.0], **asked)
    each = lsa.anneal(BOWL, x0, WARM, v0=np.tile([1.0, -2.0], (3, 1)), **asked)
    np.testing.assert_array_equal(one.state.x, each.state.x)
    assert (one.state.x != lsa.anneal(BOWL, x0, WARM, **asked).state.x).all()
    first = next(lsa.simulate(BOWL, x0, WARM, 7, rng=2, v0=[1.0, -2.0], record_every=1))
    scale = WARM.coefficients(7).velocity_scale[0]
    np.testing.assert_array_equal(first.velocity, first.state.dx / scale)


def same(a, b):
    for name in ("samples", "velocities", "energies"):
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    np.testing.assert_array_equal(a.state.noise, b.state.noise)


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("start", [{"start": "thermal"}, {"v0": [0.5]}])
def test_bits_of_threads_backends_and_parts(start, streams, tmp_path):
    kept = lambda name: {"samples": tmp_path / f"{name}.npy" if streams else True}  # noqa: E731
    asked = {"replicas": 40, "n_steps": 40, "record_every": 4, "rng": 3, "velocities": True} | start
    whole = lsa.anneal(WELL, [0.2], WARM, **asked, **kept("a"), threads=1)
    same(whole, lsa.anneal(WELL, [0.2], WARM, **asked, **kept("b"), threads=3))
    same(whole, lsa.anneal(WELL, [0.2], WARM, **asked, **kept("c"), workers=2))
    other = lsa.anneal(WELL, [0.2], WARM, **asked, samples=True, backend="numpy")
    np.testing.assert_allclose(other.velocities, whole.velocities, rtol=1e-9, atol=1e-12)

    def stop(intermediate_result):
        if intermediate_result.step == 20:
            raise KeyboardInterrupt

    file = tmp_path / "c.npz"
    files = kept("d") | {"checkpoint": file}
    part = lsa.anneal(WELL, [0.2], WARM, **asked, **files, callback=stop)
    assert part.status == 3 and len(part.velocities) == 5
    same(lsa.anneal(WELL, [0.2], WARM, **asked, **files), whole)
    np.testing.assert_array_equal(lsa.Result.load(file).velocities, whole.velocities)
    if streams:
        assert np.load(tmp_path / "d.npy").shape == (10, 2, 40, 1)
    with pytest.raises(ValueError, match="belongs to another run"):
        lsa.anneal(WELL, [0.2], WARM, **{k: v for k, v in asked.items() if k not in start}, **files)


def test_no_bit_of_a_thermal_start_depends_on_units():
    """Powers of two of energy, time with its root; nor does the work of laws."""
    found = []
    for E, t in ((1.0, 1.0), (2.0**-70, 2.0**35)):
        U = lsa.Potential.from_formula("E*(x**4 - a*x)", E=E, a=lsa.schedules.linear(0, 2))
        schedule = lsa.Schedule(E, 1 / t, 0.05 * t)
        run = lsa.anneal(U, [0.3], schedule, 50, replicas=5, rng=2, start="thermal")
        found.append((run.state.x, run.state.noise, run.work / E))
    for value, other in zip(*found, strict=True):
        np.testing.assert_array_equal(value, other)


def test_a_gradient_of_each_replica_is_counted():
    asked = {"replicas": 10, "n_steps": 5, "rng": 1, "record_every": 5}
    rest, thermal = (lsa.anneal(WELL, [0.2], WARM, **asked, start=s) for s in ("rest", "thermal"))
    assert thermal.njev == rest.njev + 10


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"start": "hot"}, "start must be"),
        ({"start": "thermal", "v0": [1.0, 1.0]}, "leave out v0"),
        ({"v0": [1.0]}, "v0 must be finite and of shape"),
        ({"v0": [np.nan, 1.0]}, "v0 must be finite"),
        ({"v0": [1.0, 1.0], "integrator": "ermak_mccammon"}, "carries no velocity"),
        ({"start": "thermal", "integrator": "heavy_ball"}, "needs noise"),
        ({"velocities": True}, "kept with positions"),
        ({"velocities": True, "samples": True, "integrator": "ermak_mccammon"}, "no velocity"),
        ({"velocities": 1.5}, "velocities"),
    ],
)
def test_what_cannot_be_is_refused(changed, match):
    cold = changed.get("integrator") == "heavy_ball"
    given = lsa.Schedule(0.0 if cold else 0.7, 1.0, 0.02)
    with pytest.raises((ValueError, TypeError), match=match):
        lsa.anneal(BOWL, [0.1, 0.2], given, 10, rng=1, **changed)
    if changed.keys() <= {"start", "v0"} and "integrator" not in changed:
        state = lsa.anneal(BOWL, [0.1, 0.2], WARM, 10, rng=1, stop_below=np.inf).state
        with pytest.raises(ValueError, match=r"brings its own velocities|must be"):
            lsa.anneal(BOWL, None, WARM, 20, state=state, **changed)
