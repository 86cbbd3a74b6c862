"""Hostile input of `validate`."""

from __future__ import annotations

import inspect

import pytest
from hostile import ANYTHING, JUNK, SIZES, examples, odd_arguments, refused_or
from hypothesis import given, strategies as st

from langevin_sa import validate


@pytest.fixture
def no_families(monkeypatch):
    """Fail if a family of checks is begun."""
    module = inspect.getmodule(validate)
    monkeypatch.setattr(
        module,
        "timed",
        lambda lab, name: pytest.fail("a family of checks ran before the arguments were refused"),
    )
    return module


@examples(2)
@given(data=st.data())
def test_arguments_of_a_validation(data, no_families):
    """Refused before the first family; with no family asked for, an empty report."""
    bad = {
        "backend": JUNK.filter(lambda b: not callable(b)),
        "dtype": st.one_of(JUNK, st.just("f2")),
        "level": ANYTHING,
        "rng": ANYTHING,
        "progress": ANYTHING,
        "families": st.one_of(
            JUNK, st.lists(st.one_of(JUNK, st.just("fre")), min_size=1, max_size=2)
        ).filter(lambda f: f is not None),
        "threads": st.one_of(SIZES, st.just(10**400)),
    }
    given = odd_arguments(data, {"families": ()}, bad)
    report = refused_or(lambda: validate(**given))
    if report is not None:
        assert report.checks == [] and report.passed and "0 checks" in report.verdict
