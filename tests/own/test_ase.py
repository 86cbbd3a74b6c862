"""Atoms and calculators of ASE."""

from __future__ import annotations

import numpy as np
import pytest
from hostile import refused

from langevin_sa import Potential, Result, Schedule, anneal, minimize
from langevin_sa.minimization.arguments import domain_of
from langevin_sa.minimization.functions import Functions
from langevin_sa.minimization.problem import Problem
from langevin_sa.minimization.strategies import _new_start
from langevin_sa.schedules import exponential

ase = pytest.importorskip("ase")

from ase.build import add_adsorbate, fcc111, molecule  # noqa: E402
from ase.calculators.emt import EMT  # noqa: E402
from ase.constraints import FixAtoms, FixBondLength, FixCartesian  # noqa: E402
from ase.io import read  # noqa: E402

SCHEDULE = Schedule(exponential(0.1, 0.01), gamma=0.1, dt=0.1)
BLOCK = 2.5 * np.argwhere(np.ones((3, 3, 2)))[:13]
ICOSAHEDRON = 9.3614  # eV


@pytest.fixture
def slab():
    """An oxygen atom on copper, of which the lower layer is held, and one coordinate above."""
    slab = fcc111("Cu", (2, 2, 2), vacuum=8)
    add_adsorbate(slab, "O", 1.5, "fcc")
    slab.set_constraint([FixAtoms(range(4)), FixCartesian(4, (True, False, False))])
    slab.calc = EMT()
    return slab


def test_energies_and_forces_of_the_calculator(slab):
    U = Potential.from_ase(slab)
    x = slab.positions[4:].ravel()[1:]
    assert (U.name, U.dim) == ("Cu8O", 14)
    assert U.energy(x) == slab.get_potential_energy()
    forces = slab.get_forces(apply_constraint=False)[4:].ravel()[1:]
    np.testing.assert_array_equal(U.gradient(x), -forces)
    assert U.check_gradient(U.draw_start(2, np.random.default_rng(0))) < 1e-6
    spread = U.draw_start(2000, np.random.default_rng(1)) - x
    assert abs(spread.std() / 0.1 - 1) < 0.02 and np.abs(spread.mean(0)).max() < 0.015


def test_held_coordinates_stay_and_results_leave_as_atoms(slab, tmp_path):
    U = Potential.from_ase(slab)
    run = anneal(U, None, SCHEDULE, 40, replicas=2, rng=1, samples=True, record_every=10)
    run.save(tmp_path / "run.npz")
    run.write(tmp_path / "run.extxyz")
    frames = read(tmp_path / "run.extxyz", ":")
    assert len(frames) == len(run.samples) + 1
    lowest = run.samples[:, np.argmin(run.best_energies)]
    moved = [frame.positions[4:].ravel()[1:] for frame in frames[:-1]]
    np.testing.assert_allclose(moved, lowest, atol=1e-7)
    for atoms in (run.to_ase(), Result.load(tmp_path / "run.npz").to_ase(), frames[-1]):
        assert atoms.get_potential_energy() == run.fun
        np.testing.assert_allclose(atoms.positions[:4], slab.positions[:4], atol=1e-8)
        assert atoms.positions[4, 0] == pytest.approx(slab.positions[4, 0], abs=1e-8)
        assert list(atoms.symbols) == list(slab.symbols) and (atoms.pbc == slab.pbc).all()
        np.testing.assert_allclose(atoms.cell.array, slab.cell.array, atol=1e-7)
        atoms.calc = EMT()
        assert atoms.get_potential_energy() == pytest.approx(run.fun, abs=1e-6)
    back = Potential.from_ase(run.to_ase(), EMT())
    assert back.dim == U.dim and back.energy(run.x) == pytest.approx(run.fun, rel=1e-12)
    np.testing.assert_array_equal(run.to_ase().get_tags(), slab.get_tags())


def test_results_of_other_potentials_need_atoms(tmp_path):
    plain = Potential(lambda x: (x**2).sum(1), lambda x: 2 * x, 6)
    run = anneal(plain, np.ones(6), SCHEDULE, 20, rng=1)
    refused(run.to_ase, ValueError, "does not say what its coordinates are: give atoms=")
    run.write(tmp_path / "run.traj", atoms=ase.Atoms("Ar2"))
    assert read(tmp_path / "run.traj").get_potential_energy() == run.fun
    three = ase.Atoms("Ar3")
    refused(lambda: run.to_ase(three), ValueError, "have 9 free coordinates, and x has 6")
    ar2 = ase.Atoms("Ar2")
    refused(lambda: run.write(tmp_path / "run.foo", ar2), ValueError, "no suffix that ASE knows")


