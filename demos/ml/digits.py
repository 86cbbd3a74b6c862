"""Adam, Momentum and CoolMomentum on 1,797 handwritten digits: a network of 2,410 parameters, many
seeds, seconds on a CPU.

The paper's hyperparameters, decay steps scaled to the epochs; every seed splits the digits anew,
the same for all three. Panels: training loss, test accuracy (mean and 95 % interval of the mean), T
dt^2 and, dashed, what Eq. (19) says of CoolMomentum's from the variance of its gradients between
mini-batches.
"""

from dataclasses import replace
from pathlib import Path

import click
import matplotlib.pyplot as plt
import numpy as np
import torch
from _panels import COLOURS, FIGURES, finish, panels
from _train import DECAY, PAPER, Method, decay, evaluate, make_optimizer
from torch import nn
from torch.nn.functional import cross_entropy

from langevin_sa import plots, potentials
from langevin_sa.ml import CoolMomentum, Thermometer
from langevin_sa.statistics import bootstrap_mean

TEST, BATCH, NOISE_BATCHES = 360, 32, 16


def run(method: Method, seed: int, epochs: int, x: torch.Tensor, y: torch.Tensor) -> np.ndarray:
    """One training, an array (epochs, columns): training loss, test accuracy, T dt^2 measured and
    implied by Eq. (19).
    """
    generator = torch.Generator().manual_seed(seed)
    test, train = torch.randperm(len(x), generator=generator).split([TEST, len(x) - TEST])
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    steps = len(train) // BATCH
    optimizer = make_optimizer(method, model, epochs * steps, l2=0.0)
    rows = []
    with Thermometer(optimizer) as thermometer:
        for epoch in range(epochs):
            if not isinstance(optimizer, CoolMomentum):
                for group in optimizer.param_groups:
                    group["lr"] = method.lr * decay(epoch, epochs)
            batches = train[torch.randperm(len(train), generator=generator)].split(BATCH)[:steps]
            for batch in batches:
                optimizer.zero_grad()
                cross_entropy(model(x[batch]), y[batch]).backward()
                optimizer.step()
            heat = thermometer.read()
            implied = np.nan
            if isinstance(optimizer, CoolMomentum):
                noise = thermometer.noise(
                    cross_entropy(model(x[batch]), y[batch]) for batch in batches[:NOISE_BATCHES]
                )
                implied = noise.temperature * method.lr
            rows.append(
                (
                    evaluate(model, x[train], y[train])[0],
                    evaluate(model, x[test], y[test])[1],
                    heat.rescaled,
                    implied,
                )
            )
    return np.array(rows)


def experiment(seeds: int, epochs: int, scale: float) -> dict[str, np.ndarray]:
    """All runs by optimizer, arrays (seeds, epochs, columns); learning rates are the paper's times
    `scale`.
    """
    inputs, labels = potentials.digits()
    x, y = torch.tensor(inputs, dtype=torch.float32), torch.tensor(labels)
    methods = [replace(method, lr=scale * method.lr) for method in PAPER]
    return {
        method.name: np.array([run(method, seed, epochs, x, y) for seed in range(1, seeds + 1)])
        for method in methods
    }


def draw(found: dict[str, np.ndarray], path: Path) -> None:
    """Mean over seeds with the 95 % interval of the mean."""
    epochs = next(iter(found.values())).shape[1]
    epoch = np.arange(1, epochs + 1)
    with plt.rc_context(plots.STYLE):
        figure, axes = panels([start * epochs + 0.5 for start, _ in DECAY])
        for k, ax in enumerate(axes):
            for name, runs in found.items():
                mean, low, high = np.array([bootstrap_mean(column) for column in runs[..., k].T]).T
                ax.plot(epoch, mean, color=COLOURS[name], label=name)
                ax.fill_between(epoch, low, high, color=COLOURS[name], alpha=0.25, linewidth=0)
        axes[2].plot(
            epoch,
            found["CoolMomentum"][..., 3].mean(0),
            color=plots.BLACK,
            linestyle="--",
            linewidth=1,
            label="Eq. (19)",
        )
        axes[1].set_ylim(0.8, 1)
        finish(figure, path)


def table(found: dict[str, np.ndarray]) -> str:
    """Final values, mean with 95 % bootstrap interval, in Markdown."""
    lines = ["| optimizer | training loss | test accuracy |", "|---|---|---|"]
    for name, runs in found.items():
        loss, accuracy = bootstrap_mean(runs[:, -1, 0]), bootstrap_mean(100 * runs[:, -1, 1])
        lines.append(
            f"| {name} | {loss} | {accuracy.value:.2f} % [{accuracy.low:.2f}, "
            f"{accuracy.high:.2f}] |"
        )
    return "\n".join(lines)


@click.command()
@click.option("--seeds", type=click.IntRange(2), default=20, show_default=True)
@click.option("--epochs", type=click.IntRange(1), default=20, show_default=True)
@click.option(
    "--scale", type=float, default=1.0, show_default=True, help="Multiplies every learning rate."
)
@click.option(
    "--figure", type=click.Path(dir_okay=False, path_type=Path), default=FIGURES / "ml_digits.png"
)
def main(seeds: int, epochs: int, scale: float, figure: Path) -> None:
    """Train, draw, and print a table."""
    torch.set_num_threads(1)
    found = experiment(seeds, epochs, scale)
    draw(found, figure)
    print(table(found))


if __name__ == "__main__":
    main()
