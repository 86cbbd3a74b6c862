"""What a call of `anneal` takes besides its kernel: CPU time of the whole call with its hundred
records, and of one call of the backend for all steps, in turns on one thread.

python benchmarks/overheads.py
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import thread_time
from typing import Any

import click
from timing import machine

import langevin_sa as lsa
from langevin_sa.annealing.request import prepare

SCHEDULE = lsa.Schedule(lsa.schedules.exponential(1.0, 0.01), gamma=1.0, dt=0.05)


def seconds(function: Callable[[], Any]) -> float:
    """CPU time of a call."""
    began = thread_time()
    function()
    return thread_time() - began


def pair(
    potential: lsa.Potential, replicas: int, n_steps: int, **keywords: Any
) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """A whole call and its kernel."""
    asked = {"replicas": replicas, "rng": 1, "threads": 1}
    run = prepare(potential, None, SCHEDULE, n_steps, **asked)
    steps = run.coefficients(0, n_steps)

    def call() -> None:
        lsa.anneal(potential, None, SCHEDULE, n_steps, **asked, **keywords)

    return call, lambda: run.backend.advance(steps)


@click.command()
@click.option("--repeats", default=9, help="interleaved repeats of each")
@click.option("--callback", is_flag=True, help="with a callback, which looks at every record")
def main(repeats: int, callback: bool) -> None:
    """Print the table."""
    machine()
    potential = lsa.potentials.double_well()
    keywords = {"callback": lambda xk: None} if callback else {}
    print(f"\n{'replicas':>9s}{'steps':>8s}{'call, ms':>18s}{'kernel, ms':>18s}{'ratio':>16s}")
    print(f"{'':17s}" + f"{'median':>10s}{'minimum':>8s}" * 3)
    for replicas in (1, 100, 1_000, 10_000):
        for n_steps in (100, 1_000, 10_000):
            both = pair(potential, replicas, n_steps, **keywords)
            for function in both:
                function()
            taken = list(zip(*[[seconds(f) for f in both] for _ in range(repeats)], strict=True))
            numbers = [[1e3 * of(t) for of in (median, min)] for t in taken]
            numbers.append([c / k for c, k in zip(*numbers, strict=True)])
            row = "".join(f"{a:10.4g}{b:8.3g}" for a, b in numbers)
            print(f"{replicas:9d}{n_steps:8d}{row}", flush=True)


if __name__ == "__main__":
    main()
