"""Test functions of global optimization in any number of dimensions.

Definitions follow Jamil, Yang, Int. J. Math. Model. Numer. Optim. 4, 150 (2013) unless a docstring
says otherwise.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import check_positive, check_whole, real_array
from ..potential import Potential
from .sums import everywhere


def rosenbrock(dim: int = 2, a: float = 100.0) -> Potential:
    """Rosenbrock's valley, U = sum_{i < dim} a (x_{i+1} - x_i^2)^2 + (1 - x_i)^2.

    Notes
    -----
    Domain [-2.048, 2.048]; minimum 0 with all x_i = 1; from dim = 4 on also a local one near (-1,
    1, ..., 1). Rosenbrock, Comput. J. 3, 175 (1960).
    """
    check_whole(2, dim=dim)
    check_positive(a=a)
    return Potential.from_formula(
        bond="a*(y - x**2)**2 + (1 - x)**2",
        a=a,
        dim=dim,
        name="rosenbrock",
        bounds=(-2.048, 2.048),
        minima=np.ones(dim),
        minimum_energy=0.0,
    )


def rastrigin(dim: int = 10, shift: Any = None) -> Potential:
    """Rastrigin's function, U = sum_i z_i^2 - 10 cos(2 pi z_i) + 10 with z = x - shift: a lattice
    of wells in a bowl.

    Parameters
    ----------
    dim : int
        Number of coordinates.
    shift : float or array (dim,), optional
        Where the minimum is, the origin by default.

    Notes
    -----
    Domain [-5.12, 5.12] around the minimum, which has energy 0. Rastrigin, Systems of Extremal
    Control (1974).
    """
    check_whole(1, dim=dim)
    shift = None if shift is None else real_array(shift, "shift")
    if shift is not None and np.shape(shift) not in ((), (dim,)):
        raise ValueError(
            f"shift must be a number or an array of shape ({dim},), not of shape {np.shape(shift)}"
        )
    minimum = np.zeros(dim) if shift is None else np.zeros(dim) + shift
    z, parameters = ("x", {}) if shift is None else ("(x - shift)", {"shift": shift})
    return Potential.from_formula(
        site=f"{z}**2 - 10*cos(2*pi*{z}) + 10",
        dim=dim,
        name="rastrigin",
        bounds=minimum[:, None] + np.array([-5.12, 5.12]),
        minima=minimum,
        minimum_energy=0.0,
        **parameters,
    )


def styblinski_tang(dim: int = 10) -> Potential:
    """Styblinski-Tang function, U = sum_i (x_i^4 - 16 x_i^2 + 5 x_i)/2: an uneven double well in
    every coordinate.

    Notes
    -----
    Domain [-5, 5]; minimum -39.16617 dim with all x_i = -2.903534. Styblinski, Tang, Neural Netw.
    3, 467 (1990).
    """
    check_whole(1, dim=dim)
    return Potential.from_formula(
        site="(x**4 - 16*x**2 + 5*x)/2",
        dim=dim,
        name="styblinski_tang",
        bounds=(-5, 5),
        minima=everywhere([-2.90353402777117710], dim),
        minimum_energy=-39.1661657037714155 * dim,
    )


def schwefel(dim: int = 10, wall: float = 1.0) -> Potential:
    """Schwefel's function, U = sum_i 418.98 - x_i sin(sqrt|x_i|) + wall max(0, |x_i| - 500)^2.

    Good local minima lie far from the best one. Without the wall U has no lower bound: deeper wells
    follow outside.

    Notes
    -----
    Domain [-500, 500], where the wall does nothing; minimum 0 with all x_i = 420.9687 (the
    constant, often rounded to 418.9829, is exact here). Schwefel, Numerical Optimization of
    Computer Models (1981).
    """
    check_whole(1, dim=dim)
    check_positive(wall=wall)
    return Potential.from_formula(
        # 1e-30: a slope at 0
        site=f"{_SCHWEFEL!r} - x*sin(sqrt(abs(x) + 1e-30)) + wall*(abs(x) - 500 + abs(abs(x) - "
        "500))**2/4",
        wall=wall,
        dim=dim,
        name="schwefel",
        bounds=(-500, 500),
        minima=everywhere([420.968746359982027], dim),
        minimum_energy=0.0,
    )


_SCHWEFEL = 418.982887272433706


def levy(dim: int = 10) -> Potential:
    """Levy's function, a wavy bowl.

    With w = 1 + (x - 1)/4, U = sin^2(pi w_1) + sum_{i < dim} (w_i - 1)^2 (1 + 10 sin^2(pi w_i + 1))
    + (w_dim - 1)^2 (1 + sin^2(2 pi w_dim)).

    Notes
    -----
    Domain [-10, 10]; minimum 0 with all x_i = 1. Laguna, Marti, J. Glob. Optim. 33, 235 (2005).
    """
    check_whole(1, dim=dim)
    first, last = np.zeros(dim), np.zeros(dim)
    first[0] = last[-1] = 1
    w = "(1 + (x - 1)/4)"
    return Potential.from_formula(
        site=f"first*sin(pi*{w})**2 + ({w} - 1)**2*(1 + 10*(1 - last)*sin(pi*{w} + 1)**2 + "
        f"last*sin(2*pi*{w})**2)",
        first=first,
        last=last,
        dim=dim,
        name="levy",
        bounds=(-10, 10),
        minima=np.ones(dim),
        minimum_energy=0.0,
    )


def michalewicz(dim: int = 10, m: int = 10, wall: float = 1.0) -> Potential:
    """Michalewicz's function, U = -sum_i sin(x_i) sin^(2 m)(i x_i^2/pi) + wall times the squared
    distance from [0, pi]: grooves in a plain.

    They are narrower with m and i. Without the wall there are deeper ones from 2 pi on.

    Notes
    -----
    Domain [0, pi], which is part of the definition, and where the wall does nothing. Minimum
    -1.8013 for dim = 2, -9.6602 for dim = 10 with m = 10. Michalewicz, Genetic Algorithms + Data
    Structures (1992).
    """
    check_whole(1, dim=dim)
    check_positive(wall=wall)
    check_whole(1, 32, m=m)
    index = np.arange(1.0, dim + 1)
    minimum, energy = _michalewicz_minimum(index, m)
    return Potential.from_formula(
        site=f"-sin(x)*sin(index*x**2/pi)**{2 * m} + wall*(abs(x - pi/2) - pi/2 + abs(abs(x - "
        "pi/2) - pi/2))**2/4",
        index=index,
        wall=wall,
        dim=dim,
        name="michalewicz",
        bounds=(0, np.pi),
        minima=minimum,
        minimum_energy=energy,
    )


def _michalewicz_minimum(index: np.ndarray, m: int) -> tuple[np.ndarray, float]:
    """Minimum in [0, pi]: the best of the grooves nearest pi/2, each refined by Newton's method on
    log(-U).
    """
    groove = np.clip(np.floor(index / 4 - 0.5)[:, None] + np.arange(-1, 3), 0, index[:, None] - 1)
    i = index[:, None]
    x = np.pi * np.sqrt((groove + 0.5) / i)
    for _ in range(20):
        u, du = i * x**2 / np.pi, 2 * i * x / np.pi
        slope = 1 / np.tan(x) + 2 * m * du / np.tan(u)
        bend = 2 * i / np.pi / np.tan(u) - du**2 / np.sin(u) ** 2
        curvature = -1 / np.sin(x) ** 2 + 2 * m * bend
        x = x - slope / curvature
    depth = np.sin(x) * np.sin(i * x**2 / np.pi) ** (2 * m)
    best = np.argmax(depth, axis=1)[:, None]
    return np.take_along_axis(x, best, 1)[:, 0], -float(np.take_along_axis(depth, best, 1).sum())


# ------------------------------------------------------- not sums over coordinates: array functions


def ackley(dim: int = 10, a: float = 20.0, b: float = 0.2, c: float = 2 * np.pi) -> Potential:
    """Ackley's function, U = a + e - a exp(-b sqrt(mean_i x_i^2)) - exp(mean_i cos(c x_i)): a
    funnel in a rough plain.

    Notes
    -----
    Domain [-32.768, 32.768]; minimum 0 at the origin, the tip of a cone: the gradient there is
    taken as 0. Ackley, A Connectionist Machine for Genetic Hillclimbing (1987).
    """
    check_whole(1, dim=dim)
    check_positive(a=a, b=b, c=c)
    return Potential(
        _ackley_energy,
        _ackley_gradient,
        dim,
        (float(a), float(b), float(c)),
        (-32.768, 32.768),
        "ackley",
        laplacian=_ackley_laplacian,
        minima=np.zeros(dim),
        minimum_energy=0.0,
        latex=r"a + e - a \exp\left(-b \sqrt{\frac{1}{N} \sum_{i} x_{i}^{2}}\right) - "
        r"\exp\left(\frac{1}{N} \sum_{i} \cos(c x_{i})\right)",
    )


def _ackley_energy(x: Any, a: Any, b: Any, c: Any) -> Any:
    return a + np.e - a * np.exp(-b * np.sqrt((x * x).mean(1))) - np.exp(np.cos(c * x).mean(1))


def _ackley_gradient(x: Any, a: Any, b: Any, c: Any) -> Any:
    r = np.sqrt((x * x).mean(1))
    cone = a * b * np.exp(-b * r) / np.maximum(r, 1e-30)
    ripples = c * np.exp(np.cos(c * x).mean(1))
    return (cone[:, None] * x + ripples[:, None] * np.sin(c * x)) / x.shape[1]


def _ackley_laplacian(x: Any, a: Any, b: Any, c: Any) -> Any:
    dim = x.shape[1]
    r, m = np.sqrt((x * x).mean(1)), np.cos(c * x).mean(1)
    cone = a * b * np.exp(-b * r) * ((dim - 1) / np.maximum(r, 1e-30) - b)
    return (cone + c**2 * np.exp(m) * (dim * m - (np.sin(c * x) ** 2).mean(1))) / dim


def griewank(dim: int = 10) -> Potential:
    """Griewank's function, U = 1 + sum_i x_i^2/4000 - prod_i cos(x_i/sqrt(i)): ripples on a wide
    bowl.

    Notes
    -----
    Domain [-600, 600]; minimum 0 at the origin. Griewank, J. Optim. Theory Appl. 34, 11 (1981).
    """
    check_whole(1, dim=dim)
    return Potential(
        _griewank_energy,
        _griewank_gradient,
        dim,
        (np.sqrt(np.arange(1.0, dim + 1)),),
        (-600, 600),
        "griewank",
        laplacian=_griewank_laplacian,
        minima=np.zeros(dim),
        minimum_energy=0.0,
        latex=r"1 + \frac{1}{4000} \sum_{i} x_{i}^{2} - \prod_{i} "
        r"\cos\left(\frac{x_{i}}{\sqrt{i}}\right)",
    )


def _griewank_energy(x: Any, root: Any) -> Any:
    return 1 + (x * x).sum(1) / 4000 - np.cos(x / root).prod(1)


def _griewank_gradient(x: Any, root: Any) -> Any:
    cosines = np.cos(x / root)
    one = np.ones_like(cosines[:, :1])
    # products without the own factor, which may be 0
    before = np.concatenate([one, cosines[:, :-1]], axis=1).cumprod(1)
    after = np.concatenate([one, cosines[:, :0:-1]], axis=1).cumprod(1)[:, ::-1]
    return x / 2000 + np.sin(x / root) / root * before * after


def _griewank_laplacian(x: Any, root: Any) -> Any:
    return x.shape[1] / 2000 + np.cos(x / root).prod(1) * (1 / root**2).sum()
