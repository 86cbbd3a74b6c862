"""The command grid: the paper's Table 2 for a potential."""

from __future__ import annotations

from typing import Any

import click

from .methods import build_schedule
from .options import (
    build_potential,
    check_output,
    comparison_options,
    potential_options,
    typed_seed,
)


def numbers(ctx: click.Context, parameter: click.Parameter, text: str) -> list[float]:
    """``0.9,0.99`` as numbers."""
    try:
        return [float(word) for word in text.split(",")]
    except ValueError:
        what = f"numbers between commas, not {text!r}"
        raise click.BadParameter(what, ctx, parameter) from None


@click.command(short_help="CoolMomentum over a grid of rho0 and lr: the paper's Table 2.")
@potential_options()
@click.option(
    "--rho0",
    default="0.9,0.99,0.999",
    show_default=True,
    callback=numbers,
    help="First momenta, the rows.",
)
@click.option(
    "--lr", required=True, callback=numbers, help="Base learning rates, dt^2, the columns."
)
@click.option(
    "--noise",
    type=float,
    help="Standard deviation of the force noise of every cell.  [default: what makes a pilot's T0 "
    "the first temperature at rho0 = 0.99 and a pilot's time step]",
)
@click.option(
    "--value",
    type=click.Choice(["success", "residual"]),
    default="success",
    show_default=True,
    help="What is shown: share of replicas in the minimum, or energy above it.",
)
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    default=10_000,
    show_default=True,
    help="Number of steps, of each cell.",
)
@click.option("--seed", type=int, help="Seed of all cells.  [default: random, and printed]")
@comparison_options
@click.option(
    "--plot", type=click.Path(dir_okay=False), help="Draw the table in colours to this image file."
)
@click.pass_context
def grid(ctx: click.Context, **options: Any) -> None:
    """Run CoolMomentum on the potential NAME for every rho0 and lr and print how often it finds the
    minimum, with 95 % intervals; "div" is a cell that is unstable.
    """
    check_output(options["plot"], image=True)
    potential = build_potential(ctx, options)

    from ..annealing import starts
    from ..comparison.grids import grid as experiment

    seed = typed_seed(options["seed"], options["checkpoint"], "comparison checkpoint")
    start = starts.starting_points(potential, None, options["replicas"], seed)
    noise = options["noise"]
    if noise is None:
        chosen = dict.fromkeys(("T0", "T1", "gamma", "dt", "rho0"))
        chosen |= {"schedule": "coolmomentum", "integrator": "gjf"}
        noise = build_schedule(ctx, potential, start, seed, options | chosen).noise
    given = {name: options[name] for name in ("judged", "tolerance", "checkpoint")}
    found = experiment(
        potential,
        options["rho0"],
        options["lr"],
        noise=noise,
        x0=start,
        n_steps=options["steps"],
        rng=seed,
        **given,
    )
    about = f"{options['replicas']} replicas, {options['steps']:,} steps, seed {seed}"
    click.echo(f"{potential.name}, dim {potential.dim}: {about}\n{found.table(options['value'])}")
    if options["plot"]:
        found.plot(options["value"]).figure.savefig(options["plot"], dpi=200)
        click.echo(f"drawn {options['plot']}")
    broken = found.comparison.message if found.comparison else ""
    if broken:
        click.echo(broken)
    ctx.exit(130 if broken else 0)
