"""Lanes against lone numbers, and pairs of particles, eight replicas or eight particles at once."""

import ctypes
import os
import subprocess
import sys

import numpy as np
import pytest
from numba import int64, void

from langevin_sa import Potential, Schedule, anneal
from langevin_sa.backends.cpu.compiled import REALS, compiled_source

X = np.concatenate(
    [
        np.random.default_rng(0).normal(size=102) * 10.0 ** np.arange(-3, 3).repeat(17),
        [0.0, -0.0, 1e-310, np.inf, -np.inf, np.nan, -800.0, 710.0, 1e300, 2.0],
    ]
)
FUNCTIONS = [
    *(f"{name}(v)" for name in ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh")),
    *(f"{name}(v)" for name in ("sqrt", "asin", "acos", "atan", "abs", "sign", "floor")),
    *("max(v, 0.5)", "min(0.5, v)", "where(v, 1.0, v*v)", "where(0.5, v, 2.0)"),
    *("power(v, 2.5)", "power(v, 3.0)", "power(2.0, v)", "power(v, v)", "power(2.0, 0.5)*v"),
    *("-v", "1.0 - v", "v/3.0", "(v + 0.25)*v"),
]


def values(home, load, store, width):
    """All functions at X, side by side by the width."""
    names = "sqrt, exp, log, sin, cos, tan, asin, acos, atan, sinh, cosh, tanh"
    names += ", abs, sign, floor, max, min, where, power"
    lines = "\n".join(f"        store(out, {k}*n + i, {f})" for k, f in enumerate(FUNCTIONS))
    text = (
        f"from langevin_sa.backends.cpu.{home} import {names}\n"
        f"from langevin_sa.backends.cpu.lanes import {load} as load, {store} as store\n\n"
        f"def functions(x, out, n):\n    for i in range(0, n, {width}):\n"
        f"        v = load(x, i)\n{lines}\n"
    )
    out = np.empty((len(FUNCTIONS), len(X)))
    pointers = (a.ctypes.data_as(ctypes.POINTER(ctypes.c_double)) for a in (X, out))
    function = compiled_source(text, "functions", void(REALS, REALS, int64))
    function.ctypes(*pointers, len(X))
    return out


def test_a_lane_and_a_lone_number_give_the_same_bits():
    lanes = values("lanes", "load_lanes", "store_lanes", 8)
    alone = values("simd", "load_one", "store_one", 1)
    for name, a, b in zip(FUNCTIONS, lanes, alone, strict=True):
        assert np.array_equal(a, b, equal_nan=True), name
        assert np.array_equal(np.signbit(a[~np.isnan(a)]), np.signbit(b[~np.isnan(b)])), name


PAIRS = {
    "lennard_jones": {"pair": "4*(r**-12 - r**-6)"},
    "of many functions": {
        "pair": "where(2.5 - r, exp(-a*r)*cos(r), max(0.1, 1/r)) + r**a",
        "a": 1.7,
    },
    "without a force": {"pair": "3.0"},
    "with others": {"pair": "1/r", "bond": "(r - 1)**2/2", "site": "x**4/100"},
}


SLOW = [pytest.param(space, marks=pytest.mark.slow) for space in (1, 2, 4)]


@pytest.mark.parametrize("space", [3, *SLOW])
@pytest.mark.parametrize("kind", PAIRS)
def test_replicas_beside_do_not_change_a_bit(kind, space):
    """Three replicas, whose particles go side by side, are the first of eleven, which go side by
    side themselves; numpy agrees.
    """
    for particles in (1, 2, 8, 9, 19):
        U = Potential.from_formula(**PAIRS[kind], particles=particles, space=space)
        rng = np.random.default_rng(particles)
        x0 = rng.uniform(-0.1, 0.1, (11, U.dim)) + 1.1 * (np.arange(U.dim) // space)
        given = {"schedule": Schedule(0.1, 1.0, 0.01), "n_steps": 12, "rng": 3, "threads": 1}
        few, many = anneal(U, x0[:3], **given), anneal(U, x0, **given)
        for name in ("x", "dx", "best_x", "best_energy"):
            assert np.array_equal(getattr(few.state, name), getattr(many.state, name)[:3]), name
        assert np.array_equal(few.energies, many.energies[:3])
        by_numpy = anneal(U, x0, backend="numpy", **given)
        np.testing.assert_allclose(many.state.x, by_numpy.state.x, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(many.energies, by_numpy.energies, rtol=1e-9, atol=1e-9)


RUNS = """
import hashlib
import langevin_sa as lsa

total = hashlib.sha256()
for U, replicas in (
    (lsa.potentials.lennard_jones(13), 9),
    (lsa.potentials.lennard_jones(13), 2),
    (lsa.potentials.morse_cluster(7), 5),
    (lsa.potentials.lennard_jones_fluid(300), 1),
    (lsa.potentials.kob_andersen(200), 1),
    (lsa.potentials.phi4_chain(3001), 2),
    (lsa.potentials.phi4_lattice((30, 43)), 1),
):
    result = lsa.anneal(
        U, None, lsa.Schedule(0.5, 1.0, 0.002), 40, replicas=replicas, rng=1, threads=1
    )
    for array in (result.state.x, result.state.dx, result.energies, result.state.best_energy):
        total.update(array.tobytes())
print(total.hexdigest())
"""


@pytest.mark.slow
def test_bits_do_not_depend_on_the_processor():
    """Code for the oldest processors is run beside that for this one."""
    digests = {
        subprocess.run(
            [sys.executable, "-c", RUNS],
            env=os.environ | processor,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for processor in ({}, {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""})
    }
    assert len(digests) == 1
