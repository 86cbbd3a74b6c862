"""Bad formulas get one clear sentence: what was given, what was expected."""

from __future__ import annotations

import numpy as np
import pytest
from hostile import refused

from langevin_sa import FormulaError, Potential

FORMULA = Potential.from_formula

NO_PART = "is not allowed in a formula: use numbers, names, "


FORMULAS = {
    "unfinished": ("x +", "cannot read the formula 'x .': expected an expression like"),
    "empty": ("", "cannot read the formula ''"),
    "two names": ("x y", "cannot read the formula 'x y'"),
    "implied product": ("2x", "cannot read the formula '2x'"),
    "open bracket": ("(x", "cannot read"),
    "statement": ("import os", "cannot read the formula 'import os'"),
    "assignment": ("x = 1", "cannot read"),
    "import": ("__import__('os').system('true')", "double underscore"),
    "hidden attribute": ("x.__class__", "double underscore"),
    "attribute": ("x.real", "'x.real' " + NO_PART),
    "method": ("x.sum()", r"'x.sum\(\)' " + NO_PART),
    "lambda": ("lambda x: x", "'lambda x: x' " + NO_PART),
    "comprehension": ("[x for x in y]", "for x in y.* " + NO_PART),
    "subscript": ("x[0]", r"'x\[0\]' " + NO_PART),
    "string": ("'text'", "'text' is not a number that a formula can use"),
    "f-string": ("f'{x}'", NO_PART),
    "bytes": ("b'x'", "b'x' is not a number"),
    "comparison": ("x < 1", "'x < 1' " + NO_PART),
    "conditional": ("x if y else 1", "'x if y else 1' " + NO_PART),
    "logic": ("x and y", NO_PART),
    "walrus": ("(x := 1)", NO_PART),
    "tuple": ("(x, y)", NO_PART),
    "remainder": ("x % 2", "'x % 2' " + NO_PART),
    "tilde": ("~x", "'~x' " + NO_PART),
    "keyword": ("sin(x=1)", r"sin takes one argument, in 'sin\(x=1\)'"),
    "two arguments": ("sin(x, y)", "sin takes one argument"),
    "star argument": ("sin(*x)", "sin takes one argument"),
    "caret": ("x^2", r"write powers as \*\*, not \^, in 'x\^2'"),
    "imaginary": ("x + 1j", "1j is not a number"),
    "True": ("True*x", "True is not a number"),
    "unknown function": (
        "siin(x)",
        "unknown function 'siin'; did you mean 'sin'. Known: abs, acos",
    ),
    "eval": ("eval(x)", "unknown function 'eval'"),
    "function without argument": ("sin*x", r"sin is a function: write sin\(...\) in 'sin.x'"),
    "huge": (
        "x + " * 6000 + "x",
        "the formula has 24001 characters, more than 20000; use array functions",
    ),
    "many terms": ("+".join(f"x{i}" for i in range(2000)), "too many terms"),
    "nested": ("(" * 300 + "x" + ")" * 300, "cannot read the formula"),
    "tower": ("9**9**9**9 + x", "the exponent 387420489 is beyond 64"),
    "power of a tower": ("x**9**9", "the exponent 387420489 is beyond 64"),
    "power of powers": (
        "(((9**64)**64)**64)**64*x",
        r"'\(9 \*\* 64\) \*\* 64' is not a real number of at most 1e.300",
    ),
    "large exponent": ("x**65", "the exponent 65 is beyond 64"),
    "large number": ("1e400*x", "inf is not a number"),
    "large product": ("1e200*1e200*x", "'1e.200 . 1e.200' is not a real number of at most 1e.300"),
    "large function": ("exp(1000)*x", r"'exp\(1000\)' is not a real number of at most 1e.300"),
    "zero division": ("x + 1/0", "'1 / 0' is not a real number"),
    "not real": ("sqrt(-1)*x", r"'sqrt\(-1\)' is not a real number"),
    "arcsine of 2": ("asin(2)*x", r"'asin\(2\)' is not a real number"),
    "power of -2": ("(-2)**x", "in the formula or its derivatives, is not a real number"),
}


@pytest.mark.parametrize(("formula", "fragment"), FORMULAS.values(), ids=FORMULAS)
def test_formula(formula, fragment):
    refused(lambda: FORMULA(formula), FormulaError, fragment)


