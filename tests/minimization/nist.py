"""Seven of NIST's reference problems of nonlinear regression: data, starting and certified values.

National Institute of Standards and Technology, Statistical Reference Datasets (StRD), Nonlinear
Regression, https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml. Measurements are those of
Misra (1978), Roszman (197?), Eckerle (197?), Kowalik and Osborne (1978), Meyer (1970), Osborne
(1972), and Box, Hunter and Hunter (1978).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Problem:
    """Parameters b of a model are sought for which the sum of squares is least.

    Attributes
    ----------
    model : callable
        ``model(x, *b)`` for x of shape (observations,).
    x, y : tuple of float
        Predictor and response.
    starts : two tuples of float
        From which to look, far and near.
    certified : tuple of float
        Parameters of the minimum, 11 digits.
    squares : float
        Residual sum of squares there.
    """

    name: str
    model: Callable[..., np.ndarray]
    x: tuple[float, ...]
    y: tuple[float, ...]
    starts: tuple[tuple[float, ...], tuple[float, ...]]
    certified: tuple[float, ...]
    squares: float

    def __call__(self, b: np.ndarray) -> float:
        with np.errstate(all="ignore"):  # a model may leave the range of numbers far from the data
            model = self.model(np.array(self.x), *b)
            return float(((model - np.array(self.y)) ** 2).sum())


# fmt: off
PROBLEMS = {problem.name: problem for problem in (
    Problem(
        "Misra1d", lambda x, a, b: a * b * x / (1 + b * x),
        (77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1,
         760.0),
        (10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47,
         81.78),
        ((500, 0.0001), (450, 0.0003)), (4.3736970754e2, 3.0227324449e-4), 5.6419295283e-2,
    ),
    Problem(
        "Roszman1", lambda x, a, b, c, d: a - b * x - np.arctan(c / (x - d)) / math.pi,
        (-4868.68, -4868.09, -4867.41, -3375.19, -3373.14, -3372.03, -2473.74, -2472.35, -2469.45,
         -1894.65, -1893.40, -1497.24, -1495.85, -1493.41, -1208.68, -1206.18, -1206.04, -997.92,
         -996.61, -996.31, -834.94, -834.66, -710.03, -530.16, -464.17),
        (0.252429, 0.252141, 0.251809, 0.297989, 0.296257, 0.295319, 0.339603, 0.337731, 0.333820,
         0.389510, 0.386998, 0.438864, 0.434887, 0.427893, 0.471568, 0.461699, 0.461144, 0.513532,
         0.506641, 0.505062, 0.535648, 0.533726, 0.568064, 0.612886, 0.624169),
        ((0.1, -0.00001, 1000, -100), (0.2, -0.000005, 1200, -150)),
        (2.0196866396e-1, -6.1953516256e-6, 1.2044556708e3, -1.8134269537e2), 4.9484847331e-4,
    ),
    Problem(
        "Eckerle4", lambda x, a, b, c: a / b * np.exp(-0.5 * ((x - c) / b) ** 2),
        (400, 405, 410, 415, 420, 425, 430, 435, 436.5, 438, 439.5, 441, 442.5, 444, 445.5, 447,
         448.5, 450, 451.5, 453, 454.5, 456, 457.5, 459, 460.5, 462, 463.5, 465, 470, 475, 480,
         485, 490, 495, 500),
        (0.0001575, 0.0001699, 0.0002350, 0.0003102, 0.0004917, 0.0008710, 0.0017418, 0.0046400,
         0.0065895, 0.0097302, 0.0149002, 0.0237310, 0.0401683, 0.0712559, 0.1264458, 0.2073413,
         0.2902366, 0.3445623, 0.3698049, 0.3668534, 0.3106727, 0.2078154, 0.1164354, 0.0616764,
         0.0337200, 0.0194023, 0.0117831, 0.0074357, 0.0022732, 0.0008800, 0.0004579, 0.0002345,
         0.0001586, 0.0001143, 0.0000710),
        ((1, 10, 500), (1.5, 5, 450)), (1.5543827178, 4.0888321754, 4.5154121844e2),
        1.4635887487e-3,
    ),
    Problem(
        "MGH09", lambda x, a, b, c, d: a * (x**2 + x * b) / (x**2 + x * c + d),
        (4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625),
        (0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246),
        ((25, 39, 41.5, 39), (0.25, 0.39, 0.415, 0.39)),
        (1.9280693458e-1, 1.9128232873e-1, 1.2305650693e-1, 1.3606233068e-1), 3.0750560385e-4,
    ),
    Problem(
        "MGH10", lambda x, a, b, c: a * np.exp(b / (x + c)), tuple(range(50, 126, 5)),
        (34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820,
         3307, 2872),
        ((2, 400000, 25000), (0.02, 4000, 250)),
        (5.6096364710e-3, 6.1813463463e3, 3.4522363462e2), 8.7945855171e1,
    ),
    Problem(
        "MGH17", lambda x, a, b, c, d, e: a + b * np.exp(-x * d) + c * np.exp(-x * e),
        tuple(range(0, 321, 10)),
        (0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751, 0.718, 0.685,
         0.658, 0.628, 0.603, 0.580, 0.558, 0.538, 0.522, 0.506, 0.490, 0.478, 0.467, 0.457, 0.448,
         0.438, 0.431, 0.424, 0.420, 0.414, 0.411, 0.406),
        ((50, 150, -100, 1, 2), (0.5, 1.5, -1, 0.01, 0.02)),
        (3.7541005211e-1, 1.9358469127, -1.4646871366, 1.2867534640e-2, 2.2122699662e-2),
        5.4648946975e-5,
    ),
    Problem(
        "BoxBOD", lambda x, a, b: a * (1 - np.exp(-b * x)), (1, 2, 3, 5, 7, 10),
        (109, 149, 149, 191, 213, 224), ((1, 1), (100, 0.75)),
        (2.1380940889e2, 5.4723748542e-1), 1.1680088766e3,
    ),
)}
# fmt: on
