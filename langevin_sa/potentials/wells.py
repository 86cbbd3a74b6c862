"""Wells and barriers: the potentials on which diffusion, thermometers and escape rates are
understood.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arguments import check_finite, check_positive, check_positive_arrays, check_whole, real_array
from ..potential import Potential
from .sums import everywhere


def harmonic(dim: int | None = None, k: Any = 1.0) -> Potential:
    """Harmonic well, U = sum_i k_i x_i^2 / 2: omega_i = sqrt(k_i), <x_i^2> = T/k_i, U = dim T/2 on
    average.

    Parameters
    ----------
    dim : int, optional
        Number of coordinates; the length of `k` by default, 1 for a number.
    k : float or array (dim,)
        Curvature, positive.

    Notes
    -----
    Domain [-3, 3]; minimum 0 at the origin.
    """
    check_positive_arrays(k=k)
    dim = np.size(k) if dim is None else dim
    check_whole(1, dim=dim)
    if np.ndim(k) and np.shape(k) != (dim,):
        raise ValueError(
            f"k must be a number or an array of shape ({dim},), one curvature a coordinate, not "
            f"of shape {np.shape(k)}"
        )
    return Potential.from_formula(
        site="k*x**2/2",
        k=k,
        dim=dim,
        name="harmonic",
        bounds=(-3, 3),
        minima=np.zeros(dim),
        minimum_energy=0.0,
    )


def quartic(dim: int = 1, k: float = 1.0) -> Potential:
    """Quartic well, U = sum_i k x_i^4 / 4: no curvature at the minimum, <U> = dim T/4.

    Notes
    -----
    Domain [-3, 3]; minimum 0 at the origin.
    """
    check_positive(k=k)
    return Potential.from_formula(
        site="k*x**4/4",
        k=k,
        dim=dim,
        name="quartic",
        bounds=(-3, 3),
        minima=np.zeros(dim),
        minimum_energy=0.0,
    )


def double_well(tilt: float = 0.3, barrier: float = 1.0, dim: int = 1) -> Potential:
    """Tilted double well, U = sum_i barrier (x_i^2 - 1)^2 + tilt x_i.

    Two wells near -1 and 1 while abs(tilt) < 8 barrier/(3 sqrt(3)); with tilt = 0 the barrier
    between them is `barrier` high, the curvature 8 barrier in the wells and -4 barrier on top
    (Kramers 1940).

    Notes
    -----
    Domain [-2, 2]. Minimum: the lowest root of 4 barrier x (x^2 - 1) + tilt = 0, -1.0356 with
    -0.3054 by default.
    """
    check_finite(tilt=tilt)
    check_positive(barrier=barrier)
    check_whole(1, dim=dim)
    if tilt == 0:
        lowest, energy = [-1.0, 1.0], 0.0
    else:
        roots = np.roots([4 * barrier, 0, -4 * barrier, tilt])
        x = float(roots[np.argmax(-np.sign(tilt) * roots.real)].real)  # the outermost root downhill
        for _ in range(3):
            x -= (4 * barrier * x * (x**2 - 1) + tilt) / (4 * barrier * (3 * x**2 - 1))
        lowest, energy = [x], barrier * (x**2 - 1) ** 2 + tilt * x
    return Potential.from_formula(
        site="barrier*(x**2 - 1)**2 + tilt*x",
        barrier=barrier,
        tilt=tilt,
        dim=dim,
        name="double_well",
        bounds=(-2, 2),
        minima=everywhere(lowest, dim),
        minimum_energy=dim * energy,
    )


def prinz() -> Potential:
    """Four wells in one dimension, U = 4 (x^8 + 0.8 exp(-80 x^2) + 0.2 exp(-80 (x - 1/2)^2) + 0.5
    exp(-40 (x + 1/2)^2)).

    Notes
    -----
    Domain [-1, 1]; wells at -0.7394, -0.2237, 0.2691 (the lowest, 0.0211) and 0.6733. Prinz et al.,
    J. Chem. Phys. 134, 174105 (2011).
    """
    return Potential.from_formula(
        "4*(x**8 + 0.8*exp(-80*x**2) + 0.2*exp(-80*(x - 0.5)**2) + 0.5*exp(-40*(x + 0.5)**2))",
        name="prinz",
        bounds=(-1, 1),
        minima=[0.26914935131897206],
        minimum_energy=0.0211038015578026,
    )


def periodic(amplitude: float = 1.0, tilt: float = 0.0, dim: int = 1) -> Potential:
    """Washboard, U = sum_i amplitude (1 - cos x_i) + tilt x_i: barriers of 2 amplitude, a constant
    force -tilt.

    Notes
    -----
    Domain [-3 pi, 3 pi]. Without tilt the minima are 0 at every multiple of 2 pi; with tilt there
    is none. Risken, The Fokker-Planck Equation (1989), chapter 11.
    """
    check_positive(amplitude=amplitude)
    check_finite(tilt=tilt)
    check_whole(1, dim=dim)
    level = tilt == 0
    return Potential.from_formula(
        site="amplitude*(1 - cos(x)) + tilt*x",
        amplitude=amplitude,
        tilt=tilt,
        dim=dim,
        name="periodic",
        bounds=(-3 * np.pi, 3 * np.pi),
        minima=everywhere([-2 * np.pi, 0, 2 * np.pi], dim) if level else None,
        minimum_energy=0.0 if level else None,
    )


def gaussian_wells(
    centres: Sequence[Sequence[float]] = ((-1.5, 0.0), (1.5, 0.5), (0.5, -1.5), (0.0, 1.8)),
    depths: Sequence[float] | float = (4.0, 5.0, 3.0, 2.0),
    widths: Sequence[float] | float = (0.7, 0.35, 0.5, 0.6),
    confinement: float = 0.1,
) -> Potential:
    """Gaussian wells in a harmonic trap, U = confinement |x|^2/2 - sum_k depth_k exp(-|x -
    centre_k|^2 / (2 width_k^2)).

    By default the deepest of four wells is the narrowest: a quench lands in a broader one.

    Parameters
    ----------
    centres : array (wells, dim)
        Middle of each well.
    depths, widths : array (wells,) or float
        Depth (energy) and width (length) of each well, positive.
    confinement : float
        Curvature of the trap, positive.

    Notes
    -----
    Domain: the cube that holds all wells and two widths around them. The minimum is the lowest
    point that descent from the centres finds.
    """
    places = real_array(centres, "centres")
    if places.ndim != 2 or not places.size or not np.isfinite(places).all():
        raise ValueError(f"centres must be finite and have shape (wells, dim), not {places.shape}")
    wells, dim = places.shape
    check_positive_arrays(depths=depths, widths=widths)
    check_positive(confinement=confinement)
    for name, value in (("depths", depths), ("widths", widths)):
        if np.shape(value) not in ((), (wells,)):
            raise ValueError(
                f"{name} must be a number or {wells} numbers, one a well, not of shape "
                f"{np.shape(value)}"
            )
    depth, width = (np.broadcast_to(a, wells).astype(float) for a in (depths, widths))
    variables = ("x", "y", "z")[:dim] if dim <= 3 else tuple(f"x{i + 1}_" for i in range(dim))
    parameters: dict[str, Any] = {"confinement": confinement}
    text = "confinement*(" + " + ".join(f"{v}**2" for v in variables) + ")/2"
    for k in range(wells):
        parameters |= {f"d{k}": depth[k], f"w{k}": width[k]}
        parameters |= {f"{v}{k}": places[k, i] for i, v in enumerate(variables)}
        squares = " + ".join(f"({v} - {v}{k})**2" for v in variables)
        text += f" - d{k}*exp(-({squares})/(2*w{k}**2))"
    minimum, energy = _lowest(places, depth, width, confinement)
    reach = float(np.max(np.abs(places) + 2 * width[:, None]))
    return Potential.from_formula(
        text,
        variables=variables,
        name="gaussian_wells",
        bounds=(-reach, reach),
        minima=minimum,
        minimum_energy=energy,
        **parameters,
    )


def _lowest(
    centres: np.ndarray, depth: np.ndarray, width: np.ndarray, confinement: float
) -> tuple[np.ndarray, float]:
    """Lowest point of the Gaussian wells: mean shift from every centre, which never climbs, then
    Newton's method.
    """

    def pull(x: np.ndarray) -> np.ndarray:
        return depth * np.exp(-((x[..., None, :] - centres) ** 2).sum(-1) / (2 * width**2))

    x = centres
    for _ in range(1000):
        a = pull(x) / width**2
        x = a @ centres / (a.sum(-1, keepdims=True) + confinement)
    energy = confinement * (x**2).sum(-1) / 2 - pull(x).sum(-1)
    best = x[np.argmin(energy)]
    for _ in range(4):
        a, away = pull(best) / width**2, best - centres
        hessian = (confinement + a.sum()) * np.eye(len(best)) - (away.T * (a / width**2)) @ away
        best = best - np.linalg.solve(hessian, confinement * best + a @ away)
    return best, float(confinement * best @ best / 2 - pull(best).sum())


def funnel(dim: int = 2, width: float = 3.0) -> Potential:
    """Neal's funnel, U = v^2 / (2 width^2) + (dim - 1) v/2 + exp(-v)/2 sum_i x_i^2, coordinates v,
    x_1, x_2, ...

    At T = 1, v is normal with standard deviation `width` and x_i is normal with variance exp(v): no
    one time step suits both the mouth and the neck.

    Notes
    -----
    Domain [-3 width, 3 width]; minimum -width^2 (dim - 1)^2 / 8 at v = -width^2 (dim - 1)/2, x = 0,
    far down the neck (beyond the domain for larger dim). Neal, Ann. Stat. 31, 705 (2003), has dim =
    10, width = 3.
    """
    check_whole(2, 100, dim=dim)
    check_positive(width=width)
    others = [f"x{i}" for i in range(1, dim)]
    squares = " + ".join(f"{x}**2" for x in others)
    minimum = np.zeros(dim)
    minimum[0] = -(width**2) * (dim - 1) / 2
    return Potential.from_formula(
        f"v**2/(2*width**2) + {dim - 1}*v/2 + exp(-v)/2*({squares})",
        variables=("v", *others),
        width=width,
        name="funnel",
        bounds=(-3 * width, 3 * width),
        minima=minimum,
        minimum_energy=-(width**2) * (dim - 1) ** 2 / 8,
    )
