"""Every code block of the README and the docs runs, alone in an empty folder unless it says that it
goes on from those above, and prints what the page says. Every row of the theory table is true.
"""

import ast
import doctest
import importlib
import io
import re
import shutil
import warnings
from contextlib import redirect_stdout
from functools import partial, reduce
from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from click.testing import CliRunner

import langevin_sa as lsa
from langevin_sa import cli

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NEEDS = {"gpu": "cupy", "ml": "torch", "own_potential": "ase jax torch"}  # besides the package
# the last of two options counts
SHORT = {name: ["--steps", "200", "--replicas", "4"] for name in ("anneal", "compare")}
SHORT["film"] = [*SHORT["anneal"], "--frames", "3"]
CONTINUES = "# continues the blocks above"
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# a block of text right below one of Python is what that prints; ... stands for anything
SHOWN = re.compile(r"^```python\n(.*?)^```$(?:\n\n^```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)
SAME = partial(
    doctest.OutputChecker().check_output,
    optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE,
)


def blocks(page, language):
    return [code for kind, code in FENCE.findall(page.read_text()) if kind == language]


def commands(page):
    """Lines of console blocks that call langevin-sa, without prompt and comment."""
    lines = [
        line.strip().removeprefix("$ ").removeprefix(".venv/bin/")
        for code in blocks(page, "console")
        for line in code.splitlines()
    ]
    return [re.sub(r"\s+#.*", "", line) for line in lines if line.startswith("langevin-sa ")]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder; `validate` measures one family."""
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module("langevin_sa.validation.driver")
    short = partial(module.validate, families=["momentum"])
    for home in (module, lsa):
        monkeypatch.setattr(home, "validate", short)
    with mpl.rc_context():
        yield tmp_path
    plt.close("all")


@pytest.mark.long
@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=lambda p: p.stem)
def test_python(page, folder, monkeypatch):
    for module in NEEDS.get(page.stem, "").split():
        pytest.importorskip(module)
    if page.stem == "own_potential" and not shutil.which("cc"):
        pytest.skip("no C compiler here")
    above = {}
    for k, (code, said) in enumerate(SHOWN.findall(page.read_text())):
        goes_on = code.startswith(CONTINUES)
        if not goes_on:
            (folder / str(k)).mkdir()
            monkeypatch.chdir(folder / str(k))
        names = {**(above if goes_on else {}), "__name__": "__main__"}
        with redirect_stdout(io.StringIO()) as printed:
            exec(compile(code, f"{page.name}, block {k + 1}", "exec"), names)
        out = printed.getvalue()
        assert not said or SAME(said, out), f"{page.name}, block {k + 1} prints\n{out}"
        above |= names


@pytest.mark.long
@pytest.mark.parametrize("page", [p for p in PAGES if commands(p)], ids=lambda p: p.stem)
def test_commands(page, folder):
    from shlex import split

    for line in commands(page):
        words = split(line)[1:]
        if "run.toml" in words:
            Path("run.toml").write_text('name = "double_well"\nT0 = 1.0\n')
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # of large time steps
            done = CliRunner().invoke(cli.main, [*words, *SHORT.get(words[0], [])])
        assert done.exit_code == 0, f"{line}\n{done.output}"


def test_every_block_is_of_a_kind_that_is_run_or_plain_text():
    for page in PAGES:
        # a directive of Sphinx
        kinds = {kind for kind, _ in FENCE.findall(page.read_text()) if not kind.startswith("{")}
        assert kinds <= {"python", "console", "text", "toml"}, page.name


def test_rows_of_the_theory_table():
    """Each names an object that exists and a test that exists."""
    rows = re.findall(
        r"^\| \((\d+)\).*\|$", (text := (ROOT / "docs" / "theory.md").read_text()), re.MULTILINE
    )
    assert [int(n) for n in rows] == list(range(1, 23))
    for row in re.findall(r"^\| \(\d+\).*\|$", text, re.MULTILINE):
        code, test = (
            re.findall(r"`([\w.]+)`", row.split("|")[3]),
            re.findall(r"`(test_\w+)::(test_\w+)`", row.split("|")[4]),
        )
        assert code and test, row
        for name in code:
            reduce(getattr, name.split("."), lsa)
        for file, name in test:
            (path,) = (ROOT / "tests").rglob(f"{file}.py")
            tree = ast.parse(path.read_text())
            assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, (
                f"{file}::{name}"
            )


def test_links_between_pages():
    for page in PAGES:
        for target in re.findall(r"\]\(([\w./-]+?)(?:#[\w-]+)?\)", page.read_text()):
            if not target.startswith("gallery/"):  # made by the build
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


DEMOS = sorted((ROOT / "demos").rglob("*.py"))


def taught(text):
    """Dotted names below `langevin_sa` that a text teaches: `lsa.x.y`, and what it imports."""
    yield from re.findall(r"\b(?:lsa|langevin_sa)\.([A-Za-z_][\w.]*\w)", text)
    for module, names in re.findall(r"\bfrom langevin_sa(\S*) import (\([^)]*\)|[\w, ]+)", text):
        for name in re.findall(r"(\w+)(?: as \w+)?", names):
            yield f"{module}.{name}".removeprefix(".")


def resolved(name):
    """The object of a dotted name, None if it is there but needs an extra that is not."""
    found, path = lsa, "langevin_sa"
    for part in name.split("."):
        path += f".{part}"
        if hasattr(found, part):
            found = getattr(found, part)
            continue
        try:
            found = importlib.import_module(path)
        except ImportError as error:
            if "pip install" in str(error):
                return None
            raise
    return found


@pytest.mark.parametrize("page", [*PAGES, *DEMOS], ids=lambda p: p.stem)
def test_names_that_pages_teach(page):
    """A name that moved would break what users copied."""
    for name in sorted(set(taught(page.read_text()))):
        resolved(name)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_files_that_pages_name(page):
    for path in re.findall(r"`((?:langevin_sa|tests|demos|benchmarks)/[\w./]+)`", page.read_text()):
        assert (ROOT / path).exists(), path


def test_twenty_questions():
    """Each has an answer one click away."""
    index = (ROOT / "docs" / "index.md").read_text()
    rows = re.findall(r"^\| (\d+) \| [^|]+ \| (.*) \|$", index, re.MULTILINE)
    assert [int(n) for n, _ in rows] == list(range(1, 21))
    assert all("](" in answer for _, answer in rows)


@pytest.mark.parametrize("name", [n for n in lsa.__all__ if callable(getattr(lsa, n))])
def test_examples_of_the_reference(name):
    """Of docstrings, with `lsa`, `np` and a tilted double well U at hand."""
    thing = getattr(lsa, name)
    home = vars(importlib.import_module(thing.__module__))
    names = {**home, "lsa": lsa, "np": np, "U": lsa.potentials.double_well(tilt=0.3)}
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    for found in doctest.DocTestFinder(recurse=False).find(thing, name, globs=names):
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # of large time steps
            assert not doctest.DocTestRunner(optionflags=flags).run(found).failed


def test_messages_that_the_page_explains():
    """What the tables quote is in the package, but for the parts that an ellipsis stands for."""
    said = set()
    for file in (ROOT / "langevin_sa").rglob("*.py"):
        nodes = ast.walk(ast.parse(file.read_text()))
        said |= {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    rows = re.findall(
        r"^\| `([^`]+)` \|", (ROOT / "docs" / "messages.md").read_text(), re.MULTILINE
    )
    parts = [part.strip() for row in rows for part in row.split("…")]
    assert len(rows) > 25
    assert not [part for part in parts if not any(part in text for text in said)]


def test_the_callback_of_the_training_page():
    """In a loop that calls it as Lightning does."""
    torch = pytest.importorskip("torch")
    (code,) = [code for code in blocks(ROOT / "docs" / "ml.md", "python") if "on_train" in code]
    names = {}
    exec(code, names)
    x, seen = torch.nn.Parameter(torch.ones(3)), []
    trainer = SimpleNamespace(optimizers=[names["CoolMomentum"]([x], 0.1, total_steps=6)])
    writer = SimpleNamespace(add_scalar=lambda *row: seen.append(row))
    callback = names["Temperature"](writer)
    callback.on_train_start(trainer, None)
    for trainer.current_epoch in range(2):
        for _ in range(3):
            x.grad = torch.ones(3)
            trainer.optimizers[0].step()
        callback.on_train_epoch_end(trainer, None)
    assert [(tag, epoch) for tag, _, epoch in seen] == [
        ("T dt^2", 0),
        ("T", 0),
        ("T dt^2", 1),
        ("T", 1),
    ]
    assert all(value > 0 for _, value, _ in seen)
