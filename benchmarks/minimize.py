"""`langevin_sa.minimize` beside SciPy's global optimizers and pycma: how often the minimum is
found, and after how many evaluations.

Everybody gets the same function, bounds, starting point and seed, keeps its defaults and stops by
itself. A call of the function is one evaluation and a call of its gradient one more (clusters: the
pair kernel gives both, one evaluation). A run succeeds if the value returned is within 1e-5 max(1,
|minimum|) of the minimum; its first hit is the evaluation that first was.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from functions import FUNCTIONS, Function, rastrigin
from scipy import optimize

import langevin_sa as lsa

CLOSE = 1e-5
RASTRIGIN = [
    Function(f"rastrigin {dim}", dim, (-5.12, 5.12), 0, rastrigin, True, turns=False)
    for dim in (5, 10, 30)
]
# particles: hops of basinhopping, twice what it needs on average or more
CLUSTERS = {7: 100, 13: 300, 19: 1000, 26: 2000}


class Found(Exception):
    """Raised by a counted function where a run is only to be timed to its first hit."""


class Counted:
    """A function and its gradient, with evaluations counted until and after the first within
    `CLOSE` of the minimum.
    """

    def __init__(
        self, fun: Callable[[Any], Any], gradient: Callable[[Any], Any], minimum: float
    ) -> None:
        self.raw, self.slope = fun, gradient
        self.goal = minimum + CLOSE * max(1, abs(minimum))
        self.evaluations, self.first = 0, np.inf

    def fun(self, x: Any) -> float:
        self.evaluations += 1
        value = float(self.raw(x))
        if value <= self.goal:
            self.first = min(self.first, self.evaluations)
        return value

    def jac(self, x: Any) -> Any:
        self.evaluations += 1
        return self.slope(x)


@dataclass
class Run:
    """One solver on one function from one seed."""

    solver: str
    function: str
    dim: int
    success: bool
    first: float
    evaluations: int
    seconds: float  # of processor time, which other load does not change


def ours(f: Counted, jac: Any, x0: Any, bounds: Any, seed: int) -> float:
    return lsa.minimize(f.fun, x0, jac=jac, bounds=bounds, rng=seed).fun


def dual_annealing(f: Counted, jac: Any, x0: Any, bounds: Any, seed: int) -> float:
    local = {"method": "L-BFGS-B", "jac": jac, "bounds": bounds}
    return optimize.dual_annealing(f.fun, bounds, x0=x0, rng=seed, minimizer_kwargs=local).fun


def basinhopping(f: Counted, jac: Any, x0: Any, bounds: Any, seed: int) -> float:
    local = {"method": "L-BFGS-B", "jac": jac, "bounds": bounds}
    return optimize.basinhopping(f.fun, x0, rng=seed, minimizer_kwargs=local).fun


def differential_evolution(f: Counted, jac: Any, x0: Any, bounds: Any, seed: int) -> float:
    return optimize.differential_evolution(f.fun, bounds, x0=x0, rng=seed).fun


def pycma(f: Counted, jac: Any, x0: Any, bounds: Any, seed: int) -> float:
    import cma

    low, high = np.array(bounds).T
    options = {"bounds": [low, high], "CMA_stds": (high - low) / 4, "seed": seed + 1, "verbose": -9}
    _, strategy = cma.fmin2(f.fun, x0, 1.0, options)
    return strategy.result.fbest


SOLVERS = {"langevin_sa": ours} | {
    f.__name__: f for f in (dual_annealing, basinhopping, differential_evolution, pycma)
}


def run(name: str, function: Function, seed: int, gradient: bool) -> Run:
    """A solver from one random start on the function as this seed moves it."""
    f = function.moved(seed)
    low, high = np.array(f.bounds).T
    x0 = np.random.default_rng([seed, 7]).uniform(low, high)
    counted = Counted(f, f.gradient, f.minimum)
    start = time.process_time()
    value = SOLVERS[name](counted, counted.jac if gradient else None, x0, f.bounds, seed)
    seconds = time.process_time() - start
    return Run(
        name,
        f.name,
        f.dim,
        bool(value <= counted.goal),
        counted.first,
        counted.evaluations,
        seconds,
    )


def cluster(name: str, particles: int, seed: int) -> Run:
    """Evaluations of energy and force until the known minimum of a Lennard-Jones cluster; ours goes
    on until it stops by itself.
    """
    potential = lsa.potentials.lennard_jones(particles)
    x0 = potential.draw_start(1, np.random.default_rng([seed, 7]))[0]
    goal = potential.minimum_energy + CLOSE * abs(potential.minimum_energy)
    start = time.process_time()
    if name == "langevin_sa":
        result = lsa.minimize(potential, x0, rng=seed, target=goal, max_seconds=600)
        hit, total = (result.nfev if result.fun <= goal else np.inf), result.nfev
        return Run(
            name,
            f"LJ{particles}",
            potential.dim,
            bool(result.fun <= goal),
            hit,
            total,
            time.process_time() - start,
        )
    counted = Counted(None, None, potential.minimum_energy)  # type: ignore[arg-type]
    from langevin_sa.descents.compiled import evaluator

    both = evaluator(potential)

    def fun(x: Any) -> tuple[float, Any]:
        energy, force = both(x[None])
        counted.raw = lambda _: energy[0]
        if counted.fun(x) <= goal:
            raise Found
        return energy[0], force[0]

    with suppress(Found):
        optimize.basinhopping(
            fun,
            x0,
            niter=CLUSTERS[particles],
            T=0.8,
            stepsize=0.4,
            rng=seed,
            minimizer_kwargs={"method": "L-BFGS-B", "jac": True},
        )
    return Run(
        name,
        f"LJ{particles}",
        potential.dim,
        bool(np.isfinite(counted.first)),
        counted.first,
        counted.evaluations,
        time.process_time() - start,
    )


def table(runs: list[Run]) -> str:
    """Markdown: a row for each function, then all; successes, median evaluations to the first hit
    and until it stopped, median seconds.
    """
    names = list(dict.fromkeys(r.solver for r in runs))
    lines = ["| function | dim | " + " | ".join(names) + " |", "|---|---|" + "---|" * len(names)]
    for function in [*dict.fromkeys(r.function for r in runs), "all"]:
        chosen = [r for r in runs if function in (r.function, "all")]
        cells = []
        for name in names:
            mine = [r for r in chosen if r.solver == name]
            share = sum(r.success for r in mine)
            found = (
                f"{share}/{len(mine)}" if function != "all" else f"{100 * share / len(mine):.1f} %"
            )
            first = np.median([r.first for r in mine])
            cells.append(
                f"{found} {first:.0f} {np.median([r.evaluations for r in mine]):.0f} "
                f"{np.median([r.seconds for r in mine]):.2g} s"
            )
        dim = chosen[0].dim if function != "all" else ""
        lines.append(f"| {function} | {dim} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def profile(runs: list[Run], path: Path) -> None:
    """Share of all runs that had hit the minimum after so many evaluations; a dot where the median
    run has stopped.
    """
    import matplotlib.pyplot as plt

    from langevin_sa import plots

    colours = (plots.BLUE, plots.ORANGE, plots.GREEN, plots.RED, plots.PURPLE)
    with plt.rc_context(plots.STYLE):
        figure, ax = plt.subplots(figsize=plots.SIZE, layout="constrained")
        for colour, name in zip(colours, dict.fromkeys(r.solver for r in runs), strict=False):
            mine = [r for r in runs if r.solver == name]
            first = np.sort([r.first for r in mine])
            share = 100 * np.arange(1, len(first) + 1) / len(first)
            seen = np.isfinite(first)
            ax.step(first[seen], share[seen], where="post", color=colour, label=name)
            stop = np.median([r.evaluations for r in mine])
            ax.plot(stop, np.searchsorted(first, stop) / len(first) * 100, "o", color=colour)
        ax.set(
            xscale="log",
            xlabel="evaluations",
            ylabel="runs that have hit\nthe minimum (%)",
            ylim=(0, 101),
            xlim=(5, None),
        )
        ax.legend()
        figure.savefig(path)
        plt.close(figure)


@click.command(help=__doc__)
@click.argument("part", type=click.Choice(["functions", "rastrigin", "clusters"]))
@click.option("--runs", default=20, help="Seeds of each solver on each function.")
@click.option("--solver", "solvers", multiple=True, help="Which solvers; all by default.")
@click.option(
    "--function",
    "only",
    multiple=True,
    help="Which functions (or clusters, as numbers); all by default.",
)
@click.option("--gradient/--no-gradient", default=True)
@click.option("--figure", type=click.Path(path_type=Path), help="Where to draw the profile.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    help="A JSON-lines file that the runs are added to; the table is of all in it.",
)
def main(
    part: str,
    runs: int,
    solvers: tuple[str, ...],
    only: tuple[str, ...],
    gradient: bool,
    figure: Path | None,
    keep: Path | None,
) -> None:
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    if part == "clusters":
        jobs = [("langevin_sa", int(n)) for n in only or (*CLUSTERS, 38)] + [
            ("basinhopping", n) for n in CLUSTERS if not only or str(n) in only
        ]
        done = [
            cluster(name, n, seed)
            for name, n in jobs
            if not solvers or name in solvers
            for seed in range(runs)
        ]
    else:
        functions = [
            f
            for f in (FUNCTIONS if part == "functions" else RASTRIGIN)
            if not only or f.name in only
        ]
        done = []
        for function in functions:
            for name in solvers or SOLVERS:
                done += [run(name, function, seed, gradient) for seed in range(runs)]
            click.echo(table(done[-runs * len(solvers or SOLVERS) :]).splitlines()[2], err=True)
    if keep:
        with keep.open("a") as file:
            file.writelines(json.dumps(asdict(r)) + "\n" for r in done)
        done = [Run(**json.loads(line)) for line in keep.read_text().splitlines()]
    click.echo(table(done))
    if figure:
        profile(done, figure)


if __name__ == "__main__":
    main()
