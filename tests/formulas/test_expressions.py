"""Formulas are never executed; any expression is computed as Python would."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st
from scipy import special

from langevin_sa import FormulaError, Potential
from langevin_sa.formulas.parse import names as names_in, parse
from langevin_sa.storage import cache


@pytest.mark.parametrize(
    "text",
    [
        "__import__('pathlib').Path('{0}').touch()",
        "open('{0}', 'w')",
        "x + open('{0}', 'w').close()",
        "exec(\"open('{0}', 'w')\")",
        "[open('{0}', 'w') for x in y]",
        "(lambda: open('{0}', 'w'))()",
        "x if open('{0}', 'w') else y",
        "f\"{{open('{0}', 'w')}}\"",
        "x\nopen('{0}', 'w')",
        "x; open('{0}', 'w')",
        "sin(open('{0}', 'w'))",
        "x + 0*touch",
        "x # \nopen('{0}', 'w')",
        "x**(y := open('{0}', 'w'))",
    ],
)
@pytest.mark.parametrize("kind", ["formula", "site", "pair"])
def test_canary(tmp_path, text, kind):
    canary = tmp_path / "canary"
    sizes = {"site": dict(dim=2), "pair": dict(particles=2)}.get(kind, {})
    try:
        Potential.from_formula(**{kind: text.format(canary)}, **sizes)
    except FormulaError:
        pass
    else:
        assert "touch" in text or "#" in text
    assert not canary.exists()


@pytest.mark.parametrize("name", ["x\n    import os", "a b", "x = open('canary')", "x)", "", "1x"])
def test_names_from_outside_cannot_carry_code(name):
    with pytest.raises(ValueError, match="variables must be names"):
        Potential.from_formula("x", variables=("x", name))
    with pytest.raises((ValueError, TypeError)):
        Potential.from_formula("x", **{name: 1.0})


LEAVES = (
    st.sampled_from(["x", "y", "z", "a", "b", "pi", "e"])
    | st.integers(0, 9).map(str)
    | st.floats(0.01, 9).map(repr)
)
SAME = "sin cos tan sinh cosh tanh abs exp sqrt log sign floor hypot log10".split()
NUMPY = {
    **{name: getattr(np, name) for name in SAME},
    **{f"a{name}": getattr(np, f"arc{name}") for name in ("sin", "cos", "tan", "tan2")},
    **{"max": np.maximum, "min": np.minimum, "mod": np.mod, "erf": special.erf},
    "step": lambda a: np.heaviside(a, 0.5),
    "where": lambda a, b, c: np.where(np.asarray(a) > 0, b, c),
}


def grow(inner):
    binary = st.tuples(
        st.sampled_from(
            "({} + {}) | ({} - {}) | {}*{} | ({})/(2 + sin({})) | max({}, {}) | min({}, {}) | "
            "hypot({}, {}) | atan2({}, 2 + sin({})) | where(sin({}), {}, 1)".split(" | ")
        ),
        inner,
        inner,
    )
    smooth = (
        "sin({}) | cos({}) | tanh({}) | atan({}) | abs({}) | -({}) | +({}) | ({})**2 | ({})**3 | "
        "exp(sin({})) | sqrt(1 + ({})**2) | log(2 + cos({})) | (2 + sin({}))**-1 | "
        "(2 + sin({}))**0.7 | (3 + cos({}))**-2.5 | sinh(cos({})) | tan(sin({})) | "
        "erf({}) | log10(2 + cos({})) | asin(tanh({})/2) | acos(sin({})/3) | cosh(sin({})) | "
        "2**sin({}) | sign(2 + cos({}))"
    ).split(" | ")
    unary = st.tuples(st.sampled_from(smooth), inner)
    return st.one_of(
        binary.map(lambda t: t[0].format(f"({t[1]})", f"({t[2]})")),
        unary.map(lambda t: t[0].format(t[1])),
    )


@pytest.fixture(scope="module")
def other_cache(tmp_path_factory):
    """A folder of its own, so that hundreds of formulas do not stay in the user's cache."""
    before = cache.cache_folder
    folder = tmp_path_factory.mktemp("cache")
    cache.cache_folder = lambda: folder
    yield folder
    cache.cache_folder = before


@settings(max_examples=120, deadline=None, database=None, derandomize=True)
@given(text=st.recursive(LEAVES, grow, max_leaves=8))
def test_any_expression(other_cache, text):
    """The energy is what NumPy makes of the same text (which is ours, so it may be evaluated)."""
    x = np.random.default_rng(0).uniform(0.3, 1.3, (4, 3))
    names = {"x": x[:, 0], "y": x[:, 1], "z": x[:, 2], "a": 0.7, "b": -1.3, "pi": np.pi, "e": np.e}
    expected = eval(text, {**NUMPY, **names})
    largest = max(
        np.abs(eval(part, {**NUMPY, **names})).max() for part in (text, *inner_parts(text))
    )
    assume(largest < 1e4)
    used = {name: names[name] for name in ("a", "b") if name in names_in(parse(text))}
    potential = Potential.from_formula(text, variables=("x", "y", "z"), **used)
    np.testing.assert_allclose(
        potential.energy(x), expected * np.ones(4), rtol=1e-11, atol=1e-12 * max(1, largest) ** 2
    )
    kinks = ("abs", "max", "min", "where", "hypot")
    if not any(kink in text for kink in kinks) and largest < 100:
        numeric = potential._difference(x)
        np.testing.assert_allclose(
            potential.gradient(x), numeric, rtol=1e-5, atol=1e-5 * max(1.0, np.abs(numeric).max())
        )


def inner_parts(text):
    """All sub-expressions of a text."""
    import ast

    return [
        ast.unparse(node)
        for node in ast.walk(ast.parse(text, mode="eval").body)
        if isinstance(node, (ast.BinOp, ast.Call, ast.UnaryOp))
    ]


def test_a_debugger_does_not_hang_after_a_formula():
    """In CPython 3.11 it does as long as an exception from another thread is looked for."""
    script = """
import sys
from langevin_sa.formulas.patience import at_most
with at_most(10.0):
    pass
sys.settrace(lambda *_: None)
(lambda: None)()
print("done")
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=30)
    assert ended.stdout.strip() == b"done"
