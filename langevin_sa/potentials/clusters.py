"""Clusters of atoms: the standard hard test of global optimization.

Metals are held together by what an atom feels of the density of all others
(Sutton, Chen, Phil. Mag. Lett. 61, 139 (1990); Cleri, Rosato, Phys. Rev. B 48, 22 (1993)).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..arguments import check_positive, check_whole, look_up
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

# c of a family (n, m), by the energy of the face-centred crystal: Sutton, Chen 1990
SUTTON_CHEN_C = {(12, 6): 144.41, (9, 6): 39.432, (10, 8): 34.408}
# lowest energies of `particles`, in epsilon, found by `minimize` from every one of four seeds; of
# 12-6 with 3 to 6 atoms they are the numbers of Doye, Wales, New J. Chem. 22, 733 (1998)
SUTTON_CHEN: dict[tuple[int, int], dict[int, float]] = {
    (12, 6): {
        2: -902.009167,
        3: -1704.690505,
        4: -2601.844667,
        5: -3461.345226,
        6: -4378.887537,
        7: -5271.294731,
        8: -6129.756379,
        9: -7048.755206,
        10: -7972.097120,
        11: -8889.962690,
        12: -9871.245779,
        13: -10968.508212,
    },
    (9, 6): {
        2: -269.566745,
        3: -480.856037,
        4: -709.539576,
        5: -929.734073,
        6: -1163.963963,
        7: -1388.511587,
        8: -1611.850891,
        9: -1839.979045,
        10: -2072.243584,
        11: -2302.493905,
        12: -2543.161144,
        13: -2808.576507,
    },
    (10, 8): {
        2: -376.420806,
        3: -633.777103,
        4: -904.115313,
        5: -1163.766967,
        6: -1433.825165,
        7: -1695.889294,
        8: -1954.120556,
        9: -2218.186131,
        10: -2481.701866,
        11: -2741.548908,
        12: -3005.927418,
        13: -3280.384264,
    },
}

# A, xi (eV), p and q: Cleri, Rosato, Phys. Rev. B 48, 22 (1993), Table II
CLERI_ROSATO = {
    "Ni": (0.0376, 1.070, 16.999, 1.189),
    "Cu": (0.0855, 1.224, 10.960, 2.278),
    "Rh": (0.0629, 1.660, 18.450, 1.867),
    "Pd": (0.1746, 1.718, 10.867, 3.742),
    "Ag": (0.1028, 1.178, 10.928, 3.139),
    "Ir": (0.1156, 2.289, 16.980, 2.691),
    "Pt": (0.2975, 2.695, 10.612, 4.004),
    "Au": (0.2061, 1.790, 10.229, 4.036),
    "Al": (0.1221, 1.316, 8.612, 2.516),
    "Pb": (0.0980, 0.914, 9.576, 3.648),
}
# lowest energies of `particles`, eV: found by `minimize` from every one of four seeds
GUPTA: dict[str, dict[int, float]] = {
    "Ag": {
        2: -2.714137,
        3: -5.007027,
        4: -7.534970,
        5: -9.939603,
        6: -12.487088,
        7: -14.952605,
        8: -17.318729,
        9: -19.839452,
        10: -22.360038,
        11: -24.857665,
        12: -27.501098,
        13: -30.461110,
    },
    "Au": {
        2: -4.836627,
        3: -8.185735,
        4: -11.712846,
        5: -15.086723,
        6: -18.588728,
        7: -21.991604,
        8: -25.316427,
        9: -28.749655,
        10: -32.160313,
        11: -35.529095,
        12: -38.922569,
        13: -42.554931,
    },
}

METAL = 0.85  # nearest distance in a small cluster of metal, in that of the crystal
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


def sutton_chen(
    particles: int = 13, n: int = 12, m: int = 6, epsilon: float = 1.0, a: float = 1.0
) -> Potential:
    """Sutton-Chen cluster of metal, U = epsilon (sum_{i<j} (a/r)^n - c sum_i sqrt(rho_i)), rho_i =
    sum_{j != i} (a/r)^m, for (n, m) = (12, 6), (9, 6) or (10, 8), with the family's c.

    12-6 is for silver and rhodium, 9-6 for nickel and copper, 10-8 for gold and platinum; a is the
    lattice constant of the crystal.

    Notes
    -----
    Domain: the cube of the starting lattice, whose spacing is about the distance of neighbours.
    Energies of minima are given for 2 to 13 atoms (`SUTTON_CHEN`), no positions. Doye, Wales, New
    J. Chem. 22, 733 (1998).
    """
    check_whole(2, particles=particles)
    check_positive(epsilon=epsilon, a=a)
    if (n, m) not in SUTTON_CHEN_C:
        raise ValueError(f"n, m must be one of {list(SUTTON_CHEN_C)}, not {(n, m)}")
    c, known = SUTTON_CHEN_C[n, m], SUTTON_CHEN[n, m].get(particles)
    return _metal(
        particles,
        a / np.sqrt(2),
        pair=f"epsilon*(a/r)**{n}",
        density=f"(a/r)**{m}",
        embedding="-epsilon*c*sqrt(rho)",
        c=c,
        epsilon=epsilon,
        a=a,
        name="sutton_chen",
        minimum_energy=None if known is None else epsilon * known,
    )


def gupta(particles: int = 13, metal: str = "Ag", r0: float = 1.0) -> Potential:
    """Gupta cluster of metal, U = sum_i (sum_{j != i} A exp(-p (r/r0 - 1)) - sqrt(rho_i)), rho_i =
    sum_{j != i} xi^2 exp(-2 q (r/r0 - 1)), in eV, with Cleri's and Rosato's parameters.

    r0 is the distance of neighbours in the crystal (2.889 Angstrom for silver).

    Notes
    -----
    Domain: the cube of the starting lattice, whose spacing is about the distance of neighbours.
    Energies of minima are given for 2 to 13 atoms of silver and gold (`GUPTA`), no positions.
    Cleri, Rosato, Phys. Rev. B 48, 22 (1993).
    """
    check_whole(2, particles=particles)
    check_positive(r0=r0)
    A, xi, p, q = look_up(metal, CLERI_ROSATO, "metal")
    return _metal(
        particles,
        r0,
        pair="2*A*exp(-p*(r/r0 - 1))",
        density="xi**2*exp(-2*q*(r/r0 - 1))",
        embedding="-sqrt(rho)",
        A=A,
        xi=xi,
        p=p,
        q=q,
        r0=r0,
        name="gupta",
        minimum_energy=GUPTA.get(metal, {}).get(particles),
    )


def _metal(particles: int, near: float, **given: Any) -> Potential:
    """A cluster of atoms whose crystal has neighbours this near."""
    sigma = METAL * near
    return Potential.from_formula(
        particles=particles,
        bounds=_cube(particles, sigma),
        start=partial(_lattice_start, particles=particles, sigma=sigma),
        **given,
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
