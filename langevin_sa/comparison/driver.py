"""Annealing against quenching: several methods from the same starting points under the same noise,
judged by the same measures.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import closing, nullcontext
from functools import partial
from typing import Any

import numpy as np

from ..annealing.request import backend_at
from ..annealing.stability import Unstable
from ..annealing.starts import starting_points
from ..arguments import check_still, check_whole, look_up, real, shown, warn
from ..backends.choose import get_backend
from ..backends.workers import team_of
from ..noise import child_seed, seed_of
from ..optimizers import Rule
from ..potential import Potential
from ..scale import Scale, rounding
from ..statistics import Interval, bootstrap_mean, time_to_solution, wilson
from ..storage.checkpoint import Checkpoint, Contents, Fingerprint, digest
from ..storage.npz import prefixed, unprefixed
from .method import Arrays, check_method, digest_of, outcome_of, run_method
from .outcomes import JUDGED, Comparison, Minimum, Outcome

REPLICAS = 256
NEAR = 1e-3  # of the natural energy: what is so near the minimum is a success


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
        By name: a Schedule, CoolMomentum, Momentum or SGD, or a rule such as
        ``langevin_sa.optimizers.Adam`` or ``langevin_sa.optimizers.Metropolis``; a bare number or
        law is a TypeError.
    replicas : int, optional
        Independent copies, from the same starting points for every method; by default those of x0,
        256 if it is not several.
    n_steps : int
        Steps of every method, which are evaluations: gradients or, for Metropolis, energies.
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
        minimum; by default 1e-3 of the potential's natural energy, ``potential.scale.energy``.
    judged : {"polished", "final", "best"}
        Which energy of a replica counts: after a descent from its last point (which basin it ended
        in), at its last point (what a fixed budget leaves, heat of the last temperature included),
        or the lowest seen on its way.
    epochs : int
        How often to look; costs a descent of all replicas each for "polished".
    integrator, backend, workers
        As for `anneal`; a rule runs in this process, on the CPU.
    checkpoint, checkpoint_seconds
        As for `anneal`.

    Returns
    -------
    Comparison
        ``found["anneal"].success``, ``.residual`` (energy) and ``.tts`` (in steps of one replica)
        are intervals. After Ctrl-C that of the methods which were finished, with a message that
        says so; KeyboardInterrupt if none was.

    Raises
    ------
    ValueError, TypeError
        For bad input, before the first step. A method whose time step is beyond stability fails
        with a message, unless no other is stable. Another exception passes through with the
        finished methods as its `partial_result`.

    Examples
    --------
    >>> slow = lsa.Schedule(lsa.schedules.exponential(1.0, 0.01), dt=0.1)
    >>> sudden = lsa.Schedule(lsa.schedules.quench(1.0, 0.01, at=0.1), dt=0.1)
    >>> methods = {"anneal": slow, "quench": sudden}
    >>> found = lsa.compare(U, methods, x0=[0.96], replicas=200, n_steps=3000, rng=1)
    >>> found["anneal"].success.low > found["quench"].success.high
    True
    """
    _check(potential, methods, judged, tolerance, budgets)
    check_whole(1, n_steps=n_steps, epochs=epochs)
    steps = _steps(methods, int(n_steps), budgets or {})
    numbers = [digest_of(method, steps[name], integrator) for name, method in methods.items()]
    backend, team = backend_at(x0, potential, backend), team_of(workers)
    get_backend(backend, potential)
    asked = Checkpoint(checkpoint, checkpoint_seconds, "comparison checkpoint")
    with closing(asked) as keeper, keeper:
        seed = seed_of(keeper.seed if rng is None else rng)
        if replicas is None and np.ndim(x0) < 2:
            replicas = REPLICAS
        start = starting_points(potential, x0, replicas, seed)
        fingerprint = Fingerprint(
            {
                "potential": potential.name,
                "dim": potential.dim,
                "replicas": len(start),
                "seed": seed,
                "epochs": int(epochs),
                "judged": judged,
                "integrator": integrator,
                "common_noise": bool(common_noise),
                "methods": list(methods),
                "n_steps": list(steps.values()),
            },
            {"the methods": numbers, "the starting points": digest(start)},
        )
        found = keeper.claim(fingerprint)
        kept = _Kept(keeper, list(methods), start.shape, found)
        if tolerance is None:
            scale = potential.scale if potential.has_domain else Scale(potential, start)
            tolerance = NEAR * scale.energy
        judging = {
            "tolerance": tolerance,
            "judged": judged,
            "seed": seed,
            "common_noise": common_noise,
        }
        outcomes: dict[str, Outcome] = {}
        unstable: list[Unstable] = []
        with team or nullcontext():
            try:
                for k, (name, method) in enumerate(methods.items()):
                    if not kept.finished(name):
                        own = seed if common_noise else child_seed(seed, k)
                        run = partial(
                            run_method, potential, method, start, steps[name], int(epochs)
                        )
                        earlier, keep = kept.arrays[name], partial(kept.keep, name)
                        last = k == len(methods) - 1
                        try:
                            arrays = run(own, judged, integrator, backend, team, earlier, keep)
                        except Unstable as error:
                            unstable.append(error)
                            if len(unstable) == len(methods):
                                raise
                            keep(dict, now=last)  # a later call refuses it again
                            refused = _refused(potential, start, str(error))
                            outcomes[name] = outcome_of(name, method, steps[name], refused)
                            continue
                        kept.arrays[name] = arrays
                        keep(arrays.copy, now=last)
                    outcomes[name] = outcome_of(name, method, steps[name], kept.arrays[name])
            except BaseException as error:
                if len(outcomes) == len(unstable) or len(unstable) == len(methods):
                    raise
                message = f"{type(error).__name__} in {name}: what was finished before is here"
                finished = _compared(potential, outcomes, message, **judging)
                if isinstance(error, KeyboardInterrupt):
                    return finished
                vars(error)["partial_result"] = finished
                raise
    return _compared(potential, outcomes, "", **judging)


