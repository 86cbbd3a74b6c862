"""The front door of the validation suite: every law of the package measured on this machine, backend and dtype.

print(langevin_sa.validate())        or        langevin-sa validate --report report.html
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from .arguments import check_flags, look_up, shown, whole
from .backends.workers import processors
from .noise import seed_of
from .validation import FAMILIES
from .validation.lab import Check, Lab

__all__ = ["Check", "Report", "validate"]
FALSE_ALARM = 1e-3  # of a whole report
MOST_THREADS = 4096


@dataclass
class Report:
    """The checks of one run of `validate` and their verdict.

    Attributes
    ----------
    checks : list of Check
        In the order in which they were made.
    backend, dtype, level, seed : str, str, str, int
        What was tested, how thoroughly, and with which noise.
    seconds : float
        Wall time.
    machine : dict
        Versions and processor.
    """

    checks: list[Check]
    backend: str
    dtype: str
    level: str
    seed: int
    seconds: float
    machine: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for check in self.checks:
            check.passed = bool(check.p_value >= self.threshold)

    @property
    def threshold(self) -> float:
        """The p-value below which a check fails: the false-alarm rate of the report over the number of checks with chance in them."""
        return FALSE_ALARM / max(1, sum(not check.is_identity for check in self.checks))

    @property
    def sigma(self) -> float:
        """The same threshold in standard deviations."""
        return float(stats.norm.isf(self.threshold / 2))

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def failures(self) -> list[Check]:
        """The checks that did not pass, the worst first."""
        return sorted((check for check in self.checks if not check.passed), key=lambda check: check.p_value)

    @property
    def verdict(self) -> str:
        """One sentence."""
        what = f"{len(self.checks)} checks on {self.backend}, {self.dtype}, in {self.seconds:.0f} s"
        rate = f"a correct build fails one in {1 / FALSE_ALARM:.0f} reports by chance; each check is held to {self.sigma:.2f} sigma"
        return (f"PASS: {what}; {rate}." if self.passed else f"FAIL: {len(self.failures)} of {what}; {rate}.").replace("  ", " ")

    def __str__(self) -> str:
        lines = [f"{'check':<66} {'measured':>12} {'exact':>12} {'error':>9} {'sigma':>6}  {'':4}"]
        family = ""
        for check in self.checks:
            if check.family != family:
                family = check.family
                lines.append(f"-- {title(family)}")
            off = "-" if check.is_identity and check.passed else f"{check.sigma:.1f}"
            error = f"+-{check.tolerance:.0e}" if check.is_identity else f"{check.standard_error:.1e}"
            mark = "ok" if check.passed else "FAIL"
            lines.append(f"{check.name[:66]:<66} {check.measured:>12.6g} {check.exact:>12.6g} {error:>9} {off:>6}  {mark}")
        return "\n".join([*lines, "", self.verdict])

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain numbers and words."""
        about = {
            key: getattr(self, key) for key in ("backend", "dtype", "level", "seed", "seconds", "machine", "passed", "verdict", "sigma")
        }
        rows = [{**asdict(check), "sigma": check.sigma if np.isfinite(check.sigma) else None} for check in self.checks]
        return {**about, "false_alarm_rate": FALSE_ALARM, "threshold": self.threshold, "checks": rows}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a self-contained page (.html) or the numbers (.json)."""
        path = Path(path)
        if path.suffix == ".html":
            from .report import html

            path.write_text(html(self), encoding="utf-8")
        elif path.suffix == ".json":
            path.write_text(json.dumps(self.to_dict(), indent=1), encoding="utf-8")
        else:
            raise ValueError(f"a report is written as .html or .json, not {path.suffix or 'without an ending'!r}")


def title(family: str) -> str:
    """What heads a family in a report."""
    return str(import_module(f".validation.{family}", __package__).TITLE)


def validate(
    backend: Any = "auto",
    dtype: Any = "float64",
    level: str = "quick",
    rng: Any = 0,
    progress: bool = False,
    *,
    families: Any = None,
    threads: int | None = None,
) -> Report:
    """Measure every law of the package and compare it with the exact value.

    Parameters
    ----------
    backend : str or Backend class
        What is tested; "auto" is numba. A class is called as ``backend(potential, walk, threads)``.
    dtype : {"float64", "float32"}
        How positions are stored.
    level : {"quick", "full"}
        Under a minute on two cores, or a few minutes and smaller errors.
    rng : int, numpy.random.Generator or None
        Seed of everything.
    progress : bool
        Say on stderr which family is running.
    families : sequence of str, optional
        Only these of `langevin_sa.validation.FAMILIES`.
    threads : int, optional
        By default all processors of this process.

    Returns
    -------
    Report
        Its verdict has a family-wise false-alarm rate of 1e-3: Bonferroni over all checks with chance in them, p-values from
        Student's t, chi-square or Hotelling's T^2; identities hold to their stated tolerance.

    Raises
    ------
    ValueError, TypeError
        For an unknown backend, dtype, level or family.
    """
    from tqdm.auto import tqdm

    from .arguments import real_dtype

    if not isinstance(level, str) or level not in ("quick", "full"):
        raise ValueError(f"level must be 'quick' or 'full', not {shown(level)}")
    if not (isinstance(backend, str) or callable(backend)):
        raise TypeError(f"backend must be a name or a Backend class, not {shown(backend)}")
    if isinstance(backend, str):
        from .backends.choose import get_backend
        from .potentials import harmonic

        get_backend(backend, harmonic())
    if isinstance(families, str) or not (families is None or isinstance(families, Iterable)):
        raise TypeError(f"families must be a sequence of names, not {shown(families)}")
    if threads is not None and not (whole(threads) and 1 <= threads <= MOST_THREADS):
        raise ValueError(f"threads must be an integer from 1 to {MOST_THREADS}, not {shown(threads)}")
    check_flags(progress=progress)
    names = FAMILIES if families is None else tuple(families)
    for name in names:
        look_up(name, dict.fromkeys(FAMILIES, True), "family")
    lab = Lab(backend, real_dtype(dtype), level, seed_of(rng), threads or processors())
    started = time.perf_counter()
    found: list[Check] = []
    for name in tqdm(names, disable=None if progress else True, unit="family"):
        lab.begin(FAMILIES.index(name))
        found += timed(lab, name)
    label = {"auto": "numba"}.get(backend, backend) if isinstance(backend, str) else getattr(backend, "__name__", "a backend")
    return Report(found, label, lab.dtype.name, level, lab.seed, time.perf_counter() - started, machine(lab.threads))


def timed(lab: Lab, family: str) -> list[Check]:
    """The checks of a family, each with its time; one that fails for certain if a run in it breaks off."""
    out: list[Check] = []
    started = time.perf_counter()
    try:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            for check in import_module(f".validation.{family}", __package__).checks(lab):
                check.family, check.seconds = family, time.perf_counter() - started
                started = time.perf_counter()
                out.append(check)
    except (ArithmeticError, np.linalg.LinAlgError, ValueError) as error:
        out.append(Check(f"broke off: {error}", "every run stays finite", np.nan, 0.0, p_value=0.0, family=family))
    return out


def machine(threads: int) -> dict[str, str]:
    """What a report says of where it was made."""
    from importlib.metadata import version

    versions = {name: version(name) for name in ("langevin_sa", "numpy", "numba", "scipy")}
    return {**versions, "python": platform.python_version(), "system": platform.platform(), "threads": str(threads),
            "date": time.strftime("%Y-%m-%d %H:%M %Z")}  # fmt: skip
