"""Annealing against quenching: several ways of cooling from the same starting points under the same
noise, judged by the same measures.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

import numpy as np

from ..annealing.starts import starting_points
from ..arguments import check_whole, look_up, real, shown, warn
from ..backends.workers import team_of
from ..noise import child_seed, seed_of
from ..optimizers import StepRule
from ..potential import Potential
from ..statistics import bootstrap_mean, time_to_solution, wilson
from ..storage.checkpoint import Checkpoint, Contents, Fingerprint, digest
from .method import Arrays, check_method, digest_of, outcome_of, run_method
from .outcomes import JUDGED, Comparison, Minimum, Outcome

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
        By name: a Schedule, CoolMomentum, Momentum or SGD, or a StepRule such as
        ``langevin_sa.optimizers.Adam``.
    replicas : int, optional
        Independent copies, from the same starting points for every method; by default those of x0,
        256 if it is not several.
    n_steps : int
        Steps, which are gradients, of every method.
    budgets : dict of int, optional
        Steps of single methods, by name, where they differ.
    x0 : array (dim,) or (replicas, dim), optional
        Starting points; drawn from the potential's domain if None.
    rng : int, numpy.random.Generator or None
        Seed; the one used is in the result.
    common_noise : bool
        Replica r gets the same normals in step n of every method; otherwise each method has its own
        streams.
    tolerance : float, optional
        An energy this close to the minimum is a success, and this close to another is the same
        minimum; by default 1e-3 of the minimum's size, or 1e-3 where that is less than 1.
    judged : {"polished", "final", "best"}
        Which energy of a replica counts: after a descent from its last point (which basin it ended
        in), at its last point (what a fixed budget leaves, heat of the last temperature included),
        or the lowest seen on its way.
    epochs : int
        How often to look; costs a descent of all replicas each for "polished".
    integrator, backend, workers
        As for `anneal`; a StepRule runs in this process.
    checkpoint, checkpoint_seconds
        As for `anneal`.

    Returns
    -------
    Comparison
        After Ctrl-C that of the methods which were finished, with a message that says so;
        KeyboardInterrupt if none was.

    Raises
    ------
    ValueError, TypeError
        For bad input, before the first step. Another exception passes through with the finished
        methods as its `partial_result`.
    """
    if not isinstance(potential, Potential):
        raise TypeError(
            "potential must be a Potential (see Potential.from_formula), not "
            f"{type(potential).__name__}"
        )
    if not isinstance(methods, Mapping) or not methods:
        raise TypeError(
            "methods must be a dictionary of at least one method, such as {'anneal': "
            "Schedule(...), 'quench': Schedule(...)}"
        )
    for name, method in methods.items():
        if isinstance(method, type) or not (
            isinstance(method, StepRule) or hasattr(method, "coefficients")
        ):
            raise TypeError(
                f"method {name!r} must be a Schedule, CoolMomentum, Momentum, SGD or StepRule, "
                f"not {shown(method)}"
            )
    look_up(judged, JUDGED, "energy to judge by")
    if tolerance is not None and not (real(tolerance) and tolerance > 0):
        raise ValueError(f"tolerance is an energy and must be > 0, not {shown(tolerance)}")
    if budgets is not None and not isinstance(budgets, Mapping):
        raise TypeError(f"budgets must be a dictionary of steps by method, not {shown(budgets)}")
    check_whole(1, n_steps=n_steps, epochs=epochs)
    steps, epochs = dict.fromkeys(methods, int(n_steps)), int(epochs)
    for name, count in (budgets or {}).items():
        look_up(name, steps, "method in budgets")
        check_whole(1, **{f"the budget of {name}": count})
        steps[name] = int(count)
    team = team_of(workers)
    keeper = Checkpoint(checkpoint, checkpoint_seconds, "comparison checkpoint")
    seed = seed_of(keeper.seed if rng is None else rng)
    start = starting_points(
        potential, x0, REPLICAS if replicas is None and np.ndim(x0) < 2 else replicas, seed
    )
    fingerprint = Fingerprint(
        {
            "potential": potential.name,
            "dim": potential.dim,
            "replicas": len(start),
            "seed": seed,
            "epochs": epochs,
            "judged": judged,
            "integrator": integrator,
            "common_noise": bool(common_noise),
            "methods": list(methods),
            "n_steps": list(steps.values()),
        },
        {
            "the methods": [
                digest_of(method, steps[name], integrator) for name, method in methods.items()
            ],
            "the starting points": digest(start),
        },
    )
    found = keeper.claim(fingerprint)
    kept: dict[str, Arrays] = {name: {} for name in methods}
    for key, array in (found[0] if found else {}).items():
        number, _, what = key.partition(" ")
        kept[list(methods)[int(number)]][what] = array
    for part in filter(None, kept.values()):
        check_method(part, start.shape)

    def contents() -> Contents:
        return {
            f"{k} {what}": a for k, part in enumerate(kept.values()) for what, a in part.items()
        }, {}

    def compared(message: str = "") -> Comparison:
        return _compared(potential, outcomes, tolerance, judged, seed, common_noise, message)

    outcomes: dict[str, Outcome] = {}
    with team or nullcontext():
        for k, (name, method) in enumerate(methods.items()):
            own = child_seed(seed, k) if not common_noise else seed

            def keep(arrays: Callable[[], Arrays], name: str = name, now: bool = False) -> None:
                def fresh() -> Contents:
                    kept[name] = arrays()
                    return contents()

                keeper.save(fresh, now)

            try:
                if "polished" not in kept[name]:
                    kept[name] = run_method(
                        potential,
                        method,
                        start,
                        steps[name],
                        epochs,
                        own,
                        judged,
                        integrator,
                        backend,
                        team,
                        kept[name],
                        keep,
                    )
                    keep(kept[name].copy, now=k == len(methods) - 1)
            except BaseException as error:
                keeper.save(contents, now=True)
                if not outcomes:
                    raise
                partial = compared(
                    f"{type(error).__name__} in {name}: what was finished before is here"
                )
                if isinstance(error, KeyboardInterrupt):
                    return partial
                vars(error)["partial_result"] = partial
                raise
            outcomes[name] = outcome_of(name, method, steps[name], kept[name])
    return compared()


