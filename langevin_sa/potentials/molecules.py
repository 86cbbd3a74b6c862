"""Molecules: particles held together by bonds, angles and torsions."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..arguments import check_positive, check_whole
from ..potential import Potential

# bond of Kremer and Grest with its repulsion at its minimum: length (sigma) and energy (epsilon)
BOND, BOND_ENERGY = 0.960897198959255419, 20.2025738148824667
STARTING = 0.97  # bond of starting chains (sigma), the mean at T = epsilon
TURN = 0.3  # of each bond of a starting chain away from the one before, in bonds

# butane of united atoms, kJ/mol and Angstrom: torsion of Jorgensen, Madura, Swenson, J. Am. Chem.
# Soc. 106, 6638 (1984), angle of Martin, Siepmann, J. Phys. Chem. B 102, 2569 (1998), and bond of
# Cornell et al., J. Am. Chem. Soc. 117, 5179 (1995)
GAS_CONSTANT = 8.31446261815324e-3  # kJ/mol/K
TORSION = {"c1": 355.03, "c2": -68.19, "c3": 791.32}  # K
ANGLE, LENGTH = 114.0, 1.54  # degrees; Angstrom
HALF = 2.5  # Angstrom, of the domain
ANGLE_STIFFNESS, STIFFNESS = 62_500.0, 2 * 310 * 4.184  # K/rad^2; kJ/mol/Angstrom^2


def fene_chain(particles: int = 32, epsilon: float = 1.0, sigma: float = 1.0) -> Potential:
    """Bead-spring chain of Kremer and Grest: FENE bonds, -(k/2) R^2 log(1 - (r/R)^2) with k = 30
    epsilon/sigma^2 and R = 1.5 sigma, between consecutive beads, and the repulsive part of
    Lennard-Jones between all.

    The bonds cannot be stretched beyond R: a step that would do so turns back.

    Notes
    -----
    Domain: a cube as long as the chain; starting points are chains that hardly turn. One minimum is
    given, the straight chain, in which only neighbours touch; every chain without other contacts is
    another.
    Kremer, Grest, J. Chem. Phys. 92, 5057 (1990).
    """
    check_whole(2, particles=particles)
    check_positive(epsilon=epsilon, sigma=sigma)
    first = np.arange(particles - 1)
    straight = np.zeros((particles, 3))
    straight[:, 0] = BOND * sigma * np.arange(particles)
    return Potential.from_formula(
        terms=[("bond", np.stack([first, first + 1], axis=1), "-k/2*R**2*log(1 - (r/R)**2)")],
        pair="4*epsilon*((sigma/r)**12 - (sigma/r)**6)",
        cutoff=2 ** (1 / 6) * sigma,
        particles=particles,
        epsilon=epsilon,
        sigma=sigma,
        k=30 * epsilon / sigma**2,
        R=1.5 * sigma,
        name="fene_chain",
        bounds=(-STARTING * sigma * particles / 2, STARTING * sigma * particles / 2),
        minima=straight.reshape(1, -1),
        minimum_energy=(particles - 1) * BOND_ENERGY * epsilon,
        start=partial(_chain_start, particles=particles, length=STARTING * sigma),
    )


def butane() -> Potential:
    """Butane of four united atoms, CH3-CH2-CH2-CH3: two angles and a torsion, U = c1 (1 + cos phi)
    + c2 (1 - cos 2 phi) + c3 (1 + cos 3 phi), in kJ/mol and Angstrom.

    The torsion has its minimum in trans (phi = pi) and two others, gauche, 3.5 kJ/mol higher,
    behind barriers. The atoms 1 and 4 meet in the torsion only, so in equilibrium phi, the angles
    and the bonds are independent of each other. At 300 K the temperature is 2.494 kJ/mol.

    Notes
    -----
    Domain: the cube of side 5 Angstrom; starting points have their bonds and angles right and any
    phi. The minimum is the trans molecule, of energy 0. Torsion: Jorgensen et al. (1984); angles:
    Martin, Siepmann (1998), as in TraPPE-UA, whose rigid bonds are here springs, with the stiffness
    of Cornell et al. (1995).
    """
    torsion: dict[str, Any] = {name: kelvin * GAS_CONSTANT for name, kelvin in TORSION.items()}
    return Potential.from_formula(
        terms=[
            ("bond", [(0, 1), (1, 2), (2, 3)], "k*(r - r0)**2/2"),
            ("angle", [(0, 1, 2), (1, 2, 3)], "bend*(theta - theta0)**2/2"),
            (
                "torsion",
                [(0, 1, 2, 3)],
                "c1*(1 + cos(phi)) + c2*(1 - cos(2*phi)) + c3*(1 + cos(3*phi))",
            ),
        ],
        particles=4,
        k=STIFFNESS,
        r0=LENGTH,
        bend=ANGLE_STIFFNESS * GAS_CONSTANT,
        theta0=np.radians(ANGLE),
        **torsion,
        name="butane",
        bounds=(-HALF, HALF),
        minima=_butanes(np.array([np.pi])),
        minimum_energy=0.0,
        start=_butane_start,
    )


def _butanes(phi: np.ndarray) -> np.ndarray:
    """Molecules (replicas, 12) of these torsions, their bonds and angles at rest."""
    theta = np.radians(ANGLE)
    across, along = LENGTH * np.sin(theta), -LENGTH * np.cos(theta)
    atoms = np.zeros((len(phi), 4, 3))
    atoms[:, 0] = [across, 0.0, -along]
    atoms[:, 2, 2] = LENGTH
    turn = np.stack([across * np.cos(phi), across * np.sin(phi)], axis=1)
    atoms[:, 3, :2], atoms[:, 3, 2] = turn, LENGTH + along
    return (atoms - atoms.mean(1, keepdims=True)).reshape(len(phi), -1)


def _butane_start(replicas: int, generator: np.random.Generator) -> np.ndarray:
    return _butanes(generator.uniform(-np.pi, np.pi, replicas))


def _chain_start(
    replicas: int, generator: np.random.Generator, particles: int, length: float
) -> np.ndarray:
    """Chains (replicas, 3*particles) along x whose bonds stand a little askew."""
    bonds = generator.uniform(-TURN, TURN, (replicas, particles - 1, 3))
    bonds[..., 0] = 1.0
    bonds *= length / np.linalg.norm(bonds, axis=2, keepdims=True)
    beads = np.zeros((replicas, particles, 3))
    beads[:, 1:] = bonds.cumsum(1)
    return (beads - beads.mean(1, keepdims=True)).reshape(replicas, -1)
