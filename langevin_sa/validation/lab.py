"""What every family of checks uses: a `Lab` that drives the backend under test, and `Check`, one
law and what was measured.

A check compares a number with an exact one in units of its standard error, which comes from
independent replicas; what the law itself leaves open (rounding, a stated discretization error) is
its `tolerance`, and an identity has nothing else. Tests of whole distributions bring a p-value. A
slow backend gets fewer replicas, and so wider standard errors, not looser laws.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from scipy import stats

from ..backends.choose import get_backend
from ..backends.walk import Walk
from ..integrators import INTEGRATORS
from ..momentum import Steps

SCALE = {"fast": {"quick": 1.0, "full": 6.0}, "slow": {"quick": 0.025, "full": 0.2}}
SMALLEST = float(stats.norm.isf(2.5e-324))  # the deviation whose p-value is the smallest float
THERMAL = {name: row for name, row in INTEGRATORS.items() if row.thermal}
INERTIAL = tuple(name for name, row in THERMAL.items() if not row.overdamped)
OVERDAMPED = tuple(name for name, row in THERMAL.items() if row.overdamped)
# One row for each way in which the recursion that kernels know can differ: single noise, halves,
# another rho, unequal parts. What the other rows make of (gamma, dt, T) are identities ("rows").
MEASURED = ("bbk", "gjf", "baoab", "vec")


@dataclass
class Check:
    """One law, what was measured, and the verdict.

    Attributes
    ----------
    name, law : str
        What was looked at, and the law in LaTeX.
    measured, exact : float
        The two numbers that should agree; chi-square and its degrees of freedom for a test of a
        distribution.
    standard_error : float
        Of `measured`; 0 for an identity.
    tolerance : float
        What the law leaves open; only a deviation beyond it counts.
    p_value, sigma : float
        Chance of a deviation at least this large in a correct build, and the same in standard
        deviations of a normal.
    passed : bool
        Whether p_value is above the threshold of the report that the check belongs to.
    seconds : float
        What it took, shared evenly among checks measured together.
    family : str
        The group of laws it belongs to.
    about : dict
        Numbers for figures.
    """

    name: str
    law: str
    measured: float
    exact: float
    standard_error: float = 0.0
    tolerance: float = 0.0
    p_value: float = 1.0
    passed: bool = False
    seconds: float = 0.0
    family: str = ""
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def sigma(self) -> float:
        """The deviation in standard deviations; 0 within the tolerance of an identity, infinite
        beyond it.
        """
        if self.p_value > 0:
            return float(stats.norm.isf(self.p_value / 2))
        # the chance is below what a float can say
        off = abs(self.measured - self.exact) - self.tolerance
        if self.standard_error > 0 and np.isfinite(off):
            return max(off / self.standard_error, SMALLEST)
        return np.inf

    @property
    def is_identity(self) -> bool:
        """Whether there is no chance in it: it holds within its tolerance or not at all."""
        return self.standard_error == 0

    @property
    def is_pure_chance(self) -> bool:
        """Whether its p-value is uniform in a correct build: what it tolerates is well within its
        standard error.
        """
        return self.tolerance < 0.1 * self.standard_error


def identity(
    name: str, law: str, measured: float, exact: float, tolerance: float, **about: Any
) -> Check:
    """A check that holds to within `tolerance`, whatever the seed."""
    p = 1.0 if abs(measured - exact) <= tolerance else 0.0
    return Check(name, law, float(measured), float(exact), 0.0, tolerance, p, about=about)


def sampled(
    name: str, law: str, per_replica: np.ndarray, exact: float, tolerance: float = 0.0, **about: Any
) -> Check:
    """The mean of independent values, shape (replicas,), against the exact one, by Student's t
    without its skewness.

    Means of squares are skewed, and t is then wrong in the far tails that a verdict over hundreds
    of checks lives in (a hundredfold for 100 squares at p = 1e-5); Hall's cubic takes that out (J.
    R. Stat. Soc. B 54, 221 (1992)).
    """
    n, mean = len(per_replica), float(np.mean(per_replica))
    spread = float(np.std(per_replica, ddof=1))
    off = mean - exact
    beyond = np.sign(off) * max(0.0, abs(off) - tolerance)
    if not (np.isfinite(mean) and spread > 0):
        p = 1.0 if mean == exact else 0.0
    else:
        skew, shift = float(stats.skew(per_replica)), beyond / spread
        shift += skew * shift**2 / 3 + skew**2 * shift**3 / 27 + (skew / (6 * n) if beyond else 0.0)
        p = 2 * float(stats.t.sf(abs(shift) * np.sqrt(n), n - 1))
    return Check(name, law, mean, float(exact), spread / np.sqrt(n), tolerance, p, about=about)


def variance(
    name: str, law: str, gaussian: np.ndarray, exact: float, tolerance: float = 0.0, **about: Any
) -> Check:
    """The mean square of independent Gaussians of mean 0, any shape, by chi-square, which knows its
    own error.
    """
    n, total = gaussian.size, float(np.sum(gaussian**2))
    above = stats.chi2.sf(total / (exact + tolerance), n)
    below = stats.chi2.cdf(total / (exact - tolerance), n)
    p = min(1.0, 2 * float(min(above, below))) if np.isfinite(total) else 0.0
    error = float(exact * np.sqrt(2 / n))
    return Check(name, law, total / n, float(exact), error, tolerance, p, about=about)


def estimated(
    name: str,
    law: str,
    measured: float,
    standard_error: float,
    exact: float,
    tolerance: float = 0.0,
    freedom: float = np.inf,
    **about: Any,
) -> Check:
    """An estimate with its standard error against the exact value."""
    if not (np.isfinite(measured) and standard_error > 0):
        p = 1.0 if measured == exact else 0.0
    else:
        beyond = max(0.0, abs(measured - exact) - tolerance)
        p = 2 * float(stats.t.sf(beyond / standard_error, freedom))
    return Check(name, law, measured, float(exact), standard_error, tolerance, p, about=about)


def binned(name: str, law: str, counts: np.ndarray, expected: np.ndarray, **about: Any) -> Check:
    """Chi-square of counts against expected ones; bins that expect fewer than 20 are pooled."""
    counts, expected = counts.ravel(), expected.ravel()
    rare = expected < 20
    counts = np.append(counts[~rare], counts[rare].sum())
    expected = np.append(expected[~rare], expected[rare].sum())
    counts, expected = counts[expected > 5], expected[expected > 5]
    statistic = float(np.sum((counts - expected) ** 2 / expected))
    return chi_square(name, law, statistic, len(counts) - 1, **about)


def chi_square(name: str, law: str, statistic: float, freedom: int, **about: Any) -> Check:
    """A chi-square statistic against its degrees of freedom."""
    p = float(stats.chi2.sf(statistic, freedom)) if np.isfinite(statistic) else 0.0
    return Check(name, law, statistic, freedom, float(np.sqrt(2 * freedom)), 0.0, p, about=about)


def joint(name: str, law: str, per_replica: np.ndarray, exact: np.ndarray, **about: Any) -> Check:
    """Means of several correlated quantities, (replicas, k), all at once: Hotelling's T^2."""
    n, k = per_replica.shape
    off = per_replica.mean(0) - exact
    t2 = np.inf
    if np.isfinite(off).all():
        t2 = float(n * off @ np.linalg.solve(np.cov(per_replica.T), off))
    p = float(stats.f.sf(t2 * (n - k) / (k * (n - 1)), k, n - k))
    return Check(name, law, t2, k, float(np.sqrt(2 * k)), 0.0, p, about=about)


