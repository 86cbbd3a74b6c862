"""Hostile formulas: never executed, read or refused in bounded time."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hostile import examples, refused_or
from hypothesis import given, strategies as st

from langevin_sa import Potential

ATOMS = st.sampled_from("x y a pi e 1 2 0.5 3.7 0 1e300 1e-300 9 64 65 -1 1e5 x1 λ".split())
CODE = [
    "__import__('os').system('touch {}')",
    "open('{}','w')",
    "(lambda: open('{}','w'))()",
    "[c for c in ().__class__.__bases__]",
    "x.__class__",
    "exec('1')",
    "eval('1')",
    "globals()",
    "print(x)",
    "f'{{x}}'",
    "x if x else y",
    "(x:=1)",
    "*x",
    "**x",
    "x;y",
    "import os",
    "x\n+y",
    "x#y",
    "\\x00",
    "sin.__globals__",
    "x@y",
    "x//y",
    "x<<9999999",
    "9**9**9",
    "not x",
    "x in y",
    "await x",
    "yield x",
    "()",
    "'a'*999999999",
    "{{}}",
    "0x7f",
    "1_000",
]
FUNCTION = st.sampled_from(
    "sqrt exp log sin cos tan asin acos atan sinh cosh tanh abs sign floor erf step log10 Abs "
    "zeta".split()
)

PAIR = st.sampled_from("max min mod hypot atan2 where where(x,".split())


def grow(inner):
    operators = st.sampled_from([" + ", " - ", "*", "/", "**", "**-", "^", "//", " "])
    return st.one_of(
        st.tuples(inner, operators, inner).map("".join),
        st.tuples(FUNCTION, inner).map(lambda p: f"{p[0]}({p[1]})"),
        st.tuples(PAIR, inner, inner).map(lambda p: f"{p[0]}({p[1]}, {p[2]})"),
        inner.map(lambda t: f"({t})"),
        inner.map(lambda t: f"-{t}"),
    )


EXPRESSIONS = st.recursive(ATOMS, grow, max_leaves=12)
TEXTS = st.text(
    st.sampled_from("xya01239.+-*/()^ ,=e_sincolgqrtp[]{}:'\"\\\n\tλ\x00é"), max_size=40
)


@examples(5)
@given(
    text=st.one_of(
        TEXTS,
        st.text(max_size=30),
        st.tuples(st.sampled_from(CODE), EXPRESSIONS).map("+".join),
        st.tuples(EXPRESSIONS, TEXTS).map("".join),
    )
)
def test_formulas_are_never_executed(text, tmp_path_factory):
    canary = tmp_path_factory.getbasetemp() / "canary"
    seen = []
    watch.append(seen)
    try:
        refused_or(lambda: Potential.from_formula(text.replace("{}", str(canary))))
    finally:
        watch.remove(seen)
    assert not canary.exists() and not seen, seen


watch: list[list[str]] = []


def audit(event, arguments):
    if watch and event in (
        "os.system",
        "subprocess.Popen",
        "os.exec",
        "socket.connect",
        "shutil.rmtree",
        "os.remove",
    ):
        watch[-1].append(event)


sys.addaudithook(audit)


@examples(5)
@given(text=EXPRESSIONS, kind=st.sampled_from(["formula", "formula", "site", "pair"]))
def test_expressions(text, kind):
    """Read and finite or refused, in bounded time; energies are numbers, whatever they are."""
    sizes = {"formula": {}, "site": {"dim": 2}, "pair": {"particles": 2, "space": 1}}[kind]
    text = (
        text.replace("x1", "x").replace("λ", "x")
        if kind == "site"
        else text.replace("x1", "r").replace("x", "r")
        if kind == "pair"
        else text
    )
    made = refused_or(
        lambda: Potential.from_formula(
            **{kind: text}, **sizes, **({"a": 0.5} if "a" in text and kind != "formula" else {})
        )
    )
    if made is not None:
        x = np.full((2, made.dim), 0.7) + 0.1 * np.arange(made.dim)
        assert (
            made.energy(x).shape == (2,)
            and made.gradient(x).shape == x.shape
            and made.laplacian(x).shape == (2,)
        )


@pytest.mark.parametrize("n", [4, 9, 19, 100, 3000])
@pytest.mark.parametrize(
    "pattern", "( sin( - x+ x** x* ((x)+ 1/ x/(x+ exp(x)* x**(x+ sqrt(x+ x/(y+z/(1+".split()
)
def test_long_formulas(pattern, n):
    """Long and deep ones are refused, or made, in bounded time."""
    opened = pattern.count("(") - pattern.count(")")
    refused_or(lambda: Potential.from_formula(pattern * n + "x" + ")" * (opened * n)))
