"""The command line: what it prints and writes, and one clean line for whatever is wrong."""

import os
import re
import runpy
import sys

os.environ["MPLBACKEND"] = "Agg"

import numpy as np
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

import langevin_sa as lsa
from langevin_sa import cli, tuning
from langevin_sa.cli.methods import LAWS, LOGARITHMS
from langevin_sa.cli.options import parse_parameters
from langevin_sa.cli.runs import outcome as outcome_of
from langevin_sa.cli.table import HEADER, Table, clock

WELL = "(x**2 - 1)**2 + 0.3*x"
QUICK = (
    "anneal",
    "--formula",
    WELL,
    "--steps",
    "300",
    "--replicas",
    "8",
    "--seed",
    "1",
    "--backend",
    "numpy",
)


def call(*arguments):
    return CliRunner().invoke(cli.main, [str(a) for a in arguments])


def good(*arguments):
    outcome = call(*arguments)
    assert outcome.exit_code == 0, outcome.output
    return outcome.output


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_anneal_prints_a_table_and_the_outcome():
    lines = good(*QUICK).splitlines()
    header = next(k for k, text in enumerate(lines) if text == HEADER)
    rows = [text.split() for text in lines[header + 1 : lines.index("", header)]]
    assert 10 <= len(rows) <= 15
    assert [rows[0][0], rows[-1][0]] == ["1", "300"]
    best = [float(row[4]) for row in rows]
    assert best == sorted(best, reverse=True)
    assert any(text.startswith("best energy  -0.305") for text in lines)
    assert "seed 1" in lines[-1]


def test_the_same_as_in_python():
    result = lsa.anneal(
        lsa.Potential.from_formula(WELL), n_steps=300, replicas=8, rng=1, backend="numpy"
    )
    assert f"best energy  {result.fun:.10g}\n" in good(*QUICK, "--no-progress")


def test_checkpoint(here):
    """The same command, made again, is the same run: also the seed, if it was drawn."""
    drawn = [word for word in QUICK if word not in ("--seed", "1")]
    first = good(*drawn, "--no-progress", "--checkpoint", "c.npz")
    again = good(*drawn, "--no-progress", "--checkpoint", "c.npz")
    assert [t for t in first.splitlines() if "time" not in t] == [
        t for t in again.splitlines() if "time" not in t
    ]
    assert re.search(r"seed (\d+)", first)[0] == re.search(r"seed (\d+)", again)[0]
    other = call(*drawn, "--seed", "5", "--checkpoint", "c.npz")
    assert other.exit_code == 1 and "belongs to another run (it differs in seed" in other.output


@pytest.mark.long
@pytest.mark.parametrize(
    "words",
    [["minimize", "himmelblau"], ["compare", "double_well", "--steps", 100, "--replicas", 20]],
)
def test_checkpoint_of_a_search_and_of_a_comparison(here, words):
    """The same command is the same again, the seed that was drawn included, and another is
    refused.
    """
    first = good(*words, "--checkpoint", "c.npz")
    assert good(*words, "--checkpoint", "c.npz") == first
    assert (
        "belongs to another run (it differs in"
        in call(*words, "--seed", 3, "--checkpoint", "c.npz").output
    )


def test_minimize_lists_the_minima():
    text = good("minimize", "himmelblau", "--seed", 1)
    assert (
        re.search(r"^lowest +\d\S* +at ", text, re.M)
        and "known     0" in text
        and "4 minima" in text
    )
    assert "Target -0.3 reached" in good(
        "minimize", "--formula", WELL, "--seed", 1, "--target", -0.3
    )


def test_no_progress_prints_no_table():
    assert HEADER not in good(*QUICK, "--no-progress")


@pytest.mark.long
def test_save_and_plot_and_plot_again(here):
    good(*QUICK, "--save", "run.npz", "--plot", "run.png")
    assert (here / "run.png").read_bytes().startswith(b"\x89PNG")
    result = lsa.Result.load("run.npz")
    assert (result.seed, result.n_steps, len(result.energies)) == (1, 300, 8)
    (here / "run.png").unlink()
    assert "run.png" in good("plot", "run.npz")
    assert (here / "run.png").exists()
    good("plot", "run.npz", "-o", "other.svg")
    assert (here / "other.svg").exists()


