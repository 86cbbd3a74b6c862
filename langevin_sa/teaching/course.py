"""The course: six lessons for a lecturer and his students, written in Markdown (the folder
`course`), which come out as Jupyter notebooks.

A fence ``python`` of a lesson is a cell of code, a fence ``python solution`` one that is hidden
until somebody opens it, and the text between, cut at its headings, is cells of text.
"""

from __future__ import annotations

import json
import os
import re
from importlib import resources
from pathlib import Path
from typing import Any

from ..arguments import check_flags, shown
from ..storage.whole import check_readable, write_whole

CODE = re.compile(r"^```python( solution)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(?=##)", re.MULTILINE)
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def notebooks() -> dict[str, dict[str, Any]]:
    """The lessons as notebooks, in their order.

    Returns
    -------
    dict
        By the name of the lesson, as in ``"1_boltzmann"``: a notebook of Jupyter's format 4.5,
        dicts and lists that `json` writes. Cells of solutions have the tag ``solution``, and their
        source is hidden.

    Examples
    --------
    >>> list(notebooks())[0]
    '1_boltzmann'
    """
    return {name: _notebook(name, text) for name, text in _lessons().items()}


def copy(folder: str | os.PathLike[str], *, force: bool = False) -> list[Path]:
    """Write the notebooks into a folder, which is made if it is not there; what somebody has
    worked in is kept.

    Parameters
    ----------
    folder : path
        Where to.
    force : bool
        Overwrite notebooks that were changed since they were copied.

    Returns
    -------
    list of Path
        The files that were written, in the order of the lessons: all but those that were changed
        since they were copied, which are kept.

    Raises
    ------
    TypeError, ValueError
        For a `folder` that is none.
    """
    check_flags(force=force)
    if not isinstance(folder, (str, os.PathLike)):
        raise TypeError(f"folder must be the path of a folder, not {shown(folder)}")
    home = Path(folder)
    beside = next(place for place in (home, *home.absolute().parents) if place.exists())
    if not beside.is_dir():
        raise ValueError(f"{home} must be a folder, and {beside} is a file")
    texts = {
        home / f"{name}.ipynb": json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"
        for name, notebook in notebooks().items()
    }
    wanted = [path for path, text in texts.items() if force or not _holds_other(path, text)]
    home.mkdir(parents=True, exist_ok=True)
    for path in wanted:
        write_whole(path, texts[path])
    return wanted


def title(name: str) -> str:
    """The heading of a lesson, as in ``"Lesson 1: Boltzmann's law"``."""
    return _lessons()[name].split("\n", 1)[0].removeprefix("# ")


def _lessons() -> dict[str, str]:
    """Their Markdown, by name, in order."""
    files = resources.files(__package__).joinpath("course").iterdir()
    found = {file.name: file for file in files if file.name.endswith(".md")}
    return {
        name.removesuffix(".md"): found[name].read_text(encoding="utf-8") for name in sorted(found)
    }


def _notebook(name: str, text: str) -> dict[str, Any]:
    parts = CODE.split(text)  # text, then " solution" or None, code and text, again and again
    cells: list[dict[str, Any]] = []
    for k in range(0, len(parts), 3):
        if k:
            hidden = {"jupyter": {"source_hidden": True}, "tags": ["solution"]}
            code: dict[str, Any] = {"execution_count": None, "outputs": []}
            cells.append(_cell("code", parts[k - 1], hidden if parts[k - 2] else {}) | code)
        cells += [_cell("markdown", part, {}) for part in HEADING.split(parts[k]) if part.strip()]
    for number, cell in enumerate(cells):
        cell["id"] = f"{name}-{number}"
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}, "title": title(name)}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _cell(kind: str, source: str, metadata: dict[str, Any]) -> dict[str, Any]:
    lines = source.strip().splitlines(keepends=True)
    return {"cell_type": kind, "id": "", "metadata": metadata, "source": lines}


def _holds_other(path: Path, text: str) -> bool:
    check_readable(path)
    return path.exists() and path.read_bytes() != text.encode("utf-8")
