"""Standard test functions of global optimization, written from the literature, with exact gradients
by complex steps.

Each is one line of NumPy over the last axis of x that works for complex x too. Those with their
optimum in the middle of their box get a shift and a rotation from a seed. Sources: Jamil, Yang,
Int. J. Math. Model. Numer. Optim. 4, 150 (2013); Dixon, Szego 1978; More, Garbow, Hillstrom 1981;
Surjanovic, Bingham 2013.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

STEP = 1e-30
pi, sin, cos, exp, sqrt = np.pi, np.sin, np.cos, np.exp, np.sqrt


def size(z: Any) -> Any:
    """|z| continued analytically from each side of 0."""
    return z * np.sign(np.real(z))


def root(z: Any) -> Any:
    return sqrt(z + 0j) if np.iscomplexobj(z) else sqrt(z)


def largest(z: Any) -> Any:
    return np.take_along_axis(z, np.argmax(np.real(z), axis=-1)[..., None], axis=-1)[..., 0]


@dataclass
class Function:
    """A test function on a box; `moved` shifts `central` ones, and turns them unless `turns` is
    false.
    """

    name: str
    dim: int
    box: Any
    minimum: float
    raw: Callable[[Any], Any]
    central: bool = False
    turns: bool = True
    shift: Any = 0.0
    rotation: Any = None

    @property
    def bounds(self) -> list[tuple[float, float]]:
        box = np.broadcast_to(np.asarray(self.box, dtype=float), (self.dim, 2))
        return [(float(a), float(b)) for a, b in box]

    def moved(self, seed: int) -> Function:
        """The same with its optimum somewhere in the inner 70 % of the box and its axes turned, by
        this seed.
        """
        if not self.central:
            return self
        rng = np.random.default_rng([seed, self.dim, sum(map(ord, self.name))])
        low, high = np.array(self.bounds).T
        shift = (low + high) / 2 + 0.35 * (high - low) * rng.uniform(-1, 1, self.dim)
        q, r = (
            np.linalg.qr(rng.standard_normal((self.dim, self.dim)))
            if self.turns
            else [np.eye(self.dim)] * 2
        )
        return replace(self, shift=shift, rotation=q * np.sign(np.diag(r)))

    def __call__(self, x: Any) -> Any:
        x = np.asarray(x)
        if self.rotation is not None:
            x = (x - self.shift) @ self.rotation
        return self.raw(x)

    def gradient(self, x: Any) -> Any:
        """Exact to rounding."""
        points = np.asarray(x, dtype=float) + 1j * STEP * np.eye(self.dim)
        return np.imag(self(points)) / STEP


def _i(x: Any) -> Any:
    return np.arange(1, x.shape[-1] + 1)


def _levy(x: Any) -> Any:
    w = 1 + x / 4  # optimum at 0
    return (
        sin(pi * w[..., 0]) ** 2
        + ((w[..., :-1] - 1) ** 2 * (1 + 10 * sin(pi * w[..., :-1] + 1) ** 2)).sum(-1)
        + (w[..., -1] - 1) ** 2 * (1 + sin(2 * pi * w[..., -1]) ** 2)
    )


def _hartmann(a: Any, p: Any) -> Callable[[Any], Any]:
    a, p, c = np.array(a), np.array(p), np.array([1, 1.2, 3, 3.2])
    return lambda x: -(c * exp(-(a * (x[..., None, :] - p) ** 2).sum(-1))).sum(-1)


_H3 = _hartmann(
    [[3, 10, 30], [0.1, 10, 35], [3, 10, 30], [0.1, 10, 35]],
    [
        [0.3689, 0.1170, 0.2673],
        [0.4699, 0.4387, 0.7470],
        [0.1091, 0.8732, 0.5547],
        [0.03815, 0.5743, 0.8828],
    ],
)
_H6 = _hartmann(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ],
    [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
        [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
        [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ],
)
_FOXHOLES = np.array(
    [
        [4, 4, 4, 4],
        [1, 1, 1, 1],
        [8, 8, 8, 8],
        [6, 6, 6, 6],
        [3, 7, 3, 7],
        [2, 9, 2, 9],
        [5, 5, 3, 3],
        [8, 1, 8, 1],
        [6, 2, 6, 2],
        [7, 3.6, 7, 3.6],
    ]
)
_DEPTHS = np.array([0.1, 0.2, 0.2, 0.4, 0.4, 0.6, 0.3, 0.7, 0.5, 0.5])


def _shekel(m: int) -> Callable[[Any], Any]:
    return lambda x: -(1 / (((x[..., None, :] - _FOXHOLES[:m]) ** 2).sum(-1) + _DEPTHS[:m])).sum(-1)


_LANGERMANN = np.array([[3, 5], [5, 2], [2, 1], [1, 4], [7, 9]]), np.array([1, 2, 5, 2, 3])


def _langermann(x: Any) -> Any:
    r2 = ((x[..., None, :] - _LANGERMANN[0]) ** 2).sum(-1)
    return -(_LANGERMANN[1] * exp(-r2 / pi) * cos(pi * r2)).sum(-1)


_KOWALIK = (
    np.array(
        [0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246]
    ),
    1 / np.array([0.25, 0.5, 1, 2, 4, 6, 8, 10, 12, 14, 16]),
)


def _kowalik(x: Any) -> Any:
    a, b = _KOWALIK
    v = [x[..., k, None] for k in range(4)]
    return ((a - v[0] * (b**2 + b * v[1]) / (b**2 + b * v[2] + v[3])) ** 2).sum(-1)


def _shubert(x: Any) -> Any:
    j = np.arange(1, 6)
    return (j * cos((j + 1) * x[..., None] + j)).sum(-1).prod(-1)


def _hansen(x: Any) -> Any:
    i = np.arange(5)
    first = ((i + 1) * cos(i * x[..., :1] + i + 1)).sum(-1)
    return first * ((i + 1) * cos((i + 2) * x[..., 1:] + i + 1)).sum(-1)


def _whitley(x: Any) -> Any:
    y = 100 * (x[..., :, None] ** 2 - x[..., None, :]) ** 2 + (1 - x[..., None, :]) ** 2
    return (y**2 / 4000 - cos(y) + 1).sum((-1, -2))


def _weierstrass(x: Any) -> Any:
    k = np.arange(12)
    return (0.5**k * cos(2 * pi * 3**k * (x[..., None] + 0.5))).sum((-1, -2)) - x.shape[-1] * (
        0.5**k * cos(pi * 3**k)
    ).sum()


def _brown(x: Any) -> Any:
    a, b = x[..., :-1] ** 2 + 1e-300, x[..., 1:] ** 2 + 1e-300
    return (a ** (b + 1) + b ** (a + 1)).sum(-1)


def _powell(x: Any) -> Any:
    a, b, c, d = (x[..., k::4] for k in range(4))
    return ((a + 10 * b) ** 2 + 5 * (c - d) ** 2 + (b - 2 * c) ** 4 + 10 * (a - d) ** 4).sum(-1)


def plane(f: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    return lambda x: f(x[..., 0], x[..., 1])


def _goldstein(x: Any, y: Any) -> Any:
    return (1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2)) * (
        30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2)
    )


def _colville(x: Any) -> Any:
    a, b, c, d = (x[..., k] for k in range(4))
    return (
        100 * (a**2 - b) ** 2
        + (a - 1) ** 2
        + (c - 1) ** 2
        + 90 * (c**2 - d) ** 2
        + 10.1 * ((b - 1) ** 2 + (d - 1) ** 2)
        + 19.8 * (b - 1) * (d - 1)
    )


def rastrigin(x: Any) -> Any:
    return 10 * x.shape[-1] + (x**2 - 10 * cos(2 * pi * x)).sum(-1)


def _r(x: Any) -> Any:
    return root((x**2).sum(-1) + 1e-300)


FUNCTIONS = [
    # many coordinates
    Function("sphere", 30, (-100, 100), 0, lambda x: (x**2).sum(-1), True),
    Function("ellipsoid", 20, (-10, 10), 0, lambda x: (_i(x) ** 2 * x**2).sum(-1), True),
    Function(
        "rosenbrock",
        10,
        (-5, 10),
        0,
        lambda x: (100 * (x[..., 1:] - x[..., :-1] ** 2) ** 2 + (1 - x[..., :-1]) ** 2).sum(-1),
    ),
    Function(
        "ackley",
        10,
        (-32.768, 32.768),
        0,
        lambda x: (
            20
            + np.e
            - 20 * exp(-0.2 * root((x**2).mean(-1) + 1e-300))
            - exp(cos(2 * pi * x).mean(-1))
        ),
        True,
    ),
    Function(
        "griewank",
        10,
        (-600, 600),
        0,
        lambda x: 1 + (x**2).sum(-1) / 4000 - cos(x / sqrt(_i(x))).prod(-1),
        True,
    ),
    Function("rotated rastrigin", 4, (-5.12, 5.12), 0, rastrigin, True),
    Function("levy", 10, (-10, 10), 0, _levy, True),
    Function("levy 30", 30, (-10, 10), 0, _levy, True),
    Function(
        "zakharov",
        10,
        (-5, 10),
        0,
        lambda x: (x**2).sum(-1) + (0.5 * _i(x) * x).sum(-1) ** 2 + (0.5 * _i(x) * x).sum(-1) ** 4,
    ),
    Function(
        "styblinski-tang",
        6,
        (-5, 5),
        -39.166165703771419 * 6,
        lambda x: (x**4 - 16 * x**2 + 5 * x).sum(-1) / 2,
    ),
    Function(
        "michalewicz 5",
        5,
        (0, pi),
        -4.687658179,
        lambda x: -(sin(x) * sin(_i(x) * x**2 / pi) ** 20).sum(-1),
    ),
    Function(
        "michalewicz 10",
        10,
        (0, pi),
        -9.66015171564,
        lambda x: -(sin(x) * sin(_i(x) * x**2 / pi) ** 20).sum(-1),
    ),
    Function(
        "schwefel 5",
        5,
        (-500, 500),
        0,
        lambda x: 418.98288727243369 * x.shape[-1] - (x * sin(root(size(x)))).sum(-1),
    ),
    Function(
        "schwefel 10",
        10,
        (-500, 500),
        0,
        lambda x: 418.98288727243369 * x.shape[-1] - (x * sin(root(size(x)))).sum(-1),
    ),
    Function(
        "dixon-price",
        10,
        (-10, 10),
        0,
        lambda x: (
            (x[..., 0] - 1) ** 2 + (_i(x)[1:] * (2 * x[..., 1:] ** 2 - x[..., :-1]) ** 2).sum(-1)
        ),
    ),
    Function(
        "trid",
        6,
        (-36, 36),
        -50,
        lambda x: ((x - 1) ** 2).sum(-1) - (x[..., 1:] * x[..., :-1]).sum(-1),
    ),
    Function("salomon", 5, (-100, 100), 0, lambda x: 1 - cos(2 * pi * _r(x)) + 0.1 * _r(x), True),
    Function("alpine 1", 5, (-10, 10), 0, lambda x: size(x * sin(x) + 0.1 * x).sum(-1)),
    Function(
        "alpine 2", 4, (0.01, 10), -(2.8081311800070053**4), lambda x: -(root(x) * sin(x)).prod(-1)
    ),
    Function("powell singular", 8, (-4, 5), 0, _powell),
    Function("whitley", 3, (-10.24, 10.24), 0, _whitley),
    Function("weierstrass", 4, (-0.5, 0.5), 0, _weierstrass, True),
    Function("brown", 6, (-1, 4), 0, _brown),
    Function(
        "cosine mixture", 4, (-1, 1), -0.4, lambda x: (x**2 - 0.1 * cos(5 * pi * x)).sum(-1), True
    ),
    Function(
        "xin-she yang",
        3,
        (-2 * pi, 2 * pi),
        0,
        lambda x: size(x).sum(-1) * exp(-sin(x**2).sum(-1)),
        True,
    ),
    Function("schwefel 2.21", 5, (-100, 100), 0, lambda x: largest(size(x)), True),
    Function("schwefel 2.22", 4, (-10, 10), 0, lambda x: size(x).sum(-1) + size(x).prod(-1), True),
    Function(
        "paviani",
        10,
        (2.001, 9.999),
        -45.77846970744629,
        lambda x: (np.log(x - 2) ** 2 + np.log(10 - x) ** 2).sum(-1) - x.prod(-1) ** 0.2,
    ),
    Function("hartmann 3", 3, (0, 1), -3.86278214782076, _H3),
    Function("hartmann 6", 6, (0, 1), -3.32236801141551, _H6),
    Function("shekel 5", 4, (0, 10), -10.15319967905823, _shekel(5)),
    Function("shekel 7", 4, (0, 10), -10.40294056681868, _shekel(7)),
    Function("shekel 10", 4, (0, 10), -10.53640981669204, _shekel(10)),
    Function("colville", 4, (-10, 10), 0, _colville),
    Function("kowalik", 4, (-5, 5), 3.0748598780560557e-4, _kowalik),
    # two coordinates
    Function(
        "schaffer f6",
        2,
        (-100, 100),
        0,
        lambda x: 0.5 + (sin(_r(x)) ** 2 - 0.5) / (1 + 0.001 * (x**2).sum(-1)) ** 2,
        True,
    ),
    Function(
        "drop-wave",
        2,
        (-5.12, 5.12),
        -1,
        lambda x: -(1 + cos(12 * _r(x))) / (0.5 * (x**2).sum(-1) + 2),
        True,
    ),
    Function(
        "easom",
        2,
        (-20, 20),
        -1,
        plane(lambda x, y: -cos(x) * cos(y) * exp(-((x - pi) ** 2) - (y - pi) ** 2)),
    ),
    Function(
        "eggholder",
        2,
        (-512, 512),
        -959.6406627106155,
        plane(
            lambda x, y: (
                -(y + 47) * sin(root(size(y + x / 2 + 47))) - x * sin(root(size(x - y - 47)))
            )
        ),
    ),
    Function(
        "holder table",
        2,
        (-10, 10),
        -19.2085025678868,
        plane(lambda x, y: -size(sin(x) * cos(y) * exp(size(1 - root(x**2 + y**2) / pi)))),
    ),
    Function(
        "cross-in-tray",
        2,
        (-10, 10),
        -2.06261187082274,
        plane(
            lambda x, y: (
                -0.0001
                * (size(sin(x) * sin(y) * exp(size(100 - root(x**2 + y**2) / pi))) + 1) ** 0.1
            )
        ),
    ),
    Function("goldstein-price", 2, (-2, 2), 3, plane(_goldstein)),
    Function(
        "branin",
        2,
        ((-5, 10), (0, 15)),
        0.39788735772973816,
        plane(
            lambda x, y: (
                (y - 5.1 / (4 * pi**2) * x**2 + 5 / pi * x - 6) ** 2
                + 10 * (1 - 1 / (8 * pi)) * cos(x)
                + 10
            )
        ),
    ),
    Function(
        "six-hump camel",
        2,
        (-5, 5),
        -1.031628453489877,
        plane(lambda x, y: (4 - 2.1 * x**2 + x**4 / 3) * x**2 + x * y + (4 * y**2 - 4) * y**2),
    ),
    Function(
        "three-hump camel",
        2,
        (-5, 5),
        0,
        plane(lambda x, y: 2 * x**2 - 1.05 * x**4 + x**6 / 6 + x * y + y**2),
        True,
    ),
    Function("shubert", 2, (-10, 10), -186.7309088310239, _shubert),
    Function("hansen", 2, (-10, 10), -176.54179313674, _hansen),
    Function(
        "beale",
        2,
        (-4.5, 4.5),
        0,
        plane(
            lambda x, y: (
                (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2
            )
        ),
    ),
    Function(
        "himmelblau", 2, (-5, 5), 0, plane(lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2)
    ),
    Function(
        "mccormick",
        2,
        ((-1.5, 4), (-3, 4)),
        -1.913222954981037,
        plane(lambda x, y: sin(x + y) + (x - y) ** 2 - 1.5 * x + 2.5 * y + 1),
    ),
    Function(
        "bukin 6",
        2,
        ((-15, -5), (-3, 3)),
        0,
        plane(lambda x, y: 100 * root(size(y - 0.01 * x**2)) + 0.01 * size(x + 10)),
    ),
    Function(
        "bohachevsky",
        2,
        (-100, 100),
        0,
        plane(lambda x, y: x**2 + 2 * y**2 - 0.3 * cos(3 * pi * x) - 0.4 * cos(4 * pi * y) + 0.7),
        True,
    ),
    Function(
        "bird",
        2,
        (-2 * pi, 2 * pi),
        -106.7645367198034,
        plane(
            lambda x, y: (
                sin(x) * exp((1 - cos(y)) ** 2) + cos(y) * exp((1 - sin(x)) ** 2) + (x - y) ** 2
            )
        ),
    ),
    Function(
        "levy 13",
        2,
        (-10, 10),
        0,
        plane(
            lambda x, y: (
                sin(3 * pi * x) ** 2
                + (x - 1) ** 2 * (1 + sin(3 * pi * y) ** 2)
                + (y - 1) ** 2 * (1 + sin(2 * pi * y) ** 2)
            )
        ),
    ),
    Function(
        "egg crate",
        2,
        (-5, 5),
        0,
        plane(lambda x, y: x**2 + y**2 + 25 * (sin(x) ** 2 + sin(y) ** 2)),
        True,
    ),
    Function(
        "ursem 1",
        2,
        ((-2.5, 3), (-2, 2)),
        -4.816814063734245,
        plane(lambda x, y: -sin(2 * x - 0.5 * pi) - 3 * cos(y) - 0.5 * x),
    ),
    Function(
        "hosaki",
        2,
        ((0, 5), (0, 6)),
        -2.345811576101292,
        plane(lambda x, y: (1 - 8 * x + 7 * x**2 - 7 / 3 * x**3 + x**4 / 4) * y**2 * exp(-y)),
    ),
    Function(
        "trefethen",
        2,
        (-10, 10),
        -3.3068686474752402,
        plane(
            lambda x, y: (
                exp(sin(50 * x))
                + sin(60 * exp(y))
                + sin(70 * sin(x))
                + sin(sin(80 * y))
                - sin(10 * (x + y))
                + (x**2 + y**2) / 4
            )
        ),
    ),
    Function(
        "chichinadze",
        2,
        (-30, 30),
        -42.94438701899098,
        plane(
            lambda x, y: (
                x**2
                - 12 * x
                + 11
                + 10 * cos(pi * x / 2)
                + 8 * sin(5 * pi * x / 2)
                - 0.2**0.5 * exp(-0.5 * (y - 0.5) ** 2)
            )
        ),
    ),
    Function("langermann", 2, (0, 10), -5.1621261599539555, _langermann),
    Function(
        "adjiman",
        2,
        ((-1, 2), (-1, 1)),
        -2.0218067833370204,
        plane(lambda x, y: cos(x) * sin(y) - x / (y**2 + 1)),
    ),
]
