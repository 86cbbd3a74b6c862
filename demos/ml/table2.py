"""The paper's Table 2: test accuracy of ResNet-20 trained by CoolMomentum over a grid of rho0 and
base lr; "div" is divergent.

Data, training and files as in fig1.py, whose options these are; finished cells are kept in --out
and not computed again.
"""

from pathlib import Path

import click
import numpy as np
import torch
from _data import load
from _resnet import resnet20
from _train import Method, train

RHO0, LR = (0.9, 0.99, 0.999), (0.001, 0.01, 0.02)


@click.command()
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with CIFAR-10 or Fashion-MNIST.",
)
@click.option("--epochs", type=click.IntRange(1), default=200, show_default=True)
@click.option("--subset", type=click.IntRange(1), help="Only so many training images.")
@click.option("--test-subset", type=click.IntRange(1), help="Only so many test images.")
@click.option("--batch-size", type=click.IntRange(1), default=32, show_default=True)
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True)
@click.option("--rho0", multiple=True, type=float, default=RHO0, show_default=True)
@click.option("--lr", multiple=True, type=float, default=LR, show_default=True)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default="table2",
    show_default=True,
    help="Folder for runs.",
)
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True)
def main(data, epochs, subset, test_subset, batch_size, seeds, rho0, lr, out, threads):
    """Train every cell and print the table."""
    torch.set_num_threads(threads)
    images = load(data, subset, test_subset)
    out.mkdir(parents=True, exist_ok=True)

    def cell(rho0: float, lr: float) -> str:
        method = Method("CoolMomentum", lr, rho0)
        runs = [
            train(
                method,
                seed,
                images,
                lambda: resnet20(images.x.shape[1]),
                out,
                epochs=epochs,
                batch_size=batch_size,
            )
            for seed in range(1, seeds + 1)
        ]
        if any(run["diverged"] for run in runs):
            return "div"
        accuracy = [run["history"][-1]["test_accuracy"] for run in runs]
        return f"{np.mean(accuracy):.4f}" + (
            f" ± {np.std(accuracy, ddof=1):.4f}" if seeds > 1 else ""
        )

    print(
        "| rho0 \\ lr | "
        + " | ".join(f"{rate:g}" for rate in lr)
        + " |\n"
        + "|---" * (len(lr) + 1)
        + "|"
    )
    for rho in rho0:
        print(f"| {rho:g} | " + " | ".join(cell(rho, rate) for rate in lr) + " |")


if __name__ == "__main__":
    main()