def _check(potential: Any, methods: Any, judged: Any, tolerance: Any, budgets: Any) -> None:
    """Raise a TypeError or ValueError for what cannot be compared."""
    if not isinstance(potential, Potential):
        kind = type(potential).__name__
        raise TypeError(f"potential must be a Potential (see Potential.from_formula), not {kind}")
    check_still(potential, "compare judges methods by")
    if not isinstance(methods, Mapping) or not methods:
        raise TypeError(
            "methods must be a dictionary of at least one method, such as {'anneal': "
            "Schedule(...), 'quench': Schedule(...)}"
        )
    for name, method in methods.items():
        if not isinstance(name, str):
            raise TypeError(f"names of methods must be text, not {shown(name)}")
        runs = isinstance(method, Rule) or hasattr(method, "coefficients")
        if isinstance(method, type) or not runs:
            raise TypeError(
                f"method {name!r} must be a Schedule, CoolMomentum, Momentum, SGD or a rule "
                f"(Adam, Metropolis, ...), not {shown(method)}"
            )
        exact = isinstance(method, Rule) and (method.refuses or method.needs_energy)
        if exact and hasattr(potential, "batches"):
            raise ValueError(
                f"method {name!r} goes by the exact energy of each step, and {potential.name} is "
                "followed by mini-batches: compare it on a Potential of all data, or take SGLD"
            )
    look_up(judged, JUDGED, "energy to judge by")
    if tolerance is not None and not (real(tolerance) and tolerance > 0):
        raise ValueError(f"tolerance is an energy and must be > 0, not {shown(tolerance)}")
    if budgets is not None and not isinstance(budgets, Mapping):
        raise TypeError(f"budgets must be a dictionary of steps by method, not {shown(budgets)}")


def _steps(methods: Mapping[str, Any], n_steps: int, budgets: Mapping[str, int]) -> dict[str, int]:
    """The number of steps of each method."""
    steps = dict.fromkeys(methods, n_steps)
    for name, count in budgets.items():
        look_up(name, steps, "method in budgets")
        check_whole(1, **{f"the budget of {name}": count})
        steps[name] = int(count)
    return steps


