"""A validation report as one HTML page that needs nothing else: figures and laws are inside it, and it asks no network."""

from __future__ import annotations

import base64
from functools import cache
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from .families import title

if TYPE_CHECKING:
    from .lab import Check

STYLE = """
:root { --ink: #1b1f24; --soft: #5b6570; --line: #e3e6ea; --good: #00704f; --bad: #b3400a; --tint: #f6f8fa; }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; color: var(--ink); margin: 0; background: #fff; }
main { max-width: 1060px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 40px 0 8px; padding-top: 8px; border-top: 2px solid var(--ink); }
p { max-width: 78ch; } .soft { color: var(--soft); }
.verdict { display: flex; gap: 16px; align-items: center; padding: 14px 18px; border-radius: 8px; background: var(--tint); margin: 18px 0; }
.badge { font-weight: 700; font-size: 20px; padding: 4px 16px; border-radius: 6px; color: #fff; background: var(--good); }
.badge.bad { background: var(--bad); }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; } caption { text-align: left; font-weight: 600; padding: 6px 0; }
th { text-align: left; color: var(--soft); font-weight: 600; border-bottom: 1px solid var(--ink); padding: 5px 10px; }
td { padding: 4px 10px; border-bottom: 1px solid var(--line); }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.law td { background: var(--tint); padding: 7px 10px; } tr.law img { height: auto; max-width: 100%; vertical-align: middle; }
tr.bad td { background: #fdeee6; } .ok { color: var(--good); font-weight: 600; } .no { color: var(--bad); font-weight: 700; }
figure { display: inline-block; vertical-align: top; margin: 18px 18px 18px 0; max-width: min(100%, 470px); }
figure img { max-width: 100%; }
figcaption { color: var(--soft); font-size: 13.5px; }
dl { display: flex; flex-wrap: wrap; gap: 6px 28px; font-size: 13.5px; } 
dl div { display: flex; gap: 8px; } dt { color: var(--soft); } dd { margin: 0; }
.bar { display: inline-block; height: 8px; background: #0072b2; border-radius: 2px; vertical-align: middle; }
.bar.bad { background: var(--bad); }
a { color: #0072b2; text-decoration: none; } .scroll { overflow-x: auto; }
@media print { h2 { break-after: avoid; } tr { break-inside: avoid; } main { padding: 0; } }
"""


def html(report: Any) -> str:
    """The page for a `Report`."""
    families = [(name, list(checks)) for name, checks in groupby(report.checks, key=lambda check: check.family)]
    sections = "\n".join(_section(report, name, title(name), checks) for name, checks in families)
    overview = "\n".join(_summary(name, title(name), checks) for name, checks in families)
    badge = '<span class="badge">PASS</span>' if report.passed else '<span class="badge bad">FAIL</span>'
    sentence = report.verdict.split(": ", 1)[1]
    about = {"backend": report.backend, "dtype": report.dtype, "level": report.level, "seed": str(report.seed), **report.machine}
    facts = "".join(f"<div><dt>{escape(key)}</dt><dd>{escape(value)}</dd></div>" for key, value in about.items())
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Validation of langevin_sa: {"pass" if report.passed else "fail"}</title><style>{STYLE}</style></head><body><main>
<h1>Validation of langevin_sa</h1>
<p class="soft">Laws of Langevin dynamics, measured on this machine with this build, against their exact values.</p>
<div class="verdict">{badge}<span>{escape(sentence[0].upper() + sentence[1:])}</span></div>
<dl>{facts}</dl>
{_worst(report)}
<div class="scroll"><table><caption>Families of checks</caption>
<tr><th>family</th><th class="n">checks</th><th class="n">failed</th><th class="n">largest deviation</th><th class="n">seconds</th></tr>
{overview}</table></div>
{_figures(report)}
<h2>How to read the tables</h2>
<p>Each row is one law. <b>Error</b> is the standard error of the measured value, from independent replicas; a value after
&plusmn; is the tolerance of an identity, which has no chance in it. <b>Deviation</b> is the distance from the exact value in
standard errors, beyond what the law itself leaves open (<i>allowed</i>), with Student&rsquo;s correction; for a test
of a whole distribution, &chi;&sup2; and its degrees of freedom stand in the two columns and the deviation has the same p-value.
Mass and k<sub>B</sub> are 1, a = (&omega;&Delta;t)<sup>2</sup>, c = &gamma;&Delta;t. A check fails below
p = {report.threshold:.1e}, which is {report.sigma:.2f} standard deviations: 10<sup>-3</sup> shared among all checks that have
chance in them.</p>
{sections}
</main></body></html>
"""


def _summary(name: str, heading: str, checks: list[Check]) -> str:
    failed = sum(not check.passed for check in checks)
    chance = [check.sigma for check in checks if not check.is_identity]
    mark = f'<span class="no">{failed}</span>' if failed else "0"
    largest = f"{max(chance):.1f} &sigma;" if chance else "identities"
    return (
        f'<tr><td><a href="#{name}">{escape(heading)}</a></td><td class="n">{len(checks)}</td><td class="n">{mark}</td>'
        f'<td class="n">{largest}</td><td class="n">{sum(check.seconds for check in checks):.1f}</td></tr>'
    )


def _worst(report: Any) -> str:
    if report.passed:
        return ""
    rows = "".join(f"<li>{escape(c.name)}: measured {c.measured:.6g}, exact {c.exact:.6g}</li>" for c in report.failures[:12])
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
<tr><th>check</th><th class="n">measured</th><th class="n">exact</th><th class="n">error</th><th class="n">allowed</th>
<th>deviation</th><th></th></tr>
{"".join(rows)}</table></div>"""


