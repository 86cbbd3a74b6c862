"""Hostile input of the ways to bring a potential."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
from hostile import ANYTHING, JUNK, SIZES, examples, refused_or
from hypothesis import given, strategies as st
from numba import cfunc, types

from langevin_sa import Potential
from langevin_sa.arguments import whole

NUMBERS = types.CPointer(types.float64)


@cfunc(types.float64(NUMBERS, NUMBERS, types.intc, types.voidptr))
def spring(x, g, n, data):
    energy = 0.0
    for i in range(n):
        energy += x[i] ** 2
        g[i] = 2 * x[i]
    return energy


def both(x):
    return (x**2).sum(), 2 * x


WAYS = {
    "from_function": {"fun": both, "jac": True},
    "from_jax": {"fun": lambda x: (x**2).sum()},
    "from_torch": {"fun": lambda x: (x**2).sum()},
    "from_c": {"function": spring.ctypes},
    "from_ase": {"atoms": None},
}
MISSING = {f"from_{module}" for module in ("jax", "torch", "ase") if find_spec(module) is None}
ODD = {"dim": SIZES, "args": ANYTHING, "batched": ANYTHING, "data": ANYTHING, "rattle": ANYTHING}
ODD |= {name: JUNK for name in ("fun", "function", "jac", "atoms", "calculator", "name", "bounds")}
TAKES = {
    "from_function": "fun jac args dim name bounds",
    "from_jax": "fun args batched dim name bounds",
    "from_torch": "fun args batched dim name bounds",
    "from_c": "function data dim name bounds",
    "from_ase": "atoms calculator rattle",
}


@examples(4)
@given(data=st.data(), way=st.sampled_from(sorted(set(WAYS) - MISSING)))
def test_ways(data, way):
    """What is made of odd arguments works, and the rest is refused in a sentence."""
    chosen = data.draw(st.lists(st.sampled_from(TAKES[way].split()), max_size=2, unique=True))
    odd = {name: data.draw(ODD[name], label=name) for name in chosen}
    if whole(odd.get("dim")) and odd["dim"] > 1000:
        del odd["dim"]
    if whole(odd.get("function")) or whole(odd.get("data")):
        return  # an address, which nobody can check
    usual = {} if way == "from_ase" else {"dim": 3}
    made = refused_or(lambda: getattr(Potential, way)(**{**WAYS[way], **usual, **odd}))
    if made is not None and not {"fun", "args", "batched"} & set(odd):
        x = np.random.default_rng(0).uniform(0.3, 1, (2, made.dim))
        found = refused_or(lambda: made.energy_gradient(x))
        if found is not None:
            np.testing.assert_allclose(found[0], (x**2).sum(1))
            np.testing.assert_allclose(found[1], 2 * x)