def test_laws_are_those_of_tuning():
    """The command keeps names of its own because tuning needs NumPy, which --help does not."""
    assert {*LAWS} == {*tuning.LAWS, "coolmomentum"}
    for law, make in tuning.LAWS.items():
        if law in LOGARITHMS:
            with pytest.raises(ValueError, match="positive"):
                make(1.0, 0.0)
        else:
            make(1.0, 0.0)


def test_bounds_of_a_formula(here):
    """log(x) has a place to start; and the temperatures are those of the region, not of far
    walls.
    """
    assert "nan" not in good(
        "anneal", "--formula", "log(x)**2", "--bounds", 0.1, 5, *QUICK[3:], "--no-progress"
    )
    far = "(x - 50)**2*((x - 53)**2 + 0.1)"
    text = good("anneal", "--formula", far, "--bounds", 48, 55, *QUICK[3:], "--no-progress")
    assert float(re.search(r"two_stage\(([^,]+),", text)[1]) < 100
    (here / "run.toml").write_text(f'formula = "{far}"\nbounds = [48, 55]\n')
    assert (
        good("anneal", "--config", "run.toml", *QUICK[3:], "--no-progress").splitlines()[1]
        == text.splitlines()[1]
    )
    assert re.search(
        r"^lowest +-?\S+ +at 50(\.0|$)",
        good("minimize", "--formula", far, "--bounds", 48, 55, "--seed", 1),
        re.M,
    )


def test_a_search_without_a_minimum_exits_with_1():
    outcome = call("minimize", "--formula", "-x**3", "--seed", 1)
    assert outcome.exit_code == 1 and "no minimum" in outcome.output


def test_a_missing_package_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    for words in (QUICK[:-2], ("validate",)):
        outcome = call(*words, "--backend", "cupy")
        assert outcome.exit_code == 1 and isinstance(outcome.exception, SystemExit), outcome.output
        assert "cupy" in outcome.output.lower().splitlines()[-1] and outcome.output.splitlines()[
            -1
        ].startswith("Error: ")


def test_help_says_what_each_command_does():
    lines = good("--help").split("Commands:")[1].splitlines()
    assert len([line for line in lines if line.strip()]) == 12 and not any(
        "..." in line for line in lines
    )


def test_a_page_of_particles(here):
    good("page", "lennard_jones_fluid", "--space", 2, "--particles", 30, "-o", "many.html")
    U = lsa.potentials.lennard_jones_fluid(particles=30, space=2)
    assert (here / "many.html").read_text() == lsa.page(U)


def test_film(here):
    from PIL import Image

    few = ("--steps", 50, "--replicas", 4, "--seed", 1, "--frames", 5)
    assert "filmed quench.gif, seed 1" in good(
        "film", "gaussian_wells", *few, "--schedule", "quench", "-o", "quench.gif"
    )
    with Image.open("quench.gif") as film:
        assert film.n_frames == 5
    for words, said in ((("rastrigin", "--formula", "x"), "formula"), (("lennard_jones",), "dim")):
        outcome = call("film", *words, *few)
        assert outcome.exit_code and said in outcome.output
    assert "ends in .mp4 or .gif" in call("film", "double_well", *few, "-o", "a.avi").output
    assert [p.name for p in here.iterdir()] == ["quench.gif"]


def test_known_minimum_is_reported():
    quick = ("--steps", 1000, "--replicas", 8, "--seed", 1, "--backend", "numpy", "--no-progress")
    assert re.search(
        r"known        -0.3054284837, visited by [1-8] of 8 replicas \(within 0.0003\)",
        good("anneal", "double_well", *quick),
    )
    far = good("anneal", "rastrigin", "--dim", 8, *quick, "--steps", 5)
    assert "not reached: the best is" in far and "at   " not in far


def test_given_numbers_are_used():
    out = good(*QUICK, "--T0", 2, "--T1", 0.5, "--gamma", 3, "--dt", 0.02, "--schedule", "linear")
    assert "Schedule(temperature=linear(2, 0.5), gamma=3, dt=0.02)" in out


@pytest.mark.parametrize(
    "law", ["exponential", "linear", "logarithmic", "power", "quench", "constant"]
)
def test_every_law(law):
    assert f"{law}(" in good(*QUICK, "--schedule", law, "--no-progress")