BONDED = molecule("N2")
BONDED.set_constraint(FixBondLength(0, 1))
HELD = molecule("N2")
HELD.set_constraint(FixAtoms([0, 1]))
BAD = {
    "no atoms": ("N2", EMT(), TypeError, "atoms must be ase.Atoms, not 'N2'"),
    "no calculator": (molecule("N2"), None, TypeError, "calculator .*: the atoms have none"),
    "text": (molecule("N2"), "EMT", TypeError, "calculator must be one of ASE's, .* not 'EMT'"),
    "bond": (BONDED, EMT(), ValueError, "FixBondLengths cannot be kept"),
    "all held": (HELD, EMT(), ValueError, "the constraints fix every coordinate"),
}


@pytest.mark.parametrize(("atoms", "calculator", "error", "fragment"), BAD.values(), ids=BAD)
def test_refused(atoms, calculator, error, fragment):
    refused(lambda: Potential.from_ase(atoms, calculator), error, fragment)


def test_calculators_go_to_workers(slab):
    """EMT holds a function that does not pickle."""
    U = Potential.from_ase(slab)
    runs = [anneal(U, None, SCHEDULE, 10, replicas=2, rng=1, workers=w) for w in (1, 2)]
    np.testing.assert_array_equal(runs[0].energies, runs[1].energies)


def test_copper_atoms_are_searched_as_clusters():
    """Other elements, walls and boxes are not."""
    U = Potential.from_ase(ase.Atoms("Cu13", BLOCK), EMT())
    found = [minimize(U, rng=seed, maxfev=3000, target=ICOSAHEDRON + 1e-4) for seed in (1, 2, 3)]
    assert all(best.success for best in found), [best.message for best in found]
    held = ase.Atoms("Cu3", BLOCK[:3], constraint=FixAtoms([0]))
    alloy = ase.Atoms("Cu2Ag", BLOCK[:3])
    boxed = ase.Atoms("Cu3", BLOCK[:3], cell=[9, 9, 9], pbc=True)
    for atoms in (held, alloy, boxed):
        V = Potential.from_ase(atoms, EMT())
        refused(lambda V=V: minimize(V, strategy="clusters"), ValueError, "of free atoms of one")


def test_clusters_start_anew_far_from_the_atoms_that_were_given():
    U = Potential.from_ase(ase.Atoms("Cu13", BLOCK), EMT())
    x, open_space = BLOCK.ravel(), np.full(39, np.inf)
    problem = Problem(Functions(U), x, (-open_space, open_space), domain_of(U, 0))
    start = _new_start(problem, 3, np.random.default_rng(0))
    assert np.abs(start - x).max() > 10 * 0.1


@pytest.mark.slow
def test_copper_atoms_are_annealed_to_the_icosahedron(tmp_path):
    """With the schedule of a pilot, in fewer than 3,000 calls, by one seed of six: half of them
    do.
    """
    U = Potential.from_ase(ase.Atoms("Cu13", BLOCK), EMT(), rattle=0.8)
    for seed in range(1, 7):
        run = anneal(U, n_steps=1300, replicas=2, rng=seed)
        assert run.nfev < 3000 and run.fun > ICOSAHEDRON - 1e-4
        if run.fun < ICOSAHEDRON + 0.01:  # the next minimum is 0.7 eV above
            break
    else:
        pytest.fail("no seed of six came to the icosahedron")
    run.write(tmp_path / "copper.extxyz")
    assert read(tmp_path / "copper.extxyz").get_potential_energy() == run.fun


def test_atoms_bring_their_masses():
    """Of the free coordinates; an argument wins; atoms are counted with those that are fixed."""
    atoms = molecule("H2O")
    atoms.set_constraint(FixAtoms([0]))
    U = Potential.from_ase(atoms, EMT())
    np.testing.assert_array_equal(U.masses, np.repeat(atoms.get_masses()[1:], 3))
    x0, cold = atoms.positions[1:].ravel(), Schedule(0.01, 0.1, 0.01)
    run = anneal(U, x0, cold, 4, frozen=[2], rng=1)
    np.testing.assert_array_equal(run.state.masses, np.append(U.masses[:3], [np.inf] * 3))
    np.testing.assert_array_equal(run.state.x[0, 3:], x0[3:])
    run = anneal(U, x0, cold, 4, masses=[9, 1, 1], rng=1)
    assert run.state.masses is None
