"""The problems g01 to g13 of CEC 2006, with their constraints in SciPy's form.

Liang, Runarsson, Mezura-Montes, Clerc, Suganthan, Coello Coello, Deb: Problem definitions and
evaluation criteria for the CEC 2006 special session on constrained real-parameter optimization,
Nanyang Technological University (2006). There |h| <= 1e-4 is enough for an equation h = 0, and the
minima are those of the wider set, so `problem.constraints()` has it so; ``slack=0`` demands h = 0.

Run to measure: ``python benchmarks/constrained.py [seeds]``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import NonlinearConstraint

SLACK = 1e-4  # of equations, as published


@dataclass(frozen=True)
class Constrained:
    """``f(x)`` with ``g(x) <= 0``, ``h(x) = 0`` and bounds; the minimum as published, and where."""

    name: str
    f: Callable[[np.ndarray], float]
    bounds: list[tuple[float, float]]
    minimum: float
    place: tuple[float, ...]
    g: Callable[[np.ndarray], Any] | None = None
    h: Callable[[np.ndarray], Any] | None = None

    def constraints(self, slack: float = SLACK) -> list[NonlinearConstraint]:
        """In SciPy's form."""
        out = []
        if self.g is not None:
            out.append(NonlinearConstraint(self.g, -np.inf, 0.0))
        if self.h is not None:
            out.append(NonlinearConstraint(self.h, -slack, slack))
        return out

    def violation(self, x: np.ndarray) -> float:
        """The largest of g, and of |h| beyond the slack; 0 where all hold."""
        most = 0.0
        if self.g is not None:
            most = max(most, float(np.max(self.g(x))))
        if self.h is not None:
            most = max(most, float(np.max(np.abs(self.h(x)))) - SLACK)
        return most


def _g01(x: np.ndarray) -> float:
    return float(5 * x[:4].sum() - 5 * (x[:4] ** 2).sum() - x[4:].sum())


def _g01_within(x: np.ndarray) -> np.ndarray:
    a, b, c = x[9:12]
    return np.array(
        [
            2 * x[0] + 2 * x[1] + a + b - 10,
            2 * x[0] + 2 * x[2] + a + c - 10,
            2 * x[1] + 2 * x[2] + b + c - 10,
            -8 * x[0] + a,
            -8 * x[1] + b,
            -8 * x[2] + c,
            -2 * x[3] - x[4] + a,
            -2 * x[5] - x[6] + b,
            -2 * x[7] - x[8] + c,
        ]
    )


def _g02(x: np.ndarray) -> float:
    c = np.cos(x) ** 2
    norm = np.sqrt((np.arange(1, len(x) + 1) * x**2).sum())
    return float(-abs(((c**2).sum() - 2 * np.prod(c)) / norm)) if norm > 0 else np.nan


def _g03(x: np.ndarray) -> float:
    return float(-np.prod(np.sqrt(len(x)) * x))


def _g04(x: np.ndarray) -> float:
    return float(5.3578547 * x[2] ** 2 + 0.8356891 * x[0] * x[4] + 37.293239 * x[0] - 40792.141)


def _g04_within(x: np.ndarray) -> np.ndarray:
    a, b, c, d, e = x
    u = 85.334407 + 0.0056858 * b * e + 0.0006262 * a * d - 0.0022053 * c * e
    v = 80.51249 + 0.0071317 * b * e + 0.0029955 * a * b + 0.0021813 * c**2
    w = 9.300961 + 0.0047026 * c * e + 0.0012547 * a * c + 0.0019085 * c * d
    return np.array([u - 92, -u, v - 110, 90 - v, w - 25, 20 - w])


def _g05(x: np.ndarray) -> float:
    return float(3 * x[0] + 1e-6 * x[0] ** 3 + 2 * x[1] + 2e-6 / 3 * x[1] ** 3)


def _g05_equal(x: np.ndarray) -> np.ndarray:
    a, b, c, d = x
    return np.array(
        [
            1000 * np.sin(-c - 0.25) + 1000 * np.sin(-d - 0.25) + 894.8 - a,
            1000 * np.sin(c - 0.25) + 1000 * np.sin(c - d - 0.25) + 894.8 - b,
            1000 * np.sin(d - 0.25) + 1000 * np.sin(d - c - 0.25) + 1294.8,
        ]
    )