class _Kept:
    """The arrays of each method, as far as it has come, and the checkpoint that they go to.

    Parameters
    ----------
    keeper : Checkpoint
        The file; it names arrays by the number of their method.
    names : list of str
        Of the methods.
    shape : (replicas, dim)
        Of their positions.
    found : (dict of ndarray, dict) or None
        What the file holds.

    Attributes
    ----------
    arrays : dict of dict of ndarray
        By the name of the method, as they were found or when it was finished; empty before it has
        begun.
    """

    def __init__(
        self, keeper: Checkpoint, names: list[str], shape: tuple[int, ...], found: Contents | None
    ) -> None:
        self.keeper = keeper
        there = found[0] if found else {}
        self.arrays = {name: unprefixed(f"{k} ", there) for k, name in enumerate(names)}
        for arrays in filter(None, self.arrays.values()):
            check_method(arrays, shape)

    def finished(self, name: str) -> bool:
        """Whether a method is at its end."""
        return "polished" in self.arrays[name]

    def keep(self, name: str, arrays: Callable[[], Arrays], now: bool = False) -> None:
        """Ask a method for its arrays and write them with the others', if it is time to or
        `now`.
        """

        def contents() -> Contents:
            found: Arrays = {}
            for k, (other, known) in enumerate(self.arrays.items()):
                found |= prefixed(f"{k} ", arrays() if other == name else known)
            return found, {}

        self.keeper.save(contents, now)


def _refused(potential: Potential, start: np.ndarray, message: str) -> Arrays:
    """The arrays of a method that cannot take its first step: it stays at the start."""
    replicas, energy = len(start), np.asarray(potential.energy(start), dtype=float)
    arrays: Arrays = dict.fromkeys(("energy", "best", "judged"), np.empty((0, replicas)))
    arrays |= dict.fromkeys(("temperature", "rescaled", "acceptance"), np.empty(0))
    arrays |= dict.fromkeys(("x", "best_x", "polished_x"), start.astype(float))
    arrays |= dict.fromkeys(("dx", "noise"), np.zeros(start.shape))
    arrays |= dict.fromkeys(("best_energy", "final"), energy)
    arrays |= {"failures": np.zeros((replicas, 2), dtype=np.int64), "step": np.empty(0, dtype=int)}
    arrays |= {"at": np.array(0), "seconds": np.array(0.0), "message": np.array(message)}
    return arrays | {"polished": np.full(replicas, np.nan)}


def _compared(
    potential: Potential, outcomes: dict[str, Outcome], message: str, **judging: Any
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
    minimum = lowest if known is None else float(known)
    comparison = judge(potential, outcomes, minimum, **judging)
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
    *,
    tolerance: float,
    judged: str,
    seed: int,
    common_noise: bool,
) -> Comparison:
    """Success, residual energy, time to solution and shares of `outcomes`, which it fills in,
    against a minimum's energy.
    """
    near = max(float(tolerance), float(rounding(minimum)))
    minima = _minima(potential, [o for o in outcomes.values() if not o.message], minimum, near)
    for o in outcomes.values():

        def share(residual: np.ndarray, replicas: int = len(o.x)) -> Interval:
            return wilson(int((np.abs(residual) <= near).sum()), replicas)

        residual = o.energies[judged] - minimum
        o.success_by_epoch = [share(row - minimum) for row in o.judged]
        o.success = wilson(0, len(o.x)) if o.message else share(residual)
        o.tts = time_to_solution(o.success, o.n_steps)
        if not o.message:
            o.residual = bootstrap_mean(residual, seed)
            o.quantiles = np.quantile(residual, [0.1, 0.5, 0.9])
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
    kinds = np.stack([level, place])
    _, first, which = np.unique(kinds, axis=1, return_index=True, return_inverse=True)
    which, end = which.ravel(), 0
    for o in outcomes:
        begin, end = end, end + len(o.x)
        counts = np.bincount(which[begin:end], minlength=len(first))
        o.shares = [wilson(int(c), len(o.x)) for c in counts]
    lowest = potential.minimum_energy
    known = np.full(len(energy), False) if lowest is None else np.abs(energy - lowest) <= tolerance
    return [Minimum(float(energy[k]), x[k], bool(known[k])) for k in first]
