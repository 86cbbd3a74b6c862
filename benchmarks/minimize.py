"""`langevin_sa.minimize` beside other global optimizers: how often the minimum is found, and after
how many evaluations.

Everybody gets the same function, bounds, starting point and seed. With `--budget` (evaluations a
dimension) they go on, from new points where they stop early, until a value is at or below the
target or the budget spent; else they keep their defaults and stop by themselves, and what they
return must be at or below the target. A call of the function is one evaluation and a call of its
gradient one more (particles: one for both).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import profiles
from problems import functions, nist, rastrigins
from problems_bbob import bbob
from problems_cutest import cutest
from problems_hard import free, hard
from problems_particles import clusters, polymer, thomson
from solvers import GLOBAL, SOLVERS, Problem, Run, run


@dataclass
class Part:
    """A set of problems, who is measured on it, with which budget, None for own stops, and with how
    many seeds of each problem.
    """

    problems: Callable[..., Iterator[Problem]]
    solvers: tuple[str, ...] = GLOBAL
    budget: int | None = None
    runs: int = 3


PARTS = {
    "functions": Part(functions, runs=20),
    "rastrigin": Part(rastrigins, runs=20),
    "bbob": Part(bbob, budget=5000),
    "nist": Part(nist, (*GLOBAL, "least_squares", "langevin_sa_residuals"), 20_000),
    "cutest": Part(cutest, ("langevin_sa", "basinhopping", "lbfgsb"), 300),
    "clusters": Part(clusters, ("langevin_sa", "langevin_sa_potential", "basinhopping")),
    "thomson": Part(thomson, ("langevin_sa", "basinhopping")),
    "polymer": Part(polymer),
    "hard": Part(hard),
    "free": Part(free, budget=1000),
}


def numbers(context: Any, option: Any, value: str) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in value.split(","))
    except ValueError:
        raise click.BadParameter("expected whole numbers and commas, like 2,5,10") from None


@click.command(help=__doc__)
@click.argument("part", type=click.Choice(list(PARTS)))
@click.option("--runs", type=int, help="Seeds of each problem; bbob has its instances.")
@click.option("--dims", default="2,5,10", show_default=True, callback=numbers, help="Of bbob.")
@click.option("--instances", default="1-3", show_default=True, help="Of bbob.")
@click.option("--budget", type=int, help="Evaluations times the dimension; 0 for own stops.")
@click.option("--solver", "solvers", multiple=True, type=click.Choice(list(SOLVERS)))
@click.option("--function", "only", multiple=True, help="Which functions; all by default.")
@click.option("--gradient/--no-gradient", default=True)
@click.option("--figure", type=click.Path(path_type=Path), help="Where to draw the profile.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    help="A JSON-lines file that the runs are added to; tables and profile are of all in it.",
)
@click.option("--draw", is_flag=True, help="Run nothing: only what was kept.")
def main(
    part: str,
    runs: int | None,
    dims: tuple[int, ...],
    instances: str,
    budget: int | None,
    solvers: tuple[str, ...],
    only: tuple[str, ...],
    gradient: bool,
    figure: Path | None,
    keep: Path | None,
    draw: bool,
) -> None:
    chosen = PARTS[part]
    budget = chosen.budget if budget is None else budget or None
    done = []
    for name in () if draw else solvers or chosen.solvers:
        problems = bbob(dims, instances) if part == "bbob" else chosen.problems(runs or chosen.runs)
        for problem in problems:
            if only and problem.name not in only:
                continue
            if not gradient:
                problem.jac = problem.jacobian = None
            seed = problem.instance
            if part == "bbob":
                seed += 100 * int(problem.name[1:])  # another for each function
            done.append(run(part, name, problem, seed, budget and budget * problem.dim))
            if keep:
                with keep.open("a") as file:
                    file.write(json.dumps(done[-1].asdict()) + "\n")
        click.echo(profiles.summary(done).splitlines()[-1], err=True)
    if keep:
        kept = [Run(**json.loads(line)) for line in keep.read_text().splitlines()]
        done = [r for r in kept if r.part == part]
        done = list({r.key: r for r in done}.values())  # of a run made anew the last counts
    if not done:
        raise click.UsageError(f"no runs of {part}: see --function, --keep and --draw")
    click.echo(f"{profiles.table(done)}\n\n{profiles.summary(done)}")
    if partial := profiles.partial(done):
        click.echo(f"Not on all problems, so not in the figure: {', '.join(partial)}")
    for name in dict.fromkeys(r.solver for r in done if r.solver != "lbfgsb"):
        if part == "cutest":
            click.echo(
                f"first hits of {name} / lbfgsb: {profiles.relative(done, name, 'lbfgsb'):.2f}"
            )
    if figure:
        profiles.profile([r for r in done if r.solver not in partial], figure)


if __name__ == "__main__":
    main()
