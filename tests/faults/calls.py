"""The calls that are disturbed: each driver, short, with all its files in a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from langevin_sa import (
    Potential,
    Schedule,
    anneal,
    compare,
    cooling_rates,
    exchange,
    minimize,
    simulate,
)
from langevin_sa.optimizers import Adam
from langevin_sa.schedules import exponential

WELL = Potential.from_formula(site="(x**2 - 1)**2 + 0.3*x", dim=2, bounds=(-2, 2))
CHAIN = Potential.from_formula(site="x**4/4 - x**2/2", bond="(y - x)**2/2", dim=600)
RAMP = Schedule(exponential(1.0, 0.01), 1.0, lambda s: 0.1 - 0.05 * s)
BESIDES = {"seconds", "samples_file", "schedule", "method", "potential", "message", "log_z"}


def _energy(x):
    return ((x**2 - 1) ** 2 + 0.3 * x).sum(1)


def _gradient(x):
    return 4 * x * (x**2 - 1) + 0.3


FUNCTIONS = Potential(_energy, _gradient, 2, bounds=(-2, 2))


def numbers(value: Any, name: str = "") -> dict[str, np.ndarray]:
    """All numbers of a result, by name."""
    if is_dataclass(value) and not isinstance(value, Mapping):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        pairs = [(key, part) for key, part in value.items() if key not in BESIDES]
    elif isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        pairs = list(enumerate(value))
    else:
        array = np.asarray(value)
        return {} if array.dtype == object else {name: array}
    found: dict[str, np.ndarray] = {f"{name}#": np.array(len(pairs))}
    for key, part in pairs:
        found |= numbers(part, f"{name}.{key}" if name else str(key))
    return found


def differing(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> str:
    """The names of numbers that are not the same bits."""
    return " ".join(
        name
        for name in {**a, **b}
        if name not in a
        or name not in b
        or (a[name].dtype, a[name].shape) != (b[name].dtype, b[name].shape)
        or a[name].tobytes() != b[name].tobytes()
    )


@dataclass
class Call:
    """A call that can be made again.

    Parameters
    ----------
    make : callable
        ``make(folder, seen)``; what is yielded goes to the dictionary `seen`.
    torn : callable
        ``torn(result, whole)``: what of the result of a disturbed call is not consistent.
    told : callable
        Whether a result says that steps or points have failed.
    leaves : set of str
        The files that are there at the end.
    """

    make: Callable[[Path, dict[Any, Any]], Any]
    torn: Callable[[Any, dict[str, Any]], str] = lambda result, whole: ""
    told: Callable[[Any], bool] = lambda result: False
    leaves: frozenset[str] = frozenset({"c.npz"})
    numbers: Callable[[Any], dict[str, np.ndarray]] = numbers


def _run(potential: Potential = WELL, **keywords: Any) -> Call:
    streams = keywords.pop("streams", False)

    def make(folder: Path, seen: dict[Any, Any]) -> Any:
        asked = {"replicas": 3, "n_steps": 10, "schedule": RAMP, "record_every": 4, "rng": 1}
        asked |= {"checkpoint": folder / "c.npz", "checkpoint_seconds": 0, "threads": 1}
        asked |= {"samples": folder / "s.npy"} if streams else {}
        result = anneal(potential, **asked | keywords)
        if streams:
            result.samples = np.array(result.samples)
            result["file"] = np.load(folder / "s.npy")
        return result

    def torn(result: Any, whole: dict[str, Any]) -> str:
        wrong = []
        if not np.allclose(potential.energy(result.state.x), result.energies, 1e-12, 1e-12):
            wrong.append("energies")
        if not np.allclose(
            potential.energy(result.best_positions), result.best_energies, 1e-12, 1e-12
        ):
            wrong.append("best energies")
        if not np.isclose(potential.energy(result.x[None])[0], result.fun, 1e-12, 1e-12):
            wrong.append("fun")
        count = len(result.history.step)
        for name, column in result.history.items():
            if column.tobytes() != whole[f"history.{name}"][:count].tobytes():
                wrong.append(f"history.{name}")
        if count and result.history.step[-1] > result.nit:
            wrong.append("history's step")
        if result.nit != result.state.step:
            wrong.append("nit")
        if result.samples is not None and (
            len(result.samples) != count
            or result.samples.tobytes() != whole["samples"][:count].tobytes()
        ):
            wrong.append("samples")
        return " ".join(wrong)

    leaves = frozenset({"c.npz", "s.npy"} if streams else {"c.npz"})
    return Call(make, torn, lambda result: result.failures > 0, leaves)


def _simulate(folder: Path, seen: dict[Any, Any]) -> Any:
    for snapshot in simulate(
        WELL,
        schedule=RAMP,
        n_steps=10,
        record_every=4,
        replicas=3,
        rng=1,
        threads=1,
        checkpoint=folder / "c.npz",
        checkpoint_seconds=0,
    ):
        seen[snapshot.step] = snapshot
    return {str(step): seen[step] for step in sorted(seen)}


def _minimize(fun: Any, **keywords: Any) -> Call:
    def make(folder: Path, seen: dict[Any, Any]) -> Any:
        files = {"checkpoint": folder / "c.npz", "checkpoint_seconds": 0}
        asked = {"rng": 1, "on_failure": "raise", "bounds": [(-2, 2)] * 2}
        return minimize(fun, **asked | files | keywords)

    def torn(result: Any, whole: dict[str, Any]) -> str:
        value = fun.energy(result.x[None])[0] if isinstance(fun, Potential) else fun(result.x)
        return (
            ""
            if result.fun == value or np.isclose(result.fun, value, 1e-12) or np.isinf(result.fun)
            else "fun"
        )

    return Call(make, torn)


def _function(x: np.ndarray) -> float:
    return float(((x**2 - 1) ** 2 + 0.3 * x).sum())


METHODS = {"anneal": RAMP, "adam": Adam(0.05, 0.1)}


def _compare(judged: str, potential: Potential = WELL) -> Call:
    def make(folder: Path, seen: dict[Any, Any]) -> Any:
        return compare(
            potential,
            METHODS,
            replicas=3,
            n_steps=12,
            epochs=2,
            rng=1,
            judged=judged,
            checkpoint=folder / "c.npz",
            checkpoint_seconds=0,
        )

    def torn(result: Any, whole: dict[str, Any]) -> str:
        wrong = [
            name
            for method, outcome in result.outcomes.items()
            for name, value in numbers(outcome, f"outcomes.{method}").items()
            if value.tobytes() != whole[name].tobytes()
            and not any(n in name for n in ("residual", "quantiles", "shares", "success", "tts"))
        ]
        return " ".join(wrong)

    return Call(make, torn)


def _cooling(folder: Path, seen: dict[Any, Any]) -> Any:
    return cooling_rates(
        WELL,
        RAMP,
        [4, 8, 12],
        replicas=3,
        rng=1,
        judged="final",
        checkpoint=folder / "c.npz",
        checkpoint_seconds=0,
    )


def _exchange(potential: Potential) -> Call:
    def make(folder: Path, seen: dict[Any, Any]) -> Any:
        asked = {"n_steps": 10, "swap_every": 2, "record_every": 2, "burn_in": 2, "replicas": 3}
        asked |= {"gamma": 1.0, "dt": 0.1, "rng": 1, "threads": 2}
        files = {"checkpoint": folder / "c.npz", "checkpoint_seconds": 0}
        return exchange(potential, [0.5, 1.0, 2.0], **asked | files)

    def torn(result: Any, whole: dict[str, Any]) -> str:
        count, wrong = len(result.energies), []
        for name in ("energies", "samples"):
            if getattr(result, name).tobytes() != whole[name][:count].tobytes():
                wrong.append(name)
        if count != max(0, result.nit - 2) // 2:
            wrong.append("nit")
        if not np.isclose(potential.energy(result.x[None])[0], result.fun, 1e-12, 1e-12):
            wrong.append("fun")
        return " ".join(wrong)

    return Call(make, torn)


CALLS = {
    "anneal": _run(samples=True),
    "streamed": _run(streams=True, record_every=1, n_steps=6),
    "functions": _run(
        FUNCTIONS, replicas=32, record_every=1, n_steps=5, threads=2, on_failure="raise"
    ),
    "walls": _run(FUNCTIONS, n_steps=5, threads=2),
    "lattice": _run(CHAIN, replicas=1, threads=2, n_steps=6),
    "simulate": Call(_simulate),
    "minimize a function": _minimize(_function, maxfev=30),
    "minimize a potential": _minimize(WELL, maxfev=60),
    "exchange": _minimize(WELL, strategy="exchange", replicas=4, n_steps=8),
    "compare final": _compare("final"),
    "compare polished": _compare("polished"),
    "compare functions": _compare("final", FUNCTIONS),
    "ladders": _exchange(WELL),
    "ladders of functions": _exchange(FUNCTIONS),
    "cooling_rates": Call(_cooling, leaves=frozenset(f"c.{n}.npz" for n in (4, 8, 12))),
}
