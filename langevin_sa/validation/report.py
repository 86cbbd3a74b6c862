"""The verdict over all checks, as text, numbers or a page."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from ..drawing import Displayed, draw
from ..storage.whole import write_whole
from .families import title
from .html import html
from .lab import Check

FALSE_ALARM = 1e-3  # of a whole report


@dataclass(repr=False)
class Report(Displayed):
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
        """The p-value below which a check fails: the false-alarm rate of the report over the number
        of checks with chance in them.
        """
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
        failed = [check for check in self.checks if not check.passed]
        return sorted(failed, key=lambda check: check.p_value)

    @property
    def verdict(self) -> str:
        """One sentence."""
        what = f"{len(self.checks)} checks on {self.backend}, {self.dtype}, in {self.seconds:.0f} s"
        rate = (
            f"a correct build fails one in {1 / FALSE_ALARM:.0f} reports by chance; each check is "
            f"held to {self.sigma:.2f} sigma"
        )
        outcome = "PASS:" if self.passed else f"FAIL: {len(self.failures)} of"
        return f"{outcome} {what}; {rate}."

    def __str__(self) -> str:
        lines = [f"{'check':<66} {'measured':>12} {'exact':>12} {'error':>9} {'sigma':>6}  {'':4}"]
        family = ""
        for check in self.checks:
            if check.family != family:
                family = check.family
                lines.append(f"-- {title(family)}")
            off = "-" if check.is_identity and check.passed else f"{check.sigma:.1f}"
            error = f"{check.standard_error:.1e}"
            if check.is_identity:
                error = f"+-{check.tolerance:.0e}"
            numbers = f"{check.measured:>12.6g} {check.exact:>12.6g} {error:>9} {off:>6}"
            lines.append(f"{check.name[:66]:<66} {numbers}  {'ok' if check.passed else 'FAIL'}")
        return "\n".join([*lines, "", self.verdict])

    __repr__ = __str__

    def plot(self) -> Any:
        """The p-values of all checks; see `langevin_sa.plots.p_values`."""
        return draw("p_values", self)

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain numbers and words."""
        names = ("backend", "dtype", "level", "seed", "seconds", "machine")
        about = {name: getattr(self, name) for name in (*names, "passed", "verdict", "sigma")}
        about |= {"false_alarm_rate": FALSE_ALARM, "threshold": self.threshold}
        rows = [
            {**asdict(check), "sigma": check.sigma if np.isfinite(check.sigma) else None}
            for check in self.checks
        ]
        return {**about, "checks": rows}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a self-contained page (.html) or the numbers (.json)."""
        path = Path(path)
        if path.suffix == ".html":
            write_whole(path, html(self))
        elif path.suffix == ".json":
            write_whole(path, json.dumps(self.to_dict(), indent=1))
        else:
            raise ValueError(
                f"a report is written as .html or .json, not {path.suffix or 'without an ending'!r}"
            )
