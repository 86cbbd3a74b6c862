"""The command that writes the optimizers' race."""

from __future__ import annotations

from typing import Any

import click

from .options import build_potential, check_output, potential_options


@click.command(short_help="Write a page to teach with: optimizers race.")
@potential_options(most=1)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    default="race.html",
    show_default=True,
    help="The file to write.",
)
@click.option(
    "--noise",
    type=float,
    help="Standard deviation of the gradient's noise.  [default: from barriers and curvature]",
)
@click.option(
    "--rho0", type=float, default=0.9, show_default=True, help="First momentum of CoolMomentum."
)
@click.option(
    "--steps",
    type=click.IntRange(100, 10**6),
    default=20_000,
    show_default=True,
    help="Number of steps of a run.",
)
@click.option(
    "--replicas",
    type=click.IntRange(1, 5000),
    default=400,
    show_default=True,
    help="Independent copies, of each optimizer.",
)
@click.option(
    "--start", type=float, help="Where all replicas start.  [default: in the highest well]"
)
@click.option(
    "--window",
    type=(float, float),
    metavar="LOW HIGH",
    help="What to show.  [default: the potential's domain]",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the noise.")
@click.pass_context
def race(ctx: click.Context, **options: Any) -> None:
    """Write a page to teach with: SGD, Momentum, Adam, RMSprop and CoolMomentum race on the
    potential NAME, or a formula, of one coordinate; by default a tilted double well.

    One HTML file that needs no network; its address holds the settings on show, so that it can be
    sent.
    """
    output = options["output"]
    check_output(output)
    named = any(options[key] is not None for key in ("name", "formula", "dim", "bounds"))
    potential = build_potential(ctx, options) if named or options["param"] else None

    from ..teaching.racing import race as write

    same = {key: options[key] for key in ("noise", "rho0", "replicas", "start", "window")}
    text = write(potential, output, n_steps=options["steps"], rng=options["seed"], **same)
    click.echo(f"written {output}, {len(text.encode()) / 1000:.0f} kB; open it in a browser")
