"""Replica exchange as a simulation: the front door."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from typing import Any

import numpy as np

from ..annealing.masses import inertia_of
from ..annealing.request import Prepared, backend_at, prepare
from ..annealing.stability import explain
from ..annealing.starts import starting_points
from ..annealing.weighted import in_one_place
from ..arguments import check_flags, check_still, check_type, check_whole, real, real_array, shown
from ..backends.choose import get_backend
from ..backends.walk import NonFinite
from ..backends.workers import processors
from ..integrators import get_integrator
from ..noise import child_seed, seed_of
from ..potential import Potential
from ..schedules import Schedule
from ..storage.checkpoint import Checkpoint, Fingerprint, digest, fitting
from ..tuning import automatic_schedule
from .ladder import Ladder
from .results import Exchange
from .run import Found, Plan, Run
from .rungs import spaced

REPLICAS = 32
SCOUTS, SHARE = 12, 0.1  # temperatures of the pilot, and its share of the steps


def exchange(
    potential: Potential,
    temperatures: Sequence[float],
    n_steps: int = 10_000,
    *,
    swap_every: int = 10,
    record_every: int | None = None,
    burn_in: int | None = None,
    replicas: int | None = None,
    x0: Any = None,
    gamma: float | None = None,
    dt: float | None = None,
    acceptance: float = 0.3,
    integrator: str = "gjf",
    backend: str = "auto",
    rng: Any = None,
    dtype: Any = "float64",
    threads: int | None = None,
    samples: bool = True,
    max_seconds: float | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_seconds: float = 10.0,
    masses: Any = None,
    frozen: Any = None,
) -> Exchange:
    """Langevin walks at several temperatures, whose replicas change places now and then, so that a
    cold one gets over barriers while it is hot (parallel tempering).

    Swendsen, Wang, Phys. Rev. Lett. 57, 2607 (1986); Sugita, Okamoto, Chem. Phys. Lett. 314, 141
    (1999). Each of the `replicas` is a ladder of its own, with one configuration a temperature.

    Parameters
    ----------
    potential : Potential
        What is sampled.
    temperatures : sequence of float
        In units of the energy. Of two, the lowest and the highest, a pilot chooses those between.
    n_steps : int
        Steps of each walk.
    swap_every, record_every, burn_in : int
        Steps between tries to change places; between records (a multiple of swap_every; by default
        the one nearest to a hundredth of the run); before the first records count, by default a
        fifth of the run (a multiple of swap_every).
    replicas : int, optional
        Ladders; 32, or as many as there are points in x0.
    x0 : array (dim,) or (replicas, dim), optional
        Where all configurations of a ladder start; drawn from the potential's domain if None.
    gamma, dt : float, optional
        Friction (1/time) and time step of all walks; what is None a pilot measures.
    acceptance : float
        How often neighbours shall at least change places, if temperatures are chosen.
    integrator, backend, rng, dtype, threads
        As for `anneal`; results are NumPy arrays.
    samples : bool
        Keep positions at each record.
    max_seconds, checkpoint, checkpoint_seconds, masses, frozen
        As for `anneal`.

    Returns
    -------
    Exchange
        After Ctrl-C of what was done up to then, with status 3.

    Raises
    ------
    ValueError, TypeError
        For bad input, before the first step. Another exception passes through with what was done as
        its `partial_result`.

    Examples
    --------
    >>> import langevin_sa as lsa
    >>> U = lsa.potentials.double_well(tilt=0.3)
    >>> found = lsa.exchange(U, [0.05, 0.5], n_steps=4000, dt=0.1, gamma=1.0, rng=1)
    >>> share = found.average(lambda x: x[:, 0] > 0)  # of the upper well, at T = 0.05
    >>> bool(share.value < 1e-3)
    True
    """
    check_type(potential, Potential, "potential")
    check_still(potential, "replicas exchange places in")
    if hasattr(potential, "batches"):
        raise ValueError("exchange compares exact energies: give a Potential, not mini-batches")
    asked = _temperatures(temperatures)
    plan = _plan(n_steps, swap_every, record_every, burn_in)
    if not (real(acceptance) and 0 < acceptance < 1):
        raise ValueError(f"acceptance must be between 0 and 1, not {shown(acceptance)}")
    for name, value in (("gamma", gamma), ("dt", dt), ("max_seconds", max_seconds)):
        if value is not None and not (real(value) and value > 0):
            raise ValueError(f"{name} must be a number > 0, not {shown(value)}")
    check_flags(samples=samples)
    if not get_integrator(integrator).thermal:
        raise ValueError(f"{integrator!r} has no temperature: take gjf, baoab, ...")
    backend = backend_at(x0, potential, backend)
    get_backend(backend, potential)  # before a pilot runs for nothing
    threads = processors() if threads is None else threads
    check_whole(1, threads=threads)
    ends = None if max_seconds is None else time.perf_counter() + max_seconds
    file = Checkpoint(checkpoint, checkpoint_seconds, "exchange checkpoint")
    with closing(file) as keeper, keeper:
        seed = seed_of(keeper.seed if rng is None else rng)
        if replicas is None and np.ndim(x0) < 2:
            replicas = REPLICAS
        m, _ = inertia_of(potential, x0, masses, frozen)
        start = starting_points(potential, x0, replicas, seed, dtype)
        fingerprint = Fingerprint(
            {
                "potential": potential.name,
                "dim": potential.dim,
                "replicas": len(start),
                "seed": seed,
                **vars(plan),
                "gamma": gamma,
                "dt": dt,
                "acceptance": acceptance,
                "integrator": integrator,
                "dtype": str(np.dtype(dtype)),
                "samples": bool(samples),
            },
            {"the temperatures": digest(asked), "the starting points": digest(start)}
            | ({"the masses": digest(m)} if m is not None else {}),
        )
        found = keeper.claim(fingerprint)
        prepared = partial(
            _prepared,
            potential,
            start,
            integrator=integrator,
            backend=backend,
            dtype=dtype,
            masses=masses,
            frozen=frozen,
            # a formula's kernels run beside each other, a user's functions one after the other
            threads=1,
        )
        at_once = int(threads) if potential.formula is not None else 1
        if found is None:
            seen = (potential, start)
            if m is not None and (gamma is None or dt is None):
                there = in_one_place(potential, m, start)
                seen = there.potential, there.y
            chosen = automatic_schedule(
                *seen,
                child_seed(seed, 0),
                "constant",
                (float(asked[-1]), float(asked[-1])),
                gamma,
                dt,
                integrator,
                plan.n_steps,
                len(start),
            )
            gamma, dt = float(chosen.gamma), float(chosen.dt)
            if len(asked) == 2:
                asked = _chosen(asked, plan, gamma, dt, acceptance, prepared, seed, at_once)
            earlier = None
        else:
            with fitting(keeper.path):
                earlier = Found(*found)
                asked, gamma, dt = earlier.temperatures, earlier.gamma, earlier.dt
        rungs = prepared(asked, plan, gamma, dt, seed, earlier)
        run = Run(Ladder(rungs, asked, seed, at_once), plan, bool(samples), gamma, dt)
        if earlier is not None:
            with fitting(keeper.path):
                run.restore(earlier)
        return _driven(run, keeper, ends)


def _temperatures(temperatures: Any) -> np.ndarray:
    given = real_array(temperatures, "temperatures")
    if given.ndim != 1 or len(given) < 2 or not (given > 0).all() or len(set(given)) < len(given):
        raise ValueError(
            f"temperatures must be two or more different numbers > 0, not {shown(temperatures)}"
        )
    return np.sort(given)


def _plan(n_steps: int, swap_every: int, record_every: int | None, burn_in: int | None) -> Plan:
    check_whole(1, n_steps=n_steps, swap_every=swap_every)
    if n_steps % swap_every:
        raise ValueError(f"n_steps must be a multiple of swap_every, not {n_steps} of {swap_every}")
    if record_every is None:
        record_every = max(1, round(n_steps / 100 / swap_every)) * swap_every
    if burn_in is None:
        burn_in = n_steps // 5 // swap_every * swap_every
    check_whole(1, record_every=record_every)
    check_whole(0, burn_in=burn_in)
    if record_every % swap_every or burn_in % swap_every:
        raise ValueError(
            f"record_every and burn_in must be multiples of swap_every = {swap_every}, not "
            f"{record_every} and {burn_in}"
        )
    plan = Plan(int(n_steps), int(swap_every), int(record_every), int(burn_in))
    if not plan.records(plan.n_steps):
        raise ValueError(
            f"no record is taken in {n_steps} steps, of which {burn_in} are burn_in, with "
            f"record_every = {record_every}"
        )
    return plan


def _prepared(
    potential: Potential,
    start: np.ndarray,
    temperatures: np.ndarray,
    plan: Plan,
    gamma: float,
    dt: float,
    seed: int,
    earlier: Found | None = None,
    **keywords: Any,
) -> list[Prepared]:
    """A run at each temperature, with noise of its own."""
    rungs = []
    for k, T in enumerate(temperatures):
        own, schedule = child_seed(seed, k + 1), Schedule(float(T), gamma, dt)
        if earlier is not None:
            keywords["earlier"] = partial(earlier.at, k, own)
        rungs.append(prepare(potential, start, schedule, plan.n_steps, rng=own, **keywords))
    return rungs


def _chosen(
    ends: np.ndarray,
    plan: Plan,
    gamma: float,
    dt: float,
    acceptance: float,
    prepared: Any,
    seed: int,
    threads: int,
) -> np.ndarray:
    """Temperatures between two, from mean energies at a ladder of the pilot's."""
    scouts = ends[0] * np.geomspace(1.0, ends[1] / ends[0], SCOUTS)
    n_steps = max(1, int(SHARE * plan.n_steps) // plan.swap_every) * plan.swap_every
    burn_in = min(n_steps // 2, n_steps - plan.swap_every)  # which leaves a record
    short = Plan(n_steps, plan.swap_every, plan.swap_every, burn_in)
    seed = child_seed(seed, 0)
    ladder = Ladder(prepared(scouts, short, gamma, dt, seed), scouts, seed, threads)
    run = Run(ladder, short, False, gamma, dt)
    for _ in run.rounds():
        pass
    return spaced(scouts, run.energies.mean((0, 2)), acceptance)


def _driven(run: Run, keeper: Checkpoint, ends: float | None) -> Exchange:
    """The run to its end, or to where it is broken off."""
    ladder, n_steps = run.ladder, run.plan.n_steps
    try:
        if ladder.step == 0:
            keeper.save(run.contents, now=True)
        for _ in run.rounds():
            keeper.save(run.contents)
            if ends is not None and time.perf_counter() > ends and ladder.step < n_steps:
                keeper.save(run.contents, now=True)
                return run.result(1, f"Time limit reached at step {ladder.step} of {n_steps}.")
        keeper.save(run.contents, now=True)
        return run.result(0, f"{n_steps:,} steps done.")
    except NonFinite as error:
        keeper.save(run.contents, now=True)
        return run.result(2, explain(error, max(rung.omega_dt for rung in ladder.rungs)))
    except KeyboardInterrupt:
        keeper.save(run.contents, now=True)
        return run.result(3, f"Interrupted at step {ladder.step} of {n_steps}.")
    except Exception as error:
        keeper.save(run.contents, now=True)
        why = f"{type(error).__name__} at step {ladder.step}: {error}"
        vars(error)["partial_result"] = run.result(-1, why)
        raise