TERMS = {
    "no formula": (dict(), TypeError, "give a formula, or site=, bond= or pair="),
    "a number": (dict(formula=3), TypeError, "a formula must be a string, not int"),
    "no coordinates": (
        dict(formula="1 + pi"),
        ValueError,
        "'1 . pi' has no coordinates; name them with variables=",
    ),
    "unknown name": (
        dict(formula="a*x", variables=("x",)),
        FormulaError,
        r"'a' in the coordinates formula .* \(x\) nor a parameter; give it",
    ),
    "unknown name in site": (
        dict(site="a*x", dim=3),
        FormulaError,
        "'a' in the site formula .* give it as a=value",
    ),
    "unknown name in bond": (
        dict(bond="x*z", dim=3),
        FormulaError,
        r"'z' in the bond formula .* \(x, y\)",
    ),
    "x in pair": (dict(pair="1/x", particles=3), FormulaError, r"'x' in the pair formula .* \(r\)"),
    "misspelt argument": (
        dict(site="x**2", dim=3, periodc=True),
        FormulaError,
        "'periodc' is neither an argument of from_formula nor",
    ),
    "array too short": (
        dict(site="a*x", dim=3, a=[1.0, 2.0]),
        ValueError,
        r"'a' has shape \(2,\); .* one value a coordinate, 3",
    ),
    "array of other shape": (
        dict(site="a*x", shape=(2, 3), a=np.ones((3, 2))),
        ValueError,
        r"'a' has shape \(3, 2\)",
    ),
    "array in coordinates": (
        dict(formula="a*x", a=[1.0]),
        FormulaError,
        "'a' is an array, .* fits site and bond formulas, not coordinates",
    ),
    "array in pair": (
        dict(pair="a*r", particles=2, a=np.ones(6)),
        FormulaError,
        "'a' is an array, .* not pair",
    ),
    "parameter is text": (
        dict(site="a*x", dim=3, a="k"),
        TypeError,
        "parameter 'a' must be a number or an array of numbers, not 'k'",
    ),
    "parameter is nan": (
        dict(site="a*x", dim=3, a=np.nan),
        ValueError,
        "parameter 'a' must be finite, not nan",
    ),
    "parameter sin": (dict(formula="x", sin=1.0), ValueError, "a parameter cannot be called 'sin'"),
    "parameter e": (dict(formula="e*x", e=1.0), ValueError, "a parameter cannot be called 'e'"),
    "parameter x of site": (
        dict(site="x**2", dim=3, x=1.0),
        FormulaError,
        "'x' is a coordinate of the site formula",
    ),
    "variable and parameter": (
        dict(formula="a*x", variables=("a", "x"), a=1.0),
        FormulaError,
        "'a' is a coordinate of the coordinates formula",
    ),
    "variable twice": (
        dict(formula="x*y", variables=("x", "x", "y")),
        ValueError,
        "coordinate 'x' is there twice",
    ),
    "variable pi": (
        dict(formula="x", variables=("x", "pi")),
        ValueError,
        "a coordinate cannot be called 'pi'",
    ),
    "variable no name": (
        dict(formula="x", variables=("x", "a b")),
        ValueError,
        "variables must be names of coordinates, and 'a b' is none",
    ),
    "dim missing": (dict(site="x**2"), TypeError, "need dim=, the number of sites, or shape="),
    "dim disagrees": (
        dict(formula="x*y", dim=3),
        ValueError,
        "sizes disagree: the formula's coordinates = 2, dim = 3",
    ),
    "shape disagrees": (
        dict(site="x", dim=3, shape=(2, 2)),
        ValueError,
        "sizes disagree: dim = 3, the sites of shape = 4",
    ),
    "shape is a number": (
        dict(site="x", shape=3),
        TypeError,
        r"shape must be the numbers of sites along each axis, as in \(8, 8\), not 3",
    ),
    "shape without sites": (
        dict(formula="x", shape=(1,)),
        TypeError,
        "shape= goes with site= or bond=",
    ),
    "dim 0": (dict(site="x", dim=0), ValueError, "dim must be an integer of at least 1, not 0"),
    "dim float": (
        dict(site="x", dim=3.0),
        TypeError,
        "dim must be an integer of at least 1, not 3.0",
    ),
    "periodic text": (
        dict(bond="x*y", dim=3, periodic="no"),
        TypeError,
        "periodic must be True or False, not 'no'",
    ),
    "ring of one": (
        dict(bond="x*y", dim=1, periodic=True),
        ValueError,
        r"at least 2 sites along each axis, not \(1,\)",
    ),
    "particles without pair": (
        dict(site="x", particles=3),
        TypeError,
        "particles= goes with pair=",
    ),
    "pair without particles": (
        dict(pair="1/r"),
        TypeError,
        "pair= needs particles=, the number of particles",
    ),
    "particles -1": (
        dict(pair="1/r", particles=-1),
        ValueError,
        "particles must be an integer of at least 1, not -1",
    ),
    "space 2.5": (
        dict(pair="1/r", particles=3, space=2.5),
        TypeError,
        "space must be an integer of at least 1, not 2.5",
    ),
    "bounds reversed": (
        dict(formula="x", bounds=(1.0, -1.0)),
        ValueError,
        r"low < high, not \(1.0, -1.0\)",
    ),
    "bounds of wrong shape": (
        dict(formula="x*y", bounds=[1, 2, 3]),
        ValueError,
        r"one \(low, high\), or 2 of them, not \[1, 2, 3\]",
    ),
    "bounds infinite": (
        dict(formula="x", bounds=(0.0, np.inf)),
        ValueError,
        "must be finite with low < high",
    ),
    "minima of wrong shape": (
        dict(formula="x*y", minima=[[0.0, 0.0, 0.0]]),
        ValueError,
        r"minima must have shape \(k, 2\), not \(1, 3\)",
    ),
    "minima are text": (
        dict(formula="x*y", minima="here"),
        TypeError,
        "minima must be an array of real numbers",
    ),
}


@pytest.mark.parametrize(("keywords", "error", "fragment"), TERMS.values(), ids=TERMS)
def test_terms(keywords, error, fragment):
    refused(lambda: FORMULA(**keywords), error, fragment)
