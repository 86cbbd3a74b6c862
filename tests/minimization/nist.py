"""NIST's 27 reference problems of nonlinear regression: models here; data, starting and certified
values in nist.json.

National Institute of Standards and Technology, Statistical Reference Datasets (StRD), Nonlinear
Regression, https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml; a work of the United States'
government, in the public domain.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

pi, exp, cos, sin, arctan = np.pi, np.exp, np.cos, np.sin, np.arctan


def _chwirut(x, a, b, c):
    return exp(-a * x) / (b + c * x)


def _gauss(x, a, b, c, d, e, f, g, h):
    return a * exp(-b * x) + c * exp(-((x - d) ** 2) / e**2) + f * exp(-((x - g) ** 2) / h**2)


def _lanczos(x, a, b, c, d, e, f):
    return a * exp(-b * x) + c * exp(-d * x) + e * exp(-f * x)


def _cubic(x, a, b, c, d, e, f, g):
    return (a + b * x + c * x**2 + d * x**3) / (1 + e * x + f * x**2 + g * x**3)


def _enso(x, a, b, c, d, e, f, g, h, i):
    year = a + b * cos(2 * pi * x / 12) + c * sin(2 * pi * x / 12)
    longer = e * cos(2 * pi * x / d) + f * sin(2 * pi * x / d)
    return year + longer + h * cos(2 * pi * x / g) + i * sin(2 * pi * x / g)


MODELS: dict[str, Callable[..., np.ndarray]] = {
    "Bennett5": lambda x, a, b, c: a * (b + x) ** (-1 / c),
    "BoxBOD": lambda x, a, b: a * (1 - exp(-b * x)),
    "Chwirut1": _chwirut,
    "Chwirut2": _chwirut,
    "DanWood": lambda x, a, b: a * x**b,
    "ENSO": _enso,
    "Eckerle4": lambda x, a, b, c: a / b * exp(-0.5 * ((x - c) / b) ** 2),
    "Gauss1": _gauss,
    "Gauss2": _gauss,
    "Gauss3": _gauss,
    "Hahn1": _cubic,
    "Kirby2": lambda x, a, b, c, d, e: (a + b * x + c * x**2) / (1 + d * x + e * x**2),
    "Lanczos1": _lanczos,
    "Lanczos2": _lanczos,
    "Lanczos3": _lanczos,
    "MGH09": lambda x, a, b, c, d: a * (x**2 + x * b) / (x**2 + x * c + d),
    "MGH10": lambda x, a, b, c: a * exp(b / (x + c)),
    "MGH17": lambda x, a, b, c, d, e: a + b * exp(-x * d) + c * exp(-x * e),
    "Misra1a": lambda x, a, b: a * (1 - exp(-b * x)),
    "Misra1b": lambda x, a, b: a * (1 - (1 + b * x / 2) ** -2),
    "Misra1c": lambda x, a, b: a * (1 - (1 + 2 * b * x) ** -0.5),
    "Misra1d": lambda x, a, b: a * b * x / (1 + b * x),
    "Nelson": lambda x, a, b, c: a - b * x[0] * exp(-c * x[1]),  # of the logarithm of y
    "Rat42": lambda x, a, b, c: a / (1 + exp(b - c * x)),
    "Rat43": lambda x, a, b, c, d: a / (1 + exp(b - c * x)) ** (1 / d),
    "Roszman1": lambda x, a, b, c, d: a - b * x - arctan(c / (x - d)) / pi,
    "Thurber": _cubic,
}
STEP = 1e-30  # along which derivatives are complex steps
# other parameters of the same curve
ALIKE: dict[str, Callable[[np.ndarray], list[np.ndarray]]] = (
    {"Eckerle4": lambda b: [b * [-1, -1, 1]], "MGH17": lambda b: [b[[0, 2, 1, 4, 3]]]}
    | dict.fromkeys(
        ("Gauss1", "Gauss2", "Gauss3"),
        lambda b: [
            p * [1, 1, 1, 1, s, 1, 1, t]
            for p in (b, b[[0, 1, 5, 6, 7, 2, 3, 4]])
            for s in (-1, 1)
            for t in (-1, 1)
        ],
    )
    | dict.fromkeys(
        ("Lanczos1", "Lanczos2", "Lanczos3"),
        lambda b: [
            b.reshape(3, 2)[list(order)].ravel()
            for order in ((0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
        ],
    )
    | {
        "ENSO": lambda b: [
            p * [1, 1, 1, s, 1, s, t, 1, t]
            for p in (b, b[[0, 1, 2, 6, 7, 8, 3, 4, 5]])
            for s in (-1, 1)
            for t in (-1, 1)
        ]
    }
)


@dataclass(frozen=True)
class Problem:
    """Parameters b of a model are sought for which the sum of squares is least.

    Attributes
    ----------
    x, y : ndarray
        Predictor, (observations,) or (2, observations), and response (observations,).
    starts : ndarray (2, parameters)
        From which to look, far and near.
    certified : ndarray (parameters,)
        Parameters of the minimum, 11 digits.
    squares : float
        Residual sum of squares there.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    starts: np.ndarray
    certified: np.ndarray
    squares: float

    def residuals(self, b: np.ndarray) -> np.ndarray:
        """Model minus response (observations,)."""
        with np.errstate(all="ignore"):  # a model may leave the range of numbers far from the data
            return MODELS[self.name](self.x, *b) - self.y

    def jacobian(self, b: np.ndarray) -> np.ndarray:
        """Derivatives of the residuals (observations, parameters)."""
        moved = b + 1j * STEP * np.eye(len(b))
        return np.stack([self.residuals(point).imag / STEP for point in moved], axis=1)

    def __call__(self, b: np.ndarray) -> float:
        with np.errstate(all="ignore"):
            return float((self.residuals(b) ** 2).sum())

    def gradient(self, b: np.ndarray) -> np.ndarray:
        """Of the sum of squares (parameters,)."""
        with np.errstate(all="ignore"):
            return 2 * self.residuals(b) @ self.jacobian(b)

    def error(self, b: np.ndarray) -> float:
        """Largest relative error of parameters."""
        same = [b, *ALIKE.get(self.name, lambda _: [])(b)]
        return min(float(np.abs(c / self.certified - 1).max()) for c in same)


def _read(name: str, said: dict) -> Problem:
    return Problem(
        name,
        **{k: v if isinstance(v, float) else np.array(v, dtype=float) for k, v in said.items()},
    )


PROBLEMS = {
    name: _read(name, said)
    for name, said in json.loads(Path(__file__).with_name("nist.json").read_text()).items()
}
