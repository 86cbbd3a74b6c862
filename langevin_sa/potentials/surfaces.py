"""Surfaces over two coordinates, which can be drawn."""

from __future__ import annotations

import numpy as np

from ..potential import Potential


def muller_brown() -> Potential:
    """Muller-Brown surface, a model of a chemical reaction: three wells along a bent valley.

    U = sum_k A_k exp(a_k (x - x_k)^2 + b_k (x - x_k)(y - y_k) + c_k (y - y_k)^2), four terms, the
    last one repulsive.

    Notes
    -----
    Domain x in [-1.5, 1.2], y in [-0.5, 2]. Minima -146.6995 at (-0.5582, 1.4417), the lowest,
    -108.1667 at (0.6235, 0.0280) and -80.7678 at (-0.0500, 0.4667). Muller, Brown, Theor. Chim.
    Acta 53, 75 (1979).
    """
    return Potential.from_formula(
        "-200*exp(-(x - 1)**2 - 10*y**2) - 100*exp(-x**2 - 10*(y - 0.5)**2)"
        " - 170*exp(-6.5*(x + 0.5)**2 + 11*(x + 0.5)*(y - 1.5) - 6.5*(y - 1.5)**2)"
        " + 15*exp(0.7*(x + 1)**2 + 0.6*(x + 1)*(y - 1) + 0.7*(y - 1)**2)",
        name="muller_brown",
        bounds=((-1.5, 1.2), (-0.5, 2)),
        minima=[-0.55822363463302448, 1.44172584180466867],
        minimum_energy=-146.699517209954014,
    )


def himmelblau() -> Potential:
    """Himmelblau's function, U = (x^2 + y - 11)^2 + (x + y^2 - 7)^2.

    Notes
    -----
    Domain [-5, 5]; four minima of energy 0: (3, 2), (-2.8051, 3.1313), (-3.7793, -3.2832), (3.5844,
    -1.8481). Himmelblau, Applied Nonlinear Programming (1972).
    """
    return Potential.from_formula(
        "(x**2 + y - 11)**2 + (x + y**2 - 7)**2",
        name="himmelblau",
        bounds=(-5, 5),
        minimum_energy=0.0,
        minima=[
            [3, 2],
            [-2.80511808695274485, 3.13131251825057297],
            [-3.77931025337774690, -3.28318599128616941],
            [3.58442834033049174, -1.84812652696440355],
        ],
    )


def three_hump_camel() -> Potential:
    """Three-hump camel, U = 2 x^2 - 1.05 x^4 + x^6/6 + x y + y^2.

    Notes
    -----
    Domain [-5, 5]; minimum 0 at the origin, local minima 0.2986 near (1.7476, -0.8738) and its
    opposite. Jamil, Yang, Int. J. Math. Model. Numer. Optim. 4, 150 (2013).
    """
    return Potential.from_formula(
        "2*x**2 - 1.05*x**4 + x**6/6 + x*y + y**2",
        name="three_hump_camel",
        bounds=(-5, 5),
        minima=[0, 0],
        minimum_energy=0.0,
    )


def six_hump_camel() -> Potential:
    """Six-hump camel, U = (4 - 2.1 x^2 + x^4/3) x^2 + x y + (4 y^2 - 4) y^2.

    Notes
    -----
    Domain x in [-3, 3], y in [-2, 2]; minima -1.0316 at (0.0898, -0.7127) and its opposite. Dixon,
    Szego, Towards Global Optimization 2 (1978).
    """
    minimum = np.array([0.0898420131003180624, -0.712656403020739633])
    return Potential.from_formula(
        "(4 - 2.1*x**2 + x**4/3)*x**2 + x*y + (4*y**2 - 4)*y**2",
        name="six_hump_camel",
        bounds=((-3, 3), (-2, 2)),
        minima=[minimum, -minimum],
        minimum_energy=-1.03162845348987735,
    )
