"""Commands that show: the catalogue, a page, a saved run, the machine; and the validation."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from textwrap import fill
from typing import Any

import click

from .. import __version__
from .options import (
    build_potential,
    check_output,
    known_integrators,
    potential_options,
    write_figure,
)

NARROWEST = 60  # columns of the list of potentials


@click.command(short_help="Write a page to teach with: annealed or quenched live.")
@potential_options(most=2)
@click.option("--particles", type=click.IntRange(min=2), help="As --param particles=NUMBER.")
@click.option("--space", type=click.IntRange(1, 3), help="As --param space=NUMBER: axes of space.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    default="page.html",
    show_default=True,
    help="The file to write.",
)
@click.option(
    "--T0",
    "T0",
    type=float,
    help="Temperature it opens with; it cools to a hundredth.  [default: from the barriers]",
)
@click.option("--gamma", type=float, help="Friction (1/time).  [default: from the curvature]")
@click.option("--dt", type=float, help="Time step.  [default: from the curvature]")
@click.option(
    "--integrator",
    default="gjf",
    show_default=True,
    shell_complete=known_integrators,
    help="A row of the table of integrators.",
)
@click.option(
    "--balls", type=click.IntRange(1, 5000), help="Balls, which are replicas.  [default: 400]"
)
@click.option(
    "--window",
    type=(float, float),
    metavar="LOW HIGH",
    help="What to show of each coordinate.  [default: the potential's domain]",
)
@click.option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    help="Seed of the noise and the starting points.",
)
@click.pass_context
def page(ctx: click.Context, **options: Any) -> None:
    """Write a page to teach with: balls roll in the potential NAME, and a click anneals or quenches
    them.

    NAME may be of many bodies too: lennard_jones_fluid or kob_andersen with --space 2 and
    --particles 400, or phi4_lattice with --param shape=64,64.

    One HTML file that needs no network; its address holds the situation on show, so that it can be
    sent.
    """
    output = options["output"]
    check_output(output)
    given = {name: options[name] for name in ("space", "particles") if options[name] is not None}
    options["param"] += tuple(f"{name}={value}" for name, value in given.items())
    potential = build_potential(ctx, options)

    from ..teaching.driver import page as write

    text = write(
        potential,
        output,
        temperature=options["T0"],
        gamma=options["gamma"],
        dt=options["dt"],
        integrator=options["integrator"],
        balls=options["balls"],
        window=options["window"],
        rng=options["seed"],
    )
    click.echo(
        f"written {output}, {len(text.encode()) / 1000:.0f} kB: {potential.name}; open it in a "
        "browser"
    )


@click.command(short_help="List the catalogue.")
def potentials() -> None:
    """List the catalogue as it comes without parameters: name, dim, lowest energy, formula."""
    from .. import potentials as package

    rows = [("name", "dim", "lowest energy", "formula")]
    for name, make in package.catalogue().items():
        potential = make()
        lowest = "" if potential.minimum_energy is None else f"{potential.minimum_energy:.8g}"
        rows.append((name, str(potential.dim), lowest, (make.__doc__ or "").split("\n")[0]))
    widths = [max(len(row[k]) for row in rows) for k in range(3)]
    screen = max(NARROWEST, shutil.get_terminal_size().columns)
    for name, dim, lowest, formula in rows:
        head = f"{name:<{widths[0]}}  {dim:>{widths[1]}}  {lowest:>{widths[2]}}  "
        indent = " " * len(head)
        click.echo(fill(formula, screen, initial_indent=head, subsequent_indent=indent))


@click.command(short_help="Draw a saved run.")
@click.argument("run", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    help="Image file.  [default: RUN with the ending .png]",
)
def plot(run: str, output: str | None) -> None:
    """Draw temperature and energy against step of a saved RUN.npz."""
    output = output or str(Path(run).with_suffix(".png"))
    check_output(output, image=True)

    from ..annealing.results import Result

    result = Result.load(run)

    from .. import plots

    write_figure(plots.history(result), output)
    best = f"best energy {result.fun:.10g} after {result.nit:,} steps"
    click.echo(f"{result.potential_name}: {best}\ndrawn {output}")


@click.command(short_help="Measure every law of the package on this machine.")
@click.option("--backend", default="auto", show_default=True, help="auto, numba, numpy or cupy.")
@click.option("--dtype", default="float64", show_default=True, help="float64 or float32.")
@click.option(
    "--quick/--full",
    default=True,
    show_default=True,
    help="Under a minute on two cores, or a few minutes and smaller errors.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of everything.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False),
    help="Write a self-contained page to this .html file.",
)
@click.option(
    "--json", type=click.Path(dir_okay=False), help="Write all numbers to this .json file."
)
@click.pass_context
def validate(
    ctx: click.Context,
    backend: str,
    dtype: str,
    quick: bool,
    seed: int,
    report: str | None,
    json: str | None,
) -> None:
    """Measure every law of the package on this machine; exits with 1 if one fails.

    A correct build fails by chance once in 1,000 reports.
    """
    for path, ending in ((report, ".html"), (json, ".json")):
        check_output(path)
        if path is not None and Path(path).suffix != ending:
            raise click.UsageError(f"{path} should end in {ending}")

    from ..validation.driver import validate as measure

    found = measure(backend, dtype, "quick" if quick else "full", seed, progress=True)
    click.echo(str(found))
    for path in filter(None, (report, json)):
        found.save(path)
        click.echo(f"written {path}")
    ctx.exit(0 if found.passed else 1)


@click.command()
def info() -> None:
    """Say what is installed and what this machine offers."""
    import platform

    import llvmlite.binding as llvm

    from ..backends.workers import processors
    from ..storage.cache import cache_folder
    from ..storage.versions import version_of

    features = llvm.get_host_cpu_features()
    widths = {"avx512f": "AVX-512, 8 doubles", "avx2": "AVX2, 4 doubles"}
    widths |= {"neon": "NEON, 2 doubles", "sse2": "SSE2, 2 doubles"}
    simd = next((text for flag, text in widths.items() if features.get(flag)), "none known")
    cores = processors()
    rows = [("langevin_sa", __version__), ("python", platform.python_version())]
    packages = ("numpy", "numba", "scipy", "sympy", "matplotlib")
    rows += [(name, version_of(name)) for name in packages]
    threads = os.environ.get("NUMBA_NUM_THREADS", cores)
    rows += [
        ("CPU", f"{llvm.get_host_cpu_name()}, {cores} cores usable"),
        ("SIMD", simd),
        ("threads", f"{threads}, replicas are shared out among them"),
        ("cache", str(cache_folder() or "none")),
        ("GPU", _gpu()),
    ]
    for name, value in rows:
        click.echo(f"{name:<12} {value}")


def _gpu() -> str:
    try:
        from ..backends.cuda.device import describe

        return describe()
    except (ImportError, RuntimeError) as error:
        return f"none: {str(error).removeprefix('backend ')}"
