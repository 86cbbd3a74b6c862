"""The command ``langevin-sa``: anneal, compare ways of cooling, list the catalogue, draw a run, validate, write a page to teach with.

Everything heavy is imported inside the commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

import os
import re
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import closing
from functools import reduce
from pathlib import Path
from typing import Any

import click

from . import __version__
from .naming import look_up, unknown

LAWS = ("exponential", "linear", "logarithmic", "power", "quench", "constant", "coolmomentum")
OPTIMIZERS = ("momentum", "sgd", "adam", "rmsprop")
ROWS = 12  # of the table of a run
HEADER = f"{'step':>10} {'T target':>11} {'T measured':>11} {'mean energy':>13} {'best energy':>13} {'time left':>10}"
NEAR = 1e-3  # a known minimum counts as reached within this, relative above 1


class Plain(click.Group):
    """A group whose commands answer bad input with one line instead of a traceback."""

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        found = super().get_command(ctx, name)
        if found is None and not ctx.resilient_parsing:
            raise click.UsageError(unknown(name, self.commands, "command"), ctx)
        return found

    def invoke(self, ctx: click.Context) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("default", UserWarning)
            warnings.showwarning = lambda message, *_, **__: click.echo(f"Warning: {message}", err=True)
            try:
                return super().invoke(ctx)
            except (ValueError, TypeError, OSError, MemoryError) as error:
                if os.environ.get("LANGEVIN_SA_TRACEBACK"):
                    raise
                raise click.ClickException(" ".join(str(error).split()) or type(error).__name__) from error


@click.group(cls=Plain, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="langevin-sa")
def main() -> None:
    """Simulated annealing by Langevin dynamics.

    \b
    langevin-sa anneal rastrigin --dim 10 --replicas 256
    langevin-sa anneal --formula "(x**2 - 1)**2 + 0.3*x" --plot run.png
    """


# ------------------------------------------------------------------------------------- options of several commands


def potential_options(most: int | None = None) -> Callable[[Any], Any]:
    """NAME, --formula, --param and --dim, of which `build_potential` makes a potential; of at most so many coordinates."""
    options = [
        click.argument("name", required=False),
        click.option("--formula", help="A potential of its coordinates, e.g. 'a*(y - x**2)**2 + (1 - x)**2', instead of a NAME."),
        click.option("--param", multiple=True, metavar="A=VALUE", help="A parameter of the potential; may be repeated. A list: a=1,2,3"),
        click.option("--dim", type=click.IntRange(1, most), help="Number of coordinates, for potentials that come in any dimension."),
    ]
    return lambda command: reduce(lambda done, option: option(done), reversed(options), command)


checkpoint_option = click.option(
    "--checkpoint", type=click.Path(dir_okay=False), help="Write the run to this .npz file every 10 s; go on from it if it is there."
)


# -------------------------------------------------------------------------------------------------------------- anneal


def read_config(ctx: click.Context, _: click.Parameter, path: str | None) -> None:
    """Make the values of a TOML file the defaults of the command's options; its names are theirs."""
    import tomllib

    if path is None:
        return
    try:
        config = tomllib.loads(Path(path).read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{path} is not TOML: {error}", ctx) from None
    known = {parameter.name for parameter in ctx.command.params} - {"config", "help"}
    values = {}
    for key, value in config.items():
        name = key.replace("-", "_")
        if name not in known:
            raise click.UsageError(f"{path}: {unknown(key, known, 'key')}", ctx)
        if name == "param":
            if not isinstance(value, dict):
                raise click.UsageError(f"{path}: write parameters as a table, param = {{a = 100.0}}", ctx)
            value = [f"{k}={','.join(map(str, v)) if isinstance(v, list) else v}" for k, v in value.items()]
        elif isinstance(value, (dict, list)):
            raise click.UsageError(f"{path}: {key} must be one value, not {value!r}", ctx)
        values[name] = value if isinstance(value, list) else str(value)  # read as from the command line
    ctx.default_map = values


@main.command()
@potential_options()
@click.option("--schedule", default="exponential", show_default=True, help=f"How temperature falls: {', '.join(LAWS)}.")
@click.option("--T0", "T0", type=float, help="First temperature (energy).  [default: from the energy spread]")
@click.option("--T1", "T1", type=float, help="Last temperature.  [default: T0/10,000]")
@click.option("--rho0", type=float, help="First momentum of coolmomentum.  [default: 0.99]")
@click.option("--gamma", type=float, help="Friction (1/time).  [default: from the curvature]")
@click.option("--dt", type=float, help="Time step.  [default: from the curvature]")
@click.option("--steps", type=click.IntRange(min=1), default=10_000, show_default=True, help="Number of steps.")
@click.option("--replicas", type=click.IntRange(min=1), default=64, show_default=True, help="Independent copies.")
@click.option("--integrator", default="gjf", show_default=True, help="gjf, bbk, baoab, ermak_mccammon, ... (a wrong name lists them).")
@click.option("--backend", default="auto", show_default=True, help="auto, numba, numpy or cupy.")
@click.option("--dtype", default="float64", show_default=True, help="float64 or float32.")
@click.option("--seed", type=int, help="Seed of the noise and the starting points.  [default: random, and printed]")
@click.option("--target", type=float, help="Stop as soon as an energy is below this.")
@click.option("--max-seconds", type=float, help="Stop after this time.")
@click.option("--config", type=click.Path(exists=True, dir_okay=False), is_eager=True, expose_value=False, callback=read_config,
              help="A TOML file with these options by name; the command line wins.")  # fmt: skip
@click.option("--save", type=click.Path(dir_okay=False), help="Write the run to this .npz file.")
@checkpoint_option
@click.option("--plot", type=click.Path(dir_okay=False), help="Draw the run to this image file.")
@click.option("--no-progress", is_flag=True, help="Print only the outcome.")
@click.pass_context
def anneal(ctx: click.Context, **options: Any) -> None:
    """Anneal the potential NAME of the catalogue, or a formula, and say where its lowest point is.

    What is not given of T0, T1, gamma and dt is chosen from the potential. Ctrl-C stops and keeps what there is.
    """
    _check_output(options["save"])
    _check_output(options["plot"], image=True)
    potential = build_potential(ctx, options)

    from . import annealing, run

    seed = typed_seed(options["seed"], options["checkpoint"], "checkpoint")
    start = run.starting_points(potential, None, options["replicas"], seed)
    schedule = build_schedule(ctx, potential, start, seed, options)
    steps = options["steps"]
    click.echo(f"{potential.name}, dim {potential.dim}: {options['replicas']} replicas, {steps:,} steps, seed {seed}\n{short(schedule)}")
    with closing(Table(steps, options["max_seconds"], not options["no_progress"])) as table:
        result = annealing.anneal(
            potential, start, schedule, steps, integrator=options["integrator"], backend=options["backend"], rng=seed,
            dtype=options["dtype"], stop_below=options["target"], max_seconds=options["max_seconds"],
            record_every=max(1, steps // 200), callback=table, checkpoint=options["checkpoint"],
        )  # fmt: skip
    click.echo(outcome(result, potential))
    if options["save"]:
        result.save(options["save"])
        click.echo(f"saved        {options['save']}")
    if options["plot"] and len(result.history.step):
        from . import plots

        _write_figure(plots.summary(result, potential), options["plot"])
        click.echo(f"drawn        {options['plot']}")
    ctx.exit({2: 1, 3: 130}.get(result.status, 0))


def typed_seed(seed: int | None, checkpoint: str | None, kind: str) -> int:
    """The seed that was given, or the checkpoint's, or a random one that is short enough to type again."""
    from .checkpoint import Checkpoint
    from .noise import seed_of

    known = Checkpoint(checkpoint, 0, kind).seed if seed is None else seed
    return seed_of(None) >> 32 if known is None else seed_of(known)


def short(schedule: Any) -> str:
    """A schedule as text, numbers to five digits."""
    return re.sub(r"\d+\.\d+(e[-+]?\d+)?", lambda number: f"{float(number[0]):.5g}", str(schedule))


def _check_output(path: str | None, image: bool = False) -> None:
    """Refuse a file that cannot be written before time is spent on what it shall hold."""
    if path is None:
        return
    if not Path(path).resolve().parent.is_dir():
        raise click.UsageError(f"cannot write {path}: there is no folder {Path(path).parent}")
    if image:
        from . import plots

        kind = Path(path).suffix.removeprefix(".").lower()
        look_up(kind, plots.image_formats(), "kind of image")


def _write_figure(axes: Any, path: str) -> None:
    axes.flat[0].figure.savefig(path, dpi=200)


def parse_parameters(texts: tuple[str, ...]) -> dict[str, Any]:
    """``("a=100", "w=1,2")`` as ``{"a": 100, "w": [1.0, 2.0]}``."""
    parameters: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        try:
            numbers = [int(v) if v.strip().lstrip("+-").isdigit() else float(v) for v in value.split(",")]
        except ValueError:
            numbers = []
        if not (equals and name.strip().isidentifier() and numbers):
            raise click.UsageError(f"--param takes NAME=NUMBER, not {text!r}")
        parameters[name.strip()] = numbers if len(numbers) > 1 else numbers[0]
    return parameters


def build_potential(ctx: click.Context, options: dict[str, Any]) -> Any:
    """The potential that name, formula, dim and parameters say; what is on the command line beats the file."""
    name, formula = options["name"], options["formula"]
    if name is not None and formula is not None:
        typed = {key for key in ("name", "formula") if ctx.get_parameter_source(key) is click.core.ParameterSource.COMMANDLINE}
        if len(typed) != 1:
            raise click.UsageError("give a NAME or a --formula, not both", ctx)
        name, formula = (name, None) if "name" in typed else (None, formula)
    parameters = parse_parameters(options["param"])
    if formula is not None:
        from .potential import Potential

        if options["dim"] is not None:
            parameters["dim"] = options["dim"]
        return Potential.from_formula(formula, **parameters)
    if name is None:
        raise click.UsageError("give the NAME of a potential (see: langevin-sa potentials) or a --formula", ctx)

    from . import potentials

    make = look_up(name, potentials.catalogue(), "potential")
    return make(**_fitting(make, name, parameters, options["dim"]))


def _fitting(make: Any, name: str, parameters: dict[str, Any], dim: int | None) -> dict[str, Any]:
    """The keywords for a maker of potentials, or a UsageError that says which it takes."""
    import inspect

    known = inspect.signature(make).parameters
    if dim is not None:
        parameters = {"dim": dim, **parameters}
    for key in parameters:
        if key not in known:
            takes = ", ".join(map(str, known.values())).replace("'", "") or "none"
            raise click.UsageError(f"{name} has no parameter {key!r}; its parameters: {takes}")
    return parameters


def build_schedule(ctx: click.Context, potential: Any, start: Any, seed: int, options: dict[str, Any]) -> Any:
    """The schedule that the options say, the rest chosen from the potential."""
    law, rho0, hot, cold = (options[key] for key in ("schedule", "rho0", "T0", "T1"))
    look_up(law, dict.fromkeys(LAWS), "schedule")
    cool = law == "coolmomentum"
    if rho0 is not None and not cool:
        raise click.UsageError("--rho0 goes with --schedule coolmomentum; other schedules take --gamma", ctx)
    if cool and not (cold is None and options["gamma"] is None):
        raise click.UsageError("coolmomentum takes --T0, --rho0 and --dt; T1 and gamma follow from them", ctx)

    from .schedules import CoolMomentum
    from .tuning import automatic_schedule

    schedule = automatic_schedule(
        potential, start, seed, law="exponential" if cool else law, temperature=(hot or None if cool else hot, cold),
        gamma=options["gamma"], dt=options["dt"], integrator=options["integrator"],
    )  # fmt: skip
    if not cool:
        return schedule
    first = CoolMomentum(lr=float(schedule.dt) ** 2, **({} if rho0 is None else {"rho0": rho0}))
    if hot == 0:
        return first
    steps = first.coefficients(1)
    noise = (2 * float(schedule.temperature(0.0)) * (1 - steps.rho[0]) / steps.lr[0]) ** 0.5  # Eq. (19) for R
    return CoolMomentum(first.lr, first.rho0, float(noise))


class Table:
    """A callback of `anneal` that prints a row now and then above a progress bar; no bar on pipes, nothing unless shown."""

    def __init__(self, steps: int, max_seconds: float | None, shown: bool) -> None:
        from tqdm import tqdm

        self.steps, self.max_seconds, self.rows, self.started = steps, max_seconds, 0, time.perf_counter()
        self.first: tuple[int, float] | None = None
        self.bar = tqdm(total=steps, unit="step", desc="compiling", disable=None if shown else True, leave=False, dynamic_ncols=True)
        self.write = tqdm.write if shown else lambda line: None

    def __call__(self, intermediate_result: Any) -> None:
        look, step = intermediate_result, int(intermediate_result.step)
        self.bar.set_description("annealing", refresh=False)
        self.bar.update(step - self.bar.n)
        if step * ROWS < self.rows * self.steps and step < self.steps:
            return
        if not self.rows:
            self.write(HEADER)
        self.rows = step * ROWS // self.steps + 1
        now = time.perf_counter()
        if self.first is None:  # compiling is over
            self.first, left = (step, now), None
        else:
            left = (now - self.first[1]) / (step - self.first[0]) * (self.steps - step)
        if self.max_seconds is not None and self.max_seconds < float("inf"):
            rest = max(0.0, self.max_seconds - (now - self.started))
            left = rest if left is None else min(left, rest)
        time_left = "" if left is None else clock(left)
        numbers = f"{look.target:>11.4g} {look.temperature:>11.4g} {look.energy_mean:>13.6g} {look.fun:>13.8g}"
        self.write(f"{step:>10,} {numbers} {time_left:>10}")

    def close(self) -> None:
        """Remove the bar."""
        self.bar.close()


def clock(seconds: float) -> str:
    """Seconds as people write them: 3.2 s, 4:05, 2:00:00."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def outcome(result: Any, potential: Any) -> str:
    """What came out of a run, in lines."""
    lines = [f"\n{result.message}", f"best energy  {result.fun:.10g}"]
    if potential.dim <= 6:
        lines.append("at           " + ", ".join(f"{v:.8g}" for v in result.x))
    known = potential.minimum_energy
    if known is not None:
        within = NEAR * max(1.0, abs(known))
        reached = int((result.best_energies - known <= within).sum())
        how = f"reached by {reached} of {len(result.best_energies)} replicas (within {within:.2g})" if reached else "not reached: "
        lines.append(f"known        {known:.10g}, {how}" + ("" if reached else f"the best is {result.fun - known:.3g} above"))
    lines.append(f"time         {clock(result.seconds)}, {result.nit:,} steps, seed {result.seed}")
    return "\n".join(lines)


# ------------------------------------------------------------------------------------------------------------ minimize


@main.command()
@potential_options()
@click.option("--target", type=float, help="Stop as soon as an energy is at or below this.")
@click.option("--max-seconds", type=float, help="Stop after this time.")
@click.option("--seed", type=int, help="Seed of the search.  [default: random, and printed]")
@checkpoint_option
@click.pass_context
def minimize(ctx: click.Context, **options: Any) -> None:
    """Find the global minimum of the potential NAME of the catalogue, or of a formula, and the lowest of the others met."""
    potential = build_potential(ctx, options)

    from .minimize import minimize as search

    result = search(
        potential, rng=options["seed"], target=options["target"], max_seconds=options["max_seconds"], checkpoint=options["checkpoint"]
    )
    click.echo(f"{potential.name}, dim {potential.dim}, seed {result.seed}\n{result.message}\n")
    for k, found in enumerate(result.minima[:6]):
        place = "  at " + ", ".join(f"{v:.8g}" for v in found.x) if potential.dim <= 6 else ""
        click.echo(f"{'lowest' if k == 0 else '':<10}{found.fun:.10g}{place}")
    if potential.minimum_energy is not None:
        click.echo(f"{'known':<10}{potential.minimum_energy:.10g}")
    click.echo(f"{result.nfev:,} evaluations, {len(result.minima)} minima")


# ------------------------------------------------------------------------------------------------------------- compare


@main.command()
@potential_options()
@click.option("--methods", default="exponential,quench", show_default=True, help=f"What to compare, of: {', '.join(LAWS + OPTIMIZERS)}.")
@click.option("--T0", "T0", type=float, help="First temperature (energy).  [default: from the energy spread]")
@click.option("--T1", "T1", type=float, help="Last temperature, and that of the quench.  [default: T0/10,000]")
@click.option("--gamma", type=float, help="Friction (1/time).  [default: from the curvature]")
@click.option("--dt", type=float, help="Time step.  [default: from the curvature]")
@click.option("--lr", type=float, help="First learning rate of the optimizers.  [default: from the step of coolmomentum at T0]")
@click.option("--noise", type=float, help="Standard deviation of the optimizers' gradient noise.  [default: that of coolmomentum]")
@click.option("--steps", type=click.IntRange(min=1), default=10_000, show_default=True, help="Steps of each method.")
@click.option("--replicas", type=click.IntRange(min=1), default=256, show_default=True, help="Independent copies.")
@click.option("--integrator", default="gjf", show_default=True, help="A row of the table of integrators.")
@click.option("--judged", default="polished", show_default=True, help="Energy that counts: polished (by a descent), final or best.")
@click.option("--tolerance", type=float, help="Success is an energy this close to the minimum.  [default: 1e-3 of its size]")
@click.option("--seed", type=int, help="Seed of the noise and the starting points.  [default: random, and printed]")
@checkpoint_option
@click.option("--plot", type=click.Path(dir_okay=False), help="Draw energy, success and temperature to this image file.")
@click.pass_context
def compare(ctx: click.Context, **options: Any) -> None:
    """Compare ways of cooling on the potential NAME: how often, how low and how fast each gets, with 95 % intervals.

    All start from the same points and get the same noise; what is not given is chosen from the potential, alike for all. The
    optimizers' learning rates fall as in the paper, by 10 at 40, 60 and 80 % and by 2 at 90 % of the run.
    """
    _check_output(options["plot"], image=True)
    potential = build_potential(ctx, options)

    from . import run
    from .compare import compare as experiment

    seed = typed_seed(options["seed"], options["checkpoint"], "comparison checkpoint")
    start = run.starting_points(potential, None, options["replicas"], seed)
    methods = {}
    for name in (text.strip() for text in options["methods"].split(",")):
        look_up(name, dict.fromkeys(LAWS + OPTIMIZERS), "schedule or optimizer")
        own = name == "coolmomentum" or name in OPTIMIZERS  # T1 and gamma follow from their own numbers
        said = options | {"schedule": "coolmomentum" if own else name, "rho0": None} | ({"T1": None, "gamma": None} if own else {})
        schedule = build_schedule(ctx, potential, start, seed, said)
        methods[name] = build_optimizer(name, schedule, options["lr"], options["noise"]) if name in OPTIMIZERS else schedule
        click.echo(f"{name}: {short(methods[name])}")
    found = experiment(
        potential, methods, x0=start, replicas=len(start), n_steps=options["steps"], rng=seed, judged=options["judged"],
        tolerance=options["tolerance"], integrator=options["integrator"], checkpoint=options["checkpoint"],
    )  # fmt: skip
    click.echo(found)
    if options["plot"]:
        _write_figure(found.plot(), options["plot"])
        click.echo(f"drawn {options['plot']}")


# ---------------------------------------------------------------------------------------------------------------- page


@main.command()
@potential_options(most=2)
@click.option("-o", "--output", type=click.Path(dir_okay=False), default="page.html", show_default=True, help="The file to write.")
@click.option("--T0", "T0", type=float, help="Temperature it opens with; it cools to a hundredth.  [default: from the barriers]")
@click.option("--gamma", type=float, help="Friction (1/time).  [default: from the curvature]")
@click.option("--dt", type=float, help="Time step.  [default: from the curvature]")
@click.option("--integrator", default="gjf", show_default=True, help="A row of the table of integrators.")
@click.option("--balls", type=click.IntRange(1, 5000), default=400, show_default=True, help="Balls, which are replicas.")
@click.option(
    "--window", type=(float, float), metavar="LOW HIGH", help="What to show of each coordinate.  [default: the potential's domain]"
)
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the noise and the starting points.")
@click.pass_context
def page(ctx: click.Context, **options: Any) -> None:
    """Write a page to teach with: balls roll in the potential NAME, and a click anneals or quenches them.

    One HTML file that needs no network; its address holds the situation on show, so that it can be sent.
    """
    output = options["output"]
    _check_output(output)
    potential = build_potential(ctx, options)

    from .page import page as write

    text = write(
        potential, output, temperature=options["T0"], gamma=options["gamma"], dt=options["dt"], integrator=options["integrator"],
        balls=options["balls"], window=options["window"], rng=options["seed"],
    )  # fmt: skip
    click.echo(f"written {output}, {len(text.encode()) / 1000:.0f} kB: {potential.name}; open it in a browser")


# ------------------------------------------------------------------------------------------------- the other commands


def build_optimizer(name: str, cool: Any, lr: float | None, noise: float | None) -> Any:
    """An optimizer with the paper's step decay, its noise and first learning rate those of a CoolMomentum unless they are given.

    Adam and RMSprop divide by the size of the gradient, so that their lr is a length: the thermal step, sqrt(T0) dt.
    """
    from .optimizers import SGD, Adam, RMSprop
    from .schedules import stepwise

    first = cool.coefficients(1)
    noise = cool.noise if noise is None else noise
    if lr is None:
        length = float(first.temperature[0]) ** 0.5 * float(first.dt[0])
        lr = {"momentum": 0.95 * cool.lr, "sgd": 0.5 * cool.lr}.get(name, length)  # (1 + rho)/2 lr, Eq. (16)
    if not lr > 0:
        raise ValueError(f"{name} needs a learning rate > 0, not {lr:g}; with T0 = 0 give --lr")
    law = stepwise([(0, lr), (0.4, lr / 10), (0.6, lr / 100), (0.8, lr / 1000), (0.9, lr / 2000)])
    match name:
        case "momentum":
            return SGD(law, momentum=0.9, noise=noise)
        case "sgd":
            return SGD(law, noise=noise)
        case "adam":
            return Adam(law, noise=noise)
    return RMSprop(law, noise=noise)


@main.command()
def potentials() -> None:
    """List the catalogue as it comes without parameters: name, dim, lowest energy, formula."""
    from . import potentials as package

    rows = [("name", "dim", "lowest energy", "formula")]
    for name, make in package.catalogue().items():
        potential = make()
        lowest = "" if potential.minimum_energy is None else f"{potential.minimum_energy:.8g}"
        rows.append((name, str(potential.dim), lowest, (make.__doc__ or "").split("\n")[0]))
    widths = [max(len(row[k]) for row in rows) for k in range(3)]
    for row in rows:
        click.echo(f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]}")


@main.command()
@click.argument("run", type=click.Path(exists=True, dir_okay=False))
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Image file.  [default: RUN with the ending .png]")
def plot(run: str, output: str | None) -> None:
    """Draw temperature and energy against step of a saved RUN.npz."""
    output = output or str(Path(run).with_suffix(".png"))
    _check_output(output, image=True)

    from .annealing import Result

    result = Result.load(run)

    from . import plots

    _write_figure(plots.history(result), output)
    click.echo(f"{result.potential_name}: best energy {result.fun:.10g} after {result.nit:,} steps\ndrawn {output}")


@main.command()
@click.option("--backend", default="auto", show_default=True, help="auto, numba, numpy or cupy.")
@click.option("--dtype", default="float64", show_default=True, help="float64 or float32.")
@click.option("--quick/--full", default=True, show_default=True, help="Under a minute on two cores, or a few minutes and smaller errors.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of everything.")
@click.option("--report", type=click.Path(dir_okay=False), help="Write a self-contained page to this .html file.")
@click.option("--json", type=click.Path(dir_okay=False), help="Write all numbers to this .json file.")
@click.pass_context
def validate(ctx: click.Context, backend: str, dtype: str, quick: bool, seed: int, report: str | None, json: str | None) -> None:
    """Measure every law of the package on this machine; exits with 1 if one fails.

    A correct build fails by chance once in 1,000 reports.
    """
    for path, ending in ((report, ".html"), (json, ".json")):
        _check_output(path)
        if path is not None and Path(path).suffix != ending:
            raise click.UsageError(f"{path} should end in {ending}")

    from .validate import validate as measure

    found = measure(backend, dtype, "quick" if quick else "full", seed, progress=True)
    click.echo(str(found))
    for path in filter(None, (report, json)):
        found.save(path)
        click.echo(f"written {path}")
    ctx.exit(0 if found.passed else 1)


@main.command()
def info() -> None:
    """Say what is installed and what this machine offers."""
    import platform
    from importlib import metadata

    import llvmlite.binding as llvm

    from .formula import cache_folder

    features = llvm.get_host_cpu_features()
    widths = {"avx512f": "AVX-512, 8 doubles", "avx2": "AVX2, 4 doubles", "neon": "NEON, 2 doubles", "sse2": "SSE2, 2 doubles"}
    simd = next((text for flag, text in widths.items() if features.get(flag)), "none known")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    rows = [("langevin_sa", __version__), ("python", platform.python_version())]
    rows += [(name, metadata.version(name)) for name in ("numpy", "numba", "scipy", "sympy", "matplotlib")]
    rows += [
        ("CPU", f"{llvm.get_host_cpu_name()}, {cores} cores usable"),
        ("SIMD", simd),
        ("threads", f"{os.environ.get('NUMBA_NUM_THREADS', cores)}, replicas are shared out among them"),
        ("cache", str(cache_folder())),
        ("GPU", _gpu()),
    ]
    for name, value in rows:
        click.echo(f"{name:<12} {value}")


def _gpu() -> str:
    try:
        from .backends.cupy import describe

        return describe()
    except (ImportError, RuntimeError) as error:
        return f"none: {str(error).removeprefix('backend ')}"


if __name__ == "__main__":
    sys.exit(main())
