"""Clusters of atoms: the standard hard test of global optimization."""

from __future__ import annotations

from functools import partial

import numpy as np

from ..arguments import check_positive, check_whole
from ..potential import Potential

# Wales, Doye, J. Phys. Chem. A 101, 5111 (1997), epsilon = sigma = 1; `particles` -> energy
LENNARD_JONES = {
    2: -1.0,
    3: -3.0,
    4: -6.0,
    5: -9.103852,
    6: -12.712062,
    7: -16.505384,
    8: -19.821489,
    13: -44.326801,
    19: -72.659782,
    26: -108.315616,
    31: -133.586422,
    38: -173.928427,
    55: -279.248470,
    75: -397.492331,
}

# Doye, Wales, J. Chem. Soc., Faraday Trans. 93, 4233 (1997), found again by descents from random
# starts; (rho, particles) -> energy
MORSE: dict[tuple[float, int], float] = {
    (6, 5): -9.044930,
    (6, 6): -12.487809,
    (6, 7): -16.207580,
    (6, 8): -19.327420,
    (6, 13): -42.439863,
    (14, 5): -9.000283,
    (14, 6): -12.018170,
    (14, 7): -15.883113,
    (14, 8): -18.883688,
    (14, 13): -37.258877,
}

SPACING, JITTER = 1.2, 0.1  # of the starting lattice, in units of sigma; of the spacing


def lennard_jones(particles: int = 13, epsilon: float = 1.0, sigma: float = 1.0) -> Potential:
    """Lennard-Jones cluster, U = 4 epsilon sum_{i<j} ((sigma/r)^12 - (sigma/r)^6), coordinates x1,
    y1, z1, x2, ...

    38 and 75 atoms have two funnels, of which the wrong one is the wider. The cluster is in vacuum:
    much above T = 0.3 epsilon atoms evaporate.

    Notes
    -----
    Domain: the cube of the starting lattice. Minima are given for 2, 3 and 4 atoms (dimer,
    triangle, tetrahedron of edge 2^(1/6) sigma), their energy where `LENNARD_JONES` has it, else
    None. Starting points are random sites of a cubic lattice of spacing 1.2 sigma, jittered, so
    that no atoms overlap.
    """
    check_whole(2, particles=particles)
    check_positive(epsilon=epsilon, sigma=sigma)
    known = LENNARD_JONES.get(particles)
    return Potential.from_formula(
        pair="4*epsilon*((sigma/r)**12 - (sigma/r)**6)",
        particles=particles,
        epsilon=epsilon,
        sigma=sigma,
        name="lennard_jones",
        bounds=_cube(particles, sigma),
        minima=_simplex(particles, 2 ** (1 / 6) * sigma),
        minimum_energy=None if known is None else epsilon * known,
        start=partial(_lattice_start, particles=particles, sigma=sigma),
    )


def morse_cluster(particles: int = 13, rho: float = 6.0) -> Potential:
    """Morse cluster, U = sum_{i<j} exp(rho (1 - r)) (exp(rho (1 - r)) - 2), well depth and
    equilibrium distance 1.

    The larger `rho`, the shorter the range and the more minima; 6 is like Lennard-Jones, 14 like
    fullerenes.

    Notes
    -----
    Domain: the cube of the starting lattice, spacing 1.2. Minima are given for 2, 3 and 4 atoms
    (edge 1; energies -1, -3, -6 for every rho), their energy for a few more at rho = 6 and 14
    (`MORSE`), else None. Doye, Wales, J. Chem. Soc., Faraday Trans. 93, 4233 (1997).
    """
    check_whole(2, particles=particles)
    check_positive(rho=rho)
    minima, pairs = _simplex(particles, 1.0), particles * (particles - 1) / 2
    return Potential.from_formula(
        pair="exp(rho*(1 - r))*(exp(rho*(1 - r)) - 2)",
        particles=particles,
        rho=rho,
        name="morse_cluster",
        bounds=_cube(particles, 1.0),
        minima=minima,
        minimum_energy=MORSE.get((rho, particles)) if minima is None else -pairs,
        start=partial(_lattice_start, particles=particles, sigma=1.0),
    )


def _simplex(particles: int, edge: float) -> np.ndarray | None:
    """Two, three or four atoms all at one distance from each other, (1, 3*particles), centred; None
    for more.
    """
    if particles > 4:
        return None
    tetrahedron = np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    corners = tetrahedron[:particles] * edge / np.sqrt(8)
    return (corners - corners.mean(0)).reshape(1, -1)


def _cells(particles: int) -> int:
    """Cells along each axis of the smallest cube with a cell for every atom."""
    return next(n for n in range(1, particles + 1) if n**3 >= particles)


def _cube(particles: int, sigma: float) -> tuple[float, float]:
    half = SPACING * sigma * _cells(particles) / 2
    return -half, half


def _lattice_start(
    replicas: int, generator: np.random.Generator, particles: int, sigma: float
) -> np.ndarray:
    """Atoms (replicas, 3*particles) at random sites of a cubic lattice, jittered."""
    n = _cells(particles)
    axes = np.meshgrid(*[np.arange(n) - (n - 1) / 2] * 3, indexing="ij")
    sites = np.stack(axes, axis=-1).reshape(-1, 3)
    chosen = generator.random((replicas, n**3)).argsort(1)[:, :particles]
    atoms = sites[chosen] + generator.uniform(-JITTER, JITTER, (replicas, particles, 3))
    return (SPACING * sigma * atoms).reshape(replicas, -1)
