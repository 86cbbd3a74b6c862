"""SGD, Momentum, Adam and CoolMomentum with learning rates tuned over equally many trials, on two
small problems: a network for digits, and a convolutional one for 10,000 images of Fashion-MNIST.

Twelve trials an optimizer: twelve learning rates a factor of 2 apart, or for CoolMomentum four a
factor of 4 apart for each of three rho0. The trial with the lowest training loss is run again with
other seeds, and so is the grid of the paper's Table 2. Losses are those of all training images as
they are, at the end of the last epoch. Every run is kept in --out, and the same command goes on.
"""

from dataclasses import dataclass
from pathlib import Path

import click
import matplotlib.pyplot as plt
import numpy as np
import torch
from _data import Images, load
from _train import Method, train
from matplotlib.ticker import MaxNLocator
from table2 import LR, RHO0
from torch import nn

from langevin_sa import plots, potentials
from langevin_sa.statistics import bootstrap_mean

FIRST = {"SGD": 0.002, "Momentum": 0.0005, "Adam": 0.0001}  # learning rate, of twelve
COOL = (0.01, 0.04, 0.16, 0.64), (0.9, 0.97, 0.99)
TRIALS = {
    name: [Method(name, float(f"{first * 2**k:.4g}")) for k in range(12)]
    for name, first in FIRST.items()
} | {"CoolMomentum": [Method("CoolMomentum", lr, rho0) for rho0 in COOL[1] for lr in COOL[0]]}
COLOURS = dict(zip(TRIALS, (plots.SKY, plots.RED, plots.GREEN, plots.BLUE), strict=True))
TEST_DIGITS = 360


@dataclass
class Problem:
    """What is trained, and how long."""

    data: Images
    model: type[nn.Module]
    epochs: int
    batch_size: int
    augmented: bool


