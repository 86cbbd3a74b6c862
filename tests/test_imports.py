"""Which file may import what, and that `import langevin_sa` loads nothing heavy."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import langevin_sa as lsa

PACKAGE = Path(lsa.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
DRIVERS = {"annealing", "minimize", "compare", "validate", "plots", "cli"}


def imported(path: Path) -> set[str]:
    """Names of all modules a file imports, anywhere in it; those of the package as langevin_sa.x,
    whatever the dots.
    """
    home = ("langevin_sa", *path.relative_to(PACKAGE).parent.parts)
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(
                (*home[: len(home) - node.level + 1], *filter(None, [node.module]))
                if node.level
                else [node.module]
            )
            names |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return names


def importers(module: str) -> set[str]:
    return {
        str(path.relative_to(PACKAGE))
        for path in FILES
        if any(n == module or n.startswith(module + ".") for n in imported(path))
    }


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("matplotlib", {"plots"}),
        ("sympy", {"formulas/derive.py"}),
        ("cupy", {"backends/cuda/cupy.py"}),
        ("click", {"cli"}),
        ("torch", {"ml"}),
        ("jax", {"ml"}),
        ("optax", {"ml"}),
        ("sklearn", {"potentials/learning.py"}),
    ],
)
def test_heavy_packages_have_one_home(module, allowed):
    assert {
        name if name in allowed else name.split("/")[0] for name in importers(module)
    } <= allowed


def test_numba_only_in_backends():
    assert importers("numba")
    assert {name.split("/")[0] for name in importers("numba")} == {"backends", "descents"}


@pytest.mark.parametrize(
    "name", ["arguments", "laws", "momentum", "integrators", "schedules", "noise", "drawing"]
)
def test_the_core_imports_numpy_and_itself_only(name):
    inside = {
        n.split(".")[1] for n in imported(PACKAGE / f"{name}.py") if n.startswith("langevin_sa.")
    }
    assert inside <= {
        "momentum",
        "integrators",
        "schedules",
        "noise",
        "arguments",
        "laws",
        "drawing",
    }
    outside = {n.split(".")[0] for n in imported(PACKAGE / f"{name}.py")} - {"langevin_sa", "numpy"}
    assert outside <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("folder", ["potentials", "backends"])
def test_potentials_and_backends_know_no_drivers(folder):
    for path in (PACKAGE / folder).rglob("*.py"):
        assert (
            not {n.split(".")[1] for n in imported(path) if n.startswith("langevin_sa.")} & DRIVERS
        ), path


def modules_after(code: str) -> set[str]:
    out = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.split(".")[0] for name in out.stdout.split()}


def test_import_loads_nothing_heavy():
    assert not modules_after("import langevin_sa") & {
        "numba",
        "sympy",
        "scipy",
        "matplotlib",
        "click",
        "tqdm",
        "cupy",
        "torch",
        "jax",
        "sklearn",
    }


def test_schedules_need_numpy_only():
    code = (
        "import langevin_sa as lsa; lsa.Schedule(lsa.schedules.linear(1, 0)).coefficients(10); "
        "lsa.Langevin(1, 0.1, 1).to_momentum()"
    )
    assert not modules_after(code) & {"numba", "sympy", "scipy", "matplotlib", "click"}


def test_help_loads_no_numpy():
    code = (
        "from click.testing import CliRunner; from langevin_sa.cli import main; "
        "CliRunner().invoke(main, ['anneal', '--help'])"
    )
    assert not modules_after(code) & {"numpy", "numba", "matplotlib"}


@pytest.mark.parametrize(
    ("module", "missing", "extra"),
    [("", "torch", "ml"), (".optax", "jax", "jax"), (".optax", "optax", "jax")],
)
def test_a_missing_extra_is_named(module, missing, extra):
    code = f"import sys; sys.modules[{missing!r}] = None; from langevin_sa.ml{module} import " + (
        "cool_momentum" if module else "CoolMomentum"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert f"pip install 'langevin_sa[{extra}]'" in out.stderr.splitlines()[-1]


def test_ml_without_a_name_loads_nothing():
    assert not modules_after("import langevin_sa.ml") & {"torch", "jax", "optax", "scipy"}


def test_modules_are_there_in_a_fresh_process():
    """README and reference name them as lsa.ml, lsa.integrators, ...; torch and jax wait until they
    are needed.
    """
    code = (
        "import langevin_sa as lsa; lsa.ml, lsa.integrators, lsa.tuning, lsa.statistics, "
        "lsa.noise, lsa.outcomes.Outcome"
    )
    assert not modules_after(code) & {"torch", "jax", "matplotlib"}


@pytest.mark.parametrize("name", lsa.__all__)
def test_public_names_exist(name):
    assert getattr(lsa, name) is not None
    assert name in dir(lsa)


def test_unknown_name():
    with pytest.raises(AttributeError, match="has no attribute 'annael'"):
        _ = lsa.annael
