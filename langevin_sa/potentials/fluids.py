"""Fluids in a periodic box: many particles at a density, with neighbours inside a cut-off."""

from __future__ import annotations

from functools import partial

import numpy as np

from ..arguments import check_positive, check_whole
from ..potential import Potential

JITTER = 0.02  # of the starting lattice, in units of the distance between sites
_PAIR = "4*epsilon*((sigma/r)**12 - (sigma/r)**6)"


def lennard_jones_fluid(
    particles: int = 1000, density: float = 0.8, space: int = 3, cutoff: float = 2.5
) -> Potential:
    """Lennard-Jones fluid, 4 ((1/r)^12 - (1/r)^6) truncated and shifted at the cutoff, epsilon =
    sigma = 1.

    In three dimensions at cutoff 2.5 the liquid's critical point is near T = 1.08, density 0.32,
    and its triple point near T = 0.62; cooled slowly, a dense liquid crystallizes.

    Notes
    -----
    Domain: the periodic cube (or square, space = 2) of side (particles/density)^(1/space), at least
    twice the cutoff. Starting points are random sites of a face-centred lattice, jittered. No
    minima are given. Smit, J. Chem. Phys. 96, 8639 (1992).
    """
    check_whole(2, particles=particles)
    check_whole(2, 3, space=space)
    check_positive(density=density, cutoff=cutoff)
    side = (particles / density) ** (1 / space)
    return Potential.from_formula(
        pair=_PAIR,
        particles=particles,
        space=space,
        cutoff=cutoff,
        box=side,
        epsilon=1.0,
        sigma=1.0,
        name="lennard_jones_fluid",
        start=partial(_lattice_start, particles=particles, space=space, side=side),
    )


def kob_andersen(
    particles: int = 1000, density: float = 1.2, cutoff: float = 2.5, space: int = 3
) -> Potential:
    """Kob-Andersen mixture: Lennard-Jones particles, 80 % large (A, species 0) and 20 % small (B),
    that form a glass; 65 % and 35 % in two dimensions, where 80 % would crystallize.

    epsilon is 1 (AA), 1.5 (AB) and 0.5 (BB), sigma 1, 0.8 and 0.88; each pair is truncated and
    shifted at `cutoff` times its sigma. Particles that like the other kind best do not crystallize
    in any time a simulation has: at density 1.2 relaxation slows down as T falls to 0.435, the
    mode-coupling temperature in three dimensions, and slow cooling ends deeper in the landscape.

    Notes
    -----
    Domain: the periodic cube (or square) of side (particles/density)^(1/space), at least twice the
    longest cutoff. Starting points are random sites of a face-centred lattice, jittered; every
    fifth particle is a B, in two dimensions seven of twenty. No minima are given. Kob, Andersen,
    Phys. Rev. E 51, 4626 (1995); Bruening, St-Onge, Patterson, Kob, J. Phys.: Condens. Matter 21,
    035117 (2009).
    """
    check_whole(2, particles=particles)
    check_whole(2, 3, space=space)
    check_positive(density=density, cutoff=cutoff)
    side = (particles / density) ** (1 / space)
    sigma = np.array([[1.0, 0.8], [0.8, 0.88]])
    number = np.arange(particles)
    return Potential.from_formula(
        pair=_PAIR,
        particles=particles,
        space=space,
        cutoff=cutoff * sigma,
        box=side,
        species=(number % 5 == 4 if space == 3 else 7 * number % 20 < 7).astype(int),
        epsilon=[[1.0, 1.5], [1.5, 0.5]],
        sigma=sigma,
        name="kob_andersen",
        start=partial(_lattice_start, particles=particles, space=space, side=side),
    )


def _lattice_start(
    replicas: int, generator: np.random.Generator, particles: int, space: int, side: float
) -> np.ndarray:
    """Particles (replicas, particles*space) at random sites of a centred square or face-centred
    cubic lattice, jittered.
    """
    cells = np.ones(space, dtype=int)
    while 2 ** (space - 1) * cells.prod() < particles:
        cells[cells.argmin()] += 1
    grid = np.stack(
        np.meshgrid(*(np.arange(2 * n) for n in cells), indexing="ij"), axis=-1
    ).reshape(-1, space)
    sites = grid[grid.sum(1) % 2 == 0]
    chosen = np.stack([generator.permutation(len(sites))[:particles] for _ in range(replicas)])
    jitter = generator.uniform(-1, 1, (replicas, particles, space)) * JITTER * np.sqrt(2)
    return ((sites[chosen] + 0.5 + jitter) * (side / (2 * cells))).reshape(replicas, -1)
