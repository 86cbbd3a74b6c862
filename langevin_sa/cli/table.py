"""What a run prints while it goes on."""

from __future__ import annotations

import time
from typing import Any

ROWS = 12  # of the table of a run
HEADER = (
    f"{'step':>10} {'T target':>11} {'T measured':>11} {'mean energy':>13} {'best energy':>13} "
    f"{'time left':>10}"
)


class Table:
    """A callback of `anneal` that prints a row now and then above a progress bar; no bar on pipes,
    nothing unless shown.
    """

    def __init__(self, steps: int, max_seconds: float | None, shown: bool) -> None:
        from tqdm import tqdm

        self.steps, self.max_seconds, self.rows = steps, max_seconds, 0
        self.started = time.perf_counter()
        self.first: tuple[int, float] | None = None
        bar: dict[str, Any] = {"leave": False, "dynamic_ncols": True, "unit": "step"}
        bar["disable"] = None if shown else True
        self.bar = tqdm(total=steps, desc="compiling", **bar)
        self.write = tqdm.write if shown else lambda line: None

    def __call__(self, intermediate_result: Any) -> None:
        look, step = intermediate_result, int(intermediate_result.step)
        self.bar.set_description("annealing", refresh=False)
        self.bar.update(step - self.bar.n)
        if step * ROWS < self.rows * self.steps and step < self.steps:
            return
        if not self.rows:
            self.write(HEADER)
        self.rows = step * ROWS // self.steps + 1
        now = time.perf_counter()
        if self.first is None:  # compiling is over
            self.first, left = (step, now), None
        else:
            left = (now - self.first[1]) / (step - self.first[0]) * (self.steps - step)
        if self.max_seconds is not None and self.max_seconds < float("inf"):
            rest = max(0.0, self.max_seconds - (now - self.started))
            left = rest if left is None else min(left, rest)
        time_left = "" if left is None else clock(left)
        numbers = (
            f"{look.target:>11.4g} {look.temperature:>11.4g} {look.energy_mean:>13.6g} "
            f"{look.fun:>13.8g}"
        )
        self.write(f"{step:>10,} {numbers} {time_left:>10}")

    def close(self) -> None:
        """Remove the bar."""
        self.bar.close()


def clock(seconds: float) -> str:
    """Seconds as people write them: 3.2 s, 04:05, 2:00:00."""
    from tqdm import tqdm

    return f"{seconds:.1f} s" if seconds < 100 else tqdm.format_interval(round(seconds))
