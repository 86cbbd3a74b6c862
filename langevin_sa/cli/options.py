"""What several commands share: the options that say which potential, files to write, a seed; and
what is made of them.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import click

TRIED = 65_536  # bytes written to see whether there is room for a file

# status of a result -> of the command: nothing finite or no minimum, interrupted
EXIT = {2: 1, 3: 130}


def together(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Several options as one, in this order."""
    return lambda command: reduce(lambda done, option: option(done), reversed(options), command)


def known_potentials(ctx: Any, parameter: Any, begun: str) -> list[str]:
    """Names of the catalogue that begin so."""
    from ..potentials import catalogue

    return [name for name in catalogue() if name.startswith(begun)]


def known_integrators(ctx: Any, parameter: Any, begun: str) -> list[str]:
    """Names of integrators that begin so."""
    from ..integrators import INTEGRATORS

    return [name for name in INTEGRATORS if name.startswith(begun)]


def potential_options(most: int | None = None) -> Callable[[Any], Any]:
    """NAME, --formula, --param, --dim and --bounds, of which `build_potential` makes a potential;
    of at most so many coordinates.
    """
    return together(
        click.argument("name", required=False, shell_complete=known_potentials),
        click.option(
            "--formula",
            help="A potential of its coordinates, e.g. 'a*(y - x**2)**2 + (1 - x)**2', instead of "
            "a NAME.",
        ),
        click.option(
            "--param",
            multiple=True,
            metavar="A=VALUE",
            help="A parameter of the potential; may be repeated. A list: a=1,2,3",
        ),
        click.option(
            "--dim",
            type=click.IntRange(1, most),
            help="Number of coordinates, for potentials that come in any dimension.",
        ),
        click.option(
            "--bounds",
            type=(float, float),
            metavar="LOW HIGH",
            help="Where a formula's coordinates start, and what pictures show.  [default: normal "
            "numbers around 0]",
        ),
    )


cooling_options = together(
    click.option(
        "--T0",
        "T0",
        type=float,
        help="First temperature (energy).  [default: from the energy spread]",
    ),
    click.option(
        "--T1", "T1", type=float, help="Last temperature, also of a quench.  [default: T0/10,000]"
    ),
    click.option("--gamma", type=float, help="Friction (1/time).  [default: from the curvature]"),
    click.option("--dt", type=float, help="Time step.  [default: from the curvature]"),
    click.option(
        "--integrator",
        default="gjf",
        show_default=True,
        shell_complete=known_integrators,
        help="gjf, bbk, baoab, ermak_mccammon, ... (a wrong name lists them).",
    ),
    click.option(
        "--steps",
        type=click.IntRange(min=1),
        default=10_000,
        show_default=True,
        help="Number of steps, of each method.",
    ),
    click.option(
        "--seed",
        type=int,
        help="Seed of the noise and the starting points.  [default: random, and printed]",
    ),
)
checkpoint_option = click.option(
    "--checkpoint",
    type=click.Path(dir_okay=False),
    help="Write the run to this .npz file every 10 s; go on from it if it is there.",
)
comparison_options = together(
    click.option(
        "--replicas",
        type=click.IntRange(min=1),
        default=256,
        show_default=True,
        help="Independent copies.",
    ),
    click.option(
        "--judged",
        default="polished",
        show_default=True,
        help="Energy that counts: polished (by a descent), final or best.",
    ),
    click.option(
        "--tolerance",
        type=float,
        help="Success is an energy this close to the minimum.  [default: 1e-3 of the natural "
        "energy]",
    ),
    checkpoint_option,
)


def parse_parameters(texts: tuple[str, ...]) -> dict[str, Any]:
    """``("a=100", "w=1,2")`` as ``{"a": 100, "w": [1.0, 2.0]}``."""
    parameters: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        words = value.split(",")
        try:
            numbers = [int(v) if v.strip().lstrip("+-").isdigit() else float(v) for v in words]
        except ValueError:
            numbers = []
        if not (equals and name.strip().isidentifier() and numbers):
            raise click.UsageError(f"--param takes NAME=NUMBER, not {text!r}")
        parameters[name.strip()] = numbers if len(numbers) > 1 else numbers[0]
    return parameters


def build_potential(ctx: click.Context, options: dict[str, Any]) -> Any:
    """The potential that name, formula, dim and parameters say; what is on the command line beats
    the file.
    """
    name, formula = options["name"], options["formula"]
    if name is not None and formula is not None:
        line = click.core.ParameterSource.COMMANDLINE
        typed = {key for key in ("name", "formula") if ctx.get_parameter_source(key) is line}
        if len(typed) != 1:
            raise click.UsageError("give a NAME or a --formula, not both", ctx)
        name, formula = (name, None) if "name" in typed else (None, formula)
    parameters = parse_parameters(options["param"])
    if formula is not None:
        from ..potential import Potential

        given = {key: options[key] for key in ("dim", "bounds") if options[key] is not None}
        return Potential.from_formula(formula, **parameters, **given)
    if options["bounds"] is not None:
        raise click.UsageError(
            "--bounds goes with a --formula; the potentials of the catalogue have a domain of "
            "their own",
            ctx,
        )
    if name is None:
        raise click.UsageError(
            "give the NAME of a potential (see: langevin-sa potentials) or a --formula", ctx
        )

    from .. import potentials
    from ..arguments import look_up

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


def typed_seed(seed: int | None, checkpoint: str | None, kind: str) -> int:
    """The seed that was given, or the checkpoint's, or a random one that is short enough to type
    again.
    """
    from ..noise import seed_of
    from ..storage.checkpoint import Checkpoint

    if seed is None:
        with Checkpoint(checkpoint, 0, kind) as keeper:
            seed = keeper.seed
    return seed_of(None) >> 32 if seed is None else seed_of(seed)


def check_output(path: str | None, image: bool = False) -> None:
    """Refuse a file that cannot be written before time is spent on what it shall hold."""
    if path is None:
        return
    if not Path(path).resolve().parent.is_dir():
        raise click.UsageError(f"cannot write {path}: there is no folder {Path(path).parent}")
    try:
        with tempfile.NamedTemporaryFile(dir=Path(path).resolve().parent) as file:
            file.write(bytes(TRIED))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise click.UsageError(f"cannot write {path}: {error.strerror}") from None
    if image:
        from .. import plots
        from ..arguments import look_up

        kind = Path(path).suffix.removeprefix(".").lower()
        look_up(kind, plots.image_formats(), "kind of image")


def write_figure(axes: Any, path: str) -> None:
    axes.flat[0].figure.savefig(path, dpi=200)
