"""The command that writes the optimizers' race."""

import json
import re

import pytest
from click.testing import CliRunner

from langevin_sa import cli


def call(*arguments):
    return CliRunner().invoke(cli.main, ["race", *map(str, arguments)])


def known(path):
    return json.loads(re.search(r"const DATA = (\{.*?\});\n", path.read_text())[1])


def test_it_writes_the_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "written race.html" in call().output
    assert known(tmp_path / "race.html")["name"] == "double_well"
    tilted = ("double_well", "--param", "tilt=0.5", "--noise", 4, "--rho0", 0.99, "--steps", 5000)
    more = ("--replicas", 50, "--start", 1.1, "--seed", 2**63, "-o", "here.html")
    assert "written here.html" in call(*tilted, *more).output
    data = known(tmp_path / "here.html")
    assert [data[name] for name in ("noise", "rho0", "steps")] == [4, 0.99, 5000]
    assert data["opening"] == {"replicas": 50, "seed": str(2**63), "start": "1.1"}
    call("--formula", "(x**2 - 1)**2 + 0.2*x", "--window", -3, 3, "-o", "own.html")
    assert known(tmp_path / "own.html")["window"] == [-3, 3]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["double_wel"], "did you mean 'double_well'?"),
        (["rastrigin"], "rastrigin has dim 10; give dim=1 (--dim on the command line)"),
        (["--formula", "x + y"], "has dim 2"),
        (["--param", "tilt=1"], "give the NAME of a potential"),
        (["double_well", "--rho0", 1], "rho0 must be in [0, 1), not 1"),
        (["double_well", "--noise", 0], "noise must be a positive number"),
        (["double_well", "--steps", 10], "--steps"),
        (["double_well", "-o", "nowhere/race.html"], "there is no folder nowhere"),
    ],
)
def test_one_line_for_what_is_wrong(tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    outcome = call(*words)
    assert outcome.exit_code and said in outcome.output and "Traceback" not in outcome.output
    assert not list(tmp_path.iterdir())
