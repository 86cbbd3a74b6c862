"""Annealing against quenching: several ways of cooling from the same starting points under the same noise, judged by the same measures."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import fields
from typing import Any

import numpy as np

from .backends import NonFinite, Walk
from .checkpoint import Checkpoint, digest, schedule_digest
from .descent import descend
from .momentum import progress_of, values
from .naming import look_up, real, shown
from .noise import seed_of
from .optimizers import RuleWalk, StepRule
from .outcomes import JUDGED, Comparison, Minimum, Outcome
from .potential import Potential
from .results import State
from .run import Run, _positive_int, check_energies, starting_points, walk_of
from .statistics import bootstrap_mean, time_to_solution, wilson
from .workers import Team, check_workers

REPLICAS = 256
ROWS = ("step", "energy", "best", "judged", "temperature", "rescaled")  # of an epoch
STATE = ("x", "dx", "noise", "best_x", "best_energy")  # of a walk


def compare(
    potential: Potential,
    methods: Mapping[str, Any],
    *,
    replicas: int | None = None,
    n_steps: int = 10_000,
    budgets: Mapping[str, int] | None = None,
    x0: Any = None,
    rng: Any = None,
    common_noise: bool = True,
    tolerance: float | None = None,
    judged: str = "polished",
    epochs: int = 40,
    integrator: str = "gjf",
    backend: str = "auto",
    workers: Any = 1,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_seconds: float = 10.0,
) -> Comparison:
    """Run several methods on one potential and say how often, how low and how fast each gets.

    Parameters
    ----------
    potential : Potential
        What to minimize.
    methods : dict
        By name: a Schedule, CoolMomentum, Momentum or SGD, or a StepRule such as ``langevin_sa.optimizers.Adam``.
    replicas : int, optional
        Independent copies, from the same starting points for every method; by default those of x0, 256 if it is not several.
    n_steps : int
        Steps, which are gradients, of every method.
    budgets : dict of int, optional
        Steps of single methods, by name, where they differ.
    x0 : array (dim,) or (replicas, dim), optional
        Starting points; drawn from the potential's domain if None.
    rng : int, numpy.random.Generator or None
        Seed; the one used is in the result.
    common_noise : bool
        Replica r gets the same normals in step n of every method; otherwise each method has its own streams.
    tolerance : float, optional
        An energy this close to the minimum is a success, and this close to another is the same minimum; by default
        1e-3 of the minimum's size, or 1e-3 where that is less than 1.
    judged : {"polished", "final", "best"}
        Which energy of a replica counts: after a descent from its last point (which basin it ended in), at its last
        point (what a fixed budget leaves, heat of the last temperature included), or the lowest seen on its way.
    epochs : int
        How often to look; costs a descent of all replicas each for "polished".
    integrator, backend, workers
        As for `anneal`; a StepRule runs in this process.
    checkpoint, checkpoint_seconds
        As for `anneal`; written at the ends of epochs.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError, TypeError
        For bad input, before the first step.
    """
    if not isinstance(potential, Potential):
        raise TypeError(f"potential must be a Potential (see Potential.from_formula), not {type(potential).__name__}")
    if not isinstance(methods, Mapping) or not methods:
        raise TypeError("methods must be a dictionary of at least one method, such as {'anneal': Schedule(...), 'quench': Schedule(...)}")
    for name, method in methods.items():
        if isinstance(method, type) or not (isinstance(method, StepRule) or hasattr(method, "coefficients")):
            raise TypeError(f"method {name!r} must be a Schedule, CoolMomentum, Momentum, SGD or StepRule, not {shown(method)}")
    look_up(judged, JUDGED, "energy to judge by")
    if tolerance is not None and not (real(tolerance) and tolerance > 0):
        raise ValueError(f"tolerance is an energy and must be > 0, not {shown(tolerance)}")
    if budgets is not None and not isinstance(budgets, Mapping):
        raise TypeError(f"budgets must be a dictionary of steps by method, not {shown(budgets)}")
    steps = dict.fromkeys(methods, _positive_int(n_steps, "n_steps"))
    for name, count in (budgets or {}).items():
        look_up(name, steps, "method in budgets")
        steps[name] = _positive_int(count, f"the budget of {name}")
    epochs = _positive_int(epochs, "epochs")
    check_workers(workers)
    keeper = Checkpoint(checkpoint, checkpoint_seconds, "comparison checkpoint")
    seed = seed_of(keeper.seed if rng is None else rng)
    start = starting_points(potential, x0, REPLICAS if replicas is None and np.ndim(x0) < 2 else replicas, seed)
    found = keeper.path and keeper.belongs_to({
        "potential": potential.name, "dim": potential.dim, "replicas": len(start), "seed": seed, "epochs": epochs, "judged": judged,
        "integrator": integrator, "common_noise": bool(common_noise), "methods": list(methods), "n_steps": list(steps.values()),
        "the methods": [_digest(method, steps[name], integrator) for name, method in methods.items()],
        "the starting points": digest(start),
    })  # fmt: skip
    kept: dict[str, dict[str, np.ndarray]] = {name: {} for name in methods}
    for key, array in (found[0] if found else {}).items():
        number, _, what = key.partition(" ")
        kept[list(methods)[int(number)]][what] = array
    if not all(_fits(part, start.shape) for part in kept.values() if part):
        raise ValueError(f"checkpoint {os.fspath(keeper.path or '')} does not hold the arrays of a comparison")

    outcomes = {}
    with ExitStack() as stack:
        team = None if workers == 1 else stack.enter_context(Team(workers))
        for k, (name, method) in enumerate(methods.items()):
            own = seed if common_noise else int(np.random.SeedSequence([seed, k]).generate_state(1, np.uint64)[0])

            def keep(arrays: dict[str, np.ndarray], name: str = name, now: bool = False) -> None:
                kept[name] = arrays
                keeper.save(lambda: ({f"{k} {what}": a for k, part in enumerate(kept.values()) for what, a in part.items()}, {}), now)

            earlier = kept[name]
            if "polished" not in earlier:
                earlier = _run(potential, method, start, steps[name], epochs, own, judged, integrator, backend, team, earlier, keep)
                keep(earlier, now=k == len(methods) - 1)
            outcomes[name] = _outcome(name, method, steps[name], earlier)

    finished = [o for o in outcomes.values() if not o.message]
    lowest = min((float(min(o.energies["polished"].min(), o.energies["best"].min())) for o in finished), default=np.nan)
    known = potential.minimum_energy
    minimum = lowest if known is None else float(np.fmin(known, lowest))
    return judge(potential, outcomes, minimum, tolerance, judged, seed, common_noise)


def judge(
    potential: Potential, outcomes: dict[str, Outcome], minimum: float, tolerance: float | None, judged: str, seed: int, common_noise: bool
) -> Comparison:
    """Success, residual energy, time to solution and shares of `outcomes`, which it fills in, against a minimum's energy."""
    near = 1e-3 * max(1.0, abs(minimum)) if tolerance is None else float(tolerance)
    minima = _minima(potential, [o for o in outcomes.values() if not o.message], minimum, near)
    for o in outcomes.values():
        o.success_by_epoch = [wilson(int((row <= minimum + near).sum()), len(o.x)) for row in o.judged]
        o.success = wilson(0 if o.message else int((o.energies[judged] <= minimum + near).sum()), len(o.x))
        o.tts = time_to_solution(o.success, o.n_steps)
        if not o.message:
            o.residual = bootstrap_mean(o.energies[judged] - minimum, seed)
            o.quantiles = np.quantile(o.energies[judged] - minimum, [0.1, 0.5, 0.9])
    return Comparison(potential, outcomes, minimum, near, minima, judged, seed, common_noise)


