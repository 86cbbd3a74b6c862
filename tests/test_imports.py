"""The house: which module may import which, that there is no circle, and that `import langevin_sa`
loads nothing heavy.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import langevin_sa as lsa

PACKAGE = Path(lsa.__file__).parent
CORE = {
    *("arguments", "laws", "momentum", "integrators", "schedules", "noise"),
    *("drawing", "optimizers"),
    *("integrators.row", "integrators.table", "integrators.taps"),
    *("optimizers.continuous", "optimizers.first_order", "optimizers.rule"),
    "optimizers.samplers",
}
MAY_IMPORT = {
    "potential": "core own scale formulas descents",
    "own": "core formulas backends",
    "scale": "core descents",
    "stochastic": "core potential",
    "statistics": "core",
    "thermometers": "core potential",
    "tuning": "core potential scale descents",
    "formulas": "core backends storage",
    "backends": "core formulas storage",
    "descents": "core backends",
    "storage": "core",
    "potentials": "core potential stochastic",
    "observables": "core potential thermometers formulas",
    "annealing": "core own potential tuning backends descents storage observables",
    "tempering": "core potential tuning statistics backends storage annealing",
    "minimization": "core own potential tuning backends descents storage tempering",
    "outcomes": "comparison",
    "comparison": "core potential scale statistics backends storage annealing",
    "validation": "core potential potentials statistics thermometers backends descents storage"
    " annealing",
    "plots": "core potential thermometers",
    "teaching": "core potential tuning formulas descents storage",
    "ml": "core",
    "__main__": "cli",
    "cli": "core potential potentials tuning backends storage annealing minimization comparison"
    " validation plots teaching",
}
HOMES = {  # of packages that are heavy, or that not everybody has
    "numba": "backends/cpu",
    "cupy": "backends/cuda",
    "sympy": "formulas",
    "matplotlib": "plots",
    "click": "cli",
    "torch": "ml own/torch.py",
    "jax": "ml own/jax.py backends/jax",
    "ase": "own/ase.py",
    "h5py": "storage/hdf5.py",
    "zarr": "storage/zarr.py",
    "xarray": "annealing/datasets.py",
    "arviz": "annealing/datasets.py",
    "optax": "ml",
    "cloudpickle": "backends/parcel.py",
    "sklearn": "potentials/learning.py",
}
BY_STRING = {"__init__", "validation.families"}  # import modules by their names


def name_of(path: Path) -> str:
    """`backends.walk` for langevin_sa/backends/walk.py, `backends` for its __init__.py."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(
        parts if parts == ("__init__",) else parts[: -1 if parts[-1] == "__init__" else None]
    )


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def imported(module: str) -> frozenset[str]:
    """Dotted names of all that a module imports, also inside functions and for type checkers."""
    path = MODULES[module]
    home = ("langevin_sa", *path.relative_to(PACKAGE).parent.parts)
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = home[: len(home) - node.level + 1] if node.level else ()
            base = ".".join((*above, node.module) if node.module else above)
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return frozenset(names)


def inside(module: str) -> set[str]:
    """Modules of the package that a module imports, `__init__` for the package itself."""
    found = set()
    for name in imported(module):
        package, _, rest = name.partition(".")
        if package == "langevin_sa":
            target = rest if rest in MODULES else rest.rpartition(".")[0] or "__init__"
            assert target in MODULES, f"{module} imports {name}"
            found.add(target)
    return found - {module}


def outside(module: str) -> set[str]:
    return {name.split(".")[0] for name in imported(module)} - {"langevin_sa"}


GRAPH = {module: inside(module) for module in MODULES if module != "__init__"}


def room(module: str) -> str:
    """The wing or flat module, all of the core as one."""
    first = module.split(".")[0]
    return "core" if first in CORE else first


def test_no_circles():
    found = None
    try:
        TopologicalSorter({m: targets - {"__init__"} for m, targets in GRAPH.items()}).prepare()
    except CycleError as error:
        found = " is imported by ".join(error.args[1])
    assert not found