def _g06_within(x: np.ndarray) -> np.ndarray:
    a, b = x
    return np.array([100 - (a - 5) ** 2 - (b - 5) ** 2, (a - 6) ** 2 + (b - 5) ** 2 - 82.81])


def _g07(x: np.ndarray) -> float:
    a, b, c, d, e, f, g, h, i, j = x
    plain = a**2 + b**2 + a * b - 14 * a - 16 * b + (c - 10) ** 2 + 4 * (d - 5) ** 2 + (e - 3) ** 2
    rest = 2 * (f - 1) ** 2 + 5 * g**2 + 7 * (h - 11) ** 2 + 2 * (i - 10) ** 2 + (j - 7) ** 2
    return float(plain + rest + 45)


def _g07_within(x: np.ndarray) -> np.ndarray:
    a, b, c, d, e, f, g, h, i, j = x
    return np.array(
        [
            -105 + 4 * a + 5 * b - 3 * g + 9 * h,
            10 * a - 8 * b - 17 * g + 2 * h,
            -8 * a + 2 * b + 5 * i - 2 * j - 12,
            3 * (a - 2) ** 2 + 4 * (b - 3) ** 2 + 2 * c**2 - 7 * d - 120,
            5 * a**2 + 8 * b + (c - 6) ** 2 - 2 * d - 40,
            a**2 + 2 * (b - 2) ** 2 - 2 * a * b + 14 * e - 6 * f,
            0.5 * (a - 8) ** 2 + 2 * (b - 4) ** 2 + 3 * e**2 - f - 30,
            -3 * a + 6 * b + 12 * (i - 8) ** 2 - 7 * j,
        ]
    )


def _g08(x: np.ndarray) -> float:
    bottom = x[0] ** 3 * (x[0] + x[1])
    top = np.sin(2 * np.pi * x[0]) ** 3 * np.sin(2 * np.pi * x[1])
    return float(-top / bottom) if bottom > 0 else np.nan


def _g09(x: np.ndarray) -> float:
    a, b, c, d, e, f, g = x
    first = (a - 10) ** 2 + 5 * (b - 12) ** 2 + c**4 + 3 * (d - 11) ** 2 + 10 * e**6
    return float(first + 7 * f**2 + g**4 - 4 * f * g - 10 * f - 8 * g)


def _g09_within(x: np.ndarray) -> np.ndarray:
    a, b, c, d, e, f, g = x
    return np.array(
        [
            -127 + 2 * a**2 + 3 * b**4 + c + 4 * d**2 + 5 * e,
            -282 + 7 * a + 3 * b + 10 * c**2 + d - e,
            -196 + 23 * a + b**2 + 6 * f**2 - 8 * g,
            4 * a**2 + b**2 - 3 * a * b + 2 * c**2 + 5 * f - 11 * g,
        ]
    )


def _g10_within(x: np.ndarray) -> np.ndarray:
    a, b, c, d, e, f, g, h = x
    return np.array(
        [
            -1 + 0.0025 * (d + f),
            -1 + 0.0025 * (e + g - d),
            -1 + 0.01 * (h - e),
            -a * f + 833.33252 * d + 100 * a - 83333.333,
            -b * g + 1250 * e + b * d - 1250 * d,
            -c * h + 1250000 + c * e - 2500 * e,
        ]
    )


def _g12_within(x: np.ndarray) -> float:
    centre = np.clip(np.round(x), 1, 9)  # of the nearest of the 729 balls
    return float(((x - centre) ** 2).sum() - 0.0625)


def _g13_equal(x: np.ndarray) -> np.ndarray:
    return np.array([(x**2).sum() - 10, x[1] * x[2] - 5 * x[3] * x[4], x[0] ** 3 + x[1] ** 3 + 1])


