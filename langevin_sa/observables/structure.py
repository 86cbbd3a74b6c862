"""Structure of fluids in a periodic box: distances of pairs, and waves of density."""

from __future__ import annotations

from itertools import product
from math import gamma, pi
from typing import Any

import numpy as np

from ..arguments import check_positive, check_whole, real_array, shown
from .pairs import Fluid

WAVES_AT_ONCE = 1_000_000  # of all particles


def radial_distribution(
    potential: Any, x: Any, edges: Any, between: tuple[int, int] | None = None
) -> np.ndarray:
    """g(r), the density of particles at a distance from another, over that of an ideal gas in the
    same box: exactly 1 on average for independent particles.

    Parameters
    ----------
    potential : Potential
        Pairs in a periodic box.
    x : array (..., dim)
        Positions, as ``samples`` or the block of a run has them.
    edges : array (bins + 1,)
        Of the bins of r, ascending, up to half the shortest side of the box.
    between : (int, int), optional
        Two species: particles of the second around those of the first. All around all by default.

    Returns
    -------
    ndarray (..., bins)
        One g of each configuration, in each bin; `langevin_sa.thermometers.average` of a bin has
        its error.

    Raises
    ------
    ValueError
        If the potential has no periodic box, or an edge lies beyond half of it.

    Examples
    --------
    >>> import langevin_sa as lsa
    >>> U = lsa.potentials.lennard_jones_fluid(108, cutoff=2.0)
    >>> x = U.draw_start(1, np.random.default_rng(1))
    >>> lsa.observables.radial_distribution(U, x, [0.0, 0.8, 1.2, 2.0]).round(2)
    array([[0.  , 0.98, 0.67]])
    """
    from scipy.spatial import cKDTree

    fluid = Fluid(potential)
    v = fluid.wrapped(x)
    edges = real_array(edges, "edges")
    half = fluid.box.min() / 2
    good = edges.ndim == 1 and edges.size > 1 and np.isfinite(edges).all()
    if not (good and edges[0] >= 0 and (np.diff(edges) > 0).all() and edges[-1] <= half):
        raise ValueError(
            "edges must be at least 2 numbers that ascend from 0 or more to at most half the "
            f"shortest side of the box, {half:g}, not {shown(edges)}"
        )
    a, b = fluid.between(between)
    pairs = a.sum() * b.sum() - (a & b).sum()
    shells = np.diff(ball(fluid.space) * edges**fluid.space)
    counts = np.empty((len(v), edges.size))
    for row, points in zip(counts, v, strict=True):
        first = cKDTree(points[a], boxsize=fluid.box)
        second = first if (a == b).all() else cKDTree(points[b], boxsize=fluid.box)
        row[:] = first.count_neighbors(second, edges)
    g = np.diff(counts, axis=1) * fluid.volume / (pairs * shells)
    return g.reshape(*np.shape(x)[:-1], -1)


def ball(space: int) -> float:
    """Volume of the unit ball."""
    return float(pi ** (space / 2) / gamma(space / 2 + 1))


def wave_vectors(potential: Any, longest: float) -> np.ndarray:
    """Wave vectors that fit a periodic box, 2 pi n/L with whole n, up to a length: one of each pair
    k, -k, the shortest first.

    Parameters
    ----------
    potential : Potential
        Pairs in a periodic box.
    longest : float
        Largest |k|, 1/length.

    Returns
    -------
    ndarray (vectors, space)
    """
    fluid = Fluid(potential)
    check_positive(longest=longest)
    most = (longest * fluid.box / (2 * pi)).astype(int)
    check_whole(0, 10**7, **{"the number of wave vectors": int(np.prod(2.0 * most + 1))})
    whole = np.array([n for n in product(*(range(-m, m + 1) for m in most)) if n > (0,) * len(n)])
    k = whole.reshape(-1, fluid.space) * (2 * pi / fluid.box)
    length = np.sqrt((k**2).sum(1))
    order = np.argsort(length, kind="stable")
    return k[order][length[order] <= longest]


def structure_factor(potential: Any, x: Any, k: Any) -> np.ndarray:
    """S(k) = |sum_j exp(-i k.r_j)|^2/N; 1 for independent particles.

    Parameters
    ----------
    potential : Potential
        Pairs in a periodic box.
    x : array (..., dim)
        Positions.
    k : array (vectors, space)
        Wave vectors that fit the box, see `wave_vectors`.

    Returns
    -------
    ndarray (..., vectors)
        Of each configuration. Means over vectors of nearly the same length are smoother.

    Raises
    ------
    ValueError
        If a wave vector does not fit the box: its S would depend on where the box begins.
    """
    fluid = Fluid(potential)
    v = fluid.wrapped(x)
    k = real_array(k, "k")
    if k.ndim != 2 or k.shape[1] != fluid.space:
        raise ValueError(f"k must have shape (vectors, {fluid.space}), not {k.shape}")
    whole = k * fluid.box / (2 * pi)
    if not (abs(whole - np.round(whole)) <= 1e-6 * np.maximum(1, abs(whole))).all():
        raise ValueError(
            "wave vectors must fit the box, 2 pi n/L with whole n: see observables.wave_vectors"
        )
    parts = np.array_split(k, 1 + len(k) * fluid.particles // WAVES_AT_ONCE)
    waves = np.array(
        [np.concatenate([np.exp(-1j * (points @ p.T)).sum(0) for p in parts]) for points in v]
    )
    return (abs(waves) ** 2 / fluid.particles).reshape(*np.shape(x)[:-1], len(k))