def test_every_room_has_a_row():
    assert {room(module) for module in GRAPH} == {"core", *MAY_IMPORT}


@pytest.mark.parametrize("name", MAY_IMPORT)
def test_what_a_room_imports(name):
    """What its row allows, and all that its row allows."""
    arrows = {
        (module, target)
        for module, targets in GRAPH.items()
        if room(module) == name
        for target in targets - {"__init__"}
        if room(target) != name
    }
    allowed = set(MAY_IMPORT[name].split())
    assert not {arrow for arrow in arrows if room(arrow[1]) not in allowed}
    assert allowed == {room(target) for _, target in arrows}, "the row allows more than is used"


@pytest.mark.parametrize("module", sorted(CORE))
def test_the_core_imports_numpy_and_itself(module):
    assert GRAPH[module] <= CORE
    assert outside(module) <= {"numpy", *sys.stdlib_module_names}


@pytest.mark.parametrize("package", HOMES)
def test_a_heavy_package_has_one_home(package):
    """And is used in each of its homes."""
    homes = HOMES[package].split()
    used = set()
    for module in MODULES:
        if package in outside(module):
            path = MODULES[module].relative_to(PACKAGE)
            here = {home for home in homes if path.is_relative_to(home)}
            assert here, f"{path} imports {package}"
            used |= here
    assert used == set(homes)


def test_the_package_itself_is_asked_for_its_version_alone():
    """Its other names would be a way around the walls."""
    names = {name for module in GRAPH for name in imported(module) if name.count(".") < 2}
    from_the_top = {name for name in names if name.split(".")[0] == "langevin_sa"}
    modules = {f"langevin_sa.{module}" for module in MODULES}
    assert from_the_top - modules <= {"langevin_sa.__version__"}


def test_modules_imported_by_a_string():
    """The public names, and the families of validation; nothing else."""
    using = {
        m for m in MODULES if any("import_module" in n or n == "importlib" for n in imported(m))
    }
    assert using == BY_STRING
    installed = {m for m in MODULES if any("importlib.metadata" in n for n in imported(m))}
    assert installed == {"storage.versions"}  # sources run without an installation
    assert not [m for m, path in MODULES.items() if "__import__" in path.read_text()]


def test_files_of_tests_have_names_of_their_own():
    """Folders of tests are no packages: of two files of one name pytest collects one."""
    names = [path.name for path in Path(__file__).parent.rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))


def test_flat_modules_are_few():
    flat = [path for path in PACKAGE.glob("*.py") if not path.stem.startswith("__")]
    assert len(flat) <= 12


def test_no_file_is_long():
    sizes = {module: len(path.read_text().splitlines()) for module, path in MODULES.items()}
    assert not {module: size for module, size in sizes.items() if size > 400}


def test_only_tables_of_numbers_are_spared_the_formatter():
    spared = 0
    for module, path in MODULES.items():
        text = path.read_text()
        ends = {n for n, line in enumerate(text.splitlines(), 1) if "# fmt: skip" in line}
        statements = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.stmt)]
        for end in ends:
            table = min((s for s in statements if s.end_lineno == end), key=lambda s: -s.lineno)
            constants = [n.value for n in ast.walk(table) if isinstance(n, ast.Constant)]
            numbers = [value for value in constants if isinstance(value, (int, float))]
            assert len(numbers) >= 8 and len(numbers) == len(constants), f"{module}:{end}"
        spared += len(ends)
        assert "# fmt: off" not in text, module
    assert spared < 15


def modules_after(code: str) -> set[str]:
    out = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.split(".")[0] for name in out.stdout.split()}


def test_import_loads_nothing_heavy():
    assert not modules_after("import langevin_sa") & {*HOMES, "scipy", "tqdm"}


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
    name = "cool_momentum" if module else "CoolMomentum"
    code = f"import sys; sys.modules[{missing!r}] = None; from langevin_sa.ml{module} import {name}"
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
