"""The paper's second experiment: EfficientNet-B0 on an image folder (train/CLASS/*, val/CLASS/*),
CoolMomentum or RMSprop.

CoolMomentum: base lr 0.6, rho0 = 0.99, rho = 0 in the first five epochs. RMSprop: lr 0.128 after a
linear warm-up of five epochs, times 0.97 every 2.4 epochs, decay and momentum 0.9, epsilon 0.001.
Both rates are for batches of 2,048 and scale with the batch. Label smoothing 0.1, weight decay
1e-5, averaged weights 0.9999 as in the published code; its AutoAugment is left out.
"""

import os
from itertools import islice
from pathlib import Path

import click
import torch
from _efficientnet import efficientnet_b0
from _images import ImageFolder, batches
from torch import nn
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from langevin_sa.ml import CoolMomentum, Thermometer

WARMUP_EPOCHS, L2 = 5, 1e-5


def make_optimizer(name: str, model: nn.Module, batch_size: int, epochs: int, steps: int):
    """Optimizer and the scheduler that is called after each step (None for CoolMomentum), `steps`
    an epoch.
    """
    kernels = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": kernels, "weight_decay": L2}, {"params": others, "weight_decay": 0.0}]
    scale = batch_size / 2048
    if name == "coolmomentum":
        return CoolMomentum(
            groups,
            0.6 * scale,
            0.99,
            total_steps=epochs * steps,
            warmup_steps=min(WARMUP_EPOCHS, epochs) * steps,
        ), None
    optimizer = torch.optim.RMSprop(groups, 0.128 * scale, alpha=0.9, eps=0.001, momentum=0.9)
    warmup = WARMUP_EPOCHS * steps

    def rate(n: int) -> float:
        return (
            (n + 1) / warmup if n < warmup else 0.97 ** ((n - warmup) // max(1, round(2.4 * steps)))
        )

    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, rate)


@torch.no_grad()
def accuracy(model: nn.Module, loader, device: torch.device) -> tuple[float, float]:
    """Top-1 and top-5 accuracy."""
    model.eval()
    hits, count = torch.zeros(2), 0
    for x, y in loader:
        best = model(x.to(device)).topk(5).indices.cpu() == y[:, None]
        hits += torch.stack([best[:, 0].sum(), best.any(1).sum()])
        count += len(y)
    return tuple((hits / count).tolist())


@click.command()
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="Folder with train/ and val/.",
)
@click.option(
    "--optimizer",
    "name",
    type=click.Choice(["coolmomentum", "rmsprop"]),
    default="coolmomentum",
    show_default=True,
)
@click.option("--epochs", type=click.IntRange(1), default=350, show_default=True)
@click.option("--batch-size", type=click.IntRange(1), default=2048, show_default=True)
@click.option("--size", type=click.IntRange(32), default=224, show_default=True, help="Pixels.")
@click.option(
    "--workers",
    type=click.IntRange(0),
    default=8,
    show_default=True,
    help="Processes that read images.",
)
@click.option(
    "--steps", type=click.IntRange(1), help="Stop each epoch after so many steps (to try it out)."
)
@click.option("--seed", default=1, show_default=True)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default="efficientnet.pt",
    show_default=True,
    help="Checkpoint.",
)
def main(data, name, epochs, batch_size, size, workers, steps, seed, out):
    """Train, or go on from the checkpoint."""
    torch.manual_seed(seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    train, val = (
        ImageFolder(data / "train", size, augment=True),
        ImageFolder(data / "val", size, augment=False),
    )
    if train.classes != val.classes:
        raise click.UsageError(
            f"train/ has {len(train.classes)} classes and val/ {len(val.classes)}, or their names "
            "differ"
        )
    per_epoch = min(steps or len(train), len(train) // batch_size)
    if per_epoch < 1:
        raise click.UsageError(f"{len(train)} images do not fill a batch of {batch_size}")
    model = efficientnet_b0(max(5, len(train.classes))).to(
        device, memory_format=torch.channels_last
    )
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9999), use_buffers=True)
    optimizer, scheduler = make_optimizer(name, model, batch_size, epochs, per_epoch)
    parts = {"model": model, "average": average, "optimizer": optimizer} | (
        {"scheduler": scheduler} if scheduler else {}
    )
    done = 0
    if out.exists():
        saved = torch.load(out, map_location=device)
        done = saved["epoch"]
        for key, part in parts.items():
            part.load_state_dict(saved[key])
    with Thermometer(optimizer) as thermometer:
        for epoch in range(done, epochs):
            # so that a run that was interrupted gives the same numbers
            torch.manual_seed(seed + epoch)
            model.train()
            total = 0.0
            for x, y in islice(batches(train, batch_size, workers, seed + epoch), per_epoch):
                optimizer.zero_grad()
                with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                    loss = cross_entropy(model(x.to(device)), y.to(device), label_smoothing=0.1)
                loss.backward()
                optimizer.step()
                if scheduler:
                    scheduler.step()
                average.update_parameters(model)
                total += loss.detach()
            top1, top5 = accuracy(average, batches(val, batch_size, workers, None), device)
            print(
                f"epoch {epoch + 1}/{epochs}  loss in training {float(total) / per_epoch:.4f}  "
                f"top-1 {top1:.4f}  top-5 {top5:.4f}  T dt^2 {thermometer.read().rescaled:.3g}",
                flush=True,
            )
            torch.save(
                {"epoch": epoch + 1} | {key: part.state_dict() for key, part in parts.items()},
                out.with_suffix(".new"),
            )
            os.replace(out.with_suffix(".new"), out)


if __name__ == "__main__":
    main()