class Digits(nn.Sequential):
    """2,410 parameters."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


class Convolutions(nn.Sequential):
    """9,098 parameters, for images of 32x32."""

    def __init__(self) -> None:
        first, second = nn.Conv2d(1, 8, 3, 2, 1), nn.Conv2d(8, 16, 3, 2, 1)
        layers = first, nn.ReLU(), second, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()
        super().__init__(*layers, nn.Linear(256, 30), nn.ReLU(), nn.Linear(30, 10))


def digits() -> Images:
    """1,797 digits, split once."""
    x, y = (torch.from_numpy(a) for a in potentials.digits())
    test, rest = torch.randperm(len(x), generator=torch.Generator().manual_seed(0)).split(
        [TEST_DIGITS, len(x) - TEST_DIGITS]
    )
    return Images("digits", x[rest].float(), y[rest].long(), x[test].float(), y[test].long())


def loss_of(run: dict) -> float:
    """Of the last epoch; infinite where the run diverged."""
    return np.inf if run["diverged"] else run["history"][-1]["loss"]


def show(values: list[float], scale: float = 1.0) -> str:
    """Mean with its interval; "div" if one diverged."""
    if not np.isfinite(values).all():
        return f"div ({np.sum(~np.isfinite(values))} of {len(values)})"
    mean, low, high = (scale * v for v in bootstrap_mean(values))
    return f"{mean:.3g} [{low:.3g}, {high:.3g}]"


@click.command()
@click.option("--problem", type=click.Choice(["digits", "fashion"]), default="digits")
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--epochs", type=click.IntRange(1), help="[default: 20 for digits, 10 for fashion]")
@click.option("--images", type=click.IntRange(1), default=10_000, show_default=True)
@click.option("--trials", type=click.IntRange(1, 12), default=12, show_default=True)
@click.option("--tuning-seeds", type=click.IntRange(1), default=2, show_default=True)
@click.option("--seeds", type=click.IntRange(1), default=10, show_default=True)
@click.option("--grid-seeds", type=click.IntRange(0), default=3, show_default=True)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default="study")
@click.option("--figure", type=click.Path(dir_okay=False, path_type=Path))
def main(problem, data, epochs, images, trials, tuning_seeds, seeds, grid_seeds, out, figure):
    """Tune, run again with other seeds, and print the tables."""
    torch.set_num_threads(1)
    if problem == "digits":
        task = Problem(digits(), Digits, epochs or 20, 32, False)
    else:
        task = Problem(load(data, images, 10_000), Convolutions, epochs or 10, 64, True)
    folder = out / problem
    folder.mkdir(parents=True, exist_ok=True)

    def runs(method: Method, seeds: range) -> list[dict]:
        size = {"epochs": task.epochs, "batch_size": task.batch_size, "augmented": task.augmented}
        quiet = {"l2": 0.0, "say": lambda line: None}
        return [train(method, s, task.data, task.model, folder, **size, **quiet) for s in seeds]

    tuned, again = range(1, tuning_seeds + 1), range(101, 101 + seeds)
    found = {}
    for name, methods in TRIALS.items():
        losses = [np.mean([loss_of(r) for r in runs(m, tuned)]) for m in methods[:trials]]
        print(f"{name}: " + ", ".join(f"{loss:.3g}" for loss in losses))
        found[name] = methods[int(np.argmin(losses))], losses
    print("\n| optimizer | lr | training loss | test accuracy (%) | T dt^2, first and last epoch |")
    print("|---|---|---|---|---|")
    last = {name: runs(method, again) for name, (method, _) in found.items()}
    for name, (method, _) in found.items():
        ends = [run["history"][-1] for run in last[name]]
        rho = f", ρ₀ {method.rho0:g}" if name == "CoolMomentum" else ""
        heat = (np.mean([r["history"][k]["rescaled"] for r in last[name]]) for k in (0, -1))
        loss = show([loss_of(run) for run in last[name]])
        accuracy = show([end["test_accuracy"] for end in ends], 100)
        print(
            f"| {name} | {method.lr:g}{rho} | {loss} | {accuracy} | "
            + ", ".join(f"{h:.2g}" for h in heat)
            + " |"
        )
    if grid_seeds:
        print("\n| ρ₀ \\ lr | " + " | ".join(f"{lr:g}" for lr in LR) + " |\n" + "|---" * 4 + "|")
        for rho in RHO0:
            cells = (runs(Method("CoolMomentum", lr, rho), range(1, 1 + grid_seeds)) for lr in LR)
            losses = (show([loss_of(run) for run in cell]) for cell in cells)
            print(f"| {rho:g} | " + " | ".join(losses) + " |")
    if figure is not None:
        draw(found, last, figure)


@plots.styled
def draw(found: dict, last: dict[str, list[dict]], figure: Path) -> None:
    """The window of learning rates, and T dt^2 against the epoch."""
    page, (above, below) = plt.subplots(2, 1, figsize=(4.8, 7.2), layout="constrained")
    for name, (_, losses) in found.items():
        methods = TRIALS[name][: len(losses)]
        for k, rho in enumerate(COOL[1] if name == "CoolMomentum" else (None,)):
            points = [
                (m.lr, loss)
                for m, loss in zip(methods, losses, strict=True)
                if rho is None or m.rho0 == rho
            ]
            label = name if rho is None else rf"{name}, $\rho_0$ = {rho:g}"
            style = {"color": COLOURS[name], "linestyle": ("-", "--", ":")[k]}
            above.plot(*zip(*points, strict=True), marker="o", markersize=3, label=label, **style)
        heat = np.array([[epoch["rescaled"] for epoch in run["history"]] for run in last[name]])
        below.semilogy(range(1, heat.shape[1] + 1), heat.mean(0), color=COLOURS[name], label=name)
    above.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="training loss, tuning")
    above.legend(ncols=2, fontsize=8.5, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    below.set(xlabel="epoch", ylabel=r"$T\,\Delta t^2 = \langle\Delta x^2\rangle$, tuned")
    below.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.parent.mkdir(parents=True, exist_ok=True)
    page.savefig(figure, dpi=130)
    plt.close(page)


if __name__ == "__main__":
    main()