def _compared(
    potential: Potential,
    outcomes: dict[str, Outcome],
    tolerance: float | None,
    judged: str,
    seed: int,
    common_noise: bool,
    message: str,
) -> Comparison:
    """The comparison of finished outcomes, against the known minimum or the lowest energy that was
    found.
    """
    finished = [o for o in outcomes.values() if not o.message]
    lowest = min(
        (float(min(o.energies["polished"].min(), o.energies["best"].min())) for o in finished),
        default=np.nan,
    )
    known = potential.minimum_energy
    comparison = judge(
        potential,
        outcomes,
        lowest if known is None else float(known),
        tolerance,
        judged,
        seed,
        common_noise,
    )
    comparison.message = message
    if lowest < comparison.minimum_energy - comparison.tolerance:
        warn(
            f"energies down to {lowest:.8g} were seen, below the known minimum of "
            f"{potential.name}, {known:.8g}: outside of its domain, or it is not the minimum; "
            "only what is within the tolerance of the known one is a success"
        )
    return comparison


def judge(
    potential: Potential,
    outcomes: dict[str, Outcome],
    minimum: float,
    tolerance: float | None,
    judged: str,
    seed: int,
    common_noise: bool,
) -> Comparison:
    """Success, residual energy, time to solution and shares of `outcomes`, which it fills in,
    against a minimum's energy.
    """
    near = 1e-3 * max(1.0, abs(minimum)) if tolerance is None else float(tolerance)
    minima = _minima(potential, [o for o in outcomes.values() if not o.message], minimum, near)
    for o in outcomes.values():
        o.success_by_epoch = [
            wilson(int((np.abs(row - minimum) <= near).sum()), len(o.x)) for row in o.judged
        ]
        o.success = wilson(
            0 if o.message else int((np.abs(o.energies[judged] - minimum) <= near).sum()), len(o.x)
        )
        o.tts = time_to_solution(o.success, o.n_steps)
        if not o.message:
            o.residual = bootstrap_mean(o.energies[judged] - minimum, seed)
            o.quantiles = np.quantile(o.energies[judged] - minimum, [0.1, 0.5, 0.9])
    return Comparison(potential, outcomes, minimum, near, minima, judged, seed, common_noise)


def _minima(
    potential: Potential, outcomes: list[Outcome], minimum: float, tolerance: float
) -> list[Minimum]:
    """Levels of polished energy, the global one split by known minimum; fills in each outcome's
    shares.
    """
    if not outcomes:
        return []
    x = np.concatenate([o.polished_x for o in outcomes])
    energy = np.concatenate([o.energies["polished"] for o in outcomes])
    order = np.argsort(energy)
    level = np.empty(len(energy), dtype=int)
    level[order] = np.concatenate([[0], np.cumsum(np.diff(energy[order]) > tolerance)])
    place = np.zeros(len(energy), dtype=int)
    if potential.minima is not None and len(potential.minima) > 1:
        nearest = np.argmin([((x - place) ** 2).sum(1) for place in potential.minima], axis=0)
        place = np.where(np.abs(energy - minimum) <= tolerance, nearest, 0)
    _, first, which = np.unique(
        np.stack([level, place]), axis=1, return_index=True, return_inverse=True
    )
    which = which.ravel()
    end = 0
    for o in outcomes:
        begin, end = end, end + len(o.x)
        counts = np.bincount(which[begin:end], minlength=len(first))
        o.shares = [wilson(int(c), len(o.x)) for c in counts]
    known = potential.minimum_energy
    return [
        Minimum(float(energy[k]), x[k], known is not None and abs(energy[k] - known) <= tolerance)
        for k in first
    ]
