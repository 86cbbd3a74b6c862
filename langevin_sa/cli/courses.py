"""The command that copies the course's notebooks."""

from __future__ import annotations

import click


@click.command(short_help="Copy six lessons with exercises, as notebooks.")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
@click.option("--force", is_flag=True, help="Overwrite notebooks in which somebody has worked.")
def course(folder: str, force: bool) -> None:
    """Write the six lessons of the course, with exercises and hidden solutions, into the folder
    DIR; notebooks there that were changed are kept.

    Jupyter comes with the extra `notebook`; the end of the last lesson needs the extra `ml`.
    """
    from ..teaching.course import copy, notebooks, title

    written = {path.stem: path for path in copy(folder, force=force)}
    for name in notebooks():
        if name in written:
            click.echo(f"written {written[name]}: {title(name)}")
        else:
            click.echo(f"kept {name}.ipynb, which was changed; --force overwrites it")
    click.echo(f"open them with: jupyter lab {folder}")