def _row(report: Any, check: Check) -> str:
    error = f"&plusmn;{check.tolerance:.0e}" if check.is_identity else f"{check.standard_error:.1e}"
    allowed = f"{check.tolerance:.0e}" if check.tolerance and not check.is_identity else ""
    size = min(check.sigma / report.sigma, 1.0) * 70
    deviation = "" if check.is_identity else f"{check.sigma:.1f} &sigma;" if np.isfinite(check.sigma) else "beyond measure"
    bar = "" if check.is_identity else f'<span class="bar{"" if check.passed else " bad"}" style="width:{size:.0f}px"></span> '
    mark = '<span class="ok">&#10003;</span>' if check.passed else '<span class="no">fails</span>'
    return (
        f'<tr{"" if check.passed else " class=bad"}><td>{escape(check.name)}</td><td class="n">{check.measured:.6g}</td>'
        f'<td class="n">{check.exact:.6g}</td><td class="n">{error}</td><td class="n">{allowed}</td>'
        f"<td>{bar}{deviation}</td><td>{mark}</td></tr>"
    )


THERMOMETERS = """Thermometers in a harmonic well against the time step, at gamma dt = 0.5 (the overdamped rows have no gamma dt): lines
are the closed forms, points are measured. Top, positions: k<x^2>/T. Middle, Eq. (22) as written: <dx^2>/(T dt^2). Bottom, the
exact kinetic estimator, in which the same <dx^2> is divided by lr where noise is paired."""
CHANCE = """Checks with chance in them and no allowance: p-values in order, against those that as many independent correct checks have
on average. Checks that share trajectories move together; a wrong law falls below the dashed threshold."""


def _figures(report: Any) -> str:
    from .. import plots

    points = [check for check in report.checks if "omega_dt" in check.about]
    out = [_figure(plots.image(plots.thermostat(points)), THERMOMETERS)] if points else []
    if any(check.is_pure_chance for check in report.checks):
        out.append(_figure(plots.image(plots.p_values(report)), CHANCE))
    return "\n".join(out)


def _figure(svg: bytes, caption: str) -> str:
    return f'<figure><img alt="" src="{_data(svg)}"><figcaption>{escape(caption)}</figcaption></figure>'


def _data(svg: bytes) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode()


@cache
def law_image(law: str) -> str:
    """A law written in LaTeX, between dollars, as an image; plain words stay words."""
    if "$" not in law:
        return escape(law)
    from .. import plots

    return f'<img alt="{escape(law)}" src="{_data(plots.formula(law))}">'
