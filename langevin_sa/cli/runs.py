"""Commands that run: anneal, minimize, compare."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import click

from .methods import (
    LAWS,
    OPTIMIZERS,
    SAMPLERS,
    build_optimizer,
    build_sampler,
    build_schedule,
    short,
)
from .options import (
    EXIT,
    build_potential,
    check_output,
    checkpoint_option,
    comparison_options,
    cooling_options,
    potential_options,
    typed_seed,
    write_figure,
)
from .table import Table, clock

NEAR = 1e-3  # of the natural energy: a known minimum counts as reached within this


def read_config(ctx: click.Context, _: click.Parameter, path: str | None) -> None:
    """Make the values of a TOML file, named like the command's options, their defaults."""
    import tomllib

    if path is None:
        return
    try:
        config = tomllib.loads(Path(path).read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise click.UsageError(f"{path} is not TOML: {error}", ctx) from None
    known = {
        parameter.name: parameter
        for parameter in ctx.command.params
        if parameter.name not in ("config", "help")
    }
    values = {}
    for key, value in config.items():
        name = key.replace("-", "_")
        if name not in known:
            from ..arguments import unknown

            raise click.UsageError(f"{path}: {unknown(key, known, 'key')}", ctx)
        if name == "param":
            if not isinstance(value, dict):
                raise click.UsageError(
                    f"{path}: write parameters as a table, param = {{a = 100.0}}", ctx
                )
            lists = {k: v if isinstance(v, list) else [v] for k, v in value.items()}
            value = [f"{k}={','.join(map(str, v))}" for k, v in lists.items()]
        elif isinstance(value, dict) or isinstance(value, list) != (known[name].nargs > 1):
            several = known[name].nargs > 1
            count = f"a list of {known[name].nargs} numbers" if several else "one value"
            raise click.UsageError(f"{path}: {key} must be {count}, not {value!r}", ctx)
        # read as from the command line
        values[name] = value if isinstance(value, list) else str(value)
    ctx.default_map = values


@click.command(short_help="Anneal a potential and say where its lowest point is.")
@potential_options()
@cooling_options
@click.option(
    "--schedule",
    help=f"How temperature falls: {', '.join(LAWS)}.  [default: as a pilot says, or exponential "
    "if T0, T1, gamma or dt is given]",
)
@click.option("--rho0", type=float, help="First momentum of coolmomentum.  [default: 0.99]")
@click.option(
    "--replicas",
    type=click.IntRange(min=1),
    default=64,
    show_default=True,
    help="Independent copies.",
)
@click.option("--backend", default="auto", show_default=True, help="auto, numba, numpy or cupy.")
@click.option("--dtype", default="float64", show_default=True, help="float64 or float32.")
@click.option("--target", type=float, help="Stop as soon as an energy is below this.")
@click.option("--max-seconds", type=float, help="Stop after this time.")
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False),
    is_eager=True,
    expose_value=False,
    callback=read_config,
    help="A TOML file with these options by name; the command line wins.",
)
@click.option("--save", type=click.Path(dir_okay=False), help="Write the run to this .npz file.")
@checkpoint_option
@click.option("--plot", type=click.Path(dir_okay=False), help="Draw the run to this image file.")
@click.option("--no-progress", is_flag=True, help="Print only the outcome.")
@click.pass_context
def anneal(ctx: click.Context, **options: Any) -> None:
    """Anneal the potential NAME of the catalogue, or a formula, and say where its lowest point is.

    What is not given of T0, T1, gamma and dt is chosen from the potential; if nothing is, so are
    the starts. Ctrl-C stops and keeps what there is.
    """
    check_output(options["save"])
    check_output(options["plot"], image=True)
    potential = build_potential(ctx, options)

    from ..annealing import starts
    from ..annealing.driver import anneal as run

    seed = typed_seed(options["seed"], options["checkpoint"], "checkpoint")
    steps, start, schedule = options["steps"], None, None
    if any(options[name] is not None for name in ("schedule", "rho0", "T0", "T1", "gamma", "dt")):
        said = options | {"schedule": options["schedule"] or "exponential"}
        start = starts.starting_points(potential, None, options["replicas"], seed)
        schedule = build_schedule(ctx, potential, start, seed, said)
    click.echo(
        f"{potential.name}, dim {potential.dim}: {options['replicas']} replicas, {steps:,} steps, "
        f"seed {seed}"
    )
    if schedule is not None:
        click.echo(short(schedule))
    keywords = ("integrator", "backend", "dtype", "max_seconds", "checkpoint", "replicas")
    given = {name: options[name] for name in keywords} | {"stop_below": options["target"]}
    given["record_every"] = max(1, steps // 200)
    with closing(Table(steps, options["max_seconds"], not options["no_progress"])) as table:
        result = run(potential, start, schedule, steps, rng=seed, callback=table, **given)
    click.echo(outcome(result, potential))
    if options["save"]:
        result.save(options["save"])
        click.echo(f"saved        {options['save']}")
    if options["plot"] and len(result.history.step):
        from .. import plots

        write_figure(plots.summary(result, potential), options["plot"])
        click.echo(f"drawn        {options['plot']}")
    ctx.exit(EXIT.get(result.status, 0))


def outcome(result: Any, potential: Any) -> str:
    """What came out of a run, in lines."""
    lines = [f"\n{result.message}", f"best energy  {result.fun:.10g}"]
    if result.get("pilot") is not None:
        lines.insert(1, short(result.schedule))
    if potential.dim <= 6:
        lines.append("at           " + ", ".join(f"{v:.8g}" for v in result.x))
    known = potential.minimum_energy
    if known is not None:
        within = NEAR * potential.scale.energy
        reached = int((abs(result.best_energies - known) <= within).sum())
        of = f"{reached} of {len(result.best_energies)} replicas (within {within:.2g})"
        how = f"visited by {of}" if reached else "not reached"
        if result.fun < known - within:
            how += f"; the best is {known - result.fun:.3g} below it"
            how += ": outside of the domain, or it is not the minimum"
        elif not reached:
            how += f": the best is {result.fun - known:.3g} above"
        lines.append(f"known        {known:.10g}, {how}")
    lines.append(f"time         {clock(result.seconds)}, {result.nit:,} steps, seed {result.seed}")
    return "\n".join(lines)


@click.command(short_help="Find the global minimum and the lowest of the others.")
@potential_options()
@click.option("--target", type=float, help="Stop as soon as an energy is at or below this.")
@click.option("--max-seconds", type=float, help="Stop after this time.")
@click.option("--seed", type=int, help="Seed of the search.  [default: random, and printed]")
@checkpoint_option
@click.pass_context
def minimize(ctx: click.Context, **options: Any) -> None:
    """Find the global minimum of the potential NAME of the catalogue, or of a formula, and the
    lowest of the others met.
    """
    potential = build_potential(ctx, options)

    from ..minimization.driver import minimize as search

    result = search(
        potential,
        rng=options["seed"],
        target=options["target"],
        max_seconds=options["max_seconds"],
        checkpoint=options["checkpoint"],
    )
    click.echo(f"{potential.name}, dim {potential.dim}, seed {result.seed}\n{result.message}\n")
    for k, found in enumerate(result.minima[:6]):
        place = "  at " + ", ".join(f"{v:.8g}" for v in found.x) if potential.dim <= 6 else ""
        click.echo(f"{'lowest' if k == 0 else '':<10}{found.fun:.10g}{place}")
    if potential.minimum_energy is not None:
        click.echo(f"{'known':<10}{potential.minimum_energy:.10g}")
    click.echo(f"{result.nfev:,} evaluations, {len(result.minima)} minima")
    ctx.exit(EXIT.get(result.status, 0))


@click.command(short_help="Compare ways of cooling: how often, how low, how fast.")
@potential_options()
@cooling_options
@click.option(
    "--methods",
    "--method",
    default="exponential,quench",
    show_default=True,
    help=f"What to compare, of: {', '.join(LAWS + OPTIMIZERS + SAMPLERS)}.",
)
@click.option(
    "--lr",
    type=float,
    help="First learning rate of the optimizers.  [default: from the step of coolmomentum at T0]",
)
@click.option(
    "--noise",
    type=float,
    help="Standard deviation of the optimizers' gradient noise.  [default: that of coolmomentum]",
)
@comparison_options
@click.option(
    "--plot",
    type=click.Path(dir_okay=False),
    help="Draw energy, success and temperature to this image file.",
)
@click.pass_context
def compare(ctx: click.Context, **options: Any) -> None:
    """Compare ways of cooling on the potential NAME: how often, how low and how fast each gets,
    with 95 % intervals.

    All start from the same points and get the same noise; what is not given is chosen from the
    potential, alike for all. Each step is one evaluation. Samplers cool exponentially and take
    dt as the schedules do; continuous_tempering goes up and down between T0 and T0/4 for 80 % of
    the run and is then quenched. The optimizers' learning rates fall as in the paper, by 10 at
    40, 60 and 80 % and by 2 at 90 % of the run.
    """
    check_output(options["plot"], image=True)
    potential = build_potential(ctx, options)

    from ..annealing import starts
    from ..arguments import look_up
    from ..comparison.driver import compare as experiment

    seed = typed_seed(options["seed"], options["checkpoint"], "comparison checkpoint")
    start = starts.starting_points(potential, None, options["replicas"], seed)
    methods = {}
    for name in (text.strip() for text in options["methods"].split(",")):
        look_up(name, dict.fromkeys(LAWS + OPTIMIZERS + SAMPLERS), "schedule, optimizer or sampler")
        said = options | {"schedule": name, "rho0": None}
        if name == "coolmomentum" or name in OPTIMIZERS:  # T1 and gamma follow from their numbers
            said |= {"schedule": "coolmomentum", "T1": None, "gamma": None}
        elif name in SAMPLERS:
            said |= {"schedule": "exponential"}
        methods[name] = build_schedule(ctx, potential, start, seed, said)
        if name in SAMPLERS:
            methods[name] = build_sampler(name, methods[name])
        if name in OPTIMIZERS:
            methods[name] = build_optimizer(name, methods[name], options["lr"], options["noise"])
        click.echo(f"{name}: {short(methods[name])}")
    keywords = {"judged", "tolerance", "integrator", "checkpoint"}
    given = {name: options[name] for name in keywords}
    found = experiment(potential, methods, x0=start, n_steps=options["steps"], rng=seed, **given)
    click.echo(found)
    if options["plot"]:
        write_figure(found.plot(), options["plot"])
        click.echo(f"drawn {options['plot']}")
    ctx.exit(130 if found.message else 0)
