"""What is published: the archive of the sources, the wheel, how to cite."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MADE = shutil.ignore_patterns(
    *(".*_cache .venv .git build dist *.egg-info __pycache__ _build gallery reference").split()
)
QUICK = ["tests/test_imports.py", "tests/test_schedules.py", "tests/plots/test_displays.py"]


def run(*words, **keywords):
    out = subprocess.run(words, capture_output=True, text=True, check=False, **keywords)
    assert out.returncode == 0, out.stdout[-3000:] + out.stderr[-3000:]
    return out.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Folder of the archive and the wheel, which is made from the archive."""
    pytest.importorskip("build")
    folder = tmp_path_factory.mktemp("dist")
    shutil.copytree(ROOT, folder / "tree", ignore=MADE)
    run(sys.executable, "-m", "build", "--outdir", str(folder), str(folder / "tree"))
    return folder


def test_the_citation_is_of_this_version():
    text = (ROOT / "CITATION.cff").read_text()
    assert re.search(r"(?m)^version: (.*)$", text)[1] == PROJECT["version"]
    assert re.search(r"(?m)^license: (.*)$", text)[1] == PROJECT["license"]


def test_the_address_is_written_once():
    host = PROJECT["urls"]["Source"].split("/")[2]
    files = [
        ROOT / "README.md",
        ROOT / "setup.py",
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("docs/*.py"),
    ]
    assert not [file.name for file in files if host in file.read_text()]


@pytest.mark.slow
def test_an_index_page_finds_the_pictures(built):
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [n for n in archive.namelist() if n.endswith("/METADATA")]
        text = archive.read(name).decode()
    source = PROJECT["urls"]["Source"]
    targets = re.findall(r"\]\(([^)]*)\)", text)
    there = [target for target in targets if target.startswith(source)]
    assert f"{source}/raw/HEAD/docs/figures/page.png" in there
    assert not [target for target in targets if "://" not in target and target[0] != "#"]
    for target in there:
        assert (ROOT / target.split("/HEAD/")[1].split("#")[0]).exists(), target


@pytest.mark.slow
def test_the_unpacked_archive_passes(built, tmp_path):
    """All tests are found, and quick ones of several kinds pass, without the sources of here."""
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    (root,) = tmp_path.iterdir()
    environment = os.environ | {"PYTHONPATH": str(root)}
    pytest_here = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    found = run(*pytest_here, "--collect-only", cwd=root, env=environment)
    assert "error" not in found.splitlines()[-1]
    for name in ("Makefile", "CHANGELOG.md", "benchmarks/gpu.py", "demos/slow_cooling.py"):
        assert (root / name).exists(), name
    run(*pytest_here, *QUICK, cwd=root, env=environment)
    imported = "import langevin_sa; print(langevin_sa.__file__)"
    assert run(sys.executable, "-c", imported, cwd=root, env=environment).startswith(str(root))


@pytest.mark.slow
def test_the_wheel_in_a_fresh_environment(built, tmp_path):
    (wheel,) = built.glob("*.whl")
    run(sys.executable, "-m", "venv", str(tmp_path / "venv"))
    binaries = tmp_path / "venv" / "bin"
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    run(str(binaries / "pip"), "install", "-q", str(wheel), env=environment)
    where = {"cwd": tmp_path, "env": environment}
    words = ["anneal", "gaussian_wells", "--steps", "500", "--seed", "1", "--plot", "run.png"]
    assert "best energy" in run(str(binaries / "langevin-sa"), *words, **where)
    run(str(binaries / "langevin-sa"), "page", "double_well", **where)
    run(str(binaries / "langevin-sa"), "course", "lessons", **where)
    assert len(list((tmp_path / "lessons").glob("*.ipynb"))) == 6
    run(str(binaries / "langevin-sa"), "validate", "--report", "report.html", **where)
    assert {"run.png", "page.html", "report.html"} <= {p.name for p in tmp_path.iterdir()}
    typed = "import langevin_sa, pathlib; p = pathlib.Path(langevin_sa.__file__).parent\n"
    run(str(binaries / "python"), "-c", typed + "assert (p / 'py.typed').exists()", **where)


@pytest.mark.slow
def test_the_first_lesson_in_a_fresh_environment(built, tmp_path):
    """With the extra `notebook` alone, from the command that copies it."""
    (wheel,) = built.glob("*.whl")
    run(sys.executable, "-m", "venv", str(tmp_path / "venv"))
    binaries = tmp_path / "venv" / "bin"
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    run(str(binaries / "pip"), "install", "-q", f"{wheel}[notebook]", env=environment)
    where = {"cwd": tmp_path, "env": environment}
    run(str(binaries / "langevin-sa"), "course", "lessons", **where)
    words = ["nbconvert", "--to", "notebook", "--execute", "lessons/1_boltzmann.ipynb"]
    run(str(binaries / "jupyter"), *words, **where)
    assert (tmp_path / "lessons" / "lesson_1_boltzmann.png").exists()
