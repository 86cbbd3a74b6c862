"""A validation report as one HTML page that needs nothing else: figures and laws are inside it, and
it asks no network.
"""

from __future__ import annotations

import base64
from functools import cache
from html import escape
from importlib import resources
from itertools import groupby
from string import Template
from typing import Any

import numpy as np

from ..drawing import draw
from .families import title
from .lab import Check


def html(report: Any) -> str:
    """The page for a `Report`."""
    grouped = groupby(report.checks, key=lambda check: check.family)
    families = [(name, list(checks)) for name, checks in grouped]
    sections = "\n".join(_section(report, name, title(name), checks) for name, checks in families)
    overview = "\n".join(_summary(name, title(name), checks) for name, checks in families)
    sentence = report.verdict.split(": ", 1)[1]
    about = {name: str(getattr(report, name)) for name in ("backend", "dtype", "level", "seed")}
    word = "pass" if report.passed else "fail"
    here = resources.files(__package__)
    return Template(here.joinpath("report.html").read_text(encoding="utf-8")).substitute(
        style=here.joinpath("report.css").read_text(encoding="utf-8"),
        word=word,
        WORD=word.upper(),
        badge="badge" if report.passed else "badge bad",
        sentence=escape(sentence[0].upper() + sentence[1:]),
        facts="".join(
            f"<div><dt>{escape(key)}</dt><dd>{escape(value)}</dd></div>"
            for key, value in (about | report.machine).items()
        ),
        worst=_worst(report),
        overview=overview,
        figures=_figures(report),
        threshold=f"{report.threshold:.1e}",
        sigma=f"{report.sigma:.2f}",
        sections=sections,
    )


def _summary(name: str, heading: str, checks: list[Check]) -> str:
    failed = sum(not check.passed for check in checks)
    chance = [check.sigma for check in checks if not check.is_identity]
    mark = f'<span class="no">{failed}</span>' if failed else "0"
    largest = f"{max(chance):.1f} &sigma;" if chance else "identities"
    return (
        f'<tr><td><a href="#{name}">{escape(heading)}</a></td><td class="n">{len(checks)}</td>'
        f'<td class="n">{mark}</td><td class="n">{largest}</td>'
        f'<td class="n">{sum(check.seconds for check in checks):.1f}</td></tr>'
    )


def _worst(report: Any) -> str:
    if report.passed:
        return ""
    rows = "".join(
        f"<li>{escape(c.name)}: measured {c.measured:.6g}, exact {c.exact:.6g}</li>"
        for c in report.failures[:12]
    )
    return f'<p class="no">What failed, the worst first:</p><ul>{rows}</ul>'


def _section(report: Any, name: str, heading: str, checks: list[Check]) -> str:
    by_law: dict[str, list[Check]] = {}
    for check in checks:
        by_law.setdefault(check.law, []).append(check)
    rows = []
    for law, group in by_law.items():
        rows.append(f'<tr class="law"><td colspan="7">{law_image(law)}</td></tr>')
        rows += [_row(report, check) for check in group]
    return f"""<h2 id="{name}">{escape(heading)}</h2><div class="scroll"><table>
<tr><th>check</th><th class="n">measured</th><th class="n">exact</th><th class="n">error</th>
<th class="n">allowed</th><th>deviation</th><th></th></tr>
{"".join(rows)}</table></div>"""


def _row(report: Any, check: Check) -> str:
    error = f"&plusmn;{check.tolerance:.0e}" if check.is_identity else f"{check.standard_error:.1e}"
    allowed = f"{check.tolerance:.0e}" if check.tolerance and not check.is_identity else ""
    size = min(check.sigma / report.sigma, 1.0) * 70
    deviation = ""
    if not check.is_identity:
        sigma = f"{check.sigma:.1f} &sigma;" if np.isfinite(check.sigma) else "beyond measure"
        bad = "" if check.passed else " bad"
        deviation = f'<span class="bar{bad}" style="width:{size:.0f}px"></span> {sigma}'
    mark = '<span class="ok">&#10003;</span>' if check.passed else '<span class="no">fails</span>'
    return (
        f"<tr{'' if check.passed else ' class=bad'}><td>{escape(check.name)}</td>"
        f'<td class="n">{check.measured:.6g}</td><td class="n">{check.exact:.6g}</td>'
        f'<td class="n">{error}</td><td class="n">{allowed}</td>'
        f"<td>{deviation}</td><td>{mark}</td></tr>"
    )


THERMOMETERS = """Thermometers in a harmonic well against the time step, at gamma dt = 0.5 (the
overdamped rows have no gamma dt): lines are the closed forms, points are measured. Top, positions:
k<x^2>/T. Middle, Eq. (22) as written: <dx^2>/(T dt^2). Bottom, the integrator's kinetic estimator,
in which the same <dx^2> is divided by lr where noise is paired."""
CHANCE = """Checks with chance in them and no allowance: p-values in order, against those that as
many independent correct checks have on average. Checks that share trajectories move together; a
wrong law falls below the dashed threshold."""


def _figures(report: Any) -> str:
    points = [check for check in report.checks if "omega_dt" in check.about]
    out = [_figure(draw("image", draw("thermostat", points)), THERMOMETERS)] if points else []
    if any(check.is_pure_chance for check in report.checks):
        out.append(_figure(draw("image", draw("p_values", report)), CHANCE))
    return "\n".join(out)


def _figure(svg: bytes, caption: str) -> str:
    picture = f'<img alt="" src="{_data(svg)}">'
    return f"<figure>{picture}<figcaption>{escape(caption)}</figcaption></figure>"


def _data(svg: bytes) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode()


@cache
def law_image(law: str) -> str:
    """A law written in LaTeX, between dollars, as an image; plain words stay words."""
    if "$" not in law:
        return escape(law)
    return f'<img alt="{escape(law)}" src="{_data(draw("formula", law))}">'
