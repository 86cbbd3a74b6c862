"""One formula by all that is printed from it: NumPy, numba's kernel, CUDA C by g++, JavaScript by
node; and by Python itself, which reads the same text.

``python tests/formulas/targets.py SEED COUNT`` tries so many formulas. numba compiles the printed
bodies of all of them, many in one function, and the whole step of a block of every tenth.
"""

from __future__ import annotations

import contextlib
import ctypes
import inspect
import json
import keyword
import re
import subprocess
import sys
import unicodedata
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from shutil import which
from textwrap import indent
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed as seeded, settings, strategies as st
from numba import int64, void
from scipy import special

import langevin_sa
from langevin_sa import FormulaError, Potential
from langevin_sa.backends.cpu.compiled import INTEGERS, REALS, STEP, compiled_source
from langevin_sa.backends.cpu.printed import numba_source
from langevin_sa.backends.cuda import source
from langevin_sa.backends.cuda.arithmetic import functions
from langevin_sa.formulas.in_javascript import javascript_source
from langevin_sa.formulas.in_numpy import Formula
from langevin_sa.formulas.parse import CONSTANTS, FUNCTIONS, PRINTED
from langevin_sa.formulas.spec import Body

sys.path.append(str(Path(__file__).parents[1] / "backends" / "cuda"))
POINTS, WIDTH = 4, 8
TOGETHER = 10  # formulas, whose bodies are compiled in one function
NODE = which("node")
LARGEST = 1e6  # beyond, digits are lost that no target is to blame for
WORDS_OF_LANGUAGES = (
    "double float int long short unsigned struct union template class namespace new this typeof "
    "var let const function of NaN Infinity undefined eval arguments prototype constructor "
    "toString Math main printf asm register volatile inline INFINITY NULL self cls np numba"
).split()
PACKAGE = Path(langevin_sa.__file__).parent


@cache
def words() -> list[str]:
    """Every word that templates use, which may be a name in a formula."""
    files = [
        *(PACKAGE / "backends").rglob("*.py"),
        *(PACKAGE / "backends").rglob("*.cu"),
        *(PACKAGE / "formulas").glob("*.py"),
        *(PACKAGE / "teaching").glob("*.js"),
    ]
    found = {w for f in files for w in re.findall(r"\b[A-Za-z_]\w*", f.read_text("utf-8"))}
    printed = [f"{letter}{k}" for letter in "ptcvr" for k in range(4)]
    printed += ["p_0", "p_1", "v0", "x_u0", "has_u0", "a_0", "ai_0", "whole_0", "past_0", "kWIDTH"]
    return sorted({*found, *printed, *WORDS_OF_LANGUAGES})


def plain(name: str) -> str:
    """A name as Python reads it."""
    return unicodedata.normalize("NFKC", name)


def allowed(name: str) -> bool:
    """Whether a name is a legal identifier that a formula may use."""
    read = plain(name)
    good = read.isidentifier() and not keyword.iskeyword(read) and "__" not in read
    return good and "·" not in name + read and read not in (*FUNCTIONS, *CONSTANTS)


LETTERS = st.characters(categories=["L", "Nl", "Mn", "Nd", "Pc"])
NAMES = st.one_of(
    st.sampled_from(words()),
    st.tuples(st.sampled_from(words()), st.sampled_from(words())).map("".join),
    st.text(LETTERS, min_size=1, max_size=6),
).filter(allowed)
TAKEN = set(inspect.signature(Potential.from_formula).parameters)
ONE = "sqrt exp log sin cos tan asin acos atan sinh cosh tanh abs sign floor step log10 erf".split()
TWO = "max min mod hypot atan2".split()
NUMBERS = st.sampled_from("0 1 2 3 0.5 0.3 1.7 pi e 10".split())