def _digest(method: Any, n_steps: int, integrator: str) -> str:
    """A method's numbers at some of its steps; of a StepRule also its type and the numbers that it has besides."""
    if not isinstance(method, StepRule):
        return schedule_digest(method, n_steps, integrator)
    rest = {f.name: getattr(method, f.name) for f in fields(method) if f.name != "lr"}
    return f"{type(method).__name__} {rest} {digest(values(method.lr, progress_of(n_steps), 'lr'))}"


def _run(
    potential: Potential, method: Any, start: np.ndarray, n_steps: int, epochs: int, seed: int, judged: str, integrator: str,
    backend: str, team: Team | None, earlier: dict[str, np.ndarray], keep: Callable[[dict[str, np.ndarray]], None],
) -> dict[str, np.ndarray]:  # fmt: skip
    """One method from the start, or from the arrays that `keep` was given at the end of an epoch; the arrays of its outcome."""
    began, every, message = time.perf_counter() - float(earlier.get("seconds", 0)), -(-n_steps // epochs), ""
    rows = {key: list(earlier.get(key, ())) for key in ROWS}
    state = State(**{name: earlier[name] for name in STATE}, step=int(earlier["at"]), seed=seed) if earlier else None
    mover: RuleWalk | None = None
    if isinstance(method, StepRule):
        walk = Walk.at_rest(start, seed) if state is None else walk_of(state, potential)
        mover = RuleWalk(potential, walk, method, n_steps)
        if earlier:
            check_energies(potential, walk.energy, earlier["final"])
            mover.memory = list(earlier["memory"])
    else:
        run = Run(potential, start, method, n_steps, None, integrator, every, backend, seed, None, "float64", "normal", None, team)
        walk, records = run.walk, run.records()
        if state is not None:
            run.restore(state, earlier["final"])

    def arrays() -> dict[str, np.ndarray]:
        found = {key: np.array(value, dtype=float if key != "step" else int) for key, value in rows.items()}
        found |= {key: found[key].reshape(-1, len(start)) for key in ("energy", "best", "judged")}  # also where no epoch was finished
        at = walk.on_host()
        found |= {name: getattr(at, name) for name in STATE}
        return found | {
            "final": at.energy, "at": np.array(walk.step), "seconds": np.array(time.perf_counter() - began),
            "message": np.array(message), "memory": np.array(mover.memory if mover else []),
        }  # fmt: skip

    while walk.step < n_steps:
        first = walk.step
        try:
            if mover is not None:
                walk.dx2[:] = 0
                mover.run_to(min(first + every, n_steps))
                mover.refresh()
                temperature, rescaled = np.nan, walk.dx2.sum() / (walk.x.size * (walk.step - first))
            else:
                temperature = next(records)["eq22"]
                rescaled = temperature * float(np.mean(run.coefficients(first, walk.step).dt ** 2))
        except NonFinite as error:
            message = f"diverged at step {error.step}"
            break
        at = walk.on_host()
        seen = {"final": at.energy, "best": at.best_energy}
        judge = descend(potential, at.x)[1] if judged == "polished" else seen[judged].copy()
        line = (at.step, at.energy.copy(), at.best_energy.copy(), judge, temperature, rescaled)
        for key, value in zip(rows, line, strict=True):
            rows[key].append(value)
        keep(arrays())
    x = walk.on_host().x
    polished_x, polished = descend(potential, x) if not message else (x.copy(), np.full(len(x), np.nan))
    return arrays() | {"polished": polished, "polished_x": polished_x}


def _fits(part: dict[str, np.ndarray], shape: tuple[int, ...]) -> bool:
    """Whether arrays from a file are what `_run` keeps of replicas and coordinates of this shape."""
    epochs, replicas = part.get("step", np.array(None)).shape, shape[:1]
    shapes = dict.fromkeys(("step", "temperature", "rescaled"), epochs) | dict.fromkeys(("energy", "best", "judged"), epochs + replicas)
    shapes |= dict.fromkeys(("x", "dx", "noise", "best_x"), shape) | dict.fromkeys(("final", "best_energy"), replicas)
    shapes |= dict.fromkeys(("at", "seconds", "message"), ()) | ({"polished": replicas, "polished_x": shape} if "polished" in part else {})
    kinds = {"step": "i", "at": "i", "message": "U"}
    arrays = {name: part.get(name, np.array(None)) for name in shapes}
    return len(epochs) == 1 and all(a.shape == shapes[name] and a.dtype.kind == kinds.get(name, "f") for name, a in arrays.items())


def _outcome(name: str, method: Any, n_steps: int, arrays: dict[str, np.ndarray]) -> Outcome:
    """The outcome that the arrays of a finished method make."""
    energies = {"final": arrays["final"], "best": arrays["best_energy"], "polished": arrays["polished"]}
    rows: dict[str, Any] = {key: arrays[key] for key in (*ROWS, "polished_x")}
    return Outcome(name, method, n_steps, float(arrays["seconds"]), str(arrays["message"]), arrays["x"], energies, **rows)


def _minima(potential: Potential, outcomes: list[Outcome], lowest: float, tolerance: float) -> list[Minimum]:
    """Levels of polished energy, the global one split by known minimum; fills in each outcome's shares."""
    if not outcomes:
        return []
    x = np.concatenate([o.polished_x for o in outcomes])
    energy = np.concatenate([o.energies["polished"] for o in outcomes])
    order = np.argsort(energy)
    level = np.empty(len(energy), dtype=int)
    level[order] = np.concatenate([[0], np.cumsum(np.diff(energy[order]) > tolerance)])
    place = np.zeros(len(energy), dtype=int)
    if potential.minima is not None and len(potential.minima) > 1:
        nearest = np.argmin([((x - minimum) ** 2).sum(1) for minimum in potential.minima], axis=0)
        place = np.where(energy <= lowest + tolerance, nearest, 0)
    _, first, which = np.unique(np.stack([level, place]), axis=1, return_index=True, return_inverse=True)
    which = which.ravel()
    end = 0
    for o in outcomes:
        begin, end = end, end + len(o.x)
        counts = np.bincount(which[begin:end], minlength=len(first))
        o.shares = [wilson(int(c), len(o.x)) for c in counts]
    known = potential.minimum_energy
    return [Minimum(float(energy[k]), x[k], known is not None and abs(energy[k] - known) <= tolerance) for k in first]
