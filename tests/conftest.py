"""What several test files use: a walk driven straight through a backend, and the verdict of
independent replicas.
"""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings

from langevin_sa.backends.choose import get_backend
from langevin_sa.backends.cpu.blocks import BlockBackend
from langevin_sa.backends.cpu.functions import ArrayBackend
from langevin_sa.backends.numpy import NumpyBackend
from langevin_sa.backends.walk import Walk

COMMON = dict(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
settings.register_profile("few", max_examples=10, **COMMON)
settings.register_profile("many", max_examples=200, **COMMON)  # make test-all
settings.register_profile("explore", max_examples=100, phases=[Phase.generate], **COMMON)
settings.load_profile("few")
tried_by_workers: list[int] = []
ROOT = Path(__file__).parents[1]


def pytest_addoption(parser):
    parser.addoption("--most", type=int, help="run so many tests, those of changed files first")


def changed():
    """What files have changed since main, with those that git does not know yet: a wing or flat
    module of the package, or a file of tests, docs, demos or benchmarks.
    """
    asked = ("diff --name-only main", "ls-files --others --exclude-standard")
    names = set()
    for command in asked:
        done = subprocess.run(["git", *command.split()], capture_output=True, text=True, cwd=ROOT)
        names |= {Path(line) for line in done.stdout.split()}
    return {path.parts[1] if path.parts[0] == "langevin_sa" else str(path) for path in names}


def concerned(item, changes):
    """Whether a test is of a wing, a flat module or a file that has changed."""
    path = item.path.relative_to(ROOT)
    subject = re.sub(r"^test_(hostile_|bad_)?", "", path.name)
    return not changes.isdisjoint({str(path), path.parts[1], subject})


@pytest.hookimpl(trylast=True)  # when markers have chosen
def pytest_collection_modifyitems(config, items):
    """With `--most`: the tests of what has changed first, and of each file the first tests."""
    if most := config.getoption("--most"):
        changes, turns, order = changed(), Counter(), {}
        for item in items:
            turns[item.path] += 1
            order[item] = not concerned(item, changes), turns[item.path]
        chosen = set(sorted(items, key=order.get)[:most])
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = [item for item in items if item in chosen]


def examples():
    """How much hostile input this process has tried."""
    hostile = sys.modules.get("hostile")
    return hostile.counted["examples"] if hostile else 0


def pytest_sessionfinish(session):
    """A worker of pytest-xdist hands its number to the process that reports."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["hostile"] = examples()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    tried_by_workers.append(getattr(node, "workeroutput", {}).get("hostile", 0))


def pytest_terminal_summary(terminalreporter):
    """Say how much hostile input there was."""
    if tried := examples() + sum(tried_by_workers):
        terminalreporter.write_line(f"hostile input: {tried:,} examples")


@pytest.fixture(scope="session")
def drive():
    """``drive(potential, x0, seed, backend, threads) -> (walk, backend)``, at rest at x0."""

    def start(potential, x0, seed=0, backend="numba", threads=2):
        walk = Walk.at_rest(x0, seed)
        return walk, get_backend(backend, potential, len(x0))(potential, walk, threads)

    return start


@pytest.fixture(scope="session")
def agree():
    """``agree(per_replica, exact)``: the mean of independent replicas within `sigma` standard
    errors, and `percent`, of the exact value.

    With an axis of several quantities, each of them. Returns the worst deviation in standard errors
    and in percent.
    """

    def check(per_replica, exact, sigma=4.5, percent=0.5):
        mean = per_replica.mean(0)
        error = per_replica.std(0, ddof=1) / np.sqrt(len(per_replica))
        z, off = np.max(np.abs(mean - exact) / error), 100 * np.max(np.abs(mean / exact - 1))
        assert z < sigma, f"{z:.1f} standard errors off: {mean} instead of {exact}"
        assert percent is None or off < percent, f"{off:.2f} % off: {mean} instead of {exact}"
        return z, off

    return check


@pytest.fixture
def no_steps(monkeypatch):
    """Fail if a backend is asked to make a step: what is refused is refused before."""
    for backend in (NumpyBackend, ArrayBackend, BlockBackend):

        def advance(self, steps, real=backend.advance):
            if len(steps.rho):
                pytest.fail("a step was made before the input was refused")
            real(self, steps)

        monkeypatch.setattr(backend, "advance", advance)
