"""Chains, lattices and a spin glass: many coupled sites."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arguments import check_finite, check_positive, check_whole, shown
from ..potential import Potential


def phi4_chain(dim: int = 64, coupling: float = 1.0, periodic: bool = True) -> Potential:
    """Chain of coupled double wells, U = sum_i (x_i^4/4 - x_i^2/2) + coupling/2 sum_i (x_{i+1} -
    x_i)^2.

    Kinks, walls between stretches near -1 and near 1, are what a quench leaves and slow cooling
    removes.

    Notes
    -----
    Domain [-2, 2]; minima -dim/4 with all sites at 1 or all at -1. Krumhansl, Schrieffer, Phys.
    Rev. B 11, 3535 (1975).
    """
    return _phi4("phi4_chain", (dim,), coupling, periodic)


def phi4_lattice(
    shape: Sequence[int] = (16, 16), coupling: float = 1.0, periodic: bool = True
) -> Potential:
    """Lattice of coupled double wells, U = sum_i (x_i^4/4 - x_i^2/2) + coupling/2 sum_<ij> (x_i -
    x_j)^2.

    In two and more dimensions it orders at low temperature, in the universality class of the Ising
    model.

    Notes
    -----
    Domain [-2, 2]; minima -sites/4 with all sites at 1 or all at -1. Milchev, Heermann, Binder, J.
    Stat. Phys. 44, 749 (1986).
    """
    if (
        isinstance(shape, (str, bytes))
        or not isinstance(shape, (Sequence, np.ndarray))
        or not len(shape)
    ):
        raise ValueError(
            f"shape must be the numbers of sites along each axis, like (16, 16), not {shown(shape)}"
        )
    return _phi4("phi4_lattice", tuple(shape), coupling, periodic)


def _phi4(name: str, shape: tuple[int, ...], coupling: float, periodic: bool) -> Potential:
    for n in shape:
        check_whole(1, **{"dim" if name == "phi4_chain" else "a length in shape": n})
    check_positive(coupling=coupling)
    sites = int(np.prod(shape))
    return Potential.from_formula(
        site="x**4/4 - x**2/2",
        bond="coupling*(y - x)**2/2",
        coupling=coupling,
        shape=shape,
        periodic=periodic,
        name=name,
        bounds=(-2, 2),
        minima=np.outer([-1, 1], np.ones(sites)),
        minimum_energy=-sites / 4,
    )


def xy_chain(dim: int = 64, coupling: float = 1.0, periodic: bool = True) -> Potential:
    """Chain of planar rotors, U = coupling sum_i (1 - cos(x_{i+1} - x_i)), x_i the angle of rotor
    i.

    A closed chain has metastable states of winding number w, energy dim coupling (1 - cos(2 pi
    w/dim)), w < dim/4.

    Notes
    -----
    Domain [-pi, pi]; minimum 0 with all angles equal, one of which, all 0, is given.
    """
    check_whole(1, dim=dim)
    check_positive(coupling=coupling)
    return Potential.from_formula(
        bond="coupling*(1 - cos(y - x))",
        coupling=coupling,
        dim=dim,
        periodic=periodic,
        name="xy_chain",
        bounds=(-np.pi, np.pi),
        minima=np.zeros(dim),
        minimum_energy=0.0,
    )


def harmonic_chain(
    dim: int = 64, k: float = 1.0, periodic: bool = True, pinning: float = 0.0
) -> Potential:
    """Masses and springs, U = k/2 sum_i (x_{i+1} - x_i)^2 + pinning/2 sum_i x_i^2.

    The normal modes, q = 0 ... dim - 1, have omega_q^2 = pinning + 4 k sin^2(pi q/dim) on a closed
    chain and pinning + 4 k sin^2(pi q/(2 dim)) on an open one; `normal_modes` gives them. Without
    pinning the chain drifts freely.

    Notes
    -----
    Domain [-3, 3]; minimum 0 at the origin.
    """
    _check_chain(dim, k, pinning)
    return Potential.from_formula(
        site="pinning*x**2/2",
        bond="k*(y - x)**2/2",
        k=k,
        pinning=pinning,
        dim=dim,
        periodic=periodic,
        name="harmonic_chain",
        bounds=(-3, 3),
        minima=np.zeros(dim),
        minimum_energy=0.0,
    )


def normal_modes(
    dim: int = 64, k: float = 1.0, periodic: bool = True, pinning: float = 0.0
) -> np.ndarray:
    """Angular frequencies omega_q (dim,) of `harmonic_chain` with the same arguments, ascending."""
    _check_chain(dim, k, pinning)
    phase = np.pi * np.arange(dim) / (dim if periodic else 2 * dim)
    return np.sort(np.hypot(float(pinning) ** 0.5, 2 * float(k) ** 0.5 * np.sin(phase)))


def _check_chain(dim: int, k: float, pinning: float) -> None:
    check_whole(1, dim=dim)
    check_positive(k=k)
    check_finite(pinning=pinning)
    if pinning < 0:
        raise ValueError(
            f"pinning must not be negative, not {shown(pinning)}: the chain would have no minimum"
        )


def spin_glass(dim: int = 64, seed: int = 0, kappa: float = 10.0) -> Potential:
    """Spherical Sherrington-Kirkpatrick spin glass, U = -x.J x/2 + dim kappa/4 (|x|^2/dim - 1)^2.

    J is symmetric with zero diagonal and normal entries of variance 1/dim; `kappa` holds x near the
    sphere |x|^2 = dim. Every stationary point lies along an eigenvector of J and only two are
    minima; flat saddles make relaxation slow.

    Parameters
    ----------
    dim : int
        Number of spins, at least 2.
    seed : int
        Seed of the couplings.
    kappa : float
        Stiffness of the sphere, positive.

    Notes
    -----
    Domain [-2, 2]. With lam the largest eigenvalue of J (2 for large dim), the minima are along its
    eigenvector, both signs, with |x|^2/dim = 1 + lam/kappa and U/dim = -lam/2 - lam^2/(4 kappa).
    Kosterlitz, Thouless, Jones, Phys. Rev. Lett. 36, 1217 (1976).
    """
    check_whole(2, dim=dim)
    check_whole(0, seed=seed)
    check_positive(kappa=kappa)
    a = np.random.default_rng(seed).standard_normal((dim, dim))
    J = (a + a.T) / np.sqrt(2 * dim)
    np.fill_diagonal(J, 0)
    eigenvalues, vectors = np.linalg.eigh(J)
    lam, top = float(eigenvalues[-1]), vectors[:, -1]
    return Potential(
        _glass_energy,
        _glass_gradient,
        dim,
        (J, float(kappa)),
        (-2, 2),
        "spin_glass",
        laplacian=_glass_laplacian,
        minima=np.outer([-1, 1], top * np.sqrt(dim * (1 + lam / kappa))),
        minimum_energy=-dim * (lam / 2 + lam**2 / (4 * kappa)),
        latex=r"- \frac{1}{2} \sum_{i,j} J_{ij} x_{i} x_{j} + \frac{N \kappa}{4} "
        r"\left(\frac{1}{N} \sum_{i} x_{i}^{2} - 1\right)^{2}",
    )


def _glass_energy(x: Any, J: Any, kappa: Any) -> Any:
    return -(x @ J * x).sum(1) / 2 + x.shape[1] * kappa / 4 * ((x * x).mean(1) - 1) ** 2


def _glass_gradient(x: Any, J: Any, kappa: Any) -> Any:
    return kappa * ((x * x).mean(1) - 1)[:, None] * x - x @ J


def _glass_laplacian(x: Any, J: Any, kappa: Any) -> Any:
    q = (x * x).mean(1)
    return kappa * (x.shape[1] * (q - 1) + 2 * q)
