"""The front door of the validation suite: every law of the package measured on this machine,
backend and dtype.

print(langevin_sa.validate())        or        langevin-sa validate --report report.html
"""

from __future__ import annotations

import platform
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..annealing.bars import bar
from ..arguments import check_flags, check_whole, look_up, real_dtype, shown
from ..backends.workers import processors
from ..noise import seed_of
from ..storage.versions import version_of
from .families import FAMILIES, family_of
from .lab import Check, Lab
from .report import Report

__all__ = ["Check", "Report", "validate"]
MOST_THREADS = 4096  # that may be asked for


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
        Only these of `langevin_sa.validation.families.FAMILIES`.
    threads : int, optional
        By default all processors of this process.

    Returns
    -------
    Report
        Its verdict has a family-wise false-alarm rate of 1e-3: Bonferroni over all checks with
        chance in them, p-values from Student's t, chi-square or Hotelling's T^2; identities hold to
        their stated tolerance.

    Raises
    ------
    ValueError, TypeError
        For an unknown backend, dtype, level or family.
    """
    if not isinstance(level, str) or level not in ("quick", "full"):
        raise ValueError(f"level must be 'quick' or 'full', not {shown(level)}")
    if not (isinstance(backend, str) or callable(backend)):
        raise TypeError(f"backend must be a name or a Backend class, not {shown(backend)}")
    if isinstance(backend, str):
        from ..backends.choose import get_backend
        from ..potentials import harmonic

        get_backend(backend, harmonic())
    if isinstance(families, str) or not (families is None or isinstance(families, Iterable)):
        raise TypeError(f"families must be a sequence of names, not {shown(families)}")
    if threads is not None:
        check_whole(1, MOST_THREADS, threads=threads)
    check_flags(progress=progress)
    names = FAMILIES if families is None else tuple(families)
    for name in names:
        look_up(name, dict.fromkeys(FAMILIES, True), "family")
    lab = Lab(backend, real_dtype(dtype), level, seed_of(rng), threads or processors())
    started = time.perf_counter()
    found: list[Check] = []
    for name in bar(names, shown=progress, unit="family"):
        lab.begin(FAMILIES.index(name))
        found += timed(lab, name)
    label = getattr(backend, "__name__", "a backend")
    if isinstance(backend, str):
        label = {"auto": "numba"}.get(backend, backend)
    seconds = time.perf_counter() - started
    about = (label, lab.dtype.name, level, lab.seed, seconds, machine(lab.threads))
    return Report(found, *about)


def timed(lab: Lab, family: str) -> list[Check]:
    """The checks of a family, each with its time; one that fails for certain if a run in it breaks
    off.
    """
    out: list[Check] = []
    started = time.perf_counter()
    try:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            for check in family_of(family).checks(lab):
                check.family, check.seconds = family, time.perf_counter() - started
                started = time.perf_counter()
                out.append(check)
    except (ArithmeticError, np.linalg.LinAlgError, ValueError) as error:
        name, law = f"broke off: {error}", "every run stays finite"
        out.append(Check(name, law, np.nan, 0.0, p_value=0.0, family=family))
    return out


def machine(threads: int) -> dict[str, str]:
    """What a report says of where it was made."""
    versions = {name: version_of(name) for name in ("langevin_sa", "numpy", "numba", "scipy")}
    versions |= {"python": platform.python_version(), "system": platform.platform()}
    return versions | {"threads": str(threads), "date": time.strftime("%Y-%m-%d %H:%M %Z")}