@dataclass
class Driven:
    """A walk and the backend that moves it."""

    walk: Walk
    backend: Any

    def advance(self, steps: Steps) -> None:
        """Move on by the given steps."""
        self.backend.advance(steps)

    def forget(self) -> None:
        """Zero the sums that thermometers read."""
        self.walk.forget()


class Lab:
    """A backend, a dtype and a level of effort; makes walks whose seeds follow from one seed.

    Parameters
    ----------
    backend : str or Backend class
        What is tested.
    dtype : {"float64", "float32"}
        How positions are stored.
    level : {"quick", "full"}
        How many samples.
    seed : int
        All randomness follows from it.
    threads : int
        Threads of the backend.
    """

    def __init__(self, backend: Any, dtype: Any, level: str, seed: int, threads: int) -> None:
        self.backend, self.dtype, self.level = backend, np.dtype(dtype), level
        self.seed, self.threads = seed, threads
        self.slow = is_slow(backend)
        self.scale = SCALE["slow" if self.slow else "fast"][level]
        self.epsilon = float(np.finfo(self.dtype).eps)
        # relative tolerance of sampled laws
        self.rounding = 1e-5 if self.dtype == np.float32 else 0.0
        self.begin(0)

    def begin(self, family: int) -> None:
        """Start a family of checks, whose numbers then do not depend on which others run."""
        self.generator = np.random.default_rng([self.seed, family])

    def replicas(self, n: int, least: int = 64) -> int:
        """n replicas, more or fewer by level and speed."""
        return max(least, int(n * self.scale))

    def steps(self, n: int, least: int = 1) -> int:
        """n steps, fewer where the backend is slow."""
        return max(least, n // 4) if self.slow else n

    def new_seed(self) -> int:
        """The next seed."""
        return int(self.generator.integers(2**63))

    def drive(
        self,
        potential: Any,
        x0: Any,
        dx: Any = None,
        like: Walk | None = None,
        seed: int | None = None,
        masses: np.ndarray | None = None,
    ) -> Driven:
        """A walk from x0 (replicas, dim), of coordinates with these `masses`; with `like`, going on
        with the seed, step and carried noise of another walk.
        """
        walk = Walk.at_rest(x0, self.new_seed() if seed is None else seed, self.dtype)
        walk.masses = masses
        if dx is not None:
            walk.dx[...] = dx
        if like is not None:
            walk.noise[...], walk.step, walk.seed = like.noise, like.step, like.seed
        make = self.backend
        if isinstance(make, str):
            make = get_backend(make, potential, len(walk.x))
        return Driven(walk, make(potential, walk, self.threads))


def is_slow(backend: Any) -> bool:
    """Whether a backend is of the speed of plain NumPy."""
    if isinstance(backend, str):
        return backend == "numpy"
    from ..backends.cpu.functions import ArrayBackend
    from ..backends.numpy import NumpyBackend

    plain = isinstance(backend, type) and issubclass(backend, NumpyBackend)
    return plain and not issubclass(backend, ArrayBackend)


def row(name: str, gamma: Any, dt: Any, temperature: Any, n: int) -> Steps:
    """n equal steps of an integrator."""
    return INTEGRATORS[name].steps(np.full(n, gamma), dt, temperature)


def unit_row(name: str, gamma_dt: float, temperature: float, n: int) -> Steps:
    """n equal steps with dt = 1 as the stability limit knows it (dt^2 = 2 h for the overdamped
    rows).
    """
    if name in OVERDAMPED:
        return row(name, 1.0, 0.5, temperature, n)
    unit = float(INTEGRATORS[name].steps(gamma_dt, 1.0, 0.0).dt)
    return row(name, gamma_dt * unit, 1 / unit, temperature, n)


@cache
def formula(text: str, **parameters: Any) -> Any:
    """A potential from a formula, parsed once."""
    from ..potential import Potential

    return Potential.from_formula(text, **parameters)
