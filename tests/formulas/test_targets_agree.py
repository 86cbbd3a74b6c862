"""A formula is the same everywhere: NumPy, numba, CUDA C, JavaScript and Python's own reading of
the text, for any names.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import targets
from hypothesis import given

from langevin_sa import FormulaError, Potential, Schedule, anneal
from langevin_sa.backends.agreement import check_first_energies
from langevin_sa.backends.cpu.blocks import BlockBackend
from langevin_sa.backends.walk import Walk
from langevin_sa.formulas import derive
from langevin_sa.formulas.patience import TooLong, at_most

PARTS, IN_A_PART = 40, 250  # ten thousand formulas
NO_NUMBERS = [  # on the way: log(0) was inf in CUDA, sign(nan) 0 there and in numba
    "where(log(floor(x)), 0.3, 2*x) + x*y",
    "sign(log(x - 2))*y + x*y",
]


@pytest.mark.long
def test_some_formulas():
    """Energies and gradients, to rounding; the command line of `targets` tries more."""
    import executor

    made = targets.draw_some(0, 6)
    made += [(Potential.from_formula(text), {}, {}) for text in NO_NUMBERS]
    compared = targets.check(made, executor.GXX is not None)
    assert compared["numba"] > 40 and compared["Python"] > 4


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_ten_thousand_formulas(part):
    """In processes, as compiled code is never freed."""
    done = subprocess.run(
        [sys.executable, targets.__file__, str(1 + part), str(IN_A_PART)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout)["formulas"] == IN_A_PART


def energies(text, x, **parameters):
    """Of eight replicas by a kernel, and by the reference."""
    U = Potential.from_formula(text, **parameters)
    walk = Walk.at_rest(np.full((8, U.dim), x), 1)
    BlockBackend(U, walk, 1)
    return walk.energy, U.energy(walk.x)


@pytest.mark.parametrize(
    "names", [("kWIDTH", "k8"), ("carry", "rows"), ("p", "p_0"), ("v0", "t0"), ("cls", "self")]
)
def test_words_of_templates_are_names(names):
    """kWIDTH and k8 were one parameter to a kernel of eight replicas."""
    a, b = names
    found, expected = energies(f"{a}*x**2 + {b}*x", 1.0, **{a: 3.0, b: 5.0})
    assert (found == 8.0).all() and (expected == 8.0).all()


@pytest.mark.parametrize("at", [0.7, -3e18, 1e19, -1e300])
def test_floor_of_numbers_beyond_all_integers(at):
    """floor(1e19) was -9.2e18 to a kernel, and floor(1/0)*0 a number."""
    found, expected = energies("floor(a*x)/a + where(mod(x, b), 1, 2)", 1.0, a=at, b=0.0)
    np.testing.assert_array_equal(found, expected)
    assert expected[0] == np.floor(at) / at + 2


@given(name=targets.NAMES)
def test_printed_text_holds_no_name_of_a_user(name):
    """So none can collide with a word of a template."""
    if targets.plain(name) in targets.TAKEN or len(name) < 3:
        return
    U = Potential.from_formula(f"{name}*x_**2", **{name: 2.0})
    body = U.formula.source.bodies["coordinates"]
    assert (
        body.value
        == Potential.from_formula("q*x_**2", q=2.0).formula.source.bodies["coordinates"].value
    )


# ------------------------------------------------------------------------------ what Python drops


@pytest.mark.parametrize(
    "text", ["(x**2-1)**2  # wells\n + 0.3*x", "x**2 # 3*y", "x#", "# x", "x \\\n+ y", "2*x·y"]
)
@pytest.mark.parametrize("kind", ["formula", "site"])
def test_what_python_would_drop_or_join_is_refused(text, kind):
    with pytest.raises(FormulaError, match=r"comment|backslash|as \*"):
        Potential.from_formula(**{kind: text}, **({"dim": 2} if kind == "site" else {}))


def test_lines_are_read_as_in_parentheses():
    assert Potential.from_formula("(x**2 - 1)**2\n  + 0.3*x\n  - x\n").energy([1.0]) == -0.7


@pytest.mark.parametrize("digit", "٣３²①")
def test_digits_that_are_not_ascii(digit):
    """Read as Python does: not at all."""
    with pytest.raises(FormulaError):
        Potential.from_formula(f"x + {digit}")


def test_letters_written_in_two_ways_are_one_name():
    """As Python reads them: the micro sign of keyboards and the Greek letter, ligatures, wide
    letters.
    """
    U = Potential.from_formula("\u00b5*x**2 + ﬁ*x", **{"\u03bc": 3.0, "fi": 1.0})
    assert U.energy([1.0]) == 4.0
    V = Potential.from_formula("\u00b5*x**2 + fi*x", **{"\u00b5": 3.0, "ﬁ": 1.0})
    assert V.energy([1.0]) == 4.0
    with pytest.raises(ValueError, match="is there twice"):
        Potential.from_formula("\u00b5*x", **{"\u00b5": 3.0, "\u03bc": 1.0})
    assert Potential.from_formula("\uff59 - x", variables=("\uff59", "x")).energy([3.0, 1.0]) == 2.0


# ---------------------------------------------------------------- a kernel that is not the formula


@pytest.mark.parametrize("replicas", [1, 8, 40])
def test_a_kernel_that_is_another_formula_is_refused(monkeypatch, replicas):
    """Before the first step; a last digit is no other formula."""
    from langevin_sa.backends.cpu import blocks

    real = blocks.numba_source

    def slip(text):
        return lambda *given: real(*given).replace("e[i] = ", f"e[i] = {text}")

    U = Potential.from_formula("(x**2 - 1)**2 + 0.3*x + 0.01*y**2", bounds=(-2, 2))
    still = Schedule(1.0, 1.0, 0.01)
    monkeypatch.setattr(blocks, "numba_source", slip("1.0001*"))
    with pytest.raises(RuntimeError, match=r"the compiled kernel of .* finds the energy"):
        anneal(U, None, still, 3, replicas=replicas, rng=1)
    monkeypatch.setattr(blocks, "numba_source", slip("1.00000000000001*"))
    assert anneal(U, None, still, 3, replicas=replicas, rng=1).nit == 3


@pytest.mark.parametrize(
    ("text", "x"),
    [
        ("1 - cos(x)", 2 * np.pi),
        ("(1 - x)**2", 1.0),
        ("10 - 10*cos(2*pi*x) + x**2", 0.0),
        ("(1 - cos(1e-5*x))*1e10", 1.0),
        ("exp(30*x) - exp(30*x + 1e-8)", 0.3),
        ("1e12 + cos(x)", 1.0),
        ("cos(x)", 1e12),
    ],
)
@pytest.mark.parametrize("unit", [1.0, 1e-12, 1e9])
def test_rounding_is_no_other_formula(text, x, unit):
    """Where energies cancel, or are minima, and in any units of energy."""
    U = Potential.from_formula(f"u*({text})", u=unit)
    walk = Walk.at_rest(np.array([[x], [x]]), 1)
    check_first_energies(BlockBackend(U, walk, 1), U, walk)


# -------------------------------------------------------------------------------- bounded in time


def test_short_formulas_that_take_long_are_refused(monkeypatch):
    """409 characters took 34 s, 541 more than 73 s."""
    monkeypatch.setattr(derive, "SECONDS", 0.3)
    text = "*".join(f"(x - {k}.5)" for k in range(60))
    with pytest.raises(FormulaError, match=r"takes more than 0\.3 s to differentiate"):
        Potential.from_formula(text)
    assert Potential.from_formula("(x - 1.5)*(x - 2.5)").energy([1.0]) == 0.75


def test_patience_ends_with_the_work():
    with at_most(0.05):
        pass
    with pytest.raises(TooLong), at_most(0.05):
        while True:
            pass
    sum(range(10**6))  # nothing arrives late
    assert Path(targets.__file__).exists()
