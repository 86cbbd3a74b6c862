"""Wherever a call is broken off, the same call made again ends as if it had not been."""

from __future__ import annotations

import os
import random
import sys
from datetime import date

import pytest
from calls import CALLS
from injector import FAULTS, PACKAGE, Place, places, strike, undisturbed

SEED = int(os.environ.get("FAULTS", date.today().toordinal()))
FEW = 2  # places of a call and a fault in the default run
pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="a fault happens in a fork"),
    pytest.mark.skipif(sys.gettrace() is not None, reason="somebody else watches the lines"),
]


@pytest.fixture(autouse=True)
def steady(monkeypatch):
    """A call executes the same lines each time, as fast as it can."""
    run = "langevin_sa.annealing.run"
    monkeypatch.setattr(f"{run}.LONGEST_SLICE", 3)
    monkeypatch.setattr(f"{run}.SLICE_SECONDS", 1e9)
    monkeypatch.setattr("langevin_sa.storage.checkpoint.SHARE", 1.0)
    monkeypatch.setattr("langevin_sa.tempering.run.CUT_SECONDS", 0.0)
    monkeypatch.setattr("langevin_sa.statistics.RESAMPLES", 20)
    monkeypatch.setattr("langevin_sa.backends.cpu.functions.WORTH_A_THREAD", 1)
    monkeypatch.setattr("langevin_sa.backends.cpu.functions.REPLICAS_TOGETHER", 1)
    monkeypatch.setattr("langevin_sa.backends.cpu.lattice.TILES_WORTH_A_THREAD", 1)
    monkeypatch.setattr(os, "fsync", lambda file: None)


def places_of(how, counts):
    """Where a fault makes a difference: a kill leaves what is on the disk, and only storage/
    writes there.
    """
    everywhere = how != "interrupt"
    stored = os.path.join(PACKAGE, "storage", "")
    return [
        place
        for place in places(counts[everywhere])
        if how != "kill" or place.line.file.startswith(stored)
    ]


def bad(name, how, chosen, whole):
    said = {place: strike(CALLS[name], whole, place, how) for place in chosen}
    missed = sum(text == "not reached" for text in said.values())
    assert missed <= 0.05 * len(said) + 1, f"{missed} of {len(said)} faults did not happen"
    return [f"{how} at {place}: {text}" for place, text in said.items() if text not in OK]


OK = ("", "not reached")


@pytest.mark.parametrize("name", CALLS)
def test_some_lines(name):
    """A sample that is another one each day; FAULTS=seed repeats it."""
    whole, counts = undisturbed(CALLS[name])
    draw = random.Random(f"{SEED} {name}")
    wrong = []
    for how in FAULTS:
        wrong += bad(name, how, draw.sample(places_of(how, counts), FEW), whole)
    assert not wrong, f"FAULTS={SEED}: {wrong}"


@pytest.mark.slow
@pytest.mark.parametrize("how", FAULTS)
@pytest.mark.parametrize("name", CALLS)
def test_every_line(name, how):
    whole, counts = undisturbed(CALLS[name])
    wrong = bad(name, how, places_of(how, counts), whole)
    assert not wrong, "\n".join([f"{len(wrong)} bad", *wrong])


def test_a_torn_file_is_seen(monkeypatch):
    """The injector itself: a run that is not brought back to its last cut."""
    monkeypatch.setattr("langevin_sa.annealing.cut.Cut.rewind", lambda cut: None)
    whole, counts = undisturbed(CALLS["anneal"])
    line = next(
        line for line in counts[False] if line.file.endswith("log.py") and counts[False][line] == 3
    )
    assert "bits" in strike(CALLS["anneal"], whole, Place(line, 2), "interrupt")
