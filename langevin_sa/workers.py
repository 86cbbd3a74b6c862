"""Replicas split over workers by any map: noise knows a replica by its number, so no split changes a bit."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from typing import Any

import numpy as np

from .backends import NonFinite
from .results import State
from .run import Run

MAPPED_PARTS = 16  # parts for a map whose number of workers is not known


@contextmanager
def mapping(workers: Any) -> Iterator[tuple[Callable[..., Any], int]]:
    """A map and how many parts to give it: of processes for an int (-1: one for each processor), or the callable itself."""
    if callable(workers):
        yield workers, MAPPED_PARTS
    else:
        count = os.cpu_count() or 1 if workers == -1 else workers
        with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
            yield pool.map, count


def check_workers(workers: Any) -> None:
    """Raise a TypeError or ValueError unless `workers` is a positive int, -1, or callable like ``map``."""
    if callable(workers):
        return
    if isinstance(workers, bool) or not isinstance(workers, (int, np.integer)):
        raise TypeError(f"workers must be an int or a callable like map(function, parts), not {workers!r}")
    if workers < 1 and workers != -1:
        raise ValueError(f"workers must be at least 1, or -1 for one a processor, not {workers}")


def run_part(keywords: dict[str, Any], samples: bool, part: tuple[int, np.ndarray]) -> tuple[Any, ...]:
    """Run replicas low, low + 1, ... from points x, part = (low, x): state, energies, history, samples, sentence of a failure."""
    low, x = part
    run = Run(**keywords, x0=x, first_replica=low)
    history, kept, failed = [], [], None
    try:
        for record in run.records():
            history.append(record)
            if samples:
                kept.append(run.walk.x.copy())
    except NonFinite as error:
        failed = run.explain(error)
    return run.state(), run.walk.energy, history, kept, failed


def anneal_over(
    workers: Any, run: Run, keywords: dict[str, Any], samples: bool
) -> tuple[list[dict[str, float]], list[np.ndarray], str | None]:
    """Run the replicas of `run` over workers and leave it where they end; history, samples, and the sentence of a failure."""
    x = run.walk.x
    with mapping(workers) as (apply, parts):
        edges = np.linspace(0, len(x), min(parts, len(x)) + 1).astype(int)
        ranges = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
        job = partial(run_part, keywords | {"rng": run.walk.seed, "schedule": run.schedule}, samples)
        done = list(apply(job, [(low, np.array(x[low:high], dtype=float)) for low, high in ranges]))
    states: list[State] = [part[0] for part in done]
    steps = min(state.step for state in states)
    for (low, high), state, part in zip(ranges, states, done, strict=True):
        for name in ("x", "dx", "noise", "best_x", "best_energy"):
            getattr(run.walk, name)[low:high] = getattr(state, name)
        run.walk.energy[low:high] = part[1]
    run.walk.step = steps
    records = min(len(part[2]) for part in done)
    weights = np.diff(edges) / len(x)
    history = [_merged([part[2][k] for part in done], weights) for k in range(records)]
    kept = [np.concatenate([part[3][k] for part in done]) for k in range(records)] if samples else []
    return history, kept, next((part[4] for part in done if part[4]), None)


def _merged(lines: list[dict[str, float]], weights: np.ndarray) -> dict[str, float]:
    """One line of history from those of the parts: lowest of the lowest, means of the means."""
    lowest = {name: min(line[name] for line in lines) for name in ("energy_min", "best")}
    means = {name: float(weights @ [line[name] for line in lines]) for name in lines[0]}
    return means | lowest | {"step": lines[0]["step"], "target": lines[0]["target"]}
