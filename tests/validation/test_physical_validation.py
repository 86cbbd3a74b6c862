"""Someone else's judgement: the checks of `physical_validation` (Merz, Shirts 2018) on a harmonic
system and a Lennard-Jones cluster.

It counts 3 degrees of freedom an atom and less what it is told to; decorrelated frames are handed
over as such.
"""

import numpy as np
import pytest

import langevin_sa as lsa

pv = pytest.importorskip("physical_validation")
pytestmark = pytest.mark.filterwarnings("ignore")
DT, GAMMA = 0.1, 2.0


def records(potential, x0, T, dt, n, every, burn, integrator="gjf", seed=1):
    """Positions, velocities by the exact kinetic estimator, and potential energies, (frames, dim)
    and (frames,), of all replicas.
    """
    schedule = lsa.Schedule(T, GAMMA, dt)
    scale = float(lsa.INTEGRATORS[integrator].steps(GAMMA, dt, T).velocity_scale)
    x, v, u = [], [], []
    for snapshot in lsa.simulate(
        potential, x0, schedule, n, integrator=integrator, record_every=every, rng=seed
    ):
        if snapshot.step > burn:
            x.append(snapshot.state.x)
            v.append(snapshot.state.dx / scale)
            u.append(snapshot.energy)
    return np.concatenate(x), np.concatenate(v), np.concatenate(u)


def data(potential, x0, T, dt=DT, n=2000, every=100, burn=400, particles=1, seed=1, heat=1.0):
    """A run as physical_validation wants it; `heat` multiplies velocities."""
    x, v, u = records(potential, x0, T, dt, n, every, burn, seed=seed)
    v = heat * v
    frames = len(x)
    kinetic = (v**2).sum(1) / 2
    units = pv.data.UnitData(
        kb=1.0,
        energy_str="e",
        energy_conversion=1.0,
        length_str="l",
        length_conversion=1.0,
        volume_str="v",
        volume_conversion=1.0,
        temperature_str="T",
        temperature_conversion=1.0,
        pressure_str="p",
        pressure_conversion=1.0,
        time_str="t",
        time_conversion=1.0,
    )
    system = pv.data.SystemData(
        natoms=particles,
        nconstraints=0,
        ndof_reduction_tra=0,
        ndof_reduction_rot=0,
        mass=np.ones(particles),
        molecule_idx=np.arange(particles),
        nconstraints_per_molecule=np.zeros(particles),
    )
    return pv.data.SimulationData(
        units=units,
        dt=dt,
        system=system,
        ensemble=pv.data.EnsembleData("NVT", natoms=particles, volume=1.0, temperature=T),
        observables=pv.data.ObservableData(
            kinetic_energy=kinetic,
            potential_energy=u,
            total_energy=kinetic + u,
            volume=np.ones(frames),
            temperature=2 * kinetic / x.shape[1],
        ),
        trajectory=pv.data.TrajectoryData(
            position=x.reshape(frames, particles, 3), velocity=v.reshape(frames, particles, 3)
        ),
    )


def harmonic(T, seed=1, **keywords):
    particles = 4
    well = lsa.potentials.harmonic(k=np.linspace(0.5, 20, 3 * particles))
    return data(well, np.zeros((250, 3 * particles)), T, particles=particles, seed=seed, **keywords)


def cluster(T, seed=1):
    U = lsa.potentials.lennard_jones(7)
    start = lsa.anneal(U, replicas=32, n_steps=5000, rng=2).x
    return data(
        U,
        np.tile(start, (100, 1)),
        T,
        dt=0.01,
        n=6000,
        every=200,
        burn=1200,
        particles=7,
        seed=seed,
    )


SYSTEMS = {"harmonic": (harmonic, 1.0, 1.15), "cluster": (cluster, 0.08, 0.09)}


@pytest.fixture(scope="module")
def run():
    made = {}
    return lambda name, T, seed=1: made.setdefault((name, T), SYSTEMS[name][0](T, seed=seed))


@pytest.mark.parametrize("name", SYSTEMS)
def test_kinetic_energy_distribution(name, run):
    found = run(name, SYSTEMS[name][1])
    p = pv.kinetic_energy.distribution(found, strict=True, verbosity=0, data_is_uncorrelated=True)
    assert p > 1e-4
    mean, width = pv.kinetic_energy.distribution(
        found, strict=False, verbosity=0, bootstrap_seed=1, data_is_uncorrelated=True
    )
    assert abs(mean) < 4.5 and abs(width) < 4.5  # in standard deviations of the estimate


def test_velocities_two_percent_too_large_are_noticed():
    found = harmonic(1.0, heat=1.02)
    mean, _ = pv.kinetic_energy.distribution(
        found, strict=False, verbosity=0, bootstrap_seed=1, data_is_uncorrelated=True
    )
    assert abs(mean) > 4.5


def test_equipartition(run):
    found = run("harmonic", 1.0)
    groups = [np.array([k]) for k in range(4)]
    result = pv.kinetic_energy.equipartition(
        found, strict=True, molec_groups=groups, verbosity=0, data_is_uncorrelated=True
    )
    assert np.min(np.array(result, dtype=float)) > 1e-4


@pytest.mark.parametrize("name", SYSTEMS)
def test_ensemble_at_two_temperatures(name, run):
    _, low, high = SYSTEMS[name]
    deviations = pv.ensemble.check(
        run(name, low),
        run(name, high, seed=2),
        verbosity=0,
        bootstrap_seed=1,
        data_is_uncorrelated=True,
    )
    assert np.max(np.abs(deviations)) < 4.5


def test_a_run_at_the_wrong_temperature_is_noticed(run):
    """Two runs at T = 1, one of which says 1.15."""
    wrong = harmonic(1.0, seed=3)
    wrong.ensemble = pv.data.EnsembleData("NVT", natoms=4, volume=1.0, temperature=1.15)
    deviations = pv.ensemble.check(
        run("harmonic", 1.0), wrong, verbosity=0, bootstrap_seed=1, data_is_uncorrelated=True
    )
    assert np.max(np.abs(deviations)) > 10
