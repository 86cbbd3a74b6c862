"""The command ``langevin-sa``: anneal, compare ways of cooling, list the catalogue, draw a run,
validate, write a page or a course to teach with.

Everything heavy is imported inside the commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

import os
import warnings
from typing import Any

import click

from .. import __version__
from .courses import course
from .films import film
from .grids import grid
from .races import race
from .runs import anneal, compare, minimize
from .shows import info, page, plot, potentials, validate


class Plain(click.Group):
    """A group whose commands answer bad input with one line instead of a traceback."""

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        found = super().get_command(ctx, name)
        if found is None and not ctx.resilient_parsing:
            from ..arguments import unknown

            raise click.UsageError(unknown(name, self.commands, "command"), ctx)
        return found

    def invoke(self, ctx: click.Context) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("default", UserWarning)
            warnings.showwarning = lambda message, *_, **__: click.echo(
                f"Warning: {message}", err=True
            )
            try:
                return super().invoke(ctx)
            except (click.exceptions.Exit, click.Abort):  # which are RuntimeErrors
                raise
            except KeyboardInterrupt:
                click.echo("Interrupted.", err=True)
                raise click.exceptions.Exit(130) from None
            except (
                ValueError,
                TypeError,
                OSError,
                MemoryError,
                ImportError,
                RuntimeError,
            ) as error:
                if os.environ.get("LANGEVIN_SA_TRACEBACK"):
                    raise
                raise click.ClickException(
                    " ".join(str(error).split()) or type(error).__name__
                ) from error


@click.group(
    cls=Plain, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(__version__, prog_name="langevin-sa")
def main() -> None:
    """Simulated annealing by Langevin dynamics.

    \b
    langevin-sa anneal rastrigin --dim 10 --replicas 256
    langevin-sa anneal --formula "(x**2 - 1)**2 + 0.3*x" --plot run.png
    """


for command in (
    *(anneal, compare, course, film, grid, info, minimize),
    *(page, plot, potentials, race, validate),
):
    main.add_command(command)
