"""Whether the kernels are right on this card: the parts `smoke` and `validate` of gpu.py."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import langevin_sa as lsa
from langevin_sa.backends.walk import ARRAYS
from langevin_sa.integrators import INTEGRATORS

sys.path.append(str(Path(__file__).parents[1] / "tests" / "backends" / "cuda"))
from gpu_cases import CASES, DTYPES, Case, LeftOut, mover
from gpu_tools import TOOLS, sanitize
from parity import NAMES, compare, ulps

MOST_ULPS = 4  # of one step, as in the tests
OF_EACH_KIND = (
    "double_well muller_brown rastrigin ackley phi4_chain phi4_lattice lennard_jones kob_andersen"
).split()
Rows = Iterator[tuple[str, str, Callable[[], dict[str, Any]]]]


def smoke(tiny: bool) -> Rows:
    """Every kernel a few steps, and a whole run."""
    for name, case in CASES.items():
        for dtype in DTYPES:
            yield "20 steps beside numba", f"{name}, {dtype}", partial(few_steps, case, dtype)
    yield "whole runs", "anneal on the card", partial(anneal, in_cupy)
    yield "whole runs", "x0 of torch on the card", partial(anneal, in_torch)
    yield "whole runs", "x0 of JAX on the card", partial(anneal, in_jax)
    yield "whole runs", "a start that is not finite", not_finite


def few_steps(case: Case, dtype: str) -> dict[str, Any]:
    """Differences of 20 steps of a tiny walk."""
    case = case.scaled(True)
    potential, steps = case.potential(), case.coefficients(20)
    movers = [mover(case, potential, dtype, backend) for backend in ("numba", "cupy")]
    before = movers[0].walk.x.copy()
    for one in movers:
        one.advance(steps)
    numba, card = (
        {name: np.asarray(on_host(getattr(one.walk, name))) for name in ARRAYS} for one in movers
    )
    apart = ulps(numba["x"], card["x"], before, np.dtype(dtype))
    energies = np.allclose(
        numba["energy"], card["energy"], rtol=1e-9 if dtype == "float64" else 1e-2
    )
    most = 20 * MOST_ULPS if dtype == "float64" else 1e4  # where motion is unstable, they grow
    return {"ulps of x": apart, "ok": bool(energies and apart <= most)}


def on_host(array: Any) -> Any:
    """A NumPy array."""
    return array.get() if hasattr(array, "get") else array


def anneal(place: Callable[[np.ndarray], Any]) -> dict[str, Any]:
    """The calls of docs/gpu.md, with x0 there."""
    U = lsa.potentials.rastrigin(10)
    schedule = lsa.Schedule(lsa.schedules.exponential(10.0, 0.1), gamma=1.0, dt=0.02)
    x0 = np.random.default_rng(1).uniform(-5, 5, (64, 10))
    there = lsa.anneal(U, place(x0), schedule, 200, rng=1)
    cpu = lsa.anneal(U, x0, schedule, 200, rng=1, backend="numba")
    host = lsa.anneal(U, x0, schedule, 200, rng=1, backend="cupy")
    same = np.array_equal(cpu.best_energies, host.best_energies)
    return {"ok": bool(same and np.array_equal(on_host(there.best_energies), host.best_energies))}


def in_cupy(x: np.ndarray) -> Any:
    """An array on the card."""
    import cupy

    return cupy.asarray(x)


def in_torch(x: np.ndarray) -> Any:
    """An array on the card."""
    try:
        import torch
    except ImportError as error:
        raise LeftOut(str(error)) from None
    if not torch.cuda.is_available():
        raise LeftOut("torch sees no card")
    return torch.tensor(x, device="cuda")


def in_jax(x: np.ndarray) -> Any:
    """An array on the card."""
    try:
        import jax
    except ImportError as error:
        raise LeftOut(str(error)) from None
    if jax.default_backend() != "gpu":
        raise LeftOut("JAX sees no card")
    jax.config.update("jax_enable_x64", True)
    return jax.numpy.asarray(x)


def not_finite() -> dict[str, Any]:
    """It is refused, and the next run is as ever."""
    U, schedule = lsa.potentials.double_well(), lsa.Schedule(1.0, 1.0, 0.02)
    try:
        lsa.anneal(U, np.full((3, 1), np.inf), schedule, 10, rng=1, backend="cupy")
    except (ValueError, FloatingPointError):
        again = lsa.anneal(U, np.ones((3, 1)), schedule, 10, rng=1, backend="cupy")
        return {"ok": bool(np.isfinite(again.best_energies).all())}
    return {"ok": False}


def validate(tiny: bool) -> Rows:
    """Verdicts, parity, sanitizer; what matters most first."""
    from langevin_sa.validation.families import FAMILIES

    for dtype in DTYPES:
        for family in FAMILIES[:1] if tiny else FAMILIES:
            yield f"validation suite, {dtype}", family, partial(verdict, family, dtype)
    names = OF_EACH_KIND + [name for name in NAMES if name not in OF_EACH_KIND]
    for name in names[:1] if tiny else names:
        for dtype in DTYPES:
            chosen = tuple(INTEGRATORS) if name in OF_EACH_KIND and not tiny else ("bbk", "gjf")
            yield "parity with numba", f"{name}, {dtype}", partial(parity, name, dtype, chosen)
    for tool in TOOLS:
        yield "compute-sanitizer", tool, partial(sanitize, tool)


def verdict(family: str, dtype: str) -> dict[str, Any]:
    """Of a family of the validation suite."""
    report = lsa.validate("cupy", dtype, families=[family])
    failed = "; ".join(f"{c.name}: {c.measured:.6g} for {c.exact:.6g}" for c in report.failures)
    cells = {"checks": len(report.checks), "seconds": report.seconds, "ok": report.passed}
    return cells | ({"_failures": failed} if failed else {})


def parity(name: str, dtype: str, integrators: tuple[str, ...]) -> dict[str, Any]:
    """The most ulps of x of one step, and of 100."""
    U = lsa.potentials.catalogue()[name]()
    found = [compare(U, row, np.dtype(dtype), replicas=4)[:2] for row in integrators]
    step, whole = np.max(found, axis=0).tolist()
    ok = step <= MOST_ULPS and (dtype == "float32" or whole <= 100 * MOST_ULPS)
    return {"one step, ulps": step, "100 steps, ulps": whole, "ok": bool(ok)}
