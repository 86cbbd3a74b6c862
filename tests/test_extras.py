"""Extras of the package: those that are taught, and what the GPU's bring."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def test_every_extra_that_is_named_exists():
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *ROOT.glob("langevin_sa/**/*.py")]
    named = {
        extra.strip()
        for page in pages
        for listed in re.findall(r"langevin_sa\[([\w, ]+)\]", page.read_text())
        for extra in listed.split(",")
    }
    assert {"gpu", "gpu13"} <= named <= set(EXTRAS)


def test_cupy_comes_with_its_compiler_and_headers():
    """For CUDA 12 and 13, each a package of its own, of which one at most may be installed."""
    for extra, package in (("gpu", "cupy-cuda12x"), ("gpu13", "cupy-cuda13x")):
        (wanted,) = EXTRAS[extra]
        assert wanted.startswith(f"{package}[ctk]")