def expressions(names: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Formulas in these names."""
    leaves = st.one_of(st.sampled_from(names), st.sampled_from(names), NUMBERS)

    def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner).map(
                lambda t: f"({t[0]} {t[1]} {t[2]})"
            ),
            st.tuples(st.sampled_from(ONE), inner).map(lambda t: f"{t[0]}({t[1]})"),
            st.tuples(st.sampled_from(TWO), inner, inner).map(lambda t: f"{t[0]}({t[1]}, {t[2]})"),
            st.tuples(inner, st.sampled_from(["2", "3", "-1", "0.5"])).map(
                lambda t: f"({t[0]})**{t[1]}"
            ),
            st.tuples(inner, inner, inner).map(lambda t: f"where({t[0]}, {t[1]}, {t[2]})"),
        )

    return st.recursive(leaves, grow, max_leaves=8)


@st.composite
def formulas(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, float]]:
    """What `from_formula` is given for a potential of some kind, and of that its parameters."""
    kind = draw(st.sampled_from(["coordinates"] * 3 + ["lattice", "particles"]))
    names = draw(st.lists(NAMES, min_size=4, max_size=4, unique_by=plain))
    a, b = (plain(name) for name in names[2:])
    if {a, b} & (TAKEN | {"x", "y", "r"}):
        a, b = "a_", "b_"
        names[2:] = [a, b]
    if kind == "coordinates":
        x, y = names[:2]
        if {plain(x), plain(y)} & {a, b}:
            x, y = "x", "y"
        text = f"{draw(expressions((x, y, names[2], names[3])))} + 0.3*{x}*{y} + {a}*{b}"
        values = {a: 0.7, b: -1.3}
        return {"formula": text, "variables": (x, y), **values}, values
    if kind == "lattice":
        site = f"{draw(expressions(('x', a, b)))} + {a}*{b}*x"
        bond = f"{draw(expressions(('x', 'y', a, b)))} + {a}*x*y"
        h = np.linspace(0.4, 0.9, 4)
        given = {"periodic": draw(st.booleans()), "shape": draw(st.sampled_from([(4,), (2, 2)]))}
        return {"site": site, "bond": bond, a: h, b: -1.3, **given}, {}
    pair = f"{draw(expressions(('r', a, b)))} + {a}*{b}*r"
    given = {"particles": 3, "space": draw(st.integers(1, 3))}
    return {"pair": pair, a: 0.7, b: -1.3, **given}, {}


def points(potential: Potential) -> np.ndarray:
    """Where targets are compared; particles apart."""
    x = np.random.default_rng(0).uniform(0.3, 1.3, (POINTS, potential.dim))
    space = potential.formula.source.spec.space
    return x + 2.0 * (np.arange(potential.dim) // space) if potential.dim in (6, 9) else x


def by_numba(potential: Potential, x: np.ndarray) -> np.ndarray:
    """Energy and gradient (replicas, 1 + dim) by the step of a block."""
    formula, dim = potential.formula, potential.dim
    text = numba_source(formula.source.spec, formula.source.bodies, WIDTH)
    step = compiled_source(text, "step", STEP)
    X, Y, DX, G = (np.zeros((dim, WIDTH)) for _ in range(4))
    X[:, : len(x)] = x.T
    X[:, len(x) :] = x[:1].T
    z, s, e = np.zeros(4 * WIDTH), np.zeros(WIDTH), np.zeros(WIDTH)
    rows, size = np.zeros(2 * dim, dtype=np.int64), formula.size
    c = np.array([0.0, 1.0, 0.0, 0.0, 0.0])  # dx = -gradient
    p = np.ascontiguousarray(formula.numbers)
    given = (X, Y, DX, G, z, s, e, p, rows, size, c)
    assert STEP.args == (REALS,) * 8 + (INTEGERS,) * 2 + (REALS, STEP.args[-1])
    pointer = {"f": ctypes.c_double, "i": ctypes.c_int64}
    step.ctypes(*(a.ctypes.data_as(ctypes.POINTER(pointer[a.dtype.kind])) for a in given), WIDTH)
    return np.concatenate([e[: len(x), None], -DX[:, : len(x)].T], axis=1)


BODIES = void(REALS, REALS, int64, int64)  # inputs, outputs, which body, how many points


def by_bodies(potentials: list[Potential], xs: list[np.ndarray]) -> list[np.ndarray]:
    """The same by the printed bodies, compiled by numba in one function; the reference sums them
    over sites and pairs.
    """
    text = f"from langevin_sa.backends.cpu.simd import {', '.join(PRINTED)}, power\n\n"
    text += "def bodies(v, out, which, n):\n"
    widths: list[int] = []

    def compiled(which: int, *inputs: Any) -> np.ndarray:
        at = np.stack(np.broadcast_arrays(*inputs), axis=-1).astype(float)
        out = np.empty((*at.shape[:-1], widths[which]))
        pointers = (a.ctypes.data_as(ctypes.POINTER(ctypes.c_double)) for a in (at, out))
        function.ctypes(*pointers, which, out[..., 0].size)
        return np.moveaxis(out, -1, 0)

    formulas = []
    for U in potentials:
        source, calls, functions = U.formula.source, {}, {}
        for kind, body in source.bodies.items():
            inputs = [f"v{k}" for k in range(len(body.derivatives))]
            inputs += source.spec.printed_names().values()
            outputs = [body.value, *body.derivatives]
            lines = [f"{name} = v[{len(inputs)}*i + {k}]" for k, name in enumerate(inputs)]
            lines += body.lines
            lines += [f"out[{len(outputs)}*i + {k}] = {o}" for k, o in enumerate(outputs)]
            loop = "for i in range(n):\n" + indent("\n".join(lines), "    ")
            text += f"    if which == {len(widths)}:\n" + indent(loop, " " * 8) + "\n"
            results = [f"t{k}" for k in range(len(outputs))]
            call = f"{', '.join(results)} = compiled_{kind}({', '.join(inputs)})"
            calls[kind] = Body((call,), results[0], tuple(results[1:]), (), "0.0")
            functions[f"compiled_{kind}"] = partial(compiled, len(widths))
            widths.append(len(outputs))
        formula = Formula(replace(source, bodies=calls), U.formula.numbers, U.formula.size)
        formula._function("energy_gradient")
        formula._functions |= functions
        formulas.append(formula)
    function = compiled_source(text, "bodies", BODIES)
    return [by_numpy(formula, x) for formula, x in zip(formulas, xs, strict=True)]


def by_cuda(potentials: list[Potential], xs: list[np.ndarray]) -> list[np.ndarray]:
    """The same by the CUDA C of one replica, through g++."""
    import executor

    head = ['#include "cuda_on_cpu.h"', "namespace langevin_sa {", "typedef double real;"]
    parts = [*head, source.text("base"), functions(False), "}"]
    for k, U in enumerate(potentials):
        formula, (dim, *shape) = U.formula, U.formula.size.tolist()
        force = source._replica_force(formula.source.spec, formula.source.bodies, dim, shape)
        parts += [
            f"#define DIM {dim}LL\n#define UNROLL 1",
            f"namespace langevin_sa {{ namespace m{k} {{\n{force}\n}} }}",
            "#undef DIM\n#undef UNROLL",
            f'extern "C" double force_{k}(const double* x, double* g, const double* p) '
            f"{{ return langevin_sa::m{k}::force(x, g, p); }}",
        ]
    built = executor.library("\n".join(parts), ("-ffp-contract=off",))
    found = []
    for k, (U, x) in enumerate(zip(potentials, xs, strict=True)):
        call = getattr(built, f"force_{k}")
        call.restype = ctypes.c_double
        p, out = np.ascontiguousarray(U.formula.numbers), np.zeros((len(x), 1 + U.dim))
        for row, place in zip(out, np.ascontiguousarray(x), strict=True):
            g = np.zeros(U.dim)
            arrays = [a.ctypes.data_as(ctypes.POINTER(ctypes.c_double)) for a in (place, g, p)]
            row[0] = call(*arrays)
            row[1:] = g
        found.append(out)
    return found


def by_javascript(potentials: list[Potential], xs: list[np.ndarray]) -> list[np.ndarray]:
    """The same by the page's function, in node."""
    parts = ["const out = [];"]
    for U, x in zip(potentials, xs, strict=True):
        spec, bodies = U.formula.source.spec, U.formula.source.bodies
        parts.append(
            "{\n" + javascript_source(spec, bodies, U.formula.size.tolist()) + "\n"
            f"for (const x of {json.dumps(x.tolist())}) {{ const g = new Array({U.dim}); "
            f"const p = {json.dumps(U.formula.numbers.ravel().tolist())};\n"
            "const e = energyGradient(x, g, p); out.push([e, ...g].map(String)); } }"
        )
    parts.append("console.log(JSON.stringify(out));")
    done = subprocess.run([NODE, "-"], input="\n".join(parts), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:3000]
    rows = [[float(v.replace("Infinity", "inf")) for v in row] for row in json.loads(done.stdout)]
    left = iter(rows)
    return [np.array([next(left) for _ in x]) for x in xs]


def by_numpy(formula: Formula, x: np.ndarray) -> np.ndarray:
    """The same by the reference."""
    energy, gradient = formula.energy_gradient(x)
    return np.concatenate([energy[:, None], gradient], axis=1)


NUMPY = {name: getattr(np, name, None) for name in FUNCTIONS}
NUMPY |= {"asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "atan2": np.arctan2}
NUMPY |= {"max": np.maximum, "min": np.minimum, "erf": special.erf, "mod": np.mod}
NUMPY |= {"where": lambda a, b, c: np.where(a > 0, b, c), "pi": np.pi, "e": np.e}
NUMPY |= {"step": lambda u: (1 + np.sign(u)) / 2}


def by_python(potential: Potential, text: str, values: dict[str, float], x: np.ndarray) -> tuple:
    """The energy as Python reads the text, which is ours, and the largest number on the way."""
    names = dict(zip(potential.variables, x.T, strict=True)) | values | NUMPY
    known = {plain(name): value for name, value in names.items()}
    largest = np.ones(len(x))

    def noted(name):
        def function(*args):
            for value in (*args, out := np.asarray(NUMPY[name](*args), dtype=float)):
                np.maximum(largest, np.nan_to_num(np.abs(value), nan=np.inf), out=largest)
            return out

        return function

    known |= {name: noted(name) for name in FUNCTIONS}
    try:
        with np.errstate(all="ignore"):
            value = np.asarray(eval(text, {"__builtins__": {}, **known}))
    except (ArithmeticError, TypeError):  # of plain numbers: 1/0, floor((-1)**0.5)
        value = np.array(np.nan)
    return (np.full(len(x), np.nan) if np.iscomplexobj(value) else value.astype(float)), largest


def check(made: list[tuple[Potential, dict, dict]], cuda: bool, every: int = 1) -> dict[str, int]:
    """Compare all targets of some potentials, the whole step of numba's kernel of every so many;
    how many numbers were compared with each.
    """
    potentials = [U for U, *_ in made]
    xs = [points(U) for U in potentials]
    expected = [by_numpy(U.formula, x) for U, x in zip(potentials, xs, strict=True)]
    pairs = enumerate(zip(potentials, xs, strict=True))
    found = {"numba": [by_numba(U, x) if k % every == 0 else None for k, (U, x) in pairs]}
    parts = [slice(k, k + TOGETHER) for k in range(0, len(made), TOGETHER)]
    found["numba's bodies"] = [a for p in parts for a in by_bodies(potentials[p], xs[p])]
    if cuda:
        found["CUDA"] = by_cuda(potentials, xs)
    if NODE:
        flat = [k for k, U in enumerate(potentials) if "pair" not in U.formula.source.bodies]
        answers = by_javascript([potentials[k] for k in flat], [xs[k] for k in flat])
        found["JavaScript"] = [None] * len(made)
        for k, answer in zip(flat, answers, strict=True):
            found["JavaScript"][k] = answer
    compared = dict.fromkeys(["Python", *found], 0)
    for k, (U, told, values) in enumerate(made):
        here, x = expected[k], xs[k]
        with np.errstate(all="ignore"):
            near = [by_numpy(U.formula, x * (1 + d)) for d in (1e-13, -1e-13, 4e-13, -4e-13)]
            around = np.subtract(near, here)
            size = np.abs(here).max(1, keepdims=True)
            room = 1e-10 * np.maximum(size, 1.0) + 20 * np.abs(around).max(0).max(1, keepdims=True)
        none = np.isnan([here, *near]).all(0)
        sound = (size < LARGEST) & np.isfinite(room) & (room < 1e-3 * np.maximum(size, 1.0))
        for target, answers in found.items():
            if answers[k] is None:
                continue
            with np.errstate(all="ignore"):
                good = np.abs(answers[k] - here) <= room
            assert (good | ~sound).all(), (target, U, here, answers[k])
            assert not (none & np.isfinite(answers[k])).any(), (target, U, here, answers[k])
            compared[target] += int(sound.sum()) * here.shape[1]
        if "formula" in told:
            energy, largest = by_python(U, told["formula"], values, x)
            fair = sound[:, 0] & np.isfinite(energy) & (largest < 1e4)
            off = np.abs(energy - here[:, 0]) > room[:, 0] + 1e-10 * largest**2
            assert not (off & fair).any(), ("Python", U, energy, here[:, 0])
            compared["Python"] += int(fair.sum())
    return compared


def draw_some(seed: int, count: int) -> list[tuple[Potential, dict, dict]]:
    """So many potentials, each another one and none refused, what they were made from, and their
    parameters.
    """
    drawn: list = []

    @seeded(seed)
    @settings(
        max_examples=3 * count + 20,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(formulas())
    def collect(example):
        drawn.append(example)

    collect()
    made: list = []
    for told, values in {repr(example): example for example in drawn}.values():
        if len(made) < count:
            with contextlib.suppress(FormulaError):
                made.append((Potential.from_formula(**told), told, values))
    return made


if __name__ == "__main__":
    import executor

    from langevin_sa.storage import cache as storage

    storage.cache_folder = lambda: None  # nobody asks for these again
    made = draw_some(int(sys.argv[1]), int(sys.argv[2]))
    total: dict[str, int] = {}
    wrong = 0
    for first in range(0, len(made), 50):
        try:
            compared = check(made[first : first + 50], executor.GXX is not None, 10)
        except AssertionError as error:
            print(error, file=sys.stderr)
            wrong += 1
            continue
        for name, n in compared.items():
            total[name] = total.get(name, 0) + n
    print(json.dumps({"formulas": len(made), **total}))
    sys.exit(wrong > 0)
