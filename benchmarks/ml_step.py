"""A step of CoolMomentum against one of torch.optim.SGD with momentum, on the parameters of
ResNet-20 and on larger ones.

Both get the same gradients and take turns, one step each, in one process; ratios are of medians.
`foreach` and `fused` are compared with SGD's own. The thermometer's cost is that of hooks on the
same optimizer.
"""

from __future__ import annotations

import gc
import sys
import time
from pathlib import Path
from statistics import median

import click
import torch

from langevin_sa.ml import CoolMomentum, Thermometer

sys.path.insert(0, str(Path(__file__).parents[1] / "demos" / "ml"))
from _resnet import resnet20

GOAL = 1.10


def shapes(kind: str) -> list[torch.Size]:
    """Shapes of parameters: of ResNet-20, or of eight large layers."""
    if kind == "ResNet-20":
        return [p.shape for p in resnet20().parameters()]
    return [torch.Size(s) for _ in range(8) for s in ((1000, 1000), (1000,))]


def pair(kind: str, **way: bool) -> dict[str, torch.optim.Optimizer]:
    """The contestants, each on parameters of its own with the same gradients."""
    generator = torch.Generator().manual_seed(0)
    gradients = [torch.randn(shape, generator=generator) for shape in shapes(kind)]

    def parameters() -> list[torch.nn.Parameter]:
        found = [torch.nn.Parameter(torch.zeros_like(g)) for g in gradients]
        for p, g in zip(found, gradients, strict=True):
            p.grad = g
        return found

    cool = {"lr": 1e-6, "total_steps": 10**6} | way
    found = {
        "SGD(momentum=0.9)": torch.optim.SGD(parameters(), 1e-6, momentum=0.9, **way),
        "CoolMomentum": CoolMomentum(parameters(), **cool),
        "CoolMomentum, Thermometer": CoolMomentum(parameters(), **cool),
    }
    Thermometer(found["CoolMomentum, Thermometer"])
    return found


def measure(contestants: dict[str, torch.optim.Optimizer], repeats: int) -> dict[str, list[float]]:
    """Seconds of each step, taken in turns whose order changes."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    names = list(contestants)
    for k in range(repeats + 20):
        for name in names[k % len(names) :] + names[: k % len(names)]:
            before = time.perf_counter()
            contestants[name].step()
            if k >= 20:
                seconds[name].append(time.perf_counter() - before)
    return seconds


@click.command()
@click.option("--quick", is_flag=True, help="Few repeats.")
@click.option("--repeats", default=2000, show_default=True)
@click.option("--threads", default=1, show_default=True)
def main(quick: bool, repeats: int, threads: int) -> None:
    """Measure and print ratios to SGD."""
    torch.set_num_threads(threads)
    print(
        f"torch {torch.__version__}, {threads} thread(s); goal: CoolMomentum within {GOAL:g} of "
        "SGD with foreach"
    )
    gc.disable()
    for kind in ("ResNet-20", "8 million"):
        for way in ({"foreach": True}, {"fused": True}):
            seconds = measure(
                pair(kind, **way),
                20 if quick else repeats if kind == "ResNet-20" else max(100, repeats // 10),
            )
            base = median(seconds["SGD(momentum=0.9)"])
            for name, times in seconds.items():
                ratio, least = median(times) / base, min(times) / min(seconds["SGD(momentum=0.9)"])
                missed = (
                    "  MISSED"
                    if name == "CoolMomentum" and "foreach" in way and ratio > GOAL
                    else ""
                )
                step = (
                    f"{kind:10s} {next(iter(way)):8s} {name:26s} {1e6 * median(times):9.1f} us a "
                    "step"
                )
                print(f"{step}  ratio of medians {ratio:.3f}  of minima {least:.3f}{missed}")


if __name__ == "__main__":
    main()
