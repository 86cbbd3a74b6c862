"""Nothing needs the metadata of an installation: sources run where they lie."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import langevin_sa as lsa
from langevin_sa.cli import main
from langevin_sa.storage.versions import version_of


@pytest.fixture
def bare(monkeypatch):
    """As if nothing were installed."""

    def nothing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata.Distribution, "from_name", nothing)


def test_what_is_imported_says_its_version_itself(bare):
    assert version_of("langevin_sa") == lsa.__version__
    assert version_of("pytest") == pytest.__version__
    assert version_of("no such package") == "unknown"


def test_validate_and_info(bare, tmp_path):
    report = lsa.validate("numpy", families=["momentum"])
    assert report.machine["langevin_sa"] == lsa.__version__
    for name in ("report.html", "report.json"):
        report.save(tmp_path / name)
    info = CliRunner().invoke(main, ["info"])
    assert info.exit_code == 0 and lsa.__version__ in info.output, info.output


def test_a_copy_of_the_sources_is_enough(tmp_path):
    """In a process that knows of no other."""
    package = Path(lsa.__file__).parent
    shutil.copytree(package, tmp_path / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    code = (
        "import importlib.metadata as m, langevin_sa as lsa\n"
        "def nothing(name): raise m.PackageNotFoundError(name)\n"
        "m.Distribution.from_name = nothing\n"
        "print(lsa.__file__)\n"
        "assert lsa.validate('numpy', families=['momentum']).passed"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))
