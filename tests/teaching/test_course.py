"""The course: its notebooks are whole, each lesson runs with its solutions, students' cells need no
solution, and the command copies them.
"""

import ast
import builtins
import json

import pytest
from click.testing import CliRunner

from langevin_sa.cli import main
from langevin_sa.teaching.course import copy, notebooks, title

LESSONS = notebooks()
NEEDS_TORCH = "6_training"


def sources(lesson, solutions):
    """Code of a lesson's cells, of solutions or of the others."""
    return [
        "".join(cell["source"])
        for cell in LESSONS[lesson]["cells"]
        if cell["cell_type"] == "code" and ("tags" in cell["metadata"]) == solutions
    ]


def names(code, kind):
    """Names that a cell writes or reads."""
    tree = ast.walk(ast.parse(code))
    found = set()
    for node in tree:
        if isinstance(node, ast.Name) and isinstance(node.ctx, kind):
            found.add(node.id)
        elif kind is ast.Store and isinstance(node, (ast.FunctionDef, ast.arg)):
            found.add(node.name if isinstance(node, ast.FunctionDef) else node.arg)
        elif kind is ast.Store and isinstance(node, ast.alias):
            found.add((node.asname or node.name).split(".")[0])
    return found


def test_six_lessons_in_order():
    assert [name[0] for name in LESSONS] == list("123456")
    assert [title(name)[:9] for name in LESSONS] == [f"Lesson {n}:" for n in range(1, 7)]


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_is_built_as_one(lesson):
    """It opens with questions and aims, and ends with a summary and a figure for a slide; after
    each exercise comes an empty cell and a solution, whose source is hidden.
    """
    nbformat = pytest.importorskip("nbformat")
    nbformat.validate(json.loads(json.dumps(LESSONS[lesson])))
    cells = LESSONS[lesson]["cells"]
    texts = ["".join(cell["source"]) for cell in cells]
    assert "**Questions**" in texts[0] and "**You will be able to**" in texts[0]
    exercises = [k for k, text in enumerate(texts) if text.startswith("## Exercise")]
    assert len(exercises) >= 3
    for k in exercises:
        assert texts[k + 1] == "# your code"
        assert cells[k + 2]["metadata"] == {
            "jupyter": {"source_hidden": True},
            "tags": ["solution"],
        }
        assert "assert" in texts[k + 2], texts[k]  # what it claims is held
    assert sum(cell["metadata"] != {} for cell in cells) == len(exercises)
    assert texts[-2].startswith("## Summary") and f'savefig("lesson_{lesson}.png")' in texts[-1]


@pytest.mark.parametrize("lesson", LESSONS)
def test_students_need_no_solution(lesson):
    """No other cell reads a name that a solution alone has written, or changed."""
    known, spoilt = set(dir(builtins)), set()
    for cell in LESSONS[lesson]["cells"]:
        if cell["cell_type"] != "code":
            continue
        code = "".join(cell["source"])
        if "tags" in cell["metadata"]:
            spoilt |= names(code, ast.Store)
            continue
        written = names(code, ast.Store)
        spoilt -= written
        read = names(code, ast.Load)
        assert read <= known | written, (read - known - written, code)
        assert not read & spoilt, (read & spoilt, code)
        known |= written


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_runs_with_its_solutions(lesson, tmp_path, monkeypatch):
    """In a kernel of its own, in an empty folder, where its figure is left."""
    nbclient, nbformat = map(pytest.importorskip, ("nbclient", "nbformat"))
    pytest.importorskip("ipykernel")
    if lesson == NEEDS_TORCH:
        for module in ("torch", "sklearn"):
            pytest.importorskip(module)
    monkeypatch.delenv("MPLBACKEND", raising=False)
    notebook = nbformat.reads(json.dumps(LESSONS[lesson]), as_version=4)
    folder = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=300, resources=folder).execute()
    said = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in said if output.get("name") == "stderr"]
    assert sum("image/png" in output.get("data", {}) for output in said) >= 3
    assert [path.name for path in tmp_path.iterdir()] == [f"lesson_{lesson}.png"]


def test_command(tmp_path):
    """It copies, says where, copies again, and keeps what somebody has changed."""
    folder = tmp_path / "new" / "course"
    done = CliRunner().invoke(main, ["course", str(folder)])
    assert done.exit_code == 0, done.output
    files = sorted(folder.iterdir())
    assert [path.stem for path in files] == list(LESSONS)
    assert json.loads(files[0].read_text(encoding="utf-8")) == LESSONS["1_boltzmann"]
    assert f"written {files[0]}: Lesson 1: Boltzmann's law" in done.output
    assert f"jupyter lab {folder}" in done.output

    assert CliRunner().invoke(main, ["course", str(folder)]).exit_code == 0
    files[1].write_text("my notes")
    files[2].unlink()
    kept = CliRunner().invoke(main, ["course", str(folder)])
    assert kept.exit_code == 0 and "kept 2_thermostats.ipynb, which was changed" in kept.output
    assert files[2].exists() and files[1].read_text() == "my notes"
    assert CliRunner().invoke(main, ["course", str(folder), "--force"]).exit_code == 0
    assert json.loads(files[1].read_text(encoding="utf-8")) == LESSONS["2_thermostats"]


def test_what_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"must be a folder, and .* is a file"):
        copy(tmp_path / "file")
    with pytest.raises(ValueError, match="file is a file"):
        copy(tmp_path / "file" / "within")
    with pytest.raises(TypeError, match="path of a folder, not 3"):
        copy(3)
    with pytest.raises(TypeError, match="force must be True or False"):
        copy(tmp_path, force="yes")
