"""The command that films a run."""

from __future__ import annotations

from typing import Any

import click

from .methods import LAWS, build_schedule, short
from .options import (
    EXIT,
    build_potential,
    check_output,
    cooling_options,
    potential_options,
    typed_seed,
)


@click.command(short_help="Film replicas that are annealed or quenched.")
@potential_options(most=2)
@cooling_options
@click.option(
    "--schedule",
    default="exponential",
    show_default=True,
    help=f"How temperature falls: {', '.join(LAWS)}.",
)
@click.option("--rho0", type=float, help="First momentum of coolmomentum.  [default: 0.99]")
@click.option(
    "--replicas",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Independent copies.",
)
@click.option(
    "--frames", type=click.IntRange(1, 10_000), default=120, show_default=True, help="Of the film."
)
@click.option("--fps", type=float, default=20, show_default=True, help="Frames a second.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    default="film.gif",
    show_default=True,
    help="The file to write: .gif, or .mp4 where ffmpeg is installed.",
)
@click.pass_context
def film(ctx: click.Context, **options: Any) -> None:
    """Film replicas that move in the potential NAME, or a formula, of one or two coordinates, while
    they are cooled.

    \b
    langevin-sa film gaussian_wells -o anneal.gif
    langevin-sa film gaussian_wells --schedule quench -o quench.gif
    """
    check_output(options["output"])
    potential = build_potential(ctx, options)
    if potential.dim > 2:
        raise click.UsageError(
            f"a film shows one or two coordinates, and {potential.name} has dim {potential.dim}; "
            "give --dim 1 or 2 if it comes in any dimension"
        )
    if not 0.1 <= options["fps"] <= 100:
        raise click.UsageError(f"--fps must be from 0.1 to 100, not {options['fps']:g}")

    from .. import plots
    from ..annealing import starts
    from ..annealing.driver import anneal

    plots.check_film(options["output"])
    seed = typed_seed(options["seed"], None, "checkpoint")
    start = starts.starting_points(potential, None, options["replicas"], seed)
    schedule = build_schedule(ctx, potential, start, seed, options)
    click.echo(short(schedule))
    steps = options["steps"]
    every = max(1, steps // options["frames"])
    keywords = {"integrator": options["integrator"], "record_every": every, "samples": True}
    result = anneal(potential, start, schedule, steps, rng=seed, **keywords)
    click.echo(result.message)
    if not len(result.history.step):
        ctx.exit(EXIT.get(result.status, 0))
    look = {"fps": options["fps"], "frames": options["frames"]}
    plots.animate(potential, result, options["output"], **look)
    click.echo(f"filmed {options['output']}, seed {seed}")
    ctx.exit(EXIT.get(result.status, 0))
