"""A page as text: one file that holds its styles, its scripts and what they know."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import escape
from importlib import resources
from typing import Any


class Page(str):
    """The text of a page; a notebook shows it at work."""

    def __repr__(self) -> str:
        return f"Page of {len(self.encode()) / 1000:.0f} kB"

    def _repr_html_(self) -> str:
        look = 'width="100%" height="760" style="border: 0"'
        return f'<iframe {look} srcdoc="{escape(self)}"></iframe>'


def text(*names: str) -> str:
    """Files beside this one, one after the other."""
    files = (resources.files(__package__).joinpath(name) for name in names)
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def assembled(
    template: str, styles: str, scripts: str, data: Mapping[str, Any], force: str, **parts: str
) -> Page:
    """The page of a template, whose names in double braces are TITLE, STYLE, SCRIPT and those of
    `parts`.

    Parameters
    ----------
    template, styles, scripts : str
        The file, and the names of the others without their endings, separated by spaces.
    data : dict
        What the scripts know, as DATA; "name" is the title.
    force : str
        Functions in JavaScript that come before the scripts.
    """
    known = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    known = known.replace("<", "\\u003c")
    code = text(*(f"{name}.js" for name in scripts.split()))
    filled = {
        "TITLE": escape(data["name"]),
        "STYLE": text(*(f"{name}.css" for name in styles.split())),
        "SCRIPT": "\n".join([f"const DATA = {known};", force, code]),
        **parts,
    }
    return Page(re.sub(r"\{\{(\w+)\}\}", lambda mark: filled[mark[1]], text(template)))