def test_coolmomentum_starts_at_T0():
    out = good(
        *QUICK,
        "--schedule",
        "coolmomentum",
        "--T0",
        0.5,
        "--rho0",
        0.95,
        "--dt",
        0.1,
        "--no-progress",
    )
    text = next(line for line in out.splitlines() if line.startswith("CoolMomentum("))
    schedule = eval(text, {"CoolMomentum": lsa.CoolMomentum})
    assert (schedule.lr, schedule.rho0) == (0.01, 0.95)
    assert schedule.coefficients(1000).temperature[0] == pytest.approx(0.5, rel=1e-3)
    assert "noise=0," in good(*QUICK, "--schedule", "coolmomentum", "--T0", 0, "--no-progress")


def test_parameters():
    assert parse_parameters(("a=100", "b = -0.5", "k=1,2.5")) == {
        "a": 100,
        "b": -0.5,
        "k": [1, 2.5],
    }
    out = good(
        "anneal",
        "double_well",
        "--param",
        "tilt=0.1",
        "--param",
        "barrier=2",
        *QUICK[3:],
        "--no-progress",
    )
    assert (
        f"known        {lsa.potentials.double_well(tilt=0.1, barrier=2).minimum_energy:.10g}" in out
    )


def test_stopping_early():
    assert "Target energy -0.1 reached" in good(*QUICK, "--target", -0.1)
    assert "Time limit" in good(*QUICK, "--steps", 10**7, "--max-seconds", 0.3)