PROBLEMS = [
    Constrained(
        "g01", _g01, [(0, 1)] * 9 + [(0, 100)] * 3 + [(0, 1)], -15.0,
        (1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 3, 1), g=_g01_within,
    ),
    Constrained(
        "g02", _g02, [(0, 10)] * 20, -0.80361910412559,
        (3.16246061572185, 3.12833142812967, 3.09479212988791, 3.06145059523469, 3.02792915885555,
         2.99382606701730, 2.95866871765285, 2.92184227312450, 0.49482511456933, 0.48835711005490,
         0.48231642711865, 0.47664475092742, 0.47129550835493, 0.46623099264167, 0.46142004984199,
         0.45683664767217, 0.45245876903267, 0.44826762241853, 0.44424700958760, 0.44038285956317),
        g=lambda x: np.array([0.75 - np.prod(x), x.sum() - 7.5 * len(x)]),
    ),
    Constrained(
        "g03", _g03, [(0, 1)] * 10, -1.00050010001, (0.31624357707,) * 10,
        h=lambda x: (x**2).sum() - 1,
    ),
    Constrained(
        "g04", _g04, [(78, 102), (33, 45)] + [(27, 45)] * 3, -30665.53867178332,
        (78, 33, 29.9952560256815985, 45, 36.7758129057882073), g=_g04_within,
    ),
    Constrained(
        "g05", _g05, [(0, 1200)] * 2 + [(-0.55, 0.55)] * 2, 5126.4967140071,
        (679.945148297028709, 1026.06697600004691, 0.118876369094410433, -0.39623348521517826),
        g=lambda x: np.array([x[2] - x[3] - 0.55, x[3] - x[2] - 0.55]), h=_g05_equal,
    ),
    Constrained(
        "g06", lambda x: float((x[0] - 10) ** 3 + (x[1] - 20) ** 3), [(13, 100), (0, 100)],
        -6961.81387558015, (14.09500000000000064, 0.8429607892154795668), g=_g06_within,
    ),
    Constrained(
        "g07", _g07, [(-10, 10)] * 10, 24.30620906818,
        (2.17199634142692, 2.3636830416034, 8.77392573913157, 5.09598443745173, 0.990654756560493,
         1.43057392853463, 1.32164415364306, 9.82872576524495, 8.2800915887356, 8.3759266477347),
        g=_g07_within,
    ),
    Constrained(
        "g08", _g08, [(0, 10)] * 2, -0.0958250414180359,
        (1.22797135260752599, 4.24537336612274885),
        g=lambda x: np.array([x[0] ** 2 - x[1] + 1, 1 - x[0] + (x[1] - 4) ** 2]),
    ),
    Constrained(
        "g09", _g09, [(-10, 10)] * 7, 680.630057374402,
        (2.33049935147405174, 1.95137236847114592, -0.477541399510615805, 4.36572624923625874,
         -0.624486959100388983, 1.03813099410962173, 1.5942266780671519), g=_g09_within,
    ),
    Constrained(
        "g10", lambda x: float(x[:3].sum()),
        [(100, 10000)] + [(1000, 10000)] * 2 + [(10, 1000)] * 5, 7049.24802052867,
        (579.306685017979589, 1359.97067807935605, 5109.97065743133317, 182.01769963061534,
         295.601173702746792, 217.982300369384632, 286.41652592786852, 395.601173702746735),
        g=_g10_within,
    ),
    Constrained(
        "g11", lambda x: float(x[0] ** 2 + (x[1] - 1) ** 2), [(-1, 1)] * 2, 0.7499,
        (-0.707036070037170616, 0.500000004333606807), h=lambda x: x[1] - x[0] ** 2,
    ),
    Constrained(
        "g12", lambda x: float(-(100 - ((x - 5) ** 2).sum()) / 100), [(0, 10)] * 3, -1.0,
        (5, 5, 5), g=_g12_within,
    ),
    Constrained(
        "g13", lambda x: float(np.exp(np.prod(x))), [(-2.3, 2.3)] * 2 + [(-3.2, 3.2)] * 3,
        0.053941514041898,
        (-1.71714224003, 1.59572124049468, 1.8272502406271, -0.763659881912867, -0.76365986736498),
        h=_g13_equal,
    ),
]  # fmt: skip


def main(seeds: int = 3, names: list[str] | None = None, slack: float = SLACK) -> None:
    """Print, for each problem, how far above the minimum each seed ended, and what it took."""
    import langevin_sa as lsa

    for problem in PROBLEMS:
        if names and problem.name not in names:
            continue
        row, hits = [], 0
        for seed in range(seeds):
            started = time.process_time()
            result = lsa.minimize(
                problem.f, bounds=problem.bounds, constraints=problem.constraints(slack), rng=seed
            )
            above, off = result.fun - problem.minimum, problem.violation(result.x)
            hits += result.success and abs(above) <= 1e-4 and off <= 1e-8
            row.append(f"{above:+.1e} {off:.0e} {result.nfev} {time.process_time() - started:.1f}s")
        print(f"{problem.name}  {hits} of {seeds}:  {';  '.join(row)}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3, sys.argv[2:])
