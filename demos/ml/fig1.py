"""The paper's Fig. 1: ResNet-20 trained by Adam, Momentum and CoolMomentum with the paper's
hyperparameters.

Panels: training loss, measured for all three in the same way, at the end of each epoch on the
training images as they are (no augmentation, no penalty, BatchNorm's running statistics); test
accuracy; T dt^2 = <dx^2> over each epoch, from the first step on and over trainable parameters
only. CIFAR-10 from its binary format with --data FOLDER; without, Fashion-MNIST as Debian packages
it. Every run is kept in --out after every epoch; the same command goes on where it was.
"""

from pathlib import Path

import click
import matplotlib.pyplot as plt
import numpy as np
import torch
from _data import load
from _panels import COLOURS, finish, panels
from _resnet import resnet20
from _train import DECAY, PAPER, train

from langevin_sa import plots


@click.command()
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with CIFAR-10 or Fashion-MNIST.",
)
@click.option(
    "--epochs",
    type=click.IntRange(1),
    default=200,
    show_default=True,
    help="Decay steps scale with it.",
)
@click.option("--subset", type=click.IntRange(1), help="Only so many training images.")
@click.option("--test-subset", type=click.IntRange(1), help="Only so many test images.")
@click.option(
    "--batch-size",
    type=click.IntRange(1),
    default=32,
    show_default=True,
    help="32 in the published script.",
)
@click.option(
    "--seeds", type=click.IntRange(1), default=3, show_default=True, help="Runs of each optimizer."
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default="fig1",
    show_default=True,
    help="Folder for runs.",
)
@click.option(
    "--figure",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the figure goes; OUT/fig1.png by default.",
)
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True)
def main(data, epochs, subset, test_subset, batch_size, seeds, out, figure, threads):
    """Train, draw, and print a table."""
    torch.set_num_threads(threads)
    images = load(data, subset, test_subset)
    out.mkdir(parents=True, exist_ok=True)
    runs: dict[str, list[dict]] = {method.name: [] for method in PAPER}
    for seed in range(1, seeds + 1):
        for method in PAPER:
            run = train(
                method,
                seed,
                images,
                lambda: resnet20(images.x.shape[1]),
                out,
                epochs=epochs,
                batch_size=batch_size,
            )
            runs[method.name].append(run)
        draw(runs, figure or out / "fig1.png")
    print(table(runs))


def draw(runs: dict[str, list[dict]], path: Path) -> None:
    """The three panels; a thin line a run, the mean of the runs (geometric on a logarithmic axis)
    thick.
    """
    epochs = next(iter(runs.values()))[0]["plan"]["epochs"]
    with plt.rc_context(plots.STYLE):
        figure, axes = panels([start * epochs + 0.5 for start, _ in DECAY])
        for ax, key in zip(axes, ("loss", "test_accuracy", "rescaled"), strict=True):
            for name, several in runs.items():
                lines = [np.array([epoch[key] for epoch in run["history"]]) for run in several]
                for y in lines:
                    ax.plot(
                        np.arange(1, len(y) + 1), y, color=COLOURS[name], linewidth=0.7, alpha=0.5
                    )
                if len({len(y) for y in lines}) == 1:
                    mean = (
                        np.exp(np.mean(np.log(lines), 0))
                        if ax.get_yscale() == "log"
                        else np.mean(lines, 0)
                    )
                    ax.plot(
                        np.arange(1, len(mean) + 1),
                        mean,
                        color=COLOURS[name],
                        linewidth=2,
                        label=name,
                    )
        finish(figure, path)


def table(runs: dict[str, list[dict]]) -> str:
    """Mean and standard deviation over seeds of what the last epoch gives, in Markdown."""
    lines = [
        "| optimizer | training loss | training accuracy | test accuracy | best test accuracy | T "
        "dt^2, first epoch | last epoch |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, several in runs.items():
        good = [run["history"] for run in several if not run["diverged"]]
        if not good:
            lines.append(f"| {name} |" + " div |" * 6)
            continue
        columns = [
            [h[-1]["loss"] for h in good],
            *([100 * h[-1][key] for h in good] for key in ("accuracy", "test_accuracy")),
        ]
        columns += [
            [100 * max(e["test_accuracy"] for e in h) for h in good],
            *([h[k]["rescaled"] for h in good] for k in (0, -1)),
        ]
        formats = ("{:.4f}", "{:.2f} %", "{:.2f} %", "{:.2f} %", "{:.3g}", "{:.3g}")
        several_seeds = min(1, len(good) - 1)
        cells = [
            f"{form.format(np.mean(c))} ± {form.format(np.std(c, ddof=several_seeds))}"
            for form, c in zip(formats, columns, strict=True)
        ]
        lines.append(
            f"| {name} ({len(good)} of {len(several)} seeds) | " + " | ".join(cells) + " |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