def test_config_and_the_command_line_wins(here):
    (here / "run.toml").write_text(
        'name = "double_well"\nsteps = 50\nT0 = 2\nmax-seconds = 60\nbackend = "numpy"\nparam = '
        "{tilt = 0.2}\n"
    )
    out = good("anneal", "--config", "run.toml", "--steps", 60, "--no-progress")
    assert "double_well, dim 1: 64 replicas, 60 steps" in out and "exponential(2" in out
    assert f"{lsa.potentials.double_well(tilt=0.2).minimum_energy:.10g}" in out
    (here / "name.toml").write_text('name = "double_well"\nsteps = 50\nbackend = "numpy"\n')
    assert "x**2, dim 1" in good(
        "anneal", "--config", "name.toml", "--formula", "x**2", "--no-progress"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stpes = 5", "unknown key 'stpes'; did you mean 'steps'?"),
        ("steps = 'many'", "not a valid integer"),
        ("steps = 2.5", "not a valid integer"),
        ("dim = inf", "not a valid integer"),
        ("steps = [1, 2]", "steps must be one value"),
        ("bounds = 3", "bounds must be a list of 2 numbers"),
        ("param = 3", "write parameters as a table"),
        ("steps 5", "is not TOML"),
        ("schedule = 'exponentil'", "did you mean 'exponential'?"),
    ],
)
def test_config_that_is_wrong(here, text, message):
    (here / "run.toml").write_text(text)
    outcome = call("anneal", "double_well", "--config", "run.toml")
    assert outcome.exit_code in (1, 2) and message in outcome.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["anneall"], "did you mean 'anneal'?"),
        (["anneal"], "give the NAME of a potential"),
        (["anneal", "rastrign"], "did you mean 'rastrigin'?"),
        (["anneal", "rastrigin", "--formula", "x"], "not both"),
        (
            ["anneal", "lennard_jones", "--dim", 3],
            "lennard_jones has no parameter 'dim'; its parameters: particles",
        ),
        (["anneal", "rastrigin", "--param", "dim"], "NAME=NUMBER"),
        (["anneal", "rastrigin", "--param", "dim=ten"], "NAME=NUMBER"),
        (["anneal", "rastrigin", "--dim", 0], "0 is not in the range"),
        (["anneal", "--formula", "__import__('os')"], "forbidden"),
        (["anneal", "--formula", "x**"], "x**"),
        (["anneal", "--formula", "3"], "no coordinates"),
        ([*QUICK, "--schedule", "slow"], "unknown schedule 'slow'"),
        ([*QUICK, "--integrator", "gfj"], "did you mean 'gjf'?"),
        ([*QUICK, "--backend", "cuda"], "unknown backend 'cuda'"),
        ([*QUICK, "--dtype", "int8"], "float64"),
        ([*QUICK, "--steps", 0], "0 is not in the range"),
        ([*QUICK, "--replicas", "-1"], "-1 is not in the range"),
        ([*QUICK, "--seed", "-1"], "seed"),
        ([*QUICK, "--T0", "-1"], "--T0 must be > 0 for exponential, not -1"),
        ([*QUICK, "--T0", "0"], "--T0 must be > 0 for exponential, not 0"),
        ([*QUICK, "--T1", "0"], "--T1 must be > 0 for exponential, not 0"),
        ([*QUICK, "--T1", "-1", "--schedule", "linear"], "--T1 must be >= 0 for linear, not -1"),
        ([*QUICK, "--bounds", "2", "1"], "must be finite with low < high"),
        (["anneal", "rastrigin", "--bounds", "1", "2"], "--bounds goes with a --formula"),
        ([*QUICK, "--dt", "5"], "beyond stability"),
        ([*QUICK, "--rho0", "0.9"], "coolmomentum"),
        ([*QUICK, "--schedule", "coolmomentum", "--T1", "0.1"], "follow from them"),
        ([*QUICK, "--schedule", "coolmomentum", "--rho0", "2"], "rho0 must be in [0, 1)"),
        ([*QUICK, "--save", "nowhere/run.npz"], "there is no folder nowhere"),
        ([*QUICK, "--plot", "run.pgn"], "did you mean 'png'?"),
        ([*QUICK, "--config", "nothere.toml"], "does not exist"),
        (["plot", "nothere.npz"], "does not exist"),
        (["page"], "give the NAME of a potential"),
        (["page", "double_wel"], "did you mean 'double_well'?"),
        (["page", "rastrigin"], "rastrigin has dim 10; give dim=1 or dim=2"),
        (["page", "lennard_jones", "--param", "particles=2"], "a cutoff in a periodic rectangle"),
        (["page", "ackley", "--dim", 2], "a page needs a formula"),
        (["page", "--formula", "x + y + z"], "has dim 3"),
        (["page", "--formula", "sqrt(x - 100)"], "finite nowhere"),
        (["page", "double_well", "-o", "nowhere/page.html"], "there is no folder nowhere"),
        (["page", "double_well", "--T0", "-1"], "temperature must be a positive number"),
        (["page", "double_well", "--window", "2", "-2"], "low < high"),
        (["page", "double_well", "--integrator", "gfj"], "did you mean 'gjf'?"),
        (["page", "double_well", "--seed", "-1"], "a seed must be in"),
    ],
)
def test_bad_input_gets_one_clean_line(here, arguments, message):
    outcome = call(*arguments)
    assert outcome.exit_code in (1, 2), outcome.output
    assert isinstance(outcome.exception, SystemExit)
    assert message in outcome.output and "Traceback" not in outcome.output
    assert outcome.output.splitlines()[-1].startswith("Error: ")
    assert not list(here.iterdir())


def test_plot_of_a_file_that_is_no_run(here):
    (here / "junk.npz").write_text("junk")
    assert "not a whole langevin_sa file" in call("plot", "junk.npz").output


def test_interrupted_runs_are_saved(here, monkeypatch):
    def interrupt(self, intermediate_result):
        if intermediate_result.step >= 100:
            raise KeyboardInterrupt

    monkeypatch.setattr(Table, "__call__", interrupt)
    outcome = call(*QUICK, "--save", "run.npz", "--plot", "run.png")
    assert outcome.exit_code == 130 and "Interrupted at step 100" in outcome.output
    result = lsa.Result.load("run.npz")
    assert result.status == 3 and np.isfinite(result.fun)
    assert (here / "run.png").exists()


def test_interrupted_before_the_first_record(here, monkeypatch):
    from langevin_sa.backends.numpy import NumpyBackend

    def interrupt(self, steps):
        raise KeyboardInterrupt

    monkeypatch.setattr(NumpyBackend, "advance", interrupt)
    outcome = call(
        *QUICK, "--T0", 1, "--dt", 0.1, "--gamma", 1, "--save", "run.npz", "--plot", "run.png"
    )
    assert outcome.exit_code == 130 and lsa.Result.load("run.npz").nit == 0
    assert not (here / "run.png").exists()


