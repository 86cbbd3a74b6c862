"""Annealing against quenching: several ways of cooling from the same starting points under the same noise, judged by the same measures."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from .backends import NonFinite, Walk
from .descent import descend
from .naming import look_up
from .noise import seed_of
from .optimizers import RuleWalk, StepRule
from .outcomes import JUDGED, Comparison, Minimum, Outcome
from .potential import Potential
from .run import Run, _positive_int, starting_points
from .statistics import bootstrap_mean, time_to_solution, wilson

REPLICAS = 256


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
    integrator, backend
        As for `anneal`.

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
            raise TypeError(f"method {name!r} must be a Schedule, CoolMomentum, Momentum, SGD or StepRule, not {method!r}")
    look_up(judged, JUDGED, "energy to judge by")
    if tolerance is not None and not tolerance > 0:
        raise ValueError(f"tolerance is an energy and must be > 0, not {tolerance!r}")
    steps = dict.fromkeys(methods, _positive_int(n_steps, "n_steps"))
    for name, count in (budgets or {}).items():
        look_up(name, steps, "method in budgets")
        steps[name] = _positive_int(count, f"the budget of {name}")
    epochs = _positive_int(epochs, "epochs")
    seed = seed_of(rng)
    start = starting_points(potential, x0, REPLICAS if replicas is None and np.ndim(x0) < 2 else replicas, seed)

    outcomes = {}
    for k, (name, method) in enumerate(methods.items()):
        own = seed if common_noise else int(np.random.SeedSequence([seed, k]).generate_state(1, np.uint64)[0])
        outcomes[name] = _outcome(name, potential, method, start, steps[name], epochs, own, judged, integrator, backend)

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


def _outcome(
    name: str, potential: Potential, method: Any, start: np.ndarray, n_steps: int, epochs: int, seed: int, judged: str,
    integrator: str, backend: str,
) -> Outcome:  # fmt: skip
    """One method, looked at once an epoch."""
    began, every, message = time.perf_counter(), -(-n_steps // epochs), ""
    rule = isinstance(method, StepRule)
    if rule:
        walk = Walk.at_rest(start, seed)
        mover = RuleWalk(potential, walk, method, n_steps)
    else:
        run = Run(potential, start, method, n_steps, None, integrator, every, backend, seed, None, "float64", "normal", None)
        walk, records = run.walk, run.records()
    rows: dict[str, list[Any]] = {key: [] for key in ("step", "energy", "best", "judged", "temperature", "rescaled")}
    while walk.step < n_steps:
        first = walk.step
        try:
            if rule:
                walk.dx2[:] = 0
                mover.run_to(min(first + every, n_steps))
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
        for key, value in zip(rows, (at.step, at.energy.copy(), at.best_energy.copy(), judge, temperature, rescaled), strict=True):
            rows[key].append(value)
    at = walk.on_host()
    polished_x, polished = descend(potential, at.x) if not message else (at.x.copy(), np.full(len(at.x), np.nan))
    arrays: dict[str, Any] = {key: np.array(value, dtype=float if key != "step" else int) for key, value in rows.items()}
    arrays |= {key: arrays[key].reshape(-1, len(start)) for key in ("energy", "best", "judged")}  # also where no epoch was finished
    return Outcome(
        name, method, n_steps, time.perf_counter() - began, message, at.x.copy(),
        {"final": at.energy.copy(), "best": at.best_energy.copy(), "polished": polished}, **arrays, polished_x=polished_x,
    )  # fmt: skip


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