@pytest.mark.long
def test_interrupted_comparisons_are_printed(here, monkeypatch):
    from langevin_sa.comparison.method import run_method

    def interrupt(potential, method, *rest):
        if "quench" in str(method):
            raise KeyboardInterrupt
        return run_method(potential, method, *rest)

    monkeypatch.setattr("langevin_sa.comparison.driver.run_method", interrupt)
    words = [
        "double_well",
        "--methods",
        "exponential,quench",
        "--steps",
        100,
        "--replicas",
        20,
        "--seed",
        1,
    ]
    outcome = call("compare", *words, "--plot", "c.png")
    assert (
        outcome.exit_code == 130
        and "KeyboardInterrupt in quench: what was finished before is here" in outcome.output
    )
    assert "exponential " in outcome.output and (here / "c.png").exists()


def test_warnings_are_one_line():
    outcome = call(*QUICK, "--integrator", "bbk", "--dt", 0.2)
    warning = [line for line in outcome.output.splitlines() if line.startswith("Warning: ")]
    assert len(warning) == 1 and "too hot" in warning[0]


@pytest.mark.parametrize(("seconds", "text"), [(3.21, "3.2 s"), (245, "04:05"), (7200, "2:00:00")])
def test_clock(seconds, text):
    assert clock(seconds) == text


@pytest.mark.parametrize("columns", [80, 120])
def test_the_catalogue_fits_the_screen(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = good("potentials").splitlines()
    assert columns - 15 < max(map(len, lines)) <= columns


@pytest.mark.parametrize(
    ("words", "begun", "wanted"),
    [
        ("langevin-sa anneal", "lenn", "lennard_jones"),
        ("langevin-sa page", "muller", "muller_brown"),
        ("langevin-sa compare rastrigin --integrator", "baoab", "baoab"),
        ("langevin-sa page prinz --integrator", "bb", "bbk"),
    ],
)
def test_the_shell_completes_names(words, begun, wanted):
    asked = ShellComplete(cli.main, {}, "langevin-sa", "_LANGEVIN_SA_COMPLETE")
    found = [item.value for item in asked.get_completions(words.split()[1:], begun)]
    assert wanted in found and all(name.startswith(begun) for name in found)


def test_python_dash_m_is_the_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["langevin_sa", "--version"])
    with pytest.raises(SystemExit) as end:
        runpy.run_module("langevin_sa", run_name="__main__")
    assert end.value.code == 0
    assert capsys.readouterr().out == f"langevin-sa, version {lsa.__version__}\n"


def test_potentials_lists_the_catalogue():
    out = good("potentials")
    for name in lsa.potentials.catalogue():
        assert f"\n{name} " in out
    assert "-44.326801" in out


def test_page(here):
    assert "written page.html" in good("page", "double_well")
    assert (here / "page.html").read_text().startswith("<!doctype html>")
    assert "written here.html" in good(
        "page",
        "--formula",
        "a*(y - x**2)**2 + (1 - x)**2",
        "--param",
        "a=5",
        "-o",
        "here.html",
        "--T0",
        2,
    )
    assert '"hot":2.0' in (here / "here.html").read_text()
    good("page", "rastrigin", "--dim", 1, "--window", -3, 3, "--balls", 50, "--seed", 7)


def test_info():
    out = good("info")
    for name in ("langevin_sa", "numba", "SIMD", "threads", "cache", "GPU"):
        assert f"\n{name}" in "\n" + out


def test_version():
    assert lsa.__version__ in good("--version")


def test_a_value_below_the_known_minimum_is_not_it():
    """Two replicas at the known minimum, one far below it, outside of the domain."""
    U = lsa.potentials.michalewicz(2)
    known = U.minimum_energy
    result = lsa.Result(
        message="done",
        fun=-1.99,
        x=np.array([8.0, 1.6]),
        best_energies=np.array([known, known, -1.99]),
        seconds=1.0,
        nit=1,
        seed=1,
    )
    lines = outcome_of(result, U)
    assert (
        "visited by 2 of 3 replicas" in lines
        and "the best is 0.189 below it: outside of the domain" in lines
    )
    result.best_energies = np.array([-1.99])
    assert "not reached; the best is 0.189 below it" in outcome_of(result, U)
    result.update(fun=-1.5, best_energies=np.array([-1.5]))
    assert "not reached: the best is 0.301 above" in outcome_of(result, U)
